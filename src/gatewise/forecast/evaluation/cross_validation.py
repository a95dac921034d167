"""Cross-validation over time: train on the values before each cutoff, and forecast from there.

Letters: `S` series, `W` cutoffs of all series, `h` horizon.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gatewise.forecast.conformal import Calibration
from gatewise.forecast.evaluation.cutoffs import Cutoffs
from gatewise.forecast.evaluation.holdout import WindowForecasts
from gatewise.forecast.evaluation.recalibration import by_cutoff
from gatewise.forecast.model.plan import Plan, Sizes
from gatewise.forecast.model.selection import Selection, training_steps
from gatewise.parallel import Steps
from gatewise.series import Panel
from gatewise.series.wording import counted


class CutoffForecasts(NamedTuple):
    """The forecasts from all cutoffs.

    Attributes:
        forecasts: of the model, then of each baseline, by name.
        choices: sentences about the last trained model.
        delivered: for each trained model the name of the delivered method, such as "LSTM" or "Theta".
    """

    forecasts: dict[str, WindowForecasts]
    choices: tuple[str, ...]
    delivered: tuple[str, ...]


@dataclass(frozen=True)
class CrossValidation:
    """Which models a backtest trains, and on which series.

    Attributes:
        plan, sizes: of the models.
        panel: the series; all are long enough.
        season: of all series.
        name: of the models, such as "LSTM".
    """

    plan: Plan
    sizes: Sizes
    panel: Panel
    season: int
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
        names = (self.name, *(method.baseline for method in selections[0].baselines))
        forecasts = {name: _empty(len(cutoffs.cuts), cutoffs.horizon, levels) for name in names}
        for stage, selection in enumerate(selections):
            rows: Any = cutoffs.stages == stage if len(selections) > 1 else slice(None)
            dataset, cuts = cutoffs.dataset(selection, rows, cutoffs.first(stage))
            for name, method in zip(names, (selection.delivered, *selection.baselines), strict=True):
                mean, spread = selection.forecast(dataset, cuts, cutoffs.horizon, method=method)
                forecast = forecasts[name]
                forecast.mean[rows] = mean
                calibrations: Iterator[tuple[Any, Calibration]] = iter([(slice(None), method.calibration)])
                if len(selections) == 1:
                    errors = dataset.measurable(cuts, truth - mean)
                    calibrations = by_cutoff(method.calibration, cutoffs, errors, spread)
                for part, calibration in calibrations:
                    at = np.arange(len(truth))[rows][part]
                    for level, (lower, upper) in forecast.intervals.items():
                        bounds = calibration.bounds(mean[part], spread[part], level)
                        lower[at], upper[at] = selection.limits.interval(*bounds)
        delivered = tuple(selection.delivered.describe(self.name) for selection in selections)
        return CutoffForecasts(forecasts, selections[-1].choices, delivered)


def _empty(windows: int, horizon: int, levels: Sequence[float]) -> WindowForecasts:
    """Forecasts to fill in."""
    mean = np.empty((windows, horizon))
    return WindowForecasts(mean, {level: (np.empty_like(mean), np.empty_like(mean)) for level in levels})
