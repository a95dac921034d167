"""Recalibration: outcomes after the training update the intervals.

The networks have not seen these values, so their errors are as valid as those on the validation set, and newer.

Letters: `S` series, `W` cutoffs of all series, `B` cuts, `h` horizon, `K` steps of the forecasts that are measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from gatewise.forecast.conformal import Calibration
from gatewise.forecast.conformal.adaptive import MISCOVERAGES
from gatewise.forecast.evaluation.cutoffs import Cutoffs
from gatewise.forecast.model.batches import Cuts
from gatewise.forecast.model.dataset import known_after
from gatewise.forecast.model.selection import Selection
from gatewise.forecast.model.validation_set import MOST_CUTOFFS, after_observed
from gatewise.series import DataError, Series
from gatewise.training import DivergenceError

MEMORY = 0.5  # of the length of the validation set: newer errors replace errors older than that
LEAST_MEMORY = 4  # steps, of an update: one value must not replace all errors of a short series
FORECASTS = 2  # the memory holds at least this many non-overlapping forecasts
PARTS = 20  # of the memory: intervals are recalibrated once for each part


def by_cutoff(
    known: Calibration, cutoffs: Cutoffs, errors: np.ndarray, spreads: np.ndarray
) -> Iterator[tuple[np.ndarray, Calibration]]:
    """The calibration at each cutoff, as pairs: a mask (W,) of cutoffs, and the calibration that they share.

    Arguments:
        known: the calibration at the first cutoff of each series.
        cutoffs: of all series.
        errors: (W, h) of the forecasts from all cutoffs, NaN where nothing was observed.
        spreads: (W, h) of these forecasts.

    At a cutoff, the outcomes of earlier forecasts are known only up to that cutoff. They replace old errors, and adapt
    the levels.
    """
    stages, memory = cutoffs.count, max(MEMORY * known.span, FORECASTS * cutoffs.horizon)
    together = max(1, int(memory / PARTS / cutoffs.step))
    times = cutoffs.stages[:, None] * cutoffs.step + np.arange(1, cutoffs.horizon + 1)
    errors = _in_spreads(errors, spreads)
    observed = ~np.isnan(errors)
    series = max(1, len(np.unique(cutoffs.which[observed.any(axis=1)])))
    missed = np.zeros((len(MISCOVERAGES), *errors.shape), bool)
    previous = 0
    for stage in range(0, stages, together):
        rows = (cutoffs.stages >= stage) & (cutoffs.stages < stage + together)
        now, calibration = stage * cutoffs.step, known
        if stage:
            recent = cutoffs.stages * cutoffs.step + cutoffs.horizon > min(now - memory, previous)
            before = np.flatnonzero((cutoffs.stages < stage) & recent)
            seen = (times[before] <= now) & observed[before]
            newly = seen & (times[before] > previous)
            known = known.following(missed[:, before], newly, series, cutoffs.step)
            seen &= times[before] > now - memory
            fraction = len(np.unique(times[before][seen])) / memory
            calibration = known.recalibrated(np.where(seen, errors[before], np.nan), spreads[before], fraction)
        missed[:, rows], previous = calibration.missed(errors[rows], spreads[rows]), now
        yield rows, calibration


def after_update(selection: Selection, old: Sequence[Series], new: Sequence[Series]) -> Selection:
    """The selection with intervals recalibrated on the values that series gained.

    Raises:
        DataError: forecasts from the newer values diverge, as these are too far from the training data.
    """
    ends = {series.unique_id: series.ds[-1] for series in old}
    grown = [series for series in new if series.unique_id in ends and series.ds[-1] > ends[series.unique_id]]
    if not grown:
        return selection
    before = [int(series.ds.searchsorted(ends[series.unique_id], side="right")) for series in grown]
    delivered = selection.delivered
    horizon = delivered.calibration.errors.shape[1]
    memory = max(MEMORY * delivered.calibration.span, LEAST_MEMORY)
    dataset = selection.dataset(grown, before)
    first = dataset.fronts + torch.tensor(before) - dataset.scaling.difference.lag  # new value
    first = torch.maximum(first, dataset.ends - max(1, int(memory)))
    starts = torch.maximum(first - horizon + 1, dataset.starts + dataset.scaling.length)
    cuts = after_observed(dataset, torch.unique(Cuts(starts, dataset.ends - 1).spread(MOST_CUTOFFS)))
    if not len(cuts):
        return selection
    times = cuts[:, None] + torch.arange(horizon)
    truth = np.where(times >= first[dataset.owner(cuts), None], dataset.after(cuts, horizon), np.nan)
    truth = dataset.measurable(cuts, truth)
    observed = sum(int(dataset.observed[a:b].sum()) for a, b in zip(first.tolist(), dataset.ends.tolist(), strict=True))

    try:
        future = known_after(dataset.series, *dataset.windows(cuts), horizon) if delivered.baselines else None
        mean, spread = selection.forecast(dataset, cuts, horizon, future, pool=new)
    except DivergenceError:
        raise DataError(
            "the newer values are too far from the training data to forecast from them; correct them, or call fit again"
        ) from None
    errors, fraction = _in_spreads(truth - mean, spread), observed / len(new) / memory
    missed, seen = delivered.calibration.missed(errors, spread), ~np.isnan(errors)
    calibration = delivered.calibration.recalibrated(errors, spread, fraction)
    calibration = calibration.following(missed, seen, len(new), 1, weight=1 - fraction)  # not counted twice
    return replace(selection, delivered=replace(delivered, calibration=calibration))


def _in_spreads(errors: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    """Errors (B, h), NaN for forecasts without a spread, such as those of a series that has stopped to change."""
    return np.where(spreads > 0, errors, np.nan)
