"""Arguments of the forecaster: stored, listed, changed and printed."""

import copy
import pickle
from inspect import signature

import numpy as np
import pytest

from gatewise import Forecaster, datasets

QUICK = {"hidden_size": 4, "max_steps": 5, "ensemble_size": 1, "fallback": "none"}


def test_every_argument_is_stored_under_its_name():
    arguments = {
        "cell": "gru",
        "hidden_size": np.int64(5),
        "num_layers": 2,
        "context": 7,
        "season": 6,
        "difference": 1,
        "seasonal_difference": 2,
        "shift": "none",
        "scale": "robust",
        "strategy": "segment",
        "horizon": 8,
        "ensemble_size": 4,
        "seed": 9,
        "max_steps": 33,
        "batch_size": 8,
        "lr": 0.5,
        "dropout": 0.25,
        "loss": "huber",
        "fallback": "naive",
        "validation_fraction": 0.3,
        "engine": "reference",
        "jobs": 2,
        "quiet": False,
        "lower": -2.5,
        "upper": np.float64(900),
        "integer": True,
        "point": "mean",
    }
    model = Forecaster(**arguments)
    assert list(model.get_params()) == list(arguments) == list(signature(Forecaster).parameters)
    for name, value in arguments.items():
        assert getattr(model, name) is value
        assert model.get_params(deep=False)[name] is value
        assert getattr(Forecaster(), name) != value


def test_set_params_changes_all_arguments_or_none():
    model = Forecaster()
    assert model.set_params(cell="rnn", hidden_size=3) is model
    assert (model.cell, model.hidden_size, model.name) == ("rnn", 3, "RNN")
    assert (model.sizes.cell, model.sizes.hidden_size) == ("rnn", 3)
    with pytest.raises(ValueError, match="lr is -1, expected a number above 0"):
        model.set_params(cell="gru", lr=-1)
    with pytest.raises(
        ValueError, match="there is no argument 'units', expected one of cell, hidden_size, num_layers, "
    ):
        model.set_params(cell="gru", units=3)
    assert model.get_params() == Forecaster("rnn", 3).get_params()


def test_a_required_size_cannot_be_none():
    with pytest.raises(ValueError, match="num_layers is None, expected an integer of at least 1"):
        Forecaster(num_layers=None)


@pytest.mark.parametrize("name", ["hidden_size", "ensemble_size", "max_steps", "batch_size", "horizon", "context"])
def test_a_size_that_is_not_given_is_chosen(name):
    assert getattr(Forecaster(**{name: None}), name) is None
    with pytest.raises(ValueError, match=f"{name} is 0, expected an integer of at least 1"):
        Forecaster(**{name: 0})


def test_changing_arguments_discards_the_fitted_state():
    model = Forecaster(**QUICK).fit(datasets.air_passengers())
    forecast = model.predict(3)
    assert model.set_params().set_params(**QUICK).predict(3).equals(forecast)  # nothing has changed
    model.set_params(seed=1)
    for use in (lambda: model.predict(3), model.fitted, model.summary, lambda: model.guesses, lambda: model.history):
        with pytest.raises((RuntimeError, AttributeError)):
            use()
    again = model.fit(datasets.air_passengers()).predict(3)
    assert not again.equals(forecast)
    assert again.equals(Forecaster(**QUICK, seed=1).fit(datasets.air_passengers()).predict(3))


def test_fit_starts_from_scratch():
    model = Forecaster(**QUICK).fit(np.arange(50.0))
    model.fit(datasets.air_passengers())
    assert model.predict(3).equals(Forecaster(**QUICK).fit(datasets.air_passengers()).predict(3))


def test_assigning_to_an_argument_is_refused():
    model = Forecaster(cell="gru")
    with pytest.raises(AttributeError, match=r"cell cannot be assigned to; call set_params\(cell='lstm'\)"):
        model.cell = "lstm"
    assert model.cell == "gru"


def test_repr_shows_arguments_that_differ_from_the_defaults():
    assert repr(Forecaster()) == "Forecaster()"
    model = Forecaster("gru", hidden_size=np.int64(8), lr=0.003, context=24)
    assert repr(model) == "Forecaster(cell='gru', hidden_size=8, context=24, lr=0.003)"
    assert eval(repr(model)).get_params() == model.get_params()


def test_copies_give_the_same_forecast():
    model = Forecaster(**QUICK).fit(datasets.air_passengers())
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert again.predict(3).equals(model.predict(3))


def test_scikit_learn_clones_a_forecaster():
    clone = pytest.importorskip("sklearn.base").clone
    model = Forecaster("gru", **QUICK, lr=np.float64(0.01), context=24).fit(datasets.air_passengers())
    again = clone(model)
    assert again is not model
    assert again.get_params() == model.get_params()
    with pytest.raises(RuntimeError, match="not fitted"):
        again.predict(3)


# ------------------------------------------------------------------------------------- invalid arguments


@pytest.fixture(scope="module")
def model():
    return Forecaster(**QUICK).fit(datasets.air_passengers())


SALES = datasets.air_passengers()
OF_A_PATH = "expected the path of a file, as text or a pathlib.Path"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.backtest(SALES, 3, refit="yes"), "refit is 'yes', expected True or False"),
        (lambda model: model.fit(SALES, sort="no"), "sort='no': expected True or False (--sort)"),
        (
            lambda model: model.fit(SALES, like="sales"),
            "like is of type str, expected a panel returned by gatewise.read",
        ),
        (lambda model: model.fit(SALES, id_column=3), "id_column=3: expected the name of a column, or a list of names"),
        (lambda model: model.fit(SALES, time_column=3), "time_column=3: expected the name of a column, or a list"),
        (lambda model: model.fit(SALES, target_column=3), "target_column=3: expected the name of a column, or a list"),
        (lambda model: model.fit(SALES, turbo=1), "there is no argument 'turbo', expected one of layout, id_column, "),
        (lambda model: model.update(SALES, turbo=1), "there is no argument 'turbo'"),
        (lambda model: model.backtest(SALES, 3, turbo=1), "there is no argument 'turbo'"),
        (lambda model: model.affordable_windows(SALES, 3, turbo=1), "there is no argument 'turbo'"),
        (lambda model: model.affordable_windows(SALES, "3"), "horizon is '3', expected an integer of at least 1"),
        (lambda model: model.predict(2.0), "horizon is 2.0, expected an integer of at least 1"),
        (lambda model: model.predict(2, level="80"), "level is '80', expected a percentage between 0 and 100"),
        (lambda model: model.predict(2, level=np), "expected a percentage between 0 and 100"),
        (lambda model: model.save(None), f"path is None, {OF_A_PATH}"),
        (lambda model: model.load(None), f"path is None, {OF_A_PATH}"),
        (lambda model: model.load(0), f"path is 0, {OF_A_PATH}"),  # 0 would be the standard input
        (lambda model: model.plot(kind="approximation", zoom=3), "zoom is 3, expected two positions (start, stop)"),
        (
            lambda model: model.plot(kind="approximation", zoom=("a", 3)),
            "a position of zoom is 'a', expected an integer of at least 0",
        ),
        (lambda model: model.plot(ax=3), "ax is 3, expected matplotlib Axes"),
        (lambda model: Forecaster(dropout=False), "dropout is False, expected a fraction of the hidden values"),
    ],
)
def test_invalid_arguments_are_refused_with_a_message(model, call, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        call(model)
    assert message in str(caught.value)


def test_a_level_may_be_any_number(model):
    expected = model.predict(2, level=80)
    for level in (np.int64(80), np.float64(80), np.array([80]), {80}):
        assert model.predict(2, level=level).equals(expected)
