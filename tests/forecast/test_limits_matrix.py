"""Limits and whole numbers in every output, for every strategy, method and kind of series."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.series import as_pandas

SMALL = {"max_steps": 3, "hidden_size": 4, "ensemble_size": 1, "jobs": 1, "dropout": 0.0, "horizon": 8}
LIMITS = [
    {"lower": 0},
    {"upper": 60.0},
    {"integer": True},
    {"lower": 0, "integer": True},
    {"lower": 0, "upper": 60, "integer": True},
    {"lower": 0.5, "upper": 60.5},
]
STRATEGIES = ["one-step", "segment", "flatten"]
FALLBACKS = ["best", "none", "naive", "Drift", "SeasonalNaive", "SES", "Theta", "Ridge", "Croston"]


def sales(days=70, whole=True):
    """Falling sales, rising sales near 60, intermittent sales and constant ones: whole numbers from 1 to 60, and 0."""
    t, rng = np.arange(days), np.random.default_rng(0)
    series = {
        "falling": np.clip(40 - 0.55 * t + rng.normal(0, 3, days), 1, 60),
        "rising": np.clip(20 + 0.56 * t + rng.normal(0, 3, days), 1, 60),
        "wave": np.clip(30 + 28 * np.sin(t * 2 * np.pi / 7) + rng.normal(0, 4, days), 1, 60),
        "rare": rng.poisson(0.3, days).astype(float),
        "closed": np.where(t < 30, np.clip(rng.normal(20, 9, days), 1, 60), 1.0),
    }
    ds = pd.date_range("2024-01-01", periods=days)
    data = pd.concat([pd.DataFrame({"unique_id": name, "ds": ds, "y": y}) for name, y in series.items()])
    data["y"] = data["y"].round() if whole else data["y"]
    return data.reset_index(drop=True)


def data_for(limits):
    data = sales(whole="integer" in limits)
    lower, upper = limits.get("lower", -np.inf), limits.get("upper", np.inf)
    data["y"] = data["y"].clip(lower, upper)
    return data


def outside(values, limits):
    """How many values contradict the limits; bounds and quantiles of excluded series are missing."""
    values = np.asarray(values, np.float64).ravel()
    values = values[~np.isnan(values)]
    wrong = (values < limits.get("lower", -np.inf)) | (values > limits.get("upper", np.inf))
    if limits.get("integer"):
        wrong |= values != np.rint(values)
    return int(wrong.sum())


def predicted(model, table=None):
    result = model.predict(20, level=(50, 95), quantiles=(0.01, 0.5, 0.99), table=table)
    return as_pandas(result).iloc[:, 2:]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_every_output_of_every_strategy(limits, strategy, tmp_path):
    data = data_for(limits)
    past = data.groupby("unique_id").head(62)
    model = Forecaster(**SMALL, strategy=strategy, **limits).fit(past)
    model.save(tmp_path / "m.safetensors")
    loaded = Forecaster.load(tmp_path / "m.safetensors")
    tables = {
        "predict": predicted(model),
        "saved": predicted(loaded),
        "another table": predicted(model, data[data["unique_id"] != "wave"]),
        "paths": model.sample(20, 30)["LSTM"],
        "fitted": model.fitted()["LSTM"],
        "update": predicted(loaded.update(data)),
        "tuned update": predicted(Forecaster.load(tmp_path / "m.safetensors").update(data, max_steps=2)),
        "copy": predicted(model.with_series(data)),
    }
    assert {name: outside(table, limits) for name, table in tables.items()} == dict.fromkeys(tables, 0)
    assert tables["saved"].equals(tables["predict"])


@pytest.mark.parametrize("fallback", FALLBACKS)
@pytest.mark.parametrize("limits", [LIMITS[0], LIMITS[4]], ids=str)
def test_every_method_and_a_backtest_of_it(limits, fallback):
    data = data_for(limits)
    model = Forecaster(**SMALL, strategy="segment", fallback=fallback, **limits)
    result = model.backtest(data, 8, windows=3, level=(50, 95), fit=True)
    tables = {
        "backtest": result.forecasts.iloc[:, 3:],
        "predict": predicted(model),
        "paths": model.sample(8, 9)["LSTM"],
    }
    assert {name: outside(table, limits) for name, table in tables.items()} == dict.fromkeys(tables, 0)


@pytest.mark.parametrize("point", ["median", "mean"])
@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("limits", LIMITS[3:], ids=str)
def test_means_refitted_backtests_and_missing_values(limits, refit, point):
    data = data_for(limits)
    data.loc[data.index % 11 == 5, "y"] = np.nan
    model = Forecaster(**SMALL, strategy="one-step", point=point, **limits)
    for fill in ("none", "interpolate"):
        result = model.backtest(data, 4, windows=2, fit=True, refit=refit, fill=fill, level=(80,))
        assert outside(result.forecasts.drop(columns=["unique_id", "ds", "cutoff", "y"]), limits) == 0
        assert outside(predicted(model), limits) == 0
        assert outside(model.sample(4, 9)["LSTM"], limits) == 0


@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_excluded_series_with_naive_forecasts(limits):
    data = data_for(limits)
    worst = {"lower": -7.0, "upper": 99.0}
    rows = data.index[data["unique_id"] == "wave"]
    data.loc[rows[-3:], "y"] = [worst["lower"] if "lower" in limits else worst["upper"], 0.25, 0.25]
    short = pd.DataFrame({"unique_id": "short", "ds": pd.date_range("2024-01-01", periods=2), "y": [99.0, -8.25]})
    model = Forecaster(**SMALL, strategy="segment", **limits).fit(pd.concat([data, short]), on_bad="naive")
    assert set(model.excluded()["unique_id"]) == {"wave", "short"}
    assert outside(predicted(model), limits) == 0


def test_without_limits_the_same_series_are_forecast_outside():
    free = predicted(Forecaster(**SMALL, strategy="segment").fit(sales()))
    assert all(outside(free, limits) for limits in LIMITS)


def test_further_baselines_of_a_backtest_have_the_limits(monkeypatch):
    data = data_for({"integer": True})
    result = Forecaster(**SMALL, strategy="segment", lower=0, upper=60, integer=True).backtest(data, 8, windows=2)
    wild = np.linspace(-50.3, 99.7, result.held.mean.size).reshape(result.held.mean.shape)
    monkeypatch.setattr("gatewise.forecast.evaluation.backtest.classical", lambda *a: wild)
    added = result.against("AutoETS").held.forecasts["AutoETS"].mean
    np.testing.assert_array_equal(added, np.clip(np.rint(wild), 0, 60))
