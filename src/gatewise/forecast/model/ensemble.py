"""A fitted model: trained networks, and what they forecast from any past.

Letters: `S` series, `B` windows, `L` values of a window, `r` steps that an answer reaches, `h` horizon, `K` features
known in advance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.strategies import Answer, together
from gatewise.forecast.model.window import Window, WindowScaling
from gatewise.training import DivergenceError, History

AT_ONCE = 2**21  # values of windows that are forecast at once: memory stays bounded however many series there are
LARGEST = 8.0  # of the logarithm of a scale that a network answers


@dataclass(frozen=True)
class Ensemble:
    """Selection networks with what is needed to forecast any series of their kind.

    Attributes:
        scaling: around the networks.
        networks: of one strategy; their answers are averaged.
        history: of the first network's training, in which a part was held out.
        calibration: how large errors were on the held-out end, for the intervals; None before it is known.
        error: mean absolute error there, as a MASE.
    """

    scaling: WindowScaling
    networks: tuple[Module, ...]
    history: History
    calibration: Calibration | None = None
    error: float = float("nan")

    @property
    def calibrated(self) -> Calibration:
        """The calibration, once it is known."""
        assert self.calibration is not None
        return self.calibration

    def extrapolate(
        self, dataset: Dataset, cuts: Tensor, horizon: int, future: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The values after cuts (B,) of a dataset, and how far off they may be: both (B, h), in the unit of each series.

        Arguments:
            dataset: prepared by the same scaling.
            cuts: (B,).
            horizon: h.
            future: (B, h, K) what is known in advance, where the cuts are the ends of the series.

        Raises:
            DivergenceError: forecasts, fed back, grow beyond all bounds.
        """
        made = [
            self._extrapolate(dataset, cuts[part], horizon, None if future is None else future[part])
            for part in self._parts(len(cuts), horizon)
        ]
        means, spreads = zip(*made, strict=True)
        return np.concatenate(means), np.concatenate(spreads)

    def fitted(self, dataset: Dataset) -> list[np.ndarray]:
        """For each series the one-step forecasts of its last values: of all that have a whole window before them."""
        first = dataset.starts + self.scaling.length
        counts = (dataset.ends - first).tolist()
        cuts = torch.cat([torch.arange(a, a + n) for a, n in zip(first.tolist(), counts, strict=True)])
        made = [self._next(dataset, cuts[part]) for part in self._parts(len(cuts), self.scaling.reach)]
        answers = np.split(np.concatenate(made), np.cumsum(counts)[:-1])
        restore = self.scaling.difference.restore
        return [restore(one, series.y) for one, series in zip(answers, dataset.series, strict=True)]

    @torch.no_grad()
    def gates(self, dataset: Dataset) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """What each gate of the first network does, (T, H), while it reads the first series' end; and its cells."""
        network: Any = self.networks[0]
        cut = dataset.ends[:1]
        window = self.scaling.window(dataset.raw(cut), *dataset.features(cut, self.scaling.reach))
        trace = network.body.trace(network.features(window))
        cells = None if trace.cells is None else trace.cells[:, 0].numpy()
        return {name: gate[:, 0].numpy() for name, gate in trace.gates.items()}, cells

    def _parts(self, count: int, horizon: int) -> Iterator[slice]:
        size = max(1, AT_ONCE // (self.scaling.length + horizon))
        return (slice(first, first + size) for first in range(0, count, size))

    @torch.inference_mode()
    def _next(self, dataset: Dataset, cuts: Tensor) -> np.ndarray:
        reach = self.scaling.reach
        window = self.scaling.window(dataset.raw(cuts), *dataset.features(cuts, reach))
        mean, _ = self._answer(together(self.networks), window)
        return dataset.unscaled(mean[:1].T, cuts)[:, 0]

    @torch.inference_mode()
    def _extrapolate(
        self, dataset: Dataset, cuts: Tensor, horizon: int, future: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        reach, length = self.scaling.reach, self.scaling.length
        past, known, static = dataset.features(cuts, -(-horizon // reach) * reach)
        if known is not None:
            if future is not None:
                known[length : length + horizon] = self.scaling.scaled_known(future)
            known[length + horizon :] = known[length + horizon - 1]  # also where more is known: as if it were not
        values, spreads, answered = dataset.raw(cuts), list[Tensor](), together(self.networks)
        for step in range(0, horizon, reach):
            ahead = None if known is None else known[step : step + length + reach]
            window = self.scaling.window(values[step:], past, ahead, static)
            mean, spread = self._answer(answered, window)
            values = torch.cat([values, mean])
            spreads.append(spreads[0] if reach == 1 and spreads else spread)
        mean, spread = values[length : length + horizon].T, torch.cat(spreads)[:horizon].T
        _check_growth(mean)
        return dataset.original(mean, cuts), spread.double().numpy() * dataset.scale[dataset.owner(cuts), None]

    def _answer(self, answered: Answer, window: Window) -> tuple[Tensor, Tensor]:
        """The r values after windows, and how far off they may be: both (r, B), on the scale of the series."""
        answer = answered(window)
        mean = answer[..., 0] * window.spread + window.shift
        if answer.shape[-1] == 1:
            return mean, window.spread.expand_as(mean)
        return mean, answer[..., 1].clamp(-LARGEST, LARGEST).exp() * window.spread


def _check_growth(values: Tensor) -> None:
    """Refuse (B, h) values of a recursion that grew until they overflowed."""
    lost = (~values.isfinite()).any(0)
    if lost.any():
        raise DivergenceError(
            f"the forecasts, fed back into the network, grow beyond all bounds after {int(lost.int().argmax())} steps; "
            "ask for a shorter horizon, train with a smaller lr or more max_steps, or use scale='standard' (or 'window')"
        )
