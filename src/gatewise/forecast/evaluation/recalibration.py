"""Renewal: intervals that learn from what came true after the training.

The networks have not seen these values, so their errors there are as honest as those on the held-out end, and newer.

Letters: `S` series, `W` cutoffs of all series, `B` cuts, `h` horizon, `K` steps of the forecasts that are measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from gatewise.forecast.conformal import Calibration
from gatewise.forecast.evaluation.cutoffs import Cutoffs
from gatewise.forecast.model.dataset import Cuts
from gatewise.forecast.model.selection import Selection
from gatewise.forecast.model.training import MOST_CUTOFFS, after_observed
from gatewise.series import DataError, Series
from gatewise.training import DivergenceError

MEMORY = 0.5  # of the time held out: older errors than that are forgotten when newer ones come
FORECASTS = 2  # that do not overlap: so many at least are remembered
PARTS = 20  # of the memory: intervals are renewed when so small a part of it can be new


def by_cutoff(
    known: Calibration, cutoffs: Cutoffs, errors: np.ndarray, spreads: np.ndarray
) -> Iterator[tuple[np.ndarray, Calibration]]:
    """Which cutoffs (W,) share a calibration, and the one that was to be had there, by turns.

    Arguments:
        known: at the first cutoff of each series.
        cutoffs: with a step between them.
        errors: (W, h) of the forecasts from all of them, NaN where nothing was observed.
        spreads: (W, h) of these.

    What an earlier cutoff forecast for the time since then has come true by now; what it forecast for later has not.
    """
    stages, memory = cutoffs.count, max(MEMORY * known.span, FORECASTS * cutoffs.horizon)
    together = max(1, int(memory / PARTS / cutoffs.step))
    ahead = np.arange(1, cutoffs.horizon + 1)
    for stage in range(0, stages, together):
        here = (cutoffs.stages >= stage) & (cutoffs.stages < stage + together)
        now, found = stage * cutoffs.step, known
        if stage:
            recent = cutoffs.stages * cutoffs.step + cutoffs.horizon > now - memory
            before = np.flatnonzero((cutoffs.stages < stage) & recent)
            times = cutoffs.stages[before, None] * cutoffs.step + ahead
            seen = (times <= now) & (times > now - memory) & ~np.isnan(errors[before])
            share = len(np.unique(times[seen])) / memory
            found = known.renewed(np.where(seen, errors[before], np.nan), spreads[before], share)
        yield here, found


def after_update(selection: Selection, old: Sequence[Series], new: Sequence[Series]) -> Selection:
    """A model whose intervals have learnt from the values that series have after the ends that it knew of them.

    Raises:
        DataError: the newer values are so far from those trained on that nothing can be forecast from them.
    """
    ends = {one.unique_id: one.ds[-1] for one in old}
    grown = [one for one in new if one.unique_id in ends and one.ds[-1] > ends[one.unique_id]]
    if not grown:
        return selection
    before = [int(one.ds.searchsorted(ends[one.unique_id], side="right")) for one in grown]
    memory, horizon = MEMORY * selection.ensemble.calibrated.span, selection.ensemble.calibrated.errors.shape[1]
    dataset = selection.dataset(grown, before)
    first = dataset.fronts + torch.tensor(before) - dataset.scaling.difference.lag  # of the new values
    first = torch.maximum(first, dataset.ends - max(1, int(memory)))
    starts = torch.maximum(first - horizon + 1, dataset.starts + dataset.scaling.length)
    cuts = after_observed(dataset, torch.unique(Cuts(starts, dataset.ends - 1).spread(MOST_CUTOFFS)))
    if not len(cuts):
        return selection
    times = cuts[:, None] + torch.arange(horizon)
    truth = np.where(times >= first[dataset.owner(cuts), None], dataset.after(cuts, horizon), np.nan)
    truth = dataset.measurable(cuts, truth)
    observed = sum(int(dataset.observed[a:b].sum()) for a, b in zip(first.tolist(), dataset.ends.tolist(), strict=True))

    def renewed(known: Calibration, naive: bool) -> Calibration:
        mean, spread, _ = selection.forecast(dataset, cuts, horizon, naive=naive)
        return known.renewed(truth - mean, spread, observed / len(new) / memory)

    try:
        model = replace(selection.ensemble, calibration=renewed(selection.ensemble.calibrated, False))
    except DivergenceError:
        raise DataError(
            "the newer values are too far from those trained on to forecast from them; correct them, or fit anew"
        ) from None
    baseline = replace(selection.baseline, calibration=renewed(selection.baseline.calibration, True))
    return replace(selection, ensemble=model, baseline=baseline)
