"""Higher-order gradients: gradients that torch can differentiate again, computed by the reference engine."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gatewise.cells import Weights
from gatewise.engines import reference
from gatewise.engines.native.bindings import Call


def differentiable_gradients(
    call: Call, keep: bool, tensors: Sequence[Tensor | None], grads: Sequence[Tensor | None]
) -> tuple[Tensor | None, ...]:
    """Gradients of the tensors that require one, from the gradients at the results of `bindings.forward`."""
    differentiable = torch.is_grad_enabled()
    with torch.enable_grad():
        # Aliases, because one of these tensors may be computed from another; no gradient must flow between them.
        aliases = [
            tensor if tensor is None or not tensor.requires_grad else tensor.view_as(tensor) for tensor in tensors
        ]
        values = _composite(call, keep, aliases)
    used = [(value, grad) for value, grad in zip(values, grads, strict=True) if value is not None and grad is not None]
    inputs = [alias for alias in aliases if alias is not None and alias.requires_grad]
    outputs, weights = [value for value, _ in used], [grad for _, grad in used]
    results = iter(torch.autograd.grad(outputs, inputs, weights, create_graph=differentiable, allow_unused=True))
    return tuple(next(results) if alias is not None and alias.requires_grad else None for alias in aliases)


def _composite(call: Call, keep: bool, tensors: list[Any]) -> tuple[Tensor | None, ...]:
    """The results of `bindings.forward`, computed by the reference engine."""
    x, h0, c0, *weights = tensors
    names = ("gates", "cells") if keep else ()
    cell, has_c = call.kind.cell, call.kind.has_c
    state = None if h0 is None else cell.state(h0, c0) if has_c else cell.state(h0)
    padded = x if call.batch_sizes is None else pad_packed_sequence(PackedSequence(x, call.batch_sizes))[0]
    scan = reference.scan(
        cell, padded, state, Weights(*weights), lengths=call.lengths, reverse=call.reverse, keep=names
    )
    packed = (
        None if call.lengths is None or call.batch_sizes is None else pack_padded_sequence(scan.output, call.lengths)
    )
    output = scan.output if packed is None else packed.data
    gates = None
    if scan.gates is not None and call.kind.planes:
        planes = list(scan.gates.values())
        planes += [torch.zeros_like(planes[0])] * (call.kind.planes - len(planes))  # a GRU's fourth plane is never read
        gates = torch.stack(planes, 2)
    return output, scan.state.h, scan.state.c if has_c else None, gates, scan.cells
