"""Validation of batches, losses and numbers; each error states the expected and the actual value, and the remedy."""

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

import torch
from torch import Tensor

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
Batches: TypeAlias = Iterable[tuple[Any, Tensor]]

LOSSES: dict[str, Loss] = {
    "mse": torch.nn.functional.mse_loss,
    "mae": torch.nn.functional.l1_loss,
    "huber": torch.nn.functional.huber_loss,
}
ONCE = "can be iterated only once, but every epoch needs them; pass a list or a DataLoader"
Chosen = TypeVar("Chosen")


def check_batches(batches: Batches, held_out: Batches | None, patience: int | None) -> None:
    """Refuse batches that cannot be iterated in every epoch, and `patience` without held-out batches."""
    for name, value in (("batches", batches), ("held_out", held_out)):
        if value is None and name == "held_out":
            continue
        if not hasattr(value, "__iter__") and not hasattr(value, "__getitem__"):
            raise TypeError(
                f"{name} is {kind(value)}, expected an iterable of pairs (x, y); pass a list or a DataLoader"
            )
        if isinstance(value, Iterator):
            raise ValueError(f"{name} {ONCE}")
    if patience is not None:
        count("patience", patience)
        if held_out is None:
            raise ValueError("patience needs a validation loss; pass held_out batches too")


def pairs(batches: Batches, name: str, epoch: int) -> Iterator[tuple[Any, Tensor]]:
    """The batches of an epoch, validated one by one."""
    number = 0
    for number, batch in enumerate(batches, 1):
        if not isinstance(batch, tuple | list) or len(batch) != 2 or not isinstance(batch[1], Tensor):
            raise TypeError(f"batch {number} of {name} is {kind(batch)}, expected a pair (x, y) with a tensor y")
        x, y = batch
        if y.numel() == 0 or (isinstance(x, Tensor) and x.numel() == 0):
            raise ValueError(f"batch {number} of {name} is empty: x is {kind(x)}, y is {kind(y)}; remove it")
        yield x, y
    if number == 0:
        raise ValueError(f"{name} {ONCE if epoch > 1 else 'is empty; pass at least one pair (x, y)'}")


def checked_loss(loss: str | Loss) -> Loss:
    """The loss, with a check that predictions are tensors (for a named loss, shaped like y) and that it is a scalar."""
    named = isinstance(loss, str)
    function = chosen("loss", loss, LOSSES) if isinstance(loss, str) else loss
    if not callable(function):
        raise TypeError(f"loss is {loss!r}, expected a name or a function of (prediction, y)")

    def evaluate(prediction: Any, y: Tensor) -> Tensor:
        if not isinstance(prediction, Tensor):
            raise TypeError(
                f"module(x) is {kind(prediction)}, expected one tensor; wrap module to return only the prediction"
            )
        if named:
            _check_comparable(prediction, y)
        value = function(prediction, y)
        if not isinstance(value, Tensor) or value.ndim:
            raise TypeError(f"loss(prediction, y) is {kind(value)}, expected a scalar tensor; return its mean")
        return value

    return evaluate


def _check_comparable(prediction: Tensor, y: Tensor) -> None:
    if prediction.shape != y.shape:
        shapes = f"module(x) has shape {tuple(prediction.shape)}, y has shape {tuple(y.shape)}"
        raise ValueError(f"{shapes}; they are not broadcast: reshape one of them")
    if prediction.dtype != y.dtype or not y.is_floating_point():
        kinds = f"module(x) is {prediction.dtype}, y is {y.dtype}"
        raise TypeError(f"{kinds}, expected one floating type for both; convert y, or pass a function as loss")


def length(batches: Batches) -> int:
    """The number of batches, if they have a length."""
    try:
        return len(batches)  # type: ignore[arg-type]  # most iterables of batches have a length
    except TypeError:
        raise ValueError(
            f"a schedule needs the number of steps, but batches is {kind(batches)}, which has no length; pass a list"
        ) from None


def chosen(name: str, choice: str, choices: Mapping[str, Chosen]) -> Chosen:
    """The entry of `choices` with that name."""
    if choice not in choices:
        raise ValueError(f"{name} is {choice!r}, expected one of {', '.join(map(repr, choices))}")
    return choices[choice]


def count(name: str, value: int) -> int:
    """An integer of at least 1."""
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}, expected an integer of at least 1")
    return number


def positive(name: str, value: float) -> float:
    """A finite number above 0."""
    try:
        fits = 0 < value < math.inf and not isinstance(value, bool)
    except TypeError:
        fits = False
    if not fits:
        raise ValueError(f"{name} is {value!r}, expected a finite number above 0")
    return float(value)


def finite(tensors: Iterable[Tensor]) -> bool:
    """Whether no entry is NaN or infinite, by the largest magnitude of each tensor and one copy from the device."""
    filled = [tensor.detach() for tensor in tensors if tensor.numel()]
    filled = [torch.view_as_real(tensor) if tensor.is_complex() else tensor for tensor in filled]
    largest = [norm.double() for norm in torch._foreach_norm(filled, math.inf)] if filled else []
    return not largest or bool(torch.stack([norm.to(largest[0].device) for norm in largest]).isfinite().all())


def kind(value: object) -> str:
    """A description of a value for messages: shape of a tensor, or type."""
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"of type {type(value).__name__}"
