"""Columns of a table: what their cells are, whatever their names.

Letters: `N` rows.
"""

import re
from typing import Any

import numpy as np
import pandas as pd

DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([T ].*)?$")
FAULTY = re.compile(r"\s*[-+]?[\d.,' ]*\d[\d.,' ]*\s*$")  # a number in another notation
CLOCK = re.compile(r"\s*\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*$")
SAMPLE = 1000  # rows from which the usual contents of a column are judged
EDGE = 8  # columns at each end of a table among which those that are no steps are searched


def kind(column: "pd.Series[Any]") -> str:
    """ "date", "flag" (true and false), "number" or "text"; text with a few faulty numbers is "number".

    >>> [kind(pd.Series(cells)) for cells in ([1.5, 2], ["a", "b"], ["2024-01-31", "2024-02-29"], ["1", "two", "3"])]
    ['number', 'text', 'date', 'number']
    """
    if pd.api.types.is_datetime64_any_dtype(column) or column.dtype.kind == "m":
        return "date"
    if pd.api.types.is_bool_dtype(column):
        return "flag"
    if pd.api.types.is_numeric_dtype(column):
        return "number"
    distinct = pd.Series(column.dropna().unique(), dtype=object)
    if not len(distinct) or pd.to_numeric(distinct, errors="coerce").notna().mean() >= 0.5:
        return "number"
    texts = [str(value) for value in distinct[:SAMPLE]]
    dates = sum(bool(DATE.match(text) or CLOCK.match(text)) for text in texts)
    if dates >= 0.9 * len(texts):
        return "date"
    return "number" if sum(bool(FAULTY.match(text)) for text in texts) >= 0.5 * len(texts) else "text"


def numbers(column: "pd.Series[Any]") -> np.ndarray:
    """(N,) float64, NaN for cells that are no numbers."""
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column, errors="coerce")
    array: np.ndarray = column.to_numpy(np.float64, na_value=np.nan)
    return array


def is_whole(values: np.ndarray) -> bool:
    """Whether there are values, and all are finite whole numbers."""
    return bool(len(values) and np.isfinite(values).all() and (values == np.rint(values)).all())


def is_progression(values: np.ndarray) -> bool:
    """Whether sorted whole numbers have one constant difference above 0, as those that number rows."""
    if len(values) < 4 or not is_whole(values):
        return False
    steps = np.diff(np.sort(values))
    return bool(steps[0] > 0 and (steps == steps[0]).all())


def distinct(column: "pd.Series[Any]") -> int:
    """The number of distinct values."""
    return int(column.nunique())


def edges(names: list[Any]) -> list[Any]:
    """The columns at both ends of a table."""
    return names if len(names) <= 2 * EDGE else names[:EDGE] + names[-EDGE:]


def is_foreign(name: Any, names: list[Any]) -> bool:
    """Whether a name has no number, and at least four in five of the names have one, such as t0, t1, t2, ...

    >>> [is_foreign(name, ["age", *(f"t{k}" for k in range(9))]) for name in ("age", "t0")]
    [True, False]
    """
    numbered = [bool(re.search(r"\d", str(other))) for other in names if other != name]
    return not re.search(r"\d", re.sub(r"^Unnamed: \d+$", "", str(name))) and sum(numbered) >= max(
        3, 0.8 * len(numbered)
    )


def same_groups(codes: np.ndarray, others: np.ndarray) -> bool:
    """Whether rows of equal codes (N,) have equal other codes (N,)."""
    pairs = codes.astype(np.int64) * (int(others.max(initial=0)) + 2) + others
    return len(np.unique(pairs)) == len(np.unique(codes))
