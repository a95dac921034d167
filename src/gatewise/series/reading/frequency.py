"""Frequency: the calendar that the series of a table share, given or inferred.

Letters: S series.
"""

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.frequency import as_integers, check_frequency, describe_frequency, follows, infer_frequency
from gatewise.series.reading.exclusion import Exclusions
from gatewise.series.reading.rows import Rows, Stack
from gatewise.series.wording import counted, format_date

MAX_CANDIDATES = 10  # in the search for the series that most rows agree with


def choose_frequency(
    stack: Stack, given: str | int | None, index_frequency: str | None, exclusions: Exclusions
) -> tuple[str | int, str]:
    """The frequency as given, of the index, or inferred from the dates; and the guess that states it.

    It is inferred from the longest series, or, if series with errors are excluded, from the one most rows agree with.
    """
    eligible = exclusions.eligible(len(stack.names))
    longest = stack.rows(int(np.where(eligible, stack.lengths, -1).argmax()))
    known = index_frequency if given is None else given
    if known is not None:
        freq = check_frequency(known, longest.ds)
        return freq, f"frequency: {describe_frequency(freq)}, {'from the index' if given is None else 'as given'}"
    source = longest if exclusions.on_bad == "raise" else _typical(stack, eligible) or longest
    inferred = infer_frequency(source.ds)
    if inferred is None:
        raise DataError(_no_frequency(source))
    return inferred, f"frequency: {describe_frequency(inferred)}, inferred from {counted(len(source.ds), 'date')}"


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
    if len(rows.ds.day.unique()) == 1:
        day = rows.ds.day[0]
        if day == 1 or rows.ds.is_month_end.all():
            freq = "MS" if day == 1 else "ME"
            return (
                f"{rows}: the dates, all on day {day} of a month, are too sparse to infer the frequency; "
                f"pass freq= (--freq {freq})"
            )
        return f"{rows}: every date is on day {day} of a month, expected the first or the last; change the dates"
    steps = pd.Series(np.diff(rows.ds))
    usual = steps.mode()[0]
    odd = int((steps != usual).argmax()) + 1
    return (
        f"{rows.where(odd)}: the dates are irregular: the most common step is {format_date(usual)}, but "
        f"{format_date(rows.ds[odd])} comes {format_date(steps[odd - 1])} after {format_date(rows.ds[odd - 1])}; "
        f"resample them (pandas: table.resample), or pass their frequency as freq= (--freq D){_local_days(rows.ds)}"
    )


def _local_days(ds: pd.Index) -> str:
    """A remedy for local midnights, which are irregular in UTC when daylight-saving time changes."""
    if str(getattr(ds, "tz", None)) != "UTC":
        return ""
    return '; if these are local days, convert them to their time zone (dates.dt.tz_convert("Europe/Berlin"))'
