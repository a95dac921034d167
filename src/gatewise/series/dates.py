"""Dates: reading them from a column, recognising their calendar, and continuing it.

A time index is either a `pandas.DatetimeIndex` or an index of whole numbers. A frequency is a pandas offset alias
("MS", "W-SUN", "15min", ...) for the first and a whole-number step for the second.
"""

import re
import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from pandas.tseries.api import guess_datetime_format
from pandas.tseries.frequencies import to_offset

Where = Callable[[int], str]  # names a row for a person: "row 12 (line 13 of sales.csv)"

TIME_NAMES = (
    "ds",
    "date",
    "datetime",
    "timestamp",
    "time",
    "month",
    "year",
    "quarter",
    "week",
    "day",
    "hour",
    "period",
    "t",
)
MORE_FORMATS = (  # of everyday exports, which pandas does not guess
    *("%b-%y", "%b-%Y", "%b %Y", "%B %Y", "%d-%b-%y", "%d.%m.%y", "%m.%d.%y", "%d/%m/%y", "%m/%d/%y"),
    *("%d/%m/%Y %I:%M %p", "%m/%d/%Y %I:%M %p", "%d/%m/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M:%S %p"),
)
PARTS = ("year", "month", "day", "hour", "minute", "second")

# Offset alias without its anchor -> (in words, steps of the usual season).
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


class DataError(ValueError):
    """The data cannot be used as they are; the message names the row or date and the remedy."""


def show(moment: object) -> str:
    """A date as a person writes it: without the time of day at midnight, whole numbers as they are."""
    if isinstance(moment, pd.Timestamp) and moment == moment.normalize() and moment.tz is None:
        return str(moment.date())
    return str(moment).removesuffix(" 00:00:00") if isinstance(moment, pd.Timedelta) else str(moment)


# ---------------------------------------------------------------------------------------------------- reading


def looks_like_dates(column: pd.Series) -> bool:
    """Whether most of a column reads as dates; numbers never do."""
    present = column.dropna()
    if len(present) == 0 or pd.api.types.is_numeric_dtype(present):
        return False
    if not is_text(present):
        return not isinstance(_converted(present), str)
    return any(reading.notna().mean() >= 0.5 for reading in _readings(present))


def read_dates(column: pd.Series, where: Where) -> tuple[pd.Index, str | None]:
    """A column as a time index, and what had to be guessed to read it."""
    _refuse_missing(column, where)
    if pd.api.types.is_numeric_dtype(column):
        return _whole_numbers(column, where)
    if is_text(column):
        return _text_dates(column, where)
    converted = _converted(column)
    if isinstance(converted, str):
        raise DataError(f"time column {column.name!r} cannot be read as dates: {converted}")
    return converted, None


def join_parts(frame: pd.DataFrame, columns: Sequence[str], where: Where) -> pd.Series:
    """Several columns as one: year, month, day, ... as the date they make, others as text joined by a space."""
    for column in columns:
        _refuse_missing(frame[column], where)
    if not {"year"} <= {str(column).lower() for column in columns} <= set(PARTS):
        return frame[list(columns)].astype(str).agg(" ".join, axis=1).rename(" ".join(columns))
    parts = {str(column).lower(): pd.to_numeric(frame[column], errors="coerce") for column in columns}
    dates = pd.to_datetime(pd.DataFrame({"month": 1, "day": 1, **parts}), errors="coerce")
    bad = np.flatnonzero(dates.isna())
    if len(bad):
        values = ", ".join(f"{column} {frame[column].iloc[bad[0]]}" for column in columns)
        raise DataError(f"{where(bad[0])}: {values} is no date; correct the row or leave it out")
    return dates


def _refuse_missing(column: pd.Series, where: Where) -> None:
    missing = np.flatnonzero(column.isna())
    if len(missing):
        rows = "1 row has" if len(missing) == 1 else f"{len(missing)} rows have"
        raise DataError(
            f"{where(missing[0])}: no date in time column {column.name!r} ({rows} none); "
            "give the date or leave the row out"
        )


def is_text(column: pd.Series) -> bool:
    return bool(pd.api.types.infer_dtype(column, skipna=True) == "string")


def _converted(column: pd.Series) -> pd.DatetimeIndex | str:
    """Dates held as dates (of pandas, numpy or Python), or the reason why they are not."""
    if isinstance(column.dtype, pd.PeriodDtype):
        return pd.DatetimeIndex(column.dt.to_timestamp())
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind not in ("datetime64", "datetime", "date"):
        return f"it holds values of the kind {kind!r}, expected dates, text such as '1949-01-31', or whole numbers"
    try:
        return pd.DatetimeIndex(pd.to_datetime(column))
    except (ValueError, TypeError) as reason:  # time zones that differ, or dates beyond what pandas holds
        return f"{reason}; dates of several time zones: convert them first, as by pandas.to_datetime(column, utc=True)"


def _whole_numbers(column: pd.Series, where: Where) -> tuple[pd.Index, str | None]:
    values = column.to_numpy(np.float64)
    faults = {
        "infinite": np.isinf(values),
        "a fraction": values != np.round(values),
        "too large": np.abs(values) >= 2.0**62,  # the difference of two such numbers does not fit 64 bits
    }
    for what, rows in faults.items():
        if rows.any():
            first = int(rows.argmax())
            raise DataError(
                f"{where(first)}: time {values[first]:g} in column {column.name!r} is {what}; "
                "give dates such as '1949-01', or whole numbers"
            )
    if str(column.name).lower() == "year" and ((values >= 1000) & (values < 3000)).all():
        return pd.DatetimeIndex(
            pd.to_datetime(column.astype(np.int64).astype(str), format="%Y")
        ), "dates: whole numbers read as years"
    if ((values >= 1e7) & (values < 3e7)).all():
        dates = pd.to_datetime(column.astype(np.int64).astype(str), format="%Y%m%d", errors="coerce")
        if dates.notna().all():
            return pd.DatetimeIndex(dates), "dates: whole numbers read as year, month, day"
    return pd.Index(column.to_numpy(np.int64)), "time: whole numbers, not dates"


def _readings(text: pd.Series) -> list[pd.Series]:
    """The ways to read text as dates, unreadable cells as NaT: ISO 8601, quarters, or else day or month first."""
    text = text.str.strip()
    zones = text.str.extract(r":\d\d(?:\.\d+)?\s?(Z|[+-]\d\d:?\d\d)$", expand=False)
    iso = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=len(zones.unique()) > 1)
    if iso.notna().any():
        return [iso]
    if text.str.fullmatch(r"\d{4}-?Q[1-4]").any():
        quarters = text.str.replace("-", "").where(text.str.fullmatch(r"\d{4}-?Q[1-4]"))
        return [pd.Series(pd.PeriodIndex(quarters, freq="Q").to_timestamp(), index=text.index)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns when the day turns out to come first: both orders are tried here
        formats = {guess_datetime_format(text.iloc[0], dayfirst=first) for first in (False, True)} - {None}
    formats |= {
        form for form in MORE_FORMATS if not pd.isna(pd.to_datetime(text.iloc[0], format=form, errors="coerce"))
    }
    return [pd.to_datetime(text, format=form, errors="coerce") for form in sorted(formats)]


def _text_dates(column: pd.Series, where: Where) -> tuple[pd.Index, str | None]:
    readings = sorted(_readings(column), key=lambda reading: int(reading.isna().sum()))
    best = readings[0] if readings else pd.Series(pd.NaT, index=column.index)
    bad = np.flatnonzero(best.isna())
    if len(bad):
        example = "" if len(bad) == len(column) else f" as {column[best.notna()].iloc[0]!r} can"
        raise DataError(
            f"{where(bad[0])}: {column.iloc[bad[0]]!r} in time column {column.name!r} cannot be read as a date"
            f"{example}; write dates as 1949-01-31 (or 1949-01, or 1949-01-31 13:00)"
        )
    if len(readings) == 1:
        mixed = str(best.dt.tz) == "UTC" and not column.str.strip().str.endswith(("Z", "+00:00")).all()
        note = (
            None if re.match(r"\s*\d{4}", first := column.iloc[0]) else f"dates: {first!r} read as {show(best.iloc[0])}"
        )
        return pd.DatetimeIndex(best), "dates: several UTC offsets, read as UTC" if mixed else note
    return _day_or_month_first(column, [pd.DatetimeIndex(reading) for reading in readings if reading.notna().all()])


def _day_or_month_first(column: pd.Series, readings: list[pd.DatetimeIndex]) -> tuple[pd.Index, str]:
    """Of the orders that read every cell, the one that gives a regular calendar."""
    readings = readings[:1] if readings[0].equals(readings[-1]) else readings
    differ = int((readings[0] != readings[-1]).argmax())
    regular = [dates for dates in readings if len(readings) == 1 or _pandas_infers(dates.unique().sort_values())]
    example = column.iloc[differ]
    if len(regular) != 1:
        raise DataError(
            f"dates such as {example!r} in time column {column.name!r} can be read day first or month first; "
            f"write them as year-month-day, {show(readings[0][differ])} or {show(readings[-1][differ])}"
        )
    return regular[0], f"dates: {example!r} read as {show(regular[0][differ])}"


# ---------------------------------------------------------------------------------------------------- calendar


def infer_frequency(ds: pd.Index) -> str | int | None:
    """The calendar of sorted dates without duplicates, also where some are missing; None if no calendar fits.

    A calendar fits if every date lies on it and at least half of its dates are there. Of those that fit, the one that
    leaves the fewest dates out is taken: Monday to Friday with holidays missing is "B", not "D" with weekends missing.

    >>> infer_frequency(pd.DatetimeIndex(["1949-01-31", "1949-02-28", "1949-04-30", "1949-05-31"]))
    'ME'
    """
    if not isinstance(ds, pd.DatetimeIndex):
        return int(np.gcd.reduce(np.diff(ds))) if len(ds) > 1 else 1
    if len(ds) < 3:
        return None
    whole = _pandas_infers(ds)
    if whole is not None:
        return whole
    fits = [
        (steps, freq) for freq in _candidates(ds) if (steps := _steps(ds, freq)) is not None and steps <= 2 * len(ds)
    ]
    return min(fits, key=lambda fit: fit[0])[1] if fits else None


def _pandas_infers(ds: pd.DatetimeIndex) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # pandas 3.1 announces that pandas 4 will answer with an offset: both are read here
        freq = pd.infer_freq(ds) if len(ds) > 2 else None
    return getattr(freq, "freqstr", freq)


def _candidates(ds: pd.DatetimeIndex) -> Iterator[str]:
    month, weekday = ds[0].month_name()[:3].upper(), ds[0].day_name()[:3].upper()
    yield from (f"YS-{month}", f"YE-{month}", "QS-JAN", "QS-FEB", "QS-MAR", "QE-DEC", "QE-JAN", "QE-FEB")
    yield from ("MS", "ME", "BMS", "BME", f"W-{weekday}", "B", "D")
    step = pd.Timedelta(int(np.gcd.reduce(np.diff(ds.asi8))), unit=ds.unit)
    yield f"{step.days}D" if step == step.floor("D") else to_offset(step).freqstr


def _steps(ds: pd.DatetimeIndex, freq: str) -> int | None:
    """How many dates the calendar has between the first and the last, or None if one of them is not on it."""
    if tick_count(ds, freq) > 2 * len(ds):
        return None
    calendar = grid(ds, freq)
    return len(calendar) if bool(ds.isin(calendar).all()) else None


def tick_count(ds: pd.Index, freq: str | int) -> int:
    """How many dates a fixed step makes from first to last, counted without making them; 0 for other calendars."""
    if isinstance(freq, int):
        return int(ds[-1] - ds[0]) // freq + 1
    offset = to_offset(freq)
    fixed = isinstance(offset, pd.offsets.Tick)
    return int((ds[-1] - ds[0]) // pd.Timedelta(offset)) + 1 if fixed else 0


def grid(ds: pd.Index, freq: str | int) -> pd.Index:
    """Every date of the calendar from the first to the last."""
    if isinstance(freq, int):
        return pd.Index(np.arange(ds[0], ds[-1] + 1, freq))
    return pd.date_range(ds[0], ds[-1], freq=freq).as_unit(ds.unit)


def check_frequency(freq: str | int, ds: pd.Index) -> str | int:
    """A frequency given by a person, in the form that fits the time index."""
    if not isinstance(ds, pd.DatetimeIndex):
        if not re.fullmatch(r"[1-9]\d*", str(freq)):
            raise DataError(
                f"freq={freq!r}: the time is in whole numbers, expected a positive whole step; pass freq=1 (--freq 1)"
            )
        return int(freq)
    try:
        offset = to_offset(freq) if isinstance(freq, str) else None
    except (ValueError, OverflowError):  # the second for steps that no 64 bits hold
        offset = None
    if offset is None or offset.n < 1:
        raise DataError(
            f"freq={freq!r} is no frequency of pandas; pass MS, ME, QS, W-SUN, B, D, h, 15min or the like (--freq MS)"
        )
    return str(offset.freqstr)


def future(ds: pd.Index, freq: str | int, horizon: int) -> pd.Index:
    """The next `horizon` dates after the last of `ds`, on the same calendar.

    Arguments:
        ds: time index whose last entry lies on the calendar.
        freq: pandas offset alias, or a whole-number step for a time in whole numbers.
        horizon: number of dates, at least 1.

    Returns:
        An index of `horizon` dates of the kind of `ds`, with its time zone; nanoseconds become microseconds where
        the dates pass the year 2262.

    Raises:
        ValueError: if `horizon` is below 1.
        DataError: if the dates run past the last that pandas holds.

    >>> [str(date.date()) for date in future(pd.DatetimeIndex(["1960-11-30", "1960-12-31"]), "ME", 2)]
    ['1961-01-31', '1961-02-28']
    """
    if horizon < 1:
        raise ValueError(f"horizon is {horizon}, expected at least 1")
    if isinstance(freq, int):
        return pd.Index(ds[-1] + freq * np.arange(1, horizon + 1))
    try:
        return pd.date_range(ds[-1], periods=horizon + 1, freq=freq).as_unit(ds.unit)[1:]
    except (pd.errors.OutOfBoundsDatetime, OverflowError):
        pass  # nanoseconds end in the year 2262, microseconds do not
    try:
        return pd.date_range(ds[-1].as_unit("us"), periods=horizon + 1, freq=freq, unit="us")[1:]
    except (pd.errors.OutOfBoundsDatetime, OverflowError):
        raise DataError(
            f"{horizon} steps of {freq} from {show(ds[-1])} pass the last date that pandas holds; ask for fewer"
        ) from None


def season_length(freq: str | int) -> int:
    """Steps of the usual season of a frequency: a year of months, quarters or weeks, a week of days, a day of hours.

    Monthly 12, quarterly 4, weekly 52, yearly 1, daily 7, business days 5, hourly 24, minutes 1440, seconds 3600 (an
    hour). A multiple such as "15min" divides it (96); where it does not divide, or the time is in whole numbers, no
    season is known: 1.

    >>> season_length("MS"), season_length("B"), season_length("15min"), season_length(1)
    (12, 5, 96, 1)
    """
    if isinstance(freq, int):
        return 1
    steps, multiple = CALENDARS.get(_base(freq), ("", 1))[1], int(to_offset(freq).n)
    return steps // multiple if steps % multiple == 0 else 1


def in_words(freq: str | int) -> str:
    """A frequency for a person: "MS (month start)"."""
    if isinstance(freq, int):
        return f"{freq} (whole-number time)"
    words = CALENDARS.get(_base(freq), ("", 1))[0]
    return f"{freq} ({words})" if words and to_offset(freq).n == 1 else freq


def _base(freq: str) -> str:
    return str(to_offset(freq).rule_code).split("-")[0]
