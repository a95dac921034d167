"""Which weights remain after early stopping, an interrupt or a divergence."""

import pytest
import torch
from torch import Tensor, nn

from gatewise.training import DivergenceError, fit
from tests.training.small_models import (
    Line,
    assert_state,
    line_batches,
    nan_after,
    record_states,
    validation_losses,
    weights,
)


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
    note = record_states(line, states)
    history = fit(
        line, line_batches(), lr=0.1, epochs=len(values), patience=patience, on_epoch=note, **validation_losses(values)
    )
    assert (history.best_epoch, history.epochs, history.stopped) == (best, epochs, stopped)
    assert history.held_out == values[:epochs]
    assert_state(line, states[best])
    assert not torch.equal(states[best]["weight"], states[epochs]["weight"])


def test_without_patience_the_last_weights_remain():
    line, states = Line(), {}
    losses = validation_losses([1.0, 2.0, 3.0])
    history = fit(line, line_batches(), epochs=3, on_epoch=record_states(line, states), **losses)
    assert (history.best_epoch, history.stopped) == (1, "epochs")
    assert_state(line, states[3])


@pytest.mark.parametrize(("patience", "epoch"), [(None, 2), (9, 1)])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupt_restores_the_weights_of_an_epoch(error, patience, epoch):
    line, states, calls = Line(), {}, []

    def batches_that_break():
        calls.append(1)
        yield line_batches()[0]
        if len(calls) == 3:
            raise error("stop")

    class Breaking:
        def __iter__(self):
            return batches_that_break()

    note = record_states(line, states)
    losses = validation_losses([1.0, 2.0, 3.0])
    with pytest.raises(error, match="stop"):
        fit(line, Breaking(), lr=0.1, epochs=9, patience=patience, on_epoch=note, **losses)
    assert_state(line, states[epoch])
    assert all(parameter.grad is None for parameter in line.parameters())
    assert line.training


def test_divergence_restores_the_last_finite_epoch():
    line, states = Line(), {}
    x = torch.full((5,), 100.0, dtype=torch.float64)
    with pytest.raises(DivergenceError, match="lr 1") as caught:
        fit(line, [(x, x)], optimizer="sgd", lr=1.0, epochs=500, on_epoch=record_states(line, states))
    history = caught.value.history
    assert (history.stopped, max(states)) == ("divergence", history.epochs)
    assert "; then diverged" in history.summary()
    assert f"in epoch {history.epochs + 1} at lr 1: " in str(caught.value)
    assert f"the weights are restored to those of epoch {history.epochs}. Use a smaller lr" in str(caught.value)
    assert_state(line, states[history.epochs])
    assert weights(line).isfinite().all()


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("loss", "in epoch 3 at lr 0.01: the training loss is nan; the weights are restored to those of epoch 2"),
        ("gradient", r"in epoch 3 at lr 0.01: a weight is NaN or infinite \(training loss .*those of epoch 2"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"clip_norm": 1.0}, {"clip_size": 1.0}])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_loss_or_gradient_that_is_not_finite_is_divergence(part, message, options, optimizer):
    line, states = Line(), {}
    note, loss = record_states(line, states), nan_after(8, part)
    with pytest.raises(DivergenceError, match=message):
        fit(line, line_batches(), loss=loss, optimizer=optimizer, lr=0.01, epochs=5, on_epoch=note, **options)
    assert_state(line, states[2])


OPTIMIZERS = {
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.01),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.01, momentum=0.9),
    "adagrad": lambda parameters: torch.optim.Adagrad(parameters, lr=0.01),  # has state before the first step
}


@pytest.mark.parametrize("maker", OPTIMIZERS)
@pytest.mark.parametrize("good_epochs", [0, 2])
def test_an_optimizer_can_continue_after_divergence(maker, good_epochs):
    line, twin = Line(), Line()
    optimizer, other = OPTIMIZERS[maker](line.parameters()), OPTIMIZERS[maker](twin.parameters())
    if good_epochs:
        fit(twin, line_batches(), optimizer=other, epochs=good_epochs)
    with pytest.raises(DivergenceError):
        fit(line, line_batches(), loss=nan_after(3 * good_epochs, "gradient"), optimizer=optimizer, epochs=5)
    for module, its_optimizer in ((line, optimizer), (twin, other)):
        fit(module, line_batches(), optimizer=its_optimizer, epochs=2)
    assert torch.equal(weights(line), weights(twin))


def test_the_best_weights_are_restored_with_their_optimizer_state():
    line, twin = Line(), Line()
    adam, other = OPTIMIZERS["adam"](line.parameters()), OPTIMIZERS["adam"](twin.parameters())
    losses = validation_losses([3.0, 1.0, 2.0, 2.0])
    fit(line, line_batches(), optimizer=adam, epochs=9, patience=2, **losses)
    fit(twin, line_batches(), optimizer=other, epochs=2)
    for module, its_optimizer in ((line, adam), (twin, other)):
        fit(module, line_batches(), optimizer=its_optimizer, epochs=1)
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


def test_an_interrupt_during_a_checkpoint_keeps_the_live_weights(monkeypatch):
    line, twin, calls, copy_ = Line(), Line(), [], Tensor.copy_
    fit(twin, line_batches(), epochs=2)

    def interrupted(self, other):
        calls.append(1)
        if len(calls) == 6:  # two parameters, copied before the first epoch and after each: the second of epoch 2
            raise KeyboardInterrupt
        return copy_(self, other)

    monkeypatch.setattr(Tensor, "copy_", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(line, line_batches(), epochs=5)
    assert torch.equal(weights(line), weights(twin))


def test_buffers_that_a_module_replaces_are_restored():
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


def test_a_validation_loss_that_is_not_finite_is_divergence():
    line = Line(2.0)
    with pytest.raises(DivergenceError, match=r"validation loss is inf \(training loss .*restored to the initial ones"):
        fit(line, line_batches(), epochs=5, **validation_losses([float("inf")]))
    assert line.weight.item() == 2.0
