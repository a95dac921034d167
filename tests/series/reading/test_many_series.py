"""Many series at once: the same as one by one, errors put aside, wide tables, and tables of many forecasts."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.series import DataError, Forecast, Series, future, futures, read, season_length, to_frame
from gatewise.series.reading import validation as checks
from tests.series_tables import MONTHS, spoil, table

DAYS = pd.date_range("2020-01-01", periods=12)
CALENDARS = {
    "MS": MONTHS,
    "B": pd.date_range("2020-01-01", periods=30, freq="B"),
    "D": pd.date_range("2020-01-01", periods=30),
    "D local": pd.date_range("2020-10-10", periods=30, tz="Europe/Berlin"),
    "h local": pd.date_range("2020-10-24 12:00", periods=30, freq="h", tz="Europe/Berlin"),
    "15min": pd.date_range("2020-01-01", periods=30, freq="15min"),
    "numbers": pd.Index(np.arange(-20, 70, 3)),
}
DEFECTS = ("missing", "gap", "duplicate", "unsorted", "infinite", "huge", "no date", "empty", "off")


def same(one, other):
    assert (one.unique_id, one.ds.dtype) == (other.unique_id, other.ds.dtype)
    assert one.ds.equals(other.ds)
    assert one.y.tolist() == other.y.tolist()
    assert (one.filled is None) == (other.filled is None)
    assert one.filled is None or one.filled.tolist() == other.filled.tolist()


def spoiled(frame, defect, at):
    """A table of one series with a defect at a row."""
    i = frame.index[at]
    frame = frame.astype({"ds": object}) if defect == "no date" else frame.copy()
    if defect in ("missing", "infinite", "huge"):
        frame.loc[i, "y"] = {"missing": np.nan, "infinite": -np.inf, "huge": -1e200}[defect]
    if defect == "no date":
        frame.loc[i, "ds"] = None
    if defect == "empty":
        frame["y"] = np.nan
    if defect == "off":
        frame.loc[i, "ds"] += 1 if frame["ds"].dtype.kind == "i" else pd.Timedelta(minutes=1)
    order = {"duplicate": [*range(at + 1), *range(at, len(frame))], "gap": [*range(at), *range(at + 1, len(frame))]}
    return frame.iloc[order.get(defect, range(len(frame))[:: -1 if defect == "unsorted" else 1])]


@st.composite
def tables(draw):
    """A table of ragged series on one calendar, some with a defect, their rows mixed; and its frequency."""
    name = draw(st.sampled_from(sorted(CALENDARS)))
    dates, parts = CALENDARS[name], []
    for i in range(draw(st.integers(1, 5))):
        first, length = draw(st.integers(0, 10)), draw(st.integers(4, 20))
        ds = dates[first : first + length]
        part = pd.DataFrame({"unique_id": f"s{i}", "ds": ds, "y": np.arange(float(len(ds))) * 1.5**i})
        defect = draw(st.sampled_from((None, None, *DEFECTS)))
        parts.append(part if defect is None else spoiled(part, defect, draw(st.integers(1, length - 2))))
    frame = pd.concat(parts, ignore_index=True)
    turn = np.random.default_rng(draw(st.integers(0, 99))).permutation(frame["unique_id"].to_numpy())
    place = pd.Series(turn).groupby(turn).cumcount()  # series take turns, each in its own order
    rows = frame.assign(turn=frame.groupby("unique_id").cumcount()).set_index(["unique_id", "turn"])
    frame = rows.loc[list(zip(turn, place, strict=True))].reset_index().drop(columns="turn")
    return frame, 3 if name == "numbers" else name.partition(" ")[0]


def outcome(frame, **options):
    """The panel, or the error's message."""
    try:
        return read(frame, **options)
    except DataError as reason:
        return str(reason)


def unplaced(reason):
    """A message without the rows it names, which differ where a series stands alone."""
    return re.sub(r"row \d+", "row", reason)


@settings(deadline=None, max_examples=60)
@given(tables(), st.sampled_from([None, "interpolate", "previous"]), st.booleans())
def test_series_are_read_together_as_alone(given_table, fill, sort):
    frame, freq = given_table
    options = {"fill": fill, "sort": sort, "freq": freq}
    each = {name: outcome(frame[frame["unique_id"] == name], **options) for name in frame["unique_id"].unique()}
    alone = {name: one.series[0] for name, one in each.items() if not isinstance(one, str)}
    reasons = {name: unplaced(one) for name, one in each.items() if isinstance(one, str)}
    if not alone:
        with pytest.raises(DataError, match=f"none of {len(reasons)} series can be used: "):
            read(frame, on_bad="skip", **options)
        return
    panel = read(frame, on_bad="skip", **options)
    assert [one.unique_id for one in panel.series] == list(alone)
    assert {one.unique_id: unplaced(one.reason) for one in panel.excluded_series} == reasons
    for one in panel.series:
        same(one, alone[one.unique_id])


@settings(deadline=None, max_examples=60)
@given(tables(), st.sampled_from([None, "interpolate", "zero"]), st.booleans())
def test_a_quick_look_finds_what_a_close_look_finds(given_table, fill, sort):
    frame, _ = given_table
    quick = outcome(frame, fill=fill, sort=sort)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "_regular", lambda stack, freq: np.zeros(len(stack.names), bool))
        close = outcome(frame, fill=fill, sort=sort)
    if isinstance(close, str):
        assert quick == close
        return
    assert (quick.freq, quick.guesses, len(quick)) == (close.freq, close.guesses, len(close))
    for one, other in zip(quick.series, close.series, strict=True):
        same(one, other)


def test_a_first_date_off_the_calendar_is_found():
    late = pd.DataFrame({"unique_id": "late", "ds": [pd.Timestamp("2020-03-15"), MONTHS[3], MONTHS[4]], "y": 1.0})
    for rows in (late, late[:1]):
        with pytest.raises(DataError, match="series 'late', row 31: 2020-03-15 is not on the calendar MS"):
            read(pd.concat([table(unique_id="a"), rows]))


def test_series_of_equal_length_keep_their_own_dates():
    panel = read(pd.concat([table(MONTHS[i : i + 20], np.arange(20), unique_id=i) for i in range(5)]))
    assert all((one.ds == MONTHS[i : i + 20]).all() for i, one in enumerate(panel.series))


def test_regular_series_need_no_close_look_and_share_their_dates(monkeypatch):
    monkeypatch.setattr(checks, "_check_rows", None)  # a call would fail
    frame = pd.concat([table(unique_id=f"s{i}", y=-(10.0**i) * np.arange(30)) for i in range(50)])
    for ds in (MONTHS, *CALENDARS.values()):
        panel = read(frame.assign(ds=ds.take(np.tile(np.arange(30), 50))))
        assert len(panel) == 50
        assert all(one.ds is panel.series[0].ds for one in panel.series)
        assert panel.series[49].y.tolist() == (-(10.0**49) * np.arange(30)).tolist()


def test_local_hours_are_told_apart_where_the_clocks_go_back():
    hours = pd.date_range("2020-10-24", periods=60, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"unique_id": np.repeat(["a", "b"], [60, 50]), "ds": hours.append(hours[5:55]), "y": 1.0})
    panel = read(frame)
    assert (panel.freq, season_length(panel.freq), [len(one) for one in panel.series]) == ("h", 24, [60, 50])
    assert [str(date) for date in panel.series[0].ds[26:28]] == [
        "2020-10-25 02:00:00+02:00",
        "2020-10-25 02:00:00+01:00",
    ]
    with pytest.raises(DataError, match=r"series 'b': 1 date is missing from .*: 2020-10-25 02:00:00.01:00 "):
        read(frame.drop(index=60 + 22))


def test_local_days_without_a_midnight_begin_at_the_first_hour():
    days = pd.DatetimeIndex(pd.date_range("2018-10-30", periods=9)).tz_localize(
        "America/Sao_Paulo", nonexistent="shift_forward"
    )
    assert days[5].hour == 1
    (one,) = read(table(days[:7], range(7)), freq="D").series
    assert (one.ds == days[:7]).all()
    assert (future(days[:4], "D", 5) == days[4:]).all()


# ------------------------------------------------------------------------------------------------------ put aside


def shops(**spoilt):
    """Ten daily series, those named with other rows."""
    parts = {f"s{i}": pd.DataFrame({"unique_id": f"s{i}", "ds": DAYS, "y": np.arange(12.0)}) for i in range(10)}
    return pd.concat({**parts, **spoilt}.values(), ignore_index=True)


def shop(name="s3", ds=DAYS, y=range(12)):
    return pd.DataFrame({"unique_id": name, "ds": ds, "y": y})


FAR = pd.date_range("1900-01-01", periods=40, freq="YS")
BAD = {
    "missing value": (shop(y=spoil(range(12), 4, np.nan)), "row 41: the value at 2020-01-05 is missing", [3, 3, 5]),
    "gap": (shop(ds=spoil(DAYS, 11, DAYS[11] + DAYS.freq)), "1 date is missing from", [10, 10, 11]),
    "duplicate": (shop(ds=spoil(DAYS, 4, DAYS[3])), "row 41: duplicate date 2020-01-04", [4, 4, 5]),
    "unsorted": (shop()[::-1], "row 38: 2020-01-11 comes after 2020-01-12", [3, 4, 5]),
    "infinite": (shop(y=spoil(range(12), 4, np.inf)), "row 41: inf in target 'y' is infinite", [3, 3, 5]),
    "text": (shop(y=spoil(range(12), 4, "n.b.")), "row 41: 'n.b.' in target 'y' is not a number", [3, 3, 5]),
    "huge": (shop(y=spoil(np.arange(12.0), 4, 1e101)), "2020-01-05 00:00:00: 1e+101 is too large", [3, 3, 5]),
    "no date": (shop(ds=spoil(DAYS, 4, None)), "row 41: no date in time column 'ds' (1 row has none)", [3, 3, 5]),
    "off": (shop(ds=spoil(DAYS, 4, DAYS[4] + pd.Timedelta("1h"))), "01:00:00 is not on the calendar D", [3, 3, 5]),
    "other frequency": (shop(ds=MONTHS[:12]), "324 dates are missing from 2020-01-01", None),
    "no values": (shop(y=np.nan), "series 's3' has no values at all", None),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("text_dates", [False, True])
def test_one_bad_series_stops_the_rest_only_if_asked(case, text_dates):
    rows, reason, mended = BAD[case]
    frame = shops(s3=rows)
    if text_dates:
        frame["ds"] = [None if pd.isna(date) else str(date) for date in frame["ds"]]
    with pytest.raises(DataError, match=re.escape(reason)) as error:
        read(frame)
    for on_bad in ("skip", "naive"):
        panel = read(frame, on_bad=on_bad)
        assert [one.unique_id for one in panel.series] == [f"s{i}" for i in range(10) if i != 3]
        (bad,) = panel.excluded_series
        assert (bad.unique_id, bad.reason, panel.freq) == ("s3", str(error.value), "D")
        assert on_bad == "naive" or bad.series is None
        assert panel.excluded().to_dict("list") == {"unique_id": ["s3"], "reason": [bad.reason]}
    if mended is not None:
        one = bad.series
        assert (one.ds == pd.date_range(DAYS[0], one.ds[-1])).all()
        assert one.ds.dtype == panel.series[0].ds.dtype
        values = pd.Series(one.y, one.ds)
        assert [values[DAYS[3]], values[DAYS[4]], values[DAYS[5]]][-len(mended) :] == mended or case == "gap"
        assert np.isfinite(one.y).all()
    if case == "gap":
        assert (len(one), one.y[-3:].tolist(), one.filled[-3:].tolist()) == (13, [10, 10, 11], [False, True, False])
    if case == "no values":
        assert bad.series is None


def test_all_kinds_of_errors_at_once_are_put_aside_together():
    spoilt = {f"s{i}": BAD[case][0].assign(unique_id=f"s{i}") for i, case in enumerate(list(BAD)[:9])}
    panel = read(shops(**spoilt), on_bad="naive")
    assert [one.unique_id for one in panel.series] == ["s9"]
    assert [one.unique_id for one in panel.excluded_series] == list(spoilt)
    assert all(one.reason.startswith(f"series {one.unique_id!r}") for one in panel.excluded_series)
    assert all(one.series is not None and len(one.series) >= 12 for one in panel.excluded_series)


def test_rows_of_a_series_without_any_date_are_put_aside_too():
    frame = shops()
    panel = read(frame.assign(ds=frame["ds"].where(frame["unique_id"] != "s3")), on_bad="naive")
    assert (panel.excluded_series[0].unique_id, panel.excluded_series[0].series, len(panel)) == ("s3", None, 9)
    assert "(12 rows have none)" in panel.excluded_series[0].reason
    unreadable = shops(s0=shop("s0", "soon")).astype({"ds": str})
    assert [one.unique_id for one in read(unreadable, on_bad="skip").excluded_series] == ["s0"]


def test_errors_of_the_table_are_raised_in_any_case():
    for frame, message in (
        (shops().rename(columns={"ds": "a"}).assign(b=DAYS[0]), "the time column is ambiguous"),
        (shops().replace({"unique_id": {"s3": None}}), "row 37: no name in series column"),
        (shop(y=spoil(range(12), 4, np.nan)), "none of 1 series can be used: series 's3', row 5: the value at"),
        (
            pd.concat([shop(f"s{i}", y=np.nan) for i in range(5)]),
            "none of 5 series can be used: series 's0' has .*; and 2 more",
        ),
    ):
        with pytest.raises(DataError, match=message):
            read(frame, on_bad="skip")


def test_the_frequency_is_that_of_most_rows_not_of_one_long_series():
    long = pd.DataFrame({"unique_id": "long", "ds": FAR, "y": 1.0})
    assert read(long).freq == "YS-JAN"
    panel = read(pd.concat([long, shops()]), on_bad="skip")
    assert (panel.freq, [one.unique_id for one in panel.excluded_series], len(panel)) == ("D", ["long"], 10)
    work = pd.bdate_range("2020-01-06", periods=12)  # of their steps, most are those of days too
    daily = pd.DataFrame({"unique_id": "long", "ds": pd.date_range("2020-01-01", periods=40), "y": 1.0})
    every = pd.concat([daily, *(shop(f"s{i}", ds=work) for i in range(10))])
    panel = read(every, on_bad="skip")
    assert (panel.freq, [one.unique_id for one in panel.excluded_series]) == ("B", ["long"])
    holes = shops()
    holes = holes[(np.arange(len(holes)) * 7) % 10 != 0]
    assert read(pd.concat([long, holes]), on_bad="skip", fill="previous").freq == "D"


def test_a_stray_date_far_away_leaves_the_last_value():
    seconds = pd.date_range("2020-01-01", periods=12, freq="s")
    stray = shop(ds=spoil(seconds, 11, pd.Timestamp("2030-01-01")))
    frame = pd.concat([shop(f"s{i}", ds=seconds) for i in range(3)] + [stray.assign(unique_id="stray")])
    (bad,) = read(frame, on_bad="naive").excluded_series
    assert "makes 315619201 steps" in bad.reason
    assert (bad.series.y.tolist(), bad.series.ds.tolist()) == ([11], [pd.Timestamp("2030-01-01")])


def test_few_repairs_are_told_one_by_one_and_many_summed_up():
    def spoilt(count):
        frames = (shop(f"s{i}", y=[np.nan, *spoil(range(11), 4, np.nan)])[::-1] for i in range(count))
        return read(pd.concat(frames), fill="interpolate", sort=True).guesses

    assert "filled by interpolation: 1 value of series 's2', the first at 2020-01-06" in spoilt(3)
    assert "sorted by date: series 's2'" in spoilt(3)
    assert "left out: the first date of series 's2', whose value is missing" in spoilt(3)
    assert spoilt(40)[3:] == (
        "frequency: D (daily), inferred from 12 dates",
        "sorted by date: 40 series, starting with series 's0'",
        "left out: 40 dates at the start of 40 series, whose values are missing; first in series 's0'",
        "filled by interpolation: 40 values of 40 series, the first in series 's0' at 2020-01-06",
    )


@pytest.mark.parametrize("bad", [0, 1])
def test_the_report_comes_in_the_library_of_the_data(bad):
    frame = shops(s3=shop(y=np.nan)) if bad else shops()
    report = read(pl.DataFrame({name: frame[name].to_list() for name in frame}), on_bad="skip").excluded()
    assert isinstance(report, pl.DataFrame)
    assert (report.columns, report["unique_id"].to_list()) == (["unique_id", "reason"], ["s3"][:bad])


def test_polars_names_and_dates_in_text_or_categories():
    frame = pl.DataFrame({"unique_id": ["b", "a"] * 12, "ds": [str(day.date()) for day in DAYS for _ in "ba"]})
    frame = frame.with_columns(y=pl.Series(range(24)))
    for kind in (pl.String, pl.Categorical):
        panel = read(frame.with_columns(pl.col("unique_id").cast(kind)))
        assert [(one.unique_id, one.y[0]) for one in panel.series] == [("b", 0), ("a", 1)]
    with pytest.raises(DataError, match="row 1: no name in series column 'unique_id'"):
        read(frame.with_columns(pl.col("unique_id").replace("b", None)))


# ---------------------------------------------------------------------------------------------------- wide tables


def test_each_column_is_a_series():
    wide = pd.DataFrame({"day": DAYS[:5], "a": [None, 1, 2, 3, 4], "b": range(5), "c": [0, 1, 2, None, None]})
    for source in (wide, wide.set_index("day"), pl.from_pandas(wide)):
        panel = read(source, layout="columns")
        assert [(one.unique_id, one.y.tolist()) for one in panel.series] == [
            ("a", [1, 2, 3, 4]),
            ("b", [0, 1, 2, 3, 4]),
            ("c", [0, 1, 2]),
        ]
        assert [str(one.ds[0].date()) for one in panel.series] == ["2020-01-02", "2020-01-01", "2020-01-01"]
        assert panel.freq == "D"
        assert "blank cells before the first or after the last value: left out in 2 of 3 series" in panel.guesses
    few = read(wide.assign(note="x"), layout="columns", target_column=["c", "b"])
    assert [one.unique_id for one in few.series] == ["c", "b"]
    assert "columns not used: 'a', 'note'" in few.guesses
    with pytest.raises(DataError, match=r"no numbers in 'note'; list the columns to forecast as target_column="):
        read(wide.assign(note="x"), layout="columns")
    with pytest.raises(DataError, match="series 'a', row 4: the value at 2020-01-04 is missing"):
        read(wide.assign(a=[None, 1, 2, None, 4]), layout="columns")
    counted = read(wide[["b"]].assign(c=1), layout="columns")
    assert (counted.freq, counted.series[1].ds.tolist()) == (1, [0, 1, 2, 3, 4])


def test_each_row_is_a_series(tmp_path):
    path = tmp_path / "M4.csv"
    path.write_text(
        '"V1","V2","V3","V4","V5"\n"H1","605","586","",""\n"007","1","","3","4.5"\n"H3","8","9","10","11"\n'
    )
    panel = read(path, layout="rows", fill="previous")
    assert [(one.unique_id, one.y.tolist()) for one in panel.series] == [
        ("H1", [605, 586]),
        ("007", [1, 1, 3, 4.5]),
        ("H3", [8, 9, 10, 11]),
    ]
    assert (panel.freq, panel.series[1].ds.tolist()) == (1, [0, 1, 2, 3])
    assert panel.guesses[:3] == (
        "series column: 'V1' (the first)",
        "values of a series: 4 columns, 'V2', 'V3', 'V4', 'V5'",
        "time: values counted from 0 along each row",
    )
    with pytest.raises(DataError, match=r"series '007', row 2 \(line 3 of M4.csv\): the value at 1 is missing"):
        read(path, layout="rows")
    assert [one.unique_id for one in read(path, layout="rows", on_bad="skip").excluded_series] == ["007"]
    with pytest.raises(DataError, match=r'reads as dates; .* pass layout="columns" \(.*\) or layout="rows"'):
        read(path)
    other = read(pd.DataFrame({"a": [1, 2], "b": [3, 4], "shop": ["x", "y"]}), layout="rows", id_column="shop")
    assert [(one.unique_id, one.y.tolist()) for one in other.series] == [("x", [1, 3]), ("y", [2, 4])]


def test_each_of_several_columns_of_a_long_table_is_a_series():
    both = shops().assign(z=lambda frame: -frame["y"])
    panel = read(both, target_column=["y", "z"])
    assert [one.unique_id for one in panel.series][:3] == ["s0/y", "s0/z", "s1/y"]
    assert panel.series[1].y.tolist() == (-np.arange(12.0)).tolist()
    panel = read(both[:12].drop(columns="unique_id"), target_column=["z", "y"])
    assert [one.unique_id for one in panel.series] == ["z", "y"]
    bad = both.assign(ds=spoil(both["ds"], 3, None), z=spoil(both["z"], 15, "x"))
    assert [one.unique_id for one in read(bad, target_column=["y", "z"], on_bad="skip").excluded_series] == [
        "s0/y",
        "s0/z",
        "s1/z",
    ]
    with pytest.raises(DataError, match="two series have the same name id/column"):
        read(
            table(shop=spoil(["a"] * 30, 3, "a/b")).assign(**{"b/y": 1.0}), id_column="shop", target_column=["y", "b/y"]
        )


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (table(), {"layout": "tall"}, "layout='tall': expected one of long, columns, rows"),
        (table(), {"on_bad": "ignore"}, "on_bad='ignore': expected one of raise, skip, naive"),
        ([1.0, 2.0], {"layout": "rows"}, "layout='rows' is for a table of several series, but the data are one series"),
        (
            table(),
            {"layout": "columns", "id_column": "y"},
            "layout='columns' names each series after its column; omit id_column=",
        ),
        (
            table(),
            {"layout": "rows", "time_column": "ds"},
            "layout='rows' counts the time along each row; omit time_column=",
        ),
        (
            table()[["y"]],
            {"layout": "rows"},
            "has only the column 'y'; layout='rows' needs columns of values after the name",
        ),
        (table()[["ds"]], {"layout": "columns"}, "every column must be a series, but there is none beside the time"),
        (pd.DataFrame({"n": ["a", "a"], "v": 1.0}), {"layout": "rows"}, "row 2: series 'a' is a duplicate"),
        (table(a=1.0).rename(columns={"y": "b"}), {}, 'if the table is wide, pass layout="columns"'),
    ],
)
def test_layouts_that_do_not_fit_are_refused(source, options, message):
    with pytest.raises(DataError, match=message):
        read(source, **options)


def test_a_panel_takes_no_layout():
    for options in ({"layout": "rows"}, {"on_bad": "skip"}):
        with pytest.raises(DataError, match="the data are a panel that has been read already"):
            read(read(table()), **options)


# ------------------------------------------------------------------------------------------------- many forecasts


def forecasts(lengths, dates=MONTHS):
    for i, length in enumerate(lengths):
        mean = np.arange(length) + 100.0 * i
        yield Forecast(
            f"s{i}", dates[i : i + length], mean, "GRU", {80: (mean - 1, mean + 1), 95: (mean - 2, mean + 2)}
        )


@pytest.mark.parametrize("dates", CALENDARS.values())
@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_a_table_of_forecasts_is_their_tables_below_each_other(backend, dates):
    made = [*forecasts([3, 1, 5], dates), *forecasts([2], dates)]
    frame = to_frame(made, backend)
    each = [to_frame([one], backend) for one in made]
    assert type(frame).__module__.startswith(backend)
    assert list(frame.columns) == ["unique_id", "ds", "GRU", "GRU-lo-80", "GRU-hi-80", "GRU-lo-95", "GRU-hi-95"]
    for column in frame.columns:
        assert list(frame[column]) == [value for one in each for value in one[column]]
        assert frame[column].dtype == each[0][column].dtype


def test_futures_are_those_of_each_and_shared_where_series_end_together():
    made = [Series(i, MONTHS[i % 3 : 20 + i % 2], np.ones(20)) for i in range(12)]
    ahead = futures(made, "MS", 7)
    assert all(one.equals(future(series.ds, "MS", 7)) for one, series in zip(ahead, made, strict=True))
    assert len({id(one) for one in ahead}) == 2
    panel = read(shops())
    assert [len(one) for one in futures(panel, panel.freq, 3)] == [3] * 10
