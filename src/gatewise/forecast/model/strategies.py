"""Strategies: three kinds of networks that map a window of the past to the steps after it.

Letters: `L` values of a window, `r` steps that one network output covers after it, `B` windows, `Q` outputs per step
(the value, and for two strategies the log of its scale); `P`, `K`, `C` features, see `gatewise.forecast.model.window`.

| name | input | output | for |
|---|---|---|---|
| one-step | each value, and the one a season before the next | at every step, the next value (r = 1) | short series |
| segment | segments of a season | the next r steps, segment by segment | long or many series with a season |
| flatten | each value | the next r steps at once, from all hidden states | short windows of a fixed shape |

Each output is added to the value `lag` steps before, so that an untrained network is close to the (seasonal) naive
forecast; the segment strategy adds it to a mixture of the values of several past seasons. If the horizon exceeds r, the
forecasts become inputs of the next ones (recursion).
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import linear as linear_map

from gatewise import engines
from gatewise.cells import Weights
from gatewise.forecast.model.window import Window, WindowScaling, join_features
from gatewise.networks import Body, Flatten, OneStep, Segments, linear
from gatewise.nn import GRU, LSTM, RNN

CELLS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


class Strategy(Protocol):
    """A network for windows of one scaling.

    Called with a window it returns (A, B, Q), on the scale of the window: the values of the last A steps among the L
    steps of the window and the r steps after it; with Q = 2, also the log of the scale of the error of each.
    """

    body: Body

    def features(self, window: Window) -> Tensor:
        """The input of the body, (T, B, I)."""


NetworkOutput = Callable[[Window], Tensor]


def average(networks: Sequence[Any]) -> NetworkOutput:
    """A function of a window that returns the mean output (r, B, Q) of an ensemble for the steps after the window."""
    if isinstance(networks[0], OneStepNetwork):
        return OneStepNetwork.average(networks)
    return lambda window: torch.stack([network(window) for network in networks]).mean(0)


class OneStepNetwork(Module):
    """The one-step strategy: the next value at every step of the window."""

    def __init__(self, scaling: WindowScaling, cell: str, hidden_size: int, num_layers: int, **options: Any) -> None:
        super().__init__()
        self.scaling = scaling
        _, known, static = scaling.features.counts
        inputs = (1 if scaling.lag == 1 else 2) + scaling.past_features + known + static
        generator = options["generator"]
        body = CELLS[cell](inputs, hidden_size, num_layers, **options)
        self.network = OneStep(body, base=0 if scaling.lag == 1 else 1, generator=generator)

    @property
    def body(self) -> Body:
        """The recurrent layers."""
        return self.network.body

    def features(self, window: Window) -> Tensor:
        """The current value, the value one season before the next, and the known features of the next: (T, B, I).

        If values may be missing, also whether the current value is observed, and the time since the last observed one.
        """
        lag, context = self.scaling.lag, self.scaling.context
        before = None if lag == 1 else window.base[:context, :, None]
        past = None if window.past is None else window.past[lag - 1 :]
        known = None if window.known is None else window.known[lag : lag + context]
        return join_features(window.z[lag - 1 :, :, None], before, past, known, window.static)

    def forward(self, window: Window) -> Tensor:
        """The network output, (T, B, 1)."""
        output: Tensor = self.network(self.features(window))
        return output

    @staticmethod
    def average(networks: Sequence["OneStepNetwork"]) -> NetworkOutput:
        """The mean of the networks' last outputs; weights are looked up once, as a recursion calls it at every step."""
        heads, base = [network.network.head for network in networks], networks[0].network.base or 0
        weight = torch.cat([head.weight for head in heads], -1) / len(networks)
        bias = torch.stack([head.bias for head in heads]).mean(0)
        bodies = [_hidden_states(network.body) for network in networks]

        def output(window: Window) -> Tensor:
            x = networks[0].features(window)
            hidden = torch.cat([body(x)[-1:] for body in bodies], -1)
            return linear_map(hidden, weight, bias) + x[-1:, :, base : base + 1]

        return output


def _hidden_states(body: Body) -> Callable[[Tensor], Tensor]:
    """A function of sequences (T, B, I) that returns their hidden states (T, B, H)."""
    if body.num_layers > 1:
        return lambda x: body(x)[0]
    weights = Weights(*body.all_weights[0])
    return lambda x: engines.scan(body.cell, x, state=None, weights=weights, engine=body.engine).output


class SegmentNetwork(Module):
    """The segment strategy: the next steps in segments, from the past in segments."""

    def __init__(self, scaling: WindowScaling, cell: str, hidden_size: int, num_layers: int, **options: Any) -> None:
        super().__init__()
        self.scaling = scaling
        past, (_, known, static) = scaling.past_features, scaling.features.counts
        width = scaling.segment
        body = CELLS[cell](hidden_size, hidden_size, num_layers, **options)
        self.network = Segments(
            body,
            width * (1 + past + known) + static,
            width,
            segments=-(-scaling.reach // width),
            ahead=width * known + static,
            candidates=scaling.seasons + 2,
            dropout=scaling.dropout,
            scales=True,
            generator=options["generator"],
        )

    @property
    def body(self) -> Body:
        """The recurrent layers."""
        return self.network.body

    def features(self, window: Window) -> Tensor:
        """Embedded segments of values and features: (n, B, I)."""
        return self.network.embedded(self._past_segments(window))

    def forward(self, window: Window) -> Tensor:
        """The network output, (r, B, 2)."""
        scaling = self.scaling
        ahead = None
        if self.network.ahead is not None:
            count, batch = len(self.network.place), window.z.shape[1]
            known = None if window.known is None else window.known[scaling.length :]
            ahead = join_features(
                window.z.new_empty(count, batch, 0), _segments(known, scaling.segment, count), window.static
            )
        segments = self.network(self._past_segments(window), ahead, self._candidates(window))  # (2, n, B, segment)
        output: Tensor = segments.transpose(2, 3).flatten(1, 2)[:, : scaling.reach].movedim(0, -1)
        return output

    def _candidates(self, window: Window) -> Tensor:
        """J simple forecasts for the network to mix, (J, n, B, segment).

        The last 1, 2, ... seasons, each repeated over the horizon; the last value; the mean of the last season.
        """
        scaling, count = self.scaling, len(self.network.place)
        steps, z = torch.arange(count * scaling.segment), window.base
        seasons = [
            z[scaling.length - k * scaling.lag + steps % (k * scaling.lag)] for k in range(1, scaling.seasons + 1)
        ]
        level = z[-scaling.lag :].mean(0).expand_as(seasons[0])
        candidates = torch.stack([*seasons, window.z[-1].expand_as(seasons[0]), level])  # (J, n * segment, B)
        return candidates.view(len(candidates), count, scaling.segment, -1).transpose(2, 3)

    def _past_segments(self, window: Window) -> Tensor:
        scaling = self.scaling
        count = scaling.context // scaling.segment
        parts = (window.z[..., None], window.past, None if window.known is None else window.known[: scaling.length])
        segments = [
            None if part is None else _segments(part[-scaling.context :], scaling.segment, count) for part in parts
        ]
        return join_features(*segments, window.static)


class FlattenNetwork(Module):
    """The flatten strategy: the next steps at once, from the concatenated hidden states of all steps."""

    def __init__(self, scaling: WindowScaling, cell: str, hidden_size: int, num_layers: int, **options: Any) -> None:
        super().__init__()
        self.scaling = scaling
        past, (_, known, static) = scaling.past_features, scaling.features.counts
        generator = options["generator"]
        body = CELLS[cell](1 + past + known + static, hidden_size, num_layers, **options)
        self.network = Flatten(body, scaling.context, 2 * scaling.reach, generator=generator)
        placement: dict[str, Any] = {"device": options.get("device"), "dtype": options.get("dtype")}
        self.ahead = (
            linear(known * scaling.reach, 2 * scaling.reach, generator=generator, **placement) if known else None
        )

    @property
    def body(self) -> Body:
        """The recurrent layers."""
        return self.network.body

    def features(self, window: Window) -> Tensor:
        """Values and features of each step: (T, B, I)."""
        context, length = self.scaling.context, self.scaling.length
        known = None if window.known is None else window.known[length - context : length]
        past = None if window.past is None else window.past[-context:]
        return join_features(window.z[-context:, :, None], past, known, window.static)

    def forward(self, window: Window) -> Tensor:
        """The network output, (r, B, 2)."""
        scaling = self.scaling
        output: Tensor = self.network(self.features(window))
        if self.ahead is not None and window.known is not None:
            output = output + self.ahead(window.known[scaling.length :].transpose(0, 1).flatten(1))
        values, log_scales = output.view(-1, 2, scaling.reach).permute(1, 2, 0)
        return torch.stack([values + _base(window, scaling), log_scales], -1)


STRATEGIES = {"one-step": OneStepNetwork, "segment": SegmentNetwork, "flatten": FlattenNetwork}


def _base(window: Window, scaling: WindowScaling) -> Tensor:
    """(r, B) the last `lag` values of the window, repeated."""
    return window.base[len(window.z) - scaling.lag :][torch.arange(scaling.reach) % scaling.lag]


def _segments(x: Tensor | None, width: int, count: int) -> Tensor | None:
    """Steps (T, B, F) in `count` segments, (count, B, width * F), padded with zeros at the end."""
    if x is None:
        return None
    steps, batch, features = x.shape
    if steps < count * width:
        x = torch.cat([x, x.new_zeros(count * width - steps, batch, features)])
    return x.view(count, width, batch, features).transpose(1, 2).flatten(2)
