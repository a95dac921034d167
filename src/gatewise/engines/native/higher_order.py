"""Gradients of a scan that can be differentiated in turn: computed by the reference engine instead of the kernels."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gatewise.cells import Weights
from gatewise.engines import reference
from gatewise.engines.native.bindings import Call


def differentiable_gradients(
    call: Call, kept: bool, tensors: Sequence[Tensor | None], grads: Sequence[Tensor | None]
) -> tuple[Tensor | None, ...]:
    """The gradients of every tensor that has one, from those at what `bindings.forward` returns."""
    differentiable = torch.is_grad_enabled()
    with torch.enable_grad():
        # Under another name each, so that where one was made from another its gradient does not go on to that one.
        aliases = [one if one is None or not one.requires_grad else one.view_as(one) for one in tensors]
        values = _composite(call, kept, aliases)
    used = [(value, grad) for value, grad in zip(values, grads, strict=True) if value is not None and grad is not None]
    wanted = [one for one in aliases if one is not None and one.requires_grad]
    outputs, weights = [value for value, _ in used], [grad for _, grad in used]
    found = iter(torch.autograd.grad(outputs, wanted, weights, create_graph=differentiable, allow_unused=True))
    return tuple(next(found) if one is not None and one.requires_grad else None for one in aliases)


def _composite(call: Call, kept: bool, tensors: list[Any]) -> tuple[Tensor | None, ...]:
    """What `bindings.forward` returns, computed by the reference engine."""
    x, h0, c0, *weights = tensors
    cell, has_c = call.kind.cell, call.kind.has_c
    state = None if h0 is None else cell.state(h0, c0) if has_c else cell.state(h0)
    padded = x if call.batch_sizes is None else pad_packed_sequence(PackedSequence(x, call.batch_sizes))[0]
    keep = ("gates", "cells") if kept else ()
    run = reference.scan(cell, padded, state, Weights(*weights), lengths=call.lengths, reverse=call.reverse, keep=keep)
    packed = (
        None if call.lengths is None or call.batch_sizes is None else pack_padded_sequence(run.output, call.lengths)
    )
    output = run.output if packed is None else packed.data
    gates = None
    if run.gates is not None and call.kind.planes:
        planes = list(run.gates.values())
        planes += [torch.zeros_like(planes[0])] * (call.kind.planes - len(planes))  # nobody sees a GRU's fourth
        gates = torch.stack(planes, 2)
    return output, run.state.h, run.state.c if has_c else None, gates, run.cells
