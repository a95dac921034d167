"""Columns: guesses are stated, and an ambiguous or unknown column is an error."""

import re

import pandas as pd
import pytest

from gatewise.series import DataError, read
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
