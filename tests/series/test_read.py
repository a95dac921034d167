"""Series: whatever table, file or array comes in is read the same, what is guessed is stated, calendars are known."""

import contextlib
import gzip
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from gatewise.series import DataError, future, read, season_length
from tests.series_tables import AIR, DATES, MONTHS, SOURCES, lines, table

# --------------------------------------------------------------------------------------------------- what comes in


@pytest.mark.parametrize("source", SOURCES)
def test_every_table_reads_the_same(source):
    given, name, backend = SOURCES[source]
    panel = read(given)
    (series,) = panel.series
    assert (panel.freq, panel.season, panel.backend, series.unique_id) == ("MS", 12, backend, name)
    assert (series.ds == pd.DatetimeIndex(AIR["ds"])).all()
    assert series.y.dtype == np.float64
    assert torch.from_numpy(series.y).tolist() == AIR["y"].tolist()


@pytest.mark.parametrize(
    "source",
    [
        [1, 2.5, 4],
        np.array([1, 2.5, 4], np.float32),
        torch.tensor([1, 2.5, 4], dtype=torch.bfloat16, requires_grad=True),
        pd.Series([1, 2.5, 4]),
        pl.Series([1.0, 2.5, 4.0]),
    ],
)
def test_arrays_are_counted_from_zero(source):
    panel = read(source)
    (series,) = panel.series
    assert (series.unique_id, series.ds.tolist(), series.y.tolist(), panel.freq, panel.season) == (
        "y",
        [0, 1, 2],
        [1, 2.5, 4],
        1,
        1,
    )
    assert "time: rows counted from 0" in panel.guesses


def test_masked_values_are_missing():
    masked = np.ma.masked_array([1, 2, 3, 4], mask=[0, 1, 0, 0])
    assert read(masked, fill="interpolate").series[0].y.tolist() == [1, 2, 3, 4]
    with pytest.raises(DataError, match="row 2: the value at 1 is missing"):
        read(masked)


def test_reading_copies():
    y = np.arange(5.0)
    read(y).series[0].y[0] = 9
    assert y[0] == 0


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (lines(MONTHS.date, range(30)), "sales.csv"),
        (gzip.compress(lines(MONTHS.date, range(30)).encode()), "sales.csv.gz"),
        (lines(MONTHS.date, range(30), "ds;y", ";"), "sales.csv"),
        (lines(MONTHS.date, [f"{n},0" for n in range(30)], "ds;y", ";"), "sales.csv"),
        (lines(MONTHS.date, range(30), "ds\ty", "\t"), "sales.tsv"),
        ("\ufeff" + lines(MONTHS.date, range(30)) + "\n\n", "sales.csv"),
        (lines(MONTHS.strftime("%d/%m/%Y"), range(30)), "sales.csv"),
        (lines(MONTHS.strftime("%m/%d/%Y"), range(30)), "sales.csv"),
        (lines(MONTHS.strftime("%Y%m%d"), range(30)), "sales.csv"),
        (lines(MONTHS.strftime("%Y,%m"), range(30), "year,month,y"), "sales.csv"),
    ],
)
def test_files_of_many_hands_read_the_same(csv, content, name):
    panel = read(csv(content, name))
    assert panel.freq == "MS"
    assert (panel.series[0].ds == MONTHS).all()
    assert panel.series[0].y.tolist() == list(range(30))


@pytest.mark.parametrize(("name", "header"), [(None, "unique_id"), ("shop", "shop")])
def test_names_of_series_in_files_stay_as_written(csv, name, header):
    rows = "".join(f"{shop},{date},1\n" for shop in ("007", "7", "NA") for date in DATES)
    panel = read(csv(f"{header},ds,y\n{rows}\n\n"), id_column=name)
    assert [series.unique_id for series in panel.series] == ["007", "7", "NA"]
    with pytest.raises(DataError, match=f"row 2 .*: no name in series column '{header}'"):
        read(csv(f"{header},ds,y\na,2020-01,1\n,2020-02,2\n"), id_column=name)


def test_what_stands_in_quotes_divides_no_header(csv):
    panel = read(csv(lines(DATES, range(30), '"date";"value, net, EUR"', ";")))
    assert panel.series[0].unique_id == "value, net, EUR"


@pytest.mark.parametrize(
    ("values", "stated"), [(["1.000", "999", "2.500"], True), (["0.125", "1.000", "2.5"], False), (["1.5"] * 3, False)]
)
def test_points_that_may_mean_thousands_are_stated(csv, values, stated):
    panel = read(csv(lines(DATES[:3], values, "ds;y", ";")))
    sentence = "decimal point in column 'y': '1.000' read as 1.0, not as thousands; write thousands without points"
    assert (sentence in panel.guesses) == stated
    assert not any("decimal point" in guess for guess in panel.guesses if not stated)


def test_dates_in_several_columns_are_put_together():
    frame = pd.DataFrame({"Date": ["2020-01-01"] * 3, "Time": ["00:00", "01:00", "02:00"], "v": range(3)})
    panel = read(frame, time_column=["Date", "Time"])
    assert (panel.series[0].ds == pd.date_range("2020-01-01", periods=3, freq="h")).all()
    parts = pd.DataFrame({"year": 2020, "month": [1, 13], "v": 1.0})
    with pytest.raises(DataError, match="row 2: year 2020, month 13 is not a date; correct or remove the row"):
        read(parts)


def test_parquet_reads_too(tmp_path):
    table().to_parquet(tmp_path / "SALES.PARQUET")
    assert read(tmp_path / "SALES.PARQUET").series[0].y.tolist() == list(range(30))


def test_several_series_keep_their_names_and_order():
    both = pd.concat([table(shop=7), table(shop=2, y=-np.arange(30.0))]).sort_values("ds")
    panel = read(both, id_column="shop")
    assert [series.unique_id for series in panel.series] == [7, 2]
    assert panel.series[1].y.tolist() == (-np.arange(30.0)).tolist()
    assert len(panel) == 2


# ------------------------------------------------------------------------------------------------------- guesses


def test_guesses_are_stated_and_can_be_overridden():
    frame = pd.DataFrame({"Month": MONTHS.strftime("%Y-%m"), "sales": 1.0, "note": "x"})
    assert read(frame).guesses == (
        "time column: 'Month' (the only one that reads as dates)",
        "target column: 'sales' (the only one left that holds numbers)",
        "columns not used: 'note'",
        "frequency: MS (month start), inferred from 30 dates",
    )
    panel = read(frame.assign(other=2.0, week=range(30)), time_column="week", target_column="other", freq="1")
    assert panel.series[0].unique_id == "other"
    assert panel.guesses == (
        "time column: 'week' (as given)",
        "target column: 'other' (as given)",
        "columns not used: 'Month', 'sales', 'note'",
        "time: whole numbers, not dates",
        "frequency: 1 (whole-number time), as given",
    )


def test_decimal_commas_and_day_first_dates_are_stated(csv):
    days = pd.date_range("2020-01-10", periods=20)
    panel = read(csv(lines(days.strftime("%d.%m.%Y"), ["1,5"] * 20, "Tag;Wert", ";")))
    assert panel.guesses[:2] == ("delimiter: ';'", "decimal comma in column 'Wert': '1,5' read as 1.5")
    assert "dates: '10.01.2020' read as 2020-01-10" in panel.guesses
    assert (panel.series[0].ds == days).all()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            table(a=1.0).rename(columns={"y": "b"}),
            "the target column is ambiguous, 2 columns hold numbers: 'a', 'b'; pass target_column= (--target COL)",
        ),
        (
            table(start=MONTHS).rename(columns={"ds": "end"}),
            "the time column is ambiguous, candidates are 'start', 'end'; pass time_column= (--time COL)",
        ),
        (
            pd.DataFrame({"a": [1.0], "b": [2.0]}),
            "no time column found, none of 'a', 'b' reads as dates; pass time",
        ),
        (table()[["ds"]], "no target column found, no column beside the time holds numbers"),
        (pd.DataFrame([[1, 2]], columns=["y", "y"]), "several columns named 'y'"),
        (table()[:0], "has no rows"),
    ],
)
def test_doubt_is_an_error_that_lists_the_candidates(frame, message):
    with pytest.raises(DataError, match=re.escape(message)):
        read(frame)


def test_columns_that_are_not_there_are_named():
    with pytest.raises(DataError, match=r"the table has no column 'z'; its columns are 'ds', 'y'"):
        read(table(), target_column="z")
    with pytest.raises(DataError, match="column 'y' is named twice"):
        read(table(), target_column="y", id_column="y")


# ------------------------------------------------------------------------------------------------------ calendars

CALENDARS = {
    "MS": ("2020-01-01", 12), "ME": ("2020-01-31", 12), "QS-OCT": ("2020-01-01", 4), "QE-DEC": ("2020-03-31", 4),
    "YS-JAN": ("2020-01-01", 1), "YE-DEC": ("2020-12-31", 1), "B": ("2020-01-01", 5), "D": ("2020-01-01", 7),
    "W-SUN": ("2020-01-05", 52), "W-WED": ("2020-01-01", 52), "h": ("2020-01-01", 24), "2h": ("2020-01-01", 12),
    "15min": ("2020-01-01", 96), "min": ("2020-01-01", 1440), "s": ("2020-01-01", 3600), "3D": ("2020-01-01", 1),
}  # fmt: skip


@pytest.mark.parametrize("freq", CALENDARS)
@pytest.mark.parametrize("gaps", [False, True])
def test_calendars_are_recognised_also_across_gaps_and_continued(freq, gaps):
    start, season = CALENDARS[freq]
    dates = pd.date_range(start, periods=60, freq=freq)
    given = dates[:50].delete([7, 8, 20, 41] if gaps else [])
    panel = read(table(given, np.arange(len(given))), fill="interpolate")
    assert season_length(panel.freq) == season == panel.season
    assert (panel.series[0].ds == dates[:50]).all()
    assert (future(panel.series[0].ds, panel.freq, 10) == dates[50:]).all()
    assert panel.freq == freq or {panel.freq, freq} == {"QS-JAN", "QS-OCT"}  # two names of the same quarters


@pytest.mark.parametrize("freq", ["h", "D", "MS"])
@pytest.mark.parametrize("gap", [[], [7]])
def test_time_zones_keep_working_where_the_clocks_change(freq, gap):
    dates = pd.date_range("2020-10-01" if freq != "h" else "2020-10-24", periods=60, freq=freq, tz="Europe/Berlin")
    panel = read(table(dates[:40].delete(gap), np.ones(40 - len(gap))), fill="previous")
    assert panel.freq == freq
    assert (future(panel.series[0].ds, freq, 20) == dates[40:]).all()
    assert future(panel.series[0].ds, freq, 20).tz == dates.tz


def test_offsets_from_utc_are_kept_if_there_is_one_and_stated_if_there_are_several():
    one = read(table([f"2020-10-25T0{hour}:00:00+02:00" for hour in range(3)], range(3)))
    assert [str(date) for date in one.series[0].ds[:1]] == ["2020-10-25 00:00:00+02:00"]
    hours = ["2020-10-25T01:00:00+02:00", "2020-10-25T02:00:00+02:00", "2020-10-25T02:00:00+01:00"]
    several = read(table(hours, range(3)))
    assert several.freq == "h"
    assert "dates: several UTC offsets, read as UTC" in several.guesses
    assert str(several.series[0].ds[0]) == "2020-10-24 23:00:00+00:00"


def test_whole_number_time_has_a_step():
    panel = read(pd.DataFrame({"t": [10, 15, 25, 30], "v": [1.0, 2, 4, 5]}), fill="interpolate")
    assert (panel.freq, panel.series[0].y.tolist()) == (5, [1, 2, 3, 4, 5])
    assert future(panel.series[0].ds, 5, 2).tolist() == [35, 40]


def test_a_given_frequency_and_that_of_an_index_are_taken():
    days = pd.bdate_range("2020-01-06", periods=4)  # Monday to Thursday: these alone look daily
    assert read(table(days, range(4))).freq == "D"
    assert read(table(days, range(4)), freq="B").freq == "B"
    panel = read(pd.Series(range(4), index=days))
    assert panel.guesses == ("frequency: B (business days), from the index",)
    with pytest.raises(ValueError, match="horizon is 0, expected at least 1"):
        future(days, "B", 0)


@pytest.mark.parametrize(
    ("form", "freq"),
    [("%b-%y", "MS"), ("%B %Y", "MS"), ("%b %Y", "MS"), ("%d.%m.%y", "MS"), ("%m/%d/%y", "D"),
     ("%d/%m/%Y %I:%M %p", "D"), ("%m/%d/%Y %I:%M %p", "h")],
)  # fmt: skip
def test_dates_of_everyday_exports_are_read_and_stated(form, freq):
    dates = pd.date_range("2020-01-01", periods=30, freq=freq)
    panel = read(table(dates.strftime(form)))
    assert (panel.series[0].ds == dates).all()
    assert [guess for guess in panel.guesses if "read as 2020-0" in guess]


def test_a_lone_reading_of_two_names_of_a_month_is_no_doubt():
    mays = [f"May {year}" for year in range(1990, 2020)]
    assert read(table(mays), freq="12MS").series[0].ds[0] == pd.Timestamp("1990-05-01")


def test_categories_are_dates_or_names():
    frame = table(MONTHS, shop="a").astype({"ds": "category", "shop": "category"})
    panel = read(frame, id_column="shop")
    assert (panel.series[0].ds == MONTHS).all()
    assert panel.series[0].unique_id == "a"
    assert (read(table(pd.Categorical(DATES))).series[0].ds == MONTHS).all()


def test_local_days_over_a_change_of_clocks_are_told_of_time_zones():
    days = pd.date_range("2020-10-20", periods=30, tz="Europe/Berlin")
    with pytest.raises(
        DataError, match=r"if these are local days, convert them to their time zone \(dates.dt.tz_convert"
    ):
        read(table([day.isoformat() for day in days]))


def test_the_frequency_of_an_index_counts_only_if_it_is_the_time_and_runs_forward():
    air = AIR.set_index("ds")["y"].asfreq("MS")
    assert read(air[::-1], sort=True).freq == "MS"
    weeks = pd.date_range("2020-01-05", periods=len(air), freq="W")
    panel = read(air.to_frame().assign(week=weeks), time_column="week", target_column="y")
    assert panel.freq == "W-SUN"
    named = air.to_frame().rename_axis("week").assign(week=weeks)  # the column wins over the index of its name
    assert read(named).freq == "W-SUN"


def test_nanoseconds_give_way_where_the_future_passes_their_end():
    years = pd.date_range("2000-01-01", periods=5, freq="YS").as_unit("ns")
    ahead = future(years, "YS-JAN", 300)
    assert (len(ahead), str(ahead[-1].date()), ahead.unit) == (300, "2304-01-01", "us")
    assert future(years, "YS-JAN", 3).unit == "ns"
    with pytest.raises(
        DataError, match="300000 steps of YS-JAN from 2004-01-01 pass the last date that pandas supports"
    ):
        future(years, "YS-JAN", 300_000)


@pytest.mark.parametrize(
    ("ds", "freq", "message"),
    [
        (MONTHS, "ME", "row 1: 2020-01-01 is not on the calendar ME (month end); correct the date or pass"),
        (MONTHS, "XX", "freq='XX' is not a pandas frequency; pass one such as MS, ME, "),
        (MONTHS, "-1D", "freq='-1D' is not a pandas frequency"),
        (MONTHS, "99999999999999999999D", "D' is not a pandas frequency"),
        (MONTHS, "s", "makes 76204801 steps from 2020-01-01 to 2022-06-01, but there are 30 rows; pass a longer step"),
        (range(30), "MS", "freq='MS': the time is in whole numbers, expected a positive whole step"),
        ([*range(29), 10**15], None, "makes 1000000000000001 steps"),
        (MONTHS[:2], None, "series 'y' has 2 dates, expected 3 or more to infer the frequency; pass freq= (--freq MS)"),
        (MONTHS + pd.Timedelta(days=14), None, "every date is on day 15 of a month"),
        ([*pd.date_range("2020-01-01", periods=29), pd.Timestamp("2020-01-30 07:13:05.000001")], None,
         "row 30: the dates are irregular: the most common step is 1 days, but "
         "2020-01-30 07:13:05.000001 comes 1 days 07:13:05.000001 after 2020-01-29"),
    ],
)  # fmt: skip
def test_calendars_that_do_not_fit_are_refused(ds, freq, message):
    with pytest.raises(DataError, match=re.escape(message)):
        read(table(ds, np.arange(float(len(ds)))), freq=freq)


def test_seasons_of_other_frequencies():
    assert [season_length(freq) for freq in ("3MS", "12MS", "7MS", "WOM-3FRI", "SMS-15", "ms", 4)] == [
        4,
        1,
        1,
        12,
        24,
        1,
        1,
    ]


def test_whole_numbers_held_as_objects_are_a_time():
    panel = read(table(pd.Series(range(0, 60, 2), dtype=object)))
    assert (panel.freq, panel.series[0].ds.dtype, panel.series[0].ds[-1]) == (2, np.int64, 58)


# -------------------------------------------------------------------------------------------------------- broken files


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.parquet", b"", "s.parquet is empty; write the table again"),
        (
            "s.parquet",
            b"ds,y\n1,2\n",
            "s.parquet is not a parquet file; save it as parquet, or rename it to .csv if it is CSV",
        ),
        ("s.parquet", b"PAR1 and no more", r"s.parquet is a damaged parquet file \(.*\); copy it or write it again"),
        ("s.csv", b'ds,y\n1,2\n"2,3\n3,4\n', r"regular table: EOF inside string .*; close the quote that opens there"),
        ("s.csv", b"ds,y\n1,2\n2,3,4\n", "regular table: Expected 2 fields in line 3, saw 3; every line needs as many"),
        ("s.csv", b"ds,y\n1," + b"x" * 10**6 + b"\n2,3\n", r"row 1 \(line 2 of s.csv\): 'x{60}…' in target 'y' is"),
        ("s.csv", b"ds,y\n" + b"x" * 10**6 + b",1\n2020-01-01,3\n2020-01-02,3\n", "row 1 .*: 'x{60}…' in time column"),
    ],
)
def test_broken_files_are_refused_in_a_sentence(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / name)
    assert len(str(caught.value)) < 500


def test_a_damaged_parquet_file_is_read_or_refused(tmp_path):
    table().to_parquet(tmp_path / "whole.parquet")
    whole, chance = (tmp_path / "whole.parquet").read_bytes(), np.random.default_rng(0)
    for _ in range(100):
        content = bytearray(whole)
        content[chance.integers(4, len(content))] = chance.integers(256)
        (tmp_path / "damaged.parquet").write_bytes(content[: chance.integers(len(content) // 2, 2 * len(content))])
        with contextlib.suppress(DataError):
            read(tmp_path / "damaged.parquet")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DataError, match="is a folder; pass the path of a file"):
        read(tmp_path)


def test_a_parquet_file_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "s.parquet").write_bytes(b"PAR1")

    def missing(*_):
        raise ImportError

    monkeypatch.setattr(pd, "read_parquet", missing)
    with pytest.raises(DataError, match="needs pyarrow; pip install pyarrow, or save the table as CSV"):
        read(tmp_path / "s.parquet")


def test_a_wrong_column_name_is_put_right():
    with pytest.raises(DataError, match=r"no column 'sales'; its columns are 'ds', 'Sales'; did you mean 'Sales'\?"):
        read(table().rename(columns={"y": "Sales"}), target_column="sales")
