"""The importance of covariates: closed forms with pretended models, and real networks and regressions."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import Forecaster
from gatewise.forecast import baselines
from gatewise.forecast.evaluation import importance, running, verdict
from gatewise.forecast.evaluation.importance import Importance, measure
from gatewise.forecast.model.selection import Selection
from gatewise.series import Series

HORIZON = 4
QUICK = {"hidden_size": 8, "max_steps": 60, "ensemble_size": 1, "lr": 1e-2, "dropout": 0, "season": 1, "jobs": 1}
SMALL = {**QUICK, "strategy": "segment", "context": 8, "fallback": "none"}
NOTHING = {**SMALL, "max_steps": 1}
COVARIATES = {"past": "lead", "known": ["promo", "x", "z"], "static": "kind", "calendar": True}


def table_of(count=1, steps=120, noise=0.5, seed=0):
    """Series driven by x and promo, not by z; lead is x two steps earlier than its effect."""
    parts = []
    for k in range(count):
        rng = np.random.default_rng((seed, k))
        x, z = rng.normal(size=(2, steps))
        promo = rng.random(steps) < 0.3
        ds = pd.date_range("2020-01-01", periods=steps, freq="D")
        y = 50 + 3 * x + 4 * promo + noise * rng.normal(size=steps)
        columns = {"y": y, "x": x, "z": z, "promo": np.where(promo, "yes", "no"), "lead": np.roll(x, -2)}
        parts.append(pd.DataFrame({"unique_id": f"s{k}", "ds": ds, **columns, "kind": "ab"[k % 2]}))
    return pd.concat(parts, ignore_index=True)


def backtest(table, windows=4, options=SMALL, **columns):
    return Forecaster(**options).backtest(table, HORIZON, windows=windows, **columns)


def rows(result):
    return {row["covariate"]: row for row in result.importance.to_dict("records")}


def pretend(monkeypatch, model):
    """Replace every forecast by `model(series, t, known)` of a series up to t, and (h, K) features known after it."""

    def forecast(self, dataset, cuts, horizon, future=None, method=None, fitted_on=None):
        owners, times = dataset.owner(cuts).tolist(), dataset.original_cuts(cuts).tolist()
        known = [None] * len(times) if future is None else future
        parts = []
        for k, t, after in zip(owners, times, known, strict=True):
            series = dataset.series[k]
            if after is None and series.known is not None:
                after = series.known[t : t + horizon]
            parts.append(np.broadcast_to(model(series, t, after), horizon))
        return np.stack(parts), np.ones((len(times), horizon))

    monkeypatch.setattr(Selection, "forecast", forecast)


def captured(monkeypatch, table, options, windows=4, refit=False, **columns):
    """The result of a backtest, and the arguments with which it measured the importance."""
    calls = []
    monkeypatch.setattr(running, "measure", lambda *arguments: calls.append(arguments) or measure(*arguments))
    result = Forecaster(**options).backtest(table, HORIZON, windows=windows, refit=refit, **columns)
    return result, calls[0]


# ------------------------------------------------------------------------------------------------ closed forms


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize("b", [0.3, 2.0])
def test_a_linear_model_of_a_normal_covariate_has_the_expected_increase(monkeypatch, count, b):
    # y = 50 + b x + e: errors have the deviation s before the exchange, and sqrt(s² + 2 b²) after it
    table, s = table_of(count, 600), 0.5
    table["y"] = 50 + b * table["x"] + s * np.random.default_rng(1).normal(size=len(table))
    pretend(monkeypatch, lambda series, t, known: 50 + b * known[:, 0])
    result = backtest(table, 60, NOTHING, refit=False, known=["x", "z"])
    x, z = rows(result)["x"], rows(result)["z"]
    assert x["increase"] == pytest.approx(math.sqrt(1 + 2 * (b / s) ** 2) - 1, abs=3 * x["standard_error"])
    assert 0 < x["standard_error"] < 0.1 * (1 + x["increase"])
    assert (z["increase"], z["standard_error"], z["role"]) == (0, 0, "known")


@pytest.mark.parametrize("count", [1, 6])
def test_a_model_that_reads_the_last_value_of_a_past_covariate(monkeypatch, count):
    table = table_of(count, 600)
    lead = table.groupby("unique_id")["x"].shift(1).fillna(0)
    table["y"] = 50 + 2 * lead + 0.5 * np.random.default_rng(1).normal(size=len(table))
    pretend(monkeypatch, lambda series, t, known: [50 + 2 * series.past[t - 1, 1], *[50] * (HORIZON - 1)])
    result = backtest(table, 60, NOTHING, refit=False, past=["z", "x"])
    x, z = rows(result)["x"], rows(result)["z"]
    # only the first step reads x: its errors grow from s to sqrt(s² + 8), those of the others are sqrt(s² + 4)
    first, last, others = (math.sqrt(0.25 + variance) for variance in (0, 8, 4))
    assert x["increase"] == pytest.approx((last - first) / (first + 3 * others), abs=3 * x["standard_error"])
    assert x["standard_error"] < 0.2 * x["increase"]
    assert (z["increase"], z["role"]) == (0, "past")


def test_a_static_category_is_exchanged_with_other_series(monkeypatch):
    count, b = 20, 3.0
    table = table_of(count, 80)
    truth = 50 + b * (table["kind"] == "b") + np.random.default_rng(1).choice([-1.0, 1.0], len(table))
    pretend(monkeypatch, lambda series, t, known: 50 + b * series.static[1])
    result = backtest(table.assign(y=truth), 10, NOTHING, refit=False, static="kind")
    kind = rows(result)["kind"]
    # the error of 1 becomes 2 or 4, on average 3, if the other series is of the other kind: 10 of 19 are
    assert kind["increase"] == pytest.approx(2 * 10 / 19, abs=max(0.05, 3 * kind["standard_error"]))
    assert kind["role"] == "static"


def test_a_static_covariate_of_a_single_series_changes_nothing():
    assert rows(backtest(table_of(), static="kind"))["kind"]["increase"] == pytest.approx(0, abs=1e-6)


def test_the_calendar_counts_although_the_cutoffs_are_whole_weeks_apart(monkeypatch):
    table = table_of(3, 200)
    day = 2 * np.pi * table["ds"].dt.day_of_week / 7
    table["y"] = 50 + 3 * np.sin(day) + np.random.default_rng(1).normal(size=len(table))
    pretend(monkeypatch, lambda series, t, known: 50 + 3 * known[:, 1])
    result = Forecaster(**NOTHING).backtest(
        table, HORIZON, windows=10, step=7, refit=False, known="z", calendar=["day of week", "day of year"]
    )
    assert result.importance["role"].tolist() == ["known", "calendar", "calendar"]
    assert rows(result)["day of week"]["increase"] > 0.8
    assert rows(result)["day of year"]["increase"] == rows(result)["z"]["increase"] == 0


def test_all_columns_of_a_category_are_exchanged_together(monkeypatch):
    def model(series, t, known):
        assert (known[:, :2].sum(1) == 1).all()
        assert (series.known[:, :2].sum(1) == 1).all()
        return 50 + 4 * known[:, 1] + known[:, 2]

    pretend(monkeypatch, model)
    result = backtest(table_of(2), refit=False, known=["promo", "x"])
    assert (result.importance["increase"] > 0.1).all()


# ------------------------------------------------------------------------------------------------ forecasts


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("fallback", ["none", "Ridge", "best"])
@pytest.mark.parametrize("count", [1, 3])
def test_an_exchange_with_itself_reproduces_the_stored_forecasts(monkeypatch, count, fallback, refit):
    table = table_of(count)
    table.loc[np.random.default_rng(0).random(len(table)) < 0.1, "y"] = np.nan
    options = {**SMALL, "fallback": fallback, "max_steps": 5}
    result, call = captured(monkeypatch, table, options, 3, refit, fill="previous", **COVARIATES)
    windows = importance._Windows(*call[:4])
    which, cuts = result.held.which, result.held.cuts
    monkeypatch.setattr(importance, "BATCH", 2000)
    for group in importance._groups(result.held.panel.covariates):
        for stage, batch in windows._batches():
            forecast = windows._forecast(stage, batch, group, which, cuts)
            np.testing.assert_allclose(forecast, result.held.mean[batch], rtol=1e-5)


def test_baselines_are_fitted_on_the_series_without_the_exchange(monkeypatch):
    result, call = captured(monkeypatch, table_of(3), NOTHING, known="x")
    calls, forecast = [], Selection.forecast

    def spy(self, dataset, *arguments, fitted_on=None):
        calls.append((dataset.series, fitted_on))
        return forecast(self, dataset, *arguments, fitted_on=fitted_on)

    monkeypatch.setattr(Selection, "forecast", spy)
    measure(*call)
    assert len(calls) == importance.REPETITIONS
    for exchanged, fitted_on in calls:
        for series, own, k, cut in zip(exchanged, fitted_on, result.held.which, result.held.cuts, strict=True):
            np.testing.assert_array_equal(own.known, result.held.panel.series[k].known[:cut])
            np.testing.assert_array_equal(own.y, series.y)
            assert (own.known != series.known).any()


def test_a_static_covariate_comes_from_another_series(monkeypatch):
    result, call = captured(monkeypatch, table_of(3), NOTHING, static="kind")
    others = importance._Windows(*call[:4])._others(np.random.default_rng(0))
    assert (others != result.held.which).all()
    assert set(others) == {0, 1, 2}


def test_regressions_are_fitted_on_the_own_covariates():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 1))
    own = Series("a", pd.RangeIndex(200), 50 + 3 * x[:, 0] + rng.normal(size=200), known=x)
    other = Series("a", own.ds, own.y, known=np.where(np.arange(200)[:, None] < 150, rng.normal(size=(200, 1)), x))
    future = rng.normal(size=(1, HORIZON, 1))

    def forecast(series, **options):
        arguments = np.array([0]), np.array([200]), HORIZON, 1
        return baselines.forecasts([series], *arguments, names=("Ridge",), future=future, **options)["Ridge"]

    np.testing.assert_array_equal(forecast(other, fitted_on=[own]), forecast(own))
    assert np.abs(forecast(other) - forecast(own)).max() > 0.1


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize(("count", "fallback"), [(1, "Ridge"), (6, "none"), (6, "Ridge")])
def test_the_covariates_that_drive_the_series_help(count, fallback, refit):
    columns = {"known": ["x", "promo", "z"], "calendar": "day of week"}
    result = backtest(table_of(count, 160), 8, {**SMALL, "fallback": fallback}, refit=refit, **columns)
    found = rows(result)
    assert list(found) == ["x", "promo", "z", "day of week"]
    assert found["x"]["increase"] > 0.5
    assert found["x"]["increase"] > found["promo"]["increase"] > 0.1
    assert abs(found["z"]["increase"]) < max(0.15, 2 * found["z"]["standard_error"])
    assert "Covariates: 'x' helps (without its information the error is " in result.verdict


def test_a_leading_past_covariate_helps_a_network():
    options = {**SMALL, "max_steps": 200}
    found = rows(backtest(table_of(6, 160), 8, options, refit=False, past=["lead", "z"]))
    assert found["lead"]["increase"] > 0.1 > found["z"]["increase"]


def test_the_stored_forecasts_do_not_change_and_the_seed_decides(monkeypatch):
    table = table_of(3)
    result = backtest(table, refit=False, **COVARIATES)
    again = backtest(table, refit=False, **COVARIATES)
    pd.testing.assert_frame_equal(result.importance, again.importance)
    _, call = captured(monkeypatch, table, SMALL, **COVARIATES)
    assert [each.increase for each in measure(*call[:4], 0)] == result.importance["increase"].tolist()
    assert [each.increase for each in measure(*call[:4], 1)] != result.importance["increase"].tolist()
    monkeypatch.setattr(running, "measure", lambda *arguments: ())
    pd.testing.assert_frame_equal(result.forecasts, backtest(table, refit=False, **COVARIATES).forecasts)


def test_the_global_random_state_is_left_alone(monkeypatch):
    _, call = captured(monkeypatch, table_of(), SMALL, known="x")
    before = np.random.get_state()[1].copy()  # noqa: NPY002  # the global state is meant
    measure(*call)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_many_windows_are_represented_by_some(monkeypatch):
    monkeypatch.setattr(importance, "MOST_WINDOWS", 12)
    _, call = captured(monkeypatch, table_of(6), NOTHING, known="x")
    part = importance._part(call[2], np.random.default_rng(0))
    assert (len(part.which), len(call[2].which)) == (12, 24)
    pairs = set(zip(call[2].which, call[2].cuts, strict=True))
    assert len(set(zip(part.which, part.cuts, strict=True)) & pairs) == 12


# ------------------------------------------------------------------------------------------------ tables and sentences


def test_without_covariates_the_table_is_empty_and_nothing_is_said(monkeypatch):
    monkeypatch.setattr(importance, "_part", None)  # nothing is measured
    result = backtest(table_of()[["unique_id", "ds", "y"]], 1)
    assert result.importance.empty
    assert result.importance.columns.tolist() == ["covariate", "role", "increase", "standard_error"]
    assert result.importance.dtypes["increase"] == np.float64
    assert "ovariate" not in result.verdict


def test_polars_tables_give_the_same_importance():
    table = table_of(2)
    expected = backtest(table, 2, refit=False, **COVARIATES).importance
    found = backtest(pl.from_pandas(table), 2, refit=False, **COVARIATES).importance
    assert isinstance(found, pl.DataFrame)
    assert found.to_dict(as_series=False) == expected.to_dict("list")
    assert expected["role"].tolist() == ["past", *["known"] * 3, *["calendar"] * 3, "static"]
    empty = backtest(pl.from_pandas(table[["unique_id", "ds", "y"]]), 1).importance
    assert (empty.height, empty.columns) == (0, found.columns)


@pytest.mark.parametrize(
    ("importances", "sentence"),
    [
        ([], ""),
        ([("x", 0.0, 0.0), ("z", 1e-9, 1e-9)], "Covariates: the forecast does not depend on them."),
        (
            [("z", -0.0012, 0.01), ("a", 0.05, 0.03), ("x", 0.314, 0.1), ("y", 0.5, 0.3), ("b", 12.0, 0.1)],
            "Covariates: 'b' helps (without its information the error is more than 10 times as high); 'x' helps "
            "(without its information the error is 31 % higher); 'y' does not clearly help (+50 % ± 30 %); 'a' does "
            "not clearly help (+5 % ± 3 %); 'z' does not help (+0 %).",
        ),
        (
            [(name, 0.5 - 0.01 * k, 0.5) for k, name in enumerate("abcdefg")],
            "Covariates: 'a' does not clearly help (+50 % ± 50 %); 'b' does not clearly help (+49 % ± 50 %); 'c' does "
            "not clearly help (+48 % ± 50 %); 'd' does not clearly help (+47 % ± 50 %); 'e' does not clearly help "
            "(+46 % ± 50 %); 2 more in the table of importance.",
        ),
    ],
)
def test_the_sentence_of_the_verdict(importances, sentence):
    records = [Importance(name, "known", increase, error) for name, increase, error in importances]
    assert verdict.covariates(records) == sentence


def test_the_standard_error_is_the_larger_of_repetitions_and_cases():
    group = importance._Group("x", "known", "known", slice(1))
    after = np.array([[2.0, 4.0, 6.0], [2.0, 4.0, 6.0]])
    result = importance._importance(group, np.array([2.0, 2.0, 2.0]), after)
    assert (result.increase, result.standard_error) == (1.0, pytest.approx(1 / math.sqrt(3)))
    after = np.array([[2.0, 2.0], [4.0, 4.0]])
    result = importance._importance(group, np.array([2.0, 2.0]), after)
    assert (result.increase, result.standard_error) == (0.5, pytest.approx(0.5))
    exact = importance._importance(group, np.zeros(2), np.zeros((2, 2)))
    assert (exact.increase, exact.standard_error) == (0, 0)
    assert importance._importance(group, np.zeros(2), np.ones((2, 2))).increase == pytest.approx(1e12)
