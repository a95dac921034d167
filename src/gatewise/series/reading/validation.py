"""Checks and repairs: dates in order, on one calendar, without gaps; values without holes.

Each check looks at all series at once (`Stack`), and takes a closer look at those that do not pass (`Rows`).

Letters: S series.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.panel import ExcludedSeries, Series
from gatewise.series.reading.dates import (
    DataError,
    check_frequency,
    follows,
    grid,
    in_words,
    infer_frequency,
    on_calendar,
    show,
    tick_count,
)
from gatewise.series.reading.rows import FEW, Exclusions, Rows, Stack, moments
from gatewise.series.wording import counted

FILLS = {"interpolate": "by interpolation", "previous": "with the value before", "zero": "with zero"}
FILL_REMEDY = 'pass fill="interpolate", "previous" or "zero" (--fill interpolate)'
LARGEST = 1e100  # values beyond overflow when squared
TRIES = 10  # so many frequencies are tried to find that of most series


# ------------------------------------------------------------------------------------------------------- repairs


@dataclass(frozen=True)
class Repair:
    """What was repaired in one series."""

    kind: str  # "sorted", "left out" or "filled"
    series: str
    count: int = 0
    first: str = ""  # date


def repairs_in_words(repairs: list[Repair], fill: str | None) -> list[str]:
    """A sentence for each repair, or one for all of a kind where they are many."""
    sentences: list[str] = []
    for kind in ("sorted", "left out", "filled"):
        some = [repair for repair in repairs if repair.kind == kind]
        sentences += [_one_repair(repair, fill) for repair in some] if len(some) <= FEW else [_many(some, fill)]
    return sentences


def _one_repair(repair: Repair, fill: str | None) -> str:
    if repair.kind == "sorted":
        return f"sorted by date: {repair.series}"
    if repair.kind == "left out":
        dates, are = ("date", "value is") if repair.count == 1 else (f"{repair.count} dates", "values are")
        return f"left out: the first {dates} of {repair.series}, whose {are} missing"
    return (
        f"filled {FILLS[str(fill)]}: {counted(repair.count, 'value')} of {repair.series}, the first at {repair.first}"
    )


def _many(repairs: list[Repair], fill: str | None) -> str:
    series, count, first = f"{len(repairs)} series", sum(repair.count for repair in repairs), repairs[0]
    if first.kind == "sorted":
        return f"sorted by date: {series}, the first {first.series}"
    if first.kind == "left out":
        return (
            f"left out: the first dates of {series}, {count} in all, whose values are missing; first of {first.series}"
        )
    return f"filled {FILLS[str(fill)]}: {count} values of {series}, the first of {first.series} at {first.first}"


# --------------------------------------------------------------------------------------------------------- order


def in_order(stack: Stack, sort: bool, aside: Exclusions, repairs: list[Repair]) -> Stack:
    """The rows by date; duplicates are refused, and so is another order unless `sort` is asked for."""
    late = ~stack.every(_rising(stack.ds))
    if not late.any():
        return stack
    ordered = stack.by_date() if sort else stack
    single = ordered.every(_rising(ordered.ds))
    for s in np.flatnonzero(late).tolist():
        if single[s]:
            repairs.append(Repair("sorted", str(stack.rows(s))))
        else:
            aside.attempt(s, partial(_refuse_disorder, stack.rows(s)))
    return ordered


def _rising(ds: pd.Index) -> np.ndarray:
    time = moments(ds)
    return np.asarray(time[1:] > time[:-1])


def _refuse_disorder(one: Rows) -> None:
    _refuse_duplicates(one)
    raise DataError(_out_of_order(one))


def _refuse_duplicates(one: Rows) -> None:
    repeats = np.flatnonzero(one.ds.duplicated())
    if len(repeats):
        more = "" if len(repeats) == 1 else f" ({len(repeats)} rows repeat a date)"
        raise DataError(
            f"{one.where(repeats[0])}: {show(one.ds[repeats[0]])} is there already{more}; leave out or average what is "
            "there twice; if the table holds several series, name the column that tells them apart as id_column= (--id)"
            f"{_clock_put_back(one.ds[repeats[0]])}"
        )


def _clock_put_back(date: Any) -> str:
    """A remedy for an hour of the night on which summer time ends, a Sunday; nothing for other dates."""
    local = isinstance(date, pd.Timestamp) and date.tz is None
    if not local or date.day_name() != "Sunday" or date.hour not in (1, 2):
        return ""
    return f"; if the clocks were put back then, write every date with its UTC offset, such as {show(date)}+01:00"


def _out_of_order(one: Rows) -> str:
    later = int(np.argmax(one.ds[1:] < one.ds[:-1])) + 1
    return (
        f"{one.where(later)}: {show(one.ds[later])} comes after {show(one.ds[later - 1])}; "
        "sort the table, or pass sort=True (--sort)"
    )


# ------------------------------------------------------------------------------------------------------ calendar


def frequency_of(
    stack: Stack, given: str | int | None, of_index: str | None, aside: Exclusions, guesses: list[str]
) -> str | int:
    """The calendar of the dates, inferred unless it is known.

    It is that of the longest series; where series with errors are put aside, that of most rows.
    """
    good = aside.good(len(stack.names))
    longest = stack.rows(int(np.where(good, stack.lengths, -1).argmax()))
    known = of_index if given is None else given
    if known is not None:
        freq = check_frequency(known, longest.ds)
        how = "from the index" if given is None else "as given"
        guesses.append(f"frequency: {in_words(freq)}, {how}")
        return freq
    model = longest if aside.on_bad == "raise" else _typical(stack, good) or longest
    inferred = infer_frequency(model.ds)
    if inferred is None:
        raise DataError(_no_frequency(model))
    guesses.append(f"frequency: {in_words(inferred)}, inferred from {counted(len(model.ds), 'date')}")
    return inferred


def _typical(stack: Stack, good: np.ndarray) -> Rows | None:
    """The series whose calendar most rows of all good series follow."""
    series = np.repeat(np.arange(len(stack.names)), stack.lengths)[:-1]
    inside = stack.inside() & good[series]
    steps, left, followed = np.diff(moments(stack.ds)), inside.copy(), {}
    for _ in range(TRIES):
        if not left.any():
            break
        usual = pd.Series(steps[left]).value_counts().idxmax()
        candidates = np.unique(series[left & (steps == usual)])
        s = int(candidates[stack.lengths[candidates].argmax()])
        freq = infer_frequency(stack.rows(s).ds)
        stepping = inside & (follows(stack.ds, freq) if freq is not None else False)
        followed[s] = int(stepping.sum()) if freq is not None else -1
        left &= ~stepping & (series != s)
    best = max(followed, key=lambda s: followed[s], default=None)
    return None if best is None or followed[best] < 0 else stack.rows(best)


def _no_frequency(one: Rows) -> str:
    if len(one.ds) < 3:
        return f"{one} has {counted(len(one.ds), 'date')}, 3 or more show a frequency; pass it as freq= (--freq MS)"
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
    stray = np.flatnonzero(~np.isin(moments(one.ds), moments(calendar)))
    if len(stray):
        raise DataError(
            f"{one.where(stray[0])}: {show(one.ds[stray[0]])} is not on the calendar {in_words(freq)}; "
            "correct the date or pass another freq= (--freq)"
        )
    return calendar


def _span(ds: pd.Index) -> str:
    return f"{show(ds[0])} to {show(ds[-1])}"


# -------------------------------------------------------------------------------------------------------- values


def checked(
    stack: Stack, freq: str | int, fill: str | None, aside: Exclusions, repairs: list[Repair]
) -> tuple[Series, ...]:
    """The series that have no error, each on its whole calendar."""
    good = aside.good(len(stack.names))
    regular = _regular(stack, freq)
    whole = stack.every(np.abs(stack.y) <= LARGEST)  # a missing value is not: it needs a closer look
    shared: dict[tuple[int, int], pd.Index] = {}
    first = moments(stack.ds)[np.minimum(stack.bounds[:-1], len(stack.ds) - 1)].tolist()
    bounds, series = stack.bounds.tolist(), []
    for s in np.flatnonzero(good).tolist():
        span = slice(bounds[s], bounds[s + 1])
        if regular[s] and whole[s]:
            key = (first[s], bounds[s + 1] - bounds[s])
            if key not in shared:  # equal dates are kept once
                shared[key] = stack.ds[span].copy(deep=True)
            series.append(Series(stack.names[s], shared[key], stack.y[span]))
            continue
        one = aside.attempt(s, partial(_check_one, stack.rows(s), bool(regular[s]), freq, fill, repairs))
        series += [one] if one is not None else []
    aside.good(len(stack.names))
    return tuple(series)


def _regular(stack: Stack, freq: str | int) -> np.ndarray:
    """Which series run on the calendar without gaps: (S,) booleans."""
    starts = stack.ds[np.minimum(stack.bounds[:-1], len(stack.ds) - 1)]
    return np.asarray(stack.every(follows(stack.ds, freq)) & on_calendar(starts, freq))


def _check_one(one: Rows, regular: bool, freq: str | int, fill: str | None, repairs: list[Repair]) -> Series:
    calendar = one.ds if regular else check_dates(one, freq)
    return check_values(one, calendar, fill, repairs)


def check_values(one: Rows, calendar: pd.Index, fill: str | None, repairs: list[Repair]) -> Series:
    """The series on its whole calendar; missing dates and values are filled if asked, and errors if not."""
    missing = np.flatnonzero(np.isnan(one.y))
    if len(missing) == len(one.y):
        raise DataError(f"{one} has no values at all; check the target column (--target COL)")
    _refuse_large(one)
    if len(calendar) == len(one.ds) and not len(missing):
        return Series(one.unique_id, one.ds, one.y)
    if fill is not None:
        return _filled(one, calendar, fill, repairs)
    if len(calendar) > len(one.ds):
        raise DataError(_gaps(one, calendar))
    raise DataError(
        f"{one.where(missing[0])}: the value at {show(one.ds[missing[0]])} is missing "
        f"({len(missing)} of {len(one.y)} are); {FILL_REMEDY}"
    )


def _refuse_large(one: Rows) -> None:
    sizes = np.nan_to_num(np.abs(one.y))
    worst = int(sizes.argmax())
    if sizes[worst] > LARGEST:
        raise DataError(
            f"{one}, {one.ds[worst]}: {one.y[worst]:g} is too large, expected at most {LARGEST:g} either way; "
            "use a larger unit"
        )


def _gaps(one: Rows, calendar: pd.Index) -> str:
    gone = calendar[~calendar.isin(one.ds)]
    before = one.table.row(int(one.positions[one.ds.searchsorted(gone[0]) - 1]))
    dates = ", ".join(show(date) for date in gone[:3]) + (", ..." if len(gone) > 3 else "")
    count = "1 date is" if len(gone) == 1 else f"{len(gone)} dates are"
    return f"{one}: {count} missing from {_span(one.ds)}: {dates} (the first after {before}); {FILL_REMEDY}"


def _filled(one: Rows, calendar: pd.Index, fill: str, repairs: list[Repair]) -> Series:
    y = np.full(len(calendar), np.nan)
    y[np.searchsorted(moments(calendar), moments(one.ds))] = one.y
    known = np.flatnonzero(~np.isnan(y))
    if fill == "interpolate" and known[-1] < len(y) - 1:
        raise DataError(
            f"{one}: nothing to interpolate to after {show(calendar[known[-1]])}, the last value known; "
            'leave the rows after it out, or pass fill="previous" (--fill previous)'
        )
    start = 0 if fill == "zero" else int(known[0])
    if start:
        repairs.append(Repair("left out", str(one), start))
    ds, y = calendar[start:], y[start:]
    gone = np.isnan(y)
    if not gone.any():
        return Series(one.unique_id, ds, y)
    repairs.append(Repair("filled", str(one), int(gone.sum()), show(ds[gone.argmax()])))
    return Series(one.unique_id, ds, _without_holes(ds, y, fill), gone)


def _without_holes(ds: pd.Index, y: np.ndarray, fill: str) -> np.ndarray:
    gone, known = np.flatnonzero(np.isnan(y)), np.flatnonzero(~np.isnan(y))
    if fill == "zero":
        y[gone] = 0.0
    elif fill == "previous":
        y[gone] = y[known[np.searchsorted(known, gone) - 1]]
    else:
        time = moments(ds)
        y[gone] = np.interp(time[gone], time[known], y[known])
    return y


# ----------------------------------------------------------------------------------------------------- put aside


def refused(stack: Stack, freq: str | int, aside: Exclusions) -> tuple[ExcludedSeries, ...]:
    """The series with errors, in order of appearance, mended for a naive forecast if that is asked for."""
    naive = aside.on_bad == "naive"
    return tuple(
        ExcludedSeries(stack.names[s], aside.reasons[s], _mended(stack.rows(s), freq) if naive else None)
        for s in sorted(aside.reasons)
    )


def _mended(one: Rows, freq: str | int) -> Series | None:
    """What a naive forecast can go by: the last value known at each date of the calendar; None if there is none.

    Rows are put in order, the last of duplicates is kept, and what is no finite value counts as missing.
    """
    known = pd.Series(np.where(np.abs(one.y) <= LARGEST, one.y, np.nan), index=one.ds).dropna()
    known = known[~known.index.duplicated(keep="last")].sort_index()
    if known.empty:
        return None
    span = known.index[:1].append(one.ds[[int(one.ds.argmax())]])
    if tick_count(span, freq) > 100 * len(one.ds) + 1000:  # a stray date makes it so long
        return Series(one.unique_id, known.index[-1:], known.to_numpy()[-1:])
    calendar = grid(span, freq)
    if not len(calendar):
        return None
    y = known.reindex(calendar, method="ffill").to_numpy(np.float64)
    invented = ~calendar.isin(known.index)
    return Series(one.unique_id, calendar, y, invented if invented.any() else None)
