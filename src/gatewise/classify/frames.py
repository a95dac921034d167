"""Tables of pandas and polars as sequences: one row per sequence, or the nested and long tables of sktime.

Letters: `N` sequences, `T` steps, `C` channels.
"""

from typing import Any

import numpy as np
import pandas as pd

from gatewise.classify.errors import SequenceError
from gatewise.datasets.label_columns import LABELS, USUAL
from gatewise.datasets.labelled import listed
from gatewise.datasets.long_tables import find_long
from gatewise.datasets.no_steps import find_no_steps

NESTED = (pd.Series, np.ndarray, list)  # cells of sktime's nested tables


def unpacked(x: Any) -> Any:
    """The sequences of a table: a list for nested tables and those with two levels of rows; others unchanged.

    Arguments:
        x: anything; only tables are changed.

    Raises:
        SequenceError: a column has a usual name of labels.
    """
    names = getattr(x, "columns", None)
    if names is None:
        return x
    labels = [name for name in names if str(name).strip().lower() in (*LABELS, *USUAL)]
    if labels and {"x", "y", "z"} <= {str(name).strip().lower() for name in names}:  # three channels
        labels = [name for name in labels if str(name).strip().lower() != "y"]
    if labels and len(names) > 1:
        raise SequenceError(
            f"x has a column {labels[0]!r}, which would be read as a step; pass the labels as y and x without the "
            f"column, x.drop(columns={labels[0]!r}), or, if it is a step, x.to_numpy()"
        )
    if not isinstance(x, pd.DataFrame):
        return x
    if x.index.nlevels == 2:  # sequence and time, sktime's pd-multiindex
        return [rows.to_numpy() for _, rows in x.groupby(level=0, sort=False)]
    if len(x) and all(dtype.kind == "O" for dtype in x.dtypes) and all(isinstance(cell, NESTED) for cell in x.iloc[0]):
        return [np.stack([np.asarray(cell) for cell in row], axis=1) for row in x.to_numpy()]
    _refuse_time_steps(x)
    return x


def _refuse_time_steps(x: pd.DataFrame) -> None:
    """Refuse a table with a row for each time step of several sequences, and columns that are no steps."""
    if not all(dtype.kind in "biuf" for dtype in x.dtypes):
        return
    found = find_long(x, None)
    if found is not None and found.ids and found.time is not None:
        names = [*found.ids, found.time]
        raise SequenceError(
            f"x has a row for each time step (columns {listed(map(repr, names))}), expected a row for each sequence; "
            f"pass a list, [rows.drop(columns={names!r}).to_numpy() for _, rows in x.groupby({found.ids!r}, "
            "sort=False)]; if each row is a sequence, pass x.to_numpy()"
        )
    reasons = find_no_steps(x)
    if reasons:
        first, *_ = reasons
        raise SequenceError(
            f"x has a column {first!r} that is no step: {reasons[first]}; pass x.drop(columns={list(reasons)!r}), or, "
            "if it is a step, x.to_numpy()"
        )


def refuse_labels(x: Any, y: Any) -> None:
    """Refuse a table with a column that is equal to the labels.

    Raises:
        SequenceError: a column of the table is y.
    """
    if not isinstance(x, pd.DataFrame) or len(x.columns) < 2 or len(np.shape(y)) != 1 or len(x) != len(y):
        return
    labels = np.asarray(y)
    several = len(set(labels.tolist())) > 1
    for name in (x.columns[0], x.columns[-1]):
        if several and x[name].dtype.kind in "biuf" and np.array_equal(np.asarray(x[name]), labels):
            raise SequenceError(
                f"x has a column {name!r} that is equal to y; pass x without it, x.drop(columns={name!r}), or, if it "
                "is a step, x.to_numpy()"
            )
