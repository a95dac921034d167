"""Test windows: forecasts from a cutoff in the past, the outcomes, and the scale of the errors.

Letters: `W` test windows (series x cutoffs), `h` horizon, `S` series that have windows, `T` values of a series.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gatewise.forecast.baselines import grouped
from gatewise.forecast.limits import NO_LIMITS, Limits
from gatewise.series import DataError, Panel, Series, future
from gatewise.series.wording import counted

REPEATS = 1e-12  # relative to the values; a smaller naive error is rounding


def observed(panel: Panel, which: np.ndarray, cuts: np.ndarray, horizon: int) -> np.ndarray:
    """The outcomes after each cut.

    Arguments:
        panel: the series.
        which: (W,) position of the series of each window.
        cuts: (W,) number of its values before the window.
        horizon: steps, h.

    Returns:
        (W, h), NaN beyond the end of a series and where a value was filled in.

    Raises:
        DataError: a window of the only series has no observed value. With many series, `Backtest.of` excludes such
            windows.

    >>> panel = Panel((Series("A", pd.RangeIndex(4), np.array([1.0, 2.0, 3.0, 4.0])),), freq=1)
    >>> observed(panel, np.array([0, 0]), np.array([1, 3]), horizon=2).tolist()
    [[2.0, 3.0], [4.0, nan]]
    """
    truth = np.empty((len(cuts), horizon))
    for k, rows in grouped(which):
        series = panel.series[k]
        y = series.y if series.filled is None else np.where(series.filled, np.nan, series.y)
        at = cuts[rows, None] + np.arange(horizon)
        truth[rows] = np.where(at < len(y), y[np.minimum(at, len(y) - 1)], np.nan)
    empty = np.flatnonzero(np.isnan(truth).all(1))
    if len(empty) and len(panel) == 1:
        raise _nothing_observed(panel.series[0], int(cuts[empty[0]]), horizon)
    return truth


class WindowForecasts(NamedTuple):
    """The forecasts of one method for all test windows.

    Attributes:
        mean: (W, h).
        intervals: level in percent -> (lower, upper), each (W, h).
        median: (W, h) of counts, whose forecast is a mean; NaN for other windows, None if there are only others.
    """

    mean: np.ndarray
    intervals: Mapping[float, tuple[np.ndarray, np.ndarray]]
    median: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> "WindowForecasts":
        """The forecasts of some windows."""
        intervals = {level: (lower[rows], upper[rows]) for level, (lower, upper) in self.intervals.items()}
        return WindowForecasts(self.mean[rows], intervals, None if self.median is None else self.median[rows])


@dataclass(frozen=True)
class Holdout:
    """Test windows, their forecasts and their outcomes.

    Attributes:
        panel: the series.
        season: steps of the season for naive forecasts and scores, 1 for none.
        which: (W,) position in `panel.series` of each window's series.
        cuts: (W,) number of its values before the cutoff, at least 1.
        truth: (W, h) outcomes, NaN where nothing was observed, see `observed`.
        forecasts: of the model, then of each baseline, by name.
        limits: of all forecasts.

    Raises:
        ValueError: the shapes differ, there are no windows, a cut is outside its series, or a forecast is not finite.
    """

    panel: Panel
    season: int
    which: np.ndarray
    cuts: np.ndarray
    truth: np.ndarray
    forecasts: Mapping[str, WindowForecasts]
    limits: Limits = NO_LIMITS

    def __post_init__(self) -> None:
        arrays = {"truth": self.truth}
        for name, (mean, intervals, _) in self.forecasts.items():
            arrays[f"the forecast {name}"] = mean
            arrays |= {
                f"bound {side} of {level:g} of {name}": bound
                for level, bounds in intervals.items()
                for side, bound in enumerate(bounds)
            }
        for name, array in arrays.items():
            if array.shape != (len(self.which), self.horizon):
                raise ValueError(f"{name} has shape {array.shape}, expected {(len(self.which), self.horizon)}")
            if name != "truth" and not np.isfinite(array).all():
                raise ValueError(f"{name} holds values that are not finite; every window needs a complete forecast")
        if not len(self.which):
            raise ValueError("there are no test windows, expected at least one")
        lengths = np.array([len(series) for series in self.panel.series])
        if self.cuts.shape != self.which.shape or (self.cuts < 1).any() or (self.cuts > lengths[self.which]).any():
            raise ValueError("cuts are invalid, expected one for each window, from 1 to the length of its series")

    @property
    def horizon(self) -> int:
        """Steps, h."""
        return int(self.truth.shape[-1])

    @property
    def model(self) -> str:
        """Name of the model."""
        return next(iter(self.forecasts))

    @property
    def mean(self) -> np.ndarray:
        """(W, h) forecasts of the model."""
        return self.forecasts[self.model].mean

    @property
    def intervals(self) -> Mapping[float, tuple[np.ndarray, np.ndarray]]:
        """Intervals of the model."""
        return self.forecasts[self.model].intervals

    @cached_property
    def counts(self) -> np.ndarray:
        """(W,) whether the forecast of the model is the mean of a distribution of counts."""
        median = self.forecasts[self.model].median
        return np.zeros(len(self.which), bool) if median is None else ~np.isnan(median[:, 0])

    @property
    def mostly_counts(self) -> bool:
        """Whether most test windows are those of intermittent series, forecast as counts."""
        return bool(self.counts.mean() > 0.5)

    @cached_property
    def levels(self) -> list[float]:
        """Levels of the intervals, ascending."""
        return sorted(self.intervals)

    @cached_property
    def series(self) -> np.ndarray:
        """(S,) positions of the series that have windows."""
        return np.unique(self.which)

    def scored(self) -> "Holdout":
        """The windows with an observed value, sorted by series and cutoff."""
        order = np.lexsort((self.cuts, self.which))
        chosen = order[~np.isnan(self.truth).all(1)[order]]
        if not len(chosen):
            raise _nothing_observed(self.panel.series[self.which[0]], int(self.cuts[0]), self.horizon)
        return self if np.array_equal(chosen, np.arange(len(self.which))) else self.take(chosen)

    def take(self, rows: np.ndarray) -> "Holdout":
        """The windows at positions `rows`."""
        parts = {name: getattr(self, name)[rows] for name in ("which", "cuts", "truth")}
        return replace(self, **parts, forecasts={name: f.take(rows) for name, f in self.forecasts.items()})

    def scale(self) -> np.ndarray:
        """(W,) mean absolute error of the (seasonal) naive forecast before each window, over pairs of observed values.

        NaN where there is no pair, or the past repeats exactly (up to rounding).
        """
        scale = np.empty(len(self.which))
        for k, rows in grouped(self.which):
            scale[rows] = _naive_error(self.panel.series[k], self.season)[self.cuts[rows]]
        return scale

    def root_scale(self) -> np.ndarray:
        """(W,) root mean squared error of the naive forecast before each window, as `scale`."""
        scale = np.empty(len(self.which))
        for k, rows in grouped(self.which):
            scale[rows] = np.sqrt(_naive_error(self.panel.series[k], 1, power=2)[self.cuts[rows]])
        return scale

    def dates(self, at: np.ndarray) -> pd.Index:
        """The dates at positions (W, n) of each window's series, row by row; after its end they continue its calendar.

        The windows must be sorted by series, as those of `scored`.
        """
        parts = [self.calendar(k, int(at[rows].max())).take(at[rows].ravel()) for k, rows in grouped(self.which)]
        return parts[0].append(parts[1:]) if len(parts) > 1 else parts[0]

    def names(self, which: np.ndarray) -> Any:
        """The names of the series at positions `which`, as a column."""
        return pd.Series([series.unique_id for series in self.panel.series]).array.take(which)

    def mean_by_series(self, values: np.ndarray) -> np.ndarray:
        """Means (S, ...) of values (W, ...) over the windows of each series, without NaN."""
        starts = np.searchsorted(self.which, self.series)
        present = ~np.isnan(values)
        total = np.add.reduceat(np.where(present, values, 0.0), starts, axis=0)
        return _ratio(total, np.add.reduceat(present, starts, axis=0, dtype=np.int64))

    def calendar(self, k: int, last: int) -> pd.Index:
        """The dates of a series up to a position, which may lie after its end."""
        ds = self.panel.series[k].ds
        return ds if last < len(ds) else ds.append(future(ds, self.panel.freq, last + 1 - len(ds)))


def _naive_error(series: Series, season: int, power: int = 1) -> np.ndarray:
    """The mean absolute (squared) error (T + 1,) of a series after each of its values; see `Holdout.scale`."""
    present = np.ones(len(series), bool) if series.filled is None else ~series.filled
    pairs = present[season:] & present[:-season]
    steps = np.where(pairs, np.abs(series.y[season:] - series.y[:-season]) ** power, 0.0)
    before = np.zeros(min(season, len(series)) + 1)
    total, count = (np.concatenate([before, np.cumsum(part)]) for part in (steps, pairs))
    largest = np.concatenate([[0.0], np.maximum.accumulate(np.where(present, np.abs(series.y), 0.0))])
    scale = _ratio(total, count)
    return np.where(scale > (REPEATS * largest) ** power, scale, np.nan)


def mean(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """The mean without NaN; NaN if all values are NaN."""
    present = ~np.isnan(values)
    return _ratio(np.where(present, values, 0.0).sum(axis), present.sum(axis))


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0))


def _nothing_observed(series: Series, cut: int, horizon: int) -> DataError:
    kind = "missing" if series.masked else "filled"
    return DataError(
        f"series {str(series.unique_id)!r}: the {counted(horizon, 'step')} after {series.ds[cut - 1]} hold no observed "
        f"value, only {kind} ones; choose another horizon or number of windows (--windows)"
    )
