"""Files: a CSV file of any common dialect, or a Parquet file, as one pandas table."""

import gzip
import io
import re
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.dates import is_text
from gatewise.series.wording import counted


def read_file(
    path: Path, id_column: str | None, first_is_id: bool = False, covariates: Sequence[str] = ()
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table in a file, and the guesses that state how it is read.

    In a CSV file, series names and categories of covariates remain text as written, including None and NA.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; check the path") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder; pass the path of a file") from None
    except OSError as reason:
        raise DataError(f"{path} cannot be read: {reason.strerror}; check its permissions") from None
    if path.suffix.lower() == ".parquet":
        return _parquet(path, content), ()
    text = _decoded(path, content)
    delimiter = _delimiter(text)
    frame = _parsed(path, text, delimiter, id_column, first_is_id)
    guesses: tuple[str, ...] = ()
    if delimiter != ",":
        points = _decimal_points(frame, text, delimiter)
        frame, commas = _decimal_commas(frame)
        guesses = (f"delimiter: {delimiter!r}", *points, *commas)
    textual = [column for column in covariates if column in frame.columns and is_text(frame[column])]
    return frame.assign(**_as_written(text, delimiter, textual)), guesses


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


def _as_written(text: str, delimiter: str, columns: list[str]) -> dict[str, pd.Series]:
    """Columns as text, where only empty cells are missing."""
    if not columns:
        return {}
    fields = _fields(text, delimiter, usecols=columns, dtype=str, keep_default_na=False, na_values=[""])
    return {column: fields[column] for column in columns}


def _parsed(path: Path, text: str, delimiter: str, id_column: str | None, first_is_id: bool) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            _refuse_repeated(path, _fields(text, delimiter, header=None, nrows=1, dtype=str).iloc[0].dropna())
            frame = _fields(text, delimiter)
            id_column = id_column or (frame.columns[0] if first_is_id else "unique_id")
            if id_column in frame.columns:  # text as written: "007" is not 7, "NA" is not missing
                frame[id_column] = _as_written(text, delimiter, [id_column])[id_column]
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


def _decimal_points(frame: pd.DataFrame, text: str, delimiter: str) -> list[str]:
    """A sentence for each column of numbers such as 1.000, which may mean a thousand in a file with semicolons."""
    columns = [column for column in frame.columns if frame[column].dtype.kind == "f"] if delimiter == ";" else []
    if not columns:
        return []
    written = _fields(text, delimiter, usecols=columns, dtype=str)
    guesses = []
    for column in columns:
        cells = written[column].dropna().str.strip()
        dotted = cells[cells.str.contains(".", regex=False)]
        if len(dotted) and cells.str.fullmatch(r"[+-]?(0|[1-9]\d{0,2}(\.\d{3})?)").all():
            guesses.append(
                f"decimal point in column {column!r}: {dotted.iloc[0]!r} read as {float(dotted.iloc[0])}, "
                "not as thousands; write thousands without points"
            )
    return guesses


def _decimal_commas(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The table with numbers such as 112,5 converted, and a sentence for each converted column."""
    frame, guesses = frame.copy(), []
    for column in [column for column in frame.columns if is_text(frame[column])]:
        text = frame[column].dropna().str.strip()
        with_comma = text[text.str.contains(",")]
        if len(with_comma) and text.str.fullmatch(r"[+-]?\d+(,\d+)?").all():
            frame[column] = frame[column].str.replace(",", ".").astype(np.float64)
            example = f"{with_comma.iloc[0]!r} read as {frame[column][with_comma.index[0]]}"
            guesses.append(f"decimal comma in column {column!r}: {example}")
    return frame, guesses
