"""Daylight saving: the hour that local times repeat in autumn or skip in spring, and columns of names of time zones.

Letters: N rows.
"""

import numpy as np
import pandas as pd

from gatewise.series.wording import format_date

LATEST = 3  # hour of the night in which clocks change
SAME_CHANGE = pd.Timedelta(days=300)  # between two nights of one kind at least
ZONES = frozenset(
    (
        *("UTC", "GMT", "BST", "WET", "WEST", "CET", "CEST", "MEZ", "MESZ", "EET", "EEST", "MSK", "IST"),
        *("EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "AEST", "AEDT", "ACST", "ACDT", "NZST", "NZDT"),
    )
)


def holds_zones(column: pd.Series) -> bool:
    """Whether every cell of a column is the name of a time zone.

    >>> holds_zones(pd.Series(["CEST", "CET"])), holds_zones(pd.Series(["north", "CET"]))
    (True, False)
    """
    first = column.iloc[0] if len(column) else None
    return isinstance(first, str) and first.strip() in ZONES and set(column.dropna().unique()) <= ZONES


def _in_nights(ds: pd.Index) -> bool:
    """Whether local times are in the night of a Sunday in each year, at most one hour of each."""
    if not isinstance(ds, pd.DatetimeIndex) or ds.tz is not None or not len(ds):
        return False
    if not ((ds.day_of_week == 6) & (ds.hour <= LATEST)).all():
        return False
    spans = pd.Series(ds).groupby(ds.normalize()).agg(["min", "max"])
    rare = bool((np.diff(np.sort(spans.index)) >= SAME_CHANGE).all())
    return rare and bool((spans["max"] - spans["min"] < pd.Timedelta(hours=1)).all())


def repeated_hour(ds: pd.Index) -> str | None:
    """The remedy for dates (N,) that repeat because daylight-saving time ended; None for other repeats."""
    repeats = ds[ds.duplicated()]
    if not _in_nights(repeats) or repeats.has_duplicates or _step(ds) > pd.Timedelta(hours=1):
        return None
    if len(repeats) * _step(ds) < pd.Timedelta(hours=1) * repeats.normalize().nunique():
        return None  # only a part of the hour
    date = format_date(repeats[0])
    return (
        f"daylight-saving time ended in this night, so that local time has the hour twice; write every date with its "
        f'UTC offset, such as {date}+02:00 and {date}+01:00, or take the average with aggregate="mean" '
        "(--aggregate mean), not the sum"
    )


def _step(ds: pd.DatetimeIndex) -> pd.Timedelta:
    return pd.Timedelta(np.median(np.diff(np.unique(ds.to_numpy("M8[us]")))))


def skipped_hour(absent: pd.Index, calendar: pd.Index) -> str:
    """The cause of missing dates that are only hours skipped by daylight-saving time; empty for others."""
    is_hour = _in_nights(absent) and _step(calendar) <= pd.Timedelta(hours=1)
    return ", the hour that daylight-saving time skips in local time" if is_hour else ""
