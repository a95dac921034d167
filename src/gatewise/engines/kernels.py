"""Calls into the native library: tensors in, tensors out.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `P` size of h (`H`, or the projection size), `S`
planes of activations that the backward pass needs. What the library takes is `struct gatewise_scan` of
`native/gatewise.h`: 43 integers, most of them addresses. Whoever calls keeps the tensors alive until it returns.
"""

import ctypes
import functools
import math
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gatewise import cells
from gatewise.cells import Cell
from gatewise.engines import library


class Kind(NamedTuple):
    """A cell as the kernels know it."""

    cell: Cell
    code: int
    planes: int  # S
    has_c: bool


# By step function, not by name: a cell with a changed equation is another cell.
KINDS: dict[Callable[..., Any], Kind] = {
    cells.rnn_tanh_step: Kind(cells.RNN_TANH, 0, 0, False),
    cells.rnn_relu_step: Kind(cells.RNN_RELU, 1, 0, False),
    cells.rnn_identity_step: Kind(cells.RNN_IDENTITY, 2, 0, False),
    cells.lstm_step: Kind(cells.LSTM, 3, 4, True),
    cells.gru_step: Kind(cells.GRU, 4, 4, False),
}
DTYPES = {torch.float32: 0, torch.float64: 1}
_NO_MEMORY = 6
_STATUS = {
    1: "the cell is not one that the kernels have",
    2: "the dtype is neither float32 nor float64",
    3: "a size is negative or too large",
    4: "a length lies outside 0..T, or packed sequences do not come longest first",
    5: "a tensor is missing",
    _NO_MEMORY: "there is not enough memory for the workspace; use a smaller batch",
}
_FIELDS = struct.Struct("=43q")  # struct gatewise_scan


class Call(NamedTuple):
    """What a scan is, but for its tensors."""

    kind: Kind
    reverse: bool = False
    lengths: Tensor | None = None  # (B,) int64, contiguous, on the CPU
    batch_sizes: Tensor | None = None  # (T,) int64, of packed sequences; then lengths are theirs
    offsets: Tensor | None = None  # (T,) int64, of packed sequences: where the rows of each step begin


Tensors = tuple[Tensor | None, ...]  # x, h0, c0 and the Weights, in this order
Results = tuple[Tensor, Tensor, Tensor | None, Tensor | None, Tensor | None]  # output, h, c, gates, cells


def packed_call(kind: Kind, reverse: bool, data: Tensor, batch_sizes: Tensor, sequences: int) -> Call:
    """The call for packed sequences.

    Raises:
        RuntimeError: `batch_sizes` does not fall from the number of sequences, or does not add up to the rows of
            `data`.
    """
    sizes = batch_sizes.to("cpu", torch.int64).contiguous()
    T, rows = sizes.shape[0], data.shape[0]
    lengths, offsets = sizes.new_empty(sequences), torch.empty_like(sizes)
    read = library.loaded().gatewise_read_batch_sizes
    if read(sizes.data_ptr(), T, sequences, rows, lengths.data_ptr(), offsets.data_ptr()):
        raise RuntimeError(
            f"the batch_sizes of the packed sequences add up to {int(sizes.sum())}, the data has {rows} rows of "
            f"{sequences} sequences; expected batch_sizes from {sequences} down to 1 or more that add up to the rows, "
            "as pack_padded_sequence makes them"
        )
    return Call(kind, reverse, lengths, sizes, offsets)


def forward(call: Call, kept: bool, tensors: Tensors, own: bool = False) -> Results:
    """Run the kernels forward. What is kept is zero after each sequence's end, unless it is for their `own` use."""
    x, h0, c0, *_ = usable = _usable(tensors)
    rows, H, kind = x.shape[:-1], _hidden_size(call, usable), call.kind
    output, h = x.new_empty((*rows, h0.shape[1])), torch.empty_like(h0)
    c = None if c0 is None else torch.empty_like(c0)
    gates = states = None
    if kept and kind.planes:
        empty = lent if own else x.new_zeros if call.lengths is not None else x.new_empty
        gates = empty((*rows, kind.planes, H), dtype=x.dtype)
        states = None if c0 is None else empty((*rows, H), dtype=x.dtype)
    fields = _common(call, usable)
    # Up to a few rows the kernel for one step takes less time than packing the weights for the other.
    one_step = not kept and call.lengths is None and x.shape[0] == 1 and h0.shape[0] <= _FEW
    function = "gatewise_step" if one_step else "gatewise_forward"
    _run(function, [*fields, *_sequence(output), *_addresses(h, c, gates, states), *NO_GRADIENTS])
    return output, h, c, gates, states


_FEW = 4
NO_GRADIENTS = (0,) * 15  # fields for the backward pass


def backward(
    call: Call,
    tensors: Tensors,
    output: Tensor,
    gates: Tensor | None,
    states: Tensor | None,
    grads: Tensors,
    x_wanted: bool,
    weights_wanted: bool,
) -> Tensors:
    """Gradients of every tensor wanted, from those at output, h, c, gates and cells."""
    x, h0, c0, *weights = usable = _usable(tensors)
    _check_kept(call, usable, output, gates, states, grads)
    # In names of their own: what was made dense must live until the kernels are done.
    output, gates, states = _dense(output), *[None if one is None else _contiguous(one) for one in (gates, states)]
    at_output = None if grads[0] is None else _dense(grads[0])
    at_others = [None if one is None else _contiguous(one) for one in grads[1:]]
    grad_x = x.new_empty(x.shape) if x_wanted else None
    grad_weights = [None if one is None or not weights_wanted else torch.empty_like(one) for one in weights]
    grad_h0, grad_c0 = torch.empty_like(h0), None if c0 is None else torch.empty_like(c0)
    fields = [
        *_common(call, usable),
        *_sequence(output),
        *_addresses(None, None, gates, states),
        *((0, 0, 0) if at_output is None else _sequence(at_output)),
        *_addresses(*at_others, grad_x, *grad_weights, grad_h0, grad_c0),
    ]
    _run("gatewise_backward", fields)
    return grad_x, grad_h0, grad_c0, *grad_weights


@functools.cache
def _memory(size: int) -> type[Any]:
    """The type of so many bytes of lent memory, which goes back when the last tensor on it is gone."""

    class Lent(ctypes.c_char * size):  # type: ignore[misc]  # a type made on the spot
        def __del__(self) -> None:
            library.loaded().gatewise_give_back(ctypes.addressof(self))

    return Lent


def lent(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """An uninitialised tensor; a large one in memory lent by the library, as the system clears fresh memory first."""
    size = math.prod(shape) * dtype.itemsize
    if size < _LARGE:
        return torch.empty(shape, dtype=dtype, device="cpu")
    size = -(-size // _LARGE) * _LARGE  # few sizes, for each has a type of its own
    address = library.loaded().gatewise_lend(size)
    if not address:
        raise MemoryError(f"there are no {size} bytes for what the backward pass needs; use a smaller batch")
    memory = _memory(size).from_address(address)
    return torch.frombuffer(memory, dtype=dtype, count=math.prod(shape)).view(shape)


_LARGE = 1 << 22  # bytes; below it the system's allocator reuses memory itself


def _usable(tensors: Tensors) -> list[Any]:
    """The tensors as the kernels read them: x with its features side by side, the others contiguous."""
    others = [
        one if one is None or (one.is_contiguous() and not one.is_neg()) else _contiguous(one) for one in tensors[1:]
    ]
    return [_dense(tensors[0]), *others]


def _check_kept(
    call: Call, usable: list[Any], output: Tensor, gates: Tensor | None, states: Tensor | None, grads: Tensors
) -> None:
    """Raise unless what forward gave comes back as it was: hooks on saved tensors may have had it in their hands."""
    x, rows, H = usable[0], usable[0].shape[:-1], _hidden_size(call, usable)
    for one in grads:
        if one is not None and one.dtype != x.dtype:
            raise RuntimeError(f"x saved for backward is {x.dtype}, expected {one.dtype} as the gradients")
    expected: list[tuple[Tensor | None, tuple[int, ...]]] = [(output, (*rows, usable[1].shape[1]))]
    if call.kind.planes:
        expected.append((gates, (*rows, call.kind.planes, H)))
    if call.kind.has_c:
        expected.append((states, (*rows, H)))
    for one, shape in expected:
        if one is None or one.shape != shape or one.dtype != x.dtype or one.device != x.device:
            came = "missing" if one is None else f"{one.dtype} {tuple(one.shape)} on {one.device}"
            raise RuntimeError(f"a tensor saved for backward is {came}, expected {x.dtype} {shape} on {x.device}")


def _dense(x: Any) -> Tensor:
    dense: Tensor = x if x.stride(-1) == 1 or x.shape[-1] <= 1 else x.contiguous()
    return dense.resolve_neg() if dense.is_neg() else dense


def _contiguous(x: Tensor) -> Tensor:
    dense = x if x.is_contiguous() else x.contiguous()
    return dense.resolve_neg() if dense.is_neg() else dense


def _hidden_size(call: Call, tensors: list[Any]) -> int:
    rows: int = tensors[4].shape[0]
    return rows // len(call.kind.cell.gates)


def _addresses(*tensors: Tensor | None) -> list[int]:
    return [0 if one is None else one.data_ptr() for one in tensors]


def _sequence(x: Tensor) -> tuple[int, ...]:
    """The address of a sequence and its strides in time and batch; packed sequences have one, from row to row."""
    strides = x.stride()
    return (x.data_ptr(), strides[0], strides[1]) if len(strides) == 3 else (x.data_ptr(), 0, strides[0])


def _common(call: Call, tensors: list[Any]) -> list[int]:
    """The fields up to the initial state."""
    x, h0, c0, *weights = tensors
    kind, shape, (B, P) = call.kind, x.shape, h0.shape
    T = shape[0] if call.offsets is None else call.offsets.shape[0]
    head = (kind.code, DTYPES[x.dtype], torch.get_num_threads(), call.reverse, T, B, shape[-1])
    return [
        *head,
        _hidden_size(call, tensors),
        P,
        *_sequence(x),
        *_addresses(call.lengths, call.offsets, *weights, h0, c0),
    ]


def _run(function: str, fields: list[int]) -> None:
    status = getattr(library.loaded(), function)(_FIELDS.pack(*fields))
    if status == _NO_MEMORY:
        raise MemoryError(_STATUS[status])
    if status:
        raise RuntimeError(f"{function}: {_STATUS[status]}")


_THREADS, _X, _OUTPUT = 2, 9, 21  # the places of these fields


class Stepper:
    """One layer run step by step on fixed memory: all that a call costs is the step itself."""

    def __init__(
        self, cell: Cell, x: Tensor, state: Any, parameters: Mapping[str, Tensor | None], names: Sequence[str]
    ) -> None:
        self.dtype, self.width = x.dtype, state[0].shape[1]
        self._parameters, self._state = parameters, state
        weights = [parameters.get(name) for name in names]
        named = zip(names, weights, strict=True)
        self._seen = [(name, one, one.data_ptr(), one.shape) for name, one in named if one is not None]
        c = state[1] if KINDS[cell.step].has_c else None
        fields = _common(Call(KINDS[cell.step]), [x, state[0], c, *weights])
        fields += [0, 0, self.width, *_addresses(state[0], c, None, None), *NO_GRADIENTS]
        self._fields = (ctypes.c_int64 * len(fields))(*fields)
        self._address, self._h = ctypes.addressof(self._fields), int(state[0].data_ptr())
        self._step: Callable[[int], int] = library.loaded().gatewise_step

    def holds(self) -> bool:
        """Whether the weights are the same tensors, lie where they did, and lie close together."""
        parameters, dtype = self._parameters, self.dtype
        for name, seen, address, shape in self._seen:
            if parameters.get(name) is not seen or seen.data_ptr() != address or not seen.is_contiguous():
                return False
            if seen.shape != shape or seen.dtype != dtype:
                return False
        return True

    def __call__(self, x: int, output: int) -> int:
        """Run one step from the x at an address; returns the address of h."""
        fields = self._fields
        fields[_THREADS], fields[_X], fields[_OUTPUT] = torch.get_num_threads(), x, output
        if status := self._step(self._address):
            raise RuntimeError(f"gatewise_step: {_STATUS[status]}")
        return self._h


def multiply_add_rate(threads: int, seconds: float = 0.2, dtype: torch.dtype = torch.float32) -> float:
    """Fused multiply-adds from register to register, in GF/s: the ceiling of the machine.

    Raises:
        RuntimeError: the native library is not there.
    """
    loaded = library.loaded()
    rounds, best = 100_000, 0.0
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        done = loaded.gatewise_multiply_add(DTYPES[dtype], rounds, threads)
        best = max(best, done / (time.perf_counter() - begin) / 1e9)
    return best


def release() -> int:
    """Free the memory that the kernels keep for their next calls; returns how many bytes that were."""
    return 0 if library.load() is None else int(library.loaded().gatewise_release())
