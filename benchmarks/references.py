"""Reference forecasts for the rolling benchmark: naive ones, regressions, and those of statsforecast if it is there.

Letters: `S` series, `h` horizon.
"""

import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pandas as pd

from benchmarks.rolling_scores import LEVELS, Forecasts
from benchmarks.rolling_sets import Rolling, side_by_side
from gatewise.forecast import baselines

LONGEST_SEASON = 12  # for longer ones the classical models take minutes for each series, or refuse the season

Method = Callable[[Rolling, pd.DataFrame, pd.DataFrame, int], Forecasts]  # set, past, future, position of the origin


def methods(rolling: Rolling) -> Iterator[tuple[str, Method]]:
    """The references of a set, by name."""
    yield "Naive", naive
    if rolling.season > 1:
        yield "SeasonalNaive", seasonal_naive
    if rolling.known and find_spec("sklearn"):
        yield ("Poisson regression" if rolling.counts else "ridge"), regression
    if find_spec("statsforecast"):
        names = ["AutoTheta", *(["AutoETS", "AutoARIMA"] if rolling.season <= LONGEST_SEASON else [])]
        for name in [*names, *(["MSTL"] if rolling.season > 1 else [])]:
            yield name, _statsforecast(name)


def naive(rolling: Rolling, past: pd.DataFrame, future: pd.DataFrame, at: int) -> Forecasts:
    """The last observed value, repeated."""
    return _each(rolling, past, lambda y: baselines.naive(y, rolling.horizon))


def seasonal_naive(rolling: Rolling, past: pd.DataFrame, future: pd.DataFrame, at: int) -> Forecasts:
    """The last season, repeated."""
    return _each(rolling, past, lambda y: baselines.seasonal_naive(y, rolling.horizon, rolling.season), fill=True)


def _each(
    rolling: Rolling, past: pd.DataFrame, forecast: Callable[[np.ndarray], np.ndarray], fill: bool = False
) -> Forecasts:
    """A forecast of each series from its own values; missing dates are filled with the value before them."""
    wide = side_by_side(past, "y")[rolling.names]
    if fill and not isinstance(rolling.freq, int):
        wide = wide.asfreq(rolling.freq)
    return Forecasts(np.stack([forecast(wide[name].ffill().dropna().to_numpy()) for name in rolling.names]), {})


def features(table: pd.DataFrame, known: tuple[str, ...], hourly: bool) -> np.ndarray:
    """(rows, features) of a table.

    For hours: dummies of the hour of the week, the covariates and their squares. For days: dummies of the weekday, the
    covariates, and the sine and cosine of the day of the year.
    """
    ds = pd.DatetimeIndex(table["ds"])
    slot = ds.day_of_week * 24 + ds.hour if hourly else ds.day_of_week
    dummies = np.eye(168 if hourly else 7)[slot]
    day = 2 * np.pi * ds.day_of_year.to_numpy() / 365.25
    covariates = table[list(known)].to_numpy(float)
    others = covariates**2 if hourly else np.stack([np.sin(day), np.cos(day)], axis=1)
    return np.hstack([dummies, covariates, others])


def regression(rolling: Rolling, past: pd.DataFrame, future: pd.DataFrame, at: int) -> Forecasts:
    """A ridge regression for each series, for counts a Poisson regression, on calendar and covariates."""
    from sklearn.linear_model import PoissonRegressor, Ridge

    hourly = rolling.freq == "h"
    tables = []
    for name, own in past.groupby("unique_id"):
        model = PoissonRegressor(alpha=1e-3, max_iter=1000) if rolling.counts else Ridge(alpha=1.0)
        rows = future[future["unique_id"] == name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of convergence: a closed shop has an optimum at minus infinity
            model.fit(features(own, rolling.known, hourly), own["y"])
        tables.append(rows.assign(forecast=model.predict(features(rows, rolling.known, hourly))))
    return Forecasts(rolling.aligned(pd.concat(tables), "forecast", at), {})


def _statsforecast(name: str) -> Method:
    """A model of statsforecast with its intervals."""

    def forecast(rolling: Rolling, past: pd.DataFrame, future: pd.DataFrame, at: int) -> Forecasts:
        model = getattr(import_module("statsforecast.models"), name)(season_length=rolling.season)
        engine = import_module("statsforecast").StatsForecast(models=[model], freq=rolling.freq, n_jobs=1)
        table = engine.forecast(df=past[["unique_id", "ds", "y"]], h=rolling.horizon, level=list(LEVELS))
        if "unique_id" not in table:
            table = table.reset_index()
        bounds = {
            level: (
                rolling.aligned(table, f"{name}-lo-{level}", at),
                rolling.aligned(table, f"{name}-hi-{level}", at),
            )
            for level in LEVELS
        }
        return Forecasts(rolling.aligned(table, name, at), bounds)

    return forecast
