"""Croston's method: against a loop, statsforecast, and the mean of generated series."""

import numpy as np
import pandas as pd
import pytest

from gatewise.forecast.baselines import forecasts
from gatewise.forecast.baselines.croston import ALPHA, croston_forecasts, demand
from gatewise.forecast.baselines.windows import Values
from gatewise.series import Series

SALES = np.random.default_rng(3).poisson(0.4, 900).astype(float)
SBA = 0.4342820780351799  # of statsforecast 2.1.1, CrostonSBA, for SALES


def pasts(y, filled=None, cut=None):
    series = [Series("A", pd.RangeIndex(len(y)), np.asarray(y, float), filled)]
    which, cuts = np.array([0]), np.array([cut or len(y)])
    return next(Values.of(series, which).blocks(which, cuts, 1000))[1]


def loop(y, alpha):
    """Mean demand by sums over the demands, one after the other."""
    sizes, intervals, weights, squares, waited = 0.0, 0.0, 0.0, 0.0, 0
    for value in y:
        waited += 1
        if value:
            sizes, intervals, weights = (
                (1 - alpha) * total + new for total, new in ((sizes, value), (intervals, waited), (weights, 1.0))
            )
            squares, waited = (1 - alpha) ** 2 * squares + 1, 0
    bias = squares / weights**2
    return (1 - bias) * (sizes / weights) / (intervals / weights - bias)


@pytest.mark.parametrize("cut", [14, 20, 300, 900])
def test_the_mean_demand_is_that_of_a_loop(cut):
    assert np.count_nonzero(SALES[:cut]) > 2
    result = croston_forecasts(pasts(SALES, cut=cut), 3, 1)
    np.testing.assert_allclose(result, np.full((1, 3), loop(SALES[:cut], ALPHA)), rtol=1e-12)


def test_long_pasts_agree_with_the_syntetos_boylan_approximation_of_statsforecast():
    size, interval, _ = demand(pasts(SALES), alpha=0.1)  # its weight of the first value is tiny by now
    np.testing.assert_allclose(0.95 * size / interval, SBA, rtol=1e-10)


def test_filled_values_are_skipped():
    filled = np.zeros(900, bool)
    filled[[100, 500, 899]] = True
    spoiled = np.where(filled, 77.0, SALES)
    expected = loop(SALES[~filled], ALPHA)
    np.testing.assert_allclose(croston_forecasts(pasts(spoiled, filled), 1, 1)[0, 0], expected, rtol=1e-12)


def test_the_forecast_has_no_bias_for_short_and_long_intervals():
    for chance in (0.1, 0.7):
        sales = np.random.default_rng(0).random((400, 300)) < chance
        panel = [Series(k, pd.RangeIndex(300), y.astype(float)) for k, y in enumerate(sales)]
        means = forecasts(panel, np.arange(400), np.full(400, 300), 1, 1, names=("Croston",))["Croston"]
        assert means.mean() == pytest.approx(chance, rel=0.02)


def test_windows_without_a_demand_get_the_naive_forecast():
    panel = [Series("A", pd.RangeIndex(30), np.zeros(30)), Series("B", pd.RangeIndex(30), SALES[:30])]
    result = forecasts(panel, np.array([0, 1]), np.array([30, 30]), 2, 1, names=("Croston",))["Croston"]
    np.testing.assert_allclose(result, [[0.0, 0.0], [loop(SALES[:30], ALPHA)] * 2])


def test_it_is_a_baseline_only_if_a_series_is_intermittent():
    busy = Series("A", pd.RangeIndex(60), SALES[:60] + 1)
    slow = Series("B", pd.RangeIndex(60), SALES[:60])
    assert "Croston" not in forecasts([busy], np.array([0]), np.array([60]), 2, 1)
    assert "Croston" in forecasts([busy, slow], np.array([0, 1]), np.array([60, 60]), 2, 1)
    assert "Croston" not in forecasts([busy, slow], np.array([0, 1]), np.array([60, 15]), 2, 1)
