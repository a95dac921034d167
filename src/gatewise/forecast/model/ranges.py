"""Ranges: how far the bounds of an interval may lie from the forecast.

Spreads and their growth are measured before the last values. If a series has just broken away from its past, their
product can be many times what the series has ever done. Half the width of an interval is therefore at most the range of
the series up to the forecast. `gatewise.forecast.conformal.width` warns of intervals that are still wide.
"""

from collections.abc import Sequence

import numpy as np

from gatewise.forecast.baselines import grouped
from gatewise.series import Series

FEWEST = 20  # values; the range of fewer says little


def largest_half_widths(series: Sequence[Series], which: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """The ranges (W, 1) of the values before cuts; infinite for few or constant ones.

    Arguments:
        series: the series of all windows.
        which: (W,) positions in `series`.
        cuts: (W,) number of known values.

    >>> line = Series("A", np.arange(30), np.arange(30.0))
    >>> largest_half_widths([line], np.array([0, 0]), np.array([10, 30])).ravel().tolist()
    [inf, 29.0]
    """
    ranges = np.full((len(cuts), 1), np.inf)
    for k, windows in grouped(which):
        rows = windows[cuts[windows] >= FEWEST]
        y, at = series[k].y, cuts[rows] - 1
        found = np.maximum.accumulate(y)[at] - np.minimum.accumulate(y)[at]
        ranges[rows, 0] = np.where(found > 0, found, np.inf)
    return ranges


def capped(mean: np.ndarray, bounds: tuple[np.ndarray, np.ndarray], most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds (W, h) at most so far (W, 1) from forecasts (W, h)."""
    lower, upper = bounds
    return np.maximum(lower, mean - most), np.minimum(upper, mean + most)
