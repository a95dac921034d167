"""Tables of pandas and polars as sequences: one row per sequence, or the nested and long tables of sktime.

Letters: `N` sequences, `T` steps, `C` channels.
"""

from typing import Any

import numpy as np
import pandas as pd

from gatewise.classify.errors import SequenceError
from gatewise.datasets import columns
from gatewise.datasets.label_columns import LABELS, USUAL
from gatewise.datasets.labelled import listed
from gatewise.datasets.long_tables import find_long
from gatewise.datasets.no_steps import find_no_steps
from gatewise.datasets.numbered import channels, in_order, strangers
from gatewise.datasets.runs import count_runs, seem_time_steps
from gatewise.datasets.times import time_values

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
        _refuse_time_steps(pd.DataFrame({name: np.asarray(x[name]) for name in names}), "x.to_pandas()")
        return x
    if x.index.nlevels == 2:  # sequence and time, sktime's pd-multiindex
        return [rows.to_numpy() for _, rows in _by_time(x).groupby(level=0, sort=False)]
    if len(x) and all(dtype.kind == "O" for dtype in x.dtypes) and all(isinstance(cell, NESTED) for cell in x.iloc[0]):
        return [np.stack([np.asarray(cell) for cell in row], axis=1) for row in x.to_numpy()]
    _refuse_time_steps(x)
    return x


def _refuse_time_steps(x: pd.DataFrame, name: str = "x") -> None:
    """Refuse a table with a row for each time step of several sequences, and columns that are no steps or not in order.

    Arguments:
        x: the table.
        name: of the table as one of pandas, in remedies.
    """
    if not all(dtype.kind in "biuf" for dtype in x.dtypes):
        return
    found = find_long(x, None)
    if found is not None and found.ids:
        names = found.roles
        raise SequenceError(
            f"x has a row for each time step (columns {listed(map(repr, names))}), expected a row for each "
            f"sequence, and "
            f"a label for each as y; pass a list, [rows.drop(columns={names!r}).to_numpy() for _, rows in "
            f"{name}.groupby({found.ids!r}, sort=False)]; if each row is a sequence, pass {name}.to_numpy(), or "
            f"without "
            f"{'them' if len(names) > 1 else 'it'}, {name}.drop(columns={names!r}).to_numpy()"
        )
    reasons = strangers(list(x)) | find_no_steps(x)
    if reasons:
        first, *_ = reasons
        raise SequenceError(
            f"x has a column {first!r} that is no step: {reasons[first]}; pass "
            f"{name}.drop(columns={list(reasons)!r}), or, "
            "if it is a step, x.to_numpy()"
        )
    _refuse_order(list(x))


def _by_time(x: pd.DataFrame) -> pd.DataFrame:
    """The rows of each sequence in the order of the time level; the sequences in the order of the table."""
    codes = pd.factorize(x.index.get_level_values(0))[0]
    times = _comparable(x.index.get_level_values(1), codes)
    order = np.lexsort((times, codes))
    twice = (np.diff(codes[order]) == 0) & (np.diff(times[order]) == 0)
    if twice.any():
        raise SequenceError(
            f"x has {x.index[order[int(twice.argmax())]]!r} twice in its index, expected each time once in a sequence; "
            "leave one row out"
        )
    return x.iloc[order]


def _comparable(level: pd.Index, codes: np.ndarray) -> np.ndarray:
    """Times as numbers in their order; text without an order is refused unless it is sorted."""
    if level.dtype.kind != "O" and not pd.api.types.is_string_dtype(level):
        return np.asarray(pd.factorize(level, sort=True)[0])
    cells = pd.Series(np.asarray(level)).infer_objects()
    numbers = pd.to_numeric(cells, errors="coerce")
    times = numbers.to_numpy() if numbers.notna().all() else time_values(cells)
    if times is not None:
        return times
    texts = np.asarray(pd.factorize(cells.astype(str), sort=True)[0])
    order = np.argsort(codes, kind="stable")
    if ((np.diff(texts[order]) <= 0) & (np.diff(codes[order]) == 0)).any():
        raise SequenceError(
            f"x has times such as {level[0]!r:.40} in the second level of its index, which cannot be put in "
            f"order; expected "
            "numbers or dates like 2024-01-31; convert them"
        )
    return texts


def _refuse_order(names: list[Any]) -> None:
    """Refuse columns whose numbers are not in order, or begin anew for each channel."""
    ordered = in_order(names)
    if ordered != names:
        raise SequenceError(
            f"x has columns {listed(map(str, names[:4]))}, ..., whose numbers are not in order; pass "
            f"x[{ordered!r}], or, if "
            "their order is right, x.to_numpy()"
        )
    several = channels(names)
    if several:
        count, steps = len(several), len(several[0])
        apart = [column for one in several for column in one] == names
        axes = f"{count}, {steps}).transpose(0, 2, 1)" if apart else f"{steps}, {count})"
        raise SequenceError(
            f"x has columns {several[0][0]} to {several[0][-1]} and {several[1][0]} to {several[1][-1]}; if they are "
            f"{count} channels of {steps} steps, pass x.to_numpy().reshape(len(x), {axes}; if they are "
            f"{len(names)} steps, "
            "pass x.to_numpy()"
        )


def refuse_runs(x: Any, indices: np.ndarray) -> None:
    """Refuse a table of few columns whose labels come in long runs, as those of time steps do.

    Raises:
        SequenceError: its rows may be time steps.
    """
    if not isinstance(x, pd.DataFrame) or x.index.nlevels > 1 or len(x) != len(indices):
        return
    if not all(dtype.kind in "biuf" for dtype in x.dtypes):
        return
    codes = pd.factorize(indices)[0]
    if seem_time_steps([columns.numbers(x[name]) for name in x], list(x), codes):
        raise SequenceError(
            f"y has {count_runs(codes)} runs of equal labels, as if x had a row for each time step, expected "
            "a row for each sequence; pass a list of arrays (T, C), one for each sequence, and a label for "
            "each; if each "
            "row is a sequence, pass x.to_numpy()"
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
