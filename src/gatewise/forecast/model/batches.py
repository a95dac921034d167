"""Batches: windows of a dataset, random for training and fixed for the validation loss.

Letters: `S` series, `B` windows, `L` values of a window, `r` steps after it. A cut is the position in the dataset of
the first value after a window, see `gatewise.forecast.model.dataset`.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.window import MASK_FEATURES, Window

MOST_CUT_ONCE = 2**22  # values of all windows together: up to this number they are cut once, above it for each batch
MOST_PERMUTED = 2**20  # windows: up to this number they are drawn without replacement, above it with replacement


@dataclass(frozen=True)
class Cuts:
    """The permitted cuts of each series, from first (S,) to last (S,), both included.

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
        """At most `most` cuts, evenly spaced."""
        total = len(self)
        return self[torch.linspace(0, total - 1, min(most, total), dtype=torch.float64).round().long()]


def training_cuts(dataset: Dataset, limits: Tensor) -> Cuts:
    """Cuts whose r targets precede the limit (S,) of their series; if there is none, its first cut with a target."""
    first = dataset.starts + dataset.scaling.length
    last = torch.maximum(limits - dataset.scaling.reach, torch.minimum(first, limits - 1))
    return Cuts(first, last)


class RandomBatches:
    """Batches of windows with their targets, drawn at random for each iteration.

    If there are few windows, all are cut once, and each pass over them draws each window once.

    Arguments:
        dataset: the series.
        cuts: the permitted cuts.
        limits: (S,) the end of the targets of each series.
        batch_size: windows of a batch.
        steps: batches of an iteration.
        generator: random generator.
    """

    def __init__(
        self, dataset: Dataset, cuts: Cuts, limits: Tensor, batch_size: int, steps: int, generator: torch.Generator
    ) -> None:
        self.dataset, self.cuts, self.limits = dataset, cuts, limits
        self.batch_size, self.steps, self.generator = batch_size, steps, generator
        rows = dataset.scaling.length + dataset.scaling.reach
        inputs = 1 + sum(dataset.scaling.features.counts) + MASK_FEATURES * dataset.scaling.masked
        few = len(cuts) * rows * inputs <= MOST_CUT_ONCE
        self.all = dataset.pair(cuts[torch.arange(len(cuts))], limits) if few else None

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[tuple[Window, Tensor]]:
        if self.all is not None and len(self.cuts) <= self.batch_size:
            return itertools.repeat(self.all, self.steps)  # their order makes no difference
        return self._drawn()

    def _drawn(self) -> Iterator[tuple[Window, Tensor]]:
        for indices in itertools.islice(self._indices(), self.steps):
            yield (
                self.dataset.pair(self.cuts[indices], self.limits) if self.all is None else _selected(self.all, indices)
            )

    def _indices(self) -> Iterator[Tensor]:
        """Positions of the windows of each batch, without end."""
        total = len(self.cuts)
        while True:
            if total <= MOST_PERMUTED:
                order = torch.randperm(total, generator=self.generator)[: self.steps * self.batch_size]
            else:
                order = torch.randint(total, (self.steps * self.batch_size,), generator=self.generator)
            yield from torch.split(order, self.batch_size)


def _selected(pair: tuple[Window, Tensor], indices: Tensor) -> tuple[Window, Tensor]:
    """Some windows of a batch with their targets."""
    window, target = pair
    z, shift, spread, past, known, static, carried = window
    return Window(
        z[:, indices],
        shift[indices],
        spread[indices],
        None if past is None else past[:, indices],
        None if known is None else known[:, indices],
        None if static is None else static[indices],
        None if carried is None else carried[:, indices],
    ), target[..., indices]


class FixedBatches:
    """Batches of given windows with their targets, in the same order in each iteration."""

    def __init__(self, dataset: Dataset, cuts: Tensor, batch_size: int = 1024) -> None:
        self.dataset, self.cuts, self.batch_size = dataset, cuts, batch_size

    def __len__(self) -> int:
        return -(-len(self.cuts) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Window, Tensor]]:
        for cuts in torch.split(self.cuts, self.batch_size):
            yield self.dataset.pair(cuts, self.dataset.ends)
