"""Tables with a row for each sequence, as CSV, Parquet, or a `.tsv` of the UCR archive.

Letters: `N` sequences, `T` steps.
"""

import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gatewise.datasets.labelled import FileError, Labelled, check_size, listed

LABELS = ("label", "class", "target", "y")  # names of a column of labels, in lower case
DELIMITERS = (",", ";", "\t", "|")
NUMBERING = ("", "id", "index", "row", "no", "nr", "number", "#")  # names of a column that numbers the rows
# names of a column of series in a long table
SERIES = ("id", "unique_id", "series", "series_id", "sequence", "sequence_id", "case", "case_id")
NOT_UTF8 = "is not in UTF-8, perhaps a spreadsheet or text in another encoding; save it as CSV in UTF-8"


def read_rows(path: str | os.PathLike[str], *, label: str | None = None) -> Labelled:
    """Read sequences of one channel from a table with a row for each: a column of labels, and a column for each step.

    Empty cells at the end of a row mean a shorter sequence. A `.tsv` has no header and the labels, read as text, in the
    first column, as in the UCR archive. Reference: Dau, Bagnall, Kamgar, Yeh, Zhu, Gharghabi, Ratanamahatana and
    Keogh, The UCR time series archive, 2018, arXiv 1810.07758.

    Tables that would be misread are refused: a `.csv` without a header, a column without a name or named id, index, ...
    that numbers the rows, and a table with a row for each step of several sequences.

    Arguments:
        path: of a `.csv` (separated by commas; or by semicolons, tabs or bars, which also allow decimal commas),
            `.parquet` or `.tsv`.
        label: the column of labels; by default a column named label, class, target or y, if there is one.

    Returns:
        x (N, T, 1) float64, or a list of (T, 1) if lengths differ; y (N,), or None without labels.

    Raises:
        FileError: not a table, no or several columns of labels, or a cell that is not a number; the message names it.
        OSError: the file cannot be read.
        ImportError: `.parquet` without pyarrow.
    """
    table = _table(Path(path), label)
    name = _label(table, label, path)
    labels = None if name is None else _labels(table.pop(name), path)
    if not table.size:
        raise FileError(f"{path} has {len(table)} rows and no values in them; expected a row for each sequence")
    _refuse_long(table, path)
    _refuse_numbering(table, path)
    values = np.column_stack([_numbers(table[column], path) for column in table])
    lengths = values.shape[1] - np.isnan(values)[:, ::-1].argmin(1)
    if np.isnan(values).all(1).any():
        raise FileError(f"{path}: row {int(np.isnan(values).all(1).argmax()) + 1} has no values; leave it out")
    if (lengths == values.shape[1]).all():
        return Labelled(values[..., None], labels, Path(path).stem)
    return Labelled(
        [row[:length, None] for row, length in zip(values, lengths.tolist(), strict=True)], labels, Path(path).stem
    )


def _table(path: Path, label: str | None) -> pd.DataFrame:
    """All cells of the file; the labels of a `.tsv` in a column "label"."""
    try:
        if path.suffix.lower() == ".parquet":
            return _parquet(path)
        if path.suffix.lower() == ".tsv":
            return _archive_table(path)
        return _csv(path, label)
    except UnicodeDecodeError:
        raise FileError(f"{path} {NOT_UTF8}") from None
    except FileError:
        raise
    except (ValueError, pd.errors.ParserWarning) as reason:  # the errors of pyarrow and pandas are ValueErrors
        detail = str(reason).strip().removeprefix("Error tokenizing data. C error: ")
        raise FileError(f"{path} is not a table ({detail:.80}); expected a row for each sequence") from None


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


def _archive_table(path: Path) -> pd.DataFrame:
    """The cells of a table without a header, with the labels as text in the first column."""
    options: dict[str, Any] = {"sep": "\t", "header": None, "dtype": {0: str}, "encoding": "utf-8-sig"}
    table = pd.read_csv(path, low_memory=False, **options)
    first = table.iloc[0, 1:].dropna()
    if len(first) and pd.to_numeric(first, errors="coerce").isna().all():
        raise FileError(
            f"{path} begins with column names, expected a .tsv of the UCR archive, without a header; save it as .csv"
        )
    return table.rename(columns={0: "label"})


def _csv(path: Path, label: str | None) -> pd.DataFrame:
    """The cells of a table with a header."""
    delimiter = _delimiter(path)
    table = _parsed(path, delimiter)
    if not isinstance(table.index, pd.RangeIndex):
        cells = len(table.columns) + table.index.nlevels
        raise FileError(
            f"{path}: the header names {len(table.columns)} columns, but the rows have {cells} cells; name every column"
        )
    name = _label(table, label, path)
    steps = table if name is None else table.drop(columns=name)
    _refuse_no_header(steps, path)
    if delimiter != "," and not all(pd.api.types.is_numeric_dtype(dtype) for dtype in steps.dtypes):
        return _parsed(path, delimiter, decimal=",")
    return table


def _parsed(path: Path, delimiter: str, **options: Any) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(path, sep=delimiter, encoding="utf-8-sig", low_memory=False, **options)


def _refuse_no_header(steps: pd.DataFrame, path: object) -> None:
    """Refuse a file without a header: most column names are numbers and not in order."""
    names = pd.to_numeric(pd.Series(steps.columns, dtype=object), errors="coerce")
    differences = names.dropna().diff().iloc[1:]
    if names.notna().mean() > 0.5 and not ((differences > 0).all() or (differences < 0).all()):
        raise FileError(f"{path} begins with numbers, expected column names; add a first line with names")


def _refuse_long(table: pd.DataFrame, path: object) -> None:
    """Refuse a table with a row for each step: a column that names series has repeated values."""
    for column in table.columns:
        named = len(table.columns) > 1 and str(column).strip().lower() in SERIES
        if named and table[column].duplicated().any():
            raise FileError(
                f"{path}: column {column!r} has the same value in several rows, as in a table with a row for each "
                "step; expected a row for each sequence, as from pandas' DataFrame.pivot, or a .npz of x and y"
            )


def _refuse_numbering(table: pd.DataFrame, path: object) -> None:
    """Refuse a column that numbers the rows: as a step, it would reveal the class of sorted rows."""
    for column in table.columns:
        name = re.sub(r"^unnamed: \d+$", "", str(column).strip().lower())  # pandas' name of a column without a name
        cells = table[column]
        if name in NUMBERING and pd.api.types.is_integer_dtype(cells) and cells.is_unique and len(cells) > 1:
            where = f"column {column!r}" if name else "a column without a name"
            raise FileError(f"{path}: {where} numbers the rows, and would be read as a step; leave it out")


def _delimiter(path: Path) -> str:
    with open(path, encoding="utf-8-sig") as file:
        header = re.sub(r'"[^"]*"', "", file.readline())  # delimiters in quotes do not count
    return max(DELIMITERS, key=header.count)


def _label(table: pd.DataFrame, label: str | None, path: object) -> Any:
    """The name of the column of labels, None if there is none."""
    if label is not None:
        matches = [column for column in table if str(column).strip() == str(label).strip()]
        if not matches:
            columns = listed(map(str, table.columns[-10:]))
            raise FileError(f"{path} has no column {label!r}; its last columns are {columns}; name the label column")
        return matches[0]
    matches = [column for column in table if str(column).strip().lower() in LABELS]
    if len(matches) > 1:
        raise FileError(
            f"{path} has columns {', '.join(matches)}, expected one column of labels; name it with label= (--label)"
        )
    return matches[0] if matches else None


def _labels(column: "pd.Series[Any]", path: object) -> np.ndarray:
    """Labels in their type, as text if numpy has no type for them."""
    if column.isna().any():
        row = int(column.isna().argmax()) + 1
        raise FileError(
            f"{path}: row {row} has no label, or a label such as NA or None, which is read as missing; rename it, or "
            "leave the row out"
        )
    plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf"
    labels: np.ndarray = column.to_numpy() if plain else column.astype(str).to_numpy(str)
    return labels


def _numbers(column: "pd.Series[Any]", path: object) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(column) or column.dtype.kind in "mc":
        raise FileError(
            f"{path}: column {listed([str(column.name)])} is {column.dtype}, expected numbers; leave it out"
        )
    try:
        numbers: np.ndarray = column.to_numpy(np.float64, na_value=np.nan)
        return numbers
    except (ValueError, TypeError):
        wrong = pd.to_numeric(column, errors="coerce").isna() & column.notna()
        row = int(wrong.argmax())
        raise FileError(
            f"{path}, row {row + 1}, column {column.name!r}: {column.iloc[row]!r:.60}, expected a number; correct it, "
            "or leave the column out"
        ) from None
