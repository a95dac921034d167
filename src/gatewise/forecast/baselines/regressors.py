"""Regressors: the columns of the ridge regression for pairs of a cut and a step.

Letters: `B` windows, `N` values of the longest past, `R` rows (pairs) of each, `F` columns, `K` covariates known in
advance, `m` steps of a season, `M` steps of a longer season.
"""

from dataclasses import dataclass

import numpy as np

from gatewise.forecast.baselines.calendar_cells import Cells, waves
from gatewise.forecast.baselines.windows import Pasts

RECENT = 4  # seasons in a seasonal mean; values in the level of a series without a season
MOST_LAGGED = 8  # covariates; more of them have no lagged columns


@dataclass(frozen=True)
class Form:
    """Which columns a regression has.

    Attributes:
        season, longer: m and M; M is 0 for none.
        year: whether the past is long enough for waves of the year.
        fine: whether each part of each weekday has a column of its own.
    """

    season: int
    longer: int
    year: bool
    fine: bool

    @property
    def width(self) -> int:
        """The values of a level: a season, or a few values without one."""
        return self.season if self.season > 1 else RECENT

    @property
    def first(self) -> int:
        """The first cut of a row."""
        return max(self.longer, 2 * self.width)

    @property
    def reach(self) -> int:
        """The values before a cut that the columns use."""
        return (RECENT + 1) * max(self.longer, self.width) + 2

    @property
    def priors(self) -> tuple[int, ...]:
        """The columns that are simple forecasts by themselves (relative to the level)."""
        return (0, 1, 2, 3, 4) if self.longer else (0, 1)


@dataclass(frozen=True)
class Covariates:
    """The covariates of all series in turn.

    Attributes:
        values: (T, K) of all series, standardised in `columns`.
        totals: (T + 1, K) their cumulative sums.
        offsets: the place of the first value of each series.
    """

    values: np.ndarray
    totals: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True)
class Units:
    """What a regression measures values in.

    Attributes:
        scale: (B, 1) of the values.
        centre: (B, 1) mean of the scaled values.
        relative: (B, 1) whether the effects of calendar and covariates are proportional to the level.
    """

    scale: np.ndarray
    centre: np.ndarray
    relative: np.ndarray

    def take(self, rows: np.ndarray) -> "Units":
        """The units of some windows."""
        return Units(self.scale[rows], self.centre[rows], self.relative[rows])


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

    def level(self) -> np.ndarray:
        """(B, R) the mean of the last season before each cut."""
        return self._level(self.cuts, self.form.width)

    def _level(self, cuts: np.ndarray, width: int) -> np.ndarray:
        totals = np.concatenate([np.zeros((len(self.values), 1)), np.cumsum(self.values, axis=1)], axis=1)
        low = np.maximum(cuts - width, 0)
        return (_pick(totals, np.maximum(cuts, 0)) - _pick(totals, low)) / np.maximum(cuts - low, 1)

    def of_past(self, level: np.ndarray) -> list[np.ndarray]:
        """The columns (B, R) of past values, those of `Form.priors` first."""
        form, cuts, steps = self.form, self.cuts, self.steps
        lag, mean = self._seasonal(form.season, cuts + steps - 1)
        columns = [lag - level, mean - level]
        if form.longer:
            lag, mean = self._seasonal(form.longer, cuts + steps - 1)
            back = self._level(cuts - form.longer * -(-steps // form.longer), form.width)
            columns += [lag - level, mean - level, lag - back]
            columns += [level - self._level(cuts, form.longer)]
        slow, fast = np.exp((1 - steps) / max(6.0, form.season / 2)), np.exp((1 - steps) / 2)
        for back in (1, 2):
            last = _pick(self.values, cuts - back)
            usual = self._mean(cuts - back - form.season, form.season) if form.season > 1 else level
            columns += [last - usual] if back == 1 else []
            columns += [(last - usual) * slow, (last - usual) * fast]
        trend = level - self._level(cuts - form.width, form.width)
        away = level - self.units.centre
        return [*columns, trend, trend * steps / form.width, away, away * slow]

    def _seasonal(self, season: int, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The last known value at the phase of each target, and the mean of the last ones."""
        last = targets - season * -(-self.steps // season)
        return _pick(self.values, last), self._mean(last, season)

    def _mean(self, last: np.ndarray, season: int) -> np.ndarray:
        """The mean of up to four values a season apart, up to `last`."""
        total, count = np.zeros(last.shape), np.zeros(last.shape)
        for back in range(RECENT):
            at = last - back * season
            known = at >= 0
            total += np.where(known, _pick(self.values, np.maximum(at, 0)), 0.0)
            count += known
        return total / np.maximum(count, 1)

    def of_calendar(self, cells: Cells, which: np.ndarray) -> np.ndarray:
        """(B, R, D) the columns of the date of the target, and of the date of the cut for the waves of the year."""
        place = (cells.offsets[which] + self.pasts.starts)[:, None]
        targets = place + self.cuts + self.steps - 1
        columns = [cells.columns(self.form.fine)[cells.cell[targets]]]
        if self.form.year:
            columns += [waves(cells.angle[targets]), waves(cells.angle[place + self.cuts - 1])]
        return np.concatenate(columns, axis=2)

    def of_covariates(self, covariates: Covariates, which: np.ndarray, ahead: np.ndarray | None) -> np.ndarray:
        """(B, R, ...) covariates of the target, of its lags, and their level at the cut.

        Arguments:
            covariates: of all series.
            which: (B,) the series of each window.
            ahead: (B, R, K) covariates of the targets, if they are after the ends of the pasts.
        """
        place = (covariates.offsets[which] + self.pasts.starts)[:, None]
        targets, form = self.cuts + self.steps - 1, self.form
        low = np.maximum(self.cuts - form.width, 0)
        level = covariates.totals[place + self.cuts] - covariates.totals[place + low]
        columns = [covariates.values[place + targets] if ahead is None else ahead]
        columns += [level / (self.cuts - low)[..., None]]
        if columns[0].shape[2] <= MOST_LAGGED:
            for season in (form.season, form.longer) if form.longer else (form.season,):
                columns += [covariates.values[place + targets - season * -(-self.steps // season)]]
        return np.concatenate(columns, axis=2)


def _pick(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values (B, N) at columns (B, R)."""
    return np.take_along_axis(values, at, 1)
