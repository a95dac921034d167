"""Series: what cannot be used is refused by row, date and remedy, or repaired; what goes out fits what came in."""

import gzip
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.datasets import air_passengers
from gatewise.series import (
    DataError,
    Forecast,
    Series,
    as_pandas,
    check_length,
    read,
    to_frame,
    to_table,
    write_csv,
)
from tests.series_tables import AIR, DATES, MONTHS, SOURCES, lines, spoil, table

# --------------------------------------------------------------------------------------------------------- checks


FILL = 'pass fill="interpolate", "previous" or "zero" (--fill interpolate)'
ROW_5 = "series 'y', row 5 (line 6 of sales.csv): "
BAD_ROWS = {
    "missing value": (
        DATES,
        spoil(range(30), 4, ""),
        ROW_5 + f"the value at 2020-05-01 is missing (1 of 30 values); {FILL}",
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
    "duplicate": (spoil(DATES, 4, DATES[3]), range(30), ROW_5 + "duplicate date 2020-04-01; remove or average"),
    "unsorted": (
        spoil(spoil(DATES, 4, DATES[2]), 2, DATES[4]),
        range(30),
        "row 4 (line 5 of sales.csv): 2020-04-01 comes after 2020-05-01; sort the table, or pass sort=True (--sort)",
    ),
    "no date": (
        spoil(DATES, 4, ""),
        range(30),
        ROW_5 + "no date in time column 'ds' (1 row has none); add the date or",
    ),
    "bad date": (
        spoil(DATES, 4, "2020-13-01"),
        range(30),
        ROW_5 + "'2020-13-01' in time column 'ds' cannot be read as a date, unlike '2020-01-01'; write dates as",
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
        DataError, match=r"row 31: duplicate date 2020-01-01 .30 rows repeat a date.; .* id_column= .--id."
    ):
        read(both.rename(columns={"unique_id": "shop"}))
    with pytest.raises(DataError, match=r"row 31: no name in series column 'unique_id'"):
        read(both.replace({"unique_id": {"b": None}}))


def test_an_hour_that_is_there_twice_as_summer_time_ends_has_its_remedy(csv):
    hours = pd.date_range("2024-10-26", periods=48, freq="h", tz="Europe/Berlin")
    local, y = hours.tz_localize(None).strftime("%Y-%m-%d %H:%M"), range(48)
    with pytest.raises(DataError, match=r"duplicate date.*UTC offset, such as 2024-10-27 02:00:00\+01:00$"):
        read(csv(lines(local, y)))
    offsets = [hour.isoformat(sep=" ") for hour in hours]
    assert len(read(csv(lines(offsets, y))).series[0]) == 48
    with pytest.raises(DataError, match=r"duplicate date.*\(--id\)$"):
        read(csv(lines(spoil(local, 5, local[4]), y)))


BAD_FILES = {
    "empty": (b"", "is empty; expected a header line"),
    "header only": (b"ds,y\n", "has a header but no rows"),
    "binary": (bytes(range(256)) * 4, "is not a text table"),
    "spreadsheet": (b"PK\x03\x04junk", "is not a text table (a spreadsheet"),
    "utf-16": ("ds,y\n2020-01,1\n".encode("utf-16"), "is not a text table"),
    "latin-1": ("ds,y\n2020-01,é\n".encode("latin-1"), "line 2: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    "ragged": (
        b"ds,y\n2020-01,1\n2020-02,1,3\n",
        "Expected 2 fields in line 3, saw 3; every line needs as many fields",
    ),
    "decimal comma": (b"ds,y\n2020-01,1,5\n2020-02,1,3\n", "the header names 2 columns but the rows have 3 fields"),
    "repeated name": (
        b"ds,y,y\n2020-01,1,2\n",
        "sales.csv has several columns named 'y'; give each column its own name",
    ),
    "blank line": (b"ds,y\n2020-01,1\n\n2020-02,1\n", "row 2 (line 3 of sales.csv): no date"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused(csv, case):
    content, message = BAD_FILES[case]
    with pytest.raises(DataError, match=re.escape(message)):
        read(csv(content))


@pytest.mark.parametrize("rows", ["2020-01,5\n2020-02,6\n2020-03,7\n", "112\n118\n132\n", "3.5,1\n4.5,2\n5.5,3\n"])
def test_a_first_line_of_values_is_no_header(csv, rows):
    with pytest.raises(DataError, match=r"the first line, .* holds no column names; add a header line above it"):
        read(csv(rows))


@pytest.mark.parametrize("header", ["2019,2020", "0,1", "shop,2020", "2020-01,y", "now,today"])
def test_numbers_may_name_columns(csv, header):
    assert len(read(csv(header + "\n1,5\n2,6\n3,7\n"), layout="columns").series) > 0


def test_a_column_may_be_named_0(csv):
    assert read(csv("0\n5\n6\n7\n")).series[0].y.tolist() == [5, 6, 7]


def test_files_that_are_not_there_or_not_what_they_say(tmp_path, csv):
    with pytest.raises(DataError, match=r"there is no file nowhere\.csv; check the path"):
        read("nowhere.csv")
    with pytest.raises(DataError, match="is a folder; pass the path of a file"):
        read(tmp_path)
    with pytest.raises(DataError, match="is not a complete gzip file"):
        read(csv(b"ds,y", "sales.csv.gz"))
    with pytest.raises(DataError, match="is not a parquet file; save it as parquet"):
        read(csv(b"ds,y", "SALES.PARQUET"))
    whole = gzip.compress(lines(DATES, range(30)).encode())
    with pytest.raises(DataError, match="is not a complete gzip file"):
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
        (
            table().set_index(MONTHS),
            r"both an index and a column 'ds'; drop one of them with table.drop\(columns='ds'\)",
        ),
        (table().assign(a=1).set_index([MONTHS.rename("ds"), "a"]), "both an index and a column 'ds'"),
        (
            pd.DataFrame(np.ones((2, 2)), columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
            r"columns of 2 levels, such as \('a', 'b'\); give each column one name",
        ),
        (pd.DataFrame({"1": [1.0], 1: [2.0]}), "several columns named '1'"),
        (
            table([pd.Timestamp("2020-01-01", tz=tz) for tz in ("UTC", "Asia/Tokyo")], [1.0, 2]),
            "time column 'ds' cannot be read as dates: .*convert dates of several time zones first",
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
        ("previous", [0, 0, 0, 9, 12], "with the previous value"),
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
    with pytest.raises(DataError, match=r"cannot interpolate after 2022-04-01, .* pass fill=\"previous\""):
        read(trailing, fill="interpolate")
    assert read(trailing, fill="previous").series[0].y[-3:].tolist() == [27, 27, 27]
    with pytest.raises(DataError, match=r"fill='mean': expected one of interpolate, previous, zero"):
        read(trailing, fill="mean")


def test_sorting_is_done_when_asked_and_stated():
    panel = read(table().iloc[::-1], sort=True)
    assert panel.series[0].y.tolist() == list(range(30))
    assert "sorted by date: series 'y'" in panel.guesses
    with pytest.raises(DataError, match="row 31: duplicate date 2020-01-01"):
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
    assert panel.backend == "pandas" or answer["cutoff"].dtype == SOURCES[source][0]["ds"].dtype
    pd.testing.assert_frame_equal(as_pandas(answer), frame, check_dtype=False)


def test_a_panel_comes_back_as_it_is():
    panel = read(table())
    assert read(panel) is panel
    with pytest.raises(
        DataError,
        match="the data are a panel that has been read already; pass columns, freq, fill, sort and covariates when",
    ):
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
