"""Delimited text: the table in a text of lines with separated fields."""

import csv
import io
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.dates.parsing import is_text
from gatewise.series.reading.files.row_names import with_row_names
from gatewise.series.reading.files.shapes import kind
from gatewise.series.reading.files.structure import Grid, Skipped, Structure, describe, find_structure
from gatewise.series.reading.files.text import SPACES, Lines, choose_delimiter, longest_run
from gatewise.series.reading.files.totals import find_totals
from gatewise.series.reading.files.unnamed import without_unnamed
from gatewise.series.reading.numbers.formats import Written
from gatewise.series.wording import counted, listed

RARE = 0.01  # largest fraction of lines with too few fields that are a mistake, not the way the file is written

READ_ALONE = 4  # columns that are read as text one by one


@dataclass(frozen=True)
class Delimited:
    """The table in a text: its rows, their lines, and how it is read."""

    frame: pd.DataFrame
    guesses: tuple[str, ...]
    lines: np.ndarray | None
    written: Written
    end: int


def read_text(path: Path, content: bytes, cells: CellFormat) -> Delimited:
    """The table in a text in UTF-8."""
    lines = Lines(content)
    delimiter = choose_delimiter(lines)
    grid = _grid(path, lines, delimiter)
    structure = with_row_names(grid, find_structure(grid, cells), delimiter)
    data = structure.data
    short = _check_fields(grid, structure)
    table = _parsed(path, lines, grid, structure, data, delimiter)
    totals = find_totals(table.frame, structure.shapes, cells, table.written)
    skipped = structure.skipped
    if totals:
        records = np.flatnonzero(data)[totals]
        data = data.copy()
        data[records] = False
        table = _parsed(path, lines, grid, structure, data, delimiter)
        skipped = (*skipped, Skipped(tuple(records.tolist()), "a total"))
    guesses = () if delimiter == "," else (f"delimiter: {'spaces' if delimiter == SPACES else repr(delimiter)}",)
    frame, unnamed = without_unnamed(table.frame, structure.shapes, cells)
    guesses = (*guesses, *_header_guess(grid, structure), *describe(grid, skipped), *short, *unnamed)
    return Delimited(frame, guesses, table.lines, table.written, grid.end)


def _grid(path: Path, lines: Lines, delimiter: str) -> Grid:
    fields, blank = lines.fields(delimiter), lines.blank(delimiter)
    first = int(np.argmin(blank))
    if lines.text(first).strip('" ').startswith("sep=") and len(lines.text(first).strip('" ')) <= 6:
        blank[first] = True  # it only names the delimiter
    cells = partial(lines.cells, delimiter=delimiter)
    comment = _comments(lines, delimiter, cells)
    usual = fields[~blank & ~comment]
    width, run = longest_run(usual) if len(usual) else (1, 0)
    if width > 1 and run < (usual == 1).sum() and _is_column(lines, fields, blank):
        width = 1
    keys = np.diff(lines.bounds)
    return Grid(path.name, cells, fields, blank, comment, keys, lines.numbers, width if run else 1)


def _is_column(lines: Lines, fields: np.ndarray, blank: np.ndarray) -> bool:
    """Whether most of the lines with one field are numbers."""
    alone = np.flatnonzero((fields == 1) & ~blank)[-100:].tolist()
    return sum(kind(lines.text(record)) == "number" for record in alone) > 0.5 * len(alone)


def _comments(lines: Lines, delimiter: str, cells: Any) -> np.ndarray:
    """(R,) whether each line starts with the mark of a comment and text."""
    marks = tuple(mark for mark in ("#", "%", ";", "//") if mark != delimiter)
    comment = np.zeros(len(lines), bool)
    first = lines.first_bytes()
    marked = np.flatnonzero(np.isin(first, np.frombuffer(b'#%;/"', np.uint8)))
    marked = marked if 2 * len(marked) <= len(first) else marked[:20]
    for record in marked.tolist():
        start, *others = cells(record) or [""]
        has_text = bool(start.strip("#%;/ ")) or not any(others)  # a mark beside names is a name
        comment[record] = start.startswith(marks) and (has_text or delimiter == SPACES)
    return comment


def _check_fields(grid: Grid, structure: Structure) -> tuple[str, ...]:
    """Refuse rows with more fields than the header, or a few rows with less; the guess that states many of them."""
    rows = np.flatnonzero(structure.data)
    fields, width = grid.fields[rows], max(grid.width, _length(structure.names))
    for record in rows[fields > width][:1000].tolist():
        cells = grid.cells(record)
        if any(kind(cell) != "blank" for cell in cells[width:]):
            raise _irregular(grid, structure, record, width, len(cells))
    short = rows[(fields < width) & ~grid.blank[rows]]
    if structure.shapes.dated and len(rows) > 2 and 0 < len(short) <= max(1, RARE * len(rows)):
        raise _irregular(grid, structure, int(short[0]), width, int(grid.fields[short[0]]))
    if not len(short) or not structure.shapes.dated or len(short) == len(rows):
        return ()
    return (
        f"short lines: {counted(len(short), 'line')} with fewer than {width} fields read with empty cells at the end "
        f"(the first is line {grid.lines[short[0]]})",
    )


def _length(names: list[str]) -> int:
    """The number of names without empty ones at the end."""
    return next((j + 1 for j in reversed(range(len(names))) if names[j].strip()), 0)


def _irregular(grid: Grid, structure: Structure, record: int, expected: int, fields: int) -> DataError:
    after = int((~grid.blank[record:]).sum()) if record > structure.last else 0
    line, end = int(grid.lines[record]), int(grid.lines[np.flatnonzero(~grid.blank)[-1]])
    note = f", or pass skip_footer={end - line + 1} (--skip-footer {end - line + 1}) if it is no row" if after else ""
    return DataError(
        f"{grid.name} is not a regular table: Expected {counted(expected, 'field')} in line {line}, saw {fields}; "
        f"every line needs as many fields as the header, so correct {grid.example(record)}{note}"
    )


@dataclass(frozen=True)
class _Parsed:
    frame: pd.DataFrame
    lines: np.ndarray | None
    written: Written


def _parsed(path: Path, lines: Lines, grid: Grid, structure: Structure, data: np.ndarray, delimiter: str) -> _Parsed:
    _refuse_repeated(path, [name for name in structure.names if name != ""])
    rows = np.flatnonzero(data)
    if not len(rows):
        raise DataError(f"{path} has a header but no rows; expected one row per date")
    fields = max(int(grid.fields[rows].max()), _length(structure.names))
    header = [*structure.names[:fields], *[""] * (fields - len(structure.names))]
    content = lines.without(_line(header, delimiter), ~data)
    frame = _read(path, content, delimiter)
    frame = _stripped(frame) if lines.are_padded else frame
    for column in frame.columns[len(structure.names) :]:
        if frame[column].notna().any():
            raise DataError(
                f"{path}: the header names {counted(len(structure.names), 'column')} but the rows have {fields} fields "
                f"separated by {delimiter!r}; name every column (decimal commas need ';' between the fields)"
            )
    filled = np.flatnonzero(frame.notna().any(axis=1))
    if len(filled) == 0:
        raise DataError(f"{path} has a header but no rows; expected one row per date")
    frame = frame.iloc[: filled[-1] + 1]  # rows without any value at the end are dropped; others are reported later
    numbers = grid.lines[rows][: len(frame)]
    plain = np.array_equal(numbers, np.arange(2, len(frame) + 2))
    positions = {str(column): j for j, column in enumerate(frame.columns)}
    cells = _Cells(content, delimiter, len(frame), positions, lines.are_padded)
    return _Parsed(frame, None if plain else numbers, cells.written)


def _line(cells: list[str], delimiter: str) -> bytes:
    if delimiter == SPACES:  # an empty name would be lost
        cells = [cell or f"Unnamed: {j}" for j, cell in enumerate(cells)]
    if cells == [""]:
        return b'""\n'
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()


def _fields(content: bytes, delimiter: str, **options: Any) -> pd.DataFrame:
    separator = r"\s+" if delimiter == SPACES else delimiter
    options |= {"low_memory": False, "skip_blank_lines": False, "skipinitialspace": True}
    return pd.read_csv(io.BytesIO(content), sep=separator, **options)


def _stripped(frame: pd.DataFrame) -> pd.DataFrame:
    """The table without spaces after its cells; those before them are skipped when it is read."""
    texts = [column for column in frame.columns if is_text(frame[column])]
    return frame.assign(**{column: frame[column].str.strip(" ") for column in texts})


class _Cells:
    """The cells of a text as text. Each column is read when it is needed; after a few of them, all are read at once."""

    def __init__(self, content: bytes, delimiter: str, rows: int, positions: dict[str, int], are_padded: bool) -> None:
        self.content, self.delimiter, self.rows, self.positions = content, delimiter, rows, positions
        self.are_padded = are_padded
        self.reads, self.all = 0, pd.DataFrame()

    def written(self, column: str) -> pd.Series:
        """A column as text, "" where a cell is empty."""
        self.reads += 1
        position, options = self.positions[column], {"dtype": str, "na_filter": False, "nrows": self.rows}
        if self.reads <= READ_ALONE:
            return self._stripped(
                _fields(self.content, self.delimiter, usecols=[position], **options).iloc[:, 0], column
            )
        if self.all.empty:
            self.all = _fields(self.content, self.delimiter, **options)
        return self._stripped(self.all.iloc[:, position], column)

    def _stripped(self, cells: pd.Series, column: str) -> pd.Series:
        cells = cells.rename(column)
        return cells.str.strip(" ") if self.are_padded else cells


def _read(path: Path, content: bytes, delimiter: str) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return _fields(content, delimiter)
    except (ValueError, pd.errors.ParserWarning) as reason:  # pandas' own parser errors are ValueErrors
        message = str(reason).strip().removeprefix("Error tokenizing data. C error: ")
        open_quote = "inside string" in str(reason)
        remedy = "close the quote that opens there" if open_quote else "every line needs as many fields as the header"
        raise DataError(f"{path} is not a regular table: {message}; {remedy}") from None


def _refuse_repeated(path: Path, names: list[str]) -> None:
    for j, name in enumerate(names):
        if name in names[:j]:
            raise DataError(f"{path.name} has several columns named {name!r}; give each column its own name")


def _header_guess(grid: Grid, structure: Structure) -> tuple[str, ...]:
    if not structure.header:
        return (f"column names: none in the file, so {listed(structure.names)}",)
    lines = [str(grid.lines[record]) for record in structure.header]
    joined = f"joined from lines {', '.join(lines[:-1])} and {lines[-1]}, {listed(structure.names)}"
    return (f"column names: {joined}",) if len(lines) > 1 else ()
