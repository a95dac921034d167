"""Regressors: the columns of the ridge regression for pairs of a cut and a step.

Letters: `B` windows, `N` values of the longest past, `R` rows (pairs) of each, `F` columns, `K` covariates known in
advance, `m` steps of a season, `M` steps of a longer season (there may be several).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from gatewise.forecast.baselines.calendar_cells import Cells, waves
from gatewise.forecast.baselines.windows import Pasts

RECENT = 4  # seasons in a seasonal mean; values in the level of a series without a season
MOST_LAGGED = 8  # covariates; more of them have no lagged columns


@dataclass(frozen=True)
class Form:
    """Which columns and rows a regression has.

    Attributes:
        season, longer: m, and each M, ascending.
        year: whether the past is long enough for waves of the year.
        fine: whether each part of each weekday has a column of its own.
        rows: R.
    """

    season: int
    longer: tuple[int, ...]
    year: bool
    fine: bool
    rows: int

    @property
    def width(self) -> int:
        """The values of a level: a season, or a few values without one."""
        return self.season if self.season > 1 else RECENT

    @property
    def first(self) -> int:
        """The first cut of a row."""
        return max((*self.longer, 2 * self.width))

    @property
    def reach(self) -> int:
        """The values before a cut that the columns use."""
        return (RECENT + 1) * max((*self.longer, self.width)) + 2

    @property
    def priors(self) -> tuple[int, ...]:
        """The columns that are simple forecasts by themselves (relative to the level)."""
        return (0, 1, *(3 + 4 * k + i for k in range(len(self.longer)) for i in range(3)))


@dataclass(frozen=True)
class Covariates:
    """The covariates of all series in turn.

    Attributes:
        values: (T, K) of all series, each followed by a row of zeros.
        totals: (T, K) the sums of the values before each row, from the start of its series.
        offsets: the place of the first value of each series.
        curved: (K,) whether the square of a covariate is a column too: not for those that are 0 or 1.
    """

    values: np.ndarray
    totals: np.ndarray
    offsets: np.ndarray
    curved: np.ndarray


@dataclass(frozen=True)
class Units:
    """What a regression measures values in.

    Attributes:
        scale: (B, 1) of the values.
        centre: (B, 1) mean of the scaled values.
        relative: (B, 1) whether the effects of calendar and covariates are proportional to the level.
        covariates: (B, K) their means.
    """

    scale: np.ndarray
    centre: np.ndarray
    relative: np.ndarray
    covariates: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence["Units"]) -> "Units":
        """The units of several blocks."""
        return cls(*(np.concatenate([getattr(part, name.name) for part in parts]) for name in fields(cls)))

    def take(self, rows: np.ndarray) -> "Units":
        """The units of some windows."""
        return Units(*(getattr(self, name.name)[rows] for name in fields(self)))


@dataclass(frozen=True)
class Rows:
    """Pairs of a cut and a step.

    Attributes:
        pasts: of the windows.
        values: (B, N) scaled.
        cuts: (B, R) number of values before each cut.
        steps: (B, R) from 1 on.
        form: of the regression.
        units: of the regression.
    """

    pasts: Pasts
    values: np.ndarray
    cuts: np.ndarray
    steps: np.ndarray
    form: Form
    units: Units

    @cached_property
    def targets(self) -> np.ndarray:
        """(B, R) the position of each target."""
        return np.asarray(self.cuts + self.steps - 1)

    @cached_property
    def totals(self) -> np.ndarray:
        """(B, N + 1) the cumulative sums of the values."""
        return np.concatenate([np.zeros((len(self.values), 1)), np.cumsum(self.values, axis=1)], axis=1)

    @cached_property
    def level(self) -> np.ndarray:
        """(B, R) the mean of the last season before each cut."""
        return self._mean_before(self.cuts, self.form.width)

    @cached_property
    def factor(self) -> np.ndarray:
        """(B, R) what the effects of calendar and covariates are proportional to."""
        relative = self.units.relative
        return np.where(relative, self.level / np.where(relative, self.units.centre, 1.0), 1.0)

    def of_past(self) -> Iterator[np.ndarray]:
        """The columns (B, R) of past values, those of `Form.priors` first."""
        form, cuts, steps, level = self.form, self.cuts, self.steps, self.level
        lag, mean = self._seasonal(form.season)
        recent = self._mean_before(cuts, RECENT * form.width)
        yield from (lag - level, mean - recent, recent - level)
        for longer in form.longer:
            lag, mean = self._seasonal(longer)
            yield from (lag - level, mean - self._mean_before(cuts, RECENT * longer))
            yield lag - self._mean_before(cuts - longer * -(-steps // longer), form.width)
            yield level - self._mean_before(cuts, longer)
        slow, fast = np.exp((1 - steps) / max(6.0, form.season / 2)), np.exp((1 - steps) / 2)
        phases = self._phase_totals(form.season) if form.season > 1 else None
        for back in (1, 2):
            usual = level if phases is None else self._phase_mean(phases, cuts - back - form.season, form.season)
            away = _pick(self.values, cuts - back) - usual
            yield from (away, away * slow, away * fast) if back == 1 else (away * slow, away * fast)
        trend = level - self._mean_before(cuts - form.width, form.width)
        yield from (trend, trend * steps / form.width)
        away = level - self.units.centre
        yield from (away, away * slow)

    def _mean_before(self, cuts: np.ndarray, width: int) -> np.ndarray:
        low = np.maximum(cuts - width, 0)
        return np.asarray(
            (_pick(self.totals, np.maximum(cuts, 0)) - _pick(self.totals, low)) / np.maximum(cuts - low, 1)
        )

    def _seasonal(self, season: int) -> tuple[np.ndarray, np.ndarray]:
        """The last known value at the phase of each target, and the mean of the last ones."""
        last = self.targets - season * -(-self.steps // season)
        return _pick(self.values, last), self._phase_mean(self._phase_totals(season), last, season)

    def _phase_totals(self, season: int) -> np.ndarray:
        """(B, N + season) the sum of the values before each position that are whole seasons before it."""
        size = self.values.shape[1]
        stacked = np.pad(self.values, ((0, 0), (season, -size % season))).reshape(len(self.values), -1, season)
        return np.cumsum(stacked, axis=1).reshape(len(self.values), -1)

    def _phase_mean(self, totals: np.ndarray, last: np.ndarray, season: int) -> np.ndarray:
        """The mean of up to four values a season apart, up to `last`; 0 without one."""
        count = np.clip(last // season + 1, 0, RECENT)
        newest = np.maximum(last + season, 0)
        return np.asarray((_pick(totals, newest) - _pick(totals, newest - count * season)) / np.maximum(count, 1))

    def of_calendar(self, cells: Cells, which: np.ndarray) -> Iterator[np.ndarray]:
        """The columns (B, R) of the date of the target; the waves of the year also at the cut."""
        place = (cells.offsets[which] + self.pasts.starts)[:, None]
        cell = cells.cell[place + self.targets]
        for column in cells.columns(self.form.fine).T:
            yield column[cell] * self.factor
        if self.form.year:
            for at in (self.targets, self.cuts - 1):
                for wave in waves(cells.angle).T:
                    yield wave[place + at] * self.factor

    def of_covariates(
        self, covariates: Covariates, which: np.ndarray, ahead: np.ndarray | None
    ) -> Iterator[np.ndarray]:
        """The columns (B, R) of covariates: at the target, its square, at its lags, and their level at the cut.

        Arguments:
            covariates: of all series.
            which: (B,) the series of each window.
            ahead: (B, R, K) covariates of the targets, if they are after the ends of the pasts.
        """
        form, count = self.form, covariates.values.shape[1]
        place = (covariates.offsets[which] + self.pasts.starts)[:, None]
        low = np.maximum(self.cuts - form.width, 0)
        for k in range(count):
            values, totals = covariates.values[:, k], covariates.totals[:, k]
            level = (totals[place + self.cuts] - totals[place + low]) / (self.cuts - low)
            target, mean = (
                values[place + self.targets] if ahead is None else ahead[..., k],
                self.units.covariates[:, [k]],
            )
            yield (target - level) * self.factor
            if covariates.curved[k]:
                yield (target - mean) ** 2 * self.factor
            yield (level - mean) * self.factor
            for season in (form.season, *form.longer) if count <= MOST_LAGGED else ():
                yield (values[place + self.targets - season * -(-self.steps // season)] - level) * self.factor


def _pick(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values (B, N) at columns (B, R)."""
    return np.take_along_axis(values, at, 1)
