"""Layouts: wide tables, and long tables with several targets."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.series import DataError, read
from tests.series_tables import DAYS, spoil, table, ten_series


def test_each_column_is_a_series():
    wide = pd.DataFrame({"day": DAYS[:5], "a": [None, 1, 2, 3, 4], "b": range(5), "c": [0, 1, 2, None, None]})
    for source in (wide, wide.set_index("day"), pl.from_pandas(wide)):
        panel = read(source, layout="columns")
        assert [(series.unique_id, series.y.tolist()) for series in panel.series] == [
            ("a", [1, 2, 3, 4]),
            ("b", [0, 1, 2, 3, 4]),
            ("c", [0, 1, 2]),
        ]
        assert [str(series.ds[0].date()) for series in panel.series] == ["2020-01-02", "2020-01-01", "2020-01-01"]
        assert panel.freq == "D"
        assert "left out: blank cells before the first or after the last value, in 2 of 3 series" in panel.guesses
    few = read(wide.assign(note="x"), layout="columns", target_column=["c", "b"])
    assert [series.unique_id for series in few.series] == ["c", "b"]
    assert "columns not used: 'a', 'note'" in few.guesses
    with pytest.raises(
        DataError,
        match=r"no numbers in 'note'; list only columns of numbers in target_column= \(--target\), or convert",
    ):
        read(wide.assign(note="x"), layout="columns")
    with pytest.raises(DataError, match="series 'a', row 4: the value at 2020-01-04 is missing"):
        read(wide.assign(a=[None, 1, 2, None, 4]), layout="columns")
    without_time = read(wide[["b"]].assign(c=1), layout="columns")
    assert (without_time.freq, without_time.series[1].ds.tolist()) == (1, [0, 1, 2, 3, 4])


def test_each_row_is_a_series(tmp_path):
    path = tmp_path / "M4.csv"
    path.write_text(
        '"V1","V2","V3","V4","V5"\n"H1","605","586","",""\n"007","1","","3","4.5"\n"H3","8","9","10","11"\n'
    )
    panel = read(path, layout="rows", fill="previous")
    assert [(series.unique_id, series.y.tolist()) for series in panel.series] == [
        ("H1", [605, 586]),
        ("007", [1, 1, 3, 4.5]),
        ("H3", [8, 9, 10, 11]),
    ]
    assert (panel.freq, panel.series[1].ds.tolist()) == (1, [0, 1, 2, 3])
    assert panel.guesses[:3] == (
        "series column: 'V1' (the first)",
        "values of a series: 4 columns, 'V2', 'V3', 'V4', 'V5'",
        "time: values counted from 0 along each row",
    )
    with pytest.raises(DataError, match=r"series '007', row 2 \(line 3 of M4.csv\): the value at 1 is missing"):
        read(path, layout="rows")
    assert [excluded.unique_id for excluded in read(path, layout="rows", on_bad="skip").excluded_series] == ["007"]
    with pytest.raises(
        DataError, match=r'reads as dates; .* pass layout="rows" \(--layout rows\) if each row is a series$'
    ):
        read(path)
    other = read(pd.DataFrame({"a": [1, 2], "b": [3, 4], "shop": ["x", "y"]}), layout="rows", id_column="shop")
    assert [(series.unique_id, series.y.tolist()) for series in other.series] == [("x", [1, 3]), ("y", [2, 4])]


def test_each_of_several_columns_of_a_long_table_is_a_series():
    both = ten_series().assign(z=lambda frame: -frame["y"])
    panel = read(both, target_column=["y", "z"])
    assert [series.unique_id for series in panel.series][:3] == ["s0/y", "s0/z", "s1/y"]
    assert panel.series[1].y.tolist() == (-np.arange(12.0)).tolist()
    panel = read(both[:12].drop(columns="unique_id"), target_column=["z", "y"])
    assert [series.unique_id for series in panel.series] == ["z", "y"]
    invalid = both.assign(ds=spoil(both["ds"], 3, None), z=spoil(both["z"], 15, "x"))
    assert [
        excluded.unique_id for excluded in read(invalid, target_column=["y", "z"], on_bad="skip").excluded_series
    ] == [
        "s0/y",
        "s0/z",
        "s1/z",
    ]
    with pytest.raises(DataError, match="two series get the same id/column name"):
        read(
            table(shop=spoil(["a"] * 30, 3, "a/b")).assign(**{"b/y": 1.0}), id_column="shop", target_column=["y", "b/y"]
        )


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (table(), {"layout": "tall"}, "layout='tall': expected one of long, columns, rows"),
        (table(), {"on_bad": "ignore"}, "on_bad='ignore': expected one of raise, skip, naive"),
        ([1.0, 2.0], {"layout": "rows"}, "layout='rows' is for a table of several series, but the data are one series"),
        (
            table(),
            {"layout": "columns", "id_column": "y"},
            "layout='columns' names each series after its column; omit id_column=",
        ),
        (
            table(),
            {"layout": "rows", "time_column": "ds"},
            "layout='rows' counts the time along each row; omit time_column=",
        ),
        (
            table()[["y"]],
            {"layout": "rows"},
            "has only the column 'y'; layout='rows' needs columns of values after the name",
        ),
        (
            table()[["ds"]],
            {"layout": "columns"},
            "every column must be a series, but no column is left besides the time and the covariates",
        ),
        (pd.DataFrame({"n": ["a", "a"], "v": 1.0}), {"layout": "rows"}, "row 2: series 'a' is a duplicate"),
        (table(a=1.0).rename(columns={"y": "b"}), {}, 'if the table is wide, pass layout="columns"'),
    ],
)
def test_layouts_that_do_not_fit_are_refused(source, options, message):
    with pytest.raises(DataError, match=message):
        read(source, **options)


def test_a_panel_cannot_be_read_with_a_layout():
    for options in ({"layout": "rows"}, {"on_bad": "skip"}):
        with pytest.raises(DataError, match="the data are already a panel"):
            read(read(table()), **options)


@pytest.mark.parametrize(
    ("attributes", "names"),
    [
        ({"id": ["a1", "b2", "c3"], "item": ["a", "b", "c"], "state": ["x"] * 3}, ["a1", "b2", "c3"]),
        ({"item": ["a", "a", "b"], "store": ["p", "q", "p"]}, ["a/p", "a/q", "b/p"]),
        ({"state": ["x"] * 3, "store": ["p", "q", "r"]}, ["p", "q", "r"]),
    ],
)
def test_columns_of_text_before_the_values_of_rows_name_and_describe_them(attributes, names, tmp_path):
    values = pd.DataFrame(np.arange(36.0).reshape(3, 12), columns=[f"d_{k}" for k in range(1, 13)])
    table = pd.concat([pd.DataFrame(attributes), values], axis=1)
    table.to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError, match=r'pass layout="rows" \(--layout rows\) if each row is a series'):
        read(tmp_path / "table.csv")
    panel = read(tmp_path / "table.csv", layout="rows")
    assert [series.unique_id for series in panel.series] == names
    assert panel.series[1].y.tolist() == values.iloc[1].tolist()
    again = read(table, layout="rows", like=panel)
    assert [series.unique_id for series in again.series] == names


def test_rows_that_columns_of_text_do_not_tell_apart_are_not_proposed_as_series(tmp_path):
    table = pd.DataFrame({"item": ["a", "a"], "store": ["p", "p"], "d_1": [1.0, 2], "d_2": [2.0, 3], "d_3": [4.0, 5]})
    with pytest.raises(DataError, match="no time column found") as error:
        read(table)
    assert "layout" not in str(error.value)


YEARS = "\n".join(f"{1990 + i},{96 + i % 5}.5,{97 + i % 7}.5" for i in range(30)) + "\n"


@pytest.mark.parametrize("name", ["Jahr", "Año", "FY", "Season", "x", "", "year"])
def test_a_series_in_each_column_beside_years_of_any_name(csv, name):
    path = csv(f"{name},a,b\n{YEARS}")
    with pytest.raises(DataError, match="--layout columns"):
        read(path)
    panel = read(path, layout="columns")
    assert [series.unique_id for series in panel.series] == ["a", "b"]
    assert [str(series.ds[0].date()) for series in panel.series] == ["1990-01-01"] * 2


def test_a_series_in_each_column_beside_digits_of_months_or_years_and_months(csv):
    months = pd.date_range("2015-01-01", periods=30, freq="MS")
    values = [f"{96 + i % 5}.5,{97 + i % 7}.5" for i in range(30)]
    for header, form in (("per,a,b", "%Y%m"), ("Jahr,Monat,a,b", "%Y,%m")):
        rows = [f"{date.strftime(form)},{cells}" for date, cells in zip(months, values, strict=True)]
        panel = read(csv("\n".join([header, *rows]) + "\n"), layout="columns")
        assert [(series.unique_id, list(series.ds)) for series in panel.series] == [(n, list(months)) for n in "ab"]


def test_a_series_of_numbers_like_years_is_no_time_in_the_layout_columns(csv):
    rows = [f"{2000 + i * 7 % 30},{1990 + i * 3 % 11}" for i in range(30)]
    assert len(read(csv("\n".join(["a,b", *rows]) + "\n"), layout="columns").series) == 2
