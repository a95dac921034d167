"""Cold start: forecasts of new series, which are too short to show a season, such as the sales of a new shop.

The model forecasts a new series with the past of each of a few longer series (`gatewise.forecast.model.borrowed_past`),
as if it had always existed. The median of these forecasts shares the seasonal pattern, the calendar and the covariates
of the longer series, and no single one decides.

At fit, longer series are cut to their last n values before cutoffs of the validation set and forecast as if they were
new. This measures for a few n

- the weight of these forecasts: 1, or 1/2 if the average with a forecast from the n values alone has smaller errors;
- a factor of the width of intervals: the 80 % quantile of the errors, in units of the intervals, relative to that of
  the whole series. It is at least 1, and does not increase with n.

Between the measured n, both are linear in log n.

Letters: `B` cuts, `h` horizon, `K` features known in advance, `n` values of a new series, `M` measured n.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.borrowed_past import FEWEST_DONORS, NewSeries, Pool, fewest
from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.validation_set import ValidationSet
from gatewise.forecast.model.window import WindowScaling
from gatewise.series import Series
from gatewise.series.wording import counted

SIZES = (1, 2, 4)  # seasons of the new series that are measured
SHORTEST = 3  # values that are measured, after differencing
PARTS = 8  # without a season, the first measured size is this part of the values of a series that is not new
MEASURED, MOST_STEPS = 24, 28  # forecasts of each size that are measured, and their steps
LEVEL, QUANTILE = 80, 0.8  # of the intervals and the errors that are compared
LARGEST = 10.0  # factor
WEIGHTS = (1.0, 0.5)
MOST_DESCRIBED = 20  # new series among which one with borrowed pasts is searched
TOGETHER = 256  # new series that are forecast at once, to bound the memory

Means = tuple[np.ndarray, np.ndarray]  # forecasts (B, h) and their spreads (B, h)
Forecasts = Callable[[Dataset, Tensor, int, np.ndarray | None], Means]


@dataclass(frozen=True)
class ColdStart:
    """How new series are forecast.

    Attributes:
        sizes: (M,) numbers of values, ascending; none if nothing was measured.
        weights: (M,) of the forecasts with a borrowed past.
        factors: (M,) of the widths of intervals.
    """

    sizes: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()
    factors: tuple[float, ...] = ()

    def factor(self, sizes: np.ndarray, least: int) -> np.ndarray:
        """The factors (B,) for series of these sizes (B,); 1 from `least` values on.

        >>> ColdStart((7, 28), (1.0, 1.0), (3.0, 1.5)).factor(np.array([3, 7, 14, 28, 56, 98]), 98).round(2).tolist()
        [3.92, 3.0, 2.25, 1.5, 1.22, 1.0]
        """
        at, factors = np.log([*self.sizes, least]), np.array([*self.factors, 1.0])
        slope = (factors[1] - factors[0]) / (at[1] - at[0])
        below = slope * np.minimum(np.log(sizes) - at[0], 0.0)  # the line continues to fewer values
        return np.asarray(np.minimum(np.interp(np.log(sizes), at, factors) + below, LARGEST))

    def forecasts(
        self,
        forecast: Forecasts,
        pool: Callable[[], Pool],
        dataset: Dataset,
        cuts: Tensor,
        horizon: int,
        future: np.ndarray | None = None,
    ) -> Means:
        """The forecasts after cuts (B,) and their spreads, both (B, h), with those of new series replaced.

        Arguments:
            forecast: the forecasts without borrowed pasts.
            pool: returns the longer series. Only their values up to the cut of a new one are used.
            dataset, cuts, horizon, future: see `gatewise.forecast.model.selection.Selection.forecast`.
        """
        mean, spread = forecast(dataset, cuts, horizon, future)
        which, known = dataset.windows(cuts)
        rows = np.flatnonzero(known < fewest(dataset.scaling))
        if not self.sizes or not len(rows):
            return mean, spread
        new = [NewSeries(dataset.series[which[row]], int(known[row])) for row in rows]
        ahead = None if future is None else future[rows]
        borrowed, widths = borrowed_forecasts(forecast, pool(), dataset.scaling, new, horizon, ahead)
        found = ~np.isnan(borrowed).any(1)
        rows, borrowed, widths = rows[found], borrowed[found], widths[found]
        weight = np.interp(np.log(known[rows]), np.log(self.sizes), self.weights)[:, None]
        mean[rows] = weight * borrowed + (1 - weight) * mean[rows]
        spread[rows] = widths * self.factor(known[rows], fewest(dataset.scaling))[:, None]
        return mean, spread

    def describe(
        self, series: Sequence[Series], scaling: WindowScaling, freq: str | int, replaced: np.ndarray
    ) -> tuple[str, ...]:
        """A sentence for `guesses` about the new series, without those (S,) whose forecasts are replaced."""
        least = fewest(scaling)
        new = [one for one, other in zip(series, replaced, strict=True) if len(one) < least and not other]
        if not self.sizes or not new:
            return ()
        pool = Pool(series, scaling, freq)
        for first in new[:MOST_DESCRIBED]:
            pasts = pool.extended(NewSeries(first, len(first)))
            if not pasts.series:
                continue
            factor = self.factor(np.array([len(first)]), least)[0] * pasts.noise
            width = f"{factor:.1f} times as wide as theirs" if factor >= 1.05 else "as wide as theirs"
            more = f"; {len(new) - 1} more of {len(series)} series are as short" if len(new) > 1 else ""
            return (
                f"new: {str(first.unique_id)!r} has {counted(len(first), 'value')}; its forecast uses the past of "
                f"{len(pasts.series)} longer series, its intervals are {width}, relative to its level{more}",
            )
        return ()


NOT_MEASURED = ColdStart()


def borrowed_forecasts(
    forecast: Forecasts,
    pool: Pool,
    scaling: WindowScaling,
    new: Sequence[NewSeries],
    horizon: int,
    future: np.ndarray | None = None,
) -> Means:
    """The forecasts of new series with borrowed pasts, and their spreads: both (B, h), NaN without enough donors."""
    mean, spread = np.full((2, len(new), horizon), np.nan)
    for first in range(0, len(new), TOGETHER):
        parts = [pool.extended(one) for one in new[first : first + TOGETHER]]
        rows = first + np.repeat(np.arange(len(parts)), [len(part.series) for part in parts])
        if not len(rows):
            continue
        dataset, cuts = _prepared([one for part in parts for one in part.series], scaling)
        means, spreads = forecast(dataset, cuts, horizon, None if future is None else future[rows])
        for row in np.unique(rows):
            mean[row] = np.median(means[rows == row], 0)
            spread[row] = np.median(spreads[rows == row], 0) * parts[row - first].noise
    return mean, spread


def measure(forecast: Forecasts, calibration: Calibration, validation: ValidationSet, freq: str | int) -> ColdStart:
    """Measure how well series are forecast that are cut to their last values, as if they were new.

    Arguments:
        forecast: forecasts of the delivered method, with networks that have not seen the validation set.
        calibration: of its intervals.
        validation: the validation set.
        freq: of the series.

    Returns:
        What was measured; nothing, if there are not enough long series.
    """
    dataset, scaling = validation.dataset, validation.dataset.scaling
    pool, (cuts, steps) = Pool(dataset.series, scaling, freq), validation.cutoffs()
    which, known = dataset.windows(cuts)
    sizes = tuple(size for size in measured_sizes(scaling) if known.max() - size >= pool.least)
    if not sizes or len(pool.longer) <= FEWEST_DONORS:
        return NOT_MEASURED
    rows = np.flatnonzero(known - max(sizes) >= pool.least)  # so that other series reach as far back as is needed
    rows = rows[np.linspace(0, len(rows) - 1, min(MEASURED, len(rows))).round().astype(int)]
    which, known, cuts, steps = which[rows], known[rows], cuts[rows], min(steps, MOST_STEPS)
    truth, unit = dataset.measurable(cuts, dataset.after(cuts, steps)), dataset.unit[which, None]
    usual = _quantile(truth, *forecast(dataset, cuts, steps, None), calibration)
    if not usual > 0:  # exact forecasts, or nothing to compare
        return NOT_MEASURED
    weights, factors = [], []
    for size in sizes:
        new = [_last(dataset.series[k], cut, size, steps) for k, cut in zip(which, known, strict=True)]
        alone, _ = forecast(*_prepared(new, scaling), steps, None)
        mean, spread = borrowed_forecasts(forecast, pool, scaling, new, steps)
        weighted = [weight * mean + (1 - weight) * alone for weight in WEIGHTS]
        if np.isnan(truth - mean).all():
            return NOT_MEASURED
        best = int(np.argmin([np.nanmean(np.abs(truth - one) / unit) for one in weighted]))
        weights.append(WEIGHTS[best])
        factors.append(_quantile(truth, weighted[best], spread, calibration) / usual)
    if not np.isfinite(factors).all():
        return NOT_MEASURED
    falling = np.maximum.accumulate(np.clip(factors, 1.0, LARGEST)[::-1])[::-1]
    return ColdStart(sizes, tuple(weights), tuple(falling.tolist()))


def measured_sizes(scaling: WindowScaling) -> tuple[int, ...]:
    """The sizes that are measured."""
    season = scaling.season if scaling.season > 1 else max(SHORTEST, fewest(scaling) // PARTS)
    least = scaling.difference.lag + SHORTEST
    return tuple(seasons * season for seasons in SIZES if least <= seasons * season < fewest(scaling))


def _last(series: Series, cut: int, size: int, steps: int) -> NewSeries:
    """The last `size` values of a series before a cut as a new series, with the steps after it."""
    rows = slice(cut - size, cut + steps)
    named = ((name, getattr(series, name)) for name in ("filled", "past", "known"))
    parts: dict[str, Any] = {name: None if values is None else values[rows] for name, values in named}
    return NewSeries(replace(series, ds=series.ds[rows], y=series.y[rows], ahead=None, **parts), size)


def _quantile(truth: np.ndarray, mean: np.ndarray, spread: np.ndarray, calibration: Calibration) -> float:
    """The quantile of the errors in units of half the width of their intervals."""
    lower, upper = calibration.bounds(np.zeros_like(mean), spread, LEVEL)
    width = np.where(upper > lower, (upper - lower) / 2, np.nan)
    distances = np.abs(truth - mean) / width
    return float(np.nanquantile(distances, QUANTILE)) if not np.isnan(distances).all() else np.nan


def _prepared(new: Sequence[NewSeries], scaling: WindowScaling) -> tuple[Dataset, Tensor]:
    """Series prepared for the model, and their cuts there."""
    cuts = [one.cut for one in new]
    dataset = Dataset.of([one.series for one in new], scaling, cuts)
    return dataset, dataset.fronts + torch.tensor(cuts) - scaling.difference.lag
