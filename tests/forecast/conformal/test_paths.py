"""Sample paths: their distribution at each step, their dependence between steps and between series."""

from dataclasses import replace

import numpy as np
import pytest

from gatewise.forecast.conformal import Calibration, Origins
from gatewise.forecast.conformal import calibration as calibration_file
from gatewise.forecast.conformal.correlation import correlation
from gatewise.forecast.conformal.paths import path_probabilities

NO_PATHS = np.empty((0, 1))
SPAN = 10**9  # large, so that all errors count as independent


def generator(seed=0):
    return np.random.default_rng(seed)


def walks(count=400, steps=12, memory=0.9):
    """Errors that are correlated between steps."""
    rng, errors = generator(1), np.zeros((count, steps))
    errors[:, 0] = rng.normal(size=count)
    for k in range(1, steps):
        errors[:, k] = memory * errors[:, k - 1] + np.sqrt(1 - memory**2) * rng.normal(size=count)
    return errors


@pytest.mark.parametrize(("count", "span"), [(400, SPAN), (7, 14)])
@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_quantiles_of_many_paths_are_those_of_the_intervals(count, span, rho):
    errors = np.exp(walks(count)) - 1  # skewed
    calibration = replace(Calibration.of(errors, np.ones((count, 1)), span), rho=rho)
    mean, spreads = np.array([[10.0] * 15, [-3.0] * 15]), np.array([[2.0] * 15, [0.5] * 15])
    paths = calibration.paths(mean, spreads, 20_000, generator())
    for probability in (0.025, 0.1, 0.3, 0.5, 0.8, 0.975):
        quantile = calibration.quantiles(mean, spreads, np.array([probability]))
        below = (paths < np.moveaxis(quantile, -1, 1) - 1e-9).mean(axis=1)
        upto = (paths <= np.moveaxis(quantile, -1, 1) + 1e-9).mean(axis=1)
        assert (below <= probability + 0.015).all()
        assert (upto >= probability - 0.015).all()
    for level in (50, 80, 95):
        lower, upper = calibration.bounds(mean, spreads, level)
        inside = (lower[:, None] - 1e-9 <= paths) & (paths <= upper[:, None] + 1e-9)
        assert (inside.mean(axis=1) >= level / 100 - 0.015).all()


def test_paths_are_correlated_between_steps_as_the_errors():
    errors = walks()
    calibration = Calibration.of(errors, np.ones((400, 1)), SPAN)
    paths = calibration.paths(np.zeros((1, 12)), np.ones((1, 12)), 20_000, generator())[0]
    for lag in (1, 5):
        expected, actual = (np.corrcoef(x[:, 0], x[:, lag])[0, 1] for x in (errors, paths))
        assert actual == pytest.approx(expected, abs=0.04)
    total = np.quantile(paths.sum(1), (0.1, 0.9))
    np.testing.assert_allclose(total, np.quantile(errors.sum(1), (0.1, 0.9)), rtol=0.12)


def common_errors(series, dates, steps, rho, seed=0):
    """Errors of forecasts from each date, with correlation rho between series; the last axis is the step."""
    rng = generator(seed)
    shared, own = rng.normal(size=(1, dates, steps)), rng.normal(size=(series, dates, steps))
    return np.sqrt(rho) * shared + np.sqrt(1 - rho) * own


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.7])
def test_the_correlation_between_series_is_estimated(rho):
    errors = common_errors(10, 400, 3, rho)
    series, times = (index.ravel() for index in np.indices(errors.shape[:2]))
    flat, spreads = errors.reshape(-1, 3), np.ones((4000, 1))
    calibration = Calibration.of(flat, spreads, 400, 10, origins=Origins(series, times))
    assert calibration.rho == pytest.approx(rho, abs=0.06)
    wild = np.where(generator(3).random(flat.shape) < 0.002, 1e6, flat)  # few outliers do not decide
    assert Calibration.of(wild, spreads, 400, 10, origins=Origins(series, times)).rho == pytest.approx(rho, abs=0.08)
    assert Calibration.of(flat, spreads, 400, 10).rho == 0
    assert Calibration.of(flat, spreads, 400, 10, origins=Origins(0 * series, times)).rho == 0


def test_one_factor_makes_a_normal_common_to_all_series():
    """With one step the copula alone decides: the correlation of normal scores of the paths is rho."""
    calibration = Calibration(0.0, np.sort(walks().ravel()), walks()[:, :1], SPAN, 3, profile=np.ones(1), rho=0.5)
    paths = calibration.paths(np.zeros((3, 1)), np.ones((3, 1)), 20_000, generator())[..., 0]
    np.testing.assert_allclose(np.corrcoef(paths)[np.triu_indices(3, 1)], 0.5, atol=0.03)


def test_series_are_correlated_at_each_step_and_steps_as_the_errors():
    calibration = replace(Calibration.of(walks(), np.ones((400, 1)), SPAN), rho=0.6)
    first, second = calibration.paths(np.zeros((2, 12)), np.ones((2, 12)), 20_000, generator())
    for step in (0, 5, 11):
        assert np.corrcoef(first[:, step], second[:, step])[0, 1] == pytest.approx(0.6, abs=0.04)
    for lag in (1, 5):
        expected, actual = (np.corrcoef(x[:, 0], x[:, lag])[0, 1] for x in (walks(), first))
        assert actual == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_the_interval_of_a_sum_over_series_has_its_nominal_coverage(rho):
    """Weekly totals of ten series; independent paths cover 0.4 of the totals at rho = 0.6."""
    errors = common_errors(10, 600, 7, rho)
    series, times = (index.ravel() for index in np.indices((10, 300)))
    known = errors[:, :300].reshape(-1, 7)
    calibration = Calibration.of(known, np.ones((3000, 1)), 300, 10, origins=Origins(series, times))
    paths = calibration.paths(np.zeros((10, 7)), np.ones((10, 7)), 5000, generator())
    low, high = np.quantile(paths.sum(axis=(0, 2)), (0.1, 0.9))
    totals = errors[:, 300:].sum(axis=(0, 2))
    assert ((low <= totals) & (totals <= high)).mean() == pytest.approx(0.8, abs=0.07)


def test_each_path_takes_the_ranks_of_a_whole_error():
    errors = np.array([[1.0, 20.0], [-3.0, 40.0], [2.0, -50.0]])
    drawn = path_probabilities(errors, (1, 500, 5), 0.0, generator())[0]
    ranks = (3 * drawn).astype(int)
    rows = {(1, 1), (0, 2), (2, 0)}
    for block in (ranks[:, :2], ranks[:, 2:4]):
        assert {tuple(row) for row in block.tolist()} == rows
    assert set(ranks[:, 4]) == {0, 1, 2}  # the horizon ends in the middle of the third
    np.testing.assert_allclose(3 * drawn[:, 0] % 1, 3 * drawn[:, 1] % 1, rtol=1e-6)  # one position within the rank


def test_paths_depend_on_the_seed():
    calibration = Calibration.of(walks(), np.ones((400, 1)), SPAN)
    mean, spreads = np.zeros((2, 4)), np.ones((2, 4))
    first, repeated, other = (calibration.paths(mean, spreads, 50, generator(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, repeated)
    assert (first != other).any()


def test_paths_do_not_depend_on_the_number_of_values_together(monkeypatch):
    calibration = replace(Calibration.of(walks(), np.ones((400, 1)), SPAN), rho=0.5)
    mean, spreads = np.arange(12.0).reshape(3, 4), np.ones((3, 4))
    together = calibration.paths(mean, spreads, 50, generator())
    monkeypatch.setattr(calibration_file, "MOST_TOGETHER", 1)
    np.testing.assert_array_equal(calibration.paths(mean, spreads, 50, generator()), together)


# ------------------------------------------------------------------------------------------------- earlier files


def test_earlier_paths_consist_of_whole_errors():
    known = np.array([[1.0, 2.0], [-3.0, 4.0]])
    calibration = Calibration(0.0, np.array([1.0, 2.0, 3.0, 4.0]), known, SPAN)
    paths = calibration.paths(np.full((1, 5), 100.0), np.full((1, 5), 10.0), 200, generator())[0]
    errors = (paths - 100) / 10
    rows = {tuple(row) for row in known.tolist()}
    for block in (errors[:, :2], errors[:, 2:4]):
        assert {tuple(row) for row in block.round(9).tolist()} == rows
    assert set(errors[:, 4].round(9)) == {1.0, -3.0}  # the horizon ends in the middle of the third


def test_earlier_paths_depend_on_the_seed_and_grow():
    calibration = Calibration(0.5, np.arange(1.0, 10.0), NO_PATHS, SPAN)  # no complete forecast
    mean, spreads = np.zeros((2, 4)), np.ones((2, 4))
    first, repeated, other = (calibration.paths(mean, spreads, 50, generator(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, repeated)
    assert (first != other).any()
    np.testing.assert_allclose(np.abs(first).max(axis=(0, 1)), 7 * np.sqrt([1, 2, 3, 4]))  # the seventh of nine is 68 %


@pytest.mark.parametrize(("shared", "low", "high"), [(0.0, 0.0, 0.1), (0.5, 0.35, 0.65)])
@pytest.mark.parametrize("skewed", [False, True])
def test_the_mean_of_skewed_errors_is_no_correlation(skewed, shared, low, high):
    generator, series, times = np.random.default_rng(0), 12, 80
    normal = np.sqrt(shared) * generator.normal(size=times) + np.sqrt(1 - shared) * generator.normal(
        size=(series, times)
    )
    errors = np.exp(0.8 * normal) - 1 if skewed else normal  # the median is 0
    origins = Origins(np.repeat(np.arange(series), times), np.tile(np.arange(times), series))
    assert low <= correlation(errors.reshape(-1, 1), origins) <= high
