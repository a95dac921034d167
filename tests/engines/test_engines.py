"""Every engine against torch.nn: values and gradients, over cells x layers x directions x options.

`python tests/engines/test_engines.py` compares every combination and prints their number and the largest error of each
dtype. The linear RNN, which torch.nn does not have, is compared with matrix products over one sequence at a time.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gatewise import engines, nn
from gatewise.cells import Weights
from gatewise.engines import Request, Scan
from gatewise.engines.native import loader
from tests.tolerance import RELATIVE, error

T, B, I, H, P = 5, 4, 3, 6, 2
LENGTHS = (3, 5, 1, 4)

KINDS: dict[str, tuple[type, dict[str, Any]]] = {
    "tanh": (nn.RNN, {"nonlinearity": "tanh"}),
    "relu": (nn.RNN, {"nonlinearity": "relu"}),
    "identity": (nn.RNN, {"nonlinearity": "identity"}),
    "lstm": (nn.LSTM, {}),
    "projected": (nn.LSTM, {"proj_size": P}),
    "gru": (nn.GRU, {}),
}


class Case(NamedTuple):
    """One combination to compare."""

    engine: str
    kind: str
    num_layers: int = 1
    bidirectional: bool = False
    dtype: torch.dtype = torch.float64
    bias: bool = True
    batch_first: bool = False
    hx: bool = True
    lengths: bool = False


def normal(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def fields(state: Tensor | tuple[Tensor, ...]) -> list[Tensor]:
    return [state] if isinstance(state, Tensor) else list(state)


def linear_rnn(
    layer: nn.RNN, weights: dict[str, Tensor], x: Tensor, hx: Tensor | None, lengths: tuple[int, ...]
) -> Any:
    """h' = W x + U h + b + d by hand: x `(T, B, I)`, sequence by sequence."""
    D, last, outputs = 1 + layer.bidirectional, {}, []
    for b, length in enumerate(lengths):
        rows = list(x[:length, b])
        for number in range(layer.num_layers):
            sides = []
            for direction in range(D):
                k, suffix = number * D + direction, f"_l{number}" + "_reverse" * direction
                h = x.new_zeros(H) if hx is None else hx[k, b]
                out = []
                for row in reversed(rows) if direction else rows:
                    h = weights["weight_ih" + suffix] @ row + weights["weight_hh" + suffix] @ h
                    if layer.bias:
                        h = h + weights["bias_ih" + suffix] + weights["bias_hh" + suffix]
                    out.append(h)
                sides.append(out[::-1] if direction else out)
                last[k, b] = h
            rows = [torch.cat(pair) for pair in zip(*sides, strict=True)]
        outputs.append(torch.cat([torch.stack(rows), x.new_zeros(T - length, D * H)]))
    state = torch.stack([torch.stack([last[k, b] for b in range(B)]) for k in range(layer.num_layers * D)])
    return torch.stack(outputs, 1), state


def run_torch(layer: nn.Recurrent, case: Case, x: Tensor, hx: Any) -> tuple[dict[str, Tensor], Tensor, list[Tensor]]:
    """Weights, output and state of torch.nn (or of the matrix products above) with the weights of `layer`."""
    lengths = LENGTHS if case.lengths else (T,) * B
    if case.kind == "identity":
        weights = {name: weight.detach().clone().requires_grad_() for name, weight in layer.named_parameters()}
        output, state = linear_rnn(layer, weights, x.transpose(0, 1) if case.batch_first else x, hx, lengths)
        return weights, output.transpose(0, 1) if case.batch_first else output, [state]
    options = {**KINDS[case.kind][1], "num_layers": case.num_layers, "bidirectional": case.bidirectional}
    with torch.random.fork_rng():
        torch_layer = getattr(torch.nn, type(layer).__name__)(
            I, H, bias=case.bias, batch_first=case.batch_first, dtype=case.dtype, **options
        )
    torch_layer.load_state_dict(layer.state_dict())
    if case.lengths:
        packed = pack_padded_sequence(x, torch.tensor(lengths), case.batch_first, enforce_sorted=False)
        packed_output, state = torch_layer(packed, hx)
        output, _ = pad_packed_sequence(packed_output, case.batch_first, total_length=T)
    else:
        output, state = torch_layer(x, hx)
    return dict(torch_layer.named_parameters()), output, fields(state)


def compare(case: Case) -> float:
    """The largest error of output, state and the gradients of x, the initial state and every weight."""
    cls, options = KINDS[case.kind]
    layer = cls(
        I,
        H,
        num_layers=case.num_layers,
        bidirectional=case.bidirectional,
        bias=case.bias,
        batch_first=case.batch_first,
        dtype=case.dtype,
        engine=case.engine,
        generator=torch.Generator().manual_seed(0),
        **options,
    )
    scans = case.num_layers * (1 + case.bidirectional)
    x = normal(*((B, T, I) if case.batch_first else (T, B, I)), seed=1, dtype=case.dtype)
    sizes = [layer.proj_size or H] + [H] * (len(layer.cell.state._fields) - 1)
    start = [normal(scans, B, size, seed=2 + k, dtype=case.dtype) for k, size in enumerate(sizes)] if case.hx else []

    def leaves() -> list[Tensor]:
        return [tensor.clone().requires_grad_() for tensor in (x, *start)]

    def as_hx(state: list[Tensor]) -> Any:
        return None if not state else state[0] if len(state) == 1 else tuple(state)

    def results(inputs: list[Tensor], weights: dict[str, Tensor], output: Tensor, state: list[Tensor]) -> list[Tensor]:
        values = [output, *state]
        scalar = sum(
            (value * normal(*value.shape, seed=9 + k, dtype=case.dtype)).sum() for k, value in enumerate(values)
        )
        return [*values, *torch.autograd.grad(scalar, [*inputs, *weights.values()])]

    inputs, torch_inputs = leaves(), leaves()
    output, state = layer(inputs[0], as_hx(inputs[1:]), lengths=LENGTHS if case.lengths else None)
    actual = results(inputs, dict(layer.named_parameters()), output, fields(state))
    expected = results(torch_inputs, *run_torch(layer, case, torch_inputs[0], as_hx(torch_inputs[1:])))
    assert len(actual) == len(expected)
    return max(map(error, actual, expected))


# Fastest first; the native library may not be built.
RUNNING = [engine for engine in engines.ENGINES if engine != "native" or loader.load() is not None]
PAIRS = [(engine, kind) for engine in RUNNING for kind in KINDS if (engine, kind) != ("aten", "identity")]
STACKS = list(itertools.product(PAIRS, (1, 2, 3), (False, True), (torch.float32, torch.float64)))


def options_of(pair: tuple[str, str], num_layers: int, bidirectional: bool, dtype: torch.dtype) -> Iterator[Case]:
    for rest in itertools.product((True, False), repeat=4):
        yield Case(*pair, num_layers, bidirectional, dtype, *rest)


def compare_all() -> dict[torch.dtype, list[float]]:
    """The error of every combination, by dtype."""
    errors: dict[torch.dtype, list[float]] = {}
    for stack in STACKS:
        errors.setdefault(stack[-1], []).extend(map(compare, options_of(*stack)))
    return errors


@pytest.mark.parametrize(
    ("pair", "num_layers", "bidirectional", "dtype"),
    STACKS,
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else str(value).removeprefix("torch."),
)
def test_values_and_gradients_equal_those_of_torch(pair, num_layers, bidirectional, dtype):
    for case in options_of(pair, num_layers, bidirectional, dtype):
        assert compare(case) <= RELATIVE[dtype], case


class Wrong:
    """The reference engine with a mistake that the comparison above must detect."""

    name, summary = "wrong", "makes a mistake"

    def __init__(self, mistake: str) -> None:
        self.mistake = mistake

    def refuses(self, request: Request) -> None:
        return None

    def scan(self, cell, x, state, weights, **options) -> Scan:
        if self.mistake == "gates swapped":
            order = [1, 0, *range(2, len(cell.gates))]
            swapped = [
                None if weight is None else weight.unflatten(0, (-1, H))[order].flatten(0, 1) for weight in weights[:4]
            ]
            return engines.reference.scan(cell, x, state, Weights(*swapped, weights.weight_hr), **options)
        correct = engines.reference.scan(cell, x, state, weights, **options)
        if self.mistake == "output scaled":
            return correct._replace(output=correct.output * 1.01)
        if self.mistake == "gradient scaled":
            return correct._replace(output=correct.output * 1.01 - correct.output.detach() * 0.01)
        earlier = engines.reference.scan(cell, x[1:] if options["reverse"] else x[:-1], state, weights, **options)
        return correct._replace(state=earlier.state)


MISTAKES = ("output scaled", "gradient scaled", "state of the wrong step")
WRONG = [*itertools.product(KINDS, MISTAKES), *((kind, "gates swapped") for kind in ("lstm", "projected", "gru"))]


@pytest.mark.parametrize("dtype", RELATIVE, ids=str)
@pytest.mark.parametrize(("kind", "mistake"), WRONG, ids=str)
def test_the_comparison_detects_a_wrong_engine(kind, mistake, dtype, monkeypatch):
    monkeypatch.setitem(engines.ENGINES, "wrong", Wrong(mistake))
    assert compare(Case("reference", kind, dtype=dtype)) <= RELATIVE[dtype]
    for num_layers, bidirectional in itertools.product((1, 2), (False, True)):
        assert compare(Case("wrong", kind, num_layers, bidirectional, dtype)) > 100 * RELATIVE[dtype]


if __name__ == "__main__":
    torch.set_num_threads(1)
    errors_by_dtype = compare_all()
    worst = ", ".join(
        f"{str(dtype).removeprefix('torch.')} {max(errors):.2g}" for dtype, errors in errors_by_dtype.items()
    )
    print(f"{sum(map(len, errors_by_dtype.values()))} combinations, worst error {worst}")
