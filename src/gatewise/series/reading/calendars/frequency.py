"""Frequency: the calendar that the series of a table share, given or inferred.

Letters: S series.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.frequency import (
    as_integers,
    check_frequency,
    coarser_frequency,
    describe_frequency,
    follows,
    infer_frequency,
    is_regular,
)
from gatewise.series.reading.calendars.filling import fill_limit_remedy
from gatewise.series.reading.calendars.series_calendars import (
    SHORTEST,
    Calendars,
    different_calendars,
    other_calendar,
    without_other_dates,
)
from gatewise.series.reading.calendars.sessions import describe_sessions
from gatewise.series.reading.calendars.strays import describe_stray
from gatewise.series.reading.columns.duplicates import naming
from gatewise.series.reading.exclusion import Exclusions
from gatewise.series.reading.rows import Rows, Stack
from gatewise.series.values import FILLS, NO_FILL
from gatewise.series.wording import counted, format_date

MAX_CANDIDATES = 10  # in the search for the series that most rows agree with
CERTAIN = 6  # values that show the calendar of a column with blank cells between them


class Chosen(NamedTuple):
    """The frequency, the rows on the calendar, the exclusions of series on other calendars, and the guesses."""

    freq: str | int
    stack: Stack
    exclusions: Exclusions
    guesses: tuple[str, ...]


def choose_frequency(
    stack: Stack,
    given: str | int | None,
    index_frequency: str | None,
    exclusions: Exclusions,
    fill: str | None,
    fill_limit: float,
) -> Chosen:
    """The frequency as given, of the index, or inferred from the dates; and the rows of the series on this calendar.

    It is inferred from the longest series, or, if series with errors are excluded, from the one most rows agree with.

    Raises:
        DataError: no frequency fits; `DifferentCalendars`: several do, and `fill` does not join them.
    """
    eligible = exclusions.eligible(len(stack.names))
    longest = stack.rows(int(np.where(eligible, stack.lengths, -1).argmax()))
    if given is not None:
        freq = check_frequency(given, longest.ds)
        return _trimmed(stack, freq, exclusions, eligible, f"frequency: {describe_frequency(freq)}, as given")
    if index_frequency is not None:
        freq = check_frequency(index_frequency, longest.ds)
        if is_regular(longest.ds, freq):  # not that of an offset with its own hours or holidays
            return Chosen(freq, stack, exclusions, (f"frequency: {describe_frequency(freq)}, from the index",))
    source = longest if exclusions.on_bad == "raise" else _typical(stack, eligible) or longest
    inferred = infer_frequency(source.ds)
    if inferred is not None:
        chosen = Chosen(inferred, stack, exclusions, (_inferred(inferred, len(source.ds)),))
    else:
        chosen = _from_values(stack, exclusions, eligible, source)
    return chosen if isinstance(chosen.freq, int) else _on_own_calendars(chosen, eligible, fill, fill_limit)


def _from_values(stack: Stack, exclusions: Exclusions, eligible: np.ndarray, source: Rows) -> Chosen:
    """The frequency of the dates with values, such as months in a table joined with weeks."""
    valued = stack.only(~np.isnan(stack.y))
    longest = valued.rows(int(np.where(eligible, valued.lengths, -1).argmax()))
    freq = None if len(valued.ds) == len(stack.ds) else infer_frequency(longest.ds)
    if freq is None:
        raise DataError(_no_frequency(source))
    return _trimmed(stack, freq, exclusions, eligible, _inferred(freq, len(longest.ds)))


def _trimmed(stack: Stack, freq: str | int, exclusions: Exclusions, eligible: np.ndarray, guess: str) -> Chosen:
    """The frequency, and the rows without blank cells off its calendar."""
    if isinstance(freq, int):
        return Chosen(freq, stack, exclusions, (guess,))
    trimmed = without_other_dates(stack, dict.fromkeys(np.flatnonzero(eligible).tolist(), freq))
    return Chosen(freq, trimmed.stack, exclusions, (guess, *trimmed.guesses))


def _inferred(freq: str | int, dates: int) -> str:
    return f"frequency: {describe_frequency(freq)}, inferred from {counted(dates, 'date')}"


def _on_own_calendars(chosen: Chosen, eligible: np.ndarray, fill: str | None, fill_limit: float) -> Chosen:
    """Refuse or exclude series on other calendars; without `fill`, blank cells between their dates are left out."""
    stack, freq, blank = chosen.stack, chosen.freq, np.isnan(chosen.stack.y)
    valued = stack.only(~blank) if blank.any() else stack
    calendars = Calendars.find(valued, freq, eligible)
    told = valued.lengths >= SHORTEST
    other = (calendars.of > 0) & told
    if not other.any() or int((eligible & told & (calendars.of < 0)).sum()) > int(other.sum()):
        return chosen  # dates such as those of rare sales are on many calendars by chance
    missing = calendars.missing(valued)
    if fill is not None:
        other &= ~calendars.fits[0].on | ((missing > fill_limit) & (fill != NO_FILL))
    if len(set(calendars.of[eligible & told].tolist()) - {-1}) == 1:
        return _sparse(chosen, calendars, valued, other) if fill is None else chosen
    numbers = np.flatnonzero(other).tolist()
    if not numbers:
        return chosen
    if chosen.exclusions.on_bad == "raise":
        invented = _invented(valued, calendars, missing, other) if fill in FILLS else ""
        raise different_calendars(valued, calendars, eligible, invented)
    reasons = {s: other_calendar(stack.rows(s), calendars.freqs[calendars.of[s]], freq) for s in numbers}
    return chosen._replace(exclusions=chosen.exclusions.with_reasons(reasons))


def _sparse(chosen: Chosen, calendars: Calendars, valued: Stack, other: np.ndarray) -> Chosen:
    """All values are on one calendar with longer steps than the dates, such as monthly values in a table of days."""
    longest = int(np.where(other, valued.lengths, -1).argmax())
    if valued.lengths[longest] < CERTAIN:
        return chosen
    freq = calendars.freqs[calendars.of[longest]]
    trimmed = without_other_dates(chosen.stack, dict.fromkeys(np.flatnonzero(calendars.of >= 0).tolist(), freq))
    guesses = (_inferred(freq, int(valued.lengths[longest])), *trimmed.guesses)
    return chosen._replace(freq=freq, stack=trimmed.stack, guesses=guesses)


def _invented(valued: Stack, calendars: Calendars, missing: np.ndarray, other: np.ndarray) -> str:
    """How many values `fill` would invent, and the option that allows it."""
    on = calendars.fits[0].on & other
    if not on.any():
        return ""
    s = int(np.where(on, missing, -1).argmax())
    steps, rows = int(calendars.fits[0].steps[s]), valued.rows(s)
    allowed = f" (to fill anyway: {fill_limit_remedy(missing[s])})" if on.sum() == other.sum() else ""
    return f"; fill would invent {steps - len(rows.y)} of {steps} values of {rows}{allowed}"


def _typical(stack: Stack, eligible: np.ndarray) -> Rows | None:
    """The series whose calendar most rows of all eligible series follow."""
    series = np.repeat(np.arange(len(stack.names)), stack.lengths)[:-1]
    inside = stack.inside() & eligible[series]
    steps, remaining, followed = np.diff(as_integers(stack.ds)), inside.copy(), {}
    for _ in range(MAX_CANDIDATES):
        if not remaining.any():
            break
        usual = pd.Series(steps[remaining]).value_counts().idxmax()
        candidates = np.unique(series[remaining & (steps == usual)])
        s = int(candidates[stack.lengths[candidates].argmax()])
        freq = infer_frequency(stack.rows(s).ds)
        stepping = inside & (follows(stack.ds, freq) if freq is not None else False)
        followed[s] = int(stepping.sum()) if freq is not None else -1
        remaining &= ~stepping & (series != s)
    best = max(followed, key=lambda s: followed[s], default=None)
    return None if best is None or followed[best] < 0 else stack.rows(best)


def _no_frequency(rows: Rows) -> str:
    if len(rows.ds) < 3:
        dates = counted(len(rows.ds), "date")
        return f"{rows} has {dates}, expected 3 or more to infer the frequency; pass freq= (--freq MS)"
    stray, sessions = describe_stray(rows), describe_sessions(rows)
    if stray or sessions:
        return stray or f"{rows}: {sessions}"
    if len(rows.ds.day.unique()) == 1 and rows.ds.normalize().is_unique:
        day = rows.ds.day[0]
        if day == 1 or rows.ds.is_month_end.all():
            freq = "MS" if day == 1 else "ME"
            return (
                f"{rows}: the dates, all on day {day} of a month, are too sparse to infer the frequency; "
                f"pass freq= (--freq {freq})"
            )
        return (
            f"{rows}: every date is on day {day} of a month, expected the first or the last; change them to the first "
            '(pandas: dates.dt.to_period("M").dt.to_timestamp())'
        )
    steps = pd.Series(np.diff(rows.ds))
    usual = steps.mode()[0]
    odd = int((steps != usual).argmax()) + 1
    named = " or ".join(naming(rows))
    several = f"if the table holds several series, pass {named}; else " if named else ""
    coarser = coarser_frequency(rows.ds)
    how = f"sum or average the values by {describe_frequency(coarser)}" if coarser else "resample them"
    call = f'"{coarser}"' if coarser else ""
    return (
        f"{rows.where(odd)}: the dates are irregular: the most common step is {format_date(usual)}, but "
        f"{format_date(rows.ds[odd])} comes {format_date(steps[odd - 1])} after {format_date(rows.ds[odd - 1])}; "
        f"{several}{how} (pandas: table.resample({call})){_local_days(rows.ds)}"
    )


def _local_days(ds: pd.Index) -> str:
    """A remedy for local midnights, which are irregular in UTC when daylight-saving time changes."""
    if str(getattr(ds, "tz", None)) != "UTC":
        return ""
    return '; if these are local days, convert them to their time zone (dates.dt.tz_convert("Europe/Berlin"))'
