"""Saved classifiers: a loaded classifier is bit-identical, and values from a file are validated before use."""

from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatewise import Classifier
from gatewise.persistence import file as files
from gatewise.persistence.fields import as_text
from gatewise.persistence.file import FormatError

SMALL = {"hidden_size": 4, "epochs": 2}


def data(labels=("a", "b"), count=30):
    generator = np.random.default_rng(0)
    return generator.normal(size=(count, 5, 2)), np.array(labels)[np.arange(count) % len(labels)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cell": "gru", "num_layers": 2, "bidirectional": True, "pooling": "max", "dropout": 0.2},
        {"cell": "rnn", "scale": "none", "validation_fraction": 0.0, "class_weight": "balanced"},
        {"class_weight": {"a": np.float32(2)}, "patience": 1, "seed": np.int64(3)},
        {"class_weight": MappingProxyType({"a": 2.0})},
    ],
)
def test_a_loaded_classifier_predicts_the_same_bits(options, tmp_path):
    x, y = data()
    model = Classifier(**SMALL, **options).fit(x, y)
    model.save(tmp_path / "m")
    again = Classifier.load(tmp_path / "m")
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.history_ == model.history_
    assert {**again.get_params(), "class_weight": None} == {**model.get_params(), "class_weight": None}
    np.testing.assert_array_equal(again.fit(x, y).predict_proba(x), model.predict_proba(x))


@pytest.mark.parametrize("labels", [("b", "a", "c"), (3, -(2**60)), (True, False), (2.0, 1.0), ("ä", "日本")])
def test_labels_keep_their_type_in_a_file(labels, tmp_path):
    x, y = data(labels)
    model = Classifier(**SMALL).fit(x, y)
    model.save(tmp_path / "m")
    predicted = Classifier.load(tmp_path / "m").predict(x)
    assert predicted.dtype == y.dtype
    np.testing.assert_array_equal(predicted, model.predict(x))


def test_classes_that_a_file_cannot_hold_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(RuntimeError, match="not fitted"):
        Classifier().save(tmp_path / "m")
    x, _ = data()
    days = np.array(["2024-01-01", "2024-01-02"], "datetime64[D]")[np.arange(30) % 2]
    message = r"classes are datetime64\[D\], but a file can hold only text, integers, True and False; "
    with pytest.raises(ValueError, match=message):
        Classifier(**SMALL).fit(x, days).save(tmp_path / "m")
    for label in ("a\tb", "\x1b[2J", "\ud800"):
        with pytest.raises(ValueError, match="control characters, expected printable text"):
            Classifier(**SMALL).fit(*data(("a", label))).save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("convert", [lambda y: y.astype(object), pd.Series, pd.Categorical, list])
def test_text_labels_of_any_array_type_are_saved(convert, tmp_path):
    x, y = data()
    model = Classifier(**SMALL).fit(x, convert(y))
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(Classifier.load(tmp_path / "m").predict(x), model.predict(x))


@pytest.mark.parametrize(("few", "units"), [(1000, 64), (20, 128)])
def test_a_chosen_number_of_units_is_saved(few, units, tmp_path, monkeypatch):
    monkeypatch.setattr("gatewise.classify.training.FEW_SEQUENCES", few)
    x, y = data()
    model = Classifier(epochs=1).fit(x, y)
    assert (model.hidden_size, model.network_.body.hidden_size) == (None, units)
    model.save(tmp_path / "m")
    again = Classifier.load(tmp_path / "m")
    assert (again.hidden_size, again.network_.body.hidden_size) == (None, units)
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))


CHANGES = {
    "another cell": lambda c, a: c["arguments"].update(cell="gru"),
    "an unknown argument": lambda c, a: c["arguments"].update(units=3),
    "huge layers": lambda c, a: c["arguments"].update(hidden_size=10**9),
    "no units": lambda c, a: (c["arguments"].update(hidden_size=None), c.pop("hidden_size")),
    "units below 1": lambda c, a: (c["arguments"].update(hidden_size=None), c.update(hidden_size=0)),
    "huge chosen layers": lambda c, a: (c["arguments"].update(hidden_size=None), c.update(hidden_size=10**9)),
    "many layers": lambda c, a: c["arguments"].update(num_layers=10**9),
    "no arguments": lambda c, a: c.pop("arguments"),
    "weights without a class": lambda c, a: c["arguments"].update(class_weight=[["a"]]),
    "a class twice": lambda c, a: a.update(classes=np.frombuffer(b'["a","a"]', np.uint8)),
    "classes of another kind": lambda c, a: c["classes"].update(kind="int64"),
    "an unknown kind": lambda c, a: c["classes"].update(kind="object"),
    "weights of an invalid class": lambda c, a: c["arguments"].update(class_weight=[[["a"], 1.0]]),
    "weights of a class twice": lambda c, a: c["arguments"].update(class_weight=[["a", 1], ["a", 2]]),
    "infinite classes": lambda c, a: (
        c["classes"].update(kind="float64"),
        a.update(classes=np.frombuffer(b"[1.0, 1e999]", np.uint8)),
    ),
    "one very long class": lambda c, a: (
        c["classes"].update(count=1001),
        a.update(classes=as_text([f"{k:04d}" for k in range(1000)] + ["z" * 10**6])),
    ),
    "too many classes": lambda c, a: c["classes"].update(count=3),
    "a class with control characters": lambda c, a: a.update(classes=np.frombuffer(rb'["\u001b[2J","b"]', np.uint8)),
    "other channels": lambda c, a: c.update(channels=3),
    "an unknown view": lambda c, a: c.update(view="diagonals"),
    "no view": lambda c, a: c.pop("view"),
    "columns that are no names": lambda c, a: c.update(columns=["t0", 1]),
    "columns that are no list": lambda c, a: c.update(columns="t0"),
    "no channels": lambda c, a: c.update(channels=0),
    "a scale of zero": lambda c, a: a.update(scale=np.zeros(2)),
    "no scale": lambda c, a: a.pop("scale"),
    "a weight that is missing": lambda c, a: a.pop("network.network.head.bias"),
    "a weight that is NaN": lambda c, a: a.update({"network.network.head.bias": np.full(2, np.nan, np.float32)}),
    "a weight of another shape": lambda c, a: a.update({"network.network.head.bias": np.zeros(3, np.float32)}),
    "an unknown array": lambda c, a: a.update(more=np.zeros(3)),
    "a history of other lengths": lambda c, a: a.update({"history.lr": np.zeros(9)}),
    "channels beyond all memory": lambda c, a: (
        c.update(channels=2**60),
        c["arguments"].update(scale="none"),
        a.pop("scale"),
        a.pop("shift"),
    ),
    "more layers than arrays": lambda c, a: (
        c["arguments"].update(num_layers=500, hidden_size=1),
        a.update({f"layer {k}": np.zeros(1) for k in range(500)}),
    ),
    "a best epoch of 0": lambda c, a: c["history"].update(best_epoch=0),
    "a best epoch beyond the end": lambda c, a: c["history"].update(best_epoch=9),
    "no history": lambda c, a: c.update(history=None),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "m"
    Classifier(**SMALL).fit(*data()).save(path)
    return path


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_incomplete_and_inconsistent_files_are_refused(change, saved, tmp_path):
    content, arrays = files.load(saved, "Classifier")
    change(content, arrays)
    files.save(tmp_path / "m", "Classifier", content, arrays)
    with pytest.raises(FormatError, match="does not hold a complete classifier"):
        Classifier.load(tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("one very long class", "1001 class names, one of 1000000 characters; expected shorter names"),
        ("more layers than arrays", "weights are too few for hidden_size 1 and num_layers 500"),
        ("channels beyond all memory", "a network of these sizes does not fit in memory"),
    ],
)
def test_sizes_are_checked_before_memory_is_allocated(change, message, saved, tmp_path):
    content, arrays = files.load(saved, "Classifier")
    CHANGES[change](content, arrays)
    files.save(tmp_path / "m", "Classifier", content, arrays)
    with pytest.raises(FormatError, match=message):
        Classifier.load(tmp_path / "m")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_content_is_refused_or_harmless(saved, tmp_path, data):
    content, arrays = files.load(saved, "Classifier")
    where = data.draw(st.sampled_from(["arguments", "classes", "history", ""]))
    part = content[where] if where else content
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(ANYTHING)
    files.save(tmp_path / "m", "Classifier", content, arrays)
    try:
        model = Classifier.load(tmp_path / "m")
    except FormatError:
        return
    assert model.predict_proba(np.zeros((1, 5, 2))).shape == (1, 2)
