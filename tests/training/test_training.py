"""The loop against hand-written loops, closed forms and torch's own tools, and what each way to end leaves behind."""

import itertools
import math
import sys
import tracemalloc

import pytest
import torch
from torch import Tensor, nn

from gatewise.training import DivergenceError, History, clip_by_size, fit
from tests.tolerance import assert_close


class Line(nn.Module):
    """`y = weight * x + bias`, in float64, with a running count of its training calls as a buffer."""

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
    ours, theirs, batches, alpha = mlp(), mlp(), mlp_batches(scale=3.0), 0.01
    clipped = 0
    options = {"norm": {"clip_norm": 0.2}, "size": {"clip_size": alpha}}.get(clip, {})
    history = fit(ours, batches, loss=loss, optimizer="sgd", lr=0.05, epochs=3, **options)

    expected = []
    for _ in range(3):
        total = 0.0
        for x, y in batches:
            value = by_hand(theirs(x), y)
            gradients = torch.autograd.grad(value, list(theirs.parameters()))
            for p, g in zip(theirs.parameters(), gradients, strict=True):
                p.grad = g.clone()
            if clip == "norm":
                clipped += int(nn.utils.clip_grad_norm_(theirs.parameters(), 0.2) > 0.2)
            for p in theirs.parameters():
                norm, theta = (p.grad**2).sum().sqrt(), alpha * p.grad.numel()
                if clip == "size" and norm > theta:
                    p.grad, clipped = p.grad * theta / norm, clipped + 1
                p.data -= 0.05 * p.grad
            total += value.item()
        expected.append(total / len(batches))
    assert clip == "none" or clipped > 0
    assert_close(weights(ours), weights(theirs))
    assert history.train == pytest.approx(expected, rel=1e-10)


def test_clipping_by_size_scales_only_what_is_too_long():
    small, large, none = (torch.zeros(4, requires_grad=True) for _ in range(3))
    small.grad, large.grad = torch.full((4,), 1.9), torch.full((4,), -8.0)
    clip_by_size([small, large, none], alpha=1.0)  # theta 4; norms 3.8 and 16
    assert small.grad.tolist() == pytest.approx([1.9] * 4)
    assert large.grad.tolist() == pytest.approx([-2.0] * 4)
    assert none.grad is None
    clip_by_size([none], alpha=1.0)


@pytest.mark.parametrize(
    ("size", "dtype"),
    [(40000.0, torch.float16), (3e38, torch.float32), (1e308, torch.float64), (1.5e308, torch.float64)],
)
def test_clipping_by_size_of_gradients_whose_norm_overflows(size, dtype):
    long = torch.zeros(4, dtype=dtype, requires_grad=True)
    long.grad = torch.full((4,), -size, dtype=dtype)
    clip_by_size([long], alpha=0.5)  # theta 2
    assert long.grad.tolist() == pytest.approx([-1.0] * 4, rel=1e-3)
    long.grad = torch.full((4,), 40000, dtype=dtype)
    clip_by_size([long], alpha=30000.0)
    assert long.grad.tolist() == [40000] * 4


@pytest.mark.parametrize("alpha", [0, -1.0, float("nan"), float("inf")])
def test_clipping_by_size_needs_a_size(alpha):
    with pytest.raises(ValueError, match=f"alpha is {alpha}, expected a finite number above 0"):
        clip_by_size([], alpha)


def test_losses_are_weighted_by_the_elements_of_the_target():
    x = torch.ones(4, dtype=torch.float64)
    batches = [(x, 2 * x), (x[:1], 7 * x[:1])]
    line = Line()
    history = fit(line, batches, optimizer=torch.optim.SGD(line.parameters(), lr=0.0), epochs=2, held_out=batches)
    assert history.train == history.held_out == [pytest.approx((4 * 4 + 1 * 49) / 5)] * 2


def rates_seen(batches, **options):
    """The learning rate that each step really used, from the step it took with the constant gradient 1."""
    line, seen = Line(), []

    def slope_one(prediction, y):
        seen.append(-line.bias.item())
        return (prediction - prediction.detach()).sum() * 0 + line.bias.sum()

    history = fit(line, batches, loss=slope_one, optimizer="sgd", **options)
    seen.append(-line.bias.item())
    return [later - earlier for earlier, later in itertools.pairwise(seen)], history


def test_learning_rate_stages():
    used, history = rates_seen(line_batches(2), stages=[(2, 0.03), (1, 0.003), (3, 0.0003)])
    assert history.lr == [0.03] * 2 + [0.003] + [0.0003] * 3
    assert used == pytest.approx([rate for rate in history.lr for _ in range(2)], rel=1e-9)


def test_many_epochs_take_no_memory_ahead():
    tracemalloc.start()
    history = fit(Line(), GOOD, epochs=10**7, patience=1, **held_out_that_says([1.0, 2.0]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert history.epochs == 2
    assert peak < 5e6


def test_cosine_schedule_steps_with_every_batch():
    used, history = rates_seen(line_batches(2), schedule="cosine", lr=0.1, epochs=4)
    assert used == pytest.approx([0.1 * math.cos(math.pi * k / 16) ** 2 for k in range(8)], rel=1e-9)
    assert history.lr == pytest.approx(used[::2])


def test_one_cycle_schedule_rises_then_falls():
    used, _ = rates_seen(line_batches(1), schedule="onecycle", lr=0.1, epochs=100)
    assert used[0] == pytest.approx(0.1 / 25)
    assert max(used) == pytest.approx(used[30]) == pytest.approx(0.1)
    warm_up, fall = (used[30] - used[0]), used[30]
    assert used[15] == pytest.approx(used[0] + warm_up / 2)  # half of the way at half of the warm-up
    assert used[10] == pytest.approx(used[0] + warm_up / 4)  # a quarter at a third, as a cosine does
    assert used[65] == pytest.approx(fall / 2)
    assert used[:31] == sorted(used[:31])
    assert used[30:] == sorted(used[30:], reverse=True)
    assert 0 < used[-1] < 1e-4


@pytest.mark.parametrize(("optimizer", "rate"), [("adam", 1e-3), ("sgd", 1e-2)])
def test_default_learning_rates(optimizer, rate):
    assert fit(Line(), line_batches(), optimizer=optimizer, epochs=1).lr == [rate]


def test_an_optimizer_given_goes_on_where_it_was_and_keeps_its_rates():
    once, twice = mlp(), mlp()
    fit(once, mlp_batches(), lr=0.01, epochs=6)
    adam = torch.optim.Adam(twice.parameters(), lr=0.01)
    for _ in range(2):
        fit(twice, mlp_batches(), optimizer=adam, epochs=3)
    assert_close(weights(twice), weights(once))
    fit(twice, mlp_batches(), optimizer=adam, stages=[(1, 0.5)])
    fit(twice, mlp_batches(), optimizer=adam, schedule="cosine", epochs=1)
    assert adam.param_groups[0]["lr"] == 0.01


def test_schedules_multiply_the_rate_of_each_group():
    line, seen = Line(), []
    groups = [{"params": [line.weight], "lr": 0.2}, {"params": [line.bias], "lr": 0.1}]
    sgd = torch.optim.SGD(groups, lr=1.0)

    def note(epoch, history):
        seen.append([group["lr"] for group in sgd.param_groups])

    fit(line, line_batches(1), optimizer=sgd, schedule="cosine", epochs=4, on_epoch=note)
    cosine = [math.cos(math.pi * k / 8) ** 2 for k in range(4)]
    assert seen == [pytest.approx([0.2 * factor, 0.1 * factor]) for factor in cosine]
    assert [group["lr"] for group in sgd.param_groups] == [0.2, 0.1]
    fit(line, line_batches(1), optimizer=sgd, stages=[(1, 0.5)], on_epoch=note)
    assert seen[-1] == [0.5, 0.5]
    assert [group["lr"] for group in sgd.param_groups] == [0.2, 0.1]


def test_a_scheduler_of_ones_own_is_not_undone():
    line = Line()
    sgd = torch.optim.SGD(line.parameters(), lr=0.1)
    halve = torch.optim.lr_scheduler.StepLR(sgd, step_size=1, gamma=0.5)
    history = fit(line, line_batches(), optimizer=sgd, epochs=3, on_epoch=lambda epoch, history: halve.step())
    assert history.lr == pytest.approx([0.1, 0.05, 0.025])
    assert sgd.param_groups[0]["lr"] == pytest.approx(0.0125)


@pytest.mark.parametrize("options", [{"epochs": 3}, {"stages": [(3, 0.3)]}, {"epochs": 3, "schedule": "cosine"}])
def test_a_group_added_on_the_way_keeps_its_rate(options):
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


def test_same_weights_and_batches_give_the_same_bits():
    def run():
        module = mlp()
        history = fit(module, mlp_batches(), lr=0.01, epochs=20, clip_norm=1.0, held_out=mlp_batches(1))
        return weights(module), history.train, history.held_out

    (first, *losses), (second, *again) = run(), run()
    assert torch.equal(first, second)
    assert losses == again


def held_out_that_says(values):
    """A loss whose held-out value follows the list, whatever the weights; training batches have five elements."""
    said = iter(values)

    def loss(prediction, y):
        return ((prediction - y) ** 2).mean() if len(y) == 5 else torch.tensor(next(said), dtype=torch.float64)

    return {"loss": loss, "held_out": [(torch.zeros(1, dtype=torch.float64),) * 2]}


def states_by_epoch(line, states):
    return lambda epoch, history: states.update({epoch: {k: v.clone() for k, v in line.state_dict().items()}})


def assert_state(module, state):
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize(
    ("values", "patience", "best", "epochs", "stopped"),
    [
        ([5.0, 3.0, 4.0, 3.0, 6.0, 1.0, 1.0], 3, 2, 5, "patience"),  # an equal loss is no improvement
        ([5.0, 3.0, 4.0, 3.0, 6.0, 1.0, 2.0], 4, 6, 7, "epochs"),
        ([1.0, 2.0, 3.0], 1, 1, 2, "patience"),
    ],
)
def test_early_stopping_restores_exactly_the_best_weights(values, patience, best, epochs, stopped):
    line, states = Line(), {}
    note = states_by_epoch(line, states)
    history = fit(
        line, line_batches(), lr=0.1, epochs=len(values), patience=patience, on_epoch=note, **held_out_that_says(values)
    )
    assert (history.best_epoch, history.epochs, history.stopped) == (best, epochs, stopped)
    assert history.held_out == values[:epochs]
    assert_state(line, states[best])
    assert not torch.equal(states[best]["weight"], states[epochs]["weight"])


def test_without_patience_the_last_weights_stay():
    line, states = Line(), {}
    says = held_out_that_says([1.0, 2.0, 3.0])
    history = fit(line, line_batches(), epochs=3, on_epoch=states_by_epoch(line, states), **says)
    assert (history.best_epoch, history.stopped) == (1, "epochs")
    assert_state(line, states[3])


@pytest.mark.parametrize(("patience", "epoch"), [(None, 2), (9, 1)])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupt_puts_good_weights_back_and_goes_on(error, patience, epoch):
    line, states, calls = Line(), {}, []

    def batches_that_break():
        calls.append(1)
        yield line_batches()[0]
        if len(calls) == 3:
            raise error("stop")

    class Breaking:
        def __iter__(self):
            return batches_that_break()

    note = states_by_epoch(line, states)
    says = held_out_that_says([1.0, 2.0, 3.0])
    with pytest.raises(error, match="stop"):
        fit(line, Breaking(), lr=0.1, epochs=9, patience=patience, on_epoch=note, **says)
    assert_state(line, states[epoch])
    assert all(parameter.grad is None for parameter in line.parameters())
    assert line.training


def test_divergence_of_the_weights_puts_the_last_good_epoch_back():
    line, states = Line(), {}
    x = torch.full((5,), 100.0, dtype=torch.float64)
    with pytest.raises(DivergenceError, match="lr 1") as caught:
        fit(line, [(x, x)], optimizer="sgd", lr=1.0, epochs=500, on_epoch=states_by_epoch(line, states))
    history = caught.value.history
    assert (history.stopped, max(states)) == ("divergence", history.epochs)
    assert "; then it diverged" in history.summary()
    assert f"in epoch {history.epochs + 1} at lr 1: " in str(caught.value)
    assert f"the weights are back to those of epoch {history.epochs}. Use a smaller lr" in str(caught.value)
    assert_state(line, states[history.epochs])
    assert weights(line).isfinite().all()


def nan_after(count, what):
    """A loss that is finite but has a NaN gradient ("gradient"), or is NaN itself ("loss"), after `count` calls."""
    calls = []

    def loss(prediction, y):
        calls.append(1)
        value = ((prediction - y) ** 2).mean()
        if len(calls) <= count:
            return value
        return value * float("nan") if what == "loss" else value + (prediction * 0).abs().sqrt().sum()

    return loss


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("loss", "in epoch 3 at lr 0.01: the training loss is nan; the weights are back to those of epoch 2"),
        ("gradient", r"in epoch 3 at lr 0.01: a weight is NaN or infinite \(training loss .*those of epoch 2"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"clip_norm": 1.0}, {"clip_size": 1.0}])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_loss_or_gradient_that_is_not_finite_is_divergence(what, message, options, optimizer):
    line, states = Line(), {}
    note, loss = states_by_epoch(line, states), nan_after(8, what)
    with pytest.raises(DivergenceError, match=message):
        fit(line, line_batches(), loss=loss, optimizer=optimizer, lr=0.01, epochs=5, on_epoch=note, **options)
    assert_state(line, states[2])


MAKERS = {
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.01),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.01, momentum=0.9),
    "adagrad": lambda parameters: torch.optim.Adagrad(parameters, lr=0.01),  # has its state before the first step
}


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("good_epochs", [0, 2])
def test_an_optimizer_given_goes_on_after_divergence(maker, good_epochs):
    line, twin = Line(), Line()
    optimizer, other = MAKERS[maker](line.parameters()), MAKERS[maker](twin.parameters())
    if good_epochs:
        fit(twin, line_batches(), optimizer=other, epochs=good_epochs)
    with pytest.raises(DivergenceError):
        fit(line, line_batches(), loss=nan_after(3 * good_epochs, "gradient"), optimizer=optimizer, epochs=5)
    for one, its in ((line, optimizer), (twin, other)):
        fit(one, line_batches(), optimizer=its, epochs=2)
    assert torch.equal(weights(line), weights(twin))


def test_the_best_weights_come_with_their_optimizer_state():
    line, twin = Line(), Line()
    adam, other = MAKERS["adam"](line.parameters()), MAKERS["adam"](twin.parameters())
    says = held_out_that_says([3.0, 1.0, 2.0, 2.0])
    fit(line, line_batches(), optimizer=adam, epochs=9, patience=2, **says)
    fit(twin, line_batches(), optimizer=other, epochs=2)
    for one, its in ((line, adam), (twin, other)):
        fit(one, line_batches(), optimizer=its, epochs=1)
    assert torch.equal(weights(line), weights(twin))


def test_nan_in_a_later_parameter_alone_is_divergence():
    line = Line()

    def loss(prediction, y):
        return ((prediction - y) ** 2).mean() + (line.bias * 0).abs().sqrt().sum()

    with pytest.raises(DivergenceError, match="a weight is NaN or infinite"):
        fit(line, line_batches(1), loss=loss, epochs=1)
    assert weights(line).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("size", "dtype"), [(70000, torch.float16), (10, torch.float32)])
def test_weights_whose_sum_overflows_are_finite(size, dtype):
    layer = nn.Module()
    layer.weight = nn.Parameter(torch.full((size,), 2e38 if dtype == torch.float32 else 1.0, dtype=dtype))
    layer.forward = lambda x: layer.weight[:1] * x
    batches = [(torch.zeros(1, dtype=dtype),) * 2]
    assert fit(layer, batches, optimizer="sgd", epochs=1).stopped == "epochs"


def test_an_interrupt_while_weights_are_kept_leaves_the_live_ones(monkeypatch):
    line, twin, calls, copy_ = Line(), Line(), [], Tensor.copy_
    fit(twin, line_batches(), epochs=2)

    def interrupted(self, other):
        calls.append(1)
        if len(calls) == 6:  # two parameters, before the first epoch and after each: the second one of epoch 2
            raise KeyboardInterrupt
        return copy_(self, other)

    monkeypatch.setattr(Tensor, "copy_", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(line, line_batches(), epochs=5)
    assert torch.equal(weights(line), weights(twin))


def test_buffers_that_a_module_replaces_are_put_back():
    class Replacing(Line):
        def __init__(self):
            super().__init__()
            self.register_buffer("grown", torch.zeros(1))

        def forward(self, x):
            if self.training:
                self.calls, self.grown = self.calls + 1, torch.cat([self.grown, self.grown[:1]])
            return self.weight * x + self.bias

    module = Replacing()
    with pytest.raises(DivergenceError):
        fit(nn.Sequential(module), line_batches(), loss=nan_after(4, "loss"), epochs=5)
    assert module.calls == 3
    assert module.grown.shape == (4,)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_complex_parameters(optimizer):
    layer = nn.Module()
    layer.weight = nn.Parameter(torch.zeros(1, dtype=torch.complex128))
    layer.forward = lambda x: (layer.weight * x).abs() ** 2
    layer.weight.data += 2j
    history = fit(layer, [(torch.ones(1).double(),) * 2], optimizer=optimizer, lr=0.05, epochs=200, clip_size=1.0)
    assert history.train[-1] < 1e-3
    assert layer.weight.abs().item() == pytest.approx(1, abs=0.05)


def test_a_held_out_loss_that_is_not_finite_is_divergence():
    line = Line(2.0)
    with pytest.raises(DivergenceError, match=r"held-out loss is inf \(training loss .*back to those it started with"):
        fit(line, line_batches(), epochs=5, **held_out_that_says([float("inf")]))
    assert line.weight.item() == 2.0


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


def test_an_optimizer_over_some_parameters_leaves_the_others_alone():
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


def test_summary_and_repr():
    history = History([276.7, 79.12345], [300.0, 105.0], [0.1, 0.1], [1.0, 2.0], 2, "patience")
    losses = "training loss 276.7 -> 79.12, held-out loss 300 -> 105, lowest 105 in epoch 2"
    expected = f"2 epochs in 3.0 s: {losses}; stopped early"
    assert history.summary() == expected
    assert repr(history) == f"<History: {expected}>"
    assert History().summary() == "no epoch finished"
    assert History([2.0], [], [0.1], [0.5], None, "epochs").summary() == "1 epoch in 0.5 s: training loss 2 -> 2"


def test_quiet_is_silent_and_a_log_gets_ten_lines(capsys):
    fit(Line(), line_batches(), epochs=100)
    assert capsys.readouterr() == ("", "")
    fit(Line(), line_batches(), epochs=95, held_out=line_batches(1), quiet=False, description="fitting")
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert (out, len(lines)) == ("", 11)
    assert lines[0].startswith("fitting: epoch 1 of 95, loss ")
    assert lines[-1].startswith("fitting: epoch 95 of 95, loss ")
    assert all(", held-out " in line for line in lines)


def test_without_a_standard_error_there_is_no_progress(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert fit(Line(), line_batches(), epochs=2, quiet=False).epochs == 2


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fit(Line(), line_batches(), epochs=7, quiet=False, description="fitting")
    out, err = capsys.readouterr()
    assert out == ""
    assert "fitting: 100%" in err
    assert "7/7" in err
    assert "loss " in err


GOOD = line_batches(1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "epochs is missing; say how many, or give stages"),
        ({"epochs": 0}, ValueError, "epochs is 0, expected a whole number of at least 1"),
        ({"epochs": 2.5}, ValueError, "epochs is 2.5, expected a whole number"),
        ({"epochs": 1, "lr": -0.1}, ValueError, "lr is -0.1, expected a finite number above 0"),
        ({"epochs": 1, "lr": float("nan")}, ValueError, "lr is nan"),
        ({"epochs": 1, "lr": "0.1"}, ValueError, "lr is '0.1', expected a finite number above 0"),
        ({"epochs": 1, "clip_norm": "1"}, ValueError, "clip_norm is '1', expected a finite number above 0"),
        ({"stages": 5}, ValueError, r"stages is 5, expected pairs \(epochs, lr\) such as"),
        ({"epochs": 1, "held_out": 5}, TypeError, r"held_out is of type int, expected pairs \(x, y\) to iterate"),
        ({"epochs": 1, "clip_norm": 0}, ValueError, "clip_norm is 0, expected"),
        ({"epochs": 1, "clip_size": -1.0}, ValueError, "clip_size is -1.0, expected"),
        (
            {"epochs": 1, "clip_size": 1.0, "clip_norm": 1.0},
            ValueError,
            "clip_norm and clip_size are both given; choose",
        ),
        ({"epochs": 1, "patience": 3}, ValueError, "patience watches the held-out loss; give held_out"),
        ({"epochs": 1, "patience": 0, "held_out": GOOD}, ValueError, "patience is 0, expected a whole number"),
        ({"stages": []}, ValueError, "stages is empty"),
        ({"stages": [0.1]}, ValueError, r"stages holds 0.1, expected pairs \(epochs, lr\)"),
        ({"stages": [(0, 0.1)]}, ValueError, "the epochs of a stage is 0"),
        ({"stages": [(5, 0.0)]}, ValueError, "the lr of a stage is 0.0"),
        ({"stages": [(5, 0.1)], "epochs": 6}, ValueError, "stages add up to 5 epochs, epochs is 6; give stages alone"),
        ({"stages": [(5, 0.1)], "lr": 0.1}, ValueError, "stages and lr both set the learning rate"),
        ({"stages": [(5, 0.1)], "schedule": "cosine"}, ValueError, "stages and schedule both set the learning rate"),
        ({"epochs": 1, "optimizer": "adamw"}, ValueError, "optimizer is 'adamw', expected one of 'adam', 'sgd'"),
        ({"epochs": 1, "optimizer": 3}, TypeError, "optimizer is of type int, expected 'adam', 'sgd' or a torch"),
        ({"epochs": 1, "loss": "rmse"}, ValueError, "loss is 'rmse', expected one of 'mse', 'mae', 'huber'"),
        ({"epochs": 1, "loss": 3}, TypeError, "loss is 3, expected a name or a function of"),
        (
            {"epochs": 1, "loss": lambda p, y: p - y},
            TypeError,
            r"loss\(prediction, y\) is a tensor of shape \(5,\), exp",
        ),
        ({"epochs": 1, "loss": lambda p, y: p.detach().sum()}, ValueError, "depends on no parameter that requires"),
        ({"epochs": 1, "schedule": "linear"}, ValueError, "schedule is 'linear', expected one of 'cosine', 'onecycle'"),
        ({"epochs": 1, "held_out": []}, ValueError, "held_out is empty; give at least one pair"),
        ({"epochs": 1, "held_out": iter(GOOD)}, ValueError, "held_out can be iterated only once"),
    ],
)
def test_arguments_that_are_refused(options, error, message):
    line = Line(2.0)
    with pytest.raises(error, match=message):
        fit(line, GOOD, **options)
    assert line.weight.item() == 2.0


@pytest.mark.parametrize(
    ("batches", "error", "message"),
    [
        ([], ValueError, r"batches is empty; give at least one pair \(x, y\)"),
        (None, TypeError, r"batches is of type NoneType, expected pairs \(x, y\) to iterate; give a list"),
        (iter(GOOD), ValueError, "batches can be iterated only once, every epoch needs them; give a list"),
        ([*GOOD, uniform(2, 5)], TypeError, r"batch 2 of batches is a tensor of shape \(2, 5\), expected a pair"),
        ([(uniform(3), 1.0)], TypeError, "batch 1 of batches is of type tuple, expected a pair .* tensor y"),
        ([(uniform(0), uniform(0))], ValueError, r"batch 1 of batches is empty: x is a tensor of shape \(0,\)"),
        ([(uniform(5), uniform(5, 1))], ValueError, r"has shape \(5,\), y has shape \(5, 1\); nothing is broadcast"),
        ([(uniform(5), torch.ones(5))], TypeError, r"module\(x\) is torch.float64, y is torch.float32, expected one"),
        ([(uniform(5), torch.ones(5).long())], TypeError, "y is torch.int64, expected one floating type"),
    ],
)
def test_batches_that_are_refused(batches, error, message):
    line = Line(2.0)
    with pytest.raises(error, match=message):
        fit(line, batches, epochs=1)
    assert line.weight.item() == 2.0


def test_batches_that_run_dry_say_so():
    class Once:
        def __init__(self):
            self.pairs = iter(GOOD)

        def __iter__(self):
            return self.pairs

    assert fit(Line(), Once(), epochs=1).epochs == 1
    for options in ({"batches": Once()}, {"batches": GOOD, "held_out": Once()}):
        with pytest.raises(ValueError, match=r"(batches|held_out) can be iterated only once, every epoch needs them"):
            fit(Line(), epochs=2, **options)


def test_modules_and_optimizers_that_are_refused():
    class Pair(Line):
        def forward(self, x):
            return super().forward(x), None

    class Endless:
        def __iter__(self):
            return iter(GOOD)

    frozen, broken, line = Line().requires_grad_(False), Line(float("inf")), Line()
    sgd = torch.optim.SGD(line.parameters(), lr=0.1)
    with pytest.raises(TypeError, match=r"module\(x\) is of type tuple, expected one tensor; wrap it"):
        fit(Pair(), GOOD, epochs=1)
    with pytest.raises(ValueError, match="no parameter that requires a gradient; there is nothing to train"):
        fit(frozen, GOOD, epochs=1)
    with pytest.raises(ValueError, match="NaN or infinite before training; initialise it anew"):
        fit(broken, GOOD, epochs=1)
    with pytest.raises(ValueError, match="lr is given, but so is an optimizer"):
        fit(line, GOOD, epochs=1, optimizer=sgd, lr=0.1)
    with pytest.raises(ValueError, match="optimizer has parameters that module does not train"):
        fit(Line(), GOOD, epochs=1, optimizer=sgd)
    with pytest.raises(ValueError, match="LBFGS evaluates the loss several times a step"):
        fit(line, GOOD, epochs=1, optimizer=torch.optim.LBFGS(line.parameters()))
    with pytest.raises(ValueError, match="counts steps ahead, but batches is of type Endless without a length"):
        fit(line, Endless(), epochs=1, schedule="cosine")
    assert fit(line, Endless(), epochs=2).epochs == 2
