"""Calendar dates: years, months, days, weeks and times of day in arrays as dates.

Letters: N cells. Every array is (N,) or a number; a combination that is no date, such as 30 February, becomes NaT.
"""

import numpy as np

EPOCH = 1970
NAT = np.datetime64("NaT", "us")
YEARS = (1000, 2999)  # of dates that are read


def month_days(year: np.ndarray, month: np.ndarray | int = 1, day: np.ndarray | int = 1) -> np.ndarray:
    """Dates by year, month and day.

    >>> month_days(np.array([2020, 2021]), 2, 29).astype("M8[D]").tolist()
    [datetime.date(2020, 2, 29), None]
    """
    (year, month, day), valid = _integers(year, month, day)
    valid &= (year >= YEARS[0]) & (year <= YEARS[1]) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = np.where(valid, (year - EPOCH) * 12 + month - 1, 0).astype("M8[M]")
    dates = months.astype("M8[D]") + np.where(valid, day - 1, 0)
    return _where(valid & (dates.astype("M8[M]") == months), dates)


def year_days(year: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Dates by year and day of the year, from 1.

    >>> year_days(np.array([2020, 2021]), np.array([366, 366])).astype("M8[D]").tolist()
    [datetime.date(2020, 12, 31), None]
    """
    (whole, number), valid = _integers(year, day)
    first = month_days(np.where(valid, whole, 0))
    valid &= ~np.isnat(first) & (number >= 1)
    dates = np.where(valid, first, np.datetime64(0, "us")).astype("M8[D]") + np.where(valid, number - 1, 0)
    return _where(valid & (dates.astype("M8[Y]") == first.astype("M8[Y]")), dates)


def week_days(year: np.ndarray, week: np.ndarray, weekday: np.ndarray | int = 1) -> np.ndarray:
    """Dates by year, ISO week and day of the week, from Monday = 1.

    >>> week_days(np.array([2018, 2020, 2021]), np.array([1, 53, 53])).astype("M8[D]").tolist()
    [datetime.date(2018, 1, 1), datetime.date(2020, 12, 28), None]
    """
    (whole, number, day), valid = _integers(year, week, weekday)
    fourth = month_days(np.where(valid, whole, 0), 1, 4)  # always in week 1
    valid &= ~np.isnat(fourth) & (number >= 1) & (number <= 53) & (day >= 1) & (day <= 7)
    fourth = np.where(valid, fourth, np.datetime64(0, "us")).astype("M8[D]")
    monday = fourth - (fourth.astype(np.int64) + 3) % 7 + np.where(valid, 7 * (number - 1), 0)
    thursday = monday + 3  # its year is that of the week
    return _where(valid & (thursday.astype("M8[Y]") == fourth.astype("M8[Y]")), monday + np.where(valid, day - 1, 0))


def quarters(year: np.ndarray, quarter: np.ndarray) -> np.ndarray:
    """First days of quarters."""
    return month_days(year, 3 * quarter - 2)


def halves(year: np.ndarray, half: np.ndarray) -> np.ndarray:
    """First days of half years."""
    return month_days(year, np.where((half == 1) | (half == 2), 6 * half - 5, np.nan))


def time_of_day(
    hour: np.ndarray, minute: np.ndarray | int = 0, second: np.ndarray | int = 0, micro: np.ndarray | int = 0
) -> np.ndarray:
    """Times of day as time since midnight; 24:00 is the midnight after the day.

    >>> time_of_day(np.array([18, 24, 25]), 0).astype("m8[h]").tolist()
    [datetime.timedelta(seconds=64800), datetime.timedelta(days=1), None]
    """
    (hour, minute, second, micro), valid = _integers(hour, minute, second, micro)
    valid &= (hour >= 0) & (minute >= 0) & (minute < 60) & (second >= 0) & (second < 60)
    valid &= (hour < 24) | ((hour == 24) & (minute == 0) & (second == 0))
    moments = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro
    return np.asarray(np.where(valid, moments.astype("m8[us]"), np.timedelta64("NaT")))


def _integers(*parts: np.ndarray | int) -> tuple[list[np.ndarray], np.ndarray]:
    """The parts as integers of one shape, and where all of them are whole numbers."""
    floats = np.broadcast_arrays(*(np.asarray(part, np.float64) for part in parts))
    valid = np.all([np.isfinite(part) & (part == np.round(part)) & (np.abs(part) < 1e9) for part in floats], axis=0)
    return [np.where(valid, part, 0).astype(np.int64) for part in floats], valid


def _where(valid: np.ndarray, dates: np.ndarray) -> np.ndarray:
    return np.where(valid, dates.astype("M8[us]"), NAT)
