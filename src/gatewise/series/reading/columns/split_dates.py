"""Split dates: days in one column and hours in another, or years and their months, quarters or weeks.

Another column of small numbers may as well name the series: 24 shops look like 24 hours. The calendar decides, then the
order of the rows, then the name of the column; if none does, the table is refused.

Letters: N rows.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.frequency import as_integers
from gatewise.series.reading.columns.ids import COMPLETE, find_ids, holds_names, option, together
from gatewise.series.reading.dates.choice import missing_share
from gatewise.series.reading.dates.joined_time import PERIODS, Reading, add, as_years, covers, part_named, readings
from gatewise.series.reading.dates.parsing import read_time
from gatewise.series.reading.dates.part_texts import part_text
from gatewise.series.reading.table import Table

REPEATS = 1.5  # rows of a day, on average, from which another column may tell them apart
EVEN = 0.9  # of the steps between rows are equal
FILLED = 0.7  # of the hours, months, ... that a column named after them holds, on each day
DAY_OF_YEAR = "day of year"
MOST_GAPS = 1.5  # dates of the calendar per day of the year in a column named day
FEW_REPEATS = 0.01  # of the joined dates, as daylight-saving time makes them


class SplitDate(NamedTuple):
    """A column that completes a column of days or years.

    Attributes:
        column: its name.
        ds: (N,) the joined dates.
        further: a column of weekdays beside a column of weeks, or of hours beside days of the year.
    """

    column: str
    ds: pd.DatetimeIndex
    further: tuple[str, ...] = ()


class _Calendar(NamedTuple):
    """Whether joined dates are evenly spaced, and distinct within each series."""

    is_even: bool
    is_distinct: bool


def joined_dates(table: Table, columns: Sequence[str]) -> pd.Index | None:
    """(N,) one or several columns as dates; None if some cells are no dates."""
    try:
        return read_time(table.frame, columns, table.row, table)[0]
    except DataError:
        return None


def ranks_of(ds: pd.Index) -> np.ndarray:
    """(N,) the rank of each date among the distinct dates."""
    return np.asarray(pd.factorize(as_integers(ds), sort=True)[0])


def repeat(table: Table, column: str, ids: Sequence[str]) -> bool:
    """Whether a cell repeats within a series."""
    cells = table.frame[[*ids, column]]
    return bool(cells.duplicated().any())


def completing(table: Table, base: str, ids: Sequence[str], columns: Sequence[str]) -> SplitDate | None:
    """The column that completes a column of days or years whose cells repeat, or None.

    Arguments:
        table: a long table.
        base: the column of dates.
        ids: columns that name the series, if they are known.
        columns: those that may complete it.

    Raises:
        DataError: a column that may as well name the series.
    """
    years = as_years(table.frame[base])
    days = years if years is not None else joined_dates(table, [base])
    if not isinstance(days, pd.DatetimeIndex) or not (days == days.normalize()).all():
        return None
    known = [np.asarray(pd.factorize(table.frame[column])[0]) for column in ids]
    series = together(known) if known else np.zeros(len(days), np.int64)
    if len(days) < REPEATS * len(pd.unique(series * (len(days) + 1) + ranks_of(days))):
        return None
    columns = [column for column in columns if pd.api.types.infer_dtype(table.frame[column]) != "mixed"]  # lists, ...
    weekly = None if years is None else _weekdays(table, base, columns, series)
    if weekly is not None:
        return weekly
    hourly = None if years is None else _hours_of_days(table, base, years, columns, series if ids else None)
    if hourly is not None:
        return hourly
    undecided: list[str] = []
    for column in columns:
        possible = [] if table.frame[column].isna().any() else readings(table.frame[column], years is not None)
        for reading in sorted(possible, key=lambda reading: reading.part != part_named(column)):
            ds = add(days, reading)
            if ds.isna().any() or len(ds.unique()) < REPEATS * len(days.unique()):
                continue  # not a date, or the same number in all rows of a day
            split, others = SplitDate(column, ds), [other for other in columns if other != column]
            is_time = _is_time(table, split, reading, days, series if ids else None, others)
            if is_time:
                return split
            if is_time is None and not _in_runs(table.frame[column], series):
                undecided.append(column)
                break
    if undecided:
        raise DataError(_either(table, base, undecided[0], ids))
    return None


def _weekdays(table: Table, base: str, columns: Sequence[str], series: np.ndarray) -> SplitDate | None:
    """The columns of weeks and weekdays beside years, if all three make a calendar of days."""
    weeks = [column for column in columns if _is_part(table.frame[column], "week")]
    days = [column for column in columns if _is_part(table.frame[column], "weekday")]
    if len(weeks) != 1 or len(days) != 1:
        return None
    ds = joined_dates(table, [base, weeks[0], days[0]])
    if not isinstance(ds, pd.DatetimeIndex) or ds.isna().any():
        return None
    others = [column for column in columns if column not in (weeks[0], days[0])]
    calendar = _calendar(ds, series if series.any() else _series(table, ds, others))
    return SplitDate(weeks[0], ds, (days[0],)) if calendar.is_distinct and calendar.is_even else None


def _hours_of_days(
    table: Table, base: str, years: pd.DatetimeIndex, columns: Sequence[str], series: np.ndarray | None
) -> SplitDate | None:
    """The columns of days and hours beside years, if all three make a calendar of hours."""
    whole = [column for column in columns if not table.frame[column].isna().any()]
    for column in whole:
        days = next((one for one in readings(table.frame[column], True) if one.part == DAY_OF_YEAR), None)
        if days is None or days.numbers.max() <= PERIODS["week"]:
            continue
        dates = add(years, days)
        if dates.isna().any() or len(dates) < REPEATS * len(dates.unique()):
            continue
        for other in whole:
            rest = [each for each in columns if each not in (column, other)]
            for hours in readings(table.frame[other], False) if other != column else ():
                split = SplitDate(other, add(dates, hours))
                as_given = joined_dates(table, [base, column, other])
                if split.ds.equals(as_given) and _is_time(table, split, hours, dates, series, rest):
                    return SplitDate(column, split.ds, (other,))
    return None


def _is_part(column: pd.Series, part: str) -> bool:
    """Whether the cells of a column name weeks or weekdays, or are numbers of a column that is named so."""
    text = part_text(column)
    if text is not None:
        return text.part == part
    named, possible = part_named(column.name), readings(column, beside_years=True)
    is_weekday = part == "weekday" and named in ("day", "weekday")
    return any(named == part or (is_weekday and (one.numbers <= 7).all()) for one in possible)


def _is_time(
    table: Table,
    split: SplitDate,
    reading: Reading,
    days: pd.DatetimeIndex,
    series: np.ndarray | None,
    others: Sequence[str],
) -> bool | None:
    """Whether a column completes days; None if it may as well name the series.

    Arguments:
        table: the table.
        split: the column, and the joined dates.
        reading: how the column is read.
        days: (N,) the days.
        series: (N,) the series of each row, if they are known.
        others: further columns, which may name series.
    """
    part = part_named(split.column)
    is_named = part == reading.part or (reading.part not in PERIODS and part in ("hour", "minute"))
    is_named = is_named or (reading.part == DAY_OF_YEAR and part == "day")
    if reading.is_plain and not is_named and not covers(reading):
        return False
    if reading.part == DAY_OF_YEAR and part != DAY_OF_YEAR:  # numbers of shops end at any number
        share = missing_share(split.ds)
        if share is None or share > (MOST_GAPS if is_named else 1):
            return False
    if series is None:
        codes = pd.factorize(table.frame[split.column])[0]
        same = [other for other in others if (pd.factorize(table.frame[other])[0] == codes).all()]
        if reading.is_plain and not is_named and any(holds_names(table.frame[other]) for other in same):
            return False  # numbers and names of the same things
        others = [other for other in others if other not in same]
        if any(found.complete >= COMPLETE for found in find_ids(table.frame, others, ranks_of(days))):
            return False  # other columns tell the rows of a day apart
        series = _series(table, split.ds, others)
    calendar = _calendar(split.ds, series)
    if not calendar.is_distinct or not reading.is_plain:
        return calendar.is_distinct
    if is_named:
        return calendar.is_even or _filled(days, reading, series) >= FILLED
    numbers = np.unique(reading.numbers / (60 if reading.part == "hour" else 1))
    may_be_names = (np.diff(numbers) == 1).all() and reading.part != "minute"
    return False if not calendar.is_even else None if may_be_names else True


def _series(table: Table, ds: pd.DatetimeIndex, others: Sequence[str]) -> np.ndarray:
    """(N,) the series of each row if other columns name them, else 0."""
    found = find_ids(table.frame, others, ranks_of(ds)) if ds.has_duplicates else []
    if not found:
        return np.zeros(len(ds), np.int64)
    return together([np.asarray(pd.factorize(table.frame[column])[0]) for column in found[0].columns])


def _filled(days: pd.DatetimeIndex, reading: Reading, series: np.ndarray) -> float:
    """The fraction of the numbers of a column that each day of each series has."""
    pairs = len(pd.unique(series * (len(days) + 1) + ranks_of(days)))
    return len(days) / (pairs * len(np.unique(reading.numbers)))


def _calendar(ds: pd.DatetimeIndex, series: np.ndarray) -> _Calendar:
    """Whether sorted dates are distinct within each series, and evenly spaced within and across days."""
    order = np.lexsort((ds.asi8, series))
    inside = np.diff(series[order]) == 0
    steps = np.diff(ds.asi8[order])[inside]
    if not len(steps):
        return _Calendar(False, True)
    distinct = float((steps == 0).mean()) <= FEW_REPEATS
    usual = pd.Series(steps).mode()[0]
    months = ds[order].to_series().dt.to_period("M").astype(np.int64).to_numpy() if (ds.day == 1).all() else None
    if months is not None:  # months and quarters differ in their days
        steps = np.diff(months)[inside]
        usual = pd.Series(steps).mode()[0]
    across = (np.diff(ds.normalize().asi8[order]) != 0)[inside]
    even = steps == usual
    return _Calendar(bool(even.mean() >= EVEN and (not across.any() or even[across].mean() >= 0.5)), distinct)


def _in_runs(column: pd.Series, series: np.ndarray) -> bool:
    """Whether the rows are grouped by a column, as rows of series are."""
    codes = pd.factorize(column)[0]
    order = np.argsort(series, kind="stable")
    changes = int((np.diff(codes[order]) != 0).sum())
    return changes < len(codes) / 4


def _either(table: Table, base: str, column: str, ids: Sequence[str]) -> str:
    time, names = (base, column), (*ids, column)
    listed_names = repr(column) if len(names) == 1 else repr(list(names))
    return (
        f"{table.name}: the dates in {base!r} repeat, and {column!r} may complete them or name the series; pass "
        f"time_column={list(time)!r} ({option('--time', time)}) if it completes them, or id_column={listed_names} "
        f"({option('--id', names)}) if it names the series"
    )
