"""Spreadsheets: the table in a sheet of an Excel workbook.

Sizes are checked before the workbook is read, so that a small file cannot exhaust the memory.
"""

import datetime
import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.files.shapes import kind
from gatewise.series.reading.files.structure import Grid, Skipped, Structure, describe, find_structure
from gatewise.series.reading.files.totals import find_totals
from gatewise.series.reading.files.unnamed import without_unnamed
from gatewise.series.wording import did_you_mean, listed, quoted

WORKBOOKS = (".xlsx", ".xlsm")
SPREADSHEETS = (*WORKBOOKS, ".xls", ".xlsb", ".ods")
UNPACKED = 400 * 2**20  # bytes of a workbook after decompression
CELLS = 20_000_000  # of all sheets, with empty cells between others
_ERRORS = frozenset(("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#GETTING_DATA", "#SPILL!"))
_SAVE = "save the table as .xlsx or as CSV"


@dataclass(frozen=True)
class Sheet:
    """The rows of a sheet that are not empty.

    Attributes:
        name: of the sheet.
        rows: the cells of each row, without empty ones at the end.
        numbers: the number of each row in the sheet.
    """

    name: str
    rows: list[list[Any]]
    numbers: list[int]

    def holds_data(self) -> bool:
        """Whether two rows or more have a number or a date."""
        found = (row for row in self.rows if any(kind(cell) in ("number", "code") for cell in row))
        return next(found, None) is not None and next(found, None) is not None

    def __str__(self) -> str:
        return f"{self.name!r} ({len(self.rows)} x {max(map(len, self.rows), default=0)})"


@dataclass(frozen=True)
class SheetTable:
    """The table in a sheet, the row of the sheet of each of its rows, and the guesses."""

    frame: pd.DataFrame
    lines: np.ndarray
    guesses: tuple[str, ...]
    end: int


def read_spreadsheet(path: Path, content: bytes, cells: CellFormat) -> SheetTable:
    """The table in an Excel workbook.

    Raises:
        DataError: the file is no workbook, is damaged, protected, too large or of another format; several sheets hold
            data; a formula has no value.
    """
    _check_format(path, content)
    sheet, guess = _choose(path, _sheets(path, content), cells.sheet)
    left = min((j for row in sheet.rows for j, cell in enumerate(row) if cell is not None), default=0)
    sheet = Sheet(sheet.name, [row[left:] for row in sheet.rows], sheet.numbers)
    grid = _grid(path, sheet)
    structure = find_structure(grid, cells)
    table = _table(path, sheet, structure, structure.data)
    _check_formulas(path, content, sheet, structure, left)
    totals, skipped = find_totals(table, structure.shapes, cells, None), structure.skipped
    data = structure.data.copy()
    if totals:
        records = np.flatnonzero(data)[totals]
        data[records] = False
        table = _table(path, sheet, structure, data)
        skipped = (*skipped, Skipped(tuple(records.tolist()), "a total"))
    table, unnamed = without_unnamed(table, structure.shapes, cells)
    header = [str(grid.lines[record]) for record in structure.header]
    names = f"column names: row {' and '.join(header)} of the sheet" if header else "column names: none in the sheet"
    return SheetTable(table, grid.lines[data], (guess, names, *describe(grid, skipped), *unnamed), grid.end)


def _check_format(path: Path, content: bytes) -> None:
    ending = path.suffix.lower()
    if ending not in WORKBOOKS:
        raise DataError(f"{path.name}: {ending} files are not supported; {_SAVE}")
    if not content:
        raise DataError(f"{path.name} is empty; {_SAVE}")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError(f"{path.name} is protected by a password, or is an .xls workbook; remove it and {_SAVE}")
    if not content.startswith(b"PK"):
        raise DataError(f"{path.name} is not an Excel workbook; rename it to .csv if it is CSV, or {_SAVE}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise DataError(f"{path.name} is a damaged workbook; copy it again, or {_SAVE}") from None
    if size > UNPACKED:
        raise DataError(
            f"{path.name} has {size / 2**20:.0f} MiB after decompression, more than {UNPACKED // 2**20}; save the "
            "table as CSV"
        )


def _open(path: Path, content: bytes, data_only: bool) -> Any:
    try:
        import openpyxl
    except ImportError:
        raise DataError(
            f'{path.name}: reading Excel workbooks needs openpyxl; pip install "gatewise[excel]", or save the table as '
            "CSV"
        ) from None
    return openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=data_only, keep_links=False)


def _sheets(path: Path, content: bytes, data_only: bool = True) -> list[tuple[Sheet, bool]]:
    """The sheets, and whether each is hidden."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns about formats and extensions that it does not know
            workbook = _open(path, content, data_only)
            budget = iter(range(CELLS))
            return [(_rows(path, sheet, budget), sheet.sheet_state != "visible") for sheet in workbook.worksheets]
    except DataError:
        raise
    except Exception as reason:  # openpyxl raises errors of every type for a damaged workbook
        message = str(reason).partition("\n")[0]
        raise DataError(f"{path.name} is a damaged workbook ({message:.100}); copy it again, or {_SAVE}") from None


def _rows(path: Path, sheet: Any, budget: Iterator[int]) -> Sheet:
    sheet.reset_dimensions()  # a sheet may declare more cells than it has
    rows, numbers = [], []
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        for _ in cells:
            if next(budget, None) is None:
                raise DataError(f"{path.name} has more than {CELLS:,} cells; save the table as CSV")
        row = [None if isinstance(cell, str) and (cell in _ERRORS or not cell.strip()) else cell for cell in cells]
        while row and row[-1] is None:
            row.pop()
        if row:
            rows.append(row)
            numbers.append(number)
    return Sheet(str(sheet.title), rows, numbers)


def _choose(path: Path, sheets: list[tuple[Sheet, bool]], given: str | int | None) -> tuple[Sheet, str]:
    """The sheet as given, else the only one with data, and the guess that states it."""
    names = [sheet.name for sheet, _ in sheets]
    if given is not None:
        number = names.index(str(given)) if str(given) in names else given
        if isinstance(number, str) or not 0 <= number < len(sheets):
            raise DataError(
                f"{path.name} has no sheet {given!r}; its sheets are {listed(names)}{did_you_mean(given, names)}"
            )
        if not sheets[number][0].rows:
            raise DataError(f"{path.name}: sheet {names[number]!r} is empty; its sheets are {listed(names)}")
        return sheets[number][0], f"sheet: {names[number]!r} (as given)"
    data = [(sheet, hidden) for sheet, hidden in sheets if sheet.holds_data()]
    visible = [sheet for sheet, hidden in data if not hidden] or [sheet for sheet, _ in data]
    if not visible:
        raise DataError(
            f"{path.name}: no sheet holds a table, among {listed(names)}; expected a header and one row per date"
        )
    if len(visible) > 1:
        sizes = ", ".join(map(str, visible[:10])) + (", ..." if len(visible) > 10 else "")
        raise DataError(
            f"{path.name}: {len(visible)} sheets hold data (rows x columns): {sizes}; pass sheet={visible[0].name!r} "
            f'(--sheet "{visible[0].name}") or another'
        )
    others = "" if len(sheets) == 1 else f" (the only {'visible one' if len(data) > 1 else 'one'} with data)"
    return visible[0], f"sheet: {visible[0].name!r}{others}"


def _grid(path: Path, sheet: Sheet) -> Grid:
    """The rows of a sheet, with the empty rows between them."""
    at = np.array(sheet.numbers) - 1
    count = int(at[-1]) + 1
    if count > 2 * len(at) + 10_000:
        raise DataError(
            f"{path.name}: sheet {sheet.name!r} has {count:,} rows, most of them empty; delete the rows "
            "below the table, or save the table as CSV"
        )
    rows: list[list[Any]] = [[] for _ in range(count)]
    for number, row in zip(at.tolist(), sheet.rows, strict=True):
        rows[number] = row
    fields = np.array([len(row) for row in rows])
    comment = np.array([bool(row) and isinstance(row[0], str) and row[0].startswith(("# ", "//")) for row in rows])
    keys = np.array([hash(tuple(map(str, row[:3]))) for row in rows])
    return Grid(
        path.name,
        rows.__getitem__,
        fields,
        fields == 0,
        comment,
        keys,
        np.arange(1, count + 1),
        int(fields.max()),
        "row",
    )


def _table(path: Path, sheet: Sheet, structure: Structure, data: np.ndarray) -> pd.DataFrame:
    """The rows of a sheet as a table of typed columns."""
    rows = dict(zip(sheet.numbers, sheet.rows, strict=True))
    chosen = [rows.get(int(record) + 1, []) for record in np.flatnonzero(data)]
    if not any(chosen):
        raise DataError(f"{path.name}: sheet {sheet.name!r} has a header but no rows; expected one row per date")
    width = max(len(structure.names), *map(len, chosen))
    names = [*structure.names, *[""] * (width - len(structure.names))]
    names = [name or f"Unnamed: {j}" for j, name in enumerate(names)]
    for j, name in enumerate(names):
        if name in names[:j]:
            raise DataError(f"{path.name} has several columns named {name!r}; give each column its own name")
    return pd.DataFrame(
        {name: _column([row[j] if j < len(row) else None for row in chosen]) for j, name in enumerate(names)}
    )


def _column(cells: list[Any]) -> pd.Series:
    types = {type(cell) for cell in cells if cell is not None}
    if types and types <= {datetime.datetime, datetime.date}:
        return pd.to_datetime(pd.Series(cells, dtype=object))
    if types and types <= {int, float}:
        return pd.Series(cells, dtype=object).astype(np.float64 if None in cells or float in types else np.int64)
    if not types:
        return pd.Series(cells, dtype=np.float64)
    return pd.Series(cells, dtype=str if types == {str} else object).infer_objects()


def _check_formulas(path: Path, content: bytes, sheet: Sheet, structure: Structure, left: int) -> None:
    """Refuse empty cells of the table that hold a formula whose value was never computed."""
    values = dict(zip(sheet.numbers, sheet.rows, strict=True))
    width = max(len(structure.names), 1)
    numbers = (np.flatnonzero(structure.data) + 1).tolist()
    if all(number in values and len(values[number]) >= width and None not in values[number] for number in numbers):
        return
    formulas = next(other for other, _ in _sheets(path, content, data_only=False) if other.name == sheet.name)
    rows = dict(zip(formulas.numbers, formulas.rows, strict=True))
    for number in numbers:
        known = values.get(number, [])
        for j, cell in enumerate(rows.get(number, [])[left:]):
            if _is_formula(cell) and (j >= len(known) or known[j] is None):
                raise DataError(
                    f"{path.name}: cell {_letters(j + left)}{number} of sheet {sheet.name!r} holds the formula "
                    f"{quoted(str(cell))} without a value; open the workbook in Excel and save it, or save the values"
                )


def _is_formula(cell: Any) -> bool:
    return (isinstance(cell, str) and cell.startswith("=")) or type(cell).__name__.endswith("Formula")


def _letters(j: int) -> str:
    """The letters of a column, counted from 0."""
    return (_letters(j // 26 - 1) if j >= 26 else "") + chr(ord("A") + j % 26)
