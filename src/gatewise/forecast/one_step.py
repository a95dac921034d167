"""One step at a time: a network that forecasts the next value, and goes on from its own forecasts.

Letters: `N` values of the series, `T` steps of a window's context, `B` windows, `h` horizon.

    series -> differences -> scale -> windows, each normalised by itself -> network -> ... and all the way back

At every step of a window the network sees the value now and, if there is a season, the value one season before the
next; its answer is added to the latter (to the former without a season), so that untrained it is close to the
(seasonal) naive forecast. It is trained on the same window shifted by one, at every step. To extrapolate, its last
answer is appended to the window, the oldest value dropped, and so on. Several networks that differ in their seed are
trained, and their answers averaged at each step: one alone depends on its seed far more than it should.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gatewise.forecast.intervals import Calibration
from gatewise.networks import OneStep
from gatewise.nn import GRU, LSTM, RNN
from gatewise.training import LOSSES, DivergenceError, History, fit
from gatewise.windows import Batches, Difference, Scale, Windows, normalise_windows

CELLS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
ORIGINS, LONGEST_HELD_OUT = 200, 96  # of the forecasts by which intervals are sized
MOST_HELD_OUT = 4096  # windows by which the held-out loss is measured after each epoch
FLOOR = 0.02  # smallest spread of a window, in units of the whole series' spread: a flat stretch is not blown up


@dataclass(frozen=True)
class Pipeline:
    """Everything between a series and the network, and back.

    Attributes:
        difference: taken first.
        scale: of the differences, over the whole training part.
        by_window: whether each window is normalised by its own mean and spread as well.
        context: steps that the network reads, T.
        season: steps of a season; 1 for none.
    """

    difference: Difference
    scale: Scale
    by_window: bool
    context: int
    season: int

    @property
    def length(self) -> int:
        """Values of a window: its context, and a season before it bar one."""
        return self.context + self.season - 1

    @property
    def needed(self) -> int:
        """Values of the original series that one forecast needs."""
        return self.length + self.difference.lag

    def values(self, y: np.ndarray) -> Tensor:
        """Scaled differences (..., N) of series (..., N + lag), in float32."""
        return torch.from_numpy(self.scale.apply(self.difference.apply(y))).float()

    def normalise(self, window: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A window (length, B, 1) on its own scale, with its shift and its scale, (1, B, 1)."""
        if self.by_window:
            return normalise_windows(window, floor=FLOOR)
        return window, torch.zeros_like(window[:1]), torch.ones_like(window[:1])

    def features(self, z: Tensor) -> Tensor:
        """What the network reads of a normalised window: (T, B, 1), or with a season (T, B, 2)."""
        if self.season == 1:
            return z
        return torch.cat([z[self.season - 1 :], z[: self.context]], -1)


@dataclass(frozen=True)
class Fitted:
    """Trained networks with what is needed to forecast any series of their kind.

    Attributes:
        pipeline: the transforms around the networks.
        networks: each (T, B, 1 or 2) to (T, B, 1); their answers are averaged.
        calibration: how large errors were on the held-out end, for the intervals; None before it is known.
        history: of the first network's training, in which a part was held out.
    """

    pipeline: Pipeline
    networks: tuple[OneStep, ...]
    history: History
    calibration: Calibration | None = None

    @torch.no_grad()
    def fitted(self, y: np.ndarray) -> np.ndarray:
        """The one-step forecast of each value that has a whole window before it: the last n of the series."""
        values = self.pipeline.values(y)[:, None]
        windows, _ = Windows(values, length=self.pipeline.length, every_step=False)[:]
        answers = torch.cat([self._next(part) for part in torch.split(windows, 4096, 1)])
        return self.pipeline.difference.restore(self._original(answers), y)

    @torch.no_grad()
    def gates(self, y: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """What each gate of the first network does, (T, H), while it reads the last window; and its cells, if any."""
        window = self._window(y[None])
        trace = self.networks[0].body.trace(self.pipeline.features(self.pipeline.normalise(window)[0]))
        cells = None if trace.cells is None else trace.cells[:, 0].numpy()
        return {name: gate[:, 0].numpy() for name, gate in trace.gates.items()}, cells

    @torch.no_grad()
    def extrapolate(self, y: np.ndarray, horizon: int) -> np.ndarray:
        """The values (B, h) after each of several pasts (B, N), by recursion.

        Raises:
            DivergenceError: the forecasts, fed back, grow beyond all bounds.
        """
        window = self._window(y)
        values = window.new_empty(horizon, len(y))
        for step in range(horizon):
            values[step] = self._next(window)
            window = torch.cat([window[1:], values[step, None, :, None]])
        _check_growth(values)
        return self.pipeline.difference.extend(self._original(values.T), y)

    @property
    def calibrated(self) -> Calibration:
        """The calibration, once it is known."""
        assert self.calibration is not None
        return self.calibration

    def calibrate(self, y: np.ndarray, unseen: int) -> Calibration:
        """Measure the errors of forecasts that start at origins spread over the unseen end of a series."""
        horizon = max(1, min(unseen // 2, LONGEST_HELD_OUT))
        origins = np.unique(np.linspace(len(y) - unseen, len(y) - horizon, ORIGINS).astype(int))
        pasts = np.stack([y[origin - self.pipeline.needed : origin] for origin in origins])
        truth = np.stack([y[origin : origin + horizon] for origin in origins])
        return Calibration.of(truth - self.extrapolate(pasts, horizon), self.spreads(pasts))

    def spreads(self, y: np.ndarray) -> np.ndarray:
        """The spread (B,) of the last window of each past (B, N), in the unit of the series."""
        _, _, scale = self.pipeline.normalise(self._window(y))
        spreads: np.ndarray = scale[0, :, 0].double().numpy() * self.pipeline.scale.scale
        return spreads

    def _window(self, y: np.ndarray) -> Tensor:
        """The last window (length, B, 1) of each past (B, N)."""
        return self.pipeline.values(y[:, -self.pipeline.needed :]).T[..., None]

    def _next(self, window: Tensor) -> Tensor:
        """The next value (B,) after windows (length, B, 1)."""
        z, shift, scale = self.pipeline.normalise(window)
        x = self.pipeline.features(z)
        answer = torch.stack([network(x)[-1:] for network in self.networks]).mean(0)
        return (answer * scale + shift)[0, :, 0]

    def _original(self, values: Tensor) -> np.ndarray:
        """Differences on the scale of the series."""
        original: np.ndarray = self.pipeline.scale.invert(values.double().numpy())
        return original


@dataclass(frozen=True)
class Recipe:
    """How networks are built and trained; see `Forecaster` for each."""

    cell: str
    hidden_size: int
    num_layers: int
    loss: str
    updates: int
    batch_size: int
    lr: float
    held_out: float
    networks: int
    seed: int
    engine: str
    quiet: bool

    def train(self, pipeline: Pipeline, y: np.ndarray, title: str = "") -> Fitted:
        """Train twice: with the last part held out, to learn how large the errors are; then on everything."""
        values = pipeline.values(y)[:, None]
        seen, unseen = Windows(values, length=pipeline.length, every_step=False).split(self.held_out)
        networks, history = self._fit_all(seen, _spread_over(unseen), pipeline, f"{title}the end held out")
        calibration = Fitted(pipeline, networks, history).calibrate(y, len(unseen))
        everything = Windows(values, length=pipeline.length)
        networks, _ = self._fit_all(everything, None, pipeline, f"{title}on everything")
        return Fitted(pipeline, networks, history, calibration)

    def _fit_all(
        self, seen: Windows, unseen: Windows | None, pipeline: Pipeline, title: str
    ) -> tuple[tuple[OneStep, ...], History]:
        """The networks, and the history of the first."""
        generator = torch.Generator().manual_seed(int(self.seed))
        starts = seen.starts
        if len(starts) > self.updates * self.batch_size:  # more than there are updates for
            starts = starts[torch.randperm(len(starts), generator=generator)[: self.updates * self.batch_size]]
        windows = Windows(seen.inputs, length=pipeline.length, starts=starts)  # with a target on every step
        made = [
            self._fit(pipeline, windows, unseen, generator, f"{title}, network {k + 1} of {self.networks}")
            for k in range(self.networks)
        ]
        return tuple(network for network, _ in made), made[0][1]

    def _fit(
        self,
        pipeline: Pipeline,
        windows: Windows,
        unseen: Windows | None,
        generator: torch.Generator,
        description: str,
    ) -> tuple[OneStep, History]:
        network = self._network(pipeline, generator)
        batches = _Normalised(pipeline, windows.batches(self.batch_size, shuffle=True, generator=generator))
        loss = LOSSES[self.loss]
        history = fit(
            network,
            batches,
            loss=lambda answer, y: loss(answer[-len(y) :], y),
            lr=self.lr,
            epochs=math.ceil(self.updates / len(batches)),
            schedule="onecycle",
            clip_norm=1.0,
            held_out=None if unseen is None else _Normalised(pipeline, unseen.batches(1024)),
            quiet=self.quiet,
            description=description,
        )
        return network.eval(), history

    def restored(self, pipeline: Pipeline, states: Sequence[Mapping[str, Tensor]]) -> tuple[OneStep, ...]:
        """Networks with weights that were kept.

        Raises:
            ValueError: the weights are those of other networks.
        """
        generator = torch.Generator()
        expected = _shapes(self._network(pipeline, generator, "meta").state_dict())  # which takes no memory
        networks = []
        for k, state in enumerate(states):
            for name in {**expected, **state}:
                came, wanted = _shapes(state).get(name), expected.get(name)
                if came != wanted:
                    raise ValueError(f"weight {name[:80]!r} of network {k} has shape {came}, expected {wanted}")
            networks.append(self._network(pipeline, generator).eval())
            networks[-1].load_state_dict(state)
        return tuple(networks)

    def _network(self, pipeline: Pipeline, generator: torch.Generator, device: str = "cpu") -> OneStep:
        inputs = 1 if pipeline.season == 1 else 2
        size = (inputs, self.hidden_size, self.num_layers)
        body = CELLS[self.cell](*size, device=device, dtype=torch.float32, engine=self.engine, generator=generator)
        return OneStep(body, base=inputs - 1, generator=generator)


class _Normalised:
    """Batches of windows as the network reads them, with the targets on each window's own scale."""

    def __init__(self, pipeline: Pipeline, batches: Batches) -> None:
        self.pipeline, self.batches = pipeline, batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for window, target in self.batches:
            z, shift, scale = self.pipeline.normalise(window)
            targets = target[-self.pipeline.context :] if target.ndim == 3 else target[None]
            yield self.pipeline.features(z), (targets - shift) / scale


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in state.items()}


def _spread_over(windows: Windows) -> Windows:
    """At most so many windows, evenly spread."""
    step = math.ceil(len(windows) / MOST_HELD_OUT)
    starts = windows.starts[::step]
    return Windows(windows.inputs, length=windows.length, every_step=windows.every_step, starts=starts)


def _check_growth(values: Tensor) -> None:
    """Refuse (h, B) values of a recursion that grew until they overflowed."""
    lost = (~values.isfinite()).any(1)
    if lost.any():
        raise DivergenceError(
            f"the forecasts, fed back into the network, grow beyond all bounds after {int(lost.int().argmax())} steps; "
            "ask for a shorter horizon, train with a smaller lr or more updates, or use scale='standard' (or 'window')"
        )
