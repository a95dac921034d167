"""Sequences with their predicted classes."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from gatewise import plot
from gatewise.plot.canvas import INK, ORANGE
from tests.figures import render, title

RNG = np.random.default_rng(0)


def test_classified_writes_predictions_and_marks_errors_by_text_colour_and_frame():
    x = RNG.random((3, 5, 4))
    figure = render(plot.classified(x, [7, 1, 2], [0.9, 0.614, 0.5], truth=[7, 7, 2], image=True, title="Three"))
    right, wrong, other = figure.axes
    assert [title(ax) for ax in figure.axes] == ["7 (90 %)", "true 7, predicted 1 (61 %)", "2 (50 %)"]
    colors = [ax.title.get_color() for ax in figure.axes]
    assert [ax._left_title.get_color() for ax in (right, wrong)] == [INK, ORANGE], colors
    assert [to_hex(ax.spines["left"].get_edgecolor()) == ORANGE for ax in figure.axes] == [False, True, False]
    assert np.array_equal(wrong.images[0].get_array(), x[1])  # rows are steps
    assert {ax.images[0].get_clim() for ax in figure.axes} == {(x.min(), x.max())}
    assert figure.get_suptitle() == "Three"
    assert other.get_xticks().size == 0


def test_classified_draws_channels_as_lines_with_common_scales():
    x = [RNG.normal(size=(5, 2)), 9 * RNG.normal(size=(8, 2))]
    figure = render(plot.classified(x, ["up", "down"], [0.9, 0.8]))
    for ax, sequence in zip(figure.axes, x, strict=True):
        assert np.array_equal(np.stack([line.get_ydata() for line in ax.lines], 1), sequence)
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["channel 0", "channel 1"]
    assert figure.get_supxlabel() == "time step"


@pytest.mark.parametrize("shape", [(1,), (784, 1), (40, 61), (1, 1)])
@pytest.mark.parametrize("image", [False, True])
def test_sequences_of_any_shape_can_be_drawn(shape, image):
    figure = render(
        plot.classified(
            torch.from_numpy(RNG.random((5, *shape))), list("abcab"), np.full(5, 0.5), image=image, columns=3
        )
    )
    assert len(figure.axes) == 5
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (2, 3)


def test_a_single_step_is_drawn_over_its_channels():
    x = RNG.random((2, 1, 30))
    figure = render(plot.classified(x, ["a", "b"], [0.5, 0.5]))
    assert figure.get_supxlabel() == "channel"
    assert np.array_equal(figure.axes[0].lines[0].get_ydata(), x[0, 0])


@pytest.mark.parametrize("columns", [2, 4, 6])
def test_long_names_stay_within_their_panel(columns):
    names = ["walking upstairs with a heavy bag", "walking downstairs in great haste"] * 4
    figure = render(plot.classified(RNG.random((8, 9)), names, np.full(8, 0.99), truth=names[::-1], columns=columns))
    for ax in figure.axes:
        panel = ax.get_window_extent()
        assert ax._left_title.get_window_extent().x1 <= panel.x1 + 4, title(ax)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": []}, "x is empty"),
        ({"x": [np.zeros((2, 3, 4))] * 2}, r"sequence 0 has shape \(2, 3, 4\), expected \(T, C\)"),
        ({"x": [[1.0], []]}, r"sequence 1 has shape \(0,\)"),
        ({"predicted": ["a"]}, r"predicted has shape \(1,\), expected \(2,\)"),
        ({"truth": ["a", "b", "c"]}, r"truth has shape"),
        ({"shares": [0.5, 61]}, "from 0 to 1; pass probabilities, not scores or percent"),
        ({"shares": [0.5, np.nan]}, "from 0 to 1"),
        ({"columns": 0}, "columns is 0, expected an integer of at least 1"),
    ],
)
def test_invalid_arguments_of_classified_are_refused(change, message):
    arguments = {"x": [[1.0, 2.0], [3.0]], "predicted": ["a", "b"], "shares": [0.5, 0.9], **change}
    with pytest.raises(ValueError, match=message):
        plot.classified(**arguments)
