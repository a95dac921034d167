"""`fit` compared with hand-written loops and closed forms."""

import tracemalloc

import pytest
import torch
from torch import nn

from gatewise.training import fit
from tests.tolerance import assert_close
from tests.training.small_models import Line, line_batches, mlp, mlp_batches, uniform, validation_losses, weights


def test_one_sgd_step_in_closed_form():
    x, y = line_batches(1)[0]
    line = Line(0.5, 0.2)
    history = fit(line, [(x, y)], optimizer="sgd", lr=0.1, epochs=1)
    gap = 0.5 * x + 0.2 - y
    assert_close(line.weight, torch.stack([0.5 - 0.1 * 2 * (gap * x).mean()]))
    assert_close(line.bias, torch.stack([0.2 - 0.1 * 2 * gap.mean()]))
    assert history.train == [pytest.approx((gap**2).mean().item(), rel=1e-12)]


def test_two_adam_steps_in_closed_form():
    line, batches, theta = Line(0.5, 0.2), line_batches(2), torch.tensor([0.5, 0.2], dtype=torch.float64)
    fit(line, batches, lr=0.1, epochs=1)
    m = v = torch.zeros(2, dtype=torch.float64)
    for t, (x, y) in enumerate(batches, 1):
        gap = theta[0] * x + theta[1] - y
        g = torch.stack([2 * (gap * x).mean(), 2 * gap.mean()])
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - 0.1 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    assert_close(weights(line), theta)


@pytest.mark.parametrize(
    ("loss", "by_hand"),
    [
        ("mse", lambda p, y: ((p - y) ** 2).mean()),
        ("mae", lambda p, y: (p - y).abs().mean()),
        ("huber", lambda p, y: torch.where((p - y).abs() < 1, (p - y) ** 2 / 2, (p - y).abs() - 0.5).mean()),
    ],
)
@pytest.mark.parametrize("clip", ["none", "norm", "size"])
def test_equals_a_hand_written_loop(loss, by_hand, clip):
    module, reference, batches, alpha = mlp(), mlp(), mlp_batches(scale=3.0), 0.01
    clipped = 0
    options = {"norm": {"clip_norm": 0.2}, "size": {"clip_size": alpha}}.get(clip, {})
    history = fit(module, batches, loss=loss, optimizer="sgd", lr=0.05, epochs=3, **options)

    expected = []
    for _ in range(3):
        total = 0.0
        for x, y in batches:
            value = by_hand(reference(x), y)
            gradients = torch.autograd.grad(value, list(reference.parameters()))
            for p, g in zip(reference.parameters(), gradients, strict=True):
                p.grad = g.clone()
            if clip == "norm":
                clipped += int(nn.utils.clip_grad_norm_(reference.parameters(), 0.2) > 0.2)
            for p in reference.parameters():
                norm, theta = (p.grad**2).sum().sqrt(), alpha * p.grad.numel()
                if clip == "size" and norm > theta:
                    p.grad, clipped = p.grad * theta / norm, clipped + 1
                p.data -= 0.05 * p.grad
            total += value.item()
        expected.append(total / len(batches))
    assert clip == "none" or clipped > 0
    assert_close(weights(module), weights(reference))
    assert history.train == pytest.approx(expected, rel=1e-10)


def test_losses_are_weighted_by_the_elements_of_the_target():
    x = torch.ones(4, dtype=torch.float64)
    batches = [(x, 2 * x), (x[:1], 7 * x[:1])]
    line = Line()
    history = fit(line, batches, optimizer=torch.optim.SGD(line.parameters(), lr=0.0), epochs=2, held_out=batches)
    assert history.train == history.held_out == [pytest.approx((4 * 4 + 1 * 49) / 5)] * 2


def test_memory_does_not_grow_with_the_number_of_epochs():
    tracemalloc.start()
    history = fit(Line(), line_batches(1), epochs=10**7, patience=1, **validation_losses([1.0, 2.0]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert history.epochs == 2
    assert peak < 5e6


def test_same_weights_and_batches_give_the_same_bits():
    def run():
        module = mlp()
        history = fit(module, mlp_batches(), lr=0.01, epochs=20, clip_norm=1.0, held_out=mlp_batches(1))
        return weights(module), history.train, history.held_out

    (first, *losses), (second, *other_losses) = run(), run()
    assert torch.equal(first, second)
    assert losses == other_losses


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_complex_parameters(optimizer):
    layer = nn.Module()
    layer.weight = nn.Parameter(torch.zeros(1, dtype=torch.complex128))
    layer.forward = lambda x: (layer.weight * x).abs() ** 2
    layer.weight.data += 2j
    history = fit(layer, [(torch.ones(1).double(),) * 2], optimizer=optimizer, lr=0.05, epochs=200, clip_size=1.0)
    assert history.train[-1] < 1e-3
    assert layer.weight.abs().item() == pytest.approx(1, abs=0.05)


def test_modes_gradients_and_frozen_parameters():
    line = Line(1.0, 0.5)
    module = nn.Sequential(line, nn.Dropout(0.5)).eval()
    module[1].train()
    line.bias.requires_grad_(False)
    line.unused = nn.Parameter(torch.ones(3))
    modes = []

    def loss(prediction, y):
        modes.append((line.training, module[1].training, torch.is_grad_enabled()))
        return (line.weight * y).sum() + 0 * prediction.sum()

    with torch.random.fork_rng(), torch.no_grad():
        fit(module, line_batches(2), loss=loss, epochs=2, held_out=line_batches(1), clip_size=1.0)
    assert modes == [(True, True, True), (True, True, True), (False, False, False)] * 2
    assert (module.training, line.training, module[1].training) == (False, False, True)
    assert (line.bias.item(), line.unused.tolist()) == (0.5, [1.0] * 3)
    assert line.weight.item() != 1.0
    assert all(parameter.grad is None for parameter in module.parameters())
    assert line.calls == 4


def test_an_optimizer_over_some_parameters_leaves_the_others_unchanged():
    module, reference = mlp(), mlp()
    head = torch.optim.SGD(module[2].parameters(), lr=0.1)
    fit(module, mlp_batches(), optimizer=head, epochs=2, clip_norm=0.1)
    assert all(parameter.grad is None for parameter in module.parameters())
    assert torch.equal(weights(module[0]), weights(reference[0]))
    assert not torch.equal(weights(module[2]), weights(reference[2]))


def test_any_callable_loss_and_integer_targets():
    batches = [(uniform(30, 3), (uniform(30, 3)[:, 0] > 0).long())]
    history = fit(mlp(), batches, loss=nn.CrossEntropyLoss(), lr=0.05, epochs=60)
    assert history.train[-1] < 0.1 < history.train[0]
