"""Labels: classes in order, their weights, and which sequences are held out.

Letters: `N` sequences, `K` classes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gatewise.classify.sequences import SequenceError


def classes_of(y: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The K classes in order, and the place of each label (N,) among them.

    Raises:
        SequenceError: labels that are missing, of mixed types, not one for each sequence, or all the same.
    """
    labels = np.asarray(y)
    if labels.shape != (count,):
        raise SequenceError(f"y has shape {labels.shape}, expected ({count},), a label for each sequence")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise SequenceError(
            f"label {int(np.argmin(np.isfinite(labels)))} is missing or infinite; leave its sequence out"
        )
    if labels.dtype.kind == "f" and (labels != np.round(labels)).any():
        raise SequenceError("Unknown label type: y holds fractions, expected classes; for numbers, forecast or regress")
    try:
        classes, places = np.unique(labels, return_inverse=True)
    except TypeError:
        kinds = sorted({type(one).__name__ for one in labels.tolist()})
        raise SequenceError(f"y mixes labels of types {', '.join(kinds)}, expected one; convert them") from None
    if len(classes) < 2:
        raise SequenceError(f"y holds one class, {classes[0]!r}; expected two or more to tell apart")
    return classes, places.astype(np.int64)


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
    unknown = [one for one in asked if one not in classes]
    if unknown:
        raise SequenceError(
            f"class_weight names {unknown[0]!r}, expected classes of y: {', '.join(map(str, classes[:20]))}"
        )
    return np.array([float(asked.get(one, 1.0)) for one in classes.tolist()])


def check_weights(asked: Any) -> None:
    """Refuse what is no kind of class weights."""
    if asked is None or (isinstance(asked, str) and asked == "balanced"):
        return
    if not isinstance(asked, Mapping):
        raise ValueError(f"class_weight is {asked!r}, expected None, 'balanced', or classes with their weights")
    for name, weight in asked.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float | np.number) or not 0 <= weight < np.inf:
            raise ValueError(f"class_weight of {name!r} is {weight!r}, expected a number of at least 0")


def held_out(places: np.ndarray, share: float, chance: np.random.Generator) -> np.ndarray:
    """(N,) bool: which sequences are held out, the same share of each class, but never all of one.

    >>> out = held_out(np.repeat([0, 1, 2], [20, 10, 1]), 0.2, np.random.default_rng(0))
    >>> out[:20].sum(), out[20:30].sum(), out[30]
    (np.int64(4), np.int64(2), np.False_)
    """
    out = np.zeros(len(places), bool)
    for k in np.unique(places):
        members = chance.permutation(np.flatnonzero(places == k))
        out[members[: min(round(share * len(members)), len(members) - 1)]] = True
    return out


def drawn(y: Any, share: float, seed: int = 0) -> np.ndarray:
    """(N,) bool: sequences drawn at random to test on, the same share of each class, but never all of one.

    Arguments:
        y: (N,) labels of any one type.
        share: of each class, from 0 to below 1.
        seed: the same seed draws the same.

    Raises:
        SequenceError: labels that cannot be used.

    >>> drawn(["a", "b"] * 10, 0.2).reshape(-1, 2).sum(0)
    array([2, 2])
    """
    _, places = classes_of(y, len(y))
    return held_out(places, share, np.random.default_rng(seed))
