"""G, the quantile function of the validation distances.

Letters: `N` distances, `n` their effective sample size.

Quantiles are taken at (n + 1) / n times the level; above 100 %, a normal distribution extrapolates the largest
distance.
"""

from statistics import NormalDist

import numpy as np

SKEW_SIZE = 30.0  # independent errors for which an interval is half symmetric, half one quantile on each side
TAIL = 1.5  # largest distance, in units of the expected largest one of n normal distances with the same 80 % quantile

_inverse = np.vectorize(NormalDist().inv_cdf, otypes=[float])


def absolute_quantiles(distances: np.ndarray, n: float, levels: np.ndarray) -> np.ndarray:
    """The distance that an absolute error exceeds with probability 1 - level, for levels from 0 to 1.

    Arguments:
        distances: (N,) sorted, from 0.
        n: effective sample size.
        levels: any shape.
    """
    return _extrapolated(distances, n, levels, one_sided=False)


def signed_quantiles(distances: np.ndarray, n: float, levels: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """G for sorted signed distances (N,): the bounds of intervals of levels from 0 to 1, 0 for level 0.

    On each side of the forecast, it is the weighted mean of the absolute distance and the signed distance. The weight
    of the latter is n / (n + 30): few errors say little about skewness.

    Arguments:
        distances: (N,).
        n: effective sample size.
        levels: any shape.
        sides: same shape; -1 for the lower bound, 1 for the upper one, 0 for the forecast.

    >>> signed_quantiles(np.array([-1.0, 1.0, 4.0]), 1e9, np.array([0.98, 0.98]), np.array([-1, 1])).round(3).tolist()
    [-1.0, 4.0]
    """
    symmetric = absolute_quantiles(np.sort(np.abs(distances)), n, levels)
    above = _extrapolated(distances, n, levels, one_sided=True).clip(0)
    below = _extrapolated(-distances[::-1], n, levels, one_sided=True).clip(0)
    weight = n / (n + SKEW_SIZE)
    quantiles: np.ndarray = sides * ((1 - weight) * symmetric + weight * np.where(sides > 0, above, below))
    return quantiles


def limited(distances: np.ndarray, n: float) -> np.ndarray:
    """Distances (N,), NaN where unknown, limited so that none of the largest N / n decides the width of an interval.

    The limit is 1.5 times the largest distance that n normal errors with the same 80 % quantile are expected to have,
    but at least the (1 - 1/n)-quantile of the absolute distances.
    """
    sizes = np.abs(distances[~np.isnan(distances)])
    if not len(sizes) or not (typical := np.quantile(sizes, 0.8)) > 0:
        return distances
    tail = TAIL * normal_quantile(n / (n + 1)) / normal_quantile(0.8)
    limit = max(tail * typical, float(np.quantile(sizes, max(0.0, 1 - 1 / n))))
    return np.asarray(np.clip(distances, -limit, limit))


def normal_quantile(level: float) -> float:
    """The number of standard deviations that a normal error does not exceed with the given probability."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def _extrapolated(distances: np.ndarray, n: float, levels: np.ndarray, *, one_sided: bool) -> np.ndarray:
    """Quantiles of sorted distances at (n + 1) / n times the levels; one-sided ones leave (1 - level) / 2 above."""
    count = len(distances)
    adjusted = (n + 1) / n * levels
    ranks = ((1 + adjusted) / 2 if one_sided else adjusted) * count
    quantiles: np.ndarray = distances[np.ceil(ranks - 1e-9).clip(1, count).astype(int) - 1]  # minus rounding error
    if (beyond := adjusted > 1).any():
        quantiles[beyond] *= _inverse(0.5 + levels[beyond] / 2) / normal_quantile(n / (n + 1))
    return quantiles
