"""The command `gatewise`: arguments in, a report on the screen and files where asked.

What is said goes to standard output, progress and errors to standard error. Exit codes: 0 done, 2 wrong usage or data,
130 interrupted.
"""

import argparse
import dataclasses
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROWS = 48  # a longer table is cut on the screen, never in a file


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    >>> main(["forecast", "no-such-file.csv", "--horizon", "3"])
    2
    """
    arguments = argparse.Namespace(written=[])
    try:
        _open_outputs()
        _parser().parse_args(argv, arguments)
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough; the files are written by then
        _stop_printing()
    except KeyboardInterrupt:
        print(f"gatewise: interrupted{_so_far(arguments)}", file=sys.stderr)
        return 130
    except (ValueError, OSError, ImportError, MemoryError, RuntimeError) as error:
        if not _foreseen(error):
            raise
        print(f"gatewise: {error or type(error).__name__}{_so_far(arguments)}", file=sys.stderr)
        return 2
    return 0


def _foreseen(error: Exception) -> bool:
    """Whether an error is about data, options or memory; any other RuntimeError is a fault, to be seen whole."""
    from gatewise.training import DivergenceError

    return not isinstance(error, RuntimeError) or isinstance(error, DivergenceError) or "alloc" in str(error)


def _stop_printing() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_outputs() -> None:
    """Make up for a closed standard output or error, and for letters that the terminal does not have."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - it stays open as long as the program
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _so_far(arguments: argparse.Namespace) -> str:
    """What became of the files, if any were asked for."""
    if arguments.written:
        return f"; written before that: {', '.join(arguments.written)}"
    asked = any(getattr(arguments, name, None) for name in ("out", "plot", "save"))
    return "; nothing was written" if asked else ""


# ------------------------------------------------------------------------------------------------------- commands


def _forecast(arguments: argparse.Namespace) -> None:
    """Backtest, train on everything, forecast, and write what was asked for."""
    _check_outputs(arguments)
    if arguments.model is not None:
        _forecast_again(arguments)
        return
    model, panel = _begin(arguments)
    windows = arguments.windows
    if windows is None:
        windows = model.affordable_windows(panel, arguments.horizon)
    found = _tested(model, panel, arguments, windows) if windows else None
    model.fit(panel)
    table = model.predict(arguments.horizon, level=arguments.level)
    _write(arguments, table, lambda: model.plot(arguments.horizon, level=arguments.level), model)
    _say_guesses(model.guesses)
    print(f"\nTraining: {model.summary()}")
    if found is not None:
        _say_backtest(found, arguments.horizon, windows)
    print(f"\nForecast of {arguments.horizon} steps\n{_shown(table)}")
    _say_verdict(found, arguments)
    _say_written(arguments)


def _forecast_again(arguments: argparse.Namespace) -> None:
    """Forecast by a model that was kept, from its own history or a newer one, and write what was asked for."""
    from gatewise.forecast import Forecaster

    _check_kept(arguments)
    model = Forecaster.load(arguments.model)
    if arguments.file is not None:
        model.update(_panel(arguments))
    table = model.predict(arguments.horizon, level=arguments.level)
    _write(arguments, table, lambda: model.plot(arguments.horizon, level=arguments.level), model)
    _say(f"Model: {arguments.model}, {model!r}")
    _say_guesses(model.guesses)
    print(f"\nTraining: {model.summary()}")
    print(f"\nForecast of {arguments.horizon} steps\n{_shown(table)}")
    print("\nVerdict: none; a backtest trains anew: gatewise backtest FILE.")
    _say_written(arguments)


def _check_kept(arguments: argparse.Namespace) -> None:
    """Refuse options that a trained model leaves nothing to do for."""
    training = {"windows": None, "refit": False, **dict.fromkeys(MODEL)}
    data = {"series": None, "sort": False, **dict.fromkeys(name for name in DATA if name != "sort")}
    for names, why in ((training, "belongs to training"), (data, "belongs to a FILE")):
        if names is data and arguments.file is not None:
            continue
        for name, usual in names.items():
            if getattr(arguments, name) != usual:
                option = f"--{name.removesuffix('_column').replace('_', '-')}"
                remedy = "leave it out, or leave out --model to train" if names is training else "give one too"
                raise ValueError(f"{option} {why}, but the model of --model is trained already; {remedy}")


def _backtest(arguments: argparse.Namespace) -> None:
    """Backtest, and write what was asked for."""
    _check_outputs(arguments)
    model, panel = _begin(arguments)
    windows = 3 if arguments.windows is None else arguments.windows
    found = _tested(model, panel, arguments, windows)
    _write(arguments, found.forecasts, found.plot)
    _say_guesses(found.guesses)
    _say_backtest(found, arguments.horizon, windows)
    print(f"\nEach window\n{_shown(found.scores)}")
    _say_verdict(found, arguments)
    _say_written(arguments)


def _info(arguments: argparse.Namespace) -> None:
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
    for package, use in {"matplotlib": "figures", "polars": "polars tables", "pyarrow": ".parquet files"}.items():
        print(f"  {package:<10} {'installed' if find_spec(package) else 'not installed'} ({use})")


def _native_library(threads: int) -> str:
    """What the native engine computes with, or why it cannot."""
    from gatewise.engines import library

    why_not = library.reason()
    if why_not is not None:
        return f"none, {why_not}"
    return f"{library.instructions()}, {'1 thread in a forked child' if library.forked() else f'{threads} threads'}"


# ---------------------------------------------------------------------------------------------------------- steps


def _begin(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """The forecaster asked for, and the data, read and checked."""
    from gatewise.forecast import Forecaster

    asked = {name: value for name in MODEL if (value := getattr(arguments, name)) is not None}
    return Forecaster(**asked, quiet=arguments.quiet), _panel(arguments)


def _panel(arguments: argparse.Namespace) -> Any:
    """The data, read, checked and named on the screen."""
    from gatewise import datasets
    from gatewise.series import read
    from gatewise.series.dates import show

    source = datasets.air_passengers() if arguments.file is None else arguments.file
    panel = read(source, **{name: getattr(arguments, name) for name in DATA})
    if arguments.series is not None:
        panel = _selected(panel, arguments.series)
    name = "AirPassengers (built in; give a FILE for your own)" if arguments.file is None else arguments.file
    spans = [f"{len(one)} values, {show(one.ds[0])} to {show(one.ds[-1])}" for one in panel.series]
    lines = [f"  series {str(one.unique_id)!r}: {span}" for one, span in zip(panel.series, spans, strict=True)]
    _say("\n".join([f"Data: {name}", *lines]))
    return panel


def _say(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # nobody reads, but the files are still to be written
        _stop_printing()


def _selected(panel: Any, name: str) -> Any:
    """The panel with one series only."""
    chosen = tuple(one for one in panel.series if str(one.unique_id) == name)
    if not chosen:
        names = ", ".join(str(one.unique_id) for one in panel.series[:5])
        more = ", ..." if len(panel) > 5 else ""
        raise ValueError(f"--series {name}: there is no such series, the file holds {names}{more}")
    return dataclasses.replace(panel, series=chosen)


def _tested(model: Any, panel: Any, arguments: argparse.Namespace, windows: int) -> Any:
    return model.backtest(panel, arguments.horizon, windows=windows, level=arguments.level, refit=arguments.refit)


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Refuse a file that cannot be written before any work is done."""
    from gatewise import plot

    for option, path in (("--out", arguments.out), ("--plot", arguments.plot), ("--save", arguments.save)):
        if path is None:
            continue
        target = Path(path)
        if target.is_dir():
            raise IsADirectoryError(f"{option} {path}: it is a folder; give a file name in it")
        if not target.parent.is_dir():
            raise FileNotFoundError(f"{option} {path}: there is no folder {target.parent}; create it first")
        if arguments.file is not None and target.resolve() == Path(arguments.file).resolve():
            raise ValueError(f"{option} {path} is the file that is read; give another name")
        try:
            tempfile.TemporaryFile(dir=target.resolve().parent).close()
        except OSError as error:
            raise OSError(f"{option} {path}: cannot write in {target.parent}: {error.strerror}") from None
    if arguments.plot is not None:
        plot.check(arguments.plot)
    if arguments.out is not None and Path(arguments.out).suffix.lower() != ".csv":
        raise ValueError(f"--out {arguments.out}: expected a name that ends in .csv")
    if arguments.save is not None and Path(arguments.save).suffix.lower() != ".safetensors":
        raise ValueError(f"--save {arguments.save}: expected a name that ends in .safetensors")


def _write(arguments: argparse.Namespace, table: Any, picture: Callable[[], Any], model: Any = None) -> None:
    """Write the files that were asked for, before anything is said that nobody may be there to read."""
    from gatewise import plot
    from gatewise.series import write_csv

    drawn = None if arguments.plot is None else picture()
    if arguments.out is not None:
        write_csv(table, arguments.out)
        arguments.written.append(arguments.out)
    if drawn is not None:
        plot.save(drawn, arguments.plot)
        arguments.written.append(arguments.plot)
    if arguments.save is not None:
        model.save(arguments.save)
        arguments.written.append(arguments.save)


# --------------------------------------------------------------------------------------------------------- report


def _say_guesses(guesses: Sequence[str]) -> None:
    print("\nGuessed and chosen")
    for sentence in guesses:
        print(f"  {sentence}")


def _say_backtest(found: Any, horizon: int, windows: int) -> None:
    season = f"seasonal naive forecast (season {found.season})" if found.season > 1 else "naive forecast"
    print(f"\nBacktest: {windows} x {horizon} steps held out, mean scores ({found.trained})\n{found.table()}")
    print(f"  MASE: absolute error over that of the {season}, one step ahead, in the training part; 1 is as good.")
    print("  sMAPE: 200 |y - f| / (|y| + |f|), averaged, in percent.")


def _say_verdict(found: Any, arguments: argparse.Namespace) -> None:
    if found is not None:
        print(f"\nVerdict: {found.verdict}")
    elif arguments.windows == 0:
        print("\nVerdict: none, without a backtest (--windows 0).")
    else:
        print(f"\nVerdict: none; holding out {arguments.horizon} steps leaves too little to train on. Trust with care.")


def _say_written(arguments: argparse.Namespace) -> None:
    if arguments.written:
        print(f"\nWritten: {', '.join(arguments.written)}")


def _shown(table: Any) -> str:
    from gatewise.series import as_pandas

    frame = as_pandas(table)
    if len(frame) <= ROWS:
        return str(frame.to_string(index=False, float_format="{:.5g}".format, na_rep=""))
    text = frame.to_string(index=False, float_format="{:.5g}".format, na_rep="", max_rows=12)
    return f"{text}\n({len(frame)} rows; --out FILE.csv has them all)"


# ------------------------------------------------------------------------------------------------------ arguments

DATA = ("id_column", "time_column", "target_column", "freq", "fill", "sort")
MODEL = (
    "cell",
    "hidden_size",
    "num_layers",
    "context",
    "season",
    "difference",
    "seasonal_difference",
    "scale",
    "seed",
    "networks",
    "updates",
    "lr",
    "loss",
    "engine",
)


def _parser() -> argparse.ArgumentParser:
    from gatewise import __version__

    parser = argparse.ArgumentParser(
        prog="gatewise", description="Forecast a series with a recurrent network, and measure whether to trust it."
    )
    parser.add_argument("--version", action="version", version=f"gatewise {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    forecast = commands.add_parser("forecast", help="forecast beyond the end of a series")
    backtest = commands.add_parser("backtest", help="forecast parts of the past, beside naive forecasts")
    info = commands.add_parser("info", help="what is installed and which engines there are")
    for command, run in ((forecast, _forecast), (backtest, _backtest), (info, _info)):
        command.set_defaults(run=run)
    for command in (forecast, backtest):
        _add_job(command)
        _add_data(command)
        _add_model(command)
    _add_file(forecast)
    backtest.set_defaults(save=None)
    return parser


def _add_job(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", nargs="?", metavar="FILE", help="CSV or Parquet file; AirPassengers if left out")
    command.add_argument("--horizon", type=_count, required=True, metavar="N", help="steps to forecast")
    command.add_argument(
        "--level", type=_levels, default=(80.0, 95.0), metavar="80,95", help="prediction intervals in percent"
    )
    command.add_argument("--windows", type=_whole, metavar="K", help="held-out stretches of the backtest (usually 3)")
    command.add_argument("--refit", action="store_true", help="train anew for each window of the backtest: slower")
    command.add_argument("--out", metavar="F.csv", help="write the forecasts as a table")
    command.add_argument("--plot", metavar="F.png", help="draw the forecast (.png, .svg, .pdf)")
    command.add_argument("--quiet", action="store_true", help="show no progress")


def _add_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("--save", metavar="M.safetensors", help="keep the model, and the series in it, in a file")
    command.add_argument(
        "--model", metavar="M.safetensors", help="forecast by a kept model, without training; from FILE, if it is newer"
    )


def _add_data(command: argparse.ArgumentParser) -> None:
    data = command.add_argument_group("data", "guessed, and said, where left out")
    data.add_argument("--id", dest="id_column", metavar="COL", help="column that names the series")
    data.add_argument("--series", metavar="NAME", help="which series of the file to forecast, if it holds several")
    data.add_argument("--time", dest="time_column", type=_columns, metavar="COL", help="column of dates, or year,month")
    data.add_argument("--target", dest="target_column", metavar="COL", help="column to forecast")
    data.add_argument("--freq", type=_frequency, help="pandas frequency such as MS, or a whole-number step")
    data.add_argument("--fill", choices=("interpolate", "previous", "zero"), help="repair missing values and dates")
    data.add_argument("--sort", action="store_true", help="put the dates in order first")


def _add_model(command: argparse.ArgumentParser) -> None:
    model = command.add_argument_group("model", "see gatewise.Forecaster, which knows the defaults")
    model.add_argument("--cell", choices=("lstm", "gru", "rnn"), help="kind of network (lstm)")
    model.add_argument("--hidden-size", type=_count, metavar="H", help="units of a layer (64)")
    model.add_argument("--num-layers", type=_count, metavar="L", help="stacked layers (1)")
    model.add_argument("--context", type=_count, metavar="T", help="steps of the past that the network reads")
    model.add_argument("--season", type=_count, metavar="M", help="steps of a season, 1 for none")
    model.add_argument("--difference", type=_whole, metavar="D", help="how often to take differences (0)")
    model.add_argument("--seasonal-difference", type=_whole, metavar="D", help="the same over a season (0)")
    model.add_argument(
        "--scale", choices=("window", "standard", "minmax", "robust", "none"), help="of the values (window)"
    )
    model.add_argument("--networks", type=_count, metavar="K", help="networks trained and averaged (3)")
    model.add_argument("--updates", type=_count, metavar="K", help="training steps (500)")
    model.add_argument("--lr", type=float, help="highest learning rate (0.003)")
    model.add_argument("--loss", choices=("mae", "mse", "huber"), help="what training lowers (mae)")
    model.add_argument("--seed", type=_whole, help="of everything random (0)")
    model.add_argument("--engine", help="what runs the equations (auto; `gatewise info` lists them)")


def _whole(text: str) -> int:
    return _number(text, 0)


def _count(text: str) -> int:
    return _number(text, 1)


def _number(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of at least {least}")
    return int(text)


def _levels(text: str) -> tuple[float, ...]:
    try:
        levels = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected percentages such as 80,95") from None
    if not all(0 < share < 100 for share in levels):
        raise argparse.ArgumentTypeError(f"{text!r}: expected percentages between 0 and 100, such as 80,95")
    return levels


def _columns(text: str) -> str | list[str]:
    return text.split(",") if "," in text else text


def _frequency(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


if __name__ == "__main__":
    sys.exit(main())
