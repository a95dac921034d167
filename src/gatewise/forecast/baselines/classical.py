"""Classical: optional baselines of the library statsforecast, one window after the other.

Letters: `W` test windows, `h` horizon.

Reference: A. Garza, M. Mergenthaler Canseco, C. Challú, K. G. Olivares, StatsForecast, PyCon 2022.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gatewise.forecast.baselines.naive import naive, seasonal_naive
from gatewise.forecast.baselines.windows import known, last_observed
from gatewise.series import Series
from gatewise.series.gaps import seasonally_carried

CLASSICAL = ("AutoETS", "AutoARIMA", "AutoTheta", "MSTL", "CrostonSBA")
MISSING = 'statsforecast is not installed, and {name} needs it; install it with pip install "gatewise[classical]"'


def classical(
    name: str,
    series: Sequence[Series],
    which: np.ndarray,
    cuts: np.ndarray,
    horizon: int,
    season: int,
    seasons: Sequence[int] = (),
) -> np.ndarray:
    """Forecasts of a model of statsforecast, chosen and fitted anew for each window.

    Arguments:
        name: AutoETS, AutoARIMA, AutoTheta, MSTL or CrostonSBA.
        series: the series of all windows.
        which: (W,) positions in `series`.
        cuts: (W,) number of known values, at least 1.
        horizon: steps of each forecast, h.
        season: steps of a season; 1 for none.
        seasons: all seasons of MSTL, such as (24, 168); by default only `season`.

    Returns:
        Finite forecasts (W, h); the (seasonal) naive one where the model cannot be fitted.

    Raises:
        ValueError: an unknown name.
        ImportError: statsforecast is not installed.
    """
    if name not in CLASSICAL:
        raise ValueError(f"classical model {name!r} is unknown, expected one of {', '.join(CLASSICAL)}")
    model = _model(name, season, seasons)
    mean, series = np.empty((len(which), horizon)), seasonally_carried(series, season)
    for row, (k, cut) in enumerate(zip(which.tolist(), cuts.tolist(), strict=True)):
        past = known(series[k], cut).y
        end = int(last_observed(series[k], np.array([cut]))[0]) + 1
        forecast = _forecast(model, past[:end], horizon + cut - end)[cut - end :]
        usual = seasonal_naive(past, horizon, season) if season > 1 else naive(past, horizon)
        mean[row] = forecast if np.isfinite(forecast).all() else usual
    return mean


def _model(name: str, season: int, seasons: Sequence[int]) -> Any:
    try:
        from statsforecast import models
    except ImportError:
        raise ImportError(MISSING.format(name=name)) from None
    if name == "CrostonSBA":
        return models.CrostonSBA()
    if name == "MSTL":
        return models.MSTL(season_length=[steps for steps in seasons or (season,) if steps > 1] or [1])
    return getattr(models, name)(season_length=season)


def _forecast(model: Any, past: np.ndarray, steps: int) -> np.ndarray:
    """The mean forecast, NaN if the model cannot be fitted."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray(model.forecast(y=past, h=steps)["mean"], np.float64)
    except Exception:  # statsforecast raises errors of many types for a past that is too short or constant
        return np.full(steps, np.nan)
