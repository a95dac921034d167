"""Theta: the Theta method for many windows at once.

Letters: `B` windows, `N` values of the longest past, `m` steps of a season, `h` horizon.

References: V. Assimakopoulos, K. Nikolopoulos, The theta model, International Journal of Forecasting 16(4), 2000;
J. A. Fiorucci, T. R. Pellegrini, F. Louzada, F. Petropoulos, A. B. Koehler, Models for optimising the theta method and
their relationship to state space models, International Journal of Forecasting 32(4), 2016.
"""

import numpy as np

from gatewise.forecast.baselines.seasonality import adjust
from gatewise.forecast.baselines.smoothing import scales, smooth
from gatewise.forecast.baselines.windows import Pasts

LEAST = 4  # observed values; the trend of fewer means little


def theta_forecasts(pasts: Pasts, horizon: int, season: int) -> np.ndarray:
    """Forecasts (B, h) by the standard Theta method.

    The seasonally adjusted past y_t is split into its regression line a + b t (theta line 0) and the line
    2 y_t - (a + b t) (theta line 2). The first is continued, the second is forecast by simple exponential smoothing;
    the forecast is their mean, with the season restored. Its slope is thus b / 2.

    Arguments:
        pasts: of the windows.
        horizon: h, steps.
        season: m, steps; 1 for none.

    Returns:
        (B, h), NaN for a window with fewer than four observed values.
    """
    scale = scales(pasts.values)
    adjusted = adjust(pasts, pasts.values / scale, season)
    intercept, slope = trend(adjusted.values, pasts.observed)
    line = intercept + slope * np.arange(adjusted.values.shape[1])
    level = smooth(2 * adjusted.values - line, pasts.observed)
    at = pasts.sizes[:, None] + pasts.ahead(horizon) - 1
    forecasts = (intercept + slope * at + level[:, None]) / 2
    forecasts[pasts.observed.sum(1) < LEAST] = np.nan
    return np.asarray(adjusted.restore(forecasts, at % season) * scale)


def trend(values: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The intercept and slope (B, 1) of the least-squares line through the observed values (B, N) at columns 0, 1, ...

    >>> intercept, slope = trend(np.array([[1.0, 3.0, 0.0, 7.0]]), np.array([[True, True, False, True]]))
    >>> intercept.round(9).tolist(), slope.round(9).tolist()
    ([[1.0]], [[2.0]])
    """
    counts = np.maximum(observed.sum(1, keepdims=True), 1)
    columns = np.arange(values.shape[1])
    middle = (observed * columns).sum(1, keepdims=True) / counts
    mean = (observed * values).sum(1, keepdims=True) / counts
    away = np.where(observed, columns - middle, 0.0)
    spread = (away**2).sum(1, keepdims=True)
    slope = (away * (values - mean)).sum(1, keepdims=True) / np.where(spread > 0, spread, 1.0)
    return mean - slope * middle, slope
