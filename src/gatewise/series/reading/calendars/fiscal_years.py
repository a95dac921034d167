"""Fiscal years: rows whose years begin in another month than January, so that their dates seem to be out of order.

In file order such rows are regular: the months of each year run from April to March, for example. Sorting them by year
and month would put January to March of one fiscal year before the nine months that precede them.
"""

import calendar

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.frequency import infer_frequency, pandas_frequency
from gatewise.series.reading.rows import Rows
from gatewise.series.wording import format_date

YEAR = 12  # months
FEWEST_FALLS = 2  # years with such months; one is enough if the dates then have no gaps in a whole year


def describe_fiscal_years(rows: Rows) -> str:
    """The message about rows in the order of fiscal years, with both meanings of the year; empty for others."""
    if not isinstance(rows.ds, pd.DatetimeIndex) or len(rows.ds) < 3:
        return ""
    ds = rows.ds.tz_localize(None)
    months = ds.month.to_numpy()
    for step in (1, -1):
        start = next((month for month in np.unique(months)[1:] if _is_start(ds[::step], int(month))), None)
        if start is not None:
            back = np.diff(ds.asi8) * step < 0
            return _message(rows, int(back.argmax()) + 1, int(start), int(months[months < start].max()))
    return ""


def from_start(ds: pd.DatetimeIndex, start: int) -> pd.DatetimeIndex:
    """Dates of the calendar if their years are those in which fiscal years start.

    >>> from_start(pd.DatetimeIndex(["2013-12-01", "2013-01-01"]), 4).year.tolist()
    [2013, 2014]
    """
    return _moved(ds, np.where(ds.month < start, 1, 0))


def from_end(ds: pd.DatetimeIndex, start: int) -> pd.DatetimeIndex:
    """Dates of the calendar if their years are those in which fiscal years end."""
    return _moved(ds, np.where(ds.month < start, 0, -1))


def _moved(ds: pd.DatetimeIndex, years: np.ndarray) -> pd.DatetimeIndex:
    local = ds.to_numpy().astype("M8[us]")
    months = local.astype("M8[M]")
    return pd.DatetimeIndex((months + YEAR * years.astype("m8[M]")).astype("M8[us]") + (local - months))


def _is_start(ds: pd.DatetimeIndex, start: int) -> bool:
    """Whether dates in file order are in order and regular if their years start in this month, and only then."""
    moved = from_start(ds, start)
    steps = np.diff(moved.asi8)
    if not (steps > 0).all():
        return False
    falls = int((np.diff(ds.asi8) < 0).sum())
    if falls >= FEWEST_FALLS:
        return infer_frequency(moved) is not None
    months = moved.year * YEAR + moved.month
    return falls == 1 and months[-1] - months[0] >= YEAR - 3 and pandas_frequency(moved) is not None  # four quarters


def _message(rows: Rows, later: int, start: int, end: int) -> str:
    first, last = calendar.month_name[start], calendar.month_name[end]
    ds = rows.ds[:1].tz_localize(None)
    starts, ends = (format_date(dates[0]) for dates in (from_start(ds, start), from_end(ds, start)))
    return (
        f"{rows.where(later)}: {format_date(rows.ds[later])} comes after {format_date(rows.ds[later - 1])}, because "
        f"the months of each year run from {first} to {last}, as in fiscal years; write the calendar year of each "
        f"date: {starts} in the first row if a fiscal year is named after the year in which it starts, or {ends} if "
        "after that in which it ends"
    )


def refuse_fiscal_years(late: list[Rows]) -> None:
    """Refuse a table whose series out of order (some of them) all have the order of fiscal years.

    The whole table is refused: series with rows in order have the same years.
    """
    messages = [describe_fiscal_years(rows) for rows in late]
    if all(messages):
        raise DataError(messages[0])
