"""All series at once: their rows in flat arrays, one series after the other, and what becomes of those with an error.

A table of 100,000 series is read and checked by a few operations on whole arrays. Only series with trouble are taken
out as `Rows`, for the checks that can say what is wrong.

Letters: N rows of all series, S series.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from gatewise.series.reading.columns import Columns, Table, read_numbers
from gatewise.series.reading.dates import DataError, RowError, Where, join_parts, read_dates

ON_BAD = ("raise", "skip", "naive")
FEW = 3  # so many reasons or repairs are told one by one
T = TypeVar("T")


@dataclass(frozen=True)
class Rows:
    """The rows of one series, not yet checked."""

    unique_id: Any
    ds: pd.Index
    y: np.ndarray
    positions: np.ndarray  # of these rows in the table
    table: Table

    def where(self, i: int) -> str:
        return f"{self}, {self.table.row(int(self.positions[i]))}"

    def __str__(self) -> str:
        return f"series {str(self.unique_id)!r}"


@dataclass(frozen=True)
class Stack:
    """The rows of all series, one series after the other in order of appearance.

    Attributes:
        names: (S,) of the series.
        bounds: (S + 1,) where each series begins and the last one ends.
        ds: (N,) dates.
        y: (N,) values, NaN where missing.
        positions: (N,) of the rows in the table.
        table: the table.
    """

    names: list[Any]
    bounds: np.ndarray
    ds: pd.Index
    y: np.ndarray
    positions: np.ndarray
    table: Table

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.bounds)

    def rows(self, s: int) -> Rows:
        span = slice(self.bounds[s], self.bounds[s + 1])
        return Rows(self.names[s], self.ds[span], self.y[span], self.positions[span], self.table)

    def every(self, holds: np.ndarray) -> np.ndarray:
        """Whether what holds for rows (N,), or for steps between them (N - 1,), holds in all of each series: (S,)."""
        fails = np.concatenate([[0], np.cumsum(~holds, dtype=np.int64)])
        last = len(fails) - 1
        steps = len(self.ds) - len(holds)  # 1 for steps: the one into the next series belongs to none
        starts = np.minimum(self.bounds[:-1], last)
        return np.asarray(fails[np.clip(self.bounds[1:] - steps, starts, last)] == fails[starts])

    def inside(self) -> np.ndarray:
        """Which steps between rows are inside a series: (N - 1,) booleans."""
        inside = np.ones(max(len(self.ds) - 1, 0), bool)
        borders = self.bounds[1:-1]
        inside[borders[(borders > 0) & (borders < len(self.ds))] - 1] = False
        return inside

    @property
    def codes(self) -> np.ndarray:
        """(N,) the number of the series of each row."""
        return np.repeat(np.arange(len(self.names)), self.lengths)

    def by_date(self) -> "Stack":
        """The rows of each series in order of their dates; of equal dates in order of the table."""
        return self._taken(np.lexsort((moments(self.ds), self.codes)))

    def only(self, kept: np.ndarray) -> "Stack":
        """Some of the rows (N,) alone."""
        counts = np.bincount(self.codes[kept], minlength=len(self.names))
        return replace(self._taken(np.flatnonzero(kept)), bounds=np.concatenate([[0], counts.cumsum()]))

    def without_blanks(self, guesses: list[str]) -> "Stack":
        """Each series from its first value to its last; whole if it has none."""
        given, codes = ~np.isnan(self.y), self.codes
        blank = (last_valid(given, codes) < 0) | (next_valid(given, codes) < 0)
        blank &= (np.bincount(codes[given], minlength=len(self.names)) > 0)[codes]
        if not blank.any():
            return self
        trimmed = f"{len(np.unique(codes[blank]))} of {len(self.names)} series"
        guesses.append(f"blank cells before the first or after the last value: left out in {trimmed}")
        return self.only(~blank)

    def _taken(self, rows: np.ndarray) -> "Stack":
        return replace(self, ds=self.ds[rows], y=self.y[rows], positions=self.positions[rows])


def last_valid(valid: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(N,) for each row the last valid one at or before it in its series, -1 if there is none."""
    rows = np.arange(len(valid))
    last = np.maximum.accumulate(np.where(valid, rows, -1))
    return np.where(last >= np.searchsorted(codes, np.arange(codes.max(initial=0) + 1))[codes], last, -1)


def next_valid(valid: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(N,) for each row the next valid one at or after it in its series, -1 if there is none."""
    last = last_valid(valid[::-1], codes.max(initial=0) - codes[::-1])
    return np.where(last < 0, -1, len(valid) - 1 - last)[::-1]


def moments(ds: pd.Index) -> np.ndarray:
    """Dates as whole numbers that count time."""
    return np.asarray(ds.asi8 if isinstance(ds, pd.DatetimeIndex) else ds.to_numpy())


@dataclass
class Exclusions:
    """Where series with an error go: up to the caller at once, or aside with the reason.

    Attributes:
        on_bad: "raise", "skip" or "naive".
        reasons: number of the series -> what is wrong with it; the first thing found.
    """

    on_bad: str = "raise"
    reasons: dict[int, str] = field(default_factory=dict)

    def attempt(self, s: int, check: Callable[[], T]) -> T | None:
        """What the check of a series answers, None if the series is refused."""
        try:
            return check()
        except DataError as reason:
            if self.on_bad == "raise":
                raise
            self.reasons.setdefault(s, str(reason))
            return None

    @contextmanager
    def catching(self, series: np.ndarray) -> Iterator[None]:
        """Puts aside the series that refused rows belong to: `series` (N,) are the numbers of each row's."""
        try:
            yield
        except RowError as error:
            self.put(error, series[error.rows][:, None])

    def put(self, error: RowError, series: np.ndarray) -> None:
        """Put the series aside that the refused rows belong to: `series` (R, n) are the numbers of each row's."""
        if self.on_bad == "raise":
            raise DataError(str(error)) from None
        order = np.argsort(series, axis=None, kind="stable")
        numbers, starts = np.unique(series.ravel()[order], return_index=True)
        for s, at in zip(numbers.tolist(), np.split(order // series.shape[1], starts[1:]), strict=True):
            self.reasons.setdefault(s, error.tell(error.rows[at]))

    def good(self, count: int) -> np.ndarray:
        """Which of so many series have no error so far: (S,) booleans; none at all is an error itself."""
        good = np.ones(count, bool)
        good[list(self.reasons)] = False
        if not good.any():
            first = [self.reasons[s] for s in sorted(self.reasons)[:FEW]]
            more = f"; and {count - FEW} more" if count > FEW else ""
            raise DataError(f"no usable series is left of {count}: {'; '.join(first)}{more}")
        return good


# -------------------------------------------------------------------------------------------------------- reading


def stacked(table: Table, columns: Columns, layout: str, aside: Exclusions, guesses: list[str]) -> Stack:
    """The rows of each series, with dates and numbers read."""
    codes, ids = _series_of_rows(table, columns)
    if layout == "rows":
        return _along_rows(table, columns, codes, ids, aside, guesses)
    names = [_name(one, target, columns) for one in ids for target in columns.targets]
    if len(set(names)) < len(names):
        raise DataError("two series would have the same name, id/column; rename one of the columns or series")
    rows, ds, note = _dates(table, columns, codes, names, aside)
    guesses.extend([note] if note else [])
    return _down_columns(table, columns, (codes, names, rows, ds), aside)


def _series_of_rows(table: Table, columns: Columns) -> tuple[np.ndarray, list[Any]]:
    """The number of the series that each row belongs to, in order of appearance, and their names."""
    if columns.id is None:
        return np.zeros(len(table.frame), np.int64), [None]
    ids = table.frame[columns.id]
    missing = ids.isna().to_numpy()
    if missing.any():
        row = table.row(int(missing.argmax()))
        raise DataError(f"{row}: no name in series column {columns.id!r}; give one or leave the row out")
    codes, names = pd.factorize(ids)
    return codes, names.tolist()


def _name(one: Any, target: str, columns: Columns) -> Any:
    if columns.id is None:
        return target
    return one if len(columns.targets) == 1 else f"{one}/{target}"


def _dates(
    table: Table, columns: Columns, codes: np.ndarray, names: list[Any], aside: Exclusions
) -> tuple[np.ndarray, pd.Index, str | None]:
    """The rows that have a date, their dates, and what had to be guessed to read them."""
    rows, count = np.arange(len(codes)), len(columns.targets)
    if not columns.time:
        return rows, pd.Index(rows), "time: rows counted from 0"
    frame = table.frame[list(columns.time)]

    def where(i: int) -> str:
        row = table.row(int(rows[i]))
        return row if columns.id is None and count > 1 else f"series {str(names[codes[rows[i]] * count])!r}, {row}"

    while True:
        try:
            ds, note = _read_time(frame, columns.time, where)
            return rows, ds, note
        except RowError as error:  # noqa: PERF203  # a round for each kind of error, not for each row
            aside.put(error, codes[rows[error.rows]][:, None] * count + np.arange(count))
            frame = frame.drop(index=frame.index[error.rows])
            rows = np.delete(rows, error.rows)
            if not len(rows):
                aside.good(len(names))


def _read_time(frame: pd.DataFrame, columns: tuple[str, ...], where: Where) -> tuple[pd.Index, str | None]:
    return read_dates(frame[columns[0]] if len(columns) == 1 else join_parts(frame, columns, where), where)


def _down_columns(
    table: Table,
    columns: Columns,
    read: tuple[np.ndarray, list[Any], np.ndarray, pd.Index],
    aside: Exclusions,
) -> Stack:
    """The values of each target column below each other, by series."""
    codes, names, rows, ds = read
    count = len(columns.targets)
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for j, target in enumerate(columns.targets):
        series = codes if count == 1 else codes * count + j
        y = _values(table, target, series, names, aside)[rows]
        parts.append((series[rows], np.arange(len(rows)), y))
    number, at, y = parts[0] if count == 1 else (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(number, kind="stable")
    bounds = np.concatenate([[0], np.bincount(number, minlength=len(names)).cumsum()])
    return Stack(names, bounds, ds[at[order]], y[order], rows[at[order]], table)


def _values(table: Table, target: str, series: np.ndarray, names: list[Any], aside: Exclusions) -> np.ndarray:
    """A target column as numbers; what is none puts its series aside and is missing then."""
    column = table.frame[target]

    def where(i: int) -> str:
        return f"series {str(names[series[i]])!r}, {table.row(int(i))}"

    while True:
        try:
            return read_numbers(column, where)
        except RowError as error:  # noqa: PERF203  # a round for each kind of error
            aside.put(error, series[error.rows][:, None])
            column = column.mask(np.isin(np.arange(len(column)), error.rows))


def _along_rows(
    table: Table, columns: Columns, codes: np.ndarray, names: list[Any], aside: Exclusions, guesses: list[str]
) -> Stack:
    """The values of each row, one after the other; blank cells at its end are no part of the series."""
    if len(names) < len(codes):
        row = int(pd.Series(codes).duplicated().argmax())
        raise DataError(
            f"{table.row(row)}: series {str(names[codes[row]])!r} is there already; with layout='rows' each row is a "
            "series: give each its own name"
        )
    y = np.stack([_values(table, target, codes, names, aside) for target in columns.targets], axis=1)
    known = ~np.isnan(y)
    length = np.where(known.any(axis=1), y.shape[1] - known[:, ::-1].argmax(axis=1), y.shape[1])
    positions, time = np.nonzero(np.arange(y.shape[1]) < length[:, None])
    guesses.append("time: values counted from 0 along each row")
    return Stack(names, np.concatenate([[0], length.cumsum()]), pd.Index(time), y[positions, time], positions, table)
