"""Time formats: cells as dates in the format that the caller names.

Letters: C distinct cells.
"""

import re

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.dates.arrays import month_days
from gatewise.series.reading.dates.century import with_century
from gatewise.series.reading.dates.choice import Evidence
from gatewise.series.reading.dates.digits import SERIALS, UNIX, of_form
from gatewise.series.reading.dates.formats import text_readings
from gatewise.series.reading.dates.two_numbers import quarters_of, weeks_of

INTEGER = "integer"
NAMED = (INTEGER, "year", "quarter", "week", "decimal year", *SERIALS, *UNIX)
_DIGITS = {"Y": 4, "G": 4, "j": 3, **dict.fromkeys("ymdHMSVWU", 2)}


def check_time_format(time_format: str) -> None:
    """Refuse a format that is neither a named one nor one of strptime.

    Raises:
        DataError: listing the named formats.
    """
    if time_format in NAMED or re.search("%[a-zA-Z]", time_format):
        return
    raise DataError(
        f"time_format={time_format!r}: expected a format such as '%d.%m.%Y', or one of {', '.join(NAMED)} "
        "(--time-format)"
    )


def in_format(cells: pd.Series, time_format: str, evidence: Evidence) -> pd.DatetimeIndex:
    """Distinct cells (C,), text or numbers, as dates in a format; NaT for those of another form."""
    if "%" in time_format:
        return _strptime(cells, time_format, evidence)
    two_numbers = {"quarter": quarters_of, "week": weeks_of}.get(time_format)
    if two_numbers is not None and not pd.to_numeric(cells, errors="coerce").mod(1).eq(0).any():
        dated = two_numbers(cells)
        if dated is not None:
            return dated
    values = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
    known = np.isfinite(values)
    dates = np.full(len(cells), np.datetime64("NaT"), "M8[us]")
    if known.any():
        dates[known] = of_form(values[known], time_format)
    elif time_format in ("quarter", "week"):
        readings = [reading.dates for reading in text_readings(cells, evidence) if reading.time_format == time_format]
        return max(readings, key=lambda reading: int(reading.notna().sum()), default=pd.DatetimeIndex(dates))
    return pd.DatetimeIndex(dates)


def _strptime(cells: pd.Series, time_format: str, evidence: Evidence) -> pd.DatetimeIndex:
    texts = cells if isinstance(cells.iloc[0], str) else _digits(cells, time_format)
    for directive, weekday, first in (("[GV]", "u", "1"), ("W", "w", "1"), ("U", "w", "0")):
        if re.search(f"%{directive}", time_format) and not re.search(r"%[uwaA]", time_format):
            time_format, texts = f"{time_format} %{weekday}", texts + f" {first}"
    zoned = "%z" in time_format.lower()
    try:
        dates = pd.to_datetime(texts, format=time_format, errors="coerce", utc=zoned)
    except ValueError as reason:
        raise DataError(f"time_format={time_format!r} is not a format of dates: {reason} (--time-format)") from None
    index = pd.DatetimeIndex(dates)
    return _with_century(index, evidence) if "%y" in time_format else index


def _with_century(dates: pd.DatetimeIndex, evidence: Evidence) -> pd.DatetimeIndex:
    """Dates of two-digit years in the century that the order of the rows decides."""
    local = dates.tz_localize(None)
    month, day = local.month.to_numpy(np.float64), local.day.to_numpy(np.float64)
    short = local.year.to_numpy(np.float64) % 100
    moved = with_century(short, lambda year: month_days(year, month, day), evidence)
    return pd.DatetimeIndex(moved + (local - local.normalize()).to_numpy()).tz_localize(dates.tz)


def _digits(cells: pd.Series, time_format: str) -> pd.Series:
    """Numbers as text of the width of the format: 12020 is 012020 as %m%Y, and 2020.1 is 2020.10 as %Y.%m."""
    if re.fullmatch(r"(%[a-zA-Z])+\.(%[a-zA-Z])+", time_format):
        whole, decimals = (_width(part) for part in time_format.split("."))
        return cells.map(lambda cell: f"{cell:0{whole + 1 + decimals}.{decimals}f}")
    whole = _width(time_format)
    return cells.map(lambda cell: f"{cell:0{whole}.0f}" if cell == round(cell) else f"{cell}")


def _width(time_format: str) -> int:
    return sum(_DIGITS.get(letter, 0) for letter in re.findall("%([a-zA-Z])", time_format))
