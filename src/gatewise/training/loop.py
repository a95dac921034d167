"""The loop itself."""

import copy
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from gatewise.training.history import DivergenceError, History, Progress
from gatewise.training.rates import Rates, checked_stages, trainer
from gatewise.training.validation import Batches, Loss, check_batches, finite, measured, pairs, positive


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

    Each epoch goes once through `batches`; each batch is one step: `prediction = module(x)`, `loss(prediction, y)`, its
    gradient, clipping, one update of the parameters that require a gradient. Nothing random happens here: the same
    weights, batches and thread count give the same bits. `.grad` of every parameter is wiped, before each step and at
    the end.

    Reference: clipping by norm, Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent neural
    networks"; by size, see `clip_by_size`; early stopping, Prechelt (1998), "Early stopping - but when?".

    Arguments:
        module: `module(x)` returns the prediction, one tensor. All its parts are in training mode while it trains and
            in evaluation mode for held-out batches; the modes they came with are put back.
        batches: pairs `(x, y)`, iterated once an epoch: a list, a `DataLoader`, anything that can be iterated again.
        loss: "mse", "mae" or "huber" (delta 1), the mean over all elements of a prediction shaped like `y`; or a
            function of `(prediction, y)` that returns a scalar tensor.
        optimizer: "adam", "sgd", or a torch optimizer over parameters of `module`. That one keeps its state, so that a
            later call goes on with it (where weights are put back, so is the state that belongs to them), and its own
            learning rates: they are put back after `stages` or `schedule`.
        lr: learning rate; 0.001 for "adam" and 0.01 for "sgd" unless given here or by `stages`.
        epochs: how many; needed unless `stages` says it.
        stages: `(epochs, lr)` one after the other, such as `[(500, 0.03), (500, 0.003), (500, 0.0003)]`.
        schedule: "cosine" or "onecycle" multiplies the learning rate at every step; `batches` must have a length.
        clip_norm: largest norm of all gradients together; larger ones are scaled down to it.
        clip_size: the alpha of `clip_by_size`; give this or `clip_norm`. The stacked gates of a recurrent weight are
            one parameter: with G gates its theta is G times that of a separate matrix per gate.
        held_out: batches that are only evaluated, after each epoch.
        patience: stop after so many epochs in a row without a new lowest held-out loss, and go back to the lowest.
        quiet: `False` shows a progress bar on a terminal's standard error, or some ten lines where it is no terminal.
        description: what the progress calls this training.
        on_epoch: called as `on_epoch(epoch, history)` after each epoch.

    Returns:
        The history, one list entry per finished epoch.

    Raises:
        DivergenceError: a loss or weight became NaN or infinite; good weights are put back first, with the optimizer
            state of the same epoch.
        TypeError: batches that are not pairs, or a prediction, target or loss of the wrong kind.
        ValueError: arguments that are out of range or exclude each other, empty batches, shapes that differ.

    Examples:
        >>> x = torch.linspace(-1, 1, 20).reshape(-1, 1)
        >>> line = torch.nn.utils.skip_init(torch.nn.Linear, 1, 1)
        >>> _ = torch.nn.init.zeros_(line.weight), torch.nn.init.zeros_(line.bias)
        >>> history = fit(line, [(x, 3 * x + 1)], optimizer="sgd", lr=0.3, epochs=100)
        >>> round(line.weight.item(), 3), round(line.bias.item(), 3), history.epochs
        (3.0, 1.0, 100)
    """
    check_batches(batches, held_out, patience)
    measure = measured(loss)
    in_stages = checked_stages(epochs, stages, lr, schedule)
    update, parameters = trainer(module, optimizer, lr)
    rates = Rates(update, in_stages, schedule, batches)
    clip = _clipping(parameters, clip_norm, clip_size)

    def forget_gradients() -> None:
        for parameter in all_parameters:
            parameter.grad = None

    def learn(x: Any, y: Tensor) -> Tensor:
        rates.advance()
        forget_gradients()
        value = measure(module(x), y)
        if not value.requires_grad:
            raise ValueError("the loss depends on no parameter that requires a gradient; is something detached?")
        value.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        clip()
        update.step()
        return value.detach()

    @torch.no_grad()
    def evaluate(x: Any, y: Tensor) -> Tensor:
        return measure(module(x), y)

    all_parameters = list(module.parameters())
    history = History()
    progress = Progress(description, rates.epochs, quiet)
    modes = [(part, part.training) for part in module.modules()]
    kept = _Kept(module, parameters, optimizer if isinstance(optimizer, Optimizer) else None)
    try:
        for epoch in range(1, rates.epochs + 1):
            started = time.perf_counter()
            rate = rates.begin(epoch)
            module.train()
            train, held = _mean_loss(learn, batches, "batches", epoch), None
            if held_out is not None:
                module.eval()
                held = _mean_loss(evaluate, held_out, "held_out", epoch)
            if trouble := _trouble(train, held, parameters):
                raise _diverged(trouble, epoch, rate, kept, history)
            history.add(train, held, rate, time.perf_counter() - started)
            if patience is None or history.best_epoch == epoch:
                kept.save(epoch)
            progress.show(history)
            if on_epoch is not None:
                on_epoch(epoch, history)
            if patience is not None and epoch - (history.best_epoch or 0) >= patience:
                history.stopped = "patience"
                break
        else:
            history.stopped = "epochs"
        if patience is not None:
            kept.put_back()
    except BaseException:
        kept.put_back()
        raise
    finally:
        rates.put_back()
        for part, mode in modes:
            part.training = mode
        forget_gradients()
        progress.close()
    return history


def clip_by_size(parameters: Iterable[Tensor], alpha: float) -> None:
    """Scale down, in place, each gradient whose norm is large for its number of elements.

    `theta = alpha * numel(g)`; if `||g|| > theta` then `g *= theta / ||g||`, each parameter by itself.

    Reference: Zhang, Lipton, Li and Smola, "Dive into Deep Learning", equation 9.5.3, with a theta per parameter.

    Arguments:
        parameters: tensors whose `.grad` is clipped; those without one are skipped.
        alpha: norm allowed per element, > 0.

    Raises:
        ValueError: an alpha that is not a finite number above 0.

    Examples:
        >>> weight = torch.zeros(2, requires_grad=True)
        >>> weight.grad = torch.tensor([6.0, 8.0])
        >>> clip_by_size([weight], alpha=1.0)
        >>> weight.grad
        tensor([1.2000, 1.6000])
    """
    alpha = positive("alpha", alpha)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return
    norms = torch.stack([torch.linalg.vector_norm(g) for g in gradients]).tolist()
    for g, norm in zip(gradients, norms, strict=True):
        theta = alpha * g.numel()
        if math.isinf(norm):  # the squares overflow, the gradient may be finite
            largest = g.abs().max().item()
            of_rest = torch.linalg.vector_norm(g / largest).item()
            if largest * of_rest > theta:
                g.div_(largest).mul_(theta / of_rest)
        elif norm > theta:
            g.mul_(theta / norm)


class _Kept:
    """What belongs together at one epoch (0: before the first), to be put back: the trained parameters and the buffers
    of a module, and the state of an optimizer that was given."""

    def __init__(self, module: torch.nn.Module, parameters: Sequence[Tensor], given: Optimizer | None) -> None:
        self.module, self.given = module, given
        self.live = [parameter.detach() for parameter in parameters]
        self.copies = [torch.empty_like(tensor) for tensor in self.live]
        self.save(0)

    def save(self, epoch: int) -> None:
        self.whole = False  # an interrupt in here finds the live weights good and the copies mixed
        for kept, tensor in zip(self.copies, self.live, strict=True):
            kept.copy_(tensor)
        self.buffers = {name: buffer.detach().clone() for name, buffer in self.module.named_buffers()}
        given = {} if self.given is None else self.given.state
        self.state = {parameter: copy.deepcopy(state) for parameter, state in given.items()}
        self.epoch, self.whole = epoch, True

    def put_back(self) -> None:
        if not self.whole:
            return
        for kept, tensor in zip(self.copies, self.live, strict=True):
            tensor.copy_(kept)
        live = dict(self.module.named_buffers())  # looked up anew: a module may put another tensor in a buffer's place
        for name, buffer in self.buffers.items():
            if name in live and live[name].shape == buffer.shape:
                live[name].detach().copy_(buffer)
            else:
                path, _, own = name.rpartition(".")
                setattr(self.module.get_submodule(path), own, buffer)
        if self.given is not None:
            self.given.state.clear()
            self.given.state.update(self.state)


def _mean_loss(measure: Callable[[Any, Tensor], Tensor], batches: Batches, name: str, epoch: int) -> float:
    """Mean over the batches, weighted by the elements of y; the losses leave the device once, after the last batch."""
    losses, sizes = [], []
    for x, y in pairs(batches, name, epoch):
        losses.append(measure(x, y))
        sizes.append(y.numel())
    values = torch.stack(losses).tolist()
    return float(sum(value * size for value, size in zip(values, sizes, strict=True)) / sum(sizes))


def _clipping(parameters: Sequence[Tensor], norm: float | None, alpha: float | None) -> Callable[[], object]:
    if norm is not None and alpha is not None:
        raise ValueError("clip_norm and clip_size are both given; choose one rule")
    if norm is not None:
        largest = positive("clip_norm", norm)
        return lambda: torch.nn.utils.clip_grad_norm_(parameters, largest)
    if alpha is not None:
        per_element = positive("clip_size", alpha)
        return lambda: clip_by_size(parameters, per_element)
    return lambda: None


def _trouble(train: float, held_out: float | None, parameters: Sequence[Tensor]) -> str:
    """What is NaN or infinite after an epoch, in words; empty if nothing is."""
    if not math.isfinite(train):
        return f"the training loss is {train}"
    if held_out is not None and not math.isfinite(held_out):
        return f"the held-out loss is {held_out} (training loss {train:.4g})"
    return "" if finite(parameters) else f"a weight is NaN or infinite (training loss {train:.4g})"


def _diverged(trouble: str, epoch: int, lr: float, kept: _Kept, history: History) -> DivergenceError:
    weights = f"those of epoch {kept.epoch}" if kept.epoch else "those it started with"
    history.stopped = "divergence"
    error = DivergenceError(
        f"training diverged in epoch {epoch} at lr {lr:g}: {trouble}; the weights are back to {weights}. "
        "Use a smaller lr, clip_norm or clip_size, and check the batches for values that are NaN or infinite"
    )
    error.history = history
    return error
