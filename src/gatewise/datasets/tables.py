"""Cells of a table from a file: CSV, Parquet, and the `.tsv` and `.txt` of the UCR archive, with their lines.

Letters: `N` rows.
"""

import csv
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gatewise.datasets.labelled import FileError, check_size

DELIMITERS = (",", ";", "\t", "|")
TABLES = (".csv", ".tsv", ".txt", ".parquet")
ARCHIVE_NAMES = ("label", "labels", "class", "classes", "target", "y")  # of a first column, with other names after it
FEW_CLASSES, MANY_CLASSES = 10, 30  # distinct whole numbers of a first column among whole numbers
ARCHIVE_LABEL = "label"  # name of the first column of a file without a header
NOT_UTF8 = "is not in UTF-8, perhaps a spreadsheet or text in another encoding; save it as CSV in UTF-8"


@dataclass(frozen=True)
class Table:
    """Cells of a file.

    Attributes:
        cells: a row for each record, column names of any type.
        path: of the file.
        delimiter: between cells of a text; None for other files.
        header: whether the first record has the names of the columns.
        lines: (N,) line of each row, if known already.
    """

    cells: pd.DataFrame
    path: object
    delimiter: str | None = None
    header: bool = True
    lines: np.ndarray | None = None

    @property
    def name(self) -> str:
        """The name of the file without its ending."""
        return Path(str(self.path)).stem

    def row(self, position: int) -> str:
        """The file and the line of a row, for a message."""
        return f"{self.path}, {self.line(position)}"

    def line(self, position: int) -> str:
        """The line of a row of a text; its number from 1 in other files."""
        if self.lines is not None:
            return f"line {self.lines[position]}"
        if self.delimiter is None:
            return f"row {position + 1}"
        return f"line {_line(Path(str(self.path)), self.delimiter, position + self.header)}"


def read_table(path: Path) -> Table:
    """All cells of a file.

    Raises:
        FileError: not a table.
        OSError: the file cannot be read.
        ImportError: `.parquet` without pyarrow.
    """
    try:
        if path.suffix.lower() == ".parquet":
            return Table(_parquet(path), path)
        return _archive_table(path) if path.suffix.lower() in (".tsv", ".txt") else _csv(path)
    except UnicodeDecodeError:
        raise FileError(f"{path} {NOT_UTF8}") from None
    except FileError:
        raise
    except (ValueError, pd.errors.ParserWarning) as reason:  # the errors of pyarrow and pandas are ValueErrors
        detail = str(reason).strip().removeprefix("Error tokenizing data. C error: ")
        raise FileError(f"{path} is not a table ({detail:.80}); expected a row for each sequence") from None


def is_numeric(column: "pd.Series[Any]") -> bool:
    """Whether the cells of a column have a numeric or boolean type."""
    return bool(pd.api.types.is_numeric_dtype(column.dtype))


def _parquet(path: Path) -> pd.DataFrame:
    """The cells of a table after a check of its size: a small file may declare many zeros."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise ImportError(f"{path}: .parquet needs pyarrow, which is missing; run: pip install pyarrow") from None
    with open(path, "rb") as file:
        metadata = parquet.read_metadata(file)
    check_size(path, (metadata.num_rows, metadata.num_columns), 8)
    return pd.read_parquet(path)


def _archive_table(path: Path) -> Table:
    """A table of the UCR archive, with the labels as text in the first column; one with a header like a `.csv`."""
    first = _first_line(path)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else "," if "," in first else r"\s+"
    if _has_header([cell.strip() for cell in re.split(delimiter, first.strip())]):
        return Table(_parsed(path, delimiter), path, " ") if delimiter == r"\s+" else _csv(path)
    options: dict[str, Any] = {"header": None, "dtype": {0: str}}
    table = _parsed(path, delimiter, **options).rename(columns={0: ARCHIVE_LABEL})
    _refuse_other_labels(table, path)
    table[ARCHIVE_LABEL] = _archive_labels(table[ARCHIVE_LABEL], path)
    return Table(table, path, " " if delimiter == r"\s+" else delimiter, header=False)


def _has_header(names: list[str]) -> bool:
    """Whether the first line has column names: no cell after the first is a number or missing, or it names labels."""
    if names[0].lower() in ARCHIVE_NAMES:  # the steps may have numbers as names
        return True
    numbers = pd.to_numeric(pd.Series(names[1:], dtype=object), errors="coerce")
    return bool(len(numbers) and numbers.isna().all()) and not {name.lower() for name in names[1:]} <= {"", "nan", "?"}


def _refuse_other_labels(table: pd.DataFrame, path: Path) -> None:
    """Refuse whole numbers in the first column that are hardly labels: too many, or more than in the last column."""
    first, *_, last = (table[name] for name in (ARCHIVE_LABEL, *table.columns[1:]))
    counts = first.nunique(), last.nunique()
    whole = all(pd.api.types.is_integer_dtype(table[name]) for name in table.columns[1:])
    fewer = pd.api.types.is_integer_dtype(last) and 2 <= counts[1] <= min(counts[0] // 2, len(table) // 4)
    many = counts[0] > MANY_CLASSES or 2 * counts[0] > len(table) > MANY_CLASSES
    if pd.to_numeric(first, errors="coerce").isna().any():
        return
    if (whole and many) or (fewer and counts[0] > FEW_CLASSES):
        other = f", and the last column has {counts[1]}" if fewer else ""
        raise FileError(
            f"{path}: the first column, expected to hold the labels as in the UCR archive, has {counts[0]} distinct "
            f"values in {len(table)} rows{other}; save the table with a first line of column names as .csv, and "
            "name the labels with label= (--label)"
        )


def _archive_labels(labels: "pd.Series[Any]", path: Path) -> "pd.Series[Any]":
    """Labels as text; numbers such as 1.0000000e+00 as whole ones."""
    numbers = pd.to_numeric(labels, errors="coerce")
    fractions = numbers.notna() & (numbers != numbers.round())
    if fractions.any():
        raise FileError(
            f"{path} begins its rows with numbers such as {labels[fractions.argmax()]!r:.40}, expected the labels in "
            "the first column, as in the UCR archive; save a table with column names as .csv"
        )
    written = labels.str.contains(r"[.eE]", na=False) & numbers.notna() & np.isfinite(numbers)
    return labels.where(~written, numbers.where(written, 0).astype("int64").astype(str))


def _csv(path: Path) -> Table:
    """The cells of a table with a header; decimal commas where they make more columns numbers."""
    delimiter = _delimiter(path)
    table = _parsed(path, delimiter)
    if not isinstance(table.index, pd.RangeIndex):
        cells = len(table.columns) + table.index.nlevels
        raise FileError(
            f"{path}: the header names {len(table.columns)} columns, but the rows have {cells} cells; name every column"
        )
    if delimiter != "," and not all(is_numeric(table[name]) for name in table):
        commas = _parsed(path, delimiter, decimal=",")
        numeric = [sum(is_numeric(cells[name]) for name in table) for cells in (table, commas)]
        table = commas if numeric[1] > numeric[0] else table
    return Table(table, path, delimiter)


def _parsed(path: Path, delimiter: str, **options: Any) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(path, sep=delimiter, encoding="utf-8-sig", low_memory=False, **options)


def _first_line(path: Path) -> str:
    with open(path, encoding="utf-8-sig") as file:
        return next((line for line in file if line.strip()), "")


def _delimiter(path: Path) -> str:
    header = re.sub(r'"[^"]*"', "", _first_line(path))  # delimiters in quotes do not count
    return max(DELIMITERS, key=header.count)


def _line(path: Path, delimiter: str, record: int) -> int:
    """The line where a record begins: blank lines are no records, and a cell in quotes may have several lines."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        begin = 1
        for cells in reader:
            if len(cells) > 1 or "".join(cells).strip():
                if not record:
                    return begin
                record -= 1
            begin = reader.line_num + 1
    return begin
