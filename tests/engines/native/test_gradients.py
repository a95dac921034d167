"""Gradients of the native kernels: partial, repeated, higher-order, and after in-place changes."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gatewise import engines, nn
from gatewise.cells import Weights
from gatewise.engines.native import loader
from tests.engines.test_engines import KINDS, normal
from tests.native_scans import (
    CODES,
    GATES_AND_CELLS,
    Problem,
    assert_as_reference,
    layer_of,
    scanned,
    seeded,
    tensors_of,
    values_of,
)
from tests.tolerance import assert_close

pytestmark = pytest.mark.skipif(loader.load() is None, reason="the native library is not available")


LOSSES = [("output",), ("h",), ("c",), ("cells",), ("gates",), ("gates", "c"), ("output", "cells")]


@pytest.mark.parametrize("loss", LOSSES, ids=" ".join)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_some_results(kind, loss):
    keep = GATES_AND_CELLS if {"gates", "cells"} & set(loss) else ()
    P = 2 * (kind == "projected")
    assert_as_reference(Problem(kind, 5, 3, 2, 17, P=P, lengths=(2, 5, 0), keep=keep, loss=loss))


@pytest.mark.parametrize("names", [("x",), ("h",), ("c",), ("weight_hh",), ("bias_ih",), ("x", "weight_hr")])
@pytest.mark.parametrize("kind", ["gru", "projected", "relu"])
def test_gradients_of_some_tensors(kind, names):
    assert_as_reference(Problem(kind, 5, 3, 2, 17, P=2 * (kind == "projected"), with_gradients=names))


def test_no_gradient_is_tracked_if_none_is_required():
    problem = Problem("lstm", 5, 3, 2, 6)
    tensors = tensors_of(problem, torch.float64)
    assert not scanned(problem, tensors, "native").output.requires_grad
    tensors["weight_hh"].requires_grad_()
    assert all(tensor.requires_grad for tensor in (scanned(problem, tensors, "native").output, tensors["weight_hh"]))
    with torch.no_grad():
        assert not scanned(problem, tensors, "native").output.requires_grad


def test_infinite_gradients_do_not_spread_to_other_units():
    gradients = {}
    for engine in ("native", "reference"):
        layer = nn.RNN(1, 3, nonlinearity="identity", engine=engine, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            layer.weight_hh_l0.fill_(50.0)
            layer.weight_ih_l0.fill_(1.0)
        x = torch.ones(40, 2, 1, requires_grad=True)
        (gradients[engine],) = torch.autograd.grad(layer(x)[0].sum(), x)
    assert gradients["reference"].isinf().any()
    assert torch.equal(gradients["native"].isnan(), gradients["reference"].isnan())


# ---- finite differences -------------------------------------------------------------------------------------------


def through_function(problem: Problem) -> Callable[..., tuple[Tensor, ...]]:
    names = list(tensors_of(problem, torch.float64))

    def function(*tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(values_of(scanned(problem, dict(zip(names, tensors, strict=True)), "native")).values())

    return function


def through_operator(problem: Problem) -> Callable[..., tuple[Tensor, ...]]:
    """The operator; returns those of its tensors that are not empty and belong to the interface."""
    names = list(tensors_of(problem, torch.float64))
    lengths = None if problem.lengths is None else torch.tensor(problem.lengths)

    def function(*tensors: Tensor) -> tuple[Tensor, ...]:
        by_name = dict(zip(names, tensors, strict=True))
        arguments = [by_name.get(name) for name in ("x", "h", "c", *Weights._fields)]
        code, keep = CODES[problem.kind], bool(problem.keep)
        output, h, c, gates, states = torch.ops.gatewise.scan(*arguments, lengths, None, code, problem.reverse, keep)
        gates = gates[:, :, :3] if problem.kind == "gru" and keep else gates
        return tuple(tensor for tensor in (output, h, c, gates, states) if tensor.numel())

    return function


CALLS = {"function": through_function, "operator": through_operator}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("with_gates", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_first_and_second_derivatives_equal_finite_differences(kind, with_gates, call):
    P, keep = int(kind == "projected"), GATES_AND_CELLS if with_gates else ()
    if call == "operator" and not with_gates:
        pytest.skip("the operator has derivatives only if it saves gates and cell states")
    problem = Problem(kind, 3, 2, 1, 2, P=P, lengths=(3, 1), reverse=with_gates, keep=keep)
    leaves = [tensor.requires_grad_() for tensor in tensors_of(problem, torch.float64).values()]
    with torch.random.fork_rng():  # gradgradcheck draws directions
        assert torch.autograd.gradcheck(CALLS[call](problem), leaves)
        assert torch.autograd.gradgradcheck(CALLS[call](problem), leaves)


@pytest.mark.parametrize("options", [{"keep": GATES_AND_CELLS}, {"reverse": True}, {"packed": True}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_differentiable_gradients_equal_those_of_the_kernels(kind, options):
    problem = Problem(kind, 4, 3, 2, 5, P=2 * (kind == "projected"), lengths=(4, 2, 1), **options)
    leaves = {name: tensor.requires_grad_() for name, tensor in tensors_of(problem, torch.float64).items()}
    values = values_of(scanned(problem, leaves, "native")).values()
    total = sum((value * normal(*value.shape, seed=k)).sum() for k, value in enumerate(values))
    plain = torch.autograd.grad(total, list(leaves.values()), retain_graph=True)
    differentiable = torch.autograd.grad(total, list(leaves.values()), create_graph=True)
    for gradient, expected in zip(differentiable, plain, strict=True):
        assert_close(gradient, expected)
    assert any(gradient.requires_grad for gradient in differentiable)


def test_second_derivatives_of_packed_sequences_equal_finite_differences():
    problem = Problem("gru", 3, 3, 2, 3, lengths=(3, 2, 1), reverse=True, packed=True)
    leaves = [tensor.requires_grad_() for tensor in tensors_of(problem, torch.float64).values()]
    with torch.random.fork_rng():
        assert torch.autograd.gradgradcheck(through_function(problem), leaves)


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives_of_two_scans_in_sequence(kind):
    """The state of the second scan also depends on the weights; their gradient must not be counted twice."""
    cls, options = KINDS[kind]
    layer, results = cls(3, 5, dtype=torch.float64, generator=seeded(), **options), []
    for engine in ("native", "reference"):
        x = normal(4, 2, 3, seed=1).requires_grad_()
        with engines.use_engine(engine):
            first, state = layer(x[:2])
            second, _ = layer(x[2:], state)
            total = (first * first).sum() + (second * second).sum()
            gradients = torch.autograd.grad(total, [x, *layer.parameters()], create_graph=True)
            total = sum((gradient * gradient).sum() for gradient in gradients)
            again = torch.autograd.grad(total, [x, *layer.parameters()])
        results.append([*gradients, *again])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected)


def test_vectorised_gradients_equal_single_gradients():
    problem = Problem("gru", 3, 2, 2, 4, lengths=(3, 1))
    tensors = tensors_of(problem, torch.float64)
    output = scanned(problem, {**tensors, "x": tensors["x"].requires_grad_()}, "native").output
    directions = normal(3, *output.shape, seed=7)
    (together,) = torch.autograd.grad(output, tensors["x"], directions, is_grads_batched=True, retain_graph=True)
    for gradient, direction in zip(together, directions, strict=True):
        assert_close(gradient, torch.autograd.grad(output, tensors["x"], direction, retain_graph=True)[0])


# ---- tensors saved for backward -----------------------------------------------------------------------------------


def test_overwriting_saved_tensors_is_an_error():
    for name in ("x", "h", "weight_hh", "output"):
        problem = Problem("gru", 4, 2, 3, 6)
        tensors = {name: tensor.requires_grad_() for name, tensor in tensors_of(problem, torch.float64).items()}
        output = scanned(problem, tensors, "native").output
        with torch.no_grad():
            (output if name == "output" else tensors[name]).add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            output.sum().backward()


def test_overwriting_lengths_before_backward_does_not_silently_change_gradients():
    layer, x, lengths = layer_of("gru", engine="native"), normal(5, 2, 3, seed=1).requires_grad_(), torch.tensor([2, 5])
    output, _ = layer(x, lengths=lengths)
    (expected,) = torch.autograd.grad(output.sum(), x, retain_graph=True)
    lengths.fill_(5)
    try:
        (gradient,) = torch.autograd.grad(output.sum(), x)
    except RuntimeError as caught:
        assert "modified by an inplace operation" in str(caught)  # noqa: PT017 - both outcomes are correct
    else:
        assert torch.equal(gradient, expected)


def test_backward_twice():
    layer, x = layer_of("lstm", engine="native"), normal(4, 2, 3, seed=1)
    output, _ = layer(x)
    first = torch.autograd.grad(output.sum(), list(layer.parameters()), retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(output.sum(), list(layer.parameters()))))
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        output.sum().backward()


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_hooks_may_change_the_strides_of_saved_tensors(kind):
    generator = torch.Generator().manual_seed(0)
    layer = (nn.LSTM if kind == "lstm" else nn.GRU)(3, 5, dtype=torch.float64, generator=generator)
    x = normal(6, 4, 3, seed=0)
    expected = torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))

    def with_other_strides(tensor):
        return tensor.transpose(0, -1).contiguous().transpose(0, -1) if tensor.dim() > 1 else tensor

    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, with_other_strides):
        output = layer(x)[0]
    gradients = torch.autograd.grad(output.sum(), list(layer.parameters()))
    for gradient, expected_gradient in zip(gradients, expected, strict=True):
        assert_close(gradient, expected_gradient)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor.float(), lambda tensor: tensor):
        output = layer(x)[0]
    with pytest.raises(RuntimeError, match="saved for backward"):
        torch.autograd.grad(output.sum(), list(layer.parameters()))


# Large weights and few rows: all threads add to one sum of weight gradients. A sequence of 300 steps takes several
# chunks, most of them without rows.
@pytest.mark.parametrize("threads", [2, 4])
@pytest.mark.parametrize(
    "problem",
    [
        Problem("lstm", 3, 16, 16, 64),
        Problem("gru", 3, 16, 16, 64, reverse=True),
        Problem("projected", 3, 16, 16, 64, P=20, lengths=tuple(k % 4 for k in range(16))),
        Problem("lstm", 3, 32, 512, 32),
        Problem("gru", 300, 16, 16, 64, lengths=(300, 0, 0, 1, 2, 0, 3, 0, 1, 0, 0, 2, 0, 0, 0, 1)),
    ],
    ids=str,
)
def test_few_rows_of_large_layers(problem, threads):
    torch.set_num_threads(threads)
    assert_as_reference(problem)
    assert_as_reference(problem, torch.float32)
