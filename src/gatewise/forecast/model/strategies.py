"""Strategies: three kinds of networks, from a window of the past to what comes after it.

Letters: `L` values of a window, `r` steps that an answer reaches beyond it, `B` windows, `m` season; `P`, `K`, `C`
features, see `gatewise.forecast.model.window`.

| name | reads | answers | for |
|---|---|---|---|
| one-step | each value and the one a season before the next | at every step, the next value (r = 1) | short series |
| segment | whole seasons at once | the steps ahead side by side | long or many series with a season |
| flatten | each value | from all hidden states, the steps ahead at once | short windows of a fixed shape |

Each answer is added to the value `lag` steps before, so that untrained it is close to the (seasonal) naive forecast; a
network of segments adds its own to a mixture of the values of several seasons before.
Where the horizon is beyond the reach, a network goes on from its own answers.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import linear as linear_map

from gatewise import engines
from gatewise.cells import Weights
from gatewise.forecast.model.window import Window, WindowScaling, joined
from gatewise.networks import Body, Flatten, OneStep, Segments, linear
from gatewise.nn import GRU, LSTM, RNN

CELLS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


class Strategy(Protocol):
    """A network for windows of a scaling.

    Called with a window it answers (A, B, Q): on the window's scale, the values of the last A of its L steps and the r
    after it; with Q = 2, beside each the logarithm of how far off it may be.
    """

    body: Body

    def features(self, window: Window) -> Tensor:
        """What the body reads, (T, B, I)."""


Answer = Callable[[Window], Tensor]


def together(networks: Sequence[Any]) -> Answer:
    """What gives the mean (r, B, Q) of the answers of networks of one scaling for the steps after a window."""
    if isinstance(networks[0], StepByStep):
        return StepByStep.together(networks)
    return lambda window: torch.stack([network(window) for network in networks]).mean(0)


class StepByStep(Module):
    """The next value at every step of the window."""

    def __init__(self, scaling: WindowScaling, cell: str, hidden_size: int, num_layers: int, **options: Any) -> None:
        super().__init__()
        self.scaling = scaling
        _, known, static = scaling.features.counts
        inputs = (1 if scaling.lag == 1 else 2) + known + static
        generator = options["generator"]
        body = CELLS[cell](inputs, hidden_size, num_layers, **options)
        self.network = OneStep(body, base=0 if scaling.lag == 1 else 1, generator=generator)

    @property
    def body(self) -> Body:
        """The recurrent layers."""
        return self.network.body

    def features(self, window: Window) -> Tensor:
        """The value now, the value a season before the next, and what is known of the next: (T, B, I)."""
        lag, context = self.scaling.lag, self.scaling.context
        z = window.z[..., None]
        before = None if lag == 1 else z[:context]
        known = None if window.known is None else window.known[lag : lag + context]
        return joined(z[lag - 1 :], before, known, window.static)

    def forward(self, window: Window) -> Tensor:
        """Answers (T, B, 1)."""
        answers: Tensor = self.network(self.features(window))
        return answers

    @staticmethod
    def together(networks: Sequence["StepByStep"]) -> Answer:
        """The mean of the networks' last answers; a recursion asks again and again, so weights are looked up once."""
        heads, base = [one.network.head for one in networks], networks[0].network.base or 0
        weight = torch.cat([head.weight for head in heads], -1) / len(networks)
        bias = torch.stack([head.bias for head in heads]).mean(0)
        readers = [_reader(one.body) for one in networks]

        def answer(window: Window) -> Tensor:
            read = networks[0].features(window)
            hidden = torch.cat([reader(read)[-1:] for reader in readers], -1)
            return linear_map(hidden, weight, bias) + read[-1:, :, base : base + 1]

        return answer


def _reader(body: Body) -> Callable[[Tensor], Tensor]:
    """What gives the hidden states (T, B, H) of sequences (T, B, I)."""
    if body.num_layers > 1:
        return lambda x: body(x)[0]
    weights = Weights(*body.all_weights[0])
    return lambda x: engines.scan(body.cell, x, state=None, weights=weights, engine=body.engine).output


class BySegments(Module):
    """The steps ahead in segments, from a past in segments."""

    def __init__(self, scaling: WindowScaling, cell: str, hidden_size: int, num_layers: int, **options: Any) -> None:
        super().__init__()
        self.scaling = scaling
        past, known, static = scaling.features.counts
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
        """Segments of values and features, embedded: (n, B, I)."""
        return self.network.embedded(self._read(window))

    def forward(self, window: Window) -> Tensor:
        """Answers (r, B, 2)."""
        scaling = self.scaling
        ahead = None
        if self.network.ahead is not None:
            count, batch = len(self.network.place), window.z.shape[1]
            known = None if window.known is None else window.known[scaling.length :]
            ahead = joined(window.z.new_empty(count, batch, 0), _segments(known, scaling.segment, count), window.static)
        answers = self.network(self._read(window), ahead, self._candidates(window))  # (2, m, B, segment)
        in_order: Tensor = answers.transpose(2, 3).flatten(1, 2)[:, : scaling.reach].movedim(0, -1)
        return in_order

    def _candidates(self, window: Window) -> Tensor:
        """What the past suggests for each step ahead, (J, m, B, segment).

        The values 1, 2, ... seasons before, again and again as far as needed; the last value; the last season's mean.
        """
        scaling, count = self.scaling, len(self.network.place)
        steps, z = torch.arange(count * scaling.segment), window.z
        seasons = [
            z[scaling.length - k * scaling.lag + steps % (k * scaling.lag)] for k in range(1, scaling.seasons + 1)
        ]
        level = z[-scaling.lag :].mean(0).expand_as(seasons[0])
        candidates = torch.stack([*seasons, z[-1].expand_as(seasons[0]), level])  # (J, m * segment, B)
        return candidates.view(len(candidates), count, scaling.segment, -1).transpose(2, 3)

    def _read(self, window: Window) -> Tensor:
        scaling = self.scaling
        count = scaling.context // scaling.segment
        parts = (window.z[..., None], window.past, None if window.known is None else window.known[: scaling.length])
        read = [None if part is None else _segments(part[-scaling.context :], scaling.segment, count) for part in parts]
        return joined(*read, window.static)


class AllAtOnce(Module):
    """The steps ahead at once, from the hidden states of all steps of the window side by side."""

    def __init__(self, scaling: WindowScaling, cell: str, hidden_size: int, num_layers: int, **options: Any) -> None:
        super().__init__()
        self.scaling = scaling
        past, known, static = scaling.features.counts
        generator = options["generator"]
        body = CELLS[cell](1 + past + known + static, hidden_size, num_layers, **options)
        self.network = Flatten(body, scaling.context, 2 * scaling.reach, generator=generator)
        place: dict[str, Any] = {"device": options.get("device"), "dtype": options.get("dtype")}
        self.ahead = linear(known * scaling.reach, 2 * scaling.reach, generator=generator, **place) if known else None

    @property
    def body(self) -> Body:
        """The recurrent layers."""
        return self.network.body

    def features(self, window: Window) -> Tensor:
        """Values and features of each step: (T, B, I)."""
        context, length = self.scaling.context, self.scaling.length
        known = None if window.known is None else window.known[length - context : length]
        past = None if window.past is None else window.past[-context:]
        return joined(window.z[-context:, :, None], past, known, window.static)

    def forward(self, window: Window) -> Tensor:
        """Answers (r, B, 2)."""
        scaling = self.scaling
        answers: Tensor = self.network(self.features(window))
        if self.ahead is not None and window.known is not None:
            answers = answers + self.ahead(window.known[scaling.length :].transpose(0, 1).flatten(1))
        values, scales = answers.view(-1, 2, scaling.reach).permute(1, 2, 0)
        return torch.stack([values + _base(window, scaling), scales], -1)


STRATEGIES = {"one-step": StepByStep, "segment": BySegments, "flatten": AllAtOnce}


def _base(window: Window, scaling: WindowScaling) -> Tensor:
    """(r, B) the last `lag` values of the window, again and again."""
    return window.z[len(window.z) - scaling.lag :][torch.arange(scaling.reach) % scaling.lag]


def _segments(x: Tensor | None, width: int, count: int) -> Tensor | None:
    """Steps (T, B, F) in `count` segments, (count, B, width * F); steps that are short of that are 0."""
    if x is None:
        return None
    steps, batch, features = x.shape
    if steps < count * width:
        x = torch.cat([x, x.new_zeros(count * width - steps, batch, features)])
    return x.view(count, width, batch, features).transpose(1, 2).flatten(2)
