"""Rows: all series in flat arrays, one series after the other.

A few operations on whole arrays read and check a table of 100,000 series. Only a series with an error is extracted as
`Rows`, so that a check can write its message.

Letters: N rows of all series, S series.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.frequency import as_integers
from gatewise.series.reading.table import Table
from gatewise.series.values import last_valid, next_valid


@dataclass(frozen=True)
class Rows:
    """The rows of one series, not yet checked."""

    unique_id: Any
    ds: pd.Index
    y: np.ndarray
    positions: np.ndarray  # of the rows in the table
    table: Table

    def where(self, i: int) -> str:
        """The name of a row for a message."""
        return f"{self}, {self.table.row(int(self.positions[i]))}"

    def __str__(self) -> str:
        return f"series {str(self.unique_id)!r}"


@dataclass(frozen=True)
class Stack:
    """The rows of all series, one series after the other in order of appearance.

    Attributes:
        names: (S,) names of the series.
        bounds: (S + 1,) the first row of each series, and the end of the last one.
        ds: (N,) dates.
        y: (N,) values, NaN where missing.
        positions: (N,) positions of the rows in the table.
        table: the table.
    """

    names: list[Any]
    bounds: np.ndarray
    ds: pd.Index
    y: np.ndarray
    positions: np.ndarray
    table: Table

    @property
    def lengths(self) -> np.ndarray:
        """(S,) the number of rows of each series."""
        return np.diff(self.bounds)

    def rows(self, s: int) -> Rows:
        """The rows of one series."""
        span = slice(self.bounds[s], self.bounds[s + 1])
        return Rows(self.names[s], self.ds[span], self.y[span], self.positions[span], self.table)

    def every(self, condition: np.ndarray) -> np.ndarray:
        """(S,) whether `condition` is true in all rows (N,), or all steps between rows (N - 1,), of each series."""
        fails = np.concatenate([[0], np.cumsum(~condition, dtype=np.int64)])
        last = len(fails) - 1
        steps = len(self.ds) - len(
            condition
        )  # 1 for steps between rows: a step into the next series belongs to neither
        starts = np.minimum(self.bounds[:-1], last)
        return np.asarray(fails[np.clip(self.bounds[1:] - steps, starts, last)] == fails[starts])

    def inside(self) -> np.ndarray:
        """(N - 1,) whether each step between rows is inside a series."""
        inside = np.ones(max(len(self.ds) - 1, 0), bool)
        borders = self.bounds[1:-1]
        inside[borders[(borders > 0) & (borders < len(self.ds))] - 1] = False
        return inside

    @property
    def codes(self) -> np.ndarray:
        """(N,) the number of the series of each row."""
        return np.repeat(np.arange(len(self.names)), self.lengths)

    def by_date(self) -> "Stack":
        """The rows of each series sorted by date; rows of equal dates stay in the order of the table."""
        return self._take(np.lexsort((as_integers(self.ds), self.codes)))

    def only(self, selected: np.ndarray) -> "Stack":
        """The rows where `selected` (N,) is true."""
        counts = np.bincount(self.codes[selected], minlength=len(self.names))
        return replace(self._take(np.flatnonzero(selected)), bounds=np.concatenate([[0], counts.cumsum()]))

    def series(self, selected: np.ndarray) -> "Stack":
        """The series where `selected` (S,) is true."""
        names = [name for name, is_selected in zip(self.names, selected, strict=True) if is_selected]
        bounds = np.concatenate([[0], self.lengths[selected].cumsum()])
        return replace(self._take(np.flatnonzero(selected[self.codes])), names=names, bounds=bounds)

    def without_blanks(self) -> "tuple[Stack, tuple[str, ...]]":
        """Each series from its first value to its last, or all of it if it has none; and the guess that states it."""
        has_value, codes = ~np.isnan(self.y), self.codes
        blank = (last_valid(has_value, codes) < 0) | (next_valid(has_value, codes) < 0)
        blank &= (np.bincount(codes[has_value], minlength=len(self.names)) > 0)[codes]
        if not blank.any():
            return self, ()
        trimmed = f"{len(np.unique(codes[blank]))} of {len(self.names)} series"
        return self.only(~blank), (f"left out: blank cells before the first or after the last value, in {trimmed}",)

    def _take(self, rows: np.ndarray) -> "Stack":
        return replace(self, ds=self.ds[rows], y=self.y[rows], positions=self.positions[rows])
