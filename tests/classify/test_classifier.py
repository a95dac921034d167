"""The Classifier: accuracy, predictions, and the conventions of scikit-learn."""

import contextlib

import numpy as np
import pytest
import torch

from gatewise import Classifier
from gatewise.classify import SequenceError
from gatewise.networks import POOLINGS
from tests.classify.walks import SMALL, walks


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_drifting_walks_are_classified(cell, pooling):
    (x, y), (test_x, test_y) = walks(200), walks(200, seed=1)
    model = Classifier(cell, 16, epochs=10, lr=1e-2, pooling=pooling).fit(x, y)
    best = ((test_x[:, -1, 0] > 0) == (test_y == "up")).mean()  # no other rule is more accurate
    assert model.score(test_x, test_y) > best - 0.06


def test_sequences_that_differ_only_in_order_are_classified():
    """Pulses at the start and at the end have the same values: their means over time are equal."""
    generator = np.random.default_rng(0)
    first = np.concatenate([3 + generator.normal(size=(80, 4)), generator.normal(size=(80, 8))], axis=1)
    x = np.concatenate([first, first[:, ::-1]])
    y = np.repeat([7, -1], 80)
    assert Classifier(**{**SMALL, "epochs": 15}, lr=1e-2).fit(x, y).score(x, y) > 0.95


@pytest.mark.parametrize("bidirectional", [False, True])
def test_values_after_the_end_of_a_sequence_are_ignored(bidirectional):
    x, y = walks(60, 12, channels=2)
    lengths = np.random.default_rng(3).integers(1, 13, 60)
    padded = x.copy()
    for sequence, length in zip(padded, lengths, strict=True):
        sequence[length:] = np.nan if length % 2 else 1e9
    listed = [sequence[:length] for sequence, length in zip(x, lengths, strict=True)]
    options = {**SMALL, "bidirectional": bidirectional}
    models = [
        Classifier(**options).fit(x, y, lengths=lengths),
        Classifier(**options).fit(torch.tensor(x), y.tolist(), lengths=torch.tensor(lengths)),
        Classifier(**options).fit(listed, y),
    ]
    expected = models[0].predict_proba(x, lengths=lengths)
    for model in models:
        np.testing.assert_array_equal(model.predict_proba(listed), expected)
    np.testing.assert_array_equal(models[0].predict_proba(padded, lengths=lengths), expected)
    alone = np.concatenate([models[0].predict_proba([sequence]) for sequence in listed])
    np.testing.assert_allclose(alone, expected, atol=1e-6)


@pytest.mark.parametrize("labels", [["b", "a"], [3, -2], [True, False], [2.0, 1.0], np.array([5, 4], np.uint8)])
def test_predictions_have_the_type_of_the_labels(labels):
    x, y = walks(60)
    y = np.where(y == "up", *np.array(labels)[:, None])
    model = Classifier(**SMALL).fit(x, y)
    assert model.classes_.tolist() == sorted(np.array(labels).tolist())
    assert model.predict(x).dtype == y.dtype
    probabilities = model.predict_proba(x)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    np.testing.assert_array_equal(model.predict(x), model.classes_[probabilities.argmax(1)])
    assert model.score(x, y) == (model.predict(x) == y).mean()
    assert model.score(x, y, sample_weight=np.arange(60)) == np.average(model.predict(x) == y, weights=np.arange(60))


@contextlib.contextmanager
def global_setting(setting, value, default):
    setting(value)
    try:
        yield
    finally:
        setting(default)


@pytest.mark.parametrize(
    "context",
    [
        lambda: global_setting(torch.set_default_dtype, torch.float64, torch.float32),
        lambda: global_setting(torch.set_default_device, "meta", None),
        lambda: global_setting(torch.use_deterministic_algorithms, True, False),
        lambda: torch.autocast("cpu", torch.bfloat16),
        torch.inference_mode,
        torch.no_grad,
    ],
)
def test_global_settings_of_torch_do_not_change_predictions(context, tmp_path):
    x, y = walks(40)
    lengths = np.arange(40) % 15 + 1
    plain = Classifier(**SMALL, dropout=0.2).fit(x, y, lengths=lengths)
    expected = plain.predict_proba(x, lengths=lengths)
    plain.save(tmp_path / "m")
    with context():
        other = Classifier(**SMALL, dropout=0.2).fit(x, y, lengths=lengths)
        for model in (plain, other, Classifier.load(tmp_path / "m")):
            np.testing.assert_array_equal(model.predict_proba(x, lengths=lengths), expected)


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_bits():
    x, y = walks(60)
    first, again, other = (Classifier(**SMALL, dropout=0.3, seed=seed).fit(x, y).predict_proba(x) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("weight", [{"up": 30.0}, "balanced"])
def test_class_weights_move_predictions_towards_their_class(weight):
    x, y = walks(200, 3)
    unbalanced = np.flatnonzero((y == "down") | (np.arange(200) % 10 == 0))
    options = {**SMALL, "epochs": 15, "lr": 1e-2}
    plain = Classifier(**options).fit(x[unbalanced], y[unbalanced])
    weighted = Classifier(**options, class_weight=weight).fit(x[unbalanced], y[unbalanced])
    assert weighted.predict_proba(x)[:, 1].mean() > plain.predict_proba(x)[:, 1].mean() + 0.1


def test_arguments_follow_scikit_learn():
    model = Classifier(**SMALL)
    assert repr(model) == "Classifier(hidden_size=8, epochs=3, batch_size=16)"
    assert type(model)(**model.get_params()).get_params() == model.get_params()
    x, y = walks(30)
    model.fit(x, y).set_params(epochs=2)
    with pytest.raises(RuntimeError, match="not fitted"):
        model.predict(x)


def test_input_that_does_not_match_the_fit_is_refused():
    x, y = walks(30)
    with pytest.raises(RuntimeError, match="not fitted; call fit"):
        Classifier().predict(x)
    model = Classifier(**SMALL).fit(x, y)
    with pytest.raises(SequenceError, match=r"x has 2 channel\(s\), expected 1"):
        model.predict(np.zeros((3, 4, 2)))
    for labels in (y[:, None], y[:3], "up"):
        with pytest.raises(SequenceError, match=r"y has shape \(.*\), expected \(30,\)"):
            model.score(x, labels)
    with pytest.raises(SequenceError, match="class_weight names 'left'"):
        Classifier(**SMALL, class_weight={"left": 2}).fit(x, y)
    with pytest.raises(SequenceError, match="class_weight is 0 for every class"):
        Classifier(**SMALL, class_weight={"up": 0, "down": 0.0}).fit(x, y)
    before = model.predict_proba(x)
    with pytest.raises(SequenceError):
        model.fit(x, y[:3])
    np.testing.assert_array_equal(model.predict_proba(x), before)


@pytest.mark.parametrize("y", [[1], 1, [[1], [0], [1], [0]], [1, 0, 1]], ids=str)
def test_score_needs_a_label_for_each_sequence(y):
    x = np.eye(4)
    model = Classifier(hidden_size=4, epochs=1).fit(x, [1, 0, 1, 0])
    with pytest.raises(SequenceError, match=r"y has shape .*, expected \(4,\), a label for each sequence"):
        model.score(x, y)
