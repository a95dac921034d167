"""Series and small models shared by the tests of forecasting."""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from gatewise.forecast.model.ensemble import Ensemble
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.forecast.model.window import WindowScaling
from gatewise.series import Panel, Series
from gatewise.training import History
from gatewise.windows import Difference

LENGTHS = (60, 7, 1, 33, 120)
SMALL = {"hidden_size": 8, "max_steps": 30, "ensemble_size": 1, "strategy": "one-step", "fallback": "none"}
STRATEGY_NAMES = ("one-step", "segment", "flatten")


def wave(n=120, season=12, slope=0.5):
    x = np.arange(n)
    return 50 + slope * x + 10 * np.sin(2 * np.pi * x / season)


def noisy(n=120, season=12, seed=0):
    return wave(n, season) + np.random.default_rng(seed).normal(0, 2, n)


def table(y, start="2000-01-01", freq="MS", unique_id="A"):
    return pd.DataFrame({"unique_id": unique_id, "ds": pd.date_range(start, periods=len(y), freq=freq), "y": y})


def tables(lengths, end="2010-01-01", freq="MS", season=12):
    """A long table of noisy series of these lengths with one end, named A, B, ..."""
    parts = []
    for k, n in enumerate(lengths):
        ds = pd.date_range(end=end, periods=n, freq=freq)
        parts.append(pd.DataFrame({"unique_id": chr(65 + k), "ds": ds, "y": (k + 1) * noisy(n, season, seed=k)}))
    return pd.concat(parts, ignore_index=True)


def select_series(data, name):
    return data[data["unique_id"] == name].reset_index(drop=True)


def series(y, unique_id="A", **parts):
    y = np.asarray(y, float)
    return Series(unique_id, pd.RangeIndex(len(y)), y, **parts)


def panel(*several):
    return Panel(tuple(several), freq=1)


def window_scaling(strategy="one-step", **changes):
    """The window scaling of a strategy; the segment strategy reads half seasons."""
    defaults = {"season": 12, "segment": 1, "context": 24, "reach": 1, "difference": Difference(0), "scale": "window"}
    if strategy != "one-step":
        defaults["reach"] = 15
    if strategy == "segment":
        defaults |= {"segment": 6, "spread": "season", "seasons": 2}
    options = {**defaults, **changes}
    return WindowScaling(strategy, lag=options["season"], **options)


def configuration(**changes):
    defaults = {
        "cell": "gru",
        "hidden_size": 6,
        "num_layers": 1,
        "loss": "mae",
        "max_steps": 20,
        "batch_size": 16,
        "lr": 3e-3,
        "validation_fraction": 0.2,
        "ensemble_size": 2,
        "seed": 0,
        "engine": "auto",
        "jobs": 1,
        "quiet": True,
    }
    return TrainingConfiguration(**{**defaults, **changes})


def untrained(scaling, *, seed=3, spread=0.3, **changes):
    """An ensemble with uniform random weights everywhere; spread=None keeps the initial weights."""
    generator = torch.Generator().manual_seed(seed)
    settings = configuration(**changes)
    networks = tuple(settings._network(scaling, generator).eval() for _ in range(settings.ensemble_size))
    for network in networks if spread is not None else ():
        for weight in network.parameters():
            torch.nn.init.uniform_(weight, -spread, spread, generator=generator)
    return Ensemble(scaling, networks, History())


def with_features(scaling, several):
    """A window scaling with the scales of the features of some series."""
    parts = [[getattr(one_series, name) for one_series in several] for name in ("past", "known", "static")]
    joins = (np.concatenate, np.concatenate, np.stack)
    return replace(scaling).with_features(
        *(None if part[0] is None else join(part) for part, join in zip(parts, joins, strict=True))
    )


def featured(n=120, past=True, seed=0):
    """A noisy series with random features."""
    rng = np.random.default_rng(seed)
    parts = {"known": rng.normal(size=(n, 2)), "static": rng.normal(size=1)}
    return series(noisy(n), **parts, past=rng.normal(size=(n, 3)) if past else None)


def ragged_series(lengths=LENGTHS, **parts):
    """Noisy series of several lengths with a season of 6 steps."""
    return [series((k + 1) * noisy(n, 6, seed=k), f"{k}", **parts) for k, n in enumerate(lengths)]


def short_scaling(strategy="one-step", **changes):
    """A window scaling with a season of 6 steps and windows of 17 values (12 for segment and flatten)."""
    return window_scaling(
        strategy, **{"season": 6, "context": 12, "segment": 3 if strategy == "segment" else 1, **changes}
    )
