"""Test windows after a constant past: their forecast repeats it, and their intervals have no width to measure.

Letters: `W` test windows, `h` horizon.
"""

import numpy as np

from gatewise.forecast.baselines import grouped
from gatewise.forecast.evaluation.holdout import Holdout
from gatewise.series import Series

LEAST = 3  # equal values before a cutoff
EXACT = 1e-6  # relative: a forecast of a network this close to a value is equal to it


def constant_windows(holdout: Holdout) -> np.ndarray:
    """(W,) whether the past is constant, or ends constant with intervals without width."""
    constant, ends = np.zeros(len(holdout.which), bool), np.zeros(len(holdout.which), bool)
    for k, rows in grouped(holdout.which):
        repeats = _repeats(holdout.panel.series[k])[holdout.cuts[rows] - 1]
        constant[rows] = repeats == holdout.cuts[rows]
        ends[rows] = repeats >= max(LEAST, holdout.horizon)
    for lower, upper in holdout.intervals.values():
        ends &= (upper == lower).all(1)
    windows: np.ndarray = (constant | ends) & ~holdout.counts
    return windows


def describe(holdout: Holdout, windows: np.ndarray) -> str:
    """A sentence about the values after a constant past; "" if there are none.

    Arguments:
        holdout: all test windows.
        windows: (W,) of `constant_windows`.
    """
    y, forecast = holdout.truth[windows], holdout.mean[windows]
    if not (total := int((~np.isnan(y)).sum())):
        return ""
    equal = int((np.abs(y - forecast) <= EXACT * np.abs(y)).sum())
    where = "a constant past" if windows.all() else f"a constant past ({int(windows.sum())} of {len(windows)} windows)"
    return f"After {where}, intervals have no width: {equal} of {total} values equal the forecast."


def _repeats(series: Series) -> np.ndarray:
    """(T,) how many values up to each one are equal to it, without a break; filled values repeat the value before."""
    y, size = series.y, np.arange(len(series))
    changes = np.append(True, y[1:] != y[:-1])
    if series.filled is not None:
        changes[1:] &= ~series.filled[1:]
    return size - np.maximum.accumulate(np.where(changes, size, 0)) + 1
