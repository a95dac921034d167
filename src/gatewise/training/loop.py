"""The training loop, `fit`."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from gatewise.threads import following_work
from gatewise.training.checkpoint import Checkpoint
from gatewise.training.clipping import clipping
from gatewise.training.history import DivergenceError, History
from gatewise.training.learning_rate import LearningRate, checked_stages
from gatewise.training.optimizer import build_optimizer
from gatewise.training.progress import Progress
from gatewise.training.validation import Batches, Loss, check_batches, checked_loss, finite, pairs


@torch.enable_grad()
def fit(
    module: torch.nn.Module,
    batches: Batches,
    *,
    loss: str | Loss = "mse",
    optimizer: str | Optimizer = "adam",
    lr: float | None = None,
    epochs: int | None = None,
    stages: Sequence[tuple[int, float]] | None = None,
    schedule: str | None = None,
    clip_norm: float | None = None,
    clip_size: float | None = None,
    held_out: Batches | None = None,
    patience: int | None = None,
    quiet: bool = True,
    description: str = "training",
    on_epoch: Callable[[int, History], object] | None = None,
) -> History:
    """Train a module on batches, in place.

    Each epoch iterates once over `batches`; each batch is one training step: `prediction = module(x)`,
    `loss(prediction, y)`, its gradient, clipping, and one update of the parameters that require a gradient. No random
    numbers are drawn: the same weights, batches and number of threads give the same bits. `.grad` of every parameter
    is set to None before each step and at the end. Batches with little work run on one thread; see `gatewise.threads`.

    Reference: clipping by norm, Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent neural
    networks"; by size, see `clip_by_size`; early stopping, Prechelt (1998), "Early stopping - but when?".

    Arguments:
        module: `module(x)` returns the prediction, one tensor. It is in training mode for training and in evaluation
            mode for held-out batches; the initial mode of each part is restored.
        batches: pairs `(x, y)`, iterated once per epoch: a list, a `DataLoader`, or another repeatable iterable.
        loss: "mse", "mae" or "huber" (delta 1), the mean over all elements of a prediction shaped like `y`; or a
            function of `(prediction, y)` that returns a scalar tensor.
        optimizer: "adam", "sgd", or a torch optimizer over parameters of `module`. A torch optimizer keeps its state
            and learning rates for later calls: the state is restored with the weights it belongs to, the rates after
            `stages` or `schedule`.
        lr: learning rate; by default 0.001 for "adam" and 0.01 for "sgd". `stages` replaces it.
        epochs: number of epochs; required without `stages`.
        stages: consecutive pairs `(epochs, lr)`, such as `[(500, 0.03), (500, 0.003), (500, 0.0003)]`.
        schedule: "cosine" or "onecycle" multiplies the learning rate at every step; `batches` must have a length.
        clip_norm: largest norm of all gradients together; larger gradients are scaled down to it.
        clip_size: the alpha of `clip_by_size`, instead of `clip_norm`. The stacked gates of a recurrent weight are one
            parameter: with G gates, its norm limit is G times that of a separate matrix per gate.
        held_out: batches for the validation loss, which is evaluated after each epoch.
        patience: number of epochs without a new lowest validation loss after which training stops; the weights of the
            best epoch are restored.
        quiet: `False` shows a progress bar on standard error if that is a terminal, otherwise about ten lines.
        description: name of the training in the progress.
        on_epoch: called as `on_epoch(epoch, history)` after each epoch.

    Returns:
        The history, with one list entry per finished epoch.

    Raises:
        DivergenceError: a loss or weight became NaN or infinite; finite weights and the optimizer state of the same
            epoch are restored first.
        TypeError: a batch is not a pair, or a prediction, target or loss has the wrong type.
        ValueError: arguments are out of range or exclude each other, batches are empty, or shapes differ.

    Examples:
        >>> x = torch.linspace(-1, 1, 20).reshape(-1, 1)
        >>> line = torch.nn.utils.skip_init(torch.nn.Linear, 1, 1)
        >>> _ = torch.nn.init.zeros_(line.weight), torch.nn.init.zeros_(line.bias)
        >>> history = fit(line, [(x, 3 * x + 1)], optimizer="sgd", lr=0.3, epochs=100)
        >>> round(line.weight.item(), 3), round(line.bias.item(), 3), history.epochs
        (3.0, 1.0, 100)
    """
    check_batches(batches, held_out, patience)
    loss_function = checked_loss(loss)
    in_stages = checked_stages(epochs, stages, lr, schedule)
    algorithm, parameters = build_optimizer(module, optimizer, lr)
    learning_rate = LearningRate(algorithm, in_stages, schedule, batches)
    clip = clipping(parameters, clip_norm, clip_size)

    def clear_gradients() -> None:
        for parameter in all_parameters:
            parameter.grad = None

    def train_step(x: Any, y: Tensor) -> Tensor:
        follow_work(x)
        learning_rate.advance()
        clear_gradients()
        value = loss_function(module(x), y)
        if not value.requires_grad:
            raise ValueError("the loss depends on no parameter that requires a gradient; do not detach the prediction")
        value.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        clip()
        algorithm.step()
        return value.detach()

    @torch.no_grad()
    def evaluate(x: Any, y: Tensor) -> Tensor:
        follow_work(x)
        return loss_function(module(x), y)

    all_parameters = list(module.parameters())
    history = History()
    progress = Progress(description, learning_rate.epochs, quiet)
    modes = [(part, part.training) for part in module.modules()]
    checkpoint = Checkpoint(module, parameters, optimizer if isinstance(optimizer, Optimizer) else None)
    with following_work(module) as follow_work:
        try:
            for epoch in range(1, learning_rate.epochs + 1):
                started = time.perf_counter()
                rate = learning_rate.begin(epoch)
                module.train()
                training_loss, validation_loss = _mean_loss(train_step, batches, "batches", epoch), None
                if held_out is not None:
                    module.eval()
                    validation_loss = _mean_loss(evaluate, held_out, "held_out", epoch)
                if reason := _not_finite(training_loss, validation_loss, parameters):
                    raise _divergence(reason, epoch, rate, checkpoint, history)
                history.add(training_loss, validation_loss, rate, time.perf_counter() - started)
                if patience is None or history.best_epoch == epoch:
                    checkpoint.save(epoch)
                progress.show(history)
                if on_epoch is not None:
                    on_epoch(epoch, history)
                if patience is not None and epoch - (history.best_epoch or 0) >= patience:
                    history.stopped = "patience"
                    break
            else:
                history.stopped = "epochs"
            if patience is not None:
                checkpoint.restore()
        except BaseException:
            checkpoint.restore()
            raise
        finally:
            learning_rate.restore()
            for part, mode in modes:
                part.training = mode
            clear_gradients()
            progress.close()
    return history


def _mean_loss(evaluate: Callable[[Any, Tensor], Tensor], batches: Batches, name: str, epoch: int) -> float:
    """Mean over the batches, weighted by the elements of y; losses are copied from the device once per epoch."""
    losses, sizes = [], []
    for x, y in pairs(batches, name, epoch):
        losses.append(evaluate(x, y))
        sizes.append(y.numel())
    values = torch.stack(losses).tolist()
    return float(sum(value * size for value, size in zip(values, sizes, strict=True)) / sum(sizes))


def _not_finite(training: float, validation: float | None, parameters: Sequence[Tensor]) -> str:
    """Which loss or weight is NaN or infinite after an epoch; empty if none is."""
    if not math.isfinite(training):
        return f"the training loss is {training}"
    if validation is not None and not math.isfinite(validation):
        return f"the validation loss is {validation} (training loss {training:.4g})"
    return "" if finite(parameters) else f"a weight is NaN or infinite (training loss {training:.4g})"


def _divergence(reason: str, epoch: int, lr: float, checkpoint: Checkpoint, history: History) -> DivergenceError:
    weights = f"those of epoch {checkpoint.epoch}" if checkpoint.epoch else "the initial ones"
    history.stopped = "divergence"
    error = DivergenceError(
        f"training diverged in epoch {epoch} at lr {lr:g}: {reason}; the weights are restored to {weights}. "
        "Use a smaller lr, clip_norm or clip_size, and check the batches for NaN and infinite values"
    )
    error.history = history
    return error
