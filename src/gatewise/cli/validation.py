"""Validation before any work: options that exclude each other, files that cannot be written."""

import argparse
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from gatewise.cli.options import BACKTEST, CLASSIFIER, DATA, FILES, FORECASTER, given, option_name

INPUTS = ("file", "future", "test", "model")


def check_forecast(arguments: argparse.Namespace) -> None:
    """Check the options of `forecast` and `backtest`."""
    _check_names(arguments)
    if arguments.split_by_frequency:
        _check_split(arguments)
    if arguments.model is not None:
        _check_saved_model(arguments)
    _check_backtest(arguments)
    _check_covariates(arguments)
    _check_files(arguments, _inputs(arguments))


def check_classify(arguments: argparse.Namespace) -> None:
    """Check the options of `classify`."""
    from gatewise.datasets.sources import find_test_part

    test_set = None if arguments.file is None else find_test_part(Path(arguments.file))
    _check_names(arguments)
    _check_files(arguments, [*_inputs(arguments), *([] if test_set is None else [str(test_set)])])
    for name in ("test", "label"):
        if getattr(arguments, name) == "":
            raise ValueError(f"{option_name(name)} is empty; give a name or omit the option")
    if arguments.kind is not None and arguments.plot is None:
        raise ValueError("--kind selects the figure to plot; name its file with --plot PLOT.png")
    if arguments.model is not None:
        _check_training_options(arguments, ("test", "test_fraction", "save", "seed", *CLASSIFIER))
    _check_test(arguments)


def _inputs(arguments: argparse.Namespace) -> list[str]:
    paths = (getattr(arguments, name, None) for name in INPUTS)
    return [path for path in paths if path is not None]


def _check_names(arguments: argparse.Namespace) -> None:
    """Refuse an empty name, which a shell passes for a variable that is not set."""
    for name in ("file", "model", "future", *FILES):
        if getattr(arguments, name) == "":
            described = "the name of the data file" if name == "file" else option_name(name)
            raise ValueError(f"{described} is empty; give a file name or omit it")


def _check_training_options(arguments: argparse.Namespace, names: tuple[str, ...]) -> None:
    """Refuse training options together with a saved model."""
    for name in given(arguments, names):
        option = option_name(name)
        raise ValueError(
            f"{option} applies to training, but the model of --model is already trained; omit {option}, or omit "
            "--model to train a new model"
        )


def _check_saved_model(arguments: argparse.Namespace) -> None:
    """Refuse options that have no effect on a trained model."""
    sampling = ("seed",) if arguments.paths_out is not None else ()  # --seed then seeds the sample paths
    training = (*BACKTEST, "budget", *(name for name in FORECASTER if name not in sampling))
    _check_training_options(arguments, training)
    for name in given(arguments, DATA) if arguments.file is None else ():
        option = option_name(name)
        raise ValueError(
            f"{option} applies to a data file, but without FILE the series are those of --model; give FILE, or omit "
            f"{option}"
        )


def _check_backtest(arguments: argparse.Namespace) -> None:
    if arguments.against and find_spec("statsforecast") is None:
        raise ImportError('--against needs statsforecast, which is missing; run: pip install "gatewise[classical]"')
    for name in given(arguments, ("step", "refit", "against")):
        if arguments.windows == 0:
            option = option_name(name)
            raise ValueError(f"{option} applies to the backtest, but --windows 0 disables it; omit one of them")


def _check_covariates(arguments: argparse.Namespace) -> None:
    """Refuse --future without --known, and options of outputs that are not requested."""
    if arguments.future is not None and arguments.known is None and arguments.model is None:
        raise ValueError("--future gives the values of columns known in advance; name these columns with --known")
    if arguments.future is not None and not Path(arguments.future).is_file():
        if Path(arguments.future).exists():  # such as a pipe, which can be read only once
            raise OSError(f"--future {arguments.future}: not a regular file; save the table to a file")
        raise FileNotFoundError(f"--future {arguments.future}: the file does not exist; check the path")
    if arguments.paths is not None and arguments.paths_out is None:
        raise ValueError("--paths is the number of sample paths to write; name their file with --paths-out PATHS.csv")
    if arguments.excluded is not None and arguments.on_bad in (None, "raise") and arguments.ended != "exclude":
        raise ValueError(
            "--excluded lists the series that --on-bad skip, --on-bad naive or --ended exclude excludes; add one of "
            "them"
        )


def _check_split(arguments: argparse.Namespace) -> None:
    """Refuse --split-by-frequency where the frequency is given."""
    for name in given(arguments, ("freq", "model")):
        option = option_name(name)
        raise ValueError(f"--split-by-frequency finds the frequencies of the series, but {option} gives one; omit one")


def check_split(arguments: argparse.Namespace, panels: Mapping[str | int, object]) -> None:
    """Refuse single files for the panels of several frequencies."""
    for name in given(arguments, ("plot", "save", "paths_out")):
        option, freq = option_name(name), next(iter(panels))
        raise ValueError(
            f"{option} writes the result of one frequency, but the series have {len(panels)}: "
            f"{', '.join(map(str, panels))}; replace --split-by-frequency by --freq {freq} --on-bad skip, or omit "
            f"{option}"
        )


def _check_test(arguments: argparse.Namespace) -> None:
    """Refuse test sequences that contradict another option."""
    if arguments.test is None:
        return
    if arguments.test_fraction is not None:
        raise ValueError(
            "--test gives the test sequences, and --test-fraction draws them from DATA; omit one of the two options"
        )
    if arguments.file is None:
        raise ValueError("--test needs DATA to train on; give DATA too, or omit --test")
    if _same(arguments.test, arguments.file):
        raise ValueError("--test is the same file as DATA, the training data; give other sequences, or omit --test")


def _check_files(arguments: argparse.Namespace, inputs: list[str]) -> None:
    """Refuse a file that cannot be written."""
    options: dict[Path, str] = {}
    for name, suffix in FILES.items():
        path = getattr(arguments, name)
        if path is None:
            continue
        option = option_name(name)
        _check_target(option, path)
        if any(_same(path, source) for source in inputs):
            raise ValueError(f"{option} {path} is an input file; give another name")
        other = options.setdefault(Path(path).resolve(), option)
        if other != option:
            raise ValueError(f"{other} and {option} are the same file {path}; give different names")
        if suffix is not None and Path(path).suffix.lower() != suffix:
            raise ValueError(f"{option} {path}: expected a file name that ends in {suffix}")
    if arguments.plot is not None:
        from gatewise import plot

        plot.check(arguments.plot)


def _check_target(option: str, path: str) -> None:
    """Refuse a path where no file can be written."""
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{option} {path}: this is a folder; give a file name in it")
    if target.exists() and not target.is_file():
        raise OSError(f"{option} {path}: not a regular file; give another name")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{option} {path}: the folder {target.parent} does not exist; create it first")
    try:
        tempfile.TemporaryFile(dir=target.resolve().parent).close()
    except OSError as error:
        raise OSError(f"{option} {path}: cannot write to {target.parent}: {error.strerror}") from None


def _same(path: str, other: str) -> bool:
    return Path(path).resolve() == Path(other).resolve()
