"""Future covariates: found by series and date, taken from the end of the history, or named if missing."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.series import DataError, Series
from gatewise.series.covariates.roles import Covariates
from gatewise.series.reading.exclusion import Exclusions
from gatewise.series.reading.files.sources import load
from gatewise.series.reading.future import future_known
from gatewise.series.reading.history import split_future
from gatewise.series.reading.layouts import read_rows
from gatewise.series.reading.table import Columns
from tests.shop import DAYS, refused, shop


def series_ending(name="A", last=DAYS[3], length=3):
    return Series(name, pd.date_range(end=last, periods=length, freq="D"), np.zeros(length))


KNOWN = Covariates(known=("price", "holiday"), categories={"holiday": ("easter", "none")})
LATER = pd.DataFrame(
    {
        "unique_id": ["B", "A", "A", "C", "B", "A"],
        "ds": pd.DatetimeIndex(["2024-02-06", "2024-02-06", "2024-02-05", "2024-02-05", "2024-02-07", "2024-02-09"]),
        "price": [1.0, 2.0, 3.0, 4.0, 5.0, None],
        "holiday": ["none", "easter", "none", "new", "easter", "new"],
        "else": None,
    }
)
# The next dates are 5 and 6 February for A, 6 and 7 for B.
SERIES = [series_ending("A"), series_ending("B", DAYS[4], 5)]
FUTURE_MONTHS = pd.date_range("2029-10-01", periods=3, freq="MS")


@pytest.mark.parametrize("form", ["pandas", "polars", "file", "other names"])
def test_known_values_are_found_by_series_and_date(form, tmp_path):
    source = LATER
    if form == "polars":
        source = pl.from_dicts(LATER.to_dict("records")).with_columns(pl.col("ds").cast(pl.Date))
    elif form == "file":
        source = tmp_path / "later.csv"
        LATER.to_csv(source, index=False)
    elif form == "other names":
        source = LATER.rename(columns={"unique_id": "shop", "ds": "day"})
    values = future_known(SERIES, source, KNOWN, "D", 2)
    assert values.tolist() == [[[3, 0, 1], [2, 1, 0]], [[1, 0, 1], [5, 1, 0]]]


def test_a_single_series_needs_no_names_and_may_have_integer_time():
    series = Series("A", pd.Index([0, 2]), np.zeros(2))
    table = pd.DataFrame({"t": [6, 4], "price": [1, 2]})
    known = Covariates(known=("price",))
    for column in (None, "t", ["t"], []):
        assert future_known([series], table, known, 2, 2, time_column=column).tolist() == [[[2], [1]]]


def test_dates_in_several_columns_are_combined():
    series = Series("A", pd.date_range("2023-11-01", periods=2, freq="MS"), np.zeros(2))
    table = pd.DataFrame({"year": [2024, 2024], "month": [2, 1], "price": [1, 2]})
    values = future_known([series], table, Covariates(known=("price",)), "MS", 2, time_column=["year", "month"])
    assert values.tolist() == [[[2], [1]]]


def test_dates_with_a_time_zone_are_compared_in_absolute_time():
    series = Series("A", pd.date_range("2024-03-30", periods=2, freq="D", tz="Europe/Berlin"), np.zeros(2))
    table = pd.DataFrame({"ds": pd.DatetimeIndex(["2024-03-31 22:00"], tz="UTC"), "price": [2]})
    assert future_known([series], table, Covariates(known=("price",)), "D", 1).tolist() == [[[2]]]
    with refused("time column 'ds'", "but the history holds datetime64", "Europe/Berlin"):
        future_known([series], table.assign(ds=DAYS[0]), Covariates(known=("price",)), "D", 1)


def test_the_calendar_alone_needs_no_table():
    covariates = Covariates(calendar=("day of week",))
    values = future_known(SERIES, None, covariates, "D", 2)
    assert values.shape == (2, 2, 2)
    np.testing.assert_allclose(values[:, :, 1], np.cos(2 * np.pi * np.array([[0, 1], [1, 2]]) / 7))
    assert future_known(SERIES, None, Covariates(past=("price",)), "D", 2) is None


@pytest.mark.parametrize(
    ("table", "parts"),
    [
        (
            None,
            (
                "'A'",
                "needs the known covariates 'price', 'holiday' for 2024-02-05 to 2024-02-06 (2 dates)",
                "supply every value in predict(2, future=table)",
            ),
        ),
        (
            LATER[1:2],
            (
                "'A'",
                "(2 dates), but the table has all but 1 date: 2024-02-05 (1 more series with missing dates)",
                "--future FILE",
            ),
        ),
        (
            LATER[4:],
            (
                "series 'A' ends on 2024-02-04, before the others, and needs",
                "2024-02-05 to 2024-02-06 (2 dates), but the table has none of them",
                "; exclude it, or supply every value in predict",
            ),
        ),
        (LATER[3:4], ("none of the series 'A', 'B'", "holds 'C'")),
        (
            LATER.assign(price=None),
            ("'A', row 3 (2024-02-05): no value in known covariate 'price'", "supply every value in predict"),
        ),
        (LATER.assign(holiday="pentecost"), ("'A', row 3 (2024-02-05)", "'pentecost' is a new category")),
        (LATER.drop(columns="price"), ("known covariate 'price' is not among the columns",)),
        (pd.concat([LATER, LATER[2:3]]), ("'A', row 7: duplicate date 2024-02-05; remove one of the rows",)),
        (LATER.assign(unique_id=1), ("none of the series 'A', 'B'", "holds 1")),
        (LATER.drop(columns="unique_id"), ("no column of series names found", "'ds', 'price'")),
        (LATER.drop(columns="ds"), ("no time column found; expected 'ds'", "continue its row numbers (from 0) in ds")),
        (LATER.assign(ds=range(6)), ("time column 'ds'", "holds int64 such as 0", "such as 2024-02-05")),
    ],
)
def test_missing_future_values_are_named_by_series_dates_and_remedy(table, parts):
    with refused(*parts):
        future_known(SERIES, table, KNOWN, "D", 2)


def test_an_infinite_future_value_cannot_be_left_empty():
    with pytest.raises(DataError, match=r"inf is infinite \(and 3 more\); give a finite number$"):
        future_known(SERIES, LATER.assign(price=np.inf), KNOWN, "D", 2)


# -------------------------------------------------------------------------------------------------------- history


def split(table, known):
    """The rows of the table that are history, those of the future, and the guesses."""
    stack = read_rows(load(table), Columns(("ds",), ("y",), "unique_id"), "long", Exclusions()).stack
    history, future, guesses = split_future(stack, known)
    return history.positions.tolist(), future.positions.tolist(), guesses


def test_rows_at_the_end_without_value_are_used_for_the_forecast():
    table = shop().assign(y=[1.0, None, 3.0, None, None, None], price=[7, 1, 2, 9, 4, None])
    history, future, guesses = split(table, ["price"])
    assert (history, future) == ([0, 1, 2, 5], [3, 4])  # row 1 is before the last value, row 5 has no price
    assert guesses == ("used for the forecast: 2 rows with known covariates but no value yet, at the end of 2 series",)
    series = [Series("A", DAYS[:2], np.zeros(2)), Series("B", DAYS[:3], np.zeros(3))]
    assert future_known(series, table, Covariates(known=("price",)), "D", 1).tolist() == [[[4]], [[9]]]


def test_a_series_without_values_and_a_table_without_future_are_not_split():
    table = shop().assign(y=["1", " ", " ", "2", None, None])
    assert split(table, ["price"]) == ([0, 3, 1, 2, 4, 5], [], ())
    assert split(table, [])[1] == []


@given(st.lists(st.tuples(st.sampled_from("AB"), st.booleans()), min_size=1, max_size=20), st.randoms())
def test_future_rows_are_those_of_a_plain_search(rows, random):
    table = pd.DataFrame(rows, columns=["unique_id", "given"]).assign(ds=range(len(rows)), price=1.0)
    table["y"] = np.where(table["given"], 1.0, np.nan)
    last = {name: part.loc[part["given"], "ds"].max() for name, part in table.groupby("unique_id")}
    expected = {i for i, (name, _) in enumerate(rows) if i > last[name]}  # NaN without values: none is greater
    mixed = table.sample(frac=1, random_state=random.randrange(99))
    past, ahead, _ = split(mixed, ["price"])
    assert set(mixed["ds"].iloc[ahead]) == expected
    assert sorted(past + ahead) == list(range(len(table)))


@pytest.mark.parametrize(
    "cells",
    [
        FUTURE_MONTHS.strftime("%d/%m/%Y"),
        FUTURE_MONTHS.strftime("%m/%d/%Y"),
        FUTURE_MONTHS.strftime("%b-%y"),
        FUTURE_MONTHS.strftime("%m/%y"),
        FUTURE_MONTHS.strftime("%Y%m").astype(int),
        FUTURE_MONTHS.strftime("%y%m%d"),
        (FUTURE_MONTHS - pd.Timestamp("1899-12-30")).days,
        (FUTURE_MONTHS - pd.Timestamp("1904-01-01")).days,
        [2029.75, 2029.833, 2029.917],
    ],
)
def test_the_dates_to_forecast_decide_how_a_table_is_read(cells):
    history = Series("A", pd.date_range("2029-01-01", periods=9, freq="MS"), np.zeros(9))
    table = pd.DataFrame({"ds": cells, "price": [1.0, 2, 3]})
    for rows in (1, 2, 3):
        values = future_known([history], table[:rows], Covariates(known=("price",)), "MS", rows)
        assert values.ravel().tolist() == [1.0, 2, 3][:rows]


@pytest.mark.parametrize("first", [43831, 202101, 1949, 1_577_836_800])
def test_integer_time_continues_as_integers(first):
    history = Series("A", pd.RangeIndex(first, first + 9), np.zeros(9))
    table = pd.DataFrame({"ds": range(first + 9, first + 12), "price": [1.0, 2, 3]})
    assert future_known([history], table, Covariates(known=("price",)), 1, 3).ravel().tolist() == [1.0, 2, 3]
