"""Intervals that are calibrated on validation errors."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatewise import Forecaster
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.conformal import calibration as calibration_file
from gatewise.forecast.limits import NO_LIMITS
from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.selection import _measure_methods
from gatewise.forecast.model.validation_set import ValidationSet
from gatewise.windows import Difference
from tests.waves import SMALL, configuration, noisy, series, untrained, window_scaling

NO_PATHS = np.empty((0, 1))
SPAN = 10**9  # large, so that all errors count as independent


def generator(seed=0):
    return np.random.default_rng(seed)


def half_widths(calibration, spreads, level):
    """Half the width of symmetric intervals."""
    lower, upper = calibration.bounds(np.zeros_like(spreads), spreads, level)
    np.testing.assert_array_equal(lower, -upper)
    return upper


# ------------------------------------------------------------------------------------------------- half widths


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40), st.floats(1, 99))
def test_the_interval_covers_its_level_of_the_calibration_errors(distances, level):
    calibration = Calibration(0.0, np.sort(distances), NO_PATHS, SPAN)
    half_width = half_widths(calibration, np.ones((1, 1)), level)[0, 0]
    assert (np.array(distances) <= half_width).mean() >= level / 100 - 1e-12
    within = level / 100 <= len(distances) / (len(distances) + 1)
    assert half_width in distances if within else half_width >= max(distances)


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=60),
    st.lists(st.floats(0.5, 99.99), min_size=2),
    st.integers(2, 500),
)
def test_bounds_are_nested_and_those_of_the_quantiles(errors, levels, span):
    steps = np.resize(np.array(errors), (len(errors) // 3 + 1, 3))
    calibration = Calibration.of(steps, np.ones((len(steps), 1)), span)
    mean, spreads = np.array([[1.0, 2.0, 3.0]]), np.array([[0.5, 1.0, 2.0]])
    bounds = np.array([calibration.bounds(mean, spreads, level) for level in sorted(levels)])
    assert (bounds[:, 0] <= mean).all()
    assert (bounds[:, 1] >= mean).all()
    assert (np.diff(bounds[:, 0], axis=0) <= 0).all()
    assert (np.diff(bounds[:, 1], axis=0) >= 0).all()
    tails = np.array(sorted(levels)) / 200
    probabilities = np.concatenate([0.5 - tails[::-1], [0.5], 0.5 + tails])
    quantiles = calibration.quantiles(mean, spreads, probabilities)
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    np.testing.assert_allclose(quantiles[..., len(levels)], mean)
    np.testing.assert_allclose(np.moveaxis(quantiles[..., len(levels) + 1 :], -1, 0), bounds[:, 1], rtol=1e-6)


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=40), st.lists(st.floats(0.5, 99.99), min_size=2), st.floats(0, 1)
)
def test_intervals_are_nested(distances, levels, growth):
    calibration = Calibration(growth, np.sort(distances), NO_PATHS, SPAN)
    half_width = [half_widths(calibration, np.array([[1.0, 3.0], [0.5, 0.5]]), level) for level in sorted(levels)]
    assert (np.diff(half_width, axis=0) >= 0).all()
    assert min(difference.min() for difference in half_width) >= 0


def test_levels_beyond_the_sample_size_use_a_normal_approximation():
    calibration = Calibration(0.0, np.array([1.0, 2.0, 3.0]), NO_PATHS, SPAN)  # three errors are enough for 75 %
    at = [half_widths(calibration, np.ones((1, 1)), level)[0, 0] for level in (75, 80, 95)]
    assert at == pytest.approx([3, 3 * 1.2816 / 1.1503, 3 * 1.96 / 1.1503], rel=1e-3)
    assert calibration.describe() == (
        "intervals: calibrated on 3 validation errors (effective sample size 3); levels above 75 % use a normal "
        "approximation"
    )


def test_the_reach_follows_the_spread_of_each_step():
    calibration = Calibration(0.5, np.arange(1.0, 10.0), NO_PATHS, SPAN)  # the fifth of nine is the median
    spreads = np.array([[1.0, 2.0, 3.0], [10.0, 0.0, 1.0]])
    np.testing.assert_allclose(half_widths(calibration, spreads, 50), 5 * spreads * np.sqrt([1, 2, 3]))


# ------------------------------------------------------------------------------------------------- calibration


@pytest.mark.parametrize("power", [0.0, 0.3, 1.0])
def test_the_growth_of_the_errors_is_estimated(power):
    rng = generator()
    spreads = rng.uniform(1, 5, (200, 1))
    sizes = spreads * np.arange(1, 25) ** power
    calibration = Calibration.of(rng.normal(0, sizes), spreads, SPAN)
    assert calibration.growth == pytest.approx(power, abs=0.05)
    normal = 1.96 * 2.0 * np.arange(1, 9) ** power
    lower, upper = calibration.bounds(np.zeros((1, 8)), np.full((1, 8), 2.0), 95)
    np.testing.assert_allclose([-lower[0], upper[0]], [normal, normal], rtol=0.12)


def test_growth_is_bounded_and_by_default_that_of_a_random_walk():
    steps, spread = np.arange(1.0, 9.0), np.ones((1, 1))
    assert Calibration.of(steps[None] ** 3, spread, SPAN).growth == 1
    assert Calibration.of(1 / steps[None], spread, SPAN).growth == 0
    assert Calibration.of(np.ones((5, 1)), np.ones((5, 1)), SPAN).growth == 0.5
    assert Calibration.of(np.zeros((5, 4)), np.ones((5, 1)), SPAN).growth == 0.5


def test_spreads_by_step_explain_the_growth():
    rng = generator()
    spreads = np.tile(np.arange(1.0, 13.0) ** 0.8, (300, 1))
    errors = rng.normal(0, spreads)
    calibration = Calibration.of(errors, spreads, SPAN)
    assert calibration.growth == pytest.approx(0, abs=0.05)  # explained by the spreads
    np.testing.assert_allclose(calibration.profile / calibration.profile[0], 1, atol=0.15)
    np.testing.assert_allclose(calibration.errors, errors / spreads / calibration.profile, rtol=1e-12)
    np.testing.assert_allclose(calibration.distances, np.sort(calibration.errors.ravel()), rtol=1e-12)


def test_unknown_errors_are_ignored():
    errors = np.array([[1.0, np.nan], [-2.0, 2.0], [np.nan, np.nan], [3.0, -3.0]])
    calibration = Calibration.of(errors, np.full((4, 2), 2.0), SPAN)
    assert calibration.growth == pytest.approx(np.log(2.5 / 2) / np.log(2))  # mean errors 2 and 2.5
    near, far = 2 * calibration.profile
    np.testing.assert_allclose(calibration.distances, np.sort([1 / near, -2 / near, 3 / near, 2 / far, -3 / far]))
    np.testing.assert_allclose(calibration.errors, [[-2 / near, 2 / far], [3 / near, -3 / far]])


@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_few_forecasts_keep_the_growth_near_the_prior(prior):
    rng = np.random.default_rng(0)
    steps = np.arange(1, 9)
    errors = rng.choice([-1.0, 1.0], (50, 8)) * steps**1.0
    spreads = np.ones((50, 8)) if prior else np.ones((50, 8)) + 1e-9 * steps
    growths = [Calibration.of(errors, spreads, span, series).growth for span, series in ((8, 1), (16, 1), (16, 1000))]
    assert prior < growths[0] < growths[1] < growths[2] <= 1
    assert growths[2] == pytest.approx(1, abs=0.01)
    x = np.log(steps) - np.log(steps).mean()
    assert growths[0] == pytest.approx((x @ x + 6 * prior) / (x @ x + 6), rel=1e-3)


@pytest.mark.parametrize(("series", "level", "expected"), [(1, 50, 60), (1, 80, 96), (40, 80, 81), (1000, 80, 81)])
def test_a_smaller_effective_sample_size_gives_a_larger_reach(series, level, expected):
    calibration = Calibration(0.0, np.arange(1.0, 101.0), NO_PATHS, span=10, series=series)  # 5, 100, ... errors
    assert half_widths(calibration, np.ones((1, 1)), level)[0, 0] == expected


def test_intervals_of_short_series_have_about_their_nominal_coverage():
    """A random walk with 100 dependent validation errors: ten steps from each of ten cutoffs, within 20 steps."""
    rng, inside = np.random.default_rng(1), []
    for _ in range(300):
        y = rng.normal(size=140).cumsum()
        errors = np.array([y[t + 1 : t + 11] - y[t] for t in range(80, 90)])
        calibration = Calibration.of(errors, np.ones_like(errors), 20)
        lower, upper = calibration.bounds(np.zeros((1, 12)), np.ones((1, 12)), 80)
        inside.append((lower[0] <= y[100:112] - y[99]) & (y[100:112] - y[99] <= upper[0]))
    assert np.mean(inside) == pytest.approx(0.8, abs=0.05)  # 0.71 if all errors counted as independent


def test_thinning_many_errors_keeps_the_quantiles(monkeypatch):
    errors = generator().normal(size=(2000, 3))
    full = Calibration.of(errors, np.ones((2000, 1)), SPAN)
    monkeypatch.setattr(calibration_file, "MOST_DISTANCES", 500)
    thin = Calibration.of(errors, np.ones((2000, 1)), SPAN)
    assert (len(full.distances), len(thin.distances), len(thin.errors)) == (6000, 500, 500)
    assert thin.distances[-1] == full.distances[-1]
    assert set(thin.distances) <= set(full.distances)
    for level in (50, 80, 95):
        thin_bounds, full_bounds = (x.bounds(np.zeros((1, 3)), np.ones((1, 3)), level) for x in (thin, full))
        np.testing.assert_allclose(thin_bounds, full_bounds, rtol=0.03)


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_calibration_uses_the_validation_errors_of_the_recursion(strategy, monkeypatch):
    y = noisy()
    scaling = window_scaling(strategy, difference=Difference(1), reach=1 if strategy == "one-step" else 5)
    model = untrained(scaling)
    training = configuration(validation_fraction=6 / 119)
    monkeypatch.setattr(type(training), "_fit", lambda *_: (model.networks[0], model.history))
    dataset = Dataset.of([series(y)], scaling)
    ensemble = training.train_with_validation(dataset)  # cutoffs 114 to 117, three steps each
    model = replace(model, networks=model.networks[:1], log_scales=ensemble.log_scales)
    errors, spreads = [], []
    for cutoff in (114, 115, 116, 117):
        alone = Dataset.of([series(y)], scaling)
        mean, spread = model.extrapolate(alone, alone.fronts + cutoff - 1, 3)
        errors.append(y[cutoff : cutoff + 3] - mean[0])
        spreads.append(spread[0])
    reference = [y[cutoff : cutoff + 3] - y[cutoff - 12 : cutoff - 9] for cutoff in (114, 115, 116, 117)]
    past = ValidationSet(dataset, 6 / 119).past(dataset.fronts + torch.arange(113, 117), 3)
    options = {"reference": np.array(reference), "past": past, "season": 12}
    expected = Calibration.of(np.array(errors), np.array(spreads), 6, **options)
    found = _measure_methods(ensemble, training, dataset, 12, 1, NO_LIMITS)[0].calibration
    np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-4)
    np.testing.assert_allclose(found.errors, expected.errors, rtol=1e-3, atol=1e-4)
    assert found.growth == pytest.approx(expected.growth, rel=1e-4)
    assert found.span == expected.span
    assert ensemble.error == pytest.approx(np.abs(errors).mean() / np.abs(y[12:] - y[:-12]).mean(), rel=1e-5)


def test_intervals_have_their_nominal_coverage_on_stationary_noise():
    y = 100 + generator(5).normal(0, 3, 400)
    backtest = Forecaster(**SMALL, context=8).backtest(y, 10, windows=10, level=(50, 80, 95), refit=False)
    for level, inside in backtest.coverage.items():
        assert abs(inside - level / 100) < 0.12
    assert list(backtest.coverage) == [50, 80, 95]
