"""Numbers: a column of any type converted to float64."""

import math
import re
import shlex
from decimal import Decimal
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError, RowError
from gatewise.series.reading.dates.parsing import Where, is_text
from gatewise.series.reading.numbers.formats import Unreadable
from gatewise.series.wording import and_more, quoted

_LIMIT = re.compile(r"(?P<sign>[<>≤≥])=?\s*(?P<number>\d+([.,]\d+)?)")  # <1, > 100, <0,5


def read_numbers(column: pd.Series, where: Where) -> np.ndarray:
    """A column as float64 with NaN for missing values; text and infinite values are errors."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("boolean", "complex"):
        raise DataError(
            f"target {column.name!r} holds {kind} values, expected numbers; convert them, for example with "
            "astype(float)"
        )
    cells = column.where(column.str.strip() != "") if is_text(column) else column
    values, present = to_numbers(cells), cells.notna().to_numpy()
    for wrong, fault in ((np.isnan(values) & present, "not a number"), (np.isinf(values), "infinite")):
        if wrong.any():
            raise RowError(np.flatnonzero(wrong), partial(_no_number, column, where, fault))
    return values


def _no_number(column: pd.Series, where: Where, fault: str, rows: np.ndarray) -> str:
    cell = column.iloc[rows[0]]
    value = quoted(cell) if isinstance(cell, str) else cell
    fault = cell.fault if isinstance(cell, Unreadable) else f"is {fault}"
    remedy = 'give a number such as 1234.5, or leave the cell empty and pass fill="interpolate" (--fill interpolate)'
    if isinstance(cell, str) and "," not in cell and len(cell) <= 20:
        option = f"--missing={shlex.quote(cell.strip())}"
        remedy = (
            f"give a number such as 1234.5; or, if it marks a missing value, pass missing={cell.strip()!r} ({option})"
        )
        remedy += ' and fill="interpolate" (--fill interpolate)'
    if isinstance(cell, str) and (limit := _LIMIT.fullmatch(cell.strip())):
        remedy = _limit_remedy(limit["sign"], float(limit["number"].replace(",", ".")))
    if fault.startswith("contradicts"):
        remedy = "correct the cell or omit the option"
    return f"{where(rows[0])}: {value} in target {column.name!r} {fault}{and_more(len(rows) - 1)}; {remedy}"


def _limit_remedy(sign: str, limit: float) -> str:
    """What to write for a value below or above a limit of what is counted or measured; its neighbours are no value."""
    if sign in "<≤":
        return f"it is a small value, not a missing one: write 0, or half of the limit ({limit / 2:g}), in such cells"
    return f"it is a large value, not a missing one: write the limit ({limit:g}) in such cells"


def present(column: pd.Series) -> pd.Series:
    """The cells that are not blank."""
    cells = column.dropna()
    if pd.api.types.is_numeric_dtype(cells) or not is_text(cells):
        return cells
    return cells[cells.str.strip() != ""]


def mostly_numbers(column: pd.Series) -> bool:
    """Whether at least half of the cells are finite numbers."""
    return bool(np.isfinite(to_numbers(column)).mean() >= 0.5)


def holds_numbers(column: pd.Series) -> bool:
    """Whether at least half of the cells that are not blank are numbers; true for an empty column."""
    return pd.api.types.is_numeric_dtype(column) or bool(column.isna().all()) or mostly_numbers(column.dropna())


def to_numbers(column: pd.Series) -> np.ndarray:
    """A column as float64, with NaN for cells that are not numbers."""
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column.astype(object).map(_number_or_text), errors="coerce")
    return np.array(column.to_numpy(np.float64, na_value=np.nan))


def _number_or_text(cell: Any) -> float | str | None:
    if isinstance(cell, str):
        return None if isinstance(cell, Unreadable) else cell
    try:
        return float(cell) if isinstance(cell, Real | Decimal) else None
    except OverflowError:  # an integer beyond float64
        return math.inf if cell > 0 else -math.inf
