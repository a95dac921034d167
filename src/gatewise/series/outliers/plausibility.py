"""Plausibility: usual ranges without negative values of a positive series, and values that are no errors.

Letters: `N` values of all series, `R` outliers.
"""

from typing import NamedTuple

import numpy as np

from gatewise.series.outliers.layout import Layout

USUAL_ZEROS = 3  # zeros of a series in which values near zero are usual
EVENT = 2.5  # ratio of a run of outliers and the middle of its range, below which it is an event such as a promotion


class Outliers(NamedTuple):
    """Outliers of many series, and the usual range around each.

    Attributes:
        rows: (R,) positions among all values, ascending.
        lower, upper: (R,) usual range.
    """

    rows: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def plausible(found: Outliers, y: np.ndarray, layout: Layout, observed: np.ndarray) -> Outliers:
    """The outliers without plausible values, with ranges that do not go below zero where no other value does.

    Plausible are values between zero and the usual range in series with zeros, and runs of values of a series that is
    not negative which are less than 2.5 times as large as usual.
    """
    rows, lower, upper = found
    if not len(rows):
        return found
    codes, outlier = layout.codes[rows], np.zeros(len(y), bool)
    outlier[rows] = True
    positive = ~layout.any((y < 0) & observed & ~outlier)[codes]
    lower = np.where(positive, np.maximum(lower, 0.0), lower)
    upper = np.where(positive, np.maximum(upper, 0.0), upper)
    value, zeros = y[rows], layout.count((y == 0) & observed)[codes] >= USUAL_ZEROS
    near_zero = zeros & (((value > 0) & (value < lower)) | ((upper < value) & (value < 0)))
    run = np.cumsum((np.diff(rows, prepend=-2) > 1) | (np.diff(codes, prepend=-1) != 0)) - 1
    middle = (lower + upper) / 2
    mild = positive & (value > middle / EVENT) & (value < EVENT * middle)
    event = (np.bincount(run) > 1)[run] & (np.bincount(run, mild) == np.bincount(run))[run]
    remaining = ~near_zero & ~event
    return Outliers(rows[remaining], lower[remaining], upper[remaining])
