"""Steps of `forecast` and `backtest`: read the panel, select series, build the forecaster, run the backtest."""

import argparse
import dataclasses
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
    if arguments.series is not None:
        panel = _select(panel, arguments.series)
    name = "AirPassengers (built-in; give FILE to use your own data)" if arguments.file is None else arguments.file
    print_now(f"Data: {name}\n{output.describe(panel)}")
    return panel


def _select(panel: Any, names: list[str]) -> Any:
    """The panel with the named series only, in the order of the file."""
    from gatewise.cli import output
    from gatewise.series.wording import did_you_mean

    excluded = {str(series.unique_id): series for series in panel.excluded_series}
    valid = {str(series.unique_id): series for series in panel.series}
    in_file = {**valid, **excluded}
    for name in names:
        if name not in in_file:
            raise ValueError(
                f"--series {name}: no such series; the file contains {output.quote_first(in_file)}"
                f"{did_you_mean(name, in_file)}"
            )
    selected = tuple(series for name, series in valid.items() if name in names)
    excluded_selected = tuple(series for name, series in excluded.items() if name in names)
    if not selected:
        raise ValueError(f"--series {names[0]}: all selected series are excluded: {excluded_selected[0].reason}")
    return dataclasses.replace(panel, series=selected, excluded_series=excluded_selected)


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
