"""Gates through time: heat maps, and the probabilities of classes while a sequence is read.

Letters: `T` steps, `C` channels, `H` hidden size, `K` classes.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gatewise.plot.canvas import GREY, Array, caption, grid, plain, round_numbers, style
from gatewise.plot.sequences import COLORS, FEW, as_steps, check_probabilities, draw_channels, whole_ticks
from gatewise.plot.text import counted, literal, percent, shortened, shortened_in_middle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPEN_GATES = ("input", "forget", "output", "reset", "update")  # sigmoid: 0 closed, 1 open; other gates are signed
NAMED = 5  # classes whose probabilities have a colour and a name of their own
DASHES = (
    "-",
    "--",
    "-.",
    ":",
    (0, (5, 1, 1, 1, 1, 1)),
)  # in addition to colours, for readers who cannot distinguish colours


class Planes(NamedTuple):
    """Heat maps (T, H) by name with a common scale: 0 to 1, or signed."""

    maps: dict[str, Array]
    signed: bool


def gates(
    gates: Mapping[str, npt.ArrayLike], cells: npt.ArrayLike | None = None, *, title: str | None = None
) -> "Figure":
    """Draw each gate of a recurrent layer through time as a heat map, units from top to bottom.

    Gates from 0 (closed) to 1 (open) share one scale. Signed activations (candidates) share a scale from -1 to 1 with
    white at 0, which extends to larger values; the cells have a signed scale of their own.

    Arguments:
        gates: name -> (T, H) activations of one sequence, such as `trace.gates` at one batch index.
        cells: (T, H) cell states.
        title: of the figure.

    Returns:
        The Figure; its first Axes are the heat maps, followed by one colour bar per scale.

    Raises:
        ImportError: without matplotlib.
        ValueError: no gates, or shapes that differ from a common (T, H).

    Examples:
        >>> figure = gates({"reset": np.zeros((5, 2)), "candidate": np.zeros((5, 2))})
        >>> [ax.get_title(loc="left") for ax in figure.axes][:2]
        ['reset gate', 'candidate']
    """
    groups = planes(gates, cells)
    count = sum(len(group.maps) for group in groups)
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 0.8 + 1.4 * count), layout="constrained")
        rows = list(figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0])
        rows[-1].set_xlabel("time step")
        figure.suptitle(literal(title or "Gates through time"), x=0.01, ha="left")
        heat_maps(rows, groups)
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
    """Draw the gates and the probability of each class, step by step, while a network reads a sequence.

    From the top, over the same steps: the sequence, a heat map of each gate and of the cells as in `gates`, and the
    probability of each class after each step. The legend names the most probable class at the end and the classes with
    the highest probabilities at any step.

    Arguments:
        x: (T, C) the sequence, or (T,).
        gates: name -> (T, H) activations, such as `trace.gates` at one batch index.
        cells: (T, H) cell states; None for a GRU or RNN.
        shares: (T, K) probability of each class after each step, 0 to 1.
        classes: (K,) names.
        image: draw the sequence as an image with a column for each step; by default up to 6 channels are lines.
        title: of the figure.

    Returns:
        The Figure; its Axes are the sequence, the heat maps, the probabilities, then the colour bars.

    Raises:
        ImportError: without matplotlib.
        ValueError: no gates, different numbers of steps or units, or shares that are not (T, K) probabilities.

    Examples:
        >>> gates_ = {"forget": np.full((3, 2), 0.5), "candidate": np.zeros((3, 2))}
        >>> figure = reading([1.0, 2.0, 4.0], gates_, None, [[0.5, 0.5], [0.4, 0.6], [0.1, 0.9]], ["down", "up"])
        >>> [ax.get_title(loc="left") for ax in figure.axes][:4]
        ['sequence', 'forget gate', 'candidate', 'probability of each class after each step']
    """
    sequence = as_steps(x, "x")
    groups = planes(gates, cells)
    probabilities = _check_steps(shares, sequence, groups, len(classes))
    maps = sum(len(group.maps) for group in groups)
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 4.0 + 1.2 * maps), layout="constrained")
        heights = [1.3, *[1.0] * maps, 1.6]
        axes = list(figure.subplots(maps + 2, 1, sharex=True, height_ratios=heights))
        _draw_sequence(axes[0], sequence, image)
        heat_maps(axes[1:-1], groups)
        _draw_probabilities(axes[-1], probabilities, [str(name) for name in classes])
        axes[-1].set_xlim(-0.5, len(sequence) - 0.5)
        figure.suptitle(shortened(title, 100), x=0.01, ha="left")
    return figure


def planes(gates: Mapping[str, npt.ArrayLike], cells: npt.ArrayLike | None) -> list[Planes]:
    """Validated heat maps: gates from 0 to 1, signed activations, and cells, each group with its own scale."""
    if not gates:
        raise ValueError("gates is empty; pass at least one name with its (T, H) activations")
    opening = {f"{name} gate": plain(values) for name, values in gates.items() if name in OPEN_GATES}
    signed = {name: plain(values) for name, values in gates.items() if name not in OPEN_GATES}
    memory = {} if cells is None else {"cells": plain(cells)}
    _check_planes({**opening, **signed, **memory})
    groups = [Planes(opening, signed=False), Planes(signed, signed=True), Planes(memory, signed=True)]
    return [group for group in groups if group.maps]


def heat_maps(rows: "Sequence[Axes]", groups: Sequence[Planes]) -> None:
    """Draw one heat map per plane, from the top, and one colour bar per group."""
    for group in groups:
        group_rows, rows = rows[: len(group.maps)], rows[len(group.maps) :]
        _draw_group(group_rows, group)


def _draw_group(rows: "Sequence[Axes]", group: Planes) -> None:
    from matplotlib.ticker import MaxNLocator

    largest = max(1.0, *(float(np.abs(plane).max()) for plane in group.maps.values()))
    low, high, colors = (-largest, largest, "RdBu_r") if group.signed else (0.0, 1.0, "cividis")
    for ax, (name, plane) in zip(rows, group.maps.items(), strict=True):
        image = ax.imshow(plane.T, cmap=colors, vmin=low, vmax=high, aspect="auto", interpolation="nearest")
        ax.set_title(name)
        ax.set_ylabel("unit")
        ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        ax.spines[:].set_visible(False)
    rows[0].figure.colorbar(image, ax=rows, pad=0.01, aspect=10 * len(rows))


def _check_planes(planes: Mapping[str, Array]) -> None:
    shape = next(iter(planes.values())).shape
    for name, plane in planes.items():
        if plane.ndim != 2 or plane.size == 0:
            raise ValueError(
                f"{name} has shape {plane.shape}, expected (T, H); select one sequence, such as values[:, 0]"
            )
        if plane.shape != shape:
            raise ValueError(f"{name} has shape {plane.shape}, the others {shape}; use activations of one layer")


def _check_steps(shares: npt.ArrayLike, x: Array, groups: Sequence[Planes], classes: int) -> Array:
    probabilities, steps = plain(shares), len(next(iter(groups[0].maps.values())))
    if len(x) != steps:
        raise ValueError(f"x has {counted(len(x), 'step')}, the gates {steps}; use the gates of this sequence")
    if probabilities.shape != (len(x), classes):
        raise ValueError(f"shares has shape {probabilities.shape}, expected ({len(x)}, {classes}), steps by classes")
    return check_probabilities(probabilities)


def _draw_sequence(ax: "Axes", x: Array, image: bool) -> None:
    if image or x.shape[1] > FEW:
        ax.imshow(x.T, cmap="Greys", aspect="auto", interpolation="nearest")
        ax.spines[:].set_visible(True)
        ax.set_title("sequence, dark for high values")
        ax.set_ylabel("channel")
        ax.yaxis.set_major_locator(whole_ticks(4))
    else:
        draw_channels(grid(ax), x)
        caption(ax, "sequence", "", "value")
        ax.yaxis.set_major_locator(round_numbers(4))


def _draw_probabilities(ax: "Axes", probabilities: Array, classes: Sequence[str]) -> None:
    """Draw the most probable classes in colours, the others in grey."""
    named = _most_probable(probabilities)
    dots = "." if len(probabilities) == 1 else ""
    for k in np.setdiff1d(np.arange(len(classes)), named):
        ax.plot(100 * probabilities[:, k], marker=dots, color=GREY, linewidth=0.6, alpha=0.7, label=f"_{classes[k]}")
    for place, k in enumerate(named):
        line, color = DASHES[place], COLORS[place]
        label = literal(shortened_in_middle(classes[k].lstrip("_") or classes[k], 20))
        label += f" ({percent(float(probabilities[-1, k]))} at the end)" * (place == 0)
        ax.plot(
            100 * probabilities[:, k],
            ls=line,
            marker=dots,
            color=color,
            label=label,
            linewidth=2.2 if place == 0 else 1.3,
        )
    grid(ax).set_ylim(-2, 102)
    caption(ax, "probability of each class after each step", "time step", "probability [%]")
    ax.xaxis.set_major_locator(whole_ticks(9))


def _most_probable(probabilities: Array) -> list[int]:
    """The most probable class at the end, then the classes with the highest probability at any step."""
    first = int(probabilities[-1].argmax())
    best = probabilities.max(0)
    others = [int(k) for k in np.argsort(-best, kind="stable") if k != first]
    return [first, *others[: NAMED - 1]]
