"""The fallback: a naive forecast that replaces a network that is no better."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster, read
from gatewise.forecast import baselines
from gatewise.forecast.evaluation.cutoffs import Cutoffs
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


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_the_baseline_replaces_a_network_that_is_no_better(strategy):
    data, model = drifting(strategy)
    assert model.guesses[-1] == "fallback: the Drift forecast replaces the LSTM (whose validation MASE is not lower)"
    forecasts = model.predict(7, level=80)
    for name in "AB":
        y = select_series(data, name)["y"].to_numpy()
        np.testing.assert_allclose(select_series(forecasts, name)["LSTM"], baselines.drift(y, 7))
    baseline = model.state.selection.baseline
    unit = [np.abs(np.diff(select_series(data, name)["y"])).mean() for name in "AB"]
    zeros, units = np.zeros((2, 7)), np.repeat(unit, 7).reshape(2, 7)
    lower, upper = baseline.calibration.bounds(zeros, units, 80)
    np.testing.assert_allclose(forecasts["LSTM-lo-80"] - forecasts["LSTM"], lower.ravel())
    np.testing.assert_allclose(forecasts["LSTM-hi-80"] - forecasts["LSTM"], upper.ravel())
    other = drifting(strategy, fallback="none")[1]
    assert not any("fallback" in sentence for sentence in other.guesses)
    assert np.abs(other.predict(7)["LSTM"] - forecasts["LSTM"]).max() > 1


def test_the_baseline_is_calibrated_on_its_own_validation_errors():
    data, model = drifting()
    baseline = model.state.selection.baseline
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
    plain, safe = (Forecaster(**options, fallback=fallback).fit(data).predict(5) for fallback in ("none", "naive"))
    assert_same_table(plain, safe, exact=True)


def test_a_backtest_uses_the_fallback():
    data, model = drifting()
    result = model.backtest(data, 6, windows=2)
    np.testing.assert_allclose(result.forecasts["LSTM"], result.forecasts["Drift"])
    cutoffs = Cutoffs.of(read(data).series, 6, 2, 6)
    assert result.held.cuts.tolist() == cutoffs.cuts.tolist()
