"""Origins of a backtest: where in the past forecasts start, and what was known there.

Letters: `S` series, `O` origins of each, `h` horizon.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatewise.forecast.corpus import Corpus
from gatewise.forecast.plan import Plan, Sizes
from gatewise.forecast.rivals import last_observed
from gatewise.forecast.trained import Trained, fallen_back, train
from gatewise.series import Panel, Series


@dataclass(frozen=True)
class Origins:
    """Origins side by side, the last one `h` steps before the end of each series.

    Attributes:
        series: those that are long enough.
        which: (S * O,) the series of each origin.
        cuts: (S * O,) how many of its values are known there.
        stages: (S * O,) 0 to O - 1, the first origin of each series to the last.
        horizon: h.
    """

    series: tuple[Series, ...]
    which: np.ndarray
    cuts: np.ndarray
    stages: np.ndarray
    horizon: int

    @classmethod
    def of(cls, series: Sequence[Series], horizon: int, windows: int, step: int) -> "Origins":
        """Origins `step` steps apart.

        >>> ten = Series("A", np.arange(10), np.arange(10.0))
        >>> Origins.of([ten], horizon=3, windows=2, step=1).cuts.tolist()
        [6, 7]
        """
        sizes = np.array([len(one) for one in series])
        back = horizon + step * np.arange(windows - 1, -1, -1)
        cuts = (sizes[:, None] - back).ravel()
        which, stages = (one.ravel() for one in np.indices((len(series), windows)))
        return cls(tuple(series), which, cuts, stages, horizon)

    def first(self, stage: int) -> list[int]:
        """(S,) the cuts of a stage."""
        return [int(cut) for cut in self.cuts[self.stages == stage]]

    def corpus(self, trained: Trained, rows: Any, until: Sequence[int]) -> tuple[Corpus, Tensor]:
        """The series prepared for a model, and the origins `rows` as cuts into them.

        A series with values that were filled in is prepared for each origin anew, as it was known there.
        """
        which, cuts = self.which[rows], self.cuts[rows]
        entries = [
            k if self.series[k].filled is None else (k, cut)
            for k, cut in zip(which.tolist(), cuts.tolist(), strict=True)
        ]
        places = {entry: place for place, entry in enumerate(dict.fromkeys(entries))}
        series = [self.series[one] if isinstance(one, int) else known_at(self.series[one[0]], one[1]) for one in places]
        stops = [until[one if isinstance(one, int) else one[0]] for one in places]
        corpus = trained.corpus(series, stops)
        fronts = corpus.fronts[[places[entry] for entry in entries]]
        return corpus, fronts + torch.from_numpy(cuts) - corpus.frame.difference.lag


def known_at(one: Series, cut: int) -> Series:
    """A series in which values before a cut that were filled in with the help of later ones are the last true one."""
    if one.filled is None:
        return one
    last = int(last_observed(one, np.array([cut]))[0])
    y = one.y.copy()
    y[last + 1 : cut] = y[last]
    return replace(one, y=y)


def cut_off(one: Series, cut: int) -> Series:
    """What was known of a series at a cut."""
    one = known_at(one, cut)
    parts = {
        name: None if (values := getattr(one, name)) is None else values[:cut] for name in ("filled", "past", "known")
    }
    return replace(one, ds=one.ds[:cut], y=one.y[:cut], ahead=None, **parts)


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
        self, origins: Origins, levels: Sequence[float], refit: bool, name: str
    ) -> tuple[np.ndarray, dict[float, tuple[np.ndarray, np.ndarray]], tuple[str, ...]]:
        """Forecasts (S * O, h) from all origins, the bounds of each level, and what was chosen last, in words.

        With `refit` a model is trained for each origin on what was known there, else one for all on what was known at
        the first.
        """
        stages = int(origins.stages.max()) + 1
        mean = np.empty((len(origins.cuts), origins.horizon))
        bounds = {level: (np.empty_like(mean), np.empty_like(mean)) for level in levels}
        what = f" left by {stages} windows of {origins.horizon}"
        for stage in range(stages if refit else 1):
            cuts = origins.first(stage)
            past = [cut_off(one, cut) for one, cut in zip(origins.series, cuts, strict=True)]
            title = f"backtest {stage + 1} of {stages}: " if refit else "backtest: "
            trained = train(self.plan, self.sizes, self.panel, past, self.season, what, title)
            rows = origins.stages == stage if refit else slice(None)
            corpus, where = origins.corpus(trained, rows, cuts)
            made, spread, calibration = trained.forecast(corpus, where, origins.horizon, naive=self.naive(trained))
            mean[rows] = made
            for level, (lower, upper) in bounds.items():
                reach = calibration.reach(spread, level)
                lower[rows], upper[rows] = made - reach, made + reach
        replaced = (fallen_back(trained, name),) if self.naive(trained) else ()
        return mean, bounds, (*trained.said, *replaced)
