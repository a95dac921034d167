"""Adaptive conformal inference: intervals follow the coverage of earlier ones, at each step of the horizon.

Letters: `A` followed levels, `K` steps whose outcomes were seen, `N` forecasts, `h` horizon.

The interval that should miss the fraction alpha of the outcomes is drawn at the miscoverage alpha_t, which becomes
smaller (the interval wider) after a miss and larger after a hit:

    alpha_{t+1} = alpha_t + gamma (alpha - e_t)

where e_t is the fraction of the series whose outcome lay outside the interval that was forecast for it. Whatever the
data do, the mean of e_1 ... e_T differs from alpha by at most (max(alpha_1, 1 - alpha_1) + gamma) / (gamma T), if
intervals of alpha_t below 0 contain, and those of alpha_t above 1 miss every outcome (proposition 4.1).

Outcomes k steps ahead are known k steps later; until then, they change nothing. Forecasts that overlap miss together,
so that n overlapping ones count as one. The miscoverage between two followed levels is interpolated.

Reference: Gibbs and Candes, Adaptive conformal inference under distribution shift, 2021, arXiv 2106.00170.
"""

import numpy as np

MISCOVERAGES = np.array([0.01, 0.05, 0.1, 0.2, 0.5])  # alpha of the followed levels: 99, 95, 90, 80 and 50 %
RATE = 0.05  # gamma in units of the standard deviation of a miss: 0.02 for 80 %, 0.01 for 95 %
LEAST = 0.001  # intervals are drawn at LEAST to 1 - LEAST
GAMMAS = RATE * np.sqrt(MISCOVERAGES * (1 - MISCOVERAGES))
BOUNDS = -GAMMAS[:, None], 1 + GAMMAS[:, None]  # of alpha_t
PROBABILITIES = np.concatenate([MISCOVERAGES / 2, 1 - MISCOVERAGES / 2])  # of the bounds of these intervals


def outside(bounds: np.ndarray, errors: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Whether each outcome lies outside the interval of each followed level, (A, N, h); False where it is unknown.

    Arguments:
        bounds: (N, h, 2 A) quantiles of the errors, of `PROBABILITIES`.
        errors: (N, h), NaN where unknown.
        unit: (N, h) size of the errors; distances below a billionth of it are rounding.
    """
    lower, upper = np.moveaxis(bounds, -1, 0).reshape(2, len(MISCOVERAGES), *errors.shape)
    missed: np.ndarray = (errors < lower - 1e-9 * unit) | (errors > upper + 1e-9 * unit)
    return missed


def follow(
    alphas: np.ndarray | None, missed: np.ndarray, seen: np.ndarray, series: int, step: int, weight: float = 1.0
) -> np.ndarray | None:
    """The miscoverages (A, h) after further outcomes.

    Arguments:
        alphas: (A, K) so far; None before the first outcome.
        missed: (A, N, h), of `outside`, for the intervals as they were forecast.
        seen: (N, h) whether the outcome became known now.
        series: number of series.
        step: from one forecast of a series to the next.
        weight: of these outcomes.

    >>> missed = np.array([True, True, False]).reshape(1, 3, 1).repeat(5, axis=0)
    >>> follow(None, missed, np.ones((3, 1), bool), series=1, step=1)[3].round(3).tolist()  # 0.2 + 0.02 (3 * 0.2 - 2)
    [0.172]
    """
    if not seen.any() or weight <= 0:
        return alphas
    horizon = seen.shape[1]
    overlapping = -(-np.arange(1, horizon + 1) // step)
    counts, misses = seen.sum(axis=0), (missed & seen).sum(axis=1)
    gains = MISCOVERAGES[:, None] * counts - misses
    moved = _at_steps(alphas, horizon) + weight * GAMMAS[:, None] * gains / (series * overlapping)
    changed: np.ndarray = np.clip(moved, *BOUNDS)
    return changed


def adapted(alphas: np.ndarray | None, levels: np.ndarray, horizon: int) -> np.ndarray:
    """The levels (..., h) at which intervals of levels (..., h or 1) from 0 to 1 are drawn; they rise with the level.

    Without miscoverages (A, K), the levels themselves.

    >>> alphas = np.array([[0.01], [0.02], [0.05], [0.3], [0.5]])
    >>> adapted(alphas, np.array([[0.0], [0.8], [0.95], [1.0]]), horizon=2).round(3).tolist()
    [[0.0, 0.0], [0.7, 0.7], [0.98, 0.98], [1.0, 1.0]]
    """
    if alphas is None:
        return levels
    bounded = np.clip(alphas, LEAST, 1 - LEAST)
    rising = (np.maximum.accumulate(bounded) + np.minimum.accumulate(bounded[::-1])[::-1]) / 2
    levels = np.broadcast_to(levels, (*levels.shape[:-1], horizon))
    nodes, changed, last = np.concatenate([[0.0], MISCOVERAGES, [1.0]]), np.empty(levels.shape), rising.shape[1] - 1
    for k in range(min(last + 1, horizon)):
        steps = slice(k, None if k == last else k + 1)  # further steps are like the last one
        values = np.concatenate([[0.0], rising[:, k], [1.0]])
        changed[..., steps] = 1 - np.interp(1 - levels[..., steps], nodes, values)
    return changed


def _at_steps(alphas: np.ndarray | None, horizon: int) -> np.ndarray:
    """The miscoverages of each of h steps; further steps are like the last one."""
    if alphas is None:
        return np.repeat(MISCOVERAGES[:, None], horizon, axis=1)
    return alphas[:, np.minimum(np.arange(horizon), alphas.shape[1] - 1)]
