"""Files: a CSV file of any common dialect, or a Parquet file, as one pandas table."""

import gzip
import io
import re
import warnings
import zlib
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.number_formats import Written
from gatewise.series.wording import counted


class File(NamedTuple):
    """The table in a file, and how it is read.

    Attributes:
        frame: (N rows) the table; series names and columns of text as pandas reads them.
        guesses: sentences that state how it is read.
        warnings: sentences about what the user should look at.
        lines: (N,) line of the file of each row; None if row 0 is line 2, or the file has no lines.
        written: the cells of a column as text, "" for empty cells; None if the file is no text.
        delimiter: of the fields.
    """

    frame: pd.DataFrame
    guesses: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lines: np.ndarray | None = None
    written: Written | None = None
    delimiter: str = ","


def read_file(path: Path, cells: CellFormat) -> File:
    """The table in a file; `cells` says how it is written, as far as the caller knows."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; check the path") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder; pass the path of a file") from None
    except OSError as reason:
        raise DataError(f"{path} cannot be read: {reason.strerror}; check its permissions") from None
    if path.suffix.lower() == ".parquet":
        return File(_parquet(path, content))
    text = _decoded(path, content)
    delimiter = _delimiter(text)
    frame = _parsed(path, text, delimiter)
    written = partial(_written, text, delimiter, len(frame))
    guesses = () if delimiter == "," else (f"delimiter: {delimiter!r}",)
    return File(frame, guesses, written=written, delimiter=delimiter)


def _parquet(path: Path, content: bytes) -> pd.DataFrame:
    if not content:
        raise DataError(f"{path} is empty; write the table again")
    try:
        return pd.read_parquet(io.BytesIO(content))
    except ImportError:
        raise DataError(
            f"{path}: reading .parquet needs pyarrow; pip install pyarrow, or save the table as CSV"
        ) from None
    except (
        ValueError,
        OSError,
        NotImplementedError,
        LookupError,
        TypeError,
    ) as reason:  # every error that pyarrow raises
        if content[:4] != b"PAR1":
            raise DataError(
                f"{path} is not a parquet file; save it as parquet, or rename it to .csv if it is CSV"
            ) from None
        message = str(reason).partition("\n")[0].rpartition("'<Buffer>': ")[2]
        raise DataError(f"{path} is a damaged parquet file ({message:.200}); copy it or write it again") from None


def _decoded(path: Path, content: bytes) -> str:
    try:
        content = gzip.decompress(content) if path.suffix.lower() == ".gz" else content
    except (OSError, EOFError, zlib.error):
        raise DataError(f"{path} is not a complete gzip file; compress the CSV again or pass it uncompressed") from None
    if content.startswith(b"PK") or b"\0" in content[:4096]:
        raise DataError(
            f"{path} is not a text table (a spreadsheet, UTF-16 or other binary file?); save it as CSV in UTF-8"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        line = content[: reason.start].count(b"\n") + 1
        raise DataError(
            f"{path}, line {line}: byte 0x{content[reason.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None
    if not text.strip():
        raise DataError(f"{path} is empty; expected a header line and one row per date")
    return text


def _delimiter(text: str) -> str:
    header = re.sub(r'"[^"]*"', "", text.lstrip().partition("\n")[0])  # quoted delimiters do not count
    return max(",;\t|", key=header.count)  # a comma if there is no delimiter


def _fields(text: str, delimiter: str, **options: Any) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), sep=delimiter, low_memory=False, skip_blank_lines=False, **options)


def _written(text: str, delimiter: str, rows: int, column: str) -> pd.Series:
    """A column as text, "" where a cell is empty."""
    return _fields(text, delimiter, usecols=[column], dtype=str, na_filter=False, nrows=rows)[column]


def _parsed(path: Path, text: str, delimiter: str) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            _refuse_repeated(path, _fields(text, delimiter, header=None, nrows=1, dtype=str).iloc[0].dropna())
            frame = _fields(text, delimiter)
    except DataError:
        raise
    except (ValueError, pd.errors.ParserWarning) as reason:  # pandas' own parser errors are ValueErrors
        message = str(reason).strip().removeprefix("Error tokenizing data. C error: ")
        open_quote = "inside string" in str(reason)
        remedy = "close the quote that opens there" if open_quote else "every line needs as many fields as the header"
        raise DataError(f"{path} is not a regular table: {message}; {remedy}") from None
    if not isinstance(frame.index, pd.RangeIndex):
        named, fields = len(frame.columns), len(frame.columns) + frame.index.nlevels
        raise DataError(
            f"{path}: the header names {counted(named, 'column')} but the rows have {fields} fields separated by "
            f"{delimiter!r}; name every column (decimal commas need ';' between the fields)"
        )
    filled = np.flatnonzero(frame.notna().any(axis=1))
    if len(filled) == 0:
        raise DataError(f"{path} has a header but no rows; expected one row per date")
    return frame.iloc[: filled[-1] + 1]  # blank lines at the end are dropped; those before are reported later


def _refuse_repeated(path: Path, header: pd.Series) -> None:
    repeated = header[header.duplicated()]
    if len(repeated):
        raise DataError(f"{path.name} has several columns named {repeated.iloc[0]!r}; give each column its own name")
