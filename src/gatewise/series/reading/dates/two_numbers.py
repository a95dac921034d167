"""Two numbers: cells such as 2001/02, which are seasons of two years, or weeks if their column is named so.

Letters: C distinct cells.
"""

import re

import numpy as np
import pandas as pd

from gatewise.series.reading.dates.arrays import month_days, week_days
from gatewise.series.reading.dates.choice import Evidence, Reading
from gatewise.series.reading.dates.joined_time import NAMES

SEASON = "season"  # the form of a reading
LEAST_SEASONS = 3
_SEASON = r"(\d{4}) ?[-/–] ?(\d{4}|\d\d)"
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
    years = parts[0].astype(np.int64).to_numpy()
    if (parts[1].astype(np.int64) % 100 != (years + 1) % 100).any():
        return None
    dates = pd.DatetimeIndex(month_days(years))
    known = isinstance(evidence.expected, pd.DatetimeIndex) and dates.isin(evidence.expected).all()
    return Reading(dates, SEASON) if len(dates.unique()) >= LEAST_SEASONS or known else None


def is_named_week(name: object) -> bool:
    """Whether a word of the name of a column says that it holds weeks."""
    return not _WEEK_NAMES.isdisjoint(re.split(r"[\W\d_]+", str(name).lower()))


def week_readings(cells: pd.Series, name: object) -> list[Reading]:
    """Cells (C,) of a column named after weeks as months and as weeks of years; empty for others."""
    if not is_named_week(name) or len(cells) == 0:
        return []
    cells = _as_text(cells)
    for pattern, *formats in _WEEKS:
        found = [pattern.fullmatch(cell) for cell in cells]
        if all(found):
            year = np.array([float(match["y"].ljust(4, "0")) for match in found if match])
            number = np.array([float(match["w"]) for match in found if match])
            separator = next(match["s"] for match in found if match)
            names = (re.sub("(?<=%[YGmV])s", separator, form) for form in formats)
            both = (month_days(year, number), week_days(year, number))
            readings = [Reading(pd.DatetimeIndex(dates), form) for dates, form in zip(both, names, strict=True)]
            return [reading for reading in readings if reading.is_complete]
    return []


def _as_text(cells: pd.Series) -> pd.Series:
    """Numbers as text: 202001, or 2.202 as 2.2020."""
    if not pd.api.types.is_numeric_dtype(cells):
        return cells
    whole = bool((cells == cells.round()).all())
    return cells.map(lambda cell: f"{cell:.0f}" if whole else f"{cell:.4f}")
