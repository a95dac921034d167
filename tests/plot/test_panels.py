"""What the figures of many series and of a forecaster's errors show."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from gatewise import metrics, plot
from gatewise.plot import Example
from gatewise.plot.diagnostics import autocorrelation
from tests.figures import legend, picture, title

MONTHS = pd.date_range("1959-01-01", periods=30, freq="MS")
RNG = np.random.default_rng(0)
Y = RNG.normal(100, 10, 30)
MEAN = Y[24:] + 1
BANDS = {80: (MEAN - 5, MEAN + 5), 95: (MEAN - 9, MEAN + 10)}
NOISE = RNG.normal(1, 2, 120)


def past(title="north", **options):
    return Example(title, MONTHS, Y, [(MONTHS[24:], MEAN, BANDS)], **options)


def beyond(title="south", **options):
    return Example(title, MONTHS[:24], Y[:24], [(MONTHS[24:], MEAN, BANDS)], **options)


def labelled(ax):
    return {line.get_label(): line for line in ax.lines}


def bottom_and_top(band):
    """Of a band, a rectangle or, before matplotlib 3.9, a polygon."""
    heights = band.get_patch_transform().transform(band.get_path().vertices)[:, 1]
    return heights.min(), heights.max()


# forecasts of many series


def test_examples_draw_each_series_in_a_panel_of_its_own():
    figure = picture(plot.examples([past(last=12), beyond()], title="Two shops", model="GRU"))
    held_out, ahead = figure.axes
    assert [title(ax) for ax in figure.axes] == ["north", "south"]
    assert np.array_equal(labelled(held_out)["data"].get_ydata(), Y[-12:])
    assert np.array_equal(labelled(held_out)["GRU"].get_ydata(), MEAN)
    assert np.array_equal(labelled(held_out)["GRU"].get_xdata(orig=False), date2num(MONTHS[24:]))
    assert np.array_equal(labelled(ahead)["data"].get_ydata(), Y[:24])
    assert np.array_equal(labelled(ahead)["GRU"].get_ydata(), np.r_[Y[23], MEAN])  # starts at the last observation
    assert [band.get_label() for band in held_out.collections] == ["95 % interval", "80 % interval"]


def test_examples_have_one_legend_and_no_other():
    figure = picture(plot.examples([Example("no forecast", MONTHS, Y), past(), beyond()], title="Three shops"))
    (shared,) = figure.legends
    assert [text.get_text() for text in shared.get_texts()] == ["data", "forecast", "95 % interval", "80 % interval"]
    assert shared.get_title().get_text() == "Three shops"
    assert [ax.get_legend() for ax in figure.axes] == [None] * 3


@pytest.mark.parametrize(
    ("count", "columns", "cells"),
    [(1, 2, (1, 1)), (2, 2, (1, 2)), (2, 1, (2, 1)), (7, 2, (4, 2)), (12, 3, (4, 3)), (5, 9, (1, 5))],
)
def test_the_grid_of_panels(count, columns, cells):
    figure = picture(plot.examples([past(f"series {k}") for k in range(count)], columns=columns))
    assert [title(ax) for ax in figure.axes] == [f"series {k}" for k in range(count)]
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == cells
    assert min(ax.get_window_extent().height for ax in figure.axes) > 120, "too flat to read"


def test_what_all_panels_say_is_said_once():
    figure = picture(plot.examples([past(name="sales [t]"), beyond(name="sales [t]")]))
    assert (figure.get_supxlabel(), figure.get_supylabel()) == ("date, MS (month start)", "sales [t]")
    assert {(ax.get_xlabel(), ax.get_ylabel()) for ax in figure.axes} == {("", "")}


def test_panels_have_dates_and_units_of_their_own():
    hours = pd.date_range("2024-02-29", periods=30, freq="h")
    hourly = Example("load", hours, Y * 1e6, [(hours[24:], MEAN * 1e6, {})], "W")
    steps = Example("steps", range(30), torch.tensor(Y), [(range(24, 30), torch.tensor(MEAN), {})], "kg")
    figure = picture(plot.examples([past(name="t"), hourly, steps]))
    assert [ax.get_ylabel() for ax in figure.axes] == ["t", "W", "kg"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["date, MS (month start)", "date, h (hourly)", "time step"]
    assert all(tick == int(tick) for tick in figure.axes[2].get_xticks())
    assert len({ax.get_ylim() for ax in figure.axes}) == 3


@pytest.mark.parametrize("steps", [2, 3, 5, 20, 60, 90, 250, 800, 3000])
@pytest.mark.parametrize("freq", ["min", "h", "D", "W", "MS"])
def test_few_dates_lie_under_a_panel(freq, steps):
    ds = pd.date_range("1800-01-01", periods=steps, freq=freq)
    (ax,) = picture(plot.examples([Example("a", ds, np.arange(steps))])).axes
    low, high = ax.get_xlim()
    assert 2 <= sum(low <= tick <= high for tick in ax.get_xticks()) <= 8


def test_values_between_gaps_are_dots():
    y = [1.0, np.nan, 3.0, 4.0, np.nan, 6.0]
    single, gaps, whole = picture(
        plot.examples([Example("a", [3], [4.0]), Example("b", range(6), y), Example("c", range(6), np.arange(6))])
    ).axes
    assert (single.lines[0].get_marker(), single.lines[0].get_markevery()) == (".", [0])
    assert (gaps.lines[0].get_marker(), gaps.lines[0].get_markevery()) == (".", [0, 5])
    assert whole.lines[0].get_marker() == "None"


def test_long_names_stay_in_their_place():
    long = "a very long name of a series " * 5
    figure = picture(
        plot.examples([past(long, name=long), beyond(long, name="t"), past(long)], columns=3, title=long, model=long)
    )
    panels = [ax._left_title.get_window_extent() for ax in figure.axes]  # matplotlib has no public way to it
    assert all(left.x1 < right.x0 for left, right in pairwise(panels))
    above = figure.legends[0].get_window_extent()
    assert above.y0 >= max(box.y1 for box in panels) - 1
    assert figure.bbox.x1 >= above.x1
    for ax in figure.axes:
        assert figure.bbox.y0 <= ax.yaxis.label.get_window_extent().y0
        assert ax.yaxis.label.get_window_extent().y1 <= figure.bbox.y1


# accuracy by horizon


def test_by_horizon():
    scores = {"LSTM": [1.0, 2.0, 3.0], "naive": [2.0, np.nan, 6.0], "drift": [np.nan] * 3}
    ax = picture(plot.by_horizon([1, 2, 3], scores, score="RMSE [t]", name="sales"))
    model, naive, drift = ax.lines
    assert (model.get_xdata().tolist(), model.get_ydata().tolist()) == ([1, 2, 3], [1, 2, 3])
    assert np.array_equal(naive.get_ydata(), [2, np.nan, 6], equal_nan=True)
    assert model.get_linewidth() > 2 * naive.get_linewidth() == 2 * drift.get_linewidth()
    assert model.get_zorder() > naive.get_zorder() > drift.get_zorder()
    assert legend(ax) == ["LSTM", "naive", "drift (no score)"]
    assert (title(ax), ax.get_xlabel()) == ("RMSE [t] by steps ahead, sales", "steps ahead")
    assert (ax.get_ylabel(), ax.get_ylim()[0]) == ("RMSE [t]", 0)


def test_scores_below_zero_are_in_the_picture():
    assert plot.by_horizon([1, 2], {"skill": [-0.5, 0.5]}).get_ylim()[0] < -0.5


@pytest.mark.parametrize("steps", [1, 2, 24, 168])
def test_steps_ahead_are_whole_numbers(steps):
    ax = picture(plot.by_horizon(range(1, steps + 1), {"LSTM": np.ones(steps)}))
    assert all(tick == int(tick) for tick in ax.get_xticks())
    assert ax.lines[0].get_marker() == ("." if steps <= 24 else "")


def test_many_forecasters_have_lines_that_differ():
    ax = plot.by_horizon([1, 2], {f"model {k}": [k, k] for k in range(16)})
    assert len({(to_hex(line.get_color()), line.get_linestyle()) for line in ax.lines}) == 16


# coverage


def test_coverage():
    ax = picture(plot.coverage({95: 0, 80: 0, 50: 0}, [0.9, np.nan, 0.42], values=400, name="sales"))
    diagonal, measured = ax.lines
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 100]
    assert measured.get_xdata().tolist() == [50, 80, 95]
    assert np.array_equal(measured.get_ydata(), [42, np.nan, 90], equal_nan=True)
    assert legend(ax) == ["ideal", "95 % range, 400 values", "measured"]
    assert title(ax) == "Coverage of intervals, sales"
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 100), (0, 100))


def test_chance_in_coverage_is_that_of_honest_intervals():
    (band,) = plot.coverage([80], [0.8], values=100).collections
    corners = band.get_paths()[0].vertices
    at_80 = corners[np.isclose(corners[:, 0], 80)][:, 1]
    assert (at_80.min(), at_80.max()) == pytest.approx((72.16, 87.84), abs=0.01)  # 80 +- 1.96 * 4
    assert (corners[:, 1].min(), corners[:, 1].max()) == (0, 100)
    assert len(plot.coverage([80], [0.8]).collections) == 0


def test_coverage_takes_what_metrics_measures():
    inside = metrics.coverage([1.0, 2.0, 3.0, 9.0], [0.0] * 4, [4.0] * 4)
    assert plot.coverage([80], [inside]).lines[-1].get_ydata().tolist() == [75]


# residuals


def test_residuals_through_time():
    left = np.r_[np.full(5, np.nan), NOISE]
    ds = pd.date_range("2001-01-01", periods=125, freq="D")
    figure = picture(plot.residuals(ds, left, season=7, name="sales [t]"))
    time = figure.axes[0]
    line, mean = labelled(time)["residual"], labelled(time)[f"mean, {NOISE.mean():.3g}"]
    assert np.array_equal(line.get_ydata(), left, equal_nan=True)
    assert np.array_equal(line.get_xdata(orig=False), date2num(ds))
    assert list(mean.get_ydata()) == pytest.approx([NOISE.mean()] * 2)
    (band,) = time.patches
    reach = 1.959964 * NOISE.std()
    assert bottom_and_top(band) == pytest.approx((NOISE.mean() - reach, NOISE.mean() + reach))
    inside = np.mean(np.abs(NOISE - NOISE.mean()) <= reach)
    assert legend(time)[-1] == f"mean ± 1.96 × {NOISE.std():.3g}, {100 * inside:.0f} % inside"
    assert figure.get_suptitle() == "Residuals of sales [t], 120 values"


@pytest.mark.parametrize(("n", "season", "lags"), [(120, 1, 24), (120, 30, 60), (20, 12, 19), (2, 1, 1), (40, 50, 39)])
def test_lags_and_the_season_among_them(n, season, lags):
    ax = picture(plot.residuals(range(n), NOISE[:n], season=season)).axes[1]
    drawn = [segment for bars in ax.collections for segment in bars.get_segments()]
    at = {int(segment[1][0]): segment[1][1] for segment in drawn}
    assert sorted(at) == list(range(1, lags + 1))
    assert np.allclose([at[k] for k in range(1, lags + 1)], autocorrelation(NOISE[:n], lags))
    marked = [bars for bars in ax.collections if to_hex(bars.get_color()) == "#d55e00"]
    multiples = [k for k in range(1, lags + 1) if season > 1 and k % season == 0]
    assert [int(segment[1][0]) for bars in marked for segment in bars.get_segments()] == multiples
    (band,) = ax.patches
    assert bottom_and_top(band) == pytest.approx((-1.959964 / np.sqrt(n), 1.959964 / np.sqrt(n)))


def test_histogram_and_density_have_the_same_area():
    shape = picture(plot.residuals(range(120), NOISE)).axes[2]
    assert sum(bar.get_height() * bar.get_width() for bar in shape.patches) == pytest.approx(1)
    (normal,) = shape.lines
    x, density = normal.get_data()
    area = np.sum((density[1:] + density[:-1]) / 2 * np.diff(x))
    assert area == pytest.approx(1, abs=1e-3)  # 3.5 standard deviations on each side leave 0.0005
    assert x[density.argmax()] == pytest.approx(NOISE.mean(), abs=np.diff(x)[0])
    assert density.max() == pytest.approx(1 / (NOISE.std() * np.sqrt(2 * np.pi)), rel=1e-3)


@pytest.mark.parametrize("n", [4, 120, 20_000])
def test_quantiles_rise_and_holdshortened_in_middle(n):
    left = np.random.default_rng(1).standard_t(3, n)
    dots, line = picture(plot.residuals(range(n), left)).axes[3].lines
    x, y = dots.get_data()
    assert (y[0], y[-1], len(y) <= 500) == (left.min(), left.max(), True)
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) >= 0).all()
    assert np.array(line.get_ydata()) == pytest.approx(left.mean() + left.std() * np.array(line.get_xdata()))


def test_quantiles_of_normal_residuals_lie_on_the_line():
    left = np.random.default_rng(2).normal(3, 2, 20_000)
    x, y = plot.residuals(range(20_000), left).axes[3].lines[0].get_data()
    middle = np.abs(x) < 2
    assert np.abs(y - 3 - 2 * x)[middle].max() < 0.15


@pytest.mark.parametrize("left", [[1.5], [0.1] * 30, [0.0, 0.0], [np.nan, -2.0]])
def test_residuals_without_spread_say_so(left):
    figure = picture(plot.residuals(range(len(left)), left))
    words = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert words == [[], ["needs two different residuals"]] + [[f"all residuals are {np.nanmean(left):.4g}"]] * 2
    assert not figure.axes[0].patches


def test_clocks_put_back_are_no_disorder():
    ds = pd.date_range("2023-10-28", periods=72, freq="h", tz="Europe/Vienna")
    assert picture(plot.residuals(ds, NOISE[:72])).axes[0].get_xlabel() == "date, h (hourly), Europe/Vienna"


def test_autocorrelation_is_the_direct_sum():
    d = NOISE - NOISE.mean()
    direct = [d[k:] @ d[:-k] / (d @ d) for k in range(1, 120)]
    assert np.allclose(autocorrelation(NOISE, 119), direct, rtol=0, atol=1e-13)
    assert np.allclose(autocorrelation(1e150 * NOISE, 9), direct[:9], rtol=0, atol=1e-12)


def test_autocorrelation_of_a_cosine_in_closed_form():
    """Over whole periods of s steps, r(k) = (1 - k / T) cos(2 pi k / s) - sin(2 pi k / s) cot(2 pi / s) / T."""
    period, steps = 12, 120
    k, w = np.arange(1, 60), 2 * np.pi / period
    expected = (1 - k / steps) * np.cos(w * k) - np.sin(w * k) / (np.tan(w) * steps)
    assert np.allclose(autocorrelation(np.cos(w * np.arange(steps)), 59), expected, rtol=0, atol=1e-12)


def test_autocorrelation_passes_over_gaps():
    gaps = np.where(np.arange(120) % 7 == 3, np.nan, NOISE)
    d = np.nan_to_num(gaps - np.nanmean(gaps))
    assert np.allclose(autocorrelation(gaps, 9), [d[k:] @ d[:-k] / (d @ d) for k in range(1, 10)])
    assert np.isnan(autocorrelation([2.0, 2.0, 2.0], 2)).all()


# all of them


def test_figures_draw_on_the_axes_given_and_are_saved(tmp_path):
    own = Figure().subplots(1, 2)
    assert plot.by_horizon([1, 2], {"LSTM": [1, 2]}, ax=own[0]) is own[0]
    assert plot.coverage([80], [0.8], ax=own[1]) is own[1]
    for number, figure in enumerate([own[0], plot.examples([past()]), plot.residuals(range(9), NOISE[:9])]):
        path = plot.save(figure, tmp_path / f"{number}.svg")
        assert path.read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plot.examples([]), "panels is empty; pass at least one Example"),
        (lambda: plot.examples([past()], columns=0), "columns is 0, expected at least 1"),
        (
            lambda: plot.examples([past(), Example("east", MONTHS, Y[1:])]),
            r"panel 2, 'east': y has shape \(29,\), expected \(30,\)",
        ),
        (
            lambda: plot.examples([Example("east", MONTHS, Y, [(MONTHS[24:], MEAN[1:], {})])]),
            r"panel 1, 'east': mean has shape \(5,\), expected \(6,\)",
        ),
        (lambda: plot.examples([past(last=0)]), "panel 1, 'north': last is 0"),
        (
            lambda: plot.examples([Example("east", MONTHS, Y, [(range(6), MEAN, {})])]),
            "panel 1, 'east': a forecast holds int64, ds holds datetime64.* pass dates, or numbers, for both",
        ),
        (
            lambda: plot.examples([past(), Example("east", MONTHS, Y, [(MONTHS[24:], MEAN, {80: BANDS[80]})])]),
            "panel 2, 'east': intervals of 80 %, earlier ones have 80 % and 95 %; pass the same",
        ),
        (lambda: plot.by_horizon([1], {}), "scores is empty; pass at least one forecaster"),
        (lambda: plot.by_horizon([1, 2], {"GRU": [1.0]}), r"score of GRU has shape \(1,\), expected \(2,\)"),
        (lambda: plot.by_horizon([], {"GRU": []}), "score of GRU is empty"),
        (lambda: plot.by_horizon([2, 1], {"GRU": [1, 2]}), "steps must be increasing whole numbers"),
        (lambda: plot.by_horizon([1, 1.5], {"GRU": [1, 2]}), "steps must be increasing whole numbers"),
        (lambda: plot.coverage([80, 95], [0.8]), r"measured has shape \(1,\), expected \(2,\)"),
        (lambda: plot.coverage([], []), "measured is empty"),
        (lambda: plot.coverage([0.8, 100], [0.8, 0.9]), "levels has one outside 0 to 100, expected percentages"),
        (lambda: plot.coverage([80], [78]), "measured has a value outside 0 to 1, expected fractions; divide"),
        (lambda: plot.coverage([80], [0.8], values=0), "values is 0, expected the number of values, at least 1"),
        (lambda: plot.residuals(MONTHS, NOISE[:9]), r"residuals has shape \(9,\), expected \(30,\)"),
        (lambda: plot.residuals(range(0), []), "residuals is empty"),
        (lambda: plot.residuals([0, 1], [np.nan] * 2), "residuals has only NaN; pass at least one value"),
        (lambda: plot.residuals([0, 1], [1, np.inf]), r"residuals\[1\] is infinite; use NaN"),
        (lambda: plot.residuals([1, 0], [1, 2]), "ds does not increase; sort dates and residuals by date"),
        (lambda: plot.residuals([1, 1], [1, 2]), "pass one residual per date"),
        (lambda: plot.residuals([0, 1], [1, 2], season=0), "season is 0, expected at least 1"),
    ],
)
def test_what_is_refused_and_how(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
