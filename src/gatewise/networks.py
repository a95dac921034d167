"""Networks: a recurrent body that reads, and a linear head that answers.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `D` directions, `Q` outputs. Sequences are
time-major, `(T, B, I)`. Networks know nothing of tables or dates.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Dropout, Linear, Module, Parameter
from torch.nn.utils import skip_init

from gatewise.arguments import share
from gatewise.nn import GRU, LSTM, RNN
from gatewise.nn.parameters import check_init, draw_uniform, integer, positive

Body = RNN | LSTM | GRU
POOLINGS = ("last", "mean", "max")


class OneStep(Module):
    """An answer at every step of the sequence, from what the body has read so far.

        y_t = W h_t + b                        with `base`:  y_t = x_t[base] + W h_t + b

    Trained on the same sequence shifted by one, `y_t` forecasts step t + 1, and the last answer is the first step
    beyond the window. With `base` the network learns only what is to be added to one of its inputs: to the value now
    (the naive forecast) or to that of one season ago (the seasonal naive forecast).

    Arguments:
        body: a recurrent layer or stack, time-major.
        outputs: Q.
        base: the input feature that the (single) answer is added to, or None.
        init, init_bound, generator: of the head, as of the layers; see `gatewise.nn`.

    Returns:
        From a call with `(T, B, I)`: `(T, B, Q)`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range; `base` is no feature of the input, or
            there are several outputs to add it to; in a call, if the input is no batch of sequences.

    Examples:
        >>> generator = torch.Generator().manual_seed(0)
        >>> network = OneStep(LSTM(1, 16, generator=generator), generator=generator)
        >>> network(torch.zeros(19, 180, 1)).shape
        torch.Size([19, 180, 1])
    """

    def __init__(
        self,
        body: Body,
        outputs: int = 1,
        *,
        base: int | None = None,
        init: str = "torch",
        init_bound: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if base is not None and (positive("outputs", outputs) != 1 or not 0 <= integer("base", base) < body.input_size):
            raise ValueError(
                f"base is {base} with {outputs} outputs, expected one output and a feature from 0 to "
                f"{body.input_size - 1} of the body's input"
            )
        self.body = _time_major(body)
        self.head = _head(body, _width(body), outputs, init, init_bound, generator)
        self.base = base

    def forward(self, x: Tensor) -> Tensor:
        """Answers `(T, B, Q)` for sequences `(T, B, I)`."""
        _check_batched(x)
        hidden, _ = self.body(x)
        answers: Tensor = self.head(hidden)
        return answers if self.base is None else answers + x[..., self.base : self.base + 1]


class Flatten(Module):
    """One answer for the whole sequence, from the hidden states of all its steps side by side.

        y = W [h_1, h_2, ..., h_T] + b

    Arguments:
        body: a recurrent layer or stack, time-major.
        steps: T; every sequence must have it.
        outputs: Q.
        init, init_bound, generator: of the head, as of the layers; the bound of "torch" is 1/sqrt(T*D*H).

    Returns:
        From a call with `(T, B, I)`: `(B, Q)`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range; in a call, if the input is no batch of
            sequences, or they have another number of steps.

    Examples:
        >>> generator = torch.Generator().manual_seed(0)
        >>> network = Flatten(LSTM(2, 20, generator=generator), steps=3, generator=generator)
        >>> network(torch.zeros(3, 8, 2)).shape
        torch.Size([8, 1])
    """

    def __init__(
        self,
        body: Body,
        steps: int,
        outputs: int = 1,
        *,
        init: str = "torch",
        init_bound: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.body, self.steps = _time_major(body), positive("steps", steps)
        self.head = _head(body, self.steps * _width(body), outputs, init, init_bound, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Answers `(B, Q)` for sequences `(T, B, I)`."""
        _check_batched(x)
        if len(x) != self.steps:
            raise ValueError(
                f"the sequence has {len(x)} steps, expected steps={self.steps}; take windows of that length"
            )
        hidden, _ = self.body(x)
        answers: Tensor = self.head(hidden.transpose(0, 1).flatten(1))
        return answers


class Pooled(Module):
    """One answer for the whole sequence, from its hidden states pooled over time.

        last    y = W [h_T forward, h_1 backward] + b      the state after each sequence's own last step
        mean    y = W (1/T sum_t h_t) + b
        max     y = W max_t h_t + b                        for each unit the largest of all steps

    Arguments:
        body: a recurrent layer or stack, time-major.
        outputs: Q, such as one score for each class.
        pooling: "last", "mean" or "max".
        dropout: share of the pooled values that is left out in training, drawn from torch's global generator.
        generator: of the head, as of the layers; see `gatewise.nn`.

    Returns:
        From a call with `(T, B, I)`, and the `lengths` `(B,)` of the sequences, from 1 to T, if they differ: `(B, Q)`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range; in a call, if the input is no batch of
            sequences, or a sequence has no step.

    Examples:
        >>> generator = torch.Generator().manual_seed(0)
        >>> network = Pooled(LSTM(28, 16, bidirectional=True, generator=generator), 10, generator=generator)
        >>> network(torch.zeros(28, 5, 28)).shape
        torch.Size([5, 10])
    """

    def __init__(
        self,
        body: Body,
        outputs: int,
        *,
        pooling: str = "last",
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling is {pooling!r}, expected one of {', '.join(POOLINGS)}")
        share("dropout", dropout)
        self.body, self.pooling = _time_major(body), pooling
        self.head = linear(_width(body), outputs, generator=generator, **_like(body))
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
        """Answers `(B, Q)` for sequences `(T, B, I)`."""
        _check_batched(x)
        if lengths is not None and not isinstance(lengths, Tensor):
            lengths = torch.tensor(lengths, device=x.device)
        if not len(x) or (lengths is not None and lengths.numel() and int(lengths.min()) < 1):
            raise ValueError("a sequence has no steps, expected one or more in each; leave it out")
        output, state = self.body(x, lengths=lengths)
        answers: Tensor = self.head(self.dropout(self._pooled(output, state, lengths)))
        return answers

    def _pooled(self, output: Tensor, state: Any, lengths: Tensor | None) -> Tensor:
        """Hidden states (T, B, D*H), zero after the end of each sequence, as (B, D*H)."""
        if self.pooling == "last":
            h = state[0] if isinstance(state, tuple) else state
            return torch.cat(h[-2:].unbind(0), -1) if self.body.bidirectional else h[-1]
        if self.pooling == "mean":
            return output.sum(0) / (len(output) if lengths is None else lengths.to(output)[:, None])
        if lengths is not None:
            over = torch.arange(len(output), device=output.device)[:, None] >= lengths.to(output.device)
            output = output.masked_fill(over[..., None], -math.inf)
        return output.amax(0)


class Segments(Module):
    """Read a sequence in segments, write what follows in segments.

        e_j = relu(W_e x_j + b_e)                 j = 1, ..., n      each segment read
        s   = body(e_1, ..., e_n)                                    the last state
        h_k = body((p_k + W_a a_k + b_a); s)      k = 1, ..., m      one step from there, for each segment ahead
        y_k = W h_k + b + sum_j softmax(W_c h_k + b_ck)_j candidate_jk

    The segments ahead are written side by side, told apart by a learnt place p_k, so that errors do not add up from
    one to the next. To each is added a mixture of candidates, such as the same segment of earlier seasons, in shares
    that the network chooses for each sequence. W, b, W_c and b_c start at zero: untrained, it answers the mean of the
    candidates.

    Reference: Lin et al., SegRNN: Segment Recurrent Neural Network for Long-Term Time Series Forecasting, 2023,
    arXiv 2308.11200.

    Arguments:
        body: a recurrent layer or stack, time-major, of one direction and without projection; its input size is that of
            the embedding, E.
        features: of a segment that is read, F.
        outputs: of a segment that is written, Q.
        segments: written at once, m.
        ahead: features that are known of a segment to be written, A; 0 for none.
        candidates: to be mixed, J; 0 for none.
        dropout: share of the embedding and of h that is left out in training, drawn from torch's global generator.
        scales: whether to answer as well the logarithm of a scale for each output, from hidden states whose gradient
            goes no further, so that the answers are those without it.
        generator: of the weights, as of the layers; see `gatewise.nn`.

    Returns:
        From a call with (n, B, F), (m, B, A) or None, and (J, m, B, Q) or None: answers (m, B, Q), with `scales`
        (2, m, B, Q).

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range; in a call, if the input is no batch of
            sequences.

    Examples:
        >>> generator = torch.Generator().manual_seed(0)
        >>> network = Segments(GRU(16, 16, generator=generator), 24, 24, segments=2, generator=generator)
        >>> network(torch.zeros(7, 5, 24)).shape
        torch.Size([2, 5, 24])
    """

    def __init__(
        self,
        body: Body,
        features: int,
        outputs: int,
        *,
        segments: int = 1,
        ahead: int = 0,
        candidates: int = 0,
        dropout: float = 0.0,
        scales: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if body.bidirectional or body.proj_size:
            raise ValueError("the body is bidirectional or has a projection, expected neither; leave them out")
        self.body = _time_major(body)
        self.embed = linear(features, body.input_size, generator=generator, **_like(body))
        self.ahead = linear(ahead, body.input_size, generator=generator, **_like(body)) if ahead else None
        self.head = _silent(body.hidden_size, outputs, body)
        self.shares = _silent(body.hidden_size, candidates, body) if candidates else None
        self.scale = _silent(body.hidden_size, outputs, body) if scales else None
        m = positive("segments", segments)
        self.place = Parameter(torch.empty(m, 1, body.input_size, **_like(body)))
        self.shares_of_place = Parameter(torch.zeros(m, 1, candidates, **_like(body))) if candidates else None
        self.dropout = Dropout(dropout)
        with torch.no_grad():
            draw_uniform(self.place, 0.5, generator)

    def forward(self, x: Tensor, ahead: Tensor | None = None, candidates: Tensor | None = None) -> Tensor:
        """Answers (m, B, Q) for sequences (n, B, F), what is known ahead (m, B, A), and candidates (J, m, B, Q)."""
        hidden = self.dropout(self._ahead(x, ahead))
        answers: Tensor = self.head(hidden)
        if self.shares is not None and candidates is not None:
            shares = torch.softmax(self.shares(hidden) + self.shares_of_place, -1)  # (m, B, J)
            answers = answers + (shares.movedim(-1, 0)[..., None] * candidates).sum(0)
        return answers if self.scale is None else torch.stack([answers, self.scale(hidden.detach())])

    def embedded(self, x: Tensor) -> Tensor:
        """What the body reads, (n, B, E)."""
        _check_batched(x)
        embedded: Tensor = self.dropout(torch.relu(self.embed(x)))
        return embedded

    def _ahead(self, x: Tensor, ahead: Tensor | None) -> Tensor:
        """The hidden state (m, B, H) of each segment ahead."""
        _, state = self.body(self.embedded(x))
        m, batch = len(self.place), x.shape[1]
        places = self.place.expand(m, batch, -1)
        if self.ahead is not None:
            places = places + self.ahead(ahead)
        output, _ = self.body(places.reshape(1, m * batch, -1), _repeated(state, m))
        hidden: Tensor = output.view(m, batch, -1)
        return hidden


def _silent(inputs: int, outputs: int, body: Body) -> Linear:
    """A linear layer that answers zero until it is trained."""
    layer = linear(inputs, outputs, init="uniform", init_bound=1.0, generator=torch.Generator(), **_like(body))
    torch.nn.init.zeros_(layer.weight)
    return layer


def _repeated(state: Tensor | tuple[Tensor, ...], times: int) -> Any:
    """A state (L, B, H) for `times` batches side by side."""
    if isinstance(state, tuple):
        return tuple(one.repeat(1, times, 1) for one in state)
    return state.repeat(1, times, 1)


def _like(body: Body) -> dict[str, Any]:
    """Device and dtype of a body."""
    weight = body.all_weights[0][0]
    return {"device": weight.device, "dtype": weight.dtype}


def linear(
    inputs: int,
    outputs: int,
    *,
    init: str = "torch",
    init_bound: float | None = None,
    generator: torch.Generator | None = None,
    device: Any = None,
    dtype: Any = None,
) -> Linear:
    """A linear layer whose weights come from `generator` (torch's global one if None).

    `init="torch"` draws weights and biases from U(-1/sqrt(inputs), 1/sqrt(inputs)); `init="uniform"` draws weights from
    U(-init_bound, init_bound) and leaves biases at zero.
    """
    check_init(init, init_bound)
    inputs, outputs = positive("inputs", inputs), positive("outputs", outputs)
    layer: Linear = skip_init(  # type: ignore[no-untyped-call]  # torch has no types for it
        Linear, inputs, outputs, device="cpu" if device is None else device, dtype=dtype
    )
    bound = 1 / math.sqrt(inputs) if init_bound is None else init_bound
    with torch.no_grad():
        draw_uniform(layer.weight, bound, generator)
        if init == "torch":
            draw_uniform(layer.bias, bound, generator)
        else:
            layer.bias.zero_()
    return layer


def _head(
    body: Body, inputs: int, outputs: int, init: str, init_bound: float | None, generator: torch.Generator | None
) -> Linear:
    """A linear layer on the device and in the dtype of the body."""
    return linear(inputs, outputs, init=init, init_bound=init_bound, generator=generator, **_like(body))


def _check_batched(x: Tensor) -> None:
    if x.dim() != 3:
        raise ValueError(f"x has shape {tuple(x.shape)}, expected (T, B, I); add B to one sequence with x.unsqueeze(1)")


def _width(body: Body) -> int:
    """Features of the body's output."""
    return (2 if body.bidirectional else 1) * (body.proj_size or body.hidden_size)


def _time_major(body: Body) -> Body:
    if body.batch_first:
        raise ValueError("the body has batch_first=True, expected a time-major one; leave batch_first out")
    return body
