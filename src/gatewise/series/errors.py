"""Errors: data that cannot be used, as a whole or in some rows."""

from collections.abc import Callable

import numpy as np


class DataError(ValueError):
    """The data cannot be used as they are; the message names the row or date and the remedy."""


class RowError(DataError):
    """Some rows cannot be used; `describe` writes the message for any of them, so that each series gets its own.

    Arguments:
        rows: (R,) positions of the rows.
        describe: the message for some of the rows, given by position.
    """

    def __init__(self, rows: np.ndarray, describe: Callable[[np.ndarray], str]) -> None:
        super().__init__(describe(rows))
        self.rows, self.describe = rows, describe
