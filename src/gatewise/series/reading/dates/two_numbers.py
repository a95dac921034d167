"""Two numbers: cells such as 2001/02, which are seasons, or 2001-1 and 2001-13, which may be quarters and weeks.

Letters: C distinct cells.
"""

import re

import numpy as np
import pandas as pd

from gatewise.series.reading.dates.arrays import month_days, quarters, week_days
from gatewise.series.reading.dates.century import with_century
from gatewise.series.reading.dates.choice import Evidence, Reading, missing_share
from gatewise.series.reading.dates.joined_time import NAMES

SEASON = "season"  # the form of a reading
LEAST_SEASONS = 3
_SEASON = r"(\d{4}|\d\d(?=\D+\d\d$)) ?[-/–] ?(\d{4}|\d\d)"
QUARTER = "quarter"
_QUARTER = r"(\d{4})[-/.]([1-4])"
LEAST_QUARTERS = 5  # in a row: 2001-1 to 2001-4 are months
MOST_GAPS = 1.1  # weeks of the calendar per cell such as 2017-13; some write 52 weeks in every year
_WEEK_NAMES = frozenset((*NAMES["week"].split(), "calendarweek", "weeks", "wochen"))
_WEEKS = (  # pattern of the year and the week, or the other way round; their formats, s for the separator
    (re.compile(r"(?P<y>\d{4})(?P<s>[-/. ]?)(?P<w>\d{1,2})"), "%Ys%m", "%Gs%V"),
    (re.compile(r"(?P<w>\d{1,2})(?P<s>[-/ ])(?P<y>\d{4})"), "%ms%Y", "%Vs%G"),
    (re.compile(r"(?P<w>\d{1,2})(?P<s>\.)(?P<y>\d{3,4})"), "%ms%Y", "%Vs%G"),  # 53.202 is 53.2020
)


def season_reading(cells: pd.Series, evidence: Evidence) -> Reading | None:
    """Distinct cells (C,) as the first year of each season, if every second year follows the first; else None.

    >>> season_reading(pd.Series(["1998/99", "1999/00", "2000/01"]), Evidence(np.arange(3))).dates.year.tolist()
    [1998, 1999, 2000]
    """
    if len(cells) == 0 or re.fullmatch(_SEASON, cells.iloc[0]) is None:
        return None
    parts = cells.str.extract(f"^{_SEASON}$")
    if parts.isna().any(axis=None):
        return None
    years, second = (part.astype(np.int64).to_numpy() for part in (parts[0], parts[1]))
    if (second % 100 != (years + 1) % 100).any():
        return None
    is_short = parts[0].str.len().to_numpy() == 2
    if is_short.any() and not (is_short.all() and not _may_be_months(years, second)):
        return None
    dates = pd.DatetimeIndex(with_century(years * 1.0, month_days, evidence) if is_short.all() else month_days(years))
    known = isinstance(evidence.expected, pd.DatetimeIndex) and dates.isin(evidence.expected).all()
    return Reading(dates, SEASON) if len(dates.unique()) >= LEAST_SEASONS or known else None


def _may_be_months(*parts: np.ndarray) -> bool:
    """Whether all cells such as 01/02 can be a month and a year, in either order."""
    return any(bool(((part >= 1) & (part <= 12)).all()) for part in parts)


def quarter_reading(cells: pd.Series) -> Reading | None:
    """Distinct cells (C,) such as 2001-1 or 2001.1 as quarters, if 1 to 4 follow each other in each year; else None.

    >>> quarter_reading(pd.Series([2001.1, 2001.2, 2001.3, 2001.4, 2002.1])).dates.month.tolist()
    [1, 4, 7, 10, 1]
    """
    dates = quarters_of(cells)
    if len(cells) < LEAST_QUARTERS or dates is None or missing_share(dates) != 1:
        return None
    return Reading(dates, QUARTER)


def quarters_of(cells: pd.Series) -> pd.DatetimeIndex | None:
    """Cells (C,) such as 2001-1 or 2001.1 as quarters; None if one has another form."""
    if pd.api.types.is_numeric_dtype(cells):
        cells = cells.map(lambda cell: f"{cell:.6f}".rstrip("0"))
    if len(cells) == 0 or re.fullmatch(_QUARTER, cells.iloc[0]) is None:
        return None
    parts = cells.str.extract(f"^{_QUARTER}$")
    if parts.isna().any(axis=None):
        return None
    return pd.DatetimeIndex(quarters(*(parts[part].to_numpy(np.float64) for part in (0, 1))))


def weeks_of(cells: pd.Series) -> pd.DatetimeIndex | None:
    """Cells (C,) such as 2017-13 or 13/2017 as weeks; None if one has another form."""
    if pd.api.types.is_numeric_dtype(cells) and (cells >= 1000).all():
        cells = cells.map(lambda cell: f"{cell:.2f}")  # 2017.1 is week 10
    readings = _as_months_and_weeks(cells)
    return readings[1].dates if readings and readings[1].is_complete else None


def is_named_week(name: object) -> bool:
    """Whether a word of the name of a column says that it holds weeks."""
    return not _WEEK_NAMES.isdisjoint(re.split(r"[\W\d_]+", str(name).lower()))


def week_readings(cells: pd.Series, name: object) -> list[Reading]:
    """Cells (C,) of a column named after weeks as months and as weeks of years.

    In other columns only weeks in a row of which some have a number above 12, such as 2017-13; empty for others.
    """
    if is_named_week(name):
        return [reading for reading in _as_months_and_weeks(cells) if reading.is_complete]
    if len(cells) == 0 or not isinstance(cells.iloc[0], str) or cells.iloc[0].isdecimal():
        return []
    readings = _as_months_and_weeks(cells)
    if not readings or readings[0].is_complete or not readings[1].is_complete:
        return []
    share = missing_share(readings[1].dates)
    return readings[1:] if share is not None and share <= MOST_GAPS else []


def _as_months_and_weeks(cells: pd.Series) -> list[Reading]:
    """Cells (C,) of two numbers as months and as weeks of years, NaT for those that are none; empty for others."""
    if len(cells) == 0:
        return []
    cells = _as_text(cells)
    for pattern, *formats in _WEEKS:
        if pattern.fullmatch(cells.iloc[0]) is None:  # as in most columns
            continue
        found = [pattern.fullmatch(cell) for cell in cells]
        if all(found):
            year = np.array([float(match["y"].ljust(4, "0")) for match in found if match])
            number = np.array([float(match["w"]) for match in found if match])
            separator = next(match["s"] for match in found if match)
            names = (re.sub("(?<=%[YGmV])s", separator, form) for form in formats)
            both = (month_days(year, number), week_days(year, number))
            return [Reading(pd.DatetimeIndex(dates), form) for dates, form in zip(both, names, strict=True)]
    return []


def _as_text(cells: pd.Series) -> pd.Series:
    """Numbers as text: 202001, or 2.202 as 2.2020."""
    if not pd.api.types.is_numeric_dtype(cells):
        return cells
    whole = bool((cells == cells.round()).all())
    return cells.map(lambda cell: f"{cell:.0f}" if whole else f"{cell:.4f}")
