"""torch's fused kernels: oneDNN and ATen on a CPU, cuDNN on CUDA, MPS.

They run a whole sequence in one call and return the output and the last state, but no gates and no cell states.
Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `P` projection size, `N` valid steps of all
sequences together.
"""

import warnings
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gatewise import cells
from gatewise.cells import Cell, Weights
from gatewise.engines.contract import Request, Scan, check, packed_lengths, zeros

name = "aten"
summary = "torch's own fused kernels"

# torch warns at every call with a projection that it uses another of its kernels; the user cannot act on it. The filter
# is global, because a filter set around each call is not thread-safe.
warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")

# Keyed by step function, not by name: a cell with a changed equation is a different cell.
_KERNELS: dict[Callable[..., Any], Callable[..., tuple[Tensor, ...]]] = {
    cells.rnn_tanh_step: torch.rnn_tanh,
    cells.rnn_relu_step: torch.rnn_relu,
    cells.lstm_step: torch.lstm,
    cells.gru_step: torch.gru,
}


def refuses(request: Request) -> str | None:
    """The reason why torch's kernels cannot serve the request, or None."""
    cell, weights = request.cell, request.weights
    if cell.step not in _KERNELS:
        step = getattr(cell.step, "__name__", repr(cell.step))  # a partial has no name
        return f"torch has no fused kernel for the step {step!r} of the cell {cell.name!r}"
    if request.keep:
        return f"torch's kernels do not return {' or '.join(sorted(request.keep))}"
    if torch._C._functorch.peek_interpreter_stack() is not None and not torch.compiler.is_compiling():
        return "torch's kernels do not support the transforms of torch.func"
    if request.x.numel() == 0:
        return f"torch's kernels do not accept an empty x, here {tuple(request.x.shape)}"
    if (weights.bias_ih is None) != (weights.bias_hh is None):
        return "torch's kernels need both biases or neither"
    if weights.weight_hr is not None and cell.step is not cells.lstm_step:
        return f"torch's kernels support a projection for the LSTM only, not for {cell.name!r}"
    return None


def scan(
    cell: Cell,
    x: Tensor,
    state: Any,
    weights: Weights,
    *,
    lengths: Tensor | None = None,
    reverse: bool = False,
    keep: Collection[str] = (),
) -> Scan:
    """Run one layer in one direction in one kernel call, as specified in `gatewise.engines.contract`."""
    sizes = check(cell, x, state, weights, lengths)
    state = zeros(cell, x, sizes) if state is None else state
    if lengths is not None:
        return _scan_packed(cell, x, state, weights, lengths, reverse)
    output, state = _run(cell, x.flip(0) if reverse else x, None, state, weights)
    return Scan(output.flip(0) if reverse else output, state)


def scan_packed(
    cell: Cell, data: Tensor, batch_sizes: Tensor, state: Any, weights: Weights, *, reverse: bool = False
) -> Scan:
    """Run one layer in one direction over packed sequences, as specified in `gatewise.engines.contract`."""
    sequences = int(batch_sizes[0]) if state is None else state[0].shape[0]
    sizes = check(cell, data[:sequences].unsqueeze(0), state, weights)
    state = zeros(cell, data, sizes) if state is None else state
    if not reverse:
        return Scan(*_run(cell, data, batch_sizes, state, weights))
    order = _reversed_order(batch_sizes).to(data.device)
    output, state = _run(cell, data.index_select(0, order), batch_sizes, state, weights)
    return Scan(output.index_select(0, order), state)


def _reversed_order(batch_sizes: Tensor) -> Tensor:
    """Index that reverses each packed sequence in time: `(N,)`, on the CPU."""
    starts = batch_sizes.cumsum(0) - batch_sizes
    time = torch.arange(len(batch_sizes), device="cpu").repeat_interleave(batch_sizes)
    sequence = torch.arange(len(time), device="cpu") - starts[time]
    return starts[packed_lengths(batch_sizes)[sequence] - 1 - time] + sequence


def _run(cell: Cell, x: Tensor, batch_sizes: Tensor | None, state: Any, weights: Weights) -> tuple[Tensor, Any]:
    """Call the kernel, excluded from torch.compile, which fails on the backward pass of oneDNN's LSTM."""
    if torch.compiler.is_compiling():  # a decorator on _call would import the compiler, which takes seconds
        disabled: Callable[..., tuple[Tensor, Any]] = torch.compiler.disable(_call)  # type: ignore[no-untyped-call]  # torch's
        return disabled(cell, x, batch_sizes, state, weights)
    return _call(cell, x, batch_sizes, state, weights)


def _call(cell: Cell, x: Tensor, batch_sizes: Tensor | None, state: Any, weights: Weights) -> tuple[Tensor, Any]:
    """Call the kernel on padded `x (T, B, I)`, or on packed `x (N, I)` with its `batch_sizes`."""
    tensors = [weight for weight in weights if weight is not None]
    stacked = [field.unsqueeze(0) for field in state]  # the kernels take states of all layers: (1, B, H)
    hx = stacked if cell.step is cells.lstm_step else stacked[0]
    # The kernel saves values for a backward pass only if one may follow; torch.jit.trace would always record False.
    training = torch.is_grad_enabled() or torch._C._get_tracing_state() is not None
    # biases, num_layers, dropout, train, bidirectional
    options = (weights.bias_ih is not None, 1, 0.0, training, False)
    arguments = (x, hx, tensors, *options, False) if batch_sizes is None else (x, batch_sizes, hx, tensors, *options)
    output, *last = _KERNELS[cell.step](*arguments)
    return output, cell.state(*(field.squeeze(0) for field in last))


class _Packing(NamedTuple):
    """Position of each valid step in the padded batch, time step by time step, longest sequence first."""

    rows: Tensor  # (N,) into x as (T*B, I)
    batch_sizes: Tensor  # (longest,) active sequences at each step, on the CPU
    order: Tensor  # (sequences of length > 0,) their positions in the batch


def _pack(T: int, lengths: Tensor, reverse: bool, device: torch.device) -> _Packing:
    by_length, order = lengths.cpu().sort(descending=True)
    valid = torch.arange(T, device="cpu")[:, None] < by_length  # (T, B)
    time, rank = valid.nonzero(as_tuple=True)
    if reverse:
        time = by_length[rank] - 1 - time
    batch_sizes = valid.sum(1)
    return _Packing(
        rows=(time * len(lengths) + order[rank]).to(device),
        batch_sizes=batch_sizes[batch_sizes > 0],
        order=order[by_length > 0].to(device),
    )


def _scan_packed(cell: Cell, x: Tensor, state: Any, weights: Weights, lengths: Tensor, reverse: bool) -> Scan:
    T, B, _ = x.shape
    rows, batch_sizes, order = _pack(T, lengths, reverse, x.device)
    if len(rows) == 0:
        return Scan(x.new_zeros(T, B, state[0].shape[1]), state)
    first = cell.state(*(field.index_select(0, order) for field in state))
    packed, last = _run(cell, x.reshape(T * B, -1).index_select(0, rows), batch_sizes, first, weights)
    output = packed.new_zeros(T * B, packed.shape[1]).index_copy(0, rows, packed)
    # Sequences of length zero are not in the packed batch: they keep their initial state.
    fields = (field.to(end.dtype).index_copy(0, order, end) for field, end in zip(state, last, strict=True))
    state = cell.state(*fields)
    return Scan(output.view(T, B, -1), state)
