"""Subtotals: rows labelled with a longer period than the others, such as 2015 between 2015-01 and 2015-12.

They are read as the first date of their period, and so repeat it.

Letters: N rows.
"""

import re

import numpy as np
import pandas as pd

from gatewise.series.reading.table import Table
from gatewise.series.wording import quoted

_PART = re.compile(r"\d+|[^\W\d_]+")


def longer_periods(cells: pd.Series) -> np.ndarray:
    """(N,) whether a cell of text names a longer period than most: it has fewer numbers and words.

    >>> longer_periods(pd.Series(["2015-01", "2015-02", "2015"])).tolist()
    [False, False, True]
    """
    codes, distinct = pd.factorize(cells)
    if not len(distinct) or pd.api.types.infer_dtype(cells, skipna=True) != "string":
        return np.zeros(len(cells), bool)
    parts = np.array([len(_PART.findall(cell)) for cell in distinct])[codes]
    usual = int(np.bincount(parts).argmax())
    return np.asarray(parts < usual)


def subtotal_remedy(table: Table, time: tuple[str, ...], positions: np.ndarray, repeats: np.ndarray) -> str | None:
    """What to do about rows that repeat a date because they are labelled with a longer period; None if none are.

    Arguments:
        table: the table.
        time: its time columns.
        positions: (N,) rows of the table.
        repeats: (N,) whether the date of a row occurs in several rows.
    """
    if len(time) != 1:
        return None
    cells = table.frame[time[0]].iloc[positions]
    longer = longer_periods(cells)
    found = np.flatnonzero(longer & repeats)
    if not len(found):
        return None
    usual = cells.iloc[int((~longer).argmax())]
    return (
        f"{quoted(cells.iloc[found[0]])} in time column {time[0]!r} names a longer period than {quoted(usual)}, as a "
        f"total does; remove {table.rows(positions[found])}, which would count twice"
    )
