"""Columns: guesses are stated, and an ambiguous or unknown column is an error."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, read
from gatewise.series.reading.columns.time import time_columns
from gatewise.series.reading.table import Table
from tests.series_tables import MONTHS, lines, table


def test_guesses_are_stated_and_can_be_overridden():
    frame = pd.DataFrame({"Month": MONTHS.strftime("%Y-%m"), "sales": 1.0, "note": "x"})
    assert read(frame).guesses == (
        "time column: 'Month' (the only column of dates)",
        "target column: 'sales' (the only other column of numbers)",
        "columns not used: 'note'",
        "frequency: MS (month start), inferred from 30 dates",
    )
    panel = read(frame.assign(other=2.0, week=range(30)), time_column="week", target_column="other", freq="1")
    assert panel.series[0].unique_id == "other"
    assert panel.guesses == (
        "time column: 'week' (as given)",
        "target column: 'other' (as given)",
        "columns not used: 'Month', 'sales', 'note'",
        "time: integers, not dates",
        "frequency: 1 (integer time), as given",
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
        (table()[["ds"]], "no target column found, no column except the time holds numbers"),
        (pd.DataFrame([[1, 2]], columns=["y", "y"]), "several columns named 'y'"),
        (table()[:0], "has no rows"),
    ],
)
def test_an_ambiguous_column_is_an_error_with_the_candidates(frame, message):
    with pytest.raises(DataError, match=re.escape(message)):
        read(frame)


def test_unknown_columns_are_named():
    with pytest.raises(DataError, match=r"the table has no column 'z'; its columns are 'ds', 'y'"):
        read(table(), target_column="z")
    with pytest.raises(DataError, match="column 'y' is named twice"):
        read(table(), target_column="y", id_column="y")


def test_a_similar_column_name_is_suggested():
    with pytest.raises(DataError, match=r"no column 'sales'; its columns are 'ds', 'Sales'; did you mean 'Sales'\?"):
        read(table().rename(columns={"y": "Sales"}), target_column="sales")


@pytest.mark.parametrize("name", ["Unnamed: 0", "", "index", "Index", "id", "row"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_counter_of_rows_is_no_target(name, first, csv):
    frame = pd.DataFrame({name: range(first, 30 + first), "month": MONTHS.strftime("%Y-%m"), "v": [5.5, 2.5] * 15})
    for source in (frame, csv(frame.to_csv(index=False))):
        panel = read(source)
        assert panel.series[0].y.tolist() == [5.5, 2.5] * 15
        assert any("counts the rows" in guess for guess in panel.guesses)
    with pytest.raises(DataError, match="the target column is ambiguous"):
        read(frame.assign(**{name: [1, 5, *range(2, 30)]}))


def test_the_only_regular_dates_are_the_time():
    days = pd.date_range("2024-01-01", periods=30)
    frame = pd.DataFrame({"order": days, "shipped": days + pd.to_timedelta([1, 3, 2] * 10, "D"), "v": 1.5})
    assert read(frame).series[0].ds.tolist() == days.tolist()
    both = frame.assign(shipped=days + pd.Timedelta(days=3))
    with pytest.raises(DataError, match=r"candidates are 'order', 'shipped'; pass time_column= \(--time COL\)"):
        read(both)
    assert read(both, time_column="shipped").series[0].ds[0] == pd.Timestamp("2024-01-04")


@pytest.mark.parametrize("numbers", [MONTHS.year * 100 + MONTHS.month, np.arange(1990, 2020), [*range(2020, 1990, -1)]])
def test_numbers_that_are_a_calendar_are_the_time(numbers):
    columns = time_columns(Table(pd.DataFrame({"Code": numbers, "v": [5, 3] * 15})), [], [], "long", (), "")
    assert columns.columns == ("Code",)


@pytest.mark.parametrize("numbers", [[7, 3] * 15, np.arange(30), np.arange(30) * 17 + 1900, [202011, 202099] * 15])
def test_other_numbers_are_no_time(numbers):
    with pytest.raises(DataError, match="no time column found"):
        read(pd.DataFrame({"Code": numbers, "v": [5, 3] * 15}))


def test_a_target_is_not_true_or_false():
    frame = pd.DataFrame({"month": MONTHS, "holiday": [True, False] * 15, "v": 1.5})
    assert read(frame).series[0].unique_id == "v"
