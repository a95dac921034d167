"""Beyond the end: forecasts of all series of a panel by a trained model.

Letters: `S` series, `h` horizon.
"""

from typing import Any

import numpy as np

from gatewise.forecast import baselines as baselines
from gatewise.forecast import update as histories
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.selection import Selection
from gatewise.forecast.model.window import WindowScaling
from gatewise.forecast.validation import check_horizon
from gatewise.series import DataError, Forecast, Panel, futures, known_ahead


def ahead(
    panel: Panel, selection: Selection, horizon: int, future: Any, naive: bool
) -> tuple[np.ndarray, np.ndarray, Calibration]:
    """Forecasts (S, h), their spreads, and what sizes their intervals; those of the baseline if `naive`."""
    check_horizon(horizon)
    histories.check_reach(panel, selection.ensemble.scaling.reach, horizon)
    known = known_ahead(panel, horizon, future)
    _refuse_far(panel, known, selection.ensemble.scaling)
    dataset = selection.dataset(panel.series)
    return selection.forecast(dataset, dataset.ends, horizon, naive=naive, future=known)


def _refuse_far(panel: Panel, known: np.ndarray | None, scaling: WindowScaling) -> None:
    """Refuse features (S, h, K) that on the scale of those trained on are beyond what float32 holds."""
    if known is None or scaling.features.known is None:
        return
    far = np.argwhere(np.abs(scaling.features.known.apply(known)) > np.finfo(np.float32).max)
    if len(far) and panel.covariates is not None:
        s, step, k = far[0]
        raise DataError(
            f"series {str(panel.series[s].unique_id)!r}: known covariate {panel.covariates.known_features[k]!r} is "
            f"{known[s, step, k]:g} in step {step + 1} after its end, too far from the values trained on; correct it, "
            "or train on a table with such values"
        )


def forecasts(
    panel: Panel, selection: Selection, horizon: int, levels: tuple[float, ...], future: Any, name: str, naive: bool
) -> list[Forecast]:
    """A forecast of each series; naive ones, whose intervals nobody knows, of those that could not be used."""
    mean, spread, calibration = ahead(panel, selection, horizon, future, naive)
    reach = {level: calibration.reach(spread, level) for level in levels}
    bounds = {level: (mean - away, mean + away) for level, away in reach.items()}
    made = [
        Forecast(one.unique_id, ds, mean[k], name, {level: (lo[k], hi[k]) for level, (lo, hi) in bounds.items()})
        for k, (one, ds) in enumerate(zip(panel.series, futures(panel.series, panel.freq, horizon), strict=True))
    ]
    unknown = {level: (np.full(horizon, np.nan), np.full(horizon, np.nan)) for level in levels}
    bad = [one.series for one in panel.excluded_series if one.series is not None]
    return made + [
        Forecast(one.unique_id, ds, baselines.seasonal_naive(one.y, horizon, selection.season), name, unknown)
        for one, ds in zip(bad, futures(bad, panel.freq, horizon), strict=True)
    ]
