"""Renewal: intervals that learn from what came true after the training.

The networks have not seen these values, so their errors there are as honest as those on the held-out end, and newer.

Letters: `S` series, `W` origins of all series, `B` cuts, `h` horizon, `K` steps of the forecasts that are measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from gatewise.forecast.corpus import Cuts
from gatewise.forecast.intervals import MEMORY, Calibration
from gatewise.forecast.origins import Origins
from gatewise.forecast.recipe import MOST_ORIGINS
from gatewise.forecast.trained import Trained
from gatewise.series import Series

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
    stages, memory = int(origins.stages.max()) + 1, MEMORY * known.span
    together = max(1, int(memory / PARTS / origins.step))
    ahead = np.arange(1, origins.horizon + 1)
    for stage in range(0, stages, together):
        here = (origins.stages >= stage) & (origins.stages < stage + together)
        now, found = stage * origins.step, known
        if stage:
            before = np.flatnonzero(
                (origins.stages < stage) & (origins.stages * origins.step + origins.horizon > now - memory)
            )
            times = origins.stages[before, None] * origins.step + ahead
            seen = (times <= now) & (times > now - memory)
            found = known.renewed(np.where(seen, errors[before], np.nan), spreads[before], now)
        yield here, found


def after_update(trained: Trained, old: Sequence[Series], new: Sequence[Series]) -> Trained:
    """A model whose intervals have learnt from the values that series have after the ends that it knew of them."""
    ends = {one.unique_id: one.ds[-1] for one in old}
    grown = [one for one in new if one.unique_id in ends and one.ds[-1] > ends[one.unique_id]]
    if not grown:
        return trained
    before = [int(one.ds.searchsorted(ends[one.unique_id], side="right")) for one in grown]
    steps = sum(len(one) - known for one, known in zip(grown, before, strict=True)) / len(new)
    corpus, horizon = trained.corpus(grown, before), trained.model.calibrated.errors.shape[1]
    first = corpus.fronts + torch.tensor(before) - corpus.frame.difference.lag  # of the new values
    starts = torch.maximum(first - horizon + 1, corpus.starts + corpus.frame.length)
    cuts = torch.unique(Cuts(starts, corpus.ends - 1).spread(MOST_ORIGINS))
    times = cuts[:, None] + torch.arange(horizon)
    truth = np.where(times >= first[corpus.owner(cuts), None], corpus.after(cuts, horizon), np.nan)

    def renewed(known: Calibration, naive: bool) -> Calibration:
        mean, spread, _ = trained.forecast(corpus, cuts, horizon, naive=naive)
        return known.renewed(truth - mean, spread, steps)

    model = replace(trained.model, calibration=renewed(trained.model.calibrated, False))
    rival = replace(trained.rival, calibration=renewed(trained.rival.calibration, True))
    return replace(trained, model=model, rival=rival)
