"""The verdict: its sentences for numbers chosen for each."""

import numpy as np
import pytest

from gatewise.forecast.evaluation.verdict import coverage, evidence, judgement, standing, worst


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ([1.0, 1.0, 1.0], [2.0, 2.0, 2.0], "is worth using: 50 % better than the naive forecast"),
        ([1.0, 1.0, 2.1], [2.0, 2.0, 2.0], "on average, but ahead only in 2 of 3 test windows; use it with care"),
        ([1.0, 1.1, 0.9, 1.2, 1.0, 1.1, 2.1], [2.0] * 7, "is worth using"),  # far ahead in six of seven
        ([0.97], [1.0], "is no better than the naive forecast (the last value); use that"),
        ([1.04, 1.04], [1.0, 1.0], "is no better than"),
        ([1.2, 0.9], [1.0, 1.0], "is no better than"),
        ([1.5, 0.9], [1.0, 1.0], "Do not trust the LSTM here: the naive forecast (the last value) is better"),
        ([0.0, 0.0], [0.0, 0.0], "is no better than"),
        ([0.1, 0.1], [0.0, 0.0], "Do not trust"),
    ],
)
def test_the_judgement_follows_from_the_errors(ours, theirs, words):
    assert words in judgement("LSTM", "Naive", ours, theirs)


def test_a_random_walk_is_seldom_called_worth_using():
    rng = np.random.default_rng(0)
    ours, theirs = rng.uniform(1, 3, (2, 1000, 5))  # as good as each other, over five windows
    said = [judgement("LSTM", "Naive", mine, other) for mine, other in zip(ours, theirs, strict=True)]
    assert np.mean(["worth using" in words for words in said]) < 0.1


@pytest.mark.parametrize(
    ("ours", "theirs", "stands"),
    [
        ([1.0, 1.0, 1.0], [2.0, 2.0, 2.0], "ahead"),
        ([1.0, 1.0, 2.1], [2.0, 2.0, 2.0], "unsure"),
        ([1.0, 1.1, 0.9, 1.2, 1.0, 1.1, 2.1], [2.0] * 7, "ahead"),
        ([0.97], [1.0], "level"),
        ([1.5, 0.9], [1.0, 1.0], "behind"),
    ],
)
def test_the_standing_agrees_with_the_sentence(ours, theirs, stands):
    words = {"ahead": "worth using", "unsure": "with care", "level": "no better", "behind": "Do not trust"}
    assert standing(ours, theirs) == stands
    assert [name for name, said in words.items() if said in judgement("LSTM", "Naive", ours, theirs)] == [stands]


def test_the_cases_in_which_it_is_ahead_may_be_described():
    said = judgement("LSTM", "Naive", [1.0], [2.0], "in 1 of 1 series and 7 of 9 test windows")
    assert said.endswith("(the last value), in 1 of 1 series and 7 of 9 test windows.")


def test_the_worst_series_are_named_and_only_those_behind():
    said = worst(["a", "b", "c", "d", 5], [3.0, 1.0, 9.0, 2.0, 4.0], [1.0, 2.0, 1.0, 1.9, 1.0], "MASE")
    assert said == "Worst: 'c' (MASE 9 against 1), '5' (MASE 4 against 1), 'a' (MASE 3 against 1)."
    assert worst(["a"], [1.0], [1.0], "MASE") == ""
    assert worst(["x" * 50], [2.0], [1.0], "MAE") == f"Worst: '{'x' * 39}…' (MAE 2 against 1)."


@pytest.mark.parametrize(
    ("fractions", "values", "words"),
    [
        ({80: 0.8, 95: 0.95}, 72, "95 % for the 95 % interval."),
        ({80: 0.6}, 72, "60 % for the 80 % interval (too narrow)."),
        ({80: 1.0}, 72, "100 % for the 80 % interval (too wide)."),
        ({80: 0.6, 95: 1.0}, 72, "too narrow"),
        ({80: 5 / 6, 95: 5 / 6}, 6, "83 % for the 95 % interval."),  # one of six: that may be chance
        ({80: 1.0}, 6, "100 % for the 80 % interval."),
        ({80: 0.75}, 10_000, "75 % for the 80 % interval."),  # surely off, but by little
    ],
)
def test_intervals_are_called_narrow_or_wide_if_they_surely_are(fractions, values, words):
    assert coverage(fractions, values).endswith(words) or words in coverage(fractions, values)
    assert ("too narrow" in words) == ("too narrow" in coverage(fractions, values))
    assert ("too wide" in words) == ("too wide" in coverage(fractions, values))


def test_without_intervals_there_is_no_coverage():
    assert coverage({}, 72) == ""


def test_few_windows_are_called_little_evidence():
    assert evidence(1) == "One test window is little evidence; use --windows 10."
    assert evidence(4) == "Four test windows are little evidence; use --windows 10."
    assert evidence(5) == ""
