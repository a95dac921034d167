"""The native kernels against the reference: random shapes, every instruction set, second derivatives, threads, memory.

What every engine must do is in test_engines.py and test_engines_contract.py; here is what only these kernels can get
wrong: edges of vectors and tiles, work shared between threads, memory, and what torch cannot see into.
"""

import dataclasses
import functools
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gatewise import cells, engines, nn
from gatewise.cells import Weights
from gatewise.engines import Scan, library, native
from test_engines import KINDS, Wrong, fields, normal
from tolerance import RELATIVE, assert_close, error

pytestmark = pytest.mark.skipif(library.load() is None, reason="the native library is not there")

CELLS = {**cells.RNN, "lstm": cells.LSTM, "projected": cells.LSTM, "gru": cells.GRU}
GATES_KEPT = ("gates", "cells")


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


# ---- one scan, its values and its gradients -----------------------------------------------------------------------


class Problem(NamedTuple):
    """A scan of random numbers, in float64; `T, B, I, H` and what else makes one scan differ from another."""

    kind: str
    T: int
    B: int
    I: int
    H: int
    P: int = 0
    bias: bool = True
    lengths: tuple[int, ...] | None = None
    reverse: bool = False
    keep: tuple[str, ...] = ()
    layout: str = "time first"
    packed: bool = False
    loss: tuple[str, ...] = ("output", "h", "c", "cells", "gates")  # what the gradients are those of
    wanted: tuple[str, ...] = ("x", "h", "c", *Weights._fields)  # what they are taken of


def tensors_of(problem: Problem, dtype: torch.dtype) -> dict[str, Tensor]:
    """x, the state and the weights that there are, by name."""
    cell, T, B, I, H = CELLS[problem.kind], *problem[1:5]
    P, rows = problem.P or H, len(CELLS[problem.kind].gates) * H
    shapes: dict[str, tuple[int, ...]] = {"x": (T, B, I), "h": (B, P), "c": (B, H)}
    shapes |= {"weight_ih": (rows, I), "weight_hh": (rows, P), "bias_ih": (rows,), "bias_hh": (rows,)}
    shapes |= {"weight_hr": (P, H)}
    unused = {"c"} - set(cell.state._fields) | (set() if problem.P else {"weight_hr"})
    unused |= set() if problem.bias else {"bias_ih", "bias_hh"}
    if problem.layout == "expanded":
        shapes["x"] = (min(T, 1), B, I)
    made = {name: normal(*shape, seed=k) for k, (name, shape) in enumerate(shapes.items()) if name not in unused}
    for name, tensor in made.items():
        if name.startswith("weight") and tensor.numel():
            tensor.mul_(0.7 / tensor.shape[1] ** 0.5)  # neither dies out nor grows without end
        if name.startswith("bias"):
            tensor.mul_(0.3)  # where tanh is all but 1 its derivative has few digits left
    return {name: tensor.to(dtype) for name, tensor in made.items()}


def laid_out(x: Tensor, problem: Problem) -> Tensor:
    """The same numbers, otherwise in memory."""
    if problem.layout == "batch first":
        return x.transpose(0, 1).contiguous().transpose(0, 1)
    if problem.layout == "features apart":
        return x.repeat_interleave(2, -1)[..., ::2]
    if problem.layout == "features last but one":
        return x.transpose(1, 2).contiguous().transpose(1, 2)
    if problem.layout == "part of more":
        return torch.nn.functional.pad(x, (3, 2, 1, 1))[:, 1:-1, 3:-2]
    return x.expand(problem.T, -1, -1) if problem.layout == "expanded" else x


LAYOUTS = ("time first", "batch first", "features apart", "features last but one", "part of more", "expanded")


def scanned(problem: Problem, tensors: dict[str, Tensor], engine: str) -> Scan:
    cell = CELLS[problem.kind]
    x, state = laid_out(tensors["x"], problem), cell.state(*(tensors[name] for name in cell.state._fields))
    weights = Weights(*(tensors.get(name) for name in Weights._fields))
    if problem.packed:
        packed = pack_padded_sequence(x, torch.tensor(problem.lengths))
        return engines.scan_packed(cell, *packed[:2], state, weights, reverse=problem.reverse, engine=engine)
    lengths = None if problem.lengths is None else torch.tensor(problem.lengths, dtype=torch.int64)
    options: dict[str, Any] = {"lengths": lengths, "reverse": problem.reverse, "keep": problem.keep}
    return engines.scan(cell, x, state, weights, engine=engine, **options)


def values_of(scan: Scan) -> dict[str, Tensor]:
    values = {"output": scan.output, **scan.state._asdict()}
    values |= {} if scan.cells is None else {"cells": scan.cells}
    return values | {f"gates {name}": gate for name, gate in (scan.gates or {}).items()}


def results(problem: Problem, engine: str, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Values, and the gradients of a weighted sum of them."""
    tensors = tensors_of(problem, dtype)
    leaves = [tensors[name].requires_grad_() for name in problem.wanted if name in tensors]
    values = values_of(scanned(problem, tensors, engine))
    total = torch.zeros((), dtype=dtype)
    for k, (name, value) in enumerate(values.items()):
        if name.split()[0] in problem.loss:
            weight = normal(*value.transpose(0, -1).shape, seed=20 + k).transpose(0, -1).to(dtype)
            total = total + (value * weight).sum()
    found = torch.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else [None] * len(leaves)
    names = [name for name in problem.wanted if name in tensors]
    gradients = [torch.zeros_like(leaf) if one is None else one for leaf, one in zip(leaves, found, strict=True)]
    return values | {f"gradient of {name}": one for name, one in zip(names, gradients, strict=True)}


def assert_as_reference(problem: Problem, dtype: torch.dtype = torch.float64) -> None:
    """The reference counts in float64 whatever the dtype: what is compared with is then exact; and on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    expected = results(problem, "reference")
    torch.set_num_threads(threads)
    for name, ours in results(problem, "native", dtype).items():
        worst = error(ours, expected[name].to(dtype))
        assert worst <= RELATIVE[dtype], f"{name} is off by {worst:.2g}: {problem}, {torch.get_num_threads()} threads"


def falling(lengths: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted((max(one, 1) for one in lengths), reverse=True))


SIZES = (1, 2, 7, 15, 16, 17, 31, 32, 33, 64, 65, 100, 130)


def random_problem(kind: str, seed: int) -> Problem:
    draw = random.Random(f"{kind} {seed}")
    T, B = draw.choice([(0, 3), (1, 1), (1, 4), (1, 7), (2, 100), (3, 65), (5, 17), (9, 33), (12, 2), (20, 1), (5, 0)])
    I, H = draw.choice((0, 3, *SIZES)), draw.choice(SIZES)
    lengths = tuple(draw.randint(0, T) for _ in range(B)) if draw.random() < 0.5 else None
    packed = bool(lengths) and T > 0 and I > 0 and draw.random() < 0.3
    return Problem(
        kind,
        T if lengths is None or not packed else max(falling(lengths)),
        B,
        I,
        H,
        P=draw.randint(1, H - 1) if kind == "projected" and H > 1 else 0,
        bias=draw.random() < 0.8,
        lengths=falling(lengths) if packed and lengths else lengths,
        reverse=draw.random() < 0.4,
        keep=draw.choice(((), GATES_KEPT, ("gates",), ("cells",))) if not packed else (),
        layout=draw.choice(LAYOUTS) if T else "time first",
        packed=packed,
    )


@pytest.mark.parametrize("dtype", RELATIVE, ids=str)
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", KINDS)
def test_random_shapes_and_threads(kind, seed, dtype):
    torch.set_num_threads(1 + seed % 4)
    assert_as_reference(random_problem(kind, seed), dtype)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", RELATIVE, ids=str)
@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_many_random_shapes_and_threads(kind, threads, dtype):
    torch.set_num_threads(threads)
    for seed in range(100, 140):
        assert_as_reference(random_problem(kind, seed), dtype)


EDGES = {
    "a few sequences, one step": {"T": 1, "B": 4, "I": 5, "H": 9},
    "one more, one step": {"T": 1, "B": 5, "I": 5, "H": 9},
    "no features": {"T": 4, "B": 3, "I": 0, "H": 9},
    "no sequences": {"T": 4, "B": 0, "I": 2, "H": 9},
    "no steps": {"T": 0, "B": 3, "I": 2, "H": 9},
    "all lengths zero": {"T": 4, "B": 3, "I": 2, "H": 9, "lengths": (0, 0, 0)},
    "one length zero": {"T": 4, "B": 3, "I": 2, "H": 9, "lengths": (4, 0, 2), "keep": GATES_KEPT},
    "some more units than two vectors": {"T": 6, "B": 17, "I": 33, "H": 33},
    "more units than a tile": {
        "T": 3,
        "B": 10,
        "I": 65,
        "H": 130,
        "lengths": (3, 1, 2, 0, 3, 3, 1, 1, 2, 0),
        "keep": GATES_KEPT,
    },
    "a long way from features to memory": {"T": 5, "B": 3, "I": 100, "H": 15, "layout": "features apart"},
}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("kind", KINDS)
def test_edges(kind, edge, reverse):
    assert_as_reference(Problem(kind, reverse=reverse, P=2 * (kind == "projected"), **EDGES[edge]))


LONG = {
    "whole": {},
    "lengths": {"lengths": tuple(1 + k * 7 % 40 for k in range(30))},
    "packed": {"lengths": tuple(40 - k for k in range(30)), "packed": True},
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", LONG)
@pytest.mark.parametrize("kind", KINDS)
def test_more_steps_than_are_worked_on_at_a_time(kind, case, threads):
    torch.set_num_threads(threads)
    P = 33 * (kind == "projected")
    assert_as_reference(Problem(kind, 40, 30, 40, 65, P=P, reverse=case == "packed", **LONG[case]))


@pytest.mark.parametrize("kind", KINDS)
def test_more_sequences_than_are_worked_on_at_a_time(kind):
    assert_as_reference(Problem(kind, 2, 9000, 2, 5, P=3 * (kind == "projected")))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("I", [1, 5])
def test_layouts(layout, I):
    for kind in ("lstm", "relu"):
        assert_as_reference(Problem(kind, 4, 3, I, 6, lengths=(2, 4, 1), layout=layout))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences(kind, reverse, threads):
    torch.set_num_threads(threads)
    lengths = (9, 9, 7, 4, 4, 4, 1, 1, 1, 1, 1)
    P = 3 * (kind == "projected")
    assert_as_reference(Problem(kind, 9, 11, 4, 18, P=P, lengths=lengths, reverse=reverse, packed=True))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_bidirectional_stacks_of_sequences_in_any_order(kind, packed):
    cls, options = KINDS[kind]
    layer = cls(3, 7, num_layers=2, bidirectional=True, dtype=torch.float64, generator=seeded(), **options)
    x, lengths = normal(6, 4, 3, seed=1).requires_grad_(), torch.tensor([2, 6, 1, 5])
    found = []
    for engine in ("native", "reference"):
        with engines.use_engine(engine):
            if packed:
                given, state = layer(pack_padded_sequence(x, lengths, enforce_sorted=False))
                output, _ = pad_packed_sequence(given)
            else:
                output, state = layer(x, lengths=lengths)
        values = [output, *fields(state)]
        total = sum((one * normal(*one.shape, seed=k)).sum() for k, one in enumerate(values))
        found.append([*values, *torch.autograd.grad(total, [x, *layer.parameters()])])
    for ours, expected in zip(*found, strict=True):
        assert_close(ours, expected)


LOSSES = [("output",), ("h",), ("c",), ("cells",), ("gates",), ("gates", "c"), ("output", "cells")]


@pytest.mark.parametrize("loss", LOSSES, ids=" ".join)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_a_part_of_the_results(kind, loss):
    keep = GATES_KEPT if {"gates", "cells"} & set(loss) else ()
    P = 2 * (kind == "projected")
    assert_as_reference(Problem(kind, 5, 3, 2, 17, P=P, lengths=(2, 5, 0), keep=keep, loss=loss))


@pytest.mark.parametrize("wanted", [("x",), ("h",), ("c",), ("weight_hh",), ("bias_ih",), ("x", "weight_hr")])
@pytest.mark.parametrize("kind", ["gru", "projected", "relu"])
def test_gradients_of_a_part_of_the_tensors(kind, wanted):
    assert_as_reference(Problem(kind, 5, 3, 2, 17, P=2 * (kind == "projected"), wanted=wanted))


def test_no_gradient_is_tracked_where_none_is_wanted():
    problem = Problem("lstm", 5, 3, 2, 6)
    tensors = tensors_of(problem, torch.float64)
    assert not scanned(problem, tensors, "native").output.requires_grad
    tensors["weight_hh"].requires_grad_()
    assert all(one.requires_grad for one in (scanned(problem, tensors, "native").output, tensors["weight_hh"]))
    with torch.no_grad():
        assert not scanned(problem, tensors, "native").output.requires_grad


# ---- instruction sets ---------------------------------------------------------------------------------------------


def use_instructions(name: str) -> bool:
    """Whether the machine has them."""
    return bool(library.load().gatewise_use_instructions(name.encode()) == 0)


@pytest.fixture(params=library.INSTRUCTIONS)
def instructions(request: pytest.FixtureRequest) -> Iterator[str]:
    before = library.instructions()
    if not use_instructions(request.param):
        pytest.skip(f"this machine has no {request.param}")
    yield request.param
    assert use_instructions(before)


@pytest.mark.parametrize("dtype", RELATIVE, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_every_instruction_set_gives_the_same(kind, dtype, instructions):
    assert library.instructions() == instructions
    P = 5 * (kind == "projected")
    lengths = (5, 0, 3, 3, 1, 5, 2)
    assert_as_reference(Problem(kind, 5, 7, 19, 37, P=P, lengths=lengths, keep=GATES_KEPT), dtype)
    assert_as_reference(Problem(kind, 1, 3, 37, 19, P=P, wanted=()), dtype)
    torch.set_num_threads(3)
    assert_as_reference(Problem(kind, 4, 9, 70, 70, P=P, reverse=True, bias=False), dtype)


def test_an_instruction_set_that_is_not_there_is_refused():
    before = library.instructions()
    assert not use_instructions("abacus")
    assert library.instructions() == before


# ---- finite differences -------------------------------------------------------------------------------------------


def through_function(problem: Problem) -> Callable[..., tuple[Tensor, ...]]:
    names = list(tensors_of(problem, torch.float64))

    def function(*tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(values_of(scanned(problem, dict(zip(names, tensors, strict=True)), "native")).values())

    return function


CODES = {"tanh": 0, "relu": 1, "identity": 2, "lstm": 3, "projected": 3, "gru": 4}


def through_operator(problem: Problem) -> Callable[..., tuple[Tensor, ...]]:
    """Torch's operator itself; of what it returns, the tensors that hold something and may be seen."""
    names = list(tensors_of(problem, torch.float64))
    lengths = None if problem.lengths is None else torch.tensor(problem.lengths)

    def function(*tensors: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(names, tensors, strict=True))
        arguments = [given.get(name) for name in ("x", "h", "c", *Weights._fields)]
        code, kept = CODES[problem.kind], bool(problem.keep)
        output, h, c, gates, states = torch.ops.gatewise.scan(*arguments, lengths, None, code, problem.reverse, kept)
        shown = gates[:, :, :3] if problem.kind == "gru" and kept else gates
        return tuple(one for one in (output, h, c, shown, states) if one.numel())

    return function


DOORS = {"function": through_function, "operator": through_operator}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_first_and_second_derivatives_are_finite_differences(kind, kept, door):
    P, keep = int(kind == "projected"), GATES_KEPT if kept else ()
    if door == "operator" and not kept:
        pytest.skip("the operator gives derivatives only where it keeps what they need")
    problem = Problem(kind, 3, 2, 1, 2, P=P, lengths=(3, 1), reverse=kept, keep=keep)
    leaves = [one.requires_grad_() for one in tensors_of(problem, torch.float64).values()]
    with torch.random.fork_rng():  # gradgradcheck draws directions
        assert torch.autograd.gradcheck(DOORS[door](problem), leaves)
        assert torch.autograd.gradgradcheck(DOORS[door](problem), leaves)


@pytest.mark.parametrize("options", [{"keep": GATES_KEPT}, {"reverse": True}, {"packed": True}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_that_can_be_differentiated_are_the_same(kind, options):
    problem = Problem(kind, 4, 3, 2, 5, P=2 * (kind == "projected"), lengths=(4, 2, 1), **options)
    leaves = {name: one.requires_grad_() for name, one in tensors_of(problem, torch.float64).items()}
    values = values_of(scanned(problem, leaves, "native")).values()
    total = sum((one * normal(*one.shape, seed=k)).sum() for k, one in enumerate(values))
    plain = torch.autograd.grad(total, list(leaves.values()), retain_graph=True)
    differentiable = torch.autograd.grad(total, list(leaves.values()), create_graph=True)
    for ours, expected in zip(differentiable, plain, strict=True):
        assert_close(ours, expected)
    assert any(one.requires_grad for one in differentiable)


def test_second_derivatives_of_packed_sequences_are_finite_differences():
    problem = Problem("gru", 3, 3, 2, 3, lengths=(3, 2, 1), reverse=True, packed=True)
    leaves = [one.requires_grad_() for one in tensors_of(problem, torch.float64).values()]
    with torch.random.fork_rng():
        assert torch.autograd.gradgradcheck(through_function(problem), leaves)


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives_where_one_scan_goes_on_from_another(kind):
    """The state of the second scan depends on the weights too: their gradient must not be counted there twice."""
    cls, options = KINDS[kind]
    layer, found = cls(3, 5, dtype=torch.float64, generator=seeded(), **options), []
    for engine in ("native", "reference"):
        x = normal(4, 2, 3, seed=1).requires_grad_()
        with engines.use_engine(engine):
            first, state = layer(x[:2])
            second, _ = layer(x[2:], state)
            total = (first * first).sum() + (second * second).sum()
            gradients = torch.autograd.grad(total, [x, *layer.parameters()], create_graph=True)
            again = torch.autograd.grad(sum((one * one).sum() for one in gradients), [x, *layer.parameters()])
        found.append([*gradients, *again])
    for ours, expected in zip(*found, strict=True):
        assert_close(ours, expected)


def test_many_gradients_at_once_are_those_one_by_one():
    problem = Problem("gru", 3, 2, 2, 4, lengths=(3, 1))
    tensors = tensors_of(problem, torch.float64)
    output = scanned(problem, {**tensors, "x": tensors["x"].requires_grad_()}, "native").output
    directions = normal(3, *output.shape, seed=7)
    (together,) = torch.autograd.grad(output, tensors["x"], directions, is_grads_batched=True, retain_graph=True)
    for one, direction in zip(together, directions, strict=True):
        assert_close(one, torch.autograd.grad(output, tensors["x"], direction, retain_graph=True)[0])


# ---- what torch has to know of an operator ------------------------------------------------------------------------


def arguments_of(problem: Problem, wanted: bool = True) -> tuple[Any, ...]:
    tensors = tensors_of(problem, torch.float64)
    if problem.packed:
        tensors["x"], sizes, *_ = pack_padded_sequence(tensors["x"], torch.tensor(problem.lengths))
        tensors["x"], lengths = tensors["x"].clone(), None
    else:
        sizes, lengths = None, None if problem.lengths is None else torch.tensor(problem.lengths)
    given = [tensors.get(name) for name in ("x", "h", "c", *Weights._fields)]
    given = [one if one is None else one.requires_grad_(wanted) for one in given]
    return *given, lengths, sizes, CODES[problem.kind], problem.reverse, True


OPERATORS = {
    "lstm": Problem("lstm", 3, 2, 2, 3, lengths=(3, 1)),
    "projected": Problem("projected", 3, 2, 2, 3, P=2, reverse=True, bias=False),
    "gru": Problem("gru", 3, 2, 2, 3, lengths=(3, 1), packed=True),
    "tanh": Problem("tanh", 3, 2, 2, 3),
}


@pytest.mark.filterwarnings("ignore")  # torch's own, about itself, as it compiles
@pytest.mark.parametrize("name", OPERATORS)
def test_the_operator_is_what_it_tells_torch(name):
    outcome = torch.library.opcheck(torch.ops.gatewise.scan.default, arguments_of(OPERATORS[name]))
    assert set(outcome.values()) == {"SUCCESS"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("flags", [(True, True), (False, True), (True, False)], ids=str)
@pytest.mark.parametrize("name", OPERATORS)
def test_the_backward_operator_is_what_it_tells_torch(name, flags):
    *tensors, kept = arguments_of(OPERATORS[name], wanted=False)
    output, h, _, gates, states = torch.ops.gatewise.scan(*tensors, kept)
    gradients = (normal(*output.shape, seed=3), normal(*h.shape, seed=4), None, None, None)
    arguments = (*tensors, output, gates, states, *gradients, *flags)
    checks = ("test_schema", "test_faketensor", "test_aot_dispatch_dynamic")
    outcome = torch.library.opcheck(torch.ops.gatewise.scan_backward.default, arguments, test_utils=checks)
    assert set(outcome.values()) == {"SUCCESS"}


def layer_of(kind: str, **options: Any) -> nn.Recurrent:
    cls, extra = KINDS[kind]
    return cls(3, 6, **{"dtype": torch.float64, "generator": seeded(), **extra, **options})


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def assert_trains_alike(compiled: Callable[..., Any], plain: nn.Recurrent, x: Tensor, **options: Any) -> None:
    found = []
    for run in (compiled, plain):
        output, state = run(x, **options)
        total = sum((one * normal(*one.shape, seed=k)).sum() for k, one in enumerate([output, *fields(state)]))
        found.append([output, *fields(state), *torch.autograd.grad(total, list(plain.parameters()))])
    for ours, expected in zip(*found, strict=True):
        assert_close(ours, expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["identity", "projected", "gru"])
def test_compiled_as_one_graph(kind):
    torch.compiler.reset()
    layer = layer_of(kind, num_layers=2, bidirectional=True, engine="native")
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    x = normal(5, 4, 3, seed=1)
    assert_trains_alike(compiled, layer, x)
    assert_trains_alike(compiled, layer, x, lengths=torch.tensor([2, 5, 0, 1]))
    assert_trains_alike(compiled, layer, normal(7, 2, 3, seed=2))


@pytest.mark.filterwarnings("ignore")
def test_compiled_packed_sequences():
    torch.compiler.reset()
    layer = layer_of("gru", engine="native")

    def padded(x: Tensor, batch_sizes: Tensor) -> tuple[Tensor, Tensor]:
        output, state = layer(PackedSequence(x, batch_sizes))
        return output.data, state

    packed = pack_padded_sequence(normal(4, 3, 3, seed=1), torch.tensor([4, 2, 1]))
    for ours, expected in zip(
        torch.compile(padded, backend="aot_eager")(*packed[:2]), padded(*packed[:2]), strict=True
    ):
        assert_close(ours, expected)


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_length_out_of_range_is_an_error():
    torch.compiler.reset()
    layer = layer_of("gru", engine="native")
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    with pytest.raises(RuntimeError, match="lengths go from"):
        compiled(normal(4, 2, 3, seed=1), lengths=torch.tensor([4, 5]))


@pytest.mark.filterwarnings("ignore")
def test_use_engine_is_heard_by_a_compiled_layer(monkeypatch):
    monkeypatch.setitem(engines.ENGINES, "wrong", Wrong("output scaled"))
    torch.compiler.reset()
    layer, x = layer_of("lstm"), normal(3, 2, 3, seed=1)
    compiled, expected = torch.compile(layer, backend="aot_eager"), layer(x)[0]
    assert_close(compiled(x)[0], expected)
    with engines.use_engine("wrong"):
        assert_close(compiled(x)[0], expected * 1.01)
    with engines.use_engine("reference"):
        assert_close(compiled(x)[0], expected)
    assert_close(compiled(x)[0], expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("strict", [False, True])
def test_exported_for_any_steps_and_batch(strict):
    layer = layer_of("lstm", num_layers=2, bidirectional=True, engine="native")
    steps, batch = torch.export.Dim("T", min=2, max=1000), torch.export.Dim("B", min=2, max=1000)
    shapes = {"input": {0: steps, 1: batch}}
    exported = torch.export.export(layer, (normal(5, 4, 3, seed=1),), dynamic_shapes=shapes, strict=strict)
    assert "gatewise.scan" in exported.graph_module.code
    x = normal(9, 7, 3, seed=2)
    for ours, expected in zip(fields(exported.module()(x)[1]), fields(layer(x)[1]), strict=True):
        assert_close(ours, expected)
    assert_close(exported.module()(x)[0], layer(x)[0])


# ---- odd numbers and odd tensors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", RELATIVE, ids=str)
@pytest.mark.parametrize("odd", [torch.nan, torch.inf, -torch.inf, 1e30], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_odd_numbers_go_where_they_go_in_the_reference(kind, odd, dtype):
    problem = Problem(kind, 6, 5, 4, 19, P=3 * (kind == "projected"), keep=GATES_KEPT)
    tensors = tensors_of(problem, dtype)
    tensors["x"][2, 1, 3] = tensors["x"][4, 3, 0] = odd
    ours, theirs = (values_of(scanned(problem, tensors, engine)) for engine in ("native", "reference"))
    for name, one in ours.items():
        assert torch.equal(one.isnan(), theirs[name].isnan()), name
        assert torch.equal(one.isinf(), theirs[name].isinf()), name
        finite = one.isfinite()
        assert (one.isinf() * one.sign()).equal(theirs[name].isinf() * theirs[name].sign())
        assert_close(one[finite], theirs[name][finite])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_denormal_numbers_may_become_zero_here_and_nowhere_else(kind, threads):
    torch.set_num_threads(threads)
    problem = Problem(kind, 8, 40, 40, 40, bias=False)
    tensors = tensors_of(problem, torch.float64)
    for name in ("x", "h", "c"):
        if name in tensors:
            tensors[name].mul_(1e-309)
    for value in values_of(scanned(problem, tensors, "native")).values():
        assert (value.abs() < 1e-300).all()
    tiny = torch.full((100_000,), 1e-310, dtype=torch.float64)  # enough for torch to use all threads
    # By their bits: where denormal numbers are zero they equal zero too.
    assert torch.equal((tiny * 1).view(torch.int64), tiny.view(torch.int64))
    assert (1e-310 * float(torch.ones(()))).hex() == (1e-310).hex()


def test_very_many_steps():
    layer, x = nn.LSTM(1, 2, dtype=torch.float64, generator=seeded()), normal(20_000, 1, 1, seed=1)
    found = []
    for engine in ("native", "aten"):
        with engines.use_engine(engine):
            output, _ = layer(x)
            found.append([output, *torch.autograd.grad((output * x).sum(), list(layer.parameters()))])
    for ours, expected in zip(*found, strict=True):
        assert_close(ours, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_very_many_features(kind):
    assert_as_reference(Problem(kind, 3, 2, 10_000, 5, P=2 * (kind == "projected")))


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("steps", [1, 4])
def test_weights_are_those_of_the_moment(steps, grad):
    layer, x = layer_of("lstm"), normal(steps, 2, 3, seed=1)

    def as_reference() -> None:
        with torch.set_grad_enabled(grad):
            ours = layer(x)[0]
            with engines.use_engine("reference"):
                assert_close(ours, layer(x)[0])

    as_reference()
    with torch.no_grad():
        layer.weight_hh_l0.mul_(1.5)
    as_reference()
    layer.weight_ih_l0.data.add_(0.1)
    as_reference()
    layer.bias_hh_l0.data = normal(24, seed=3)
    as_reference()
    layer.weight_hh_l0.data = layer.weight_hh_l0.data.t().contiguous().t()
    as_reference()
    layer.weight_hh_l0 = torch.nn.Parameter(normal(24, 6, seed=4))
    as_reference()
    parametrize.register_parametrization(layer, "weight_ih_l0", Doubled())
    as_reference()
    with torch.no_grad():
        layer.parametrizations.weight_ih_l0.original.mul_(0.5)
    as_reference()


class Doubled(torch.nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight * 2


def test_parametrised_weights_are_trained():
    layer, x = layer_of("gru"), normal(4, 2, 3, seed=1)
    parametrize.register_parametrization(layer, "weight_hh_l0", Doubled())
    (plain,) = torch.autograd.grad(layer(x)[0].sum(), layer.parametrizations.weight_hh_l0.original)
    with engines.use_engine("reference"):
        (expected,) = torch.autograd.grad(layer(x)[0].sum(), layer.parametrizations.weight_hh_l0.original)
    assert_close(plain, expected)


def test_negated_views_are_read_as_what_they_stand_for():
    for make in (torch._neg_view, lambda one: torch.complex(one, one).conj().imag):
        layer, x, h = (
            nn.GRU(1, 6, dtype=torch.float64, generator=seeded()),
            normal(4, 2, 1, seed=1),
            normal(1, 2, 6, seed=2),
        )
        assert_close(layer(make(x), make(h))[0], layer(-x, -h)[0])


class Marked(Tensor):
    """A subclass that adds nothing."""


def test_tensors_of_a_subclass():
    layer, x = layer_of("lstm", engine="native"), normal(4, 2, 3, seed=1)
    expected = torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))
    output, _ = layer(x.as_subclass(Marked))
    assert type(output) is Marked
    assert_close(output.as_subclass(Tensor), layer(x)[0])
    for one, two in zip(torch.autograd.grad(output.sum(), list(layer.parameters())), expected, strict=True):
        assert_close(one.as_subclass(Tensor), two)


def test_fake_tensors_have_the_shapes_of_real_ones():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        layer = nn.LSTM(3, 6, proj_size=2, engine="native")
        output, (h, c) = layer(torch.zeros(4, 2, 3))
    assert (output.shape, h.shape, c.shape) == ((4, 2, 2), (1, 2, 2), (1, 2, 6))


def test_inference_mode():
    layer, x = layer_of("lstm", engine="native"), normal(4, 2, 3, seed=1)
    with torch.inference_mode():
        output, _ = layer(x)
    assert output.is_inference()
    assert_close(output.clone(), layer(x)[0])


def test_what_backward_needs_must_not_be_written_to():
    for name in ("x", "h", "weight_hh", "output"):
        problem = Problem("gru", 4, 2, 3, 6)
        tensors = {name: one.requires_grad_() for name, one in tensors_of(problem, torch.float64).items()}
        output = scanned(problem, tensors, "native").output
        with torch.no_grad():
            (output if name == "output" else tensors[name]).add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            output.sum().backward()


def test_lengths_written_to_before_backward_do_not_change_gradients_unseen():
    layer, x, lengths = layer_of("gru", engine="native"), normal(5, 2, 3, seed=1).requires_grad_(), torch.tensor([2, 5])
    output, _ = layer(x, lengths=lengths)
    (expected,) = torch.autograd.grad(output.sum(), x, retain_graph=True)
    lengths.fill_(5)
    try:
        (gradient,) = torch.autograd.grad(output.sum(), x)
    except RuntimeError as caught:
        assert "modified by an inplace operation" in str(caught)  # noqa: PT017 - either is right
    else:
        assert torch.equal(gradient, expected)


def test_backward_twice():
    layer, x = layer_of("lstm", engine="native"), normal(4, 2, 3, seed=1)
    output, _ = layer(x)
    first = torch.autograd.grad(output.sum(), list(layer.parameters()), retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(output.sum(), list(layer.parameters()))))
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        output.sum().backward()


# ---- who refuses what ---------------------------------------------------------------------------------------------


def refusal(layer: nn.Recurrent, x: Tensor) -> str | None:
    return native.refuses(layer.requests(x)[0])


def test_native_says_why_it_refuses(capsys):
    layer, x = layer_of("lstm", dtype=torch.float32), torch.zeros(4, 2, 3)
    assert refusal(layer, x) is None
    assert refusal(layer_of("lstm", dtype=torch.bfloat16), x.bfloat16()) == (
        "the kernels are for float32 and float64, and x is torch.bfloat16"
    )
    assert refusal(layer_of("lstm", device="meta", generator=None), x.double().to("meta")) == (
        "the kernels are for the CPU, and x is on meta"
    )
    with torch.autocast("cpu", torch.bfloat16):
        assert refusal(layer, x) == "autocast is on, and the kernels compute in the dtype of the weights"
        assert engines.choose(layer.requests(x)[0]).name != "native"
        with engines.use_engine("native"), pytest.raises(ValueError, match="refuses: autocast is on"):
            layer(x)
        engines.explain(layer, x)
    assert "native     refuses: autocast is on" in capsys.readouterr().out


WITHOUT = """
import torch
from gatewise import engines, nn
layer, x = nn.LSTM(3, 6, generator=torch.Generator().manual_seed(0)), torch.zeros(4, 2, 3)
print(engines.native.refuses(layer.requests(x)[0]))
print(engines.native.release(), engines.choose(layer.requests(x)[0]).name, layer(x)[0].shape == (4, 2, 6))
"""


def test_without_the_library_another_engine_runs():
    assert run_python(WITHOUT, GATEWISE_NATIVE="0").splitlines() == ["switched off by GATEWISE_NATIVE=0", "0 aten True"]


def test_a_changed_equation_is_refused():
    problem = Problem("lstm", 4, 2, 3, 6)
    tensors = tensors_of(problem, torch.float64)
    changed = dataclasses.replace(cells.LSTM, step=functools.partial(cells.lstm_step))
    weights = Weights(*(tensors.get(name) for name in Weights._fields))
    with pytest.raises(ValueError, match="engine 'native' refuses: there is no kernel for the step"):
        engines.scan(changed, tensors["x"], cells.LSTMState(tensors["h"], tensors["c"]), weights, engine="native")


LOOKED_THROUGH: dict[str, tuple[Callable[[Callable[[Tensor], Tensor], Tensor], Tensor], str]] = {
    "vmap": (lambda run, x: torch.func.vmap(run, in_dims=1, out_dims=1)(x[:, :, None]), "torch.func"),
    "grad": (lambda run, x: torch.func.grad(lambda one: run(one).sum())(x), "torch.func"),
    "vjp": (lambda run, x: torch.func.vjp(run, x)[1](run(x))[0], "torch.func"),
    "jvp": (lambda run, x: torch.func.jvp(run, (x,), (x,))[1], "torch.func"),
    "jacrev": (lambda run, x: torch.func.jacrev(run)(x), "torch.func"),
    "trace": (lambda run, x: torch.jit.trace(run, (x,))(x), "torch.jit.trace"),
    "forward": (lambda run, x: forward_derivative(run, x), "forward-mode"),
}


def forward_derivative(run: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with torch.autograd.forward_ad.dual_level():
        dual = run(torch.autograd.forward_ad.make_dual(x, x))
        return torch.autograd.forward_ad.unpack_dual(dual).tangent


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit is on its way out
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("transform", LOOKED_THROUGH)
@pytest.mark.parametrize("kind", ["gru", "relu", "lstm"])
def test_transforms_that_look_into_a_layer(kind, transform):
    transformed, reason = LOOKED_THROUGH[transform]
    layer, x = layer_of(kind), normal(4, 2, 3, seed=1)
    if transform == "trace":
        layer.requires_grad_(False)

    def run(one: Tensor) -> Tensor:
        return layer(one)[0]

    found = transformed(run, x)
    with engines.use_engine("reference"):
        assert_close(found, transformed(run, x))
    with engines.use_engine("native"), pytest.raises(ValueError, match=f"engine 'native' refuses: .*{reason}"):
        transformed(run, x)


# ---- what must not corrupt memory: in a process of its own --------------------------------------------------------


def run_python(code: str, given: str = "", **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=given,
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_CHECK_": "3", **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


ATTEMPTS = """
import sys, torch
from torch.nn.utils.rnn import PackedSequence
from gatewise import nn
lstm = nn.LSTM(3, 8, dtype=torch.float64, engine="native", generator=torch.Generator().manual_seed(0))
x, h, w = torch.zeros(5, 2, 3).double(), torch.zeros(2, 8).double(), [one.detach() for one in lstm.parameters()]
scan = torch.ops.gatewise.scan
for attempt in sys.stdin.read().splitlines():
    try:
        exec(attempt)
        print("accepted", flush=True)
    except RuntimeError:
        print("refused", flush=True)
    torch.set_autocast_enabled("cuda", False)
"""

BROKEN = {
    "more packed steps than rows": "lstm(PackedSequence(x[:2].flatten(0, 1)[:3], torch.tensor([2, 2, 1])))",
    "more rows than packed steps": "lstm(PackedSequence(x.flatten(0, 1), torch.tensor([2, 2, 1])))",
    "packed steps that rise": "lstm(PackedSequence(x.flatten(0, 1)[:5], torch.tensor([2, 1, 2])))",
    "a step of no sequences": "lstm(PackedSequence(x.flatten(0, 1)[:4], torch.tensor([2, 0, 2])))",
    "dtype of the state": "lstm(x, (torch.zeros(1, 2, 8), torch.zeros(1, 2, 8)))",
    "dtype of the state amid another device's autocast": (
        "torch.set_autocast_enabled('cuda', True); lstm(x, (torch.zeros(1, 2, 8), torch.zeros(1, 2, 8)))"
    ),
    "operator: dtype of h": "scan(x, h.float(), h, *w, None, None, None, 3, False, True)",
    "operator: rows of h": "scan(x, h[:1], h, *w, None, None, None, 3, False, True)",
    "operator: rows of c": "scan(x, h, h[:1], *w, None, None, None, 3, False, True)",
    "operator: no c": "scan(x, h, None, *w, None, None, None, 3, False, True)",
    "operator: weight_ih": "scan(x, h, h, w[0][:, :1], *w[1:], None, None, None, 3, False, True)",
    "operator: weight_hh": "scan(x, h, h, w[0], w[1][:2], *w[2:], None, None, None, 3, False, True)",
    "operator: bias": "scan(x, h, h, *w[:2], w[2][:1], w[3], None, None, None, 3, False, True)",
    "operator: lengths": "scan(x, h, h, *w, None, torch.tensor([1]), None, 3, False, True)",
    "operator: dtype of lengths": "scan(x, h, h, *w, None, torch.tensor([1, 2]).int(), None, 3, False, True)",
    "operator: cell": "scan(x, h, h, *w, None, None, None, 9, False, True)",
}


def test_what_does_not_fit_is_an_error_and_never_a_crash():
    said = run_python(ATTEMPTS, "\n".join(BROKEN.values())).splitlines()
    assert dict(zip(BROKEN, said, strict=True)) == dict.fromkeys(BROKEN, "refused")


LIMITED = """
import torch
from gatewise import nn
torch.set_num_threads(4)
lstm, x = nn.LSTM(64, 128, engine="native", generator=torch.Generator().manual_seed(0)), torch.ones(4, 64, 64)
many = lstm(x)[0]
many.sum().backward()
torch.set_num_threads(1)
print(torch.equal(many, lstm(x)[0]))
"""


@pytest.mark.parametrize("limit", ["OMP_THREAD_LIMIT=1", "OMP_THREAD_LIMIT=2", "OMP_DYNAMIC=true"])
def test_fewer_threads_than_asked_for_are_enough(limit):
    name, value = limit.split("=")
    assert run_python(LIMITED, **{name: value}) == "True"


# ---- the same bits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_call_gives_the_same_bits(kind, threads):
    torch.set_num_threads(threads)
    P = 20 * (kind == "projected")
    for lengths in ((4, 2, 0, 3, 4, 4, 1, 4, 2), None):
        problem = Problem(kind, 4, 9, 40, 100, P=P, lengths=lengths, keep=GATES_KEPT)
        first = results(problem, "native", torch.float32)
        for _ in range(3):
            for name, again in results(problem, "native", torch.float32).items():
                assert torch.equal(again, first[name]), name


@pytest.mark.parametrize("kind", KINDS)
def test_values_do_not_depend_on_threads_or_on_the_rest_of_the_batch(kind):
    """So it is for more than one step, which one kernel computes whatever the batch."""
    for I in (3, 40):
        whole = Problem(kind, 5, 23, I, 70, P=20 * (kind == "projected"))
        tensors = tensors_of(whole, torch.float32)
        expected = values_of(scanned(whole, tensors, "native"))
        for threads in (2, 3, 4):
            torch.set_num_threads(threads)
            for name, value in values_of(scanned(whole, tensors, "native")).items():
                assert torch.equal(value, expected[name]), (name, threads)
        torch.set_num_threads(1)
        for first, last in ((0, 1), (4, 7), (3, 19)):
            parts = {name: one[first:last] if name in "hc" else one for name, one in tensors.items()}
            parts["x"] = tensors["x"][:, first:last]
            some = values_of(scanned(whole._replace(B=last - first), parts, "native"))
            assert torch.equal(some["output"], expected["output"][:, first:last]), (first, last)
            assert torch.equal(some["h"], expected["h"][first:last])


# ---- threads, processes, memory -----------------------------------------------------------------------------------


def test_calls_from_many_threads_at_once():
    problems = [random_problem(kind, seed)._replace(keep=()) for seed in (1, 2) for kind in KINDS]
    expected = [results(problem, "native") for problem in problems]

    def again(k: int) -> bool:
        torch.set_num_threads(1 + k % 2)
        found = results(problems[k % len(problems)], "native")
        return all(error(one, expected[k % len(problems)][name]) < 1e-10 for name, one in found.items())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(again, range(4 * len(problems))))


# Sizes are such that torch's own operations use one thread: its OpenMP would wait forever in a forked child.
FORKED = """
import multiprocessing, torch
from torch.utils.data import DataLoader, Dataset
from gatewise import nn
lstm, x = nn.LSTM(20, 50, engine="native", generator=torch.Generator().manual_seed(0)), torch.ones(8, 64, 20)

def train():
    lstm.zero_grad()
    output, _ = lstm(x)
    output.sum().backward()
    return output.detach(), lstm.weight_hh_l0.grad.clone()

def child(queue):
    torch.set_num_threads(2)
    queue.put([one.numpy() for one in train()])

class Items(Dataset):
    def __len__(self):
        return 3
    def __getitem__(self, k):
        return train()[0]

torch.set_num_threads(2)
expected = train()
context = multiprocessing.get_context("fork")
queue = context.SimpleQueue()
process = context.Process(target=child, args=(queue,))
process.start()
print(all(torch.allclose(torch.from_numpy(one), two, rtol=1e-4) for one, two in zip(queue.get(), expected)))
process.join()
loader = DataLoader(Items(), num_workers=1, multiprocessing_context="fork")
print(all(torch.equal(one[0], expected[0]) for one in loader))
print(all(map(torch.equal, train(), expected)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_children_of_a_process_that_used_threads():
    assert run_python(FORKED).split() == ["True"] * 3


def resident() -> int:
    """Bytes of memory that this process has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def assert_memory_stays(calls: int) -> None:
    layers = [layer_of("lstm", engine="native"), layer_of("gru", engine="native")]
    x, lengths = normal(4, 2, 3, seed=1), torch.tensor([4, 1])

    def call() -> None:
        for layer in layers:
            layer(x, lengths=lengths)[0].sum().backward()
            layer.trace(x)
            with torch.no_grad():
                layer(x[:1])

    for _ in range(100):
        call()
    before = resident()
    for _ in range(calls // 8):
        call()
    assert resident() - before < 2_000_000


needs_statm = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="there is no /proc here")


@needs_statm
def test_memory_stays_over_many_calls():
    assert_memory_stays(2_000)


@pytest.mark.slow
@needs_statm
def test_memory_stays_over_very_many_calls():
    assert_memory_stays(40_000)


def test_release_gives_memory_back():
    problem = Problem("lstm", 4, 3, 5, 33)
    expected = results(problem, "native")
    assert native.release() > 0
    assert native.release() == 0
    assert all(torch.equal(one, expected[name]) for name, one in results(problem, "native").items())


# ---- what others may do to it ---------------------------------------------------------------------------------------


def test_the_operator_takes_one_dtype_under_autocast_too():
    x, h, weights = normal(3, 2, 3, seed=0), normal(2, 4, seed=1), [normal(16, 3, seed=2), normal(16, 4, seed=3)]
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(RuntimeError, match="expected one for all"):
        torch.ops.gatewise.scan(x, h.bfloat16(), h, *weights, None, None, None, None, None, 3, False, False)


def test_the_operator_reads_lengths_by_their_strides():
    x, h, weights = normal(6, 3, 3, seed=0), normal(3, 4, seed=1), [normal(16, 3, seed=2), normal(16, 4, seed=3)]
    apart = torch.tensor([1, 5, 4, 0, 6, 2])[::2]
    rest = (None, None, None)
    ours = torch.ops.gatewise.scan(x, h, h, *weights, *rest, apart, None, 3, False, True)
    theirs = torch.ops.gatewise.scan(x, h, h, *weights, *rest, apart.contiguous(), None, 3, False, True)
    assert all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_hooks_may_lay_saved_tensors_out_anew(kind):
    generator = torch.Generator().manual_seed(0)
    layer = (nn.LSTM if kind == "lstm" else nn.GRU)(3, 5, dtype=torch.float64, generator=generator)
    x = normal(6, 4, 3, seed=0)
    expected = torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))

    def turned(one):
        return one.transpose(0, -1).contiguous().transpose(0, -1) if one.dim() > 1 else one

    with torch.autograd.graph.saved_tensors_hooks(lambda one: one, turned):
        output = layer(x)[0]
    for ours, theirs in zip(torch.autograd.grad(output.sum(), list(layer.parameters())), expected, strict=True):
        assert_close(ours, theirs)
    with torch.autograd.graph.saved_tensors_hooks(lambda one: one.float(), lambda one: one):
        output = layer(x)[0]
    with pytest.raises(RuntimeError, match="saved for backward"):
        torch.autograd.grad(output.sum(), list(layer.parameters()))


def test_a_traced_graph_holds_the_scan():
    from torch.fx.experimental.proxy_tensor import make_fx

    layer = nn.GRU(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        graph = make_fx(lambda x: layer(x)[0])(normal(4, 2, 3, seed=0))
        x = normal(4, 2, 3, seed=1)
        assert_close(graph(x), layer(x)[0])


def test_infinite_gradients_stay_in_their_units():
    ours, theirs = [], []
    for engine, found in (("native", ours), ("reference", theirs)):
        layer = nn.RNN(1, 3, nonlinearity="identity", engine=engine, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            layer.weight_hh_l0.fill_(50.0)
            layer.weight_ih_l0.fill_(1.0)
        x = torch.ones(40, 2, 1, requires_grad=True)
        found.append(torch.autograd.grad(layer(x)[0].sum(), x)[0])
    assert theirs[0].isinf().any()
    assert torch.equal(ours[0].isnan(), theirs[0].isnan())


def test_large_activations_lent_by_the_library_go_back_and_serve_again():
    layer = nn.LSTM(4, 64, generator=torch.Generator().manual_seed(0))
    x = normal(64, 80, 4, seed=0).float()  # 64 x 80 x 256 floats of gates: more than 4 MiB
    runs = []
    for _ in range(3):
        output = layer(x)[0]
        runs.append(torch.autograd.grad(output.sum(), list(layer.parameters())))
        del output
    engines.native.release()
    again = torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))
    for run in runs:
        assert all(map(torch.equal, run, again))
    with engines.use_engine("reference"):
        for ours, theirs in zip(again, torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters())), strict=True):
            assert_close(ours, theirs)
