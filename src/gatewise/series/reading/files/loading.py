"""Files: the bytes of a text file, a spreadsheet or a Parquet file as one pandas table."""

import gzip
import io
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.files.delimited import read_text
from gatewise.series.reading.files.spreadsheet import SPREADSHEETS, read_spreadsheet
from gatewise.series.reading.files.text import decoded
from gatewise.series.reading.numbers.formats import Written
from gatewise.series.wording import counted

UNPACKED = 2**31  # bytes of a zip file after decompression


class File(NamedTuple):
    """The table in a file, and how it is read.

    Attributes:
        frame: (N rows) the table; series names and columns of text as pandas reads them.
        guesses: sentences that state how it is read.
        warnings: sentences about what the user should look at.
        lines: (N,) line of the file of each row; None if row 0 is line 2, or the file has no lines.
        end: the last line that is not empty; None if the file has no lines.
        written: the cells of a column as text, "" for empty cells; None if the file is no text.
    """

    frame: pd.DataFrame
    guesses: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lines: np.ndarray | None = None
    written: Written | None = None
    end: int | None = None


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
    ending = path.suffix.lower()
    if ending in SPREADSHEETS:
        sheet = read_spreadsheet(path, content, cells)
        return File(sheet.frame, sheet.guesses, lines=sheet.lines, end=sheet.end)
    if cells.sheet is not None:
        raise DataError(f"{path.name} is no spreadsheet; omit sheet= (--sheet)")
    if ending == ".parquet":
        return File(_parquet(path, content))
    text = read_text(path, decoded(path, _uncompressed(path, content)), cells)
    return File(text.frame, text.guesses, lines=text.lines, written=text.written, end=text.end)


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


def _uncompressed(path: Path, content: bytes) -> bytes:
    try:
        if path.suffix.lower() == ".zip":
            return _unzipped(path, content)
        return gzip.decompress(content) if path.suffix.lower() == ".gz" else content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        raise DataError(f"{path} is a damaged or encrypted zip file; pass the CSV uncompressed") from None
    except (OSError, EOFError, zlib.error):
        raise DataError(f"{path} is not a complete gzip file; compress the CSV again or pass it uncompressed") from None


def _unzipped(path: Path, content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and not entry.filename.startswith("__")]
        if len(entries) != 1 or entries[0].file_size > UNPACKED:
            raise DataError(
                f"{path.name}: expected one CSV file of at most {UNPACKED // 2**20} MiB in the zip file, found "
                f"{counted(len(entries), 'file')}; pass the CSV uncompressed"
            )
        return archive.read(entries[0])
