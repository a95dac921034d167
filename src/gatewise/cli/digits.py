"""Digits: printed numbers have enough significant digits to tell the rows and the bounds of a table apart."""

import math

import numpy as np
import pandas as pd

LEAST, MOST = 5, 15  # significant digits
OF_SPREAD = 2  # and one more: digits of the differences
WHOLE = 1e15  # larger values have no digit after the point


def significant_digits(values: np.ndarray) -> int:
    """The digits with which values that differ little look different, at least 5.

    >>> significant_digits(np.array([1.0, 2.0])), significant_digits(1e9 + np.array([-1.0, 1.0]))
    (5, 11)
    >>> significant_digits(np.array([1e9, 1e9])), significant_digits(np.array([0.1, 0.1]))
    (12, 5)
    """
    finite = values[np.isfinite(values)]
    if not len(finite) or not (largest := float(np.abs(finite).max())):
        return LEAST
    spread = float(finite.max()) - float(finite.min())
    if spread > 0:
        needed = math.ceil(math.log10(largest / spread)) + OF_SPREAD if spread < largest else 0
    else:
        needed = math.floor(math.log10(largest)) + 1 + OF_SPREAD if largest < WHOLE else 0
    return min(max(needed, LEAST), MOST)


def written(frame: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """The frame with its numbers as texts in some rows, and empty texts in the others.

    The forecast, the bounds and the quantiles of a series share their digits; other columns have their own.

    Arguments:
        frame: a table of forecasts, with the column ds, or of scores.
        rows: positions.

    >>> table = pd.DataFrame({"unique_id": ["a", "b"], "ds": [1, 1], "GRU": [1e6, 2.0], "GRU-lo-80": [1e6 - 1, 1.0]})
    >>> written(table, np.arange(2))[" GRU-lo-80"].tolist()
    ['999999', '1']
    """
    numbers = [name for name in frame.columns if pd.api.types.is_float_dtype(frame[name].dtype)]
    values = frame[numbers].iloc[rows].to_numpy(np.float64, na_value=np.nan)
    texts = np.full((len(frame), len(numbers)), "", object)
    for block, columns in _blocks(frame, rows, len(numbers)):
        digits = significant_digits(values[block, columns])
        for k in range(columns.start, columns.stop):
            texts[rows[block], k] = [_number(value, digits) for value in values[block, k]]
    table = frame.assign(**{name: texts[:, k] for k, name in enumerate(numbers)})
    return table.rename(columns={name: f" {name}" for name in numbers})  # as pandas does above numbers


def _number(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}g}"


def _blocks(frame: pd.DataFrame, rows: np.ndarray, columns: int) -> list[tuple[np.ndarray, slice]]:
    """The positions in `rows` and the columns of numbers that share their digits."""
    if "ds" not in frame.columns:
        return [(np.arange(len(rows)), slice(k, k + 1)) for k in range(columns)]
    names, _ = pd.factorize(frame["unique_id"].iloc[rows])
    return [(np.flatnonzero(names == name), slice(0, columns)) for name in np.unique(names)]
