"""Exclusion: the series with errors, and their repaired values for a naive forecast.

Letters: N rows of all series, S series, R rows with an error.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError, RowError
from gatewise.series.frequency import grid, most_steps, tick_count
from gatewise.series.panel import ExcludedSeries, Series
from gatewise.series.reading.rows import Rows, Stack
from gatewise.series.values import LARGEST
from gatewise.series.wording import FEW

ON_BAD = ("raise", "skip", "naive")
T = TypeVar("T")


class Reason(str):
    """Why a series is excluded: the message of its error."""

    __slots__ = ()


class LeftOut(Reason):
    """Why a series without an error is left out on request; it gets no naive forecast either."""

    __slots__ = ()


@dataclass(frozen=True)
class Exclusions:
    """The series excluded so far; immutable, so each method returns a new object.

    Attributes:
        on_bad: "raise", "skip" or "naive"; see `gatewise.read`.
        reasons: number of the series -> the first error found in it.
    """

    on_bad: str = "raise"
    reasons: Mapping[int, str] = field(default_factory=dict)

    def attempt(self, check: Callable[[], T]) -> T | Reason:
        """The result of the check of one series, or the reason to exclude it; on_bad="raise" raises the error."""
        try:
            return check()
        except DataError as error:
            if self.on_bad == "raise":
                raise
            return Reason(error)

    def attempt_rows(self, compute: Callable[[], T], series: np.ndarray) -> "tuple[T | None, Exclusions]":
        """The result and these exclusions; or None, and the exclusions extended by the series of refused rows.

        Arguments:
            compute: raises `RowError` for rows that it refuses.
            series: (N,) the number of the series of each row.
        """
        try:
            return compute(), self
        except RowError as error:
            return None, self.with_rows(error, series[error.rows][:, None])

    def with_reasons(self, reasons: Mapping[int, str]) -> "Exclusions":
        """The exclusions extended by more series; a series keeps its first reason."""
        return replace(self, reasons={**reasons, **self.reasons}) if reasons else self

    def with_rows(self, error: RowError, series: np.ndarray) -> "Exclusions":
        """The exclusions extended by the series of refused rows; on_bad="raise" raises the error.

        Arguments:
            error: the rows and their messages.
            series: (R, n) the numbers of the series that each row belongs to.
        """
        if self.on_bad == "raise":
            raise DataError(str(error)) from None
        order = np.argsort(series, axis=None, kind="stable")
        numbers, starts = np.unique(series.ravel()[order], return_index=True)
        rows = np.split(order // series.shape[1], starts[1:])
        new = {s: at for s, at in zip(numbers.tolist(), rows, strict=True) if s not in self.reasons}
        return self.with_reasons({s: error.describe(error.rows[at]) for s, at in new.items()})

    def eligible(self, count: int) -> np.ndarray:
        """Which of `count` series have no error so far: (S,) booleans; raises `DataError` if none is left."""
        eligible = np.ones(count, bool)
        eligible[list(self.reasons)] = False
        if not eligible.any():
            first = [self.reasons[s] for s in sorted(self.reasons)[:FEW]]
            more = f"; and {count - FEW} more" if count > FEW else ""
            subject = "the only series has an error" if count == 1 else f"all {count} series have errors"
            raise DataError(f"{subject}: {'; '.join(first)}{more}")
        return eligible


def excluded_series(stack: Stack, freq: str | int, exclusions: Exclusions) -> tuple[ExcludedSeries, ...]:
    """The series with errors, in order of appearance; on_bad="naive" repairs them for a naive forecast."""
    reasons = {s: exclusions.reasons[s] for s in sorted(exclusions.reasons)}
    naive = {s for s, reason in reasons.items() if exclusions.on_bad == "naive" and not isinstance(reason, LeftOut)}
    return tuple(
        ExcludedSeries(stack.names[s], reason, _repaired(stack.rows(s), freq) if s in naive else None)
        for s, reason in reasons.items()
    )


def _repaired(rows: Rows, freq: str | int) -> Series | None:
    """The last known value at each date of the calendar, for a naive forecast; None if there is no value.

    Rows are sorted by date, only the last of duplicates is used, and infinite or huge values count as missing.
    """
    known = pd.Series(np.where(np.abs(rows.y) <= LARGEST, rows.y, np.nan), index=rows.ds).dropna()
    known = known[~known.index.duplicated(keep="last")].sort_index()
    if known.empty:
        return None
    span = known.index[:1].append(rows.ds[[int(rows.ds.argmax())]])
    if tick_count(span, freq) > most_steps(len(rows.ds)):  # a stray date makes the calendar this long
        return Series(rows.unique_id, known.index[-1:], known.to_numpy()[-1:])
    calendar = grid(span, freq)
    if not len(calendar):
        return None
    y = known.reindex(calendar, method="ffill").to_numpy(np.float64)
    filled = ~calendar.isin(known.index)
    return Series(rows.unique_id, calendar, y, filled if filled.any() else None)
