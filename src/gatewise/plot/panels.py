"""Figures of many series: small multiples, one panel for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gatewise.plot import lines
from gatewise.plot.canvas import Band, dates, grid, round_numbers, shortened, side_by_side, style, time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Made: TypeAlias = "tuple[Any, npt.ArrayLike, Mapping[float, Band]]"


@dataclass(frozen=True, eq=False)
class Example:
    """One series with its forecasts, a panel of `examples`.

    Attributes:
        title: over the panel.
        ds: (T,) dates or numbers of the data.
        y: (T,) data; NaN leaves a gap.
        forecasts: each its (h,) dates, (h,) forecast and intervals (level in percent -> lower and upper, each (h,));
            over the data, or one of them after the end.
        name: of the values, with their unit: "sales [t]".
        last: how many of the last observations to draw, such as 4 horizons; all if not given.
    """

    title: str
    ds: Any
    y: npt.ArrayLike
    forecasts: Sequence[Made] = ()
    name: str = ""
    last: int | None = None


def examples(panels: Sequence[Example], *, columns: int = 2, title: str = "", model: str = "forecast") -> "Figure":
    """Draw forecasts of many series against what happened, one small panel for each, with one legend for all.

    Each panel has dates and a scale of its own. A single forecast after the end of its data starts at the last
    observation, as in `forecast`; any others lie over the data, as in `backtest`.

    Arguments:
        panels: the series, row by row from the top left; 2 to 12 are read well.
        columns: panels side by side.
        title: over the figure.
        model: name of the forecasts in the legend.

    Returns:
        The Figure; its Axes are the panels in the order given.

    Raises:
        ImportError: without matplotlib.
        ValueError: no panels, fewer than 1 column, intervals of different levels (one legend is for all), and all that
            `backtest` refuses, with the panel.

    Examples:
        >>> one = Example("north", [0, 1, 2, 3], [5, 6, 7, 8], [([2, 3], [7, 9], {80: ([6, 6], [8, 10])})], "sales [t]")
        >>> two = Example("south", [0, 1], [5, 6], [([2], [7], {80: ([6], [8])})], "sales [t]")
        >>> figure = examples([one, two], title="Two shops")
        >>> [ax.get_title(loc="left") for ax in figure.axes]
        ['north', 'south']
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['data', 'forecast', '80 % interval']
    """
    if not panels:
        raise ValueError("panels is empty; give at least one Example")
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
            _small(ax, panel, letters=int(8.5 * width / columns))
        _share_labels(figure, columns)
        _share_legend(figure, title)
    return figure


def _check_levels(panels: Sequence[Example]) -> None:
    """A legend for all is wrong where a shade means 80 % here and 95 % there; no intervals at all are fine."""
    first: list[float] = []
    for number, panel in enumerate(panels, start=1):
        for _, _, intervals in panel.forecasts:
            levels = sorted(intervals)
            first = first or levels
            if levels and levels != first:
                raise ValueError(
                    f"panel {number}, {panel.title!r}: intervals of {_percent(levels)}, those before have "
                    f"{_percent(first)}; give every forecast the same levels, or none"
                )


def _percent(levels: Sequence[float]) -> str:
    return " and ".join(f"{level:g} %" for level in levels)


def _draw(ax: "Axes", panel: Example, model: str) -> None:
    """Data and forecasts, as `forecast` or `backtest` draws them."""
    time, _ = time_axis(panel.ds)
    starts = [time_axis(ds)[0] for ds, _, _ in panel.forecasts]
    for after in starts:
        if (after.dtype.kind == "M") != (time.dtype.kind == "M"):
            raise ValueError(f"a forecast holds {after.dtype}, ds holds {time.dtype}; give dates, or numbers, for both")
    if len(starts) == 1 and len(time) and len(starts[0]) and starts[0][0] > time[-1]:
        lines.forecast(panel.ds, panel.y, *panel.forecasts[0], last=panel.last, model=model, ax=ax)
    else:
        lines.backtest(panel.ds, panel.y, panel.forecasts, last=panel.last, model=model, ax=ax)
    _dot_lonely_values(ax.lines[0])


def _dot_lonely_values(line: "Line2D") -> None:
    """A dot on each value with a gap on both sides, of which a line shows nothing."""
    known = np.pad(~np.isnan(np.asarray(line.get_ydata(), dtype=np.float64)), 1)
    lonely = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])
    if len(lonely):
        line.set(marker=".", markevery=lonely.tolist())


def _small(ax: "Axes", panel: Example, letters: int) -> None:
    """Texts of the size of a panel; the legend is the figure's."""
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
        dates(ax, least=3, most=7)  # any closer together, and matplotlib finds no step for 3 days of hours
    else:
        ax.xaxis.set_major_locator(round_numbers(6, integer=True))


def _share_labels(figure: "Figure", columns: int) -> None:
    """What all panels would say below or beside them, said once; what differs stays at each."""
    if columns == 1 and len(figure.axes) == 1:
        return
    below = {ax.get_xlabel() for ax in figure.axes}
    beside = {ax.get_ylabel() for ax in figure.axes}
    if len(below) == 1:
        figure.supxlabel(below.pop(), fontsize=10)
        for ax in figure.axes:
            ax.set_xlabel("")
    if len(beside) == 1 and beside != {""}:
        figure.supylabel(beside.pop(), fontsize=10)
        for ax in figure.axes:
            ax.set_ylabel("")


def _share_legend(figure: "Figure", title: str) -> None:
    """One entry for each thing drawn in any panel, in a row between the title and the panels."""
    entries: dict[str, Any] = {}
    for ax in figure.axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.legend(
        list(entries.values()),
        list(entries),
        title=shortened(title, 90),  # the legend's own title: matplotlib lays a figure's over the legend
        title_fontsize=12,
        alignment="left",
        loc="outside upper left",
        ncols=side_by_side(list(entries), 72 * figure.get_figwidth()),
        handlelength=1.5,
    )
