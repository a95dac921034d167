"""Descriptions: the names of the baselines, and the phrases for them in messages."""

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


def applicable(season: int, names: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """The names of the baselines to compute, in the order of `NAMES`: without the seasonal naive forecast if there is
    no season.

    Raises:
        ValueError: an unknown name.

    >>> applicable(1), applicable(12, ("Theta", "Naive"))
    (('Naive', 'Drift', 'SES', 'Theta', 'Ridge', 'Croston'), ('Naive', 'Theta'))
    """
    for name in names or ():
        if name not in NAMES:
            raise ValueError(f"baseline {name!r} is unknown, expected one of {', '.join(NAMES)}")
    chosen = NAMES if names is None else names
    return tuple(name for name in NAMES if name in chosen and (season > 1 or name != SEASONAL))
