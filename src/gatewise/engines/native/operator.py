"""The kernels as torch operators, `torch.ops.gatewise.scan` and `scan_backward`.

torch.compile and torch.export can trace Python, but not a call to an address. In their graphs a scan is one of these
operators, which declare the shapes of their results and their gradients.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from gatewise.cells import Weights
from gatewise.engines.contract import check, zeros
from gatewise.engines.native import bindings
from gatewise.engines.native.bindings import KINDS, Call, Kind, Results, Tensors, packed_call
from gatewise.engines.native.higher_order import differentiable_gradients

_OPERATORS = torch.library.Library("gatewise", "DEF")  # type: ignore[no-untyped-call]  # untyped in torch, like the calls below
_TENSORS = """Tensor x, Tensor h0, Tensor? c0, Tensor weight_ih, Tensor weight_hh, Tensor? bias_ih, Tensor? bias_hh,
    Tensor? weight_hr"""
_OPTIONS = "Tensor? lengths, Tensor? batch_sizes, int cell, bool reverse"
_OPERATORS.define(f"scan({_TENSORS}, {_OPTIONS}, bool kept) -> (Tensor, Tensor, Tensor, Tensor, Tensor)")  # type: ignore[no-untyped-call]
_OPERATORS.define(  # type: ignore[no-untyped-call]
    f"scan_backward({_TENSORS}, {_OPTIONS}, Tensor output, Tensor gates, Tensor cells, Tensor? grad_output, "
    "Tensor? grad_h, Tensor? grad_c, Tensor? grad_gates, Tensor? grad_cells, bool x_wanted, bool weights_wanted) "
    "-> Tensor[]"
)
_TENSOR_COUNT = 8  # tensors before lengths


def scan(call: Call, keep: bool, tensors: Tensors) -> Results:
    """`bindings.forward` through the operator; gates and cell states are always zero after each sequence's end."""
    x, h0, c0, *weights = tensors
    if h0 is None:
        h0, c0 = (*zeros(call.kind.cell, x, call.sizes), None)[:2]  # type: ignore[arg-type]  # x is never None
    options = (call.lengths, call.batch_sizes, call.kind.code, call.reverse)
    output, h, c, gates, states = torch.ops.gatewise.scan(x, h0, c0, *weights, *options, keep)
    planes, has_c = keep and call.kind.planes, call.kind.has_c
    return output, h, c if has_c else None, gates if planes else None, states if planes and has_c else None


def _kind_of(code: int) -> Kind:
    for kind in KINDS.values():
        if kind.code == code:
            return kind
    raise RuntimeError(f"cell is {code}, expected one of {[kind.code for kind in KINDS.values()]}")


def _call_of(tensors: Sequence[Any], options: Sequence[Any]) -> Call:
    """The call, after a check of the shapes."""
    x, h0, c0, *weights = tensors
    lengths, batch_sizes, code, reverse = options
    kind = _kind_of(code)
    steps = x if batch_sizes is None else x[: h0.shape[0]].unsqueeze(0)
    checked_lengths = None if batch_sizes is not None else lengths
    sizes = check(kind.cell, steps, (h0, c0) if kind.has_c else (h0,), Weights(*weights), checked_lengths)
    if batch_sizes is not None:
        return packed_call(kind, sizes, reverse, x.shape[0], batch_sizes)
    return Call(kind, sizes, sizes[:2], reverse, None if lengths is None else lengths.contiguous())


def _present(x: Tensor, *tensors: Tensor | None) -> tuple[Tensor, ...]:
    """Results without None, because an operator returns tensors only: an empty tensor stands for None."""
    return tuple(x.new_empty(0) if tensor is None else tensor for tensor in tensors)


def _checked(tensors: tuple[Any, ...], options: tuple[Any, ...]) -> Call:
    """The call, after a check of all arguments, because an operator can be called directly with any arguments."""
    x, _, c0, *weights = tensors
    lengths, _, code, _ = options
    kind = _kind_of(code)
    _refuse_forward_mode()
    if (c0 is None) == kind.has_c:
        problem = "missing, expected a tensor" if c0 is None else "given, expected none"
        raise RuntimeError(f"c0 is {problem} for {kind.cell.name!r}")
    if weights[4] is not None and not kind.has_c:
        raise RuntimeError(f"weight_hr is given, expected none for {kind.cell.name!r}")
    if lengths is not None and lengths.dtype != torch.int64:
        raise RuntimeError(f"lengths is {lengths.dtype}, expected torch.int64")
    call = _call_of(tensors, options)
    for tensor in tensors:  # under autocast, check accepts mixed dtypes
        if tensor is not None and tensor.dtype != x.dtype:
            raise RuntimeError(
                f"x is {x.dtype} and another tensor is {tensor.dtype}, expected the same dtype for all; convert with "
                ".to()"
            )
    if x.dtype not in bindings.DTYPES:
        raise RuntimeError(f"x is {x.dtype}, expected torch.float32 or torch.float64")
    return call


def _refuse_forward_mode() -> None:
    if forward_ad._current_level >= 0:
        raise RuntimeError("the kernels do not support forward-mode differentiation; use engine='reference'")


def _operator(*arguments: Any) -> tuple[Tensor, ...]:
    tensors, options, keep = arguments[:_TENSOR_COUNT], arguments[_TENSOR_COUNT:-1], arguments[-1]
    return _present(tensors[0], *bindings.forward(_checked(tensors, options), keep, tensors))


def _operator_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    _refuse_forward_mode()
    (x, h0, c0, weight_ih, *_), options, keep = arguments[:_TENSOR_COUNT], arguments[_TENSOR_COUNT:-1], arguments[-1]
    kind = _kind_of(options[2])
    rows, H = x.shape[:-1], weight_ih.shape[0] // len(kind.cell.gates)
    gates = x.new_empty(*rows, kind.planes, H) if keep and kind.planes else None
    states = x.new_empty(*rows, H) if keep and kind.has_c else None
    h, c = h0.new_empty(h0.shape), None if c0 is None else c0.new_empty(c0.shape)
    return _present(x, x.new_empty(*rows, h0.shape[1]), h, c, gates, states)


def _operator_backward(*arguments: Any) -> list[Tensor]:
    tensors, options, (output, gates, states, *rest) = (
        arguments[:_TENSOR_COUNT],
        arguments[_TENSOR_COUNT : _TENSOR_COUNT + 4],
        arguments[-10:],
    )
    *grads, need_x, need_weights = rest
    call = _checked(tensors, options)
    results = bindings.backward(call, tensors, output, gates, states, tuple(grads), need_x, need_weights)
    return list(_present(tensors[0], *results))


def _operator_backward_shapes(*arguments: Any) -> list[Tensor]:
    (x, h0, c0, *weights), (need_x, need_weights) = arguments[:_TENSOR_COUNT], arguments[-2:]
    with_grad = [x if need_x else None, h0, c0, *[weight if need_weights else None for weight in weights]]
    return [x.new_empty(0) if tensor is None else tensor.new_empty(tensor.shape) for tensor in with_grad]


def _operator_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    ctx.options, ctx.keep = inputs[_TENSOR_COUNT + 2 : -1], inputs[-1]
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*inputs[: _TENSOR_COUNT + 2], output[0], output[3], output[4])


def _operator_gradients(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
    *inputs, output, gates, states = ctx.saved_tensors
    tensors, needed = inputs[:_TENSOR_COUNT], ctx.needs_input_grad[:_TENSOR_COUNT]
    options = (*inputs[_TENSOR_COUNT:], *ctx.options)
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():
        results = differentiable_gradients(_call_of(tensors, options), ctx.keep, tensors, grads)
    else:
        flags = (needed[0], any(needed[3:]))
        results = torch.ops.gatewise.scan_backward(*tensors, *options, output, gates, states, *grads, *flags)
    return *[grad if need else None for grad, need in zip(results, needed, strict=True)], None, None, None, None, None


_OPERATORS.impl("scan", _operator, "CPU")  # type: ignore[no-untyped-call]
_OPERATORS.impl("scan_backward", _operator_backward, "CPU")  # type: ignore[no-untyped-call]
torch.library.register_fake("gatewise::scan", _operator_shapes, lib=_OPERATORS)
torch.library.register_fake("gatewise::scan_backward", _operator_backward_shapes, lib=_OPERATORS)
torch.library.register_autograd("gatewise::scan", _operator_gradients, setup_context=_operator_context, lib=_OPERATORS)
