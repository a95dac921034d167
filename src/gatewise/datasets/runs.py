"""Labels in long runs of equal labels, and other signs that the rows of a table are time steps.

Letters: `N` rows, `C` columns.
"""

import re
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from gatewise.datasets import columns
from gatewise.datasets.clocks import find_clocks
from gatewise.datasets.label_columns import options
from gatewise.datasets.labelled import FileError
from gatewise.datasets.numbered import numbered
from gatewise.datasets.tables import Table

MOST_COLUMNS, FEWEST_ROWS = 20, 40
LONGER = 4.0  # runs are this many times longer than those of rows in any order
RELATED = 0.3  # correlation of a row with the next one of its run
SMOOTH, SMOOTHER = 0.5, 4.0  # correlation of rows of one run, and how much closer they are than columns
FAR = 2.0  # distance of neighbouring columns, in spreads of a column
AXIS = re.compile(r"(^|[^a-zA-Z])[xyzXYZ]$|[a-z][XYZ]$")  # such as x, acc_x or accX


def refuse_label_runs(table: Table, no_steps: Collection[Any], label: Any) -> None:
    """Refuse a table of few columns whose labels come in long runs, as those of time steps do.

    Arguments:
        table: with a row for each sequence, perhaps.
        no_steps: columns that are no steps.
        label: the column of labels, None without labels.

    Raises:
        FileError: the table may have a row for each time step; the message has the options of both readings.
    """
    if label is None or table.cells[label].isna().any():
        return
    cells, codes = table.cells, pd.factorize(table.cells[label])[0]
    names = [name for name in cells if name != label and name not in no_steps]
    if len(names) <= MOST_COLUMNS and seem_time_steps([columns.numbers(cells[name]) for name in names], names, codes):
        clocks = find_clocks(cells, label)
        others = [name for name in clocks[1:] if name not in no_steps]
        time = clocks[0] if clocks else None
        long, rows = (
            options(layout="long", id_column="COL", time_column=time, label=label, drop=others),
            options(layout="rows", label=label, drop=[name for name in cells if name in (*no_steps, *clocks)]),
        )
        raise FileError(
            f"{table.path}: column {str(label)!r} has its labels in {count_runs(codes)} runs of equal labels, as in a "
            "table with a row for each time step; if each row is a time step, add a column COL that names the sequence "
            f"of each row, and read it with {long}; if each row is a sequence, read it with {rows}"
        )


def seem_time_steps(values: list[np.ndarray], names: list[Any], codes: np.ndarray) -> bool:
    """Whether the runs of labels, and the columns, are those of a table with a row for each time step.

    A table sorted by class has one run for each class; a table with one numbered form of names and columns of similar
    values has a row for each sequence.

    Arguments:
        values: C columns (N,).
        names: (C,) their names.
        codes: (N,) class of each row, from 0.
    """
    if not 0 < len(names) <= MOST_COLUMNS or len(codes) < FEWEST_ROWS:
        return False
    classes, runs = int(codes.max()) + 1, count_runs(codes)
    by_chance = 1 + len(codes) * (1 - float(((np.bincount(codes) / len(codes)) ** 2).sum()))
    if classes < 2 or runs * LONGER > by_chance:
        return False
    table = np.stack(values, 1)
    if np.isnan(table).any():
        return False
    related = _related(table, codes)
    if all(numbered(name) for name in names):
        return related and (_apart(table) or _smooth_down(table, codes))
    return runs > classes or related or (len(names) > 1 and all(AXIS.search(str(name).strip()) for name in names))


def count_runs(codes: np.ndarray) -> int:
    """The number of runs of equal codes."""
    return int((np.diff(codes) != 0).sum()) + 1


def _related(table: np.ndarray, codes: np.ndarray) -> bool:
    """Whether rows (N, C) follow one another within the runs, in most columns."""
    return bool(_correlation(table, codes) > max(RELATED, 4 / np.sqrt(len(table))))


def _smooth_down(table: np.ndarray, codes: np.ndarray) -> bool:
    """Whether rows (N, C) of one run are far closer to the next row than columns to the next column.

    Rows of one class that were drawn independently are not, nor are windows of one series, whose columns are as close.
    """
    if table.shape[1] < 2 or _correlation(table, codes) < SMOOTH:
        return False
    parts, same = _centred(table, codes)
    down, along = (np.diff(parts, axis=0)[same] ** 2).mean(), (np.diff(parts, axis=1) ** 2).mean()
    return bool(SMOOTHER * down < along)


def _correlation(table: np.ndarray, codes: np.ndarray) -> float:
    """The median correlation of a row (N, C) with the next one of its run."""
    parts, same = _centred(table, codes)
    variances = (parts**2).mean(0)
    if not same.any() or not variances.any():
        return 0.0
    products = (parts[1:][same] * parts[:-1][same]).mean(0)
    correlations = products[variances > 0] / variances[variances > 0]
    return float(np.median(correlations))


def _centred(table: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows (N, C) without the means of their runs, and (N - 1,) whether the next row is of the same run."""
    runs = np.cumsum(np.r_[0, np.diff(codes) != 0])
    means = np.stack([np.bincount(runs, column) for column in table.T], 1) / np.bincount(runs)[:, None]
    return table - means[runs], runs[1:] == runs[:-1]


def _apart(table: np.ndarray) -> bool:
    """Whether most neighbouring columns (N, C) are far from each other, up and down."""
    middle = np.median(table, 0)
    spread = np.median(np.abs(table - middle), 0)
    steps = np.diff(middle)
    far = np.abs(steps) > FAR * np.minimum(spread[1:], spread[:-1])
    return bool(len(steps) > 1 and far.mean() > 0.5 and not ((steps > 0).all() or (steps < 0).all()))
