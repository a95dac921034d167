"""The learning rate: constant, by stage at the start of an epoch, or by schedule at each step."""

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from gatewise.training.optimizer import Algorithm
from gatewise.training.validation import Batches, chosen, count, length, positive

Stage: TypeAlias = tuple[int, float | None]  # epochs and learning rate; `None` keeps the optimizer's own


def cosine(done: float) -> float:
    """Decreases from 1 to 0 as `done` goes from 0 to 1 (Loshchilov and Hutter 2017, equation 5, without restarts)."""
    return (1 + math.cos(math.pi * done)) / 2


def one_cycle(done: float) -> float:
    """Increases from 1/25 to 1 over the first 30 %, then decreases to 0 (Smith and Topin 2019, in cosine shape)."""
    return 0.04 + 0.96 * cosine(1 - done / 0.3) if done < 0.3 else cosine((done - 0.3) / 0.7)


SCHEDULES = {"cosine": cosine, "onecycle": one_cycle}


class LearningRate:
    """Sets the learning rate of each parameter group: by stage in each epoch, by schedule in each step."""

    def __init__(self, optimizer: Algorithm, stages: list[Stage], schedule: str | None, batches: Batches) -> None:
        self.groups = list(optimizer.param_groups)  # a group that is added later keeps its own rate
        self.initial = [group["lr"] for group in self.groups]
        self.stages, self.epochs = stages, sum(epochs for epochs, _ in stages)
        self.factor = None if schedule is None else chosen("schedule", schedule, SCHEDULES)
        self.steps = 0 if schedule is None else self.epochs * length(batches)
        self.done = 0

    def begin(self, epoch: int) -> float:
        """Set the rate for an epoch, and return it."""
        rate = self._stage_rate(epoch)
        if rate is not None:
            self._set([rate] * len(self.groups))
        self._apply_schedule()
        return float(self.groups[0]["lr"])

    def advance(self) -> None:
        """Set the rate for the next step."""
        self._apply_schedule()
        self.done += 1

    def restore(self) -> None:
        """Restore the initial rates of the optimizer, if they were changed."""
        if self.factor is not None or self._stage_rate(1) is not None:
            self._set(self.initial)

    def _stage_rate(self, epoch: int) -> float | None:
        ends = itertools.accumulate(epochs for epochs, _ in self.stages)
        return next(rate for end, (_, rate) in zip(ends, self.stages, strict=True) if epoch <= end)

    def _apply_schedule(self) -> None:
        if self.factor is not None:
            factor = self.factor(min(1.0, self.done / self.steps))
            self._set([factor * rate for rate in self.initial])

    def _set(self, rates: Sequence[float]) -> None:
        for group, rate in zip(self.groups, rates, strict=True):
            group["lr"] = rate


def checked_stages(
    epochs: int | None, stages: Sequence[tuple[int, float]] | None, lr: float | None, schedule: str | None
) -> list[Stage]:
    """The given stages, or a single one of all epochs."""
    if stages is None:
        if epochs is None:
            raise ValueError("epochs is missing; pass epochs or stages")
        return [(count("epochs", epochs), None)]
    for name, other in (("lr", lr), ("schedule", schedule)):
        if other is not None:
            raise ValueError(f"stages and {name} both set the learning rate; pass one of them")
    if not isinstance(stages, Iterable):
        raise ValueError(f"stages is {stages!r}, expected pairs (epochs, lr) such as (500, 0.03)")
    checked: list[Stage] = []
    for stage in stages:
        if not isinstance(stage, tuple | list) or len(stage) != 2:
            raise ValueError(f"stages holds {stage!r}, expected pairs (epochs, lr) such as (500, 0.03)")
        checked.append((count("the number of epochs of a stage", stage[0]), positive("the lr of a stage", stage[1])))
    if not checked:
        raise ValueError("stages is empty; pass pairs (epochs, lr) such as (500, 0.03)")
    total = sum(stage[0] for stage in checked)
    if epochs is not None and epochs != total:
        raise ValueError(f"stages add up to {total} epochs, but epochs is {epochs}; pass stages alone")
    return checked
