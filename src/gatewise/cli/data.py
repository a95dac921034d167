"""Steps of `forecast` and `backtest`: read the panel, select series, build the forecaster, run the backtest."""

import argparse
from typing import Any

from gatewise.cli.files import print_now
from gatewise.cli.options import DATA, FORECASTER, given

DEFAULT_WINDOWS = 3  # test windows of `gatewise backtest`


def read_panel(arguments: argparse.Namespace, **defaults: Any) -> Any:
    """Read and validate the series, describe them on standard output, and return the selected ones."""
    from gatewise import datasets
    from gatewise.cli import output
    from gatewise.series import read

    source = datasets.air_passengers() if arguments.file is None else arguments.file
    panel = read(source, **{**defaults, **given(arguments, DATA)})
    name = "AirPassengers (built-in; give FILE to use your own data)" if arguments.file is None else arguments.file
    print_now(f"Data: {name}\n{output.describe(panel)}")
    if panel.warnings:
        print_now(output.warnings(panel))
    return panel


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
