"""Descriptions: the names of the baselines, and the phrases for them in messages.

A seasonal naive forecast with a longer season has the steps of that season in its name, such as "SeasonalNaive168".
"""

import re
from collections.abc import Iterable, Sequence

NAIVE, DRIFT, SEASONAL = "Naive", "Drift", "SeasonalNaive"
SES, THETA, RIDGE, CROSTON = "SES", "Theta", "Ridge", "Croston"
NAIVE_NAMES = (NAIVE, DRIFT, SEASONAL)
NAMES = (*NAIVE_NAMES, SES, THETA, RIDGE, CROSTON)

DESCRIPTIONS = {
    NAIVE: "the naive forecast (the last value)",
    DRIFT: "the drift forecast (the line from the first value to the last, continued)",
    SEASONAL: "the seasonal naive forecast (the last season repeated)",
    SES: "simple exponential smoothing (a weighted mean of the past, seasonally adjusted)",
    THETA: "the Theta forecast (exponential smoothing with half the trend, seasonally adjusted)",
    RIDGE: "the ridge regression (on the calendar, past seasons and known covariates)",
    CROSTON: "Croston's method (the mean demand of an intermittent series)",
}


def longer_name(season: int) -> str:
    """The name of the seasonal naive forecast with a longer season."""
    return f"{SEASONAL}{season}"


def longer_seasons(names: Iterable[str]) -> tuple[int, ...]:
    """The longer seasons in the names of baselines.

    >>> longer_seasons(("Naive", "SeasonalNaive", "SeasonalNaive168"))
    (168,)
    """
    found = (re.fullmatch(f"{SEASONAL}([1-9][0-9]{{0,17}})", name) for name in names)
    return tuple(int(match[1]) for match in found if match)


def is_naive(name: str) -> bool:
    """Whether a baseline is a naive forecast."""
    return name in NAIVE_NAMES or bool(longer_seasons([name]))


def describe(baseline: str) -> str:
    """A phrase for a baseline; those of statsforecast have only a name.

    >>> describe("SeasonalNaive168")
    'the seasonal naive forecast with season 168 (the last 168 values repeated)'
    """
    for season in longer_seasons([baseline]):
        return f"the seasonal naive forecast with season {season} (the last {season} values repeated)"
    return DESCRIPTIONS.get(baseline, f"the {baseline} forecast (of statsforecast)")


def applicable(season: int, names: tuple[str, ...] | None = None, longer: Sequence[int] = ()) -> tuple[str, ...]:
    """The names of the baselines to compute, in the order of `NAMES`, longer seasons after the season.

    Without a season there is no seasonal naive forecast.

    Raises:
        ValueError: an unknown name.

    >>> applicable(1), applicable(12, ("Theta", "Naive")), applicable(7, longer=(365,))[2:4]
    (('Naive', 'Drift', 'SES', 'Theta', 'Ridge', 'Croston'), ('Naive', 'Theta'), ('SeasonalNaive', 'SeasonalNaive365'))
    """
    known = (*NAIVE_NAMES, *map(longer_name, longer), *NAMES[len(NAIVE_NAMES) :])
    for name in names or ():
        if name not in known:
            raise ValueError(f"baseline {name!r} is unknown, expected one of {', '.join(known)}")
    chosen = known if names is None else names
    return tuple(name for name in known if name in chosen and (season > 1 or name != SEASONAL))
