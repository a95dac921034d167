"""Calls into the native library: tensors in, tensors out.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `P` size of h (`H`, or the projection size), `S`
planes of activations that the backward pass needs. The library takes a `struct gatewise_scan` of `native/gatewise.h`:
44 integers, most of them addresses. The caller keeps the tensors alive until the call returns.

The Python overhead of a call matters at small sizes: reading an attribute of a tensor takes about 0.1 us, creating a
tensor about 1 us. So the code reads tensors in few places, and an initial state of zeros is an address, not a tensor.
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
from gatewise.threads import fixed_order, native_threads


class Kind(NamedTuple):
    """A cell that the kernels support."""

    cell: Cell
    code: int
    planes: int  # S
    has_c: bool


# Keyed by step function, not by name: a cell with a changed equation is a different cell.
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
    1: "the kernels do not support this cell",
    2: "the dtype is neither float32 nor float64",
    3: "a size is negative or too large",
    4: "a length lies outside 0..T, or packed sequences are not sorted longest first",
    5: "a tensor is missing",
    _NO_MEMORY: "there is not enough memory for the workspace; use a smaller batch",
    7: "the system provides fewer threads than requested; use torch.set_num_threads(1), or jobs=1 for a forecaster",
}
_FIELDS = struct.Struct("=44q")  # struct gatewise_scan
_FORWARD = struct.Struct("=28q128x")  # with zeros for the fields of the backward pass


class Call(NamedTuple):
    """The description of a scan, without its tensors."""

    kind: Kind
    sizes: Sizes
    rows: tuple[int, ...]  # (T, B), or (N,) for packed sequences
    reverse: bool = False
    lengths: Tensor | None = None  # (B,) int64, contiguous, on the CPU
    batch_sizes: Tensor | None = None  # (T,) int64, for packed sequences; `lengths` then follow from it
    offsets: Tensor | None = None  # (T,) int64, for packed sequences: the first row of each step


Tensors = tuple[Tensor | None, ...]  # x, h0, c0 and the Weights, in this order; h0 and c0 None mean zeros
Results = tuple[Tensor, Tensor, Tensor | None, Tensor | None, Tensor | None]  # output, h, c, gates, cells


def packed_call(kind: Kind, sizes: Sizes, reverse: bool, rows: int, batch_sizes: Tensor) -> Call:
    """The call for packed sequences with `rows` rows in all; T is read from `batch_sizes`, not from `sizes`.

    Raises:
        RuntimeError: `batch_sizes` does not decrease from the number of sequences, or does not sum to `rows`.
    """
    counts, sequences = batch_sizes.to("cpu", torch.int64).contiguous(), sizes.B
    T = counts.shape[0]
    lengths, offsets = counts.new_empty(sequences), torch.empty_like(counts)
    read = loader.loaded().gatewise_read_batch_sizes
    if read(counts.data_ptr(), T, sequences, rows, lengths.data_ptr(), offsets.data_ptr()):
        raise RuntimeError(
            f"the batch_sizes of the packed sequences sum to {int(counts.sum())}, and the data has {rows} rows for "
            f"{sequences} sequences; expected batch_sizes that start at {sequences}, never increase, stay at 1 or more "
            "and sum to the number of rows, as pack_padded_sequence returns them"
        )
    return Call(kind, sizes._replace(T=T), (rows,), reverse, lengths, counts, offsets)


def forward(call: Call, keep: bool, tensors: Tensors, internal: bool = False) -> Results:
    """Run the kernels forward; with `keep`, return gates and cell states too.

    Gates and cell states are zero after each sequence's end, unless `internal`: the kernels' backward pass does not
    read them there.
    """
    (T, B, _, H, P), kind, rows = call.sizes, call.kind, call.rows
    fields, dense = _inputs(call, tensors)  # the dense tensors must live until the kernels are done
    x = dense[0]
    output, h = x.new_empty(*rows, P), x.new_empty(B, P)
    c = x.new_empty(B, H) if kind.has_c else None
    gates = states = None
    if keep and kind.planes:
        empty = partial(lent, x) if internal else x.new_empty if call.lengths is None else x.new_zeros
        gates = empty(*rows, kind.planes, H)
        states = None if c is None else empty(*rows, H)
    fields += output.data_ptr(), B * P, P, *_addresses(h, c, gates, states)
    # For few rows, the kernel for one step is faster, because the other kernel packs the weights first.
    one_step = T == 1 and B <= _FEW_ROWS and not keep and call.lengths is None
    _run("gatewise_step" if one_step else "gatewise_forward", _FORWARD.pack(*fields))
    return output, h, c, gates, states


_FEW_ROWS = 4


def backward(
    call: Call,
    tensors: Tensors,
    output: Tensor,
    gates: Tensor | None,
    states: Tensor | None,
    grads: Tensors,
    need_x: bool,
    need_weights: bool,
) -> Tensors:
    """Gradients of the tensors that need one, from the gradients `grads` at output, h, c, gates and cells."""
    _check_saved(call, (*tensors, output, gates, states), grads)
    # Dense copies are bound to names, because they must live until the kernels are done.
    fields, dense = _inputs(call, tensors)
    x, weights = dense[0], dense[3:8]
    output, gates, states = (
        _dense(output),
        *[None if plane is None else _contiguous(plane) for plane in (gates, states)],
    )
    grad_output = None if grads[0] is None else _dense(grads[0])
    other_grads = [None if grad is None else _contiguous(grad) for grad in grads[1:]]
    grad_x = x.new_empty(x.shape) if need_x else None
    grad_weights = [None if weight is None or not need_weights else torch.empty_like(weight) for weight in weights]
    (_, B, _, H, P), has_c = call.sizes, call.kind.has_c
    grad_h0 = None if tensors[1] is None else x.new_empty(B, P)
    grad_c0 = x.new_empty(B, H) if has_c else None  # the kernels need it as workspace
    fields += _sequence(output)
    fields += _addresses(None, None, gates, states)
    fields += (0, 0, 0) if grad_output is None else _sequence(grad_output)
    fields += _addresses(*other_grads, grad_x, *grad_weights, grad_h0, grad_c0)
    fields.append(fixed_order())
    _run("gatewise_backward", _FIELDS.pack(*fields))
    return grad_x, grad_h0, grad_c0, *grad_weights


@functools.cache
def _memory(size: int) -> type[Any]:
    """A type for `size` bytes lent by the library, which gives them back when the last tensor on them is deleted."""

    class Lent(ctypes.c_char * size):  # type: ignore[misc]  # the base type depends on size
        def __del__(self) -> None:
            loader.loaded().gatewise_give_back(ctypes.addressof(self))

    return Lent


def lent(like: Tensor, *shape: int) -> Tensor:
    """An uninitialised tensor in the dtype of `like`.

    A large tensor uses memory lent by the library, because the system clears newly allocated memory first.
    """
    dtype = like.dtype
    size = math.prod(shape) * dtype.itemsize
    if size < _LARGE:
        return like.new_empty(*shape)
    size = -(-size // _LARGE) * _LARGE  # rounded up, because each size has its own type
    address = loader.loaded().gatewise_lend(size)
    if not address:
        raise MemoryError(f"cannot allocate {size} bytes for the backward pass; use a smaller batch")
    memory = _memory(size).from_address(address)
    return torch.frombuffer(memory, dtype=dtype, count=math.prod(shape)).view(shape)


_LARGE = 1 << 22  # bytes; below this size the system's allocator reuses memory itself


def _inputs(call: Call, tensors: Tensors) -> tuple[list[int], list[Any]]:
    """The fields up to the initial state, and the tensors that the kernels read, which must live until they are done.

    The features of x are adjacent in memory; the other tensors are contiguous.
    """
    x, addresses = _dense(tensors[0]), []
    dense: list[Any] = [x]
    for tensor in tensors[1:]:
        if tensor is not None and (not tensor.is_contiguous() or tensor.is_neg()):
            tensor = _contiguous(tensor)
        dense.append(tensor)
        address = 0 if tensor is None else tensor.data_ptr()
        if not address and tensor is not None and tensor.numel():
            raise RuntimeError(f"a tensor of shape {tuple(tensor.shape)} has no memory; was its storage freed?")
        addresses.append(address)
    h0, c0, *weights = addresses
    if tensors[1] is None:
        h0 = c0 = _ZEROS_ADDRESS
        (_, B, _, H, P) = call.sizes
        if B * max(H, P) * x.dtype.itemsize > len(_ZEROS):
            dense.append(x.new_zeros(B, max(H, P)))
            h0 = c0 = dense[-1].data_ptr()
    lengths = 0 if call.lengths is None else call.lengths.data_ptr()
    offsets = 0 if call.offsets is None else call.offsets.data_ptr()
    head = (call.kind.code, DTYPES[x.dtype], native_threads(), call.reverse)
    return [*head, *call.sizes, *_sequence(x), lengths, offsets, *weights, h0, c0], dense


# The initial state of zeros, up to this size. Calls only read it, and user code cannot reach it,
# because it is not a tensor.
_ZEROS = (ctypes.c_char * (1 << 15))()
_ZEROS_ADDRESS = ctypes.addressof(_ZEROS)


_SAVED = ("x", "h0", "c0", *Weights._fields, "output", "gates", "cells")
_NAMES = _SAVED + tuple(f"the gradient of {name}" for name in ("output", "h", "c", "gates", "cells"))


def _check_saved(call: Call, saved: tuple[Tensor | None, ...], grads: Tensors) -> None:
    """Check the tensors saved by forward, and the gradients, for presence, shape, dtype and device.

    Hooks on saved tensors may have changed them, and the operator can be called with any tensors.
    """
    (_, B, I, H, P), kind, rows = call.sizes, call.kind, call.rows
    G, c = len(kind.cell.gates) * H, (B, H) if kind.has_c else None
    output, plane = (*rows, P), (*rows, H) if kind.has_c else None
    planes = (*rows, kind.planes, H) if kind.planes else None
    inputs = ((*rows, I), (B, P), c, (G, I), (G, P), (G,), (G,), (P, H))
    # The kernels ignore a tensor whose shape here is None.
    shapes = (*inputs, output, planes, plane, output, (B, P), c, planes, plane)
    dtype = next(tensor for tensor in (*grads, *saved) if tensor is not None).dtype
    for position, (tensor, shape) in enumerate(zip((*saved, *grads), shapes, strict=True)):
        if tensor is None:
            fits = shape is None or position not in _REQUIRED
        else:
            fits = shape is None or (tensor.shape == shape and tensor.dtype == dtype and tensor.is_cpu)
        if not fits:
            actual = "missing" if tensor is None else f"{tensor.dtype} {tuple(tensor.shape)} on {tensor.device}"
            suffix = " saved for backward" if position < len(saved) else ""
            raise RuntimeError(f"{_NAMES[position]}{suffix} is {actual}, expected {dtype} {shape} on cpu")


_REQUIRED = (0, 3, 4, 8, 9, 10)  # x, the two weights, output, gates and cells


def _dense(x: Any) -> Tensor:
    dense: Tensor = x if x.shape[-1] <= 1 or x.stride()[-1] == 1 else x.contiguous()
    return dense.resolve_neg() if dense.is_neg() else dense


def _contiguous(x: Tensor) -> Tensor:
    dense = x if x.is_contiguous() else x.contiguous()
    return dense.resolve_neg() if dense.is_neg() else dense


def _addresses(*tensors: Tensor | None) -> list[int]:
    return [0 if tensor is None else tensor.data_ptr() for tensor in tensors]


def _sequence(x: Tensor) -> tuple[int, ...]:
    """The address of a sequence and its strides in time and batch; packed sequences have one stride, between rows."""
    strides = x.stride()
    return (x.data_ptr(), strides[0], strides[1]) if len(strides) == 3 else (x.data_ptr(), 0, strides[0])


def _run(function: str, scan: bytes) -> None:
    status = getattr(loader.loaded(), function)(scan)
    if status == _NO_MEMORY:
        raise MemoryError(_STATUS[status])
    if status:
        raise RuntimeError(f"{function}: {_STATUS[status]}")


_THREADS, _X, _OUTPUT = 2, 9, 21  # positions of these fields


class Stepper:
    """One layer, run step by step on fixed memory, so that a call has almost no overhead."""

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
        self._weights = [  # with bound methods, because `holds` calls them at every step
            (name, weight, weight.data_ptr, weight.data_ptr(), weight.is_contiguous, weight.shape)
            for name, weight in zip(names, weights, strict=True)
            if weight is not None
        ]
        c = state[1] if KINDS[cell.step].has_c else None
        fields, _ = _inputs(Call(KINDS[cell.step], sizes, sizes[:2]), (x, state[0], c, *weights))
        fields += [0, 0, self.width, *_addresses(state[0], c, None, None), *[0] * 16]
        self._fields = (ctypes.c_int64 * len(fields))(*fields)
        self._address, self._h = ctypes.addressof(self._fields), int(state[0].data_ptr())
        self._step: Callable[[int], int] = loader.loaded().gatewise_step

    def holds(self) -> bool:
        """Whether the weights are still the same tensors with the same address, shape, dtype and contiguous layout."""
        parameters, dtype = self._parameters, self.dtype
        for name, weight, data_ptr, address, is_contiguous, shape in self._weights:
            if parameters.get(name) is not weight or data_ptr() != address or not is_contiguous():
                return False
            if weight.shape != shape or weight.dtype != dtype:
                return False
        return True

    def __call__(self, x: int, output: int) -> int:
        """Run one step on the x at an address; write the output to an address (0 for none); return the address of h."""
        fields = self._fields
        fields[_THREADS], fields[_X], fields[_OUTPUT] = native_threads(), x, output
        if status := self._step(self._address):
            raise RuntimeError(f"gatewise_step: {_STATUS[status]}")
        return self._h


def multiply_add_rate(threads: int, seconds: float = 0.2, dtype: torch.dtype = torch.float32) -> float:
    """Peak rate of fused multiply-adds between registers, in GF/s.

    Raises:
        RuntimeError: the native library is not available.
    """
    loaded = loader.loaded()
    rounds, best = 100_000, 0.0
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        operations = loaded.gatewise_multiply_add(DTYPES[dtype], rounds, threads)
        best = max(best, operations / (time.perf_counter() - begin) / 1e9)
    return best


def release() -> int:
    """Free the memory that the kernels hold for later calls; return the number of bytes."""
    return 0 if loader.load() is None else int(loader.loaded().gatewise_release())
