"""Validation of the arguments of a forecaster, before anything is trained."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from numbers import Integral
from typing import Any

import numpy as np

from gatewise.arguments import (
    boolean,
    in_percent,
    meant_percentages,
    meant_probabilities,
    number,
    one_of,
    plain,
    whole,
)
from gatewise.series import read
from gatewise.series.values import LARGEST
from gatewise.training import DivergenceError

MOST_WEIGHTS = 10**8  # more are refused before memory is allocated
MOST_SAMPLED = 10**9  # values of sample paths; more are refused, too
MOST_DIFFERENCES = 4  # errors of d-th differences accumulate to errors that grow with the d-th power of the horizon
MOST_STEPS = 10**5  # of a horizon; a longer one is refused before memory is allocated
SIZES = (
    "hidden_size",
    "context",
    "horizon",
    "ensemble_size",
    "max_steps",
    "batch_size",
    "jobs",
)  # may be None


def check_arguments(arguments: Mapping[str, Any], choices: Mapping[str, Sequence[str]]) -> None:
    """Check the arguments of a forecaster.

    Arguments:
        arguments: all of them, by name.
        choices: argument -> the names that it accepts.

    Raises:
        ValueError: an argument is unknown or out of range.
    """
    _check_season(arguments["season"])
    for name, names in choices.items():
        if name != "fallback" or not _is_longer_naive(arguments[name], arguments["season"]):
            one_of(name, arguments[name], names)
    whole("num_layers", arguments["num_layers"], 1)
    for name in SIZES:
        if arguments[name] is not None:
            whole(name, arguments[name], 1)
    whole("seed", arguments["seed"], 0)
    _check_differences(arguments["difference"], arguments["seasonal_difference"])
    if arguments["horizon"] is not None:
        check_horizon(arguments["horizon"])
    _check_weights(arguments["hidden_size"] or 1, arguments["num_layers"], arguments["ensemble_size"] or 1)
    if arguments["lr"] is not None:
        number("lr", arguments["lr"], float("inf"), "a number above 0, such as 0.003")
    boolean("quiet", arguments["quiet"])
    if isinstance(arguments["shift"], bool) or not isinstance(arguments["shift"], str | Integral):
        raise ValueError(
            f"shift is {arguments['shift']!r}, expected 'auto', 'none', a date as text such as '2024-01-31', or an "
            "integer for integer time"
        )
    _check_limits(arguments["lower"], arguments["upper"], arguments["integer"])
    fraction = arguments["validation_fraction"]
    number("validation_fraction", fraction, 1, "a fraction of each series between 0 and 1, such as 0.2")
    _check_dropout(arguments["dropout"], arguments["strategy"])


def _check_season(season: Any) -> None:
    """Refuse anything but None, an integer of at least 1, and different integers of at least 2."""
    if not isinstance(season, tuple | list):
        if np.ndim(season):
            raise ValueError(f"season is {season!r:.80}, expected an integer, or a tuple such as (24, 168)")
        if season is not None:
            whole("season", season, 1)
        return
    try:
        for steps in season:
            whole("season", steps, 2)
        valid = 0 < len(season) == len(set(season))
    except ValueError:
        valid = False
    if not valid:
        raise ValueError(f"season is {season!r:.80}, expected different integers of at least 2, such as (24, 168)")


def _is_longer_naive(fallback: Any, season: Any) -> bool:
    """Whether a fallback is the seasonal naive forecast with a longer season, which must be one of those given."""
    longer = re.fullmatch("SeasonalNaive([1-9][0-9]{0,17})", fallback) if isinstance(fallback, str) else None
    seasons = sorted(season)[1:] if isinstance(season, tuple | list) else ()
    if longer and season is not None and int(longer[1]) not in seasons:
        raise ValueError(
            f"fallback is {fallback!r}, but {longer[1]} is not a longer season of season={season!r:.80}; add it, such "
            "as season=(24, 168), or use fallback='SeasonalNaive'"
        )
    return longer is not None


def _check_limits(lower: Any, upper: Any, integer: Any) -> None:
    lower, upper = plain(lower), plain(upper)
    for name, limit in {"lower": lower, "upper": upper}.items():
        numeric = isinstance(limit, int | float) and not isinstance(limit, bool)
        if limit is not None and not (numeric and -LARGEST <= limit <= LARGEST):
            raise ValueError(
                f"{name} is {limit!r}, expected a number from {-LARGEST:g} to {LARGEST:g}, or None for no limit"
            )
    boolean("integer", integer)
    if lower is None or upper is None:
        return
    if lower >= upper:
        raise ValueError(f"lower is {lower!r}, expected a number below upper, which is {upper!r}")
    if integer and math.ceil(lower) > math.floor(upper):
        raise ValueError(
            f"there is no whole number between lower, {lower!r}, and upper, {upper!r}, as integer=True needs; widen "
            "the limits"
        )


def _check_weights(hidden_size: int, num_layers: int, ensemble_size: int) -> None:
    """Refuse networks that do not fit in memory."""
    weights = 8 * hidden_size**2 * num_layers * ensemble_size
    if weights > MOST_WEIGHTS:
        raise ValueError(
            f"hidden_size {hidden_size}, num_layers {num_layers} and ensemble_size {ensemble_size} need about "
            f"{weights:.0e} weights, expected at most {MOST_WEIGHTS:.0e}; lower one of them"
        )


def _check_dropout(dropout: Any, strategy: str) -> None:
    if dropout is not None and (isinstance(dropout, bool) or dropout != 0):
        number("dropout", dropout, 1, "a fraction of the hidden values from 0 to below 1, such as 0.3")
        one_of("with dropout, strategy", strategy, ("auto", "segment"))


def _check_differences(difference: int, seasonal_difference: int) -> None:
    """Refuse orders of differencing at which accumulated errors dominate the forecasts."""
    for name, times in {"difference": difference, "seasonal_difference": seasonal_difference}.items():
        whole(name, times, 0)
        if times > MOST_DIFFERENCES:
            raise ValueError(f"{name} is {times}, expected at most {MOST_DIFFERENCES}; 1 is enough for most series")


def check_columns(columns: Iterable[str]) -> None:
    """Refuse arguments that `gatewise.read` does not have."""
    known = [name for name in signature(read).parameters if name != "source"]
    for name in columns:
        if name not in known:
            raise TypeError(f"there is no argument {name!r}, expected one of {', '.join(known)}; see gatewise.read")


@contextmanager
def divergence_remedies(scale: str) -> Iterator[None]:
    """Replace the remedies of a divergence: a forecaster builds its own batches."""
    try:
        yield
    except DivergenceError as error:
        message, weights, _ = str(error).partition("; the weights are restored")
        if weights:
            other = "" if scale == "window" else f", or scale='window' instead of {scale!r}"
            error.args = (f"{message}. Use a smaller lr{other}",)
        raise


def check_horizon(horizon: Any) -> None:
    """Refuse a horizon that is not a positive integer, or too long."""
    whole("horizon", horizon, 1)
    if horizon > MOST_STEPS:
        raise ValueError(f"horizon is {horizon}, expected at most {MOST_STEPS} steps")


def check_paths(series: int, paths: int, horizon: int) -> None:
    """Refuse sample paths that do not fit in memory."""
    values = series * paths * horizon
    if values > MOST_SAMPLED:
        raise ValueError(
            f"paths is {paths}: {series} series and {horizon} steps give {values:.2g} values, expected at most "
            f"{MOST_SAMPLED:.0e}; use fewer paths"
        )


def as_levels(level: Any) -> tuple[float, ...]:
    """The distinct levels; each must be a percentage short enough for a column name."""
    if level is None:
        return ()
    levels = _several(level)
    for percentage in levels:
        number("level", percentage, 100, "a percentage between 0 and 100, such as 80")
        if float(f"{percentage:g}") != percentage:
            raise ValueError(f"level is {percentage!r}, expected a percentage of at most six digits, such as 99.9")
    if levels and min(levels) <= 1:
        raise ValueError(_level_of_fractions(levels))
    return tuple(dict.fromkeys(levels))


def _level_of_fractions(levels: tuple[float, ...]) -> str:
    """The message about levels of at most 1, which look like fractions."""
    given = [f"{level:g}" for level in levels]
    if not (meant := meant_percentages(levels)):
        return f"level is {_written(given)}, expected percentages above 1 and below 100, such as 80"
    percent = in_percent([float(each) / 100 for each in meant])
    return f"level={_written(given)} means {' and '.join(given)} %; for {percent} pass level={_written(meant)}"


def _written(numbers: Sequence[str]) -> str:
    """Numbers as an argument: "80", "(80, 95)"."""
    return numbers[0] if len(numbers) == 1 else f"({', '.join(numbers)})"


def as_quantiles(quantiles: Any) -> tuple[float, ...]:
    """The distinct quantiles, ascending; each must be a probability short enough for a column name."""
    if quantiles is None:
        return ()
    probabilities = _several(quantiles)
    numeric = all(isinstance(each, int | float | np.number) for each in probabilities)
    meant = meant_probabilities(probabilities) if numeric else []
    remedy = f"; for {in_percent(meant)} pass quantiles={_written(meant)}" if meant else ""
    for probability in probabilities:
        number("a quantile", probability, 1, f"a probability between 0 and 1, such as 0.9{remedy}")
        if round(float(probability), 6) != probability:
            raise ValueError(
                f"a quantile is {probability!r}, expected a probability of at most six decimals, such as 0.975"
            )
    return tuple(sorted({round(float(probability), 6) for probability in probabilities}))


def _several(values: Any) -> tuple[Any, ...]:
    """The values of a sequence, or a single value."""
    several = isinstance(values, Iterable) and not isinstance(values, str) and getattr(values, "ndim", 1) > 0
    return tuple(values) if several else (values,)
