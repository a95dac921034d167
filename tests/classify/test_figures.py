"""Figures of a Classifier: they show its predictions, and refuse invalid options."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from gatewise import Classifier
from gatewise.classify import SequenceError, figures
from gatewise.classify.figures import _choose
from gatewise.classify.state import ClassifierState
from tests.figures import render, title

GENERATOR = np.random.default_rng(0)
Y = np.array(["down", "flat", "up"])[GENERATOR.integers(0, 3, 90)]
DRIFT = np.select([Y == "up", Y == "down"], [0.4, -0.4], 0.0)[:, None]
X = np.cumsum(DRIFT + GENERATOR.normal(size=(90, 12)), axis=1)
SMALL = {"hidden_size": 6, "epochs": 4, "lr": 1e-2}


@pytest.fixture(scope="module")
def model():
    return Classifier(**SMALL).fit(X[:60], Y[:60])


def test_confusion_counts_every_sequence_once(model):
    ax = render(model.plot("confusion", X, Y))
    predicted = model.predict(X)
    table = np.array(
        [[((true == Y) & (predicted == other)).sum() for other in model.classes_] for true in model.classes_]
    )
    assert np.allclose(ax.images[0].get_array(), 100 * table / table.sum(1, keepdims=True))
    assert [text.get_text() for text in ax.texts] == [str(n) for n in table.ravel() if n]
    assert title(ax) == f"accuracy {100 * model.score(X, Y):.1f} % on 90 sequences"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["down", "flat", "up"]


def test_examples_show_correct_predictions_and_the_most_confident_errors(model):
    probabilities, predicted = model.predict_proba(X), model.predict(X)
    wrong = np.flatnonzero(predicted != Y)
    most_confident = wrong[np.argsort(-probabilities[wrong].max(1))][:3]
    figure = render(model.plot("examples", X, Y, count=6))
    assert len(figure.axes) == 6
    assert [title(ax).replace("\n", " ") for ax in figure.axes[3:]] == [
        f"true {Y[k]}, predicted {predicted[k]} ({100 * probabilities[k].max():.0f} %)" for k in most_confident
    ]
    drawn = [ax.lines[0].get_ydata() for ax in figure.axes]
    assert np.array_equal(drawn[3:], X[most_confident])
    assert all(any(np.array_equal(values, x) for x in X[predicted == Y]) for values in drawn[:3])
    assert figure.get_suptitle() == (
        f"3 of {90 - len(wrong)} correct predictions, drawn at random; the 3 most confident of {len(wrong)} errors"
    )


@pytest.mark.parametrize(
    ("correct", "wrong", "count", "expected_correct", "expected_wrong"),
    [
        (50, 50, 12, 6, 6),
        (50, 2, 12, 10, 2),
        (2, 50, 12, 2, 10),
        (3, 2, 12, 3, 2),
        (9, 0, 4, 4, 0),
        (0, 9, 4, 0, 4),
        (5, 5, 1, 1, 0),
    ],
)
def test_more_errors_are_chosen_if_few_predictions_are_correct_and_vice_versa(
    correct, wrong, count, expected_correct, expected_wrong
):
    indices = np.repeat([0, 1], [correct, wrong])
    confidence = np.random.default_rng(1).uniform(0.5, 1, correct + wrong)
    chosen, title_text = _choose(np.stack([confidence, 1 - confidence], 1), indices, count, np.random.default_rng(0))
    assert ((indices[chosen] == 0).sum(), (indices[chosen] == 1).sum()) == (expected_correct, expected_wrong)
    assert len(set(chosen.tolist())) == expected_correct + expected_wrong
    assert (np.diff(confidence[chosen[expected_correct:]]) <= 0).all()
    assert ("no errors" in title_text) == (wrong == 0)


def test_examples_without_labels_are_drawn_by_the_seed(model):
    first, again = (render(model.plot("examples", X)) for _ in range(2))
    assert [title(ax) for ax in first.axes] == [title(ax) for ax in again.axes]
    assert first.get_suptitle() == "12 of 90 sequences, drawn at random"
    other = Classifier(**SMALL, seed=5).fit(X[:60], Y[:60]).plot("examples", X)
    drawn = [[tuple(ax.lines[0].get_ydata()) for ax in figure.axes] for figure in (first, again, other)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_examples_as_images():
    x = GENERATOR.random((20, 4, 3))
    model = Classifier(**SMALL).fit(x, np.arange(20) % 2)
    own = render(model.plot("examples", x[:1], image=True)).axes[0]
    assert np.array_equal(own.images[0].get_array(), x[0])
    images = GENERATOR.random((20, 6, 2))
    given = render(model.plot("examples", x[7:8], image=images[7:8])).axes[0]
    assert np.array_equal(given.images[0].get_array(), images[7])


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize(("layers", "both"), [(1, False), (2, True), (2, False), (1, True)])
def test_probabilities_after_each_step_are_those_of_the_prefix(cell, pooling, layers, both):
    model = Classifier(cell, **{**SMALL, "epochs": 1}, num_layers=layers, bidirectional=both, pooling=pooling).fit(
        X[:60], Y[:60]
    )
    figure = model.plot("gates", X[70:71])
    ax = next(ax for ax in figure.axes if title(ax).startswith("probability"))
    expected = 100 * model.predict_proba([X[70, : t + 1] for t in range(12)])
    names = model.classes_[np.argsort([-expected[-1].argmax() == k for k in range(3)])]
    assert len(ax.lines) == len(names) == 3
    for line in ax.lines:
        k = model.classes_.tolist().index(line.get_label().split(" ")[0])
        np.testing.assert_allclose(line.get_ydata(), expected[:, k], atol=1e-3)


@pytest.mark.parametrize("layer", [0, 1])
def test_gates_are_those_of_the_requested_layer(layer):
    model = Classifier(**{**SMALL, "num_layers": 2, "bidirectional": True}).fit(X[:60], Y[:60])
    body = model.network_.body
    scaled = (
        (torch.tensor(X[70:71].T[..., None]) - model._state.scaling.mean) / model._state.scaling.deviation
    ).float()
    with torch.inference_mode():
        (trace,) = [trace for trace in body.trace(scaled).layers if (trace.layer, trace.reverse) == (layer, False)]
    figure = render(model.plot("gates", X[70:71], Y[70:71], layer=layer))
    heat_maps = {
        title(ax).removesuffix(" gate"): ax.images[0].get_array() for ax in figure.axes if ax.images and title(ax)
    }
    assert list(heat_maps) == ["input", "forget", "output", "candidate", "cells"]
    for name, plane in {**trace.gates, "cells": trace.cells}.items():
        np.testing.assert_allclose(heat_maps[name], plane[:, 0].T, rtol=1e-5, atol=1e-6)
    assert figure.get_suptitle().startswith(f"LSTM, layer {layer}, forward: ")
    assert np.array_equal(figure.axes[0].lines[0].get_ydata(), X[70])  # unscaled


def test_the_title_of_gates_names_the_true_class_of_an_error(model):
    wrong = int(np.flatnonzero(model.predict(X) != Y)[0])
    suptitle = model.plot("gates", X[wrong : wrong + 1], Y[wrong : wrong + 1]).get_suptitle()
    assert suptitle == f"LSTM: true {Y[wrong]}, predicted {model.predict(X[wrong : wrong + 1])[0]}"


def test_gates_stop_at_the_end_of_a_sequence_and_images_run_along_the_steps():
    x = GENERATOR.random((20, 9, 8))
    model = Classifier(**SMALL, scale="none").fit(x, np.arange(20) % 2)
    figure = render(model.plot("gates", x[:1], lengths=[5], image=True))
    assert np.array_equal(figure.axes[0].images[0].get_array(), x[0, :5].T)
    assert figure.axes[1].get_xlim() == (-0.5, 4.5)


def test_the_learning_curve_has_the_losses_of_the_training(model):
    ax = render(model.plot("learning_curve"))
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert np.array_equal(lines["training"], model.history_.train)
    assert np.array_equal(lines["validation"], model.history_.held_out)
    assert ax.get_ylabel() == "cross-entropy [nats]"
    alone = Classifier(**SMALL, validation_fraction=0).fit(X[:60], Y[:60]).plot("learning_curve")
    assert [line.get_label() for line in alone.lines] == ["training"]


def test_figures_are_drawn_on_the_given_axes(model):
    axes = Figure(figsize=(8, 3), layout="constrained").subplots(1, 2)
    assert model.plot("confusion", X, Y, ax=axes[0]) is axes[0]
    assert model.plot("learning_curve", ax=axes[1]) is axes[1]
    render(axes[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "pie"}, "kind is 'pie', expected one of 'confusion', 'examples', 'gates', 'learning_curve'"),
        ({}, "kind='confusion' needs x and y"),
        ({"x": X}, "kind='confusion' needs x and y"),
        ({"kind": "examples"}, "kind='examples' needs x; pass sequences as for fit"),
        ({"kind": "learning_curve", "x": X}, "x belongs to kind='confusion' or 'examples' or 'gates'"),
        ({"x": X, "y": Y, "count": 3}, "count belongs to kind='examples', got kind='confusion'; leave it out"),
        ({"x": X, "y": Y, "image": True}, "image belongs to kind='examples' or 'gates'"),
        ({"kind": "examples", "x": X, "layer": 0}, "layer belongs to kind='gates'"),
        ({"kind": "examples", "x": X, "ax": 1}, "ax belongs to kind='confusion' or 'learning_curve'"),
        ({"kind": "examples", "x": X, "count": 0}, "count is 0, expected an integer of at least 1"),
        ({"kind": "examples", "x": X, "image": X}, r"image has shape \(90, 12\), expected True, or images \(90, "),
        ({"kind": "gates", "x": X}, r"x holds 90 sequences, expected one for kind='gates'; pass one, such as x\[:1\]"),
        ({"kind": "gates", "x": X[:1], "layer": 1}, "layer is 1, expected 0 to 0, as num_layers is 1"),
        (
            {"kind": "gates", "x": X[:1], "image": X},
            "image is of type ndarray, but only kind='examples' takes images; pass True",
        ),
        ({"x": X, "y": Y, "ax": 1}, "ax is 1, expected matplotlib Axes"),
    ],
)
def test_options_of_another_kind_are_refused(model, options, message):
    with pytest.raises(ValueError, match=message):
        model.plot(**options)


def test_labels_that_do_not_match_are_refused(model):
    with pytest.raises(SequenceError, match=r"y has shape \(3,\), expected \(90,\)"):
        model.plot("confusion", X, Y[:3])
    with pytest.raises(
        SequenceError, match="y holds 'sideways', which was not a class in fit; leave its sequences out, or fit"
    ):
        model.plot("confusion", X, np.where(Y == "up", "sideways", Y))
    with pytest.raises(SequenceError, match="expected 1, as in fit"):
        model.plot("gates", np.zeros((1, 4, 2)))


def test_a_classifier_that_is_not_fitted_has_no_figures():
    with pytest.raises(RuntimeError, match="not fitted"):
        Classifier().plot("learning_curve")


def test_a_bidirectional_network_reads_few_prefixes_of_a_long_sequence(monkeypatch):
    x = np.random.default_rng(0).normal(size=(8, 450, 1))
    model = Classifier(**{**SMALL, "epochs": 1}, bidirectional=True).fit(x, np.arange(8) % 2)
    prefixes = []
    predict = ClassifierState.probabilities
    monkeypatch.setattr(
        ClassifierState, "probabilities", lambda self, x: prefixes.append(x.lengths.tolist()) or predict(self, x)
    )
    probabilities = figures._prefix_probabilities(model._state, x[0])
    ends = prefixes[0]
    assert (len(ends), ends[0], ends[-1], len(probabilities)) == (200, 1, 450, 450)
    assert np.allclose(probabilities[np.array(ends) - 1], model.predict_proba([x[0, :end] for end in ends]), atol=1e-6)
    assert np.array_equal(
        probabilities[ends[7] : ends[8] - 1], np.repeat(probabilities[[ends[7] - 1]], ends[8] - ends[7] - 1, 0)
    )


def test_dollar_signs_in_a_title_are_not_formulas():
    model = Classifier(**{**SMALL, "epochs": 1}).fit(X[:4], ["$x_{$", "$y_{$"] * 2)
    assert render(model.plot("gates", X[:1])).get_suptitle().endswith(r"_{\$")
