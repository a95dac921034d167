"""Scores: predicted classes compared with true classes.

Letters: `N` sequences, `K` classes.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gatewise.classify.errors import SequenceError

Z95 = 1.959964  # 95 % of a normal distribution lies within this many standard deviations


@dataclass(frozen=True, eq=False)
class Scores:
    """Classification scores.

    Attributes:
        classes: (K,).
        counts: (K, K) confusion matrix: sequences of each true class (row) by predicted class (column).

    >>> scores = Scores.of(["a", "a", "b", "b"], ["a", "b", "b", "b"], ["a", "b"])
    >>> scores.accuracy, scores.commonest, scores.counts.tolist()
    (0.75, 0.5, [[1, 1], [0, 2]])
    >>> print(scores)
    accuracy 75.0 % on 4 sequences (95 % interval 30.1 to 95.4 %); majority class 50.0 %
    """

    classes: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, truth: Any, predicted: Any, classes: Any) -> "Scores":
        """The scores of N predictions.

        Arguments:
            truth: (N,) true classes.
            predicted: (N,) predicted classes.
            classes: (K,) all classes, in order.

        Raises:
            SequenceError: no labels, different numbers of labels and predictions, or an unknown class.
        """
        labels, predictions, known = np.asarray(truth), np.asarray(predicted), np.asarray(classes)
        if known.ndim != 1:
            raise SequenceError(f"classes have shape {known.shape}, expected (K,), all classes")
        if labels.shape != predictions.shape or labels.ndim != 1 or not len(labels):
            raise SequenceError(
                f"y has shape {labels.shape}, predictions {predictions.shape}; expected one label for each prediction"
            )
        rows, columns = _indices("label", labels, known), _indices("predicted class", predictions, known)
        counts = np.zeros((len(known), len(known)), np.int64)
        np.add.at(counts, (rows, columns), 1)
        return cls(known, counts)

    @property
    def accuracy(self) -> float:
        """The fraction of sequences whose class is predicted correctly."""
        return float(self.counts.trace() / self.counts.sum())

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the accuracy.

        Reference: the score interval of Wilson, Probable inference, the law of succession, and statistical inference,
        1927.
        """
        count, accuracy = int(self.counts.sum()), self.accuracy
        width = Z95**2 / count
        center = (accuracy + width / 2) / (1 + width)
        half = Z95 * math.sqrt(accuracy * (1 - accuracy) / count + width / (4 * count)) / (1 + width)
        return center - half if accuracy > 0 else 0.0, center + half if accuracy < 1 else 1.0

    @property
    def commonest(self) -> float:
        """The accuracy of always predicting the majority class: the baseline of a classifier."""
        return float(self.counts.sum(1).max() / self.counts.sum())

    @property
    def verdict(self) -> str:
        """Whether the predictions are better than the majority class, in one or two sentences."""
        low, high = self.interval
        majority = f"the majority class ({_percent(self.commonest)} %)"
        if self.commonest == 1:
            only = self.classes[self.counts.sum(1).argmax()]
            return (
                f"None, because all test sequences are of one class, {only!s:.80}; "
                "test on sequences of other classes too."
            )
        if low > self.commonest:
            return f"Better than {majority}: the 95 % interval of the accuracy starts at {_percent(low)} %."
        if high < self.commonest:
            return f"Worse than {majority}: the 95 % interval of the accuracy ends at {_percent(high)} %."
        return (
            f"No evidence of skill beyond {majority}, which lies within the 95 % interval of the accuracy; test on "
            "more sequences, or train on more."
        )

    def table(self) -> pd.DataFrame:
        """A row for each class.

        Columns: class; sequences, their number; recall, the fraction of them predicted correctly; precision, the
        fraction of correct predictions among those of this class; f1, the harmonic mean of recall and precision; NaN if
        the denominator is 0.
        """
        correct, true, predicted = self.counts.diagonal(), self.counts.sum(1), self.counts.sum(0)
        return pd.DataFrame(
            {
                "class": self.classes,
                "sequences": true,
                "recall": _ratio(correct, true),
                "precision": _ratio(correct, predicted),
                "f1": _ratio(2 * correct, true + predicted),
            }
        )

    def confusions(self, most: int = 5) -> list[tuple[Any, Any, int]]:
        """The most frequent errors: true class, predicted class, number of sequences."""
        errors = self.counts - np.diag(self.counts.diagonal())
        order = np.argsort(-errors, axis=None, kind="stable")[:most]
        cells = [divmod(int(index), len(errors)) for index in order if errors.flat[index]]
        return [(self.classes[row], self.classes[column], int(errors[row, column])) for row, column in cells]

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"accuracy {_percent(self.accuracy)} % on {self.counts.sum():,} sequences (95 % interval "
            f"{_percent(low)} to {_percent(high)} %); majority class {_percent(self.commonest)} %"
        )


def _indices(kind: str, names: np.ndarray, classes: np.ndarray) -> list[int]:
    """The index of each name among the classes."""
    index = {name: k for k, name in enumerate(classes.tolist())}
    for name in names.tolist():
        if name not in index:
            raise SequenceError(
                f"{kind} {name!r:.80} is not one of the training classes "
                f"({', '.join(map(str, classes[:20])):.800}); leave its sequences out"
            )
    return [index[name] for name in names.tolist()]


def _ratio(part: np.ndarray, total: np.ndarray) -> np.ndarray:
    ratios: np.ndarray = np.divide(part, total, out=np.full(len(total), np.nan), where=total > 0)
    return ratios


def _percent(fraction: float) -> str:
    return f"{min(100 * fraction, 99.99):.2f}" if 0.98 < fraction < 1 else f"{100 * fraction:.1f}"
