"""Calls into the native library: tensors in, tensors out.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `P` size of h (`H`, or the projection size), `S`
planes of activations that the backward pass needs. What the library takes is `struct gatewise_scan` of
`native/gatewise.h`: 43 integers, most of them addresses. Whoever calls keeps the tensors alive until it returns.

What a call costs in Python counts at small sizes: each look at a tensor takes about 0.1 us, a new tensor about 1 us.
So every tensor is looked at in few places, and an initial state of zeros is an address and no tensor.
"""

import ctypes
import functools
import math
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gatewise import cells
from gatewise.cells import Cell, Weights
from gatewise.engines.contract import Sizes
from gatewise.engines.native import loader


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
    7: "the system gives fewer threads than torch.get_num_threads(); call torch.set_num_threads with fewer",
}
_FIELDS = struct.Struct("=43q")  # struct gatewise_scan
_FORWARD = struct.Struct("=28q120x")  # with zeros for what is for the backward pass only


class Call(NamedTuple):
    """What a scan is, but for its tensors."""

    kind: Kind
    sizes: Sizes
    rows: tuple[int, ...]  # (T, B), or of packed sequences (N,)
    reverse: bool = False
    lengths: Tensor | None = None  # (B,) int64, contiguous, on the CPU
    batch_sizes: Tensor | None = None  # (T,) int64, of packed sequences; then lengths are theirs
    offsets: Tensor | None = None  # (T,) int64, of packed sequences: where the rows of each step begin


Tensors = tuple[Tensor | None, ...]  # x, h0, c0 and the Weights, in this order; no h0 and no c0 are zeros
Results = tuple[Tensor, Tensor, Tensor | None, Tensor | None, Tensor | None]  # output, h, c, gates, cells


def packed_call(kind: Kind, sizes: Sizes, reverse: bool, rows: int, batch_sizes: Tensor) -> Call:
    """The call for packed sequences of so many rows; of the sizes, T is not looked at.

    Raises:
        RuntimeError: `batch_sizes` does not fall from the number of sequences, or does not add up to the rows of
            `data`.
    """
    on, sequences = batch_sizes.to("cpu", torch.int64).contiguous(), sizes.B
    T = on.shape[0]
    lengths, offsets = on.new_empty(sequences), torch.empty_like(on)
    read = loader.loaded().gatewise_read_batch_sizes
    if read(on.data_ptr(), T, sequences, rows, lengths.data_ptr(), offsets.data_ptr()):
        raise RuntimeError(
            f"the batch_sizes of the packed sequences add up to {int(on.sum())}, the data has {rows} rows of "
            f"{sequences} sequences; expected batch_sizes from {sequences} down to 1 or more that add up to the rows, "
            "as pack_padded_sequence makes them"
        )
    return Call(kind, sizes._replace(T=T), (rows,), reverse, lengths, on, offsets)


def forward(call: Call, kept: bool, tensors: Tensors, own: bool = False) -> Results:
    """Run the kernels forward. What is kept is zero after each sequence's end, unless it is for their `own` use."""
    (T, B, _, H, P), kind, rows = call.sizes, call.kind, call.rows
    fields, usable = _inputs(call, tensors)
    x = usable[0]
    output, h = x.new_empty(*rows, P), x.new_empty(B, P)
    c = x.new_empty(B, H) if kind.has_c else None
    gates = states = None
    if kept and kind.planes:
        empty = partial(lent, x) if own else x.new_empty if call.lengths is None else x.new_zeros
        gates = empty(*rows, kind.planes, H)
        states = None if c is None else empty(*rows, H)
    fields += output.data_ptr(), B * P, P, *_addresses(h, c, gates, states)
    # Up to a few rows the kernel for one step takes less time than packing the weights for the other.
    one_step = T == 1 and B <= _FEW and not kept and call.lengths is None
    _run("gatewise_step" if one_step else "gatewise_forward", _FORWARD.pack(*fields))
    return output, h, c, gates, states


_FEW = 4


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
    _check_kept(call, (*tensors, output, gates, states), grads)
    fields, usable = _inputs(call, tensors)  # the usable ones must live until the kernels are done
    x, weights = usable[0], usable[3:8]
    # In names of their own: what was made dense must live until the kernels are done.
    output, gates, states = _dense(output), *[None if one is None else _contiguous(one) for one in (gates, states)]
    at_output = None if grads[0] is None else _dense(grads[0])
    at_others = [None if one is None else _contiguous(one) for one in grads[1:]]
    grad_x = x.new_empty(x.shape) if x_wanted else None
    grad_weights = [None if one is None or not weights_wanted else torch.empty_like(one) for one in weights]
    (_, B, _, H, P), has_c = call.sizes, call.kind.has_c
    grad_h0 = None if tensors[1] is None else x.new_empty(B, P)
    grad_c0 = x.new_empty(B, H) if has_c else None  # needed on the way there
    fields += _sequence(output)
    fields += _addresses(None, None, gates, states)
    fields += (0, 0, 0) if at_output is None else _sequence(at_output)
    fields += _addresses(*at_others, grad_x, *grad_weights, grad_h0, grad_c0)
    _run("gatewise_backward", _FIELDS.pack(*fields))
    return grad_x, grad_h0, grad_c0, *grad_weights


@functools.cache
def _memory(size: int) -> type[Any]:
    """The type of so many bytes of lent memory, which goes back when the last tensor on it is gone."""

    class Lent(ctypes.c_char * size):  # type: ignore[misc]  # a type made on the spot
        def __del__(self) -> None:
            loader.loaded().gatewise_give_back(ctypes.addressof(self))

    return Lent


def lent(like: Tensor, *shape: int) -> Tensor:
    """An uninitialised tensor of a dtype; a large one in memory lent by the library, for the system clears fresh memory
    first."""
    dtype = like.dtype
    size = math.prod(shape) * dtype.itemsize
    if size < _LARGE:
        return like.new_empty(*shape)
    size = -(-size // _LARGE) * _LARGE  # few sizes, for each has a type of its own
    address = loader.loaded().gatewise_lend(size)
    if not address:
        raise MemoryError(f"there are no {size} bytes for what the backward pass needs; use a smaller batch")
    memory = _memory(size).from_address(address)
    return torch.frombuffer(memory, dtype=dtype, count=math.prod(shape)).view(shape)


_LARGE = 1 << 22  # bytes; below it the system's allocator reuses memory itself


def _inputs(call: Call, tensors: Tensors) -> tuple[list[int], list[Any]]:
    """The fields up to the initial state, and the tensors as the kernels read them, to be kept until they are done.

    x has its features side by side, the others are contiguous.
    """
    x, addresses = _dense(tensors[0]), []
    usable: list[Any] = [x]
    for one in tensors[1:]:
        if one is not None and (not one.is_contiguous() or one.is_neg()):
            one = _contiguous(one)
        usable.append(one)
        address = 0 if one is None else one.data_ptr()
        if not address and one is not None and one.numel():
            raise RuntimeError(f"a tensor of shape {tuple(one.shape)} has no memory; was its storage freed?")
        addresses.append(address)
    h0, c0, *weights = addresses
    if tensors[1] is None:
        h0 = c0 = _AT_ZEROS
        (_, B, _, H, P) = call.sizes
        if B * max(H, P) * x.dtype.itemsize > len(_ZEROS):
            usable.append(x.new_zeros(B, max(H, P)))
            h0 = c0 = usable[-1].data_ptr()
    lengths = 0 if call.lengths is None else call.lengths.data_ptr()
    offsets = 0 if call.offsets is None else call.offsets.data_ptr()
    head = (call.kind.code, DTYPES[x.dtype], torch.get_num_threads(), call.reverse)
    return [*head, *call.sizes, *_sequence(x), lengths, offsets, *weights, h0, c0], usable


# The initial state where none is given, up to this size: read by every call, written by none, and no tensor, so that
# it can come into nobody's hands.
_ZEROS = (ctypes.c_char * (1 << 15))()
_AT_ZEROS = ctypes.addressof(_ZEROS)


_SAVED = ("x", "h0", "c0", *Weights._fields, "output", "gates", "cells")
_NAMES = _SAVED + tuple(f"the gradient at {one}" for one in ("output", "h", "c", "gates", "cells"))


def _check_kept(call: Call, kept: tuple[Tensor | None, ...], grads: Tensors) -> None:
    """Raise unless what forward took and gave is as it was, and the gradients fit.

    Hooks on saved tensors may have had it in their hands, and anybody may call an operator with anything.
    """
    (_, B, I, H, P), kind, rows = call.sizes, call.kind, call.rows
    G, c = len(kind.cell.gates) * H, (B, H) if kind.has_c else None
    output, plane = (*rows, P), (*rows, H) if kind.has_c else None
    planes = (*rows, kind.planes, H) if kind.planes else None
    taken = ((*rows, I), (B, P), c, (G, I), (G, P), (G,), (G,), (P, H))
    # The kernels look at nothing of a shape that is None.
    shapes = (*taken, output, planes, plane, output, (B, P), c, planes, plane)
    dtype = next(one for one in (*grads, *kept) if one is not None).dtype
    for place, (one, shape) in enumerate(zip((*kept, *grads), shapes, strict=True)):
        if one is None:
            fits = shape is None or place not in _NEEDED
        else:
            fits = shape is None or (one.shape == shape and one.dtype == dtype and one.is_cpu)
        if not fits:
            came = "missing" if one is None else f"{one.dtype} {tuple(one.shape)} on {one.device}"
            saved = " saved for backward" if place < len(kept) else ""
            raise RuntimeError(f"{_NAMES[place]}{saved} is {came}, expected {dtype} {shape} on cpu")


_NEEDED = (0, 3, 4, 8, 9, 10)  # x, the two weights, output, gates and cells


def _dense(x: Any) -> Tensor:
    dense: Tensor = x if x.shape[-1] <= 1 or x.stride()[-1] == 1 else x.contiguous()
    return dense.resolve_neg() if dense.is_neg() else dense


def _contiguous(x: Tensor) -> Tensor:
    dense = x if x.is_contiguous() else x.contiguous()
    return dense.resolve_neg() if dense.is_neg() else dense


def _addresses(*tensors: Tensor | None) -> list[int]:
    return [0 if one is None else one.data_ptr() for one in tensors]


def _sequence(x: Tensor) -> tuple[int, ...]:
    """The address of a sequence and its strides in time and batch; packed sequences have one, from row to row."""
    strides = x.stride()
    return (x.data_ptr(), strides[0], strides[1]) if len(strides) == 3 else (x.data_ptr(), 0, strides[0])


def _run(function: str, scan: bytes) -> None:
    status = getattr(loader.loaded(), function)(scan)
    if status == _NO_MEMORY:
        raise MemoryError(_STATUS[status])
    if status:
        raise RuntimeError(f"{function}: {_STATUS[status]}")


_THREADS, _X, _OUTPUT = 2, 9, 21  # the places of these fields


class Stepper:
    """One layer run step by step on fixed memory: all that a call costs is the step itself."""

    def __init__(
        self,
        cell: Cell,
        sizes: Sizes,
        x: Tensor,
        state: Any,
        weights: Weights,
        parameters: Mapping[str, Tensor | None],
        names: Sequence[str],
    ) -> None:
        self.dtype, self.width = x.dtype, state[0].shape[1]
        self._parameters, self._state = parameters, state
        named = zip(names, weights, strict=True)
        self._seen = [  # with methods looked up once: this is read at every step
            (name, one, one.data_ptr, one.data_ptr(), one.is_contiguous, one.shape)
            for name, one in named
            if one is not None
        ]
        c = state[1] if KINDS[cell.step].has_c else None
        fields, _ = _inputs(Call(KINDS[cell.step], sizes, sizes[:2]), (x, state[0], c, *weights))
        fields += [0, 0, self.width, *_addresses(state[0], c, None, None), *[0] * 15]
        self._fields = (ctypes.c_int64 * len(fields))(*fields)
        self._address, self._h = ctypes.addressof(self._fields), int(state[0].data_ptr())
        self._step: Callable[[int], int] = loader.loaded().gatewise_step

    def holds(self) -> bool:
        """Whether the weights are the same tensors, lie where they did, and lie close together."""
        parameters, dtype = self._parameters, self.dtype
        for name, seen, data_ptr, address, is_contiguous, shape in self._seen:
            if parameters.get(name) is not seen or data_ptr() != address or not is_contiguous():
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
    loaded = loader.loaded()
    rounds, best = 100_000, 0.0
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        done = loaded.gatewise_multiply_add(DTYPES[dtype], rounds, threads)
        best = max(best, done / (time.perf_counter() - begin) / 1e9)
    return best


def release() -> int:
    """Free the memory that the kernels keep for their next calls; returns how many bytes that were."""
    return 0 if loader.load() is None else int(loader.loaded().gatewise_release())
