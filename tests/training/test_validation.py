"""Arguments, batches, modules and optimizers that `fit` rejects."""

import pytest
import torch

from gatewise.training import fit
from tests.training.small_models import Line, line_batches, uniform

GOOD = line_batches(1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "epochs is missing; pass epochs or stages"),
        ({"epochs": 0}, ValueError, "epochs is 0, expected an integer of at least 1"),
        ({"epochs": 2.5}, ValueError, "epochs is 2.5, expected an integer"),
        ({"epochs": 1, "lr": -0.1}, ValueError, "lr is -0.1, expected a finite number above 0"),
        ({"epochs": 1, "lr": float("nan")}, ValueError, "lr is nan"),
        ({"epochs": 1, "lr": "0.1"}, ValueError, "lr is '0.1', expected a finite number above 0"),
        ({"epochs": 1, "clip_norm": "1"}, ValueError, "clip_norm is '1', expected a finite number above 0"),
        ({"stages": 5}, ValueError, r"stages is 5, expected pairs \(epochs, lr\) such as"),
        ({"epochs": 1, "held_out": 5}, TypeError, r"held_out is of type int, expected an iterable of pairs \(x, y\)"),
        ({"epochs": 1, "clip_norm": 0}, ValueError, "clip_norm is 0, expected"),
        ({"epochs": 1, "clip_size": -1.0}, ValueError, "clip_size is -1.0, expected"),
        (
            {"epochs": 1, "clip_size": 1.0, "clip_norm": 1.0},
            ValueError,
            "clip_norm and clip_size are both given; use one of them",
        ),
        ({"epochs": 1, "patience": 3}, ValueError, "patience needs a validation loss; pass held_out"),
        ({"epochs": 1, "patience": 0, "held_out": GOOD}, ValueError, "patience is 0, expected an integer"),
        ({"stages": []}, ValueError, "stages is empty"),
        ({"stages": [0.1]}, ValueError, r"stages holds 0.1, expected pairs \(epochs, lr\)"),
        ({"stages": [(0, 0.1)]}, ValueError, "the number of epochs of a stage is 0"),
        ({"stages": [(5, 0.0)]}, ValueError, "the lr of a stage is 0.0"),
        (
            {"stages": [(5, 0.1)], "epochs": 6},
            ValueError,
            "stages add up to 5 epochs, but epochs is 6; pass stages alone",
        ),
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
        ({"epochs": 1, "held_out": []}, ValueError, "held_out is empty; pass at least one pair"),
        ({"epochs": 1, "held_out": iter(GOOD)}, ValueError, "held_out can be iterated only once"),
    ],
)
def test_invalid_arguments(options, error, message):
    line = Line(2.0)
    with pytest.raises(error, match=message):
        fit(line, GOOD, **options)
    assert line.weight.item() == 2.0


@pytest.mark.parametrize(
    ("batches", "error", "message"),
    [
        ([], ValueError, r"batches is empty; pass at least one pair \(x, y\)"),
        (None, TypeError, r"batches is of type NoneType, expected an iterable of pairs \(x, y\); pass a list"),
        (iter(GOOD), ValueError, "batches can be iterated only once, but every epoch needs them; pass a list"),
        ([*GOOD, uniform(2, 5)], TypeError, r"batch 2 of batches is a tensor of shape \(2, 5\), expected a pair"),
        ([(uniform(3), 1.0)], TypeError, "batch 1 of batches is of type tuple, expected a pair .* tensor y"),
        ([(uniform(0), uniform(0))], ValueError, r"batch 1 of batches is empty: x is a tensor of shape \(0,\)"),
        ([(uniform(5), uniform(5, 1))], ValueError, r"has shape \(5,\), y has shape \(5, 1\); they are not broadcast"),
        ([(uniform(5), torch.ones(5))], TypeError, r"module\(x\) is torch.float64, y is torch.float32, expected one"),
        ([(uniform(5), torch.ones(5).long())], TypeError, "y is torch.int64, expected one floating type"),
    ],
)
def test_invalid_batches(batches, error, message):
    line = Line(2.0)
    with pytest.raises(error, match=message):
        fit(line, batches, epochs=1)
    assert line.weight.item() == 2.0


def test_batches_that_can_be_iterated_only_once():
    class Once:
        def __init__(self):
            self.pairs = iter(GOOD)

        def __iter__(self):
            return self.pairs

    assert fit(Line(), Once(), epochs=1).epochs == 1
    for options in ({"batches": Once()}, {"batches": GOOD, "held_out": Once()}):
        with pytest.raises(
            ValueError, match=r"(batches|held_out) can be iterated only once, but every epoch needs them"
        ):
            fit(Line(), epochs=2, **options)


def test_invalid_modules_and_optimizers():
    class Pair(Line):
        def forward(self, x):
            return super().forward(x), None

    class Endless:
        def __iter__(self):
            return iter(GOOD)

    frozen, broken, line = Line().requires_grad_(False), Line(float("inf")), Line()
    sgd = torch.optim.SGD(line.parameters(), lr=0.1)
    with pytest.raises(
        TypeError, match=r"module\(x\) is of type tuple, expected one tensor; wrap module to return only the pred"
    ):
        fit(Pair(), GOOD, epochs=1)
    with pytest.raises(ValueError, match="no parameter that requires a gradient, so nothing can be trained"):
        fit(frozen, GOOD, epochs=1)
    with pytest.raises(ValueError, match="NaN or infinite before training; initialise it again"):
        fit(broken, GOOD, epochs=1)
    with pytest.raises(ValueError, match="lr and an optimizer are both given; set the learning rate in the optimizer"):
        fit(line, GOOD, epochs=1, optimizer=sgd, lr=0.1)
    with pytest.raises(ValueError, match="optimizer has parameters that module does not train"):
        fit(Line(), GOOD, epochs=1, optimizer=sgd)
    with pytest.raises(ValueError, match="LBFGS evaluates the loss several times per step, but fit evaluates it once"):
        fit(line, GOOD, epochs=1, optimizer=torch.optim.LBFGS(line.parameters()))
    with pytest.raises(
        ValueError, match="needs the number of steps, but batches is of type Endless, which has no length"
    ):
        fit(line, Endless(), epochs=1, schedule="cosine")
    assert fit(line, Endless(), epochs=2).epochs == 2
