"""The kernels as an `autograd.Function`: a scan with gradients."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gatewise.engines.native import bindings
from gatewise.engines.native.bindings import Call, Results
from gatewise.engines.native.higher_order import differentiable_gradients


class NativeScan(torch.autograd.Function):
    """One scan with gradients."""

    @staticmethod
    def forward(ctx: Any, call: Call, keep: bool, *tensors: Tensor | None) -> Results:
        """Run forward and save the tensors that backward needs."""
        output, h, c, gates, states = bindings.forward(call, True, tensors, internal=not keep)
        ctx.call, ctx.keep = call, keep
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors, output, gates, states)
        return output, h, c, gates if keep else None, states if keep else None

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        """Gradients of the tensors; by the reference engine if torch differentiates or vectorises them."""
        *tensors, output, gates, states = ctx.saved_tensors
        if torch.is_grad_enabled() or not all(grad is None or torch._C._has_storage(grad) for grad in grads):
            return None, None, *differentiable_gradients(ctx.call, ctx.keep, tensors, grads)
        needed = ctx.needs_input_grad[2:]
        results = bindings.backward(ctx.call, tuple(tensors), output, gates, states, grads, needed[0], any(needed[3:]))
        return None, None, *[grad if need else None for grad, need in zip(results, needed, strict=True)]


# torch's `apply` without its search for tensors that outlive a transform: the caller has unwrapped them already.
apply: Callable[..., Results] = super(torch.autograd.Function, NativeScan).apply
