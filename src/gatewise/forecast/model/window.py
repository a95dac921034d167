"""Window scaling: puts a window of the past on its own scale, and takes the network output back to the series.

Letters: `L` values of a window, `r` steps that one network output covers after it, `B` windows; `P` past-only, `K`
known-in-advance and `C` static features.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatewise.windows import Difference, Scale, normalise_windows

FEWEST_OBSERVED = 4  # values of a window for its own standard deviation
MASK_FEATURES = 2  # the mask, and the time since the last observed value
FLOORS = {"std": 0.02, "season": 0.1}  # smallest spread of a window, in units of the spread of its series


class Window(NamedTuple):
    """A batch of network inputs: values of the past, and the features of past and future steps.

    Attributes:
        z: (L, B) the past, on its own scale: `z = (value - shift) / spread`.
        shift: (B,).
        spread: (B,), above 0.
        past: (L, B, P) features known up to the end of the window, or None.
        known: (L + r, B, K) features known beyond its end as well, or None.
        static: (B, C) features of the series, or None.
        carried: (L, B) the past, in which earlier seasons stand in for missing values; None if it does not differ
            from z.
    """

    z: Tensor
    shift: Tensor
    spread: Tensor
    past: Tensor | None = None
    known: Tensor | None = None
    static: Tensor | None = None
    carried: Tensor | None = None

    @property
    def base(self) -> Tensor:
        """(L, B) the past values that the network output is added to."""
        return self.z if self.carried is None else self.carried


@dataclass(frozen=True)
class Features:
    """The scale of each feature, fitted on the training part.

    Attributes:
        past, known, static: scales of P, K and C features; None without any.
    """

    past: Scale | None = None
    known: Scale | None = None
    static: Scale | None = None

    @property
    def counts(self) -> tuple[int, int, int]:
        """P, K and C."""
        past, known, static = (
            0 if scale is None else len(scale.shift) for scale in (self.past, self.known, self.static)
        )
        return past, known, static


@dataclass(frozen=True)
class WindowScaling:
    """The transforms between a series and a network, in both directions.

    Attributes:
        strategy: name of the kind of network; see `gatewise.forecast.model.strategies`.
        season: steps of a season, 1 for none.
        lag: the network output is added to the value this many steps before; a multiple of the season.
        segment: steps that the segment strategy reads and writes at once; 1 for the others.
        context: steps that the network reads.
        reach: steps after the window that one network output covers, r.
        difference: applied to each series first.
        scale: "window" normalises each window by its own mean and spread; otherwise the `Scale` of each series.
        spread: the spread of a window. "std": its standard deviation, around its mean; "season": the mean absolute
            change over a season, relative to its last value.
        seasons: number of past seasons that the segment strategy mixes; 0 for the other strategies.
        dropout: fraction of hidden values that the segment strategy drops in training.
        features: scales of the features.
        masked: whether values may be missing; the network then reads `MASK_FEATURES` more past features, the last ones:
            whether each value is observed, and the time since the last observed one.
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
    masked: bool = False

    @property
    def past_features(self) -> int:
        """Past features that the network reads: P, and those of the mask."""
        return self.features.counts[0] + MASK_FEATURES * self.masked

    @property
    def length(self) -> int:
        """Values of a window, L: the context and, for the one-step strategy, the season before it less one step."""
        return self.context + self.lag - 1 if self.strategy == "one-step" else max(self.context, self.lag)

    @property
    def needed(self) -> int:
        """Values of the original series that one forecast needs without padding."""
        return self.length + self.difference.lag

    def window(
        self,
        values: Tensor,
        past: Tensor | None = None,
        known: Tensor | None = None,
        static: Tensor | None = None,
        carried: Tensor | None = None,
    ) -> Window:
        """Put values (L, B) of scaled series on the scale of their windows; features pass unchanged."""
        if self.scale != "window":
            shift, spread = values.new_zeros(values.shape[1]), values.new_ones(values.shape[1])
            return Window(values, shift, spread, past, known, static, carried)
        floor, centre = FLOORS[self.spread], "last" if self.spread == "season" else "mean"
        z, shift, spread = normalise_windows(values.unsqueeze(-1), centre=centre, floor=floor)
        z, shift, spread = z.squeeze(-1), shift.view(-1), spread.view(-1)
        observed = past[..., -MASK_FEATURES] if self.masked and past is not None else None
        if self.spread == "std" and observed is not None:
            shift, spread = _observed_moments(values, observed, floor)
            z = (values - shift) / spread
        if self.spread == "season":
            changes = (z[self.season :] - z[: -self.season]).abs()
            if observed is not None:  # pairs that are not observed count with the usual change, 1
                changes = torch.where((observed[self.season :] * observed[: -self.season]) > 0, changes, 1 / spread)
            change = changes.mean(0)
            least = floor / spread  # in units of the standard deviation
            z, spread = z / (change := torch.maximum(change, least)), spread * change
        carried = None if carried is None else (carried - shift) / spread
        return Window(z, shift, spread, past, known, static, carried)

    def scaled_known(self, known: np.ndarray) -> Tensor:
        """Scale features (B, h, K) known in advance; returns (h, B, K)."""
        assert self.features.known is not None
        return torch.from_numpy(self.features.known.apply(known)).float().transpose(0, 1)

    def with_features(
        self, past: np.ndarray | None, known: np.ndarray | None, static: np.ndarray | None
    ) -> "WindowScaling":
        """A copy with scales fitted on features (N, P), (N, K) and (S, C) of the training part."""
        scales = [None if x is None or not x.shape[1] else Scale("standard").fit(x) for x in (past, known, static)]
        return replace(self, features=Features(*scales))


def _observed_moments(values: Tensor, observed: Tensor, floor: float) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (B,) of the observed values of windows (L, B).

    Without any observed value the mean is the value that stands in for all; for few, the deviation is the usual one, 1.
    """
    count = observed.sum(0)
    mean = torch.where(count > 0, (observed * values).sum(0) / count.clamp_min(1), values[-1])
    deviation = ((observed * (values - mean) ** 2).sum(0) / count.clamp_min(1)).sqrt()
    least = (8 * torch.finfo(values.dtype).eps * values.abs().amax(0)).clamp_min(floor)
    return mean, torch.where(count < FEWEST_OBSERVED, torch.ones_like(mean), torch.maximum(deviation, least))


def past_with_forecasts(past: Tensor, steps: int) -> Tensor:
    """Past features (L, B, P + 2) that end with the mask, `steps` steps later: forecasts count as observed."""
    ahead = past[-1:].expand(steps, -1, -1).clone()
    ahead[..., -MASK_FEATURES:] = torch.tensor([1.0, 0.0])
    return torch.cat([past, ahead])[steps:]


def join_features(*parts: Tensor | None) -> Tensor:
    """Concatenate features (..., B, F) along the last axis; static ones (B, F) are repeated for each step."""
    present = [part for part in parts if part is not None]
    steps = present[0].shape[:-1]
    return torch.cat([part.expand(*steps, -1) for part in present], -1)
