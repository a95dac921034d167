"""The verdict: the sentence for each kind of result."""

import numpy as np
import pytest

from gatewise.forecast.evaluation.verdict import (
    baseline_only,
    coverage,
    delivery,
    evidence,
    judgement,
    standing,
    worst,
)


@pytest.mark.parametrize(
    ("errors", "baseline", "message"),
    [
        ([1.0, 1.0, 1.0], [2.0, 2.0, 2.0], "is worth using: 50 % better than the naive forecast"),
        (
            [1.0, 1.0, 2.1],
            [2.0, 2.0, 2.0],
            "on average, ahead in 2 of 3 test windows; that may be chance (p = 0.11), use it with care",
        ),
        ([1.0, 1.1, 0.9, 1.2, 1.0, 1.1, 2.1], [2.0] * 7, "is worth using"),  # far ahead in six of seven
        ([0.97], [1.0], "is no better than the naive forecast (the last value); use that instead, as it is simpler"),
        ([1.04, 1.04], [1.0, 1.0], "is no better than"),
        ([1.2, 0.9], [1.0, 1.0], "is no better than"),
        ([1.5, 0.9], [1.0, 1.0], "Do not trust the LSTM here: the naive forecast (the last value) is better"),
        ([0.0, 0.0], [0.0, 0.0], "is no better than"),
        ([0.1, 0.1], [0.0, 0.0], "Do not trust"),
    ],
)
def test_the_judgement_follows_from_the_errors(errors, baseline, message):
    assert message in judgement("LSTM", "Naive", errors, baseline)


def test_an_equally_good_model_is_rarely_called_worth_using():
    rng = np.random.default_rng(0)
    errors, baseline = rng.uniform(1, 3, (2, 1000, 5))  # equally good over five windows
    messages = [
        judgement("LSTM", "Naive", model_errors, naive_errors)
        for model_errors, naive_errors in zip(errors, baseline, strict=True)
    ]
    assert np.mean(["worth using" in message for message in messages]) < 0.07


@pytest.mark.parametrize(
    ("errors", "baseline", "stands"),
    [
        ([1.0, 1.0, 1.0], [2.0, 2.0, 2.0], "ahead"),
        ([1.0, 1.0, 2.1], [2.0, 2.0, 2.0], "unsure"),
        ([1.0, 1.1, 0.9, 1.2, 1.0, 1.1, 2.1], [2.0] * 7, "ahead"),
        ([0.97], [1.0], "level"),
        ([1.5, 0.9], [1.0, 1.0], "behind"),
    ],
)
def test_the_standing_agrees_with_the_sentence(errors, baseline, stands):
    phrases = {"ahead": "worth using", "unsure": "with care", "level": "no better", "behind": "Do not trust"}
    assert standing(errors, baseline) == stands
    assert [name for name, phrase in phrases.items() if phrase in judgement("LSTM", "Naive", errors, baseline)] == [
        stands
    ]


def test_the_judgement_can_describe_the_cases():
    message = judgement("LSTM", "Naive", [1.0, 1.0], [2.0, 2.0], "in 2 of 2 series and 7 of 9 test windows")
    assert message.endswith("(the last value), ahead in 2 of 2 series and 7 of 9 test windows (p < 0.01).")


def test_overlapping_windows_are_less_evidence():
    errors, baseline = [1.0, 1.2, 0.9, 1.3, 1.0, 1.2], [1.2, 1.5, 1.3, 1.5, 1.3, 1.3]
    assert standing(errors, baseline) == "ahead"
    assert standing(errors, baseline, lag=5) == "unsure"  # all windows overlap


def test_the_delivered_methods_are_named():
    assert delivery("LSTM", ["LSTM", "LSTM"]) == delivery("LSTM", []) == ""
    assert delivery("LSTM", ["Naive"] * 2) == "In the test windows, the forecast was Naive."
    mixed = delivery("LSTM", ["Naive", "LSTM", "Naive"])
    assert mixed == "In the test windows, the forecast was Naive (2 of 3) or LSTM (1)."
    assert baseline_only("GRU", "Drift").startswith("Use the drift forecast (the line from the first value")


def test_the_worst_series_are_named_and_only_those_behind():
    message = worst(["a", "b", "c", "d", 5], [3.0, 1.0, 9.0, 2.0, 4.0], [1.0, 2.0, 1.0, 1.9, 1.0], "MASE")
    assert message == "Worst: 'c' (MASE 9 against 1), '5' (MASE 4 against 1), 'a' (MASE 3 against 1)."
    assert worst(["a"], [1.0], [1.0], "MASE") == ""
    assert worst(["x" * 50], [2.0], [1.0], "MAE") == f"Worst: '{'x' * 39}…' (MAE 2 against 1)."


@pytest.mark.parametrize(
    ("fractions", "values", "message"),
    [
        ({80: 0.8, 95: 0.95}, 72, "95 % for the 95 % interval."),
        ({80: 0.6}, 72, "60 % for the 80 % interval (too narrow)."),
        ({80: 1.0}, 72, "100 % for the 80 % interval (too wide)."),
        ({80: 0.6, 95: 1.0}, 72, "too narrow"),
        ({80: 5 / 6, 95: 5 / 6}, 6, "83 % for the 95 % interval."),  # one of six is not significant
        ({80: 1.0}, 6, "100 % for the 80 % interval."),
        ({80: 0.75}, 10_000, "75 % for the 80 % interval."),  # significant, but small
    ],
)
def test_intervals_are_called_narrow_or_wide_only_if_significant(fractions, values, message):
    assert coverage(fractions, values).endswith(message) or message in coverage(fractions, values)
    assert ("too narrow" in message) == ("too narrow" in coverage(fractions, values))
    assert ("too wide" in message) == ("too wide" in coverage(fractions, values))


def test_without_intervals_there_is_no_coverage():
    assert coverage({}, 72) == ""


def test_few_windows_are_called_little_evidence():
    assert evidence(1, more=10) == "One test window is little evidence; use windows=10 (--windows 10)."
    assert evidence(4, more=6) == "Four test windows are little evidence; use windows=6 (--windows 6)."
    assert evidence(4, more=0) == "Four test windows are little evidence; the series is too short for more."
    assert evidence(2, more=0, series=2) == "Two test windows are little evidence; the series are too short for more."
    assert evidence(5, more=10) == ""
