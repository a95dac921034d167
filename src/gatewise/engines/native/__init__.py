"""Gatewise's own kernels for CPUs: `native/` in C++, called through a plain C interface.

The kernels are called in three ways: directly if no gradient is needed, through an `autograd.Function` if one is, and
through a torch operator inside torch.compile and torch.export. Streams use a separate kernel for one step.

- Weights are read at every call and never cached, so that changed weights take effect.
- The same input and number of threads (`torch.get_num_threads()` at the call) give the same bits. The forward results
  of a sequence depend neither on that number nor on the other sequences of the batch; but a single step of up to four
  sequences is summed in another order than longer sequences. A forked child process uses one thread. Workers of
  `gatewise.parallel` may use more, and there the gradients do not depend on their number either.
- Denormal numbers count as zero inside the kernels.
- Under autocast the engine refuses, because it computes in the dtype of the weights. `auto` then selects torch's
  kernels, which compute in bfloat16 as torch.nn does.
- Higher-order and vectorised gradients are computed by the reference engine.

`loader.py`        finds and loads the native library
`bindings.py`      calls into the library: tensors in, tensors out
`autograd.py`      the kernels as an `autograd.Function`
`operator.py`      the kernels as a torch operator
`higher_order.py`  gradients that can be differentiated again
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter

from gatewise import cells
from gatewise.cells import Cell, Weights
from gatewise.engines.contract import Request, Scan, check
from gatewise.engines.native import bindings, loader, operator
from gatewise.engines.native.autograd import apply
from gatewise.engines.native.bindings import (
    DTYPES,
    KINDS,
    Call,
    Stepper,
    Tensors,
    multiply_add_rate,
    packed_call,
    release,
)

__all__ = ["Stepper", "multiply_add_rate", "name", "refuses", "release", "scan", "scan_packed", "stepper", "summary"]

name = "native"
summary = "Gatewise's own kernels"


def _change_summary_in_child() -> None:
    global summary
    summary = "Gatewise's own kernels, on one thread in a forked child"


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_change_summary_in_child)

_UNAVAILABLE = None if loader.load() is not None else loader.reason()  # why there are no kernels


def available() -> bool:
    """Whether the library is there."""
    return _UNAVAILABLE is None


def refuses(request: Request) -> str | None:
    """The reason why the kernels cannot serve the request, or None."""
    cell, x, weights = request.cell, request.x, request.weights
    if cell.step not in KINDS:
        step = getattr(cell.step, "__name__", repr(cell.step))  # a partial has no name
        return f"there is no kernel for the step {step!r} of the cell {cell.name!r}"
    if not x.is_cpu:
        return f"the kernels run only on the CPU, and x is on {x.device}"
    if x.dtype not in DTYPES:
        return f"the kernels support only float32 and float64, and x is {x.dtype}"
    if weights.weight_hr is not None and cell.step is not cells.lstm_step:
        return f"the kernels support a projection for the LSTM only, not for {cell.name!r}"
    if _UNAVAILABLE is not None:
        return _UNAVAILABLE
    if torch.is_autocast_enabled("cpu"):
        return "autocast is on, but the kernels compute in the dtype of the weights"
    if weights.weight_hh.numel() == 0:
        return f"the kernels need at least one unit, and weight_hh has shape {tuple(weights.weight_hh.shape)}"
    return None if torch.compiler.is_compiling() else _unsupported_transform()


def _unsupported_transform() -> str | None:
    """The reason why an active transform of torch rules the kernels out, or None."""
    if torch._C._get_tracing_state() is not None:
        return "torch.jit.trace cannot record the kernels"
    if torch._C._functorch.peek_interpreter_stack() is not None:
        return "the kernels do not support the transforms of torch.func"
    if forward_ad._current_level >= 0:
        return "the kernels do not support forward-mode differentiation"
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
    """Run one layer in one direction, as specified in `gatewise.engines.contract`."""
    sizes = check(cell, x, state, weights, lengths)
    if lengths is not None:
        # A copy, so that a later write to the lengths does not change the backward pass.
        lengths = lengths.to("cpu", torch.int64, copy=True).contiguous()
    return _scan(Call(KINDS[cell.step], sizes, (sizes.T, sizes.B), reverse, lengths), x, state, weights, keep)


def scan_packed(
    cell: Cell, data: Tensor, batch_sizes: Tensor, state: Any, weights: Weights, *, reverse: bool = False
) -> Scan:
    """Run one layer in one direction over packed sequences, as specified in `gatewise.engines.contract`."""
    sequences = int(batch_sizes[0]) if state is None else state[0].shape[0]
    sizes = check(cell, data[:sequences][None], state, weights)
    call = packed_call(KINDS[cell.step], sizes, reverse, data.shape[0], batch_sizes)
    return _scan(call, data, state, weights, ())


def _scan(call: Call, x: Tensor, state: Any, weights: Weights, keep: Collection[str]) -> Scan:
    """Call the kernels directly, through autograd, or through the operator."""
    cell, has_c = call.kind.cell, call.kind.has_c
    h0, c0 = (None, None) if state is None else (state[0], state[1] if has_c else None)
    # Tensors that outlive their torch.func transform are unwrapped.
    tensors: Tensors = tuple([tensor if tensor is None else _unwrap(tensor) for tensor in (x, h0, c0, *weights)])
    with_grad = torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)
    as_operator = torch.compiler.is_compiling() or torch._C._len_torch_dispatch_stack() > 0
    if as_operator or not _PLAIN.issuperset(map(type, tensors)):
        output, h, c, gates, states = operator.scan(call, with_grad or bool(keep), tensors)
    elif with_grad:
        output, h, c, gates, states = apply(call, bool(keep), *tensors)
    else:
        output, h, c, gates, states = bindings.forward(call, bool(keep), tensors)
    after = cell.state(h, c) if has_c else cell.state(h)
    if not keep:
        return Scan(output, after)
    return Scan(
        output,
        after,
        cells=states if "cells" in keep else None,
        gates=_gates_by_name(call, output, gates) if "gates" in keep else None,
    )


_unwrap: Callable[[Tensor], Tensor] = torch._C._functorch.unwrap_if_dead
_PLAIN = {Tensor, Parameter, type(None)}  # other types, such as fake tensors, may have no memory: torch handles them


def _gates_by_name(call: Call, output: Tensor, gates: Tensor | None) -> dict[str, Tensor]:
    if gates is None:
        return {"hidden": output}
    return dict(zip(call.kind.cell.gates, gates.unbind(-2), strict=False))  # a GRU saves one more plane


def stepper(
    cell: Cell,
    x: Tensor,
    state: Any,
    weights: Weights,
    parameters: Mapping[str, Tensor | None],
    names: Sequence[str],
) -> Stepper | None:
    """A `Stepper` for one layer; None for a large batch, where packing the weights is faster."""
    if x.shape[1] > _MAX_SEQUENCES:
        return None
    sizes = check(cell, x, state, weights)
    plain = all(weight is None or (weight.is_contiguous() and not weight.is_neg()) for weight in weights)
    return Stepper(cell, sizes, x, state, weights, parameters, names) if plain else None


_MAX_SEQUENCES = 16
