"""The ensemble: trained networks, and their forecasts from any cutoff.

Letters: `S` series, `B` windows, `L` values of a window, `r` steps that one network output covers, `h` horizon, `K`
features known in advance.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.strategies import NetworkOutput, average
from gatewise.forecast.model.window import Window, WindowScaling, past_with_forecasts
from gatewise.networks import limited_threads
from gatewise.training import DivergenceError, History

MOST_VALUES = 2**21  # in the windows of one batch of forecasts: bounds the memory, however many series there are
LARGEST_LOG_SCALE = 8.0  # of a network output
TYPICAL = (2.0, 50.0, 98.0)  # percentiles of the validation log scales: lowest, middle and highest
SCALES_SIZE = 10.0  # independent errors for which the bounds of the scales are half as far from their middle


@dataclass(frozen=True)
class Ensemble:
    """Trained networks of one strategy, whose outputs are averaged.

    Attributes:
        scaling: the transforms before and after the networks.
        networks: the members of the ensemble.
        history: of the first network's training with a validation set.
        error: validation MASE.
        validation_forecasts: forecasts (B, K) of the validation set and their spreads; empty after loading.
        log_scales: (2, r) bounds of the log scale at each step of a network output; None for no bounds.
    """

    scaling: WindowScaling
    networks: tuple[Module, ...]
    history: History
    error: float = float("nan")
    validation_forecasts: tuple[np.ndarray, ...] = ()
    log_scales: np.ndarray | None = None

    def with_bounded_scales(self, dataset: Dataset, cuts: Tensor, independent: float) -> "Ensemble":
        """A copy whose log scales stay within those of windows of the validation set.

        A scale is the exponential of a network output. For windows unlike those of the training, such as after a level
        shift, it could be arbitrarily large or small. The bounds are the 2nd and 98th percentile at each step; the
        fewer independent errors calibrate the scales, the closer both are to the median.

        Arguments:
            dataset: prepared with the same scaling.
            cuts: (B,) of the validation set.
            independent: number of independent errors there.
        """
        with self._limited(len(cuts)):
            parts = [self._log_scales(dataset, cuts[part]) for part in self._parts(len(cuts), self.scaling.reach)]
        if any(part is None for part in parts):
            return self
        low, middle, high = np.percentile(np.concatenate([part for part in parts if part is not None]), TYPICAL, axis=0)
        weight = independent / (independent + SCALES_SIZE)
        bounds = np.stack([middle + weight * (low - middle), middle + weight * (high - middle)])
        return replace(self, log_scales=bounds)

    def extrapolate(
        self, dataset: Dataset, cuts: Tensor, horizon: int, future: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Forecasts after cuts (B,) of a dataset, and their spreads: both (B, h), in the unit of each series.

        Arguments:
            dataset: prepared with the same scaling.
            cuts: (B,).
            horizon: steps, h.
            future: (B, h, K) future covariates, where the cuts are the ends of the series.

        Raises:
            DivergenceError: the recursion overflows.
        """
        with self._limited(len(cuts)):
            parts = [
                self._extrapolate(dataset, cuts[part], horizon, None if future is None else future[part])
                for part in self._parts(len(cuts), horizon)
            ]
        means, spreads = zip(*parts, strict=True)
        return np.concatenate(means), np.concatenate(spreads)

    def fitted(self, dataset: Dataset) -> list[np.ndarray]:
        """In-sample fit: for each series the one-step forecasts of all values that follow a whole window."""
        first = dataset.starts + self.scaling.length
        counts = (dataset.ends - first).tolist()
        cuts = torch.cat([torch.arange(a, a + n) for a, n in zip(first.tolist(), counts, strict=True)])
        with self._limited(len(cuts)):
            parts = [self._next(dataset, cuts[part]) for part in self._parts(len(cuts), self.scaling.reach)]
        forecasts = np.split(np.concatenate(parts), np.cumsum(counts)[:-1])
        restore = self.scaling.difference.restore
        return [restore(forecast, series.y) for forecast, series in zip(forecasts, dataset.series, strict=True)]

    @torch.no_grad()
    def gates(self, dataset: Dataset) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Gate activations (T, H) of the first network on the last window of the first series, and its cell states."""
        network: Any = self.networks[0]
        cut = dataset.ends[:1]
        window = self.scaling.window(
            dataset.raw(cut), *dataset.features(cut, self.scaling.reach), dataset.raw_carried(cut)
        )
        trace = network.body.trace(network.features(window))
        cells = None if trace.cells is None else trace.cells[:, 0].numpy()
        return {name: gate[:, 0].numpy() for name, gate in trace.gates.items()}, cells

    def _limited(self, windows: int) -> AbstractContextManager[None]:
        """One thread for a small network and few windows."""
        return limited_threads(self.networks[0], self.scaling.context * windows)

    def _parts(self, count: int, horizon: int) -> Iterator[slice]:
        size = max(1, MOST_VALUES // (self.scaling.length + horizon))
        return (slice(first, first + size) for first in range(0, count, size))

    @torch.inference_mode()
    def _next(self, dataset: Dataset, cuts: Tensor) -> np.ndarray:
        reach = self.scaling.reach
        window = self.scaling.window(dataset.raw(cuts), *dataset.features(cuts, reach), dataset.raw_carried(cuts))
        mean, _ = self._predict(average(self.networks), window)
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
            known[length + horizon :] = known[length + horizon - 1]  # later rows are not used
        values, carried = dataset.raw(cuts), dataset.raw_carried(cuts)
        spreads, output = list[Tensor](), average(self.networks)
        for step in range(0, horizon, reach):
            known_part = None if known is None else known[step : step + length + reach]
            window = self.scaling.window(values[step:], past, known_part, static, carried)
            mean, spread = self._predict(output, window)
            values = torch.cat([values, mean])
            if past is not None and carried is not None:
                past, carried = past_with_forecasts(past, reach), torch.cat([carried, mean])[reach:]
            spreads.append(spreads[0] if reach == 1 and spreads else spread)
        mean, spread = values[length : length + horizon].T, torch.cat(spreads)[:horizon].T
        _check_finite(mean)
        return dataset.original(mean, cuts), spread.double().numpy() * dataset.scale[dataset.owner(cuts), None]

    @torch.inference_mode()
    def _log_scales(self, dataset: Dataset, cuts: Tensor) -> np.ndarray | None:
        """The log scales (B, r) of windows; None if the networks output none."""
        window = self.scaling.window(
            dataset.raw(cuts), *dataset.features(cuts, self.scaling.reach), dataset.raw_carried(cuts)
        )
        y = average(self.networks)(window)
        return None if y.shape[-1] == 1 else _clamped(y).T.double().numpy()

    def _predict(self, output: NetworkOutput, window: Window) -> tuple[Tensor, Tensor]:
        """The r values after windows, and their spreads: both (r, B), on the scale of the series."""
        y = output(window)
        mean = y[..., 0] * window.spread + window.shift
        if y.shape[-1] == 1:
            return mean, window.spread.expand_as(mean)
        log_scale = _clamped(y)
        if self.log_scales is not None:
            low, high = torch.from_numpy(self.log_scales).to(log_scale)[..., None]
            log_scale = torch.minimum(torch.maximum(log_scale, low), high)
        return mean, log_scale.exp() * window.spread


def _clamped(y: Tensor) -> Tensor:
    """The log scales (r, B) of a network output (r, B, 2)."""
    return y[..., 1].clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE)


def _check_finite(values: Tensor) -> None:
    """Raise an error if values (B, h) of a recursion overflow."""
    overflowed = (~values.isfinite()).any(0)
    if overflowed.any():
        raise DivergenceError(
            f"the recursive forecast overflows after {int(overflowed.int().argmax())} steps; use a shorter horizon, a "
            "smaller lr, more max_steps, or scale='standard' (or 'window')"
        )
