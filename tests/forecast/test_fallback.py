"""The delivered method: the network, a baseline, or their average."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster, read
from gatewise.forecast import baselines
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.evaluation.cutoffs import Cutoffs
from gatewise.forecast.model.delivery import FALLBACKS, Method, choose, partner
from tests.forecast.several import QUICK, assert_same_table
from tests.waves import STRATEGY_NAMES, noisy, select_series, tables


def drifting(strategy="segment", fallback="naive"):
    """An almost untrained model of series with a linear trend."""
    parts = [
        select_series(tables((80, 90)), name).assign(y=lambda part: 5.0 * np.arange(len(part)) + noisy(len(part)) / 100)
        for name in "AB"
    ]
    data = pd.concat(parts, ignore_index=True)
    options = {**QUICK, "max_steps": 1, "lr": 1e-6, "season": 1, "fallback": fallback}
    return data, Forecaster(**options, strategy=strategy).fit(data)


def measured(weight, baseline, error):
    return Method(weight, baseline, error, Calibration.of(np.ones((2, 1)), np.ones((2, 1)), 2))


AVERAGE = measured(0.5, "Theta", 0.9)
BASELINES = [measured(0.0, name, error) for name, error in (("Naive", 2.0), ("Drift", 1.0), ("Theta", 0.8))]


@pytest.mark.parametrize(
    ("fallback", "error", "expected"),
    [
        ("none", 5.0, "LSTM"),
        ("best", 1.0, "Theta"),
        ("best", 0.7, "LSTM"),
        ("best", 0.86, "Theta"),  # 0.8 is lower than 0.95 times the 0.9 of the average
        ("best", 0.79, "LSTM"),
        ("naive", 1.0, "Drift"),  # the best of three, and as good as the network
        ("naive", 0.9, "LSTM"),
        ("Naive", 2.1, "Naive"),
        ("Naive", 1.9, "LSTM"),
        ("Theta", 0.9, "Theta"),
        ("SeasonalNaive", 9.0, "LSTM"),  # without a season there is none
    ],
)
def test_the_fallback_decides_between_the_methods(fallback, error, expected):
    network = measured(1.0, "", error)
    assert choose(fallback, network, [*BASELINES, AVERAGE], 1000).describe("LSTM") == expected


def test_with_many_errors_a_single_method_must_be_better_than_the_average():
    close = measured(0.5, "Theta", 0.83)
    assert (
        choose("best", measured(1.0, "", 1.0), [*BASELINES, close], 1000).describe("GRU") == "average of GRU and Theta"
    )
    exact = measured(0.0, "Naive", 0.0)
    assert choose("best", measured(1.0, "", 0.0), [exact, measured(0.0, "Ridge", 0.0), close], 10) is exact


@pytest.mark.parametrize(
    ("error", "expected"),
    [(1.59, "average of GRU and Theta"), (1.61, "Theta"), (0.41, "average of GRU and Theta"), (0.39, "GRU")],
)
def test_with_few_errors_the_average_is_delivered_unless_a_part_is_clearly_worse(error, expected):
    assert choose("best", measured(1.0, "", error), [*BASELINES, AVERAGE], 10).describe("GRU") == expected


def test_the_baseline_of_the_average():
    ridge = measured(0.0, "Ridge", 1.2)
    assert partner([*BASELINES, ridge], 10).baseline == "Ridge"
    assert partner([*BASELINES, ridge], 1000).baseline == "Theta"
    assert partner([*BASELINES, measured(0.0, "Ridge", 1.4)], 10).baseline == "Theta"
    assert partner(BASELINES, 10).baseline == "Theta"


@pytest.mark.parametrize("fallback", FALLBACKS)
def test_every_fallback_forecasts(fallback):
    model = Forecaster(**{**QUICK, "fallback": fallback}, season=4).fit(tables((40, 50)))
    (line,) = [guess for guess in model.guesses if guess.startswith("forecast: ")]
    assert ("fallback=" in line) == (fallback != "best")
    assert line.startswith(f"forecast: {model.delivered} (validation MASE: ")
    assert model.predict(3).notna().all(axis=None)


def test_the_delivered_average_is_that_of_network_and_baseline(monkeypatch, tmp_path):
    data = tables((60, 50))
    model = Forecaster(**{**QUICK, "fallback": "best"}, season=4)
    monkeypatch.setattr(
        "gatewise.forecast.model.selection.choose", lambda fallback, network, others, errors: others[-1]
    )
    model.fit(data)
    selection = model.state.selection
    assert selection.delivered.weight == 0.5
    dataset = selection.dataset(model.state.panel.series)
    network, _ = selection.ensemble.extrapolate(dataset, dataset.ends, 6)
    name = selection.delivered.baseline
    options = {"freq": model.state.panel.freq, "names": (name,)}
    baseline = baselines.forecasts(dataset.series, np.arange(2), np.array([60, 50]), 6, 4, **options)[name]
    np.testing.assert_allclose(model.predict(6)["LSTM"], ((network + baseline) / 2).ravel())
    model.save(tmp_path / "model.safetensors")
    loaded = Forecaster.load(tmp_path / "model.safetensors")
    assert loaded.predict(6, level=(80, 95)).equals(model.predict(6, level=(80, 95)))
    assert loaded.state.selection.delivered.describe("LSTM") == f"average of LSTM and {name}"


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_the_baseline_replaces_a_network_that_is_no_better(strategy):
    data, model = drifting(strategy)
    assert model.guesses[-1].startswith("forecast: Drift (validation MASE: ")
    assert model.guesses[-1].endswith("; fallback='naive'); medians")
    forecasts = model.predict(7, level=80)
    for name in "AB":
        y = select_series(data, name)["y"].to_numpy()
        np.testing.assert_allclose(select_series(forecasts, name)["LSTM"], baselines.drift(y, 7))
    baseline = model.state.selection.delivered
    unit = [np.abs(np.diff(select_series(data, name)["y"])).mean() for name in "AB"]
    zeros, units = np.zeros((2, 7)), np.repeat(unit, 7).reshape(2, 7)
    lower, upper = baseline.calibration.bounds(zeros, units, 80)
    np.testing.assert_allclose(forecasts["LSTM-lo-80"] - forecasts["LSTM"], lower.ravel())
    np.testing.assert_allclose(forecasts["LSTM-hi-80"] - forecasts["LSTM"], upper.ravel())
    other = drifting(strategy, fallback="none")[1]
    assert other.guesses[-1].startswith("forecast: LSTM (validation MASE: ")
    assert np.abs(other.predict(7)["LSTM"] - forecasts["LSTM"]).max() > 1


def test_the_baseline_is_calibrated_on_its_own_validation_errors():
    data, model = drifting()
    baseline = model.state.selection.delivered
    errors, steps = [], 8  # half of the 16 values that A holds out; B holds out 18
    for name, size in (("A", 16), ("B", 18)):
        y = select_series(data, name)["y"].to_numpy()
        cuts, unit = range(len(y) - size, len(y) - steps + 1), np.abs(np.diff(y)).mean()
        errors += [(y[cut : cut + steps] - baselines.drift(y[:cut], steps)) / unit for cut in cuts]
    assert baseline.error == pytest.approx(np.abs(errors).mean())
    expected = np.sort((errors / baseline.calibration.profile).ravel())
    factor = baseline.calibration.distances[-1] / expected[-1]  # naive errors count as well, as 16 errors are few
    assert 1 < factor < 2
    np.testing.assert_allclose(baseline.calibration.distances, factor * expected)


def test_a_better_network_is_not_replaced():
    x = np.arange(120)
    data = tables((120,)).assign(y=10 * np.sin(x) * np.sin(x / 7))
    options = {**QUICK, "max_steps": 150, "hidden_size": 16, "lr": 1e-2, "season": 1, "strategy": "one-step"}
    plain, safe = (
        Forecaster(**{**options, "fallback": fallback}).fit(data).predict(5) for fallback in ("none", "naive")
    )
    assert_same_table(plain, safe, exact=True)


def test_a_backtest_uses_the_fallback():
    data, model = drifting()
    result = model.backtest(data, 6, windows=2)
    np.testing.assert_allclose(result.forecasts["LSTM"], result.forecasts["Drift"])
    cutoffs = Cutoffs.of(read(data).series, 6, 2, 6)
    assert result.held.cuts.tolist() == cutoffs.cuts.tolist()
