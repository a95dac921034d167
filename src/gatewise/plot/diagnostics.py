"""Diagnostics of a forecaster: accuracy by horizon, coverage of intervals, and residuals."""

from collections.abc import Iterable, Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gatewise.plot.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    Array,
    aligned,
    canvas,
    caption,
    grid,
    plain,
    style,
    time_axis,
)
from gatewise.plot.text import counted, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NORMAL = NormalDist()
Z95 = NORMAL.inv_cdf(0.975)  # 1.96
COLORS = (ORANGE, GREY, INK, "#009e73", "#cc79a7")  # of baselines; green and purple are Okabe and Ito's
DASHES = ("--", "-.", ":")  # with 5 colours, 15 different lines


def by_horizon(
    steps: npt.ArrayLike,
    scores: Mapping[str, npt.ArrayLike],
    *,
    score: str = "MAE",
    name: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the score of each forecaster by the number of steps ahead.

    Arguments:
        steps: (h,) steps ahead, increasing integers.
        scores: forecaster -> (h,) its score for each number of steps, the model first; NaN for missing scores.
        score: name of the score, with its unit: "MAE [t]".
        name: of the series.
        ax: Axes to draw on; by default a new figure.

    Returns:
        The Axes. The score axis starts at zero unless some scores are negative, so that heights are comparable.

    Raises:
        ImportError: without matplotlib.
        ValueError: no forecaster, different lengths, no values, or steps that are not increasing integers.

    Examples:
        >>> ax = by_horizon([1, 2, 3], {"LSTM": [1, 2, 2], "naive": [2, 3, 5]}, name="sales")
        >>> ax.get_title(loc="left"), ax.lines[0].get_ydata().tolist()
        ('MAE by steps ahead, sales', [1.0, 2.0, 2.0])
    """
    if not scores:
        raise ValueError("scores is empty; pass at least one forecaster with its (h,) scores")
    ahead = plain(steps)
    if ahead.ndim != 1 or (ahead != np.round(ahead)).any() or (np.diff(ahead) <= 0).any():
        raise ValueError("steps must be increasing integers, one for each of the (h,) scores, such as 1, 2, 3")
    table = {label: aligned(f"score of {label}", values, ahead) for label, values in scores.items()}
    with canvas(ax) as axes:
        for number, (label, values) in enumerate(table.items()):
            color, line = (BLUE, "-") if number == 0 else (COLORS[(number - 1) % 5], DASHES[(number - 1) % 3])
            dots = (
                "." if len(ahead) <= 24 or np.isnan(values).any() else ""
            )  # a line does not show a value between gaps
            suffix = "" if np.isfinite(values).any() else " (no score)"
            width = 2.4 if number == 0 else 1.1
            text = f"{shortened(label, 36)}{suffix}"
            axes.plot(
                ahead, values, line, color=color, linewidth=width, marker=dots, label=text, zorder=3 - number / 99
            )
        if not any((values < 0).any() for values in table.values()):
            axes.set_ylim(bottom=0)
        padding = 0.5 if len(ahead) > 1 else 1.0  # integer ticks for a single step too
        axes.set_xlim(ahead[0] - padding, ahead[-1] + padding)
        caption(axes, f"{score} by steps ahead" + f", {shortened(name)}" * bool(name), "steps ahead", score)
    return axes


def coverage(
    levels: Iterable[float],
    measured: Iterable[float],
    *,
    values: int | None = None,
    name: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the coverage of intervals against their level.

    Arguments:
        levels: (n,) levels of the intervals in percent, such as 80 and 95.
        measured: (n,) fraction of values inside, 0 to 1, as from `gatewise.metrics.coverage`; NaN if unknown.
        values: number of values; draws the 95 % sampling range of correct intervals for this many independent values
            (values of one series are correlated, which widens the range).
        name: of the series.
        ax: Axes to draw on; by default a new figure.

    Returns:
        The Axes. Points below the diagonal are intervals that are too narrow, above it too wide.

    Raises:
        ImportError: without matplotlib.
        ValueError: different lengths, no values, levels outside 0 to 100, fractions outside 0 to 1, or fewer values
            than 1.

    Examples:
        >>> ax = coverage([95, 80], [0.9, 0.78], values=120, name="sales")
        >>> ax.lines[-1].get_xdata().tolist(), ax.lines[-1].get_ydata().tolist()
        ([80.0, 95.0], [78.0, 90.0])
    """
    level = plain(list(levels))
    inside = aligned("measured", plain(list(measured)), level)
    if not ((level > 0) & (level < 100)).all():
        raise ValueError("levels has a value outside 0 to 100, expected percentages such as 80")
    if ((inside < 0) | (inside > 1)).any():
        raise ValueError("measured has a value outside 0 to 1, expected fractions; divide percentages by 100")
    if values is not None and values < 1:
        raise ValueError(f"values is {values}, expected the number of values, at least 1")
    order = np.argsort(level)
    with canvas(ax, (5.2, 5)) as axes:
        axes.plot([0, 100], [0, 100], color=GREY, linestyle="--", linewidth=1, label="ideal")
        if values is not None:
            _sampling_range(axes, values)
        axes.plot(level[order], 100 * inside[order], "o-", color=BLUE, label="measured", clip_on=False, zorder=3)
        axes.text(97, 4, "too narrow", color=GREY, ha="right")
        axes.text(3, 93, "too wide", color=GREY)
        axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
        title = "Coverage of intervals" + f", {shortened(name, 24)}" * bool(name)
        caption(axes, title, "level of the interval [%]", "values inside [%]")
    return axes


def _sampling_range(axes: "Axes", values: int) -> None:
    """Draw the 95 % range of the fraction of n values inside: level +- 1.96 sqrt(level (1 - level) / n)."""
    level = np.linspace(0, 1, 101)
    margin = Z95 * np.sqrt(level * (1 - level) / values)
    low, high = np.clip(level - margin, 0, 1), np.clip(level + margin, 0, 1)
    label = f"95 % range, {counted(values, 'value')}"
    axes.fill_between(100 * level, 100 * low, 100 * high, color=GREY, alpha=0.2, linewidth=0, label=label)


def residuals(ds: Any, residuals: npt.ArrayLike, *, season: int = 1, name: str = "") -> "Figure":
    """Draw the residuals of a forecaster in four ways; the residuals of a good model look like noise in all four.

    - Through time: a drift, a bias, or a changing spread.
    - Autocorrelation: about 1 lag in 20 leaves the band by chance; a bar well outside it at lag 1 or the season shows
      a pattern that the model misses.
    - Histogram: the shape, with a normal density of the same mean and standard deviation.
    - Quantiles against those of that normal distribution: ends off the line are large errors that normal intervals
      underestimate (or overestimate).

    Arguments:
        ds: (T,) dates or numbers, increasing and equally spaced.
        residuals: (T,) observed minus forecast values; NaN for missing values.
        season: season in steps, to mark; 1 for none.
        name: of the values, with their unit: "sales [t]".

    Returns:
        The Figure; its Axes are through time, autocorrelation, histogram, quantiles.

    Raises:
        ImportError: without matplotlib.
        ValueError: different lengths, no values, infinite values, dates that do not increase, or a season below 1.

    Examples:
        >>> figure = residuals(range(4), [1.0, -1.0, 2.0, -2.0], name="sales [t]")
        >>> [ax.get_title(loc="left") for ax in figure.axes]
        ['Through time', 'Autocorrelation', 'Histogram', 'Quantiles']
    """
    time, label = time_axis(ds)
    values = aligned("residuals", residuals, time)
    _check_residuals(values, ds, season)
    observed = values[~np.isnan(values)]
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 6.4), layout="constrained")
        axes = figure.subplot_mosaic([["time"] * 4, ["lags", "lags", "shape", "tails"]])
        for ax in axes.values():
            grid(ax)
        series_name = f" of {shortened(name, 60)}" * bool(name)
        figure.suptitle(f"Residuals{series_name}, {counted(len(observed), 'value')}", x=0.01, ha="left", fontsize=13)
        _through_time(axes["time"], time, values, label, name)
        _lags(axes["lags"], values, season)
        _shape(axes["shape"], observed)
        _tails(axes["tails"], observed)
    return figure


def _check_residuals(values: Array, ds: Any, season: int) -> None:
    import pandas as pd

    index = pd.Index(
        plain(ds) if hasattr(ds, "detach") else ds
    )  # with the time zone: at the end of summer time, local times repeat
    if np.isinf(values).any():
        raise ValueError(f"residuals[{int(np.isinf(values).argmax())}] is infinite; use NaN for missing values")
    if np.isnan(values).all():
        raise ValueError("residuals has only NaN; pass at least one value")
    if not (index.is_monotonic_increasing and index.is_unique):
        raise ValueError("ds does not increase; sort dates and residuals by date, and pass one residual per date")
    if season < 1:
        raise ValueError(f"season is {season}, expected its length in steps, at least 1")


def autocorrelation(values: npt.ArrayLike, lags: int) -> Array:
    """Autocorrelation at lags 1 to `lags`.

    `r(k) = sum_t d(t) d(t + k) / sum_t d(t)^2`, where `d` is the values minus their mean, 0 for NaN.

    Arguments:
        values: (T,) values, equally spaced.
        lags: the last lag, 0 <= lags < T.

    Returns:
        (lags,) correlations, -1 to 1; NaN if all values are the same.

    Examples:
        >>> autocorrelation([1.0, -1.0, 1.0, -1.0], 2).round(12).tolist()
        [-0.75, 0.5]
    """
    d = plain(values)
    d = np.where(np.isnan(d), 0.0, d - np.nanmean(d))
    if _spread(plain(values)) == 0:
        return np.full(lags, np.nan)
    spectrum = np.fft.rfft(
        d / np.abs(d).max(), len(d) + lags
    )  # zero padding, so that the end does not wrap to the start
    products = np.fft.irfft(spectrum * spectrum.conj(), len(d) + lags)
    correlations: Array = products[1 : lags + 1] / products[0]
    return correlations


def _spread(values: Array) -> float:
    """Standard deviation, 0 if it is only a rounding error."""
    spread = float(np.nanstd(values))
    return spread if spread > 1e-12 * float(np.nanmax(np.abs(values))) else 0.0


def _through_time(ax: "Axes", time: Array, values: Array, label: str, name: str) -> None:
    mean, spread = float(np.nanmean(values)), _spread(values)
    low, high = mean - Z95 * spread, mean + Z95 * spread
    observed = values[~np.isnan(values)]
    ax.axhline(0, color=GREY, linewidth=1)
    with_dots = len(observed) < 60 or np.isnan(values).any()  # a line does not show a value between gaps
    width = 1.2 if len(values) <= 500 else 0.6
    ax.plot(time, values, color=INK, linewidth=width, marker="." if with_dots else "", markersize=4, label="residual")
    ax.axhline(mean, color=BLUE, linewidth=1.2, linestyle="--", label=f"mean, {mean:.3g}")
    if spread:
        inside = np.mean((observed >= low) & (observed <= high))
        text = f"mean ± 1.96 × {spread:.3g}, {100 * inside:.0f} % inside"
        ax.axhspan(low, high, color=BLUE, alpha=0.15, linewidth=0, label=text)
    if len(time) == 1 and label == "time step":
        ax.set_xlim(time[0] - 1, time[0] + 1)  # integer ticks for a single step too
    caption(ax, "Through time", label, name or "residual")


def _lags(ax: "Axes", values: Array, season: int) -> None:
    lags = np.arange(1, min(max(24, 2 * season), len(values) - 1) + 1)
    bars = autocorrelation(values, len(lags))
    seasonal = (lags % season == 0) if season > 1 else np.zeros(len(lags), dtype=bool)
    margin = Z95 / np.sqrt(np.count_nonzero(~np.isnan(values)))
    if np.isnan(bars).all():
        _write(ax, "needs two different residuals")
    else:
        ax.axhline(0, color=GREY, linewidth=1)
        ax.axhspan(-margin, margin, color=GREY, alpha=0.2, linewidth=0, label="noise, 95 %")
        width = float(np.clip(120 / len(lags), 0.7, 4))
        ax.vlines(lags[~seasonal], 0, bars[~seasonal], color=INK, linewidth=width)
        if seasonal.any():
            label = f"season, {counted(season, 'step')}"
            ax.vlines(lags[seasonal], 0, bars[seasonal], color=ORANGE, linewidth=max(width, 1.5), label=label, zorder=3)
            ax.plot(lags[seasonal], bars[seasonal], "o", color=ORANGE, markersize=4)  # visible among hundreds of lags
        top = min(1.05, 1.15 * max(margin, float(np.abs(bars).max())))
        padding = 0.8 + 0.01 * len(lags)
        ax.set(xlim=(1 - padding, len(lags) + padding), ylim=(-top, top))
    caption(ax, "Autocorrelation", "lag [steps]", "")


def _shape(ax: "Axes", observed: Array) -> None:
    mean, spread = float(observed.mean()), _spread(observed)
    if spread == 0:
        _write(ax, f"all residuals are {mean:.4g}")
    else:
        bins = int(np.clip(2 * np.ceil(np.cbrt(len(observed))), 5, 60))
        ax.hist(observed, bins=bins, density=True, color=GREY, alpha=0.6)
        at = np.linspace(mean - 3.5 * spread, mean + 3.5 * spread, 200)
        density = np.exp(-(((at - mean) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
        ax.plot(at, density, color=BLUE, label="normal")
    caption(ax, "Histogram", "residual", "")
    ax.locator_params(axis="x", nbins=4)
    ax.set_yticks([])  # the values of a density do not help the reader


def _tails(ax: "Axes", observed: Array) -> None:
    mean, spread = float(observed.mean()), _spread(observed)
    if spread == 0:
        _write(ax, f"all residuals are {mean:.4g}")
    else:
        ranks = _ranks(len(observed))
        normal = np.array([NORMAL.inv_cdf((rank + 0.5) / len(observed)) for rank in ranks])
        ax.plot(normal, np.sort(observed)[ranks], ".", color=INK, markersize=4)
        ends = np.array([normal[0], normal[-1]])
        ax.plot(ends, mean + spread * ends, color=BLUE, linewidth=1.2, label="normal")
    caption(ax, "Quantiles", "normal quantile [sd]", "")


def _ranks(n: int) -> "npt.NDArray[np.int64]":
    """Ranks to draw: all if n <= 500, else those at evenly spaced normal quantiles, including both ends."""
    if n <= 500:
        return np.arange(n)
    end = NORMAL.inv_cdf(1 - 0.5 / n)
    probabilities = [NORMAL.cdf(z) for z in np.linspace(-end, end, 500)]
    return np.unique(np.clip(np.round(np.array(probabilities) * n - 0.5), 0, n - 1).astype(np.int64))


def _write(ax: "Axes", text: str) -> None:
    """Write a text in place of a plot."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=GREY)
