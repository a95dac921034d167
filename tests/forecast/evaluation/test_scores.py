"""Scores of test windows and their means, against independent computations."""

import numpy as np
import pandas as pd
import pytest

from gatewise import metrics
from gatewise.forecast.baselines import drift, naive, seasonal_naive
from gatewise.forecast.evaluation.backtest import Backtest
from gatewise.forecast.evaluation.holdout import Holdout
from gatewise.series import Panel, Series
from tests.forecast.evaluation.windows import HORIZON, SEASON, held


@pytest.mark.parametrize("seed", [0, 1])
def test_each_score_is_that_of_the_public_metrics(seed):
    given = held(seed, gaps=False)
    found = Backtest.of(given)
    rows = found.scores.set_index(["unique_id", "cutoff", "model"])
    assert len(rows) == 4 * len(given.which)
    for w, (k, cut) in enumerate(zip(given.which, given.cuts, strict=True)):
        one, there = given.panel.series[k], ~np.isnan(given.truth[w])
        assert there.sum() == min(HORIZON, len(one) - cut)
        y, past = given.truth[w][there], one.y[:cut]
        pasts = {"Naive": naive(past, 5), "Drift": drift(past, 5), "SeasonalNaive": seasonal_naive(past, 5, SEASON)}
        for name, f in {"LSTM": given.mean[w], **pasts}.items():
            row, f = rows.loc[(one.unique_id, one.ds[cut - 1], name)], f[there]
            expected = [metrics.mae(y, f), metrics.rmse(y, f), metrics.smape(y, f)]
            assert row[["MAE", "RMSE", "sMAPE"]].tolist() == pytest.approx(expected)
            assert row["MASE"] == pytest.approx(metrics.mase(y, f, train=past, season=SEASON))
            if name != "LSTM":
                assert row["CRPS"] == pytest.approx(row["MAE"])
                assert row[["MSIS-80", "MSIS-95", "coverage-80", "coverage-95"]].isna().all()
        bounds = {level: [b[w][there] for b in given.intervals[level]] for level in (80, 95)}
        quantiles = {0.025: bounds[95][0], 0.1: bounds[80][0], 0.5: f, 0.9: bounds[80][1], 0.975: bounds[95][1]}
        row, quantiles[0.5] = rows.loc[(one.unique_id, one.ds[cut - 1], "LSTM")], given.mean[w][there]
        assert row["CRPS"] == pytest.approx(metrics.crps(y, quantiles))
        for level, (lower, upper) in bounds.items():
            scaled = metrics.msis(y, lower, upper, level=level, train=past, season=SEASON)
            assert row[f"MSIS-{level}"] == pytest.approx(scaled)
            assert row[f"coverage-{level}"] == pytest.approx(metrics.coverage(y, lower, upper))


def test_values_filled_in_count_in_no_score():
    given = held()
    found = Backtest.of(given)
    model = found.scores.query("model == 'LSTM'").reset_index(drop=True)
    for w, (k, cut) in enumerate(zip(found.held.which, found.held.cuts, strict=True)):
        one = given.panel.series[k]
        y, f, lower = one.y[cut : cut + 5], found.held.mean[w], found.held.intervals[80][0][w]
        there = np.flatnonzero(~one.filled[cut : cut + 5])
        gaps = [abs(one.y[t] - one.y[t - 7]) for t in range(7, cut) if not one.filled[t] and not one.filled[t - 7]]
        error = np.mean([abs(y[t] - f[t]) for t in there])
        assert model.loc[w, "MAE"] == pytest.approx(error)
        assert model.loc[w, "MASE"] == pytest.approx(error / np.mean(gaps))
        inside = [lower[t] <= y[t] <= found.held.intervals[80][1][w][t] for t in there]
        assert model.loc[w, "coverage-80"] == pytest.approx(np.mean(inside))


def test_the_means_are_over_windows_then_series():
    found = Backtest.of(held())
    names = [name for name in found.scores.columns if name not in ("unique_id", "cutoff", "model")]
    by_series = found.scores.groupby(["unique_id", "model"], sort=False)[names].mean()
    pd.testing.assert_frame_equal(found.by_series.set_index(["unique_id", "model"]), by_series)
    assert found.by_series["unique_id"].unique().tolist() == ["a", "b", "c"]
    for model, scores in by_series.groupby("model"):
        expected = scores[list(found.overall[model])].mean().to_dict()
        assert found.overall[model] == pytest.approx(expected, nan_ok=True)
    table = found.forecasts.dropna(subset="y")
    inside = table["y"].between(table["LSTM-lo-95"], table["LSTM-hi-95"])
    assert found.coverage[95] == pytest.approx(inside.mean())
    assert list(found.coverage) == [80, 95]


def test_each_step_has_the_mean_over_the_series():
    found = Backtest.of(held())
    table = found.forecasts.assign(step=np.tile(np.arange(1, 6), len(found.held.which))).dropna(subset="y")
    rows = found.by_horizon.set_index(["step", "model"])
    assert found.by_horizon["step"].unique().tolist() == [1, 2, 3, 4, 5]
    table["inside"] = table["y"].between(table["LSTM-lo-80"], table["LSTM-hi-80"])
    for step, part in table.groupby("step"):
        per_series = part.groupby("unique_id")
        for model in ("LSTM", "Naive", "Drift", "SeasonalNaive"):
            error = (part["y"] - part[model]).abs()
            by = error.groupby(part["unique_id"])
            assert rows.loc[(step, model), "MAE"] == pytest.approx(by.mean().mean())
            root = (error**2).groupby(part["unique_id"]).mean() ** 0.5
            assert rows.loc[(step, model), "RMSE"] == pytest.approx(root.mean())
        assert rows.loc[(step, "LSTM"), "coverage-80"] == pytest.approx(per_series["inside"].mean().mean())


def test_the_order_of_the_windows_is_of_no_consequence():
    given = held()
    turned = Holdout(
        given.panel,
        SEASON,
        *(part[::-1] for part in (given.which, given.cuts, given.truth, given.mean)),
        {level: (lower[::-1], upper[::-1]) for level, (lower, upper) in given.intervals.items()},
        "LSTM",
    )
    first, other = Backtest.of(given), Backtest.of(turned)
    for name in ("scores", "by_series", "by_horizon", "forecasts"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(other, name), check_exact=True)
    assert first.verdict == other.verdict


def test_scores_are_free_of_the_unit_of_each_series():
    given = held(gaps=False)
    size = np.array([3.0, 0.01, 7e5])
    scaled = tuple(Series(one.unique_id, one.ds, s * one.y) for one, s in zip(given.panel.series, size, strict=True))
    by = size[given.which][:, None]
    intervals = {level: (by * lower, by * upper) for level, (lower, upper) in given.intervals.items()}
    other = Holdout(
        Panel(scaled, "D"), SEASON, given.which, given.cuts, by * given.truth, by * given.mean, intervals, "LSTM"
    )
    for name in ("MASE", "sMAPE", "MSIS-80", "coverage-95"):
        np.testing.assert_allclose(Backtest.of(given).scores[name], Backtest.of(other).scores[name], rtol=1e-9)


def test_without_intervals_there_are_only_errors():
    found = Backtest.of(held(levels=()))
    assert list(found.overall["LSTM"]) == ["MAE", "RMSE", "sMAPE", "MASE", "CRPS"]
    assert found.overall["LSTM"]["CRPS"] == found.overall["LSTM"]["MAE"]
    assert found.coverage == {}
    assert found.forecasts.columns.tolist()[4:] == ["LSTM", "Naive", "Drift", "SeasonalNaive"]
    assert "interval" not in found.verdict
    assert "CRPS: equals the MAE, as there are no intervals." in found.definitions()


def test_definitions_have_a_line_for_every_score():
    found = Backtest.of(held())
    lines = [line.split(":")[0].strip() for line in found.definitions().splitlines()[:-1]]
    assert lines == list(found.overall["LSTM"])
    assert "seasonal naive forecast (season 7)" in found.definitions()
    assert "the quantiles 2.5, 10, 50, 90, 97.5 %" in found.definitions()
    assert "MSIS-95: width of the 95 % interval plus 40 times each miss, scaled like MASE." in found.definitions()
    assert str(found) == f"{found.table()}\n{found.definitions()}\n{found.verdict}"
