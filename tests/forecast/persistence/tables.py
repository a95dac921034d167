"""Tables that the tests of saved forecasters share."""

import numpy as np
import pandas as pd

QUICK = {"hidden_size": 5, "max_steps": 6, "ensemble_size": 2, "batch_size": 32, "dropout": 0, "fallback": "none"}
COVARIATES = {"past": "price", "known": ["promotion", "heat"], "static": "size", "calendar": True}


def values(n=90, season=12):
    x = np.arange(n)
    return 50 + 0.3 * x + 10 * np.sin(2 * np.pi * x / season) + np.random.default_rng(0).normal(size=n)


def table(n=90, freq="MS", start="2000-01-01", tz=None, unique_id="A"):
    return pd.DataFrame(
        {"unique_id": unique_id, "ds": pd.date_range(start, periods=n, freq=freq, tz=tz), "y": values(n)}
    )


def ragged_table(lengths=(90, 70, 45), freq="MS", **options):
    """Series of different lengths that end at the same date."""
    return pd.concat(
        [
            table(freq=freq, unique_id=name, **options).tail(n).assign(y=lambda rows, k=k: rows["y"] * (k + 1))
            for k, (name, n) in enumerate(zip("ABCDEFG", lengths, strict=False))
        ],
        ignore_index=True,
    )


def invalid_table():
    """Two valid series, one with a gap, one without any value, and one of a single value."""
    rows = ragged_table((90, 80, 70, 20, 1))
    rows.loc[rows["unique_id"] == "D", "y"] = np.nan
    return rows.drop(index=200)


def covariate_table(ahead):
    """Series with covariates of every kind, which continue `ahead` months after the values."""
    parts = []
    for k, (name, months) in enumerate(zip("AB", ahead, strict=True)):
        generator, rows = np.random.default_rng(k), table(90 - k + months, unique_id=name)
        covariates = {
            "y": rows["y"].mask(rows.index >= 90 - k),
            "price": generator.normal(size=len(rows)),
            "promotion": generator.choice(["none", "coupon", "half price"], len(rows)),
            "heat": generator.normal(size=len(rows)),
            "size": ["small", "big"][k],
        }
        parts.append(rows.assign(**covariates))
    return pd.concat(parts, ignore_index=True)
