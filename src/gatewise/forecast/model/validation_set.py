"""The validation set: the last part of each series, on which forecasts are measured.

Letters: `S` series, `B` cuts, `K` steps of the forecasts that are measured.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.batches import Cuts
from gatewise.forecast.model.dataset import Dataset

CUTOFFS, CUTOFFS_EACH, MOST_CUTOFFS = 200, 5, 4096  # validation forecasts: at least, per series, at most
MOST_STEPS = 96  # of a validation forecast


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

    def calibration(self, cuts: Tensor, errors: np.ndarray, spreads: np.ndarray) -> Calibration:
        """Calibrate on errors (B, K) of forecasts with spreads (B, K), without those of constant series."""
        if self.dataset.moving.any():
            errors = self.dataset.measurable(cuts, errors)
        return Calibration.of(errors, spreads, self.span, len(self.dataset.series))

    def mase(self, cuts: Tensor, errors: np.ndarray) -> float:
        """The mean absolute error (B, K) in units of each series' in-sample naive error."""
        return float(np.nanmean(np.abs(errors) / self.dataset.unit[self.dataset.owner(cuts), None]))


def after_observed(dataset: Dataset, cuts: Tensor) -> Tensor:
    """The cuts that follow an observed value, or all if none does: filled values may be computed from later ones."""
    observed = dataset.observed[cuts - 1]
    return cuts[observed] if observed.any() else cuts
