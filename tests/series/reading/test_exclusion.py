"""Exclusion: series with an error are excluded with the reason, and the others are read."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.series import DataError, read
from tests.series_tables import DAYS, daily, spoil, ten_series

FAR = pd.date_range("1900-01-01", periods=40, freq="YS")


CASES = {
    "missing value": (daily(y=spoil(range(12), 4, np.nan)), "row 41: the value at 2020-01-05 is missing", [3, 3, 5]),
    "gap": (daily(ds=spoil(DAYS, 11, DAYS[11] + DAYS.freq)), "1 date is missing between", [10, 10, 11]),
    "duplicate": (daily(ds=spoil(DAYS, 4, DAYS[3])), "row 41: duplicate date 2020-01-04", [4, 4, 5]),
    "unsorted": (daily()[::-1], "row 38: 2020-01-11 comes after 2020-01-12", [3, 4, 5]),
    "infinite": (daily(y=spoil(range(12), 4, np.inf)), "row 41: inf in target 'y' is infinite", [3, 3, 5]),
    "text": (daily(y=spoil(range(12), 4, "n.b.")), "row 41: 'n.b.' in target 'y' is not a number", [3, 3, 5]),
    "huge": (daily(y=spoil(np.arange(12.0), 4, 1e101)), "2020-01-05 00:00:00: 1e+101 is too large", [3, 3, 5]),
    "no date": (daily(ds=spoil(DAYS, 4, None)), "row 41: no date in time column 'ds' (1 row has none)", [3, 3, 5]),
    "off": (daily(ds=spoil(DAYS, 4, DAYS[4] + pd.Timedelta("1h"))), "01:00:00 is not on the calendar D", [3, 3, 5]),
    "no values": (daily(y=np.nan), "series 's3' has no values at all", None),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("text_dates", [False, True])
def test_an_error_is_raised_or_excludes_its_series(case, text_dates):
    rows, reason, repaired = CASES[case]
    frame = ten_series(s3=rows)
    if text_dates:
        frame["ds"] = [None if pd.isna(date) else str(date) for date in frame["ds"]]
    with pytest.raises(DataError, match=re.escape(reason)) as error:
        read(frame)
    for on_bad in ("skip", "naive"):
        panel = read(frame, on_bad=on_bad)
        assert [series.unique_id for series in panel.series] == [f"s{i}" for i in range(10) if i != 3]
        (excluded,) = panel.excluded_series
        assert (excluded.unique_id, excluded.reason, panel.freq) == ("s3", str(error.value), "D")
        assert on_bad == "naive" or excluded.series is None
        assert panel.excluded().to_dict("list") == {"unique_id": ["s3"], "reason": [excluded.reason]}
    if repaired is not None:
        series = excluded.series
        assert (series.ds == pd.date_range(DAYS[0], series.ds[-1])).all()
        assert series.ds.dtype == panel.series[0].ds.dtype
        values = pd.Series(series.y, series.ds)
        assert [values[DAYS[3]], values[DAYS[4]], values[DAYS[5]]][-len(repaired) :] == repaired or case == "gap"
        assert np.isfinite(series.y).all()
    if case == "gap":
        assert (len(series), series.y[-3:].tolist(), series.filled[-3:].tolist()) == (
            13,
            [10, 10, 11],
            [False, True, False],
        )
    if case == "no values":
        assert excluded.series is None


def test_all_kinds_of_errors_are_excluded_together():
    replaced = {f"s{i}": CASES[case][0].assign(unique_id=f"s{i}") for i, case in enumerate(list(CASES)[:9])}
    panel = read(ten_series(**replaced), on_bad="naive")
    assert [series.unique_id for series in panel.series] == ["s9"]
    assert [excluded.unique_id for excluded in panel.excluded_series] == list(replaced)
    assert all(excluded.reason.startswith(f"series {excluded.unique_id!r}") for excluded in panel.excluded_series)
    assert all(excluded.series is not None and len(excluded.series) >= 12 for excluded in panel.excluded_series)


def test_a_series_without_any_date_is_excluded():
    frame = ten_series()
    panel = read(frame.assign(ds=frame["ds"].where(frame["unique_id"] != "s3")), on_bad="naive")
    assert (panel.excluded_series[0].unique_id, panel.excluded_series[0].series, len(panel)) == ("s3", None, 9)
    assert "(12 rows have none)" in panel.excluded_series[0].reason
    unreadable = ten_series(s0=daily("s0", "soon")).astype({"ds": str})
    assert [excluded.unique_id for excluded in read(unreadable, on_bad="skip").excluded_series] == ["s0"]


def test_errors_of_the_whole_table_are_always_raised():
    for frame, message in (
        (ten_series().rename(columns={"ds": "a"}).assign(b=[*DAYS] * 10), "the time column is ambiguous"),
        (ten_series().replace({"unique_id": {"s3": None}}), "row 37: no name in series column"),
        (daily(y=spoil(range(12), 4, np.nan)), "the only series has an error: series 's3', row 5: the value at"),
        (
            pd.concat([daily(f"s{i}", y=np.nan) for i in range(5)]),
            "all 5 series have errors: series 's0' has .*; and 2 more",
        ),
    ):
        with pytest.raises(DataError, match=message):
            read(frame, on_bad="skip")


def test_the_frequency_is_that_of_most_rows():
    long = pd.DataFrame({"unique_id": "long", "ds": FAR, "y": 1.0})
    assert read(long).freq == "YS-JAN"
    panel = read(pd.concat([long, ten_series()]), on_bad="skip")
    assert (panel.freq, [excluded.unique_id for excluded in panel.excluded_series], len(panel)) == ("D", ["long"], 10)
    work = pd.bdate_range("2020-01-06", periods=12)  # most of their steps are also daily
    daily_series = pd.DataFrame({"unique_id": "long", "ds": pd.date_range("2020-01-01", periods=40), "y": 1.0})
    frame = pd.concat([daily_series, *(daily(f"s{i}", ds=work) for i in range(10))])
    panel = read(frame, on_bad="skip")
    assert (panel.freq, [excluded.unique_id for excluded in panel.excluded_series]) == ("B", ["long"])
    holes = ten_series()
    holes = holes[(np.arange(len(holes)) * 7) % 10 != 0]
    assert read(pd.concat([long, holes]), on_bad="skip", fill="previous").freq == "D"


def test_a_stray_date_far_away_leaves_the_last_value():
    seconds = pd.date_range("2020-01-01", periods=12, freq="s")
    stray = daily(ds=spoil(seconds, 11, pd.Timestamp("2030-01-01")))
    frame = pd.concat([daily(f"s{i}", ds=seconds) for i in range(3)] + [stray.assign(unique_id="stray")])
    (excluded,) = read(frame, on_bad="naive").excluded_series
    assert "2030-01-01 is far from the other 11 dates, 2020-01-01 to 2020-01-01 00:00:10" in excluded.reason
    assert (excluded.series.y.tolist(), excluded.series.ds.tolist()) == ([11], [pd.Timestamp("2030-01-01")])


def test_few_repairs_are_stated_one_by_one_and_many_together():
    def guesses_of(count):
        frames = (daily(f"s{i}", y=[np.nan, *spoil(range(11), 4, np.nan)])[::-1] for i in range(count))
        return read(pd.concat(frames), fill="interpolate", sort=True).guesses

    assert "filled by interpolation: 1 value of series 's2', the first at 2020-01-06" in guesses_of(3)
    assert "sorted by date: series 's2'" in guesses_of(3)
    assert "left out: the first date of series 's2', without a value" in guesses_of(3)
    assert guesses_of(40)[3:] == (
        "frequency: D (daily), inferred from 12 dates",
        "sorted by date: 40 series, starting with series 's0'",
        "left out: 40 dates without values at the start of 40 series, the first in series 's0'",
        "filled by interpolation: 40 values of 40 series, the first in series 's0' at 2020-01-06",
    )


@pytest.mark.parametrize("errors", [0, 1])
def test_the_table_of_exclusions_is_in_the_library_of_the_data(errors):
    frame = ten_series(s3=daily(y=np.nan)) if errors else ten_series()
    excluded = read(pl.DataFrame({name: frame[name].to_list() for name in frame}), on_bad="skip").excluded()
    assert isinstance(excluded, pl.DataFrame)
    assert (excluded.columns, excluded["unique_id"].to_list()) == (["unique_id", "reason"], ["s3"][:errors])


def test_polars_names_and_dates_are_read_from_text_and_categories():
    frame = pl.DataFrame({"unique_id": ["b", "a"] * 12, "ds": [str(day.date()) for day in DAYS for _ in "ba"]})
    frame = frame.with_columns(y=pl.Series(range(24)))
    for kind in (pl.String, pl.Categorical):
        panel = read(frame.with_columns(pl.col("unique_id").cast(kind)))
        assert [(series.unique_id, series.y[0]) for series in panel.series] == [("b", 0), ("a", 1)]
    with pytest.raises(DataError, match="row 1: no name in series column 'unique_id'"):
        read(frame.with_columns(pl.col("unique_id").replace("b", None)))
