"""Level shifts: find the value from which a series runs on a new level, and align the values before it.

A network trained on both levels forecasts neither, so the earlier values are moved to the new one.

Letters: `T` values of a series, `w` size.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from gatewise.forecast.model.step_regression import best_step, step
from gatewise.series import DataError, Series
from gatewise.series.wording import format_date

LONGEST = 256  # longer series are searched in means over blocks of values, because the search is quadratic
SHORTEST = 24
SEASONS = 3  # with fewer, a season and a shift look alike
FEWEST_BEFORE, FEWEST_AFTER, FEWEST_BLOCKS = 12, 6, 3
PIECES, UNUSUAL = 16, 2.0  # earlier pieces of a long series, and how much larger than their steps a shift must be
CONSTANT = 1e-10  # in units of the largest value: a series with a smaller range counts as constant


@dataclass(frozen=True)
class LevelShift:
    """A lasting change of the level of a series.

    Attributes:
        position: index of the first value at the new level.
        difference: the new level minus the old one, in the unit of the series, at the time of the shift.
        ratio: the new level divided by the old one if season and noise scale with the level; otherwise None.
    """

    position: int
    difference: float
    ratio: float | None = None

    @property
    def multiplicative(self) -> bool:
        """Whether the season and the noise scale with the level."""
        return self.ratio is not None

    def description(self, series: Series) -> str:
        """A sentence for `guesses`.

        >>> series = Series("A", pd.date_range("2023-01-01", periods=6, freq="MS"), np.arange(6.0))
        >>> LevelShift(3, -350.0, 0.65).description(series)
        "level shift: -35 % from 2023-04-01 (series 'A'); earlier values are aligned to the new level"
        """
        size = f"{float(f'{self.difference:.3g}'):+,g}"
        if self.ratio is not None:
            percent = 100 * (self.ratio - 1)
            size = f"{percent:+,.{0 if abs(percent) >= 10 else 1}f} %"
        start = f"from {format_date(series.ds[self.position])} (series {str(series.unique_id)!r})"
        return f"level shift: {size} {start}; earlier values are aligned to the new level"


def aligned_series(series: Series, season: int) -> tuple[Series, LevelShift | None]:
    """The series with the values before a level shift moved to the new level, and the shift; unchanged without one.

    Arguments:
        series: (T,) values; those that are `filled` are no evidence.
        season: steps of the season, 1 for none.
    """
    shift = find_shift(series.y, season, None if series.filled is None else ~series.filled)
    return (series, None) if shift is None else (aligned_by(series, shift), shift)


def aligned_by(series: Series, shift: LevelShift) -> Series:
    """The series with the values before a shift moved to the new level."""
    y = aligned(series.y, shift)
    if series.filled is not None and not series.filled[: shift.position].all():
        # A gap between the levels may have been filled with values between them.
        last = int(np.flatnonzero(~series.filled[: shift.position])[-1])
        y[last : shift.position] = np.linspace(y[last], y[shift.position], shift.position - last, endpoint=False)
    return replace(series, y=y)


def aligned(y: np.ndarray, shift: LevelShift) -> np.ndarray:
    """(T,) the values, those before the shift multiplied by its ratio, or increased by its difference.

    >>> aligned(np.array([10.0, 12.0, 5.0]), LevelShift(2, -5.0, 0.5)).tolist()
    [5.0, 6.0, 5.0]
    >>> aligned(np.array([10.0, 12.0, 5.0]), LevelShift(2, -5.0)).tolist()
    [5.0, 7.0, 5.0]
    """
    result = np.array(y, dtype=np.float64)
    before = result[: shift.position]
    result[: shift.position] = before + shift.difference if shift.ratio is None else before * shift.ratio
    return result


def find_shift(y: np.ndarray, season: int, observed: np.ndarray | None = None) -> LevelShift | None:
    """The strongest level shift of a series, or None.

    Only a clear, lasting shift is returned: an outlier, a change that returns to the old level, a trend, or a step
    that is usual for the series is none. A series longer than 256 values is searched in means over
    blocks, and in its last 256 values.

    Arguments:
        y: (T,) finite values.
        season: steps of the season, 1 for none.
        observed: (T,) False for values that are filled, not observed.

    >>> noise = np.random.default_rng(0).normal(size=48)
    >>> find_shift(100 + noise - 30 * (np.arange(48) >= 36), season=1).position
    36
    >>> find_shift(100 + noise.cumsum(), season=1) is None
    True
    """
    values = _scaled(_with_last_season(np.asarray(y, dtype=np.float64), season, observed))
    position = _recent_position(values, season) if len(values) > LONGEST else None
    if position is None:
        position = _position(values, season)
    if position is None:
        return None
    if observed is not None:
        before, after = _fewest(season)
        if observed[:position].sum() < before or observed[position:].sum() < after:
            return None
    return _shift_at(np.asarray(y, dtype=np.float64), values, season, position)


def at_date(series: Series, date: Any, season: int = 1) -> LevelShift:
    """The level shift at a date that is known, with its size estimated from the values on both sides.

    Arguments:
        series: (T,) values.
        date: date of the first value at the new level, or a date between it and the one before; an integer for
            integer time.
        season: steps of the season, 1 for none.

    Raises:
        DataError: not a date, or fewer than two values before it or from it on.

    >>> series = Series("A", pd.date_range("2023-01-01", periods=6, freq="MS"), np.array([8.0, 8, 8, 6, 6, 6]))
    >>> at_date(series, "2023-04-01")
    LevelShift(position=3, difference=-2.0, ratio=None)
    """
    position = int(series.ds.searchsorted(_as_date(series, date)))
    if not 2 <= position <= len(series) - 2:
        sides = f"{position} before it and {len(series) - position} from it on"
        raise DataError(
            f"level shift at {date} in series {str(series.unique_id)!r}: expected at least 2 values on each side, got "
            f"{sides}; the series runs from {format_date(series.ds[0])} to {format_date(series.ds[-1])}"
        )
    observed = None if series.filled is None else ~series.filled
    values = _scaled(_with_last_season(series.y, season, observed))
    return _shift_at(series.y, values, season, position)


def _as_date(series: Series, date: Any) -> Any:
    """A date or integer that can be compared with those of the series."""
    try:
        if not isinstance(series.ds, pd.DatetimeIndex):
            return int(date)
        if isinstance(date, int):
            raise ValueError
        moment = pd.Timestamp(date)
        if moment is pd.NaT:
            raise ValueError
        if series.ds.tz is None:
            return moment.tz_localize(None)
        return moment.tz_localize(series.ds.tz) if moment.tz is None else moment
    except (ValueError, TypeError, OverflowError):
        kind = "a date" if isinstance(series.ds, pd.DatetimeIndex) else "an integer"
        raise DataError(
            f"level shift at {date!r}: expected {kind}, such as {format_date(series.ds[len(series) // 2])}"
        ) from None


def _with_last_season(values: np.ndarray, season: int, observed: np.ndarray | None) -> np.ndarray:
    """The values, those not observed replaced by the last one observed in the same step of the season, if any."""
    if observed is None:
        return values
    steps = np.where(observed, np.arange(len(values)), -1)
    cycles = np.pad(steps, (0, -len(steps) % season), constant_values=-1).reshape(-1, season)
    last = np.maximum.accumulate(cycles, axis=0).ravel()[: len(values)]
    return np.where(last >= 0, values[last], values)


def _scaled(values: np.ndarray) -> np.ndarray:
    """The values in units of the largest, so that squares neither overflow nor underflow."""
    largest = np.abs(values).max(initial=0.0)
    return values / largest if largest > 0 else values


def _fewest(season: int) -> tuple[int, int]:
    """The fewest values before and after a shift: a season, of a long season half."""
    after = max(FEWEST_AFTER, min(season, 24), season // 2)
    return max(FEWEST_BEFORE, season, after), after


def _block(size: int, season: int) -> int:
    """Values per block: 1, or a divisor or multiple of the season that leaves at most LONGEST blocks."""
    block = max(1, -(-size // LONGEST))
    while block % season and season % block:
        block += 1
    return block


def _block_means(values: np.ndarray, block: int, boundary: int) -> np.ndarray:
    """Means over blocks; `boundary` lies between two of them. Incomplete blocks at both ends are left out."""
    whole = values[boundary % block :]
    means: np.ndarray = whole[: len(whole) // block * block].reshape(-1, block).mean(1)
    return means


def _recent(values: np.ndarray) -> np.ndarray:
    """The values without a few of the oldest, so that many series share their noise models."""
    return values[len(values) % (4 if len(values) < 64 else 8 if len(values) < 128 else 16) :]


def _position(values: np.ndarray, season: int) -> int | None:
    """The first value of the new level, None without a shift."""
    block, (before, after) = _block(len(values), season), _fewest(season)
    if len(values) < max(before + after, SHORTEST, SEASONS * season) or not np.ptp(values) > CONSTANT:
        return None
    blocks = _recent(_block_means(values, block, len(values)))
    first, last = max(-(-before // block), FEWEST_BLOCKS), len(blocks) - max(-(-after // block), FEWEST_BLOCKS)
    # A step nearer to an end is not confirmed yet, and must not be taken for one further inside.
    shift, multiplicative = best_step(blocks, max(season // block, 1), 2, len(blocks) - 2, bool(values.min() > 0))
    if not first <= shift.position <= last or not shift.is_shift():
        return None
    position = len(values) - block * (len(blocks) - shift.position)
    return position if block == 1 else _refined(values, season, position, block, multiplicative)


def _recent_position(values: np.ndarray, season: int) -> int | None:
    """The position of a shift in the last LONGEST values, None if such steps are usual in the values before them."""
    recent = values[-LONGEST:]
    position = _position(recent, season)
    if position is None:
        return None
    shift, multiplicative = best_step(recent, season, position, position, bool(recent.min() > 0))
    position += len(values) - LONGEST
    if position < LONGEST or (multiplicative and values.min() <= 0):
        return None
    pieces = sliding_window_view(values[:position], LONGEST)[:: -LONGEST // 2][:PIECES]
    before, after = _fewest(season)
    for piece in np.log(pieces) if multiplicative else pieces:
        if abs(shift.size) < UNUSUAL * abs(step(piece, season, before, LONGEST - after).size):
            return None
    return position


def _refined(values: np.ndarray, season: int, position: int, block: int, multiplicative: bool) -> int:
    """The first value of the new level, searched value by value around the block that begins there."""
    if SEASONS * season > LONGEST:
        return position
    start = min(max(position - LONGEST // 2, 0), len(values) - LONGEST)
    near = values[start : start + LONGEST]
    first, last = max(position - 2 * block - start, 2), min(position + 2 * block - start, LONGEST - 2)
    return start + step(np.log(near) if multiplicative else near, season, first, last).position


def _shift_at(y: np.ndarray, values: np.ndarray, season: int, position: int) -> LevelShift:
    """The shift of `y` at a position; `values` is `y` in units of its largest, without gaps."""
    near, at = _around(values, position)
    size, multiplicative = _size(near, season, at, bool(values.min() > 0))
    block = _block(len(values), season)
    if block > 1 and FEWEST_BLOCKS * block <= position <= len(values) - FEWEST_BLOCKS * block:
        blocks = _block_means(np.log(values) if multiplicative else values, block, position)
        size = step(blocks, max(season // block, 1), position // block, position // block).size
    unit = float(np.abs(y).max(initial=0.0))
    if not multiplicative:
        return LevelShift(position, size * unit)
    ratio = float(np.exp(size))
    level = float(np.exp(np.log(near[max(at - max(season, FEWEST_AFTER), 0) : at]).mean()))
    return LevelShift(position, (ratio - 1) * level * unit, ratio)


def _around(values: np.ndarray, position: int) -> tuple[np.ndarray, int]:
    """At most LONGEST values around a position, and the position among them."""
    start = max(0, min(position - LONGEST // 2, len(values) - LONGEST))
    near, at = values[start : start + LONGEST], position - start
    recent = _recent(near)
    left_out = len(near) - len(recent)
    return (recent, at - left_out) if at - left_out >= FEWEST_BEFORE else (near, at)


def _size(near: np.ndarray, season: int, at: int, positive: bool) -> tuple[float, bool]:
    """The size of the step at a position, and whether it is one of the logarithms."""
    if len(near) < SHORTEST:
        return float(np.median(near[at:]) - np.median(near[:at])), False
    shift, multiplicative = best_step(near, season if len(near) >= SEASONS * season else 1, at, at, positive)
    return shift.size, multiplicative
