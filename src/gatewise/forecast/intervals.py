"""Intervals: sampled futures give their shape, errors made on held-out data their size.

Letters: `h` horizon, `S` sampled futures, `O` origins of held-out forecasts.

Each step of a sampled future adds a one-step error drawn from those on held-out data, so the futures spread with the
horizon and with the level of the series (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd
edition, 2021, section 5.5). They leave out that the network itself is uncertain, so their spread is taken as a unit
only. How many units an interval must reach is read off held-out forecasts over several steps, as in locally weighted
conformal prediction (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, Distribution-free predictive inference for
regression, 2018, section 5.2): with errors e and spreads s on held-out data,

    interval = forecast -+ q * s,      q = the level's quantile of |e| / s,

with a q for each step, from held-out steps between half and twice as far ahead. Held-out forecasts of one series
overlap, so the guarantee of that theory holds only roughly: measure it by a backtest.
"""

import numpy as np


def spreads(forecast: np.ndarray, paths: np.ndarray, floor: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """How far sampled futures reach below and above a forecast: the mean distance on each side.

    Arguments:
        forecast: (..., h).
        paths: (..., S, h).
        floor: smallest spread, where the futures are all alike.

    Returns:
        Spread below (..., h), spread above (..., h), in units that give the standard deviation of a normal
        distribution around the forecast.

    >>> below, above = spreads(np.array([1.0]), np.array([[0.0], [1.0], [1.0], [3.0]]))
    >>> (above / below).tolist(), (below / np.sqrt(2 * np.pi)).tolist()
    ([2.0], [0.25])
    """
    away = paths - forecast[..., None, :]
    means = (np.maximum(side, 0).mean(axis=-2) for side in (-away, away))
    below, above = (np.maximum(np.sqrt(2 * np.pi) * mean, floor) for mean in means)
    return below, above


def distances(y: np.ndarray, forecast: np.ndarray, below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """How many spreads each value lies from its forecast; one off a forecast without spread lies infinitely far.

    >>> distances(np.array([4.0, 7.0]), np.array([5.0, 5.0]), np.array([2.0, 2.0]), np.array([1.0, 1.0]))
    array([0.5, 2. ])
    """
    error = y - forecast
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.abs(error) / np.where(error < 0, below, above)
    return np.where(error == 0, 0.0, away)


def reach(away: np.ndarray, level: float, horizon: int) -> np.ndarray:
    """How many spreads an interval must reach at each step to hold a level in percent.

    For step k it is the r-th smallest of the n distances at steps k/2 to 2k, with r = ceil((n + 1) level / 100), or the
    largest where r is beyond n. Steps further ahead than any held-out one count as the last of those.

    Arguments:
        away: (O, K) distances of held-out values, from O origins over K steps.
        level: in percent.
        horizon: h.

    Returns:
        (h,) spreads.

    >>> reach(np.arange(1.0, 10.0)[:, None], 80, 2), reach(np.arange(1.0, 10.0)[:, None], 99, 1)
    (array([8., 8.]), array([9.]))
    """
    steps = away.shape[1]
    return np.array([_quantile(_near(away, min(k, steps)), level) for k in range(1, horizon + 1)])


def _near(away: np.ndarray, step: int) -> np.ndarray:
    """The distances at half to twice the step, steps counted from 1, sorted."""
    return np.sort(away[:, (step + 1) // 2 - 1 : 2 * step], axis=None)


def _quantile(away: np.ndarray, level: float) -> float:
    rank = int(np.ceil((len(away) + 1) * level / 100))
    return float(away[min(rank, len(away)) - 1])


def interval(
    forecast: np.ndarray, paths: np.ndarray, away: np.ndarray, level: float, floor: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """The interval of a level around a forecast.

    Arguments:
        forecast: (h,).
        paths: (S, h).
        away: (O, K) held-out distances; see `distances`.
        level: in percent.
        floor: smallest spread, that of the distances.

    Returns:
        Lower bound (h,), upper bound (h,).
    """
    below, above = spreads(forecast, paths, floor)
    q = reach(away, level, len(forecast))
    return forecast - q * below, forecast + q * above
