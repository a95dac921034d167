"""Intervals and sample paths that are calibrated on validation errors."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise import Forecaster
from gatewise.forecast import conformal
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.dataset import Dataset
from gatewise.windows import Difference
from tests.waves import SMALL, configuration, noisy, series, untrained, window_scaling

NO_PATHS = np.empty((0, 1))
SPAN = 10**9  # large, so that all errors count as independent


def generator(seed=0):
    return np.random.default_rng(seed)


# ------------------------------------------------------------------------------------------------- half widths


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40), st.floats(1, 99))
def test_the_reach_covers_its_level_of_the_calibration_errors(distances, level):
    calibration = Calibration.of(np.array(distances)[:, None], np.ones((len(distances), 1)), SPAN)
    half_width = calibration.half_widths(np.ones((1, 1)), level)[0, 0]
    assert (np.array(distances) <= half_width).mean() >= level / 100 - 1e-12
    within = level / 100 <= len(distances) / (len(distances) + 1)
    assert half_width in distances if within else half_width >= max(distances)


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=40), st.lists(st.floats(0.5, 99.99), min_size=2), st.floats(0, 1)
)
def test_intervals_are_nested(distances, levels, growth):
    calibration = Calibration(growth, np.sort(distances), NO_PATHS, SPAN)
    half_width = [calibration.half_widths(np.array([[1.0, 3.0], [0.5, 0.5]]), level) for level in sorted(levels)]
    assert (np.diff(half_width, axis=0) >= 0).all()
    assert min(difference.min() for difference in half_width) >= 0


def test_levels_beyond_the_sample_size_use_a_normal_approximation():
    calibration = Calibration(0.0, np.array([1.0, 2.0, 3.0]), NO_PATHS, SPAN)  # three errors are enough for 75 %
    at = [calibration.half_widths(np.ones((1, 1)), level)[0, 0] for level in (75, 80, 95)]
    assert at == pytest.approx([3, 3 * 1.2816 / 1.1503, 3 * 1.96 / 1.1503], rel=1e-3)
    assert calibration.describe() == (
        "intervals: calibrated on 3 validation errors (effective sample size 3); levels above 75 % use a normal "
        "approximation"
    )


def test_the_reach_follows_the_spread_of_each_step():
    calibration = Calibration(0.5, np.arange(1.0, 10.0), NO_PATHS, SPAN)  # the fifth of nine is the median
    spreads = np.array([[1.0, 2.0, 3.0], [10.0, 0.0, 1.0]])
    np.testing.assert_allclose(calibration.half_widths(spreads, 50), 5 * spreads * np.sqrt([1, 2, 3]))


# ------------------------------------------------------------------------------------------------- calibration


@pytest.mark.parametrize("power", [0.0, 0.3, 1.0])
def test_the_growth_of_the_errors_is_estimated(power):
    rng = generator()
    spreads = rng.uniform(1, 5, (200, 1))
    sizes = spreads * np.arange(1, 25) ** power
    calibration = Calibration.of(rng.normal(0, sizes), spreads, SPAN)
    assert calibration.growth == pytest.approx(power, abs=0.05)
    normal = 1.96 * 2.0 * np.arange(1, 9) ** power
    np.testing.assert_allclose(calibration.half_widths(np.full((1, 8), 2.0), 95)[0], normal, rtol=0.1)


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
    expected = np.sort(np.abs(errors / (spreads * np.arange(1, 13) ** calibration.growth)).ravel())
    np.testing.assert_allclose(calibration.distances, expected, rtol=1e-12)


def test_unknown_errors_are_ignored():
    errors = np.array([[1.0, np.nan], [-2.0, 2.0], [np.nan, np.nan], [3.0, -3.0]])
    calibration = Calibration.of(errors, np.full((4, 2), 2.0), SPAN)
    assert calibration.growth == pytest.approx(np.log(2.5 / 2) / np.log(2))  # mean errors 2 and 2.5
    far = np.array([1, 2**calibration.growth]) * 2
    np.testing.assert_allclose(calibration.distances, np.sort([0.5, 1.0, 1.5, 2 / far[1], 3 / far[1]]))
    np.testing.assert_allclose(calibration.errors, [[-1.0, 2 / far[1]], [1.5, -3 / far[1]]])


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
    assert calibration.half_widths(np.ones((1, 1)), level)[0, 0] == expected


def test_intervals_of_short_series_have_about_their_nominal_coverage():
    """A random walk with 100 dependent validation errors: ten steps from each of ten cutoffs, within 20 steps."""
    rng, inside = np.random.default_rng(1), []
    for _ in range(300):
        y = rng.normal(size=140).cumsum()
        errors = np.array([y[t + 1 : t + 11] - y[t] for t in range(80, 90)])
        calibration = Calibration.of(errors, np.ones_like(errors), 20)
        inside.append(np.abs(y[100:112] - y[99]) <= calibration.half_widths(np.ones((1, 12)), 80)[0])
    assert np.mean(inside) == pytest.approx(0.8, abs=0.05)  # 0.71 if all errors counted as independent


def test_thinning_many_errors_keeps_the_quantiles(monkeypatch):
    errors = generator().normal(size=(2000, 3))
    full = Calibration.of(errors, np.ones((2000, 1)), SPAN)
    monkeypatch.setattr(conformal, "MOST_DISTANCES", 500)
    thin = Calibration.of(errors, np.ones((2000, 1)), SPAN)
    assert (len(full.distances), len(thin.distances), len(thin.errors)) == (6000, 500, 500)
    assert thin.distances[-1] == full.distances[-1]
    assert set(thin.distances) <= set(full.distances)
    for level in (50, 80, 95):
        ones = np.ones((1, 1))
        assert thin.half_widths(ones, level) == pytest.approx(full.half_widths(ones, level), rel=0.02)


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_calibration_uses_the_validation_errors_of_the_recursion(strategy, monkeypatch):
    y = noisy()
    scaling = window_scaling(strategy, difference=Difference(1), reach=1 if strategy == "one-step" else 5)
    model = untrained(scaling)
    training = configuration(validation_fraction=6 / 119)
    monkeypatch.setattr(type(training), "_fit", lambda *_: (model.networks[0], model.history))
    dataset = Dataset.of([series(y)], scaling)
    ensemble = training.train_with_validation(dataset)  # cutoffs 114 to 117, three steps each
    model = replace(model, networks=model.networks[:1])
    errors, spreads = [], []
    for cutoff in (114, 115, 116, 117):
        alone = Dataset.of([series(y)], scaling)
        mean, spread = model.extrapolate(alone, alone.fronts + cutoff - 1, 3)
        errors.append(y[cutoff : cutoff + 3] - mean[0])
        spreads.append(spread[0])
    expected = Calibration.of(np.array(errors), np.array(spreads), 6)
    np.testing.assert_allclose(ensemble.calibrated.distances, expected.distances, rtol=1e-4)
    np.testing.assert_allclose(ensemble.calibrated.errors, expected.errors, rtol=1e-3, atol=1e-4)
    assert ensemble.calibrated.growth == pytest.approx(expected.growth, rel=1e-4)
    assert ensemble.calibrated.span == expected.span
    assert ensemble.error == pytest.approx(np.abs(errors).mean() / np.abs(y[12:] - y[:-12]).mean(), rel=1e-5)


def test_intervals_have_their_nominal_coverage_on_stationary_noise():
    y = 100 + generator(5).normal(0, 3, 400)
    backtest = Forecaster(**SMALL, context=8).backtest(y, 10, windows=10, level=(50, 80, 95))
    for level, inside in backtest.coverage.items():
        assert abs(inside - level / 100) < 0.12
    assert list(backtest.coverage) == [50, 80, 95]


# ------------------------------------------------------------------------------------------------- sample paths


def walks(count=400, steps=12, memory=0.9):
    """Errors that are correlated between steps."""
    rng, errors = generator(1), np.zeros((count, steps))
    errors[:, 0] = rng.normal(size=count)
    for k in range(1, steps):
        errors[:, k] = memory * errors[:, k - 1] + np.sqrt(1 - memory**2) * rng.normal(size=count)
    return errors


def test_quantiles_of_many_paths_are_those_of_the_intervals():
    spreads = np.array([[2.0] * 12, [0.5] * 12])
    calibration = Calibration.of(walks(), np.ones((400, 1)), SPAN)
    mean = np.array([[10.0] * 12, [-3.0] * 12])
    paths = calibration.paths(mean, spreads, 20_000, generator())
    for level in (50, 80, 90):
        inside = np.abs(paths - mean[:, None]) <= calibration.half_widths(spreads, level)[:, None]
        np.testing.assert_allclose(inside.mean(axis=(1, 2)), level / 100, atol=0.01)


def test_paths_of_few_errors_are_as_wide_as_the_intervals():
    steps = np.sqrt(np.arange(1, 11))
    errors = generator(2).normal(size=(40, 1)) * steps
    calibration = Calibration.of(errors, np.ones((40, 10)), 20)
    paths = calibration.paths(np.zeros((1, 10)), np.ones((1, 10)), 4000, generator(0))[0]
    inside = np.abs(paths) <= calibration.half_widths(np.ones((1, 10)), 80)
    assert inside.mean() == pytest.approx(0.8, abs=0.03)


def test_paths_are_correlated_as_the_errors():
    errors = walks()
    calibration = Calibration.of(errors, np.ones((400, 1)), SPAN)
    paths = calibration.paths(np.zeros((1, 12)), np.ones((1, 12)), 20_000, generator())[0]
    for lag in (1, 5):
        expected, actual = (np.corrcoef(x[:, 0], x[:, lag])[0, 1] for x in (errors, paths))
        assert actual == pytest.approx(expected, abs=0.03)
    total = np.quantile(paths.sum(1), (0.1, 0.9))
    np.testing.assert_allclose(total, np.quantile(errors.sum(1), (0.1, 0.9)), rtol=0.05)


def test_each_path_consists_of_whole_errors():
    known = np.array([[1.0, 2.0], [-3.0, 4.0]])
    calibration = Calibration(0.0, np.array([1.0, 2.0, 3.0, 4.0]), known, SPAN)
    paths = calibration.paths(np.full((1, 5), 100.0), np.full((1, 5), 10.0), 200, generator())[0]
    errors = (paths - 100) / 10
    rows = {tuple(row) for row in known.tolist()}
    for block in (errors[:, :2], errors[:, 2:4]):
        assert {tuple(row) for row in block.round(9).tolist()} == rows
    assert set(errors[:, 4].round(9)) == {1.0, -3.0}  # the horizon ends in the middle of the third


def test_paths_depend_on_the_seed_and_grow():
    calibration = Calibration(0.5, np.arange(1.0, 10.0), NO_PATHS, SPAN)  # no complete forecast
    mean, spreads = np.zeros((2, 4)), np.ones((2, 4))
    first, repeated, other = (calibration.paths(mean, spreads, 50, generator(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, repeated)
    assert (first != other).any()
    np.testing.assert_allclose(np.abs(first).max(axis=(0, 1)), 7 * np.sqrt([1, 2, 3, 4]))  # the seventh of nine is 68 %
