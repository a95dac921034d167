"""Gates through time."""

import numpy as np
import pytest
import torch

from gatewise import plot
from tests.figures import render, title

RNG = np.random.default_rng(0)
T, H, K = 7, 3, 4
GATES = {name: RNG.random((T, H)) for name in ("input", "forget", "candidate", "output")}
CELLS = RNG.normal(size=(T, H))
PROBABILITIES = RNG.dirichlet(np.ones(K), T)


def test_gates_share_scales_by_kind():
    rng = np.random.default_rng(0)
    names = ["input", "forget", "candidate", "output"]  # the order of the weights
    planes = {name: rng.uniform(0, 1, (30, 8)) for name in names}
    cells = rng.normal(0, 2, (30, 8))
    figure = plot.gates({name: torch.tensor(plane) for name, plane in planes.items()}, cells)
    figure.draw_without_rendering()
    maps, bars = figure.axes[:5], figure.axes[5:]
    assert [title(ax) for ax in maps] == ["input gate", "forget gate", "output gate", "candidate", "cells"]
    assert len(bars) == 3
    widest = np.abs(cells).max()
    limits = [(0, 1)] * 3 + [(-1, 1), (-widest, widest)]
    heat_maps = [planes[name] for name in ("input", "forget", "output", "candidate")] + [cells]
    for ax, limit, plane in zip(maps, limits, heat_maps, strict=True):
        (image,) = ax.images
        assert image.get_clim() == limit
        assert np.array_equal(image.get_array(), plane.T)
    assert maps[-1].get_xlabel() == "time step"


def test_gates_of_a_plain_network():
    figure = plot.gates({"hidden": np.zeros((30, 1))}, title="RNN")
    figure.draw_without_rendering()
    assert [title(ax) for ax in figure.axes] == ["hidden", ""]
    assert figure.get_suptitle() == "RNN"


def test_reading_draws_sequence_gates_cells_and_probabilities_over_the_same_steps():
    x = RNG.random((T, 10))
    figure = render(plot.reading(x, GATES, CELLS, PROBABILITIES, "abcd", image=True, title="A seven"))
    rows = figure.axes[:7]
    assert [title(ax) for ax in rows] == [
        "sequence, dark for high values",
        *("input gate", "forget gate", "output gate", "candidate", "cells"),
        "probability of each class after each step",
    ]
    heat_maps = [ax.images[0].get_array() for ax in rows[:-1]]
    for drawn, plane in zip(
        heat_maps, [x, *(GATES[k] for k in ("input", "forget", "output", "candidate")), CELLS], strict=True
    ):
        assert np.array_equal(drawn, plane.T)
    assert {ax.get_xlim() for ax in rows} == {(-0.5, T - 0.5)}
    assert len({round(ax.get_position().x1, 6) for ax in rows}) == 1  # steps are aligned
    assert rows[1].images[0].get_clim() == (0, 1)
    assert rows[4].images[0].get_clim() == (-1, 1)
    assert (rows[-1].get_xlabel(), rows[-1].get_ylabel()) == ("time step", "probability [%]")
    assert figure.get_suptitle() == "A seven"


def test_the_legend_names_the_most_probable_class_at_the_end_first():
    probabilities = np.full((5, 9), 0.02)
    probabilities[:, 8], probabilities[2, 4], probabilities[1, 3] = [0.1, 0.1, 0.2, 0.3, 0.84], 0.66, 0.5
    ax = render(plot.reading(np.zeros(5), {"forget": np.zeros((5, 2))}, None, probabilities, range(9))).axes[2]
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert named == ["8 (84 % at the end)", "4", "3", "0", "1"]
    lines = {line.get_label(): line for line in ax.lines}
    assert np.allclose(lines["4"].get_ydata(), 100 * probabilities[:, 4])
    assert len(ax.lines) == 9
    assert len({line.get_linestyle() for line in ax.lines if not line.get_label().startswith("_")}) >= 4


@pytest.mark.parametrize(("steps", "channels", "drawn"), [(7, 1, 1), (7, 3, 3), (7, 40, 0), (1, 1, 1), (784, 1, 1)])
def test_a_few_channels_are_lines_and_many_a_heat_map(steps, channels, drawn):
    gates = {"hidden": np.zeros((steps, 2))}
    x = RNG.random((steps, channels))
    ax = render(plot.reading(x, gates, None, np.full((steps, 2), 0.5), ["_a", "b"])).axes[0]
    assert (len(ax.lines), len(ax.images)) == (drawn, 1 - bool(drawn))
    if drawn:
        assert np.array_equal(np.stack([line.get_ydata() for line in ax.lines], 1), x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gates": {}}, "gates is empty"),
        ({"x": np.zeros(T + 1)}, "x has 8 steps, the gates 7; use the gates of this sequence"),
        ({"cells": np.zeros((T, H + 1))}, r"cells has shape \(7, 4\), the others \(7, 3\)"),
        ({"shares": PROBABILITIES[:, :2]}, r"shares has shape \(7, 2\), expected \(7, 4\)"),
        ({"shares": 100 * PROBABILITIES}, "pass probabilities, not scores or percent"),
        ({"x": np.zeros((T, 2, 2))}, r"x has shape \(7, 2, 2\), expected \(T, C\)"),
    ],
)
def test_invalid_arguments_of_reading_are_refused(change, message):
    arguments = {"x": np.zeros(T), "gates": GATES, "cells": CELLS, "shares": PROBABILITIES, "classes": "abcd", **change}
    with pytest.raises(ValueError, match=message):
        plot.reading(**arguments)
