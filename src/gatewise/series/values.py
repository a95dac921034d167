"""Values: the largest allowed magnitude, the ways to fill missing values, and their valid neighbours.

Letters: N rows of all series, one series after the other.
"""

import numpy as np

FILLS = {"interpolate": "by interpolation", "previous": "with the previous value", "zero": "with zero"}
NO_FILL = "none"  # missing values stay missing
FILL_LIMIT = 1 / 3  # of the values of a series that a fill may invent, by default
LARGEST = 1e100  # larger values overflow when squared


def last_valid(valid: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(N,) the last valid row of the same series at or before each row, -1 if there is none."""
    rows = np.arange(len(valid))
    last = np.maximum.accumulate(np.where(valid, rows, -1))
    return np.where(last >= np.searchsorted(codes, np.arange(codes.max(initial=0) + 1))[codes], last, -1)


def next_valid(valid: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(N,) the next valid row of the same series at or after each row, -1 if there is none."""
    last = last_valid(valid[::-1], codes.max(initial=0) - codes[::-1])
    return np.where(last < 0, -1, len(valid) - 1 - last)[::-1]
