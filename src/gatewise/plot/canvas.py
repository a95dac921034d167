"""Style, axes, dates and legends of all figures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gatewise.plot.text import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array: TypeAlias = "npt.NDArray[Any]"
Band: TypeAlias = "tuple[npt.ArrayLike, npt.ArrayLike]"

# Okabe and Ito's blue and vermilion, which colour-blind people can distinguish
INK, GREY, BLUE, ORANGE = "#222222", "#8a8a8a", "#0072b2", "#d55e00"
STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.5,
    "legend.frameon": False,
    "svg.hashsalt": "gatewise",  # equal figures give equal bytes
}
WHOLE_NUMBERS = ("time step", "epoch", "steps ahead", "lag [steps]")  # labels of axes with integer ticks


def require_matplotlib() -> None:
    """Raise ImportError if matplotlib is not installed; do not import it."""
    if find_spec("matplotlib") is None:
        raise ImportError('figures need matplotlib, which is missing; run: pip install "gatewise[plot]"')


def import_matplotlib() -> None:
    """Import what figures need, which takes half a second, so that later figures are drawn at once."""
    for module in ("figure", "dates", "backends.backend_agg"):
        import_module(f"matplotlib.{module}")


@contextmanager
def style() -> Iterator[None]:
    """Gatewise's style for the duration of the block."""
    require_matplotlib()
    from matplotlib import rc_context

    with rc_context(STYLE):
        yield


@contextmanager
def canvas(ax: "Axes | None", size: tuple[float, float] = (9, 4)) -> "Iterator[Axes]":
    """The Axes to draw on, in Gatewise's style: `ax`, or those of a new figure of this size in inches."""
    with style():
        from matplotlib.axes import Axes
        from matplotlib.figure import Figure

        if ax is not None and not isinstance(ax, Axes):
            raise ValueError(f"ax is {ax!r}, expected matplotlib Axes, such as plt.subplots()[1]; or leave it out")
        if ax is None:
            ax = grid(Figure(figsize=size, layout="constrained").subplots())
        yield ax


def grid(ax: "Axes") -> "Axes":
    """The same Axes, with a pale grid behind the data."""
    ax.grid(color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    return ax


def caption(ax: "Axes", title: str, x: str, y: str) -> None:
    """Set title and axis labels, and put the legend between title and data, where it hides nothing."""
    curves = [curve for curve in ax.get_legend_handles_labels()[1] if not curve.startswith("_")]
    columns = side_by_side(curves, ax.get_window_extent().width * 72 / ax.figure.dpi)
    rows = -(-len(curves) // columns)
    ax.set_title(shortened(title, 80), loc="left", pad=8 + 18 * rows)
    ax.set_xlabel(x)
    ax.set_ylabel(shortened(y, 36))
    if curves:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.3, handlelength=1.5)
    _limit_zoom(ax)
    if x in WHOLE_NUMBERS:
        ax.xaxis.set_major_locator(round_numbers(9, integer=True))
    elif x.startswith("date"):
        dates(ax)


def dates(ax: "Axes", least: int = 5, most: int | None = None) -> None:
    """Set between `least` and `most` date ticks; their labels write each part of a date once."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=least, maxticks=most)  # type: ignore[no-untyped-call]  # matplotlib's dates have no types
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # likewise


def side_by_side(curves: Sequence[str], width: float) -> int:
    """The number of legend columns that fit a width in points: each takes a handle and some 6 points per letter."""
    entries = [35 + 6 * len(curve) for curve in curves]
    return len(curves) if curves and sum(entries) <= width else max(1, int(width / max(entries, default=width)))


def _limit_zoom(ax: "Axes") -> None:
    """Label values without an offset, and span at least a thousandth of their size, so that noise looks small."""
    from matplotlib.ticker import ScalarFormatter

    if not isinstance(ax.yaxis.get_major_formatter(), ScalarFormatter):
        return
    ax.ticklabel_format(axis="y", useOffset=False)
    ax.yaxis.get_offset_text().set_horizontalalignment("right")  # a factor such as 1e13 left of the legend
    low, high = ax.get_ylim()
    least = 1e-3 * max(abs(low), abs(high))
    if abs(high - low) < least:
        ax.set_ylim((low + high - least) / 2, (low + high + least) / 2)


def round_numbers(most: int, **options: Any) -> Any:
    """A locator of at most `most` ticks at round numbers; see matplotlib's MaxNLocator for the options."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10], **options)


def bands(
    axes: "Axes",
    time: Array,
    intervals: Mapping[float, Band],
    fit: Callable[[str, npt.ArrayLike], Array],
    hidden: str = "",
) -> None:
    """Draw intervals, wide ones paler and behind; `fit` validates each bound and extends it to `time`.

    The legend names up to 4 intervals; of more, the widest and the narrowest. `hidden="_"` leaves them out.
    """
    ends = (min(intervals), max(intervals)) if len(intervals) > 4 else tuple(intervals)
    shades = np.linspace(0.15, 0.35, max(2, len(intervals))) * min(1.0, 4 / max(1, len(intervals)))
    for (level, (lo, hi)), shade in zip(sorted(intervals.items(), reverse=True), shades, strict=False):
        lower, upper = fit(f"lower bound of {level:g} %", lo), fit(f"upper bound of {level:g} %", hi)
        label = f"{hidden}{level:g} % interval" if level in ends else "_"
        axes.fill_between(time, lower, upper, color=BLUE, alpha=float(shade), linewidth=0, label=label)


def time_axis(ds: Any) -> tuple[Array, str]:
    """Dates or numbers as an array, and the label of their axis."""
    import pandas as pd

    from gatewise.series.frequency import describe_frequency, infer_frequency

    index = pd.Index(plain(ds) if hasattr(ds, "detach") else ds)
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if index.inferred_type == "date":
        index = pd.DatetimeIndex(pd.to_datetime(index))
    if isinstance(index, pd.DatetimeIndex):
        freq = infer_frequency(index) if index.is_unique and index.is_monotonic_increasing else None
        parts = ["date", "" if freq is None else describe_frequency(freq), "" if index.tz is None else str(index.tz)]
        return index.tz_localize(None).to_numpy(), ", ".join(filter(None, parts))
    if index.dtype.kind not in "iuf":
        raise ValueError(f"ds holds {index.dtype}, expected dates or numbers; convert text with pandas.to_datetime")
    return index.to_numpy(), "time step"


def aligned(name: str, values: npt.ArrayLike, time: Array, *, at_end: bool = False) -> Array:
    """Values as a float64 array, one for each date; with `at_end`, fewer values are those of the last dates."""
    array = plain(values)
    if at_end and array.ndim == 1 and 0 < len(array) < len(time):
        array = np.concatenate([np.full(len(time) - len(array), np.nan), array])
    if array.shape != time.shape:
        raise ValueError(
            f"{name} has shape {array.shape}, expected {time.shape}, one value per date; use NaN for missing values"
        )
    if len(array) == 0:
        raise ValueError(f"{name} is empty; pass at least one value")
    return array


def plain(values: Any) -> Array:
    """Values, or a torch tensor, as a float64 array."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)


def draw_data(axes: "Axes", time: Array, values: Array, **style: Any) -> None:
    """Draw a line with gaps at NaN, and a dot on each value with a gap on both sides, which a line would not show."""
    (line,) = axes.plot(time, values, **style)
    observed = np.pad(~np.isnan(values), 1)
    isolated = np.flatnonzero(observed[1:-1] & ~observed[:-2] & ~observed[2:])
    if len(isolated) and not style.get("marker"):
        line.set(marker=".", markevery=isolated.tolist())
