"""Line plots: the data that they show, and the texts around them."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from gatewise import plot
from tests.figures import legend, render, title

MONTHS = pd.date_range("1959-01-01", periods=24, freq="MS")
AHEAD = pd.date_range("1961-01-01", periods=6, freq="MS")
Y = np.random.default_rng(0).normal(100, 10, 24)
FITTED = np.r_[[np.nan] * 5, Y[5:] + 1]
MEAN = np.arange(6.0) + 100
BANDS = {80: (MEAN - 5, MEAN + 5), 95: (MEAN - 9, MEAN + 10)}


def values_of(line):
    return line.get_ydata()


def all_figures():
    return [
        plot.series(MONTHS, Y),
        plot.differences(MONTHS[1:], np.diff(Y)),
        plot.approximation(MONTHS, Y, FITTED, zoom=(3, 9)),
        plot.reconstruction(MONTHS, Y, FITTED),
        plot.forecast(MONTHS, Y, AHEAD, MEAN, BANDS, last=10, actual=MEAN + 1),
        plot.learning_curve([3.0, 2.0, 1.0], [3.0, 2.5, 2.7], best_epoch=2),
    ]


def test_series():
    ax = render(plot.series(MONTHS, Y, name="passengers [thousands]"))
    (line,) = ax.lines
    assert np.array_equal(values_of(line), Y)
    assert np.array_equal(line.get_xdata(orig=False), date2num(MONTHS))
    assert (title(ax), ax.get_ylabel()) == ("passengers [thousands], 24 observations", "passengers [thousands]")
    assert ax.get_xlabel() == "date, MS (month start)"
    assert ax.get_legend() is None


@pytest.mark.parametrize(
    ("ds", "label", "first"),
    [
        (range(3, 27), "time step", 3),
        (torch.arange(24), "time step", 0),
        (np.arange(24) * 0.5, "time step", 0),
        (MONTHS.to_series(), "date, MS (month start)", date2num(MONTHS[0])),
        (MONTHS.to_numpy(), "date, MS (month start)", date2num(MONTHS[0])),
        (MONTHS.to_period("M"), "date, MS (month start)", date2num(MONTHS[0])),
        (MONTHS.tz_localize("Europe/Vienna"), "date, MS (month start), Europe/Vienna", date2num(MONTHS[0])),
        (list(MONTHS.date), "date, MS (month start)", date2num(MONTHS[0])),
        (MONTHS[:1].repeat(24), "date", date2num(MONTHS[0])),
        (MONTHS[::-1], "date", date2num(MONTHS[-1])),
        (pd.date_range("2024-01-31", periods=24, freq="h"), "date, h (hourly)", date2num(np.datetime64("2024-01-31"))),
        (pd.DatetimeIndex(["2024-01-31", "2024-02-07"]), "date", date2num(np.datetime64("2024-01-31"))),
    ],
)
def test_time_axes(ds, label, first):
    ax = render(plot.series(ds, Y[: len(ds)]))
    assert ax.get_xlabel() == label
    assert ax.lines[0].get_xdata(orig=False)[0] == first


def test_ticks_of_steps_and_epochs_are_whole_numbers():
    for ax in (plot.series(range(4), Y[:4]), plot.learning_curve([2.0, 1.0, 1.0])):
        assert all(tick == int(tick) for tick in render(ax).get_xticks())


def test_differences():
    ax = render(plot.differences(MONTHS[1:], np.diff(Y), name="sales"))
    zero, line = ax.lines
    assert set(values_of(zero)) == {0}
    assert np.array_equal(values_of(line), np.diff(Y))
    assert (title(ax), ax.get_ylabel()) == ("Differences of sales", "change of sales")
    assert title(plot.differences(MONTHS, Y, order=2, season=12)) == "Differences of y (order 2, lag 12)"


def test_approximation_and_its_zoom():
    ax = render(plot.approximation(MONTHS, Y, FITTED))
    data, line = ax.lines
    assert np.array_equal(values_of(data), Y)
    assert np.array_equal(values_of(line), FITTED, equal_nan=True)
    assert legend(ax) == ["data", "approximation"]
    assert title(ax) == "Approximation of y"

    ax = render(plot.approximation(range(24), Y, FITTED, zoom=(7, 12)))
    data, line = ax.lines
    assert data.get_xdata().tolist() == line.get_xdata().tolist() == [7, 8, 9, 10, 11]
    assert np.array_equal(values_of(data), Y[7:12])
    assert np.array_equal(values_of(line), FITTED[7:12])
    assert title(ax) == "Approximation of y, positions 7 to 11"


@pytest.mark.parametrize("draw", [plot.approximation, plot.reconstruction])
def test_a_shorter_fit_belongs_to_the_last_dates(draw):
    line = render(draw(MONTHS, Y, FITTED[5:])).lines[1]
    assert np.array_equal(values_of(line), FITTED, equal_nan=True)


def test_reconstruction():
    ax = render(plot.reconstruction(MONTHS, Y, torch.tensor(FITTED, requires_grad=True)))
    assert np.array_equal(values_of(ax.lines[1]), FITTED, equal_nan=True)
    assert legend(ax) == ["data", "reconstruction"]
    assert title(ax) == "Reconstruction of y on its original scale"


def test_forecast_starts_at_the_last_observation():
    ax = render(plot.forecast(MONTHS, Y, AHEAD, MEAN, BANDS, last=10, model="LSTM", actual=MEAN + 1))
    data, mean, actual = ax.lines
    assert np.array_equal(values_of(data), Y[-10:])
    assert np.array_equal(values_of(mean), np.r_[Y[-1], MEAN])
    assert np.array_equal(mean.get_xdata(orig=False), date2num(MONTHS[-1:].append(AHEAD)))
    assert np.array_equal(values_of(actual), MEAN + 1)
    assert np.array_equal(actual.get_xdata(orig=False), date2num(AHEAD))
    assert legend(ax) == ["data", "LSTM", "actual", "95 % interval", "80 % interval"]
    assert title(ax) == "Forecast of y, 6 steps"


def test_forecast_bands_have_the_bounds_and_the_wider_is_paler():
    bands = render(plot.forecast(MONTHS, Y, AHEAD, MEAN, BANDS)).collections
    assert [band.get_label() for band in bands] == ["95 % interval", "80 % interval"]
    assert bands[0].get_alpha() < bands[1].get_alpha()
    for band, level in zip(bands, (95, 80), strict=True):
        corners = band.get_paths()[0].vertices
        lo, hi = BANDS[level]
        for day, low, high in zip(date2num(AHEAD), lo, hi, strict=True):
            bounds = corners[corners[:, 0] == day][:, 1]
            assert (bounds.min(), bounds.max()) == (low, high)
        assert set(corners[corners[:, 0] == date2num(MONTHS[-1])][:, 1]) == {Y[-1]}


@pytest.mark.parametrize(("steps", "dots"), [(1, "."), (12, "."), (13, "None")])
def test_forecasts_of_few_steps_have_a_dot_on_each(steps, dots):
    mean = plot.forecast([0, 1], [5.0, 6.0], range(2, steps + 2), np.ones(steps)).lines[1]
    assert (mean.get_marker(), mean.get_markevery()) == (dots, slice(1, None))  # none on the last observation


@pytest.mark.parametrize("magnitude", [1e13, 1e-9])
def test_a_factor_of_the_axis_does_not_overlap_the_legend(magnitude):
    ax = render(plot.forecast(MONTHS, Y * magnitude, AHEAD, MEAN * magnitude))
    factor = ax.yaxis.get_offset_text()
    assert factor.get_text()
    assert not factor.get_window_extent().overlaps(ax.get_legend().get_window_extent())
    assert render(plot.series(MONTHS, Y * 1e-3 + 12345)).yaxis.get_offset_text().get_text() == ""


def test_a_tiny_change_is_drawn_as_tiny():
    ax = render(plot.series(MONTHS, 5 + 0.0005 * np.linspace(0, 1, 24)))
    low, high = ax.get_ylim()
    assert high - low == pytest.approx(0.005, rel=0.01)
    assert low < 5 < 5.0005 < high
    low, high = render(plot.series(MONTHS, Y)).get_ylim()
    assert high - low < 1.2 * np.ptp(Y)


def test_the_legend_names_the_widest_and_narrowest_of_many_intervals():
    levels = {level: (MEAN - level, MEAN + level) for level in (50, 60, 70, 80, 90)}
    ax = render(plot.forecast(MONTHS, Y, AHEAD, MEAN, levels))
    assert (legend(ax), len(ax.collections)) == (["data", "forecast", "90 % interval", "50 % interval"], 5)


def test_forecast_of_one_step_without_intervals():
    ax = render(plot.forecast([0, 1], [5.0, 6.0], [2], [7.0]))
    assert values_of(ax.lines[1]).tolist() == [6.0, 7.0]
    assert (title(ax), legend(ax), len(ax.collections)) == ("Forecast of y, 1 step", ["data", "forecast"], 0)


@pytest.mark.parametrize(
    ("train", "held_out", "scale"),
    [
        ([100.0, 3.0], None, "log"),
        ([100.0, 4.0], None, "linear"),
        ([100.0, 50.0], [100.0, 3.0], "log"),
        ([100.0, 0.0], None, "linear"),
        ([100.0, -1.0], [], "linear"),
    ],
)
def test_learning_curve_scale(train, held_out, scale):
    assert render(plot.learning_curve(train, held_out)).get_yscale() == scale


def test_learning_curve():
    ax = render(plot.learning_curve([3.0, 2.0, 1.0], [4.0, 2.5, 2.7], best_epoch=2))
    train, held_out, best = ax.lines
    assert (values_of(train).tolist(), values_of(held_out).tolist()) == ([3.0, 2.0, 1.0], [4.0, 2.5, 2.7])
    assert (train.get_xdata().tolist(), best.get_xdata()) == ([1, 2, 3], [2, 2])
    assert legend(ax) == ["training", "validation", "best: epoch 2"]
    assert (title(ax), ax.get_xlabel(), ax.get_ylabel()) == ("Learning curve, 3 epochs", "epoch", "loss")


def test_every_figure_draws_on_the_given_axes():
    for draw in (
        lambda ax: plot.series(MONTHS, Y, ax=ax, title="mine"),
        lambda ax: plot.differences(MONTHS, Y, ax=ax, title="mine"),
        lambda ax: plot.approximation(MONTHS, Y, FITTED, ax=ax, title="mine"),
        lambda ax: plot.reconstruction(MONTHS, Y, FITTED, ax=ax, title="mine"),
        lambda ax: plot.forecast(MONTHS, Y, AHEAD, MEAN, BANDS, ax=ax, title="mine"),
        lambda ax: plot.learning_curve([2.0, 1.0], ax=ax, title="mine"),
    ):
        own = Figure().subplots()
        assert draw(own) is own
        assert (title(own), bool(own.lines)) == ("mine", True)


def figures_with_long_names():
    long = {"name": "a very long name of a series " * 3}
    levels = {level: (MEAN - level, MEAN + level) for level in range(40, 100, 5)}
    return [
        plot.series(MONTHS, Y, **long),
        plot.differences(MONTHS, Y, **long, order=2, season=12),
        plot.approximation(MONTHS, Y, FITTED, **long, zoom=(3, 19)),
        plot.reconstruction(MONTHS, Y, FITTED, **long),
        plot.forecast(MONTHS, Y, AHEAD, MEAN, levels, **long, model="model " * 20, actual=MEAN),
        plot.backtest(MONTHS, Y, [(MONTHS[-6:], MEAN, levels)], **long),
        plot.learning_curve([1.0], title="title " * 40),
    ]


def test_legends_and_titles_are_complete_and_hide_nothing():
    for ax in map(render, all_figures() + figures_with_long_names()):
        frame, sheet = ax.get_window_extent(), ax.figure.bbox
        above = [ax._left_title.get_window_extent()]  # matplotlib has no public access to its left title
        if ax.get_legend() is not None:
            above.append(ax.get_legend().get_window_extent())
            assert frame.height > 0.4 * sheet.height, "little space for the data"
            assert above[0].y0 >= above[1].y1 - 1, "the title is over the legend"
        assert sheet.y0 <= ax.yaxis.label.get_window_extent().y0
        assert ax.yaxis.label.get_window_extent().y1 <= sheet.y1
        for box in above:
            assert box.y0 >= frame.y1 - 1, "something lies over the data"
            assert (sheet.x0 <= box.x0, box.x1 <= sheet.x1, box.y1 <= sheet.y1) == (True, True, True)


def test_colours_differ_in_brightness():
    ax = plot.forecast(MONTHS, Y, AHEAD, MEAN, actual=MEAN)
    grey = sorted(np.dot(matplotlib.colors.to_rgb(line.get_color()), (0.299, 0.587, 0.114)) for line in ax.lines)
    assert len({to_hex(line.get_color()) for line in ax.lines}) == 3
    assert min(np.diff(grey)) > 0.05


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plot.series(MONTHS, Y[1:]), ValueError, r"y has shape \(23,\), expected \(24,\), one value per date"),
        (lambda: plot.series(MONTHS, Y[:, None]), ValueError, r"y has shape \(24, 1\), expected \(24,\)"),
        (lambda: plot.series(MONTHS[:0], []), ValueError, "y is empty; pass at least one value"),
        (
            lambda: plot.series(["a", "b"], [1, 2]),
            ValueError,
            "ds holds .* expected dates or numbers; convert text with",
        ),
        (lambda: plot.approximation(MONTHS, Y, np.r_[FITTED, 1]), ValueError, r"fitted has shape \(25,\), .* use NaN"),
        (
            lambda: plot.approximation(MONTHS, Y, FITTED, zoom=(9, 9)),
            ValueError,
            r"zoom is \(9, 9\), expected 0 <= start",
        ),
        (lambda: plot.approximation(MONTHS, Y, FITTED, zoom=(9, 25)), ValueError, "stop <= 24, the number of values"),
        (lambda: plot.forecast(MONTHS, Y, AHEAD, MEAN, last=0), ValueError, "last is 0, expected at least 1"),
        (lambda: plot.forecast(MONTHS, Y, [24], [1.0]), ValueError, "future holds int64, ds holds datetime64"),
        (lambda: plot.forecast(MONTHS, Y, AHEAD, MEAN[1:]), ValueError, r"mean has shape \(5,\), expected \(6,\)"),
        (
            lambda: plot.forecast(MONTHS, Y, AHEAD, MEAN, {80: (MEAN, MEAN[1:])}),
            ValueError,
            r"upper bound of 80 % has shape \(5,\), expected \(6,\)",
        ),
        (lambda: plot.learning_curve([]), ValueError, "train is empty"),
        (lambda: plot.learning_curve([1.0, 2.0], [1.0]), ValueError, r"held_out has shape \(1,\), expected \(2,\)"),
        (lambda: plot.gates({}), ValueError, "gates is empty; pass at least one name"),
        (lambda: plot.gates({"input": np.zeros((4, 1, 2))}), ValueError, r"expected \(T, H\); select one sequence"),
        (
            lambda: plot.gates({"input": np.zeros((4, 2))}, np.zeros((4, 3))),
            ValueError,
            r"cells has shape \(4, 3\), the others \(4, 2\); use activations of one layer",
        ),
        (
            lambda: plot.save(plot.series(MONTHS, Y), "a.jpg"),
            ValueError,
            r"a.jpg ends in '.jpg', expected one of .png, .s",
        ),
        (lambda: plot.check("a"), ValueError, "a ends in '', expected one of"),
        (
            lambda: plot.save(plot.series(MONTHS, Y), "no such folder/a.png"),
            FileNotFoundError,
            "no such folder is not a folder; create it first",
        ),
    ],
)
def test_invalid_arguments_are_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
