"""Tables of pandas and polars as sequences."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import Classifier
from gatewise.classify import SequenceError
from tests.classify.walks import SMALL

X = np.cumsum(np.random.default_rng(0).normal(size=(12, 6)), 1)
Y = np.arange(12) % 2
TABLE = pd.DataFrame(X).add_prefix("t")
MODEL = Classifier(**SMALL).fit(X, Y)


@pytest.mark.parametrize("name", ["label", "Label", "CLASS", "target", "y", "Activity", "species"])
@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_a_table_with_its_labels_is_refused_with_the_remedy(name, make):
    table = make({**{f"t{k}": X[:, k] for k in range(6)}, name: Y})
    for call in (lambda x: Classifier(**SMALL).fit(x, Y), MODEL.predict):
        with pytest.raises(
            SequenceError, match=f"x has a column '{name}', which would be read as a step; pass the labels"
        ):
            call(table)
    without = table.drop(columns=name) if make is pd.DataFrame else table.drop(name)
    assert (Classifier(**SMALL).fit(without, Y).predict_proba(X) == MODEL.predict_proba(X)).all()
    assert Classifier(**SMALL).fit(table.to_numpy(), Y).n_features_in_ == 1


def test_a_column_equal_to_the_labels_is_refused():
    for table in (TABLE.assign(kind=Y), pd.concat([pd.Series(Y, name="kind"), TABLE], axis=1)):
        with pytest.raises(SequenceError, match=r"x has a column 'kind' that is (equal to y|no step)"):
            Classifier(**SMALL).fit(table, Y)
    channels = pd.DataFrame({"x": X[:, 0], "y": X[:, 1], "z": X[:, 2]})
    assert Classifier(**SMALL).fit(channels, Y).n_features_in_ == 1


def test_tables_with_two_levels_of_rows_are_sequences():
    index = pd.MultiIndex.from_product([range(12), range(3)], names=["instance", "time"])
    expected = Classifier(**SMALL).fit(X.reshape(12, 3, 2), Y).predict_proba(X.reshape(12, 3, 2))
    table = pd.DataFrame(X.reshape(36, 2), index=index)
    model = Classifier(**SMALL).fit(table, Y)
    assert model.predict_proba(table) == pytest.approx(expected, abs=1e-6)


def test_nested_tables_are_sequences():
    nested = pd.DataFrame({"a": [pd.Series(row) for row in X], "b": [pd.Series(2 * row) for row in X]})
    x = np.stack([X, 2 * X], axis=2)
    expected = Classifier(**SMALL).fit(x, Y).predict_proba(x)
    assert Classifier(**SMALL).fit(nested, Y).predict_proba(nested) == pytest.approx(expected, abs=1e-6)


def test_a_row_for_each_time_step_is_refused_with_the_remedy():
    x = X.reshape(12, 3, 2)
    table = pd.DataFrame(X.reshape(36, 2), columns=["a", "b"]).assign(k=np.repeat(range(12), 3), t=[0, 1, 2] * 12)
    with pytest.raises(
        SequenceError, match=r"x has a row for each time step \(columns 'k', 't'\), .*; pass a list, "
    ) as refused:
        MODEL.predict(table)
    remedy = str(refused.value).split("pass a list, ")[1].split("; if each")[0]
    np.testing.assert_array_equal(eval(remedy, {"x": table}), x)  # the remedy is an expression of Python


@pytest.mark.parametrize("column", [1001 + np.arange(12), np.arange(12) % 5, np.arange(12) % 2])
def test_columns_that_are_no_steps_are_refused_with_the_remedy(column):
    for table in (TABLE.assign(nr=column), pd.concat([pd.Series(column, name="nr"), TABLE], axis=1)):
        with pytest.raises(SequenceError, match=r"x has a column 'nr' that is no step: .*; pass x\.drop"):
            MODEL.predict(table)
        remedy = table.drop(columns=["nr"])
        assert (MODEL.predict_proba(remedy) == MODEL.predict_proba(X)).all()
        assert MODEL.predict_proba(table.to_numpy()).shape == (12, 2)
