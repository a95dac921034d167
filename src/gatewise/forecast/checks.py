"""What the forecaster refuses of its arguments, in words."""

from typing import Any

import numpy as np

MOST_STEPS = 10**5  # a longer horizon is refused before memory is taken


def one_of(name: str, value: Any, known: Any) -> None:
    """Refuse what is none of the known names."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, known))}")


def whole(name: str, value: Any, least: int) -> None:
    """Refuse what is no whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value < 2**63:
        raise ValueError(f"{name} is {value!r}, expected a whole number of at least {least}")


def check_horizon(horizon: Any) -> None:
    """Refuse what is no number of steps to forecast."""
    whole("horizon", horizon, 1)
    if horizon > MOST_STEPS:
        raise ValueError(f"horizon is {horizon}, expected at most {MOST_STEPS} steps")


def number(name: str, value: Any, below: float, expected: str) -> None:
    """Refuse what is no number between 0 and `below`."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < below:
        raise ValueError(f"{name} is {value!r}, expected {expected}")


def as_levels(level: Any) -> tuple[float, ...]:
    """The levels, each once, if all are percentages that a column can be named after."""
    if level is None:
        return ()
    levels = (level,) if isinstance(level, int | float | str) else tuple(level)
    for one in levels:
        number("level", one, 100, "a percentage between 0 and 100, such as 80")
        if float(f"{one:g}") != one:
            raise ValueError(f"level is {one!r}, expected a percentage of at most six digits, such as 99.9")
    return tuple(dict.fromkeys(levels))
