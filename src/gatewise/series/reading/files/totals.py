"""Totals: rows that hold the sum or the mean of the rows above them."""

from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.files.shapes import ColumnShapes, kind
from gatewise.series.reading.numbers.formats import Written, convert

TAIL = 3  # rows at the end whose time cells are compared with the others by their form


def find_totals(frame: pd.DataFrame, shapes: ColumnShapes, cells: CellFormat, written: Written | None) -> list[int]:
    """Positions of the rows whose time cell is a word, and whose numbers are sums or means of the rows above.

    Arguments:
        frame: the table.
        shapes: of its columns.
        cells, written: how its numbers are written.
    """
    time = shapes.time
    numeric = [j for j, of in shapes.kinds.items() if of == "number" and j != time]
    if time is None or not numeric or len(frame) < 3:
        return []
    rows = _labelled(frame, shapes, time)
    if not rows:
        return []
    numbers = convert(frame.iloc[:, numeric], cells, written).frame
    values = np.column_stack([pd.to_numeric(numbers[column], errors="coerce") for column in numbers]).astype(np.float64)
    totals: list[int] = []
    for row in rows:
        above = np.setdiff1d(np.arange(row), rows)
        block = above[above > max((other for other in rows if other < row), default=-1)]
        if any(_agrees(values[row], values[part]) for part in (above, block) if len(part) > 1):
            totals.append(row)
    return totals


def _labelled(frame: pd.DataFrame, shapes: ColumnShapes, time: int) -> list[int]:
    """The rows whose time cell is a word, or empty beside a word in another column."""
    column = frame.iloc[:, time]
    if pd.api.types.is_numeric_dtype(column) and not column.tail(TAIL).isna().any():
        return []
    tail = range(max(len(frame) - TAIL, 0), len(frame))
    rows = [row for row in tail if not shapes.fits(time, column.iloc[row])]
    if column.dtype.kind in "OU" or isinstance(column.dtype, pd.StringDtype):
        text = column.where(column.map(lambda cell: isinstance(cell, str))) if column.dtype == object else column
        rows += np.flatnonzero((text.notna() & ~text.fillna("").str.contains(r"\d")).to_numpy(bool)).tolist()
    return sorted({row for row in rows if _has_label(frame.iloc[row].tolist(), shapes)})


def _has_label(cells: list[Any], shapes: ColumnShapes) -> bool:
    """Whether a row has a word that is no name of a series."""
    return any(kind(cell) == "text" and cell not in shapes.names.get(j, ()) for j, cell in enumerate(cells))


def _agrees(total: np.ndarray, rows: np.ndarray) -> bool:
    """Whether all numbers (C,) of a row are the sums of the rows (N, C), or all are their means."""
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
