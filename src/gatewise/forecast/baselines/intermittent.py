"""Intermittent: a test for series of counts that are mostly zero, such as the daily sales of a slow-moving article.

The average interval between demands (ADI) is the number of values divided by the number of those above zero. From 1.32
on, methods for intermittent demand have smaller errors (Syntetos, Boylan and Croston 2005). Zeros that the season or
the previous value predict, such as those of closed hours or of a machine that is switched off, do not count as
intermittent: a regular method forecasts them.

Letters: `T` values of a series, `W` test windows, `m` steps of a season.

Reference: A. A. Syntetos, J. E. Boylan, J. D. Croston, On the categorization of demand patterns, Journal of the
Operational Research Society 56(5), 2005.
"""

from collections.abc import Sequence

import numpy as np

from gatewise.forecast.baselines.windows import grouped
from gatewise.series import Series

SHORTEST_INTERVAL = 1.32  # average interval between demands
LONGEST, MOST_SEASONS = 1000, 5  # values of a past: whichever is more
FEWEST_VALUES, FEWEST_DEMANDS = 20, 5
FEWEST_ZEROS = FEWEST_VALUES * (1 - 1 / SHORTEST_INTERVAL)
LARGEST = 1e9  # larger values are no counts
PREDICTABLE = 0.5  # fraction of the variance of the demand occasions that the season explains; autocorrelation


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
    for k, rows in grouped(which):
        if len(series[k]) - np.count_nonzero(series[k].y) < FEWEST_ZEROS:  # the quick check for most series
            continue
        for row in rows.tolist():
            intervals[row] = _interval(series[k], int(cuts[row]), season)
    return intervals


def _interval(series: Series, cut: int, season: int) -> float:
    """The average interval between demands of the first values of a series; NaN if they are not intermittent."""
    steps = np.arange(max(0, cut - longest_past(season)), cut)
    if series.filled is not None:
        steps = steps[~series.filled[steps]]
    y = series.y[steps]
    demands = np.count_nonzero(y)
    if len(y) < FEWEST_VALUES or demands < FEWEST_DEMANDS or len(y) < SHORTEST_INTERVAL * demands:
        return np.nan
    if not (y.min() >= 0 and y.max() <= LARGEST) or (y != np.rint(y)).any() or _predictable(y > 0, steps, season):
        return np.nan
    return len(y) / demands


def _predictable(demand: np.ndarray, steps: np.ndarray, season: int) -> bool:
    """Whether the previous value or the season explains at which steps (T,) there is a demand (T,)."""
    n, fraction = len(demand), demand.mean()
    away = demand - fraction
    variance = float(away @ away)
    if float(away[1:] @ away[:-1]) > PREDICTABLE * variance:
        return True
    if season == 1 or n <= 2 * season:
        return False
    phases = steps % season
    counts, sums = np.bincount(phases, minlength=season), np.bincount(phases, away, minlength=season)
    explained = float((sums**2 / np.maximum(counts, 1)).sum()) / variance
    return 1 - (1 - explained) * (n - 1) / (n - season) > PREDICTABLE  # adjusted for the number of phases
