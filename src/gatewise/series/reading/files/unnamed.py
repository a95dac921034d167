"""Unnamed columns: columns without a name that hold nothing, or only count the rows."""

import re

import numpy as np
import pandas as pd

from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.columns.header import dated_header
from gatewise.series.reading.files.shapes import ColumnShapes
from gatewise.series.wording import counted


def without_unnamed(
    frame: pd.DataFrame, shapes: ColumnShapes, cells: CellFormat
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table without columns that have no name and no cells, or count its rows; and the guesses that state them."""
    unnamed = [column for column in frame.columns if re.fullmatch(r"Unnamed: \d+", str(column))]
    empty = [column for column in unnamed if frame[column].isna().all()]
    frame = frame.drop(columns=empty)
    guesses = [f"left out: {counted(len(empty), 'empty column')} without a name"] if empty else []
    first = frame.columns[0]
    if first in unnamed and _counts_rows(frame[first]) and (shapes.dated or _is_index(frame, cells)):
        frame = frame.drop(columns=first)
        guesses.append("left out: the first column, which has no name and counts the rows")
    return frame, tuple(guesses)


def _is_index(frame: pd.DataFrame, cells: CellFormat) -> bool:
    """Whether other columns than the first tell what the rows are: text, a single column, or names beside dates."""
    others = [str(column) for column in frame.columns[1:]]
    if len(others) == 1 or any(frame[column].dtype.kind not in "iufb" for column in frame.columns[1:]):
        return True
    header = dated_header(others, cells=cells)
    return header is not None and len(header.columns) < len(others)


def _counts_rows(column: pd.Series) -> bool:
    """Whether a column counts from 0 or 1, perhaps again from there after some rows."""
    if column.dtype.kind not in "iu":
        return False
    count = column.to_numpy()
    steps = np.diff(count)
    return bool(count[0] in (0, 1) and ((steps == 1) | (count[1:] == count[0])).all())
