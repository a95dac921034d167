"""Filling: how much `fill` may invent, and why many values of a series are missing."""

from dataclasses import dataclass

import numpy as np

from gatewise.series.errors import DataError
from gatewise.series.frequency import describe_frequency
from gatewise.series.reading.calendars.series_calendars import fit, own_calendar, shell
from gatewise.series.reading.calendars.sessions import describe_sessions
from gatewise.series.reading.calendars.strays import describe_stray
from gatewise.series.reading.rows import Rows, Stack
from gatewise.series.values import FILLS


@dataclass(frozen=True)
class Fill:
    """How missing values and dates are treated.

    Attributes:
        by: how to fill; see `gatewise.read`.
        limit: the largest fraction of the values of a series that may be invented.
        freq: the calendar.
        alone: whether there is only one series.
        largest: the largest fraction of the steps of a series that has no value, or a larger number.
    """

    by: str | None
    limit: float
    freq: str | int
    alone: bool
    largest: float = 0.0

    @classmethod
    def of(cls, stack: Stack, freq: str | int, fill: str | None, limit: float) -> "Fill":
        """The treatment of the missing values of these series."""
        alone = len(stack.names) == 1
        if fill not in FILLS:
            return cls(fill, limit, freq, alone)
        on, steps = fit(stack, freq)
        values = np.bincount(stack.codes[~np.isnan(stack.y)], minlength=len(stack.names))
        largest = np.where(on, 1 - values / np.maximum(steps, 1), 0.0).max(initial=0.0)
        return cls(fill, limit, freq, alone, float(largest))

    def check(self, rows: Rows, absent: np.ndarray) -> None:
        """Refuse to invent more than the limit of the values of a series."""
        count, fraction = int(absent.sum()), float(absent.mean())
        if fraction <= self.limit:
            return
        raise DataError(
            f"{rows}: fill would invent {count} of {len(absent)} values, more than fill_limit={self.limit:.3g}; "
            f"{self.cause(rows)}; to fill anyway, pass {fill_limit_remedy(max(fraction, self.largest))}"
        )

    def cause(self, rows: Rows) -> str:
        """Why many dates of the calendar have no value, and the remedy."""
        stray, own = describe_stray(rows), own_calendar(rows, self.freq)
        if not stray and own is not None:
            return own_remedy(rows, own, self.alone)
        return (
            stray
            or describe_sessions(rows)
            or f"its values are too rare for the calendar {describe_frequency(self.freq)}: add the missing ones, or "
            "sum them to longer steps (pandas: table.resample)"
        )


def fill_limit_remedy(fraction: float) -> str:
    """The option that allows to invent a fraction of the values.

    >>> fill_limit_remedy(20 / 31)
    'fill_limit=0.65 (--fill-limit 0.65)'
    """
    limit = min(np.ceil(100 * fraction) / 100, 1.0)
    return f"fill_limit={limit:g} (--fill-limit {limit:g})"


def own_remedy(rows: Rows, freq: str | int, alone: bool) -> str:
    """The calendar that the dates of a series follow, as a remedy; `alone` if the table has no other series."""
    follows = f"its dates follow {describe_frequency(freq)}: "
    if alone:
        return f'{follows}pass freq="{freq}" (--freq {freq})'
    name = str(rows.unique_id)
    return f'{follows}read it separately, with series={name!r}, freq="{freq}" (--series {shell(name)} --freq {freq})'
