"""Frequency: infer, continue and describe the calendar of a time index.

A time index is a `pandas.DatetimeIndex` or an integer index ("integer time"). Its frequency is a pandas offset alias
("MS", "W-SUN", "15min", ...) or an integer step.

Letters: N dates.
"""

import re
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from gatewise.series.errors import DataError
from gatewise.series.wording import counted, format_date

NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
NANOSECONDS_OF_DAY = 24 * 60 * 60 * 10**9
LONGEST_SPAN = 1000  # years; a longer one has a date with a typing error

# Offset alias without its anchor -> (description, steps of the usual season).
CALENDARS = {
    **dict.fromkeys(("YS", "BYS"), ("year start", 1)),
    **dict.fromkeys(("YE", "BYE"), ("year end", 1)),
    **dict.fromkeys(("QS", "BQS"), ("quarter start", 4)),
    **dict.fromkeys(("QE", "BQE"), ("quarter end", 4)),
    **dict.fromkeys(("MS", "BMS", "CBMS"), ("month start", 12)),
    **dict.fromkeys(("ME", "BME", "CBME"), ("month end", 12)),
    **dict.fromkeys(("WOM", "LWOM"), ("monthly, on a weekday", 12)),
    **dict.fromkeys(("SMS", "SME"), ("twice a month", 24)),
    "W": ("weekly", 52),
    "D": ("daily", 7),
    **dict.fromkeys(("B", "C"), ("business days", 5)),
    "h": ("hourly", 24),
    "min": ("minutes", 24 * 60),
    "s": ("seconds", 60 * 60),
}
# The same -> steps of a longer season: a day of seconds, a week of minutes or hours, 52 weeks of days.
LONGER = {"s": 24 * 60 * 60, "min": 7 * 24 * 60, "h": 7 * 24, "D": 7 * 52, "B": 5 * 52, "C": 5 * 52}


def check_frequency(freq: str | int, ds: pd.Index) -> str | int:
    """Validate a frequency for a time index: a pandas alias for dates, an integer for integer time."""
    if not isinstance(ds, pd.DatetimeIndex):
        if not re.fullmatch(r"[1-9]\d*", str(freq)):
            raise DataError(
                f"freq={freq!r}: expected a positive integer step, because the time holds integers; pass freq=1 "
                "(--freq 1)"
            )
        return int(freq)
    try:
        offset = to_offset(freq) if isinstance(freq, str) else None
    except (ValueError, OverflowError):  # OverflowError: a step of more than 64 bits
        offset = None
    if offset is None or offset.n < 1:
        raise DataError(
            f"freq={freq!r} is not a pandas frequency; pass one such as MS, ME, QS, W-SUN, B, D, h or 15min (--freq MS)"
        )
    return str(offset.freqstr)


def season_length(freq: str | int) -> int:
    """Steps of the usual season of a frequency: a year of months, quarters or weeks, a week of days, a day of hours.

    Monthly 12, quarterly 4, weekly 52, yearly 1, daily 7, business days 5, hourly 24, minutes 1440, seconds 3600 (an
    hour). A multiple such as "15min" divides these steps (1440 / 15 = 96). The result is 1 (no season) for
    integer time, and if the division leaves a remainder.

    >>> season_length("MS"), season_length("B"), season_length("15min"), season_length(1)
    (12, 5, 96, 1)
    """
    return 1 if isinstance(freq, int) else _divided(CALENDARS.get(_base(freq), ("", 1))[1], freq)


def longer_season_length(freq: str | int) -> int:
    """Steps of a longer season than the usual one: 52 weeks of days, a week of minutes or hours, a day of seconds.

    Daily 364 and business days 260 (a year of whole weeks, so that weekdays match), hourly 168, minutes 10,080, seconds
    86,400, divided as by `season_length`; otherwise 1 (none).

    >>> longer_season_length("h"), longer_season_length("30min"), longer_season_length("D"), longer_season_length("MS")
    (168, 336, 364, 1)
    """
    return 1 if isinstance(freq, int) else _divided(LONGER.get(_base(freq), 1), freq)


def _divided(steps: int, freq: str) -> int:
    """Steps of a frequency for steps of its unit; 1 if there is a remainder."""
    multiple = int(to_offset(freq).n)
    return steps // multiple if steps % multiple == 0 else 1


def describe_frequency(freq: str | int) -> str:
    """A frequency with its description: "MS (month start)"."""
    if isinstance(freq, int):
        return f"{freq} (integer time)"
    description = CALENDARS.get(_base(freq), ("", 1))[0]
    return f"{freq} ({description})" if description and to_offset(freq).n == 1 else freq


def _base(freq: str) -> str:
    return str(to_offset(freq).rule_code).split("-")[0]


def infer_frequency(ds: pd.Index) -> str | int | None:
    """The frequency of sorted, distinct dates, also across gaps; None if no calendar fits.

    A calendar fits if every date lies on it and at least half of its dates are present. Of those that fit, the one
    with the fewest missing dates is chosen: Monday to Friday without holidays is "B", not "D" without weekends. Dates
    without gaps follow it step by step; pandas also names calendars that they do not follow.

    >>> infer_frequency(pd.DatetimeIndex(["1949-01-31", "1949-02-28", "1949-04-30", "1949-05-31"]))
    'ME'
    """
    if not isinstance(ds, pd.DatetimeIndex):
        return int(np.gcd.reduce(np.diff(ds))) if len(ds) > 1 else 1
    if len(ds) < 3:
        return None
    whole = pandas_frequency(ds)
    if whole is not None and is_regular(ds, whole):
        return whole
    fits = [
        (steps, freq) for freq in _candidates(ds) if (steps := _steps(ds, freq)) is not None and steps <= 2 * len(ds)
    ]
    return min(fits, key=lambda fit: fit[0])[1] if fits else None


def pandas_frequency(ds: pd.DatetimeIndex) -> str | None:
    """The frequency that pandas infers from dates without gaps; None if it infers none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas 3.1 warns that pandas 4 returns an offset; both are handled below
        freq = pd.infer_freq(ds) if len(ds) > 2 else None
    return getattr(freq, "freqstr", freq)


def is_regular(ds: pd.Index, freq: str | int) -> bool:
    """Whether dates are on a calendar without gaps.

    >>> hours = pd.DatetimeIndex(["2024-01-01 08:00", "2024-01-01 09:00", "2024-01-02 08:00"])
    >>> is_regular(hours, "h"), is_regular(hours[:2], "h"), is_regular(hours[:2], "bh")
    (False, True, False)
    """
    return bool(on_calendar(ds[:1], freq).all() and follows(ds, freq).all())


def _candidates(ds: pd.DatetimeIndex) -> Iterator[str]:
    month, weekday = ds[0].month_name()[:3].upper(), ds[0].day_name()[:3].upper()
    yield from (f"YS-{month}", f"YE-{month}", "QS-JAN", "QS-FEB", "QS-MAR", "QE-DEC", "QE-JAN", "QE-FEB")
    yield from ("MS", "ME", "BMS", "BME", f"W-{weekday}", "B", "D")
    if 2 / 5 <= float((ds.day == 15).mean()) <= 3 / 5:
        yield from ("SMS-15", "SME-15")
    step = pd.Timedelta(int(np.gcd.reduce(np.diff(ds.asi8))), unit=ds.unit)
    yield f"{step.days}D" if step == step.floor("D") else to_offset(step).freqstr


def _steps(ds: pd.DatetimeIndex, freq: str) -> int | None:
    """The number of dates of the calendar from first to last, or None if a date is not on it."""
    first = pd.date_range(ds[0].tz_localize(None).as_unit("us"), periods=3, freq=freq)
    if tick_count(ds, freq) > 2 * len(ds) or (ds[-1] - ds[0]) / (first[2] - first[0]) > 2 * len(ds) + 2:
        return None  # the calendar would be long
    calendar = grid(ds, freq)
    return len(calendar) if bool(ds.isin(calendar).all()) else None


def tick_count(ds: pd.Index, freq: str | int) -> int:
    """The number of dates from first to last at a fixed step, without building them; 0 for other calendars."""
    if isinstance(freq, int):
        return int(ds[-1] - ds[0]) // freq + 1
    offset = to_offset(freq)
    fixed = isinstance(offset, pd.offsets.Tick | pd.offsets.Day)
    return int((ds[-1] - ds[0]) // pd.Timedelta(offset)) + 1 if fixed else 0


def most_steps(rows: int) -> int:
    """The most steps of a calendar of so many rows; with more, the frequency is wrong or a date is far off."""
    return 100 * rows + 1000


def grid(ds: pd.Index, freq: str | int) -> pd.Index:
    """Every date of the calendar from the first to the last."""
    if isinstance(freq, int):
        return pd.Index(np.arange(ds[0], ds[-1] + 1, freq))
    local = _to_local(ds[[0, -1]], freq)
    return _from_local(pd.date_range(local[0], local[-1], freq=freq), ds)


def future(ds: pd.Index, freq: str | int, horizon: int) -> pd.Index:
    """The next `horizon` dates after the last of `ds`, on the same calendar.

    Arguments:
        ds: time index whose last entry lies on the calendar.
        freq: pandas offset alias, or an integer step for integer time.
        horizon: number of dates, at least 1.

    Returns:
        An index of `horizon` dates of the type of `ds`, with its time zone; nanoseconds become microseconds if the
        dates pass the year 2262.

    Raises:
        ValueError: if `horizon` is below 1.
        DataError: if the dates pass the last date that pandas supports.

    >>> [str(date.date()) for date in future(pd.DatetimeIndex(["1960-11-30", "1960-12-31"]), "ME", 2)]
    ['1961-01-31', '1961-02-28']
    """
    if horizon < 1:
        raise ValueError(f"horizon is {horizon}, expected at least 1")
    if isinstance(freq, int):
        return pd.Index(ds[-1] + freq * np.arange(1, horizon + 1))
    last = ds[-1:]
    try:
        return _from_local(pd.date_range(_to_local(last, freq)[0], periods=horizon + 1, freq=freq), last)[1:]
    except (pd.errors.OutOfBoundsDatetime, OverflowError):
        last = last.as_unit("us")  # nanoseconds end in the year 2262, microseconds do not
    try:
        return _from_local(pd.date_range(_to_local(last, freq)[0], periods=horizon + 1, freq=freq, unit="us"), last)[1:]
    except (pd.errors.OutOfBoundsDatetime, OverflowError):
        verb = "passes" if horizon == 1 else "pass"
        raise DataError(
            f"{counted(horizon, 'step')} of {freq} from {format_date(ds[-1])} {verb} the last "
            "date that pandas supports; use a shorter horizon"
        ) from None


def coarser_frequency(ds: pd.DatetimeIndex) -> str | None:
    """The shortest of some calendars with a date in each of its steps; None if there are fewer than three steps.

    >>> coarser_frequency(pd.DatetimeIndex(["2024-01-01", "2024-01-11", "2024-02-01", "2024-03-21", "2024-04-01"]))
    'MS'
    """
    for freq, period in (("s", "s"), ("min", "min"), ("h", "h"), ("D", "D"), ("W", "W"), ("MS", "M"), ("QS", "Q")):
        steps = np.unique(ds.tz_localize(None).to_period(period).asi8)
        if len(steps) < 3:
            return None
        if steps[-1] - steps[0] == len(steps) - 1:
            return freq
    return None


def follows(ds: pd.Index, freq: str | int) -> np.ndarray:
    """(N - 1,) whether each date is one calendar step after the previous one."""
    if isinstance(freq, int):
        return np.asarray(np.diff(ds) == freq)
    offset = to_offset(freq)
    if isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day):
        steps, left_over = divmod(offset.nanos, NANOSECONDS[ds.unit])
        return np.asarray((np.diff(ds.asi8) == steps) & (left_over == 0))
    local = _to_local(ds, freq)
    codes, distinct = pd.factorize(local)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.PerformanceWarning)  # pandas adds some offsets date by date
            following = (distinct + offset).as_unit(local.unit)
    except (pd.errors.OutOfBoundsDatetime, OverflowError):  # past the last date of pandas
        return np.zeros(len(ds) - 1, bool)
    return np.asarray(local.asi8[1:] == following.asi8[codes[:-1]])


def on_calendar(ds: pd.Index, freq: str | int) -> np.ndarray:
    """(N,) whether each date is on the calendar."""
    if isinstance(freq, int):
        return np.ones(len(ds), bool)
    offset = to_offset(freq)
    codes, distinct = pd.factorize(_to_local(ds, freq))
    return np.asarray(np.array([offset.is_on_offset(date) for date in distinct], bool)[codes])


def steps_and_phases(ds: pd.Index, freq: str | int) -> tuple[np.ndarray, np.ndarray]:
    """The calendar step of each date, and its phase between two steps; dates of one phase share a grid.

    Arguments:
        ds: N dates in any order, of several series.
        freq: pandas offset alias, or the step of integer time.

    Returns:
        (N,) steps, counted from an arbitrary date, and (N,) phases, -1 for a date that is on no such calendar.

    >>> steps, phases = steps_and_phases(pd.DatetimeIndex(["2024-01-01", "2024-03-01", "2024-03-02"]), "MS")
    >>> (steps[1] - steps[0]).item(), phases.tolist()
    (2, [0, 0, -1])
    """
    if isinstance(freq, int):
        return ds.to_numpy() // freq, ds.to_numpy() % freq
    offset, local = to_offset(freq), _to_local(ds, freq)
    if isinstance(offset, pd.offsets.Tick | pd.offsets.Day):
        step, left_over = divmod(pd.Timedelta(offset).value, NANOSECONDS[local.unit])
        time = local.asi8
        return (time, np.full(len(time), -1)) if left_over else (time // step, time % step)
    days = local if isinstance(offset, pd.offsets.BusinessHour) else local.normalize()
    if not len(days) or days.max().year - days.min().year > LONGEST_SPAN:
        return np.zeros(len(days), np.int64), np.full(len(days), -1)
    calendar = pd.date_range(days.min(), days.max(), freq=offset.base).as_unit(local.unit)
    steps = calendar.searchsorted(days, side="right") - 1
    phases = (steps % offset.n) * NANOSECONDS_OF_DAY + (local - days).asi8
    return steps // offset.n, np.where(days.isin(calendar), phases, -1)


def _to_local(ds: pd.DatetimeIndex, freq: str) -> pd.DatetimeIndex:
    """Local dates without a time zone for a calendar of days or longer; unchanged for steps of hours or shorter."""
    offset = to_offset(freq)
    by_time = isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day)
    return ds if ds.tz is None or by_time else ds.tz_localize(None)


def _from_local(local: pd.DatetimeIndex, ds: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Local dates in the time zone and unit of `ds`; a skipped hour becomes the first moment after it."""
    if ds.tz is not None and local.tz is None:
        local = local.tz_localize(ds.tz, ambiguous=np.ones(len(local), bool), nonexistent="shift_forward")
    return local.as_unit(ds.unit)


def as_integers(ds: pd.Index) -> np.ndarray:
    """Dates as integers in their unit; integer time unchanged."""
    return np.asarray(ds.asi8 if isinstance(ds, pd.DatetimeIndex) else ds.to_numpy())
