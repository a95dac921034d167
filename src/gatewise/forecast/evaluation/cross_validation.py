"""The job of a backtest: train on what was known, and forecast from there.

Letters: `S` series, `W` origins of all of them, `h` horizon.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gatewise.forecast.evaluation.cutoffs import Origins, cut_off
from gatewise.forecast.evaluation.recalibration import by_origin
from gatewise.forecast.model.plan import Plan, Sizes
from gatewise.forecast.model.selection import Trained, fallen_back, train
from gatewise.series import Panel
from gatewise.series.wording import counted


@dataclass(frozen=True)
class Job:
    """What a backtest trains, and on what.

    Attributes:
        plan, sizes: of the models.
        panel: the series, long enough.
        season: of all of them.
        naive: whether the rival is to take the place of a model.
    """

    plan: Plan
    sizes: Sizes
    panel: Panel
    season: int
    naive: Callable[[Trained], bool]

    def forecasts(
        self, origins: Origins, truth: np.ndarray, levels: Sequence[float], refit: bool, name: str
    ) -> tuple[np.ndarray, dict[float, tuple[np.ndarray, np.ndarray]], tuple[str, ...], tuple[str, ...]]:
        """Forecasts (W, h) from all origins, the bounds of each level, what was chosen last, in words, and the naive
        forecast that took the place of each model, "" for none.

        With `refit` a model is trained for each origin on what was known there, else one for all on what was known at
        the first, whose intervals learn from origin to origin by what came true (W, h).
        """
        stages = int(origins.stages.max()) + 1
        mean, spreads = (np.empty((len(origins.cuts), origins.horizon)) for _ in range(2))
        rivals = list[str]()
        bounds = {level: (np.empty_like(mean), np.empty_like(mean)) for level in levels}
        what = f" left by {counted(stages, 'window')} of {origins.horizon}"
        for stage in range(stages if refit else 1):
            cuts = origins.first(stage)
            past = [cut_off(one, cut) for one, cut in zip(origins.series, cuts, strict=True)]
            title = f"backtest {stage + 1} of {stages}: " if refit else "backtest: "
            trained = train(self.plan, self.sizes, self.panel, past, self.season, what, title)
            rows = origins.stages == stage if refit else slice(None)
            corpus, where = origins.corpus(trained, rows, cuts)
            made, spread, calibration = trained.forecast(corpus, where, origins.horizon, naive=self.naive(trained))
            mean[rows], spreads[rows] = made, spread
            rivals.append(trained.rival.name if self.naive(trained) else "")
            turns = (
                [(rows, calibration)]
                if refit
                else by_origin(calibration, origins, corpus.measurable(where, truth - mean), spreads)
            )
            for here, known in turns:
                for level, (lower, upper) in bounds.items():
                    reach = known.reach(spreads[here], level)
                    lower[here], upper[here] = mean[here] - reach, mean[here] + reach
        replaced = (fallen_back(trained, name),) if rivals[-1] else ()
        return mean, bounds, (*trained.said, *replaced), tuple(rivals)
