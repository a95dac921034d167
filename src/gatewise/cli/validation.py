"""What is refused before any work is done: options that do not go together, files that cannot be written."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from gatewise.cli.parser import BACKTEST, DATA, FILES, MODEL, given, option


def check(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be done."""
    _check_names(arguments)
    if arguments.model is not None:
        _check_kept(arguments)
    _check_backtest(arguments)
    _check_covariates(arguments)
    _check_outputs(arguments)


def check_files(arguments: argparse.Namespace) -> None:
    """Refuse names of files that are empty, and files that cannot be written."""
    _check_names(arguments)
    _check_outputs(arguments)


def _check_names(arguments: argparse.Namespace) -> None:
    """Refuse an empty name, which is what a shell makes of a variable that is not set."""
    for name in ("file", "model", "future", *FILES):
        if getattr(arguments, name) == "":
            called = "the name of the data" if name == "file" else option(name)
            raise ValueError(f"{called} is empty; give the name of a file, or leave it out")


def _check_kept(arguments: argparse.Namespace) -> None:
    """Refuse options that a trained model leaves nothing to do for."""
    for name in given(arguments, (*BACKTEST, "budget", *MODEL)):
        if name == "seed" and arguments.paths_out is not None:  # of the futures that are sampled
            continue
        raise ValueError(
            f"{option(name)} belongs to training, but the model of --model is trained already; leave it out, or leave "
            "out --model to train"
        )
    for name in given(arguments, ("series", *DATA)) if arguments.file is None else ():
        raise ValueError(f"{option(name)} belongs to a FILE, but the model of --model is trained already; give one too")


def _check_backtest(arguments: argparse.Namespace) -> None:
    for name in given(arguments, ("step", "refit")):
        if arguments.windows == 0:
            raise ValueError(f"{option(name)} belongs to the backtest, but --windows 0 asks for none; leave one out")


def _check_covariates(arguments: argparse.Namespace) -> None:
    """Refuse a future without its columns and the other way round, and outputs that would be empty."""
    if arguments.future is not None and arguments.known is None and arguments.model is None:
        raise ValueError("--future gives the values of columns known in advance; name them with --known")
    if arguments.future is not None and not Path(arguments.future).is_file():
        if Path(arguments.future).exists():  # such as a pipe, which can be read once only
            raise OSError(f"--future {arguments.future}: it is no ordinary file; save the table in one")
        raise FileNotFoundError(f"--future: there is no file {arguments.future}; check the path")
    if arguments.paths is not None and arguments.paths_out is None:
        raise ValueError("--paths samples futures for a file; name it with --paths-out F.csv")
    if arguments.excluded is not None and arguments.on_bad in (None, "raise"):
        raise ValueError(
            "--excluded lists the series that --on-bad skip or --on-bad naive puts aside; give one of them"
        )


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Refuse a file that cannot be written."""
    taken: dict[Path, str] = {}
    for name, suffix in FILES.items():
        path = getattr(arguments, name)
        if path is None:
            continue
        _check_place(option(name), path)
        _check_read(option(name), path, arguments)
        other = taken.setdefault(Path(path).resolve(), option(name))
        if other != option(name):
            raise ValueError(f"{other} and {option(name)} are the same file {path}; give another name")
        if suffix is not None and Path(path).suffix.lower() != suffix:
            raise ValueError(f"{option(name)} {path}: expected a name that ends in {suffix}")
    if arguments.plot is not None:
        from gatewise import plot

        plot.check(arguments.plot)


def _check_place(name: str, path: str) -> None:
    """Refuse a path where no file can be written."""
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{name} {path}: it is a folder; give a file name in it")
    if target.exists() and not target.is_file():
        raise OSError(f"{name} {path}: it is no ordinary file; give another name")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{name} {path}: there is no folder {target.parent}; create it first")
    try:
        tempfile.TemporaryFile(dir=target.resolve().parent).close()
    except OSError as error:
        raise OSError(f"{name} {path}: cannot write in {target.parent}: {error.strerror}") from None


def _check_read(name: str, path: str, arguments: Any) -> None:
    """Refuse to write over what is read."""
    others = (getattr(arguments, name, None) for name in ("file", "future", "test", "model", "found_beside"))
    for source in others:
        if source is not None and Path(path).resolve() == Path(source).resolve():
            raise ValueError(f"{name} {path} is the file that is read; give another name")
