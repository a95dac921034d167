"""The equations: one time step of each recurrent cell.

Letters: `B` batch, `I` input size, `H` hidden size, `P` projection size, `G` gates of the cell.

Each cell is one pure function, `step(x, state, weights) -> (state, gates)`, and one `Cell` record that names its gates
in the order of their blocks in the weights. The order is torch's, so weights of `torch.nn` can be used unchanged:

    RNN    hidden
    LSTM   input, forget, candidate, output      (i f g o)
    GRU    reset, update, candidate              (r z n)

The reference engine runs exactly these functions, so a change here changes its results. To try an equation without
editing this file, replace the step and give the new cell to a layer; the engines with fused kernels then refuse it:

    coupled = dataclasses.replace(cells.LSTM, step=my_step)

    class CoupledLSTM(gatewise.nn.LSTM):
        cell = coupled
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear


class Weights(NamedTuple):
    """The tensors of one layer in one direction, named and laid out as in torch.nn.

    Examples:
        >>> weights = Weights(torch.ones(4 * 8, 3), torch.ones(4 * 8, 8))  # an LSTM with I = 3, H = 8 and no biases
        >>> weights.bias_ih is None
        True
    """

    weight_ih: Tensor  # (G*H, I)
    weight_hh: Tensor  # (G*H, H), or (G*H, P) with a projection
    bias_ih: Tensor | None = None  # (G*H)
    bias_hh: Tensor | None = None  # (G*H)
    weight_hr: Tensor | None = None  # (P, H): the projection of the LSTM


class RNNState(NamedTuple):
    """The state of an RNN: its output h."""

    h: Tensor  # (B, H)


class LSTMState(NamedTuple):
    """The state of an LSTM: its output h and its cell state c."""

    h: Tensor  # (B, H), or (B, P) with a projection
    c: Tensor  # (B, H)


class GRUState(NamedTuple):
    """The state of a GRU: its output h."""

    h: Tensor  # (B, H)


Gates = dict[str, Tensor]  # each (B, H), after its activation


@dataclass(frozen=True)
class Cell:
    """A kind of recurrent cell: its name, its gates in the order of the weights, its state and its step.

    Arguments:
        name: the name used by engines and in messages.
        gates: one name per block of `H` rows in `weight_ih` and `weight_hh`, so that `G = len(gates)`.
        state: a NamedTuple of tensors; the first is `h`, the output of the step; traces return a field named `c` as
            `cells`.
        step: `step(x (B, I), state, weights) -> (state, gates by name)`.

    Examples:
        >>> LSTM.gates
        ('input', 'forget', 'candidate', 'output')
        >>> LSTM.state._fields
        ('h', 'c')
    """

    name: str
    gates: tuple[str, ...]
    state: type[Any]  # Any: each cell has its own NamedTuple
    step: Callable[[Tensor, Any, Weights], tuple[Any, Gates]]


def weighted_sum(x: Tensor, h: Tensor, weights: Weights) -> Tensor:
    """`W_ih x + b_ih + W_hh h + b_hh`, for all gates at once: `(B, G*H)`."""
    return linear(x, weights.weight_ih, weights.bias_ih) + linear(h, weights.weight_hh, weights.bias_hh)


def rnn_tanh_step(x: Tensor, state: RNNState, weights: Weights) -> tuple[RNNState, Gates]:
    """One step of Elman's network: `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`.

    Reference: J. L. Elman, Finding structure in time, Cognitive Science 14, 1990.

    Arguments:
        x: `(B, I)`.
        state: `h (B, H)`.
        weights: `G = 1`.

    Returns:
        The state after the step, and `{"hidden": h'}`.

    Examples:
        >>> weights = Weights(torch.tensor([[1.0]]), torch.tensor([[1.0]]))
        >>> state, gates = rnn_tanh_step(torch.tensor([[0.25]]), RNNState(torch.tensor([[0.25]])), weights)
        >>> state.h  # tanh(0.25 + 0.25)
        tensor([[0.4621]])
    """
    h = torch.tanh(weighted_sum(x, state.h, weights))
    return RNNState(h), {"hidden": h}


def rnn_relu_step(x: Tensor, state: RNNState, weights: Weights) -> tuple[RNNState, Gates]:
    """One step with a rectifier: `h' = max(0, W_ih x + b_ih + W_hh h + b_hh)`; otherwise as `rnn_tanh_step`.

    Reference: Q. V. Le, N. Jaitly, G. E. Hinton, A simple way to initialize recurrent networks of rectified linear
    units, 2015.

    Examples:
        >>> weights = Weights(torch.tensor([[-1.0]]), torch.tensor([[1.0]]))
        >>> rnn_relu_step(torch.tensor([[0.5]]), RNNState(torch.tensor([[0.25]])), weights)[0].h
        tensor([[0.]])
    """
    h = torch.relu(weighted_sum(x, state.h, weights))
    return RNNState(h), {"hidden": h}


def rnn_identity_step(x: Tensor, state: RNNState, weights: Weights) -> tuple[RNNState, Gates]:
    """One step of a linear network: `h' = W_ih x + b_ih + W_hh h + b_hh`; otherwise as `rnn_tanh_step`.

    Examples:
        >>> weights = Weights(torch.tensor([[-1.0]]), torch.tensor([[1.0]]))
        >>> rnn_identity_step(torch.tensor([[0.5]]), RNNState(torch.tensor([[0.25]])), weights)[0].h
        tensor([[-0.2500]])
    """
    h = weighted_sum(x, state.h, weights)
    return RNNState(h), {"hidden": h}


def lstm_step(x: Tensor, state: LSTMState, weights: Weights) -> tuple[LSTMState, Gates]:
    """One step of the LSTM with forget gate, without peepholes.

        i  = sigmoid(W_ii x + b_ii + W_hi h + b_hi)      input:      how much of the candidate is written
        f  = sigmoid(W_if x + b_if + W_hf h + b_hf)      forget:     how much of the cell state is kept
        g  = tanh   (W_ig x + b_ig + W_hg h + b_hg)      candidate:  new values for the cell state
        o  = sigmoid(W_io x + b_io + W_ho h + b_ho)      output:     how much of the cell state is output
        c' = f * c + i * g
        h' = o * tanh(c')                                with a projection: h' = W_hr (o * tanh(c'))

    References: S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997; the forget gate:
    F. A. Gers, J. Schmidhuber, F. Cummins, Learning to forget, Neural Computation 12(10), 2000; the projection: H.
    Sak, A. Senior, F. Beaufays, Long short-term memory based recurrent neural network architectures for large
    vocabulary speech recognition, 2014.

    Arguments:
        x: `(B, I)`.
        state: `h (B, H)`, or `(B, P)` with a projection, and `c (B, H)`.
        weights: `G = 4`; `weight_hr (P, H)` for a projection.

    Returns:
        The state after the step, and the gates `input`, `forget`, `candidate`, `output`, each `(B, H)`.

    Examples:
        >>> zero = Weights(torch.zeros(4, 1), torch.zeros(4, 1))  # every gate is 0.5 and the candidate is 0
        >>> state, gates = lstm_step(torch.ones(1, 1), LSTMState(torch.zeros(1, 1), torch.ones(1, 1)), zero)
        >>> gates["forget"], state.c
        (tensor([[0.5000]]), tensor([[0.5000]]))
    """
    i, f, g, o = weighted_sum(x, state.h, weights).chunk(4, -1)
    i = torch.sigmoid(i)
    f = torch.sigmoid(f)
    g = torch.tanh(g)
    o = torch.sigmoid(o)
    c = f * state.c + i * g
    h = o * torch.tanh(c)
    if weights.weight_hr is not None:
        h = linear(h, weights.weight_hr)
    return LSTMState(h, c), {"input": i, "forget": f, "candidate": g, "output": o}


def gru_step(x: Tensor, state: GRUState, weights: Weights) -> tuple[GRUState, Gates]:
    """One step of the GRU, with the reset gate after the product (as in torch and cuDNN).

        r  = sigmoid(W_ir x + b_ir + W_hr h + b_hr)        reset:      how much of the past enters the candidate
        z  = sigmoid(W_iz x + b_iz + W_hz h + b_hz)        update:     how much of the past is kept
        n  = tanh   (W_in x + b_in + r * (W_hn h + b_hn))  candidate:  new values for the hidden state
        h' = (1 - z) * n + z * h

    Reference: K. Cho et al., Learning phrase representations using RNN encoder-decoder for statistical machine
    translation, 2014 (there the reset gate multiplies `h` before the product).

    Arguments:
        x: `(B, I)`.
        state: `h (B, H)`.
        weights: `G = 3`.

    Returns:
        The state after the step, and the gates `reset`, `update`, `candidate`, each `(B, H)`.

    Examples:
        >>> zero = Weights(torch.zeros(3, 1), torch.zeros(3, 1))  # both gates are 0.5 and the candidate is 0
        >>> state, gates = gru_step(torch.ones(1, 1), GRUState(torch.ones(1, 1)), zero)
        >>> gates["update"], state.h
        (tensor([[0.5000]]), tensor([[0.5000]]))
    """
    r_x, z_x, n_x = linear(x, weights.weight_ih, weights.bias_ih).chunk(3, -1)
    r_h, z_h, n_h = linear(state.h, weights.weight_hh, weights.bias_hh).chunk(3, -1)
    r = torch.sigmoid(r_x + r_h)
    z = torch.sigmoid(z_x + z_h)
    n = torch.tanh(n_x + r * n_h)
    h = (1 - z) * n + z * state.h
    return GRUState(h), {"reset": r, "update": z, "candidate": n}


RNN_TANH = Cell("rnn_tanh", ("hidden",), RNNState, rnn_tanh_step)
RNN_RELU = Cell("rnn_relu", ("hidden",), RNNState, rnn_relu_step)
RNN_IDENTITY = Cell("rnn_identity", ("hidden",), RNNState, rnn_identity_step)
LSTM = Cell("lstm", ("input", "forget", "candidate", "output"), LSTMState, lstm_step)
GRU = Cell("gru", ("reset", "update", "candidate"), GRUState, gru_step)

RNN = {"tanh": RNN_TANH, "relu": RNN_RELU, "identity": RNN_IDENTITY}  # by the name of the nonlinearity
