"""Models of statsforecast."""

import sys

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.datasets import air_passengers
from gatewise.forecast.baselines import CLASSICAL, classical, forecasts
from gatewise.series import Series

# statsforecast 2.1.1 on the first 120 values of AirPassengers, with a season of 12.
EXPECTED = {
    "AutoETS": [348.191, 346.66, 395.8532],
    "AutoARIMA": [341.9658, 319.7326, 363.7889],
    "AutoTheta": [343.6165, 338.2938, 389.3863],
    "MSTL": [348.5098, 337.4397, 377.8247],
    "CrostonSBA": [354.6912, 354.6912, 354.6912],
}


def air():
    return Series("air", pd.RangeIndex(144), air_passengers().iloc[:, -1].to_numpy(float))


@pytest.mark.parametrize("name", CLASSICAL)
def test_forecasts_are_those_of_statsforecast(name):
    pytest.importorskip("statsforecast")
    mean = classical(name, [air()], np.array([0]), np.array([120]), 3, 12)
    np.testing.assert_allclose(mean[0], EXPECTED[name], rtol=1e-2)


def test_forecasts_continue_after_filled_values_and_are_naive_where_there_is_no_fit():
    pytest.importorskip("statsforecast")
    filled = np.arange(144) >= 118
    series = [air(), Series("filled", pd.RangeIndex(144), air().y, filled)]
    one, two = classical("AutoETS", series, np.array([0, 1]), np.array([118, 120]), 4, 12)
    np.testing.assert_allclose(one[2:], two[:2])
    short = classical("AutoARIMA", series, np.array([0, 0]), np.array([1, 2]), 4, 12)
    assert np.isfinite(short).all()


def test_an_unknown_model_and_a_missing_library_are_explained(monkeypatch):
    windows = [air()], np.array([0]), np.array([120]), 3, 12
    with pytest.raises(ValueError, match="classical model 'ETS' is unknown, expected one of AutoETS, AutoARIMA"):
        classical("ETS", *windows)
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    with pytest.raises(ImportError, match=r'AutoETS needs it; install it with pip install "gatewise\[classical\]"'):
        classical("AutoETS", *windows)


def test_theta_is_close_to_the_best_theta_model():
    mean = forecasts([air()], np.array([0]), np.array([120]), 3, 12, names=("Theta",))["Theta"][0]
    np.testing.assert_allclose(mean, EXPECTED["AutoTheta"], rtol=1e-2)


def test_a_backtest_gets_further_baselines(monkeypatch):
    def flat(name, series, which, cuts, horizon, season, seasons):
        calls.append((name, season, tuple(seasons)))
        return np.stack([np.repeat(series[k].y[:cut].mean(), horizon) for k, cut in zip(which, cuts, strict=True)])

    calls = []
    monkeypatch.setattr("gatewise.forecast.evaluation.backtest.classical", flat)
    model = Forecaster(hidden_size=4, max_steps=5, ensemble_size=1)
    first = model.backtest(air_passengers(), 12, windows=2, refit=False)
    result = first.against("AutoETS", "MSTL")
    assert calls == [("AutoETS", 12, (12,)), ("MSTL", 12, (12,))]
    assert list(result.overall) == [*first.overall, "AutoETS", "MSTL"]
    assert result.overall["LSTM"] == first.overall["LSTM"]
    y = air_passengers()["y"].to_numpy(float)
    expected = np.mean([np.abs(y[cut : cut + 12] - y[:cut].mean()).mean() for cut in (120, 132)])
    assert result.overall["AutoETS"]["MAE"] == pytest.approx(expected)
    assert result.delivered == first.delivered
    monkeypatch.setattr("gatewise.forecast.evaluation.backtest.classical", lambda *a: first.held.truth)
    assert "the AutoARIMA forecast (of statsforecast) is better" in first.against("AutoARIMA").verdict
