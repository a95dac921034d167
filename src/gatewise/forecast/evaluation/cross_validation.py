"""The job of a backtest: train on what was known, and forecast from there.

Letters: `S` series, `W` cutoffs of all of them, `h` horizon.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gatewise.forecast.evaluation.cutoffs import Cutoffs, cut_off
from gatewise.forecast.evaluation.recalibration import by_cutoff
from gatewise.forecast.model.plan import Plan, Sizes
from gatewise.forecast.model.selection import Selection, fallback_message, train
from gatewise.series import Panel
from gatewise.series.wording import counted


@dataclass(frozen=True)
class CrossValidation:
    """What a backtest trains, and on what.

    Attributes:
        plan, sizes: of the models.
        panel: the series, long enough.
        season: of all of them.
        naive: whether the baseline is to take the place of a model.
    """

    plan: Plan
    sizes: Sizes
    panel: Panel
    season: int
    naive: Callable[[Selection], bool]

    def forecasts(
        self, cutoffs: Cutoffs, truth: np.ndarray, levels: Sequence[float], refit: bool, name: str
    ) -> tuple[np.ndarray, dict[float, tuple[np.ndarray, np.ndarray]], tuple[str, ...], tuple[str, ...]]:
        """Forecasts (W, h) from all cutoffs, the bounds of each level, what was chosen last, in words, and the naive
        forecast that took the place of each model, "" for none.

        With `refit` a model is trained for each cutoff on what was known there, else one for all on what was known at
        the first, whose intervals learn from cutoff to cutoff by what came true (W, h).
        """
        stages = int(cutoffs.stages.max()) + 1
        mean, spreads = (np.empty((len(cutoffs.cuts), cutoffs.horizon)) for _ in range(2))
        baselines = list[str]()
        bounds = {level: (np.empty_like(mean), np.empty_like(mean)) for level in levels}
        what = f" left by {counted(stages, 'window')} of {cutoffs.horizon}"
        for stage in range(stages if refit else 1):
            cuts = cutoffs.first(stage)
            past = [cut_off(one, cut) for one, cut in zip(cutoffs.series, cuts, strict=True)]
            title = f"backtest {stage + 1} of {stages}: " if refit else "backtest: "
            selection = train(self.plan, self.sizes, self.panel, past, self.season, what, title)
            rows = cutoffs.stages == stage if refit else slice(None)
            dataset, where = cutoffs.dataset(selection, rows, cuts)
            made, spread, calibration = selection.forecast(dataset, where, cutoffs.horizon, naive=self.naive(selection))
            mean[rows], spreads[rows] = made, spread
            baselines.append(selection.baseline.name if self.naive(selection) else "")
            turns = (
                [(rows, calibration)]
                if refit
                else by_cutoff(calibration, cutoffs, dataset.measurable(where, truth - mean), spreads)
            )
            for here, known in turns:
                for level, (lower, upper) in bounds.items():
                    reach = known.reach(spreads[here], level)
                    lower[here], upper[here] = mean[here] - reach, mean[here] + reach
        replaced = (fallback_message(selection, name),) if baselines[-1] else ()
        return mean, bounds, (*selection.choices, *replaced), tuple(baselines)
