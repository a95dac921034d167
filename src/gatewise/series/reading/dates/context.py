"""Date context: what a time column is read with, and the result.

Letters: N rows, C distinct cells.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.dates.choice import Evidence
from gatewise.series.reading.dates.messages import Cells, Where

DIGITS = r"-?\d+(?:\.\d+)?"


class ReadDates(NamedTuple):
    """A time index, the guess made to read it, or None, and how the cells are written, as far as this is known."""

    ds: pd.Index
    guess: str | None
    time_format: str | None = None
    dayfirst: bool | None = None


class Context(NamedTuple):
    """What a column is read with: the names of its rows, its format, its cells as written, and evidence.

    Attributes:
        where: names a row in a message.
        cells: how cells are written.
        written: (N,) the cells as text, if they come from a text file.
        series: (N,) the series of each row.
        expected: the dates that the column should hold.
        past: (N,) whether the row holds a value.
        today: the present day; by the clock if None.
    """

    where: Where
    cells: CellFormat = CellFormat()
    written: Callable[[], pd.Series] | None = None
    series: np.ndarray | None = None
    expected: pd.Index | None = None
    past: np.ndarray | None = None
    today: pd.Timestamp | None = None

    def of(self, column: pd.Series, codes: np.ndarray) -> Cells:
        """A column with the distinct cell of each row (N,)."""
        return Cells(column, codes, self.where, self.cells)

    def written_digits(self, values: np.ndarray) -> np.ndarray | None:
        """Numbers (N,) as written, if this may matter: fractions such as 2020.10, leading zeros such as 012020."""
        if self.written is None or not len(values):
            return None
        shortest, longest = np.log10(np.maximum(np.abs([values.min(), values.max()]), 1)).astype(int) + 1
        is_even = shortest == longest and longest % 2 == 0 and longest != 4  # but 8366 may be 08366
        if (values == np.round(values)).all() and is_even:
            return None
        texts = self.written().astype(str).str.strip()
        same = is_digits(texts) and np.array_equal(texts.to_numpy(np.float64), values)
        return texts.to_numpy(object) if same else None

    def only(self, rows: np.ndarray) -> "Context":
        """The context of some rows."""
        series, past = (None if each is None else each[rows] for each in (self.series, self.past))
        return self._replace(where=lambda i: self.where(int(rows[i])), written=None, series=series, past=past)

    def evidence(self, codes: np.ndarray) -> Evidence:
        """The evidence of rows that hold these distinct cells (N,)."""
        return Evidence(codes, self.series, self.expected, self.past, self.today)


def is_digits(texts: pd.Series) -> bool:
    """Whether all cells are numbers."""
    return bool(texts.str.fullmatch(DIGITS).all())
