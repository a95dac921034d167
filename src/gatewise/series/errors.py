"""Errors: invalid data, as a whole or in some rows."""

from collections.abc import Callable

import numpy as np


class DataError(ValueError):
    """The data are invalid; the message names the row or date and the remedy."""


class RowError(DataError):
    """Some rows are invalid; `describe` returns the message for any subset of them, so that each series gets its own.

    Arguments:
        rows: (R,) positions of the rows.
        fault: function from positions of rows to the message for these rows.
        remedy: what the message ends with; empty if `fault` says it.
    """

    def __init__(self, rows: np.ndarray, fault: Callable[[np.ndarray], str], remedy: str = "") -> None:
        self.rows, self.fault, self.remedy = rows, fault, remedy
        super().__init__(self.describe(rows))

    def describe(self, rows: np.ndarray) -> str:
        """The message for some of the rows."""
        return f"{self.fault(rows)}; {self.remedy}" if self.remedy else self.fault(rows)
