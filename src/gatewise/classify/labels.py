"""Labels: classes in order, their weights, and which sequences are held out.

Letters: `N` sequences, `K` classes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gatewise.arguments import fraction as check_fraction
from gatewise.arguments import whole
from gatewise.classify.sequences import SequenceError, as_array

TYPES = ((bool, np.bool_), (int, float, np.number), (str,), (bytes,))  # labels of one row go together
HEAVIEST = 1e6  # of a class weight: float32 still tells its losses apart


def classes_of(y: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The K classes in order, and the place of each label (N,) among them.

    Raises:
        SequenceError: labels that are missing, of mixed types, not one for each sequence, or all the same.
    """
    if y is None:
        raise SequenceError(
            "a classifier requires y to be passed, but the target y is None; pass a label for each sequence"
        )
    labels = as_array(y, "y")
    if labels.shape != (count,):
        raise SequenceError(f"y has shape {labels.shape}, expected ({count},), a label for each sequence")
    if isinstance(y, list | tuple) or labels.dtype.kind in "OT":
        labels = _of_one_type(list(y) if isinstance(y, list | tuple) else labels.tolist())
    _check_there(labels)
    try:
        classes, places = np.unique(labels, return_inverse=True)
    except TypeError:
        raise SequenceError(
            f"y holds labels of type {type(labels[0]).__name__}, which have no order; convert"
        ) from None
    if len(classes) < 2:
        came = f"one class, {classes.tolist()[0]!r}" if len(classes) else "no labels"
        raise SequenceError(f"y holds {came}; expected two classes or more to tell apart")
    return _native(classes.tolist()) if classes.dtype == object else classes, places.astype(np.int64)


def _of_one_type(labels: list[Any]) -> np.ndarray:
    """Labels as an array that changes none of them: numpy would make text of numbers, and of what is missing."""
    if len({_type(one) for one in labels}) > 1:
        kinds = sorted({type(one).__name__ for one in labels})
        raise SequenceError(f"y mixes labels of types {', '.join(kinds)}, expected one; convert them")
    return _native(labels)


def _type(label: Any) -> Any:
    return next((row for row in TYPES if isinstance(label, row)), type(label))


def _native(labels: list[Any]) -> np.ndarray:
    """In a type of numpy's own if that keeps each as it is, NaN aside, else as objects."""
    native = np.asarray(labels)
    if native.dtype.kind in "biufUS" and all(a == b or a != a for a, b in zip(labels, native.tolist(), strict=True)):
        return native
    return np.fromiter(labels, object, len(labels))


def _check_there(labels: np.ndarray) -> None:
    """Refuse labels that are missing, and numbers that are none of classes."""
    kind = labels.dtype.kind
    missing = np.isnat(labels) if kind in "mM" else ~np.isfinite(labels) if kind in "fc" else np.zeros(1, bool)
    if missing.any():
        raise SequenceError(f"label {int(np.argmax(missing))} is missing or infinite; leave its sequence out")
    if kind == "f" and (labels != np.round(labels)).any():
        raise SequenceError("Unknown label type: y holds fractions, expected classes; for numbers, forecast or regress")


def weights_of(asked: Any, classes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(K,) how much a sequence of each class weighs.

    Arguments:
        asked: None for 1; "balanced" for the inverse of how frequent it is; or a mapping of classes to weights, 1 for
            those left out.
        classes: (K,).
        places: (N,) the class of each sequence.

    >>> weights_of("balanced", np.array(["a", "b"]), np.array([0, 0, 0, 1]))
    array([0.66666667, 2.        ])
    """
    if asked is None:
        return np.ones(len(classes))
    if isinstance(asked, str):
        counts: np.ndarray = len(places) / (len(classes) * np.bincount(places, minlength=len(classes)))
        return counts
    place = {name: k for names in (classes.tolist(), classes) for k, name in enumerate(names)}
    weights = np.ones(len(classes))
    for name, weight in asked.items():
        if name not in place:
            known = ", ".join(map(str, classes[:20]))
            raise SequenceError(f"class_weight names {name!r:.80}, expected classes of y: {known:.800}")
        weights[place[name]] = weight
    if not weights.any():
        raise SequenceError("class_weight is 0 for every class, expected one above 0 at least")
    return weights


def check_weights(asked: Any) -> None:
    """Refuse what is no kind of class weights."""
    if asked is None or (isinstance(asked, str) and asked == "balanced"):
        return
    if not isinstance(asked, Mapping):
        raise ValueError(f"class_weight is {asked!r}, expected None, 'balanced', or classes with their weights")
    for name, weight in asked.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float | np.number) or not 0 <= weight <= HEAVIEST:
            raise ValueError(f"class_weight of {name!r} is {weight!r}, expected a number from 0 to {HEAVIEST:g}")


def held_out(places: np.ndarray, share: float, chance: np.random.Generator) -> np.ndarray:
    """(N,) bool: which sequences are held out, the same share of each class, but never all of one.

    >>> out = held_out(np.repeat([0, 1, 2], [20, 10, 1]), 0.2, np.random.default_rng(0))
    >>> out[:20].sum().item(), out[20:30].sum().item(), out[30].item()
    (4, 2, False)
    """
    out = np.zeros(len(places), bool)
    classes = np.split(np.argsort(places, kind="stable"), np.cumsum(np.bincount(places))[:-1])
    members = [chance.permutation(one) for one in classes]
    counts = [min(round(share * len(one)), max(len(one) - 1, 0)) for one in members]
    small = [k for k, one in enumerate(members) if len(one) > 1 and not counts[k]]
    some = round(share * sum(len(members[k]) for k in small))  # classes of which it would be less than half a sequence
    for k in chance.permutation(small)[:some].tolist():
        counts[k] = 1
    for one, count in zip(members, counts, strict=True):
        out[one[:count]] = True
    return out


def drawn(y: Any, share: float, seed: int = 0) -> np.ndarray:
    """(N,) bool: sequences drawn at random to test on, the same share of each class, but never all of one.

    Arguments:
        y: (N,) labels of any one type.
        share: of each class, from 0 to below 1.
        seed: the same seed draws the same.

    Raises:
        SequenceError: labels that cannot be used.
        ValueError: a share or seed out of range.

    >>> drawn(["a", "b"] * 10, 0.2).reshape(-1, 2).sum(0)
    array([2, 2])
    """
    check_fraction("share", share)
    whole("seed", seed, 0)
    if not np.ndim(y):
        raise SequenceError(f"y is {y!r}, expected (N,), a label for each sequence")
    _, places = classes_of(y, len(y))
    return held_out(places, share, np.random.default_rng(seed))
