"""Time columns: which columns of a table hold the time, as given, by their names, or by the shape of the table."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.frequency import infer_frequency
from gatewise.series.reading.columns.split_dates import completing, joined_dates, repeat
from gatewise.series.reading.dates.choice import missing_share
from gatewise.series.reading.dates.formats import with_years
from gatewise.series.reading.dates.joined_time import as_years, part_named
from gatewise.series.reading.dates.parsing import PARTS, TIME_NAMES, looks_like_dates, plausible_dates
from gatewise.series.reading.table import Table
from gatewise.series.wording import listed

MOST_GAPS = 1.5  # dates of the calendar per day of two columns; working days are 5 of 7


class Time(NamedTuple):
    """The time columns, none if rows are counted, and the guess that states them."""

    columns: tuple[str, ...]
    guess: str


def time_columns(
    table: Table, ids: Sequence[str], used: Sequence[str], layout: str, covariates: Sequence[str], remedy: str
) -> Time:
    """The time columns by their names and cells.

    Arguments:
        table: the table.
        ids: columns that name the series, if they are known.
        used: columns with another use, among them `ids`.
        layout: "long" or "columns".
        covariates: columns of covariates.
        remedy: what to do if no column holds dates.
    """
    columns = [column for column in table.frame.columns if column not in used]
    if "ds" in columns:
        return _completed(table, Time(("ds",), "time column: 'ds'"), ids, columns, covariates)
    columns = [column for column in columns if column not in covariates]
    dates = [column for column in columns if looks_like_dates(table.frame[column])]
    years = [column for column in columns if as_years(table.frame[column]) is not None]
    full = [column for column in dates if column not in years]
    parts = _parts(table, columns, full, ids)
    if parts:
        return Time(parts, f"time columns: {listed(parts)} (combined)")
    dated = None if len(years) != 1 else _years_months_days(table, columns, years[0])
    if dated is None and len(years) == 1 and layout != "columns":
        dated = _days_with_years(table, columns, years[0])
    if dated is not None:
        return dated
    completed = [] if full else _completed_each(table, years, columns, ids)
    if len(completed) == 1:
        return completed[0]
    named = [column for column in columns if column.lower() in TIME_NAMES]
    is_named = any(_may_be_time(table.frame[column], column) for column in named)
    numbers = [] if dates or is_named else _numeric_dates(table, columns, layout)
    named = [] if numbers else named
    if not dates and not named and not numbers and (len(columns) <= 1 or layout == "columns"):
        return Time((), "time column: none")
    candidates = [column for column in dates if column in named] or dates or named or numbers
    regular = candidates if len(candidates) <= 1 else _regular(table, dates or candidates, ids)
    if len(candidates) > 1 and len(regular) == 1:
        reason = "the only column of regular dates" if dates else "the only regular time"
        return _completed(table, Time((regular[0],), f"time column: {regular[0]!r} ({reason})"), ids, columns, ())
    if len(candidates) == 1:
        reason = "by its name" if dates != candidates else "the only column of dates"
        reason = "the only column of numbers that are dates" if numbers else reason
        return _completed(table, Time((candidates[0],), f"time column: {candidates[0]!r} ({reason})"), ids, columns, ())
    combined = [] if len(candidates) < 2 else _completed_each(table, candidates, columns, ids)
    if len(combined) == 1:
        return combined[0]
    ambiguous = f"the time column is ambiguous, candidates are {listed(candidates)}"
    problem = ambiguous if candidates else f"no time column found, none of {listed(columns)} reads as dates"
    remedy = "pass time_column= (--time COL)" + (f"; {remedy}" if not candidates and remedy else "")
    raise DataError(f"{table.name}: {problem}; {remedy}")


def _completed(table: Table, time: Time, ids: Sequence[str], columns: Sequence[str], covariates: Sequence[str]) -> Time:
    """The time column with the column of hours, or of months of the year, that tells its repeated cells apart."""
    base = time.columns[0]
    if not repeat(table, base, ids):
        return time
    others = [column for column in columns if column not in (base, *covariates)]
    split = completing(table, base, ids, others)
    if split is None:
        return time
    both = (base, split.column, *split.further)
    return Time(both, f"time columns: {listed(both)} (combined)")


def _days_with_years(table: Table, columns: Sequence[str], years: str) -> Time | None:
    """A column of days without a year, such as 01 Oct, with that of their years, if they make a calendar."""
    for column in columns:
        cells = table.frame[column]
        if column == years or cells.isna().any() or with_years(cells, np.full(len(cells), 2000)) is None:
            continue
        time = _combined(table, columns, [column, years])
        if time is not None:
            return time
    return None


def _years_months_days(table: Table, columns: Sequence[str], years: str) -> Time | None:
    """Columns of years, months 1 to 12 and days 1 to 31 of any names, if they make a calendar."""
    most = {column: int(table.frame[column].max()) for column in columns if _counts_from_one(table.frame[column])}
    months = [column for column, last in most.items() if last <= 12]
    days = [column for column, last in most.items() if 12 < last <= 31]
    return _combined(table, columns, [years, *months, *days]) if len(months) == len(days) == 1 else None


def _combined(table: Table, columns: Sequence[str], parts: Sequence[str]) -> Time | None:
    """Columns with the parts of dates, in the order of the table, if they make a calendar."""
    ds = joined_dates(table, parts)
    share = missing_share(ds) if isinstance(ds, pd.DatetimeIndex) else None
    if share is None or share > MOST_GAPS:
        return None
    in_order = [column for column in columns if column in parts]
    return Time(tuple(in_order), f"time columns: {listed(in_order)} (combined)")


def _counts_from_one(cells: pd.Series) -> bool:
    return bool(pd.api.types.is_integer_dtype(cells) and len(cells) and cells.notna().all() and cells.min() == 1)


def _completed_each(table: Table, bases: Sequence[str], columns: Sequence[str], ids: Sequence[str]) -> list[Time]:
    """Those of some columns with another one that tells their repeated cells apart."""
    times = [_completed(table, Time((column,), ""), ids, columns, ()) for column in bases]
    return [time for time in times if len(time.columns) > 1]


def _parts(table: Table, columns: Sequence[str], dates: Sequence[str], ids: Sequence[str]) -> tuple[str, ...]:
    """The columns of a year, month, day, ...; none where a column of dates is distinct and these are not."""
    lower = {column.lower(): column for column in columns}
    if {"year", "month"} <= set(lower):
        parts = tuple(lower[part] for part in PARTS if part in lower)
        distinct = [column for column in dates if column not in parts and not repeat(table, column, ids)]
        combined = table.frame[[*ids, *parts]]
        return () if distinct and combined.duplicated().any() else parts
    if dates:
        return ()
    named = {part: [column for column in columns if part_named(column) == part] for part in PARTS}
    found = {part: names[0] for part, names in named.items() if len(names) == 1}
    if not {"year", "month"} <= set(found) or as_years(table.frame[found["year"]]) is None:
        return ()
    return tuple(found.values())


def _regular(table: Table, candidates: Sequence[str], ids: Sequence[str]) -> list[str]:
    """The candidates whose dates are distinct within each series and on one calendar."""
    return [column for column in candidates if not repeat(table, column, ids) and _has_calendar(table, column)]


def _has_calendar(table: Table, column: str) -> bool:
    ds = joined_dates(table, [column])
    return ds is not None and infer_frequency(ds.unique().sort_values()) is not None


def _may_be_time(column: pd.Series, name: str) -> bool:
    """Whether a column named as time may be it: t may also be a temperature, whose steps differ."""
    if name.lower() != "t" or not pd.api.types.is_numeric_dtype(column):
        return True
    steps = column.diff().dropna()
    return bool(len(steps) == 0 or (steps == steps.mode().iloc[0]).mean() >= 0.5)


def _numeric_dates(table: Table, columns: Sequence[str], layout: str) -> list[str]:
    """The columns of numbers that are dates; distinct and in order, where every other column is a series."""
    numbers = [column for column in columns if plausible_dates(table.frame[column])]
    return [column for column in numbers if layout != "columns" or _is_axis(table, column, columns)]


def _is_axis(table: Table, column: str, columns: Sequence[str]) -> bool:
    """Whether the cells of a column only rise, or only fall, perhaps with hours or months in another column."""
    cells = table.frame[column]
    if not (cells.is_monotonic_increasing or cells.is_monotonic_decreasing):
        return False
    return cells.is_unique or len(_completed(table, Time((column,), ""), (), columns, ()).columns) > 1


def given_time(columns: str | Sequence[str]) -> Time:
    """The time columns as given."""
    time = (columns,) if isinstance(columns, str) else tuple(columns)
    return Time(time, f"time column: {listed(time)} (as given)")
