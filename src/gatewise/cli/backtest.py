"""`gatewise backtest`: forecast past test windows and compare the forecasts with naive ones."""

import argparse
from typing import Any

from gatewise.cli import validation
from gatewise.cli.data import DEFAULT_WINDOWS, build_forecaster, for_each_panel, run_backtest
from gatewise.cli.files import OutputFiles


def run(arguments: argparse.Namespace, files: OutputFiles) -> None:
    """Run the backtest, write the files, and print the scores."""
    validation.check_forecast(arguments)
    for_each_panel(_run, arguments, files)


def _run(panel: Any, arguments: argparse.Namespace, files: OutputFiles) -> None:
    from gatewise.cli import output  # takes seconds, so errors of the data come before it

    model = build_forecaster(arguments)
    windows = DEFAULT_WINDOWS if arguments.windows is None else arguments.windows
    backtest = run_backtest(model, panel, arguments, windows)
    excluded = backtest.held.panel.excluded()
    kind = "forecast" if len(backtest.held.series) == 1 else "examples"
    files.write({"out": lambda: backtest.forecasts, "excluded": lambda: excluded, "plot": lambda: backtest.plot(kind)})
    output.print_choices(backtest.guesses[len(panel.guesses) :])
    output.print_excluded(excluded, arguments)
    output.print_backtest(backtest, arguments.horizon, windows)
    output.print_details(backtest)
    output.print_verdict(backtest, arguments)
    output.print_files(files.written)
