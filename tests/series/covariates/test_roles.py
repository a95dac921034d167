"""Covariates: the features one would compute by hand, for many series at once as for each alone, or a plain error."""

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.series import as_pandas
from gatewise.series.covariates.calendar import choose_cycles, cycles
from gatewise.series.covariates.features import Places, features
from gatewise.series.covariates.roles import Covariates
from gatewise.series.reading.sources import load
from gatewise.series.values import last_valid, next_valid
from tests.shop import DAYS, refused, shop


def made(table, *, fill=None, freq="D", **columns):
    covariates = Covariates.of(table, freq=freq, **columns)
    places = Places.of(table["unique_id"], pd.Index(table["ds"]))
    return features(table, places, covariates, freq, fill=fill)


# ------------------------------------------------------------------------------------------------------- columns


@pytest.mark.parametrize(
    ("values", "categories"),
    [
        ([1, 2], None),
        ([1.5, None], None),
        (pd.Series([1, None], dtype="Int64"), None),
        ([Decimal("1.5"), Decimal(2)], None),
        (["b", "a"], ("a", "b")),
        ([True, None], (True,)),
        (pd.Series([True, False]), (False, True)),
        (pd.Series([3, 1]).astype("category"), (1, 3)),
        (pd.Series(["x", "a"], dtype="string"), ("a", "x")),
        (["a", " "], ("a",)),
    ],
)
def test_numbers_stay_numbers_and_the_rest_are_categories(values, categories):
    found = Covariates.of(pd.DataFrame({"x": values}), known="x").categories
    assert found == ({} if categories is None else {"x": categories})


def test_polars_columns_are_read_as_pandas_columns_are():
    frames = shop(), as_pandas(pl.from_dicts(shop().to_dict("records")))
    one, two = (made(frame, past="price", known=["holiday", "open"], static="size", calendar=True) for frame in frames)
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)


def test_features_are_named_and_counted():
    covariates = Covariates.of(shop(), ["price"], ["open", "holiday"], "size", ["day of week"], "D")
    assert covariates.past_features == ("price",)
    assert covariates.known_features == (
        "open=False",
        "open=True",
        "holiday=easter",
        "holiday=none",
        "holiday=xmas",
        "calendar: day of week (sine)",
        "calendar: day of week (cosine)",
    )
    assert covariates.static_features == ("size=big", "size=small")
    assert covariates.sizes == (1, 7, 2)


def test_what_was_read_is_said_and_so_is_a_column_that_says_nothing():
    table = shop().assign(price=3)
    assert Covariates.of(table, "price", "holiday", calendar=True, freq="W").describe(table) == (
        "past covariates: 'price' (numbers)",
        "known covariates: 'holiday' (3 categories)",
        "calendar features: week of year",
        "covariate 'price' is constant and carries no information",
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"past": "prise"}, "covariate 'prise' is not among the columns 'unique_id', 'ds', 'y'"),
        ({"past": "price", "known": ["price"]}, "'price' is named twice"),
        ({"known": ["open", "open"]}, "'open' is named twice"),
        ({"known": "y"}, "'y' is already the target column"),
        ({"known": "ds"}, "'ds' holds datetime64 values"),
        ({"calendar": ["hour of day"], "freq": "D"}, "'hour of day': expected some of 'day of week', 'day of month'"),
        ({"calendar": True}, "a time in whole numbers has no calendar"),
        ({"calendar": True, "freq": "YS"}, "frequency 'YS' shows no cycle"),
    ],
)
def test_columns_that_cannot_be_covariates_are_refused(columns, message):
    with refused(message):
        Covariates.of(shop(), reserved={"y": "target"}, **columns)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([f"c{i}" for i in range(101)], "has 101 categories, expected at most 100"),
        (["a", 1], "mixed"),
        ([[1], [2]], "mixed"),
        ([None, None], "no values at all"),
        (["", " "], "no values at all"),
        (pd.Series(pd.to_datetime(["2020-01-01"])).astype("category"), "neither text nor numbers"),
    ],
)
def test_cells_that_cannot_be_covariates_are_refused(values, message):
    with refused("'x'", message):
        Covariates.of(pd.DataFrame({"x": values}), known="x")


# ------------------------------------------------------------------------------------------------------- content

CATEGORIES = st.one_of(st.text(min_size=1).filter(str.strip), st.booleans(), st.integers(), st.floats(-1e9, 1e9))


@given(st.lists(CATEGORIES, min_size=1, max_size=9, unique=True), st.lists(st.sampled_from(cycles("h")), unique=True))
def test_content_goes_through_json_and_back(categories, calendar):
    known = Covariates(("p",), ("k",), ("s",), {"k": tuple(categories)}, choose_cycles(calendar, "h"))
    again = Covariates.of_content(json.loads(json.dumps(known.content())), "h")
    assert again == known
    assert [type(value) for value in again.categories["k"]] == [type(value) for value in categories]


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"past": "p"},
        {"past": [1]},
        {"past": ["p", "p"]},
        {"known": ["p"]},
        {"categories": []},
        {"categories": {"z": ["a"]}},
        {"categories": {"p": []}},
        {"categories": {"p": "ab"}},
        {"categories": {"p": ["a", "a"]}},
        {"categories": {"p": [1, True]}},
        {"categories": {"p": [None]}},
        {"categories": {"p": [[1]]}},
        {"categories": {"p": [" "]}},
        {"categories": {"p": [float("nan")]}},
        {"categories": {"p": [float("inf")]}},
        {"categories": {"p": list(range(101))}},
        {"calendar": ["hour of day"]},
        {"calendar": ["day of month", "day of week"]},
        {"calendar": ["day of week", "day of week"]},
        {"calendar": True},
    ],
)
def test_strange_content_is_refused(change):
    content = Covariates(past=("p",)).content()
    assert Covariates.of_content(content, "D") == Covariates(past=("p",))
    with pytest.raises(ValueError, match=r"expected|repeat|twice"):
        Covariates.of_content({**content, **change}, "D")


@pytest.mark.parametrize("content", [None, [], {}, {"past": []}])
def test_content_of_another_form_is_refused(content):
    with pytest.raises(ValueError, match="expected the fields"):
        Covariates.of_content(content, "D")


# ------------------------------------------------------------------------------------------------------ features


def test_numbers_stay_as_they_are_and_categories_become_ones_in_order_of_series_and_date():
    found = made(shop(), past="price", known=["holiday", "open"], static="size")
    assert found.past.tolist() == [[7], [9], [1], [2], [4], [8]]  # B, then A
    none, easter, xmas = [0, 1, 0, 0, 1], [1, 0, 0, 1, 0], [0, 0, 1, 0, 1]
    assert found.known.tolist() == [none, none, none, easter, none, xmas]
    assert found.static.tolist() == [[0, 1], [1, 0]]
    assert all(part.dtype == np.float64 for part in (found.past, found.known, found.static))


def test_calendar_features_stand_after_the_columns():
    found = made(shop(), known="price", calendar=["day of week"])
    assert found.known.shape == (6, 3)
    assert found.known[0, 0] == 7
    np.testing.assert_allclose(found.known[0, 1:], [np.sin(2 * np.pi * 5 / 7), np.cos(2 * np.pi * 5 / 7)])  # Saturday
    assert found.past is None
    assert found.static is None


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
        ({"known": "price"}, {"price": [7, 1, 2, np.inf, 4, 8]}, ("'B', row 4 (2024-02-04)", "inf is infinite")),
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
def test_bad_cells_are_named_by_series_row_and_remedy(columns, change, parts):
    with refused(*parts):
        made(shop().assign(**change), **columns)


def test_later_tables_are_held_to_what_was_learnt():
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


# ------------------------------------------------------------------------------------------------------- repair

NAN = float("nan")


@pytest.mark.parametrize(
    ("fill", "expected"), [("interpolate", [1, 2, 5, 6, 8]), ("previous", [1, 1, 5, 5, 8]), ("zero", [1, 0, 5, 0, 8])]
)
def test_numbers_are_filled_within_each_series_linear_in_time(fill, expected):
    table = pd.DataFrame({"unique_id": list("AAAAA"), "ds": [0, 1, 4, 5, 7], "price": [1, NAN, 5, NAN, 8.0]})
    found = made(table, known="price", freq=1, fill=fill)
    np.testing.assert_allclose(found.known[:, 0], expected)
    mixed = made(table.iloc[[3, 0, 4, 2, 1]].reset_index(drop=True), known="price", freq=1, fill=fill)
    np.testing.assert_allclose(mixed.known[:, 0], expected)
    (guess,) = found.guesses
    assert guess.startswith("filled ")
    assert guess.endswith("2 values of known covariate 'price', the first at series 'A', row 2 (1)")


@pytest.mark.parametrize("fill", ["interpolate", "previous"])
def test_nothing_is_filled_from_another_series(fill):
    table = pd.DataFrame({"unique_id": list("AABB"), "ds": [0, 1, 0, 1], "price": [1, 2, NAN, 8.0]})
    with refused("series 'B', row 3 (0): no earlier value of known covariate 'price'"):
        made(table, known="price", freq=1, fill=fill)
    table["price"] = [1, NAN, 7, 8.0]
    if fill == "previous":
        assert made(table, known="price", freq=1, fill=fill).known[1] == 1
    else:
        with refused("series 'A', row 2 (1): no later value of known covariate 'price'"):
            made(table, known="price", freq=1, fill=fill)


def test_categories_are_filled_with_the_one_before_only():
    table = shop().assign(holiday=["none", "none", "easter", None, "", "xmas"])
    found = made(table, known="holiday", fill="previous")
    assert found.known.argmax(axis=1).tolist() == [1, 1, 1, 0, 0, 2]
    with refused("series 'B', row 4", "fill='zero' repairs only numbers"):
        made(table, known="holiday", fill="zero")


def test_static_values_are_filled_from_the_rest_of_the_series():
    table = shop().assign(size=["s", None, "b", None, "b", "b"])
    assert made(table, static="size", fill="zero").static.tolist() == [[0, 1], [1, 0]]
    with refused("series 'B' has no value in static covariate 'size'"):
        made(table.assign(size=[None, "b", "b", None, "b", "b"]), static="size", fill="previous")


def test_dates_without_a_row_are_filled_and_need_no_static_value():
    table = shop().query("unique_id == 'A'").reset_index(drop=True)
    covariates = Covariates.of(table, "price", "holiday", "size")
    places = Places(["A"], np.zeros(5, int), DAYS[:5], np.array([0, 1, -1, 2, 3]))
    found = features(table, places, covariates, "D", fill="previous")
    assert found.past[:, 0].tolist() == [1, 2, 2, 4, 8]
    assert found.known.argmax(axis=1).tolist() == [1, 0, 0, 1, 2]
    assert found.static.tolist() == [[1]]
    alone = Covariates(static=("size",), categories=covariates.categories)
    assert features(table, places, alone, "D").static.tolist() == [[1]]
    with refused("series 'A', no row (2024-02-03): no value in past covariate 'price'"):
        features(table, places, covariates, "D")


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=30))
def test_the_last_and_next_valid_places_are_those_of_a_search(rows):
    codes, valid = np.sort([code for code, _ in rows]).astype(int), np.array([ok for _, ok in rows], bool)
    for i in range(len(rows)):
        same = np.flatnonzero(valid & (codes == codes[i]))
        assert last_valid(valid, codes)[i] == max([j for j in same if j <= i], default=-1)
        assert next_valid(valid, codes)[i] == min([j for j in same if j >= i], default=-1)


def test_tables_name_their_own_rows(tmp_path):
    path = tmp_path / "shop.csv"
    shop().assign(price=[7, 1, None, 9, 4, 8]).to_csv(path, index=False)
    table = load(path)
    places = Places.of(table.frame["unique_id"], pd.DatetimeIndex(table.frame["ds"]), table.row)
    with refused("series 'A', row 3 (line 4 of shop.csv) (2024-02-02)"):
        features(table.frame, places, Covariates(past=("price",)), "D")
