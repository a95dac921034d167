"""Small models, batches and losses that the tests of training share."""

import torch
from torch import Tensor, nn


class Line(nn.Module):
    """`y = weight * x + bias`, in float64; a buffer counts its training calls."""

    calls: Tensor

    def __init__(self, weight=0.0, bias=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([float(weight)], dtype=torch.float64))
        self.bias = nn.Parameter(torch.tensor([float(bias)], dtype=torch.float64))
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        if self.training:
            self.calls += 1
        return self.weight * x + self.bias


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def line_batches(count=3, size=5, seed=0):
    xs = [uniform(size, seed=seed + k) for k in range(count)]
    return [(x, 3 * x - 1 + 0.1 * uniform(size, seed=99 + k)) for k, x in enumerate(xs)]


def mlp(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)).double()


def mlp_batches(count=4, scale=1.0):
    return [(uniform(6, 3, seed=k), scale * uniform(6, 2, seed=50 + k)) for k in range(count)]


def weights(module):
    return torch.cat([parameter.detach().reshape(-1) for parameter in module.parameters()])


def validation_losses(values):
    """A loss with given values on held-out batches; training batches have five elements."""
    remaining = iter(values)

    def loss(prediction, y):
        return ((prediction - y) ** 2).mean() if len(y) == 5 else torch.tensor(next(remaining), dtype=torch.float64)

    return {"loss": loss, "held_out": [(torch.zeros(1, dtype=torch.float64),) * 2]}


def record_states(line, states):
    return lambda epoch, history: states.update({epoch: {k: v.clone() for k, v in line.state_dict().items()}})


def assert_state(module, state):
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())


def nan_after(count, part):
    """A loss that after `count` calls is NaN ("loss"), or finite with a NaN gradient ("gradient")."""
    calls = []

    def loss(prediction, y):
        calls.append(1)
        value = ((prediction - y) ** 2).mean()
        if len(calls) <= count:
            return value
        return value * float("nan") if part == "loss" else value + (prediction * 0).abs().sqrt().sum()

    return loss
