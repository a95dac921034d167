"""Renewal: intervals that learn from what came true after the training.

The networks have not seen these values, so their errors there are as honest as those on the held-out end, and newer.

Letters: `S` series, `W` origins of all series, `B` cuts, `h` horizon, `K` steps of the forecasts that are measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from gatewise.forecast.conformal import Calibration
from gatewise.forecast.evaluation.cutoffs import Origins
from gatewise.forecast.model.dataset import Cuts
from gatewise.forecast.model.selection import Trained
from gatewise.forecast.model.training import MOST_ORIGINS, after_observed
from gatewise.series import DataError, Series
from gatewise.training import DivergenceError

MEMORY = 0.5  # of the time held out: older errors than that are forgotten when newer ones come
FORECASTS = 2  # that do not overlap: so many at least are remembered
PARTS = 20  # of the memory: intervals are renewed when so small a part of it can be new


def by_origin(
    known: Calibration, origins: Origins, errors: np.ndarray, spreads: np.ndarray
) -> Iterator[tuple[np.ndarray, Calibration]]:
    """Which origins (W,) share a calibration, and the one that was to be had there, by turns.

    Arguments:
        known: at the first origin of each series.
        origins: with a step between them.
        errors: (W, h) of the forecasts from all of them, NaN where nothing was observed.
        spreads: (W, h) of these.

    What an earlier origin forecast for the time since then has come true by now; what it forecast for later has not.
    """
    stages, memory = int(origins.stages.max()) + 1, max(MEMORY * known.span, FORECASTS * origins.horizon)
    together = max(1, int(memory / PARTS / origins.step))
    ahead = np.arange(1, origins.horizon + 1)
    for stage in range(0, stages, together):
        here = (origins.stages >= stage) & (origins.stages < stage + together)
        now, found = stage * origins.step, known
        if stage:
            recent = origins.stages * origins.step + origins.horizon > now - memory
            before = np.flatnonzero((origins.stages < stage) & recent)
            times = origins.stages[before, None] * origins.step + ahead
            seen = (times <= now) & (times > now - memory) & ~np.isnan(errors[before])
            share = len(np.unique(times[seen])) / memory
            found = known.renewed(np.where(seen, errors[before], np.nan), spreads[before], share)
        yield here, found


def after_update(trained: Trained, old: Sequence[Series], new: Sequence[Series]) -> Trained:
    """A model whose intervals have learnt from the values that series have after the ends that it knew of them.

    Raises:
        DataError: the newer values are so far from those trained on that nothing can be forecast from them.
    """
    ends = {one.unique_id: one.ds[-1] for one in old}
    grown = [one for one in new if one.unique_id in ends and one.ds[-1] > ends[one.unique_id]]
    if not grown:
        return trained
    before = [int(one.ds.searchsorted(ends[one.unique_id], side="right")) for one in grown]
    memory, horizon = MEMORY * trained.model.calibrated.span, trained.model.calibrated.errors.shape[1]
    corpus = trained.corpus(grown, before)
    first = corpus.fronts + torch.tensor(before) - corpus.frame.difference.lag  # of the new values
    first = torch.maximum(first, corpus.ends - max(1, int(memory)))
    starts = torch.maximum(first - horizon + 1, corpus.starts + corpus.frame.length)
    cuts = after_observed(corpus, torch.unique(Cuts(starts, corpus.ends - 1).spread(MOST_ORIGINS)))
    if not len(cuts):
        return trained
    times = cuts[:, None] + torch.arange(horizon)
    truth = np.where(times >= first[corpus.owner(cuts), None], corpus.after(cuts, horizon), np.nan)
    truth = corpus.measurable(cuts, truth)
    observed = sum(int(corpus.observed[a:b].sum()) for a, b in zip(first.tolist(), corpus.ends.tolist(), strict=True))

    def renewed(known: Calibration, naive: bool) -> Calibration:
        mean, spread, _ = trained.forecast(corpus, cuts, horizon, naive=naive)
        return known.renewed(truth - mean, spread, observed / len(new) / memory)

    try:
        model = replace(trained.model, calibration=renewed(trained.model.calibrated, False))
    except DivergenceError:
        raise DataError(
            "the newer values are too far from those trained on to forecast from them; correct them, or fit anew"
        ) from None
    rival = replace(trained.rival, calibration=renewed(trained.rival.calibration, True))
    return replace(trained, model=model, rival=rival)
