"""Quantiles of the negative binomial distribution: against scipy, closed forms and a bound."""

import numpy as np
import pytest
from scipy import stats

from gatewise.forecast.conformal.negative_binomial import quantiles

PROBABILITIES = (0.001, 0.025, 0.1, 0.5, 0.9, 0.975, 0.999)


def scipy_quantile(mean, dispersion, probability):
    if dispersion == 0:
        return stats.poisson(mean).ppf(probability)
    return stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean)).ppf(probability)


@pytest.mark.parametrize("dispersion", [0.0, 1e-9, 0.01, 0.5, 2.0, 20.0])
def test_small_means_agree_with_scipy(dispersion):
    means = np.array([[1e-6, 0.01, 0.3], [2.0, 30.0, 99.0]])
    for probability in PROBABILITIES:
        expected = scipy_quantile(means, dispersion, probability)
        result = quantiles(means, np.array(dispersion), probability)
        np.testing.assert_allclose(result, expected, rtol=0.002)
        np.testing.assert_array_equal(result[expected < 1000], expected[expected < 1000])


@pytest.mark.parametrize("dispersion", [0.0, 0.01, 0.5, 2.0])
def test_large_means_are_close_to_scipy(dispersion):
    means = np.array([101.0, 500.0, 1e4, 1e6])
    for probability in PROBABILITIES:
        expected = scipy_quantile(means, dispersion, probability)
        assert (np.abs(quantiles(means, np.array(dispersion), probability) - expected) <= 2 + 1e-3 * expected).all()


def test_a_dispersion_of_one_is_the_geometric_distribution():
    means = np.array([0.2, 1.0, 7.0])
    expected = np.ceil(np.log(0.1) / np.log(means / (1 + means))) - 1
    np.testing.assert_array_equal(quantiles(means, np.ones(3), 0.9), expected)


def test_extreme_distributions_are_finite():
    means, dispersions = np.meshgrid([0.0, 1e-300, 1.0, 99.0, 1e9, 1e15], [0.0, 1e-12, 1.0, 1e6])
    for probability in (1e-9, 0.5, 1 - 1e-9):
        result = quantiles(means, dispersions, probability)
        assert np.isfinite(result).all()
        assert (result >= 0).all()
        assert (result == np.rint(result)).all()
