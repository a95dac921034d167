"""Numbers and labels of the cells of a table; a faulty cell is named by its line.

Letters: `N` rows, `C` columns.
"""

from typing import Any

import numpy as np
import pandas as pd

from gatewise.datasets.labelled import FileError, listed
from gatewise.datasets.tables import Table


def matrix(table: Table, names: list[Any]) -> np.ndarray:
    """(N, C) float64, NaN for empty cells.

    Raises:
        FileError: a cell that is not a number.
    """
    if not names:
        return np.empty((len(table.cells), 0))
    return np.column_stack([_numbers(table, name) for name in names])


def label_values(table: Table, name: Any) -> np.ndarray:
    """(N,) labels in their type, as text if numpy has no type for them.

    Raises:
        FileError: a row without a label.
    """
    column = table.cells[name]
    if column.isna().any():
        row = int(column.isna().to_numpy().argmax())
        raise FileError(
            f"{table.row(row)} has no label, or a label such as NA or None, which is read as missing; rename it, or "
            "leave the row out"
        )
    plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf"
    labels: np.ndarray = column.to_numpy() if plain else column.astype(str).to_numpy(str)
    return labels


def _numbers(table: Table, name: Any) -> np.ndarray:
    column = table.cells[name]
    if pd.api.types.is_datetime64_any_dtype(column) or column.dtype.kind in "mc":
        raise FileError(
            f"{table.path}: column {listed([str(name)])} is {column.dtype}, expected numbers; leave it out with "
            f"drop=[{str(name)!r}] (--drop {name})"
        )
    try:
        numbers: np.ndarray = column.to_numpy(np.float64, na_value=np.nan)
        return numbers
    except (ValueError, TypeError):
        wrong = pd.to_numeric(column, errors="coerce").isna() & column.notna()
        row = int(wrong.to_numpy().argmax())
        raise FileError(
            f"{table.row(row)}, column {str(name)!r}: {column.iloc[row]!r:.60}, expected a number; correct it, or "
            f"leave the column out with drop=[{str(name)!r}] (--drop {name})"
        ) from None
