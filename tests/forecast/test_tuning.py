"""The search for settings, with simulated trials and a simulated clock."""

import math

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, Forecaster, datasets, read
from gatewise.forecast import coordinate_search, tune, tuning
from gatewise.forecast.trials import Measurement
from gatewise.forecast.tuning import objective, search, without_end

SMALL = {"strategy": "segment", "dropout": 0, "hidden_size": 8, "max_steps": 10, "seed": 3}


@pytest.fixture
def panel():
    return read(datasets.air_passengers())


class SimulatedSearch:
    """Simulated trials of known duration, with the lowest error at the given settings."""

    def __init__(self, monkeypatch, best, seconds=1.0):
        self.now, self.best, self.seconds, self.arguments = 0.0, best, seconds, []
        for module in (tuning, coordinate_search):
            monkeypatch.setattr(module, "perf_counter", lambda: self.now)
        monkeypatch.setattr(coordinate_search, "measure", self.trial)

    def trial(self, arguments, panel):
        cost = self.seconds * arguments.get("max_steps", 500) / 500 * (arguments.get("hidden_size") or 64) / 64
        self.now += cost
        self.arguments.append(arguments)
        off = [abs(math.log(arguments[name] / value)) for name, value in self.best.items()]
        return Measurement(1 + sum(off), cost, "")


def test_the_search_climbs_to_the_best_settings(monkeypatch, panel):
    best = {"hidden_size": 16, "lr": 0.02, "context": 48}
    SimulatedSearch(monkeypatch, best)
    result = search({"strategy": "one-step", "ensemble_size": 1}, panel, 1000.0)
    assert {name: result.settings[name] for name in best} == best
    assert result.settings["ensemble_size"] == 1
    errors = [trial.error for trial in result.trials]
    assert min(errors) == pytest.approx(1)
    assert "until no change helped" in result.description
    distinct = {tuple(trial.settings.items()) for trial in result.trials}
    assert len(distinct) == len(result.trials)


def test_given_settings_stay(monkeypatch, panel):
    simulated = SimulatedSearch(monkeypatch, {"lr": 0.02})
    result = search({"strategy": "one-step", "context": 24, "hidden_size": 32, "ensemble_size": 2}, panel, 100.0)
    assert {(trial["context"], trial["hidden_size"]) for trial in simulated.arguments} == {(24, 32)}
    assert result.settings["ensemble_size"] == 2
    assert result.settings["lr"] == pytest.approx(0.02)


def test_the_final_training_is_expected_to_use_all_jobs(monkeypatch, panel):
    networks = {}
    for jobs in (1, 2):
        SimulatedSearch(monkeypatch, {"lr": 0.005})
        result = search({"strategy": "one-step", "max_steps": 500, "jobs": jobs}, panel, 8.0)
        networks[jobs] = result.settings["ensemble_size"]
    assert networks[1] < networks[2]


@pytest.mark.parametrize("fits", [1, 3])
def test_time_remains_for_training_with_the_best_settings(monkeypatch, panel, fits):
    simulated = SimulatedSearch(monkeypatch, {"hidden_size": 1000, "lr": 0.1})
    result = search({"strategy": "one-step"}, panel, 60.0, fits=fits)
    chosen = next(trial for trial in result.trials if trial.settings.items() <= result.settings.items())
    remaining = 60 - simulated.now
    assert fits * (1 + result.settings["ensemble_size"]) * chosen.seconds <= remaining
    slow = [trial for trial in result.trials if trial.error < chosen.error * (1 - coordinate_search.MARGIN)]
    assert all(trial.note == "too slow to train in the remaining time" for trial in slow)
    assert "until the time was up" in result.description


def test_remaining_time_goes_to_a_larger_ensemble(monkeypatch, panel):
    SimulatedSearch(monkeypatch, {"lr": 0.005})
    result = search({"strategy": "one-step"}, panel, 1000.0)
    assert result.settings["ensemble_size"] == coordinate_search.MOST_NETWORKS
    assert result.description.endswith("; ensemble of 10 networks")
    assert "(the defaults)" in result.description


def test_too_short_a_budget_leaves_the_defaults(monkeypatch, panel):
    simulated = SimulatedSearch(monkeypatch, {})
    arguments = {"strategy": "one-step", "seed": 5, "max_steps": 500}
    result = search(arguments, panel, 4.9)
    assert result.settings == arguments
    assert result.trials == ()
    assert "search: none (4.9 s is too short; one trial and the final training take about 5.2 s)" in str(result)
    assert simulated.now < 0.1
    assert len(search(arguments, panel, 6.0).trials) == 1


def test_all_strategies_are_tried_if_none_is_given(monkeypatch, panel):
    simulated = SimulatedSearch(monkeypatch, {})
    search({"max_steps": 500}, panel, 1000.0)
    assert {(trial["strategy"], trial.get("dropout")) for trial in simulated.arguments} >= {
        ("one-step", None),
        ("segment", 0.0),
        ("flatten", None),
    }


def test_a_search_without_tunable_settings_says_so(panel):
    arguments = {"strategy": "one-step", "context": 24, "hidden_size": 8, "lr": 0.01, "dropout": 0}
    result = search(arguments, panel, 10.0)
    assert (result.settings, result.trials) == (arguments, ())
    assert "search: none (all tunable settings are given)" in result.description


def test_settings_that_cannot_be_trained_are_never_the_best(monkeypatch, panel):
    monkeypatch.setattr(
        coordinate_search, "measure", lambda arguments, panel: Measurement(math.inf, 0.1, "it diverged")
    )
    result = search({"strategy": "one-step", "max_steps": 10}, panel, 10.0)
    assert result.settings == {"strategy": "one-step", "max_steps": 10}
    assert "trial 1: it diverged" in str(result)
    assert "search: training failed in 1 trial; the defaults are used" in result.description


def test_a_search_is_reproducible_and_its_errors_are_those_of_training(panel):
    first, second = (search({**SMALL, "context": 24}, panel, 1e6, fits=0) for _ in range(2))
    assert [(trial.settings, trial.error) for trial in first.trials] == [
        (trial.settings, trial.error) for trial in second.trials
    ]
    assert len(first.trials) > 3
    best = min(first.trials, key=lambda trial: trial.error)
    model = Forecaster(**first.settings).fit(panel)
    selection = model.state.selection
    assert selection.ensemble.error == best.error or best.error > 0.99 * selection.ensemble.error
    assert first.table().columns.tolist() == ["strategy", "lr", "error", "seconds", "note"]


def test_tune_returns_a_fitted_forecaster_that_describes_the_search(panel, capsys):
    model = tune({**SMALL, "context": 24, "lr": 0.01, "ensemble_size": 1}, panel, 5.0, quiet=False)
    assert len(model.predict(3)) == 3
    assert "too short" not in capsys.readouterr().err
    assert "search: none (all tunable settings are given)" in model.guesses[-1]
    model = tune({**SMALL, "context": 24, "ensemble_size": 1}, panel, 3.0, quiet=False)
    output = capsys.readouterr().err
    assert "search: " in output
    assert "trial 1: strategy segment, lr 0.005: error" in output
    assert model.guesses[-1].startswith("search: ")


def test_invalid_arguments_are_refused(panel):
    with pytest.raises(ValueError, match="seconds is 0, expected a number of seconds above 0"):
        search({}, panel, 0)
    with pytest.raises(ValueError, match="cell is 'box'"):
        tune({"cell": "box"}, panel, 1.0)
    with pytest.raises(ValueError, match="space has 3, expected a list of choices, or a tuple"):
        objective(panel, {}, {"hidden_size": 3})
    with pytest.raises(TypeError, match="width"):
        objective(panel, {}, {"width": [3, 4]})


def test_without_end_removes_the_last_values():
    table = pd.DataFrame(
        {"unique_id": np.repeat(["a", "b"], [30, 12]), "ds": [*range(30), *range(12)], "y": np.arange(42.0)}
    )
    panel = read(table)
    shortened = without_end(panel, 6)
    assert [series.y.tolist() for series in shortened.series] == [list(range(24))]
    assert without_end(panel, 0) is panel
    message = (
        r"longest series has 30 values, expected at least 38: 10 to train on \+ 28 in test windows; "
        r"use fewer windows \(--windows\) or a shorter horizon"
    )
    with pytest.raises(DataError, match=message):
        without_end(panel, 28)


class LowestChoices:
    """A trial that suggests the lowest choices, and records the requests."""

    def __init__(self):
        self.requests = []

    def suggest_categorical(self, name, choices):
        self.requests.append((name, choices))
        return choices[0]

    def suggest_int(self, name, low, high, log):
        self.requests.append((name, int, low, high, log))
        return low

    def suggest_float(self, name, low, high, log):
        self.requests.append((name, float, low, high, log))
        return low


def test_an_objective_is_the_error_of_a_trial(panel):
    trial = LowestChoices()
    space = {"hidden_size": [8, 16], "context": (24, 48), "lr": (0.001, 0.01)}
    arguments = {name: value for name, value in SMALL.items() if name != "hidden_size"}
    error = objective(panel, arguments, space)(trial)
    assert trial.requests == [
        ("hidden_size", [8, 16]),
        ("context", int, 24, 48, True),
        ("lr", float, 0.001, 0.01, True),
    ]
    model = Forecaster(**arguments, hidden_size=8, context=24, lr=0.001, ensemble_size=1).fit(panel)
    assert error == model.state.selection.ensemble.error


def test_optuna_minimises_an_objective(panel):
    optuna = pytest.importorskip("optuna")
    optuna.logging.disable_default_handler()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective(panel, SMALL, {"lr": (1e-3, 1e-1), "context": (24, 48)}), n_trials=3)
    assert set(study.best_params) == {"lr", "context"}
    model = Forecaster(**{**SMALL, **study.best_params}, ensemble_size=1).fit(panel)
    assert study.best_value == model.state.selection.ensemble.error
