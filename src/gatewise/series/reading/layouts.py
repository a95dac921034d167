"""Layouts: long tables, and wide tables with a series in each column or row, as the rows of all series.

Letters: N rows, S series.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError, RowError
from gatewise.series.reading.dates.context import ReadDates
from gatewise.series.reading.dates.parsing import read_time
from gatewise.series.reading.exclusion import Exclusions
from gatewise.series.reading.numbers.parsing import read_numbers
from gatewise.series.reading.rows import Stack
from gatewise.series.reading.table import Columns, Table
from gatewise.series.wording import did_you_mean, listed

LAYOUTS = ("long", "columns", "rows")


class ReadRows(NamedTuple):
    """The rows of all series, the series with unreadable cells, and the guesses."""

    stack: Stack
    exclusions: Exclusions
    guesses: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    dates: ReadDates | None = None


class _Dates(NamedTuple):
    """The rows with a date, their dates, the exclusions of series with other rows, and the guess made to read them."""

    rows: np.ndarray
    ds: pd.Index
    exclusions: Exclusions
    guess: str | None
    read: ReadDates | None = None


def read_rows(table: Table, columns: Columns, layout: str, exclusions: Exclusions) -> ReadRows:
    """The rows of each series, with dates and numbers converted."""
    codes, ids = _series_of_rows(table, columns)
    if layout == "rows":
        return _along_rows(table, columns, codes, ids, exclusions)
    names = [_name(unique_id, target, columns) for unique_id in ids for target in columns.targets]
    if len(set(names)) < len(names):
        raise DataError("two series get the same id/column name; rename one of the columns or series")
    dates = _dates(table, columns, codes, names, exclusions)
    stack, exclusions = _down_columns(table, columns, codes, names, dates)
    return ReadRows(stack, exclusions, () if dates.guess is None else (dates.guess,), dates=dates.read)


def selected(rows: ReadRows, names: Sequence[str]) -> ReadRows:
    """The rows of the named series, in the order of the table.

    Raises:
        DataError: there is no series of such a name.
    """
    known = {str(name): s for s, name in enumerate(rows.stack.names)}
    for name in names:
        if str(name) not in known:
            raise DataError(
                f"series={name!r} (--series): no such series; the table contains {listed(known)}"
                f"{did_you_mean(name, known)}"
            )
    chosen = np.zeros(len(rows.stack.names), bool)
    chosen[[known[str(name)] for name in names]] = True
    number = chosen.cumsum() - 1
    reasons = {int(number[s]): reason for s, reason in rows.exclusions.reasons.items() if chosen[s]}
    return rows._replace(stack=rows.stack.series(chosen), exclusions=replace(rows.exclusions, reasons=reasons))


def _series_of_rows(table: Table, columns: Columns) -> tuple[np.ndarray, list[Any]]:
    """The number of the series of each row, in order of appearance, and the names of the series."""
    if columns.id is None:
        return np.zeros(len(table.frame), np.int64), [None]
    ids = table.frame[columns.id]
    missing = ids.isna().to_numpy()
    if missing.any():
        row = table.row(int(missing.argmax()))
        raise DataError(f"{row}: no name in series column {columns.id!r}; add the name or remove the row")
    codes, names = pd.factorize(ids)
    return codes, names.tolist()


def _name(unique_id: Any, target: str, columns: Columns) -> Any:
    if columns.id is None:
        return target
    return unique_id if len(columns.targets) == 1 else f"{unique_id}/{target}"


def _dates(table: Table, columns: Columns, codes: np.ndarray, names: list[Any], exclusions: Exclusions) -> _Dates:
    """The dates of the rows; a row without a readable date excludes its series."""
    rows, count = np.arange(len(codes)), len(columns.targets)
    if not columns.time:
        return _Dates(rows, pd.Index(rows), exclusions, "time: rows counted from 0")
    frame = table.frame[list(columns.time)]
    past = table.frame[list(columns.targets)].notna().any(axis=1).to_numpy()

    def where(rows: np.ndarray, i: int) -> str:
        row = table.row(int(rows[i]))
        return row if columns.id is None and count > 1 else f"series {str(names[codes[rows[i]] * count])!r}, {row}"

    while True:
        try:
            read = read_time(frame, columns.time, partial(where, rows), table, codes[rows], past=past[rows])
            return _Dates(rows, read.ds, exclusions, read.guess, read)
        except RowError as error:  # noqa: PERF203  # a round for each kind of error, not for each row
            error = _with_removal(error, table, rows[error.rows])
            exclusions = exclusions.with_rows(error, codes[rows[error.rows]][:, None] * count + np.arange(count))
            frame = frame.drop(index=frame.index[error.rows])
            rows = np.delete(rows, error.rows)
            if not len(rows):
                exclusions.eligible(len(names))  # raises, as no series is left


def _with_removal(error: RowError, table: Table, rows: np.ndarray) -> RowError:
    """The error of rows whose dates cannot be read, which also says how to leave them out."""
    return RowError(error.rows, error.fault, table.with_removal(rows, error.remedy)) if error.remedy else error


def _down_columns(
    table: Table, columns: Columns, codes: np.ndarray, names: list[Any], dates: _Dates
) -> tuple[Stack, Exclusions]:
    """The values of all target columns, stacked by series."""
    rows, count, exclusions = dates.rows, len(columns.targets), dates.exclusions
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for j, target in enumerate(columns.targets):
        series = codes if count == 1 else codes * count + j
        y, exclusions = _values(table, target, series, names, exclusions)
        parts.append((series[rows], np.arange(len(rows)), y[rows]))
    number, at, y = parts[0] if count == 1 else (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(number, kind="stable")
    bounds = np.concatenate([[0], np.bincount(number, minlength=len(names)).cumsum()])
    return Stack(names, bounds, dates.ds[at[order]], y[order], rows[at[order]], table), exclusions


def _values(
    table: Table, target: str, series: np.ndarray, names: list[Any], exclusions: Exclusions
) -> tuple[np.ndarray, Exclusions]:
    """A target column as numbers; a cell that is not a number excludes its series and becomes missing."""
    table.refuse_ambiguous([target])
    column = table.frame[target]

    def where(i: int) -> str:
        return f"series {str(names[series[i]])!r}, {table.row(int(i))}"

    while True:
        try:
            return read_numbers(column, where), exclusions
        except RowError as error:  # noqa: PERF203  # a round for each kind of error, not for each row
            exclusions = exclusions.with_rows(error, series[error.rows][:, None])
            column = column.mask(np.isin(np.arange(len(column)), error.rows))


def _along_rows(
    table: Table, columns: Columns, codes: np.ndarray, names: list[Any], exclusions: Exclusions
) -> ReadRows:
    """The values of each row as one series; blank cells at the end of a row are dropped."""
    if len(names) < len(codes):
        row = int(pd.Series(codes).duplicated().argmax())
        raise DataError(
            f"{table.row(row)}: series {str(names[codes[row]])!r} is a duplicate; layout='rows' reads each row as a "
            "series, so give each row its own name"
        )
    values = []
    for target in columns.targets:
        numbers, exclusions = _values(table, target, codes, names, exclusions)
        values.append(numbers)
    y = np.stack(values, axis=1)
    known = ~np.isnan(y)
    length = np.where(known.any(axis=1), y.shape[1] - known[:, ::-1].argmax(axis=1), y.shape[1])
    positions, time = np.nonzero(np.arange(y.shape[1]) < length[:, None])
    bounds = np.concatenate([[0], length.cumsum()])
    stack = Stack(names, bounds, pd.Index(time), y[positions, time], positions, table)
    return ReadRows(stack, exclusions, ("time: values counted from 0 along each row",))
