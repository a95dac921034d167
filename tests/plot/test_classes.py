"""What the figures of a classifier show."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from gatewise import plot
from gatewise.plot.canvas import INK, ORANGE
from gatewise.plot.classes import _both_ends, _percent
from tests.figures import picture, title

RNG = np.random.default_rng(0)
T, H, K = 7, 3, 4
GATES = {name: RNG.random((T, H)) for name in ("input", "forget", "candidate", "output")}
CELLS = RNG.normal(size=(T, H))
SHARES = RNG.dirichlet(np.ones(K), T)


def diagonal(k):
    return np.diag(np.full(k, 9)) + np.eye(k, k=1, dtype=int)


# ---- confusion


def test_confusion_shows_shares_of_each_row_and_writes_the_counts():
    counts = np.array([[8, 2], [100, 900]])
    ax = picture(plot.confusion(counts, ["rare", "frequent"], name="walks"))
    (image,) = ax.images
    assert np.allclose(image.get_array(), [[80, 20], [10, 90]])
    assert (image.norm.vmin, image.norm.vmax) == (0, 100)
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert written == {(0, 0): "8", (1, 0): "2", (0, 1): "100", (1, 1): "900"}  # column, row
    assert [label.get_text() for label in ax.get_yticklabels()] == ["rare", "frequent"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "class")
    assert title(ax) == "walks: 89.9 % of 1,010 sequences right"
    assert ax.get_ylim() == (1.5, -0.5)  # whole cells, the first class on top


def test_a_class_without_sequences_is_hatched_and_the_others_stay():
    ax = picture(plot.confusion([[3, 1, 0], [0, 0, 0], [0, 0, 4]], "abc"))
    shares = np.ma.filled(np.ma.asarray(ax.images[0].get_array()), np.nan)
    assert np.isnan(shares[1]).all()
    assert np.allclose(shares[[0, 2]], [[75, 25, 0], [0, 0, 100]])
    (hatched,) = [one for one in ax.patches if one.get_hatch()]
    ends = hatched.get_patch_transform().transform(hatched.get_path().vertices)[:, 1]
    assert (ends.min(), ends.max()) == (0.5, 1.5)


@pytest.mark.parametrize(("classes", "written"), [(2, 3), (15, 29), (16, 0), (60, 0)])
def test_counts_are_written_as_long_as_they_can_be_read(classes, written):
    ax = picture(plot.confusion(diagonal(classes), range(classes)))
    assert len(ax.texts) == written


@pytest.mark.parametrize("count", [3, 10, 40, 60])
@pytest.mark.parametrize("long", [False, True])
def test_names_of_classes_do_not_overlap(count, long):
    names = [f"the class of the number {k}" if long else str(k) for k in range(count)]
    ax = picture(plot.confusion(diagonal(count), names))
    for labels, low, high in ((ax.get_yticklabels(), "y0", "y1"), (ax.get_xticklabels(), "x0", "x1")):
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: getattr(box, low))
        if long and high == "x1" and labels[0].get_rotation() == 45:
            continue  # boxes of slanted texts overlap, the texts do not
        for one, other in pairwise(boxes):
            assert getattr(one, high) <= getattr(other, low) + 1
    assert len({label.get_text() for label in ax.get_yticklabels()}) == len(ax.get_yticks())  # shortened, still apart
    assert all(len(label.get_text()) <= 18 for label in ax.get_xticklabels())


def test_confusion_on_axes_given():
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert plot.confusion(diagonal(3), "abc", ax=left) is left
    assert picture(figure).axes == [left, right]  # no scale beside it


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (np.ones((2, 3)), r"shape \(2, 3\), expected \(3, 3\)"),
        (np.eye(3) / 2, "whole numbers .* not shares"),
        (-np.eye(3), "at least 0"),
        (np.full((3, 3), np.nan), "whole numbers"),
        (np.zeros((3, 3)), "all 0; there is nothing to draw"),
    ],
)
def test_counts_that_are_none_are_refused(counts, words):
    with pytest.raises(ValueError, match=words):
        plot.confusion(counts, "abc")


@pytest.mark.parametrize(
    ("share", "digits", "words"),
    [
        (1, 0, "100 %"),
        (0.9999, 0, ">99 %"),
        (0.99996, 1, ">99.9 %"),
        (0.001, 0, "<1 %"),
        (0, 1, "0.0 %"),
        (0.614, 0, "61 %"),
    ],
)
def test_percents_say_all_or_nothing_only_where_it_is(share, digits, words):
    assert _percent(share, digits) == words


def test_long_names_keep_both_ends():
    assert _both_ends("walking upstairs", 16) == "walking upstairs"
    assert _both_ends("walking upstairs", 9) == "walk…airs"


# ---- classified sequences


def test_classified_says_what_is_predicted_and_marks_mistakes_in_words_colour_and_frame():
    x = RNG.random((3, 5, 4))
    figure = picture(plot.classified(x, [7, 1, 2], [0.9, 0.614, 0.5], truth=[7, 7, 2], image=True, title="Three"))
    right, wrong, other = figure.axes
    assert [title(ax) for ax in figure.axes] == ["7 (90 %)", "is 7, read as 1 (61 %)", "2 (50 %)"]
    colors = [ax.title.get_color() for ax in figure.axes]
    assert [ax._left_title.get_color() for ax in (right, wrong)] == [INK, ORANGE], colors
    assert [to_hex(ax.spines["left"].get_edgecolor()) == ORANGE for ax in figure.axes] == [False, True, False]
    assert np.array_equal(wrong.images[0].get_array(), x[1])  # rows are steps
    assert {ax.images[0].get_clim() for ax in figure.axes} == {(x.min(), x.max())}
    assert figure.get_suptitle() == "Three"
    assert other.get_xticks().size == 0


def test_classified_draws_channels_as_lines_on_one_scale():
    x = [RNG.normal(size=(5, 2)), 9 * RNG.normal(size=(8, 2))]
    figure = picture(plot.classified(x, ["up", "down"], [0.9, 0.8]))
    for ax, one in zip(figure.axes, x, strict=True):
        assert np.array_equal(np.stack([line.get_ydata() for line in ax.lines], 1), one)
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["channel 0", "channel 1"]
    assert figure.get_supxlabel() == "time step"


@pytest.mark.parametrize("shape", [(1,), (784, 1), (40, 61), (1, 1)])
@pytest.mark.parametrize("image", [False, True])
def test_sequences_of_any_shape_can_be_drawn(shape, image):
    figure = picture(
        plot.classified(
            torch.from_numpy(RNG.random((5, *shape))), list("abcab"), np.full(5, 0.5), image=image, columns=3
        )
    )
    assert len(figure.axes) == 5
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (2, 3)


def test_a_single_step_is_drawn_over_its_channels():
    x = RNG.random((2, 1, 30))
    figure = picture(plot.classified(x, ["a", "b"], [0.5, 0.5]))
    assert figure.get_supxlabel() == "channel"
    assert np.array_equal(figure.axes[0].lines[0].get_ydata(), x[0, 0])


@pytest.mark.parametrize("columns", [2, 4, 6])
def test_long_names_stay_within_their_panel(columns):
    names = ["walking upstairs with a heavy bag", "walking downstairs in great haste"] * 4
    figure = picture(plot.classified(RNG.random((8, 9)), names, np.full(8, 0.99), truth=names[::-1], columns=columns))
    for ax in figure.axes:
        panel = ax.get_window_extent()
        assert ax._left_title.get_window_extent().x1 <= panel.x1 + 4, title(ax)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": []}, "x is empty"),
        ({"x": [np.zeros((2, 3, 4))] * 2}, r"sequence 0 has shape \(2, 3, 4\), expected \(T, C\)"),
        ({"x": [[1.0], []]}, r"sequence 1 has shape \(0,\)"),
        ({"predicted": ["a"]}, r"predicted has shape \(1,\), expected \(2,\)"),
        ({"truth": ["a", "b", "c"]}, r"truth has shape"),
        ({"shares": [0.5, 61]}, "from 0 to 1; give probabilities, not scores or percent"),
        ({"shares": [0.5, np.nan]}, "from 0 to 1"),
        ({"columns": 0}, "columns is 0, expected a whole number of at least 1"),
    ],
)
def test_examples_that_do_not_fit_are_refused(change, words):
    given = {"x": [[1.0, 2.0], [3.0]], "predicted": ["a", "b"], "shares": [0.5, 0.9], **change}
    with pytest.raises(ValueError, match=words):
        plot.classified(**given)


# ---- reading


def test_reading_draws_sequence_gates_cells_and_probabilities_over_the_same_steps():
    x = RNG.random((T, 10))
    figure = picture(plot.reading(x, GATES, CELLS, SHARES, "abcd", image=True, title="A seven"))
    rows = figure.axes[:7]
    assert [title(ax) for ax in rows] == [
        "sequence, dark where high",
        *("input gate", "forget gate", "output gate", "candidate", "cells"),
        "probability of the class after each step",
    ]
    shown = [ax.images[0].get_array() for ax in rows[:-1]]
    for drawn, plane in zip(
        shown, [x, *(GATES[k] for k in ("input", "forget", "output", "candidate")), CELLS], strict=True
    ):
        assert np.array_equal(drawn, plane.T)
    assert {ax.get_xlim() for ax in rows} == {(-0.5, T - 0.5)}
    assert len({round(ax.get_position().x1, 6) for ax in rows}) == 1  # a step lies below itself
    assert rows[1].images[0].get_clim() == (0, 1)
    assert rows[4].images[0].get_clim() == (-1, 1)
    assert (rows[-1].get_xlabel(), rows[-1].get_ylabel()) == ("time step", "probability [%]")
    assert figure.get_suptitle() == "A seven"


def test_probabilities_are_named_by_the_end_first_and_then_by_their_best():
    shares = np.full((5, 9), 0.02)
    shares[:, 8], shares[2, 4], shares[1, 3] = [0.1, 0.1, 0.2, 0.3, 0.84], 0.66, 0.5
    ax = picture(plot.reading(np.zeros(5), {"forget": np.zeros((5, 2))}, None, shares, range(9))).axes[2]
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert named == ["8 (84 % in the end)", "4", "3", "0", "1"]
    lines = {line.get_label(): line for line in ax.lines}
    assert np.allclose(lines["4"].get_ydata(), 100 * shares[:, 4])
    assert len(ax.lines) == 9
    assert len({line.get_linestyle() for line in ax.lines if not line.get_label().startswith("_")}) >= 4


@pytest.mark.parametrize(("steps", "channels", "drawn"), [(7, 1, 1), (7, 3, 3), (7, 40, 0), (1, 1, 1), (784, 1, 1)])
def test_a_few_channels_are_lines_and_many_a_heat_map(steps, channels, drawn):
    gates = {"hidden": np.zeros((steps, 2))}
    x = RNG.random((steps, channels))
    ax = picture(plot.reading(x, gates, None, np.full((steps, 2), 0.5), ["_a", "b"])).axes[0]
    assert (len(ax.lines), len(ax.images)) == (drawn, 1 - bool(drawn))
    if drawn:
        assert np.array_equal(np.stack([line.get_ydata() for line in ax.lines], 1), x)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gates": {}}, "gates is empty"),
        ({"x": np.zeros(T + 1)}, "x has 8 steps, the gates 7; take both from one sequence"),
        ({"cells": np.zeros((T, H + 1))}, r"cells has shape \(7, 4\), the others \(7, 3\)"),
        ({"shares": SHARES[:, :2]}, r"shares have shape \(7, 2\), expected \(7, 4\)"),
        ({"shares": 100 * SHARES}, "give probabilities, not scores or percent"),
        ({"x": np.zeros((T, 2, 2))}, r"x has shape \(7, 2, 2\), expected \(T, C\)"),
    ],
)
def test_readings_that_do_not_fit_are_refused(change, words):
    given = {"x": np.zeros(T), "gates": GATES, "cells": CELLS, "shares": SHARES, "classes": "abcd", **change}
    with pytest.raises(ValueError, match=words):
        plot.reading(**given)


@pytest.mark.parametrize("name", ["$x_{$", "$x_1$ and $x_2$", "5 $"])
def test_names_with_dollars_are_no_formulas(tmp_path, name):
    gates = {"forget": np.full((3, 2), 0.5)}
    figures = (
        plot.confusion([[1, 1], [1, 1]], [name, "b"]),
        plot.classified(np.ones((2, 3)), [name, "b"], [0.5, 0.5], truth=[name, name]),
        plot.reading([1.0, 2.0, 4.0], gates, None, [[0.5, 0.5]] * 3, [name, "b"]),
    )
    for figure in figures:
        text = plot.save(figure, tmp_path / "a.svg").read_text()
        assert f"<!-- {name}" in text or f"<!-- is {name}" in text
