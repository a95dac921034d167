"""Line plots over time or over epochs."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gatewise.plot.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    Array,
    Band,
    aligned,
    bands,
    canvas,
    caption,
    draw_data,
    time_axis,
)
from gatewise.plot.text import counted, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = 12  # steps ahead: each is drawn with a dot


def series(ds: Any, y: npt.ArrayLike, *, name: str = "y", title: str | None = None, ax: "Axes | None" = None) -> "Axes":
    """Draw a series.

    Arguments:
        ds: (T,) dates (pandas index or column, NumPy datetimes), or numbers.
        y: (T,) values; NaN leaves a gap.
        name: of the values, with their unit: "passengers [thousands]".
        title: of the figure.
        ax: Axes to draw on; by default a new figure.

    Returns:
        The Axes.

    Raises:
        ImportError: without matplotlib.
        ValueError: different lengths, no values, or dates as text.

    Examples:
        >>> ax = series(range(4), [1.0, 3.0, 2.0, 4.0], name="sales [t]")
        >>> ax.get_ylabel(), ax.lines[0].get_ydata().tolist()
        ('sales [t]', [1.0, 3.0, 2.0, 4.0])
    """
    time, label = time_axis(ds)
    values = aligned("y", y, time)
    with canvas(ax) as axes:
        draw_data(axes, time, values, color=INK)
        caption(
            axes,
            title or f"{shortened(name)}, {counted(int((~np.isnan(values)).sum()), 'observation')}",
            label,
            name,
        )
    return axes


def differences(
    ds: Any,
    values: npt.ArrayLike,
    *,
    order: int = 1,
    season: int = 1,
    name: str = "y",
    title: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the differences of a series around zero.

    Arguments:
        ds: (T,) the date of the end of each difference.
        values: (T,) the differences.
        order: number of times the series was differenced, for the title.
        season: lag of the differences in steps, for the title.
        name: of the original series.
        title: of the figure.
        ax: Axes to draw on; by default a new figure.

    Returns:
        The Axes.

    Raises:
        ImportError: without matplotlib.
        ValueError: different lengths, no values, or dates as text.

    Examples:
        >>> differences([1, 2, 3], [2.0, -1.0, 2.0], name="sales").get_title(loc="left")
        'Differences of sales'
    """
    time, label = time_axis(ds)
    changes = aligned("values", values, time)
    kind = ", ".join([f"order {order}"] * (order > 1) + [f"lag {season}"] * (season > 1))
    with canvas(ax) as axes:
        axes.axhline(0, color=GREY, linewidth=1)
        draw_data(axes, time, changes, color=INK)
        caption(
            axes, title or f"Differences of {shortened(name)}" + f" ({kind})" * bool(kind), label, f"change of {name}"
        )
    return axes


def approximation(
    ds: Any,
    y: npt.ArrayLike,
    fitted: npt.ArrayLike,
    *,
    zoom: tuple[int, int] | None = None,
    name: str = "y",
    title: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a one-step-ahead in-sample fit over the data.

    Arguments:
        ds: (T,) dates or numbers.
        y: (T,) data.
        fitted: (T,) in-sample fit, NaN for missing values; a shorter array is aligned with the last dates.
        zoom: `(start, stop)`, draw only these positions, `stop` excluded, such as `(75, 125)`.
        name: of the values.
        title: of the figure.
        ax: Axes to draw on; by default a new figure.

    Returns:
        The Axes.

    Raises:
        ImportError: without matplotlib.
        ValueError: different lengths, no values, dates as text, or a zoom outside the data.

    Examples:
        >>> ax = approximation(range(4), [1, 3, 2, 4], [np.nan, 2, 2, 3], zoom=(1, 3))
        >>> [line.get_ydata().tolist() for line in ax.lines]
        [[3.0, 2.0], [2.0, 2.0]]
    """
    where = "" if zoom is None else f", positions {zoom[0]} to {zoom[1] - 1}"
    return _overlay(
        ds, y, fitted, zoom, name, title or f"Approximation of {shortened(name)}{where}", "approximation", ax
    )


def reconstruction(
    ds: Any,
    y: npt.ArrayLike,
    fitted: npt.ArrayLike,
    *,
    name: str = "y",
    title: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw an in-sample fit, transformed back to the original scale, over the original data.

    Arguments:
        ds: (T,) dates or numbers.
        y: (T,) data on the original scale.
        fitted: (T,) in-sample fit on that scale, NaN for missing values; a shorter array is aligned with the last
            dates.
        name: of the values.
        title: of the figure.
        ax: Axes to draw on; by default a new figure.

    Returns:
        The Axes.

    Raises:
        ImportError: without matplotlib.
        ValueError: different lengths, no values, or dates as text.

    Examples:
        >>> reconstruction(range(3), [1, 3, 2], [np.nan, 2, 2]).get_title(loc="left")
        'Reconstruction of y on its original scale'
    """
    return _overlay(
        ds,
        y,
        fitted,
        None,
        name,
        title or f"Reconstruction of {shortened(name)} on its original scale",
        "reconstruction",
        ax,
    )


def forecast(
    ds: Any,
    y: npt.ArrayLike,
    future: Any,
    mean: npt.ArrayLike,
    intervals: Mapping[float, Band] | None = None,
    *,
    last: int | None = None,
    actual: npt.ArrayLike | None = None,
    model: str = "forecast",
    name: str = "y",
    title: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a forecast with its intervals after the data; both start at the last observation.

    Arguments:
        ds: (T,) dates or numbers of the data.
        y: (T,) data.
        future: (h,) dates or numbers after them.
        mean: (h,) forecast.
        intervals: level in percent -> (lower, upper), each (h,); wider ones are drawn paler.
        last: number of last observations to draw; all by default.
        actual: (h,) observed values after the data, to compare.
        model: name of the forecast in the legend.
        name: of the values.
        title: of the figure.
        ax: Axes to draw on; by default a new figure.

    Returns:
        The Axes.

    Raises:
        ImportError: without matplotlib.
        ValueError: different lengths, no values, dates as text, or a `last` below 1.

    Examples:
        >>> ax = forecast([0, 1], [5, 6], [2, 3], [7, 8], {80: ([6, 6], [8, 10])}, model="LSTM")
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['data', 'LSTM', '80 % interval']
        >>> ax.lines[1].get_xdata().tolist(), ax.lines[1].get_ydata().tolist()
        ([1, 2, 3], [6.0, 7.0, 8.0])
    """
    time, label = time_axis(ds)
    data = aligned("y", y, time)
    drawn = _last(last)
    after, _ = time_axis(future)
    if (after.dtype.kind == "M") != (time.dtype.kind == "M"):
        raise ValueError(f"future holds {after.dtype}, ds holds {time.dtype}; pass dates for both, or numbers for both")
    ahead = np.concatenate([time[-1:], after])

    def joined(quantity: str, values: npt.ArrayLike) -> Array:
        return np.concatenate([data[-1:], aligned(quantity, values, ahead[1:])])

    with canvas(ax) as axes:
        draw_data(axes, time[drawn], data[drawn], color=INK, label="data")
        dots = ".-" if len(after) <= FEW else "-"  # few steps are better seen as points
        axes.plot(
            ahead,
            joined("mean", mean),
            dots,
            markevery=slice(1, None),
            color=BLUE,
            label=shortened(model, 36),
            zorder=3,
        )
        if actual is not None:
            axes.plot(ahead[1:], joined("actual", actual)[1:], "o", color=ORANGE, markersize=3.5, label="actual")
        bands(axes, ahead, intervals or {}, joined)
        caption(axes, title or f"Forecast of {shortened(name)}, {counted(len(ahead) - 1, 'step')}", label, name)
    return axes


def backtest(
    ds: Any,
    y: npt.ArrayLike,
    forecasts: Sequence[tuple[Any, npt.ArrayLike, Mapping[float, Band]]],
    *,
    last: int | None = None,
    model: str = "forecast",
    name: str = "y",
    title: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw forecasts of test windows, with their intervals, over the data.

    Arguments:
        ds: (T,) dates or numbers of the data.
        y: (T,) data.
        forecasts: for each test window its (h,) dates, (h,) forecast and intervals as for `forecast`.
        last: number of last observations to draw; all by default.
        model: name of the forecasts in the legend.
        name: of the values.
        title: of the figure.
        ax: Axes to draw on; by default a new figure.

    Returns:
        The Axes.

    Raises:
        ImportError: without matplotlib.
        ValueError: different lengths, no values, dates as text, or a `last` below 1.

    Examples:
        >>> ax = backtest([0, 1, 2, 3], [5, 6, 7, 8], [([2, 3], [7, 9], {80: ([6, 6], [8, 10])})], model="LSTM")
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['data', 'LSTM', '80 % interval']
    """
    time, label = time_axis(ds)
    data = aligned("y", y, time)
    drawn = _last(last)
    with canvas(ax) as axes:
        draw_data(axes, time[drawn], data[drawn], color=INK, label="data")
        for k, (future, mean, intervals) in enumerate(forecasts):
            after, _ = time_axis(future)
            hidden = "_" * (k > 0)  # one entry in the legend is enough
            axes.axvline(after[0], color=GREY, linewidth=0.8, linestyle=":")
            axes.plot(
                after, aligned("mean", mean, after), color=BLUE, label=f"{hidden}{shortened(model, 36)}", zorder=3
            )
            bands(axes, after, intervals, partial(_aligned_to, after), hidden)
        windows = counted(len(forecasts), "test window")
        caption(axes, title or f"Backtest of {shortened(name)}, {windows}", label, name)
    return axes


def learning_curve(
    train: Sequence[float],
    held_out: Sequence[float] | None = None,
    *,
    best_epoch: int | None = None,
    name: str = "loss",
    title: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the losses over the epochs, on a logarithmic scale if they span more than a factor of 30.

    Arguments:
        train: training loss of each epoch; the first epoch is 1.
        held_out: validation loss of each epoch; None or empty without a validation set.
        best_epoch: epoch to mark.
        name: of the loss.
        title: of the figure.
        ax: Axes to draw on; by default a new figure.

    Returns:
        The Axes.

    Raises:
        ImportError: without matplotlib.
        ValueError: different lengths, or no values.

    Examples:
        >>> ax = learning_curve([100.0, 10.0, 1.0], [90.0, 20.0, 30.0], best_epoch=2)
        >>> ax.get_yscale(), ax.lines[0].get_xdata().tolist()
        ('log', [1, 2, 3])
    """
    epochs = np.arange(1, len(train) + 1)
    curves = {"training": (aligned("train", train, epochs), BLUE)}
    if held_out is not None and len(held_out):
        curves["validation"] = (aligned("held_out", held_out, epochs), ORANGE)
    all_losses = np.concatenate([losses for losses, _ in curves.values()])
    with canvas(ax) as axes:
        width = 0.5 if len(epochs) > 500 else 1.5  # curves of many epochs jitter and would hide each other
        for order, (label, (losses, color)) in enumerate(curves.items()):
            marker = "" if len(epochs) > 1 else "o"
            axes.plot(epochs, losses, color=color, label=label, marker=marker, linewidth=width, zorder=3 - order)
        if best_epoch is not None:
            axes.axvline(best_epoch, color=GREY, linestyle="--", linewidth=1, label=f"best: epoch {best_epoch}")
        if np.nanmin(all_losses) > 0 and np.nanmax(all_losses) > 30 * np.nanmin(all_losses):
            axes.set_yscale("log")
        caption(axes, title or f"Learning curve, {counted(len(epochs), 'epoch')}", "epoch", name)
    return axes


def _last(last: int | None) -> slice:
    if last is not None and last < 1:
        raise ValueError(f"last is {last}, expected at least 1 observation")
    return slice(None if last is None else -last, None)


def _aligned_to(time: Array, quantity: str, values: npt.ArrayLike) -> Array:
    return aligned(quantity, values, time)


def _overlay(
    ds: Any,
    y: npt.ArrayLike,
    fitted: npt.ArrayLike,
    zoom: tuple[int, int] | None,
    name: str,
    title: str,
    label: str,
    ax: "Axes | None",
) -> "Axes":
    time, time_label = time_axis(ds)
    data, line = aligned("y", y, time), aligned("fitted", fitted, time, at_end=True)
    start, stop = (0, len(time)) if zoom is None else zoom
    if not 0 <= start < stop <= len(time):
        raise ValueError(f"zoom is ({start}, {stop}), expected 0 <= start < stop <= {len(time)}, the number of values")
    marker = "" if zoom is None else "."
    with canvas(ax) as axes:
        style = {"color": GREY, "marker": marker, "label": "data", "linewidth": 3, "alpha": 0.6}
        draw_data(axes, time[start:stop], data[start:stop], **style)
        axes.plot(time[start:stop], line[start:stop], color=ORANGE, marker=marker, label=label)
        caption(axes, title, time_label, name)
    return axes
