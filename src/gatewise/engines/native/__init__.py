"""Gatewise's own kernels for CPUs: `native/` in C++, called through a plain C interface.

Three doors lead to the same kernels: a plain call where no gradient is wanted, an `autograd.Function` where one is, and
an operator known to torch inside torch.compile and torch.export. Streams have a fourth, to a kernel for one step.

- Weights are read at every call: none are kept in a form of the kernels' own, so none can be out of date.
- Results are the same bits for the same input and number of threads, which is `torch.get_num_threads()` at the call.
  Forward, those of a sequence depend neither on that number nor on what else is in the batch; but a single step of up
  to four sequences adds up in another order than longer ones do. A forked child works on one thread.
- Numbers too small for full precision (denormals) count as zero inside the kernels.
- Under autocast the engine refuses: it computes in the dtype of the weights. `auto` then takes torch's kernels, which
  compute in bfloat16 as torch.nn does.
- Where gradients are to be differentiated in turn, or many are wanted at once, they come from the reference engine.
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


def _say_so_in_a_child() -> None:
    global summary
    summary = "Gatewise's own kernels, on one thread in a forked child"


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_say_so_in_a_child)

_MISSING = None if loader.load() is not None else loader.reason()  # why there are no kernels


def refuses(request: Request) -> str | None:
    """The reason why the kernels cannot serve the request, or None."""
    cell, x, weights = request.cell, request.x, request.weights
    if cell.step not in KINDS:
        step = getattr(cell.step, "__name__", repr(cell.step))  # a partial has no name
        return f"there is no kernel for the step {step!r} of the cell {cell.name!r}"
    if not x.is_cpu:
        return f"the kernels are for the CPU, and x is on {x.device}"
    if x.dtype not in DTYPES:
        return f"the kernels are for float32 and float64, and x is {x.dtype}"
    if weights.weight_hr is not None and cell.step is not cells.lstm_step:
        return f"the kernels have a projection for the LSTM only, not for {cell.name!r}"
    if _MISSING is not None:
        return _MISSING
    if torch.is_autocast_enabled("cpu"):
        return "autocast is on, and the kernels compute in the dtype of the weights"
    if weights.weight_hh.numel() == 0:
        return f"the kernels need one unit or more, and weight_hh has shape {tuple(weights.weight_hh.shape)}"
    return None if torch.compiler.is_compiling() else _looked_through()


def _looked_through() -> str | None:
    """What goes on in torch that would have to see into the kernels, or None."""
    if torch._C._get_tracing_state() is not None:
        return "torch.jit.trace cannot record the kernels"
    if torch._C._functorch.peek_interpreter_stack() is not None:
        return "the transforms of torch.func cannot see into the kernels"
    if forward_ad._current_level >= 0:
        return "the kernels have no forward-mode derivatives"
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
    """Run one layer in one direction, as the contract in `gatewise.engines` says."""
    sizes = check(cell, x, state, weights, lengths)
    if lengths is not None:
        # A copy: whoever writes to the lengths afterwards must not change the backward pass.
        lengths = lengths.to("cpu", torch.int64, copy=True).contiguous()
    return _scan(Call(KINDS[cell.step], sizes, (sizes.T, sizes.B), reverse, lengths), x, state, weights, keep)


def scan_packed(
    cell: Cell, data: Tensor, batch_sizes: Tensor, state: Any, weights: Weights, *, reverse: bool = False
) -> Scan:
    """Run one layer in one direction over packed sequences, as the contract in `gatewise.engines` says."""
    sequences = int(batch_sizes[0]) if state is None else state[0].shape[0]
    sizes = check(cell, data[:sequences][None], state, weights)
    call = packed_call(KINDS[cell.step], sizes, reverse, data.shape[0], batch_sizes)
    return _scan(call, data, state, weights, ())


def _scan(call: Call, x: Tensor, state: Any, weights: Weights, keep: Collection[str]) -> Scan:
    """Through one of the three doors."""
    cell, has_c = call.kind.cell, call.kind.has_c
    h0, c0 = (None, None) if state is None else (state[0], state[1] if has_c else None)
    # Tensors that have outlived the transform of torch.func they come from are read as what they stand for.
    tensors: Tensors = tuple([one if one is None else _unwrapped(one) for one in (x, h0, c0, *weights)])
    wanted = torch.is_grad_enabled() and any(one is not None and one.requires_grad for one in tensors)
    watched = torch.compiler.is_compiling() or torch._C._len_torch_dispatch_stack() > 0
    if watched or not _PLAIN.issuperset(map(type, tensors)):
        output, h, c, gates, states = operator.scan(call, wanted or bool(keep), tensors)
    elif wanted:
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


_unwrapped: Callable[[Tensor], Tensor] = torch._C._functorch.unwrap_if_dead
_PLAIN = {Tensor, Parameter, type(None)}  # others, those without memory among them, torch looks through


def _gates_by_name(call: Call, output: Tensor, gates: Tensor | None) -> dict[str, Tensor]:
    if gates is None:
        return {"hidden": output}
    return dict(zip(call.kind.cell.gates, gates.unbind(-2), strict=False))  # a GRU keeps one plane more


def stepper(
    cell: Cell,
    x: Tensor,
    state: Any,
    weights: Weights,
    parameters: Mapping[str, Tensor | None],
    names: Sequence[str],
) -> Stepper | None:
    """What runs one layer step by step; None for a batch so large that packing the weights pays."""
    if x.shape[1] > _MOST_SEQUENCES:
        return None
    sizes = check(cell, x, state, weights)
    plain = all(one is None or (one.is_contiguous() and not one.is_neg()) for one in weights)
    return Stepper(cell, sizes, x, state, weights, parameters, names) if plain else None


_MOST_SEQUENCES = 16
