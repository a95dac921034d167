"""Merged series: columns that may name series whose dates never coincide, so that their rows look like one series.

The order of the rows, the calendars of the names and the jumps of the values between names tell them from columns that
describe the dates, such as weekdays, holidays or seasons.

Letters: N rows.
"""

import re
from collections.abc import Callable, Sequence
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from gatewise.series.frequency import as_integers, infer_frequency, steps_and_phases
from gatewise.series.reading.columns.ids import COMPLETE, MOST_COLUMNS, MOST_TOGETHER, SEVERAL, name_codes, together

MOST_NAMES = 100  # whose values or calendars are compared
CLEAR = 3  # times the steps within names: a jump of the values between them
LONG = 12  # rows of a name, whose largest step shows how its values change
EVEN = 0.9  # of the steps between the rows of a name are equal
CYCLES = ("quarter", "month", "day_of_week", "hour")


def explaining(
    frame: pd.DataFrame, columns: Sequence[str], ds: pd.Index, in_order: bool = False
) -> list[tuple[str, ...]]:
    """The columns whose names have distinct dates, in a block of rows or on a calendar of their own.

    Arguments:
        frame: (N rows) a table.
        columns: those that may name series.
        ds: (N,) the dates of the rows, which repeat, go back or are irregular.
        in_order: whether the dates of each name must be in the order of the rows.
    """
    codes = _codes(frame, columns)
    narrow = sorted(codes, key=lambda column: int(codes[column].max()))[:MOST_COLUMNS]
    ordered = [column for column in columns if column in narrow]
    sets = [list(combinations(ordered, count)) for count in range(1, MOST_TOGETHER + 1)]
    for explains in (_in_ordered_blocks, _in_order_on_calendars, _on_calendars)[: 2 if in_order else 3]:
        for chosen in sets:
            found = [names for names in chosen if explains(together([codes[column] for column in names]), ds)]
            if found:
                return found
    return []


def go_back(frame: pd.DataFrame, columns: Sequence[str], ds: pd.Index) -> list[tuple[str, ...]]:
    """The columns of names within which the dates are in order, if those of the table are not."""
    steps = np.diff(as_integers(ds))
    if (steps >= 0).all() or (steps <= 0).all():
        return []
    columns = [column for column in columns if not _states_years(frame[column], ds)]
    return explaining(frame, columns, ds, in_order=True)


def interrupted(
    frame: pd.DataFrame, columns: Sequence[str], ds: pd.Index, values: Sequence[np.ndarray]
) -> list[tuple[str, ...]]:
    """The columns whose names change with jumps of the values: in one block of dates each, or at every few dates.

    Columns that state the year, and those that follow a cycle of the calendar such as weekdays, describe the dates.

    Arguments:
        frame: (N rows) a table.
        columns: those that may name series.
        ds: (N,) distinct dates.
        values: (N,) values of each target, NaN where missing.
    """
    order = np.argsort(as_integers(ds), kind="stable")
    ds, frame, values = ds[order], frame.iloc[order], [y[order] for y in values]
    found = list[tuple[str, ...]]()
    for column, codes in _codes(frame, columns).items():
        in_blocks = _in_blocks(codes)
        jumps: Callable[[np.ndarray, np.ndarray], bool] = _jumps_between_blocks if in_blocks else _alternates
        if any(jumps(codes, y) for y in values):
            described = _states_years(frame[column], ds) if in_blocks else _follows_cycle(codes, ds)
            found += [] if described else [(column,)]
    return found


def _codes(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, np.ndarray]:
    """Column -> (N,) the number of the name in each row, for columns with several names of several rows each."""
    found = {}
    for column in columns:
        codes = name_codes(frame[column])
        if codes is None or not 0 < codes.max() < len(codes) / SEVERAL or _is_flag(frame[column]):
            continue
        if np.bincount(codes).min() >= SEVERAL:
            found[column] = np.asarray(pd.factorize(codes)[0])
    return found


def _is_flag(column: pd.Series) -> bool:
    """Whether a column holds only 0 and 1, or False and True."""
    kind = pd.api.types.infer_dtype(column)
    return kind == "boolean" or (kind == "integer" and bool(column.isin([0, 1]).all()))


def _in_blocks(codes: np.ndarray) -> bool:
    return int((np.diff(codes) != 0).sum()) == int(codes.max())


def _in_ordered_blocks(codes: np.ndarray, ds: pd.Index) -> bool:
    """Whether each name has one block of rows, in order of their dates."""
    return _in_blocks(codes) and _is_ordered(codes, ds)


def _in_order_on_calendars(codes: np.ndarray, ds: pd.Index) -> bool:
    """Whether the rows of each name are in order of their dates, and nearly complete on a calendar."""
    return _is_ordered(codes, ds) and _on_calendars(codes, ds)


def _is_ordered(codes: np.ndarray, ds: pd.Index) -> bool:
    order = np.argsort(codes, kind="stable")
    steps = np.diff(as_integers(ds)[order])[np.diff(codes[order]) == 0]
    return bool((steps > 0).all() or (steps < 0).all())


def _on_calendars(codes: np.ndarray, ds: pd.Index) -> bool:
    """Whether the dates of each name are distinct, and nearly complete on a calendar."""
    order = np.lexsort((as_integers(ds), codes))
    counts = np.bincount(codes)
    if counts.min() < SEVERAL or (np.diff(as_integers(ds)[order])[np.diff(codes[order]) == 0] == 0).any():
        return False
    ends = counts.cumsum()[:MOST_NAMES].tolist()
    return all(_is_complete(ds[order[end - count : end]]) for end, count in zip(ends, counts.tolist(), strict=False))


def _is_complete(ds: pd.Index) -> bool:
    """Whether sorted dates are nearly all dates of a calendar."""
    freq = infer_frequency(ds)
    if freq is None:
        return False
    steps = steps_and_phases(ds, freq)[0]
    return bool(len(ds) >= COMPLETE * (steps[-1] - steps[0] + 1))


def _states_years(column: pd.Series, ds: pd.Index) -> bool:
    """Whether every name holds the year of one of its dates, as 2021, FY21 or 2020/21 do."""
    if not isinstance(ds, pd.DatetimeIndex):
        return False
    years = pd.DataFrame({"name": column.to_numpy(), "year": ds.year}).drop_duplicates()
    years["name"] = years["name"].astype(str)
    return all(
        not {year for one in of["year"] for year in (one, one % 100)}.isdisjoint(map(int, re.findall(r"\d+", name)))
        for name, of in list(years.groupby("name"))[:MOST_NAMES]
    )


def _follows_cycle(codes: np.ndarray, ds: pd.Index) -> bool:
    """Whether each name stands for one phase of a cycle of the calendar, such as a weekday or a month."""
    if not isinstance(ds, pd.DatetimeIndex):
        return False
    for cycle in CYCLES:
        pairs = pd.DataFrame({"code": codes, "phase": getattr(ds, cycle)}).drop_duplicates()
        if len(pairs) == pairs["phase"].nunique() == int(codes.max()) + 1:
            return True
    return False


def _jumps_between_blocks(codes: np.ndarray, y: np.ndarray) -> bool:
    """Whether values jump clearly at half or more of the borders between blocks of names."""
    starts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)][: MOST_NAMES + 1]
    blocks = [y[start:end] for start, end in pairwise(starts)]
    blocks = [block[~np.isnan(block)] for block in blocks]
    jumps = [_is_jump(before, after) for before, after in pairwise(blocks)]
    return sum(jumps) >= len(jumps) / 2


def _is_jump(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether two blocks of values differ clearly in level, by a step unlike those in them or without overlap."""
    if min(len(before), len(after)) < SEVERAL:
        return False
    within = np.abs(np.concatenate([np.diff(before), np.diff(after)]))
    step, levels = abs(after[0] - before[-1]), (np.median(before), np.median(after))
    is_long = min(len(before), len(after)) >= LONG
    if is_long and step > CLEAR * within.max() > 0 and abs(levels[1] - levels[0]) > step / 2:
        return True
    low, high = (np.quantile((before, after)[k], [0.1, 0.9]) for k in np.argsort(levels))
    ends = abs(np.median(after[:SEVERAL]) - np.median(before[-SEVERAL:]))
    return bool(high[0] > low[1] and ends > 1.5 * max(np.ptp(low), np.ptp(high)))


def _alternates(codes: np.ndarray, y: np.ndarray) -> bool:
    """Whether each name has every k-th row, and its values are much smoother than those of all rows."""
    order = np.argsort(codes, kind="stable")
    inside = np.diff(codes[order]) == 0
    steps = pd.Series(np.diff(order)[inside])
    usual = steps.groupby(codes[order][1:][inside]).transform("median")
    if (usual < 2).any() or (steps == usual).mean() < EVEN:
        return False
    within, between = np.abs(np.diff(y[order])[inside]), np.abs(np.diff(y))
    within, between = within[~np.isnan(within)], between[~np.isnan(between)]
    return bool(len(within) and len(between) and np.median(between) > CLEAR * np.median(within))
