"""The Classifier: what it learns, what it refuses, and that it follows the manners of scikit-learn."""

import contextlib

import numpy as np
import pandas as pd
import pytest
import torch

from gatewise import Classifier
from gatewise.classify import SequenceError, Sequences, training
from gatewise.classify.labels import class_weights, encode_labels, validation_mask
from gatewise.classify.sequences import Batches
from gatewise.networks import POOLINGS
from gatewise.training import History

SMALL = {"hidden_size": 8, "epochs": 3, "batch_size": 16}


def walks(count=120, steps=15, seed=0, channels=1):
    """Sums of noise that drifts up or down: x (N, T, C) and y (N,)."""
    chance = np.random.default_rng(seed)
    y = np.array(["down", "up"])[chance.integers(0, 2, count)]
    drift = np.where(y == "up", 0.5, -0.5)[:, None, None]
    return np.cumsum(drift + chance.normal(size=(count, steps, channels)), axis=1), y


# ---------------------------------------------------------------------------------------------------- what it learns


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_walks_that_drift_are_told_apart(cell, pooling):
    (x, y), (more, theirs) = walks(200), walks(200, seed=1)
    model = Classifier(cell, 16, epochs=10, lr=1e-2, pooling=pooling).fit(x, y)
    best = ((more[:, -1, 0] > 0) == (theirs == "up")).mean()  # no other rule is right more often
    assert model.score(more, theirs) > best - 0.06


def test_only_the_order_of_steps_tells():
    """Pulses that come first or last have the same values: a mean over time knows nothing of them."""
    chance = np.random.default_rng(0)
    first = np.concatenate([3 + chance.normal(size=(80, 4)), chance.normal(size=(80, 8))], axis=1)
    x = np.concatenate([first, first[:, ::-1]])
    y = np.repeat([7, -1], 80)
    assert Classifier(**{**SMALL, "epochs": 15}, lr=1e-2).fit(x, y).score(x, y) > 0.95


@pytest.mark.parametrize("bidirectional", [False, True])
def test_lengths_count_and_what_lies_behind_them_does_not(bidirectional):
    x, y = walks(60, 12, channels=2)
    lengths = np.random.default_rng(3).integers(1, 13, 60)
    rest = x.copy()
    for one, length in zip(rest, lengths, strict=True):
        one[length:] = np.nan if length % 2 else 1e9
    listed = [one[:length] for one, length in zip(x, lengths, strict=True)]
    options = {**SMALL, "bidirectional": bidirectional}
    models = [
        Classifier(**options).fit(x, y, lengths=lengths),
        Classifier(**options).fit(torch.tensor(x), y.tolist(), lengths=torch.tensor(lengths)),
        Classifier(**options).fit(listed, y),
    ]
    expected = models[0].predict_proba(x, lengths=lengths)
    for model in models:
        np.testing.assert_array_equal(model.predict_proba(listed), expected)
    np.testing.assert_array_equal(models[0].predict_proba(rest, lengths=lengths), expected)
    alone = np.concatenate([models[0].predict_proba([one]) for one in listed])
    np.testing.assert_allclose(alone, expected, atol=1e-6)


@pytest.mark.parametrize("labels", [["b", "a"], [3, -2], [True, False], [2.0, 1.0], np.array([5, 4], np.uint8)])
def test_labels_of_any_type_come_back(labels):
    x, y = walks(60)
    y = np.where(y == "up", *np.array(labels)[:, None])
    model = Classifier(**SMALL).fit(x, y)
    assert model.classes_.tolist() == sorted(np.array(labels).tolist())
    assert model.predict(x).dtype == y.dtype
    chances = model.predict_proba(x)
    np.testing.assert_allclose(chances.sum(1), 1)
    np.testing.assert_array_equal(model.predict(x), model.classes_[chances.argmax(1)])
    assert model.score(x, y) == (model.predict(x) == y).mean()
    assert model.score(x, y, sample_weight=np.arange(60)) == np.average(model.predict(x) == y, weights=np.arange(60))


@contextlib.contextmanager
def default(setting, value, usual):
    setting(value)
    try:
        yield
    finally:
        setting(usual)


@pytest.mark.parametrize(
    "around",
    [
        lambda: default(torch.set_default_dtype, torch.float64, torch.float32),
        lambda: default(torch.set_default_device, "meta", None),
        lambda: default(torch.use_deterministic_algorithms, True, False),
        lambda: torch.autocast("cpu", torch.bfloat16),
        torch.inference_mode,
        torch.no_grad,
    ],
)
def test_settings_of_torch_change_nothing(around, tmp_path):
    x, y = walks(40)
    lengths = np.arange(40) % 15 + 1
    plain = Classifier(**SMALL, dropout=0.2).fit(x, y, lengths=lengths)
    expected = plain.predict_proba(x, lengths=lengths)
    plain.save(tmp_path / "m")
    with around():
        other = Classifier(**SMALL, dropout=0.2).fit(x, y, lengths=lengths)
        for model in (plain, other, Classifier.load(tmp_path / "m")):
            np.testing.assert_array_equal(model.predict_proba(x, lengths=lengths), expected)


def test_the_same_seed_gives_the_same_bits_and_another_one_others():
    x, y = walks(60)
    first, again, other = (Classifier(**SMALL, dropout=0.3, seed=s).fit(x, y).predict_proba(x) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_units_of_channels_do_not_matter():
    x, y = walks(60, channels=2)
    plain = Classifier(**SMALL).fit(x, y).predict_proba(x)
    far = np.array([1e4, 1e-6])
    np.testing.assert_allclose(Classifier(**SMALL).fit(x * far, y).predict_proba(x * far), plain, atol=1e-3)
    none = Classifier(**SMALL, scale="none").fit(x, y).predict_proba(x)
    assert not np.allclose(none, plain)


@pytest.mark.parametrize(("count", "batch_size", "epochs"), [(30, 8, 100), (200, 1, 38), (60, 64, 100)])
def test_epochs_go_by_the_number_of_sequences(count, batch_size, epochs, monkeypatch):
    asked = []
    monkeypatch.setattr(training, "fit", lambda *_, epochs, **__: asked.append(epochs) or History())
    x, y = walks(count)
    Classifier(hidden_size=4, batch_size=batch_size).fit(x, y)
    assert asked == [epochs]


@pytest.mark.parametrize(("far", "unit"), [(1e12, 1e2), (1.7e9, 1.0), (0.0, 1e-60)])
@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_small_differences_of_large_numbers_tell(far, unit, dtype):
    x, y = walks(100)
    x = np.round(1000 * x)
    moved = x * unit + far
    if np.issubdtype(dtype, np.integer) and unit < 1:
        pytest.skip("no whole numbers")
    plain, other = (Classifier(**SMALL).fit(v, y).predict_proba(v) for v in (x, moved.astype(dtype)))
    np.testing.assert_allclose(other, plain, atol=1e-4)


def test_a_constant_channel_and_rare_values_do_no_harm():
    x, y = walks(80, channels=3)
    x[..., 1] = 7
    x[..., 2] = 0
    x[3, 2, 2] = 1e-3  # more than 30 standard deviations away
    chances = Classifier(**SMALL).fit(x, y).predict_proba(x)
    assert np.isfinite(chances).all()


def test_the_scale_and_the_training_know_nothing_of_what_is_validation_mask():
    x, y = walks(100)
    out = validation_mask(encode_labels(y, 100)[1], 0.3, np.random.default_rng(0))
    other = x.copy()
    other[out] = 50 * other[out] + 3
    first, second = (Classifier(**SMALL, validation_fraction=0.3, patience=3).fit(v, y) for v in (x, other))
    assert first.history_.train == second.history_.train
    assert first.history_.held_out != second.history_.held_out


def test_training_ends_early_and_the_best_epoch_is_taken():
    chance = np.random.default_rng(0)
    x, y = chance.normal(size=(60, 10)), chance.integers(0, 2, 60)  # nothing to learn but by heart
    model = Classifier(hidden_size=32, epochs=40, lr=1e-2, patience=4, validation_fraction=0.3).fit(x, y)
    assert model.history_.stopped == "patience"
    best = model.history_.best_epoch
    assert model.history_.epochs == best + 4
    out = validation_mask(y, 0.3, np.random.default_rng(0))
    chances = model.predict_proba(x[out])[np.arange(out.sum()), y[out]]
    assert -np.log(chances).mean() == pytest.approx(model.history_.held_out[best - 1], rel=1e-4)
    whole = Classifier(**SMALL, validation_fraction=0.0).fit(x, y)
    assert whole.history_.held_out == []


@pytest.mark.parametrize("weight", [{"up": 30.0}, "balanced"])
def test_weights_move_predictions_towards_their_class(weight):
    x, y = walks(200, 3)
    few = np.flatnonzero((y == "down") | (np.arange(200) % 10 == 0))
    options = {**SMALL, "epochs": 15, "lr": 1e-2}
    plain = Classifier(**options).fit(x[few], y[few])
    moved = Classifier(**options, class_weight=weight).fit(x[few], y[few])
    assert moved.predict_proba(x)[:, 1].mean() > plain.predict_proba(x)[:, 1].mean() + 0.1


@pytest.mark.parametrize(
    "convert",
    [
        np.asfortranarray,
        lambda x: x[::-1, ::-1][::-1, ::-1],
        lambda x: x.astype(">f8"),
        lambda x: pd.DataFrame(x),
        lambda x: [pd.Series(one) for one in x],
        lambda x: torch.tensor(x, dtype=torch.bfloat16),
        lambda x: torch.tensor(x, requires_grad=True),
        lambda x: [torch.tensor(one, requires_grad=True) for one in x],
        lambda x: x.astype(np.float16),
        lambda x: np.ma.masked_array(x),
        lambda x: x.astype(object),
        lambda x: pd.DataFrame(x).astype({0: int}).convert_dtypes(),
        lambda x: [[int(number) for number in one] for one in x],
    ],
)
def test_sequences_of_any_kind_are_the_same_sequences(convert):
    x = np.arange(12.0).reshape(3, 4)
    found = Sequences.of(convert(x))
    x, lengths = found.batch(torch.arange(3))
    assert (x[..., 0].T.flatten().tolist(), lengths, len(found)) == (list(range(12)), None, 3)


# --------------------------------------------------------------------------------------------------------- batches


def test_batches_hold_each_sequence_once_zero_after_its_end():
    chance = np.random.default_rng(0)
    sizes = chance.integers(1, 30, 100)
    parts = [np.full((n, 2), k + 1.0) for k, n in enumerate(sizes)]
    sequences = Sequences.of(parts)
    batches = Batches(sequences, torch.arange(100), torch.arange(100), 8, torch.Generator().manual_seed(0))
    seen, padded = [], 0
    for (x, lengths), y in batches:
        for k, which in enumerate(y.tolist()):
            n = len(x) if lengths is None else int(lengths[k])
            assert n == sizes[which]
            assert (x[:n, k] == which + 1).all()
            assert (x[n:, k] == 0).all()
        seen += y.tolist()
        padded += x.shape[0] * x.shape[1]
    assert sorted(seen) == list(range(100))
    assert seen != list(range(100))
    assert padded < 1.4 * sizes.sum()  # about twice as many without sorting
    assert len(batches) == 13


def test_predictions_are_made_in_parts_of_bounded_size():
    """One long sequence must not cut thousands of short ones into parts of one."""
    sequences = Sequences.of([np.zeros(20000), *np.zeros((3000, 2))])
    for width, most in ((1, 2), (128, 3), (2**20, 1600)):
        parts = list(sequences.parts(width))
        assert sorted(torch.cat(parts).tolist()) == list(range(3001))
        padded = [len(part) * int(sequences.lengths[part].max()) for part in parts]
        assert all(len(part) == 1 or width * size <= 2**22 for part, size in zip(parts, padded, strict=True))
        assert len(parts) <= most
    assert len(list(Sequences.of(np.zeros((100, 784))).parts())) == 3  # 128 hidden values each step


@pytest.mark.parametrize("batch_size", [np.int64(8), 2**62])
def test_sizes_of_batches_may_be_numpys_and_beyond_all_sequences(batch_size):
    sequences = Sequences.of([np.zeros(1 + k % 3) for k in range(20)])
    batches = Batches(sequences, torch.arange(20), torch.arange(20), batch_size, torch.Generator().manual_seed(0))
    assert sorted(k for _, y in batches for k in y.tolist()) == list(range(20))
    assert len(batches) == (3 if batch_size == 8 else 1)
    torch.set_default_device("meta")  # as programs do that run on other devices
    try:
        assert sorted(k for _, y in batches for k in y.tolist()) == list(range(20))
    finally:
        torch.set_default_device(None)


def test_each_class_is_held_out_in_its_share_and_none_wholly():
    places = np.repeat([0, 1, 2, 3], [100, 10, 2, 1])
    out = validation_mask(places, 0.2, np.random.default_rng(0))
    assert [out[places == k].sum() for k in range(4)] == [20, 2, 0, 0]
    assert not np.array_equal(out, validation_mask(places, 0.2, np.random.default_rng(1)))
    assert validation_mask(places, 0.9, np.random.default_rng(0))[-3:].sum() == 1


def test_weights_of_classes():
    classes, places = encode_labels(["a", "b", "b", "c"], 4)
    np.testing.assert_allclose(class_weights("balanced", classes, places), [4 / 3, 2 / 3, 4 / 3])
    np.testing.assert_array_equal(class_weights({"b": 2}, classes, places), [1, 2, 1])


@pytest.mark.parametrize(
    ("y", "name"),
    [
        (np.array(["2020", "2021"], "M8[ns]"), np.datetime64("2020", "ns")),
        (np.array(["2020-01-01", "2021-01-01"], "M8[D]"), np.datetime64("2020-01-01")),
        (np.array([1, 2], np.int8), 1.0),
        ([True, False], False),
        ([b"a", b"b"], b"a"),
        (["a", "b"], np.str_("a")),
    ],
)
def test_weights_find_their_class_whatever_its_type(y, name):
    assert class_weights({name: 5}, *encode_labels(y, 2)).tolist() == [5, 1]


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array(["b", "a"], object), np.array(["a", "b"])),
        (pd.Series(["b", "a"]), np.array(["a", "b"])),
        (pd.Categorical(["b", "a"]), np.array(["a", "b"])),
        (np.array([True, False], object), np.array([False, True])),
        (np.array([2, 1], object), np.array([1, 2])),
        (torch.tensor([2.0, 1.0], requires_grad=True), np.array([1, 2], np.float32)),
        (torch.tensor([2, 1], dtype=torch.bfloat16), np.array([1, 2], np.float32)),
        ([2**63, 2**63 + 1, -1], np.array([-1, 2**63, 2**63 + 1], object)),
        ([2**53 + 1, 2**53, 1.0], np.array([1, 2**53, 2**53 + 1], object)),
        (["a", "a\0"], np.array(["a", "a\0"], object)),
        ([" a", "a b", "a"], np.array([" a", "a", "a b"])),
    ],
)
def test_classes_are_the_labels_as_they_came(y, classes):
    found, places = encode_labels(y, len(y))
    assert found.dtype == classes.dtype
    assert found.tolist() == classes.tolist()
    assert found[places].tolist() == [one.item() if isinstance(one, torch.Tensor) else one for one in y]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", float("nan")], "mixes labels of types float, str"),
        ([1, "a"], "mixes labels of types int, str"),
        ([True, 2], "mixes labels of types bool, int"),
        (np.array([1, np.nan], object), "label 1 is missing"),
        (np.array(["2020", "NaT"], "M8[D]"), "label 1 is missing"),
        (np.ma.masked_array([1, 2], mask=[False, True]), "y has masked values"),
        ([[1], [1, 2]], "y is not an array"),
        ([object(), object()], "type object, which have no order"),
    ],
)
def test_labels_that_are_missing_or_mixed_are_refused(y, message):
    with pytest.raises(SequenceError, match=message):
        encode_labels(y, 2)


# -------------------------------------------------------------------------------------------------- what is refused

GOOD = np.zeros((4, 3, 2))


@pytest.mark.parametrize(
    ("x", "y", "lengths", "message"),
    [
        (np.zeros((0, 3)), [], None, "no sequences"),
        (np.zeros((4, 3, 0)), [0, 1, 0, 1], None, "no channels"),
        (np.zeros((4, 0, 2)), [0, 1, 0, 1], None, "its sequences have no steps"),
        ([np.zeros(3), np.zeros(0)], [0, 1], None, "sequence 1 has no steps"),
        (np.zeros(4), [0, 1, 0, 1], None, r"x has shape \(4,\), expected \(N, T, C\)"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], [0, 1], None, r"sequence 1 has 1 channel\(s\), sequence 0 has 2"),
        ([["a", "b"], ["c"]], [0, 1], None, "sequence 0 is <U1, expected numbers"),
        ([np.array([1.0, np.nan]), np.array([1.0])], [0, 1], None, "sequence 0, step 1, channel 0: NaN"),
        (
            np.where(np.arange(24).reshape(4, 3, 2) == 15, np.inf, 0),
            [0, 1, 0, 1],
            None,
            "sequence 2, step 1, channel 1",
        ),
        (np.full((4, 3), 1e300), [0, 1, 0, 1], None, "1e.300, expected an absolute value of at most 1e.30"),
        (GOOD, [0, 1, 0], None, r"y has shape \(3,\), expected \(4,\)"),
        (GOOD, [0, 1, 0, np.nan], None, "label 3 is missing"),
        (GOOD, [0.5, 1, 0, 1], None, "Unknown label type"),
        (GOOD, [1, 1, 1, 1], None, "y holds one class"),
        (GOOD, np.array([1, "a", None, 2], dtype=object), None, "mixes labels of types NoneType, int, str"),
        (GOOD, [0, 1, 0, 1], [3, 3, 4, 3], "length 2 is 4, expected 1 to 3"),
        (GOOD, [0, 1, 0, 1], [3, 0, 3, 3], "length 1 is 0"),
        (GOOD, [0, 1, 0, 1], [3.0, 1.0, 3.0, 3.0], "lengths is float64"),
        (GOOD, [0, 1, 0, 1], [3], "a whole number for each of 4"),
        (list(GOOD), [0, 1, 0, 1], [3, 3, 3, 3], "lengths of their own"),
        ([], [], None, "x holds no sequences"),
        (np.array([[1, 10**400]], object), [0], None, "x is object, expected numbers; convert them"),
        (np.array([[1, "2"]], object), [0], None, "x is object, expected numbers; convert them"),
        (pd.DataFrame({"a": [1, None]}).convert_dtypes(), [0, 1], None, "x is object|step 0, channel 0: NaN"),
        (np.array([np.zeros(2), np.zeros(3)], object), [0, 1], None, "sequences of several lengths as a list"),
        (np.zeros((4, 0, 0)), [0, 1, 0, 1], None, "no channels"),
        ([1.0, 2.0], [0, 1], None, r"sequence 0 has shape \(\), expected \(T, C\)"),
        ([[[1, 2], [3]], [[1, 2]]], [0, 1], None, "sequence 0 is not an array"),
        (np.array([[1, np.inf]], np.float16), [0], None, "sequence 0, step 1, channel 0: inf, .* at most 65504"),
        (np.ma.masked_array(np.zeros((2, 3)), mask=np.eye(2, 3)), [0, 1], None, "x has masked values"),
        ([np.ma.masked_array([1.0, 2.0], mask=[0, 1]), [1.0]], [0, 1], None, "sequence 0 has masked values"),
        (torch.zeros(2, 3).to_sparse(), [0, 1], None, "x is not an array"),
        (torch.zeros(2, 3, device="meta"), [0, 1], None, "x is not an array"),
        (GOOD, [0, 1, 0, 1], [3, [1], 3, 3], "lengths is not an array"),
        (GOOD, [0, 1, 0, 1], np.ma.masked_array([3, 3, 3, 3], mask=[1, 0, 0, 0]), "lengths has masked values"),
    ],
)
def test_sequences_that_cannot_be_used_are_refused(x, y, lengths, message):
    with pytest.raises(SequenceError, match=message):
        Classifier(**SMALL).fit(x, y, lengths=lengths)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": "LSTM"}, "cell is 'LSTM', expected one of 'lstm'"),
        ({"pooling": "sum"}, "pooling is 'sum'"),
        ({"scale": "robust"}, "scale is 'robust'"),
        ({"engine": "cuda"}, "engine is 'cuda'"),
        ({"hidden_size": 0}, "hidden_size is 0"),
        ({"num_layers": 1.0}, "num_layers is 1.0"),
        ({"epochs": True}, "epochs is True"),
        ({"patience": 0}, "patience is 0"),
        ({"bidirectional": 1}, "bidirectional is 1"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"validation_fraction": -0.1}, "validation_fraction is -0.1"),
        ({"lr": 0}, "lr is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"class_weight": "even"}, "class_weight is 'even', expected None, 'balanced'"),
        ({"class_weight": {"a": -1}}, "class_weight of 'a' is -1"),
        ({"class_weight": {"a": 1e300}}, "class_weight of 'a' is 1e.300, expected a number from 0 to 1e.06"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Classifier(**arguments)


def test_what_does_not_go_with_the_fit_is_refused():
    x, y = walks(30)
    with pytest.raises(RuntimeError, match="not fitted; call fit"):
        Classifier().predict(x)
    model = Classifier(**SMALL).fit(x, y)
    with pytest.raises(SequenceError, match=r"x has 2 channel\(s\), expected 1"):
        model.predict(np.zeros((3, 4, 2)))
    for theirs in (y[:, None], y[:3], "up"):
        with pytest.raises(SequenceError, match=r"y has shape \(.*\), expected \(30,\)"):
            model.score(x, theirs)
    with pytest.raises(SequenceError, match="class_weight names 'left'"):
        Classifier(**SMALL, class_weight={"left": 2}).fit(x, y)
    with pytest.raises(SequenceError, match="class_weight is 0 for every class"):
        Classifier(**SMALL, class_weight={"up": 0, "down": 0.0}).fit(x, y)
    before = model.predict_proba(x)
    with pytest.raises(SequenceError):
        model.fit(x, y[:3])
    np.testing.assert_array_equal(model.predict_proba(x), before)


@pytest.mark.parametrize("y", [[1], 1, [[1], [0], [1], [0]], [1, 0, 1]], ids=str)
def test_a_score_needs_a_label_for_each_sequence(y):
    x = np.eye(4)
    model = Classifier(hidden_size=4, epochs=1).fit(x, [1, 0, 1, 0])
    with pytest.raises(SequenceError, match=r"y has shape .*, expected \(4,\), a label for each sequence"):
        model.score(x, y)


def test_arguments_follow_scikit_learn():
    model = Classifier(**SMALL)
    assert repr(model) == "Classifier(hidden_size=8, epochs=3, batch_size=16)"
    assert type(model)(**model.get_params()).get_params() == model.get_params()
    x, y = walks(30)
    model.fit(x, y).set_params(epochs=2)
    with pytest.raises(RuntimeError, match="not fitted"):
        model.predict(x)


def test_values_beyond_ten_standard_deviations_count_as_ten():
    chance = np.random.default_rng(0)
    x = chance.normal(size=(40, 6, 1))
    model = Classifier(hidden_size=4, epochs=1).fit(x, np.arange(40) % 2)
    mean, spread = model._state.scaling.mean.item(), model._state.scaling.deviation.item()
    edge, far = (model.predict_proba(np.full((1, 6, 1), mean + times * spread)) for times in (10, 1e6))
    assert edge == pytest.approx(far, abs=1e-6)
    assert edge != pytest.approx(model.predict_proba(np.full((1, 6, 1), mean + 5 * spread)), abs=1e-6)


def test_without_patience_the_best_epoch_is_taken_too():
    """Labels by chance are learnt by heart: the held-out loss rises after a few epochs."""
    chance = np.random.default_rng(0)
    x, y = chance.normal(size=(80, 5, 1)), chance.integers(0, 2, 80)
    model = Classifier(hidden_size=32, epochs=40, lr=0.05, batch_size=8, validation_fraction=0.25).fit(x, y)
    out = validation_mask(y, 0.25, np.random.default_rng(0))
    shares = model.predict_proba(x[out])[np.arange(out.sum()), y[out]]
    assert model.history_.best_epoch < 40
    assert -np.log(shares).mean() == pytest.approx(min(model.history_.held_out), rel=1e-4)
    assert min(model.history_.held_out) < 0.8 * model.history_.held_out[-1]


def test_patience_without_anything_held_out_is_refused():
    with pytest.raises(
        ValueError, match="patience needs a validation set, but validation_fraction=0 of 4 sequences selects none"
    ):
        Classifier(hidden_size=4, epochs=1, patience=2, validation_fraction=0).fit(np.eye(4), [0, 1, 0, 1])


@pytest.mark.parametrize("weights", [[0, 0, 0, 0], [1, 1, 1], [1, 1, 1, -1], ["a"] * 4, [1, 1, 1, np.nan]])
def test_weights_of_scores_that_make_no_sense_are_refused(weights):
    model = Classifier(hidden_size=4, epochs=1).fit(np.eye(4), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="sample_weight is"):
        model.score(np.eye(4), [0, 1, 0, 1], weights)
    with pytest.raises(ValueError, match="y holds none of the classes of training, such as 0"):
        model.score(np.eye(4), ["0", "1", "0", "1"])
