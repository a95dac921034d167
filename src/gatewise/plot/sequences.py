"""Sequences with their predicted classes.

Letters: `N` sequences, `T` steps, `C` channels.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gatewise.arguments import whole
from gatewise.plot.canvas import BLUE, GREY, INK, ORANGE, Array, grid, plain, round_numbers, style
from gatewise.plot.text import literal, percent, shortened, shortened_in_middle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Many: TypeAlias = "Sequence[Any] | Array"

FEW = 6  # channels: each has a colour; if there are more, all look the same
COLORS = (BLUE, ORANGE, "#009e73", "#cc79a7", INK, "#e69f00")  # Okabe and Ito's


def classified(
    x: Many,
    predicted: Many,
    shares: npt.ArrayLike,
    *,
    truth: "Many | None" = None,
    image: bool = False,
    columns: int = 4,
    title: str = "",
) -> "Figure":
    """Draw sequences, each with its predicted class and probability.

    For an error, the title names both classes, in another colour: "true 7, predicted 1 (61 %)".

    Arguments:
        x: N sequences (T, C), or (T,) for one channel, of any lengths; sequences of one step are drawn over channels.
        predicted: (N,) predicted classes.
        shares: (N,) their probabilities, 0 to 1.
        truth: (N,) true classes, if known.
        image: draw each sequence as an image whose rows are the steps, dark for high values.
        columns: panels side by side.
        title: of the figure.

    Returns:
        The Figure; its Axes are the panels, row by row, with common scales.

    Raises:
        ImportError: without matplotlib.
        ValueError: no sequences, one that is empty or of other dimensions, different numbers of sequences, classes
            and probabilities, invalid probabilities, or fewer columns than 1.

    Examples:
        >>> x = np.arange(12.0).reshape(2, 3, 2)
        >>> figure = classified(x, ["up", "up"], [0.9, 0.61], truth=["up", "down"], title="Two walks")
        >>> [ax.get_title(loc="left") for ax in figure.axes]
        ['up (90 %)', 'true down, predicted up (61 %)']
    """
    panels = [as_steps(sequence, f"sequence {k}") for k, sequence in enumerate(x)]
    probabilities = _check_examples(panels, predicted, shares, truth, columns)
    rows = -(-len(panels) // columns)
    columns = min(columns, len(panels))
    short = max(len(str(label)) for label in (*predicted, *(() if truth is None else truth))) <= 3
    width = max(9.0 if columns > 2 else 6.0, (1.5 if short else 2.2) * columns)
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, 0.7 + rows * _height(panels, width / columns, image)), layout="constrained")
        cells = list(figure.subplots(rows, columns, squeeze=False, sharex=not image, sharey=not image).ravel())
        for cell in cells[len(panels) :]:
            cell.remove()
        if image:
            _draw_images(cells, panels)
        else:
            _draw_lines(figure, cells[: len(panels)], columns, panels, title)
        letters = int((72 * width / columns - 30) / 5.5)
        for k, ax in enumerate(cells[: len(panels)]):
            _title_panel(ax, predicted[k], probabilities[k], predicted[k] if truth is None else truth[k], letters)
        if not figure.legends:
            figure.suptitle(shortened(title, 100), x=0.01, ha="left")
    return figure


def _check_examples(panels: Sequence[Array], predicted: Any, shares: npt.ArrayLike, truth: Any, columns: int) -> Array:
    if not panels:
        raise ValueError("x is empty; pass at least one sequence")
    whole("columns", columns, 1)
    probabilities = plain(shares)
    for name, values in (("predicted", predicted), ("shares", probabilities), ("truth", truth)):
        if values is not None and (np.ndim(values) != 1 or len(values) != len(panels)):
            raise ValueError(
                f"{name} has shape {np.shape(values)}, expected ({len(panels)},), one for each sequence of x"
            )
    return check_probabilities(probabilities)


def _height(panels: Sequence[Array], width: float, image: bool) -> float:
    """The height of a row of panels in inches; images keep their aspect ratio."""
    if not image:
        return 1.6
    tall = max(len(panel) / panel.shape[1] for panel in panels)
    return float(np.clip(0.9 * width * tall, 0.8, 4.0)) + 0.35


def _draw_images(cells: "Sequence[Axes]", panels: Sequence[Array]) -> None:
    low, high = min(map(np.nanmin, panels)), max(map(np.nanmax, panels))
    for ax, panel in zip(cells, panels, strict=False):
        ax.imshow(panel, cmap="Greys", vmin=low, vmax=high, interpolation="nearest")
        if not 1 / 4 <= len(panel) / panel.shape[1] <= 4:
            ax.set_aspect("auto")  # an image this long would be too thin to see
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)


def _draw_lines(figure: "Figure", cells: "Sequence[Axes]", columns: int, panels: Sequence[Array], title: str) -> None:
    single = all(len(panel) == 1 for panel in panels) and any(panel.shape[1] > 1 for panel in panels)
    for k, (ax, panel) in enumerate(zip(cells, panels, strict=True)):
        draw_channels(grid(ax), panel.T if single else panel, scale=0.7)
        ax.tick_params(labelsize=8)
        ax.tick_params(labelbottom=k + columns >= len(cells), labelleft=k % columns == 0)
        ax.xaxis.set_major_locator(whole_ticks(5))
    figure.supxlabel("channel" if single else "time step", fontsize=10)
    channels = max(panel.shape[1] for panel in panels)
    figure.supylabel("value" if single or channels <= FEW else f"value, {channels} channels", fontsize=10)
    if not single and 1 < channels <= FEW:
        handles = cells[int(np.argmax([panel.shape[1] for panel in panels]))].lines
        figure.legend(
            handles=handles,
            title=shortened(title, 100),  # title of the legend, as matplotlib would put the title of the figure over it
            title_fontsize=12,
            alignment="left",
            loc="outside upper left",
            ncols=channels,
        )


def _title_panel(ax: "Axes", predicted: Any, probability: float, true: Any, letters: int) -> None:
    """Write the prediction over a panel; an error names both classes, in another colour and with a frame."""
    wrong = bool(predicted != true)
    end = f"{shortened_in_middle(str(predicted), letters - 7)} ({percent(float(probability))})"
    text = f"true {true}, predicted {end}" if wrong else end
    if len(text) > letters and wrong:
        name = shortened_in_middle(str(predicted), max(3, letters - 17))
        text = f"true {shortened_in_middle(str(true), letters - 6)},\npredicted {name} ({percent(float(probability))})"
    ax.set_title(literal(text), loc="left", fontsize=9, pad=4, color=ORANGE if wrong else INK)
    if wrong:
        ax.spines[:].set(visible=True, color=ORANGE, linewidth=1.5)


def as_steps(x: npt.ArrayLike, name: str) -> Array:
    """A sequence as an array (T, C)."""
    array = plain(x)
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(
            f"{name} has shape {array.shape}, expected (T, C), or (T,) for one channel, with at least one step"
        )
    return array[:, None] if array.ndim == 1 else array


def check_probabilities(probabilities: Array) -> Array:
    if not ((probabilities >= 0) & (probabilities <= 1 + 1e-6)).all():
        raise ValueError("shares must be from 0 to 1; pass probabilities, not scores or percent")
    return probabilities


def draw_channels(ax: "Axes", x: Array, scale: float = 1.0) -> None:
    """Draw channels (T, C) over the steps: a few in colours, many as thin grey lines; `scale` multiplies the width."""
    dots = "." if len(x) == 1 else ""
    for c, channel in enumerate(x.T):
        few = x.shape[1] <= FEW
        color = INK if x.shape[1] == 1 else COLORS[c] if few else GREY
        width, label = (1.4 if few else 0.5) * scale, f"channel {c}" if few and x.shape[1] > 1 else "_"
        ax.plot(channel, dots or "-", color=color, linewidth=width, alpha=1 if few else 0.6, label=label)


def whole_ticks(most: int) -> Any:
    return round_numbers(most, integer=True, min_n_ticks=1)
