"""Support: whether the usual range of an outlier comes from the values around it, not from other outliers.

Letters: `N` values of all series, `R` outliers, `M` neighbours.
"""

from collections.abc import Sequence

import numpy as np

from gatewise.series.outliers.layout import Layout
from gatewise.series.outliers.plausibility import Outliers

NEAR, SEASONS, DOUBTFUL = 5, 3, 10  # neighbours on each side, seasons, and values on each side that are in doubt too
CLEARLY = 0.9  # of the distance of the outlier
MOST, FEWEST = 0.6, 2  # fraction of the neighbours that is near, and fewest values of other seasons


def supported(found: Outliers, y: np.ndarray, layout: Layout, seasons: Sequence[int]) -> Outliers:
    """The outliers farther from the middle of their usual range than most of their neighbours.

    The neighbours are the next values that are no outliers, or those of the same step in near seasons. A value between
    a run of outliers and usual values fails, and so do the outliers near it.
    """
    rows = found.rows
    if not len(rows):
        return found
    usual = np.ones(len(y), bool)
    usual[rows] = False
    middle = (found.lower + found.upper) / 2
    shifts = np.r_[-NEAR:0, 1 : NEAR + 1]
    fraction, _ = _nearer(rows, middle, shifts, usual, y, layout)
    holds = fraction >= MOST
    for season in (season for season in seasons if season > 1):
        fraction, count = _nearer(rows, middle, season * np.r_[-SEASONS:0, 1 : SEASONS + 1], usual, y, layout)
        holds |= (fraction >= MOST) & (count >= FEWEST)
    doubtful = rows[~holds]
    if len(doubtful):
        at = np.searchsorted(doubtful, rows)
        for near in (doubtful[np.minimum(at, len(doubtful) - 1)], doubtful[np.maximum(at - 1, 0)]):
            holds &= (np.abs(near - rows) > DOUBTFUL) | (layout.codes[near] != layout.codes[rows])
    return Outliers(rows[holds], found.lower[holds], found.upper[holds])


def _nearer(
    rows: np.ndarray, middle: np.ndarray, shifts: np.ndarray, usual: np.ndarray, y: np.ndarray, layout: Layout
) -> tuple[np.ndarray, np.ndarray]:
    """(R,) the fraction of neighbours nearer to the middle of the range than the outlier; and their number."""
    at = rows[:, None] + shifts
    valid = (shifts >= -layout.steps[rows, None]) & (shifts <= layout.back[rows, None])
    at = np.where(valid, at, rows[:, None])
    valid &= usual[at]
    nearer = np.abs(y[at] - middle[:, None]) < CLEARLY * np.abs(y[rows] - middle)[:, None]
    count = valid.sum(1)
    return (nearer & valid).sum(1) / np.maximum(count, 1), count
