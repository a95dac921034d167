"""The validation set: the last part of each series, on which forecasts are measured.

Letters: `S` series, `B` cuts, `K` steps of the forecasts that are measured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatewise.forecast import baselines
from gatewise.forecast.conformal import Calibration, Origins
from gatewise.forecast.model.batches import Cuts
from gatewise.forecast.model.dataset import Dataset

CUTOFFS, CUTOFFS_EACH, MOST_CUTOFFS = 200, 5, 4096  # validation forecasts: at least, per series, at most
MOST_STEPS = 96  # of a validation forecast
STILL = 0.01  # times the usual naive errors: a validation set with smaller ones calibrates no intervals


@dataclass(frozen=True)
class ValidationSet:
    """The last part of each series of a dataset.

    Attributes:
        dataset: the series, whole.
        fraction: size of the last part, as a fraction of each series.
    """

    dataset: Dataset
    fraction: float

    @property
    def starts(self) -> Tensor:
        """(S,) the start of the validation part of each series."""
        sizes = (self.dataset.ends - self.dataset.fronts).double()
        return self.dataset.ends - (sizes * self.fraction).round().long().clamp_min(1)

    @property
    def span(self) -> int:
        """Validation steps of a series of median length."""
        return int((self.dataset.ends - self.starts).median())

    def without_leakage(self) -> Dataset:
        """The dataset with scales that are fitted on the training part only; window scales need no change."""
        dataset = self.dataset
        if dataset.scaling.scale == "window":
            return dataset
        until = self.starts - dataset.fronts + dataset.scaling.difference.lag
        return Dataset.of(dataset.series, dataset.scaling, until.tolist())

    def cutoffs(self) -> tuple[Tensor, int]:
        """Cuts (B,) spread over the validation parts, and the number of steps K to forecast from each."""
        dataset, starts = self.dataset, self.starts
        most = MOST_STEPS if dataset.past is None else min(MOST_STEPS, dataset.scaling.reach)
        steps = max(1, min(self.span // 2, most))
        last = torch.maximum(starts, dataset.ends - steps)
        cuts = Cuts(starts, last).spread(min(max(CUTOFFS, CUTOFFS_EACH * len(starts)), MOST_CUTOFFS))
        return after_observed(dataset, torch.unique(cuts)), steps

    @property
    def independent(self) -> float:
        """The number of independent errors with the same information, if series are independent."""
        return max(2.0, len(self.dataset.series) * self.observed_span / 2)

    @property
    def observed_span(self) -> int:
        """Validation steps of a series with an observed value, on average."""
        dataset, counts = self.dataset, torch.cat([torch.zeros(1), self.dataset.observed.cumsum(0)])
        first = torch.maximum(dataset.ends - self.span, dataset.fronts)
        fraction = float((counts[dataset.ends] - counts[first]).sum() / (dataset.ends - first).sum())
        return max(1, round(self.span * fraction))

    def calibration(
        self, cuts: Tensor, errors: np.ndarray, spreads: np.ndarray, reference: np.ndarray | None = None
    ) -> Calibration:
        """Calibrate on errors (B, K) of forecasts with spreads (B, K), without those of constant series.

        Arguments:
            cuts: (B,).
            errors: (B, K), NaN where unknown.
            spreads: (B, K).
            reference: (B, K) errors of a naive forecast, towards whose widths few errors shrink those of the intervals.
        """
        return self.calibrator(cuts, errors.shape[1], reference)(errors, spreads)

    def calibrator(
        self, cuts: Tensor, steps: int, reference: np.ndarray | None = None
    ) -> Callable[[np.ndarray, np.ndarray], Calibration]:
        """`calibration` as a function of errors and spreads, for several methods: naive errors are computed once."""
        dataset, series = self.dataset, len(self.dataset.series)
        usual, here = self._naive_sizes(cuts, steps)
        if here < STILL * usual:  # nothing happened here: errors say nothing about the next ones
            before = self._past_cuts(steps)
            errors, units = self._naive_errors(before, steps), np.repeat(self._units(before), steps, axis=1)
            still = Calibration.of(dataset.measurable(before, errors), units, self.observed_span, series)
            return lambda errors, spreads: still
        options: dict[str, Any] = {
            "reference": self._naive_errors(cuts, steps) if reference is None else reference,
            "past": _relative(usual, here),
            "season": dataset.scaling.season,
            "origins": Origins(dataset.owner(cuts).numpy(), self._times(cuts, steps)) if series > 1 else None,
        }

        span = self.observed_span

        def calibrated(errors: np.ndarray, spreads: np.ndarray) -> Calibration:
            errors = dataset.measurable(cuts, errors) if dataset.moving.any() else errors
            return Calibration.of(errors, spreads, span, series, **options)

        return calibrated

    def _naive_errors(self, cuts: Tensor, steps: int) -> np.ndarray:
        """Errors (B, steps) of the (seasonal) naive forecast after cuts."""
        dataset, season = self.dataset, self.dataset.scaling.season
        name = baselines.NAIVE if season == 1 else baselines.SEASONAL
        means = baselines.forecasts(dataset.series, *dataset.windows(cuts), steps, season, names=(name,))
        errors: np.ndarray = dataset.after(cuts, steps) - means[name]
        return errors

    def past(self, cuts: Tensor, steps: int) -> float:
        """The mean size of naive errors over the whole past, relative to that after validation cuts (B,)."""
        return _relative(*self._naive_sizes(cuts, steps))

    def _naive_sizes(self, cuts: Tensor, steps: int) -> tuple[float, float]:
        """The mean sizes of naive errors over the whole past, and after validation cuts (B,); 0 if none is known."""
        past = self._past_cuts(steps)
        return self._naive_size(past, steps) if len(past) else 0.0, self._naive_size(cuts, steps)

    def _naive_size(self, cuts: Tensor, steps: int) -> float:
        """The mean size of naive errors, in units of the spread of each window; 0 if none is known."""
        sizes = np.abs(self.dataset.measurable(cuts, self._naive_errors(cuts, steps))) / self._units(cuts)
        return float(np.nanmean(sizes)) if (~np.isnan(sizes)).any() else 0.0

    def _past_cuts(self, steps: int) -> Tensor:
        """Cuts over the whole past, each followed by `steps` values."""
        dataset = self.dataset
        first = torch.maximum(dataset.starts + dataset.scaling.length, dataset.fronts + dataset.scaling.season)
        last = dataset.ends - steps
        if not (first <= last).any():
            return first[:0]
        return after_observed(dataset, torch.unique(Cuts(first, last).spread(MOST_CUTOFFS)))

    def _units(self, cuts: Tensor) -> np.ndarray:
        """The spreads (B, 1) of the windows before cuts, in the unit of each series."""
        dataset = self.dataset
        past = None if dataset.mask is None else dataset.features(cuts, 0)[0]
        spread = dataset.scaling.window(dataset.raw(cuts), past).spread.double().numpy()
        units: np.ndarray = (spread * dataset.scale[dataset.owner(cuts)])[:, None]
        return units

    def _times(self, cuts: Tensor, steps: int) -> np.ndarray:
        """The number (B,) of the date of each cut; dates within a quarter of the steps K share a number."""
        dataset = self.dataset
        dates = [getattr(series.ds, "asi8", np.asarray(series.ds)).astype(np.int64) for series in dataset.series]
        owners, cuts = dataset.owner(cuts).tolist(), dataset.original_cuts(cuts)
        times = np.array([dates[s][min(cut, len(dates[s]) - 1)] for s, cut in zip(owners, cuts.tolist(), strict=True)])
        longest = max(dates, key=len)
        unit = int(np.median(np.diff(longest))) if len(longest) > 1 else 1
        numbers: np.ndarray = (times - times.min()) // (max(1, unit) * max(1, steps // 4))
        return numbers

    def mase(self, cuts: Tensor, errors: np.ndarray) -> float:
        """The mean absolute error (B, K) in units of each series' in-sample naive error."""
        return float(np.nanmean(np.abs(errors) / self.dataset.unit[self.dataset.owner(cuts), None]))


def _relative(usual: float, here: float) -> float:
    """One size in units of another; 1 if one of them is unknown."""
    return usual / here if usual > 0 and here > 0 else 1.0


def after_observed(dataset: Dataset, cuts: Tensor) -> Tensor:
    """The cuts that follow an observed value, or all if none does: filled values may be computed from later ones.

    Where missing values stay missing, all cuts: the values that stand in for them depend on no later ones.
    """
    observed = dataset.observed[cuts - 1]
    return cuts[observed] if observed.any() and dataset.mask is None else cuts
