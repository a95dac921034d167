"""Totals: rows that hold the sum or the mean of the rows above them."""

from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.columns.sums import agrees
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
        if any(agrees(values[row], values[part]) for part in (above, block) if len(part) > 1):
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
