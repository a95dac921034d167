"""Tables with a row for each time step: found by their values, so that they never pass as a row for each sequence.

Letters: `N` rows.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gatewise.datasets import columns
from gatewise.datasets.label_columns import MOST_CLASSES, has_few_values, options
from gatewise.datasets.labelled import FileError
from gatewise.datasets.no_steps import find_no_steps
from gatewise.datasets.tables import Table
from gatewise.datasets.times import time_values

# names of a column of series in a long table; enough in a table of a few rows
SERIES = ("id", "unique_id", "series", "series_id", "sequence", "sequence_id", "case", "case_id")
FEWEST_ROWS = 6
FEW_ROWS = 20  # where whole numbers may look like sequences and times by chance
UNLIKELY = 1e-6  # probability that times rise by chance
SMOOTH = 0.2  # ratio of the differences between rows and those between columns, in a table of time steps
MANY_RUNS = 5  # of a column that would not be in runs of equal values by chance
FEW_COLUMNS, MANY_ROWS = 12, 50  # of a table of time steps without a column of sequences


@dataclass(frozen=True)
class LongColumns:
    """The columns of a table with a row for each time step.

    Attributes:
        ids: columns that name the sequence; none if the time begins anew with each sequence.
        time: None if the rows are in order.
        label: None without labels, or if they change within sequences.
        changing: whether the labels change within sequences.
    """

    ids: list[Any]
    time: Any
    label: Any
    changing: bool = False

    @property
    def roles(self) -> list[Any]:
        """The columns that are no channels and no labels."""
        return [*self.ids, *([] if self.time is None else [self.time])]


def find_long(cells: pd.DataFrame, label: Any) -> LongColumns | None:
    """The columns of a table with a row for each time step; None if the values do not show one.

    Arguments:
        cells: of the table.
        label: the column of labels, if it is known.
    """
    named = [name for name in cells if str(name).strip().lower() in SERIES and name != label]
    ids = [name for name in named if cells[name].duplicated().any() and len(cells.columns) > 1 + (label is not None)]
    groups = _candidate_groups(cells, label)
    times = _candidate_times(cells, label)
    if len(cells) >= FEWEST_ROWS:
        for found in (
            _by_id_and_time(cells, groups, times, label),
            _by_time(cells, times, label),
            _by_id(cells, groups, label),
        ):
            if found is not None:
                return _with_label(cells, *found, label)
    if not ids:
        return None
    time = next((time for time in times if time not in ids and _is_key(cells, [ids[0], time])), None)
    return _with_label(cells, ids[:1], time, label)


def refuse_long(table: Table, found: LongColumns, no_steps: list[Any]) -> None:
    """Refuse a table with a row for each time step; the message has the options of both readings.

    Arguments:
        table: the table.
        found: its columns as those of a table with a row for each time step.
        no_steps: further columns to leave out if each row is a sequence.

    Raises:
        FileError: always.
    """
    shapes = []
    if found.ids:
        shapes = [f"column {' and '.join(repr(str(name)) for name in found.ids)} has the same value in several rows"]
    if found.time is not None:
        shapes.append(f"column {str(found.time)!r} goes on from row to row" + " and begins anew" * (not found.ids))
    drop = [name for name in table.cells if name in (*found.roles, *no_steps) and name != found.label]
    rows = options(layout="rows", label=found.label, drop=drop)
    naming = ""
    if found.label is None and len(found.roles) == 1 and has_few_values(table.cells[found.roles[0]]):
        naming = f"; if its values are the labels, name it with {options(label=found.roles[0])}"
    raise FileError(
        f"{table.path}: {' and '.join(shapes)}, as in a table with a row for each time step; {_reading(table, found)}; "
        f"if each row is a sequence, read it with {rows}{naming}"
    )


def _reading(table: Table, found: LongColumns) -> str:
    """How to read the rows as time steps."""
    if found.changing:
        return (
            f"its labels, column {str(found.label)!r}, change within a sequence, so give each piece of one label a "
            "name of its own in a column, and name it with layout='long', id_column=COL (--layout long --id COL)"
        )
    cells = table.cells
    values = [name for name in cells if name not in (*found.roles, found.label)]
    ids = found.ids[0] if len(found.ids) == 1 else found.ids
    other = list(find_no_channels(cells, values, _codes(cells, found.ids, found.time)))
    labels = [found.label] if found.label is not None else [name for name in other if has_few_values(cells[name])][:3]
    choices = [
        options(
            layout="long",
            id_column=ids,
            time_column=found.time,
            label=label,
            drop=[name for name in other if name != label],
        )
        for label in labels or [None]
    ]
    return f"read it with {' or '.join(choices)}"


def find_no_channels(cells: pd.DataFrame, names: list[Any], codes: np.ndarray) -> dict[Any, str]:
    """The columns that are no channels of sequences, with the reason of each.

    Arguments:
        cells: of the table.
        names: columns to judge.
        codes: (N,) sequence of each row.
    """
    reasons = {}
    count, long = int(codes.max()) + 1, 2 * (codes.max() + 1) <= len(codes)
    for name in names:
        kind = columns.kind(cells[name])
        if kind in ("text", "date"):
            reasons[name] = "it holds dates or times" if kind == "date" else "it holds text"
        elif count > 1 and long and columns.distinct(cells[name]) > 1:
            if columns.same_groups(codes, pd.factorize(cells[name])[0]):
                reasons[name] = "it has one value in each sequence"
            elif name in columns.edges(names) and _numbers_steps(time_values(cells[name]), codes):
                reasons[name] = "it numbers the steps"
    return reasons


def _numbers_steps(values: np.ndarray | None, codes: np.ndarray) -> bool:
    return values is not None and (columns.is_progression(values) or _equal_steps(codes, values))


def refuse_one_recording(table: Table, reasons: dict[Any, str], label: Any) -> None:
    """Refuse a table whose rows follow one another in time, all of one recording.

    Raises:
        FileError: a column of dates, or of numbers beside a few other columns, goes on in equal steps over all rows.
    """
    cells = table.cells
    lasting = label is None or 3 * _runs(pd.factorize(cells[label])[0]) <= len(cells)  # labels stay for some steps
    few = lasting and len(cells.columns) - len(reasons) <= FEW_COLUMNS
    for name in reasons:
        kind = columns.kind(cells[name])
        values = time_values(cells[name]) if kind == "date" or (kind == "number" and few) else None
        if values is not None and len(cells) >= FEWEST_ROWS and _equal_steps(np.zeros(len(values), int), values):
            how = options(layout="rows", label=label, drop=list(reasons))
            time = options(layout="long", id_column="COL", time_column=name, label=label)
            raise FileError(
                f"{table.path}: column {str(name)!r} goes on in equal steps over all rows; if each row is a time step, "
                f"add a column COL that names the sequence of each row, and read it with {time}; if each row is a "
                f"sequence, read it with {how}"
            )


def refuse_smooth(table: Table, names: list[Any], label: Any) -> None:
    """Refuse a table whose rows follow one another more smoothly than its columns: its rows are time steps.

    Raises:
        FileError: the table is one.
    """
    if not 1 < len(names) <= FEW_COLUMNS or len(table.cells) < MANY_ROWS:
        return
    values = np.stack([columns.numbers(table.cells[name]) for name in names], 1)
    if np.isnan(values).any() or not values.std(0).all():
        return
    scaled = values / values.std()
    codes = np.zeros(len(values), int) if label is None else pd.factorize(table.cells[label])[0]
    same = codes[1:] == codes[:-1]
    between = np.abs(np.diff(scaled, axis=0))[same]
    if len(between) < MANY_ROWS // 2:
        return
    usual = np.abs(scaled[:, None, :] - np.median(scaled, 0)).mean((0, 1))  # the spread of each column
    if (between.mean(0) < SMOOTH * usual).all() and between.mean() < SMOOTH * np.abs(np.diff(scaled, axis=1)).mean():
        raise FileError(
            f"{table.path}: each row differs little from the one before it, as in a table with a row for each time "
            "step; add a column that names the sequence of each row and read it with layout='long' (--layout long); if "
            "each row is a sequence, read them with layout='rows' (--layout rows)"
        )


def _candidate_groups(cells: pd.DataFrame, label: Any) -> dict[Any, np.ndarray]:
    """Columns that may name sequences, with the codes of their values: text, and whole numbers at the edges."""
    names = [name for name in columns.edges(list(cells)) if name != label]
    groups = {}
    for name in names:
        kind = columns.kind(cells[name])
        if kind == "text" or (kind == "number" and columns.is_whole(columns.numbers(cells[name]))):
            codes = pd.factorize(cells[name])[0]
            if 2 <= codes.max(initial=-1) + 1 <= len(codes) // 2 and codes.min() >= 0:
                groups[name] = codes
    return groups


def _candidate_times(cells: pd.DataFrame, label: Any) -> dict[Any, np.ndarray]:
    """Columns that may hold times, as numbers: dates, and numbers at the edges without a missing one."""
    times = {}
    for name in columns.edges(list(cells)):
        if name != label and columns.kind(cells[name]) in ("date", "number"):
            values = time_values(cells[name])
            if values is not None:
                times[name] = values
    return times


def _by_id_and_time(
    cells: pd.DataFrame, groups: dict[Any, np.ndarray], times: dict[Any, np.ndarray], label: Any
) -> tuple[list[Any], Any] | None:
    """Columns of sequences and of times that go on within each of them; those with constant labels before others."""
    found = [
        (ids, time, codes)
        for time, values in times.items()
        for ids, codes in _keys({name: codes for name, codes in groups.items() if name != time})
        if _goes_on(codes, values) and (not _rises_throughout(values) or _in_runs(cells, codes, label))
    ]
    if not found:
        return None

    def preference(choice: tuple[list[Any], Any, np.ndarray]) -> tuple[bool, bool, int]:
        ids, time, codes = choice
        others = cells.drop(columns=[*ids, time]) if label is None else cells[[label]]
        return _has_constant(others, codes), _runs(codes) == codes.max() + 1, -len(ids)

    best = max(found, key=preference)
    by_chance = len(cells) < FEW_ROWS and not any(preference(best)[:2])
    return None if by_chance else best[:2]


def _runs(codes: np.ndarray) -> int:
    """The number of runs of rows of one group."""
    return int((np.diff(codes) != 0).sum()) + 1


def _rises_throughout(times: np.ndarray) -> bool:
    """Whether times rise from row to row in the whole table, so that they rise in any groups of rows."""
    return bool((np.diff(times) > 0).all())


def _in_runs(cells: pd.DataFrame, codes: np.ndarray, label: Any) -> bool:
    """Whether groups are runs of rows, with one label in each, and more than one for each class in a wide table."""
    labels = np.zeros(len(cells), int) if label is None else pd.factorize(cells[label])[0]
    few = len(cells.columns) <= FEW_COLUMNS
    more = few or (label is not None and codes.max() > labels.max())
    return more and _runs(codes) == codes.max() + 1 and columns.same_groups(codes, labels)


def _has_constant(cells: pd.DataFrame, codes: np.ndarray) -> bool:
    """Whether a column of few values is constant in each sequence."""
    names = [name for name in columns.edges(list(cells)) if columns.distinct(cells[name]) > 1]
    return any(
        has_few_values(cells[name]) and columns.same_groups(codes, pd.factorize(cells[name])[0]) for name in names
    )


def _keys(groups: dict[Any, np.ndarray]) -> Iterator[tuple[list[Any], np.ndarray]]:
    """One column, or two together."""
    for name, codes in groups.items():
        yield [name], codes
    names = list(groups)[: columns.EDGE]
    for first, name in enumerate(names):
        for other in names[first + 1 :]:
            pairs = groups[name].astype(np.int64) * (groups[other].max() + 1) + groups[other]
            codes = pd.factorize(pairs)[0]
            if codes.max() + 1 <= len(codes) // 3:
                yield [name, other], codes


def _goes_on(codes: np.ndarray, times: np.ndarray) -> bool:
    """Whether times go on in equal steps, or rise, in each group."""
    first = times[codes == 0]
    if len(np.unique(first)) < len(first):  # most columns are refused by their first group
        return False
    return _equal_steps(codes, times) or _rises(codes, times)


def _equal_steps(codes: np.ndarray, times: np.ndarray) -> bool:
    """Whether the sorted times of each group have one constant difference."""
    order = np.lexsort((times, codes))
    steps = np.diff(times[order])[np.diff(codes[order]) == 0]
    return bool(
        len(steps) >= max(4, len(codes) / 2) and steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-3, atol=0)
    )


def _rises(codes: np.ndarray, times: np.ndarray) -> bool:
    """Whether times rise from row to row in each group, in more rows than chance allows."""
    order = np.argsort(codes, kind="stable")
    steps = np.diff(times[order])[np.diff(codes[order]) == 0]
    chance = -sum(math.lgamma(size + 1) for size in np.bincount(codes).tolist())
    return bool(chance < math.log(UNLIKELY) and (steps > 0).all())


def _by_time(cells: pd.DataFrame, times: dict[Any, np.ndarray], label: Any) -> tuple[list[Any], Any] | None:
    """A column of times that begins anew with each sequence, in a table without a column that names them."""
    for name, values in times.items():
        begins = np.r_[True, np.diff(values) <= 0]
        runs = np.cumsum(begins) - 1
        regular = runs[-1] > 0 and 3 * (runs[-1] + 1) <= len(runs) and _equal_steps(runs, values)
        labels = np.zeros(len(runs), int) if label is None else pd.factorize(cells[label])[0]
        if regular and np.unique(values[begins]).size == 1 and columns.same_groups(runs, labels):
            return [], name
    return None


def _by_id(cells: pd.DataFrame, groups: dict[Any, np.ndarray], label: Any) -> tuple[list[Any], Any] | None:
    """A column of sequences, each in one run of rows with one label; more sequences than classes."""
    labels = np.zeros(len(cells), int) if label is None else pd.factorize(cells[label])[0]
    classes = MOST_CLASSES if label is None else int(labels.max()) + 1
    fewest = 1 if len(cells.columns) <= FEW_COLUMNS else classes
    for name, codes in groups.items():
        if (
            _runs(codes) == codes.max() + 1 > fewest
            and columns.same_groups(codes, labels)
            and _may_name(cells, name, label)
        ):
            return [name], None
    return None


def _may_name(cells: pd.DataFrame, name: Any, label: Any) -> bool:
    """Whether a column in runs of rows may name sequences: it has several runs, or stands out of the other columns."""
    if len(cells.columns) <= FEW_COLUMNS and columns.distinct(cells[name]) >= MANY_RUNS:
        return True
    return columns.kind(cells[name]) == "text" or name in find_no_steps(cells, label)


def _with_label(cells: pd.DataFrame, ids: list[Any], time: Any, label: Any) -> LongColumns:
    """The label as it is known, or the only column that is constant in each sequence."""
    codes = _codes(cells, ids, time)
    if label is not None:
        constant = columns.same_groups(codes, pd.factorize(cells[label])[0])
        return LongColumns(ids, time, label, changing=not constant)
    return LongColumns(ids, time, constant_label(cells.drop(columns=[*ids, *([] if time is None else [time])]), codes))


def constant_label(cells: pd.DataFrame, codes: np.ndarray) -> Any:
    """The only column of text, or else of few whole numbers, that is constant in each sequence; None otherwise."""
    constant = [
        name
        for name in columns.edges(list(cells))
        if columns.distinct(cells[name]) > 1
        and has_few_values(cells[name])
        and columns.same_groups(codes, pd.factorize(cells[name])[0])
    ]
    texts = [name for name in constant if columns.kind(cells[name]) == "text"]
    candidates = texts or constant
    return candidates[0] if len(candidates) == 1 else None


def _codes(cells: pd.DataFrame, ids: list[Any], time: Any) -> np.ndarray:
    """The sequence (N,) of each row."""
    if ids:
        return np.asarray(cells.groupby(ids, sort=False, dropna=False).ngroup())
    values = time_values(cells[time])
    assert values is not None
    return np.cumsum(np.r_[True, np.diff(values) <= 0]) - 1


def _is_key(cells: pd.DataFrame, names: list[Any]) -> bool:
    return not cells.duplicated(names).any()
