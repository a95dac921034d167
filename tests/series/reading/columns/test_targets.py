"""Target columns: partly blank columns of numbers count, empty ones do not, and every remedy names all of them."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.series import DataError, read, split_by_frequency

MONTHS = pd.date_range("2020-01-01", periods=48, freq="MS").strftime("%Y-%m")
FULL = np.random.default_rng(0).normal(100, 5, 48).round(2)
QUARTERLY = np.where(np.arange(48) % 3 == 0, FULL + 7, np.nan)
PARTLY = {
    "quarterly": QUARTERLY,
    "late start": np.where(np.arange(48) > 26, FULL, np.nan),
    "early end": np.where(np.arange(48) < 20, FULL, np.nan),
    "yearly": np.where(np.arange(48) % 12 == 0, FULL, np.nan),
    "whole numbers": np.where(np.arange(48) > 30, FULL.round(), np.nan),
    "one value": np.where(np.arange(48) == 40, 5.0, np.nan),
}


def texts(values, blank=""):
    return [blank if np.isnan(value) else str(value) for value in values]


@pytest.mark.parametrize("kind", ["csv", "tsv", "pandas", "polars"])
@pytest.mark.parametrize("name", PARTLY)
@pytest.mark.parametrize("first", [True, False])
def test_a_partly_blank_column_of_numbers_may_be_the_target(name, kind, first, tmp_path):
    columns = {"sales": PARTLY[name], "temp": FULL}
    columns = columns if first else dict(reversed(columns.items()))
    table = pd.DataFrame({"date": MONTHS, **columns})
    source = {"pandas": table.assign(sales=texts(PARTLY[name])), "polars": pl.from_pandas(table)}.get(kind)
    if source is None:
        source = tmp_path / f"t.{kind}"
        table.to_csv(source, index=False, sep="," if kind == "csv" else "\t")
    problem = (
        f"ambiguous, 2 columns hold numbers: {', '.join(map(repr, columns))}; pass target_column= (--target COL); if"
    )
    with pytest.raises(DataError, match=re.escape(problem)):
        read(source)
    assert read(source, target_column="temp").series[0].y.tolist() == FULL.tolist()


@pytest.mark.parametrize("blank", ["-", "n/a", "..", "NA"])
def test_markers_of_missing_values_are_blank_cells(blank, tmp_path):
    table = pd.DataFrame({"date": MONTHS, "a": FULL, "b": texts(QUARTERLY, blank)})
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match="2 columns hold numbers: 'a', 'b'"):
        read(tmp_path / "t.csv")
    assert read(tmp_path / "t.csv", target_column="b").series[0].y.tolist() == QUARTERLY[::3].tolist()


@pytest.mark.parametrize(
    "column", [np.full(48, np.nan), [None] * 48, [""] * 48, [""] * 47 + ["strike"], [None] * 40 + [True] * 8]
)
def test_a_column_without_numbers_is_no_target(column):
    panel = read(pd.DataFrame({"date": MONTHS, "a": FULL, "b": column}))
    assert panel.series[0].y.tolist() == FULL.tolist()
    assert "target column: 'a' (the only other column of numbers)" in panel.guesses


def test_an_empty_column_is_named():
    table = pd.DataFrame({"date": MONTHS, "a": FULL, "b": np.nan})
    assert "empty columns: 'b'" in read(table).guesses
    assert "empty columns: 'b'" in read(table.assign(b=" ")).guesses
    with pytest.raises(
        DataError, match="no column except the time holds numbers; all cells are blank in 'b', 'c'; pass"
    ):
        read(table.drop(columns="a").assign(c=np.nan))


COMPLETE = {"a": FULL, "b": FULL + 1}


@pytest.mark.parametrize("extra", [{"q": QUARTERLY}, {"q": FULL}, {"q": QUARTERLY, "z": PARTLY["yearly"]}])
def test_a_wide_table_with_blank_cells_is_read_by_its_columns(extra):
    table = pd.DataFrame({"date": MONTHS, **COMPLETE, **extra})
    with pytest.raises(
        DataError, match=re.escape('pass layout="columns" (--layout columns) for a series in each column')
    ):
        read(table)
    check_all(table, layout="columns")


@pytest.mark.parametrize("extra", [{"q": QUARTERLY}, {"q": QUARTERLY, "a,b": FULL}])
def test_a_list_of_targets_holds_every_column(extra):
    table = pd.DataFrame({"date": MONTHS, **COMPLETE, **extra, "note": "x"})
    names = [*COMPLETE, *extra]
    with pytest.raises(DataError, match=re.escape("list them in target_column= (--target ")) as error:
        read(table)
    assert ",".join(names) in str(error.value)
    check_all(table, target_column=names)


def check_all(table, **options):
    """Every column of numbers is read, those with fewer values on a calendar of their own."""
    panels = split_by_frequency(table, **options).values()
    found = {series.unique_id: series.y.tolist() for panel in panels for series in panel.series}
    numbers = table.select_dtypes("number")
    assert found == {name: numbers[name].dropna().tolist() for name in numbers}
