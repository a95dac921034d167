"""What the figures share: one look, dates under the picture, values beside them, and the file."""

import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gatewise.persistence import atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array: TypeAlias = "npt.NDArray[Any]"
Band: TypeAlias = "tuple[npt.ArrayLike, npt.ArrayLike]"

# Okabe and Ito's blue and vermilion, which colour-blind people can tell apart
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
    "svg.hashsalt": "gatewise",  # the same picture gives the same bytes
}
COUNTED = ("time step", "epoch", "steps ahead", "lag [steps]")  # axes whose ticks are whole numbers
FORMATS = (".png", ".svg", ".pdf")


def check(path: str | os.PathLike[str]) -> Path:
    """Refuse what `save` would refuse, before the minutes that a picture may take to compute.

    Arguments:
        path: where a picture is to go; the suffix says the format: .png, .svg or .pdf.

    Returns:
        The path.

    Raises:
        ImportError: without matplotlib.
        ValueError: a suffix of no such format.
        FileNotFoundError: no such folder.

    Examples:
        >>> check("picture.txt")
        Traceback (most recent call last):
        ...
        ValueError: picture.txt ends in '.txt', expected one of .png, .svg, .pdf
    """
    target = atomic.as_path(path)
    if target.suffix.lower() not in FORMATS:
        raise ValueError(f"{target} ends in {target.suffix!r}, expected one of {', '.join(FORMATS)}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target.parent} is no folder; create it first")
    with style():
        return target


def save(figure: "Figure | Axes", path: str | os.PathLike[str]) -> Path:
    """Write a picture, whole or not at all: a file that is there already stays until the new one is complete.

    Arguments:
        figure: a figure, or Axes on it.
        path: where to; the suffix says the format: .png, .svg or .pdf.

    Returns:
        The path.

    Raises:
        ValueError: a suffix of no such format.
        FileNotFoundError: no such folder.

    Examples:
        >>> import tempfile
        >>> from gatewise.plot import series
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(series([1, 2], [3, 4]), f"{folder}/picture.png").name
        'picture.png'
    """
    target = check(path)
    suffix = target.suffix.lower()
    picture = io.BytesIO()
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with style():
        _whole(figure).savefig(picture, format=suffix[1:], dpi=150, metadata=undated.get(suffix))
    atomic.write(target, picture.getvalue())
    return target


@contextmanager
def style() -> Iterator[None]:
    """Gatewise's own look, for as long as the block lasts."""
    try:
        from matplotlib import rc_context
    except ImportError as reason:
        raise ImportError('figures need matplotlib, which is missing; run: pip install "gatewise[plot]"') from reason
    with rc_context(STYLE):
        yield


@contextmanager
def canvas(ax: "Axes | None", size: tuple[float, float] = (9, 4)) -> "Iterator[Axes]":
    """The Axes to draw on, in Gatewise's own look; the size in inches is that of a figure of its own."""
    with style():
        from matplotlib.axes import Axes
        from matplotlib.figure import Figure

        if ax is not None and not isinstance(ax, Axes):
            raise ValueError(
                f"ax is {ax!r}, expected Axes of matplotlib, as plt.subplots() gives them; or leave it out"
            )
        if ax is None:
            ax = grid(Figure(figsize=size, layout="constrained").subplots())
        yield ax


def grid(ax: "Axes") -> "Axes":
    """The same Axes, with pale lines behind what will be drawn."""
    ax.grid(color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    return ax


def caption(ax: "Axes", title: str, x: str, y: str) -> None:
    """Texts, and a legend in rows of its own between title and picture, where it hides nothing."""
    curves = [curve for curve in ax.get_legend_handles_labels()[1] if not curve.startswith("_")]
    columns = side_by_side(curves, ax.get_window_extent().width * 72 / ax.figure.dpi)
    rows = -(-len(curves) // columns)
    ax.set_title(shortened(title, 80), loc="left", pad=8 + 18 * rows)
    ax.set_xlabel(x)
    ax.set_ylabel(shortened(y, 36))
    if curves:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.3, handlelength=1.5)
    _steady(ax)
    if x in COUNTED:
        ax.xaxis.set_major_locator(round_numbers(9, integer=True))
    elif x.startswith("date"):
        dates(ax)


def dates(ax: "Axes", least: int = 5, most: int | None = None) -> None:
    """Dates under the picture, each part of a date written once; at least and at most so many of them."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=least, maxticks=most)  # type: ignore[no-untyped-call]  # matplotlib's dates have no types
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # likewise


def side_by_side(curves: Sequence[str], width: float) -> int:
    """How many entries of a legend fit into a width in points: each has a handle and some 6 points a letter."""
    entries = [35 + 6 * len(curve) for curve in curves]
    return len(curves) if curves and sum(entries) <= width else max(1, int(width / max(entries, default=width)))


def _steady(ax: "Axes") -> None:
    """Values beside the picture as they are, and a change of less than a thousandth of their level drawn as small."""
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
    """What puts ticks at round numbers, at most so many; see matplotlib's MaxNLocator for the options."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10], **options)


def shortened(text: str, most: int = 40) -> str:
    """A text of at most so many letters, as it is; what is cut is an ellipsis."""
    return literal(text if len(text) <= most else f"{text[: most - 1].rstrip()}…")


def literal(text: str) -> str:
    """A text as it is, once or twice: what stands between two dollars would be a formula to matplotlib, or an error."""
    return re.sub(r"(?<!\\)\$", r"\\$", text)


def bands(
    axes: "Axes",
    time: Array,
    intervals: Mapping[float, Band],
    fit: Callable[[str, npt.ArrayLike], Array],
    hidden: str = "",
) -> None:
    """Draw intervals, wide ones paler and behind; `fit` checks each bound against the time and completes it.

    The legend names up to 4, or else the widest and the narrowest.
    """
    ends = (min(intervals), max(intervals)) if len(intervals) > 4 else tuple(intervals)
    shades = np.linspace(0.15, 0.35, max(2, len(intervals))) * min(1.0, 4 / max(1, len(intervals)))
    for (level, (lo, hi)), shade in zip(sorted(intervals.items(), reverse=True), shades, strict=False):
        lower, upper = fit(f"lower bound of {level:g} %", lo), fit(f"upper bound of {level:g} %", hi)
        label = f"{hidden}{level:g} % interval" if level in ends else "_"
        axes.fill_between(time, lower, upper, color=BLUE, alpha=float(shade), linewidth=0, label=label)


def counted(number: int, what: str) -> str:
    """A number of things: "1 step", "24 steps"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def time_axis(ds: Any) -> tuple[Array, str]:
    """Dates or numbers as an array, and what to write under them."""
    import pandas as pd

    from gatewise.series.frequency import describe_frequency, infer_frequency

    index = pd.Index(plain(ds) if hasattr(ds, "detach") else ds)
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if index.inferred_type == "date":
        index = pd.DatetimeIndex(pd.to_datetime(index))
    if isinstance(index, pd.DatetimeIndex):
        freq = infer_frequency(index) if index.is_unique and index.is_monotonic_increasing else None
        words = ["date", "" if freq is None else describe_frequency(freq), "" if index.tz is None else str(index.tz)]
        return index.tz_localize(None).to_numpy(), ", ".join(filter(None, words))
    if index.dtype.kind not in "iuf":
        raise ValueError(f"ds holds {index.dtype}, expected dates or numbers; read text with pandas.to_datetime first")
    return index.to_numpy(), "time step"


def aligned(name: str, values: npt.ArrayLike, time: Array, *, at_end: bool = False) -> Array:
    """Values as one float64 array, checked to have one for each date; `at_end`, fewer belong to the last dates."""
    array = plain(values)
    if at_end and array.ndim == 1 and 0 < len(array) < len(time):
        array = np.concatenate([np.full(len(time) - len(array), np.nan), array])
    if array.shape != time.shape:
        raise ValueError(
            f"{name} has shape {array.shape}, expected {time.shape}, one value per date; put NaN where none is"
        )
    if len(array) == 0:
        raise ValueError(f"{name} is empty; there is nothing to draw")
    return array


def plain(values: Any) -> Array:
    """Values as float64, those of a torch tensor too."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)


def _whole(figure: "Figure | Axes") -> "Figure":
    from matplotlib.figure import Figure

    part: Any = figure
    while not isinstance(part, Figure):
        part = part.figure
    return part
