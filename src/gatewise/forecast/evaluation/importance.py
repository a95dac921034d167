"""Importance of covariates: how much worse the forecasts of the test windows are without the information of each.

Letters: `W` test windows, `h` horizon, `K` features known in advance, `R` repetitions, `C` cases (series,
or the windows of a single series).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gatewise.forecast.evaluation.cutoffs import Cutoffs, cut_off
from gatewise.forecast.evaluation.holdout import Holdout, mean
from gatewise.forecast.model.dataset import known_after
from gatewise.forecast.model.selection import Selection
from gatewise.series import Series
from gatewise.series.covariates.roles import Covariates

REPETITIONS = 5  # random exchanges of each covariate
MOST_WINDOWS = 500  # of more test windows a random part is used
MOST_VALUES, FEWEST_WINDOWS = 2**23, 10  # values and features before all windows; limits the windows of long series
BATCH = 2**22  # values and features of windows that are forecast at once; bounds the memory
SMALLEST = 0.01  # a smaller increase is no help
UNCHANGED = 1e-6  # an increase by rounding


@dataclass(frozen=True)
class Importance:
    """The importance of one covariate.

    Attributes:
        covariate: name of its column, or of the calendar cycle.
        role: "past", "known", "calendar" or "static".
        increase: of the error without the information of the covariate, relative to the error with it.
        standard_error: of the increase.

    >>> Importance("promotion", "known", 0.31, 0.04).helps, Importance("temperature", "known", 0.03, 0.02).helps
    (True, False)
    """

    covariate: str
    role: str
    increase: float
    standard_error: float

    @property
    def helps(self) -> bool:
        """Whether the increase is at least 1 % and above two standard errors."""
        return self.increase >= SMALLEST and self.increase > 2 * self.standard_error

    @property
    def is_used(self) -> bool:
        """Whether the forecasts depend on the covariate."""
        return max(abs(self.increase), self.standard_error) > UNCHANGED


def measure(
    cutoffs: Cutoffs, selections: Sequence[Selection], holdout: Holdout, score: str, seed: int
) -> tuple[Importance, ...]:
    """The importance of each covariate for the delivered forecasts of test windows, by permutation.

    increase = mean_R(error after an exchange) / error - 1

    In each repetition, every window reads the values of the covariate, before and after its cutoff, from another place:
    around a random date of the series of another window, by a random permutation of the windows; a static covariate
    from another series. All other inputs stay the same, and nothing is trained again. The dates are random because
    cutoffs are often whole weeks apart, so that a weekly pattern is the same around each. The standard error is that of
    the mean over the repetitions or that of the mean over the cases, whichever is larger.

    Reference: L. Breiman, Random forests, Machine Learning 45, 2001; A. Fisher, C. Rudin, F. Dominici, All models are
    wrong, but many are useful, Journal of Machine Learning Research 20(177), 2019.

    Arguments:
        cutoffs: of the backtest.
        selections: the models, one for each cutoff of a series, or one for all.
        holdout: the test windows, sorted by series and cutoff, with the delivered forecasts.
        score: "MAE"; for any other the MASE, the mean over the windows of a series, then over the series.
        seed: random seed of the exchanges.

    Returns:
        One for each covariate and calendar cycle, in the order of the features; none without covariates.
    """
    groups = list(_groups(holdout.panel.covariates or Covariates()))
    if not groups:
        return ()
    generator = np.random.default_rng(seed)
    windows = _Windows(cutoffs, selections, _part(holdout, generator), score)
    before = windows.errors(windows.holdout.mean)
    return tuple(
        _importance(group, before, np.stack([windows.exchanged_errors(group, generator) for _ in range(REPETITIONS)]))
        for group in groups
    )


class _Group(NamedTuple):
    """The features of one covariate: name and role, the attribute of a series that holds them, and their columns."""

    covariate: str
    role: str
    attribute: str
    columns: slice


def _groups(covariates: Covariates) -> Iterator[_Group]:
    for role, names in (("past", covariates.past), ("known", covariates.known), ("static", covariates.static)):
        at = 0
        for name in names:
            width = covariates.width([name])
            yield _Group(name, role, role, slice(at, at + width))
            at += width
        if role == "known":
            for k, cycle in enumerate(covariates.calendar):
                yield _Group(cycle, "calendar", role, slice(at + 2 * k, at + 2 * k + 2))  # sine and cosine


def _part(holdout: Holdout, generator: np.random.Generator) -> Holdout:
    """The test windows, or a random part of many."""
    count = len(holdout.which)
    mean_size = float(holdout.cuts.mean()) * (1 + sum(_feature_counts(holdout.panel.series[0])))
    most = int(np.clip(MOST_VALUES / mean_size, FEWEST_WINDOWS, MOST_WINDOWS))
    if count <= most:
        return holdout
    return holdout.take(np.sort(generator.choice(count, most, replace=False)))


def _feature_counts(series: Series) -> tuple[int, int]:
    """P and K."""
    past, known = (0 if values is None else values.shape[1] for values in (series.past, series.known))
    return past, known


def _importance(group: _Group, before: np.ndarray, after: np.ndarray) -> Importance:
    """The importance from errors (C,) before and (R, C) after exchanges."""
    unit = max(before.mean(), 1e-12 * after.mean()) or 1.0  # above 0 for exact forecasts too
    change = (after - before) / unit
    errors = [_standard_error(change.mean(axis)) for axis in (0, 1)]
    return Importance(group.covariate, group.role, float(change.mean()), max(errors))


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


@dataclass(frozen=True)
class _Windows:
    """Test windows, the models that forecast them, and the score of their errors."""

    cutoffs: Cutoffs
    selections: Sequence[Selection]
    holdout: Holdout
    score: str

    @cached_property
    def own(self) -> list[Series]:
        """(W,) the series of each window up to its cutoff."""
        rows = zip(self.holdout.which, self.holdout.cuts.tolist(), strict=True)
        return [cut_off(self.cutoffs.series[k], cut) for k, cut in rows]

    def errors(self, forecast: np.ndarray) -> np.ndarray:
        """(C,) errors of forecasts (W, h)."""
        holdout = self.holdout
        errors = mean(np.abs(holdout.truth - forecast), axis=1)
        if self.score != "MAE":
            errors = errors / holdout.scale()
        cases = errors if len(holdout.series) == 1 else holdout.mean_by_series(errors)
        return np.asarray(cases[~np.isnan(cases)])

    def exchanged_errors(self, group: _Group, generator: np.random.Generator) -> np.ndarray:
        """(C,) errors of the forecasts after a random exchange of a covariate."""
        which = self.holdout.which
        donors = self._others(generator) if group.role == "static" else generator.permutation(which)
        dates = np.array([self._random_cut(donor, generator) for donor in donors])
        forecast = np.empty_like(self.holdout.mean)
        for stage, rows in self._batches():
            forecast[rows] = self._forecast(stage, rows, group, donors, dates)
        counts = self.holdout.counts[:, None]  # these forecasts read no covariates
        return self.errors(np.where(counts, self.holdout.mean, forecast))

    def _others(self, generator: np.random.Generator) -> np.ndarray:
        """(W,) for each window another series, if there is one."""
        which, count = self.holdout.which, len(self.holdout.panel)
        others: np.ndarray = which if count == 1 else (which + generator.integers(1, count, len(which))) % count
        return others

    def _random_cut(self, donor: int, generator: np.random.Generator) -> int:
        """A position in a series that has complete windows before and after it, if the series is long enough."""
        last = len(self.holdout.panel.series[donor]) - self.holdout.horizon
        first = max(1, min(self.selections[0].ensemble.scaling.needed, last // 2))
        return int(generator.integers(first, last, endpoint=True))

    def _batches(self) -> Iterator[tuple[int, np.ndarray]]:
        """The windows (rows) that are forecast at once, with the position of their model."""
        holdout = self.holdout
        first = np.array(self.cutoffs.first(0))
        stages = (holdout.cuts - first[holdout.which]) // self.cutoffs.step * (len(self.selections) > 1)
        sizes = holdout.cuts * (1 + sum(_feature_counts(holdout.panel.series[0])))
        for stage in np.unique(stages):
            rows = np.flatnonzero(stages == stage)
            batch = np.cumsum(sizes[rows]) // BATCH
            yield from ((int(stage), rows[batch == number]) for number in np.unique(batch))

    def _forecast(
        self, stage: int, rows: np.ndarray, group: _Group, donors: np.ndarray, dates: np.ndarray
    ) -> np.ndarray:
        """Forecasts of windows (rows) that read a covariate of other series at other dates."""
        series, which, h = self.cutoffs.series, self.holdout.which, self.holdout.horizon
        exchanged = [_exchange(self.own[row], series[donors[row]], dates[row], group) for row in rows]
        future = known_after(series, which[rows], self.holdout.cuts[rows], h)
        if future is not None and group.attribute == "known":
            others = known_after(series, donors[rows], dates[rows], h)
            future[..., group.columns] = others[..., group.columns]
        selection, until = self.selections[stage], self.cutoffs.first(stage)
        dataset = selection.dataset(exchanged, [until[k] for k in which[rows]])
        fitted_on = [self.own[row] for row in rows]
        median, spread = selection.forecast(dataset, dataset.ends, h, future, selection.delivered, fitted_on=fitted_on)
        return selection.delivered_point(median, spread, selection.largest_half_widths(dataset, dataset.ends))


def _exchange(series: Series, donor: Series, date: int, group: _Group) -> Series:
    """A series with the last values of a covariate of another before a date, as many as both have."""
    values, others = getattr(series, group.attribute).copy(), getattr(donor, group.attribute)
    if group.role == "static":
        values[group.columns] = others[group.columns]
    else:
        count = min(len(values), date)
        values[-count:, group.columns] = others[date - count : date, group.columns]
    return replace(series, **{group.attribute: values})
