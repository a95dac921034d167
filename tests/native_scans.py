"""Helpers for the tests of the native kernels: random scans compared with the reference, small layers, and a separate
Python process for code that may crash.
"""

import os
import random
import subprocess
import sys
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from gatewise import cells, engines, nn
from gatewise.cells import Weights
from gatewise.engines import Scan
from tests.engines.test_engines import KINDS, normal
from tests.tolerance import RELATIVE, error

CELLS = {**cells.RNN, "lstm": cells.LSTM, "projected": cells.LSTM, "gru": cells.GRU}
GATES_AND_CELLS = ("gates", "cells")


class Problem(NamedTuple):
    """A scan of random numbers in float64: `T, B, I, H` and the options of the scan."""

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
    loss: tuple[str, ...] = ("output", "h", "c", "cells", "gates")  # the results in the loss
    with_gradients: tuple[str, ...] = ("x", "h", "c", *Weights._fields)  # the tensors with gradients


def tensors_of(problem: Problem, dtype: torch.dtype) -> dict[str, Tensor]:
    """x, the state and the weights in use, by name."""
    cell, T, B, I, H = CELLS[problem.kind], *problem[1:5]
    P, rows = problem.P or H, len(CELLS[problem.kind].gates) * H
    shapes: dict[str, tuple[int, ...]] = {"x": (T, B, I), "h": (B, P), "c": (B, H)}
    shapes |= {"weight_ih": (rows, I), "weight_hh": (rows, P), "bias_ih": (rows,), "bias_hh": (rows,)}
    shapes |= {"weight_hr": (P, H)}
    unused = {"c"} - set(cell.state._fields) | (set() if problem.P else {"weight_hr"})
    unused |= set() if problem.bias else {"bias_ih", "bias_hh"}
    if problem.layout == "expanded":
        shapes["x"] = (min(T, 1), B, I)
    tensors = {name: normal(*shape, seed=k) for k, (name, shape) in enumerate(shapes.items()) if name not in unused}
    for name, tensor in tensors.items():
        if name.startswith("weight") and tensor.numel():
            tensor.mul_(0.7 / tensor.shape[1] ** 0.5)  # neither vanishes nor grows without bound
        if name.startswith("bias"):
            tensor.mul_(0.3)  # where tanh is close to 1, its derivative has few significant digits
    return {name: tensor.to(dtype) for name, tensor in tensors.items()}


def with_layout(x: Tensor, problem: Problem) -> Tensor:
    """The same numbers in another memory layout."""
    if problem.layout == "batch first":
        return x.transpose(0, 1).contiguous().transpose(0, 1)
    if problem.layout == "features apart":
        return x.repeat_interleave(2, -1)[..., ::2]
    if problem.layout == "features last but one":
        return x.transpose(1, 2).contiguous().transpose(1, 2)
    if problem.layout == "part of a tensor":
        return torch.nn.functional.pad(x, (3, 2, 1, 1))[:, 1:-1, 3:-2]
    return x.expand(problem.T, -1, -1) if problem.layout == "expanded" else x


LAYOUTS = ("time first", "batch first", "features apart", "features last but one", "part of a tensor", "expanded")


def scanned(problem: Problem, tensors: dict[str, Tensor], engine: str) -> Scan:
    cell = CELLS[problem.kind]
    x, state = with_layout(tensors["x"], problem), cell.state(*(tensors[name] for name in cell.state._fields))
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
    leaves = [tensors[name].requires_grad_() for name in problem.with_gradients if name in tensors]
    values = values_of(scanned(problem, tensors, engine))
    total = torch.zeros((), dtype=dtype)
    for k, (name, value) in enumerate(values.items()):
        if name.split()[0] in problem.loss:
            weight = normal(*value.transpose(0, -1).shape, seed=20 + k).transpose(0, -1).to(dtype)
            total = total + (value * weight).sum()
    gradients = torch.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else [None] * len(leaves)
    names = [name for name in problem.with_gradients if name in tensors]
    return values | {
        f"gradient of {name}": torch.zeros_like(leaf) if gradient is None else gradient
        for name, leaf, gradient in zip(names, leaves, gradients, strict=True)
    }


def assert_as_reference(problem: Problem, dtype: torch.dtype = torch.float64) -> None:
    """The reference runs in float64 on one thread for every dtype, so that the expected values are exact."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    expected = results(problem, "reference")
    torch.set_num_threads(threads)
    for name, actual in results(problem, "native", dtype).items():
        worst = error(actual, expected[name].to(dtype))
        assert worst <= RELATIVE[dtype], f"{name} is off by {worst:.2g}: {problem}, {torch.get_num_threads()} threads"


def decreasing(lengths: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted((max(length, 1) for length in lengths), reverse=True))


SIZES = (1, 2, 7, 15, 16, 17, 31, 32, 33, 64, 65, 100, 130)


def random_problem(kind: str, seed: int) -> Problem:
    draw = random.Random(f"{kind} {seed}")
    T, B = draw.choice([(0, 3), (1, 1), (1, 4), (1, 7), (2, 100), (3, 65), (5, 17), (9, 33), (12, 2), (20, 1), (5, 0)])
    I, H = draw.choice((0, 3, *SIZES)), draw.choice(SIZES)
    lengths = tuple(draw.randint(0, T) for _ in range(B)) if draw.random() < 0.5 else None
    packed = bool(lengths) and T > 0 and I > 0 and draw.random() < 0.3
    return Problem(
        kind,
        T if lengths is None or not packed else max(decreasing(lengths)),
        B,
        I,
        H,
        P=draw.randint(1, H - 1) if kind == "projected" and H > 1 else 0,
        bias=draw.random() < 0.8,
        lengths=decreasing(lengths) if packed and lengths else lengths,
        reverse=draw.random() < 0.4,
        keep=draw.choice(((), GATES_AND_CELLS, ("gates",), ("cells",))) if not packed else (),
        layout=draw.choice(LAYOUTS) if T else "time first",
        packed=packed,
    )


CODES = {"tanh": 0, "relu": 1, "identity": 2, "lstm": 3, "projected": 3, "gru": 4}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def layer_of(kind: str, **options: Any) -> nn.Recurrent:
    cls, extra = KINDS[kind]
    return cls(3, 6, **{"dtype": torch.float64, "generator": seeded(), **extra, **options})


def run_python(code: str, standard_input: str = "", **environment: str) -> str:
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=standard_input,
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_CHECK_": "3", **environment},
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout.strip()
