"""Learning rates by default, by stage, by schedule and by an optimizer of the caller."""

import itertools
import math

import pytest
import torch

from gatewise.training import fit
from tests.tolerance import assert_close
from tests.training.small_models import Line, line_batches, mlp, mlp_batches, weights


def rates_seen(batches, **options):
    """The learning rate of each step, measured as the length of the step for a constant gradient of 1."""
    line, recorded = Line(), []

    def slope_one(prediction, y):
        recorded.append(-line.bias.item())
        return (prediction - prediction.detach()).sum() * 0 + line.bias.sum()

    history = fit(line, batches, loss=slope_one, optimizer="sgd", **options)
    recorded.append(-line.bias.item())
    return [later - earlier for earlier, later in itertools.pairwise(recorded)], history


def test_learning_rate_stages():
    used, history = rates_seen(line_batches(2), stages=[(2, 0.03), (1, 0.003), (3, 0.0003)])
    assert history.lr == [0.03] * 2 + [0.003] + [0.0003] * 3
    assert used == pytest.approx([rate for rate in history.lr for _ in range(2)], rel=1e-9)


def test_cosine_schedule_steps_with_every_batch():
    used, history = rates_seen(line_batches(2), schedule="cosine", lr=0.1, epochs=4)
    assert used == pytest.approx([0.1 * math.cos(math.pi * k / 16) ** 2 for k in range(8)], rel=1e-9)
    assert history.lr == pytest.approx(used[::2])


def test_one_cycle_schedule_rises_then_falls():
    used, _ = rates_seen(line_batches(1), schedule="onecycle", lr=0.1, epochs=100)
    assert used[0] == pytest.approx(0.1 / 25)
    assert max(used) == pytest.approx(used[30]) == pytest.approx(0.1)
    warm_up, fall = (used[30] - used[0]), used[30]
    assert used[15] == pytest.approx(used[0] + warm_up / 2)  # halfway at half of the warm-up
    assert used[10] == pytest.approx(used[0] + warm_up / 4)  # a quarter at a third, as for a cosine
    assert used[65] == pytest.approx(fall / 2)
    assert used[:31] == sorted(used[:31])
    assert used[30:] == sorted(used[30:], reverse=True)
    assert 0 < used[-1] < 1e-4


@pytest.mark.parametrize(("optimizer", "rate"), [("adam", 1e-3), ("sgd", 1e-2)])
def test_default_learning_rates(optimizer, rate):
    assert fit(Line(), line_batches(), optimizer=optimizer, epochs=1).lr == [rate]


def test_an_optimizer_keeps_its_state_and_its_rates_between_calls():
    once, continued = mlp(), mlp()
    fit(once, mlp_batches(), lr=0.01, epochs=6)
    adam = torch.optim.Adam(continued.parameters(), lr=0.01)
    for _ in range(2):
        fit(continued, mlp_batches(), optimizer=adam, epochs=3)
    assert_close(weights(continued), weights(once))
    fit(continued, mlp_batches(), optimizer=adam, stages=[(1, 0.5)])
    fit(continued, mlp_batches(), optimizer=adam, schedule="cosine", epochs=1)
    assert adam.param_groups[0]["lr"] == 0.01


def test_schedules_multiply_the_rate_of_each_group():
    line, recorded = Line(), []
    groups = [{"params": [line.weight], "lr": 0.2}, {"params": [line.bias], "lr": 0.1}]
    sgd = torch.optim.SGD(groups, lr=1.0)

    def note(epoch, history):
        recorded.append([group["lr"] for group in sgd.param_groups])

    fit(line, line_batches(1), optimizer=sgd, schedule="cosine", epochs=4, on_epoch=note)
    cosine = [math.cos(math.pi * k / 8) ** 2 for k in range(4)]
    assert recorded == [pytest.approx([0.2 * factor, 0.1 * factor]) for factor in cosine]
    assert [group["lr"] for group in sgd.param_groups] == [0.2, 0.1]
    fit(line, line_batches(1), optimizer=sgd, stages=[(1, 0.5)], on_epoch=note)
    assert recorded[-1] == [0.5, 0.5]
    assert [group["lr"] for group in sgd.param_groups] == [0.2, 0.1]


def test_a_scheduler_of_the_caller_takes_effect():
    line = Line()
    sgd = torch.optim.SGD(line.parameters(), lr=0.1)
    halve = torch.optim.lr_scheduler.StepLR(sgd, step_size=1, gamma=0.5)
    history = fit(line, line_batches(), optimizer=sgd, epochs=3, on_epoch=lambda epoch, history: halve.step())
    assert history.lr == pytest.approx([0.1, 0.05, 0.025])
    assert sgd.param_groups[0]["lr"] == pytest.approx(0.0125)


@pytest.mark.parametrize("options", [{"epochs": 3}, {"stages": [(3, 0.3)]}, {"epochs": 3, "schedule": "cosine"}])
def test_a_group_added_during_training_keeps_its_rate(options):
    line = Line().eval()
    sgd = torch.optim.SGD([line.weight], lr=0.1)

    def add(epoch, history):
        if epoch == 1:
            sgd.add_param_group({"params": [line.bias], "lr": 0.05})

    fit(line, line_batches(), optimizer=sgd, on_epoch=add, **options)
    assert [group["lr"] for group in sgd.param_groups] == [0.1, 0.05]
    assert line.bias.item() != 0
    assert line.bias.grad is None
    assert not line.training
