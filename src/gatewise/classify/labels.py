"""Labels: classes in order, class weights and stratified splits.

Letters: `N` sequences, `K` classes.
"""

from typing import Any

import numpy as np

from gatewise.arguments import fraction as check_fraction
from gatewise.arguments import whole
from gatewise.classify.errors import SequenceError
from gatewise.classify.sequences import as_array

TYPES = ((bool, np.bool_), (int, float, np.number), (str,), (bytes,))  # types in one group may be mixed


def encode_labels(y: Any, count: int, hint: str = "") -> tuple[np.ndarray, np.ndarray]:
    """The K classes in order, and the index of the class of each label (N,).

    Arguments:
        y: labels.
        count: N.
        hint: the end of the message if there are not N labels.

    Raises:
        SequenceError: labels that are missing, of mixed types, not one for each sequence, or all the same.
    """
    if y is None:
        raise SequenceError(
            "a classifier requires y to be passed, but the target y is None; pass a label for each sequence"
        )
    labels = as_array(y, "y")
    if labels.shape != (count,):
        raise SequenceError(f"y has shape {labels.shape}, expected ({count},), a label for each sequence{hint}")
    if isinstance(y, list | tuple) or labels.dtype.kind in "OT":
        labels = _with_one_type(list(y) if isinstance(y, list | tuple) else labels.tolist())
    _check_labels(labels)
    try:
        classes, indices = np.unique(labels, return_inverse=True)
    except TypeError:
        raise SequenceError(
            f"y holds labels of type {type(labels[0]).__name__}, which have no order; convert them to text or integers"
        ) from None
    if len(classes) < 2:
        content = f"one class, {classes.tolist()[0]!r}" if len(classes) else "no labels"
        raise SequenceError(f"y holds {content}; expected two classes or more")
    return _native(classes.tolist()) if classes.dtype == object else classes, indices.astype(np.int64)


def label_indices(y: Any, classes: np.ndarray, count: int) -> np.ndarray:
    """(N,) index of each label among the classes of the training set.

    Raises:
        SequenceError: not one label for each sequence, or a label that is not a class of the training set.
    """
    labels = np.asarray(y)
    if labels.shape != (count,):
        raise SequenceError(f"y has shape {labels.shape}, expected ({count},), a label for each sequence")
    indices = {label: index for index, label in enumerate(classes.tolist())}
    unknown = [label for label in labels.tolist() if label not in indices]
    if unknown:
        raise SequenceError(
            f"y holds {unknown[0]!r}, which was not a class in fit; leave its sequences out, or fit with them"
        )
    return np.array([indices[label] for label in labels.tolist()])


def _with_one_type(labels: list[Any]) -> np.ndarray:
    """An array with each label unchanged: numpy would convert numbers and missing labels to text."""
    if len({_type_group(label) for label in labels}) > 1:
        types = sorted({type(label).__name__ for label in labels})
        raise SequenceError(f"y mixes labels of types {', '.join(types)}, expected one type; convert them")
    return _native(labels)


def _type_group(label: Any) -> Any:
    return next((group for group in TYPES if isinstance(label, group)), type(label))


def _native(labels: list[Any]) -> np.ndarray:
    """An array of a numpy type if it holds each label unchanged (except NaN), else of objects."""
    native = np.asarray(labels)
    if native.dtype.kind in "biufUS" and all(a == b or a != a for a, b in zip(labels, native.tolist(), strict=True)):
        return native
    return np.fromiter(labels, object, len(labels))


def _check_labels(labels: np.ndarray) -> None:
    """Refuse missing labels, and fractions."""
    kind = labels.dtype.kind
    missing = np.isnat(labels) if kind in "mM" else ~np.isfinite(labels) if kind in "fc" else np.zeros(1, bool)
    if missing.any():
        raise SequenceError(f"y[{int(np.argmax(missing))}] is missing or infinite; leave its sequence out")
    if kind == "f" and (labels != np.round(labels)).any():
        raise SequenceError(
            "Unknown label type: y holds fractions, expected classes; use forecasting or regression for numbers"
        )


def class_weights(class_weight: Any, classes: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """(K,) the weight of a sequence of each class in the training loss.

    Arguments:
        class_weight: None for 1; "balanced" for N / (K times the sequences of the class); or a mapping of classes to
            weights, 1 for classes that it does not name.
        classes: (K,).
        indices: (N,) index of the class of each sequence.

    >>> class_weights("balanced", np.array(["a", "b"]), np.array([0, 0, 0, 1]))
    array([0.66666667, 2.        ])
    """
    if class_weight is None:
        return np.ones(len(classes))
    if isinstance(class_weight, str):
        balanced: np.ndarray = len(indices) / (len(classes) * np.bincount(indices, minlength=len(classes)))
        return balanced
    index = {name: k for names in (classes.tolist(), classes) for k, name in enumerate(names)}
    weights = np.ones(len(classes))
    for name, weight in class_weight.items():
        if name not in index:
            known = ", ".join(map(str, classes[:20]))
            raise SequenceError(f"class_weight names {name!r:.80}, expected classes of y: {known:.800}")
        weights[index[name]] = weight
    if not weights.any():
        raise SequenceError("class_weight is 0 for every class, expected at least one above 0")
    return weights


def validation_mask(indices: np.ndarray, fraction: float, generator: np.random.Generator) -> np.ndarray:
    """(N,) bool: True for the sequences of the validation set, the same fraction of each class, never all of a class.

    >>> mask = validation_mask(np.repeat([0, 1, 2], [20, 10, 1]), 0.2, np.random.default_rng(0))
    >>> mask[:20].sum().item(), mask[20:30].sum().item(), mask[30].item()
    (4, 2, False)
    """
    mask = np.zeros(len(indices), bool)
    by_class = np.split(np.argsort(indices, kind="stable"), np.cumsum(np.bincount(indices))[:-1])
    members = [generator.permutation(positions) for positions in by_class]
    counts = [min(round(fraction * len(positions)), max(len(positions) - 1, 0)) for positions in members]
    small = [k for k, positions in enumerate(members) if len(positions) > 1 and not counts[k]]
    extra = round(fraction * sum(len(members[k]) for k in small))  # sequences from classes whose own number rounds to 0
    for k in generator.permutation(small)[:extra].tolist():
        counts[k] = 1
    for positions, count in zip(members, counts, strict=True):
        mask[positions[:count]] = True
    return mask


def stratified_mask(y: Any, fraction: float, seed: int = 0) -> np.ndarray:
    """(N,) bool: True for the sequences of a random test set, the same fraction of each class, never all of a class.

    Arguments:
        y: (N,) labels of any one type.
        fraction: of each class, from 0 to below 1.
        seed: random seed.

    Raises:
        SequenceError: labels that cannot be used.
        ValueError: a fraction or seed out of range.

    >>> stratified_mask(["a", "b"] * 10, 0.2).reshape(-1, 2).sum(0)
    array([2, 2])
    """
    check_fraction("fraction", fraction)
    whole("seed", seed, 0)
    if not np.ndim(y):
        raise SequenceError(f"y is {y!r}, expected (N,), a label for each sequence")
    _, indices = encode_labels(y, len(y))
    return validation_mask(indices, fraction, np.random.default_rng(seed))
