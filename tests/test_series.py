"""Series: what can come in comes in, or is refused by row, date and remedy; what goes out fits what came in."""

import gzip
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from gatewise.datasets import air_passengers
from gatewise.series import (
    DataError,
    Forecast,
    Series,
    as_pandas,
    check_length,
    future,
    read,
    season_length,
    to_frame,
    to_table,
    write_csv,
)

MONTHS = pd.date_range("2020-01-01", periods=30, freq="MS")


def table(ds=MONTHS, y=None, **columns):
    return pd.DataFrame({**columns, "ds": ds, "y": np.arange(30.0) if y is None else y})


@pytest.fixture
def csv(tmp_path):
    def write(content, name="sales.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def lines(ds, y, header="ds,y", delimiter=","):
    return "\n".join([header, *(f"{date}{delimiter}{value}" for date, value in zip(ds, y, strict=True))]) + "\n"


# --------------------------------------------------------------------------------------------------- what comes in


def polars_air(kind):
    frame = pl.DataFrame(
        {"unique_id": "AirPassengers", "ds": list(air_passengers()["ds"]), "y": air_passengers()["y"].to_list()}
    )
    return frame.with_columns(pl.col("ds").cast(kind))


AIR = air_passengers()
SOURCES = {
    "pandas": (AIR, "AirPassengers", "pandas"),
    "pandas index": (AIR.set_index("ds")[["y"]], "y", "pandas"),
    "pandas series": (AIR.set_index("ds")["y"].rename("air"), "air", "pandas"),
    "pandas periods": (AIR.set_index(AIR["ds"].dt.to_period("M"))["y"], "y", "pandas"),
    "pandas text": (AIR.assign(ds=AIR["ds"].dt.strftime("%Y-%m")), "AirPassengers", "pandas"),
    "pandas Int64": (AIR.assign(y=AIR["y"].astype("Int64")), "AirPassengers", "pandas"),
    "polars dates": (polars_air(pl.Date), "AirPassengers", "polars"),
    "polars datetimes": (polars_air(pl.Datetime("ms")), "AirPassengers", "polars"),
    "polars text": (polars_air(pl.Date).with_columns(pl.col("ds").cast(pl.String)), "AirPassengers", "polars"),
}


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
    with pytest.raises(DataError, match="row 2: year 2020, month 13 is no date; correct the row or leave it out"):
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
            "which column is to be forecast? 2 hold numbers, 'a', 'b'; "
            "pass target_column= (command line: --target COL)",
        ),
        (
            table(start=MONTHS).rename(columns={"ds": "end"}),
            "which column is the time? 'start', 'end' could be; pass time_column= (command line: --time COL)",
        ),
        (
            pd.DataFrame({"a": [1.0], "b": [2.0]}),
            "which column is the time? none of 'a', 'b' reads as dates; pass time",
        ),
        (table()[["ds"]], "which column is to be forecast? none beside the time holds numbers"),
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
    with pytest.raises(DataError, match="column 'y' is asked for twice"):
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
    with pytest.raises(DataError, match=r"change of clocks: convert them to their own zone \(dates.dt.tz_convert"):
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
    with pytest.raises(DataError, match="300000 steps of YS-JAN from 2004-01-01 pass the last date that pandas holds"):
        future(years, "YS-JAN", 300_000)


@pytest.mark.parametrize(
    ("ds", "freq", "message"),
    [
        (MONTHS, "ME", "row 1: 2020-01-01 is not on the calendar ME (month end); correct the date or pass"),
        (MONTHS, "XX", "freq='XX' is no frequency of pandas; pass MS, ME, "),
        (MONTHS, "-1D", "freq='-1D' is no frequency of pandas"),
        (MONTHS, "99999999999999999999D", "D' is no frequency of pandas"),
        (MONTHS, "s", "makes 76204801 steps from 2020-01-01 to 2022-06-01, but there are 30 rows; pass a longer step"),
        (range(30), "MS", "freq='MS': the time is in whole numbers, expected a positive whole step"),
        ([*range(29), 10**15], None, "makes 1000000000000001 steps"),
        (MONTHS[:2], None, "series 'y' has 2 dates, 3 or more show a frequency; pass it as freq= (--freq MS)"),
        (MONTHS + pd.Timedelta(days=14), None, "every date is on day 15 of a month"),
        ([*pd.date_range("2020-01-01", periods=29), pd.Timestamp("2020-01-30 07:13:05.000001")], None,
         "row 30: the dates follow no regular calendar: the commonest step is 1 days, but "
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


# --------------------------------------------------------------------------------------------------------- checks


def spoil(values, at, value):
    values = list(values)
    values[at] = value
    return values


DATES = MONTHS.strftime("%Y-%m-%d")
FILL = 'pass fill="interpolate", "previous" or "zero" (--fill interpolate)'
ROW_5 = "series 'y', row 5 (line 6 of sales.csv): "
BAD_ROWS = {
    "missing value": (
        DATES,
        spoil(range(30), 4, ""),
        ROW_5 + f"the value at 2020-05-01 is missing (1 of 30 are); {FILL}",
    ),
    "text": (DATES, spoil(range(30), 4, "n.b."), ROW_5 + "'n.b.' in target 'y' is not a number; give a number such as"),
    "infinite": (DATES, spoil(range(30), 4, "-inf"), ROW_5 + "-inf in target 'y' is infinite; give a number such as"),
    "quoted comma": (
        DATES,
        ['"1,5"'] * 30,
        "'1,5' in target 'y' is not a number (and 29 more); give a number such as 1234.5",
    ),
    "gaps": (
        spoil(DATES, 29, "2022-10-01"),
        range(30),
        "series 'y': 4 dates are missing from 2020-01-01 to 2022-10-01: 2022-06-01, 2022-07-01, 2022-08-01, ... "
        f"(the first after row 29 (line 30 of sales.csv)); {FILL}",
    ),
    "duplicate": (spoil(DATES, 4, DATES[3]), range(30), ROW_5 + "2020-04-01 is there already; leave out or average"),
    "unsorted": (
        spoil(spoil(DATES, 4, DATES[2]), 2, DATES[4]),
        range(30),
        "row 4 (line 5 of sales.csv): 2020-04-01 comes after 2020-05-01; sort the table, or pass sort=True (--sort)",
    ),
    "no date": (
        spoil(DATES, 4, ""),
        range(30),
        ROW_5 + "no date in time column 'ds' (1 row has none); give the date or",
    ),
    "bad date": (
        spoil(DATES, 4, "2020-13-01"),
        range(30),
        ROW_5 + "'2020-13-01' in time column 'ds' cannot be read as a date as '2020-01-01' can; write dates as",
    ),
    "either order": (
        MONTHS[:8].strftime("%d/%m/%Y"),
        range(8),
        "dates such as '01/02/2020' in time column 'ds' can be read day first or month first; "
        "write them as year-month-day, 2020-02-01 or 2020-01-02",
    ),
    "fraction": (
        np.arange(30) / 12,
        range(30),
        "row 2 (line 3 of sales.csv): time 0.0833333 in column 'ds' is a fraction",
    ),
    "nothing": (DATES, [""] * 30, "series 'y' has no values at all; check the target column (--target COL)"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows_are_named_with_their_remedy(csv, case):
    ds, y, message = BAD_ROWS[case]
    with pytest.raises(DataError, match=re.escape(message)):
        read(csv(lines(ds, y)))


def test_rows_of_the_right_series_are_named():
    both = pd.concat([table(unique_id="a"), table(unique_id="b", y=spoil(np.arange(30.0), 3, np.nan))])
    with pytest.raises(DataError, match=r"series 'b', row 34: the value at 2020-04-01 is missing"):
        read(both)
    with pytest.raises(
        DataError, match=r"row 31: 2020-01-01 is there already .30 rows repeat a date.; .* id_column= .--id."
    ):
        read(both.rename(columns={"unique_id": "shop"}))
    with pytest.raises(DataError, match=r"row 31: no name in series column 'unique_id'"):
        read(both.replace({"unique_id": {"b": None}}))


BAD_FILES = {
    "empty": (b"", "is empty; expected a header line"),
    "header only": (b"ds,y\n", "has a header and no rows"),
    "binary": (bytes(range(256)) * 4, "is not a text table"),
    "spreadsheet": (b"PK\x03\x04junk", "is not a text table (a spreadsheet"),
    "utf-16": ("ds,y\n2020-01,1\n".encode("utf-16"), "is not a text table"),
    "latin-1": ("ds,y\n2020-01,é\n".encode("latin-1"), "line 2: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    "ragged": (
        b"ds,y\n2020-01,1\n2020-02,1,3\n",
        "Expected 2 fields in line 3, saw 3; every line needs as many fields",
    ),
    "decimal comma": (b"ds,y\n2020-01,1,5\n2020-02,1,3\n", "the header names 2 columns but the rows have 3 fields"),
    "repeated name": (b"ds,y,y\n2020-01,1,2\n", "sales.csv has several columns named 'y'; give each its own name"),
    "blank line": (b"ds,y\n2020-01,1\n\n2020-02,1\n", "row 2 (line 3 of sales.csv): no date"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused(csv, case):
    content, message = BAD_FILES[case]
    with pytest.raises(DataError, match=re.escape(message)):
        read(csv(content))


def test_files_that_are_not_there_or_not_what_they_say(tmp_path, csv):
    with pytest.raises(DataError, match=r"there is no file nowhere\.csv; check the path"):
        read("nowhere.csv")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read(tmp_path)
    with pytest.raises(DataError, match="is not a whole gzip file"):
        read(csv(b"ds,y", "sales.csv.gz"))
    with pytest.raises(DataError, match="is not a parquet file"):
        read(csv(b"ds,y", "SALES.PARQUET"))
    whole = gzip.compress(lines(DATES, range(30)).encode())
    with pytest.raises(DataError, match="is not a whole gzip file"):
        read(csv(whole[:20] + b"\xff\xff\xff" + whole[23:], "sales.csv.gz"))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "cannot read NoneType; expected a path to a CSV file, a pandas or polars table"),
        (np.ones((3, 2)), r"has shape \(3, 2\), expected one dimension \(T,\); pass one column, such as array\[:, 0\]"),
        ([], "series 'y' is empty"),
        ([True, False], "target 'y' holds boolean values, expected numbers"),
        ([1, "two", 3], "series 'y', row 2: 'two' in target 'y' is not a number"),
        ([1, None, 3], "series 'y', row 2: the value at 1 is missing"),
        ([[1, 2], [3]], r"row 1: \[1, 2\] in target 'y' is not a number"),
        (
            pd.Series([1.0, 2], index=["a", "b"]),
            "row 1: 'a' in time column 'ds' cannot be read as a date; write dates as",
        ),
        ([10**400, 1], "row 1: 1000.* in target 'y' is infinite"),
        (table().set_index(MONTHS), r"both an index and a column 'ds'; leave one out: table.drop\(columns='ds'\)"),
        (table().assign(a=1).set_index([MONTHS.rename("ds"), "a"]), "both an index and a column 'ds'"),
        (
            pd.DataFrame(np.ones((2, 2)), columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
            r"columns of 2 levels, such as \('a', 'b'\); name each by one word",
        ),
        (pd.DataFrame({"1": [1.0], 1: [2.0]}), "several columns named '1'"),
        (
            table([pd.Timestamp("2020-01-01", tz=tz) for tz in ("UTC", "Asia/Tokyo")], [1.0, 2]),
            "time column 'ds' cannot be read as dates: .*several time zones: convert them first",
        ),
        (table([0, np.inf, 2], [1.0, 2, 3]), "row 2: time inf in column 'ds' is infinite; give dates such as"),
        (table(np.array([1, 2**63], np.uint64), [1.0, 2]), "row 2: time 9.22337e.18 in column 'ds' is too large"),
        (pl.LazyFrame({"y": [1]}), r"the polars table is lazy; pass table.collect\(\)"),
        (pl.DataFrame({"ds": DATES.to_list(), "y": [None, *range(29)]}), "row 1: the value at 2020-01-01 is missing"),
    ],
)
def test_other_sources_are_refused_clearly(source, message):
    with pytest.raises(DataError, match=message):
        read(source)


# -------------------------------------------------------------------------------------------------------- repairs


@pytest.mark.parametrize(
    ("fill", "expected", "words"),
    [
        ("interpolate", [0, 3, 6, 9, 12], "by interpolation"),
        ("previous", [0, 0, 0, 9, 12], "with the value before"),
        ("zero", [0, 0, 0, 9, 12], "with zero"),
    ],
)
def test_fill_repairs_gaps_and_missing_values_and_says_so(fill, expected, words):
    days = pd.to_datetime(["2020-01-01", "2020-01-03", "2020-01-04", "2020-01-05"])
    panel = read(table(days, [0, np.nan, 9, 12]), fill=fill)
    assert panel.series[0].y.tolist() == expected
    assert panel.guesses[-1] == f"filled {words}: 2 values of series 'y', the first at 2020-01-02"
    assert panel.series[0].filled.tolist() == [False, True, True, False, False]


def test_nothing_counts_as_filled_where_nothing_was():
    assert read(table(), fill="zero").series[0].filled is None
    leading = read(table(y=[np.nan, *range(29)]), fill="previous").series[0]
    assert (leading.filled, len(leading)) == (None, 29)


def test_interpolation_is_linear_in_time_not_in_rows():
    y = read(table(y=spoil(np.arange(30.0), 1, np.nan)), fill="interpolate").series[0].y
    assert y[1] == pytest.approx(2 * 31 / (31 + 29))  # January has 31 days, February 2020 has 29


def test_nothing_is_filled_from_nothing():
    leading = read(table(y=[np.nan, np.nan, *range(28)]), fill="interpolate")
    assert leading.series[0].ds[0] == MONTHS[2]
    assert leading.guesses[-1] == "left out: the first 2 dates of series 'y', whose values are missing"
    trailing = table(y=[*range(28), np.nan, np.nan])
    with pytest.raises(DataError, match=r"nothing to interpolate to after 2022-04-01, .* pass fill=\"previous\""):
        read(trailing, fill="interpolate")
    assert read(trailing, fill="previous").series[0].y[-3:].tolist() == [27, 27, 27]
    with pytest.raises(DataError, match=r"fill='mean': expected one of interpolate, previous, zero"):
        read(trailing, fill="mean")


def test_sorting_is_done_when_asked_and_stated():
    panel = read(table().iloc[::-1], sort=True)
    assert panel.series[0].y.tolist() == list(range(30))
    assert "sorted by date: series 'y'" in panel.guesses
    with pytest.raises(DataError, match="row 31: 2020-01-01 is there already"):
        read(pd.concat([table(), table()[:1]]), sort=True, fill="interpolate")
    shuffled = table(y=spoil(np.arange(30.0), 0, np.nan)).iloc[::-1]
    with pytest.raises(DataError, match="row 30: the value at 2020-01-01"):  # the row of the table as it came
        read(shuffled, sort=True)


def test_short_series_are_refused_with_the_reason():
    check_length(read(table()), 30, "two seasons")
    with pytest.raises(
        DataError, match=r"series 'y' has 30 values, expected at least 31 \(two seasons\); give a longer series"
    ):
        check_length(read(table()), 31, "two seasons")


# -------------------------------------------------------------------------------------------------- what goes out


def forecast(name="A", ds=MONTHS[:2], levels=(95, 80)):
    bounds = {level: (np.full(2, -level, float), np.full(2, level, float)) for level in levels}
    return Forecast(name, ds, np.array([1.0, 2.0]), "LSTM", bounds, paths=np.zeros((3, 2)))


@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_forecasts_are_one_long_table(backend):
    frame = to_frame([forecast("A"), forecast("B")], backend)
    assert type(frame).__module__.startswith(backend)
    assert list(frame.columns) == ["unique_id", "ds", "LSTM", "LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"]
    assert list(frame["unique_id"]) == ["A", "A", "B", "B"]
    assert [list(frame[column]) for column in frame.columns[2:]] == [[1, 2, 1, 2]] + [
        [v] * 4 for v in (-80, 80, -95, 95)
    ]
    assert [str(date)[:10] for date in frame["ds"]] == ["2020-01-01", "2020-02-01"] * 2


@pytest.mark.parametrize("kind", [pl.Date, pl.Datetime("us"), pl.Datetime("us", "Europe/Berlin")])
def test_polars_dates_keep_their_type_so_that_tables_join(kind):
    source = pl.DataFrame({"ds": MONTHS.to_list(), "y": range(30)}).with_columns(pl.col("ds").cast(pl.Datetime("us")))
    source = source.with_columns(pl.col("ds").dt.replace_time_zone(getattr(kind, "time_zone", None)).cast(kind))
    panel = read(source)
    answer = to_frame([forecast(ds=panel.series[0].ds[5:7])], panel.backend, date_only=panel.date_only)
    assert answer["ds"].dtype == kind
    assert answer.join(source, on="ds")["y"].to_list() == [5, 6]


@pytest.mark.parametrize("source", ["pandas", "polars dates", "polars datetimes"])
def test_any_table_is_answered_in_kind_and_comes_back(source):
    panel = read(SOURCES[source][0])
    frame = pd.DataFrame({"model": ["LSTM", "Naive"], "cutoff": panel.series[0].ds[:2], "MASE": [0.5, 1.0]})
    answer = to_table(frame, panel.backend, date_only=panel.date_only)
    assert type(answer).__module__.startswith(panel.backend)
    assert panel.backend == "pandas" or answer["cutoff"].dtype == (pl.Date if panel.date_only else pl.Datetime("us"))
    pd.testing.assert_frame_equal(as_pandas(answer), frame, check_dtype=False)


def test_a_panel_comes_back_as_it_is():
    panel = read(table())
    assert read(panel) is panel
    with pytest.raises(DataError, match="the data were read already: give columns, freq, fill and sort where"):
        read(panel, fill="zero")


def test_whole_number_time_goes_out_as_it_came():
    assert to_frame([forecast(ds=pd.Index([3, 4]))], "polars")["ds"].to_list() == [3, 4]


def test_forecasts_that_do_not_fit_one_table_are_refused():
    with pytest.raises(ValueError, match="expected forecasts of one model with the same levels, got none"):
        to_frame([])
    with pytest.raises(ValueError, match=r"got \[\('LSTM', \(80,\)\), \('LSTM', \(80, 95\)\)\]; make a table of each"):
        to_frame([forecast(), forecast(levels=(80,))])


@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_csv_files_are_written_whole_with_plain_dates(tmp_path, backend):
    path = tmp_path / "forecast.csv"
    write_csv(to_frame([forecast(levels=())], backend), path)
    assert path.read_text() == "unique_id,ds,LSTM\nA,2020-01-01,1.0\nA,2020-02-01,2.0\n"
    assert [file.name for file in tmp_path.iterdir()] == ["forecast.csv"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "forecast.csv")
    write_csv(to_frame([forecast()]), tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "forecast.csv").read_text().startswith("unique_id,ds,LSTM")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "forecast.csv"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_csv(to_frame([forecast()]), path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("forecast.csv", "old")]
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere; create it first"):
        write_csv(to_frame([forecast()]), tmp_path / "nowhere" / "forecast.csv")


def test_what_is_written_reads_back(tmp_path):
    write_csv(air_passengers(), tmp_path / "air.csv")
    (series,) = read(tmp_path / "air.csv").series
    assert isinstance(series, Series)
    assert (series.y == AIR["y"]).all()
    assert len(series) == 144
