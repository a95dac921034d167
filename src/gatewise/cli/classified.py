"""What `gatewise classify` reads, finds out and says."""

import argparse
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gatewise import datasets, plot
from gatewise.classify import Scores, Sequences, stratified_mask
from gatewise.classify import figures as pictures
from gatewise.classify.labels import label_indices
from gatewise.cli import files as outputs
from gatewise.cli.output import cut, names, say_written
from gatewise.series.wording import counted

TEST_SHARE = 0.2
MATRIX, MISTAKES = 12, 5  # classes of a matrix on the screen; pairs named instead
LONGEST = 24  # letters of a class on the screen


class Part(NamedTuple):
    """Sequences as a network reads them, their labels, or None, where in the data each is, and pictures, if images."""

    x: Any
    y: Any
    places: np.ndarray
    pictures: Any = None

    def some(self, which: np.ndarray) -> "Part":
        """Those for which `which` (N,) is true."""
        x = [self.x[k] for k in np.flatnonzero(which)] if isinstance(self.x, list) else self.x[which]
        return Part(x, self.y[which], self.places[which], None if self.pictures is None else self.pictures[which])


class Result(NamedTuple):
    """What was predicted (N,), with which probability of each class (N, K), and the scores if the truth is known."""

    test: Part
    classes: np.ndarray
    predicted: np.ndarray
    shares: np.ndarray
    scores: Scores | None

    def table(self) -> pd.DataFrame:
        """A row for each sequence."""
        columns: dict[str, Any] = {"sequence": self.test.places}
        if self.test.y is not None:
            columns["label"] = self.test.y
        columns |= {"predicted": self.predicted, "probability": self.shares.max(1)}
        return pd.DataFrame(columns | {f"p({name})": self.shares[:, k] for k, name in enumerate(self.classes.tolist())})


def to_classify(arguments: argparse.Namespace) -> Part:
    """What a kept model is to classify: the test part of a set that has one, else all of it."""
    if arguments.file is None:
        raise ValueError("--model classifies sequences of your own; give DATA")
    whole_of_it, test = datasets.read_parts(arguments.file, label=arguments.label)
    found = whole_of_it if test is None else test
    which = "" if test is None else "\n  its test part only"
    part = _viewed(found, arguments)
    outputs.say(f"Data: {arguments.file}\n{_account(part)}{which}")
    return part


def parts(arguments: argparse.Namespace) -> tuple[Part, Part | None]:
    """The part to train on and the part to test on, None if nothing is to be tested."""
    if arguments.file is None:
        name, data, test = "control charts (generated here; give DATA for your own)", datasets.control_charts(), None
    else:
        name = arguments.file
        data, test = datasets.read_parts(arguments.file, label=arguments.label)
    if arguments.test is not None:
        test = datasets.read_sequences(arguments.test, label=arguments.label)
    part = _viewed(data, arguments)
    outputs.say(f"Data: {name}\n{_account(part)}")
    if data.y is None:
        raise ValueError(
            f"{name} has no labels to learn from; name their column with --label (a .npz has them in y), or use --model"
        )
    if test is not None:
        if arguments.test_fraction is not None:
            raise ValueError(f"{name} has a test part of its own; leave --test-fraction out")
        labels = ", without labels" if test.y is None else ""
        outputs.say(f"  test part: {arguments.test or 'that of the set'}, {counted(len(test), 'sequence')}{labels}")
        return part, _viewed(test, arguments)
    return _split(part, arguments)


def _split(data: Part, arguments: argparse.Namespace) -> tuple[Part, Part | None]:
    """Hold back a share of each class to test on."""
    asked = TEST_SHARE if arguments.test_fraction is None else arguments.test_fraction
    out = stratified_mask(data.y, asked, arguments.seed or 0)
    if not out.any():
        outputs.say("  test part: none" + (f", as {100 * asked:g} % of each class are none" if asked else ""))
        return data, None
    rare = sorted(set(data.y.tolist()) - set(data.y[out].tolist()))
    without = f", none of {names(rare)}, which have too few" if rare else ""
    outputs.say(
        f"  test part: {out.sum():,} of the sequences, drawn at random, {100 * asked:g} % of each class{without}"
    )
    return data.some(~out), data.some(out)


def _viewed(data: Any, arguments: argparse.Namespace) -> Part:
    """Images as sequences of bytes from 0 to 1; other sequences as they are."""
    if not len(data):
        raise ValueError(f"{data.name or 'the set'} holds no sequences; expected one at least")
    if arguments.view != "rows" and (isinstance(data.x, list) or data.x.shape[2] == 1):
        raise ValueError(f"--view {arguments.view} is for images, but these are sequences already; leave it out")
    if isinstance(data.x, list):
        return Part(data.x, data.y, np.arange(len(data)))
    pictures = data.x if data.x.dtype == np.uint8 else None
    return Part(datasets.view(data.x, arguments.view), data.y, np.arange(len(data)), pictures)


def _account(data: Part) -> str:
    """How many sequences of which lengths, in which classes."""
    sizes = sorted({len(one) for one in data.x}) if isinstance(data.x, list) else [data.x.shape[1]]
    steps = f"{sizes[0]} to {sizes[-1]} steps" if len(sizes) > 1 else counted(sizes[0], "step")
    text = f"  {len(data.places):,} sequences of {steps}, {counted(data.x[0].shape[1], 'channel')}"
    if data.y is None:
        return f"{text}, without labels"
    classes = np.unique(data.y)
    return f"{text}, {len(classes)} {'class' if len(classes) == 1 else 'classes'}: {names(classes)}"


def check(train: Part, test: Part | None, kind: str | None, out: str | None) -> None:
    """Refuse what would fail after the training, which may take long."""
    check_kind(test, kind)
    if test is None and out is not None:
        raise ValueError(f"--out {out} is for predictions, but nothing is held back to predict; give --test FILE")
    if test is None:
        return
    _check_channels(test, train.x[0].shape[1], "in training there are")
    Sequences.of(test.x)
    if test.y is not None:
        Scores.of(test.y, test.y, np.unique(train.y))


def check_kind(test: Part | None, kind: str | None) -> None:
    """Refuse a picture that nothing can be drawn on."""
    if test is None and kind not in (None, "learning_curve"):
        raise ValueError(f"--kind {kind} draws what was predicted, but nothing is held back to predict")
    if test is not None and test.y is None and kind in ("summary", "confusion"):
        raise ValueError(f"--kind {kind} needs labels, which the data do not have; draw examples")


def _check_channels(test: Part, expected: int, where: str) -> None:
    channels = test.x[0].shape[1]
    if channels != expected:
        raise ValueError(
            f"what is to be predicted has {counted(channels, 'channel')}, but {where} {expected}; give the --view that "
            "was used in training, or the same channels"
        )


# -------------------------------------------------------------------------------------------------------- results


def result(model: Any, test: Part | None) -> Result | None:
    """The predictions, None if there is nothing to predict."""
    if test is None:
        return None
    _check_channels(test, model.n_features_in_, "the model was trained on")
    shares = model.predict_proba(test.x)
    predicted = model.classes_[shares.argmax(1)]
    scores = None if test.y is None else Scores.of(test.y, predicted, model.classes_)
    return Result(test, model.classes_, predicted, shares, scores)


def say(model: Any, found: Result | None, arguments: argparse.Namespace) -> None:
    """What came out."""
    kept = f"{arguments.model}, " if arguments.model else ""
    print(f"\nModel: {kept}{model!r}\nTraining: {model.history_.summary()}")
    if found is None:
        print("\nVerdict: none, as nothing was held back to test on.")
    elif found.scores is None:
        _say_predicted(found)
    else:
        _say_scores(found.scores)
    say_written(arguments)


def _say_predicted(found: Result) -> None:
    sure = f"the surest {100 * found.shares.max():.1f} %, the least sure {100 * found.shares.max(1).min():.1f} %"
    print(f"\nPredicted: {counted(len(found.predicted), 'sequence')}, {sure}")
    classes, sizes = np.unique(found.predicted, return_counts=True)
    print(pd.DataFrame({"class": _said(classes), "sequences": sizes}).to_string(index=False))


def _say_scores(scores: Scores) -> None:
    print(f"\nTest: {scores}\n\nEach class\n{_in_percent(scores.table())}")
    if len(scores.classes) <= MATRIX:
        matrix = pd.DataFrame(scores.counts, _said(scores.classes), _said(scores.classes))
        print(f"\nConfusion matrix: true classes in rows, predicted in columns\n{matrix.to_string()}")
    mistakes = [
        f"{row} taken for {column}: {many}"
        for *pair, many in scores.confusions(MISTAKES)
        for row, column in [_said(pair)]
    ]
    if mistakes:
        print(f"\nMost frequent mistakes: {'; '.join(mistakes)}")
    print(f"\nVerdict: {scores.verdict}")


def _said(labels: Iterable[Any]) -> list[str]:
    """Labels for the screen: cut where they are long, and what would steer a terminal written out."""
    texts = [text if text.isprintable() else repr(text) for text in map(str, labels)]
    return [cut(text, LONGEST) for text in texts]


def _in_percent(table: pd.DataFrame) -> str:
    shares = ["recall", "precision", "f1"]
    shown = table.assign(**{"class": _said(table["class"])}, **{name: 100 * table[name] for name in shares})
    return str(
        shown.rename(columns={name: f"{name} %" for name in shares}).to_string(
            index=False, float_format="{:.1f}".format, na_rep="-"
        )
    )


def figure(model: Any, found: Result | None, kind: str | None, as_rows: bool) -> Any:
    """The picture of a kind; by default what is confused beside the losses of training, or what can be drawn of it."""
    if kind == "learning_curve" or found is None:
        return model.plot("learning_curve")
    test = found.test
    if kind == "gates":
        return model.plot(kind, test.x[:1], None if test.y is None else test.y[:1], image=as_rows and _seen(test))
    if kind == "examples" or found.scores is None:
        sequences = Sequences.of(test.x)
        places = None if test.y is None else label_indices(test.y, model.classes_, len(sequences))
        image = test.pictures if _seen(test) else False
        return pictures.examples(model._fitted(), sequences, found.shares, places, image)
    return _confusion(found.scores) if kind == "confusion" else _summary(model, found.scores)


def _confusion(scores: Scores, ax: Any = None) -> Any:
    return plot.confusion(scores.counts, scores.classes.tolist(), ax=ax)


def _seen(test: Part) -> bool:
    return test.pictures is not None


def _summary(model: Any, scores: Scores) -> Any:
    from matplotlib.figure import Figure

    drawn_on = Figure(figsize=(13, 5.5), layout="constrained")
    left, right = drawn_on.subplots(1, 2, width_ratios=(1.2, 1))
    _confusion(scores, left)
    model.plot("learning_curve", ax=right)
    return drawn_on
