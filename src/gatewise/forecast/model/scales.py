"""Scales of whole series: shift and scale before windows are cut, and the unit in which errors are compared.

Values that are missing are NaN and do not count.

Letters: `S` series.
"""

from collections.abc import Sequence

import numpy as np

from gatewise.forecast.model.window import WindowScaling
from gatewise.windows import Scale

CONSTANT = 1e-6  # scale of a constant series, in units of its value
TINY = np.finfo(np.float64).tiny
ROUNDING = 1e-12  # in units of the largest value: a smaller change counts as none
LEAST_CHANGE = 1e-3  # over a season, in units of the standard deviation: a smaller change is not used as the scale


def series_scales(series: Sequence[np.ndarray], scaling: WindowScaling) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale, both (S,), of each series."""
    if scaling.scale not in ("window", "standard"):
        scales = [Scale(scaling.scale).fit(_present(y)) for y in series]
        return np.array([float(scale.shift) for scale in scales]), np.array([float(scale.scale) for scale in scales])
    flat, starts, sizes = _concatenated([_present(y) for y in series])
    mean = np.add.reduceat(flat, starts) / sizes
    deviation = flat - np.repeat(mean, sizes)
    widest = np.maximum(np.maximum.reduceat(np.abs(deviation), starts), TINY)  # squares of small numbers underflow
    spread = widest * np.sqrt(np.add.reduceat((deviation / np.repeat(widest, sizes)) ** 2, starts) / sizes)
    largest = np.maximum.reduceat(np.abs(flat), starts)
    rounding = 8 * np.finfo(np.float64).eps * largest
    constant = np.where(largest > 0, CONSTANT * largest, 1.0)  # relative, so that the unit does not matter
    spread = np.where(spread > rounding, spread, constant)
    if scaling.spread == "std" or scaling.scale == "standard":
        return mean, spread
    change = mean_changes(series, scaling.season)
    return mean, np.where(change > LEAST_CHANGE * spread, change, spread)


def mean_changes(series: Sequence[np.ndarray], lag: int) -> np.ndarray:
    """(S,) the mean absolute change over `lag` steps between observed values; 0 where there are none."""
    flat, _, sizes = _concatenated(series)
    if len(flat) <= lag:
        return np.zeros(len(sizes))
    owner = np.repeat(np.arange(len(sizes)), sizes)
    change = np.where(owner[lag:] == owner[:-lag], np.abs(flat[lag:] - flat[:-lag]), 0.0)
    pairs = np.maximum(sizes - lag, 1)
    if (missing := np.isnan(change)).any():
        pairs = np.maximum(pairs - np.bincount(owner[lag:], missing, len(sizes)), 1)
        change[missing] = 0.0
    means: np.ndarray = np.bincount(owner[lag:], change, len(sizes)) / pairs
    return means


def naive_errors(series: Sequence[np.ndarray], season: int) -> np.ndarray:
    """(S,) the units of the MASE: the in-sample error of the seasonal naive forecast.

    If that is 0, it is the error of the naive forecast; if that is 0 too, the largest absolute value.
    """
    present = [_present(y) for y in series]
    flat, starts, _ = _concatenated(present)
    largest = np.maximum.reduceat(np.abs(flat), starts)
    rounding = ROUNDING * largest
    seasonal, plain = mean_changes(series, season), mean_changes(present, 1)
    return np.where(
        seasonal > rounding, seasonal, np.where(plain > rounding, plain, np.where(largest > 0, largest, 1.0))
    )


def is_moving(series: Sequence[np.ndarray]) -> np.ndarray:
    """(S,) bool: False for a constant series, whose errors have no unit."""
    series = [_present(y) for y in series]
    moving: np.ndarray = mean_changes(series, 1) > ROUNDING * np.array([np.abs(y).max() for y in series])
    return moving


def _present(y: np.ndarray) -> np.ndarray:
    """The values without NaN; one 0 if all are."""
    missing = np.isnan(y)
    return y if not missing.any() else y[~missing] if not missing.all() else np.zeros(1)


def _concatenated(series: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All values, the start of each series among them, and their sizes."""
    sizes = np.array([len(y) for y in series])
    return np.concatenate(series), sizes.cumsum() - sizes, sizes
