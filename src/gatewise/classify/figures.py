"""Figures of a fitted classifier.

- confusion: the confusion matrix of labelled sequences.
- examples: sequences with their predictions; with labels, half of them correct, half the most confident errors.
- gates: the gates of one layer and the probability of each class, step by step, for one sequence.
- learning_curve: the losses of each epoch.

Letters: `N` sequences, `T` steps, `C` channels, `H` hidden size, `K` classes.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatewise import plot
from gatewise.arguments import one_of, whole
from gatewise.classify.labels import label_indices
from gatewise.classify.scaling import scale_sequences
from gatewise.classify.scores import Scores
from gatewise.classify.sequences import Sequences
from gatewise.classify.state import ClassifierState
from gatewise.plot.text import literal

OWNERS = {  # the kinds of figure that take an option
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
PREFIXES = 200  # most prefixes that a bidirectional network reads: the time grows with their total length


def check_options(kind: str, options: dict[str, Any]) -> None:
    """Refuse an unknown kind, and options of another kind.

    Raises:
        ValueError: names the kinds, or the kind that takes the option.
    """
    one_of("kind", kind, KINDS)
    given = {**options, "image": None if options["image"] is False else options["image"]}
    for option, value in given.items():
        if value is not None and kind not in OWNERS[option]:
            owners = " or ".join(repr(owner) for owner in OWNERS[option])
            raise ValueError(f"{option} belongs to kind={owners}, got kind={kind!r}; leave it out")
    if given["count"] is not None:
        whole("count", given["count"], 1)


def draw(
    state: ClassifierState, kind: str, x: Any, y: Any, lengths: Any, image: Any, count: Any, layer: Any, ax: Any
) -> Any:
    """A figure of one kind; see `Classifier.plot`."""
    if kind == "learning_curve":
        return learning_curve(state, ax)
    if x is None or (y is None and kind == "confusion"):
        raise ValueError(f"kind={kind!r} needs {'x and y' if kind == 'confusion' else 'x'}; pass sequences as for fit")
    sequences = state.sequences(x, lengths)
    indices = None if y is None else label_indices(y, state.classes, len(sequences))
    if kind == "gates":
        return gates(state, sequences, indices, image, layer)
    probabilities = state.probabilities(sequences)
    if indices is not None and kind == "confusion":
        scores = Scores.of(state.classes[indices], state.classes[probabilities.argmax(1)], state.classes)
        return plot.confusion(scores.counts, _names(state), ax=ax)
    return examples(state, sequences, probabilities, indices, image, COUNT if count is None else count)


def learning_curve(state: ClassifierState, ax: Any) -> Any:
    """The training and validation loss of each epoch."""
    history = state.history
    name = "weighted cross-entropy [nats]" if state.weighted else "cross-entropy [nats]"
    return plot.learning_curve(history.train, history.held_out, best_epoch=history.best_epoch, name=name, ax=ax)


def _names(state: ClassifierState) -> list[Any]:
    names: list[Any] = state.classes.tolist()
    return names


# ---- examples


def examples(
    state: ClassifierState,
    sequences: Sequences,
    probabilities: np.ndarray,
    indices: np.ndarray | None,
    image: Any,
    count: int = COUNT,
) -> Any:
    """Some sequences with their predictions, from the probabilities (N, K) and, if known, the true classes (N,)."""
    chosen, title = _choose(probabilities, indices, count, np.random.default_rng(state.seed))
    images = None if isinstance(image, bool | np.bool_) else _check_images(image, len(sequences))
    predicted = probabilities[chosen].argmax(1)
    return plot.classified(
        [_sequence(sequences, k) if images is None else images[k] for k in chosen.tolist()],
        state.classes[predicted],
        probabilities[chosen, predicted],
        truth=None if indices is None else state.classes[indices[chosen]],
        image=images is not None or bool(image),
        columns=min(4, max(2, len(chosen))),
        title=title,
    )


def _choose(
    probabilities: np.ndarray, indices: np.ndarray | None, count: int, generator: np.random.Generator
) -> tuple[np.ndarray, str]:
    """The positions of the examples, half of them errors if possible, and a title that describes the choice."""
    n = len(probabilities)
    if indices is None:
        count = min(count, n)
        return np.sort(generator.permutation(n)[:count]), f"{count} of {n:,} sequences, drawn at random"
    wrong = probabilities.argmax(1) != indices
    correct, errors = np.flatnonzero(~wrong), np.flatnonzero(wrong)
    by_confidence = errors[np.argsort(-probabilities[errors].max(1), kind="stable")]
    error_count = min(len(errors), max(count // 2, count - len(correct)))
    chosen = np.sort(generator.permutation(correct)[: count - error_count])
    parts = [f"{len(chosen)} of {len(correct):,} correct predictions, drawn at random"] * bool(len(correct))
    parts += [f"the {error_count} most confident of {len(errors):,} errors" if len(errors) else "no errors"]
    return np.concatenate([chosen, by_confidence[:error_count]]), "; ".join(parts)


def _check_images(image: Any, count: int) -> np.ndarray:
    images = np.asarray(image)
    if images.ndim != 3 or len(images) != count:
        raise ValueError(
            f"image has shape {images.shape}, expected True, or images ({count}, height, width), one for each sequence "
            "of x"
        )
    return images


def _sequence(sequences: Sequences, k: int) -> np.ndarray:
    """One sequence (T, C), unscaled."""
    start, length = int(sequences.starts[k]), int(sequences.lengths[k])
    values: np.ndarray = sequences.values[start : start + length].numpy()
    return values


# ---- gates while a sequence is read


def gates(state: ClassifierState, sequences: Sequences, indices: np.ndarray | None, image: Any, layer: Any) -> Any:
    """The gates of one layer and the probability of each class after each step of one sequence."""
    if len(sequences) != 1:
        raise ValueError(f"x holds {len(sequences)} sequences, expected one for kind='gates'; pass one, such as x[:1]")
    if not isinstance(image, bool | np.bool_):
        raise ValueError(
            f"image is of type {type(image).__name__}, but only kind='examples' takes images; pass True or False"
        )
    layer = _check_layer(state, layer)
    x = _sequence(sequences, 0)
    with torch.inference_mode():
        trace = state.body.trace(scale_sequences(sequences, state.scaling).values[:, None])
        bidirectional = state.body.bidirectional
        probabilities = (
            _prefix_probabilities(state, x) if bidirectional else _step_probabilities(state, trace.output[:, 0])
        )
    layer_trace = trace.layers[layer * (2 if bidirectional else 1)]
    return plot.reading(
        x,
        {name: gate[:, 0].numpy() for name, gate in layer_trace.gates.items()},
        None if layer_trace.cells is None else layer_trace.cells[:, 0].numpy(),
        probabilities,
        _names(state),
        image=bool(image),
        title=_title(state, layer, probabilities, indices),
    )


def _check_layer(state: ClassifierState, layer: Any) -> int:
    layers = state.body.num_layers
    if layer is None:
        return layers - 1
    whole("layer", layer, 0)
    if layer >= layers:
        raise ValueError(f"layer is {layer}, expected 0 to {layers - 1}, as num_layers is {layers}")
    return int(layer)


def _title(state: ClassifierState, layer: int, probabilities: np.ndarray, indices: np.ndarray | None) -> str:
    names, predicted = _names(state), int(probabilities[-1].argmax())
    truth = "" if indices is None or indices[0] == predicted else f"true {names[int(indices[0])]}, "
    layer_name = f"layer {layer}" if state.body.num_layers > 1 else ""
    direction = "forward" if state.body.bidirectional else ""
    network = ", ".join(filter(None, (type(state.body).__name__, layer_name, direction)))
    return literal(f"{network}: {truth}predicted {names[predicted]}")


def _prefix_probabilities(state: ClassifierState, x: np.ndarray) -> np.ndarray:
    """(T, K) the probability of each class if the sequence (T, C) ended after each step.

    A bidirectional network must read each prefix from its own end. In a long sequence, only some steps end a
    prefix; the others get the probabilities of the last such step.
    """
    ends = np.unique(np.linspace(1, len(x), min(len(x), PREFIXES)).round().astype(int))
    last = np.searchsorted(ends, np.arange(1, len(x) + 1), side="right") - 1
    return state.probabilities(Sequences.of([x[:end] for end in ends]))[last]


def _step_probabilities(state: ClassifierState, output: Tensor) -> np.ndarray:
    """(T, K) the probability of each class if the sequence ended after each step, from the hidden states (T, H)."""
    logits: Tensor = state.network.head(_pooled_so_far(output, state.network.pooling))
    probabilities: np.ndarray = torch.softmax(logits.double(), 1).numpy()
    return probabilities


def _pooled_so_far(output: Tensor, pooling: str) -> Tensor:
    """Hidden states (T, H), each pooled with those before it."""
    if pooling == "mean":
        return output.cumsum(0) / torch.arange(1, len(output) + 1)[:, None]
    return output.cummax(0).values if pooling == "max" else output
