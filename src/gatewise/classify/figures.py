"""Pictures of a fitted classifier: which records go into which figure.

Letters: `N` sequences, `T` steps, `C` channels, `H` hidden size, `K` classes.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatewise import plot
from gatewise.arguments import one_of, whole
from gatewise.classify.classifier import Classifier
from gatewise.classify.scaling import scaled
from gatewise.classify.scores import Scores
from gatewise.classify.sequences import SequenceError, Sequences
from gatewise.plot.canvas import literal

OWNERS = {  # the kinds that an option belongs to
    "x": ("confusion", "examples", "gates"),
    "y": ("confusion", "examples", "gates"),
    "lengths": ("confusion", "examples", "gates"),
    "image": ("examples", "gates"),
    "count": ("examples",),
    "layer": ("gates",),
    "ax": ("confusion", "learning_curve"),
}
KINDS = ("confusion", "examples", "gates", "learning_curve")
COUNT = 12  # examples by default
BEGINNINGS = 200  # of a sequence that a network in two directions reads anew: each takes as long as it is


def draw(
    model: Classifier, kind: str, x: Any, y: Any, lengths: Any, image: Any, count: Any, layer: Any, ax: Any
) -> Any:
    """A picture of a kind; see `Classifier.plot`."""
    one_of("kind", kind, KINDS)
    given = {"x": x, "y": y, "lengths": lengths, "count": count, "layer": layer, "ax": ax}
    _check_options(kind, {**given, "image": None if image is False else image})
    model._fitted()
    if kind == "learning_curve":
        history = model.history_
        name = "cross-entropy [nats]" if model.class_weight is None else "weighted cross-entropy [nats]"
        return plot.learning_curve(history.train, history.held_out, best_epoch=history.best_epoch, name=name, ax=ax)
    if x is None or (y is None and kind == "confusion"):
        raise ValueError(f"kind={kind!r} needs {'x and y' if kind == 'confusion' else 'x'}; pass sequences as for fit")
    sequences = model._sequences(x, lengths)
    places = None if y is None else places_of(model, y, len(sequences))
    if kind == "gates":
        return _gates(model, sequences, places, image, layer)
    shares = model._shares(sequences)
    if places is not None and kind == "confusion":
        scores = Scores.of(model.classes_[places], model.classes_[shares.argmax(1)], model.classes_)
        return plot.confusion(scores.counts, _names(model), ax=ax)
    return examples(model, sequences, shares, places, image, COUNT if count is None else count)


def _check_options(kind: str, given: dict[str, Any]) -> None:
    for option, value in given.items():
        if value is not None and kind not in OWNERS[option]:
            owners = " or ".join(repr(owner) for owner in OWNERS[option])
            raise ValueError(f"{option} belongs to kind={owners}, got kind={kind!r}; leave it out")
    if given["count"] is not None:
        whole("count", given["count"], 1)


def _names(model: Classifier) -> list[Any]:
    names: list[Any] = model.classes_.tolist()
    return names


def places_of(model: Classifier, y: Any, count: int) -> np.ndarray:
    """(N,) the place of each label among the classes of the training."""
    labels = np.asarray(y)
    if labels.shape != (count,):
        raise SequenceError(f"y has shape {labels.shape}, expected ({count},), a label for each sequence")
    known = {label: place for place, label in enumerate(_names(model))}
    unknown = [label for label in labels.tolist() if label not in known]
    if unknown:
        raise SequenceError(
            f"y holds {unknown[0]!r}, which was no class in fit; leave these sequences out, or fit with them"
        )
    return np.array([known[label] for label in labels.tolist()])


def examples(
    model: Classifier,
    sequences: Sequences,
    shares: np.ndarray,
    places: np.ndarray | None,
    image: Any,
    count: int = COUNT,
) -> Any:
    """Some sequences with what was predicted, their `shares` (N, K), and, where it is known, the true class (N,)."""
    chosen, title = _choice(shares, places, count, np.random.default_rng(int(model.seed)))
    pictures = None if isinstance(image, bool | np.bool_) else _pictures(image, len(sequences))
    predicted = shares[chosen].argmax(1)
    return plot.classified(
        [_one(sequences, k) if pictures is None else pictures[k] for k in chosen.tolist()],
        model.classes_[predicted],
        shares[chosen, predicted],
        truth=None if places is None else model.classes_[places[chosen]],
        image=pictures is not None or bool(image),
        columns=min(4, max(2, len(chosen))),
        title=title,
    )


def _choice(
    shares: np.ndarray, places: np.ndarray | None, count: int, chance: np.random.Generator
) -> tuple[np.ndarray, str]:
    """Which examples to show, and how they were chosen, in words: half of them mistakes, as far as there are any."""
    n = len(shares)
    if places is None:
        count = min(count, n)
        return np.sort(chance.permutation(n)[:count]), f"{count} of {n:,}, drawn at random"
    wrong = shares.argmax(1) != places
    right, mistakes = np.flatnonzero(~wrong), np.flatnonzero(wrong)
    surest = mistakes[np.argsort(-shares[mistakes].max(1), kind="stable")]
    bad = min(len(surest), max(count // 2, count - len(right)))
    good = np.sort(chance.permutation(right)[: count - bad])
    words = [f"{len(good)} of {len(right):,} read right, drawn at random"] * bool(len(right))
    words += [f"the surest {bad} of {len(surest):,} mistakes" if len(surest) else "no mistakes"]
    return np.concatenate([good, surest[:bad]]), "; ".join(words)


def _pictures(image: Any, count: int) -> np.ndarray:
    pictures = np.asarray(image)
    if pictures.ndim != 3 or len(pictures) != count:
        raise ValueError(
            f"image has shape {pictures.shape}, expected True, or pictures ({count}, height, width), one for each "
            "sequence of x"
        )
    return pictures


def _one(sequences: Sequences, k: int) -> np.ndarray:
    """A sequence (T, C) as it came."""
    start, length = int(sequences.starts[k]), int(sequences.lengths[k])
    values: np.ndarray = sequences.values[start : start + length].numpy()
    return values


# ---- the gates while a sequence is read


def _gates(model: Classifier, sequences: Sequences, places: np.ndarray | None, image: Any, layer: Any) -> Any:
    if len(sequences) != 1:
        raise ValueError(f"x holds {len(sequences)} sequences, kind='gates' shows one; pass such as x[:1]")
    if not isinstance(image, bool | np.bool_):
        raise ValueError("image holds pictures, which belong to kind='examples'; pass True or False")
    chosen = _layer(model, layer)
    x = _one(sequences, 0)
    with torch.inference_mode():
        trace = model.network_.body.trace(scaled(sequences, model._shift, model._scaled_by).values[:, None])
        shares = _of_beginnings(model, x) if model.bidirectional else _of_steps(model, trace.output[:, 0])
    one = trace.layers[chosen * (2 if model.bidirectional else 1)]
    return plot.reading(
        x,
        {name: gate[:, 0].numpy() for name, gate in one.gates.items()},
        None if one.cells is None else one.cells[:, 0].numpy(),
        shares,
        _names(model),
        image=bool(image),
        title=_title(model, chosen, shares, places),
    )


def _layer(model: Classifier, layer: Any) -> int:
    if layer is None:
        return model.num_layers - 1
    whole("layer", layer, 0)
    if layer >= model.num_layers:
        raise ValueError(f"layer is {layer}, expected 0 to {model.num_layers - 1}, as num_layers is {model.num_layers}")
    return int(layer)


def _title(model: Classifier, layer: int, shares: np.ndarray, places: np.ndarray | None) -> str:
    names, predicted = _names(model), int(shares[-1].argmax())
    truth = "" if places is None or places[0] == predicted else f"is {names[int(places[0])]}, "
    which = f"layer {layer}" if model.num_layers > 1 else ""
    way = "forwards" if model.bidirectional else ""
    where = ", ".join(filter(None, (model.cell.upper(), which, way)))
    return literal(f"{where}: {truth}read as {names[predicted]}")


def _of_beginnings(model: Classifier, x: np.ndarray) -> np.ndarray:
    """(T, K) the probability of each class, had the sequence (T, C) ended after each step, or a little before.

    A network in two directions reads every beginning anew, from its own end.
    """
    ends = np.unique(np.linspace(1, len(x), min(len(x), BEGINNINGS)).round().astype(int))
    last = np.searchsorted(ends, np.arange(1, len(x) + 1), side="right") - 1
    shares: np.ndarray = model.predict_proba([x[:end] for end in ends])[last]
    return shares


def _of_steps(model: Classifier, output: Tensor) -> np.ndarray:
    """(T, K) the probability of each class, had the sequence ended after each step, by the hidden states (T, H)."""
    answers: Tensor = model.network_.head(_pooled_so_far(output, model.pooling))
    shares: np.ndarray = torch.softmax(answers.double(), 1).numpy()
    return shares


def _pooled_so_far(output: Tensor, pooling: str) -> Tensor:
    """Hidden states (T, H), each pooled with those before it."""
    if pooling == "mean":
        return output.cumsum(0) / torch.arange(1, len(output) + 1)[:, None]
    return output.cummax(0).values if pooling == "max" else output
