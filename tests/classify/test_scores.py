"""Scores of a classifier, against what can be counted by hand and against published definitions."""

import numpy as np
import pytest

from gatewise.classify import Scores, SequenceError

TRUTH = np.array(["a"] * 6 + ["b"] * 3 + ["c"] * 1)
PREDICTED = np.array(["a"] * 4 + ["b"] * 2 + ["b"] * 2 + ["a"] + ["a"])


def test_counts_and_scores_equal_those_counted_by_hand():
    scores = Scores.of(TRUTH, PREDICTED, ["a", "b", "c"])
    assert scores.counts.tolist() == [[4, 2, 0], [1, 2, 0], [1, 0, 0]]
    assert (scores.accuracy, scores.commonest) == (0.6, 0.6)
    table = scores.table()
    assert table["sequences"].tolist() == [6, 3, 1]
    assert table["recall"].tolist() == pytest.approx([4 / 6, 2 / 3, 0])
    assert table["precision"].tolist() == pytest.approx([4 / 6, 2 / 4, np.nan], nan_ok=True)
    assert table["f1"].tolist() == pytest.approx([4 / 6, 4 / 7, 0])
    assert scores.confusions(2) == [("a", "b", 2), ("b", "a", 1)]
    assert len(scores.confusions()) == 3


def test_the_interval_is_wilsons():
    """Newcombe, Two-sided confidence intervals for the single proportion, 1998: 81 of 263, 15 of 148, 0 of 20."""
    for right, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        predicted = np.repeat([1, 0], [right, count - right])
        scores = Scores.of(np.ones(count, int), predicted, [0, 1])
        assert scores.interval == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("right", "message"),
    [
        (90, "Better than the majority class (50.0 %): "),
        (52, "No evidence of skill beyond the majority class (50.0 %), which lies within the 95 % interval of "),
        (48, "No evidence of skill beyond the majority class (50.0 %), which lies within the 95 % interval of "),
        (10, "Worse than the majority class (50.0 %): "),
    ],
)
def test_the_verdict_compares_with_the_majority_class(right, message):
    truth = np.repeat([0, 1], 50)
    predicted = np.where(np.random.default_rng(0).permutation(100) < right, truth, 1 - truth)
    assert Scores.of(truth, predicted, [0, 1]).verdict.startswith(message)


def test_predictions_of_unknown_classes_are_refused():
    with pytest.raises(SequenceError, match=r"predicted class 'd' is not one of the training classes \(a, b\); leave"):
        Scores.of(["a"], ["d"], ["a", "b"])
    with pytest.raises(SequenceError, match=r"classes have shape \(\), expected \(K,\)"):
        Scores.of(["a"], ["a"], "a")


def test_labels_of_unknown_classes_are_refused():
    with pytest.raises(SequenceError, match=r"label 'd' is not one of the training classes \(a, b\); leave"):
        Scores.of(["a", "d"], ["a", "a"], ["a", "b"])
    for truth, predicted in (([], []), (["a"], ["a", "b"])):
        with pytest.raises(SequenceError, match="expected one label for each"):
            Scores.of(truth, predicted, ["a", "b"])


def test_the_interval_ends_at_one_if_all_predictions_are_correct():
    for count in range(1, 60):
        scores = Scores.of([0, *[1] * count], [0, *[1] * count], [0, 1])
        assert scores.interval[1] == 1.0
        assert not scores.verdict.startswith("Worse")
        assert Scores.of([0] * count, [1] * count, [0, 1]).interval[0] == 0.0
    assert "100.00" not in str(Scores(np.array([0, 1]), np.array([[100_000, 1], [0, 99_999]])))
