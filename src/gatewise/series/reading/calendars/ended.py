"""Ended series: series that end long before most of the others, such as the sales of a closed shop.

Letters: S series.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gatewise.series.frequency import longer_season_length, season_length, steps_and_phases
from gatewise.series.panel import Series
from gatewise.series.reading.calendars.validation import Validated
from gatewise.series.reading.exclusion import LeftOut
from gatewise.series.wording import and_more, format_date

LATE = 3  # months, weeks or longer steps by which a series may end before the others
LATE_INTEGERS = 12  # the same in steps of integer time
LATE_SEASONS = 2  # the same in seasons, for shorter steps: two weeks of days, two days of hours
NAMED = 5  # series in a message


def ended(series: Sequence[Series], freq: str | int) -> np.ndarray:
    """(S,) which series end long before the date at which at least half of the series end.

    >>> months = pd.date_range("2024-01-01", periods=20, freq="MS")
    >>> shops = [Series(name, months[:length], np.ones(length)) for name, length in (("a", 20), ("b", 12), ("c", 19))]
    >>> ended(shops, "MS").tolist()
    [False, True, False]
    """
    indexes = {id(one_series.ds): one_series.ds for one_series in series}  # many series share one
    last = {key: ds[-1] for key, ds in indexes.items()}
    steps, _ = steps_and_phases(pd.Index([last[id(one_series.ds)] for one_series in series]), freq)
    ends, counts = np.unique(steps, return_counts=True)
    common = ends[::-1][counts[::-1].argmax()]  # the latest of equally common ends
    together = np.abs(steps - common) <= _allowed(freq)
    return np.asarray((steps < common) & ~together & (together.mean() >= 0.5))


def _allowed(freq: str | int) -> int:
    """The steps by which a series may end before the others."""
    if isinstance(freq, int):
        return LATE_INTEGERS
    has_short_steps = longer_season_length(freq) > 1
    return max(LATE, LATE_SEASONS * season_length(freq)) if has_short_steps else LATE


def without_ended(valid: Validated, freq: str | int, count: int) -> Validated:
    """The series that have not ended, of `count` in the table; the others are excluded."""
    numbers, has_ended = np.flatnonzero(valid.exclusions.eligible(count)), ended(valid.series, freq)
    reasons = {int(numbers[k]): _reason(valid.series[k]) for k in np.flatnonzero(has_ended).tolist()}
    series = tuple(one_series for one_series, is_over in zip(valid.series, has_ended, strict=True) if not is_over)
    return valid._replace(series=series, exclusions=valid.exclusions.with_reasons(reasons))


def _reason(series: Series) -> LeftOut:
    return LeftOut(
        f"series {str(series.unique_id)!r} ended on {format_date(series.ds[-1])}, long before the others; to forecast "
        'it from there, pass ended="forecast" (--ended forecast)'
    )


def describe_ended(series: Sequence[Series], freq: str | int) -> tuple[str, ...]:
    """The warning that names the series that have ended, if there are any."""
    has_ended = ended(series, freq)
    if not has_ended.any():
        return ()
    over = [series[k] for k in np.flatnonzero(has_ended).tolist()]
    names = ", ".join(f"{str(one.unique_id)!r} on {format_date(one.ds[-1])}" for one in over[:NAMED])
    last = max(series[k].ds[-1] for k in np.flatnonzero(~has_ended).tolist())
    return (
        f"ended: {names}{and_more(len(over[NAMED:]))}, long before the others ({format_date(last)}), and forecast from "
        'there; pass ended="exclude" to leave out such series, or ended="forecast" to keep them (--ended exclude, '
        "--ended forecast)",
    )
