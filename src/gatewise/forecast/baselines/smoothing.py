"""Smoothing: simple exponential smoothing of many windows at once.

Letters: `B` windows, `N` values of the longest past, `A` smoothing weights, `m` steps of a season, `h` horizon.

Reference: R. J. Hyndman, G. Athanasopoulos, Forecasting: principles and practice, 3rd edition 2021, section 8.1.
"""

import numpy as np

from gatewise.forecast.baselines.seasonality import adjust
from gatewise.forecast.baselines.windows import Pasts

GRIDS = (0.1 * np.arange(-5, 6), 0.02 * np.arange(-4, 5), 0.004 * np.arange(-4, 5))  # around 0.5, then around the best


def ses_forecasts(pasts: Pasts, horizon: int, season: int) -> np.ndarray:
    """Forecasts (B, h) by simple exponential smoothing, seasonally adjusted if a test finds a season.

    level_t = level_{t-1} + alpha (y_t - level_{t-1}); the forecast is the last level. Alpha and the first level
    minimise the sum of squares of the one-step errors y_t - level_{t-1}. Filled values leave the level unchanged.

    Arguments:
        pasts: of the windows.
        horizon: h, steps.
        season: m, steps; 1 for none.

    Returns:
        (B, h), NaN for a window without an observed value.
    """
    scale = scales(pasts.values)
    adjusted = adjust(pasts, pasts.values / scale, season)
    level = smooth(adjusted.values, pasts.observed)
    phases = (pasts.sizes[:, None] + pasts.ahead(horizon) - 1) % season
    return np.asarray(adjusted.restore(np.repeat(level[:, None], horizon, axis=1), phases) * scale)


def scales(values: np.ndarray) -> np.ndarray:
    """(B, 1) the largest absolute value of each window, 1 if all are zero."""
    largest = np.abs(values).max(1, keepdims=True)
    return np.where(largest > 0, largest, 1.0)


def smooth(values: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """The last level (B,) of windows (B, N), with the best alpha and first level; NaN without an observed value."""
    counts = observed.sum(1)
    centre = np.where(observed, values, 0.0).sum(1) / np.maximum(counts, 1)  # small errors need small values
    centred = np.where(observed, values - centre[:, None], 0.0)
    alpha, level = np.full((len(values), 1), 0.5), np.zeros(len(values))
    for grid in GRIDS:
        alphas = np.clip(alpha + grid, 0.0, 1.0)
        levels, squares = recursion(centred, observed, alphas)
        best = squares.argmin(1)[:, None]
        alpha, level = np.take_along_axis(alphas, best, 1), np.take_along_axis(levels, best, 1)[:, 0]
    return np.where(counts > 0, level + centre, np.nan)


def recursion(values: np.ndarray, observed: np.ndarray, alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last level and the sum of squared one-step errors for each alpha, with the best first level.

    The level is linear in the first level l: base_t + carry_t l. The best l is therefore a regression of the errors
    without it on `carry`.

    Arguments:
        values: (B, N).
        observed: (B, N); other values are skipped.
        alphas: (B, A) from 0 to 1.

    Returns:
        (B, A) and (B, A).
    """
    base, carry = np.zeros_like(alphas), np.ones_like(alphas)
    squares, products, carries = (np.zeros_like(alphas) for _ in range(3))
    for y, seen in zip(values.T[..., None], observed.T[..., None].astype(np.float64), strict=True):
        error, weight = (y - base) * seen, carry * seen
        squares += error * error
        products += error * weight
        carries += weight * weight
        base += alphas * error
        carry -= alphas * weight
    first = np.divide(products, carries, out=np.zeros_like(products), where=carries > 0)
    return base + carry * first, squares - products * first
