"""Names and order of the columns of tables in Python."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import Classifier
from gatewise.classify import SequenceError
from tests.classify.walks import SMALL

N, T = 40, 10
GENERATOR = np.random.default_rng(0)
X = np.cumsum(GENERATOR.normal(size=(N, T)), 1)
Y = GENERATOR.permutation(N) % 2
MODEL = Classifier(**SMALL).fit(X, Y)


def table(make, names, x=X):
    return make({name: x[:, k] for k, name in enumerate(names)})


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("names", [[f"t{k}" for k in range(T)], list("ABCDEFGHIJ"), [f"{k} s" for k in range(T)]])
def test_other_columns_than_in_fit_are_refused(tmp_path, make, names):
    x = table(make, names)
    model = Classifier(**SMALL).fit(x, Y)
    model.save(tmp_path / "m.safetensors")
    for fitted in (model, Classifier.load(tmp_path / "m.safetensors")):
        assert fitted.feature_names_in_.tolist() == names
        assert fitted.feature_names_in_.dtype == object
        np.testing.assert_array_equal(fitted.predict_proba(x), MODEL.predict_proba(X))
        np.testing.assert_array_equal(fitted.predict_proba(X), MODEL.predict_proba(X))
        for call in (fitted.predict, fitted.predict_proba, lambda x, use=fitted: use.score(x, Y)):
            with pytest.raises(SequenceError, match="names must be in the same order as they were in fit"):
                call(x[names[::-1]])
            with pytest.raises(SequenceError, match=f"now missing:\n- {names[5]}\n"):
                call(x[[name for name in names if name != names[5]]])
            with pytest.raises(SequenceError, match=f"unseen at fit time:\n- B{names[0]}\n"):
                call(table(make, [f"B{name}" for name in names]))
    assert not hasattr(model.fit(X, Y), "feature_names_in_")


def test_channels_of_a_table_with_two_levels_are_compared():
    index = pd.MultiIndex.from_product([range(N), range(5)], names=["instance", "time"])
    x = pd.DataFrame(X.reshape(N * 5, 2), columns=["a", "b"], index=index)
    model = Classifier(**SMALL).fit(x, Y)
    with pytest.raises(SequenceError, match="must be in the same order") as refused:
        model.predict(x[["b", "a"]])
    assert "to_numpy" not in str(refused.value)
    model.predict(x[["b", "a"]][model.feature_names_in_])


@pytest.mark.parametrize(
    "times",
    [
        range(5),
        [0.5, 1, 1.5, 10, 20],
        pd.date_range("2024-01-31", periods=5),
        pd.period_range("2024Q1", periods=5, freq="Q"),
        pd.to_timedelta(range(5), "h"),
        ["8", "9", "10", "11", "12"],
        ["1.2.2024", "2.2.2024", "13.2.2024", "14.2.2024", "1.3.2024"],
        ["2024-01-31", "2024-02-01", "2024-02-02", "2024-02-03", "2024-02-04"],
    ],
    ids=str,
)
def test_rows_are_put_in_the_order_of_their_times(times):
    index = pd.MultiIndex.from_product([range(N), list(times)], names=["instance", "time"])
    x = pd.DataFrame(X.reshape(N * 5, 2), columns=["a", "b"], index=index)
    expected = MODEL_OF_CHANNELS.predict_proba(X.reshape(N, 5, 2))
    assert MODEL_OF_CHANNELS.predict_proba(x) == pytest.approx(expected, abs=1e-7)
    assert MODEL_OF_CHANNELS.predict_proba(x[::-1])[::-1] == pytest.approx(expected, abs=1e-7)
    shuffled = x.sample(frac=1, random_state=0).sort_index(level=0, sort_remaining=False, kind="stable")
    assert MODEL_OF_CHANNELS.predict_proba(shuffled) == pytest.approx(expected, abs=1e-7)


MODEL_OF_CHANNELS = Classifier(**SMALL).fit(X.reshape(N, 5, 2), Y)


def test_times_without_an_order_or_twice_are_refused():
    x = pd.DataFrame(X.reshape(N * 5, 2), columns=["a", "b"])
    x.index = pd.MultiIndex.from_product([range(N), ["start", "early", "middle", "late", "end"]])
    with pytest.raises(SequenceError, match="'start' in the second level of its index, which cannot be put in order"):
        MODEL_OF_CHANNELS.predict(x)
    x.index = pd.MultiIndex.from_product([range(N), [0, 1, 1, 2, 3]])
    with pytest.raises(SequenceError, match=r"x has \(.*0.*1.*\) twice in its index"):
        MODEL_OF_CHANNELS.predict(x)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_numbers_out_of_order_are_refused_with_the_order(make):
    names = [f"t{k}" for k in range(T)]
    for order in (names[::-1], [names[3], *names[:3], *names[4:]]):
        with pytest.raises(SequenceError, match="numbers are not in order; pass x") as refused:
            MODEL.predict(table(make, names)[order])
        x = eval(str(refused.value).split("pass ")[1].split(", or,")[0], {"x": table(make, names)[order]})
        np.testing.assert_array_equal(MODEL.predict_proba(x), MODEL.predict_proba(X))


@pytest.mark.parametrize("mixed", [False, True])
def test_numbers_that_begin_anew_are_refused_with_both_readings(mixed):
    names = [f"{axis}_{k}" for k in range(5) for axis in "xz"]
    frame = table(pd.DataFrame, names)
    if not mixed:
        frame = frame[sorted(names)]
    with pytest.raises(SequenceError, match="if they are 2 channels of 5 steps, pass") as refused:
        Classifier(**SMALL).fit(frame, Y)
    remedy = str(refused.value).split("steps, pass ")[1].split("; if")[0]
    np.testing.assert_array_equal(eval(remedy, {"x": frame}), X.reshape(N, 5, 2))


@pytest.mark.parametrize("name", ["score", "mean", "age"])
@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_a_column_of_another_name_is_refused(make, name):
    x = table(make, [*(f"m{k}" for k in range(T)), name], np.column_stack([X, X.mean(1)]))
    with pytest.raises(SequenceError, match=f"x has a column '{name}' that is no step"):
        Classifier(**SMALL).fit(x, Y)


@pytest.mark.parametrize(("name", "size"), [("id", 10), ("id", 4), ("series", 8), ("unique_id", 5)])
@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_a_row_for_each_step_with_a_sequence_is_refused_with_the_remedy(make, name, size):
    values = GENERATOR.normal(size=(400, 3))
    ids = np.arange(400) // size
    x = make({"x": values[:, 0], "y": values[:, 1], "z": values[:, 2], name: ids})
    with pytest.raises(SequenceError, match="x has a row for each time step") as refused:
        Classifier(**SMALL).fit(x, ids % 2)
    remedy = str(refused.value).split("pass a list, ")[1].split("; if each")[0]
    frame = pd.DataFrame({column: np.asarray(x[column]) for column in x.columns})
    parts = eval(remedy.replace("x.to_pandas()", "x"), {"x": frame})
    np.testing.assert_array_equal(np.stack(parts), values.reshape(-1, size, 3))


def test_labels_in_long_runs_are_refused():
    x = pd.DataFrame(GENERATOR.normal(size=(400, 3)), columns=list("xyz"))
    for y in (np.repeat(np.arange(40) % 2, 10), np.repeat([0, 1], 200)):
        with pytest.raises(SequenceError, match="runs of equal labels, as if x had a row for each time step"):
            Classifier(**SMALL).fit(x, y)
    assert Classifier(**SMALL).fit(x, GENERATOR.permutation(400) % 2).n_features_in_ == 1
