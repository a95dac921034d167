"""The command line: commands, options and their help texts."""

import argparse
from collections.abc import Callable

from gatewise.cli.classify_options import add_classify
from gatewise.cli.files import OutputFiles
from gatewise.cli.options import (
    FILES,
    column_list,
    duration,
    fallback,
    fraction_or_one,
    frequency,
    levels,
    non_negative_integer,
    one_or_more_columns,
    positive_integer,
    quantile,
    seasons,
    sheet,
)

Run = Callable[[argparse.Namespace, OutputFiles], int | None]
AddOptions = Callable[[argparse.ArgumentParser], None]
DEFAULTS = "Defaults are in parentheses."
SUMMARIES = {  # command -> line of `gatewise --help`, description
    "forecast": (
        "forecast one or many time series",
        f"Backtest a recurrent network, train it on all values, and forecast beyond the last one. {DEFAULTS}",
    ),
    "backtest": (
        "compare forecasts of the past with naive forecasts",
        f"Forecast test windows at the end of each series, and compare the forecasts with naive ones. {DEFAULTS}",
    ),
    "classify": (
        "classify sequences",
        f"Train a recurrent network on labelled sequences, test it, and write its predictions. {DEFAULTS}",
    ),
    "check": (
        "show what is understood of a file, without training",
        "Read a file and show what is understood of it: columns, calendar, gaps, seasons, first and last values. The "
        "exit code is 0, 1 if there are warnings, and 2 if a forecast would refuse the file.",
    ),
    "info": (
        "show versions, engines and optional packages",
        "Show versions, engines and optional packages.",
    ),
}


def build(*, forecast: Run, backtest: Run, classify: Run, info: Run, check: Run) -> argparse.ArgumentParser:
    """The parser of `gatewise COMMAND ...`; its result holds the function of the command as `run`."""
    from gatewise import __version__

    parser = argparse.ArgumentParser(
        prog="gatewise",
        description="Forecast time series and classify sequences with recurrent networks, and evaluate the results.",
        epilog="Without a data file, forecast, backtest and classify use built-in data. `gatewise COMMAND --help` "
        "shows the options of a command.",
    )
    parser.add_argument("--version", action="version", version=f"gatewise {__version__}")
    parsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    commands: tuple[tuple[str, Run, AddOptions], ...] = (
        ("forecast", forecast, _add_forecast),
        ("backtest", backtest, _add_backtest),
        ("classify", classify, add_classify),
        ("check", check, _add_check),
        ("info", info, lambda _: None),
    )
    for name, run, add_options in commands:
        summary, description = SUMMARIES[name]
        command = parsers.add_parser(name, help=summary, description=description)
        command.set_defaults(run=run)
        add_options(command)
    return parser


def _add_forecast(command: argparse.ArgumentParser) -> None:
    _add_horizon(command)
    command.add_argument("--future", metavar="FILE", help="future values of the --known columns")
    command.add_argument(
        "--model",
        metavar="MODEL.safetensors",
        help="forecast with a saved model, without training; FILE, if given, supplies newer values",
    )
    command.add_argument(
        "--quantiles", type=quantile, nargs="+", metavar="Q", help="quantiles of the forecast, such as 0.1 0.9"
    )
    command.add_argument(
        "--budget", type=duration, metavar="TIME", help="time to search for better settings, such as 90s, 2m or 1h"
    )
    output = _add_output(command)
    output.add_argument("--save", metavar="MODEL.safetensors", help="save the model and its series")
    output.add_argument("--paths-out", metavar="PATHS.csv", help="write sample paths of the forecast as a table")
    output.add_argument("--paths", type=positive_integer, metavar="N", help="number of sample paths per series (100)")
    _add_data(command)
    _add_backtest_options(command, "3, fewer for a short series")
    _add_forecaster(command)


def _add_backtest(command: argparse.ArgumentParser) -> None:
    _add_horizon(command)
    _add_output(command)
    _add_data(command)
    _add_backtest_options(command, "3")
    _add_forecaster(command)
    command.set_defaults(**dict.fromkeys(("save", "model", "future", "paths", "paths_out")))


def _add_check(command: argparse.ArgumentParser) -> None:
    _add_file(command)
    _add_data(command)
    command.set_defaults(**dict.fromkeys((*FILES, "model", "future")))


def _add_file(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file", nargs="?", metavar="FILE", help="CSV, Excel or Parquet file (the built-in series AirPassengers)"
    )


def _add_horizon(command: argparse.ArgumentParser) -> None:
    _add_file(command)
    command.add_argument("--horizon", type=positive_integer, required=True, metavar="N", help="steps to forecast")
    command.add_argument(
        "--level",
        type=levels,
        default=(80.0, 95.0),
        metavar="P,...",
        help="levels of the prediction intervals in percent (80,95)",
    )
    command.add_argument("--quiet", action="store_true", help="show no progress")


def _add_output(command: argparse.ArgumentParser) -> "argparse._ArgumentGroup":
    output = command.add_argument_group("output files")
    output.add_argument("--out", metavar="OUT.csv", help="write the forecasts as a table")
    output.add_argument(
        "--plot", metavar="PLOT.png", help="plot the forecasts of one or a few series (.png, .svg, .pdf)"
    )
    output.add_argument(
        "--excluded", metavar="EXCLUDED.csv", help="write the series excluded by --on-bad, with the reasons"
    )
    return output


def _add_data(command: argparse.ArgumentParser) -> None:
    data = command.add_argument_group("data", "Omitted columns and frequencies are inferred and reported.")
    data.add_argument(
        "--layout",
        choices=("long", "columns", "rows"),
        help="layout of the table: long, a column per series, or a row per series (found by shape)",
    )
    data.add_argument(
        "--id",
        dest="id_column",
        type=one_or_more_columns,
        metavar="COL",
        help="column with the names of the series, or several such as store,item",
    )
    data.add_argument(
        "--time",
        dest="time_column",
        type=one_or_more_columns,
        metavar="COL",
        help="date column, or several such as year,month",
    )
    data.add_argument(
        "--target",
        dest="target_column",
        type=one_or_more_columns,
        metavar="COL",
        help="column to forecast, or several such as a,b",
    )
    data.add_argument("--series", action="append", metavar="NAME", help="series to use, repeatable (all)")
    data.add_argument("--freq", type=frequency, help="pandas frequency such as MS, or an integer step")
    data.add_argument(
        "--split-by-frequency", action="store_true", help="forecast the series of each frequency on their own"
    )
    fills = ("interpolate", "previous", "zero", "none")
    data.add_argument("--fill", choices=fills, help="fill in missing values and dates; none keeps them missing")
    data.add_argument(
        "--fill-limit",
        type=fraction_or_one,
        metavar="P",
        help="largest fraction of the values of a series that --fill may invent (1/3)",
    )
    data.add_argument("--sort", action="store_true", help="sort the rows by date")
    data.add_argument(
        "--aggregate", choices=("sum", "mean", "last"), help="make one value of several rows of a series and date"
    )
    data.add_argument("--outliers", choices=("report", "clip", "missing"), help="treatment of outliers (report)")
    data.add_argument(
        "--ended", choices=("exclude", "forecast"), help="treatment of series that end long before the others"
    )
    data.add_argument(
        "--on-bad",
        choices=("raise", "skip", "naive"),
        help="for a series with errors: raise the error, skip the series, or use a naive forecast (raise)",
    )
    cells = command.add_argument_group("cells", "Omitted formats are inferred from all cells of a column.")
    cells.add_argument(
        "--time-format",
        metavar="FORMAT",
        help="format of the dates, such as %%d.%%m.%%Y or %%Y%%m; or integer, year, quarter, week, 'decimal year', "
        "excel, excel1904, unix, 'unix ms', 'unix us', 'unix ns'",
    )
    cells.add_argument(
        "--dayfirst", action=argparse.BooleanOptionalAction, help="whether 01/02/2024 is the first of February"
    )
    cells.add_argument("--decimal", metavar="CHAR", help="decimal separator of the numbers, . or ,")
    cells.add_argument("--thousands", metavar="CHAR", help="separator of thousands: . , ' a space, or '' for none")
    cells.add_argument("--missing", type=column_list, metavar="VALUE,...", help="cells that mean a missing value")
    cells.add_argument(
        "--header-row", type=non_negative_integer, metavar="N", help="line of the column names; 0 if there is none"
    )
    cells.add_argument("--skip-footer", type=non_negative_integer, metavar="K", help="lines at the end to leave out")
    cells.add_argument("--sheet", type=sheet, metavar="NAME", help="sheet of a spreadsheet, by name or number from 0")
    covariates = command.add_argument_group("covariates")
    covariates.add_argument(
        "--past", type=column_list, metavar="COL,...", help="columns known only up to the last value"
    )
    covariates.add_argument("--known", type=column_list, metavar="COL,...", help="columns known in advance")
    covariates.add_argument("--static", type=column_list, metavar="COL,...", help="columns constant within a series")
    covariates.add_argument("--calendar", action="store_true", help="add calendar features such as weekday and month")


def _add_backtest_options(command: argparse.ArgumentParser, default: str) -> None:
    backtest = command.add_argument_group("backtest")
    backtest.add_argument(
        "--windows", type=non_negative_integer, metavar="K", help=f"number of test windows ({default})"
    )
    backtest.add_argument("--step", type=positive_integer, metavar="N", help="steps between windows (the horizon)")
    backtest.add_argument(
        "--refit",
        action=argparse.BooleanOptionalAction,
        help="train a model for each window, or one for all; by default, if data are few, a network for each window",
    )
    backtest.add_argument(
        "--against",
        nargs="+",
        choices=("AutoETS", "AutoARIMA", "AutoTheta", "MSTL", "CrostonSBA"),
        help='further baselines, models of statsforecast (pip install "gatewise[classical]")',
    )


def _add_forecaster(command: argparse.ArgumentParser) -> None:
    model = command.add_argument_group(
        "model and training", "Defaults that are not shown depend on the data; see gatewise.Forecaster."
    )
    model.add_argument(
        "--strategy", choices=("auto", "one-step", "segment", "flatten"), help="multi-step forecasting strategy (auto)"
    )
    model.add_argument("--cell", choices=("lstm", "gru", "rnn"), help="recurrent cell (lstm)")
    model.add_argument("--hidden-size", type=positive_integer, metavar="H", help="units per layer")
    model.add_argument("--num-layers", type=positive_integer, metavar="L", help="stacked layers (1)")
    model.add_argument("--context", type=positive_integer, metavar="T", help="past steps that the network reads")
    model.add_argument(
        "--season",
        type=seasons,
        metavar="M",
        help="steps of a season, 1 for none; 24,168 for a day and a week of hours",
    )
    model.add_argument("--difference", type=non_negative_integer, metavar="D", help="order of differencing (0)")
    model.add_argument(
        "--seasonal-difference", type=non_negative_integer, metavar="D", help="order of seasonal differencing (0)"
    )
    model.add_argument(
        "--shift", metavar="DATE", help='date of a level shift, "none", or "auto" to search for one (auto)'
    )
    model.add_argument(
        "--scale", choices=("window", "standard", "minmax", "robust", "none"), help="scaling of the values (window)"
    )
    model.add_argument(
        "--ensemble-size", type=positive_integer, metavar="K", help="number of networks that are averaged"
    )
    model.add_argument("--max-steps", type=positive_integer, metavar="K", help="training steps")
    model.add_argument("--dropout", type=float, metavar="P", help="dropout probability")
    model.add_argument("--lr", type=float, help="maximum learning rate")
    model.add_argument("--loss", choices=("mae", "mse", "huber"), help="training loss (mae)")
    model.add_argument("--lower", type=float, metavar="Y", help="smallest possible value, such as 0 for sales")
    model.add_argument("--upper", type=float, metavar="Y", help="largest possible value")
    model.add_argument("--integer", action="store_true", help="values are whole numbers; round the forecasts")
    model.add_argument(
        "--point",
        choices=("median", "mean"),
        help="forecast the median, or the mean, whose sums are not too low (median)",
    )
    model.add_argument(
        "--fallback",
        type=fallback,
        metavar="METHOD",
        help="forecast to deliver: network, baseline or average, by their validation errors (best), always the network "
        "(none), or a baseline if the network is no better: naive (the best naive one), Naive, Drift, SeasonalNaive, "
        "SeasonalNaive168 (of a longer season), SES, Theta, Ridge or Croston",
    )
    model.add_argument("--seed", type=non_negative_integer, help="random seed (0)")
    model.add_argument("--engine", help="computation engine, listed by `gatewise info` (auto)")
    model.add_argument(
        "--jobs",
        type=positive_integer,
        metavar="N",
        help="networks that are trained at a time, each on one core (as many as this process may use cores); the "
        "forecasts do not depend on it",
    )
