"""The scaling around a network: how a window of the past is put on its own scale, and an answer taken back from it.

Letters: `L` values of a window, `r` steps that one answer reaches beyond it, `B` windows; `P` past-only, `K` known and
`C` static features.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatewise.windows import Difference, Scale, normalise_windows

FLOORS = {"std": 0.02, "season": 0.1}  # smallest spread of a window, in units of the whole series' spread


class Window(NamedTuple):
    """What a network reads of the past, and what it is told of the time ahead.

    Attributes:
        z: (L, B) the past, on its own scale: `z = (value - shift) / spread`.
        shift: (B,).
        spread: (B,), above 0.
        past: (L, B, P) features known up to the end of the window, or None.
        known: (L + r, B, K) features known beyond its end as well, or None.
        static: (B, C) features of the series, or None.
    """

    z: Tensor
    shift: Tensor
    spread: Tensor
    past: Tensor | None = None
    known: Tensor | None = None
    static: Tensor | None = None


@dataclass(frozen=True)
class Features:
    """How many features stand beside the values, and the scale of each, from the training part.

    Attributes:
        past, known, static: scales of P, K and C features; None without any.
    """

    past: Scale | None = None
    known: Scale | None = None
    static: Scale | None = None

    @property
    def counts(self) -> tuple[int, int, int]:
        """P, K and C."""
        past, known, static = (0 if one is None else len(one.shift) for one in (self.past, self.known, self.static))
        return past, known, static


@dataclass(frozen=True)
class WindowScaling:
    """Everything between a series and a network, and back.

    Attributes:
        strategy: name of the kind of network; see `gatewise.forecast.model.strategies`.
        season: steps of a season, 1 for none.
        lag: the answer of a network is added to the value so many steps before; a multiple of the season.
        segment: steps that a network of segments reads and writes at once; 1 for the others.
        context: steps that the network reads.
        reach: steps beyond the window that one answer reaches, r.
        difference: taken of each series first.
        scale: "window": each window is normalised by its own mean and spread; else the `Scale` of each series.
        spread: of a window: its standard deviation "std", around its mean; or the mean absolute change over a "season",
            counted from its last value.
        seasons: how many seasons before give candidates for a network of segments to mix; 0 for the other strategies.
        dropout: share of hidden values that a network of segments leaves out in training.
        features: scales of the features beside the values.
    """

    strategy: str
    season: int
    lag: int
    segment: int
    context: int
    reach: int
    difference: Difference
    scale: str
    spread: str = "std"
    seasons: int = 0
    dropout: float = 0.0
    features: Features = Features()

    @property
    def length(self) -> int:
        """Values of a window, L: its context and, one step at a time, a season before it bar one."""
        return self.context + self.lag - 1 if self.strategy == "one-step" else max(self.context, self.lag)

    @property
    def needed(self) -> int:
        """Values of the original series that one forecast needs where nothing is to be made up."""
        return self.length + self.difference.lag

    def window(
        self, values: Tensor, past: Tensor | None = None, known: Tensor | None = None, static: Tensor | None = None
    ) -> Window:
        """Values (L, B) of scaled series, and their features, as a window on its own scale."""
        if self.scale != "window":
            return Window(
                values, values.new_zeros(values.shape[1]), values.new_ones(values.shape[1]), past, known, static
            )
        floor, centre = FLOORS[self.spread], "last" if self.spread == "season" else "mean"
        z, shift, spread = normalise_windows(values.unsqueeze(-1), centre=centre, floor=floor)
        z, shift, spread = z.squeeze(-1), shift.view(-1), spread.view(-1)
        if self.spread == "season":
            change = (z[self.season :] - z[: -self.season]).abs().mean(0)
            least = floor / spread  # in units of the standard deviation
            z, spread = z / (change := torch.maximum(change, least)), spread * change
        return Window(z, shift, spread, past, known, static)

    def scaled_known(self, known: np.ndarray) -> Tensor:
        """Features (B, h, K) known in advance on their scale, as (h, B, K)."""
        assert self.features.known is not None
        return torch.from_numpy(self.features.known.apply(known)).float().transpose(0, 1)

    def with_features(
        self, past: np.ndarray | None, known: np.ndarray | None, static: np.ndarray | None
    ) -> "WindowScaling":
        """The same scaling with the scales of features (N, P), (N, K) and (S, C) of the training part."""
        scales = [None if x is None or not x.shape[1] else Scale("standard").fit(x) for x in (past, known, static)]
        return replace(self, features=Features(*scales))


def joined(*parts: Tensor | None) -> Tensor:
    """Features (..., B, F) side by side, those of a whole series repeated for each step."""
    present = [part for part in parts if part is not None]
    steps = present[0].shape[:-1]
    return torch.cat([part.expand(*steps, -1) for part in present], -1)
