"""Intermittent: a test for series of counts that are mostly zero, such as the daily sales of a slow-moving article.

The average interval between demands (ADI) is the number of values divided by the number of those above zero. From 1.32
on, methods for intermittent demand have smaller errors (Syntetos, Boylan and Croston 2005). Zeros that the season or
the previous value predict, such as those of closed hours or of a machine that is switched off, do not count as
intermittent: a regular method forecasts them. Nor do demands of many units each, or with an outlier: a distribution of
counts does not describe them. Many zeros before the first demand were before the launch of an article.

Letters: `W` test windows, `B` windows of a block, `N` values of the longest past, `m` steps of a season.

Reference: A. A. Syntetos, J. E. Boylan, J. D. Croston, On the categorization of demand patterns, Journal of the
Operational Research Society 56(5), 2005.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gatewise.forecast.baselines.windows import Pasts, Values
from gatewise.series import Series

SHORTEST_INTERVAL = 1.32  # average interval between demands
LONGEST, MOST_SEASONS = 1000, 5  # values of a past: whichever is more
FEWEST_VALUES, FEWEST_DEMANDS = 20, 5
FEWEST_ZEROS = FEWEST_VALUES * (1 - 1 / SHORTEST_INTERVAL)
LARGEST = 1e9  # larger values are no counts
LATE = 5  # average intervals between demands: the zeros before a launch are more
MISFIT = 0.2  # largest difference of the fraction of zeros from that of a negative binomial distribution
SMALLEST_DISPERSION = 1e-6  # almost a Poisson distribution
PREDICTABLE = 0.5  # fraction of the variance of the demand occasions that the season explains; autocorrelation
TINY = 1e-12  # in place of the variance of a constant


def longest_past(season: int) -> int:
    """The number of last values that describe the demand."""
    return max(LONGEST, MOST_SEASONS * season)


def demand_intervals(series: Sequence[Series], which: np.ndarray, cuts: np.ndarray, season: int) -> np.ndarray:
    """The average intervals between the demands of intermittent series, in the last 1,000 values or five seasons.

    Arguments:
        series: the series of all windows.
        which: (W,) positions in `series`.
        cuts: (W,) number of known values. Filled values are not observed.
        season: m, steps; 1 for none.

    Returns:
        (W,) in steps; NaN where the series is not intermittent.

    >>> sales = np.random.default_rng(0).poisson(0.4, 60).astype(float)
    >>> slow, busy = Series("A", np.arange(60), sales), Series("B", np.arange(60), sales + 1)
    >>> demand_intervals([slow, busy], np.array([0, 0, 1]), np.array([15, 60, 60]), season=1).round(2).tolist()
    [nan, 2.4, nan]
    """
    intervals = np.full(len(cuts), np.nan)
    zeros = {k: len(series[k]) - np.count_nonzero(series[k].y) for k in np.unique(which).tolist()}
    rows = np.flatnonzero([zeros[k] >= FEWEST_ZEROS for k in which.tolist()])  # the quick check for most series
    if len(rows):
        values = Values.of(series, which[rows])
        for block, pasts in values.blocks(which[rows], cuts[rows], longest_past(season)):
            intervals[rows[block]] = _intervals(pasts, season)
    return intervals


def _intervals(pasts: Pasts, season: int) -> np.ndarray:
    """(B,) the average intervals between demands; NaN where a past is not intermittent."""
    pasts = launched(pasts)
    y, observed = pasts.values, pasts.observed
    demand = observed & (y != 0)
    n, demands = observed.sum(1), demand.sum(1)
    intermittent = (n >= FEWEST_VALUES) & (demands >= FEWEST_DEMANDS) & (n >= SHORTEST_INTERVAL * demands)
    intermittent &= (~observed | ((y >= 0) & (y <= LARGEST) & (y == np.rint(y)))).all(1)
    away = np.where(observed, demand - (demands / np.maximum(n, 1))[:, None], 0.0)
    intermittent &= ~_predictable(pasts, away, n, season)
    intermittent[intermittent] = _are_counts(y[intermittent], observed[intermittent])
    return np.where(intermittent, n / np.maximum(demands, 1), np.nan)


def launched(pasts: Pasts) -> Pasts:
    """The pasts without the zeros before the launch of an article: those before the first demand, if they are many.

    >>> past = np.array([[0.0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1], [0.0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]])
    >>> pasts = Pasts(past, np.ones((2, 12), bool), np.full(2, 12), np.zeros(2), np.zeros(2))
    >>> launched(pasts).observed.sum(1).tolist()
    [4, 12]
    """
    demand = pasts.observed & (pasts.values != 0)
    before = demand.cumsum(1) == 0
    zeros, rest = (pasts.observed & before).sum(1), (pasts.observed & ~before).sum(1)
    late = zeros > LATE * rest / np.maximum(demand.sum(1), 1)
    return replace(pasts, observed=pasts.observed & ~(before & late[:, None]))


def _are_counts(y: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """(B,) whether negative binomial distributions with the mean and variance of values (B, N) have as many zeros."""
    n = observed.sum(1)
    mean = np.where(observed, y, 0.0).sum(1) / n
    variance = np.where(observed, (y - mean[:, None]) ** 2, 0.0).sum(1) / n
    dispersion = np.maximum((variance - mean) / mean**2, SMALLEST_DISPERSION)
    zeros = np.exp(-np.log1p(dispersion * mean) / dispersion)
    return np.asarray(np.abs(zeros - (observed & (y == 0)).sum(1) / n) <= MISFIT)


def _predictable(pasts: Pasts, away: np.ndarray, n: np.ndarray, season: int) -> np.ndarray:
    """(B,) whether the previous value or the season explains at which of n (B,) values there is a demand.

    `away` (B, N) is the difference between whether there is a demand, 0 or 1, and its mean.
    """
    variance = np.maximum((away**2).sum(1), TINY)
    predictable = (away[:, 1:] * away[:, :-1]).sum(1) > PREDICTABLE * variance
    if season == 1 or away.shape[1] <= 2 * season:
        return np.asarray(predictable)
    phases = (pasts.starts[:, None] + np.arange(away.shape[1])) % season
    places, shape = (np.arange(len(away))[:, None] * season + phases).ravel(), (len(away), season)
    sums, counts = (
        np.bincount(places, part.ravel(), len(away) * season).reshape(shape) for part in (away, pasts.observed)
    )
    explained = (sums**2 / np.maximum(counts, 1)).sum(1) / variance
    adjusted = 1 - (1 - explained) * (n - 1) / np.maximum(n - season, 1)  # for the number of phases
    return np.asarray(predictable | ((n > 2 * season) & (adjusted > PREDICTABLE)))
