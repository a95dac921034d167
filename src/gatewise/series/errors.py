"""Errors: invalid data, as a whole or in some rows."""

from collections.abc import Callable

import numpy as np


class DataError(ValueError):
    """The data are invalid; the message names the row or date and the remedy."""


class RowError(DataError):
    """Some rows are invalid; `describe` returns the message for any subset of them, so that each series gets its own.

    Arguments:
        rows: (R,) positions of the rows.
        describe: function from positions of rows to the message for these rows.
    """

    def __init__(self, rows: np.ndarray, describe: Callable[[np.ndarray], str]) -> None:
        super().__init__(describe(rows))
        self.rows, self.describe = rows, describe
