"""Optimizers, and their learning rates: constant, by stage at the start of an epoch, or by schedule at each step."""

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor
from torch.optim import Optimizer

from gatewise.training.validation import Batches, chosen, count, finite, kind, length, positive

Stage: TypeAlias = tuple[int, float | None]  # epochs, and their learning rate: `None` where the optimizer's own holds


def cosine(done: float) -> float:
    """Falls from 1 to 0 while `done` goes from 0 to 1 (Loshchilov and Hutter 2017, equation 5, without restarts)."""
    return (1 + math.cos(math.pi * done)) / 2


def one_cycle(done: float) -> float:
    """Rises from 1/25 to 1 over the first 30 %, then falls to 0 (after Smith and Topin 2019, with cosine flanks)."""
    return 0.04 + 0.96 * cosine(1 - done / 0.3) if done < 0.3 else cosine((done - 0.3) / 0.7)


def _adam(parameters: list[Tensor], lr: float) -> Optimizer:
    """One fused kernel for all parameters where torch has it: a third of the time on small networks."""
    if all(parameter.is_floating_point() and parameter.device.type in ("cpu", "cuda") for parameter in parameters):
        try:
            return torch.optim.Adam(parameters, lr=lr, fused=True)
        except RuntimeError:  # torch before 2.4 has none for the CPU
            pass
    return torch.optim.Adam(parameters, lr=lr)


def _sgd(parameters: list[Tensor], lr: float) -> Optimizer:
    return torch.optim.SGD(parameters, lr=lr)


OPTIMIZERS = {"adam": _adam, "sgd": _sgd}
RATES = {"adam": 1e-3, "sgd": 1e-2}
SCHEDULES = {"cosine": cosine, "onecycle": one_cycle}


class Rates:
    """Sets the learning rate of each parameter group: by stage once an epoch, by schedule at every step."""

    def __init__(self, optimizer: Optimizer, stages: list[Stage], schedule: str | None, batches: Batches) -> None:
        self.groups = list(optimizer.param_groups)  # those of now: one added later keeps its own rate
        self.initial = [group["lr"] for group in self.groups]
        self.stages, self.epochs = stages, sum(epochs for epochs, _ in stages)
        self.factor = None if schedule is None else chosen("schedule", schedule, SCHEDULES)
        self.steps = 0 if schedule is None else self.epochs * length(batches)
        self.done = 0

    def begin(self, epoch: int) -> float:
        """The rate at the start of an epoch."""
        rate = self._of_stage(epoch)
        if rate is not None:
            self._set([rate] * len(self.groups))
        self._follow()
        return float(self.groups[0]["lr"])

    def advance(self) -> None:
        """Go on by one step."""
        self._follow()
        self.done += 1

    def put_back(self) -> None:
        """Leave the optimizer with the rates that it came with, if they were set here."""
        if self.factor is not None or self._of_stage(1) is not None:
            self._set(self.initial)

    def _of_stage(self, epoch: int) -> float | None:
        ends = itertools.accumulate(epochs for epochs, _ in self.stages)
        return next(rate for end, (_, rate) in zip(ends, self.stages, strict=True) if epoch <= end)

    def _follow(self) -> None:
        if self.factor is not None:
            factor = self.factor(min(1.0, self.done / self.steps))
            self._set([factor * rate for rate in self.initial])

    def _set(self, rates: Sequence[float]) -> None:
        for group, rate in zip(self.groups, rates, strict=True):
            group["lr"] = rate


def checked_stages(
    epochs: int | None, stages: Sequence[tuple[int, float]] | None, lr: float | None, schedule: str | None
) -> list[Stage]:
    """The stages given, or a single one of all epochs."""
    if stages is None:
        if epochs is None:
            raise ValueError("epochs is missing; say how many, or give stages")
        return [(count("epochs", epochs), None)]
    for name, other in (("lr", lr), ("schedule", schedule)):
        if other is not None:
            raise ValueError(f"stages and {name} both set the learning rate; give one of them")
    if not isinstance(stages, Iterable):
        raise ValueError(f"stages is {stages!r}, expected pairs (epochs, lr) such as (500, 0.03)")
    checked: list[Stage] = []
    for stage in stages:
        if not isinstance(stage, tuple | list) or len(stage) != 2:
            raise ValueError(f"stages holds {stage!r}, expected pairs (epochs, lr) such as (500, 0.03)")
        checked.append((count("the epochs of a stage", stage[0]), positive("the lr of a stage", stage[1])))
    if not checked:
        raise ValueError("stages is empty; give pairs (epochs, lr) such as (500, 0.03)")
    total = sum(stage[0] for stage in checked)
    if epochs is not None and epochs != total:
        raise ValueError(f"stages add up to {total} epochs, epochs is {epochs}; give stages alone")
    return checked


def trainer(module: torch.nn.Module, optimizer: str | Optimizer, lr: float | None) -> tuple[Optimizer, list[Tensor]]:
    """The optimizer and the parameters that it trains."""
    trainable: list[Tensor] = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not trainable:
        raise ValueError("module has no parameter that requires a gradient; there is nothing to train")
    if not finite(trainable):
        raise ValueError("module has weights that are NaN or infinite before training; initialise it anew")
    if isinstance(optimizer, str):
        rate = chosen("optimizer", optimizer, RATES) if lr is None else positive("lr", lr)
        return chosen("optimizer", optimizer, OPTIMIZERS)(trainable, rate), trainable
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer is {kind(optimizer)}, expected 'adam', 'sgd' or a torch.optim.Optimizer")
    if lr is not None:
        raise ValueError("lr is given, but so is an optimizer, which has its own; set it there")
    if isinstance(optimizer, torch.optim.LBFGS):
        raise ValueError("LBFGS evaluates the loss several times a step, this loop once; use another optimizer")
    owned = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    ids = {id(parameter) for parameter in trainable}
    if not all(id(parameter) in ids for parameter in owned):
        raise ValueError("optimizer has parameters that module does not train; build it from module.parameters()")
    return optimizer, owned
