"""Roles: columns are numbers or categories, named, described, saved and restored; others are refused."""

import json
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.series.covariates.calendar import choose_cycles, cycles
from gatewise.series.covariates.roles import Covariates
from tests.shop import refused, shop


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
    result = Covariates.of(pd.DataFrame({"x": values}), known="x").categories
    assert result == ({} if categories is None else {"x": categories})


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


def test_covariates_are_described_and_constant_columns_are_named():
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
        ({"calendar": ["hour of day"], "freq": "D"}, "'hour of day': expected one of 'day of week', 'day of month'"),
        ({"calendar": True}, "integer time has no calendar"),
        ({"calendar": True, "freq": "YS"}, "frequency 'YS' has no calendar cycle"),
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


CATEGORIES = st.one_of(st.text(min_size=1).filter(str.strip), st.booleans(), st.integers(), st.floats(-1e9, 1e9))


@given(st.lists(CATEGORIES, min_size=1, max_size=9, unique=True), st.lists(st.sampled_from(cycles("h")), unique=True))
def test_content_survives_json(categories, calendar):
    known = Covariates(("p",), ("k",), ("s",), {"k": tuple(categories)}, choose_cycles(calendar, "h"))
    restored = Covariates.of_content(json.loads(json.dumps(known.content())), "h")
    assert restored == known
    assert [type(value) for value in restored.categories["k"]] == [type(value) for value in categories]


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
def test_invalid_content_is_refused(change):
    content = Covariates(past=("p",)).content()
    assert Covariates.of_content(content, "D") == Covariates(past=("p",))
    with pytest.raises(ValueError, match="expected"):
        Covariates.of_content({**content, **change}, "D")


@pytest.mark.parametrize("content", [None, [], {}, {"past": []}])
def test_content_of_another_form_is_refused(content):
    with pytest.raises(ValueError, match="expected the fields"):
        Covariates.of_content(content, "D")
