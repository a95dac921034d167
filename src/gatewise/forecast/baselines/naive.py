"""Naive: the simplest forecasts, for one series or for many test windows at once.

Letters: `W` test windows, `h` horizon.

Reference: R. J. Hyndman, G. Athanasopoulos, Forecasting: principles and practice, 3rd edition 2021, section 5.2.
"""

from collections.abc import Sequence

import numpy as np

from gatewise.forecast.baselines.descriptions import DRIFT, NAIVE, SEASONAL, longer_name
from gatewise.forecast.baselines.windows import Values


def naive(y: np.ndarray, horizon: int) -> np.ndarray:
    """The last value, repeated.

    >>> naive(np.array([1.0, 2.0, 3.0]), 2)
    array([3., 3.])
    """
    return np.repeat(y[-1], horizon)


def drift(y: np.ndarray, horizon: int) -> np.ndarray:
    """The line through the first and the last value, extrapolated: the naive forecast for a series with a trend.

    >>> drift(np.array([1.0, 4.0, 3.0]), 2)
    array([4., 5.])
    """
    slope = (y[-1] - y[0]) / max(len(y) - 1, 1)
    return np.asarray(y[-1] + slope * np.arange(1, horizon + 1))


def seasonal_naive(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The values of the last season, repeated; the last value if the past is shorter than a season.

    >>> seasonal_naive(np.array([1.0, 2.0, 3.0]), 3, season=2)
    array([2., 3., 2.])
    """
    return np.resize(y[-season:], horizon) if len(y) >= season else naive(y, horizon)


def naive_forecasts(
    values: Values, which: np.ndarray, cuts: np.ndarray, horizon: int, season: int, longer: Sequence[int] = ()
) -> dict[str, np.ndarray]:
    """The naive forecasts of many test windows.

    Arguments:
        values: of the series of all windows.
        which: (W,) the series of each window.
        cuts: (W,) number of known values, at least 1.
        horizon: steps of each forecast, h.
        season: steps of a season; 1 for none, which omits the seasonal naive forecast.
        longer: further seasons. Where the past is shorter than one of them, its forecast is that of the season.

    Returns:
        Forecasts (W, h) by name: Naive, Drift and SeasonalNaive, each equal to `naive`, `drift` or `seasonal_naive`,
        and one such as SeasonalNaive168 for each longer season.

    >>> from gatewise.series import Series
    >>> series = Series("A", np.arange(4), np.array([1.0, 4.0, 2.0, 3.0]))
    >>> which, cuts = np.array([0, 0]), np.array([1, 4])
    >>> by_name = naive_forecasts(Values.of([series], which), which, cuts, horizon=2, season=2)
    >>> by_name["Naive"].tolist(), by_name["SeasonalNaive"].tolist()
    ([[1.0, 1.0], [3.0, 3.0]], [[1.0, 1.0], [2.0, 3.0]])
    """
    first, known, steps = values.offsets[which, None], cuts[:, None], np.arange(horizon)
    last = values.last[first + known - 1]
    end, start = values.values[first + last], values.values[first]
    by_name = {NAIVE: np.repeat(end, horizon, axis=1)}
    by_name[DRIFT] = end + (end - start) / np.maximum(known - 1, 1) * (steps + 1)
    usual, seasons = np.where(known >= season, season, 1), {longer_name(one): one for one in longer}
    causal = values.causal[first + known - 1]
    for name, lag in (seasons if season == 1 else {SEASONAL: season} | seasons).items():
        back = np.where(known >= lag, lag, usual)
        by_name[name] = values.values[first + np.minimum(known - back + steps % back, causal)]
    return by_name
