"""Features: values computed by hand, many series like each alone, and errors."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.series import as_pandas
from gatewise.series.covariates.features import Places, features
from gatewise.series.covariates.roles import Covariates
from gatewise.series.reading.files.sources import load
from tests.shop import DAYS, refused, shop


def features_of(table, *, fill=None, freq="D", **columns):
    covariates = Covariates.of(table, freq=freq, **columns)
    places = Places.of(table["unique_id"], pd.Index(table["ds"]))
    return features(table, places, covariates, freq, fill=fill)


def test_polars_columns_are_read_like_pandas_columns():
    frames = shop(), as_pandas(pl.from_dicts(shop().to_dict("records")))
    from_pandas, from_polars = (
        features_of(frame, past="price", known=["holiday", "open"], static="size", calendar=True) for frame in frames
    )
    for left, right in zip(from_pandas, from_polars, strict=True):
        np.testing.assert_array_equal(left, right)


def test_numbers_are_unchanged_and_categories_one_hot_in_order_of_series_and_date():
    result = features_of(shop(), past="price", known=["holiday", "open"], static="size")
    assert result.past.tolist() == [[7], [9], [1], [2], [4], [8]]  # B, then A
    none, easter, xmas = [0, 1, 0, 0, 1], [1, 0, 0, 1, 0], [0, 0, 1, 0, 1]
    assert result.known.tolist() == [none, none, none, easter, none, xmas]
    assert result.static.tolist() == [[0, 1], [1, 0]]
    assert all(part.dtype == np.float64 for part in (result.past, result.known, result.static))


def test_calendar_features_come_after_the_columns():
    result = features_of(shop(), known="price", calendar=["day of week"])
    assert result.known.shape == (6, 3)
    assert result.known[0, 0] == 7
    np.testing.assert_allclose(result.known[0, 1:], [np.sin(2 * np.pi * 5 / 7), np.cos(2 * np.pi * 5 / 7)])  # Saturday
    assert result.past is None
    assert result.static is None


TABLES = st.lists(
    st.tuples(st.sampled_from("ABC"), st.floats(-9, 9), st.sampled_from(["x", "y", "z"])), min_size=1, max_size=30
)


@given(TABLES, st.randoms())
def test_series_have_the_same_features_together_and_alone(rows, random):
    table = pd.DataFrame(rows, columns=["unique_id", "price", "kind"]).assign(ds=range(len(rows)))
    table["group"] = table["unique_id"].map({"A": "left", "B": "right", "C": "left"})
    covariates = Covariates.of(table, "price", "kind", "group")
    table = table.sample(frac=1, random_state=random.randrange(99))
    places = Places.of(table["unique_id"], pd.Index(table["ds"]))
    together = features(table, places, covariates, 1)
    np.testing.assert_array_equal(together.known.sum(axis=1), 1)
    for code, name in enumerate(places.names):
        part = table[table["unique_id"] == name]
        alone = features(part, Places.of(part["unique_id"], pd.Index(part["ds"])), covariates, 1)
        np.testing.assert_array_equal(together.past[places.codes == code], alone.past)
        np.testing.assert_array_equal(together.known[places.codes == code], alone.known)
        np.testing.assert_array_equal(together.static[[code]], alone.static)


@pytest.mark.parametrize(
    ("columns", "change", "parts"),
    [
        ({"past": "price"}, {"price": [7, 1, None, 9, 4, 8]}, ("'A', row 3 (2024-02-02)", "no value in past", "fill=")),
        (
            {"known": "price"},
            {"price": [7, 1, 2, np.inf, 4, 8]},
            ("'B', row 4 (2024-02-04)", "inf is infinite", 'or leave the cell empty and pass fill="previous"'),
        ),
        (
            {"known": "holiday"},
            {"holiday": ["n", "e", "e", None, "n", "n"]},
            ("'B', row 4", "no value in known", "their own category"),
        ),
        (
            {"static": "size"},
            {"size": list("sbbsbm")},
            ("'A', row 6", "'m' differs from 'b' in row 2", "past= or known="),
        ),
        ({"static": "size"}, {"size": [1, 2, 2, 3, 2, 2]}, ("'B', row 4 (2024-02-04)", "'size'", "in row 1")),
        ({"static": "size"}, {"size": [1, 2, None, 1, 2, 2]}, ("'A', row 3", "no value in static covariate 'size'")),
    ],
)
def test_wrong_cells_are_named_by_series_row_and_remedy(columns, change, parts):
    with refused(*parts):
        features_of(shop().assign(**change), **columns)


def test_later_tables_need_the_columns_and_categories_of_training():
    covariates = Covariates.of(shop(), "price", "holiday")
    places = Places.of(["A"], DAYS[:1])
    with refused("'A', row 1", "'pentecost' is a new category, expected one of 'easter', 'none', 'xmas'"):
        features(pd.DataFrame({"price": [1], "holiday": ["pentecost"]}), places, covariates, "D")
    with refused("past covariate 'price'", "'cheap' is not a number"):
        features(pd.DataFrame({"price": ["cheap"], "holiday": ["none"]}), places, covariates, "D")
    with refused("known covariate 'holiday' is not among the columns 'price'"):
        features(pd.DataFrame({"price": [1]}), places, covariates, "D")
    text = features(pd.DataFrame({"price": ["1.5"], "holiday": ["none"]}), places, covariates, "D")
    assert text.past.tolist() == [[1.5]]


NAN = float("nan")


@pytest.mark.parametrize(
    ("fill", "expected"), [("interpolate", [1, 2, 5, 6, 8]), ("previous", [1, 1, 5, 5, 8]), ("zero", [1, 0, 5, 0, 8])]
)
def test_numbers_are_filled_within_each_series_linear_in_time(fill, expected):
    table = pd.DataFrame({"unique_id": list("AAAAA"), "ds": [0, 1, 4, 5, 7], "price": [1, NAN, 5, NAN, 8.0]})
    result = features_of(table, known="price", freq=1, fill=fill)
    np.testing.assert_allclose(result.known[:, 0], expected)
    mixed = features_of(table.iloc[[3, 0, 4, 2, 1]].reset_index(drop=True), known="price", freq=1, fill=fill)
    np.testing.assert_allclose(mixed.known[:, 0], expected)
    (guess,) = result.guesses
    assert guess.startswith("filled ")
    assert guess.endswith("2 values of known covariate 'price', the first at series 'A', row 2 (1)")


@pytest.mark.parametrize("fill", ["interpolate", "previous"])
def test_nothing_is_filled_from_another_series(fill):
    table = pd.DataFrame({"unique_id": list("AABB"), "ds": [0, 1, 0, 1], "price": [1, 2, NAN, 8.0]})
    with refused("series 'B', row 3 (0): no earlier value of known covariate 'price'"):
        features_of(table, known="price", freq=1, fill=fill)
    table["price"] = [1, NAN, 7, 8.0]
    if fill == "previous":
        assert features_of(table, known="price", freq=1, fill=fill).known[1] == 1
    else:
        with refused("series 'A', row 2 (1): no later value of known covariate 'price'"):
            features_of(table, known="price", freq=1, fill=fill)


def test_categories_are_filled_only_with_the_previous_one():
    table = shop().assign(holiday=["none", "none", "easter", None, "", "xmas"])
    result = features_of(table, known="holiday", fill="previous")
    assert result.known.argmax(axis=1).tolist() == [1, 1, 1, 0, 0, 2]
    with refused("series 'B', row 4", "fill='zero' repairs only numbers"):
        features_of(table, known="holiday", fill="zero")


def test_static_values_are_filled_from_the_rest_of_the_series():
    table = shop().assign(size=["s", None, "b", None, "b", "b"])
    assert features_of(table, static="size", fill="zero").static.tolist() == [[0, 1], [1, 0]]
    with refused("series 'B' has no value in static covariate 'size'"):
        features_of(table.assign(size=[None, "b", "b", None, "b", "b"]), static="size", fill="previous")


def test_dates_without_a_row_are_filled_and_need_no_static_value():
    table = shop().query("unique_id == 'A'").reset_index(drop=True)
    covariates = Covariates.of(table, "price", "holiday", "size")
    places = Places(["A"], np.zeros(5, int), DAYS[:5], np.array([0, 1, -1, 2, 3]))
    result = features(table, places, covariates, "D", fill="previous")
    assert result.past[:, 0].tolist() == [1, 2, 2, 4, 8]
    assert result.known.argmax(axis=1).tolist() == [1, 0, 0, 1, 2]
    assert result.static.tolist() == [[1]]
    alone = Covariates(static=("size",), categories=covariates.categories)
    assert features(table, places, alone, "D").static.tolist() == [[1]]
    with refused("series 'A', no row (2024-02-03): no value in past covariate 'price'"):
        features(table, places, covariates, "D")


def test_messages_use_the_row_names_of_the_table(tmp_path):
    path = tmp_path / "shop.csv"
    shop().assign(price=[7, 1, None, 9, 4, 8]).to_csv(path, index=False)
    table = load(path)
    places = Places.of(table.frame["unique_id"], pd.DatetimeIndex(table.frame["ds"]), table.row)
    with refused("series 'A', row 3 (line 4 of shop.csv) (2024-02-02)"):
        features(table.frame, places, Covariates(past=("price",)), "D")
