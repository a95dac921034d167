"""Counts: means, dispersions and coverage on generated series of negative binomial counts."""

import numpy as np
import pandas as pd
import pytest

from gatewise.forecast.conformal.negative_binomial import quantiles
from gatewise.forecast.limits import Limits
from gatewise.forecast.model.counts import Counts, describe, intermittent_ends
from gatewise.series import Series

H, SEASON, PAST = 28, 7, 300
PATTERN = np.array([1.9, 1.6, 1.3, 1.0, 0.7, 0.3, 0.2])


def generated(count=200, dispersion=1.0, pattern=PATTERN, rates=(0.1, 1.0), seed=0, size=PAST + H):
    """Values (count, size) and their means."""
    generator = np.random.default_rng(seed)
    means = np.geomspace(*rates, count)[:, None] * pattern[np.arange(size) % SEASON]
    noise = generator.gamma(1 / dispersion, dispersion, means.shape) if dispersion else 1.0
    return generator.poisson(means * noise).astype(float), means


def panel(values, **options):
    ds = pd.date_range("2024-01-01", periods=values.shape[1], freq="D")
    return [Series(k, ds, y, **options) for k, y in enumerate(values)]


def counts_of(values, cut=PAST, season=SEASON, **options):
    size = len(values)
    return Counts.of(panel(values), np.arange(size), np.full(size, cut), H, season, **options)


@pytest.mark.parametrize("dispersion", [0.0, 1.0])
def test_means_and_dispersions_are_those_of_the_generated_series(dispersion):
    values, means = generated(dispersion=dispersion)
    counts = counts_of(values)
    assert len(counts.rows) > 190
    truth = means[counts.rows, PAST:]
    assert counts.mean.sum() == pytest.approx(truth.sum(), rel=0.03)
    by_day = (counts.mean / truth).reshape(-1, 4, 7).mean((0, 1))
    np.testing.assert_allclose(by_day, 1.0, atol=0.15)
    assert np.median(counts.dispersion) == pytest.approx(dispersion, abs=0.2)


def test_factors_without_a_pattern_are_near_one_and_do_not_change_the_sum_over_a_season():
    values, _ = generated(pattern=np.ones(7))
    counts, plain = counts_of(values), counts_of(values, season=1)
    np.testing.assert_allclose(counts.mean[:, :7].sum(1), plain.mean[:, :7].sum(1), rtol=1e-12)
    assert (counts.mean / plain.mean).std() < 0.15


@pytest.mark.parametrize("dispersion", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("together", [True, False])
def test_coverage_of_steps_and_of_sums(dispersion, together):
    values, _ = generated(count=250, dispersion=dispersion, seed=1)
    generator, inside, positions = np.random.default_rng(0), [], []
    for part in [values] if together else values[:, None]:
        counts = counts_of(part)
        truth = part[:, PAST:]
        lower, upper = counts.bounds((truth, truth), 80)
        inside.append(((lower <= truth) & (truth <= upper))[counts.rows])
        sums = counts.paths(np.zeros((len(part), 400, H)), generator).sum(2)
        total = truth.sum(1)[:, None]
        positions.append(((sums < total).mean(1) + (sums == total).mean(1) / 2)[counts.rows])
    position = np.concatenate(positions)  # of the sum among those of the paths, uniform if the paths are right
    assert 0.75 <= ((position >= 0.1) & (position <= 0.9)).mean() <= 0.85
    assert 0.8 <= np.concatenate(inside).mean() <= 0.97  # counts are few, so that intervals cover more


def test_quantiles_are_those_of_the_paths():
    values, _ = generated(count=5, rates=(0.5, 0.9))
    counts = counts_of(values)
    paths = counts.paths(np.zeros((5, 20_000, H)), np.random.default_rng(0))[counts.rows]
    for probability in (0.5, 0.9, 0.975):
        result = counts.quantile(np.zeros((5, H)), probability)[counts.rows, None]
        assert ((paths <= result).mean(1) >= probability - 0.01).all()
        assert ((paths <= result - 1).mean(1) <= probability + 0.01).all()
    np.testing.assert_allclose(paths.mean((1, 2)), counts.mean.mean(1), rtol=0.03)


def test_only_values_before_the_cut_count():
    values, _ = generated(count=10)
    later = values.copy()
    later[:, 200:] += 50
    expected, result = counts_of(values, cut=200), counts_of(later, cut=200)
    for name in ("rows", "mean", "dispersion", "uncertainty"):
        np.testing.assert_array_equal(getattr(result, name), getattr(expected, name))


def test_windows_of_other_dates_do_not_change_the_estimates():
    values, _ = generated(count=4)
    which, cuts = np.repeat(np.arange(4), 3), np.tile([150, 200, 250], 4)
    counts = Counts.of(panel(values), which, cuts, H, SEASON)
    np.testing.assert_array_equal(counts.rows, np.arange(12))
    for k, cut in enumerate((150, 200, 250)):
        np.testing.assert_allclose(counts.mean[k::3], counts_of(values, cut=cut).mean, rtol=1e-12)


def test_other_series_and_closed_shops_keep_their_forecasts():
    values, _ = generated(count=3, rates=(0.5, 0.9))
    values[0] += 3
    values[1, 150:] = 0
    counts = counts_of(values)
    assert counts.rows.tolist() == [2]
    forecast = np.full((3, H), -1.5)
    np.testing.assert_array_equal(counts.point(forecast)[:2], -1.5)
    assert counts.bounds((forecast, forecast), 80)[1][:2].max() == -1.5
    assert (forecast == -1.5).all()
    nothing = Counts()
    assert nothing.point(forecast) is forecast
    assert nothing.paths(forecast[:, None], np.random.default_rng(0)).base is forecast


@pytest.mark.parametrize("filling", [99.0, 0.5, np.nan])
def test_filled_values_count_neither_for_means_nor_for_dispersions(filling):
    values, _ = generated(count=3, rates=(0.5, 0.9), pattern=np.ones(7))
    filled = np.zeros(PAST + H, bool)
    filled[100:135] = True
    spoiled = np.where(filled, filling, values)
    which, cuts = np.arange(3), np.full(3, PAST)
    counts = Counts.of(panel(spoiled, filled=filled), which, cuts, H, 7)
    without = counts_of(np.delete(values, np.arange(100, 135), axis=1), cut=PAST - 35)
    for name in ("mean", "dispersion", "uncertainty"):
        np.testing.assert_allclose(getattr(counts, name), getattr(without, name), rtol=1e-12)


def test_limits_hold():
    values, _ = generated(count=5, rates=(0.5, 0.9))
    counts = counts_of(values, limits=Limits(lower=0, upper=1, integer=True))
    empty = np.zeros((5, H))
    assert set(np.unique(counts.point(empty))) <= {0.0, 1.0}
    assert counts.bounds((empty, empty), 99)[1].max() == 1.0
    assert counts.paths(np.zeros((5, 10, H)), np.random.default_rng(0)).max() == 1.0


def test_long_pasts_short_pasts_and_large_counts_give_finite_estimates():
    values, _ = generated(count=3, size=3000, rates=(0.1, 0.9))
    values[0] *= 1e6
    values[1, :2000] = 0
    for cut, season in ((25, 1), (60, 52), (60, 100_000), (2970, 7), (2970, 365)):
        counts = counts_of(values, cut=cut, season=season)
        for estimate in (counts.mean, counts.dispersion, counts.uncertainty):
            assert np.isfinite(estimate).all()
            assert (estimate >= 0).all()
        assert np.isfinite(counts.quantile(np.zeros((3, H)), 0.999)).all()
        assert np.isfinite(counts.paths(np.zeros((3, 5, H)), np.random.default_rng(0))).all()


def test_the_description_names_the_first_series():
    values, _ = generated(count=3, rates=(0.5, 0.9))
    values[0] += 3
    series = panel(values)
    ends = intermittent_ends(series, SEASON)
    (sentence,) = describe(series, *ends, integer=False)
    interval = values.shape[1] / np.count_nonzero(values[1])
    assert sentence == (
        f"intermittent: 2 of 3 series (ADI {interval:.1f} for '1'); their forecasts are mean demands of Croston's "
        "method, their intervals those of a negative binomial distribution"
    )
    assert "Croston's method (rounded, because of integer=True), their" in describe(series, *ends, integer=True)[0]
    assert describe(series[:1], *intermittent_ends(series[:1], SEASON), integer=False) == ()


def test_quantiles_include_the_uncertainty_of_the_rate():
    counts = Counts(np.array([0]), np.array([[3.0]]), np.array([0.5]), np.array([0.2]))
    expected = quantiles(np.array([[3.0]]), np.array([0.8]), 0.9)
    np.testing.assert_array_equal(counts.quantile(np.zeros((1, 1)), 0.9), expected)


def test_the_steps_of_a_path_share_its_rate():
    mean, dispersion, uncertainty = np.array([[0.5, 3.0]]), 0.8, 0.3
    counts = Counts(np.array([1]), mean, np.array([dispersion]), np.array([uncertainty]))
    paths = counts.paths(np.full((2, 200_000, 2), 7.5), np.random.default_rng(2))
    assert (paths[0] == 7.5).all()
    variances = mean[0] + ((1 + dispersion) * (1 + uncertainty) - 1) * mean[0] ** 2
    np.testing.assert_allclose(paths[1].mean(0), mean[0], rtol=0.01)
    np.testing.assert_allclose(paths[1].var(0), variances, rtol=0.03)
    assert paths[1].sum(1).var() == pytest.approx(variances.sum() + 2 * uncertainty * mean.prod(), rel=0.03)
