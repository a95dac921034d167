"""Columns that are no steps of a sequence, such as numbers of samples, persons, ages, folds, file names and dates.

They are found by their values beside those of the other columns. As steps, they would reveal the class of sorted rows.

Letters: `N` rows.
"""

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from gatewise.datasets import columns
from gatewise.datasets.label_columns import options
from gatewise.datasets.labelled import FileError
from gatewise.datasets.tables import Table

NUMBERING = ("", "id", "index", "row", "no", "nr", "number", "#")  # names of a column that numbers the rows
FEWEST_ROWS = 4  # with fewer rows, numbers are not judged
NEIGHBOURS = 5
UNLIKELY = 1e-3  # probability that whole numbers are whole by chance
FAR = 20.0  # times the largest value of the other columns
SPREAD = 5.0  # ratio of standard deviations of unlike columns
UNRELATED, RELATED = 0.3, 0.6  # correlations of a column that is no step, and of steps
ALIKE = 1 / 3  # fraction of the other columns, constant ones aside, that may hold whole numbers too

Reasons = dict[Any, str]  # column -> why it is no step


def find_no_steps(cells: pd.DataFrame, label: Any = None) -> Reasons:
    """The columns that are no steps, with the reason of each.

    Arguments:
        cells: of a table with a row for each sequence.
        label: the column of labels, if it is known.
    """
    names = [name for name in cells if name != label]
    kinds = {name: columns.kind(cells[name]) for name in names}
    reasons = {name: reason for name in names if (reason := _other_kind(cells[name], kinds[name]))}
    numeric = [name for name in names if kinds[name] in ("number", "flag")]
    reasons |= {name: "it numbers the rows" for name in numeric if _is_named_numbering(name, cells[name])}
    steps = [name for name in numeric if name not in reasons]
    if len(cells) >= FEWEST_ROWS:
        labels = None if label is None else pd.factorize(cells[label])[0]
        for side in (steps, steps[::-1]):
            reasons |= _at_the_edge(cells, [name for name in side if name not in reasons], labels)
    return {name: reasons[name] for name in names if name in reasons}


def refuse_no_steps(table: Table, reasons: Reasons, label: Any) -> None:
    """Refuse columns that are no steps; the message names all, and how to leave them out or keep them.

    Raises:
        FileError: there are such columns.
    """
    if not reasons:
        return
    first, *_ = reasons
    unnamed = str(first).startswith("Unnamed: ") or not str(first).strip()
    column = "a column without a name" if unnamed else f"column {str(first)!r}"
    others = "".join(f", column {str(name)!r}: {reasons[name]}" for name in list(reasons)[1:6])
    more = f", and {len(reasons) - 6} more" if len(reasons) > 6 else ""
    text = [name for name in reasons if columns.kind(table.cells[name]) in ("text", "flag")]
    naming = f"; if it holds the labels, name it with {options(label=text[0])}" if text and label is None else ""
    keep = [name for name in reasons if columns.kind(table.cells[name]) in ("number", "flag")]
    keeping = (
        f", or, if {'one' if len(reasons) > 1 else 'it'} is a step, read it with {options(keep=keep)}" if keep else ""
    )
    raise FileError(
        f"{table.path}: {column} is no step of a sequence: {reasons[first]}{others}{more}; leave "
        f"{'them' if len(reasons) > 1 else 'it'} out with {options(drop=list(reasons))}{keeping}{naming}"
        f"{_reading_time_steps(table.cells, reasons, label)}"
    )


def _reading_time_steps(cells: pd.DataFrame, reasons: Reasons, label: Any) -> str:
    """How to read the rows as time steps in any order, if a column may name their sequences; otherwise empty."""
    if label is None or cells[label].isna().any():
        return ""
    labels = pd.factorize(cells[label])[0]
    name = next((name for name in reasons if _may_name_sequences(cells[name], labels)), None)
    if name is None:
        return ""
    others = [other for other in reasons if other != name]
    in_order = int((np.diff(pd.factorize(cells[name])[0]) != 0).sum()) + 1 == columns.distinct(cells[name])
    keys = [other for other in others if not cells.duplicated([name, other]).any() and not cells[other].isna().any()]
    time = None if in_order and not keys else keys[0] if keys else "COL"
    adding = "add a column COL of the times, and " if time == "COL" else ""
    drop = [other for other in others if other != time]
    how = options(layout="long", id_column=name, time_column=time, label=label, drop=drop)
    return f"; if each row is a time step of the sequence that column {str(name)!r} names, {adding}read them with {how}"


def _may_name_sequences(column: "pd.Series[Any]", labels: np.ndarray) -> bool:
    """Whether each value is in several rows, with one label, and there are more values than classes."""
    kind = columns.kind(column)
    if column.isna().any() or not (kind == "text" or (kind == "number" and columns.is_whole(columns.numbers(column)))):
        return False
    codes = pd.factorize(column)[0]
    return bool(codes.max() > labels.max() > 0 and np.bincount(codes).min() > 1 and columns.same_groups(codes, labels))


def _other_kind(column: "pd.Series[Any]", kind: str) -> str:
    """Why a column of this kind is no step; empty if it may be one."""
    if kind == "date":
        return "it holds dates or times"
    if kind == "text":
        return f"it holds text such as {column.dropna().iloc[0]!r:.40}"
    return ""


def _is_named_numbering(name: Any, column: "pd.Series[Any]") -> bool:
    plain = re.sub(r"^unnamed: \d+$", "", str(name).strip().lower())  # pandas' name of a column without a name
    return plain in NUMBERING and pd.api.types.is_integer_dtype(column) and column.is_unique and len(column) > 1


def _at_the_edge(cells: pd.DataFrame, names: list[Any], labels: np.ndarray | None) -> Reasons:
    """The first of these columns that are unlike the columns after them."""
    if len(names) < 2:
        return {}
    sample = cells.iloc[:: max(1, len(cells) // columns.SAMPLE)]
    values = np.stack([columns.numbers(sample[name]) for name in names], 1)
    reasons: Reasons = {}
    for position, name in enumerate(names[: min(columns.EDGE, len(names) - 1)]):
        others = values[:, position + 1 :]
        reason = _unlike(columns.numbers(cells[name]), others, columns.is_foreign(name, list(cells)), labels, sample)
        if not reason:
            break
        reasons[name] = reason
    return reasons


def _unlike(
    values: np.ndarray, others: np.ndarray, foreign: bool, labels: np.ndarray | None, sample: pd.DataFrame
) -> str:
    """How a column differs from the others (sample of rows, columns); empty if it does not."""
    values, labels = values[~np.isnan(values)], None if labels is None or np.isnan(values).any() else labels
    if len(values) < FEWEST_ROWS:
        return ""
    whole = columns.is_whole(values)
    count = len(np.unique(values))
    if whole and count > 1 and _others_have_fractions(others, len(values)):
        if count == len(values):
            return "it has a different whole number in each row, and the other columns have fractions"
        return "it has whole numbers, and the other columns have fractions"
    neighbours = others[:, :NEIGHBOURS]
    if columns.is_progression(values) and not any(columns.is_progression(column) for column in neighbours.T):
        return "it numbers the rows"
    largest = float(np.nanmax(np.abs(others), initial=0.0))
    if (whole or foreign) and count > 1 and 0 < FAR * largest < np.abs(values).min():
        return f"its values, from {values.min():g} to {values.max():g}, are far from those of the other columns"
    if foreign and count > 1 and _differs(values, neighbours):
        return "its name has no number and its values differ from those of the columns beside it"
    if whole and labels is not None and _reveals(values, labels) and not _reveals_any(others, labels, sample):
        return "it has one value for each class"
    return ""


def _others_have_fractions(others: np.ndarray, rows: int) -> bool:
    """Whether whole numbers in all rows of a column are unlikely beside these columns."""
    others = others[:, np.nanmin(others, 0, initial=np.inf) < np.nanmax(others, 0, initial=-np.inf)]
    whole = (others == np.rint(others)) | np.isnan(others)
    if not whole.size or whole.all(0).mean() > ALIKE:
        return False
    return bool(float(np.median(whole.mean(0))) ** rows < UNLIKELY)


def _differs(values: np.ndarray, neighbours: np.ndarray) -> bool:
    """Whether values are far from those of the columns beside them, vary much more or less, or do not follow them."""
    low, high = np.nanmin(neighbours), np.nanmax(neighbours)
    if values.min() > high or values.max() < low:
        return True
    spread, usual = float(values.std()), float(np.nanmedian(np.nanstd(neighbours, 0)))
    return bool(spread > SPREAD * usual or SPREAD * spread < usual) or not _follows(values, neighbours)


def _follows(values: np.ndarray, neighbours: np.ndarray) -> bool:
    """Whether values are correlated with the column beside them as much as the columns beside them are."""
    chosen = values[:: max(1, len(values) // columns.SAMPLE)]
    complete = len(chosen) == len(neighbours) >= 4 * FEWEST_ROWS and not np.isnan(neighbours).any()
    table = np.column_stack([chosen, neighbours]) if complete else np.empty((0, 0))
    if table.shape[1] < 4 or not table.std(0).all():
        return True
    own, *others = [abs(float(np.corrcoef(first, next_)[0, 1])) for first, next_ in pairwise(table.T)]
    return own > UNRELATED or min(others) < RELATED


def _reveals(values: np.ndarray, labels: np.ndarray) -> bool:
    """Whether each class has one value of its own, in three rows or more per class."""
    codes = pd.factorize(values)[0]
    classes = len(np.unique(labels))
    one_to_one = columns.same_groups(labels, codes) and columns.same_groups(codes, labels)
    return classes > 1 and len(values) >= 3 * classes and one_to_one


def _reveals_any(others: np.ndarray, labels: np.ndarray, sample: pd.DataFrame) -> bool:
    """Whether more columns have one value for each class, as in generated sequences without noise."""
    chosen = labels[sample.index] if isinstance(sample.index, pd.RangeIndex) else labels[: len(sample)]
    return any(_reveals(column, chosen) for column in others[:, : columns.EDGE].T)
