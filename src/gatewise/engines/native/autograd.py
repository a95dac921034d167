"""The kernels as an `autograd.Function`: a scan with gradients."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gatewise.engines.native import bindings
from gatewise.engines.native.bindings import Call, Results
from gatewise.engines.native.higher_order import differentiable_gradients


class NativeScan(torch.autograd.Function):
    """One scan whose gradients are wanted."""

    @staticmethod
    def forward(ctx: Any, call: Call, kept: bool, *tensors: Tensor | None) -> Results:
        """Run forward and keep what backward needs."""
        output, h, c, gates, states = bindings.forward(call, True, tensors, own=not kept)
        ctx.call, ctx.kept = call, kept
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors, output, gates, states)
        return output, h, c, gates if kept else None, states if kept else None

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        """Gradients of the tensors; such as torch can differentiate, or vectorise, if it is about to."""
        *tensors, output, gates, states = ctx.saved_tensors
        if torch.is_grad_enabled() or not all(one is None or torch._C._has_storage(one) for one in grads):
            return None, None, *differentiable_gradients(ctx.call, ctx.kept, tensors, grads)
        wanted = ctx.needs_input_grad[2:]
        results = bindings.backward(ctx.call, tuple(tensors), output, gates, states, grads, wanted[0], any(wanted[3:]))
        return None, None, *[one if wish else None for one, wish in zip(results, wanted, strict=True)]


# torch's own `apply` less its look through the arguments for what outlived a transform, which `_scan` has done.
apply: Callable[..., Results] = super(torch.autograd.Function, NativeScan).apply
