"""Networks: a recurrent body that reads the sequence, and a linear head that makes the prediction.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `D` directions, `Q` outputs. Sequences are
time-major, `(T, B, I)`. Networks handle tensors only, no tables or dates.
"""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Linear, Module, Parameter

from gatewise.arguments import fraction
from gatewise.dropout import Dropout
from gatewise.engines import divides_work
from gatewise.nn import GRU, LSTM, RNN
from gatewise.nn.parameters import check_init, draw_uniform, integer, positive
from gatewise.threads import limited, work

Body = RNN | LSTM | GRU
POOLINGS = ("last", "mean", "max")


class OneStep(Module):
    """A prediction at every step of the sequence, from the steps read so far.

        y_t = W h_t + b                        with `base`:  y_t = x_t[base] + W h_t + b

    Trained on the same sequence shifted by one step, `y_t` forecasts step t + 1, and the last prediction is the first
    step beyond the window. With `base` the network learns only a correction to one of its inputs: to the current value
    (the naive forecast) or to the value one season ago (the seasonal naive forecast).

    Arguments:
        body: a recurrent layer or stack, time-major.
        outputs: Q.
        base: the input feature that is added to the (single) output, or None.
        init, init_bound, generator: for the head, as for the layers; see `gatewise.nn`.

    Returns:
        From a call with `(T, B, I)`: `(T, B, Q)`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range; `base` is not a feature of the input,
            or there are several outputs; in a call, the input is not a batch of sequences.

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
                f"base is {base} with outputs={outputs}, expected outputs=1 and base from 0 to "
                f"{body.input_size - 1}, a feature of the body's input"
            )
        self.body = _time_major(body)
        self.head = _head(body, _width(body), outputs, init, init_bound, generator)
        self.base = base

    def forward(self, x: Tensor) -> Tensor:
        """Predictions `(T, B, Q)` for sequences `(T, B, I)`."""
        _check_batched(x)
        hidden, _ = self.body(x)
        outputs: Tensor = self.head(hidden)
        return outputs if self.base is None else outputs + x[..., self.base : self.base + 1]


class Flatten(Module):
    """One prediction for the whole sequence, from the concatenated hidden states of all steps.

        y = W [h_1, h_2, ..., h_T] + b

    Arguments:
        body: a recurrent layer or stack, time-major.
        steps: T, the length of every sequence.
        outputs: Q.
        init, init_bound, generator: for the head, as for the layers; the bound of "torch" is 1/sqrt(T*D*H).

    Returns:
        From a call with `(T, B, I)`: `(B, Q)`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range; in a call, the input is not a batch
            of sequences, or their number of steps differs from `steps`.

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
        """Predictions `(B, Q)` for sequences `(T, B, I)`."""
        _check_batched(x)
        if len(x) != self.steps:
            raise ValueError(
                f"the sequence has {len(x)} steps, expected steps={self.steps}; pass windows of that length"
            )
        hidden, _ = self.body(x)
        outputs: Tensor = self.head(hidden.transpose(0, 1).flatten(1))
        return outputs


class Pooled(Module):
    """One prediction for the whole sequence, from its hidden states pooled over time.

        last    y = W [h_T forward, h_1 backward] + b      the state after each sequence's last step
        mean    y = W (1/T sum_t h_t) + b
        max     y = W max_t h_t + b                        for each unit, the maximum over the steps

    Arguments:
        body: a recurrent layer or stack, time-major.
        outputs: Q, such as one score for each class.
        pooling: "last", "mean" or "max".
        dropout: fraction of the pooled values set to zero in training; see `gatewise.dropout`.
        generator: random generator of the head's weights, as for the layers; see `gatewise.nn`.

    Returns:
        From a call with `(T, B, I)`, and with `lengths` `(B,)` from 1 to T if they differ: `(B, Q)`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range; in a call, the input is not a batch
            of sequences, or a sequence has no steps.

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
        fraction("dropout", dropout)
        self.body, self.pooling = _time_major(body), pooling
        self.head = linear(_width(body), outputs, generator=generator, **_like(body))
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
        """Predictions `(B, Q)` for sequences `(T, B, I)`."""
        _check_batched(x)
        if lengths is not None and not isinstance(lengths, Tensor):
            lengths = torch.tensor(lengths, device=x.device)
        if not len(x) or (lengths is not None and lengths.numel() and int(lengths.min()) < 1):
            raise ValueError("a sequence has no steps, expected at least one in each; leave it out")
        output, state = self.body(x, lengths=lengths)
        outputs: Tensor = self.head(self.dropout(self._pooled(output, state, lengths)))
        return outputs

    def _pooled(self, output: Tensor, state: Any, lengths: Tensor | None) -> Tensor:
        """Hidden states (T, B, D*H), zero after the end of each sequence, as (B, D*H)."""
        if self.pooling == "last":
            h = state[0] if isinstance(state, tuple) else state
            return torch.cat(h[-2:].unbind(0), -1) if self.body.bidirectional else h[-1]
        if self.pooling == "mean":
            return output.sum(0) / (len(output) if lengths is None else lengths.to(output)[:, None])
        if lengths is not None:
            beyond_end = torch.arange(len(output), device=output.device)[:, None] >= lengths.to(output.device)
            output = output.masked_fill(beyond_end[..., None], -math.inf)
        return output.amax(0)


class Segments(Module):
    """Read a sequence in segments and predict the next segments.

        e_j = relu(W_e x_j + b_e)                 j = 1, ..., n      each input segment
        s   = body(e_1, ..., e_n)                                    the last state
        h_k = body((p_k + W_a a_k + b_a); s)      k = 1, ..., m      one step from s, for each future segment
        y_k = W h_k + b + sum_j softmax(W_c h_k + b_ck)_j candidate_jk

    The future segments are predicted in parallel, each identified by a learned position p_k, so that errors do not
    accumulate from one segment to the next. Each prediction includes a weighted mean of candidates, such as the same
    segment of earlier seasons; the network computes the weights for each sequence. W, b, W_c and b_c start at zero: an
    untrained network predicts the mean of the candidates.

    Reference: Lin et al., SegRNN: Segment Recurrent Neural Network for Long-Term Time Series Forecasting, 2023,
    arXiv 2308.11200.

    Arguments:
        body: a recurrent layer or stack, time-major, in one direction and without projection; its input size is the
            size E of the embedding.
        features: F, features of an input segment.
        outputs: Q, outputs of a future segment.
        segments: m, number of future segments.
        ahead: A, features of a future segment that are known in advance; 0 for none.
        candidates: J, number of candidates; 0 for none.
        dropout: fraction of the embedding and of h set to zero in training; see `gatewise.dropout`.
        scales: whether to return the logarithm of a scale for each output as well. Its gradient stops at the hidden
            states, so that it does not change the predictions.
        generator: random generator of the weights, as for the layers; see `gatewise.nn`.

    Returns:
        From a call with (n, B, F), (m, B, A) or None, and (J, m, B, Q) or None: predictions (m, B, Q), or (2, m, B, Q)
        with `scales`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range; in a call, the input is not a batch
            of sequences.

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
            raise ValueError("the body is bidirectional or has a projection, expected neither; leave both out")
        # The names of the modules and parameters are keys of saved files.
        self.body = _time_major(body)
        self.embed = linear(features, body.input_size, generator=generator, **_like(body))
        self.ahead = linear(ahead, body.input_size, generator=generator, **_like(body)) if ahead else None
        self.head = _zero_linear(body.hidden_size, outputs, body)
        self.shares = _zero_linear(body.hidden_size, candidates, body) if candidates else None
        self.scale = _zero_linear(body.hidden_size, outputs, body) if scales else None
        m = positive("segments", segments)
        self.place = Parameter(torch.empty(m, 1, body.input_size, **_like(body)))
        self.shares_of_place = Parameter(torch.zeros(m, 1, candidates, **_like(body))) if candidates else None
        self.dropout = Dropout(dropout)
        with torch.no_grad():
            draw_uniform(self.place, 0.5, generator)

    def forward(self, x: Tensor, ahead: Tensor | None = None, candidates: Tensor | None = None) -> Tensor:
        """Predictions (m, B, Q) for sequences (n, B, F), features known ahead (m, B, A) and candidates (J, m, B, Q)."""
        hidden = self.dropout(self._future_hidden(x, ahead))
        outputs: Tensor = self.head(hidden)
        if self.shares is not None and candidates is not None:
            weights = torch.softmax(self.shares(hidden) + self.shares_of_place, -1)  # (m, B, J)
            outputs = outputs + (weights.movedim(-1, 0)[..., None] * candidates).sum(0)
        return outputs if self.scale is None else torch.stack([outputs, self.scale(hidden.detach())])

    def embedded(self, x: Tensor) -> Tensor:
        """The input of the body, (n, B, E)."""
        _check_batched(x)
        embedded: Tensor = self.dropout(torch.relu(self.embed(x)))
        return embedded

    def _future_hidden(self, x: Tensor, ahead: Tensor | None) -> Tensor:
        """The hidden state (m, B, H) of each future segment."""
        _, state = self.body(self.embedded(x))
        m, batch = len(self.place), x.shape[1]
        inputs = self.place.expand(m, batch, -1)
        if self.ahead is not None:
            inputs = inputs + self.ahead(ahead)
        output, _ = self.body(inputs.reshape(1, m * batch, -1), _repeated(state, m))
        hidden: Tensor = output.view(m, batch, -1)
        return hidden


def _zero_linear(inputs: int, outputs: int, body: Body) -> Linear:
    """A linear layer with zero weights and zero bias, so that its output is zero before training."""
    layer = linear(inputs, outputs, init="uniform", init_bound=1.0, generator=torch.Generator(), **_like(body))
    torch.nn.init.zeros_(layer.weight)
    return layer


def _repeated(state: Tensor | tuple[Tensor, ...], times: int) -> Any:
    """A state (L, B, H), repeated `times` times along the batch."""
    if isinstance(state, tuple):
        return tuple(field.repeat(1, times, 1) for field in state)
    return state.repeat(1, times, 1)


def _like(body: Body) -> dict[str, Any]:
    """The device and dtype of a body, as keyword arguments."""
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
    """A linear layer with weights drawn from `generator` (torch's global generator if None).

    `init="torch"` draws weights and biases from U(-1/sqrt(inputs), 1/sqrt(inputs)); `init="uniform"` draws weights from
    U(-init_bound, init_bound) and sets biases to zero.
    """
    check_init(init, init_bound)
    inputs, outputs = positive("inputs", inputs), positive("outputs", outputs)
    layer = Linear(inputs, outputs, device="meta")  # draws no initial values from the global generator
    placement: dict[str, Any] = {"device": "cpu" if device is None else device, "dtype": dtype}
    layer.weight = Parameter(torch.empty(outputs, inputs, **placement))
    layer.bias = Parameter(torch.empty(outputs, **placement))
    bound = 1 / math.sqrt(inputs) if init_bound is None else init_bound
    with torch.no_grad():
        draw_uniform(layer.weight, bound, generator)
        if init == "torch":
            draw_uniform(layer.bias, bound, generator)
        else:
            layer.bias.zero_()
    return layer


def limited_threads(network: Any, rows: float) -> AbstractContextManager[None]:
    """The thread counts for a network with a recurrent `body` and a batch of so many rows; see `gatewise.threads`."""
    return limited(work(network, rows), divides_work(network.body.engine))


def _head(
    body: Body, inputs: int, outputs: int, init: str, init_bound: float | None, generator: torch.Generator | None
) -> Linear:
    """A linear layer on the device and in the dtype of the body."""
    return linear(inputs, outputs, init=init, init_bound=init_bound, generator=generator, **_like(body))


def _check_batched(x: Tensor) -> None:
    if x.dim() != 3:
        raise ValueError(f"x has shape {tuple(x.shape)}, expected (T, B, I); for one sequence, pass x.unsqueeze(1)")


def _width(body: Body) -> int:
    """Number of features of the body's output."""
    return (2 if body.bidirectional else 1) * (body.proj_size or body.hidden_size)


def _time_major(body: Body) -> Body:
    if body.batch_first:
        raise ValueError("the body has batch_first=True, expected a time-major body; leave batch_first out")
    return body
