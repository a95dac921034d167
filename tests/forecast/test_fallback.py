"""The delivered method: the network, a baseline, or an average of several."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster, read
from gatewise.forecast import baselines
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.evaluation.cutoffs import Cutoffs
from gatewise.forecast.model.delivery import FALLBACKS, NETWORK, POWER, Method, average_weights, choose
from gatewise.series import DataError
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


def measured(weights, error):
    weights = {weights: 1.0} if isinstance(weights, str) else weights
    return Method(weights, error, Calibration.of(np.ones((2, 1)), np.ones((2, 1)), 2))


AVERAGE = measured({NETWORK: 0.5, "Theta": 0.5}, 0.9)
BASELINES = [measured(name, error) for name, error in (("Naive", 2.0), ("Drift", 1.0), ("Theta", 0.8))]


@pytest.mark.parametrize(
    ("fallback", "error", "expected"),
    [
        ("none", 5.0, "LSTM"),
        ("best", 5.0, "average of LSTM and Theta"),
        ("best", 0.1, "average of LSTM and Theta"),
        ("naive", 1.0, "Drift"),  # the best of three, and as good as the network
        ("naive", 0.9, "LSTM"),
        ("Naive", 2.1, "Naive"),
        ("Naive", 1.9, "LSTM"),
        ("Theta", 0.9, "Theta"),
        ("SeasonalNaive", 9.0, "LSTM"),  # without a season there is none
    ],
)
def test_the_fallback_decides_between_the_methods(fallback, error, expected):
    network = measured(NETWORK, error)
    assert choose(fallback, network, [*BASELINES, AVERAGE]).describe("LSTM") == expected


def test_a_baseline_without_errors_is_delivered():
    exact = measured("Naive", 0.0)
    assert choose("best", measured(NETWORK, 0.0), [exact, measured("Ridge", 0.0), AVERAGE]) is exact


def test_the_weights_of_the_average():
    network, ridge = measured(NETWORK, 1.0), measured("Ridge", 0.8)  # Theta has 0.8 too
    powers = np.array([1.0, 0.8**-POWER, 0.8**-POWER])
    weights = average_weights([network, *BASELINES, ridge], 10)
    assert list(weights) == [NETWORK, "Ridge", "Theta"]
    np.testing.assert_allclose(list(weights.values()), powers / powers.sum())
    many = average_weights([network, *BASELINES, measured("Ridge", 0.81)], 1000)
    assert many == pytest.approx({NETWORK: 1 / (1 + 0.8**-6), "Theta": 1 / (1 + 0.8**6)})
    assert average_weights([network, measured("Ridge", 2.0), measured("SES", 1.9)], 1000) == {NETWORK: 1.0}


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_parts_of_the_average_that_are_clearly_worse_are_left_out(size):
    methods = [measured(NETWORK, 4 * size), measured("Ridge", size), measured("Theta", size)]
    assert average_weights(methods, 10) == {"Ridge": 0.5, "Theta": 0.5}
    assert average_weights([measured(NETWORK, size), measured("Ridge", 0.0), measured("Theta", 0.0)], 10) == {
        "Ridge": 1.0
    }


def test_unequal_weights_are_described():
    assert AVERAGE.describe_weights() == measured("Theta", 1.0).describe_weights() == ""
    method = measured({NETWORK: 0.204, "Ridge": 0.446, "Theta": 0.35}, 1.0)
    assert method.describe("GRU") == "average of GRU, Ridge and Theta"
    assert method.describe_weights() == "; weights 20, 45 and 35 %"


@pytest.mark.parametrize("fallback", FALLBACKS)
def test_every_fallback_forecasts(fallback):
    model = Forecaster(**{**QUICK, "fallback": fallback}, season=4).fit(tables((40, 50)))
    (line,) = [guess for guess in model.guesses if guess.startswith("forecast: ")]
    assert ("fallback=" in line) == (fallback != "best")
    assert line.startswith(f"forecast: {model.delivered} (validation MASE: ")
    assert model.predict(3).notna().all(axis=None)


def test_the_delivered_average_is_that_of_its_parts(monkeypatch, tmp_path):
    data = tables((60, 50))
    model = Forecaster(**{**QUICK, "fallback": "best"}, season=4)
    monkeypatch.setattr("gatewise.forecast.model.selection.choose", lambda fallback, network, others: others[-1])
    model.fit(data)
    selection = model.state.selection
    weights = selection.delivered.weights
    assert len(weights) > 1
    assert NETWORK in weights
    dataset = selection.dataset(model.state.panel.series)
    parts = {NETWORK: selection.ensemble.extrapolate(dataset, dataset.ends, 6)[0]}
    options = {"freq": model.state.panel.freq, "longer": selection.longer}
    parts |= baselines.forecasts(dataset.series, np.arange(2), np.array([60, 50]), 6, 4, **options)
    expected = sum(weight * parts[name] for name, weight in weights.items())
    np.testing.assert_allclose(model.predict(6)["LSTM"], expected.ravel())
    model.save(tmp_path / "model.safetensors")
    loaded = Forecaster.load(tmp_path / "model.safetensors")
    assert loaded.predict(6, level=(80, 95)).equals(model.predict(6, level=(80, 95)))
    assert loaded.state.selection.delivered.weights == weights


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


@pytest.mark.parametrize(
    ("fallback", "season", "seasons"),
    [("SeasonalNaive", 1, "no season"), ("SeasonalNaive168", None, "no season"), ("SeasonalNaive", None, "no season")],
)
def test_a_baseline_that_does_not_exist_for_the_series_is_refused(fallback, season, seasons):
    model = Forecaster(**{**QUICK, "fallback": fallback, "season": season})
    with pytest.raises(DataError, match=f"fallback is '{fallback}', but these series have {seasons}; pass that season"):
        model.fit(noisy(60))
