"""The commands: what is done in which order."""

import argparse
import dataclasses
import platform
from importlib.util import find_spec
from typing import Any

from gatewise.cli import files as outputs
from gatewise.cli import validation as checks
from gatewise.cli.parser import DATA, MODEL, given

EXTRAS = {
    "matplotlib": "figures",
    "polars": "polars tables",
    "pyarrow": ".parquet files",
    "optuna": "searches by gatewise.forecast.tuning.objective",
    "sklearn": "gatewise.sklearn",
    "sktime": "gatewise.sktime",
}


def forecast(arguments: argparse.Namespace) -> None:
    """Backtest, train on everything, forecast, and write what was asked for."""
    checks.check(arguments)
    if arguments.model is not None:
        _forecast_again(arguments)
        return
    from gatewise.cli import output as report
    from gatewise.series import known_ahead

    model = _forecaster(arguments)
    panel = _panel(arguments)
    known_ahead(panel, arguments.horizon, arguments.future)  # what is missing is said before hours of training
    windows = arguments.windows
    if windows is None:
        windows = model.affordable_windows(panel, arguments.horizon)
    searched = None if arguments.budget is None else _searched(model, panel, arguments, windows)
    if searched is not None:
        model.set_params(**searched.settings)
    found = _tested(model, panel, arguments, windows) if windows else None
    model.fit(panel)
    table = _write_forecast(arguments, model)
    report.say_guesses(model.guesses)
    report.say_aside(model.excluded(), arguments)
    if searched is not None:
        text = str(searched)
        print(f"\n{text[0].upper()}{text[1:]}")
    print(f"\nTraining: {model.summary()}")
    if found is not None:
        report.say_backtest(found, arguments.horizon, windows)
    report.say_forecast(table, arguments.horizon)
    report.say_verdict(found, arguments)
    report.say_written(arguments)


def _forecast_again(arguments: argparse.Namespace) -> None:
    """Forecast by a model that was kept, from its own history or a newer one, and write what was asked for."""
    from gatewise.cli import output as report
    from gatewise.forecast import Forecaster

    model = Forecaster.load(arguments.model)
    if arguments.file is not None:
        known = model.state.panel
        model.update(_panel(arguments, like=known))
    table = _write_forecast(arguments, model)
    outputs.say(f"Model: {arguments.model}, {model!r}")
    report.say_guesses(model.guesses)
    report.say_aside(model.excluded(), arguments)
    print(f"\nTraining: {model.summary()}")
    report.say_forecast(table, arguments.horizon)
    print("\nVerdict: none; a backtest trains anew: gatewise backtest FILE.")
    report.say_written(arguments)


def backtest(arguments: argparse.Namespace) -> None:
    """Backtest, and write what was asked for."""
    checks.check(arguments)
    from gatewise.cli import output as report

    model = _forecaster(arguments)
    panel = _panel(arguments)
    windows = 3 if arguments.windows is None else arguments.windows
    found = _tested(model, panel, arguments, windows)
    aside = found.held.panel.excluded()
    kind = "forecast" if len(found.held.series) == 1 else "examples"
    outputs.write(
        arguments, {"out": lambda: found.forecasts, "excluded": lambda: aside, "plot": lambda: found.plot(kind)}
    )
    report.say_guesses(found.guesses)
    report.say_aside(aside, arguments)
    report.say_backtest(found, arguments.horizon, windows)
    report.say_details(found)
    report.say_verdict(found, arguments)
    report.say_written(arguments)


def info(arguments: argparse.Namespace) -> None:
    """Say what is installed and which engines there are."""
    import torch

    from gatewise import __version__
    from gatewise.engines import ENGINES

    print(f"gatewise {__version__}, torch {torch.__version__}, Python {platform.python_version()}")
    cuda = "CUDA" if torch.cuda.is_available() else "no CUDA"
    print(f"processor: {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}; {cuda}")
    print("engines, fastest first:")
    for engine in ENGINES.values():
        print(f"  {engine.name:<10} {engine.summary}")
    print(f"native library: {_native_library(torch.get_num_threads())}")
    print("extras:")
    for package, use in EXTRAS.items():
        print(f"  {package:<10} {'installed' if find_spec(package) else 'not installed'} ({use})")


def _native_library(threads: int) -> str:
    """What the native engine computes with, or why it cannot."""
    from gatewise.engines import library

    why_not = library.reason()
    if why_not is not None:
        return f"none, {why_not}"
    return f"{library.instructions()}, {'1 thread in a forked child' if library.forked() else f'{threads} threads'}"


def _forecaster(arguments: argparse.Namespace) -> Any:
    """The forecaster asked for; what answers several steps at once is to answer those that are asked for."""
    from gatewise.forecast import Forecaster

    options = given(arguments, MODEL)
    if arguments.strategy != "one-step":
        options["horizon"] = arguments.horizon
    return Forecaster(**options, quiet=arguments.quiet)


def _panel(arguments: argparse.Namespace, **usual: Any) -> Any:
    """The data, read, checked and described on the screen."""
    from gatewise import datasets
    from gatewise.cli import output as report
    from gatewise.series import read

    source = datasets.air_passengers() if arguments.file is None else arguments.file
    panel = read(source, **{**usual, **given(arguments, DATA)})
    if arguments.series is not None:
        panel = _selected(panel, arguments.series)
    name = "AirPassengers (built in; give a FILE for your own)" if arguments.file is None else arguments.file
    outputs.say(f"Data: {name}\n{report.account(panel)}")
    return panel


def _selected(panel: Any, wanted: list[str]) -> Any:
    """The panel with some of its series only, in the order of the file."""
    from gatewise.cli import output as report
    from gatewise.series.wording import meant

    aside = {str(one.unique_id): one for one in panel.excluded_series}
    there = {str(one.unique_id): one for one in panel.series}
    both = {**there, **aside}
    for name in wanted:
        if name not in both:
            raise ValueError(
                f"--series {name}: there is no such series, the file holds {report.names(both)}{meant(name, both)}"
            )
    chosen = tuple(one for name, one in there.items() if name in wanted)
    bad = tuple(one for name, one in aside.items() if name in wanted)
    if not chosen:
        raise ValueError(f"--series {wanted[0]}: it was put aside, and nothing is left: {bad[0].reason}")
    return dataclasses.replace(panel, series=chosen, excluded_series=bad)


def _tested(model: Any, panel: Any, arguments: argparse.Namespace, windows: int) -> Any:
    options = {"windows": windows, "step": arguments.step, "level": arguments.level, "refit": arguments.refit}
    return model.backtest(panel, arguments.horizon, **options)


def _searched(model: Any, panel: Any, arguments: argparse.Namespace, windows: int) -> Any:
    """Settings found in the time given, by what comes before the windows of the backtest, if there is one."""
    from gatewise.forecast import tuning

    held_out = arguments.horizon + (windows - 1) * (arguments.step or arguments.horizon) if windows else 0
    fits = 1 + (windows if arguments.refit else min(windows, 1))
    past = tuning.without_end(panel, held_out)
    return tuning.search(model.get_params(), past, arguments.budget, fits=fits, quiet=arguments.quiet)


def _write_forecast(arguments: argparse.Namespace, model: Any) -> Any:
    """The forecast, after the files that were asked for."""
    horizon, future = arguments.horizon, {} if arguments.future is None else {"future": arguments.future}
    table = model.predict(horizon, level=arguments.level, **future)
    paths = {"paths": arguments.paths or outputs.PATHS, "seed": arguments.seed or 0}
    found = {
        "out": lambda: table,
        "excluded": model.excluded,
        "paths_out": lambda: model.sample(horizon, **paths, **future),
        "plot": lambda: model.plot(horizon, level=arguments.level, **future),
        "save": lambda: model,
    }
    outputs.write(arguments, found)
    return table
