"""Figures of a classifier: which classes it takes for which, examples, and what it does while it reads a sequence.

Letters: `N` sequences, `T` steps, `C` channels, `H` hidden size, `K` classes.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gatewise.arguments import whole
from gatewise.plot.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    Array,
    canvas,
    caption,
    counted,
    grid,
    literal,
    plain,
    round_numbers,
    shortened,
    style,
)
from gatewise.plot.maps import Planes, heat_maps, planes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Many: TypeAlias = "Sequence[Any] | Array"

COUNTED = 15  # classes: with more, numbers in the cells cannot be read
NAMED = 5  # classes whose probabilities have a colour and a name of their own
FEW = 6  # channels that have one
COLORS = (BLUE, ORANGE, "#009e73", "#cc79a7", INK, "#e69f00")  # Okabe and Ito's
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))  # beside the colours, which not everybody tells apart


def confusion(counts: npt.ArrayLike, classes: Sequence[Any], *, name: str = "", ax: "Axes | None" = None) -> "Axes":
    """Draw which classes are taken for which.

    Each row is coloured by its shares, so that rare classes read as well as frequent ones, and the colours grow as the
    root of the share, so that mistakes of a few percent are seen. Up to 15 classes have their counts written in.

    Arguments:
        counts: (K, K) sequences: row, the class that they have; column, the class that was predicted.
        classes: (K,) names.
        name: of the data, for the title: "test images".
        ax: Axes to draw on; a new figure, with a scale of the colours, if not given.

    Returns:
        The Axes. The row of a class of which there are no sequences is hatched.

    Raises:
        ImportError: without matplotlib.
        ValueError: counts that are not (K, K) whole numbers of at least 0, or all 0.

    Examples:
        >>> ax = confusion([[8, 2], [0, 10]], ["down", "up"], name="test walks")
        >>> ax.get_title(loc="left")
        'test walks: 90.0 % of 20 sequences right'
        >>> [text.get_text() for text in ax.texts]
        ['8', '2', '10']
    """
    table = _table(counts, len(classes))
    totals = table.sum(1, keepdims=True)
    shares = np.divide(100 * table, totals, out=np.full(table.shape, np.nan), where=totals > 0)
    own = ax is None
    with canvas(ax, (6.6, 5.6) if len(table) <= COUNTED else (9, 7.8)) as axes:
        axes.grid(visible=False)
        axes.set_facecolor("#eeeeee")
        image = axes.imshow(shares, cmap="Blues", norm=_mistakes_seen(), interpolation="nearest")
        for row in np.flatnonzero(totals[:, 0] == 0):
            axes.axhspan(row - 0.5, row + 0.5, facecolor="none", edgecolor=GREY, hatch="///", linewidth=0)
        if own:
            axes.figure.colorbar(image, ax=axes, pad=0.02, aspect=30, label="share of the class [%]")
        if len(table) <= COUNTED:
            _write_counts(axes, table, shares)
        right = _percent(float(np.trace(table) / table.sum()), 1)
        found = f"{right} of {counted(int(table.sum()), 'sequence')} right"
        _name_classes(axes, [str(one) for one in classes])
        caption(axes, f"{shortened(name)}: {found}" if name else found, "predicted class", "class")
    return axes


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
    """Draw sequences, and over each the class that was predicted, with its probability.

    Where the true class is another, the title says both, in another colour: "is 7, read as 1 (61 %)".

    Arguments:
        x: N sequences (T, C), or (T,) for one channel, of any lengths; those of one step are drawn over the channels.
        predicted: (N,) classes.
        shares: (N,) their probabilities, 0 to 1.
        truth: (N,) the classes that they have, if known.
        image: draw each as a picture whose rows are the steps, dark where values are high.
        columns: panels side by side.
        title: over the figure.

    Returns:
        The Figure; its Axes are the panels, row by row, on one scale for all.

    Raises:
        ImportError: without matplotlib.
        ValueError: no sequences, one that is empty or of other dimensions, numbers that differ, probabilities that are
            none, or fewer columns than 1.

    Examples:
        >>> x = np.arange(12.0).reshape(2, 3, 2)
        >>> figure = classified(x, ["up", "up"], [0.9, 0.61], truth=["up", "down"], title="Two walks")
        >>> [ax.get_title(loc="left") for ax in figure.axes]
        ['up (90 %)', 'is down, read as up (61 %)']
    """
    panels = [_steps(one, f"sequence {k}") for k, one in enumerate(x)]
    likely = _check_examples(panels, predicted, shares, truth, columns)
    rows = -(-len(panels) // columns)
    columns = min(columns, len(panels))
    short = max(len(str(one)) for one in (*predicted, *(() if truth is None else truth))) <= 3
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
            _judge(ax, predicted[k], likely[k], predicted[k] if truth is None else truth[k], letters)
        if not figure.legends:
            figure.suptitle(shortened(title, 100), x=0.01, ha="left")
    return figure


def reading(
    x: npt.ArrayLike,
    gates: Mapping[str, npt.ArrayLike],
    cells: npt.ArrayLike | None,
    shares: npt.ArrayLike,
    classes: Sequence[Any],
    *,
    image: bool = False,
    title: str = "",
) -> "Figure":
    """Draw what the gates do while a sequence is read, and how the classes become more or less probable.

    From the top: the sequence, a heat map for each gate and for the cells as in `gates`, and the probability of each
    class after each step, all over the same steps. The classes that are most probable at the end or at their best are
    named.

    Arguments:
        x: (T, C) the sequence, or (T,).
        gates: name -> (T, H) activations, such as `trace.gates` at one batch index.
        cells: (T, H) cell states; None for a cell without.
        shares: (T, K) probability of each class after each step, 0 to 1.
        classes: (K,) names.
        image: draw the sequence as a picture, each step a column of it; else up to 6 channels are lines.
        title: over the figure.

    Returns:
        The Figure; its Axes are the sequence, the heat maps, the probabilities, then the colour bars.

    Raises:
        ImportError: without matplotlib.
        ValueError: no gates, steps or units that differ, shares that are not (T, K), or no probabilities.

    Examples:
        >>> gates_ = {"forget": np.full((3, 2), 0.5), "candidate": np.zeros((3, 2))}
        >>> figure = reading([1.0, 2.0, 4.0], gates_, None, [[0.5, 0.5], [0.4, 0.6], [0.1, 0.9]], ["down", "up"])
        >>> [ax.get_title(loc="left") for ax in figure.axes][:4]
        ['sequence', 'forget gate', 'candidate', 'probability of the class after each step']
    """
    sequence = _steps(x, "x")
    groups = planes(gates, cells)
    likely = _shares_of_steps(shares, sequence, groups, len(classes))
    maps = sum(len(group.maps) for group in groups)
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 4.0 + 1.2 * maps), layout="constrained")
        heights = [1.3, *[1.0] * maps, 1.6]
        axes = list(figure.subplots(maps + 2, 1, sharex=True, height_ratios=heights))
        _draw_sequence(axes[0], sequence, image)
        heat_maps(axes[1:-1], groups)
        _draw_shares(axes[-1], likely, [str(one) for one in classes])
        axes[-1].set_xlim(-0.5, len(sequence) - 0.5)
        figure.suptitle(shortened(title, 100), x=0.01, ha="left")
    return figure


# ---- confusion


def _table(counts: npt.ArrayLike, classes: int) -> Array:
    table = plain(counts)
    if table.shape != (classes, classes) or not classes:
        raise ValueError(
            f"counts have shape {table.shape}, expected ({classes}, {classes}), a row and a column for each class"
        )
    if not np.isfinite(table).all() or (table < 0).any() or (table != np.round(table)).any():
        raise ValueError(
            "counts hold other than whole numbers of at least 0, expected numbers of sequences, not shares"
        )
    if not table.any():
        raise ValueError("counts are all 0; there is nothing to draw")
    return table


def _mistakes_seen() -> Any:
    """Colours from 0 to 100 % that grow as the root, or a mistake of 2 % would be as white as none."""
    from matplotlib.colors import PowerNorm

    return PowerNorm(0.5, vmin=0, vmax=100)


def _write_counts(ax: "Axes", table: Array, shares: Array) -> None:
    """Counts other than 0, as large as the cells allow."""
    cell = min(ax.get_window_extent().width, ax.get_window_extent().height) * 72 / ax.figure.dpi / len(table)
    digits = len(f"{int(table.max()):,}")
    size = min(11.0, 0.8 * cell / (0.62 * digits))
    if size < 4:
        return
    for row, column in np.argwhere(table > 0):
        color = "white" if shares[row, column] > 35 else INK
        number = f"{int(table[row, column]):,}"
        ax.text(column, row, number, ha="center", va="center", color=color, fontsize=size)


def _name_classes(ax: "Axes", names: Sequence[str]) -> None:
    """Names beside and below, so many as there is room for; long ones on a slope below."""
    extent = ax.get_window_extent()
    cell = min(extent.width, extent.height) * 72 / ax.figure.dpi / len(names)
    every = max(1, int(np.ceil(9 / cell)))
    ticks = list(range(0, len(names), every))
    size = 10 if cell >= 14 else 8
    labels = [_both_ends(names[k], 18) for k in ticks]
    ax.set_yticks(ticks, [literal(one) for one in labels], fontsize=size)
    ax.set_xticks(ticks, [literal(one) for one in labels], fontsize=size)
    longest = max(map(len, labels))
    if 0.65 * size * longest > 0.9 * every * cell:
        slope = 90 if every * cell < 14 else 45
        ax.tick_params(axis="x", rotation=slope)
        for label in ax.get_xticklabels():
            label.set(ha="center" if slope == 90 else "right", rotation_mode="default" if slope == 90 else "anchor")


def _both_ends(name: str, most: int) -> str:
    """A name of at most so many letters; names that are long tend to differ at the end, or at the beginning."""
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-((most - 1) // 2) :]}"


def _percent(share: float, digits: int = 0) -> str:
    """A share in percent: "61 %"; what is not all or nothing does not read so."""
    step = 10.0**-digits
    percent = 100 * share
    if 100 - step / 2 <= percent < 100:
        return f">{100 - step:.{digits}f} %"
    if 0 < percent < step / 2:
        return f"<{step:.{digits}f} %"
    return f"{percent:.{digits}f} %"


# ---- examples


def _steps(x: npt.ArrayLike, name: str) -> Array:
    """A sequence as (T, C)."""
    array = plain(x)
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(
            f"{name} has shape {array.shape}, expected (T, C), or (T,) for one channel, and a step or more"
        )
    return array[:, None] if array.ndim == 1 else array


def _check_examples(panels: Sequence[Array], predicted: Any, shares: npt.ArrayLike, truth: Any, columns: int) -> Array:
    if not panels:
        raise ValueError("x is empty; give at least one sequence")
    whole("columns", columns, 1)
    likely = plain(shares)
    for name, given in (("predicted", predicted), ("shares", likely), ("truth", truth)):
        if given is not None and (np.ndim(given) != 1 or len(given) != len(panels)):
            raise ValueError(
                f"{name} has shape {np.shape(given)}, expected ({len(panels)},), one for each sequence of x"
            )
    return _probabilities(likely)


def _probabilities(shares: Array) -> Array:
    if not ((shares >= 0) & (shares <= 1 + 1e-6)).all():
        raise ValueError("shares hold other than numbers from 0 to 1; give probabilities, not scores or percent")
    return shares


def _height(panels: Sequence[Array], width: float, image: bool) -> float:
    """Of a row of panels in inches; pictures keep their sides."""
    if not image:
        return 1.6
    tall = max(len(one) / one.shape[1] for one in panels)
    return float(np.clip(0.9 * width * tall, 0.8, 4.0)) + 0.35


def _draw_images(cells: "Sequence[Axes]", panels: Sequence[Array]) -> None:
    low, high = min(map(np.nanmin, panels)), max(map(np.nanmax, panels))
    for ax, one in zip(cells, panels, strict=False):
        ax.imshow(one, cmap="Greys", vmin=low, vmax=high, interpolation="nearest")
        if not 1 / 4 <= len(one) / one.shape[1] <= 4:
            ax.set_aspect("auto")  # or it would be a hair
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)


def _draw_lines(figure: "Figure", cells: "Sequence[Axes]", columns: int, panels: Sequence[Array], title: str) -> None:
    single = all(len(one) == 1 for one in panels) and any(one.shape[1] > 1 for one in panels)
    for k, (ax, one) in enumerate(zip(cells, panels, strict=True)):
        _lines(grid(ax), one.T if single else one, thin=0.7)
        ax.tick_params(labelsize=8)
        ax.tick_params(labelbottom=k + columns >= len(cells), labelleft=k % columns == 0)
        ax.xaxis.set_major_locator(_whole_numbers(5))
    figure.supxlabel("channel" if single else "time step", fontsize=10)
    channels = max(one.shape[1] for one in panels)
    figure.supylabel("value" if single or channels <= FEW else f"value, {channels} channels", fontsize=10)
    if not single and 1 < channels <= FEW:
        handles = cells[int(np.argmax([one.shape[1] for one in panels]))].lines
        figure.legend(
            handles=handles,
            title=shortened(title, 100),  # the legend's own title: matplotlib lays a figure's over the legend
            title_fontsize=12,
            alignment="left",
            loc="outside upper left",
            ncols=channels,
        )


def _lines(ax: "Axes", x: Array, thin: float = 1.0) -> None:
    """Channels (T, C) over the steps; many are one cloud of thin lines."""
    dots = "." if len(x) == 1 else ""
    for c, channel in enumerate(x.T):
        few = x.shape[1] <= FEW
        color = INK if x.shape[1] == 1 else COLORS[c] if few else GREY
        wide, label = (1.4 if few else 0.5) * thin, f"channel {c}" if few and x.shape[1] > 1 else "_"
        ax.plot(channel, dots or "-", color=color, linewidth=wide, alpha=1 if few else 0.6, label=label)


def _judge(ax: "Axes", predicted: Any, likely: float, true: Any, letters: int) -> None:
    """What is predicted, over the panel; a mistake in another colour, in other words, and framed."""
    wrong = bool(predicted != true)
    end = f"{_both_ends(str(predicted), letters - 7)} ({_percent(float(likely))})"
    text = f"is {true}, read as {end}" if wrong else end
    if len(text) > letters and wrong:
        text = f"is {_both_ends(str(true), letters - 4)},\nread as {_both_ends(str(predicted), max(3, letters - 15))} "
        text += f"({_percent(float(likely))})"
    ax.set_title(literal(text), loc="left", fontsize=9, pad=4, color=ORANGE if wrong else INK)
    if wrong:
        ax.spines[:].set(visible=True, color=ORANGE, linewidth=1.5)


# ---- reading


def _shares_of_steps(shares: npt.ArrayLike, x: Array, groups: Sequence[Planes], classes: int) -> Array:
    likely, steps = plain(shares), len(next(iter(groups[0].maps.values())))
    if len(x) != steps:
        raise ValueError(f"x has {counted(len(x), 'step')}, the gates {steps}; take both from one sequence")
    if likely.shape != (len(x), classes):
        raise ValueError(f"shares have shape {likely.shape}, expected ({len(x)}, {classes}), steps by classes")
    return _probabilities(likely)


def _draw_sequence(ax: "Axes", x: Array, image: bool) -> None:
    if image or x.shape[1] > FEW:
        ax.imshow(x.T, cmap="Greys", aspect="auto", interpolation="nearest")
        ax.spines[:].set_visible(True)
        ax.set_title("sequence, dark where high")
        ax.set_ylabel("channel")
        ax.yaxis.set_major_locator(_whole_numbers(4))
    else:
        _lines(grid(ax), x)
        caption(ax, "sequence", "", "value")
        ax.yaxis.set_major_locator(round_numbers(4))


def _draw_shares(ax: "Axes", shares: Array, classes: Sequence[str]) -> None:
    """The few classes that matter in colours, others in grey."""
    named = _most_probable(shares)
    dots = "." if len(shares) == 1 else ""
    for k in np.setdiff1d(np.arange(len(classes)), named):
        ax.plot(100 * shares[:, k], marker=dots, color=GREY, linewidth=0.6, alpha=0.7, label=f"_{classes[k]}")
    for place, k in enumerate(named):
        line, color = DASHES[place], COLORS[place]
        label = literal(_both_ends(classes[k].lstrip("_") or classes[k], 20))
        label += f" ({_percent(float(shares[-1, k]))} in the end)" * (place == 0)
        ax.plot(
            100 * shares[:, k], ls=line, marker=dots, color=color, label=label, linewidth=2.2 if place == 0 else 1.3
        )
    grid(ax).set_ylim(-2, 102)
    caption(ax, "probability of the class after each step", "time step", "probability [%]")
    ax.xaxis.set_major_locator(_whole_numbers(9))


def _most_probable(shares: Array) -> list[int]:
    """Classes in order: the most probable in the end, then those that were most probable at their best."""
    first = int(shares[-1].argmax())
    best = shares.max(0)
    others = [int(k) for k in np.argsort(-best, kind="stable") if k != first]
    return [first, *others[: NAMED - 1]]


def _whole_numbers(most: int) -> Any:
    return round_numbers(most, integer=True, min_n_ticks=1)
