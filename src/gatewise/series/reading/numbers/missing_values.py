"""Missing values: cells that mark a missing value, usual ones such as "n/a" and those that the caller names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.reading.table import Table
from gatewise.series.wording import counted

_MARKER = re.compile(  # punctuation only, or a usual word; statistical offices add a flag, as in ": c"
    r"(?:[-.?:*/#~…·]+|#[a-z0-9/]+[!?]?|n\.?/?a\.?|n\.? ?d\.?|k\. ?a\.|n\. ?v\.|nan|none|null|missing"
    r"|not available|\\n)"
    r"(?: [a-z]{1,2})?",
    re.IGNORECASE,
)
FEW_COLUMNS = 3  # up to this many columns get a sentence each


def is_marker(cell: str) -> bool:
    """Whether a normalized cell marks a missing value, if the other cells of its column are numbers.

    >>> [is_marker(cell) for cell in ("-", "..", "n/a", "#DIV/0!", ": c", "k.A.", "closed", "5-")]
    [True, True, True, True, True, True, False, False]
    """
    return _MARKER.fullmatch(cell) is not None


def describe_missing(columns: Mapping[Any, tuple[Any, int]]) -> tuple[str, ...]:
    """Sentences that state the missing values: column -> an example, and the number of cells.

    >>> describe_missing({"y": ("-", 3)})
    ("missing values: '-' in column 'y', 3 cells",)
    """
    if len(columns) <= FEW_COLUMNS:
        return tuple(
            f"missing values: {example!r} in column {column!r}, {counted(count, 'cell')}"
            for column, (example, count) in columns.items()
        )
    column, (example, _) = next(iter(columns.items()))
    total = counted(sum(count for _, count in columns.values()), "cell")
    return (f"missing values: in {len(columns)} columns, such as {example!r} in {column!r}, {total}",)


def mark_missing(table: Table, columns: Sequence[str]) -> Table:
    """The table without the cells that the caller names as missing values; numbers match in any notation."""
    wanted = {text.strip() for text in table.cells.missing}
    if not wanted:
        return table
    numbers = {number for text in wanted if (number := _number(text)) is not None}
    marked, stated = {}, {}
    for column in dict.fromkeys(columns):
        if column in table.frame.columns:
            mask = _matches(table.frame[column], wanted, numbers)
            if mask.any():
                marked[column] = table.frame[column].mask(mask)
                stated[column] = (_plain(table.frame[column].iloc[int(mask.argmax())]), int(mask.sum()))
    frame = table.frame.copy()
    for column, cells in marked.items():
        frame[column] = cells
    return replace(table, frame=frame, guesses=(*table.guesses, *describe_missing(stated)))


def _matches(column: pd.Series, texts: set[str], numbers: set[float]) -> np.ndarray:
    """(N,) whether each cell is one of the texts or numbers."""
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return np.zeros(len(column), bool)
    if pd.api.types.is_numeric_dtype(column):
        return np.asarray(column.astype("float64").isin(numbers))

    def is_missing(cell: Any) -> bool:
        if isinstance(cell, str):
            return cell.strip() in texts or _number(cell) in numbers
        return pd.api.types.is_number(cell) and type(cell) is not bool and float(cell) in numbers

    return np.fromiter(map(is_missing, column), bool, len(column))


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _plain(cell: Any) -> Any:
    """A cell for a message: whole numbers without a decimal point."""
    if isinstance(cell, str):
        return str(cell)
    number = float(cell)
    return int(number) if number.is_integer() else number
