"""Index: dates in the index of a pandas table are its time, also without a name; a count of rows is not."""

import io

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, read

MONTHS = pd.date_range("2015-01-01", periods=72, freq="MS")
VALUES = 100 + 10 * np.sin(np.arange(72) * np.pi / 6)
INDEXES = {
    "text": MONTHS.strftime("%Y-%m"),
    "days as text": MONTHS.strftime("%d.%m.%Y"),
    "date objects": [moment.date() for moment in MONTHS],
    "categories": pd.CategoricalIndex(MONTHS.strftime("%Y-%m")),
    "categories of dates": pd.CategoricalIndex(MONTHS),
    "digits": MONTHS.strftime("%Y%m").astype(int),
    "digits of days": MONTHS.strftime("%Y%m%d").astype(int),
    "seconds since 1970": [int(moment.timestamp()) for moment in MONTHS],
    "digits as text": MONTHS.strftime("%Y%m"),
}


def checked(panel, ds=MONTHS):
    (series,) = panel.series
    assert list(series.ds) == list(ds)
    return panel


@pytest.mark.parametrize("form", INDEXES)
def test_an_index_of_dates_without_a_name_is_the_time(form):
    panel = checked(read(pd.DataFrame({"v": VALUES}, index=INDEXES[form])))
    assert "time: the index of the table, which has no name, as column 'ds'" in panel.guesses


@pytest.mark.parametrize("first", [1900, 1990])
def test_an_index_of_years_is_the_time(first):
    years = list(range(first, first + 30))
    panel = read(pd.DataFrame({"v": VALUES[:30]}, index=years))
    checked(panel, pd.DatetimeIndex([f"{year}-01-01" for year in years]))


def test_a_range_that_may_be_years_or_rows_is_refused_with_both_remedies():
    table = pd.DataFrame({"v": VALUES[:30]}, index=range(1990, 2020))
    with pytest.raises(DataError, match=r"rename_axis\('year'\) if .*reset_index\(drop=True\) if they count"):
        read(table)
    checked(read(table.rename_axis("year")), pd.date_range("1990-01-01", periods=30, freq="YS"))
    checked(read(table.reset_index(drop=True)), range(30))
    assert read(table.assign(t=range(5, 35)), time_column="t").series[0].ds[0] == 5


def test_the_first_column_of_a_csv_as_index():
    text = pd.DataFrame({"v": VALUES}, index=MONTHS).to_csv()
    checked(read(pd.read_csv(io.StringIO(text), index_col=0)))


@pytest.mark.parametrize("form", ["text", "date objects", "digits"])
def test_an_index_of_dates_beside_a_series_in_each_column(form):
    wide = pd.DataFrame({"a": VALUES, "b": VALUES + 1}, index=INDEXES[form])
    panel = read(wide, layout="columns")
    assert [series.unique_id for series in panel.series] == ["a", "b"]
    assert all(list(series.ds) == list(MONTHS) for series in panel.series)


def test_an_index_of_dates_of_several_series():
    long = pd.DataFrame(
        {"item": ["a"] * 72 + ["b"] * 72, "v": [*VALUES, *VALUES + 1]}, index=[*INDEXES["text"], *INDEXES["text"]]
    )
    assert [series.unique_id for series in read(long).series] == ["a", "b"]


COUNTS = {
    "from 1": range(1, 73),
    "the rows kept of a longer table": np.sort(np.random.default_rng(0).choice(4000, 72, replace=False)),
    "the last rows of a longer table": range(4928, 5000),
    "labels": [f"r{row}" for row in range(72)],
    "text that is no date": list("abcdefgh") * 9,
}


@pytest.mark.parametrize("form", COUNTS)
def test_an_index_that_counts_or_labels_rows_is_dropped(form):
    checked(read(pd.DataFrame({"v": VALUES}, index=COUNTS[form])), range(72))


@pytest.mark.parametrize("columns", [{"day": MONTHS}, {"Year": MONTHS.year, "Month": MONTHS.month}], ids=str)
def test_columns_of_dates_are_the_time_beside_an_index_of_dates(columns):
    panel = checked(read(pd.DataFrame({**columns, "v": VALUES}, index=INDEXES["text"])))
    assert panel.series[0].unique_id == "v"
