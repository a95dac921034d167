"""The equations against plain Python arithmetic, number by number."""

import math

import pytest
import torch
from torch import Tensor

from gatewise import cells
from gatewise.cells import Cell, Weights
from tests.tolerance import assert_close

B, I, H, P = 2, 3, 4, 2
ALL = [cells.RNN_TANH, cells.RNN_RELU, cells.RNN_IDENTITY, cells.LSTM, cells.GRU]


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def weights_of(cell: Cell, projection: int = 0) -> Weights:
    rows = len(cell.gates) * H
    shapes = [(rows, I), (rows, projection or H), (rows,), (rows,)] + [(projection, H)] * bool(projection)
    return Weights(*(normal(*shape, seed=seed) for seed, shape in enumerate(shapes)))


def state_of(cell: Cell, width: int = H):
    sizes = (width, *[H] * (len(cell.state._fields) - 1))
    return cell.state(*(normal(B, size, seed=10 + k) for k, size in enumerate(sizes)))


def dot(matrix: Tensor, row: int, vector: Tensor) -> float:
    return sum(float(a) * float(b) for a, b in zip(matrix[row], vector, strict=True))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def by_hand(cell: Cell, x: Tensor, state: tuple[Tensor, ...], w: Weights) -> list[Tensor]:
    """The state after one step, one number at a time."""
    after = [torch.zeros(B, H, dtype=torch.float64) for _ in state]
    for b in range(B):
        for j in range(H):
            inner = [dot(w.weight_ih, k * H + j, x[b]) + float(w.bias_ih[k * H + j]) for k in range(len(cell.gates))]
            past = [
                dot(w.weight_hh, k * H + j, state[0][b]) + float(w.bias_hh[k * H + j]) for k in range(len(cell.gates))
            ]
            both = [a + b for a, b in zip(inner, past, strict=True)]
            if cell is cells.LSTM:
                c = sigmoid(both[1]) * float(state[1][b, j]) + sigmoid(both[0]) * math.tanh(both[2])
                after[0][b, j], after[1][b, j] = sigmoid(both[3]) * math.tanh(c), c
            elif cell is cells.GRU:
                r, z = sigmoid(both[0]), sigmoid(both[1])
                after[0][b, j] = (1 - z) * math.tanh(inner[2] + r * past[2]) + z * float(state[0][b, j])
            else:
                f = {"rnn_tanh": math.tanh, "rnn_relu": lambda s: max(s, 0.0), "rnn_identity": float}[cell.name]
                after[0][b, j] = f(both[0])
    return after


@pytest.mark.parametrize("cell", ALL, ids=lambda cell: cell.name)
def test_step_equals_the_equation(cell):
    x, state, weights = normal(B, I, seed=20), state_of(cell), weights_of(cell)
    after, gates = cell.step(x, state, weights)
    assert type(after) is cell.state
    assert tuple(gates) == cell.gates
    for actual, expected in zip(after, by_hand(cell, x, state, weights), strict=True):
        assert_close(actual, expected)


def test_projection_multiplies_h_and_does_not_change_c():
    x, weights, state = normal(B, I, seed=20), weights_of(cells.LSTM, P), state_of(cells.LSTM, P)
    projected, _ = cells.lstm_step(x, state, weights)
    plain, _ = cells.lstm_step(x, state, weights._replace(weight_hr=None))
    assert_close(projected.h, plain.h @ weights.weight_hr.T)
    assert torch.equal(projected.c, plain.c)


@pytest.mark.parametrize("cell", [cells.LSTM, cells.GRU], ids=lambda cell: cell.name)
def test_gate_names_match_the_blocks_of_the_weights(cell):
    """A large bias in block k saturates the gate of that name and no other."""
    rows = len(cell.gates) * H
    for k, name in enumerate(cell.gates):
        bias = torch.zeros(rows)
        bias[k * H : (k + 1) * H] = 50.0
        weights = Weights(torch.zeros(rows, I), torch.zeros(rows, H), bias, torch.zeros(rows))
        _, gates = cell.step(torch.zeros(B, I), cell.state(*[torch.zeros(B, H)] * len(cell.state._fields)), weights)
        assert [other for other, gate in gates.items() if (gate == 1).all()] == [name]


@pytest.mark.parametrize("cell", ALL, ids=lambda cell: cell.name)
def test_a_missing_bias_equals_a_bias_of_zeros(cell):
    x, state, weights = normal(B, I, seed=20), state_of(cell), weights_of(cell)
    zeros = torch.zeros_like(weights.bias_ih)
    for name in ("bias_ih", "bias_hh"):
        absent, _ = cell.step(x, state, weights._replace(**{name: None}))
        zeroed, _ = cell.step(x, state, weights._replace(**{name: zeros}))
        assert_close(absent.h, zeroed.h)


def test_identity_is_linear():
    weights = weights_of(cells.RNN_IDENTITY)._replace(bias_ih=None, bias_hh=None)
    pairs = [(normal(B, I, seed=k), cells.RNNState(normal(B, H, seed=k + 1))) for k in (30, 40)]
    first, second = (cells.rnn_identity_step(x, state, weights)[0].h for x, state in pairs)
    summed = cells.RNNState(pairs[0][1].h + pairs[1][1].h)
    both, _ = cells.rnn_identity_step(pairs[0][0] + pairs[1][0], summed, weights)
    assert_close(both.h, first + second)


@pytest.mark.parametrize("cell", ALL, ids=lambda cell: cell.name)
def test_step_does_not_modify_its_arguments(cell):
    x, state, weights = normal(B, I, seed=20), state_of(cell), weights_of(cell)
    tensors = [x, *state, *(weight for weight in weights if weight is not None)]
    before = [tensor.clone() for tensor in tensors]
    cell.step(x, state, weights)
    assert all(map(torch.equal, tensors, before))
