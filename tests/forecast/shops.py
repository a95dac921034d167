"""Daily sales of generated shops with a peak on Saturdays, and a small model of them."""

import numpy as np
import pandas as pd

from gatewise import Forecaster

WEEK = np.array([0.8, 0.75, 0.8, 0.9, 1.15, 1.75, 0.85])  # Monday to Sunday
DAYS, LONG = 420, 6  # of the series that a model is trained on
QUICK = {
    "strategy": "segment",
    "dropout": 0.0,
    "hidden_size": 12,
    "max_steps": 40,
    "ensemble_size": 1,
    "batch_size": 64,
    "horizon": 14,
    "jobs": 1,
}


def sales(shops, days, seed=0, noise=0.2):
    """The dates, and the sales (shops, days): level, weekday and correlated noise."""
    generator = np.random.default_rng(seed)
    ds = pd.date_range("2023-01-01", periods=days)
    level = np.exp(generator.normal(4, 0.7, (shops, 1)))
    shape = WEEK * np.exp(0.08 * generator.normal(size=(shops, 7)))
    drawn, error = noise * generator.normal(size=(shops, days)), np.zeros((shops, days))
    for t in range(1, days):
        error[:, t] = 0.4 * error[:, t - 1] + drawn[:, t]
    return ds, level * shape[:, ds.day_of_week.to_numpy()] * np.exp(error)


def table(ds, y, sizes, end=None):
    """A long table: of each shop, its last `sizes` values up to position `end`."""
    end = len(ds) if end is None else end
    parts = [
        pd.DataFrame({"unique_id": f"S{k:02d}", "ds": ds[end - size : end], "y": y[k, end - size : end]})
        for k, size in enumerate(sizes)
    ]
    return pd.concat(parts, ignore_index=True)


def fitted(new=(21,), seed=0, **options):
    """A model of six long shops and new ones."""
    ds, y = sales(LONG + len(new), DAYS, seed)
    return Forecaster(**{**QUICK, **options}).fit(table(ds, y, (DAYS,) * LONG + tuple(new)))
