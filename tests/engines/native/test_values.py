"""The native kernels against the reference, values and gradients: random shapes, edges, layouts, instruction sets.

test_engines.py and test_contract.py test the contract of all engines. The tests here are specific to these kernels:
edges of vectors and tiles, and work divided between threads.
"""

from collections.abc import Iterator

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gatewise import engines, nn
from gatewise.engines.native import loader
from tests.engines.test_engines import KINDS, fields, normal
from tests.native_scans import GATES_AND_CELLS, LAYOUTS, Problem, assert_as_reference, random_problem, seeded
from tests.tolerance import RELATIVE, assert_close

pytestmark = pytest.mark.skipif(loader.load() is None, reason="the native library is not available")


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
    "one length zero": {"T": 4, "B": 3, "I": 2, "H": 9, "lengths": (4, 0, 2), "keep": GATES_AND_CELLS},
    "slightly more units than two vectors": {"T": 6, "B": 17, "I": 33, "H": 33},
    "more units than a tile": {
        "T": 3,
        "B": 10,
        "I": 65,
        "H": 130,
        "lengths": (3, 1, 2, 0, 3, 3, 1, 1, 2, 0),
        "keep": GATES_AND_CELLS,
    },
    "features far apart in memory": {"T": 5, "B": 3, "I": 100, "H": 15, "layout": "features apart"},
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
def test_more_steps_than_a_chunk(kind, case, threads):
    torch.set_num_threads(threads)
    P = 33 * (kind == "projected")
    assert_as_reference(Problem(kind, 40, 30, 40, 65, P=P, reverse=case == "packed", **LONG[case]))


@pytest.mark.parametrize("kind", KINDS)
def test_more_sequences_than_a_chunk(kind):
    assert_as_reference(Problem(kind, 2, 9000, 2, 5, P=3 * (kind == "projected")))


def test_very_many_steps():
    layer, x = nn.LSTM(1, 2, dtype=torch.float64, generator=seeded()), normal(20_000, 1, 1, seed=1)
    results = []
    for engine in ("native", "aten"):
        with engines.use_engine(engine):
            output, _ = layer(x)
            results.append([output, *torch.autograd.grad((output * x).sum(), list(layer.parameters()))])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_very_many_features(kind):
    assert_as_reference(Problem(kind, 3, 2, 10_000, 5, P=2 * (kind == "projected")))


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
    results = []
    for engine in ("native", "reference"):
        with engines.use_engine(engine):
            if packed:
                packed_output, state = layer(pack_padded_sequence(x, lengths, enforce_sorted=False))
                output, _ = pad_packed_sequence(packed_output)
            else:
                output, state = layer(x, lengths=lengths)
        values = [output, *fields(state)]
        total = sum((value * normal(*value.shape, seed=k)).sum() for k, value in enumerate(values))
        results.append([*values, *torch.autograd.grad(total, [x, *layer.parameters()])])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected)


# ---- instruction sets ---------------------------------------------------------------------------------------------


def use_instructions(name: str) -> bool:
    """Whether this machine supports the instruction set."""
    return bool(loader.load().gatewise_use_instructions(name.encode()) == 0)


@pytest.fixture(params=loader.INSTRUCTIONS)
def instructions(request: pytest.FixtureRequest) -> Iterator[str]:
    before = loader.instructions()
    if not use_instructions(request.param):
        pytest.skip(f"this machine has no {request.param}")
    yield request.param
    assert use_instructions(before)


@pytest.mark.parametrize("dtype", RELATIVE, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_every_instruction_set_gives_the_same_results(kind, dtype, instructions):
    assert loader.instructions() == instructions
    P = 5 * (kind == "projected")
    lengths = (5, 0, 3, 3, 1, 5, 2)
    assert_as_reference(Problem(kind, 5, 7, 19, 37, P=P, lengths=lengths, keep=GATES_AND_CELLS), dtype)
    assert_as_reference(Problem(kind, 1, 3, 37, 19, P=P, with_gradients=()), dtype)
    torch.set_num_threads(3)
    assert_as_reference(Problem(kind, 4, 9, 70, 70, P=P, reverse=True, bias=False), dtype)


def test_an_unavailable_instruction_set_is_refused():
    before = loader.instructions()
    assert not use_instructions("abacus")
    assert loader.instructions() == before
