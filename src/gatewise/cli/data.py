"""Steps of `forecast` and `backtest`: read the panel or panels, build the forecaster, run the backtest."""

import argparse
import contextlib
import io
from collections.abc import Callable
from typing import Any

from gatewise.cli.files import CollectedTables, OutputFiles, print_now
from gatewise.cli.options import DATA, FORECASTER, given
from gatewise.cli.validation import check_split

DEFAULT_WINDOWS = 3  # test windows of `gatewise backtest`


def read_panel(arguments: argparse.Namespace, **defaults: Any) -> Any:
    """Read and validate the series, describe them on standard output, and return the selected ones."""
    from gatewise.series import read

    source, name = source_of(arguments)
    panel = read(source, **{**defaults, **given(arguments, DATA)})
    _describe(panel, name)
    return panel


def _describe(panel: Any, name: str) -> None:
    from gatewise.series import Summary

    print_now(f"Data: {name}\n{Summary(panel, panel.warnings)}")


def for_each_panel(
    run: Callable[[Any, argparse.Namespace, OutputFiles], None], arguments: argparse.Namespace, files: OutputFiles
) -> None:
    """Run a command for the panel, or, with --split-by-frequency, for the panel of each frequency.

    Arguments:
        run: a function of a panel, the options and the output files.
        arguments: the options.
        files: the output files; the tables of several panels are written as one.
    """
    if not arguments.split_by_frequency:
        run(read_panel(arguments), arguments, files)
        return
    from gatewise.series import split_by_frequency

    source, name = source_of(arguments)
    panels = split_by_frequency(source, **given(arguments, DATA))
    from gatewise.cli import output  # takes seconds, so errors of the data come before it

    if len(panels) > 1:
        check_split(arguments, panels)
    collected = CollectedTables(files)
    for freq, panel in panels.items():
        text = io.StringIO()
        with contextlib.redirect_stdout(text):  # printed when the panel is done, as standard output may be closed
            _describe(panel, name)
            run(panel, arguments, collected if len(panels) > 1 else files)
        heading = f"Frequency {freq} ({len(panel)} series)\n\n" if len(panels) > 1 else ""
        print_now(f"{heading}{text.getvalue()}")
    collected.finish()
    output.print_files(collected.written)


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
