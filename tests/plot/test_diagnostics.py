"""Diagnostics: scores by horizon, coverage and residuals; and invalid arguments of diagnostics and panels."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from gatewise import metrics, plot
from gatewise.plot import Example
from gatewise.plot.diagnostics import autocorrelation
from tests.figures import legend, render, title

MONTHS = pd.date_range("1959-01-01", periods=30, freq="MS")
RNG = np.random.default_rng(0)
Y = RNG.normal(100, 10, 30)
MEAN = Y[24:] + 1
BANDS = {80: (MEAN - 5, MEAN + 5), 95: (MEAN - 9, MEAN + 10)}
NOISE = RNG.normal(1, 2, 120)


def past(title="north", **options):
    return Example(title, MONTHS, Y, [(MONTHS[24:], MEAN, BANDS)], **options)


def labelled(ax):
    return {line.get_label(): line for line in ax.lines}


def bottom_and_top(band):
    """Bounds of a band: a rectangle, or a polygon before matplotlib 3.9."""
    heights = band.get_patch_transform().transform(band.get_path().vertices)[:, 1]
    return heights.min(), heights.max()


def test_by_horizon():
    scores = {"LSTM": [1.0, 2.0, 3.0], "naive": [2.0, np.nan, 6.0], "drift": [np.nan] * 3}
    ax = render(plot.by_horizon([1, 2, 3], scores, score="RMSE [t]", name="sales"))
    model, naive, drift = ax.lines
    assert (model.get_xdata().tolist(), model.get_ydata().tolist()) == ([1, 2, 3], [1, 2, 3])
    assert np.array_equal(naive.get_ydata(), [2, np.nan, 6], equal_nan=True)
    assert model.get_linewidth() > 2 * naive.get_linewidth() == 2 * drift.get_linewidth()
    assert model.get_zorder() > naive.get_zorder() > drift.get_zorder()
    assert legend(ax) == ["LSTM", "naive", "drift (no score)"]
    assert (title(ax), ax.get_xlabel()) == ("RMSE [t] by steps ahead, sales", "steps ahead")
    assert (ax.get_ylabel(), ax.get_ylim()[0]) == ("RMSE [t]", 0)


def test_negative_scores_are_visible():
    assert plot.by_horizon([1, 2], {"skill": [-0.5, 0.5]}).get_ylim()[0] < -0.5


@pytest.mark.parametrize("steps", [1, 2, 24, 168])
def test_ticks_of_steps_ahead_are_whole_numbers(steps):
    ax = render(plot.by_horizon(range(1, steps + 1), {"LSTM": np.ones(steps)}))
    assert all(tick == int(tick) for tick in ax.get_xticks())
    assert ax.lines[0].get_marker() == ("." if steps <= 24 else "")


def test_many_forecasters_have_different_lines():
    ax = plot.by_horizon([1, 2], {f"model {k}": [k, k] for k in range(16)})
    assert len({(to_hex(line.get_color()), line.get_linestyle()) for line in ax.lines}) == 16


def test_coverage():
    ax = render(plot.coverage({95: 0, 80: 0, 50: 0}, [0.9, np.nan, 0.42], values=400, name="sales"))
    diagonal, measured = ax.lines
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 100]
    assert measured.get_xdata().tolist() == [50, 80, 95]
    assert np.array_equal(measured.get_ydata(), [42, np.nan, 90], equal_nan=True)
    assert legend(ax) == ["ideal", "95 % range, 400 values", "measured"]
    assert title(ax) == "Coverage of intervals, sales"
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 100), (0, 100))


def test_the_sampling_range_holds_95_percent_of_correct_intervals():
    (band,) = plot.coverage([80], [0.8], values=100).collections
    corners = band.get_paths()[0].vertices
    at_80 = corners[np.isclose(corners[:, 0], 80)][:, 1]
    assert (at_80.min(), at_80.max()) == pytest.approx((72.16, 87.84), abs=0.01)  # 80 +- 1.96 * 4
    assert (corners[:, 1].min(), corners[:, 1].max()) == (0, 100)
    assert len(plot.coverage([80], [0.8]).collections) == 0


def test_coverage_accepts_results_of_metrics():
    inside = metrics.coverage([1.0, 2.0, 3.0, 9.0], [0.0] * 4, [4.0] * 4)
    assert plot.coverage([80], [inside]).lines[-1].get_ydata().tolist() == [75]


def test_residuals_through_time():
    residuals = np.r_[np.full(5, np.nan), NOISE]
    ds = pd.date_range("2001-01-01", periods=125, freq="D")
    figure = render(plot.residuals(ds, residuals, season=7, name="sales [t]"))
    time = figure.axes[0]
    line, mean = labelled(time)["residual"], labelled(time)[f"mean, {NOISE.mean():.3g}"]
    assert np.array_equal(line.get_ydata(), residuals, equal_nan=True)
    assert np.array_equal(line.get_xdata(orig=False), date2num(ds))
    assert list(mean.get_ydata()) == pytest.approx([NOISE.mean()] * 2)
    (band,) = time.patches
    reach = 1.959964 * NOISE.std()
    assert bottom_and_top(band) == pytest.approx((NOISE.mean() - reach, NOISE.mean() + reach))
    inside = np.mean(np.abs(NOISE - NOISE.mean()) <= reach)
    assert legend(time)[-1] == f"mean ± 1.96 × {NOISE.std():.3g}, {100 * inside:.0f} % inside"
    assert figure.get_suptitle() == "Residuals of sales [t], 120 values"


@pytest.mark.parametrize(("n", "season", "lags"), [(120, 1, 24), (120, 30, 60), (20, 12, 19), (2, 1, 1), (40, 50, 39)])
def test_autocorrelation_marks_the_season(n, season, lags):
    ax = render(plot.residuals(range(n), NOISE[:n], season=season)).axes[1]
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
    shape = render(plot.residuals(range(120), NOISE)).axes[2]
    assert sum(bar.get_height() * bar.get_width() for bar in shape.patches) == pytest.approx(1)
    (normal,) = shape.lines
    x, density = normal.get_data()
    area = np.sum((density[1:] + density[:-1]) / 2 * np.diff(x))
    assert area == pytest.approx(1, abs=1e-3)  # 3.5 standard deviations on each side leave 0.0005
    assert x[density.argmax()] == pytest.approx(NOISE.mean(), abs=np.diff(x)[0])
    assert density.max() == pytest.approx(1 / (NOISE.std() * np.sqrt(2 * np.pi)), rel=1e-3)


@pytest.mark.parametrize("n", [4, 120, 20_000])
def test_quantiles_increase_and_include_both_ends(n):
    residuals = np.random.default_rng(1).standard_t(3, n)
    dots, line = render(plot.residuals(range(n), residuals)).axes[3].lines
    x, y = dots.get_data()
    assert (y[0], y[-1], len(y) <= 500) == (residuals.min(), residuals.max(), True)
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) >= 0).all()
    assert np.array(line.get_ydata()) == pytest.approx(residuals.mean() + residuals.std() * np.array(line.get_xdata()))


def test_quantiles_of_normal_residuals_lie_on_the_line():
    residuals = np.random.default_rng(2).normal(3, 2, 20_000)
    x, y = plot.residuals(range(20_000), residuals).axes[3].lines[0].get_data()
    middle = np.abs(x) < 2
    assert np.abs(y - 3 - 2 * x)[middle].max() < 0.15


@pytest.mark.parametrize("residuals", [[1.5], [0.1] * 30, [0.0, 0.0], [np.nan, -2.0]])
def test_constant_residuals_show_a_text(residuals):
    figure = render(plot.residuals(range(len(residuals)), residuals))
    texts = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert texts == [[], ["needs two different residuals"]] + [[f"all residuals are {np.nanmean(residuals):.4g}"]] * 2
    assert not figure.axes[0].patches


def test_the_end_of_summer_time_is_not_an_error():
    ds = pd.date_range("2023-10-28", periods=72, freq="h", tz="Europe/Vienna")
    assert render(plot.residuals(ds, NOISE[:72])).axes[0].get_xlabel() == "date, h (hourly), Europe/Vienna"


def test_autocorrelation_equals_the_direct_sum():
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


def test_autocorrelation_ignores_gaps():
    gaps = np.where(np.arange(120) % 7 == 3, np.nan, NOISE)
    d = np.nan_to_num(gaps - np.nanmean(gaps))
    assert np.allclose(autocorrelation(gaps, 9), [d[k:] @ d[:-k] / (d @ d) for k in range(1, 10)])
    assert np.isnan(autocorrelation([2.0, 2.0, 2.0], 2)).all()


def test_diagnostics_are_drawn_on_the_given_axes_and_saved(tmp_path):
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
        (lambda: plot.by_horizon([2, 1], {"GRU": [1, 2]}), "steps must be increasing integers"),
        (lambda: plot.by_horizon([1, 1.5], {"GRU": [1, 2]}), "steps must be increasing integers"),
        (lambda: plot.coverage([80, 95], [0.8]), r"measured has shape \(1,\), expected \(2,\)"),
        (lambda: plot.coverage([], []), "measured is empty"),
        (lambda: plot.coverage([0.8, 100], [0.8, 0.9]), "levels has a value outside 0 to 100, expected percentages"),
        (lambda: plot.coverage([80], [78]), "measured has a value outside 0 to 1, expected fractions; divide"),
        (lambda: plot.coverage([80], [0.8], values=0), "values is 0, expected the number of values, at least 1"),
        (lambda: plot.residuals(MONTHS, NOISE[:9]), r"residuals has shape \(9,\), expected \(30,\)"),
        (lambda: plot.residuals(range(0), []), "residuals is empty"),
        (lambda: plot.residuals([0, 1], [np.nan] * 2), "residuals has only NaN; pass at least one value"),
        (lambda: plot.residuals([0, 1], [1, np.inf]), r"residuals\[1\] is infinite; use NaN"),
        (lambda: plot.residuals([1, 0], [1, 2]), "ds does not increase; sort dates and residuals by date"),
        (lambda: plot.residuals([1, 1], [1, 2]), "pass one residual per date"),
        (lambda: plot.residuals([0, 1], [1, 2], season=0), "season is 0, expected its length in steps, at least 1"),
    ],
)
def test_invalid_arguments_are_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
