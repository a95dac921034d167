"""Heat maps of the gates through time."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from gatewise.plot.canvas import Array, literal, plain, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPEN_GATES = ("input", "forget", "output", "reset", "update")  # sigmoid: 0 shut, 1 open; any other gate has a sign


class Planes(NamedTuple):
    """Heat maps (T, H) by name, on one scale: 0 to 1, or with a sign."""

    maps: dict[str, Array]
    signed: bool


def gates(
    gates: Mapping[str, npt.ArrayLike], cells: npt.ArrayLike | None = None, *, title: str | None = None
) -> "Figure":
    """Draw every gate of a recurrent layer through time, one heat map each, units from top to bottom.

    Gates between 0 (shut) and 1 (open) share one scale. Those with a sign (candidates) share another, -1 to 1 with
    white at 0, wider where values are larger; the cells have one of that kind for themselves.

    Arguments:
        gates: name -> (T, H) activations of one sequence, such as `trace.gates` at one batch index.
        cells: (T, H) cell states.
        title: over the picture.

    Returns:
        The Figure; its first Axes are the heat maps, followed by one colour bar per scale.

    Raises:
        ImportError: without matplotlib.
        ValueError: no gates, or shapes other than one common (T, H).

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


def planes(gates: Mapping[str, npt.ArrayLike], cells: npt.ArrayLike | None) -> list[Planes]:
    """What there is to draw, checked: gates that open, signed ones, and cells, each on a scale of its own."""
    if not gates:
        raise ValueError("gates is empty; give at least one name with its (T, H) activations")
    opening = {f"{name} gate": plain(one) for name, one in gates.items() if name in OPEN_GATES}
    signed = {name: plain(one) for name, one in gates.items() if name not in OPEN_GATES}
    memory = {} if cells is None else {"cells": plain(cells)}
    _check_planes({**opening, **signed, **memory})
    groups = [Planes(opening, signed=False), Planes(signed, signed=True), Planes(memory, signed=True)]
    return [group for group in groups if group.maps]


def heat_maps(rows: "Sequence[Axes]", groups: Sequence[Planes]) -> None:
    """One map per plane, from the top, and one colour bar per group."""
    for group in groups:
        own, rows = rows[: len(group.maps)], rows[len(group.maps) :]
        _draw_group(own, group)


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
                f"{name} has shape {plane.shape}, expected (T, H); pick one sequence, such as values[:, 0]"
            )
        if plane.shape != shape:
            raise ValueError(f"{name} has shape {plane.shape}, the others {shape}; take all from one layer")
