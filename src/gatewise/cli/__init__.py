"""The command `gatewise`: arguments in, a report on the screen and files where asked.

What is said goes to standard output, progress and errors to standard error. Exit codes: 0 done, 2 wrong usage or data,
130 interrupted.

parser.py     the arguments
commands.py   forecast, backtest, info: what is done in which order
classify.py   classify: its arguments, its data, and what is done in which order
classified.py   what classify says
checks.py     what is refused before any work is done
outputs.py    the files
report.py     what is said
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from errno import ENOSPC
from typing import TextIO, cast

from gatewise.cli import classify, commands, parser
from gatewise.cli import files as outputs


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    >>> main(["forecast", "no-such-file.csv", "--horizon", "3"])
    2
    """
    _open_outputs()
    with contextlib.redirect_stderr(cast("TextIO", outputs.Unheard(sys.stderr))):
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    arguments = argparse.Namespace(written=[])
    try:
        parser.made(commands.forecast, commands.backtest, commands.info, classify.add).parse_args(argv, arguments)
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough; the files are written by then
        outputs.stop_printing()
    except KeyboardInterrupt:
        print(f"gatewise: interrupted{outputs.so_far(arguments)}", file=sys.stderr)
        return 130
    except (ValueError, OSError, ImportError, MemoryError, RuntimeError) as error:
        if not _foreseen(error):
            raise
        print(f"gatewise: {_in_words(error)}{outputs.so_far(arguments)}", file=sys.stderr)
        return 2
    return 0


def _in_words(error: Exception) -> str:
    """An error for a person; the system's own has a number where a remedy belongs."""
    if not isinstance(error, OSError) or error.errno is None or not str(error).startswith("[Errno"):
        return str(error) or type(error).__name__
    remedy = "make room there, or write elsewhere" if error.errno == ENOSPC else "check the path and the rights"
    return f"{error.filename or 'the output'}: {error.strerror}; {remedy}"


def _foreseen(error: Exception) -> bool:
    """Whether an error is about data, options or memory; any other RuntimeError is a fault, to be seen whole."""
    if not isinstance(error, RuntimeError):
        return True
    from gatewise.training import DivergenceError  # here, as torch takes seconds to import

    return isinstance(error, DivergenceError) or "alloc" in str(error)


def _open_outputs() -> None:
    """Make up for a closed standard output or error, and for letters that the terminal does not have."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - it stays open as long as the program
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
