"""The dataset: all series of a panel end to end in one tensor, out of which windows are cut by index.

Letters: `S` series, `N` values of all of them, `B` windows, `L` values of a window, `r` steps beyond it; `P`, `K` and
`C` features, see `gatewise.forecast.model.window`.

A window is named by its cut: the position in the dataset of the first value that it does not see. Where a series is
too short for whole windows, its first season is repeated in front of it (its first value without one); what was made
up in this way, or by filling gaps, is read but never learnt from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatewise.forecast.model.window import Window, WindowScaling
from gatewise.series import Series
from gatewise.windows import Scale

CONSTANT = 1e-6  # the scale of a series that does not change, in units of its value
TINY = np.finfo(np.float64).tiny
ROUNDING = 1e-12  # in units of the largest value: a smaller change is none
LEAST_CHANGE = 1e-3  # over a season, in units of the standard deviation: a smaller one is no measure
MOST_PERMUTED = 2**20  # so many windows are dealt like cards, more are drawn anew each time


@dataclass(frozen=True)
class Dataset:
    """Series end to end, each on its own scale.

    Attributes:
        scaling: by which they were prepared.
        series: as they came.
        values: (N,) float32.
        observed: (N,) bool; False where a value was made up.
        starts, fronts, ends: (S,) where each series starts with what was put before it, starts without, and ends.
        shift, scale: (S,) float64, of each series.
        unit: (S,) float64, the in-sample error of the (seasonal) naive forecast, by which errors are compared.
        moving: (S,) bool; False for a series that was always the same, whose errors have no measure.
        past, known: (N, P) and (N, K) float32, or None.
        static: (S, C) float32, or None.
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

    @classmethod
    def of(cls, series: Sequence[Series], scaling: WindowScaling, until: Sequence[int] | None = None) -> "Dataset":
        """Prepare series; their scales come from the values before `until` (S,), where given."""
        lag = scaling.difference.lag
        values: list[np.ndarray] = [scaling.difference.apply(one.y) if lag else one.y for one in series]
        stops: list[Any] = [None] * len(series) if until is None else [stop - lag for stop in until]
        shift, scale = scales([y[:stop] for y, stop in zip(values, stops, strict=True)], scaling)
        sizes = np.array([len(y) for y in values])
        pads = _pads(sizes, scaling)
        source, made_up = _padded(sizes, pads, scaling.season)
        flat = np.concatenate(values)
        owner = np.repeat(np.arange(len(series)), sizes)
        with np.errstate(over="ignore"):  # what is infinite then is refused when it is forecast from
            flat = ((flat - shift[owner]) / scale[owner]).astype(np.float32)
        filled = [_filled(one, scaling) for one in series]
        ends = torch.from_numpy((sizes + pads).cumsum())
        known = [one.y[:stop] for one, stop in zip(series, until or stops, strict=True)]
        features = scaling.features

        def prepared(name: str, scale: Scale | None) -> Tensor | None:
            if scale is None:
                return None
            rows = np.concatenate([getattr(one, name)[lag:] for one in series])
            return torch.from_numpy(scale.apply(rows).astype(np.float32)[source])

        rows: list[Any] = [one.static for one in series]
        static = None if features.static is None else features.static.apply(np.stack(rows))
        return cls(
            scaling,
            series,
            torch.from_numpy(flat[source]),
            torch.from_numpy(~np.concatenate(filled)[source] & ~made_up),
            ends - torch.from_numpy(sizes + pads),
            ends - torch.from_numpy(sizes),
            ends,
            shift,
            scale,
            units(known, scaling.season),
            changes(known, 1) > ROUNDING * np.array([np.abs(y).max() for y in known]),
            prepared("past", features.past),
            prepared("known", features.known),
            None if static is None else torch.from_numpy(static.astype(np.float32)),
        )

    def owner(self, cuts: Tensor) -> Tensor:
        """(B,) the series that each cut is in; a cut at its end belongs to it."""
        return torch.searchsorted(self.ends, cuts)

    def raw(self, cuts: Tensor) -> Tensor:
        """(L, B) scaled values before the cuts."""
        return self.values[cuts + torch.arange(-self.scaling.length, 0)[:, None]]

    def features(self, cuts: Tensor, ahead: int) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """(L, B, P), (L + ahead, B, K) and (B, C) features of windows; beyond the end of a series, its last ones."""
        rows = cuts + torch.arange(-self.scaling.length, ahead)[:, None]
        owner = self.owner(cuts)
        rows = torch.minimum(rows, self.ends[owner] - 1)
        return (
            None if self.past is None else self.past[rows[: self.scaling.length]],
            None if self.known is None else self.known[rows],
            None if self.static is None else self.static[owner],
        )

    def after(self, cuts: Tensor, steps: int) -> np.ndarray:
        """(B, steps) the original values after the cuts, NaN where nothing was observed."""
        values = np.full((len(cuts), steps), np.nan)
        for row, one, t in zip(values, *self._known(cuts), strict=True):
            y = one.y[t : t + steps]
            row[: len(y)] = y if one.filled is None else np.where(one.filled[t : t + steps], np.nan, y)
        return values

    def measurable(self, cuts: Tensor, errors: np.ndarray) -> np.ndarray:
        """Errors (B, h) after cuts, NaN for series that were always the same."""
        return np.where(self.moving[self.owner(cuts).numpy(), None], errors, np.nan)

    def original(self, values: Tensor, cuts: Tensor) -> np.ndarray:
        """Scaled values (B, h) after the cuts on the scale of the series, differences undone."""
        d, lag = self.unscaled(values, cuts), self.scaling.difference.lag
        if lag == 0:
            return d
        histories = np.stack([one.y[t - lag : t] for one, t in zip(*self._known(cuts), strict=True)])
        return self.scaling.difference.extend(d, histories)

    def unscaled(self, values: Tensor, cuts: Tensor) -> np.ndarray:
        """Scaled values (B, h) on the scale of the series or its differences."""
        owner = self.owner(cuts).numpy()
        unscaled: np.ndarray = values.double().numpy() * self.scale[owner, None] + self.shift[owner, None]
        return unscaled

    def _known(self, cuts: Tensor) -> tuple[list[Series], list[int]]:
        """The series of each cut, and how many of its original values are known there."""
        owner = self.owner(cuts)
        known = cuts - self.fronts[owner] + self.scaling.difference.lag
        return [self.series[s] for s in owner.tolist()], known.tolist()

    def pair(self, cuts: Tensor, limits: Tensor) -> tuple[Window, Tensor]:
        """Windows, and (2, L + r, B): their values with those that follow, on the window's scale, and their weights.

        A weight is 0 where a value was made up, or is at or beyond its series' limit (S,).
        """
        reach = self.scaling.reach
        owner = self.owner(cuts)
        rows = cuts + torch.arange(-self.scaling.length, reach)[:, None]
        inside = rows < limits[owner]
        rows = torch.minimum(rows, self.ends[owner] - 1)
        values = self.values[rows]
        window = self.scaling.window(values[: self.scaling.length], *self.features(cuts, reach))
        target = (values - window.shift) / window.spread
        return window, torch.stack([target, (self.observed[rows] & inside).to(target)])


@dataclass(frozen=True)
class Cuts:
    """Where windows may be cut, series by series: from first (S,) to last (S,), both included.

    >>> cuts = Cuts(torch.tensor([2, 9]), torch.tensor([3, 8]))
    >>> len(cuts), cuts[torch.tensor([0, 1])].tolist()
    (2, [2, 3])
    """

    first: Tensor
    last: Tensor

    def __post_init__(self) -> None:
        object.__setattr__(self, "_totals", (self.last - self.first + 1).clamp_min(0).cumsum(0))

    def __len__(self) -> int:
        return int(self._totals[-1])  # type: ignore[attr-defined]  # set above: the class is frozen

    def __getitem__(self, indices: Tensor) -> Tensor:
        totals: Tensor = self._totals  # type: ignore[attr-defined]
        owner = torch.searchsorted(totals, indices, right=True)
        return self.last[owner] - (totals[owner] - 1 - indices)

    def spread(self, most: int) -> Tensor:
        """At most so many cuts, evenly spread."""
        total = len(self)
        return self[torch.linspace(0, total - 1, min(most, total), dtype=torch.float64).round().long()]


def training_cuts(dataset: Dataset, limits: Tensor) -> Cuts:
    """Cuts of whole windows whose targets stay below each series' limit (S,), as far as there are such."""
    first = dataset.starts + dataset.scaling.length
    last = torch.maximum(limits - dataset.scaling.reach, torch.minimum(first, limits - 1))
    return Cuts(first, last)


class RandomBatches:
    """Batches of windows with their targets, dealt anew at each iteration.

    Arguments:
        dataset: the series.
        cuts: where windows may be cut.
        limits: (S,) where targets end.
        batch_size: windows of a batch.
        steps: batches of an iteration.
        generator: where chance comes from.
    """

    def __init__(
        self, dataset: Dataset, cuts: Cuts, limits: Tensor, batch_size: int, steps: int, generator: torch.Generator
    ) -> None:
        self.dataset, self.cuts, self.limits = dataset, cuts, limits
        self.batch_size, self.steps, self.generator = batch_size, steps, generator

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[tuple[Window, Tensor]]:
        total = len(self.cuts)
        if total <= MOST_PERMUTED:
            order = torch.randperm(total, generator=self.generator)[: self.steps * self.batch_size]
        else:
            order = torch.randint(total, (self.steps * self.batch_size,), generator=self.generator)
        for chosen in torch.split(order, self.batch_size):
            yield self.dataset.pair(self.cuts[chosen], self.limits)


class FixedBatches:
    """Batches of certain windows with their targets, always the same."""

    def __init__(self, dataset: Dataset, cuts: Tensor, batch_size: int = 1024) -> None:
        self.dataset, self.cuts, self.batch_size = dataset, cuts, batch_size

    def __len__(self) -> int:
        return -(-len(self.cuts) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Window, Tensor]]:
        for cuts in torch.split(self.cuts, self.batch_size):
            yield self.dataset.pair(cuts, self.dataset.ends)


def _filled(one: Series, scaling: WindowScaling) -> np.ndarray:
    """Whether a value, or any that its difference is made of, was filled in."""
    lag = scaling.difference.lag
    if one.filled is None:
        return np.zeros(len(one) - lag, bool)
    parts = [one.filled[lag - k : len(one) - k] for k, c in enumerate(scaling.difference.coefficients) if c]
    filled: np.ndarray = np.logical_or.reduce(parts)
    return filled


def scales(series: Sequence[np.ndarray], scaling: WindowScaling) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale (S,) of each series, before windows are taken."""
    if scaling.scale not in ("window", "standard"):
        fitted = [Scale(scaling.scale).fit(y) for y in series]
        return np.array([float(one.shift) for one in fitted]), np.array([float(one.scale) for one in fitted])
    flat, starts, sizes = _joined(series)
    mean = np.add.reduceat(flat, starts) / sizes
    away = flat - np.repeat(mean, sizes)
    widest = np.maximum(np.maximum.reduceat(np.abs(away), starts), TINY)  # squares of small numbers vanish
    spread = widest * np.sqrt(np.add.reduceat((away / np.repeat(widest, sizes)) ** 2, starts) / sizes)
    largest = np.maximum.reduceat(np.abs(flat), starts)
    rounding = 8 * np.finfo(np.float64).eps * largest
    constant = np.where(largest > 0, CONSTANT * largest, 1.0)  # so that the unit does not matter
    spread = np.where(spread > rounding, spread, constant)
    if scaling.spread == "std" or scaling.scale == "standard":
        return mean, spread
    change = changes(series, scaling.season)
    return mean, np.where(change > LEAST_CHANGE * spread, change, spread)


def changes(series: Sequence[np.ndarray], lag: int) -> np.ndarray:
    """(S,) the mean absolute change over so many steps; 0 where a series is not longer."""
    flat, _, sizes = _joined(series)
    if len(flat) <= lag:
        return np.zeros(len(sizes))
    owner = np.repeat(np.arange(len(sizes)), sizes)
    change = np.where(owner[lag:] == owner[:-lag], np.abs(flat[lag:] - flat[:-lag]), 0.0)
    means: np.ndarray = np.bincount(owner[lag:], change, len(sizes)) / np.maximum(sizes - lag, 1)
    return means


def units(series: Sequence[np.ndarray], season: int) -> np.ndarray:
    """(S,) the in-sample error of the seasonal naive forecast, else of the naive one, else the largest value."""
    flat, starts, _ = _joined(series)
    largest = np.maximum.reduceat(np.abs(flat), starts)
    rounding = ROUNDING * largest
    seasonal, plain = changes(series, season), changes(series, 1)
    return np.where(
        seasonal > rounding, seasonal, np.where(plain > rounding, plain, np.where(largest > 0, largest, 1.0))
    )


def _joined(series: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All values, where each series starts among them, and their sizes."""
    sizes = np.array([len(y) for y in series])
    return np.concatenate(series), sizes.cumsum() - sizes, sizes


def _pads(sizes: np.ndarray, scaling: WindowScaling) -> np.ndarray:
    """How many values to put before each series, so that windows can be cut from its middle on."""
    first = np.minimum(scaling.length, np.maximum(sizes // 2, 1))
    pads: np.ndarray = scaling.length - first
    return pads


def _padded(sizes: np.ndarray, pads: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """For each value of the dataset: which of the N values it is, and whether it only stands before its series."""
    whole = sizes + pads
    offsets, starts = sizes.cumsum() - sizes, whole.cumsum() - whole
    steps = np.arange(whole.sum()) - np.repeat(starts + pads, whole)
    made_up = steps < 0
    repeated = np.repeat(np.minimum(sizes, season), whole)
    return np.where(made_up, steps % repeated, steps) + np.repeat(offsets, whole), made_up
