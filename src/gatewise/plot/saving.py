"""Saving of figures."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatewise.persistence import atomic
from gatewise.plot.canvas import require_matplotlib, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")


def check(path: str | os.PathLike[str]) -> Path:
    """Check the path for `save` before a long computation of the figure.

    Arguments:
        path: of the file; the suffix selects the format: .png, .svg or .pdf.

    Returns:
        The path.

    Raises:
        ImportError: without matplotlib.
        ValueError: an unknown suffix.
        FileNotFoundError: the folder does not exist.

    Examples:
        >>> check("figure.txt")
        Traceback (most recent call last):
        ...
        ValueError: figure.txt ends in '.txt', expected one of .png, .svg, .pdf
    """
    target = atomic.as_path(path)
    if target.suffix.lower() not in FORMATS:
        raise ValueError(f"{target} ends in {target.suffix!r}, expected one of {', '.join(FORMATS)}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target.parent} is not a folder; create it first")
    require_matplotlib()
    return target


def save(figure: "Figure | Axes", path: str | os.PathLike[str]) -> Path:
    """Write a figure, completely or not at all: an existing file stays until the new one is complete.

    Arguments:
        figure: a figure, or Axes on it.
        path: of the file; the suffix selects the format: .png, .svg or .pdf.

    Returns:
        The path.

    Raises:
        ValueError: an unknown suffix.
        FileNotFoundError: the folder does not exist.

    Examples:
        >>> import tempfile
        >>> from gatewise.plot import series
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(series([1, 2], [3, 4]), f"{folder}/figure.png").name
        'figure.png'
    """
    target = check(path)
    suffix = target.suffix.lower()
    content = io.BytesIO()
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with style():
        _root(figure).savefig(content, format=suffix[1:], dpi=150, metadata=metadata.get(suffix))
    atomic.write(target, content.getvalue())
    return target


def _root(figure: "Figure | Axes") -> "Figure":
    from matplotlib.figure import Figure

    part: Any = figure
    while not isinstance(part, Figure):
        part = part.figure
    return part
