"""What the forecaster refuses of its arguments, in words."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

from gatewise.arguments import number, whole
from gatewise.series import read
from gatewise.training import DivergenceError

MOST_WEIGHTS = 10**8  # more are refused before memory is taken
MOST_DRAWN = 10**9  # values of sample paths, likewise
MOST_DIFFERENCES = 4  # errors of the d-th differences add up to errors that grow as the d-th power of the horizon
MOST_STEPS = 10**5  # a longer horizon is refused before memory is taken


def check_size(hidden_size: int, num_layers: int, networks: int) -> None:
    """Refuse networks that no memory holds."""
    weights = 8 * hidden_size**2 * num_layers * networks
    if weights > MOST_WEIGHTS:
        raise ValueError(
            f"hidden_size {hidden_size}, num_layers {num_layers} and networks {networks} make some {weights:.0e} "
            f"weights, expected at most {MOST_WEIGHTS:.0e}; lower one of them"
        )


def check_differences(difference: int, seasonal_difference: int) -> None:
    """Refuse so many differences that nothing but errors would come back from them."""
    for name, times in {"difference": difference, "seasonal_difference": seasonal_difference}.items():
        whole(name, times, 0)
        if times > MOST_DIFFERENCES:
            raise ValueError(f"{name} is {times}, expected at most {MOST_DIFFERENCES}; 1 is enough for most series")


def check_columns(columns: Iterable[str]) -> None:
    """Refuse names of arguments that `gatewise.read` does not know."""
    known = [name for name in signature(read).parameters if name != "source"]
    for name in columns:
        if name not in known:
            raise TypeError(f"there is no argument {name!r}, expected one of {', '.join(known)}; see gatewise.read")


@contextmanager
def training(scale: str) -> Iterator[None]:
    """Say of a training that diverged what helps in a forecaster, which makes its batches by itself."""
    try:
        yield
    except DivergenceError as error:
        what, weights, _ = str(error).partition("; the weights are restored")
        if weights:
            other = "" if scale == "window" else f", or scale='window' instead of {scale!r}"
            error.args = (f"{what}. Use a smaller lr{other}",)
        raise


def check_horizon(horizon: Any) -> None:
    """Refuse what is no number of steps to forecast."""
    whole("horizon", horizon, 1)
    if horizon > MOST_STEPS:
        raise ValueError(f"horizon is {horizon}, expected at most {MOST_STEPS} steps")


def check_paths(series: int, paths: int, horizon: int) -> None:
    """Refuse sample paths that no memory holds."""
    if series * paths * horizon > MOST_DRAWN:
        raise ValueError(
            f"paths is {paths}, with {series} series and {horizon} steps {series * paths * horizon:.2g} values, "
            f"expected at most {MOST_DRAWN:.0e}; ask for fewer paths"
        )


def as_levels(level: Any) -> tuple[float, ...]:
    """The levels, each once, if all are percentages that a column can be named after."""
    if level is None:
        return ()
    several = isinstance(level, Iterable) and not isinstance(level, str) and getattr(level, "ndim", 1) > 0
    levels = tuple(level) if several else (level,)
    for one in levels:
        number("level", one, 100, "a percentage between 0 and 100, such as 80")
        if float(f"{one:g}") != one:
            raise ValueError(f"level is {one!r}, expected a percentage of at most six digits, such as 99.9")
    return tuple(dict.fromkeys(levels))
