"""Forecasts of many series in panels."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.dates import date2num

from gatewise import plot
from gatewise.plot import Example
from tests.figures import render, title

MONTHS = pd.date_range("1959-01-01", periods=30, freq="MS")
RNG = np.random.default_rng(0)
Y = RNG.normal(100, 10, 30)
MEAN = Y[24:] + 1
BANDS = {80: (MEAN - 5, MEAN + 5), 95: (MEAN - 9, MEAN + 10)}


def past(title="north", **options):
    return Example(title, MONTHS, Y, [(MONTHS[24:], MEAN, BANDS)], **options)


def beyond(title="south", **options):
    return Example(title, MONTHS[:24], Y[:24], [(MONTHS[24:], MEAN, BANDS)], **options)


def labelled(ax):
    return {line.get_label(): line for line in ax.lines}


def test_examples_draw_each_series_in_its_own_panel():
    figure = render(plot.examples([past(last=12), beyond()], title="Two shops", model="GRU"))
    held_out, ahead = figure.axes
    assert [title(ax) for ax in figure.axes] == ["north", "south"]
    assert np.array_equal(labelled(held_out)["data"].get_ydata(), Y[-12:])
    assert np.array_equal(labelled(held_out)["GRU"].get_ydata(), MEAN)
    assert np.array_equal(labelled(held_out)["GRU"].get_xdata(orig=False), date2num(MONTHS[24:]))
    assert np.array_equal(labelled(ahead)["data"].get_ydata(), Y[:24])
    assert np.array_equal(labelled(ahead)["GRU"].get_ydata(), np.r_[Y[23], MEAN])  # starts at the last observation
    assert [band.get_label() for band in held_out.collections] == ["95 % interval", "80 % interval"]


def test_examples_have_one_legend():
    figure = render(plot.examples([Example("no forecast", MONTHS, Y), past(), beyond()], title="Three shops"))
    (shared,) = figure.legends
    assert [text.get_text() for text in shared.get_texts()] == ["data", "forecast", "95 % interval", "80 % interval"]
    assert shared.get_title().get_text() == "Three shops"
    assert [ax.get_legend() for ax in figure.axes] == [None] * 3


@pytest.mark.parametrize(
    ("count", "columns", "cells"),
    [(1, 2, (1, 1)), (2, 2, (1, 2)), (2, 1, (2, 1)), (7, 2, (4, 2)), (12, 3, (4, 3)), (5, 9, (1, 5))],
)
def test_the_grid_of_panels(count, columns, cells):
    figure = render(plot.examples([past(f"series {k}") for k in range(count)], columns=columns))
    assert [title(ax) for ax in figure.axes] == [f"series {k}" for k in range(count)]
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == cells
    assert min(ax.get_window_extent().height for ax in figure.axes) > 120, "too flat to read"


def test_common_axis_labels_are_written_once():
    figure = render(plot.examples([past(name="sales [t]"), beyond(name="sales [t]")]))
    assert (figure.get_supxlabel(), figure.get_supylabel()) == ("date, MS (month start)", "sales [t]")
    assert {(ax.get_xlabel(), ax.get_ylabel()) for ax in figure.axes} == {("", "")}


def test_panels_have_their_own_dates_and_units():
    hours = pd.date_range("2024-02-29", periods=30, freq="h")
    hourly = Example("load", hours, Y * 1e6, [(hours[24:], MEAN * 1e6, {})], "W")
    steps = Example("steps", range(30), torch.tensor(Y), [(range(24, 30), torch.tensor(MEAN), {})], "kg")
    figure = render(plot.examples([past(name="t"), hourly, steps]))
    assert [ax.get_ylabel() for ax in figure.axes] == ["t", "W", "kg"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["date, MS (month start)", "date, h (hourly)", "time step"]
    assert all(tick == int(tick) for tick in figure.axes[2].get_xticks())
    assert len({ax.get_ylim() for ax in figure.axes}) == 3


@pytest.mark.parametrize("steps", [2, 3, 5, 20, 60, 90, 250, 800, 3000])
@pytest.mark.parametrize("freq", ["min", "h", "D", "W", "MS"])
def test_a_panel_has_few_date_ticks(freq, steps):
    ds = pd.date_range("1800-01-01", periods=steps, freq=freq)
    (ax,) = render(plot.examples([Example("a", ds, np.arange(steps))])).axes
    low, high = ax.get_xlim()
    assert 2 <= sum(low <= tick <= high for tick in ax.get_xticks()) <= 8


def test_isolated_values_are_dots():
    y = [1.0, np.nan, 3.0, 4.0, np.nan, 6.0]
    single, gaps, whole = render(
        plot.examples([Example("a", [3], [4.0]), Example("b", range(6), y), Example("c", range(6), np.arange(6))])
    ).axes
    assert (single.lines[0].get_marker(), single.lines[0].get_markevery()) == (".", [0])
    assert (gaps.lines[0].get_marker(), gaps.lines[0].get_markevery()) == (".", [0, 5])
    assert whole.lines[0].get_marker() == "None"


def test_long_names_do_not_overlap():
    long = "a very long name of a series " * 5
    figure = render(
        plot.examples([past(long, name=long), beyond(long, name="t"), past(long)], columns=3, title=long, model=long)
    )
    panels = [ax._left_title.get_window_extent() for ax in figure.axes]  # matplotlib has no public access to it
    assert all(left.x1 < right.x0 for left, right in pairwise(panels))
    above = figure.legends[0].get_window_extent()
    assert above.y0 >= max(box.y1 for box in panels) - 1
    assert figure.bbox.x1 >= above.x1
    for ax in figure.axes:
        assert figure.bbox.y0 <= ax.yaxis.label.get_window_extent().y0
        assert ax.yaxis.label.get_window_extent().y1 <= figure.bbox.y1
