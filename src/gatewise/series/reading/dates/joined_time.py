"""Joined time: dates in one column and hours in another, or years and months, quarters or weeks.

Letters: N rows.
"""

import datetime
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.reading.dates.part_texts import DAY as DAY  # public here
from gatewise.series.reading.dates.part_texts import part_text

CLOCK = re.compile(r"(\d{1,2})[:.h](\d{2})(?:[:.m](\d{2})(?:[.,]\d+)?)?s?\s*([AaPp])?\.?[Mm]?\.?")
OCLOCK = re.compile(r"(\d{1,2})\s*(?:h|uhr|o'clock|([AaPp])\.?[Mm]\.?)", re.IGNORECASE)
NAMES = {  # part of a date -> names of its column, in letters only; they break ties that the cells leave
    "year": "year yr yyyy jahr ano año anno annee année jaar ar år rok",
    "quarter": "quarter qtr q quartal trimestre trimester kwartaal kvartal",
    "month": "month mon mo mnth monat mes mês mois mese maand månad måned miesiąc",
    "week": "week wk weekno weeknumber weekofyear isoweek woche kw kalenderwoche semana semaine settimana vecka uge",
    "day": "day dd dy dayofmonth tag dia día jour giorno dag",
    "weekday": "weekday dow dayofweek wochentag weekdag",
    "day of year": "doy yday jday dayofyear dayinyear julian julianday jourdelannee tagimjahr",
    "hour": "hour hr hrs hours h hh hod hourofday hourending he stunde std hora heure ora uur timme time godzina час",
    "minute": "minute minutes minuteofday minofday minuto min",
    "second": "second seconds sec segundo sekunde",
}
COVERED = 0.9  # of a day or year, by numbers that cover it
PERIODS = {"quarter": 4, "month": 12, "week": 53, "half": 2, "day of year": 366}  # of a year


class Reading(NamedTuple):
    """A column as a part of a date beside another column.

    Attributes:
        part: "hour", "minute" (of the day), "clock", "quarter", "month", "week" or "day of year".
        numbers: (N,) minutes after midnight, or the number of the period in the year; NaN where a cell is none.
        is_plain: whether the cells are whole numbers, which may mean anything else.
    """

    part: str
    numbers: np.ndarray
    is_plain: bool = True


def part_named(name: object) -> str | None:
    """The part of a date that a column is named after, or None.

    >>> part_named("Hour"), part_named("Datum"), part_named("KW")
    ('hour', None, 'week')
    """
    letters = re.sub(r"[\W\d_]", "", str(name).lower())
    return next((part for part, names in NAMES.items() if letters in names.split()), None)


def clock(column: pd.Series) -> np.ndarray | None:
    """Times of day, such as 18:30 or 18.30.00, as (N,) minutes after midnight; None if a cell is none.

    >>> clock(pd.Series(["0:15", "18.00.00", "6:30 pm"])).tolist()
    [15.0, 1080.0, 1110.0]
    """
    if pd.api.types.is_numeric_dtype(column) or len(column) == 0 or _minutes(column.iloc[0]) is None:
        return None  # most columns are no times, which the first cell says
    codes, distinct = pd.factorize(column)
    minutes = [_minutes(cell) for cell in distinct]
    return None if None in minutes else np.asarray(np.array([*minutes, np.nan], dtype=np.float64)[codes])


def _minutes(cell: object) -> float | None:
    """A time of day as minutes after midnight."""
    if isinstance(cell, datetime.time):
        return cell.hour * 60 + cell.minute + cell.second / 60
    if isinstance(cell, datetime.timedelta | np.timedelta64):
        minutes = pd.Timedelta(cell) / pd.Timedelta(minutes=1)
        return minutes if 0 <= minutes <= DAY else None
    text = str(cell).strip() if isinstance(cell, str) else ""
    match, hour_only = CLOCK.fullmatch(text), OCLOCK.fullmatch(text)
    if match is None and hour_only is None:
        return None
    hour, minute, second, half = match.groups() if match else (hour_only[1], 0, 0, hour_only[2])  # type: ignore[index]
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half.lower() == "p" else 0)
    minutes = hours * 60 + int(minute) + int(second or 0) / 60
    return minutes if int(minute) < 60 and int(second or 0) < 60 and minutes <= DAY else None


def as_years(column: pd.Series) -> pd.DatetimeIndex | None:
    """A column of years as (N,) dates; None if a cell is none."""
    numbers = _numbers(column)
    if numbers is None or not _within(numbers, 1600, 2200):
        return None
    codes, distinct = pd.factorize(numbers)
    return pd.DatetimeIndex([pd.Timestamp(int(year), 1, 1) for year in distinct]).take(codes)


def readings(column: pd.Series, beside_years: bool) -> list[Reading]:
    """Every way in which a column may complete another one that holds days, or years.

    Arguments:
        column: the cells.
        beside_years: whether the other column holds years, not days.
    """
    if beside_years:
        return _periods(column)
    times = clock(column)
    if times is not None:
        return [Reading("clock", times, is_plain=False)]
    text = part_text(column)
    if text is not None:
        return [Reading("clock", text.numbers, is_plain=False)] if text.part == "minute" else []
    numbers = _numbers(column)
    if numbers is None:
        return []
    if _within(numbers, 0, 24):
        return [Reading("hour", numbers * 60)]
    minutes = Reading("minute", numbers)
    digits = Reading("clock", numbers // 100 * 60 + numbers % 100)  # 1830 is half past six
    if is_clock_with_seconds(numbers):
        return [Reading("clock", numbers // 10_000 * 60 + numbers // 100 % 100 + numbers % 100 / 60)]
    if not (_within(numbers, 0, 2400) and (numbers % 100 < 60).all()):
        return [minutes] if _within(numbers, 0, DAY - 1) else []
    return [minutes, digits] if _within(numbers, 0, DAY - 1) and covers(minutes) else [digits]


def is_clock_with_seconds(numbers: np.ndarray) -> bool:
    """Whether numbers (N,) are times of day such as 183000."""
    parts = _within(numbers, 0, 240_000) and (numbers % 100 < 60).all() and (numbers // 100 % 100 < 60).all()
    return bool(parts and (numbers > 2400).any())


def covers(reading: Reading) -> bool:
    """Whether the numbers of a column cover a whole day or year at their usual step."""
    numbers = np.unique(reading.numbers)
    if reading.part in PERIODS:
        return len(numbers) >= COVERED * PERIODS[reading.part]
    return len(numbers) > 1 and len(numbers) * float(np.median(np.diff(numbers))) >= COVERED * DAY


def _periods(column: pd.Series) -> list[Reading]:
    text = part_text(column)
    if text is not None and text.part in PERIODS:
        return [Reading(text.part, text.numbers, is_plain=False)]
    numbers = _numbers(column)
    possible = (
        []
        if numbers is None
        else [part for part, count in PERIODS.items() if part != "half" and _within(numbers, 1, count)]
    )
    return [Reading(part, numbers) for part in possible if numbers is not None]


def add(dates: pd.DatetimeIndex, reading: Reading) -> pd.DatetimeIndex:
    """(N,) the dates completed by a reading of another column; NaT where this gives no date."""
    if reading.part not in PERIODS:
        return dates + pd.to_timedelta(np.round(reading.numbers * 60), unit="s").astype("timedelta64[s]")
    codes, distinct = pd.factorize(np.asarray(dates.year) * 1000 + reading.numbers)
    starts = [_start(int(code) // 1000, int(code) % 1000, reading.part) for code in distinct]
    return pd.DatetimeIndex(starts).take(codes)


def _start(year: int, number: int, part: str) -> pd.Timestamp:
    """The first day of a half year, quarter, month or ISO week of a year, or a day of the year."""
    try:
        if part == "day of year":
            day = pd.Timestamp(year, 1, 1) + pd.Timedelta(days=number - 1)
            return day if day.year == year else pd.NaT
        if part == "week":
            return pd.Timestamp(datetime.date.fromisocalendar(year, number, 1))
        months = 12 // PERIODS[part]
        return pd.Timestamp(year, months * (number - 1) + 1, 1)
    except ValueError:  # week 53 of a year that has 52
        return pd.NaT


def _is_text(column: pd.Series) -> bool:
    return bool(pd.api.types.infer_dtype(column, skipna=True) == "string")


def _numbers(column: pd.Series) -> np.ndarray | None:
    """A column of whole numbers as (N,) float64; else None."""
    is_number = pd.api.types.is_numeric_dtype(column)
    if len(column) == 0 or pd.api.types.is_bool_dtype(column) or not (is_number or _is_digits(column.iloc[0])):
        return None  # most columns are no numbers, which the first cell says
    if not is_number and _is_text(column) and not column.str.fullmatch(r"\s*\d{1,6}\s*").all():
        return None
    try:
        numbers = pd.to_numeric(column, errors="raise").to_numpy(np.float64, na_value=np.nan)
    except (ValueError, TypeError):
        return None
    return np.asarray(numbers) if (numbers == np.round(numbers)).all() else None


def _is_digits(cell: object) -> bool:
    return not isinstance(cell, str) or cell.strip().isdecimal()


def _within(numbers: np.ndarray, least: float, most: float) -> bool:
    return len(numbers) > 0 and bool(((numbers >= least) & (numbers <= most)).all())
