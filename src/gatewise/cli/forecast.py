"""`gatewise forecast`: backtest, train on all values, and forecast."""

import argparse
import sys
import warnings
from contextlib import nullcontext
from typing import Any

from gatewise.cli import validation
from gatewise.cli.data import build_forecaster, for_each_panel, read_panel, run_backtest
from gatewise.cli.files import OutputFiles, print_now

SAMPLE_PATHS = 100  # default of --paths


def run(arguments: argparse.Namespace, files: OutputFiles) -> None:
    """Forecast with a new model, or with a saved one."""
    validation.check_forecast(arguments)
    if arguments.model is None:
        for_each_panel(_train_and_forecast, arguments, files)
    else:
        _forecast_with_saved_model(arguments, files)


def _train_and_forecast(panel: Any, arguments: argparse.Namespace, files: OutputFiles) -> None:
    from gatewise.series import known_ahead

    known_ahead(panel, arguments.horizon, arguments.future)  # raises before training if future values are missing
    from gatewise.cli import output  # the following imports take seconds, so errors of the data come before them
    from gatewise.forecast.evaluation.cutoffs import shortage
    from gatewise.parallel import meanwhile
    from gatewise.plot.canvas import import_matplotlib

    model = build_forecaster(arguments)
    windows = arguments.windows
    if windows is None:
        windows = model.affordable_windows(panel, arguments.horizon)
    search = None if arguments.budget is None else _search(model, panel, arguments, windows)
    if search is not None:
        model.set_params(**search.settings)
    with meanwhile(import_matplotlib) if arguments.plot else nullcontext():
        backtest = run_backtest(model, panel, arguments, windows, fit=True) if windows else None
        if backtest is None:
            model.fit(panel)
    table = _write_forecast(model, arguments, files)
    output.print_choices((*model.guesses[len(panel.guesses) :], *output.excluded_from(backtest)))
    output.print_excluded(model.excluded(), arguments)
    if search is not None:
        text = str(search)
        print(f"\n{text[0].upper()}{text[1:]}")
    print(f"\nTraining: {model.summary()}")
    if backtest is not None:
        output.print_backtest(backtest, arguments.horizon, windows)
    output.print_forecast(table, arguments.horizon, model.delivered, model.state.point)
    output.print_effects(model.outlier_effects(arguments.horizon, arguments.future))
    output.print_remark(model.beyond_range(table))
    season = model.plan.choose_season(panel)[0]
    output.print_verdict(backtest, arguments, model.delivered, shortage(panel, model.plan, season, arguments.horizon))
    output.print_files(files.written)


def _forecast_with_saved_model(arguments: argparse.Namespace, files: OutputFiles) -> None:
    """Forecast with a saved model, after the end of its own series or of newer values."""
    from gatewise.cli import output
    from gatewise.forecast import Forecaster

    model = Forecaster.load(arguments.model)
    guesses_shown = 0
    if arguments.file is not None:
        panel = read_panel(arguments, like=model.state.panel)
        guesses_shown = len(panel.guesses)
        model.update(panel)
    table = _write_forecast(model, arguments, files)
    print_now(f"Model: {arguments.model}, {model!r}")
    output.print_choices(model.guesses[guesses_shown:])
    output.print_excluded(model.excluded(), arguments)
    print(f"\nTraining: {model.summary()}")
    output.print_forecast(table, arguments.horizon, model.delivered, model.state.point)
    output.print_effects(model.outlier_effects(arguments.horizon, arguments.future))
    output.print_remark(model.beyond_range(table))
    print("\nVerdict: none (--model runs no backtest; use gatewise backtest FILE to evaluate).")
    output.print_files(files.written)


def _search(model: Any, panel: Any, arguments: argparse.Namespace, windows: int) -> Any:
    """Search for settings within the budget, on the values before the test windows."""
    from gatewise.forecast import tuning
    from gatewise.forecast.model.plan import is_small

    test_steps = arguments.horizon + (windows - 1) * (arguments.step or arguments.horizon) if windows else 0
    again = arguments.refit or (arguments.refit is None and is_small(panel))
    fits = 1 + (windows if again else min(windows, 1))
    past = tuning.without_end(panel, test_steps)
    return tuning.search(model.get_params(), past, arguments.budget, fits=fits, quiet=arguments.quiet)


def _write_forecast(model: Any, arguments: argparse.Namespace, files: OutputFiles) -> Any:
    """Write the files, and return the forecast."""
    horizon, future = arguments.horizon, {} if arguments.future is None else {"future": arguments.future}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = model.predict(horizon, level=arguments.level, quantiles=arguments.quantiles, **future)
    for warning in caught:
        print(f"gatewise: {warning.message}", file=sys.stderr)
    paths = {"paths": arguments.paths or SAMPLE_PATHS, "seed": arguments.seed or 0}
    files.write(
        {
            "out": lambda: table,
            "excluded": model.excluded,
            "paths_out": lambda: model.sample(horizon, **paths, **future),
            "plot": lambda: model.plot(horizon, level=arguments.level, **future),
            "save": lambda: model,
        }
    )
    return table
