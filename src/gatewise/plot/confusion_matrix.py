"""The confusion matrix.

Letters: `K` classes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gatewise.plot.canvas import GREY, INK, Array, canvas, caption, plain
from gatewise.plot.text import counted, literal, percent, shortened, shortened_in_middle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_WRITTEN = 15  # classes: with more, the numbers in the cells would be too small to read


def confusion(counts: npt.ArrayLike, classes: Sequence[Any], *, name: str = "", ax: "Axes | None" = None) -> "Axes":
    """Draw the confusion matrix.

    Colours show the fraction of each row, so that rare classes are as visible as frequent ones, on a square-root scale,
    so that errors of a few percent are visible. With up to 15 classes, each cell has its count.

    Arguments:
        counts: (K, K) number of sequences by true class (row) and predicted class (column).
        classes: (K,) names.
        name: of the data, for the title, such as "test images".
        ax: Axes to draw on; by default a new figure with a colour bar.

    Returns:
        The Axes. The row of a class without sequences is hatched.

    Raises:
        ImportError: without matplotlib.
        ValueError: counts that are not (K, K) integers of at least 0, or are all 0.

    Examples:
        >>> ax = confusion([[8, 2], [0, 10]], ["down", "up"], name="test walks")
        >>> ax.get_title(loc="left")
        'test walks: accuracy 90.0 % on 20 sequences'
        >>> [text.get_text() for text in ax.texts]
        ['8', '2', '10']
    """
    table = _table(counts, len(classes))
    totals = table.sum(1, keepdims=True)
    fractions = np.divide(100 * table, totals, out=np.full(table.shape, np.nan), where=totals > 0)
    new_figure = ax is None
    with canvas(ax, (6.6, 5.6) if len(table) <= MOST_WRITTEN else (9, 7.8)) as axes:
        axes.grid(visible=False)
        axes.set_facecolor("#eeeeee")
        image = axes.imshow(fractions, cmap="Blues", norm=_square_root_scale(), interpolation="nearest")
        for row in np.flatnonzero(totals[:, 0] == 0):
            axes.axhspan(row - 0.5, row + 0.5, facecolor="none", edgecolor=GREY, hatch="///", linewidth=0)
        if new_figure:
            axes.figure.colorbar(image, ax=axes, pad=0.02, aspect=30, label="fraction of the true class [%]")
        if len(table) <= MOST_WRITTEN:
            _write_counts(axes, table, fractions)
        accuracy = percent(float(np.trace(table) / table.sum()), 1)
        title = f"accuracy {accuracy} on {counted(int(table.sum()), 'sequence')}"
        _name_classes(axes, [str(label) for label in classes])
        caption(axes, f"{shortened(name)}: {title}" if name else title, "predicted class", "true class")
    return axes


def _table(counts: npt.ArrayLike, classes: int) -> Array:
    table = plain(counts)
    if table.shape != (classes, classes) or not classes:
        raise ValueError(
            f"counts have shape {table.shape}, expected ({classes}, {classes}), a row and a column for each class"
        )
    if not np.isfinite(table).all() or (table < 0).any() or (table != np.round(table)).any():
        raise ValueError("counts must be integers of at least 0; pass numbers of sequences, not fractions")
    if not table.any():
        raise ValueError("counts are all 0; pass at least one sequence")
    return table


def _square_root_scale() -> Any:
    """Colours from 0 to 100 % on a square-root scale; on a linear one, an error of 2 % would look white."""
    from matplotlib.colors import PowerNorm

    return PowerNorm(0.5, vmin=0, vmax=100)


def _write_counts(ax: "Axes", table: Array, fractions: Array) -> None:
    """Write counts other than 0, as large as the cells allow."""
    cell = min(ax.get_window_extent().width, ax.get_window_extent().height) * 72 / ax.figure.dpi / len(table)
    digits = len(f"{int(table.max()):,}")
    size = min(11.0, 0.8 * cell / (0.62 * digits))
    if size < 4:
        return
    for row, column in np.argwhere(table > 0):
        color = "white" if fractions[row, column] > 35 else INK
        number = f"{int(table[row, column]):,}"
        ax.text(column, row, number, ha="center", va="center", color=color, fontsize=size)


def _name_classes(ax: "Axes", names: Sequence[str]) -> None:
    """Tick labels, as many as fit; long ones are rotated below the matrix."""
    extent = ax.get_window_extent()
    cell = min(extent.width, extent.height) * 72 / ax.figure.dpi / len(names)
    every = max(1, int(np.ceil(9 / cell)))
    ticks = list(range(0, len(names), every))
    size = 10 if cell >= 14 else 8
    labels = [shortened_in_middle(names[k], 18) for k in ticks]
    ax.set_yticks(ticks, [literal(label) for label in labels], fontsize=size)
    ax.set_xticks(ticks, [literal(label) for label in labels], fontsize=size)
    longest = max(map(len, labels))
    if 0.65 * size * longest > 0.9 * every * cell:
        slope = 90 if every * cell < 14 else 45
        ax.tick_params(axis="x", rotation=slope)
        for label in ax.get_xticklabels():
            label.set(ha="center" if slope == 90 else "right", rotation_mode="default" if slope == 90 else "anchor")
