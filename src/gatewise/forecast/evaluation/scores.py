"""Scores of test windows and of the steps of the horizon.

Letters: `W` test windows (series x cutoffs), `h` horizon, `S` series that have windows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gatewise.forecast.evaluation.holdout import Holdout, WindowForecasts, mean

Intervals = Mapping[float, tuple[np.ndarray, np.ndarray]]  # level in percent -> lower and upper bounds, (W, h) each
Scores = Mapping[str, np.ndarray]  # by the name of the score
ROOTS = ("RMSE", "RMSSE")  # scores that are roots of mean squares


class ForecastScores(NamedTuple):
    """The scores of one forecast.

    Attributes:
        by_window: score -> (W,).
        by_step: score -> (h,).
    """

    by_window: Scores
    by_step: Scores


def score(
    holdout: Holdout, forecast: WindowForecasts, scale: np.ndarray, root_scale: np.ndarray | None = None
) -> ForecastScores:
    """Score the forecasts of one model.

    Arguments:
        holdout: the windows and their outcomes.
        forecast: with or without intervals.
        scale: (W,) the in-sample naive error before each window, see `Holdout.scale`.
        root_scale: (W,) for the RMSSE, see `Holdout.root_scale`; by default, there is none.
    """
    windows, steps = {}, {}
    for name, loss in _losses(holdout.truth, forecast, scale, root_scale):
        if name in ROOTS:
            windows[name], steps[name] = _roots(holdout, loss)
            continue
        windows[name] = mean(loss, axis=1)
        steps[name] = mean(holdout.mean_by_series(loss), axis=0)
    return ForecastScores(windows, steps)


def _losses(
    y: np.ndarray, forecast: WindowForecasts, scale: np.ndarray, root_scale: np.ndarray | None
) -> Iterator[tuple[str, np.ndarray]]:
    """The losses (W, h) that each score averages; NaN where nothing was observed."""
    f, intervals, median = forecast
    error = np.abs(y - f)
    size = np.abs(y) + np.abs(f)
    yield "MAE", error
    yield "RMSE", error  # squared later
    yield "sMAPE", np.divide(200 * error, size, out=0 * error, where=size > 0)
    yield "MASE", error / scale[:, None]
    if root_scale is not None:
        yield "RMSSE", error / root_scale[:, None]  # squared later
    yield "CRPS", _crps(y, f if median is None else np.where(np.isnan(median), f, median), intervals)
    for level in sorted(intervals):
        lower, upper = intervals[level]
        outside = np.maximum(lower - y, 0) + np.maximum(y - upper, 0)
        yield f"MSIS-{level:g}", (upper - lower + 200 / (100 - level) * outside) / scale[:, None]
    for level in sorted(intervals):
        lower, upper = intervals[level]
        yield f"coverage-{level:g}", np.where(np.isnan(y), np.nan, (lower <= y) & (y <= upper))


def _crps(y: np.ndarray, f: np.ndarray, intervals: Intervals) -> np.ndarray:
    """Twice the mean pinball loss of the median `f` and of the bounds of the intervals."""
    total = np.abs(y - f)
    for level, (lower, upper) in intervals.items():
        tail = (100 - level) / 200
        for q, bound in ((tail, lower), (1 - tail, upper)):
            total = total + 2 * np.maximum(q * (y - bound), (q - 1) * (y - bound))
    return np.asarray(total / (1 + 2 * len(intervals)))


def _roots(holdout: Holdout, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Root mean squared errors (W,) and (h,), computed in units of the largest error: small squares underflow."""
    starts = np.searchsorted(holdout.which, holdout.series)
    largest = np.maximum.reduceat(np.nan_to_num(error).max(axis=1), starts)
    unit = np.where(largest > 0, largest, 1.0)
    each = unit[np.searchsorted(holdout.series, holdout.which)]
    square = np.square(error / each[:, None])
    return each * np.sqrt(mean(square, axis=1)), mean(unit[:, None] * np.sqrt(holdout.mean_by_series(square)), axis=0)


def definitions(season: int, levels: Sequence[float], counts: bool = False) -> dict[str, str]:
    """The definition of each score, by name.

    Arguments:
        season: of the seasonal naive forecast that scales errors, 1 for the naive one.
        levels: percentages of the intervals, ascending.
        counts: whether most series are forecast as counts.
    """
    naive = f"seasonal naive forecast (season {season})" if season > 1 else "naive forecast"
    texts = {
        "MAE": "mean absolute error, in the unit of the series.",
        "RMSE": "root mean squared error, in the unit of the series; it weights large errors more.",
        "sMAPE": "200 |y - f| / (|y| + |f|), averaged, in percent.",
        "MASE": f"absolute error divided by the in-sample error of the {naive}; below 1 is better than naive.",
    }
    if counts:
        texts["RMSSE"] = (
            "root mean squared error divided by the in-sample one of the naive forecast (Makridakis et al., 2022)."
        )
    texts["CRPS"] = _crps_definition(levels)
    if counts:
        texts["CRPS"] = texts["CRPS"].replace("with the forecast as the median", "with the median of the counts")
    for level in levels:
        penalty = f"{200 / (100 - level):.3g}"
        texts[f"MSIS-{level:g}"] = (
            f"width of the {level:g} % interval plus {penalty} times the distance of values outside it, "
            "scaled like MASE."
        )
    return texts


def _crps_definition(levels: Sequence[float]) -> str:
    if not levels:
        return "equals the MAE, as there are no intervals."
    below = [50 - level / 2 for level in reversed(levels)]
    quantiles = ", ".join(f"{q:g}" for q in (*below, 50, *(100 - q for q in reversed(below))))
    return (
        f"twice the mean pinball loss of the quantiles {quantiles} %, with the forecast as the median; "
        "without intervals, the MAE."
    )
