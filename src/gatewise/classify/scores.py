"""Scores: what was predicted beside what is true.

Letters: `N` sequences, `K` classes.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gatewise.classify.sequences import SequenceError

NORMAL_95 = 1.959964  # standard deviations that hold 95 % of a normal distribution


@dataclass(frozen=True, eq=False)
class Scores:
    """How well classes were told apart.

    Attributes:
        classes: (K,).
        counts: (K, K) sequences of each true class (row) by the class predicted (column): the confusion matrix.

    >>> found = Scores.of(["a", "a", "b", "b"], ["a", "b", "b", "b"], ["a", "b"])
    >>> found.accuracy, found.commonest, found.counts.tolist()
    (0.75, 0.5, [[1, 1], [0, 2]])
    >>> print(found)
    accuracy 75.0 % of 4 sequences (95 % interval 30.1 to 95.4 %); the commonest class for all: 50.0 %
    """

    classes: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, truth: Any, predicted: Any, classes: Any) -> "Scores":
        """The scores of N predictions.

        Arguments:
            truth: (N,) the true classes.
            predicted: (N,) those that were predicted.
            classes: (K,) all there are, in order.

        Raises:
            SequenceError: there are none, not as many of one as of the other, or a class is none of K.
        """
        given, made, known = np.asarray(truth), np.asarray(predicted), np.asarray(classes)
        if known.ndim != 1:
            raise SequenceError(f"classes have shape {known.shape}, expected (K,), all that there are")
        if given.shape != made.shape or given.ndim != 1 or not len(given):
            raise SequenceError(f"y has shape {given.shape}, predictions {made.shape}; expected one label for each")
        places = {name: place for place, name in enumerate(known.tolist())}
        for what, names in (("label", given), ("predicted class", made)):
            for name in names.tolist():
                if name not in places:
                    raise SequenceError(
                        f"{what} {name!r:.80} is none of the classes of training: "
                        f"{', '.join(map(str, known[:20])):.800}; leave its sequences out"
                    )
        rows, columns = ([places[name] for name in one.tolist()] for one in (given, made))
        counts = np.zeros((len(known), len(known)), np.int64)
        np.add.at(counts, (rows, columns), 1)
        return cls(known, counts)

    @property
    def accuracy(self) -> float:
        """The share of sequences whose class was predicted right."""
        return float(self.counts.trace() / self.counts.sum())

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy on ever more such sequences would lie, at 95 %.

        Reference: the score interval of Wilson, Probable inference, the law of succession, and statistical inference,
        1927.
        """
        count, share = int(self.counts.sum()), self.accuracy
        wide = NORMAL_95**2 / count
        middle = (share + wide / 2) / (1 + wide)
        half = NORMAL_95 * math.sqrt(share * (1 - share) / count + wide / (4 * count)) / (1 + wide)
        return middle - half if share > 0 else 0.0, middle + half if share < 1 else 1.0

    @property
    def commonest(self) -> float:
        """The accuracy of one who always says the commonest of the true classes: what a classifier has to beat."""
        return float(self.counts.sum(1).max() / self.counts.sum())

    @property
    def verdict(self) -> str:
        """Whether the predictions are better than a guess, in words."""
        low, high = self.interval
        if self.commonest == 1:
            only = self.classes[self.counts.sum(1).argmax()]
            return f"none: all sequences of the test are of one class, {only!s:.80}; test on sequences of others too."
        if low > self.commonest:
            return (
                f"better than a guess: even the low end of the interval, {_percent(low)} %, is above what the "
                f"commonest class for all would reach, {_percent(self.commonest)} %."
            )
        if high < self.commonest:
            return f"worse than a guess: the commonest class for all is right more often, {_percent(self.commonest)} %."
        return (
            f"not shown to be better than a guess: {_percent(self.commonest)} %, what the commonest class for all "
            "would reach, lies within the interval; test on more sequences, or train on more."
        )

    def table(self) -> pd.DataFrame:
        """A row for each class.

        Columns: class; sequences, how many there are; recall, the share of them that was found; precision, the share of
        those called so that are so; f1, the harmonic mean of the two. NaN where there is nothing to take a share of.
        """
        right, there, called = self.counts.diagonal(), self.counts.sum(1), self.counts.sum(0)
        return pd.DataFrame(
            {
                "class": self.classes,
                "sequences": there,
                "recall": _share(right, there),
                "precision": _share(right, called),
                "f1": _share(2 * right, there + called),
            }
        )

    def confusions(self, most: int = 5) -> list[tuple[Any, Any, int]]:
        """The most frequent mistakes: true class, predicted class, sequences."""
        wrong = self.counts - np.diag(self.counts.diagonal())
        order = np.argsort(-wrong, axis=None, kind="stable")[:most]
        pairs = [(int(place) // len(wrong), int(place) % len(wrong)) for place in order if wrong.flat[place]]
        return [(self.classes[row], self.classes[column], int(wrong[row, column])) for row, column in pairs]

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"accuracy {_percent(self.accuracy)} % of {self.counts.sum():,} sequences (95 % interval "
            f"{_percent(low)} to {_percent(high)} %); the commonest class for all: {_percent(self.commonest)} %"
        )


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    shares: np.ndarray = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return shares


def _percent(share: float) -> str:
    return f"{min(100 * share, 99.99):.2f}" if 0.98 < share < 1 else f"{100 * share:.1f}"
