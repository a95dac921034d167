"""Sources: equal data are read equally from every source; invalid sources are refused with a remedy."""

import gzip

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from gatewise.series import (
    DataError,
    read,
)
from tests.series_tables import AIR, DATES, MONTHS, SOURCES, lines, table


@pytest.mark.parametrize("source", SOURCES)
def test_every_table_reads_the_same(source):
    data, name, backend = SOURCES[source]
    panel = read(data)
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
def test_the_time_of_arrays_is_counted_from_zero(source):
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


def test_reading_copies_the_data():
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
def test_csv_files_of_every_dialect_read_the_same(csv, content, name):
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


def test_delimiters_in_quotes_do_not_split_the_header(csv):
    panel = read(csv(lines(DATES, range(30), '"date";"value, net, EUR"', ";")))
    assert panel.series[0].unique_id == "value, net, EUR"


def test_dates_in_several_columns_are_combined():
    frame = pd.DataFrame({"Date": ["2020-01-01"] * 3, "Time": ["00:00", "01:00", "02:00"], "v": range(3)})
    panel = read(frame, time_column=["Date", "Time"])
    assert (panel.series[0].ds == pd.date_range("2020-01-01", periods=3, freq="h")).all()
    parts = pd.DataFrame({"year": 2020, "month": [1, 13], "v": 1.0})
    with pytest.raises(DataError, match="row 2: year 2020, month 13 is not a date; correct or remove the row"):
        read(parts)


def test_a_parquet_file_is_read(tmp_path):
    table().to_parquet(tmp_path / "SALES.PARQUET")
    assert read(tmp_path / "SALES.PARQUET").series[0].y.tolist() == list(range(30))


def test_several_series_keep_their_names_and_order():
    both = pd.concat([table(shop=7), table(shop=2, y=-np.arange(30.0))]).sort_values("ds")
    panel = read(both, id_column="shop")
    assert [series.unique_id for series in panel.series] == [7, 2]
    assert panel.series[1].y.tolist() == (-np.arange(30.0)).tolist()
    assert len(panel) == 2


def test_categories_are_dates_or_names():
    frame = table(MONTHS, shop="a").astype({"ds": "category", "shop": "category"})
    panel = read(frame, id_column="shop")
    assert (panel.series[0].ds == MONTHS).all()
    assert panel.series[0].unique_id == "a"
    assert (read(table(pd.Categorical(DATES))).series[0].ds == MONTHS).all()


def test_integers_in_an_object_column_are_read_as_time():
    panel = read(table(pd.Series(range(0, 60, 2), dtype=object)))
    assert (panel.freq, panel.series[0].ds.dtype, panel.series[0].ds[-1]) == (2, np.int64, 58)


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
            "time column 'ds' cannot be read as dates: .*if the dates have several time zones, convert them first",
        ),
        (table([0, np.inf, 2], [1.0, 2, 3]), "row 2: time inf in column 'ds' is infinite; give dates such as"),
        (table(np.array([1, 2**63], np.uint64), [1.0, 2]), "row 2: time 9.22337e.18 in column 'ds' is too large"),
        (pl.LazyFrame({"y": [1]}), r"the polars table is lazy; pass table.collect\(\)"),
        (pl.DataFrame({"ds": DATES.to_list(), "y": [None, *range(29)]}), "row 1: the value at 2020-01-01 is missing"),
    ],
)
def test_unsupported_sources_are_refused(source, message):
    with pytest.raises(DataError, match=message):
        read(source)


def test_a_panel_is_returned_unchanged():
    panel = read(table())
    assert read(panel) is panel
    with pytest.raises(
        DataError,
        match="the data are already a panel; pass columns, layout, freq, fill, sort, on_bad and covariates when you "
        "read the table",
    ):
        read(panel, fill="zero")
