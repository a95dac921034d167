"""Cross-validation over time: train on the values before each cutoff, and forecast from there.

Letters: `S` series, `W` cutoffs of all series, `h` horizon.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gatewise.forecast.conformal import Calibration
from gatewise.forecast.evaluation.cutoffs import Cutoffs
from gatewise.forecast.evaluation.recalibration import by_cutoff
from gatewise.forecast.fitted import replaces_network
from gatewise.forecast.model.plan import Plan, Sizes
from gatewise.forecast.model.selection import Selection, fallback_message, training_steps
from gatewise.parallel import Steps
from gatewise.series import Panel
from gatewise.series.wording import counted

Bounds = dict[float, tuple[np.ndarray, np.ndarray]]  # by level in percent


class CutoffForecasts(NamedTuple):
    """The forecasts from all cutoffs.

    Attributes:
        mean: (W, h).
        intervals: level in percent -> lower and upper bounds, (W, h) each.
        choices: sentences about the last trained model.
        replacements: for each trained model the naive forecast that replaced it, "" for none.
    """

    mean: np.ndarray
    intervals: Bounds
    choices: tuple[str, ...]
    replacements: tuple[str, ...]


@dataclass(frozen=True)
class CrossValidation:
    """Which models a backtest trains, and on which series.

    Attributes:
        plan, sizes: of the models.
        panel: the series; all are long enough.
        season: of all series.
        fallback: "naive" or "none", as for `gatewise.Forecaster`.
        name: of the models, such as "LSTM".
    """

    plan: Plan
    sizes: Sizes
    panel: Panel
    season: int
    fallback: str
    name: str

    def training_steps(self, cutoffs: Cutoffs, refit: bool) -> list[Steps[Selection]]:
        """The trainings of the models, each on the values before the cutoffs of its stage.

        Arguments:
            cutoffs: where forecasts start.
            refit: True trains a model for each cutoff; False trains one for all, on the values before the first.
        """
        return [self._training_steps(cutoffs, stage) for stage in range(cutoffs.count if refit else 1)]

    def _training_steps(self, cutoffs: Cutoffs, stage: int) -> Steps[Selection]:
        """The training of one model; its series are cut off when it starts."""
        remainder = f" before {counted(cutoffs.count, 'window')} of {cutoffs.horizon}"
        past = cutoffs.past(stage)
        return (yield from training_steps(self.plan, self.sizes, self.panel, past, self.season, remainder))

    def forecasts(
        self, cutoffs: Cutoffs, truth: np.ndarray, levels: Sequence[float], selections: Sequence[Selection]
    ) -> CutoffForecasts:
        """Forecast from all cutoffs.

        Arguments:
            cutoffs: where forecasts start.
            truth: (W, h) the outcomes, on which the intervals of later cutoffs are recalibrated.
            levels: percentages of the intervals.
            selections: the models, one for each cutoff of a series; or one for all, whose intervals are recalibrated
                from cutoff to cutoff.
        """
        refit = len(selections) > 1
        mean, spread = (np.empty((len(cutoffs.cuts), cutoffs.horizon)) for _ in range(2))
        bounds = {level: (np.empty_like(mean), np.empty_like(mean)) for level in levels}
        replacements = list[str]()
        for stage, selection in enumerate(selections):
            naive = replaces_network(self.fallback, selection)
            replacements.append(selection.baseline.name if naive else "")
            rows: Any = cutoffs.stages == stage if refit else slice(None)
            dataset, cuts = cutoffs.dataset(selection, rows, cutoffs.first(stage))
            mean[rows], spread[rows], calibration = selection.forecast(dataset, cuts, cutoffs.horizon, naive=naive)
            calibrations: Iterator[tuple[np.ndarray, Calibration]] = iter([(rows, calibration)])
            if not refit:
                errors = dataset.measurable(cuts, truth - mean)
                calibrations = by_cutoff(calibration, cutoffs, errors, spread)
            for part, calibration in calibrations:
                for level, (lower, upper) in bounds.items():
                    lower[part], upper[part] = calibration.bounds(mean[part], spread[part], level)
        replaced = (fallback_message(selection, self.name),) if naive else ()
        return CutoffForecasts(mean, bounds, (*selection.choices, *replaced), tuple(replacements))
