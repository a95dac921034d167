"""The arguments of the command, and what they may be."""

import argparse
import re
from collections.abc import Callable
from typing import Any

DATA = (
    "id_column",
    "time_column",
    "target_column",
    "freq",
    "fill",
    "sort",
    "layout",
    "on_bad",
    "past",
    "known",
    "static",
    "calendar",
)
MODEL = (
    "strategy",
    "cell",
    "hidden_size",
    "num_layers",
    "context",
    "season",
    "difference",
    "seasonal_difference",
    "scale",
    "seed",
    "ensemble_size",
    "max_steps",
    "dropout",
    "lr",
    "loss",
    "fallback",
    "engine",
)
BACKTEST = ("windows", "step", "refit")
FILES = {
    "out": ".csv",
    "excluded": ".csv",
    "paths_out": ".csv",
    "plot": None,
    "save": ".safetensors",
}  # and how they end
MOST = 2**63 - 1  # a whole number of the network's library
UNITS = {"s": 1, "m": 60, "h": 3600}

Run = Callable[[argparse.Namespace], None]
Add = Callable[[argparse.ArgumentParser], None]


def made(forecast_by: Run, backtest_by: Run, info_by: Run, add_classify: Add) -> argparse.ArgumentParser:
    """The parser of `gatewise COMMAND ...`; `run` of what it parses is what runs the command."""
    from gatewise import __version__

    parser = argparse.ArgumentParser(
        prog="gatewise",
        description="Forecast series, tell classes of sequences apart, and measure whether to trust what comes out.",
    )
    parser.add_argument("--version", action="version", version=f"gatewise {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    forecast = commands.add_parser("forecast", help="forecast beyond the end of one or many series")
    backtest = commands.add_parser("backtest", help="forecast parts of the past, beside naive forecasts")
    add_classify(commands.add_parser("classify", help="tell classes of sequences apart"))
    info = commands.add_parser("info", help="what is installed and which engines there are")
    for command, run in ((forecast, forecast_by), (backtest, backtest_by), (info, info_by)):
        command.set_defaults(run=run)
    for command in (forecast, backtest):
        _add_job(command)
        _add_data(command)
    _add_forecast(forecast)
    for command in (forecast, backtest):
        _add_model(command)
    forecast.set_defaults(forecasts=True)
    backtest.set_defaults(forecasts=False, **dict.fromkeys(("save", "model", "future", "paths", "paths_out")))
    return parser


def given(arguments: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the options that were given, by name."""
    chosen = {name: getattr(arguments, name, None) for name in names}
    return {name: value for name, value in chosen.items() if value is not None and value is not False}


def option(name: str) -> str:
    """What an argument is called on the command line."""
    return f"--{name.removesuffix('_column').replace('_', '-')}"


def _add_job(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", nargs="?", metavar="FILE", help="CSV or Parquet file; AirPassengers if left out")
    command.add_argument("--horizon", type=count, required=True, metavar="N", help="steps to forecast")
    command.add_argument(
        "--level", type=_levels, default=(80.0, 95.0), metavar="80,95", help="prediction intervals in percent"
    )
    command.add_argument("--windows", type=whole, metavar="K", help="held-out stretches of the backtest (usually 3)")
    command.add_argument("--step", type=count, metavar="N", help="steps from one stretch to the next (the horizon)")
    command.add_argument("--refit", action="store_true", help="train anew for each window of the backtest: slower")
    command.add_argument("--out", metavar="F.csv", help="write the forecasts as a table")
    command.add_argument("--excluded", metavar="F.csv", help="write which series were put aside by --on-bad, and why")
    command.add_argument(
        "--plot", metavar="F.png", help="draw the forecasts, of a few series if there are many (.png, .svg, .pdf)"
    )
    command.add_argument("--quiet", action="store_true", help="show no progress")


def _add_forecast(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--budget", type=_seconds, metavar="2m", help="time to spend on finding better settings, such as 90s, 2m, 1h"
    )
    command.add_argument("--save", metavar="M.safetensors", help="keep the model, and the series in it, in a file")
    command.add_argument(
        "--model", metavar="M.safetensors", help="forecast by a kept model, without training; from FILE, if it is newer"
    )
    command.add_argument("--future", metavar="FILE", help="values of the --known columns for the steps to forecast")
    command.add_argument("--paths", type=count, metavar="N", help="sample so many futures of each series (100)")
    command.add_argument("--paths-out", metavar="F.csv", help="write them as a table")


def _add_data(command: argparse.ArgumentParser) -> None:
    data = command.add_argument_group("data", "guessed, and said, where left out")
    data.add_argument("--layout", choices=("long", "columns", "rows"), help="how series stand in the table (long)")
    data.add_argument("--id", dest="id_column", metavar="COL", help="column that names the series")
    data.add_argument(
        "--series", action="append", metavar="NAME", help="a series of the file to use; again for more (all)"
    )
    data.add_argument("--time", dest="time_column", type=_columns, metavar="COL", help="column of dates, or year,month")
    data.add_argument("--target", dest="target_column", type=_columns, metavar="COL", help="column to forecast, or a,b")
    data.add_argument("--freq", type=_frequency, help="pandas frequency such as MS, or a whole-number step")
    data.add_argument("--fill", choices=("interpolate", "previous", "zero"), help="repair missing values and dates")
    data.add_argument("--sort", action="store_true", help="put the dates in order first")
    data.add_argument(
        "--on-bad", choices=("raise", "skip", "naive"), help="series with errors: stop, leave out, forecast naively"
    )
    data.add_argument("--past", type=_list, metavar="COL,...", help="columns that are known up to the end")
    data.add_argument("--known", type=_list, metavar="COL,...", help="columns that are known in advance")
    data.add_argument("--static", type=_list, metavar="COL,...", help="columns with one value for a whole series")
    data.add_argument("--calendar", action="store_true", help="tell the network weekdays, months and the like")


def _add_model(command: argparse.ArgumentParser) -> None:
    model = command.add_argument_group("model", "see gatewise.Forecaster, which knows the defaults")
    model.add_argument(
        "--strategy", choices=("auto", "one-step", "segment", "flatten"), help="how the steps ahead are forecast (auto)"
    )
    model.add_argument("--cell", choices=("lstm", "gru", "rnn"), help="kind of network (lstm)")
    model.add_argument("--hidden-size", type=count, metavar="H", help="units of a layer")
    model.add_argument("--num-layers", type=count, metavar="L", help="stacked layers (1)")
    model.add_argument("--context", type=count, metavar="T", help="steps of the past that the network reads")
    model.add_argument("--season", type=count, metavar="M", help="steps of a season, 1 for none")
    model.add_argument("--difference", type=whole, metavar="D", help="how often to take differences (0)")
    model.add_argument("--seasonal-difference", type=whole, metavar="D", help="the same over a season (0)")
    model.add_argument(
        "--scale", choices=("window", "standard", "minmax", "robust", "none"), help="of the values (window)"
    )
    model.add_argument("--ensemble-size", type=count, metavar="K", help="networks trained and averaged")
    model.add_argument("--max-steps", type=count, metavar="K", help="training steps")
    model.add_argument("--dropout", type=float, metavar="P", help="share of hidden values left out in training")
    model.add_argument("--lr", type=float, help="highest learning rate")
    model.add_argument("--loss", choices=("mae", "mse", "huber"), help="what training lowers (mae)")
    model.add_argument(
        "--fallback", choices=("naive", "none"), help="forecast naively where the network is no better (none)"
    )
    model.add_argument("--seed", type=whole, help="of everything random (0)")
    model.add_argument("--engine", help="what runs the equations (auto; `gatewise info` lists them)")


def whole(text: str) -> int:
    """A whole number of at least 0."""
    return _number(text, 0)


def count(text: str) -> int:
    """A whole number of at least 1."""
    return _number(text, 1)


def share(text: str) -> float:
    """A share from 0 to below 1."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a share from 0 to below 1, such as 0.2")
    return found


def _number(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of at least {least}")
    if int(text) > MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of at most {MOST}")
    return int(text)


def _seconds(text: str) -> float:
    """Seconds of a time such as 90s, 2m or 1.5h."""
    found = re.fullmatch(r"(\d+|\d*\.\d+)([smh])", text, re.ASCII)
    seconds = float(found[1]) * UNITS[found[2]] if found else 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a time such as 90s, 2m or 1h")
    return seconds


def _levels(text: str) -> tuple[float, ...]:
    try:
        levels = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected percentages such as 80,95") from None
    if not all(0 < share < 100 for share in levels):
        raise argparse.ArgumentTypeError(f"{text!r}: expected percentages between 0 and 100, such as 80,95")
    return levels


def _list(text: str) -> list[str]:
    names = text.split(",")
    if "" in names:
        raise argparse.ArgumentTypeError(f"{text!r}: expected names of columns such as price,holiday")
    return names


def _columns(text: str) -> str | list[str]:
    return _list(text) if "," in text else text


def _frequency(text: str) -> str | int:
    return int(text) if text.isdecimal() else text
