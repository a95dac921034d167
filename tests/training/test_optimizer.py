"""Optimizers by name against torch's own."""

import subprocess
import sys

import pytest
import torch

from gatewise.training import fit
from gatewise.training.validation import finite
from tests.training.small_models import Line, line_batches, weights

TORCHS = {
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.01),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.01),
}


@pytest.mark.parametrize("name", TORCHS)
@pytest.mark.parametrize("schedule", [None, "onecycle"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_optimizer_by_name_gives_the_bits_of_torchs(name, schedule, dtype):
    line, twin = Line().to(dtype), Line().to(dtype)
    batches = [(x.to(dtype), y.to(dtype)) for x, y in line_batches()]
    fit(line, batches, optimizer=name, lr=0.01, epochs=30, schedule=schedule, clip_norm=1.0)
    optimizer = TORCHS[name](twin.parameters())
    if name == "adam":
        optimizer = torch.optim.Adam(twin.parameters(), lr=0.01, fused=True)
    fit(twin, batches, optimizer=optimizer, epochs=30, schedule=schedule, clip_norm=1.0)
    assert torch.equal(weights(line), weights(twin))


class Branches(torch.nn.Module):
    """Two weights; the second one is used in every other call only."""

    def __init__(self):
        super().__init__()
        self.first, self.second = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
        self.unused, self.empty = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(0))
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x * self.first if self.calls % 2 else x * self.first * self.second


@pytest.mark.parametrize("name", TORCHS)
def test_a_parameter_without_gradient_is_skipped_as_in_torch(name):
    x = torch.arange(6.0).reshape(2, 3)
    module, twin = Branches(), Branches()
    fit(module, [(x, 2 * x)], optimizer=name, lr=0.01, epochs=9)
    fit(twin, [(x, 2 * x)], optimizer=TORCHS[name](twin.parameters()), epochs=9)
    for parameter, expected in zip(module.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(parameter, expected)
    assert torch.equal(module.unused, torch.ones(2))


@pytest.mark.parametrize("name", TORCHS)
def test_a_step_without_any_gradient_changes_nothing(name):
    line, scale = Line(), torch.ones((), requires_grad=True)
    before = weights(line).clone()
    fit(
        line,
        line_batches(),
        loss=lambda prediction, y: (prediction.detach() - y).mean() * scale,
        optimizer=name,
        epochs=2,
    )
    assert torch.equal(weights(line), before)


def test_sparse_gradients_have_a_remedy_or_work():
    def sparse():
        return torch.nn.Embedding.from_pretrained(torch.ones(4, 2), freeze=False, sparse=True)

    batches = [(torch.tensor([0, 2]), torch.zeros(2, 2))]
    with pytest.raises(RuntimeError, match="SparseAdam"):
        fit(sparse(), batches, optimizer="adam", epochs=1)
    module = sparse()
    fit(module, batches, optimizer="sgd", lr=0.1, epochs=1)
    assert (module.weight.sum(1) < 2).tolist() == [True, False, True, False]


def test_large_complex_weights_are_finite():
    large = torch.full((2,), complex(3e38, 3e38))
    assert finite([large, torch.ones(3), torch.ones(0)])
    assert not finite([large, torch.tensor([1.0, float("nan")])])
    assert not finite([torch.tensor([complex(0, float("inf"))])])


def test_a_training_does_not_import_torchs_compiler():
    code = (
        "import sys, gatewise; gatewise.Forecaster(hidden_size=4, max_steps=3).fit([1.0, 2.0, 4.0, 3.0] * 10);"
        "print([name for name in ('sympy', 'torch._dynamo') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert (result.stdout, result.stderr) == ("[]\n", "")
