"""Scores of forecasts from rolling origins.

Letters: `O` origins, `S` series, `h` horizon, `P` sample paths. A value that is missing is NaN, and is skipped.

How scores are averaged: over origins and steps for each series, then over the series with equal weights.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

LEVELS = (80, 95)
Intervals = Mapping[int, tuple[np.ndarray, np.ndarray]]  # level -> lower and upper bounds


class Forecasts(NamedTuple):
    """Forecasts of all series from one origin, (S, h) each; without bounds if the method has no intervals."""

    median: np.ndarray
    intervals: Intervals
    sums: Mapping[str, np.ndarray] = {}  # never changed; see `sum_hits`
    seconds: float = 0.0
    cpu: float = 0.0


def mean(values: np.ndarray, axis: int | tuple[int, ...] | None = None) -> np.ndarray:
    """The mean without NaN; NaN if all values are NaN.

    >>> mean(np.array([[1.0, np.nan], [np.nan, np.nan]]), axis=1).tolist()
    [1.0, nan]
    """
    present = ~np.isnan(values)
    count = present.sum(axis)
    total = np.where(present, values, 0.0).sum(axis)
    return np.asarray(np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0))


def naive_scale(past: np.ndarray, season: int) -> np.ndarray:
    """(S,) mean absolute seasonal naive error of pasts (S, T), the unit of the MASE; NaN if it is 0 or has no pair.

    >>> naive_scale(np.array([[1.0, 2.0, 4.0]]), season=1).tolist()
    [1.5]
    """
    scale = mean(np.abs(past[:, season:] - past[:, :-season]), axis=1)
    return np.where(scale > 0, scale, np.nan)


def crps(y: np.ndarray, median: np.ndarray, intervals: Intervals) -> np.ndarray:
    """Twice the mean pinball loss of the median and of the bounds of the intervals; |y - median| without intervals."""
    total = np.abs(y - median)
    for level, (lower, upper) in intervals.items():
        tail = (100 - level) / 200
        for q, bound in ((tail, lower), (1 - tail, upper)):
            total = total + 2 * np.maximum(q * (y - bound), (q - 1) * (y - bound))
    return np.asarray(total / (1 + 2 * len(intervals)))


def interval_score(y: np.ndarray, lower: np.ndarray, upper: np.ndarray, level: float) -> np.ndarray:
    """The width, plus 2 / (1 - level / 100) times the distance of a value outside; MSIS without its scale."""
    outside = np.maximum(lower - y, 0) + np.maximum(y - upper, 0)
    return np.asarray(upper - lower + 200 / (100 - level) * outside)


def inside(y: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """1 where a value lies in the interval, else 0; NaN where one of the three is missing."""
    missing = np.isnan(y) | np.isnan(lower) | np.isnan(upper)
    return np.where(missing, np.nan, (lower <= y) & (y <= upper))


def sum_hits(paths: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """Whether the 80 % intervals of sums, from the quantiles of sample paths, hold the true sums.

    Arguments:
        paths: (P, S, h); path p of one series and path p of another belong together.
        truth: (S, h).

    Returns:
        "horizon": (S,) for the sum over the horizon; with several series also "series": (h,) for the sum over the
        series, and "all": () for the sum over both.
    """
    sums = {"horizon": (paths.sum(2), truth.sum(1))}
    if len(truth) > 1:
        sums |= {"series": (paths.sum(1), truth.sum(0)), "all": (paths.sum((1, 2)), truth.sum())}
    return {name: inside(y, *np.quantile(of_paths, (0.1, 0.9), axis=0)) for name, (of_paths, y) in sums.items()}


def summary(
    truth: np.ndarray, forecasts: Sequence[Forecasts], scale: np.ndarray, chosen: np.ndarray | None = None
) -> dict[str, float]:
    """All scores of one method.

    Arguments:
        truth: (O, S, h).
        forecasts: O forecasts.
        scale: (O, S) units of the MASE.
        chosen: (O, S, h) the values to score; all by default. Sums and seconds are those of all values.

    Returns:
        Values by name. MASE, MSIS-95 and width-80 are in units of the scale. coverage-* are fractions; width-ratio is
        the largest ratio between the mean widths of the 80 % intervals from two origins.
    """
    y = truth if chosen is None else np.where(chosen, truth, np.nan)
    median = np.stack([f.median for f in forecasts])
    intervals = {
        level: (
            np.stack([f.intervals[level][0] for f in forecasts]),
            np.stack([f.intervals[level][1] for f in forecasts]),
        )
        for level in forecasts[0].intervals
    }
    unit = scale[:, :, None]
    error = np.abs(y - median)
    scores = {"values": float((~np.isnan(error)).sum()), "MAE": _overall(error), "MASE": _overall(error / unit)}
    scores["CRPS"] = _overall(crps(y, median, intervals))
    for level, (lower, upper) in intervals.items():
        scores[f"coverage-{level}"] = _overall(inside(y, lower, upper))
    if 95 in intervals:
        scores["MSIS-95"] = _overall(interval_score(y, *intervals[95], 95) / unit)
    if 80 in intervals:
        scores |= _of_steps(inside(y, *intervals[80])) | _of_widths(y, intervals[80], scale)
    if chosen is not None:
        return scores
    for name in forecasts[0].sums:
        scores[f"sum-{name}"] = float(mean(np.concatenate([np.ravel(f.sums[name]) for f in forecasts])))
    seconds = {"seconds": sum(f.seconds for f in forecasts), "CPU": sum(f.cpu for f in forecasts)}
    return scores | seconds


def _overall(values: np.ndarray) -> float:
    """The mean of values (O, S, h), with equal weights of the series."""
    return float(mean(mean(values, axis=(0, 2))))


def _of_steps(hits: np.ndarray) -> dict[str, float]:
    """Coverage at the first and the last step, and at the step where it is furthest from 80 %."""
    steps = mean(mean(hits, axis=0), axis=0)
    known = steps[~np.isnan(steps)]
    if not len(known):
        return {}
    worst = known[np.argmax(np.abs(known - 0.8))]
    return {"coverage-first": float(steps[0]), "coverage-last": float(steps[-1]), "coverage-worst": float(worst)}


def _of_widths(y: np.ndarray, interval: tuple[np.ndarray, np.ndarray], scale: np.ndarray) -> dict[str, float]:
    """The mean width of the intervals, in units of the scale, and the largest ratio between two origins."""
    width = np.where(np.isnan(y), np.nan, interval[1] - interval[0])
    by_origin = mean(mean(width, axis=2) / mean(scale, axis=0), axis=1)
    known = by_origin[~np.isnan(by_origin)]
    ratio = known.max() / known.min() if len(known) and known.min() > 0 else np.nan
    return {"width-80": _overall(width / scale[:, :, None]), "width-ratio": float(ratio)}
