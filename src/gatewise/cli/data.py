"""Steps of `forecast` and `backtest`: read the panel, select series, build the forecaster, run the backtest."""

import argparse
from typing import Any

from gatewise.cli.files import print_now
from gatewise.cli.options import DATA, FORECASTER, given

DEFAULT_WINDOWS = 3  # test windows of `gatewise backtest`


def read_panel(arguments: argparse.Namespace, **defaults: Any) -> Any:
    """Read and validate the series, describe them on standard output, and return the selected ones."""
    from gatewise.series import Summary, read

    source, name = source_of(arguments)
    panel = read(source, **{**defaults, **given(arguments, DATA)})
    print_now(f"Data: {name}\n{Summary(panel, panel.warnings)}")
    return panel


def source_of(arguments: argparse.Namespace) -> tuple[Any, str]:
    """The data file, or the built-in series, and its name."""
    if arguments.file is not None:
        return arguments.file, arguments.file
    from gatewise import datasets

    return datasets.air_passengers(), "AirPassengers (built-in; give FILE to use your own data)"


def build_forecaster(arguments: argparse.Namespace) -> Any:
    """A forecaster with the given options; direct strategies forecast the whole horizon at once."""
    from gatewise.forecast import Forecaster

    options = given(arguments, FORECASTER)
    if arguments.strategy != "one-step":
        options["horizon"] = arguments.horizon
    return Forecaster(**options, quiet=arguments.quiet)


def run_backtest(model: Any, panel: Any, arguments: argparse.Namespace, windows: int, fit: bool = False) -> Any:
    """Run the backtest with the given options; with `fit`, train the model on all values too."""
    backtest = model.backtest(
        panel,
        arguments.horizon,
        windows=windows,
        step=arguments.step,
        level=arguments.level,
        refit=arguments.refit,
        fit=fit,
    )
    return backtest.against(*arguments.against) if arguments.against else backtest
