"""Swapped dates: days up to 12 that a spreadsheet has read as months, beside dates as they were written."""

import numpy as np
import pandas as pd

from gatewise.series.frequency import infer_frequency
from gatewise.series.reading.rows import Rows
from gatewise.series.wording import format_date

LAST_MONTH = 12


def describe_swapped(rows: Rows) -> str | None:
    """Why dates are not in order, if they are with day and month of some exchanged; None for others."""
    ds = rows.ds
    if not isinstance(ds, pd.DatetimeIndex) or ds.is_monotonic_increasing:
        return None
    is_swapped = (ds.day <= LAST_MONTH) & (ds.day != ds.month)
    if not is_swapped.any() or is_swapped.all():
        return None
    written = _exchanged(ds, is_swapped)
    if not (written.is_monotonic_increasing and written.is_unique) or infer_frequency(written) is None:
        return None
    later = int(np.argmax(ds[1:] < ds[:-1])) + 1
    first = int(is_swapped.argmax())
    return (
        f"{rows.where(later)}: {format_date(ds[later])} comes after {format_date(ds[later - 1])}, but the dates are in "
        f"order if day and month are exchanged where the day is at most 12, as in {format_date(ds[first])}, which is "
        f"then {format_date(written[first])}: a spreadsheet has read these days as months; write all dates in one "
        f"form, such as {written[first]:%Y-%m-%d}"
    )


def _exchanged(ds: pd.DatetimeIndex, which: np.ndarray) -> pd.DatetimeIndex:
    month, day = np.where(which, ds.day, ds.month), np.where(which, ds.month, ds.day)
    days = pd.to_datetime({"year": ds.year, "month": month, "day": day})
    return pd.DatetimeIndex(days) + (ds.tz_localize(None) - ds.tz_localize(None).normalize())
