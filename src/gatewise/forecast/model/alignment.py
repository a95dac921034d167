"""Alignment: the values before a level shift are moved to the new level, for training and for forecasting.

The network then learns from all values, and neither it nor a baseline has to explain the jump.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gatewise.forecast.model.constant_end import constant_ends
from gatewise.forecast.model.level_shift import LevelShift, aligned_by, at_date, find_shift
from gatewise.series import DataError, Series

AUTO, NONE = "auto", "none"  # of `shift`, beside a date
MOST_SEARCHED, MOST_NAMED = 2000, 3  # series: more of them are not searched; more shifts are only counted


@dataclass(frozen=True)
class Alignment:
    """The level shifts of series.

    Attributes:
        shifts: name of a series -> the date of its first value at the new level, the values on both sides of the
            shift, and the shift.
    """

    shifts: Mapping[Any, tuple[Any, tuple[float, float], LevelShift]] = field(default_factory=dict)

    @classmethod
    def find(cls, series: Sequence[Series], season: int, shift: str | int, required: bool = False) -> "Alignment":
        """Search the series for level shifts.

        Arguments:
            series: up to the values that are known.
            season: steps of the season, 1 for none.
            shift: "auto" searches, unless there are more than 2,000 series; "none" does not; otherwise the date of a
                shift of all series that hold values on both sides of it.
            required: whether the date must lie within a series.

        Raises:
            DataError: not a date, or `required` and not within a series.
        """
        found = dict[Any, LevelShift | None]()
        if shift == AUTO and len(series) <= MOST_SEARCHED:
            at_end = constant_ends(series, np.arange(len(series)), np.array([len(one) for one in series]), season)
            moving = [one for one, value in zip(series, at_end, strict=True) if np.isnan(value)]
            found = {one.unique_id: find_shift(one.y, season, _observed(one)) for one in moving}
        elif shift not in (AUTO, NONE):
            found = {one.unique_id: _at_date(one, shift, season) for one in series}
            if required and not any(found.values()):
                at_date(series[0], shift, season)  # raises
        shifts = ((one, found.get(one.unique_id)) for one in series)
        return cls({one.unique_id: shift_of(one, shift) for one, shift in shifts if shift is not None})

    def apply(self, series: Sequence[Series]) -> list[Series]:
        """The series, aligned; other series than those that were searched stay as they are."""
        placed = [self.placed(one) for one in series] if self.shifts else [None] * len(series)
        return [one if shift is None else aligned_by(one, shift) for one, shift in zip(series, placed, strict=True)]

    def undo(self, series: Series, values: np.ndarray) -> np.ndarray:
        """Values of an aligned series, its last ones, on the original level."""
        shift = self.placed(series)
        if shift is None:
            return values
        values = values.copy()
        before = values[: max(0, shift.position - (len(series) - len(values)))]
        before[:] = before - shift.difference if shift.ratio is None else before / shift.ratio
        return values

    def placed(self, series: Series) -> LevelShift | None:
        """The shift of a series, at its place if the series starts elsewhere.

        None if there is none inside, or if the values on both sides of it differ: another series of the same name, or
        one that was corrected.
        """
        if series.unique_id not in self.shifts:
            return None
        date, values, shift = self.shifts[series.unique_id]
        same_zone = getattr(date, "tz", None) == getattr(series.ds, "tz", None)
        comparable = same_zone and isinstance(date, type(series.ds[0]))
        position = int(series.ds.searchsorted(date)) if comparable else 0
        if not 0 < position < len(series) or (series.y[position - 1], series.y[position]) != values:
            return None
        return LevelShift(position, shift.difference, shift.ratio)

    def describe(self, series: Sequence[Series]) -> tuple[str, ...]:
        """Sentences for `guesses`."""
        placed = [(one, self.placed(one)) for one in series] if self.shifts else []
        shifted = [(one, shift) for one, shift in placed if shift is not None]
        sentences = tuple(shift.description(one) for one, shift in shifted[:MOST_NAMED])
        if len(shifted) <= MOST_NAMED:
            return sentences
        return (*sentences, f"level shifts: {len(shifted)} of {len(series)} series have one")


NO_SHIFTS = Alignment()


def shift_of(series: Series, shift: LevelShift) -> tuple[Any, tuple[float, float], LevelShift]:
    """A shift of a series, as `Alignment.shifts` holds it."""
    at = shift.position
    return series.ds[at], (float(series.y[at - 1]), float(series.y[at])), shift


def _observed(series: Series) -> np.ndarray | None:
    return None if series.filled is None else ~series.filled


def _at_date(series: Series, shift: str | int, season: int) -> LevelShift | None:
    """The shift at a date; None if the series has no values on both sides of it."""
    try:
        return at_date(series, shift, season)
    except DataError:
        return None
