"""Forecasts of many series: small multiples, one panel for each series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy.typing as npt

from gatewise.plot import lines
from gatewise.plot.canvas import Band, dates, grid, round_numbers, side_by_side, style, time_axis
from gatewise.plot.text import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PanelForecast: TypeAlias = "tuple[Any, npt.ArrayLike, Mapping[float, Band]]"


@dataclass(frozen=True, eq=False)
class Example:
    """One series with its forecasts, a panel of `examples`.

    Attributes:
        title: of the panel.
        ds: (T,) dates or numbers of the data.
        y: (T,) data; NaN leaves a gap.
        forecasts: each with its (h,) dates, (h,) forecast and intervals (level in percent -> lower and upper bound,
            each (h,)): any number over the data, or one after the end.
        name: of the values, with their unit: "sales [t]".
        last: number of last observations to draw, such as 4 horizons; all by default.
    """

    title: str
    ds: Any
    y: npt.ArrayLike
    forecasts: Sequence[PanelForecast] = ()
    name: str = ""
    last: int | None = None


def examples(panels: Sequence[Example], *, columns: int = 2, title: str = "", model: str = "forecast") -> "Figure":
    """Draw forecasts of many series with their data, one small panel for each series, with one legend.

    Each panel has its own dates and scale. A single forecast after the end of the data starts at the last observation,
    as in `forecast`; other forecasts are drawn over the data, as in `backtest`.

    Arguments:
        panels: the series, row by row from the top left; 2 to 12 are easy to read.
        columns: panels side by side.
        title: of the figure.
        model: name of the forecasts in the legend.

    Returns:
        The Figure; its Axes are the panels in the order given.

    Raises:
        ImportError: without matplotlib.
        ValueError: no panels, fewer than 1 column, intervals of different levels (there is one legend), or data that
            `backtest` refuses; the message names the panel.

    Examples:
        >>> test_window = ([2, 3], [7, 9], {80: ([6, 6], [8, 10])})
        >>> north = Example("north", [0, 1, 2, 3], [5, 6, 7, 8], [test_window], "sales [t]")
        >>> south = Example("south", [0, 1], [5, 6], [([2], [7], {80: ([6], [8])})], "sales [t]")
        >>> figure = examples([north, south], title="Two shops")
        >>> [ax.get_title(loc="left") for ax in figure.axes]
        ['north', 'south']
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['data', 'forecast', '80 % interval']
    """
    if not panels:
        raise ValueError("panels is empty; pass at least one Example")
    if columns < 1:
        raise ValueError(f"columns is {columns}, expected at least 1")
    _check_levels(panels)
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    width = max(9.0, 4.2 * columns)
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, max(4.0, 0.8 + 2.2 * rows)), layout="constrained")
        cells = figure.subplots(rows, columns, squeeze=False).ravel()
        for cell in cells[len(panels) :]:
            cell.remove()
        for number, (ax, panel) in enumerate(zip(cells, panels, strict=False), start=1):
            try:
                _draw(grid(ax), panel, model)
            except ValueError as reason:
                raise ValueError(f"panel {number}, {panel.title!r}: {reason}") from reason
            _fit_to_panel(ax, panel, letters=int(8.5 * width / columns))
        _share_labels(figure, columns)
        _share_legend(figure, title)
    return figure


def _check_levels(panels: Sequence[Example]) -> None:
    """Refuse intervals of different levels: a shade in the common legend has one level. Intervals may be absent."""
    first: list[float] = []
    for number, panel in enumerate(panels, start=1):
        for _, _, intervals in panel.forecasts:
            levels = sorted(intervals)
            first = first or levels
            if levels and levels != first:
                raise ValueError(
                    f"panel {number}, {panel.title!r}: intervals of {_percent(levels)}, earlier ones have "
                    f"{_percent(first)}; pass the same levels for every forecast, or none"
                )


def _percent(levels: Sequence[float]) -> str:
    return " and ".join(f"{level:g} %" for level in levels)


def _draw(ax: "Axes", panel: Example, model: str) -> None:
    """Draw data and forecasts as `forecast` or `backtest` does."""
    time, _ = time_axis(panel.ds)
    starts = [time_axis(ds)[0] for ds, _, _ in panel.forecasts]
    for after in starts:
        if (after.dtype.kind == "M") != (time.dtype.kind == "M"):
            raise ValueError(f"a forecast holds {after.dtype}, ds holds {time.dtype}; pass dates, or numbers, for both")
    if len(starts) == 1 and len(time) and len(starts[0]) and starts[0][0] > time[-1]:
        lines.forecast(panel.ds, panel.y, *panel.forecasts[0], last=panel.last, model=model, ax=ax)
    else:
        lines.backtest(panel.ds, panel.y, panel.forecasts, last=panel.last, model=model, ax=ax)


def _fit_to_panel(ax: "Axes", panel: Example, letters: int) -> None:
    """Reduce texts and lines to the size of a panel, and remove its legend; the figure has one."""
    legend = ax.get_legend()
    if legend is not None:
        legend.remove()
    ax.set_title(shortened(panel.title, letters), loc="left", fontsize=10, pad=4)
    for line in ax.get_lines():
        line.set_linewidth(0.8 * line.get_linewidth())
    ax.set_ylabel(shortened(panel.name, 24), fontsize=9)
    ax.tick_params(labelsize=8)
    ax.xaxis.label.set_fontsize(9)
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_offset_text().set_fontsize(8)
    ax.yaxis.set_major_locator(round_numbers(5))
    if ax.get_xlabel().startswith("date"):
        dates(ax, least=3, most=7)  # with more ticks, matplotlib finds no step for 3 days of hours
    else:
        ax.xaxis.set_major_locator(round_numbers(6, integer=True))


def _share_labels(figure: "Figure", columns: int) -> None:
    """Write axis labels that all panels share once, on the figure."""
    if columns == 1 and len(figure.axes) == 1:
        return
    x_labels = {ax.get_xlabel() for ax in figure.axes}
    y_labels = {ax.get_ylabel() for ax in figure.axes}
    if len(x_labels) == 1:
        figure.supxlabel(x_labels.pop(), fontsize=10)
        for ax in figure.axes:
            ax.set_xlabel("")
    if len(y_labels) == 1 and y_labels != {""}:
        figure.supylabel(y_labels.pop(), fontsize=10)
        for ax in figure.axes:
            ax.set_ylabel("")


def _share_legend(figure: "Figure", title: str) -> None:
    """Draw one legend for all panels, between the title and the panels."""
    entries: dict[str, Any] = {}
    for ax in figure.axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.legend(
        list(entries.values()),
        list(entries),
        title=shortened(title, 90),  # title of the legend, as matplotlib would put the title of the figure over it
        title_fontsize=12,
        alignment="left",
        loc="outside upper left",
        ncols=side_by_side(list(entries), 72 * figure.get_figwidth()),
        handlelength=1.5,
    )
