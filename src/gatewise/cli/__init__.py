"""The command `gatewise`.

Results go to standard output, progress and errors to standard error. Exit codes: 0 success, 2 wrong usage or data,
130 interrupted. `check` returns 1 if there are warnings.

    parser.py       commands, options and help texts
    options.py      groups of options, conversion of their values
    validation.py   options that exclude each other, files that cannot be written
    forecast.py     gatewise forecast
    backtest.py     gatewise backtest
    check.py        gatewise check
    data.py         steps that forecast, backtest and check share
    classify.py     gatewise classify
    sequences.py    training and test sequences of classify
    predictions.py  predictions of classify, as a table and as figures
    info.py         gatewise info
    output.py       printed text
    files.py        output files and standard streams
"""

import argparse
import atexit
import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from errno import ENOSPC
from typing import TextIO, cast

from gatewise.cli import backtest, check, classify, forecast, info, parser
from gatewise.cli.files import OptionalStream, OutputFiles, discard

atexit.register(gc.freeze)  # otherwise Python searches all objects of torch for garbage before it ends: half a second


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    >>> main(["forecast", "no-such-file.csv", "--horizon", "3"])
    2
    """
    _prepare_streams()
    with contextlib.redirect_stderr(cast("TextIO", OptionalStream(sys.stderr))):
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    files = OutputFiles(argparse.Namespace())
    try:
        arguments = command_line().parse_args(argv)
        files = OutputFiles(arguments)
        code = arguments.run(arguments, files) or 0
        sys.stdout.flush()
    except BrokenPipeError:  # a reader such as `head` closed the pipe; the files are already written
        discard()
        return 0
    except KeyboardInterrupt:
        print(f"gatewise: interrupted{files.status()}", file=sys.stderr)
        return 130
    except (ValueError, OSError, ImportError, MemoryError, RuntimeError) as error:
        if not _is_expected(error):
            raise
        print(f"gatewise: {_message(error)}{files.status()}", file=sys.stderr)
        return 2
    return code


def command_line() -> argparse.ArgumentParser:
    """The parser, with the functions of the commands."""
    runs = {"forecast": forecast.run, "backtest": backtest.run, "check": check.run}
    return parser.build(**runs, classify=classify.run, info=info.run)


def _message(error: Exception) -> str:
    """The message of an error; a system error gets a remedy instead of its number."""
    if not isinstance(error, OSError) or error.errno is None or not str(error).startswith("[Errno"):
        return str(error) or type(error).__name__
    remedy = "free disk space, or write elsewhere" if error.errno == ENOSPC else "check the path and the permissions"
    return f"{error.filename or 'the output'}: {error.strerror}; {remedy}"


def _is_expected(error: Exception) -> bool:
    """Whether data, options or memory caused the error; any other RuntimeError is a bug and keeps its traceback."""
    if not isinstance(error, RuntimeError):
        return True
    from gatewise.parallel import WorkerError  # imported here because torch takes seconds to import
    from gatewise.training import DivergenceError

    return isinstance(error, DivergenceError | WorkerError) or "alloc" in str(error)


def _prepare_streams() -> None:
    """Discard output to closed standard streams, and replace characters that the terminal cannot show."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - it stays open until the program ends
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
