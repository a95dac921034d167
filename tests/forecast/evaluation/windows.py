"""Series and test windows that the tests of scores and backtests share."""

import numpy as np
import pandas as pd

from gatewise.forecast import baselines
from gatewise.forecast.evaluation.holdout import Holdout, WindowForecasts, observed
from gatewise.series import Panel, Series

LENGTHS = {"a": 60, "b": 45, "c": 80}
SEASON, HORIZON = 7, 5


def panel(seed=0, gaps=True, **options):
    """Three series of different size and length, some of whose values are filled in."""
    rng = np.random.default_rng(seed)
    series = []
    for k, (name, length) in enumerate(LENGTHS.items()):
        filled = rng.random(length) < 0.2 if gaps else None
        y = 10.0**k * (5 + rng.normal(size=length))
        series.append(Series(name, pd.date_range("2020-01-01", periods=length, freq="D"), y, filled))
    return Panel(tuple(series), "D", **options)


def holdout_of(data, season, which, cuts, truth, mean, intervals, model="LSTM"):
    """Windows with the forecasts of a model, and the naive ones without intervals."""
    ends = np.array([len(series) for series in data.series])
    valid = len(which) == len(cuts) and ((cuts >= 1) & (cuts <= ends[which])).all()
    windows = data.series, which, cuts, truth.shape[-1], season
    naive = baselines.forecasts(*windows, names=baselines.NAIVE_NAMES) if valid else {}
    others = {name: WindowForecasts(forecast, {}) for name, forecast in naive.items()}
    return Holdout(data, season, which, cuts, truth, {model: WindowForecasts(mean, intervals), **others})


def make_holdout(seed=0, levels=(80, 95), gaps=True, better=1.0, **options):
    """Unsorted windows of `panel`, some beyond its end, and their forecasts."""
    rng, data = np.random.default_rng(seed), panel(seed, gaps, **options)
    which = np.repeat([2, 0, 1], [6, 9, 3])
    cuts = np.concatenate(
        [rng.choice(np.arange(20, len(data.series[k])), n, replace=False) for k, n in ((2, 6), (0, 9), (1, 3))]
    )
    order = rng.permutation(len(which))
    which, cuts = which[order], cuts[order]
    truth = observed(data, which, cuts, HORIZON)
    size = 10.0 ** which[:, None]
    mean = size * (5 + better * rng.normal(size=truth.shape))
    intervals = {level: (mean - size * level / 60, mean + size * level / 90) for level in levels}
    return holdout_of(data, SEASON, which, cuts, truth, mean, intervals)
