"""Tables of sequences: a row for each, as CSV, Parquet, or a `.tsv` of the UCR archive.

Letters: `N` sequences, `T` steps.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gatewise.datasets.labelled import FileError, Labelled

LABELS = ("label", "class", "target", "y")  # what a column of labels is called, in small letters
DELIMITERS = (",", ";", "\t")


def read_rows(path: str | os.PathLike[str], *, label: str | None = None) -> Labelled:
    """Sequences of one channel from a table with a row for each: a column for its label, the others its steps in order.

    Empty cells at the end of a row mean a shorter sequence. A `.tsv` has no header and the label in front, as in the
    UCR archive; it is read as text everywhere. Reference: Dau, Bagnall, Kamgar, Yeh, Zhu, Gharghabi, Ratanamahatana and
    Keogh, The UCR time series archive, 2018, arXiv 1810.07758.

    Arguments:
        path: of a `.csv` (with commas, semicolons or tabs), `.parquet` or `.tsv`.
        label: the column of labels; by default one that is called label, class, target or y, if there is one.

    Returns:
        x (N, T, 1) float64, or a list of (T, 1) where sequences differ in length; y (N,), or None without labels.

    Raises:
        FileError: it is no such table, has no or several such columns, or holds a cell that is no number; names it.
        OSError: the file cannot be read.
        ImportError: `.parquet` without pyarrow.
    """
    table = _table(Path(path))
    name = _label(table, label, path)
    labels = None if name is None else _labels(table.pop(name), path)
    if not table.size:
        raise FileError(f"{path} has {len(table)} rows and no values in them; expected a row for each sequence")
    values = np.column_stack([_numbers(table[column], path) for column in table])
    lengths = values.shape[1] - np.isnan(values)[:, ::-1].argmin(1)
    if np.isnan(values).all(1).any():
        raise FileError(f"{path}: row {int(np.isnan(values).all(1).argmax()) + 1} has no values; leave it out")
    if (lengths == values.shape[1]).all():
        return Labelled(values[..., None], labels, Path(path).stem)
    return Labelled(
        [row[:length, None] for row, length in zip(values, lengths.tolist(), strict=True)], labels, Path(path).stem
    )


def _table(path: Path) -> pd.DataFrame:
    """All cells of the file; the label of a `.tsv` in a column "label"."""
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        if path.suffix.lower() == ".tsv":
            table = pd.read_csv(path, sep="\t", header=None, dtype={0: str}, low_memory=False)
            return table.rename(columns={0: "label"})
        return pd.read_csv(path, sep=_delimiter(path), encoding="utf-8-sig", low_memory=False)
    except UnicodeDecodeError:
        raise FileError(f"{path} is no text; save it as UTF-8") from None
    except (ValueError, pd.errors.ParserError) as reason:  # pyarrow's errors are of the first kind
        raise FileError(f"{path} is no table ({reason!s:.80}); expected a row for each sequence") from None


def _delimiter(path: Path) -> str:
    with open(path, encoding="utf-8-sig") as file:
        header = file.readline()
    return max(DELIMITERS, key=header.count)


def _label(table: pd.DataFrame, asked: str | None, path: object) -> Any:
    """The column of labels."""
    if asked is not None:
        if asked not in table:
            columns = ", ".join(map(str, table.columns[-10:]))
            raise FileError(f"{path} has no column {asked!r}, the last ones are {columns}; name the column of labels")
        return asked
    found = [column for column in table if str(column).lower() in LABELS]
    if len(found) > 1:
        raise FileError(f"{path} has columns {', '.join(found)}, expected one of labels; say which")
    return found[0] if found else None


def _labels(column: "pd.Series[Any]", path: object) -> np.ndarray:
    """Labels as they are, as text where they are of no one type of numpy's."""
    if column.isna().any():
        raise FileError(f"{path}: row {int(column.isna().argmax()) + 1} has no label; fill it, or leave the row out")
    plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf"
    labels: np.ndarray = column.to_numpy() if plain else column.astype(str).to_numpy(str)
    return labels


def _numbers(column: "pd.Series[Any]", path: object) -> np.ndarray:
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
