"""Negative binomial: quantiles of counts with a mean and a dispersion.

The variance is mean + dispersion mean²; a dispersion of 0 is the Poisson distribution.

    P(0) = (1 + d m)^(-1 / d),   P(k + 1) = P(k) m (1 + d k) / ((k + 1) (1 + d m))

Large means use the gamma distribution of the same mean and variance, so that time and memory are bounded.

Reference: N. L. Johnson, A. W. Kemp, S. Kotz, Univariate discrete distributions, 3rd edition 2005, chapter 5.
"""

import numpy as np
import torch

LARGEST_MEAN, MOST_STEPS = 100.0, 1000  # up to which probabilities are added
HALVINGS = 80
ROUNDING = 1e-12


def quantiles(mean: np.ndarray, dispersion: np.ndarray, probability: float) -> np.ndarray:
    """The smallest counts that are not exceeded with at least a probability.

    Arguments:
        mean: of any shape, not negative.
        dispersion: of a shape that broadcasts to it, not negative.
        probability: between 0 and 1.

    Returns:
        Whole numbers in the shape of the mean.

    >>> quantiles(np.array([0.3, 3.0, 1e6]), np.array([0.0, 1.0, 0.0]), 0.9).tolist()
    [1.0, 8.0, 1001282.0]
    """
    means = np.ravel(mean).astype(float)
    dispersions = np.broadcast_to(dispersion, np.shape(mean)).ravel()
    result = _added(means, dispersions, probability)
    left = np.flatnonzero(np.isnan(result))
    if len(left):
        result[left] = _approximate(means[left], dispersions[left], probability)
    return result.reshape(np.shape(mean))


def _added(mean: np.ndarray, dispersion: np.ndarray, probability: float) -> np.ndarray:
    """Quantiles (N,) by adding probabilities; NaN where the mean or the quantile is large."""
    result = np.full(len(mean), np.nan)
    rows = np.flatnonzero(mean <= LARGEST_MEAN)
    m, d = mean[rows], dispersion[rows]
    mass = np.exp(-np.where(d > 0, np.log1p(d * m) / np.where(d > 0, d, 1.0), m))
    total = mass.copy()
    for k in range(MOST_STEPS):
        below = total < probability - ROUNDING
        result[rows[~below]] = k
        rows, m, d, mass, total = (part[below] for part in (rows, m, d, mass, total))
        if not len(rows):
            break
        mass = mass * (m * (1 + d * k)) / ((k + 1) * (1 + d * m))
        total = total + mass
    return result


def _approximate(mean: np.ndarray, dispersion: np.ndarray, probability: float) -> np.ndarray:
    """Quantiles (N,) of the gamma distribution, by bisection below the bound of Cantelli's inequality."""
    relative = 1 / mean + dispersion  # variance / mean²
    shape = torch.from_numpy(1 / relative)
    low = torch.zeros_like(shape)
    high = shape + torch.sqrt(shape * (probability / (1 - probability)))  # in units of mean / shape
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = torch.special.gammainc(shape, middle) < probability
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    counts: np.ndarray = np.maximum(np.ceil(high.numpy() * mean * relative - 0.5), 0.0)
    return counts
