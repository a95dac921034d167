"""Calendar features: the position of each date in its hour, day, week, month and year, as a sine and a cosine.

Letters: N dates, F features.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from gatewise.series.errors import DataError

MONTHS = ("MS", "ME", "BMS", "BME", "CBMS", "CBME", "WOM", "LWOM")
QUARTERS = ("QS", "QE", "BQS", "BQE")

# Offset alias without its anchor -> cycle -> its number of steps; cycles are no shorter than the season.
CYCLES: dict[str, dict[str, float]] = {
    "s": {"minute of hour": 3600, "hour of day": 86400, "day of week": 604800, "day of year": 31557600},
    "min": {"hour of day": 1440, "day of week": 10080, "day of year": 525960},
    "h": {"hour of day": 24, "day of week": 168, "day of year": 8766},
    "D": {"day of week": 7, "day of month": 30.4, "day of year": 365.25},
    **{alias: {"day of week": 5, "day of month": 21.7, "day of year": 261} for alias in ("B", "C")},
    "W": {"week of year": 52},
    **{alias: {"day of year": 24} for alias in ("SMS", "SME")},
    **{alias: {"month of year": 12} for alias in MONTHS},
    **{alias: {"quarter of year": 4} for alias in QUARTERS},
}


def _week_of_year(ds: pd.DatetimeIndex) -> np.ndarray:
    """The ISO 8601 week, from 0, as a fraction of the weeks of its year; a week belongs to the year of its Thursday."""
    thursday = ds + pd.to_timedelta(3 - ds.day_of_week, unit="D").as_unit(ds.unit)
    day, days = np.asarray(thursday.day_of_year) - 1, 365 + np.asarray(thursday.is_leap_year)
    weeks = (days - 1 - day % 7) // 7 + 1
    return np.asarray(day // 7 / weeks)


# Cycle -> position in the cycle, from 0 to below 1.
PHASES: dict[str, Callable[[pd.DatetimeIndex], np.ndarray]] = {
    "minute of hour": lambda ds: (ds.minute + ds.second / 60) / 60,
    "hour of day": lambda ds: (ds.hour + ds.minute / 60 + ds.second / 3600) / 24,
    "day of week": lambda ds: ds.day_of_week / 7,
    "day of month": lambda ds: (ds.day - 1) / ds.days_in_month,
    "week of year": _week_of_year,
    "month of year": lambda ds: (ds.month - 1) / 12,
    "quarter of year": lambda ds: (ds.quarter - 1) / 4,
    "day of year": lambda ds: (ds.day_of_year - 1) / (365 + np.asarray(ds.is_leap_year)),
}


def cycles(freq: str | int) -> tuple[str, ...]:
    """The calendar cycles of a frequency that have two or more steps and are no shorter than its season.

    Hourly: hour of day, day of week, day of year; daily: day of week, of month, of year; weekly: week of year;
    monthly: month of year; quarterly: quarter of year; yearly and integer time: none.

    >>> cycles("h"), cycles("7D"), cycles("MS"), cycles(1)
    (('hour of day', 'day of week', 'day of year'), ('day of month', 'day of year'), ('month of year',), ())
    """
    if isinstance(freq, int):
        return ()
    offset = to_offset(freq)
    known = CYCLES.get(str(offset.rule_code).split("-")[0], {})
    return tuple(name for name, steps in known.items() if steps >= 2 * offset.n)


def choose_cycles(calendar: bool | str | Sequence[str], freq: str | int) -> tuple[str, ...]:
    """The cycles to use: all cycles of the frequency (True), none (False), or the named ones.

    Raises:
        DataError: the frequency has no cycle, or a named cycle is not among its cycles.

    >>> choose_cycles(["day of year", "day of week"], "D")
    ('day of week', 'day of year')
    """
    if not isinstance(calendar, bool | str | Sequence):
        raise DataError(f"calendar is {calendar!r}, expected True, False or names such as ['day of week']")
    if calendar is False or (not isinstance(calendar, bool) and not len(calendar)):
        return ()
    available = cycles(freq)
    if not available:
        reason = (
            "integer time has no calendar" if isinstance(freq, int) else f"frequency {freq!r} has no calendar cycle"
        )
        raise DataError(f"no calendar features are available: {reason}; omit calendar= (--calendar)")
    names = available if calendar is True else (calendar,) if isinstance(calendar, str) else tuple(calendar)
    for name in names:
        if name not in available:
            raise DataError(
                f"calendar feature {name!r:.80}: expected one of {', '.join(map(repr, available))}, the cycles of "
                f"frequency {freq!r}; name some of them, or pass calendar=True for all"
            )
    return tuple(name for name in available if name in names)


def feature_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names of the features of cycles: a sine and a cosine of each."""
    return tuple(f"calendar: {name} ({wave})" for name in names for wave in ("sine", "cosine"))


def calendar_features(
    ds: pd.Index, freq: str | int, calendar: bool | str | Sequence[str] = True
) -> tuple[tuple[str, ...], np.ndarray]:
    """The position of each date in the cycles of its calendar, as sine and cosine, in local time.

    A cycle starts at sine 0 and cosine 1: weeks on Monday, months on the 1st, years on 1 January or in ISO week 1.
    Positions are whole days, weeks, months or quarters; the hour of the day includes minutes and seconds.

    Arguments:
        ds: (N,) dates, in any order; they may repeat.
        freq: pandas offset alias.
        calendar: True for every cycle of `cycles(freq)`, or the names of some.

    Returns:
        The names of the F features, and their values (N, F) from -1 to 1, float64.

    Raises:
        DataError: integer time, or a named cycle that is not among those of the frequency.

    >>> names, values = calendar_features(pd.DatetimeIndex(["2024-01-01", "2024-04-01"]), "MS")
    >>> names, values.round(3).tolist()
    (('calendar: month of year (sine)', 'calendar: month of year (cosine)'), [[0.0, 1.0], [1.0, 0.0]])
    """
    chosen = choose_cycles(calendar, freq)
    if not chosen:
        return (), np.empty((len(ds), 0))
    if not isinstance(ds, pd.DatetimeIndex):
        raise DataError(f"calendar features need dates, got a time of type {ds.dtype}; omit calendar= (--calendar)")
    places, local = pd.factorize(ds.tz_localize(None))  # local time; many series share their dates
    angles = 2 * np.pi * np.stack([np.asarray(PHASES[name](local), np.float64) for name in chosen], axis=1)
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(local), 2 * len(chosen))
    return feature_names(chosen), waves[places]
