"""Checks and repairs: dates in order, on one calendar, without gaps; values without holes."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.dates import (
    DataError,
    Where,
    check_frequency,
    grid,
    in_words,
    infer_frequency,
    join_parts,
    read_dates,
    show,
    tick_count,
)
from gatewise.series.records import Series
from gatewise.series.tables import Columns, Table, read_numbers

FILLS = {"interpolate": "by interpolation", "previous": "with the value before", "zero": "with zero"}
FILL_REMEDY = 'pass fill="interpolate", "previous" or "zero" (--fill interpolate)'


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


def split(table: Table, columns: Columns, guesses: list[str]) -> list[Rows]:
    """The rows of each series, in order of appearance, with dates and numbers read."""
    frame = table.frame
    ids = pd.Series([columns.target] * len(frame)) if columns.id is None else frame[columns.id]
    if ids.isna().any():
        row = table.row(int(ids.isna().argmax()))
        raise DataError(f"{row}: no name in series column {columns.id!r}; give one or leave the row out")

    def where(position: int) -> str:
        return f"series {str(ids.iloc[position])!r}, {table.row(int(position))}"

    ds, note = _time(frame, columns.time, where)
    guesses.extend([note] if note else [])
    y = read_numbers(frame[columns.target], where)
    codes, names = pd.factorize(ids.to_numpy())
    groups = np.split(np.argsort(codes, kind="stable"), np.bincount(codes).cumsum()[:-1])
    return [Rows(_plain(name), ds[at], y[at], at, table) for name, at in zip(names, groups, strict=True)]


def _plain(name: Any) -> Any:
    """A name as Python's own number or text, not numpy's."""
    return name.item() if isinstance(name, np.generic) else name


def _time(frame: pd.DataFrame, columns: tuple[str, ...], where: Where) -> tuple[pd.Index, str | None]:
    if not columns:
        return pd.Index(np.arange(len(frame))), "time: rows counted from 0"
    return read_dates(frame[columns[0]] if len(columns) == 1 else join_parts(frame, columns, where), where)


# --------------------------------------------------------------------------------------------------------- order


def in_order(one: Rows, sort: bool, guesses: list[str]) -> Rows:
    """The rows by date; duplicates are refused, and so is another order unless `sort` is asked for."""
    _refuse_duplicates(one)
    if one.ds.is_monotonic_increasing:
        return one
    if not sort:
        raise DataError(_out_of_order(one))
    guesses.append(f"sorted by date: {one}")
    order = np.argsort(one.ds, kind="stable")
    return replace(one, ds=one.ds[order], y=one.y[order], positions=one.positions[order])


def _refuse_duplicates(one: Rows) -> None:
    repeats = np.flatnonzero(one.ds.duplicated())
    if len(repeats):
        more = "" if len(repeats) == 1 else f" ({len(repeats)} rows repeat a date)"
        raise DataError(
            f"{one.where(repeats[0])}: {show(one.ds[repeats[0]])} is there already{more}; leave out or average what is "
            "there twice; if the table holds several series, name the column that tells them apart as id_column= (--id)"
        )


def _out_of_order(one: Rows) -> str:
    later = int(np.argmax(one.ds[1:] < one.ds[:-1])) + 1
    return (
        f"{one.where(later)}: {show(one.ds[later])} comes after {show(one.ds[later - 1])}; "
        "sort the table, or pass sort=True (--sort)"
    )


# ------------------------------------------------------------------------------------------------------ calendar


def frequency_of(rows: list[Rows], given: str | int | None, of_index: str | None, guesses: list[str]) -> str | int:
    """The calendar of the dates, inferred from the longest series unless it is known."""
    longest = max(rows, key=lambda one: len(one.ds))
    known = of_index if given is None else given
    if known is not None:
        freq = check_frequency(known, longest.ds)
        how = "from the index" if given is None else "as given"
        guesses.append(f"frequency: {in_words(freq)}, {how}")
        return freq
    inferred = infer_frequency(longest.ds)
    if inferred is None:
        raise DataError(_no_frequency(longest))
    guesses.append(f"frequency: {in_words(inferred)}, inferred from {len(longest.ds)} dates")
    return inferred


def _no_frequency(one: Rows) -> str:
    if len(one.ds) < 3:
        return f"{one} has {len(one.ds)} dates, 3 or more show a frequency; pass it as freq= (--freq MS)"
    if len(one.ds.day.unique()) == 1:
        return f"{one}: every date is on day {one.ds.day[0]} of a month, expected the first or the last; move the dates"
    steps = pd.Series(np.diff(one.ds))
    usual = steps.mode()[0]
    odd = int((steps != usual).argmax()) + 1
    return (
        f"{one.where(odd)}: the dates follow no regular calendar: the commonest step is {show(usual)}, but "
        f"{show(one.ds[odd])} comes {show(steps[odd - 1])} after {show(one.ds[odd - 1])}; bring them onto regular "
        f"steps (pandas: table.resample), or pass the calendar they follow as freq= (--freq D){_local_days(one.ds)}"
    )


def _local_days(ds: pd.Index) -> str:
    """Local midnights are no regular steps of UTC where the clocks change."""
    if str(getattr(ds, "tz", None)) != "UTC":
        return ""
    return '; local days over a change of clocks: convert them to their own zone (dates.dt.tz_convert("Europe/Berlin"))'


def check_dates(one: Rows, freq: str | int) -> pd.Index:
    """Every date of the calendar from the first to the last; dates off the calendar are errors."""
    steps = tick_count(one.ds, freq)
    if steps > 100 * len(one.ds) + 1000:
        raise DataError(
            f"{one}: freq={freq!r} makes {steps} steps from {_span(one.ds)}, but there are {len(one.ds)} rows; "
            "pass a longer step as freq= (--freq)"
        )
    calendar = grid(one.ds, freq)
    stray = np.flatnonzero(~one.ds.isin(calendar))
    if len(stray):
        raise DataError(
            f"{one.where(stray[0])}: {show(one.ds[stray[0]])} is not on the calendar {in_words(freq)}; "
            "correct the date or pass another freq= (--freq)"
        )
    return calendar


def _span(ds: pd.Index) -> str:
    return f"{show(ds[0])} to {show(ds[-1])}"


# -------------------------------------------------------------------------------------------------------- values


def check_values(one: Rows, calendar: pd.Index, fill: str | None, guesses: list[str]) -> Series:
    """The series on its whole calendar; missing dates and values are filled if asked, and errors if not."""
    missing = np.flatnonzero(np.isnan(one.y))
    if len(missing) == len(one.y):
        raise DataError(f"{one} has no values at all; check the target column (--target COL)")
    if len(calendar) == len(one.ds) and not len(missing):
        return Series(one.unique_id, one.ds, one.y)
    if fill is not None:
        return _filled(one, calendar, fill, guesses)
    if len(calendar) > len(one.ds):
        raise DataError(_gaps(one, calendar))
    raise DataError(
        f"{one.where(missing[0])}: the value at {show(one.ds[missing[0]])} is missing "
        f"({len(missing)} of {len(one.y)} are); {FILL_REMEDY}"
    )


def _gaps(one: Rows, calendar: pd.Index) -> str:
    gone = calendar[~calendar.isin(one.ds)]
    before = one.table.row(int(one.positions[one.ds.searchsorted(gone[0]) - 1]))
    dates = ", ".join(show(date) for date in gone[:3]) + (", ..." if len(gone) > 3 else "")
    count = "1 date is" if len(gone) == 1 else f"{len(gone)} dates are"
    return f"{one}: {count} missing from {_span(one.ds)}: {dates} (the first after {before}); {FILL_REMEDY}"


def _filled(one: Rows, calendar: pd.Index, fill: str, guesses: list[str]) -> Series:
    y = pd.Series(one.y, index=one.ds).reindex(calendar).to_numpy(np.float64, copy=True)
    known = np.flatnonzero(~np.isnan(y))
    if fill == "interpolate" and known[-1] < len(y) - 1:
        raise DataError(
            f"{one}: nothing to interpolate to after {show(calendar[known[-1]])}, the last value known; "
            'leave the rows after it out, or pass fill="previous" (--fill previous)'
        )
    start = 0 if fill == "zero" else int(known[0])
    if start:
        guesses.append(f"left out: the first {start} dates of {one}, whose values are missing")
    gone = np.isnan(y[start:])
    repaired = _repaired(one, calendar[start:], y[start:], fill, guesses)
    return Series(one.unique_id, calendar[start:], repaired, gone if gone.any() else None)


def _repaired(one: Rows, ds: pd.Index, y: np.ndarray, fill: str, guesses: list[str]) -> np.ndarray:
    gone, known = np.flatnonzero(np.isnan(y)), np.flatnonzero(~np.isnan(y))
    if len(gone):
        values = "1 value" if len(gone) == 1 else f"{len(gone)} values"
        guesses.append(f"filled {FILLS[fill]}: {values} of {one}, the first at {show(ds[gone[0]])}")
    if fill == "zero":
        y[gone] = 0.0
    elif fill == "previous":
        y[gone] = y[known[np.searchsorted(known, gone) - 1]]
    else:
        time = ds.asi8 if isinstance(ds, pd.DatetimeIndex) else ds.to_numpy()
        y[gone] = np.interp(time[gone], time[known], y[known])
    return y
