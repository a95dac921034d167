"""Exponential smoothing, the Theta method and the seasonal adjustment."""

import numpy as np
import pandas as pd
import pytest

from gatewise.datasets import air_passengers
from gatewise.forecast.baselines import forecasts
from gatewise.forecast.baselines.seasonality import adjust
from gatewise.forecast.baselines.smoothing import recursion
from gatewise.forecast.baselines.windows import Values
from gatewise.series import Series
from gatewise.series.seasonality import seasonal

# statsforecast 2.1.1: Theta(season_length=12) and Theta(season_length=1) on the first 120 values of AirPassengers.
THETA_SEASONAL = [342.41518499, 336.3537735, 386.2911464, 370.98317602, 372.04002278, 424.46877202]
THETA_SEASONAL += [465.37659217, 461.9359002, 409.6504952, 356.57034611, 311.10753726, 352.2177177]
THETA_WITHOUT_SEASON = [337.995002999, 339.24245942, 340.48991584, 341.73737226]
SES = {0.5: 345.74920503217527, 0.9: 334.8448966598134}  # its SimpleExponentialSmoothing(alpha), the same data


def forecast_end(y, name, horizon, season=1, filled=None):
    series = Series("A", pd.RangeIndex(len(y)), np.asarray(y, float), filled)
    return forecasts([series], np.array([0]), np.array([len(y)]), horizon, season, names=(name,))[name][0]


def first_years():
    return air_passengers().iloc[:120, -1].to_numpy(float)


def brute_force(y, alpha, first):
    level, squares = first, 0.0
    for value in y:
        squares += (value - level) ** 2
        level += alpha * (value - level)
    return level, squares


def test_the_level_minimises_the_squared_one_step_errors():
    y = np.cumsum(np.random.default_rng(0).normal(size=40)) + np.random.default_rng(1).normal(size=40)
    firsts = np.linspace(y[0] - 4, y[0] + 4, 161)
    best = min(brute_force(y, alpha, first)[::-1] for alpha in np.linspace(0, 1, 251) for first in firsts)
    assert forecast_end(y, "SES", 3) == pytest.approx(np.full(3, best[1]), rel=2e-3)


def test_the_best_first_level_has_a_closed_form():
    y, alphas = np.random.default_rng(2).normal(size=(1, 30)), np.array([[0.0, 0.3, 1.0]])
    levels, squares = recursion(y, np.ones_like(y, bool), alphas)
    for level, square, alpha in zip(levels[0], squares[0], alphas[0], strict=True):
        found = min(brute_force(y[0], alpha, first)[::-1] for first in np.linspace(-4, 4, 8001))
        assert (square, level) == pytest.approx(found, rel=1e-5, abs=1e-3)
    assert levels[0, 0] == pytest.approx(y.mean())  # alpha 0: the mean
    assert levels[0, 2] == pytest.approx(y[0, -1])  # alpha 1: the last value


def test_the_recursion_equals_that_of_statsforecast():
    y = first_years()[None]
    levels, _ = recursion(y, np.ones_like(y, bool), np.array([list(SES)]))
    np.testing.assert_allclose(levels[0], list(SES.values()), rtol=1e-9)


def test_smoothing_skips_filled_values():
    rng = np.random.default_rng(3)
    y, filled = rng.normal(size=50) + 10, rng.random(50) < 0.3
    assert forecast_end(y, "SES", 2, filled=filled) == pytest.approx(forecast_end(y[~filled], "SES", 2))


def test_theta_continues_half_of_the_trend_of_a_line():
    assert forecast_end(3 + 2.0 * np.arange(30), "Theta", 4) == pytest.approx(61 + np.arange(1, 5))


def test_theta_counts_the_steps_of_filled_values_at_the_end():
    y, filled = np.append(2.0 * np.arange(20), [38.0, 38.0]), np.arange(22) >= 20
    assert forecast_end(y, "Theta", 2, filled=filled) == pytest.approx([41, 42])


def test_theta_is_close_to_that_of_statsforecast():
    # The alpha of statsforecast is at most 0.99; here it may be 1.
    np.testing.assert_allclose(forecast_end(first_years(), "Theta", 12, 12), THETA_SEASONAL, rtol=3e-4)
    np.testing.assert_allclose(forecast_end(first_years(), "Theta", 4, 1), THETA_WITHOUT_SEASON, rtol=1e-3)


@pytest.mark.parametrize("name", ["SES", "Theta"])
@pytest.mark.parametrize("lowest", [10, -1])
def test_a_pure_season_is_repeated(name, lowest):
    season = lowest + np.array([0.0, 5.0, 2.0, 7.0, 1.0])
    mean = forecast_end(np.tile(season, 8)[:-2], name, 7, 5)
    np.testing.assert_allclose(mean, np.resize(np.roll(season, 2), 7), atol=1e-2)


@pytest.mark.parametrize(("size", "season"), [(23, 4), (30, 5)])
def test_the_season_is_that_of_the_classical_decomposition(size, season):
    rng = np.random.default_rng(4)
    y = (50 + np.arange(size)) * np.resize(np.linspace(0.5, 1.5, season), size) * np.exp(0.05 * rng.normal(size=size))
    weights = np.ones(season) if season % 2 else np.concatenate([[0.5], np.ones(season - 1), [0.5]])
    half, ratios = season // 2, [[] for _ in range(season)]
    for t in range(half, size - half):
        ratios[t % season].append(y[t] / (weights @ y[t - half : t + half + 1] / season))
    expected = np.array([np.mean(part) for part in ratios])
    series = Series("A", pd.RangeIndex(size), y)
    ((_, pasts),) = Values.of([series], np.array([0])).blocks(np.array([0]), np.array([size]), 1000)
    adjusted = adjust(pasts, pasts.values, season)
    np.testing.assert_allclose(adjusted.factors[0], expected / expected.mean(), rtol=1e-9)
    np.testing.assert_allclose(adjusted.restore(adjusted.values, np.arange(size)[None] % season)[0], y)


def test_the_seasonal_test_uses_the_sample_autocorrelation():
    rng, season = np.random.default_rng(5), 6
    y = rng.normal(size=(300, 40)) + np.sin(2 * np.pi * np.arange(40) / season)
    expected = []
    for row in y - y.mean(1, keepdims=True):
        r = np.array([row[lag:] @ row[: len(row) - lag] for lag in range(season + 1)]) / (row @ row)
        expected.append(abs(r[season]) > 1.645 * np.sqrt((1 + 2 * (r[1:season] ** 2).sum()) / 40))
    assert 0.1 < np.mean(expected) < 0.9
    padded = np.pad(y, ((0, 0), (0, 11)))
    np.testing.assert_array_equal(seasonal(padded, np.full(300, 40), season), expected)
