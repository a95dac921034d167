"""Strays: one date far from all others, such as the year 2204 instead of 2024."""

import numpy as np

from gatewise.series.frequency import as_integers
from gatewise.series.reading.rows import Rows
from gatewise.series.wording import format_date

FEWEST = 5  # dates, of which one can be called far off
FAR = 100  # usual steps between such a date and the others; a weekend has fewer hours


def describe_stray(rows: Rows) -> str:
    """The message about a first or last date that is farther from the others than these span; empty if there is none.

    The rows may be in any order.
    """
    if len(rows.ds) < FEWEST:
        return ""
    time = as_integers(rows.ds).astype(np.float64)
    order = np.argsort(time, kind="stable")
    usual = np.median(np.diff(time[order]))
    for stray, near, far in ((order[-1], order[-2], order[0]), (order[0], order[1], order[-1])):
        if abs(time[stray] - time[near]) > max(abs(time[near] - time[far]), FAR * usual):
            first, last = sorted((near, far), key=lambda i: time[i])
            return (
                f"{rows.where(int(stray))}: {format_date(rows.ds[stray])} is far from the other "
                f"{len(rows.ds) - 1} dates, {format_date(rows.ds[first])} to {format_date(rows.ds[last])}; correct the "
                "date or remove the row"
            )
    return ""
