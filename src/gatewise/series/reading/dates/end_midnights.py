"""End midnights: 00:00 after the last time of the same day, which is the midnight that ends the day.

Letters: N rows.
"""

import numpy as np
import pandas as pd

from gatewise.series.reading.dates.context import ReadDates
from gatewise.series.wording import format_date

EVEN = 0.9  # of the steps between rows are equal, so that the calendar is regular


def with_end_midnights(read: ReadDates, series: np.ndarray | None) -> ReadDates:
    """The dates with every midnight moved to the end of its day, if all stand there and make a regular calendar.

    Arguments:
        read: (N,) local dates in the order of the table.
        series: (N,) the series of each row; None for one series.
    """
    ds = read.ds
    if not isinstance(ds, pd.DatetimeIndex) or ds.tz is not None or len(ds) < 3:
        return read
    order = np.arange(len(ds)) if series is None else np.argsort(series, kind="stable")
    inside = np.ones(len(ds) - 1, bool) if series is None else np.diff(series[order]) == 0
    time = ds.to_numpy("M8[us]")[order]
    days = time.astype("M8[D]")
    ends = np.append(False, inside & (days[1:] == days[:-1]) & (time[1:] < time[:-1])) & (time == days)
    if not ends.any():
        return read
    moved = _moved(time, ends)
    steps = np.diff(moved)[inside]
    usual = pd.Series(steps).mode()[0].to_timedelta64().astype("m8[us]")
    first = np.append(True, ~inside)[:-1] & (time[:-1] == days[:-1])  # the end of the day before the first
    ends[:-1] |= first & inside & (np.diff(moved) == np.timedelta64(1, "D") + usual)
    moved = _moved(time, ends)
    steps = np.diff(moved)[inside]
    if (ends != (time == days)).any() or (steps < np.timedelta64(0)).any() or (steps == usual).mean() < EVEN:
        return read
    row = int(ends.argmax())
    result = np.empty_like(moved)
    result[order] = moved
    date = format_date(pd.Timestamp(moved[row]))
    guess = f"{read.guess or 'dates: as written'}; 00:00 after the last time of a day read as its end, first {date}"
    return ReadDates(pd.DatetimeIndex(result, name=ds.name), guess)


def _moved(time: np.ndarray, ends: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(ends, time + np.timedelta64(1, "D"), time))
