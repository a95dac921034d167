"""Scores of a classifier, against what can be counted by hand and against published definitions."""

import numpy as np
import pytest

from gatewise.classify import Scores, SequenceError, stratified_mask

TRUTH = np.array(["a"] * 6 + ["b"] * 3 + ["c"] * 1)
MADE = np.array(["a"] * 4 + ["b"] * 2 + ["b"] * 2 + ["a"] + ["a"])


def test_counts_and_shares_are_those_counted_by_hand():
    found = Scores.of(TRUTH, MADE, ["a", "b", "c"])
    assert found.counts.tolist() == [[4, 2, 0], [1, 2, 0], [1, 0, 0]]
    assert (found.accuracy, found.commonest) == (0.6, 0.6)
    table = found.table()
    assert table["sequences"].tolist() == [6, 3, 1]
    assert table["recall"].tolist() == pytest.approx([4 / 6, 2 / 3, 0])
    assert table["precision"].tolist() == pytest.approx([4 / 6, 2 / 4, np.nan], nan_ok=True)
    assert table["f1"].tolist() == pytest.approx([4 / 6, 4 / 7, 0])
    assert found.confusions(2) == [("a", "b", 2), ("b", "a", 1)]
    assert len(found.confusions()) == 3


def test_the_interval_is_wilsons():
    """Newcombe, Two-sided confidence intervals for the single proportion, 1998: 81 of 263, 15 of 148, 0 of 20."""
    for right, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        made = np.repeat([1, 0], [right, count - right])
        found = Scores.of(np.ones(count, int), made, [0, 1])
        assert found.interval == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (90, "Better than the majority class (50.0 %): "),
        (52, "No evidence of skill beyond the majority class (50.0 %). "),
        (48, "No evidence of skill beyond the majority class (50.0 %). "),
        (10, "Worse than the majority class (50.0 %): "),
    ],
)
def test_the_verdict_compares_with_the_majority_class(right, words):
    truth = np.repeat([0, 1], 50)
    made = np.where(np.random.default_rng(0).permutation(100) < right, truth, 1 - truth)
    assert Scores.of(truth, made, [0, 1]).verdict.startswith(words)


def test_predictions_and_classes_that_cannot_be_scored_are_refused():
    with pytest.raises(SequenceError, match="predicted class 'd' is none of the classes of training: a, b"):
        Scores.of(["a"], ["d"], ["a", "b"])
    with pytest.raises(SequenceError, match=r"classes have shape \(\), expected \(K,\)"):
        Scores.of(["a"], ["a"], "a")


def test_labels_that_were_never_learnt_are_refused():
    with pytest.raises(SequenceError, match="label 'd' is none of the classes of training: a, b"):
        Scores.of(["a", "d"], ["a", "a"], ["a", "b"])
    for truth, made in (([], []), (["a"], ["a", "b"])):
        with pytest.raises(SequenceError, match="expected one label for each"):
            Scores.of(truth, made, ["a", "b"])


def test_the_stratified_mask_holds_back_the_same_share_of_each_class():
    y = np.array(["x"] * 50 + ["y"] * 10 + ["z"])
    out = stratified_mask(y, 0.2)
    assert [int(out[y == name].sum()) for name in ("x", "y", "z")] == [10, 2, 0]
    assert (stratified_mask(y, 0.2) == out).all()
    assert (stratified_mask(y, 0.2, seed=1) != out).any()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((["a", "b"], 2), "fraction is 2, expected a share from 0 to below 1"),
        ((["a", "b"], 1.0), "fraction is 1.0, expected"),
        ((["a", "b"], "0.2"), "fraction is '0.2', expected"),
        ((["a", "b"], 0.2, -1), "seed is -1, expected a whole number"),
        ((3, 0.2), "y is 3, expected"),
        (([], 0.2), "y holds no labels"),
    ],
)
def test_draws_that_make_no_sense_are_refused(asked, words):
    with pytest.raises(ValueError, match=words):
        stratified_mask(*asked)


def test_where_all_are_right_the_interval_ends_at_one():
    for count in range(1, 60):
        found = Scores.of([0, *[1] * count], [0, *[1] * count], [0, 1])
        assert found.interval[1] == 1.0
        assert not found.verdict.startswith("Worse")
        assert Scores.of([0] * count, [1] * count, [0, 1]).interval[0] == 0.0
    assert "100.00" not in str(Scores(np.array([0, 1]), np.array([[100_000, 1], [0, 99_999]])))


def test_classes_of_a_few_sequences_are_held_out_by_lot():
    """A tenth of 20 classes of 4 is 8 of 80, which rounding each class would make none."""
    y = np.repeat(np.arange(20), 4)
    out = stratified_mask(y, 0.1)
    assert np.bincount(y[out], minlength=20).tolist().count(1) == out.sum() == 8
    assert (stratified_mask(y, 0.1, seed=1) != out).any()
    assert stratified_mask(np.repeat(np.arange(50), 2), 0.2).sum() == 20
    assert not stratified_mask([0, 1, 2], 0.5).any()  # never all of one
