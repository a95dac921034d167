"""Options: groups of names, and the conversion of texts to values."""

import argparse
import re
from typing import Any

DATA = (
    "id_column",
    "time_column",
    "target_column",
    "series",
    "freq",
    "fill",
    "fill_limit",
    "sort",
    "aggregate",
    "time_format",
    "dayfirst",
    "decimal",
    "thousands",
    "missing",
    "header_row",
    "skip_footer",
    "sheet",
    "outliers",
    "ended",
    "layout",
    "on_bad",
    "past",
    "known",
    "static",
    "calendar",
)
FORECASTER = (
    "strategy",
    "cell",
    "hidden_size",
    "num_layers",
    "context",
    "season",
    "difference",
    "seasonal_difference",
    "shift",
    "scale",
    "seed",
    "ensemble_size",
    "max_steps",
    "dropout",
    "lr",
    "loss",
    "lower",
    "upper",
    "integer",
    "point",
    "fallback",
    "engine",
    "jobs",
)
CLASSIFIER = (
    "cell",
    "hidden_size",
    "num_layers",
    "bidirectional",
    "pooling",
    "dropout",
    "scale",
    "class_weight",
    "validation_fraction",
    "patience",
    "epochs",
    "batch_size",
    "lr",
    "engine",
)
TABLE = ("label", "layout", "id_column", "time_column", "drop", "keep", "fill")  # how classify reads a table
BACKTEST = ("windows", "step", "refit", "against")
FILES = {  # option -> file name suffix
    "out": ".csv",
    "excluded": ".csv",
    "paths_out": ".csv",
    "plot": None,
    "save": ".safetensors",
}
FIGURES = ("summary", "confusion", "learning_curve", "examples", "gates")
FALLBACKS = ("best", "none", "naive", "Naive", "Drift", "SeasonalNaive", "SES", "Theta", "Ridge", "Croston")
DEFAULT_VIEW = "rows"
VIEWS = (DEFAULT_VIEW, "columns", "pixels", "permuted", "vector")
LARGEST_INTEGER = 2**63 - 1  # torch's integers have 64 bits
SECONDS = {"s": 1, "m": 60, "h": 3600}


def given(arguments: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    """The named options that are set, with their values."""
    values = {name: getattr(arguments, name, None) for name in names}
    return {
        name: value
        for name, value in values.items()
        if value is not None and (value is not False or name == "dayfirst")  # a flag that is False is not given
    }


def option_name(argument: str) -> str:
    """The name of an option on the command line.

    >>> option_name("hidden_size"), option_name("time_column")
    ('--hidden-size', '--time')
    """
    return f"--{argument.removesuffix('_column').replace('_', '-')}"


# ------------------------------------------------------------------------------------------------- values of options


def non_negative_integer(text: str) -> int:
    """An integer of at least 0."""
    return _integer(text, 0)


def positive_integer(text: str) -> int:
    """An integer of at least 1."""
    return _integer(text, 1)


def _integer(text: str, minimum: int) -> int:
    if not text.isdecimal() or int(text) < minimum:
        raise argparse.ArgumentTypeError(f"{text!r}: expected an integer of at least {minimum}")
    if int(text) > LARGEST_INTEGER:
        raise argparse.ArgumentTypeError(f"{text!r}: expected an integer of at most {LARGEST_INTEGER}")
    return int(text)


def seasons(text: str) -> int | tuple[int, ...]:
    """A season in steps, or several.

    >>> seasons("24"), seasons("24,168")
    (24, (24, 168))
    """
    several = tuple(positive_integer(part.strip()) for part in text.split(","))
    return several if len(several) > 1 else several[0]


def fallback(text: str) -> str:
    """A method to deliver: a name, or SeasonalNaive with the steps of a longer season."""
    if text not in FALLBACKS and not re.fullmatch("SeasonalNaive[1-9][0-9]{0,17}", text):
        known = ", ".join(FALLBACKS)
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected one of {known}, or SeasonalNaive with a longer season such as SeasonalNaive168"
        )
    return text


def fraction(text: str) -> float:
    """A fraction from 0 to below 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a fraction from 0 to below 1, such as 0.2")
    return value


def fraction_or_one(text: str) -> float:
    """A fraction from 0 to 1."""
    return 1.0 if text in ("1", "1.0") else fraction(text)


def duration(text: str) -> float:
    """A duration in seconds.

    >>> duration("90s"), duration("1.5h")
    (90.0, 5400.0)
    """
    match = re.fullmatch(r"(\d+|\d*\.\d+)([smh])", text, re.ASCII)
    seconds = float(match[1]) * SECONDS[match[2]] if match else 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a duration such as 90s, 2m or 1h")
    return seconds


def levels(text: str) -> tuple[float, ...]:
    """Levels of prediction intervals in percent.

    >>> levels("80,95")
    (80.0, 95.0)
    """
    try:
        percentages = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected percentages such as 80,95") from None
    if not all(0 < percentage < 100 for percentage in percentages):
        raise argparse.ArgumentTypeError(f"{text!r}: expected percentages between 0 and 100, such as 80,95")
    if percentages and min(percentages) <= 1:
        from gatewise.arguments import meant_percentages

        meant, least = meant_percentages(percentages), min(percentages)
        remedy = "expected percentages above 1, such as 80,95"
        if meant:
            remedy = f"for {' and '.join(meant)} % use --level {','.join(meant)}"
        raise argparse.ArgumentTypeError(f"{text!r}: {least:g} means {least:g} %; {remedy}")
    return percentages


def quantile(text: str) -> float:
    """A probability between 0 and 1.

    >>> quantile("0.1")
    0.1
    """
    try:
        probability = float(text)
    except ValueError:
        probability = 0.0
    if not 0 < probability < 1 or round(probability, 6) != probability:
        remedy = f"; for {probability:g} % use {probability / 100:g}" if 1 < probability < 100 else ""
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected probabilities between 0 and 1 of at most six decimals, such as 0.1 0.9{remedy}"
        )
    return probability


def column_list(text: str) -> list[str]:
    """Column names, separated by commas.

    >>> column_list("price,holiday")
    ['price', 'holiday']
    """
    columns = text.split(",")
    if "" in columns:
        raise argparse.ArgumentTypeError(f"{text!r}: expected column names such as price,holiday")
    return columns


def one_or_more_columns(text: str) -> str | list[str]:
    """A column name, or a list of them if there is a comma."""
    return column_list(text) if "," in text else text


def sheet(text: str) -> str | int:
    """A sheet by its name, or by its number from 0."""
    return int(text) if text.isdecimal() else text


def frequency(text: str) -> str | int:
    """A pandas frequency, or an integer step."""
    return int(text) if text.isdecimal() else text
