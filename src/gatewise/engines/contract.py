"""The engine contract: what an engine receives, what it returns, and the shape checks that every engine starts with.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `P` projection size, `G` gates of the cell.

An engine is a module (or any object) with a `name`, a `summary`, and two functions:

`refuses(request)` returns `None` if the engine can serve the request, otherwise the reason as a message. It inspects
the request only: it is cheap, raises no errors and runs no computation.

`scan(cell, x, state, weights, *, lengths, reverse, keep)` runs one layer in one direction and returns a `Scan`. It
receives tensors, never modules, and only requests that it accepts. It starts with `check`, so that mismatched tensors
raise an error before any kernel runs.

- `x` is `(T, B, I)` with any strides. `state` is the cell's state tuple, `h (B, H)`, or `(B, P)` with a projection,
  and `c (B, H)`; None means zeros, see `zeros`.
- `lengths (B,)` holds integers from 0 to T on any device, in any order: sequence `b` is `x[:lengths[b], b]`, and later
  values of `x` have no influence. The output, the gates and the cell states are zero after each sequence's end; the
  final state is the one after the last valid step, or the initial state for a sequence of length zero.
- `reverse` runs each sequence from its last valid step to its first; the output at `t` still belongs to `x[t]`.
- `keep` may contain `"gates"` and `"cells"`, to return them at every step.

Two functions are optional.

`scan_packed(cell, data, batch_sizes, state, weights, *, reverse)` runs the `data (N, I)` and `batch_sizes (T,)` (on the
CPU) of torch's PackedSequence: the valid steps of all sequences, time step by time step, longest sequence first; the
rows of the state are in the same order. The output is packed like `data`; gates and cell states are not returned. For
an engine without `scan_packed`, the sequences are padded, which takes the memory of `T x B` steps. `refuses` covers
both functions.

`stepper(cell, x, state, weights, parameters, names)` returns a `Stepper` for streams, see `selection.stepper`.
"""

from collections.abc import Collection
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from gatewise.cells import Cell, Gates, Weights


class Request(NamedTuple):
    """The arguments of `scan`, which an engine inspects before it accepts or refuses."""

    cell: Cell
    x: Tensor  # (T, B, I)
    state: tuple[Tensor, ...] | None  # the cell's state tuple, h (B, H or P) and for an LSTM c (B, H); None for zeros
    weights: Weights
    lengths: Tensor | None = None  # (B,)
    reverse: bool = False
    keep: Collection[str] = ()


class Scan(NamedTuple):
    """The result of a scan."""

    output: Tensor  # (T, B, H), or (T, B, P) with a projection
    state: Any  # the cell's state tuple, after each sequence's last valid step
    cells: Tensor | None = None  # (T, B, H): c after every step, if in `keep` and if the cell has a c
    gates: Gates | None = None  # each (T, B, H), if in `keep`


class Engine(Protocol):
    """The contract of the module docstring, as types."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...

    def refuses(self, request: Request) -> str | None: ...

    def scan(
        self,
        cell: Cell,
        x: Tensor,
        state: Any,
        weights: Weights,
        *,
        lengths: Tensor | None = None,
        reverse: bool = False,
        keep: Collection[str] = (),
    ) -> Scan: ...


class Stepper(Protocol):
    """One layer, run step by step on fixed memory; see `selection.stepper`."""

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def width(self) -> int: ...

    def holds(self) -> bool: ...

    def __call__(self, x: int, output: int) -> int: ...


KEPT = ("gates", "cells")
# the integer dtypes that torch can compare and sort
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def under_autocast(device: torch.device) -> bool:
    """Whether autocast is on for a device, so that dtypes may differ."""
    return device.type != "meta" and torch.is_autocast_enabled(device.type)


class Sizes(NamedTuple):
    """The sizes of one scan."""

    T: int
    B: int
    I: int
    H: int
    P: int  # of h: H without a projection


def check(
    cell: Cell, x: Tensor, state: tuple[Tensor, ...] | None, weights: Weights, lengths: Tensor | None = None
) -> Sizes:
    """Check that the tensors of one scan match in shape, dtype and device, and return their sizes.

    The values of `lengths` are checked on the CPU only: on another device the check would wait for that device.

    Raises:
        RuntimeError: a tensor does not match; the message names it, the expected value and the actual one.

    Examples:
        >>> from gatewise import cells
        >>> weights = Weights(torch.zeros(8, 3), torch.zeros(8, 8))
        >>> check(cells.RNN_TANH, torch.zeros(5, 2, 3), None, weights)
        Sizes(T=5, B=2, I=3, H=8, P=8)
        >>> check(cells.RNN_TANH, torch.zeros(5, 2, 4), (torch.zeros(2, 8),), weights)
        Traceback (most recent call last):
        ...
        RuntimeError: x (T, B, I) has shape (5, 2, 4), expected (5, 2, 3) to match weight_ih (8, 3)
    """
    shape, (like, hidden, bias_ih, bias_hh, projection), G = x.shape, weights, len(cell.gates)
    if len(shape) != 3:
        raise RuntimeError(f"x has shape {tuple(shape)}, expected (T, B, I)")
    weight = like.shape
    if len(weight) != 2 or weight[0] % G:
        raise RuntimeError(f"weight_ih has shape {tuple(weight)}, expected ({G}*H, I)")
    (T, B, _), (rows, inputs) = shape, weight
    H = rows // G
    P = H if projection is None else projection.shape[0]
    # One list and one loop, because this check runs at every call.
    expected = [("x (T, B, I)", x, (T, B, inputs)), ("weight_hh", hidden, (rows, P))]
    if state is not None:
        if len(state) != len(cell.state._fields):
            raise RuntimeError(f"the state has {len(state)} parts, expected {cell.state._fields} for {cell.name!r}")
        expected.append(("the state's h", state[0], (B, P)))
        expected += [("the state's c", c, (B, H)) for c in state[1:]]
    if bias_ih is not None:
        expected.append(("bias_ih", bias_ih, (rows,)))
    if bias_hh is not None:
        expected.append(("bias_hh", bias_hh, (rows,)))
    if projection is not None:
        expected.append(("weight_hr", projection, (P, H)))
    device, dtype, on_cpu = like.device, like.dtype, like.is_cpu  # is_cpu takes half the time of comparing devices
    for name, tensor, expected_shape in expected:
        if tensor.shape != expected_shape:
            raise RuntimeError(
                f"{name} has shape {tuple(tensor.shape)}, expected {expected_shape} to match weight_ih {tuple(weight)}"
            )
        if tensor.dtype != dtype and not under_autocast(device):
            raise RuntimeError(f"{name} is {tensor.dtype}, expected {dtype} like weight_ih; convert it with .to()")
        if not (on_cpu and tensor.is_cpu) and tensor.device != device:
            raise RuntimeError(f"{name} is on {tensor.device}, expected {device} like weight_ih; move it with .to()")
    if lengths is not None:
        _check_lengths(lengths, T, B)
    return Sizes(T, B, inputs, H, P)


def _check_lengths(lengths: Tensor, T: int, B: int) -> None:
    if lengths.shape != (B,) or lengths.dtype not in INTEGERS:
        raise RuntimeError(f"lengths is {lengths.dtype} {tuple(lengths.shape)}, expected integers of shape ({B},)")
    readable = lengths.device.type == "cpu" and B and not torch.compiler.is_compiling()
    if readable and not 0 <= int(lengths.min()) <= int(lengths.max()) <= T:
        raise RuntimeError(
            f"lengths range from {lengths.min()} to {lengths.max()}, expected from 0 to {T}, the number of steps"
        )


def zeros(cell: Cell, x: Tensor, sizes: Sizes) -> Any:
    """The state tuple of zeros that `state=None` stands for, in the dtype and on the device of x."""
    h, c = (sizes.B, sizes.P), (sizes.B, sizes.H)
    return cell.state(*[x.new_zeros(c if k else h) for k in range(len(cell.state._fields))])


def packed_lengths(batch_sizes: Tensor) -> Tensor:
    """The lengths of packed sequences, longest first: the number of steps of each sequence.

    Examples:
        >>> packed_lengths(torch.tensor([3, 2, 2]))
        tensor([3, 3, 1])
    """
    sequences = torch.arange(int(batch_sizes[0]), device="cpu")
    return len(batch_sizes) - torch.searchsorted(batch_sizes.flip(0), sequences, right=True)
