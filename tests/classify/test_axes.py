"""Sequences whose axes are in another order, and those padded with NaN."""

import numpy as np
import pytest
import torch

from gatewise import Classifier
from gatewise.classify import SequenceError
from gatewise.classify.axes import oriented, seem_channels_first
from tests.classify.walks import SMALL

GENERATOR = np.random.default_rng(0)
X = np.cumsum(GENERATOR.normal(size=(20, 40, 3)), 1)
Y = np.arange(20) % 2
MODEL = Classifier(**SMALL).fit(X, Y)
EXPECTED = MODEL.predict_proba(X)


def walks(*shape, axis):
    return np.cumsum(GENERATOR.normal(size=shape), axis)


@pytest.mark.parametrize(
    ("x", "first"),
    [
        (walks(20, 3, 40, axis=2), True),
        (walks(20, 1, 40, axis=2), True),
        (walks(20, 6, 100, axis=2), True),
        (walks(20, 9, 128, axis=2), True),
        (walks(20, 12, 29, axis=2), True),
        (0.02 * walks(20, 30, 40, axis=2) + np.sin(GENERATOR.uniform(0, 6.3, (20, 30, 1)) + np.arange(40) / 6), True),
        (GENERATOR.normal(size=(20, 1, 150)), True),
        (walks(20, 40, 3, axis=1), False),
        (walks(20, 12, 29, axis=1), False),
        (GENERATOR.normal(size=(20, 12, 29)), False),
        (GENERATOR.normal(size=(20, 28, 28)), False),
        (walks(20, 1, 5, axis=2), False),
        (walks(20, 2, 9, axis=2), False),
        (walks(20, 100, 128, axis=1), False),
        (walks(20, 40, 1, axis=1), False),
        (np.zeros((20, 40)), False),
    ],
)
def test_arrays_with_channels_first_are_recognized(x, first):
    assert seem_channels_first(x) == first


def smooth(kind, count, channels, steps):
    """(N, C, T)"""
    if kind == "sines":
        phases, rates = GENERATOR.uniform(0, 6.3, (count, channels, 1)), GENERATOR.uniform(0.7, 1.5, (count, 1, 1))
        return np.sin(phases + rates * np.linspace(0, 6.3, steps)) + 0.05 * GENERATOR.normal(
            size=(count, channels, steps)
        )
    if kind == "walks":
        return walks(count, channels, steps, axis=2)
    values = GENERATOR.normal(size=(count, channels, steps))
    for k in range(1, steps):
        values[..., k] = 0.9 * values[..., k - 1] + np.sqrt(1 - 0.9**2) * values[..., k]
    return values


@pytest.mark.parametrize("shape", [(40, 8, 20), (40, 6, 30), (40, 12, 60), (40, 24, 51)])
@pytest.mark.parametrize("kind", ["sines", "walks", "autoregressive"])
def test_smooth_arrays_with_channels_first_get_a_warning(shape, kind):
    x = smooth(kind, *shape)
    assert seem_channels_first(x)
    assert not seem_channels_first(x.transpose(0, 2, 1))
    assert not seem_channels_first(np.random.default_rng(0).normal(size=shape))
    for array in (x, torch.tensor(x), list(x)):
        with pytest.warns(UserWarning, match=r"if channels come before steps, \(N, C, T\)"):
            oriented(array, None)


def test_an_array_with_channels_first_gets_a_warning_whose_remedies_are_right():
    first = X.transpose(0, 2, 1)
    with pytest.warns(UserWarning, match=r"x has a list of shapes \(3, 40\) and is read as 3 step"):
        Classifier(**SMALL).fit(list(first), Y)
    ragged = [sequence[:, : 30 + k % 5] for k, sequence in enumerate(first)]
    with pytest.raises(SequenceError, match=r"sequence 1 has 31 .*; if they are \(C, T\), pass channels_f"):
        Classifier(**SMALL).fit(ragged, Y)
    expected = Classifier(**SMALL).fit([sequence.T for sequence in ragged], Y).predict_proba(X)
    assert (Classifier(**SMALL).fit(ragged, Y, channels_first=True).predict_proba(X) == expected).all()
    with pytest.warns(UserWarning, match=r"x has shape \(20, 3, 40\) and is read as 3 step.* x.transpose\(0, 2, 1\)"):
        Classifier(**SMALL).fit(first, Y)
    for model in (
        Classifier(**SMALL).fit(first.transpose(0, 2, 1), Y),
        Classifier(**SMALL).fit(first, Y, channels_first=True),
        Classifier(**SMALL).fit(torch.tensor(first), Y, channels_first=True),
        Classifier(**SMALL).fit([sequence.T for sequence in X], Y, channels_first=True),
    ):
        assert (model.predict_proba(X) == EXPECTED).all()
        assert (model.predict_proba(first, channels_first=True) == EXPECTED).all()
        assert model.score(first, Y, channels_first=True) == model.score(X, Y)
        assert (model.predict(first, channels_first=True) == model.predict(X)).all()
    assert Classifier(**SMALL).fit(first, Y, channels_first=False).n_features_in_ == 40
    with pytest.raises(
        SequenceError, match=r"x has 40 channel\(s\), expected 3, as in fit; .* x.transpose\(0, 2, 1\) or chan"
    ):
        MODEL.predict(first)
    with pytest.raises(ValueError, match=r"channels_first=True is for arrays \(N, C, T\), but x has shape \(20, 40\)"):
        MODEL.predict(X[..., 0], channels_first=True)


def test_one_sequence_without_its_first_axis_is_refused_with_the_remedy():
    with pytest.raises(
        SequenceError, match=r"x has 1 channel.*, read as 40 sequences of one channel; one sequence is x\[None\]"
    ):
        MODEL.predict(X[0])
    assert MODEL.predict_proba(X[0][None]) == pytest.approx(EXPECTED[:1], abs=1e-6)
    for y in ([1], 1, Y):
        with pytest.raises(SequenceError, match=r"y has shape .*, expected \(40,\), .*; one sequence is x\[None\]"):
            Classifier(**SMALL).fit(X[0], y)
    with pytest.raises(
        SequenceError, match=r"y has shape \(40,\), expected \(20,\), .*expected \(N, T, C\); transpose it"
    ):
        Classifier(**SMALL).fit(X, np.arange(40) % 2)


def test_nan_at_the_end_of_all_channels_means_a_shorter_sequence():
    lengths = np.full(20, 40)
    lengths[[3, 7]] = 5, 39
    padded = X.copy()
    for k, length in enumerate(lengths):
        padded[k, length:] = np.nan
    sequences = [sequence[:length] for sequence, length in zip(X, lengths, strict=True)]
    expected = Classifier(**SMALL).fit(sequences, Y).predict_proba(sequences)
    for x in (padded, torch.tensor(padded), padded.astype(np.float32)):
        with pytest.warns(
            UserWarning, match="2 of 20 sequences of x end in NaN and are read as shorter; pass lengths="
        ):
            model = Classifier(**SMALL).fit(x, Y)
        with pytest.warns(UserWarning, match="2 of 20 sequences"):
            assert model.predict_proba(x) == pytest.approx(expected, abs=1e-5)
    assert (Classifier(**SMALL).fit(padded, Y, lengths=lengths).predict_proba(sequences) == expected).all()
    with pytest.warns(UserWarning, match="2 of 20 sequences"):
        Classifier(**SMALL).fit(padded[..., 0], Y)


@pytest.mark.parametrize(
    ("place", "where"),
    [((4, 7), "sequence 4, step 7, channel 0"), ((4, 39, 1), "step 39, channel 1"), ((4,), "sequence 4, step 0")],
)
def test_other_nan_are_refused_with_their_place(place, where):
    x = X.copy()
    x[place] = np.nan
    with pytest.raises(SequenceError, match=f"{where}.*: NaN, expected a number"):
        Classifier(**SMALL).fit(x, Y)


def test_one_sequence_of_one_channel_is_refused_with_both_readings(tmp_path):
    x = X[..., :1]
    model = Classifier(**SMALL).fit(x, Y)
    model.save(tmp_path / "m.safetensors")
    for classifier in (model, Classifier.load(tmp_path / "m.safetensors")):
        with pytest.raises(
            SequenceError, match=r"x has shape \(40, 1\), which may be one sequence of 40 steps, x\[None\], or"
        ):
            classifier.predict(x[0])
        assert classifier.predict_proba(x[0][None]) == pytest.approx(model.predict_proba(x)[:1], abs=1e-6)
        assert classifier.predict_proba(x[0][:, None]).shape == (40, 2)
    short = Classifier(**SMALL).fit(x[:, 0], Y)  # sequences of one step
    assert short.predict(x[:, 0]).shape == (20,)
