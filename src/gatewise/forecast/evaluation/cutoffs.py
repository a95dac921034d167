"""Cutoffs of a backtest: where forecasts in the past start, and which values are known there.

Letters: `S` series, `O` cutoffs of each, `h` horizon.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatewise.forecast.baselines import last_observed
from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.plan import Plan
from gatewise.forecast.model.seasons import usual_length
from gatewise.forecast.model.selection import Selection
from gatewise.series import Panel, Series
from gatewise.series.wording import counted


@dataclass(frozen=True)
class Cutoffs:
    """Evenly spaced cutoffs, the last one `h` steps before the end of each series.

    Attributes:
        series: all are long enough.
        which: (S * O,) the series of each cutoff.
        cuts: (S * O,) number of its values before the cutoff.
        stages: (S * O,) 0 to O - 1, from the first cutoff of each series to the last.
        horizon: h.
        step: from one cutoff to the next.
    """

    series: tuple[Series, ...]
    which: np.ndarray
    cuts: np.ndarray
    stages: np.ndarray
    horizon: int
    step: int

    @classmethod
    def of(cls, series: Sequence[Series], horizon: int, windows: int, step: int) -> "Cutoffs":
        """Cutoffs `step` steps apart.

        >>> ten = Series("A", np.arange(10), np.arange(10.0))
        >>> Cutoffs.of([ten], horizon=3, windows=2, step=1).cuts.tolist()
        [6, 7]
        """
        sizes = np.array([len(one_series) for one_series in series])
        back = horizon + step * np.arange(windows - 1, -1, -1)
        cuts = (sizes[:, None] - back).ravel()
        which, stages = (index.ravel() for index in np.indices((len(series), windows)))
        return cls(tuple(series), which, cuts, stages, horizon, step)

    @property
    def count(self) -> int:
        """O, the number of cutoffs of each series."""
        return int(self.stages.max()) + 1

    def first(self, stage: int) -> list[int]:
        """(S,) the cuts of a stage."""
        return [int(cut) for cut in self.cuts[self.stages == stage]]

    def past(self, stage: int) -> list[Series]:
        """The series up to the cuts of a stage."""
        return [cut_off(series, cut) for series, cut in zip(self.series, self.first(stage), strict=True)]

    def dataset(self, selection: Selection, rows: Any, until: Sequence[int]) -> tuple[Dataset, Tensor]:
        """The series prepared for a model, and the cutoffs `rows` as cuts into them.

        A series with filled values, which may depend on later ones, is prepared separately for each cutoff.
        """
        which, cuts = self.which[rows], self.cuts[rows]
        entries = [
            k if self.series[k].filled is None or self.series[k].masked else (k, cut)
            for k, cut in zip(which.tolist(), cuts.tolist(), strict=True)
        ]
        places = {entry: place for place, entry in enumerate(dict.fromkeys(entries))}
        series = [
            self.series[entry] if isinstance(entry, int) else known_at(self.series[entry[0]], entry[1])
            for entry in places
        ]
        stops = [until[entry if isinstance(entry, int) else entry[0]] for entry in places]
        dataset = selection.dataset(series, stops)
        fronts = dataset.fronts[[places[entry] for entry in entries]]
        return dataset, fronts + torch.from_numpy(cuts) - dataset.scaling.difference.lag


def affordable_windows(panel: Panel, plan: Plan, season: int, horizon: int, step: int, most: int) -> int:
    """The number of backtest windows, 0 to `most`, that leave half of the series and enough values for training."""
    values = usual_length(panel.series)
    for windows in range(most, 0, -1):
        remaining = values - horizon - (windows - 1) * step
        if remaining >= max(values / 2, plan.needed(max(remaining, 0), season)[0]):
            return windows
    return 0


def shortage(panel: Panel, plan: Plan, season: int, horizon: int) -> str:
    """Why `affordable_windows` is 0: what a test window of the horizon leaves of a series of median length."""
    values = usual_length(panel.series)
    remaining = max(values - horizon, 0)
    needed = plan.needed(remaining, season)[0]
    text = f"{counted(values, 'value')}; holding out {counted(horizon, 'step')} leaves {remaining}"
    if remaining < needed:
        return f"{text}, fewer than the {needed} for training"
    return f"{text}, less than half; windows=1 (--windows 1) runs one anyway"


def known_at(series: Series, cut: int) -> Series:
    """A series whose filled values just before a cut, which may depend on later ones, are set to the last observed."""
    if series.filled is None or series.masked:
        return series
    last = int(last_observed(series, np.array([cut]))[0])
    y = series.y.copy()
    y[last + 1 : cut] = y[last]
    return replace(series, y=y)


def cut_off(series: Series, cut: int) -> Series:
    """A series up to a cut, as it was known there."""
    series = known_at(series, cut)
    parts: dict[str, Any] = {
        name: None if (values := getattr(series, name)) is None else values[:cut]
        for name in ("filled", "past", "known")
    }
    return replace(series, ds=series.ds[:cut], y=series.y[:cut], ahead=None, **parts)
