"""Century: two-digit years as years, decided by all years of a column.

Letters: C distinct cells.
"""

from collections.abc import Callable

import numpy as np

from gatewise.series.reading.dates.arrays import month_days
from gatewise.series.reading.dates.choice import Evidence

LEAST_WRAPPED = 3  # years from which a turn of the century is recognized
AHEAD = np.timedelta64(366, "D")  # the end of a period that has begun may be so far in the future


def with_century(short: np.ndarray, dates_in: Callable[[np.ndarray], np.ndarray], evidence: Evidence) -> np.ndarray:
    """The dates of two-digit years: in order of the rows if possible, and the latest that are not in the future.

    Years such as 98, 99, 00, 01 run across the turn of a century: the years of a column span less than a hundred.

    Arguments:
        short: (C,) years from 0 to 99; NaN if a cell cannot be read.
        dates_in: function from years (C,) to dates.
        evidence: the rows and the present day.

    >>> from gatewise.series.reading.dates.arrays import month_days
    >>> dates = with_century(np.array([99, 0]), month_days, Evidence(np.arange(2)))
    >>> dates.astype("M8[Y]").astype(str).tolist()
    ['1999', '2000']
    """
    known = np.isfinite(short)
    if not known.any():
        return dates_in(short)
    readings = [_latest(start, short, dates_in, evidence) for start in _starts(short[known])]
    ordered = (dates for dates in readings if evidence.only(known).in_order(dates[known]))
    return next(ordered, readings[0])


def wrapped_years(short: np.ndarray, evidence: Evidence) -> np.ndarray | None:
    """The dates of consecutive two-digit years that run across the turn of a century; None for other numbers.

    Arguments:
        short: (C,) distinct numbers in the order of the rows.
        evidence: the rows and the present day.

    >>> wrapped_years(np.array([98.0, 99, 0, 1]), Evidence(np.arange(4))).astype("M8[Y]").astype(str).tolist()
    ['1998', '1999', '2000', '2001']
    >>> wrapped_years(np.array([0.0, 1, 2]), Evidence(np.arange(3))) is None
    True
    """
    if len(short) < LEAST_WRAPPED or not ((short >= 0) & (short < 100)).all():
        return None
    is_consecutive = (np.diff(short) % 100 == 1).all()
    return with_century(short, month_days, evidence) if is_consecutive and (np.diff(short) < 0).any() else None


def _starts(short: np.ndarray) -> list[int]:
    """The possible first years: after the longest gap between years, the smallest, and that of the first row."""
    years = np.unique(short).astype(int)
    gaps = np.diff(np.append(years, years[0] + 100))
    after = int(years[(int(gaps.argmax()) + 1) % len(years)])
    return list(dict.fromkeys((after, int(years[0]), int(short[0]))))


def _latest(
    start: int, short: np.ndarray, dates_in: Callable[[np.ndarray], np.ndarray], evidence: Evidence
) -> np.ndarray:
    """The dates from a first year on, in the latest century that is not in the future."""
    since = start + (short - start) % 100
    readings = [dates_in(century + since) for century in (2000, 1900, 1800, 1700)]
    past = evidence.past_cells(len(short))
    return next((dates for dates in readings if _is_past(dates[past], evidence.now)), readings[-1])


def _is_past(dates: np.ndarray, now: np.datetime64) -> bool:
    dates = dates[~np.isnat(dates)]
    if not len(dates):
        return False
    past = dates <= now
    return bool(past.all() or (past.mean() >= 0.5 and dates.max() <= now + AHEAD))
