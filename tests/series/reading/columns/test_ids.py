"""Id columns: names of series in one or several columns, as given or by shape."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import Forecaster
from gatewise.series import DataError, known_ahead, read
from gatewise.series.covariates.roles import Covariates

DAYS = pd.date_range("2024-01-01", periods=40)
TEXT = DAYS.strftime("%Y-%m-%d")


def long(names, order="name"):
    """A long table with a series for each row of `names`; series k has the values 100 k, 100 k + 1, ..."""
    names = pd.DataFrame(names).assign(k=lambda frame: np.arange(len(frame)))
    table = names.merge(pd.DataFrame({"date": TEXT, "step": range(40)}), how="cross")
    table["sales"] = 100.5 * table["k"] + table["step"]
    table = table.sort_values("step", kind="stable") if order == "date" else table
    return table.drop(columns=["k", "step"]).reset_index(drop=True)


TEXTUAL = {
    "store": {"store": ["north", "south", "west"]},
    "country, with NA": {"country": ["FR", "NA", "DE"]},
    "code with zeros": {"station": ["A007", "A008", "B007"]},
    "continent is coarser": {"continent": ["Europe", "Europe", "Asia"], "country": ["FR", "DE", "JP"]},
    "name and code": {"name": ["a", "b", "c"], "code": ["x", "y", "z"]},
    "a constant": {"unit": ["kg"] * 3, "product": ["p", "q", "r"]},
    "German": {"Filiale": ["Köln", "Bonn", "Trier"]},
    "many": {"sensor": [f"s{k}" for k in range(30)]},
}


@pytest.mark.parametrize("kind", ["file", "pandas", "polars"])
@pytest.mark.parametrize("order", ["name", "date"])
@pytest.mark.parametrize("name", TEXTUAL)
def test_the_only_column_of_text_that_explains_repeated_dates_names_the_series(name, order, kind, tmp_path):
    names = pd.DataFrame(TEXTUAL[name])
    column = {"continent is coarser": "country", "a constant": "product"}.get(name, names.columns[0])
    table = long(names, order)
    source = pl.DataFrame({column: table[column].tolist() for column in table}) if kind == "polars" else table
    if kind == "file":
        source = tmp_path / "table.csv"
        table.to_csv(source, index=False)
    panel = read(source)
    assert [series.unique_id for series in panel.series] == names[column].tolist()
    for k, series in enumerate(panel.series):
        assert series.ds.tolist() == DAYS.tolist()
        assert series.y.tolist() == (100.5 * k + np.arange(40)).tolist()
    count = len(names)
    assert f"series column: {column!r} ({count} names, each with distinct dates)" in panel.guesses


CANDIDATES = {
    "numbers": ({"store": [1, 2, 3]}, ["store"]),
    "numbers from 100": ({"store": [100, 107, 250]}, ["store"]),
    "two texts": ({"store": ["a", "a", "b", "b"], "item": ["x", "y", "x", "y"]}, ["store", "item"]),
    "two numbers": ({"Store": [1, 1, 2, 2], "Dept": [1, 2, 1, 2]}, ["Store", "Dept"]),
    "text and number": ({"region": ["a", "a", "b", "b"], "shop": [1, 2, 1, 2]}, ["region", "shop"]),
    "a third is not needed": (
        {"unit": ["kg"] * 4, "store": ["a", "a", "b", "b"], "item": ["x", "y", "x", "y"]},
        ["store", "item"],
    ),
    "three": (
        {"a": [*"ppppqqqq"], "b": [*"rrssrrss"], "c": [*"tutututu"]},
        ["a", "b", "c"],
    ),
    "name with a space": ({"shop number": [1, 2, 3]}, ["shop number"]),
}


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("name", CANDIDATES)
def test_other_columns_are_proposed(name, text):
    names, expected = CANDIDATES[name]
    table = long(names)
    table = table.astype(str) if text else table
    given = repr(expected[0]) if len(expected) == 1 else repr(expected)
    option = ",".join(expected) if " " not in expected[0] else f'"{expected[0]}"'
    with pytest.raises(DataError) as error:
        read(table)
    assert f"pass id_column={given} (--id {option})" in str(error.value)
    panel = read(table, id_column=expected)
    assert len(panel) == len(pd.DataFrame(names))
    assert [series.y[0] for series in panel.series] == [100.5 * k for k in range(len(panel))]
    if len(expected) > 1:
        first = "/".join(str(pd.DataFrame(names)[column].iloc[0]) for column in expected)
        assert panel.series[0].unique_id == first


def test_a_missing_id_column_is_proposed_beside_a_given_one():
    table = long({"store": ["a", "a", "b", "b"], "item": [1, 2, 1, 2]})
    with pytest.raises(DataError, match=r"pass id_column=\['store', 'item'\] \(--id store,item\); else"):
        read(table, id_column="store", target_column="sales")
    assert len(read(table, id_column=["store", "item"])) == 4


@pytest.mark.parametrize(
    "table",
    [
        long({"customer": [f"c{k}" for k in range(40)]}).iloc[::37].sort_values("date"),  # few dates of each
        pd.DataFrame({"date": [*TEXT, TEXT[-1]], "status": ["final"] * 40 + ["early"], "v": range(41)}),
    ],
)
def test_names_without_a_calendar_are_not_chosen(table):
    with pytest.raises(DataError, match="repeat"):
        read(table)


def test_names_are_joined_and_their_columns_remain_covariates():
    table = long({"store": ["n", "n", "s"], "item": ["a", "b", "a"]}).assign(promo=np.arange(120) % 5)
    panel = read(table, id_column=["store", "item"], target_column="sales", known="promo", static="store")
    assert [series.unique_id for series in panel.series] == ["n/a", "n/b", "s/a"]
    assert "series columns: 'store', 'item'" in panel.guesses
    assert [series.static.tolist() for series in panel.series] == [[1, 0], [1, 0], [0, 1]]
    assert panel.frame()["unique_id"].unique().tolist() == ["n/a", "n/b", "s/a"]
    again = read(table, like=panel)
    assert [series.unique_id for series in again.series] == ["n/a", "n/b", "s/a"]
    later = pd.DataFrame({"item": ["a", "b", "a"], "store": ["s", "n", "n"], "date": "2024-02-10", "promo": [7, 8, 9]})
    assert known_ahead(panel, 1, later).ravel().tolist() == [9, 8, 7]
    assert Covariates.of_content(panel.covariates.content(), "D").read_by == panel.covariates.read_by
    with pytest.raises(DataError, match=r"expected 'store', 'item', got 'item', 'date', 'promo'"):
        known_ahead(panel, 1, later.drop(columns="store"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (long({"a": ["x/y", "x"], "b": ["z", "y/z"]}), "two series get the same name 'x/y/z' from 'a', 'b'"),
        (long({"a": ["x", None], "b": ["z", "z"]}), "row 41: no name in series column 'a'; add the name"),
        (long({"a": ["x"], "b": ["z"], "a/b": ["w"]}), "there is also a column 'a/b'; rename it"),
    ],
)
def test_names_that_cannot_be_joined_are_refused(table, message):
    with pytest.raises(DataError, match=message):
        read(table, id_column=["a", "b"])


def test_names_in_a_file_are_joined_as_written(tmp_path):
    path = tmp_path / "table.csv"
    long({"store": ["001", "002"], "item": ["NA", "1e5"]}).to_csv(path, index=False)
    assert [series.unique_id for series in read(path, id_column=["store", "item"]).series] == ["001/NA", "002/1e5"]


def test_a_saved_model_reads_tables_with_two_id_columns(tmp_path):
    table = long({"store": ["n", "n", "s"], "item": ["a", "b", "a"]}).assign(promo=np.arange(120) % 5)
    model = Forecaster(strategy="segment", horizon=2, max_steps=2, ensemble_size=1, quiet=True)
    model.fit(table, id_column=["store", "item"], target_column="sales", known="promo")
    model.save(tmp_path / "model.gatewise")
    model = Forecaster.load(tmp_path / "model.gatewise")
    later = pd.concat([table.iloc[[0, 40, 80]].assign(date=date, sales=5.0) for date in ("2024-02-10", "2024-02-11")])
    forecast = model.predict(2, future=later, table=table)
    assert forecast["unique_id"].tolist() == ["n/a", "n/a", "n/b", "n/b", "s/a", "s/a"]
    model.update(later)
    assert [(series.unique_id, len(series)) for series in model.state.panel.series] == [
        ("n/a", 42),
        ("n/b", 42),
        ("s/a", 42),
    ]


def test_an_update_of_one_date_finds_the_names_of_the_model():
    table = long(TEXTUAL["store"])
    model = Forecaster(strategy="segment", horizon=2, max_steps=2, ensemble_size=1, quiet=True).fit(table)
    model.update(pd.DataFrame({"store": ["west", "north", "south"], "date": "2024-02-10", "sales": [1, 2, 3]}))
    assert [series.y[-1] for series in model.state.panel.series] == [2, 3, 1]
