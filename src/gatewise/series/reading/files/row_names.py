"""Row names: a first column without a name, for which the header has no field, as R writes it."""

from dataclasses import replace
from typing import Any

import numpy as np

from gatewise.series.reading.dates.parsing import TIME_NAMES
from gatewise.series.reading.files.shapes import kind
from gatewise.series.reading.files.structure import Grid, Structure

SAMPLE = 200  # rows at each end that are looked at


def with_row_names(grid: Grid, structure: Structure, delimiter: str) -> Structure:
    """The structure with an empty name before the others, if the first fields of the rows count or name them.

    Else the last name may be missing, or the commas of decimals separate fields, which is an error later.
    """
    rows = np.flatnonzero(structure.data & ~grid.blank)
    names, width = structure.names, len(structure.names) + 1
    if len(structure.header) != 1 or len(rows) < 2 or (grid.fields[rows] != width).any():
        return structure
    if len(rows) > 2 * SAMPLE:
        rows = np.concatenate([rows[:SAMPLE], rows[-SAMPLE:]])
    cells = [grid.cells(int(record)) for record in rows]
    if not all(_is_filled(row[-1]) for row in cells) or not _names_fit(structure, delimiter):
        return structure
    first = [row[0] for row in cells]
    named = delimiter != "," and all(kind(cell) == "text" for cell in first)
    return replace(structure, names=["", *names]) if named or _count(first[:SAMPLE]) else structure


def _is_filled(cell: Any) -> bool:
    return str(cell).strip() != ""


def _names_fit(structure: Structure, delimiter: str) -> bool:
    """Whether the names may stand one column to the left of theirs: that of the dates is none of another column."""
    time, shapes = structure.shapes.time, structure.shapes
    if not shapes.dated or time is None or time == 0:
        return delimiter != ","
    is_time = [name.strip().lower() in TIME_NAMES for name in structure.names]
    straight, shifted = time < len(is_time) and is_time[time], is_time[time - 1]
    return not straight and (shifted or delimiter != ",")


def _count(cells: list[Any]) -> bool:
    """Whether cells count from 0 or 1."""
    texts = [str(cell).strip() for cell in cells]
    return texts in ([str(i) for i in range(start, start + len(texts))] for start in (0, 1))
