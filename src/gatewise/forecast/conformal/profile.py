"""The profile g_k: how the errors grow with the step, beyond what the spreads say.

Letters: `h` horizon, `O` cutoffs of the validation forecasts, `K` steps of each.

A growth k^b is fitted to all steps by regularised least squares, with the prior b = 0.5 (a random walk), or 0 if the
network outputs a spread for each step. The errors at each step then correct it: the log ratio of their mean to the
growth is smoothed over neighbouring steps, and shrunk to 0 where there are few.
"""

import numpy as np

RANDOM_WALK = 0.5
GROWTH_WEIGHT = 6.0  # of the prior growth: that of about 12 steps (the sum of squares of the centred log steps)
PRIOR_SIZE = 10.0  # independent errors at a step that count as much as the growth
BANDWIDTH = 0.3  # of the smoothing over log steps: less than half a doubling, so that step 1 stands almost alone


def fit_growth(sizes: np.ndarray, prior: float, weight: float) -> float:
    """The exponent b: the slope of log mean size over log step, by least squares with a weight for the prior slope.

    Arguments:
        sizes: (O, K) absolute errors in units of their spreads, NaN where unknown.
        prior: the slope without errors.
        weight: of the prior.
    """
    means = _means(sizes)
    known = means > 0
    if known.sum() < 2:
        return prior
    x, y = np.log(np.arange(1, len(means) + 1)[known]), np.log(means[known])
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x @ y + weight * prior) / (x @ x + weight), 0, 1))


def fit_profile(sizes: np.ndarray, growth: float, counts: np.ndarray) -> np.ndarray:
    """The profile (K,) of sizes (O, K); counts (K,) are the independent errors behind each step.

    >>> fit_profile(np.array([[1.0, 2.0, 3.0]] * 4), 1.0, np.full(3, 4.0)).round(3).tolist()
    [1.0, 2.0, 3.0]
    """
    steps = np.log(np.arange(1, sizes.shape[1] + 1))
    means = _means(sizes)
    counts = np.where(means > 0, counts, 0.0)
    if not counts.any():
        return np.exp(growth * steps)
    ratios = np.log(np.where(means > 0, means, 1.0)) - growth * steps
    ratios = np.where(means > 0, ratios - np.average(ratios, weights=counts), 0.0)
    kernel = np.exp(-0.5 * ((steps[:, None] - steps) / BANDWIDTH) ** 2)
    profile: np.ndarray = np.exp(growth * steps + kernel @ (counts * ratios) / (kernel @ counts + PRIOR_SIZE))
    return profile


def extended(profile: np.ndarray, growth: float, horizon: int) -> np.ndarray:
    """The profile (h,) for h steps: beyond its end it grows as k^b."""
    steps, last = np.arange(1, horizon + 1), len(profile)
    beyond = np.maximum(steps / last, 1.0) ** growth
    ahead: np.ndarray = profile[np.minimum(steps, last) - 1] * beyond
    return ahead


def non_decreasing(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The non-decreasing values that are closest in weighted least squares, by pooling adjacent violators.

    Reference: Barlow, Bartholomew, Bremner and Brunk, Statistical inference under order restrictions, 1972.

    >>> non_decreasing(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4)).tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, size
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, before, size = pools.pop()
            total = before + pool[1]
            pool = ((mean * before + pool[0] * pool[1]) / total, total, size + pool[2])
        pools.append(pool)
    return np.repeat([mean for mean, _, _ in pools], [size for _, _, size in pools])


def _means(sizes: np.ndarray) -> np.ndarray:
    """(K,) the mean of the known sizes of each step, 0 where there is none."""
    counts = (~np.isnan(sizes)).sum(axis=0)
    means: np.ndarray = np.where(counts > 0, np.nansum(sizes, axis=0) / np.maximum(counts, 1), 0.0)
    return means
