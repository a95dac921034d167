"""Dispatch: the forecasts of all baselines for many test windows.

Letters: `W` test windows, `h` horizon, `K` covariates known in advance.
"""

from collections.abc import Callable, Sequence

import numpy as np

from gatewise.forecast.baselines.croston import croston_forecasts
from gatewise.forecast.baselines.descriptions import (
    CROSTON,
    NAIVE,
    RIDGE,
    SEASONAL,
    SES,
    THETA,
    applicable,
)
from gatewise.forecast.baselines.intermittent import demand_intervals
from gatewise.forecast.baselines.naive import naive_forecasts
from gatewise.forecast.baselines.ridge import ridge_forecasts
from gatewise.forecast.baselines.smoothing import ses_forecasts
from gatewise.forecast.baselines.theta import theta_forecasts
from gatewise.forecast.baselines.windows import Pasts, Values
from gatewise.series import Series
from gatewise.series.gaps import seasonally_carried

LONGEST, MOST_SEASONS = 1000, 5  # values of a past for smoothing: the weights of older ones are tiny
RECURSIONS: dict[str, Callable[[Pasts, int, int], np.ndarray]] = {
    SES: ses_forecasts,
    THETA: theta_forecasts,
    CROSTON: croston_forecasts,
}


def forecasts(
    series: Sequence[Series],
    which: np.ndarray,
    cuts: np.ndarray,
    horizon: int,
    season: int,
    *,
    longer: Sequence[int] = (),
    freq: str | int | None = None,
    names: tuple[str, ...] | None = None,
    future: np.ndarray | None = None,
    fitted_on: Sequence[Series] | None = None,
) -> dict[str, np.ndarray]:
    """The forecasts of the baselines for many test windows.

    Only values before the cut are used; filled values are no targets, and earlier seasons stand in for values that stay
    missing. SES, Theta and Croston use the last 1,000 values or five seasons, whichever is more. Where a method cannot
    be fitted, its forecast is the (seasonal) naive one.

    Arguments:
        series: the series of all windows.
        which: (W,) positions in `series`.
        cuts: (W,) number of known values, at least 1.
        horizon: steps of each forecast, h.
        season: steps of a season; 1 for none, which omits the seasonal naive forecast.
        longer: longer seasons, each with a seasonal naive forecast of its own.
        freq: pandas offset alias or integer step, for the calendar of the ridge regression; None for none.
        names: the baselines to compute; None for all that apply; Croston applies if a series is intermittent.
        future: (W, h, K) covariates known in advance of the steps after the end of the table, where the series have
            none (`Series.ahead`).
        fitted_on: the series with the covariates on which the ridge regression is fitted; by default `series`.

    Returns:
        Finite forecasts (W, h) by name, in the order of `NAMES`.

    Raises:
        ValueError: an unknown name.

    >>> import pandas as pd
    >>> line = Series("A", pd.RangeIndex(10), np.arange(10.0))
    >>> by_name = forecasts([line], np.array([0]), np.array([10]), horizon=2, season=1, names=("Drift", "Theta"))
    >>> {name: mean.round(6).tolist() for name, mean in by_name.items()}
    {'Drift': [[10.0, 11.0]], 'Theta': [[9.5, 10.0]]}
    """
    chosen = applicable(season, names, longer)
    if not len(which):
        return {name: np.empty((0, horizon)) for name in chosen}
    if names is None and np.isnan(demand_intervals(series, *_last(which, cuts), season)).all():
        chosen = tuple(name for name in chosen if name != CROSTON)
    series = seasonally_carried(series, season)
    fitted_on = None if fitted_on is None else seasonally_carried(fitted_on, season)
    values = Values.of(series, which)
    naive = naive_forecasts(values, which, cuts, horizon, season, longer)
    by_name = {name: naive[name] for name in chosen if name in naive}
    fallback = naive[SEASONAL if season > 1 else NAIVE]
    by_name |= {name: np.empty_like(fallback) for name in chosen if name in RECURSIONS}
    smoothed = [name for name in chosen if name in RECURSIONS]
    if smoothed:
        for rows, pasts in values.blocks(which, cuts, max(LONGEST, MOST_SEASONS * season)):
            for name in smoothed:
                with np.errstate(all="ignore"):  # what is not finite is replaced
                    mean = RECURSIONS[name](pasts, horizon, season)
                by_name[name][rows] = np.where(np.isfinite(mean).all(1, keepdims=True), mean, fallback[rows])
    if RIDGE in chosen:
        with np.errstate(all="ignore"):
            mean = ridge_forecasts(series, values, which, cuts, horizon, season, freq, future, fitted_on, longer)
        by_name[RIDGE] = np.where(np.isfinite(mean).all(1, keepdims=True), mean, fallback)
    return by_name


def _last(which: np.ndarray, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The series that have windows, and the last cut of each."""
    used, places = np.unique(which, return_inverse=True)
    last = np.zeros(len(used), np.int64)
    np.maximum.at(last, places, cuts)
    return used, last
