"""The dataset: all series of a panel, concatenated in one tensor from which windows are cut by index.

Letters: `S` series, `N` values of all of them, `B` windows, `L` values of a window, `r` steps after it; `P`, `K` and
`C` features, see `gatewise.forecast.model.window`.

A window is identified by its cut: the position in the dataset of the first value after the window. A series that is too
short for complete windows is padded at its start with repetitions of its first season (without a season, of its first
value). Padding and filled values are network inputs, but never training targets.

Where values may be missing (fill="none"), the last observed value stands in for a missing one as a network input, and
that of an earlier season where the network output is added to it. The network also reads which values are observed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatewise.forecast.model.scales import is_moving, naive_errors, series_scales
from gatewise.forecast.model.window import Window, WindowScaling
from gatewise.series import Series
from gatewise.series.gaps import carried, mask_features, seasonally_carried
from gatewise.windows import Scale


@dataclass(frozen=True)
class Dataset:
    """Concatenated series, each on its own scale.

    Attributes:
        scaling: the transforms that prepared the values.
        series: the original series.
        values: (N,) float32.
        observed: (N,) bool; False for padding and filled values.
        starts, fronts, ends: (S,) the start of each series with its padding, its start without padding, and its end.
        shift, scale: (S,) float64, of each series.
        unit: (S,) float64, the in-sample error of the (seasonal) naive forecast, the unit of the MASE.
        moving: (S,) bool; False for a constant series, whose errors have no unit.
        past, known: (N, P) and (N, K) float32, or None.
        static: (S, C) float32, or None.
        carried: (N,) float32, the values with earlier seasons in place of missing values; None if none may be missing.
        mask: (N, 2) float32, see `gatewise.series.gaps.mask_features`; None if no value may be missing.
    """

    scaling: WindowScaling
    series: Sequence[Series]
    values: Tensor
    observed: Tensor
    starts: Tensor
    fronts: Tensor
    ends: Tensor
    shift: np.ndarray
    scale: np.ndarray
    unit: np.ndarray
    moving: np.ndarray
    past: Tensor | None = None
    known: Tensor | None = None
    static: Tensor | None = None
    carried: Tensor | None = None
    mask: Tensor | None = None

    @classmethod
    def of(cls, series: Sequence[Series], scaling: WindowScaling, until: Sequence[int] | None = None) -> "Dataset":
        """Prepare series; their scales are fitted on the values before `until` (S,), if given."""
        lag = scaling.difference.lag
        series = seasonally_carried(series, scaling.season) if scaling.masked else series

        def differences(values: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
            return [scaling.difference.apply(y) for y in values] if lag else values

        originals = [one_series.y for one_series in series]
        recorded = [one_series.recorded for one_series in series] if scaling.masked else originals
        values = differences(originals)
        measured = differences(recorded) if scaling.masked else values
        stops: list[Any] = [None] * len(series) if until is None else [stop - lag for stop in until]
        shift, scale = series_scales([y[:stop] for y, stop in zip(measured, stops, strict=True)], scaling)
        sizes = np.array([len(y) for y in values])
        padding = _padding_sizes(sizes, scaling)
        source, padded = _padded_positions(sizes, padding, scaling.season)
        owner = np.repeat(np.arange(len(series)), sizes)
        filled = [_filled(one_series, scaling) for one_series in series]

        def scaled(values: Sequence[np.ndarray]) -> Tensor:
            with np.errstate(over="ignore"):  # `extrapolate` raises on infinite values
                flat = ((np.concatenate(values) - shift[owner]) / scale[owner]).astype(np.float32)
            return torch.from_numpy(flat[source])

        carried_values = mask = None
        if scaling.masked:
            carried_values = scaled(values)
            values = [carried(y, missing) for y, missing in zip(values, filled, strict=True)]
            features = np.concatenate([mask_features(missing) for missing in filled])
            mask = torch.from_numpy(features.astype(np.float32)[source])
        ends = torch.from_numpy((sizes + padding).cumsum())
        training = [y[:stop] for y, stop in zip(recorded, until or stops, strict=True)]
        return cls(
            scaling,
            series,
            scaled(values),
            torch.from_numpy(~np.concatenate(filled)[source] & ~padded),
            ends - torch.from_numpy(sizes + padding),
            ends - torch.from_numpy(sizes),
            ends,
            shift,
            scale,
            naive_errors(training, scaling.season),
            is_moving(training),
            *_scaled_features(series, scaling, source),
            carried_values,
            mask,
        )

    def owner(self, cuts: Tensor) -> Tensor:
        """(B,) the position of the series of each cut; a cut at the end of a series belongs to it."""
        return torch.searchsorted(self.ends, cuts)

    def raw(self, cuts: Tensor) -> Tensor:
        """(L, B) scaled values before the cuts, not yet on the scale of their windows."""
        return self.values[cuts + torch.arange(-self.scaling.length, 0)[:, None]]

    def raw_carried(self, cuts: Tensor) -> Tensor | None:
        """(L, B) as `raw`, with earlier seasons in place of missing values; None if none may be missing."""
        return None if self.carried is None else self.carried[cuts + torch.arange(-self.scaling.length, 0)[:, None]]

    def features(self, cuts: Tensor, steps: int) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """(L, B, P), (L + steps, B, K) and (B, C) features of windows; the last row is repeated beyond the end.

        If values may be missing, the mask (L, B, 2) follows the past features.
        """
        rows = cuts + torch.arange(-self.scaling.length, steps)[:, None]
        owner = self.owner(cuts)
        rows = torch.minimum(rows, self.ends[owner] - 1)
        past = [part[rows[: self.scaling.length]] for part in (self.past, self.mask) if part is not None]
        return (
            torch.cat(past, -1) if len(past) > 1 else past[0] if past else None,
            None if self.known is None else self.known[rows],
            None if self.static is None else self.static[owner],
        )

    def after(self, cuts: Tensor, steps: int) -> np.ndarray:
        """(B, steps) the original values after the cuts, NaN where none was observed."""
        values = np.full((len(cuts), steps), np.nan)
        for row, series, t in zip(values, *self._originals(cuts), strict=True):
            y = series.y[t : t + steps]
            row[: len(y)] = y if series.filled is None else np.where(series.filled[t : t + steps], np.nan, y)
        return values

    def measurable(self, cuts: Tensor, errors: np.ndarray) -> np.ndarray:
        """Errors (B, h) after cuts, NaN for constant series."""
        return np.where(self.moving[self.owner(cuts).numpy(), None], errors, np.nan)

    def original(self, values: Tensor, cuts: Tensor) -> np.ndarray:
        """Scaled values (B, h) after the cuts on the original scale, with differences undone."""
        d, lag = self.unscaled(values, cuts), self.scaling.difference.lag
        if lag == 0:
            return d
        histories = np.stack([series.y[t - lag : t] for series, t in zip(*self._originals(cuts), strict=True)])
        return self.scaling.difference.extend(d, histories)

    def unscaled(self, values: Tensor, cuts: Tensor) -> np.ndarray:
        """Scaled values (B, h) on the scale of the series, or of its differences."""
        owner = self.owner(cuts).numpy()
        unscaled: np.ndarray = values.double().numpy() * self.scale[owner, None] + self.shift[owner, None]
        return unscaled

    def original_cuts(self, cuts: Tensor) -> Tensor:
        """(B,) for each cut, the number of original values of its series before it."""
        return cuts - self.fronts[self.owner(cuts)] + self.scaling.difference.lag

    def windows(self, cuts: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """For each cut (B,), the position of its series, and the number of its original values before the cut."""
        return self.owner(cuts).numpy(), self.original_cuts(cuts).numpy()

    def _originals(self, cuts: Tensor) -> tuple[list[Series], list[int]]:
        """The series of each cut, and the number of its original values before the cut."""
        return [self.series[s] for s in self.owner(cuts).tolist()], self.original_cuts(cuts).tolist()

    def pair(self, cuts: Tensor, limits: Tensor) -> tuple[Window, Tensor]:
        """Windows and targets (2, L + r, B): values of the window and the r steps after it, and their weights.

        Values are on the scale of the window. A weight is 0 for padding, for filled values, and at or beyond the limit
        (S,) of the series.
        """
        reach = self.scaling.reach
        owner = self.owner(cuts)
        rows = cuts + torch.arange(-self.scaling.length, reach)[:, None]
        inside = rows < limits[owner]
        rows = torch.minimum(rows, self.ends[owner] - 1)
        values = self.values[rows]
        window = self.scaling.window(values[: self.scaling.length], *self.features(cuts, reach), self.raw_carried(cuts))
        target = (values - window.shift) / window.spread
        return window, torch.stack([target, (self.observed[rows] & inside).to(target)])


def stack_features(series: Sequence[Series]) -> list[np.ndarray | None]:
    """Past (N, P), known (N, K) and static (S, C) features of all series, None where there are none."""
    stacked: list[np.ndarray | None] = []
    for name, join in (("past", np.concatenate), ("known", np.concatenate), ("static", np.stack)):
        features = (getattr(one_series, name) for one_series in series)
        parts: list[np.ndarray] = [part for part in features if part is not None]
        stacked.append(join(parts) if parts else None)
    return stacked


def known_after(series: Sequence[Series], which: np.ndarray, cuts: np.ndarray, horizon: int) -> Any:
    """(B, h, K) features known in advance after cuts (B,), if any; the last row is repeated beyond the end."""
    if series[0].known is None:
        return None
    known: list[Any] = [series[k].known for k in which]
    rows = cuts[:, None] + np.arange(horizon)
    return np.stack([values[np.minimum(row, len(values) - 1)] for values, row in zip(known, rows, strict=True)])


def _scaled_features(
    series: Sequence[Series], scaling: WindowScaling, source: np.ndarray
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Past (N, P), known (N, K) and static (S, C) features on their scales, padded by `source` (N,)."""
    lag, features = scaling.difference.lag, scaling.features

    def padded(name: str, scale: Scale | None) -> Tensor | None:
        if scale is None:
            return None
        rows = np.concatenate([getattr(one_series, name)[lag:] for one_series in series])
        return torch.from_numpy(scale.apply(rows).astype(np.float32)[source])

    rows: list[Any] = [one_series.static for one_series in series]
    static = None if features.static is None else features.static.apply(np.stack(rows)).astype(np.float32)
    return (
        padded("past", features.past),
        padded("known", features.known),
        None if static is None else torch.from_numpy(static),
    )


def _filled(series: Series, scaling: WindowScaling) -> np.ndarray:
    """Whether a value, or any value in its difference, was filled in."""
    lag = scaling.difference.lag
    if series.filled is None:
        return np.zeros(len(series) - lag, bool)
    parts = [series.filled[lag - k : len(series) - k] for k, c in enumerate(scaling.difference.coefficients) if c]
    filled: np.ndarray = np.logical_or.reduce(parts)
    return filled


def _padding_sizes(sizes: np.ndarray, scaling: WindowScaling) -> np.ndarray:
    """How many padding values each series needs so that windows can end anywhere in its second half."""
    first = np.minimum(scaling.length, np.maximum(sizes // 2, 1))
    padding: np.ndarray = scaling.length - first
    return padding


def _padded_positions(sizes: np.ndarray, padding: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """For each value of the dataset: its position among the values before padding, and whether it is padding."""
    padded_sizes = sizes + padding
    offsets, starts = sizes.cumsum() - sizes, padded_sizes.cumsum() - padded_sizes
    steps = np.arange(padded_sizes.sum()) - np.repeat(starts + padding, padded_sizes)
    padded = steps < 0
    repeated = np.repeat(np.minimum(sizes, season), padded_sizes)
    return np.where(padded, steps % repeated, steps) + np.repeat(offsets, padded_sizes), padded
