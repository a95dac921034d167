"""The files that were asked for, each written whole or not at all."""

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any, TextIO

from gatewise.cli.parser import FILES

PATHS = 100  # sampled if no number is given


def write(arguments: argparse.Namespace, found: dict[str, Callable[[], Any]]) -> None:
    """Write the files that were asked for, before anything is said that nobody may be there to read.

    Arguments:
        arguments: with the path of each file, and `written`, which grows.
        found: option -> what makes its content: a table; for "plot" a figure; for "save" a fitted forecaster. All are
            made before the first file is written.
    """
    made = {name: found[name]() for name in FILES if name in found and getattr(arguments, name) is not None}
    for name, content in made.items():
        path = getattr(arguments, name)
        _write(name, content, path)
        arguments.written.append(path)


def _write(name: str, content: Any, path: str) -> None:
    from gatewise.cli.output import plain
    from gatewise.persistence import atomic
    from gatewise.series import write_csv

    if name == "plot":
        _draw(content, path)
    elif name == "save":
        content.save(path)
    elif name == "excluded":  # which may have no rows
        atomic.write(path, plain(content).to_csv(index=False).encode())
    else:
        write_csv(content, path)


def _draw(figure: Any, path: str) -> None:
    """Save a picture, and say once what matplotlib says of each letter that its font does not have."""
    from gatewise import plot

    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", "Glyph")
        plot.save(figure, path)
    letters = [one for one in caught if str(one.message).startswith("Glyph")]
    if letters:
        print(
            f"gatewise: {path}: the font does not have all letters of the names; boxes stand for them", file=sys.stderr
        )
    for one in caught:
        if one not in letters:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def so_far(arguments: argparse.Namespace) -> str:
    """What became of the files, if any were asked for."""
    if arguments.written:
        return f"; written before that: {', '.join(arguments.written)}"
    asked = any(getattr(arguments, name, None) for name in FILES)
    return "; nothing was written" if asked else ""


def say(text: str) -> None:
    """Print at once, while there is work to do; that goes on where nobody reads."""
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the files are still to be written
        stop_printing()


def stop_printing(stream: TextIO | None = None) -> None:
    """Let what is printed from now on go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())


class Unheard:
    """Standard error, of which nothing depends on anybody reading it: progress that cannot be shown is no error."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write, or be silent from now on."""
        try:
            return self.stream.write(text)
        except OSError:
            stop_printing(self.stream)
            return len(text)

    def flush(self) -> None:
        """Show what was written, or be silent from now on."""
        try:
            self.stream.flush()
        except OSError:
            stop_printing(self.stream)
