"""Conversion of a fitted classifier to the content and arrays of a file, and back; see `gatewise.persistence`.

Values from a file are validated before use, and weights must have the shapes that the arguments imply.

Letters: `C` channels, `K` classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from gatewise.arguments import one_of, plain, whole
from gatewise.classify.network import BatchNetwork
from gatewise.classify.scaling import Standardization
from gatewise.classify.state import ClassifierState
from gatewise.datasets import VIEWS
from gatewise.persistence.fields import Arrays, Content, array, as_text, check_text, checked, from_text, renamed
from gatewise.training import History

KIND = "Classifier"
KINDS = {"b": "bool", "i": "int64", "u": "uint64", "f": "float64", "U": "text"}
LISTS = ("train", "held_out", "lr", "seconds")
MOST_CLASSES = 10**6
MOST_TEXT = 2**28  # bytes of all classes: numpy allocates the size of the longest for every class


def from_version_1(content: Content, arrays: Arrays) -> tuple[Content, Arrays]:
    """Content and arrays of version 1 under their present names."""
    if "arguments" in content:
        content = {**content, "arguments": renamed(content["arguments"], {"held_out": "validation_fraction"})}
    return content, arrays


UPGRADES = {1: from_version_1}


def pack(arguments: Content, state: ClassifierState, view: str, names: Sequence[str] = ()) -> tuple[Content, Arrays]:
    """Content and arrays of a file.

    Raises:
        ValueError: a file cannot hold the type of the classes or of the names of class weights, or their text holds
            control characters.
    """
    classes, history = state.classes, state.history
    if classes.dtype.kind not in KINDS:
        raise ValueError(
            f"classes are {classes.dtype}, but a file can hold only text, integers, True and False; convert y"
        )
    check_text(classes.tolist())
    weights = arguments["class_weight"]
    if isinstance(weights, Mapping):
        pairs = [[plain(name), float(weight)] for name, weight in weights.items()]
        arguments = {**arguments, "class_weight": pairs}
    content = {
        "arguments": {name: plain(value) for name, value in arguments.items()},
        "classes": {"kind": KINDS[classes.dtype.kind], "count": len(classes)},
        "channels": state.channels,
        "shortest": state.shortest,
        "hidden_size": state.body.hidden_size,
        "history": {"best_epoch": history.best_epoch, "stopped": history.stopped},
        "view": view,
    }
    if len(names) and all(name.isprintable() for name in names):
        content["columns"] = list(names)
    losses = asdict(history)
    arrays = {f"history.{name}": np.asarray(losses[name], np.float64) for name in LISTS}
    arrays["classes"] = as_text(classes.tolist())
    if state.scaling is not None:
        arrays |= {"shift": state.scaling.mean.numpy(), "scale": state.scaling.deviation.numpy()}
    weights_by_name = state.batch_network.state_dict()
    return content, arrays | {f"network.{name}": weight.numpy() for name, weight in weights_by_name.items()}


def unpack(
    content: Content,
    arrays: Arrays,
    arguments: Content,
    build: Callable[[int, int, int, str], BatchNetwork],
) -> ClassifierState:
    """The state of a classifier; anything else in the file is refused.

    Arguments:
        content, arrays: of the file; arrays that are read are removed.
        arguments: of the classifier, with defaults.
        build: the untrained network for a number of channels, of classes and of units, on a device.

    Raises:
        ValueError: a value is missing, damaged or not consistent with the others.
    """
    classes, history, channels = read_classes(content, arrays), read_history(content, arrays), read_channels(content)
    scaling = read_scaling(arrays, arguments["scale"], channels)
    hidden_size = read_hidden_size(content, arguments)
    check_size(arrays, hidden_size, arguments["num_layers"])
    network = read_network(arrays, lambda device: build(channels, len(classes), hidden_size, device))
    weighted, seed = arguments["class_weight"] is not None, int(arguments["seed"])
    shortest = read_shortest(content)
    return ClassifierState(network, classes, channels, scaling, history, weighted, seed, shortest)


def read_arguments(content: Content, known: Content) -> Content:
    """The arguments of the constructor, all of them known."""
    arguments: Content = checked(content, "arguments", dict)
    if unknown := set(arguments) - set(known):
        raise ValueError(f"argument {min(unknown)[:80]!r} is unknown, perhaps from a newer Gatewise")
    pairs = arguments.get("class_weight")
    return {**arguments, "class_weight": _read_weights(pairs)} if isinstance(pairs, list) else arguments


def _read_weights(pairs: list[Any]) -> dict[Any, Any]:
    if not all(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str | int | float) for pair in pairs):
        raise ValueError("class_weight is not a list of classes and weights")
    weights = dict(pairs)
    if len(weights) < len(pairs):
        raise ValueError("class_weight names a class twice")
    return weights


def read_classes(content: Content, arrays: Arrays) -> np.ndarray:
    """(K,) the classes, ascending."""
    check_text(content)
    description = checked(content, "classes", dict)
    kind, count = checked(description, "kind", str), checked(description, "count", int)
    if kind not in KINDS.values() or not 2 <= count <= MOST_CLASSES:
        raise ValueError(
            f"the file has {count} classes of kind {kind!r:.20}, expected 2 or more of kind {', '.join(KINDS.values())}"
        )
    values = from_text(arrays, "classes", count)
    check_text(values)
    expected = {"text": str, "bool": bool, "float64": float}.get(kind, int)
    if not all(type(value) is expected for value in values):
        raise ValueError(f"classes hold a value that is not {kind}")
    if kind == "text" and 4 * count * max(map(len, values)) > MOST_TEXT:
        raise ValueError(f"{count} class names, one of {max(map(len, values))} characters; expected shorter names")
    try:
        classes = np.array(values, None if kind == "text" else kind)
    except OverflowError:
        raise ValueError(f"classes hold a value that is not {kind}") from None
    if (classes[1:] <= classes[:-1]).any() or (kind == "float64" and not np.isfinite(classes).all()):
        raise ValueError("classes are not unique and in ascending order")
    return classes


def read_history(content: Content, arrays: Arrays) -> History:
    """The losses of each epoch."""
    description = checked(content, "history", dict)
    lists: dict[str, Any] = {name: array(arrays, f"history.{name}").tolist() for name in LISTS}
    best, stopped = checked(description, "best_epoch", int, type(None)), checked(description, "stopped", str)
    epochs = {len(lists[name]) for name in ("train", "lr", "seconds")} | {len(lists["held_out"])} - {0}
    consistent = len(epochs) == 1 and stopped in ("", "epochs", "patience")
    if not consistent or (best is not None and best not in range(1, max(epochs) + 1)):
        raise ValueError("the training history is inconsistent")
    return History(**lists, best_epoch=best, stopped=stopped)


def read_channels(content: Content) -> int:
    """C."""
    channels: int = checked(content, "channels", int)
    whole("channels", channels, 1)
    return channels


def read_shortest(content: Content) -> int:
    """Steps of the shortest training sequence; 0 for a file that does not say."""
    if "shortest" not in content:
        return 0
    shortest: int = checked(content, "shortest", int)
    whole("shortest", shortest, 0)
    return shortest


def read_hidden_size(content: Content, arguments: Content) -> int:
    """Units of each layer: the argument, or the size that was chosen for the training sequences."""
    if arguments["hidden_size"] is not None:
        return int(arguments["hidden_size"])
    hidden_size: int = checked(content, "hidden_size", int)
    whole("hidden_size", hidden_size, 1)
    return hidden_size


def read_view(content: Content) -> str:
    """How images were converted to sequences, "" for other sequences."""
    view: str = checked(content, "view", str)
    one_of("view", view, ("", *VIEWS))
    return view


def read_names(content: Content) -> list[str]:
    """Names of the columns of the training; none for a file that does not say."""
    if "columns" not in content:
        return []
    names: list[str] = checked(content, "columns", list)
    if not all(isinstance(name, str) for name in names):
        raise ValueError("columns hold a name that is not text")
    return names


def read_scaling(arrays: Arrays, scale: str, channels: int) -> Standardization | None:
    """The statistics of each channel, None for "none"."""
    if scale == "none":
        return None
    mean, deviation = (torch.from_numpy(array(arrays, name, np.float64, (channels,))) for name in ("shift", "scale"))
    if not (deviation > 0).all():
        raise ValueError("scale holds numbers that are not above 0")
    return Standardization(mean, deviation)


def check_size(arrays: Arrays, hidden_size: int, num_layers: int) -> None:
    """Refuse sizes that need more weights than the file holds, before a network of these sizes is built."""
    weights = sum(values.size for values in arrays.values())
    if len(arrays) < 4 * num_layers or weights < num_layers * hidden_size**2:
        raise ValueError(f"{weights} weights are too few for hidden_size {hidden_size} and num_layers {num_layers}")


def read_network(arrays: Arrays, build: Callable[[str], BatchNetwork]) -> BatchNetwork:
    """A network with the weights of the file, which must be finite and of its shapes.

    Arguments:
        arrays: the remaining arrays of the file.
        build: the untrained network on a device; on "meta" it needs no memory.
    """
    try:
        expected = {name: tuple(weight.shape) for name, weight in build("meta").state_dict().items()}
    except RuntimeError:
        raise ValueError("a network of these sizes does not fit in memory") from None
    unexpected = next((name for name in arrays if name.removeprefix("network.") not in expected), None)
    if unexpected is not None:
        raise ValueError(f"array {unexpected[:80]!r} is not part of the classifier")
    weights = {
        name: torch.from_numpy(array(arrays, f"network.{name}", np.float32, shape)) for name, shape in expected.items()
    }
    network = build("cpu").eval()
    network.load_state_dict(weights)
    return network
