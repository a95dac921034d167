"""Columns that go on from row to row, as the times of a table with a row for each time step do.

Letters: `N` rows.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from gatewise.datasets import columns
from gatewise.datasets.times import time_values

UNLIKELY = 1e-9  # probability that a column rises in all runs by chance


def find_clocks(cells: pd.DataFrame, label: Any) -> list[Any]:
    """The columns that rise from row to row in each run of equal labels, in more rows than chance allows.

    They are times or numbers of steps, neither channels nor steps, whatever their names.

    Arguments:
        cells: of a table whose rows may be time steps.
        label: the column of labels, None without labels.

    >>> cells = pd.DataFrame({"ts": [0, 19, 41, 60, 0, 18, 40, 61] * 4, "x": [3, 1, 2, 5, 4, 9, 2, 1] * 4})
    >>> find_clocks(cells.assign(label=[0, 0, 0, 0, 1, 1, 1, 1] * 4), "label")
    ['ts']
    """
    codes = np.zeros(len(cells), int) if label is None else pd.factorize(cells[label])[0]
    return [name for name in columns.edges(list(cells)) if name != label and _rises_in_runs(cells[name], codes)]


def _rises_in_runs(column: "pd.Series[Any]", codes: np.ndarray) -> bool:
    """Whether times rise within the runs of equal codes; where equal runs meet, they may begin anew once."""
    values = time_values(column) if columns.kind(column) in ("date", "number") else None
    if values is None or len(values) < 2:
        return False
    begins = np.r_[True, (np.diff(codes) != 0) | (np.diff(values) <= 0)]
    sizes = np.diff(np.r_[np.flatnonzero(begins), len(values)])
    runs = int((np.diff(codes) != 0).sum()) + 1
    if len(sizes) > 2 * runs:
        return False
    lengths = -sum(math.lgamma(size + 1) for size in sizes.tolist())
    places = math.lgamma(len(values)) - math.lgamma(len(sizes)) - math.lgamma(len(values) - len(sizes) + 1)
    return lengths + places * (len(sizes) > runs) < math.log(UNLIKELY)
