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

from gatewise.series.wording import counted, quoted

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
NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
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


class RowError(DataError):
    """Rows that cannot be used, by position; `tell` words any of them, so that each series is told of its own."""

    def __init__(self, rows: np.ndarray, tell: Callable[[np.ndarray], str]) -> None:
        super().__init__(tell(rows))
        self.rows, self.tell = rows, tell


def show(moment: object) -> str:
    """A date as a person writes it: without the time of day at midnight, whole numbers as they are."""
    if isinstance(moment, pd.Timestamp) and moment == moment.normalize() and moment.tz is None:
        return str(moment.date())
    return str(moment).removesuffix(" 00:00:00") if isinstance(moment, pd.Timedelta) else str(moment)


# ---------------------------------------------------------------------------------------------------- reading


def looks_like_dates(column: pd.Series) -> bool:
    """Whether most of a column reads as dates; numbers never do."""
    present = column.dropna().drop_duplicates() if is_text(column) else column.dropna()
    if len(present) == 0 or pd.api.types.is_numeric_dtype(present):
        return False
    if not is_text(present):
        return not isinstance(_converted(present), str)
    return any(reading.notna().mean() >= 0.5 for reading in _readings(present))


def read_dates(column: pd.Series, where: Where) -> tuple[pd.Index, str | None]:
    """A column as a time index, and what had to be guessed to read it."""
    _refuse_missing(column, where)
    if pd.api.types.infer_dtype(column) in ("integer", "floating", "mixed-integer-float"):  # also held as objects
        column = pd.to_numeric(column)
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
        first, *others = [frame[column].astype(str) for column in columns]
        return first.str.cat(others, sep=" ").rename(" ".join(columns))
    parts = {str(column).lower(): pd.to_numeric(frame[column], errors="coerce") for column in columns}
    dates = pd.to_datetime(pd.DataFrame({"month": 1, "day": 1, **parts}), errors="coerce")
    bad = np.flatnonzero(dates.isna())

    def tell(rows: np.ndarray) -> str:
        values = ", ".join(f"{column} {frame[column].iloc[rows[0]]}" for column in columns)
        return f"{where(rows[0])}: {values} is no date; correct the row or leave it out"

    if len(bad):
        raise RowError(bad, tell)
    return dates


def _refuse_missing(column: pd.Series, where: Where) -> None:
    def tell(rows: np.ndarray) -> str:
        count = "1 row has" if len(rows) == 1 else f"{len(rows)} rows have"
        return (
            f"{where(rows[0])}: no date in time column {column.name!r} ({count} none); "
            "give the date or leave the row out"
        )

    missing = np.flatnonzero(column.isna())
    if len(missing):
        raise RowError(missing, tell)


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
    what = next((what for what, wrong in faults.items() if wrong.any()), None)
    if what is not None:
        raise RowError(
            np.flatnonzero(faults[what]),
            lambda rows: (
                f"{where(rows[0])}: time {values[rows[0]]:g} in column {column.name!r} is {what}; "
                "give dates such as '1949-01', or whole numbers"
            ),
        )
    if str(column.name).lower() == "year" and ((values >= 1000) & (values < 3000)).all():
        return _digits(column, "%Y"), "dates: whole numbers read as years"
    if ((values >= 1e7) & (values < 3e7)).all():
        dates = _digits(column, "%Y%m%d")
        if dates.notna().all():
            return dates, "dates: whole numbers read as year, month, day"
    return pd.Index(column.to_numpy(np.int64)), "time: whole numbers, not dates"


def _digits(column: pd.Series, form: str) -> pd.DatetimeIndex:
    """Whole numbers as the dates that their digits write; each distinct one is read once."""
    codes, distinct = pd.factorize(column.astype(np.int64))
    dates = pd.to_datetime(pd.Series(distinct).astype(str), format=form, errors="coerce")
    return pd.DatetimeIndex(dates).take(codes)


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
        formats = next((found for cell in text.iloc[:20] if (found := _formats(cell))), set())
    return [pd.to_datetime(text, format=form, errors="coerce") for form in sorted(formats)]


def _formats(cell: str) -> set[str]:
    """The ways in which one cell can be read."""
    formats = {guess_datetime_format(cell, dayfirst=first) for first in (False, True)} - {None}
    return formats | {form for form in MORE_FORMATS if not pd.isna(pd.to_datetime(cell, format=form, errors="coerce"))}


def _text_dates(column: pd.Series, where: Where) -> tuple[pd.Index, str | None]:
    """Text as dates; each distinct cell is read once."""
    codes, distinct = pd.factorize(column)
    cells = pd.Series(distinct)
    readings = sorted(_readings(cells), key=lambda reading: int(reading.isna().sum()))
    best = readings[0] if readings else pd.Series(pd.NaT, index=cells.index)
    example = f" as {cells[best.notna()].iloc[0]!r} can" if best.notna().any() else ""
    bad = np.flatnonzero(best.isna().to_numpy()[codes])
    if len(bad):
        raise RowError(
            bad,
            lambda rows: (
                f"{where(rows[0])}: {quoted(column.iloc[rows[0]])} in time column {column.name!r} cannot be read as "
                f"a date{example}; write dates as 1949-01-31 (or 1949-01, or 1949-01-31 13:00)"
            ),
        )
    if len(readings) == 1:
        dates, note = pd.DatetimeIndex(best), _reading_note(cells, best)
    else:
        whole = [pd.DatetimeIndex(reading) for reading in readings if reading.notna().all()]
        dates, note = _day_or_month_first(cells.rename(column.name), whole)
    return dates.take(codes).rename(column.name), note


def _reading_note(cells: pd.Series, dates: pd.Series) -> str | None:
    if str(dates.dt.tz) == "UTC" and not cells.str.strip().str.endswith(("Z", "+00:00")).all():
        return "dates: several UTC offsets, read as UTC"
    first = cells.iloc[0]
    return None if re.match(r"\s*\d{4}", first) else f"dates: {first!r} read as {show(dates.iloc[0])}"


def _day_or_month_first(column: pd.Series, readings: list[pd.DatetimeIndex]) -> tuple[pd.DatetimeIndex, str]:
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
    fixed = isinstance(offset, pd.offsets.Tick | pd.offsets.Day)
    return int((ds[-1] - ds[0]) // pd.Timedelta(offset)) + 1 if fixed else 0


def grid(ds: pd.Index, freq: str | int) -> pd.Index:
    """Every date of the calendar from the first to the last."""
    if isinstance(freq, int):
        return pd.Index(np.arange(ds[0], ds[-1] + 1, freq))
    wall = _wall(ds[[0, -1]], freq)
    return _back(pd.date_range(wall[0], wall[-1], freq=freq), ds)


def follows(ds: pd.Index, freq: str | int) -> np.ndarray:
    """Whether each date but the first is one step of the calendar after the one before it: (N - 1,) booleans."""
    if isinstance(freq, int):
        return np.asarray(np.diff(ds) == freq)
    offset = to_offset(freq)
    if isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day):
        steps, left_over = divmod(offset.nanos, NANOSECONDS[ds.unit])
        return np.asarray((np.diff(ds.asi8) == steps) & (left_over == 0))
    wall = _wall(ds, freq)
    codes, distinct = pd.factorize(wall)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.PerformanceWarning)  # some offsets are added date by date
            following = (distinct + offset).as_unit(wall.unit)
    except (pd.errors.OutOfBoundsDatetime, OverflowError):  # at the end of what pandas holds
        return np.zeros(len(ds) - 1, bool)
    return np.asarray(wall.asi8[1:] == following.asi8[codes[:-1]])


def on_calendar(ds: pd.Index, freq: str | int) -> np.ndarray:
    """Whether a calendar can begin at each of the dates: (N,) booleans."""
    if isinstance(freq, int):
        return np.ones(len(ds), bool)
    offset = to_offset(freq)
    codes, distinct = pd.factorize(_wall(ds, freq))
    return np.asarray(np.array([offset.is_on_offset(date) for date in distinct], bool)[codes])


def _wall(ds: pd.DatetimeIndex, freq: str) -> pd.DatetimeIndex:
    """The dates as clocks on the wall show them, if the calendar goes by days; steps of hours go by time itself."""
    offset = to_offset(freq)
    by_time = isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day)
    return ds if ds.tz is None or by_time else ds.tz_localize(None)


def _back(made: pd.DatetimeIndex, ds: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Dates of the wall in the zone and unit of `ds`; where the clocks skip an hour, the first moment after it."""
    if ds.tz is not None and made.tz is None:
        made = made.tz_localize(ds.tz, ambiguous=np.ones(len(made), bool), nonexistent="shift_forward")
    return made.as_unit(ds.unit)


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
    last = ds[-1:]
    try:
        return _back(pd.date_range(_wall(last, freq)[0], periods=horizon + 1, freq=freq), last)[1:]
    except (pd.errors.OutOfBoundsDatetime, OverflowError):
        last = last.as_unit("us")  # nanoseconds end in the year 2262, microseconds do not
    try:
        return _back(pd.date_range(_wall(last, freq)[0], periods=horizon + 1, freq=freq, unit="us"), last)[1:]
    except (pd.errors.OutOfBoundsDatetime, OverflowError):
        raise DataError(
            f"{counted(horizon, 'step')} of {freq} from {show(ds[-1])} {'passes' if horizon == 1 else 'pass'} the last "
            "date that pandas holds; ask for fewer"
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
