"""The summary of a history."""

from gatewise.training import History


def test_summary_and_repr():
    history = History([276.7, 79.12345], [300.0, 105.0], [0.1, 0.1], [1.0, 2.0], 2, "patience")
    losses = "training loss 276.7 -> 79.12, validation loss 300 -> 105, lowest 105 in epoch 2"
    expected = f"2 epochs in 3.0 s: {losses}; stopped early"
    assert history.summary() == expected
    assert repr(history) == f"<History: {expected}>"
    assert History().summary() == "no finished epoch"
    assert History([2.0], [], [0.1], [0.5], None, "epochs").summary() == "1 epoch in 0.5 s: training loss 2 -> 2"
