"""Validation: the order of dates, their calendar, gaps and missing values; repairs on request.

Each check looks at all series at once (`Stack`) and then at each series that fails it (`Rows`).

Letters: S series.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.frequency import (
    LONGEST_SPAN,
    as_integers,
    describe_frequency,
    follows,
    grid,
    most_steps,
    on_calendar,
    tick_count,
)
from gatewise.series.gaps import carried
from gatewise.series.panel import Series
from gatewise.series.reading.calendars.filling import Fill, own_remedy
from gatewise.series.reading.calendars.fiscal_years import refuse_fiscal_years
from gatewise.series.reading.calendars.series_calendars import own_calendar
from gatewise.series.reading.calendars.strays import describe_stray
from gatewise.series.reading.calendars.swapped import describe_swapped
from gatewise.series.reading.columns.duplicates import duplicates_remedy, naming
from gatewise.series.reading.dates.daylight_saving import skipped_hour
from gatewise.series.reading.exclusion import Exclusions, Reason
from gatewise.series.reading.rows import Rows, Stack
from gatewise.series.values import FILL_LIMIT, FILLS, LARGEST, NO_FILL
from gatewise.series.wording import FEW, counted, format_date, listed_dates

FILL_REMEDY = 'pass fill="interpolate", "previous" or "zero" (--fill interpolate), or "none" to keep gaps (--fill none)'
MASKED = "stay missing, and the network reads a mask"
KINDS = ("sorted", "left out", "filled", "missing")


# ------------------------------------------------------------------------------------------------------- repairs


@dataclass(frozen=True)
class Repair:
    """A repair of one series."""

    kind: str  # one of `KINDS`
    series: str
    count: int = 0
    first: str = ""  # date


def describe_repairs(repairs: Sequence[Repair], fill: str | None) -> tuple[str, ...]:
    """A sentence for each repair, or one sentence for each kind that has many repairs."""
    kinds = ([repair for repair in repairs if repair.kind == kind] for kind in KINDS)
    return tuple(sentence for kind in kinds for sentence in _sentences(kind, fill))


def _sentences(repairs: list[Repair], fill: str | None) -> list[str]:
    return [_describe(repair, fill) for repair in repairs] if len(repairs) <= FEW else [_summarize(repairs, fill)]


def _describe(repair: Repair, fill: str | None) -> str:
    if repair.kind == "sorted":
        return f"sorted by date: {repair.series}"
    if repair.kind == "left out":
        dates, values = ("date", "a value") if repair.count == 1 else (f"{repair.count} dates", "values")
        return f"left out: the first {dates} of {repair.series}, without {values}"
    values = f"{counted(repair.count, 'value')} of {repair.series}"
    if repair.kind == "missing":
        return f"missing: {values}, the first at {repair.first}; they {MASKED}"
    return f"filled {FILLS[str(fill)]}: {values}, the first at {repair.first}"


def _summarize(repairs: list[Repair], fill: str | None) -> str:
    series, count, first = f"{len(repairs)} series", sum(repair.count for repair in repairs), repairs[0]
    if first.kind == "sorted":
        return f"sorted by date: {series}, starting with {first.series}"
    if first.kind == "left out":
        return f"left out: {count} dates without values at the start of {series}, the first in {first.series}"
    values = f"{count} values of {series}, the first in {first.series} at {first.first}"
    return f"missing: {values}; they {MASKED}" if first.kind == "missing" else f"filled {FILLS[str(fill)]}: {values}"


# --------------------------------------------------------------------------------------------------------- order


class Ordered(NamedTuple):
    """The rows of all series by date, the repairs of sorted series, and the exclusions."""

    stack: Stack
    repairs: tuple[Repair, ...]
    exclusions: Exclusions


def in_order(stack: Stack, sort: bool, exclusions: Exclusions) -> Ordered:
    """The rows by date; duplicate dates are refused, and so are unsorted dates unless `sort` is true.

    Raises:
        DataError: the rows are in the order of fiscal years, which sorting would destroy.
    """
    late = ~stack.every(_rising(stack.ds))
    if not late.any():
        return Ordered(stack, (), exclusions)
    some = [stack.rows(s) for s in np.flatnonzero(late)[:FEW].tolist()]  # series of a table are alike
    refuse_fiscal_years(some)
    for rows in some:
        if swapped := describe_swapped(rows):
            raise DataError(swapped)
    ordered = stack.by_date() if sort else stack
    single = ordered.every(_rising(ordered.ds))
    repairs = tuple(Repair("sorted", str(stack.rows(s))) for s in np.flatnonzero(late & single).tolist())
    reasons: dict[int, str] = {}
    for s in np.flatnonzero(late & ~single).tolist():
        reason = exclusions.attempt(partial(_refuse_disorder, stack.rows(s)))
        if isinstance(reason, Reason):
            reasons[s] = reason
    return Ordered(ordered, repairs, exclusions.with_reasons(reasons))


def _rising(ds: pd.Index) -> np.ndarray:
    time = as_integers(ds)
    return np.asarray(time[1:] > time[:-1])


def _refuse_disorder(rows: Rows) -> None:
    _refuse_duplicates(rows)
    raise DataError(describe_stray(rows) or _out_of_order(rows))


def _refuse_duplicates(rows: Rows) -> None:
    repeats = np.flatnonzero(rows.ds.duplicated())
    if len(repeats):
        more = "" if len(repeats) == 1 else f" ({len(repeats)} rows repeat a date)"
        raise DataError(
            f"{rows.where(repeats[0])}: duplicate date {format_date(rows.ds[repeats[0]])}{more}; "
            f"{duplicates_remedy(rows)}"
        )


def _out_of_order(rows: Rows) -> str:
    later = int(np.argmax(rows.ds[1:] < rows.ds[:-1])) + 1
    named = " or ".join(naming(rows, in_order=True))
    remedy = f"if the table holds several series, pass {named}; else " if named else ""
    return (
        f"{rows.where(later)}: {format_date(rows.ds[later])} comes after {format_date(rows.ds[later - 1])}; "
        f"{remedy}sort the table, or pass sort=True (--sort)"
    )


def check_dates(rows: Rows, freq: str | int, alone: bool) -> pd.Index:
    """Every date of the calendar from the first to the last; dates off the calendar are errors.

    Arguments:
        rows: one series.
        freq: the calendar.
        alone: whether the table has no other series.
    """
    steps = tick_count(rows.ds, freq)
    if steps > most_steps(len(rows.ds)) or _years(rows.ds) > LONGEST_SPAN:
        raise DataError(
            describe_stray(rows)
            or f"{rows}: freq={freq!r} makes {steps} steps from {format_date(rows.ds[0])} to "
            f"{format_date(rows.ds[-1])}, but there are {len(rows.ds)} rows; pass a longer step as freq= (--freq)"
        )
    calendar = grid(rows.ds, freq)
    off = np.flatnonzero(~np.isin(as_integers(rows.ds), as_integers(calendar)))
    if len(off):
        own = own_calendar(rows, freq)
        remedy = "correct the date or pass another freq= (--freq)" if own is None else own_remedy(rows, own, alone)
        raise DataError(
            describe_stray(rows)
            or f"{rows.where(off[0])}: {format_date(rows.ds[off[0]])} is not on the calendar "
            f"{describe_frequency(freq)}; {remedy}"
        )
    return calendar


def _years(ds: pd.Index) -> int:
    return int(ds[-1].year - ds[0].year) if isinstance(ds, pd.DatetimeIndex) else 0


# -------------------------------------------------------------------------------------------------------- values


class Validated(NamedTuple):
    """The series without an error, their repairs, and the exclusions."""

    series: tuple[Series, ...]
    repairs: tuple[Repair, ...]
    exclusions: Exclusions


class Checked(NamedTuple):
    """One series on its whole calendar, and its repairs."""

    series: Series
    repairs: tuple[Repair, ...] = ()


def validate(
    stack: Stack, freq: str | int, fill: str | None, exclusions: Exclusions, fill_limit: float = FILL_LIMIT
) -> Validated:
    """The series without an error, each on its whole calendar."""
    eligible = exclusions.eligible(len(stack.names))
    regular = _regular(stack, freq)
    whole = stack.every(np.abs(stack.y) <= LARGEST)  # False where a value is missing
    treatment = Fill.of(stack, freq, None if (regular & whole).all() else fill, fill_limit)
    shared: dict[tuple[int, int], pd.Index] = {}
    first = as_integers(stack.ds)[np.minimum(stack.bounds[:-1], len(stack.ds) - 1)].tolist()
    bounds, series, repairs, reasons = stack.bounds.tolist(), list[Series](), list[Repair](), dict[int, str]()
    for s in np.flatnonzero(eligible).tolist():
        span = slice(bounds[s], bounds[s + 1])
        if regular[s] and whole[s]:
            key = (first[s], bounds[s + 1] - bounds[s])
            if key not in shared:  # series with equal dates share one index
                shared[key] = stack.ds[span].copy(deep=True)
            series.append(Series(stack.names[s], shared[key], stack.y[span]))
            continue
        outcome = exclusions.attempt(partial(_check_rows, stack.rows(s), bool(regular[s]), treatment))
        if isinstance(outcome, Reason):
            reasons[s] = outcome
        else:
            series.append(outcome.series)
            repairs.extend(outcome.repairs)
    exclusions = exclusions.with_reasons(reasons)
    exclusions.eligible(len(stack.names))
    return Validated(tuple(series), tuple(repairs), exclusions)


def _regular(stack: Stack, freq: str | int) -> np.ndarray:
    """(S,) whether each series is on the calendar without gaps."""
    starts = stack.ds[np.minimum(stack.bounds[:-1], len(stack.ds) - 1)]
    return np.asarray(stack.every(follows(stack.ds, freq)) & on_calendar(starts, freq))


def _empty_remedy(rows: Rows) -> str:
    """What to do about a series without any value."""
    columns = rows.table.columns
    if columns is None or columns.id is None:
        return "check the target column (--target COL)"
    is_row = columns.wide or not columns.time
    check = "remove its row" if is_row else "check the target column (--target COL)"
    return f'{check}, or pass on_bad="skip" (--on-bad skip) to leave the series out'


def _check_rows(rows: Rows, regular: bool, fill: Fill) -> Checked:
    calendar = rows.ds if regular else check_dates(rows, fill.freq, fill.alone)
    return check_values(rows, calendar, fill)


def check_values(rows: Rows, calendar: pd.Index, fill: Fill) -> Checked:
    """The series on its whole calendar; missing dates and values are filled if `fill` says how, else refused."""
    missing = np.flatnonzero(np.isnan(rows.y))
    if len(missing) == len(rows.y):
        raise DataError(f"{rows} has no values at all; {_empty_remedy(rows)}")
    _refuse_large(rows)
    if len(calendar) == len(rows.ds) and not len(missing):
        return Checked(Series(rows.unique_id, rows.ds, rows.y))
    if fill.by is not None:
        return _filled(rows, calendar, fill)
    few = len(calendar) - len(rows.ds) + len(missing) <= fill.limit * len(calendar)
    remedy = FILL_REMEDY if few else fill.cause(rows)
    if len(calendar) > len(rows.ds):
        raise DataError((not few and describe_stray(rows)) or f"{_gaps(rows, calendar)}; {remedy}")
    raise DataError(
        f"{rows.where(missing[0])}: the value at {format_date(rows.ds[missing[0]])} is missing "
        f"({len(missing)} of {len(rows.y)} values); {remedy}"
    )


def _refuse_large(rows: Rows) -> None:
    sizes = np.nan_to_num(np.abs(rows.y))
    worst = int(sizes.argmax())
    if sizes[worst] > LARGEST:
        raise DataError(
            f"{rows}, {rows.ds[worst]}: {rows.y[worst]:g} is too large, expected at most {LARGEST:g} in magnitude; "
            "use a larger unit"
        )


def _gaps(rows: Rows, calendar: pd.Index) -> str:
    absent = calendar[~calendar.isin(rows.ds)]
    before = rows.table.row(int(rows.positions[rows.ds.searchsorted(absent[0]) - 1]))
    count = "1 date is" if len(absent) == 1 else f"{len(absent)} dates are"
    return (
        f"{rows}: {count} missing between {format_date(rows.ds[0])} and {format_date(rows.ds[-1])}: "
        f"{listed_dates(absent)} (the first after {before}){skipped_hour(absent, calendar)}"
    )


def _filled(rows: Rows, calendar: pd.Index, treatment: Fill) -> Checked:
    fill = str(treatment.by)
    y = np.full(len(calendar), np.nan)
    y[np.searchsorted(as_integers(calendar), as_integers(rows.ds))] = rows.y
    known = np.flatnonzero(~np.isnan(y))
    if fill == "interpolate" and known[-1] < len(y) - 1:
        raise DataError(
            f"{rows}: cannot interpolate after {format_date(calendar[known[-1]])}, the last known value; "
            'remove the rows after it, or pass fill="previous" (--fill previous)'
        )
    start = 0 if fill == "zero" else int(known[0])
    left_out = (Repair("left out", str(rows), start),) if start else ()
    ds, y = calendar[start:], y[start:]
    absent = np.isnan(y)
    if not absent.any():
        return Checked(Series(rows.unique_id, ds, y), left_out)
    masked = fill == NO_FILL
    if not masked:
        treatment.check(rows, absent)
    repair = Repair("missing" if masked else "filled", str(rows), int(absent.sum()), format_date(ds[absent.argmax()]))
    series = Series(rows.unique_id, ds, _without_gaps(ds, y, absent, fill), absent, masked=masked)
    return Checked(series, (*left_out, repair))


def _without_gaps(ds: pd.Index, y: np.ndarray, absent: np.ndarray, fill: str) -> np.ndarray:
    if fill == "zero":
        return np.where(absent, 0.0, y)
    if fill != "interpolate":
        return carried(y, absent)
    time = as_integers(ds)
    y[absent] = np.interp(time[absent], time[~absent], y[~absent])
    return y
