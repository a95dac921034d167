"""Sums: rows and columns that hold the sum or the mean of others."""

import numpy as np


def agrees(total: np.ndarray, rows: np.ndarray) -> bool:
    """Whether all numbers (C,) of a row are the sums of the rows (N, C), or all are their means.

    >>> agrees(np.array([4.0, 6.0]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    True
    """
    given = ~np.isnan(total) & ~np.isnan(rows).all(axis=0)
    total, rows = total[given], rows[:, given]
    low, high = np.nanmin(rows, axis=0, initial=np.inf), np.nanmax(rows, axis=0, initial=-np.inf)
    if not ((low < high) | (total < low) | (total > high)).any():  # the mean of equal values may be one of them
        return False
    sums = np.nansum(rows, axis=0)
    means = sums / np.maximum((~np.isnan(rows)).sum(axis=0), 1)
    rounding = 0.5 * 10.0 ** -np.array([_decimals(value) for value in total])
    close = [np.abs(total - expected) <= rounding + 1e-6 * np.abs(expected) for expected in (sums, means)]
    return any(bool(fits.all()) for fits in close)


def _decimals(value: float) -> int:
    return len(np.format_float_positional(value, trim="-").partition(".")[2])


def sums_of_rows_above(values: np.ndarray) -> list[int]:
    """The rows (N, C) that are the sums of two or more rows above them: of all, or of those since the last such row.

    >>> sums_of_rows_above(np.array([[1.0, 5], [2, 6], [3, 11], [4, 1], [5, 2], [9, 3], [12, 14]]))
    [2, 5, 6]
    """
    known = np.nan_to_num(values)
    whole, block = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    found: list[int] = []
    rows = 0  # since the last sum
    for i, row in enumerate(known):
        parts = [part for part, count in ((block, rows), (whole, i - len(found))) if count > 1]
        if any(_is_sum(row, part) for part in parts):
            found.append(i)
            block, rows = np.zeros_like(block), 0
            continue
        whole, block, rows = whole + row, block + row, rows + 1
    return found


def _is_sum(row: np.ndarray, part: np.ndarray) -> bool:
    """Whether a row (C,) equals the sum of others, and not only where nearly all of it is zero."""
    return bool(
        abs(row[0] - part[0]) <= 1e-6 * abs(part[0]) + 1e-9
        and np.allclose(row, part, rtol=1e-6, atol=1e-9)
        and np.count_nonzero(part) > len(part) / 2
    )
