"""Predictions of `gatewise classify`: as a table, as figures, and on the screen."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gatewise import plot
from gatewise.classify import Scores, Sequences, figures
from gatewise.classify.labels import label_indices
from gatewise.cli.output import print_files
from gatewise.cli.sequences import LabelledSequences, check_channels
from gatewise.series.wording import counted, truncate

MATRIX_CLASSES = 12  # the confusion matrix of more classes is not printed
MAX_ERRORS = 5  # printed pairs of true and predicted class
LABEL_LENGTH = 24  # characters on the screen


class Predictions(NamedTuple):
    """Predicted classes of the test sequences.

    Attributes:
        test: the sequences.
        classes: (K,) classes of the training set.
        predicted: (N,) classes.
        probabilities: (N, K) class probabilities.
        scores: None without labels.
    """

    test: LabelledSequences
    classes: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    scores: Scores | None

    def table(self) -> pd.DataFrame:
        """A row for each sequence."""
        columns: dict[str, Any] = {"sequence": self.test.indices}
        if self.test.y is not None:
            columns["label"] = self.test.y
        columns |= {"predicted": self.predicted, "probability": self.probabilities.max(1)}
        probabilities = {f"p({name})": self.probabilities[:, k] for k, name in enumerate(self.classes.tolist())}
        return pd.DataFrame(columns | probabilities)


def predict(model: Any, test: LabelledSequences | None) -> Predictions | None:
    """The predictions for the test set, or None if there is none."""
    if test is None:
        return None
    check_channels(test, model.n_features_in_, "the model was trained on")
    probabilities = model.predict_proba(test.x)
    predicted = model.classes_[probabilities.argmax(1)]
    scores = None if test.y is None else Scores.of(test.y, predicted, model.classes_)
    return Predictions(test, model.classes_, predicted, probabilities, scores)


# ------------------------------------------------------------------------------------------------------------- screen


def print_result(model: Any, predictions: Predictions | None, path: str | None, written: Sequence[str]) -> None:
    """Print the model, the scores or predictions, and the files.

    Arguments:
        model: the fitted classifier.
        predictions: None without a test set.
        path: file of a saved model.
        written: paths of the files that were written.
    """
    source = f"{path}, " if path else ""
    print(f"\nModel: {source}{model!r}\nTraining: {model.history_.summary()}")
    if predictions is None:
        print("\nVerdict: none (no test set).")
    elif predictions.scores is None:
        _print_predictions(predictions)
    else:
        _print_scores(predictions.scores)
    print_files(written)


def _print_predictions(predictions: Predictions) -> None:
    highest = 100 * predictions.probabilities.max(1)
    print(
        f"\nPredictions: {counted(len(highest), 'sequence')}, probability of the predicted class "
        f"{highest.min():.1f} to {highest.max():.1f} %"
    )
    classes, sizes = np.unique(predictions.predicted, return_counts=True)
    print(pd.DataFrame({"class": _printable(classes), "sequences": sizes}).to_string(index=False))


def _print_scores(scores: Scores) -> None:
    print(f"\nTest: {scores}\n\nScores by class\n{_in_percent(scores.table())}")
    if len(scores.classes) <= MATRIX_CLASSES:
        matrix = pd.DataFrame(scores.counts, _printable(scores.classes), _printable(scores.classes))
        print(f"\nConfusion matrix: true classes in rows, predicted classes in columns\n{matrix.to_string()}")
    errors = [
        f"{true} predicted as {predicted} ({count})"
        for *pair, count in scores.confusions(MAX_ERRORS)
        for true, predicted in [_printable(pair)]
    ]
    if errors:
        print(f"\nMost frequent errors: {'; '.join(errors)}")
    print(f"\nVerdict: {scores.verdict}")


def _printable(labels: Iterable[Any]) -> list[str]:
    """Labels for the screen: long ones shortened, control characters escaped."""
    texts = [text if text.isprintable() else repr(text) for text in map(str, labels)]
    return [truncate(text, LABEL_LENGTH) for text in texts]


def _in_percent(table: pd.DataFrame) -> str:
    columns = ["recall", "precision", "f1"]
    percentages = table.assign(
        **{"class": _printable(table["class"])}, **{name: 100 * table[name] for name in columns}
    ).rename(columns={name: f"{name} %" for name in columns})
    return str(percentages.to_string(index=False, float_format="{:.1f}".format, na_rep="-"))


# ------------------------------------------------------------------------------------------------------------ figures


def figure(model: Any, predictions: Predictions | None, kind: str | None, view: str) -> Any:
    """A figure of the given kind; the default is the summary, or as much of it as the data allow."""
    if kind == "learning_curve" or predictions is None:
        return model.plot("learning_curve")
    test = predictions.test
    is_image = test.images is not None
    if kind == "gates":
        labels = None if test.y is None else test.y[:1]
        return model.plot(kind, test.x[:1], labels, image=view == "rows" and is_image)
    if kind == "examples" or predictions.scores is None:
        sequences = Sequences.of(test.x)
        indices = None if test.y is None else label_indices(test.y, model.classes_, len(sequences))
        image = test.images if is_image else False
        return figures.examples(model._fitted(), sequences, predictions.probabilities, indices, image)
    return _confusion(predictions.scores) if kind == "confusion" else _summary(model, predictions.scores)


def _confusion(scores: Scores, ax: Any = None) -> Any:
    return plot.confusion(scores.counts, scores.classes.tolist(), ax=ax)


def _summary(model: Any, scores: Scores) -> Any:
    from matplotlib.figure import Figure

    summary = Figure(figsize=(13, 5.5), layout="constrained")
    left, right = summary.subplots(1, 2, width_ratios=(1.2, 1))
    _confusion(scores, left)
    model.plot("learning_curve", ax=right)
    return summary
