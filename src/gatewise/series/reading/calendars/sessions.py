"""Sessions: rows only in some hours of the day, such as office or trading hours."""

import numpy as np
import pandas as pd

from gatewise.series.frequency import NANOSECONDS, NANOSECONDS_OF_DAY
from gatewise.series.reading.rows import Rows

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def describe_sessions(rows: Rows) -> str:
    """How regular steps pause at night, and the remedy; empty if the dates have no such pauses."""
    ds = rows.ds
    if not isinstance(ds, pd.DatetimeIndex) or len(ds) < 3:
        return ""
    day = NANOSECONDS_OF_DAY // NANOSECONDS[ds.unit]
    steps, times = np.diff(ds.asi8), np.unique((ds.tz_localize(None) if ds.tz is not None else ds).asi8 % day)
    step = int(np.gcd.reduce(steps)) if len(steps) else 0
    usual = np.median(steps)
    if not 0 < step <= usual < day or day % step or len(times) * step >= day or step != usual:
        return ""
    freq = pd.tseries.frequencies.to_offset(pd.Timedelta(step * NANOSECONDS[ds.unit], unit="ns")).freqstr
    first, last = (str(pd.Timedelta(int(time) * NANOSECONDS[ds.unit], unit="ns"))[7:12] for time in times[[0, -1]])
    days = sorted(set(ds.day_of_week))
    on_days = f", {WEEKDAYS[days[0]]} to {WEEKDAYS[days[-1]]}" if len(days) < 7 else ""
    return (
        f"the rows have steps of {freq} from {first} to {last}{on_days}, and pause in between; "
        f'pass freq="{freq}", fill="none" (--freq {freq} --fill none) to keep the other times missing, or '
        "number the rows of each series 0, 1, 2, ... in a column and pass it as time_column= (--time COL), where a day "
        f"is season={len(times)} (--season {len(times)})"
    )
