"""Keeping: a fitted classifier as what a file holds, and back; see `gatewise.persistence`.

Nothing that a file says is believed: each value is taken out and checked, and weights must have the shapes that the
arguments ask for.

Letters: `C` channels, `K` classes.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from gatewise.arguments import one_of, plain, whole
from gatewise.datasets import VIEWS
from gatewise.persistence.fields import Arrays, Content, array, as_text, check_text, checked, from_text, renamed
from gatewise.training import History

Network = TypeVar("Network", bound=Module)

KIND = "Classifier"
KINDS = {"b": "bool", "i": "int64", "u": "uint64", "f": "float64", "U": "text"}
LISTS = ("train", "held_out", "lr", "seconds")
MOST_CLASSES = 10**6
MOST_TEXT = 2**28  # bytes of classes: numpy gives each the room of the longest


def from_version_1(content: Content, arrays: Arrays) -> tuple[Content, Arrays]:
    """Content and arrays of version 1 under their present names."""
    if "arguments" in content:
        content = {**content, "arguments": renamed(content["arguments"], {"held_out": "validation_fraction"})}
    return content, arrays


UPGRADES = {1: from_version_1}


def pack(
    arguments: Content,
    classes: np.ndarray,
    history: History,
    network: Module,
    shift: Tensor | None,
    scale: Any,
    channels: int,
) -> tuple[Content, Arrays]:
    """Content and arrays for a file.

    Raises:
        ValueError: the classes, or the names of class weights, are of a type that a file cannot keep, or text that
            cannot be shown.
    """
    if classes.dtype.kind not in KINDS:
        raise ValueError(
            f"classes are {classes.dtype}, a file keeps text, whole numbers, and True and False; convert y"
        )
    check_text(classes.tolist())
    weight = arguments["class_weight"]
    if isinstance(weight, Mapping):
        arguments = {**arguments, "class_weight": [[plain(name), float(one)] for name, one in weight.items()]}
    content = {
        "arguments": {name: plain(value) for name, value in arguments.items()},
        "classes": {"kind": KINDS[classes.dtype.kind], "count": len(classes)},
        "channels": channels,
        "history": {"best_epoch": history.best_epoch, "stopped": history.stopped},
    }
    kept = asdict(history)
    arrays = {f"history.{name}": np.asarray(kept[name], np.float64) for name in LISTS}
    arrays["classes"] = as_text(classes.tolist())
    if shift is not None:
        arrays |= {"shift": shift.numpy(), "scale": scale.numpy()}
    return content, arrays | {f"network.{name}": one.numpy() for name, one in network.state_dict().items()}


def arguments_of(content: Content, known: Content) -> Content:
    """The arguments of the constructor, none of them unknown."""
    given: Content = checked(content, "arguments", dict)
    if unknown := set(given) - set(known):
        raise ValueError(f"argument {min(unknown)[:80]!r} is unknown, perhaps of a newer Gatewise")
    if isinstance(given.get("class_weight"), list):
        pairs = given["class_weight"]
        if not all(
            isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str | int | float) for pair in pairs
        ):
            raise ValueError("class_weight is no list of classes and weights")
        weights = dict(pairs)
        if len(weights) < len(pairs):
            raise ValueError("class_weight names a class twice")
        given = {**given, "class_weight": weights}
    return given


def classes_of(content: Content, arrays: Arrays) -> np.ndarray:
    """(K,) the classes, ascending."""
    check_text(content)
    about = checked(content, "classes", dict)
    kind, count = checked(about, "kind", str), checked(about, "count", int)
    if kind not in KINDS.values() or not 2 <= count <= MOST_CLASSES:
        raise ValueError(f"classes are {count} of kind {kind!r:.20}, expected 2 or more of {', '.join(KINDS.values())}")
    values = from_text(arrays, "classes", count)
    check_text(values)
    one = {"text": str, "bool": bool, "float64": float}.get(kind, int)
    if not all(type(value) is one for value in values):
        raise ValueError(f"classes hold what is no {kind}")
    if kind == "text" and 4 * count * max(map(len, values)) > MOST_TEXT:
        raise ValueError(f"classes hold {count} texts, one of {max(map(len, values))} letters, expected shorter ones")
    try:
        classes = np.array(values, None if kind == "text" else kind)
    except OverflowError:
        raise ValueError(f"classes hold what is no {kind}") from None
    if (classes[1:] <= classes[:-1]).any() or (kind == "float64" and not np.isfinite(classes).all()):
        raise ValueError("classes are not in order, each once")
    return classes


def history_of(content: Content, arrays: Arrays) -> History:
    """The losses of each epoch."""
    about = checked(content, "history", dict)
    lists: dict[str, Any] = {name: array(arrays, f"history.{name}").tolist() for name in LISTS}
    best, stopped = checked(about, "best_epoch", int, type(None)), checked(about, "stopped", str)
    epochs = {len(lists[name]) for name in ("train", "lr", "seconds")} | {len(lists["held_out"])} - {0}
    fits = len(epochs) == 1 and stopped in ("", "epochs", "patience")
    if not fits or (best is not None and best not in range(1, max(epochs) + 1)):
        raise ValueError("the history is that of no training")
    return History(**lists, best_epoch=best, stopped=stopped)


def channels_of(content: Content) -> int:
    """C."""
    channels: int = checked(content, "channels", int)
    whole("channels", channels, 1)
    return channels


def view_of(content: Content) -> str:
    """How images were made sequences, "" for others."""
    view: str = checked(content, "view", str)
    one_of("view", view, ("", *VIEWS))
    return view


def check_size(arrays: Arrays, hidden_size: int, num_layers: int) -> None:
    """Refuse sizes that need more weights than there are, before a network of these sizes is made."""
    came = sum(one.size for one in arrays.values())
    if len(arrays) < 4 * num_layers or came < num_layers * hidden_size**2:
        raise ValueError(f"{came} weights are too few for hidden_size {hidden_size} and num_layers {num_layers}")


def network_of(arrays: Arrays, untrained: Callable[[str], Network]) -> Network:
    """A network with the weights that were kept, whatever they are; they must be finite and of its shapes.

    Arguments:
        arrays: what is left of a file.
        untrained: makes the network on a device: on "meta" it takes no memory.
    """
    try:
        expected = {name: tuple(one.shape) for name, one in untrained("meta").state_dict().items()}
    except RuntimeError:
        raise ValueError("its sizes are beyond all memory") from None
    strange = next((name for name in arrays if name.removeprefix("network.") not in expected), None)
    if strange is not None:
        raise ValueError(f"array {strange[:80]!r} belongs to no part of the classifier")
    state = {
        name: torch.from_numpy(array(arrays, f"network.{name}", np.float32, shape)) for name, shape in expected.items()
    }
    network = untrained("cpu").eval()
    network.load_state_dict(state)
    return network


def scale_of(arrays: Arrays, kind: str, channels: int) -> tuple[Any, Any]:
    """Shift and scale (C,), None for a kind that has none."""
    if kind == "none":
        return None, None
    shift, scale = (torch.from_numpy(array(arrays, name, np.float64, (channels,))) for name in ("shift", "scale"))
    if not (scale > 0).all():
        raise ValueError("scale holds numbers that are not above 0")
    return shift, scale
