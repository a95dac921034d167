"""Date choice: which reading of a column as dates is right, by the order of its rows and the regularity of its dates.

Letters: N rows, C distinct cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.frequency import grid, infer_frequency, pandas_frequency, tick_count


class Reading(NamedTuple):
    """One way to read the distinct cells of a column.

    Attributes:
        dates: (C,) NaT where a cell cannot be read.
        time_format: the value of `time_format` that asks for this reading.
        dayfirst: whether the day stands before the month; None if the cells hold no such order.
        has_offsets: whether the cells have several UTC offsets.
    """

    dates: pd.DatetimeIndex
    time_format: str
    dayfirst: bool | None = None
    has_offsets: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every cell can be read."""
        return not self.dates.hasnans


@dataclass(frozen=True)
class Evidence:
    """What decides between readings.

    Attributes:
        codes: (N,) the distinct cell of each row, in order of appearance.
        series: (N,) the series of each row; None if unknown.
        expected: dates that the column should hold; None if unknown.
        past: (N,) whether a row holds a value, so that its date is not in the future; None if all do.
        today: the present day.
    """

    codes: np.ndarray
    series: np.ndarray | None = None
    expected: pd.Index | None = None
    past: np.ndarray | None = None
    today: pd.Timestamp | None = None

    @property
    def now(self) -> np.datetime64:
        """The present day, by the clock of the system if none is given; or the last expected date."""
        moments = [self.today or pd.Timestamp.now()]
        if isinstance(self.expected, pd.DatetimeIndex):
            moments.append(self.expected.max())
        return np.datetime64(max(moment.tz_localize(None).to_datetime64() for moment in moments), "us")

    def in_order(self, dates: np.ndarray) -> bool:
        """Whether the dates (C,) of the rows of each series never fall, or never rise."""
        rows, same = self._rows
        steps, zero = np.diff(dates[self.codes[rows]])[same], np.timedelta64(0)
        return bool((steps >= zero).all() or (steps <= zero).all())

    @cached_property
    def _rows(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows by series, and (N - 1,) whether a row has the series of the next."""
        if self.series is None:
            return np.arange(len(self.codes)), np.ones(max(len(self.codes) - 1, 0), bool)
        rows = np.argsort(self.series, kind="stable")
        return rows, np.diff(self.series[rows]) == 0

    @cached_property
    def longest(self) -> np.ndarray | None:
        """The distinct cells of the series with the most rows; None if there is one series."""
        if self.series is None or not len(self.series):
            return None
        lengths = np.bincount(self.series)
        if lengths.max() == len(self.series):
            return None
        return np.unique(self.codes[self.series == lengths.argmax()])

    def missing_share(self, dates: pd.DatetimeIndex) -> float | None:
        """`missing_share` of all dates (C,), else of those of the longest series."""
        share = missing_share(dates)
        return missing_share(dates[self.longest]) if share is None and self.longest is not None else share

    def only(self, cells: np.ndarray) -> "Evidence":
        """The evidence of the rows with these distinct cells (C,), numbered anew."""
        rows = cells[self.codes]
        number = np.cumsum(cells) - 1
        series, past = (None if each is None else each[rows] for each in (self.series, self.past))
        return replace(self, codes=number[self.codes[rows]], series=series, past=past)

    def past_cells(self, count: int) -> np.ndarray:
        """(C,) whether a distinct cell stands in a row that holds a value; all do if no row does."""
        if self.past is None or not self.past.any():
            return np.ones(count, bool)
        return np.bincount(self.codes[self.past], minlength=count) > 0


def missing_share(dates: pd.DatetimeIndex) -> float | None:
    """The number of dates of the calendar, from first to last, per date present; None for irregular dates."""
    distinct = dates.dropna().unique().sort_values()
    freq = infer_frequency(distinct)
    if not isinstance(freq, str):
        return None
    return max(tick_count(distinct, freq) or len(grid(distinct, freq)), len(distinct)) / len(distinct)


def possible(readings: Sequence[Reading], evidence: Evidence) -> list[Reading]:
    """The complete readings that the data leave possible, of those that differ; a single one is right.

    The right one holds the expected dates; else only it is regular without gaps; else it is regular, or in order, and
    no other one is.
    """
    distinct = [
        reading
        for i, reading in enumerate(readings)
        if not any(reading.dates.equals(earlier.dates) for earlier in readings[:i])
    ]
    distinct = as_expected(distinct, evidence)
    if len(distinct) < 2:
        return distinct
    for cells in (slice(None), evidence.longest):
        if cells is not None and (whole := [reading for reading in distinct if _is_whole(reading.dates[cells])]):
            return whole
    regular = np.array([evidence.missing_share(reading.dates) is not None for reading in distinct])
    scores = regular + np.array([evidence.in_order(reading.dates.to_numpy()) for reading in distinct], int)
    return [reading for reading, score in zip(distinct, scores, strict=True) if score == scores.max()]


def _is_whole(dates: pd.DatetimeIndex) -> bool:
    """Whether dates are regular without gaps."""
    return pandas_frequency(dates.unique().sort_values()) is not None


def as_expected(readings: list[Reading], evidence: Evidence) -> list[Reading]:
    """The readings that hold most of the expected dates; all readings if none holds one."""
    if not isinstance(evidence.expected, pd.DatetimeIndex) or len(readings) < 2:
        return readings
    expected = evidence.expected.tz_localize(None)
    held = [int(reading.dates.tz_localize(None).isin(expected).sum()) for reading in readings]
    return [reading for reading, count in zip(readings, held, strict=True) if count == max(held)]
