"""Output files, each written completely or not at all, and standard streams that may be closed."""

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TextIO

from gatewise.cli.options import FILES


class OutputFiles:
    """The output files of a command.

    Attributes:
        paths: option -> path, for each option that is given.
        written: the paths of the files that are complete.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        paths = {name: getattr(arguments, name, None) for name in FILES}
        self.paths: dict[str, str] = {name: path for name, path in paths.items() if path}
        self.written: list[str] = []

    def write(self, contents: Mapping[str, Callable[[], Any]]) -> None:
        """Write the files; commands call this before they print, because standard output may be closed.

        Arguments:
            contents: option -> function that computes the content: a table; for "plot" a figure; for "save" a fitted
                model. All contents are computed before the first file is written.
        """
        computed = {name: contents[name]() for name in self.paths if name in contents}
        for name, content in computed.items():
            _write(name, content, self.paths[name])
            self.written.append(self.paths[name])

    def status(self) -> str:
        """The files written so far, as the end of an error message; empty if no option names a file."""
        if self.written:
            return f"; files already written: {', '.join(self.written)}"
        return "; nothing was written" if self.paths else ""


class CollectedTables(OutputFiles):
    """Output files whose tables come from several panels, one after the other."""

    def __init__(self, files: OutputFiles) -> None:
        self.files, self.paths, self.written = files, files.paths, files.written
        self.tables: dict[str, list[Any]] = {}

    def write(self, contents: Mapping[str, Callable[[], Any]]) -> None:
        """Compute the tables of a panel."""
        for name in set(self.paths) & set(contents):
            self.tables.setdefault(name, []).append(contents[name]())

    def finish(self) -> None:
        """Write the tables of all panels as one."""
        import pandas as pd

        self.files.write({name: partial(pd.concat, tables, ignore_index=True) for name, tables in self.tables.items()})


def _write(name: str, content: Any, path: str) -> None:
    from gatewise.cli.output import excluded_table
    from gatewise.persistence import atomic
    from gatewise.series import write_csv

    if name == "plot":
        _save_figure(content, path)
    elif name == "save":
        content.save(path)
    elif name == "excluded":  # possibly without rows
        atomic.write(path, excluded_table(content).to_csv(index=False).encode())
    else:
        write_csv(content, path)


def _save_figure(figure: Any, path: str) -> None:
    """Save a figure; one message replaces matplotlib's warning for each character that its font lacks."""
    from gatewise import plot

    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", "Glyph")
        plot.save(figure, path)
    glyph_warnings = [warning for warning in caught if str(warning.message).startswith("Glyph")]
    if glyph_warnings:
        print(f"gatewise: {path}: the font lacks some characters of the names; they appear as boxes", file=sys.stderr)
    for warning in caught:
        if warning not in glyph_warnings:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


# --------------------------------------------------------------------------------------------------- standard streams


def print_now(text: str) -> None:
    """Print immediately, and continue if standard output is closed."""
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the files are not written yet
        discard()


def discard(stream: TextIO | None = None) -> None:
    """Discard all further output to a stream, by default standard output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())


class OptionalStream:
    """A stream such as standard error that may be closed; text that cannot be written is discarded."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write the text, or discard it."""
        try:
            return self.stream.write(text)
        except OSError:
            discard(self.stream)
            return len(text)

    def flush(self) -> None:
        """Flush the stream, or discard its buffer."""
        try:
            self.stream.flush()
        except OSError:
            discard(self.stream)
