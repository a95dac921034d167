"""Constant ends: a series that has stopped to change, such as the sales of a shop that has closed.

The network has learnt from other times and expects the series to move. If the last values are all equal, for longer
than ever before, the forecast is that value, and its intervals have no width: what would end the standstill is not in
the series.
"""

from collections.abc import Sequence

import numpy as np

from gatewise.forecast.baselines import grouped
from gatewise.series import Series
from gatewise.series.wording import counted, format_date

FEWEST, SEASONS, MOST = 8, 2, 48  # equal values that count: two seasons, but at least 8 and at most 48
TIMES = 2  # as long as the longest earlier run of equal values


def constant_ends(series: Sequence[Series], which: np.ndarray, cuts: np.ndarray, season: int) -> np.ndarray:
    """The values before the cuts at which series have stopped to change.

    Arguments:
        series: the series of all windows.
        which: (W,) positions in `series`.
        cuts: (W,) number of known values.
        season: steps of a season, 1 for none.

    Returns:
        (W,), NaN where the series still changes.

    >>> shop = Series("A", np.arange(20), np.array([3.0, 1, 2, 2, 4, 1, 3, 2, 5, 1, *[0.0] * 10]))
    >>> constant_ends([shop], np.array([0, 0]), np.array([12, 20]), season=1).tolist()
    [nan, 0.0]
    """
    values = np.full(len(cuts), np.nan)
    least = max(FEWEST, min(SEASONS * season, MOST))
    pairs = np.flatnonzero(_ends_in_pair(series, which, cuts))
    for k, rows in grouped(which[pairs]) if len(pairs) else ():
        runs = _runs(series[k])
        for row in pairs[rows]:
            run = int(runs[cuts[row] - 1])
            earlier = int(runs[: cuts[row] - run].max(initial=1))
            if max(least, TIMES * earlier) <= run < cuts[row]:
                values[row] = series[k].y[cuts[row] - 1]
    return values


def describe(series: Sequence[Series], season: int) -> tuple[str, ...]:
    """A sentence for `guesses` about the series that have stopped to change."""
    lengths = np.array([len(one) for one in series])
    values = constant_ends(series, np.arange(len(series)), lengths, season)
    stopped = np.flatnonzero(~np.isnan(values))
    if not len(stopped):
        return ()
    first = series[stopped[0]]
    run = int(_runs(first)[-1])
    more = f"; so have {counted(len(stopped) - 1, 'other')} of {len(series)} series" if len(stopped) > 1 else ""
    name, since = str(first.unique_id), format_date(first.ds[len(first) - run])
    return (f"constant end: series {name!r} is {first.y[-1]:g} since {since}, and so is its forecast{more}",)


def _ends_in_pair(series: Sequence[Series], which: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """(W,) whether the last two known values are equal, the quick check for most windows."""
    pairs = [
        cut > 1 and series[k].y[cut - 1] == series[k].y[cut - 2]
        for k, cut in zip(which.tolist(), cuts.tolist(), strict=True)
    ]
    return np.array(pairs, bool)


def _runs(series: Series) -> np.ndarray:
    """(T,) for each value, how many equal observed values end with it; filled values belong to no run."""
    new = np.ones(len(series), bool)
    new[1:] = series.y[1:] != series.y[:-1]
    if series.filled is not None:
        new |= series.filled
        new[1:] |= series.filled[:-1]
    at = np.arange(len(series))
    return at - np.maximum.accumulate(np.where(new, at, 0)) + 1
