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
from gatewise.series.outliers.treatment import treated, untreated
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
        cuts = self.first(stage)
        known = known_before(list(zip(self.series, cuts, strict=True)))
        return [_until(series, cut) for series, cut in zip(known, cuts, strict=True)]

    def dataset(self, selection: Selection, rows: Any, until: Sequence[int]) -> tuple[Dataset, Tensor]:
        """The series prepared for a model, and the cutoffs `rows` as cuts into them."""
        series, places, owners = self.known(rows)
        dataset = selection.dataset(series, [until[k] for k in owners])
        return dataset, dataset.fronts[places] + torch.from_numpy(self.cuts[rows]) - dataset.scaling.difference.lag

    def known(self, rows: Any) -> tuple[list[Series], list[int], list[int]]:
        """The series as they are known at the cutoffs `rows`; the position of each cutoff's series among them, and the
        position of each of them in `series`.

        A series with filled or treated values, which may depend on later ones, is prepared separately for each cutoff.
        """
        cuts = zip(self.which[rows].tolist(), self.cuts[rows].tolist(), strict=True)
        entries = [(k, cut if _looks_ahead(self.series[k]) else len(self.series[k])) for k, cut in cuts]
        places = {entry: place for place, entry in enumerate(dict.fromkeys(entries))}
        series = known_before([(self.series[k], cut) for k, cut in places])
        return series, [places[entry] for entry in entries], [k for k, _ in places]


def affordable_windows(panel: Panel, plan: Plan, season: int, horizon: int, step: int, most: int) -> int:
    """The number of backtest windows, 0 to `most`, that leave half of the series and enough values for training."""
    values = usual_length(panel.series)
    for windows in range(most, 0, -1):
        remaining = values - horizon - (windows - 1) * step
        if remaining >= max(values / 2, plan.needed(max(remaining, 0), season)[0]):
            return windows
    return 0


def _looks_ahead(series: Series) -> bool:
    """Whether values of a series may depend on later ones."""
    return series.treatment is not None or (series.filled is not None and not series.masked)


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
    """A series whose values before a cut do not depend on those from the cut on; see `known_before`."""
    return known_before([(series, cut)])[0]


def known_before(cuts: Sequence[tuple[Series, int]]) -> list[Series]:
    """Series whose values before a cut do not depend on those from the cut on.

    Outliers are treated as if the series ended at the cut. Filled values just before it are set to the last observed.
    """
    known = [_refilled(untreated(series), cut) if cut < len(series) else series for series, cut in cuts]
    rows = [k for k, (series, cut) in enumerate(cuts) if series.treatment is not None and cut < len(series)]
    if rows:
        first = cuts[rows[0]][0].treatment
        assert first is not None  # all series of a panel are treated alike
        pasts = treated([_until(known[k], cuts[k][1]) for k in rows], first.freq, first.how, first.fill).series
        for k, past in zip(rows, pasts, strict=True):
            known[k] = _with_past(cuts[k][0], past)
    return known


def _refilled(series: Series, cut: int) -> Series:
    """The series with the last observed value in place of filled ones just before a cut."""
    if series.filled is None or series.masked:
        return series
    last = int(last_observed(series, np.array([cut]))[0])
    y = series.y.copy()
    y[last + 1 : cut] = y[last]
    return replace(series, y=y)


def _with_past(series: Series, past: Series) -> Series:
    """A series with other values at its beginning."""
    filled = [np.zeros(len(one), bool) if one.filled is None else one.filled for one in (past, series)]
    mask = np.concatenate([filled[0], filled[1][len(past) :]])
    y = np.concatenate([past.y, series.y[len(past) :]])
    return replace(series, y=y, filled=mask if mask.any() else None, masked=series.masked or past.masked)


def cut_off(series: Series, cut: int) -> Series:
    """A series up to a cut, as it was known there."""
    return _until(known_at(series, cut), cut)


def _until(series: Series, cut: int) -> Series:
    """The values of a series before a cut."""
    parts: dict[str, Any] = {
        name: None if (values := getattr(series, name)) is None else values[:cut]
        for name in ("filled", "past", "known")
    }
    if series.treatment is not None:
        parts["treatment"] = replace(series.treatment, values=series.treatment.values[:cut])
    return replace(series, ds=series.ds[:cut], y=series.y[:cut], ahead=None, **parts)
