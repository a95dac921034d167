"""Prediction: forecasts of all series of a panel beyond their ends, by the selected model or by the best baseline.

Letters: `S` series, `h` horizon, `K` features known in advance.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gatewise.forecast.baselines import seasonal_naive
from gatewise.forecast.model.selection import Selection
from gatewise.forecast.model.window import WindowScaling
from gatewise.forecast.update import check_reach
from gatewise.forecast.validation import check_horizon
from gatewise.series import DataError, Forecast, Panel, Series, futures, known_ahead

MEDIAN = 0.5  # the quantile that the delivered method forecasts


def extrapolate(
    panel: Panel, selection: Selection, horizon: int, future: Any, pool: Sequence[Series] = ()
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The delivered forecasts (S, h), their spreads (S, h), and the largest half widths (S, 1) of their intervals.

    New series borrow the past of longer ones of the panel or the pool.
    """
    check_horizon(horizon)
    check_reach(panel, selection.ensemble.scaling.reach, horizon)
    known = known_ahead(panel, horizon, future)
    _check_known(panel, known, selection.ensemble.scaling)
    dataset = selection.dataset(panel.series)
    most = selection.largest_half_widths(dataset, dataset.ends)
    return *selection.forecast(dataset, dataset.ends, horizon, known, pool=pool), most


def _check_known(panel: Panel, known: np.ndarray | None, scaling: WindowScaling) -> None:
    """Raise if scaled features (S, h, K) overflow float32."""
    if known is None or scaling.features.known is None:
        return
    overflows = np.argwhere(np.abs(scaling.features.known.apply(known)) > np.finfo(np.float32).max)
    if len(overflows) and panel.covariates is not None:
        s, step, k = overflows[0]
        raise DataError(
            f"series {str(panel.series[s].unique_id)!r}: future covariate {panel.covariates.known_features[k]!r} is "
            f"{known[s, step, k]:g} in forecast step {step + 1}, too far from its training values; correct it, or "
            "train on a table with such values"
        )


def forecasts(
    panel: Panel,
    selection: Selection,
    horizon: int,
    levels: tuple[float, ...],
    future: Any,
    name: str,
    quantiles: tuple[float, ...] = (),
    pool: Sequence[Series] = (),
) -> list[Forecast]:
    """Forecasts of all series, then naive ones without intervals of the series excluded with on_bad="naive"."""
    mean, spread, most = extrapolate(panel, selection, horizon, future, pool)
    counts = selection.counts_ahead(panel.series, horizon)
    central = {p: central_level(p) for p in quantiles if p != MEDIAN}
    bounds = {level: selection.bounds(mean, spread, most, level) for level in {*levels, *central.values()}}
    point = counts.point(selection.delivered_point(mean, spread, most))
    bounds = {level: counts.bounds(pair, level) for level, pair in bounds.items()}
    median = counts.quantile(mean, MEDIAN)
    by_quantile = {p: bounds[central[p]][p > MEDIAN] if p in central else median for p in quantiles}
    predicted = [
        Forecast(
            series.unique_id,
            ds,
            point[k],
            name,
            {level: (bounds[level][0][k], bounds[level][1][k]) for level in levels},
            quantiles={p: values[k] for p, values in by_quantile.items()},
        )
        for k, (series, ds) in enumerate(zip(panel.series, futures(panel.series, panel.freq, horizon), strict=True))
    ]
    missing = np.full(horizon, np.nan)
    unknown = dict.fromkeys(levels, (missing, missing)), None, dict.fromkeys(quantiles, missing)
    excluded = [entry.series for entry in panel.excluded_series if entry.series is not None]
    naive = [selection.limits.point(seasonal_naive(series.y, horizon, selection.season)) for series in excluded]
    return predicted + [
        Forecast(series.unique_id, ds, values, name, *unknown)
        for series, ds, values in zip(excluded, futures(excluded, panel.freq, horizon), naive, strict=True)
    ]


def central_level(quantile: float) -> float:
    """The level in percent of the interval that a quantile bounds, without rounding error.

    >>> central_level(0.9), central_level(0.025)
    (80.0, 95.0)
    """
    return round(200 * abs(quantile - MEDIAN), 6)
