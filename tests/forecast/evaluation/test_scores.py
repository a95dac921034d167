"""Scores of test windows and their means, against independent computations."""

import numpy as np
import pandas as pd
import pytest

from gatewise import metrics
from gatewise.forecast.baselines import drift, naive, seasonal_naive
from gatewise.forecast.evaluation.backtest import Backtest
from gatewise.series import Panel, Series
from tests.forecast.evaluation.windows import HORIZON, SEASON, holdout_of, make_holdout


@pytest.mark.parametrize("seed", [0, 1])
def test_each_score_is_that_of_the_public_metrics(seed):
    holdout = make_holdout(seed, gaps=False)
    result = Backtest.of(holdout)
    rows = result.scores.set_index(["unique_id", "cutoff", "model"])
    assert len(rows) == 4 * len(holdout.which)
    for w, (k, cut) in enumerate(zip(holdout.which, holdout.cuts, strict=True)):
        series, present = holdout.panel.series[k], ~np.isnan(holdout.truth[w])
        assert present.sum() == min(HORIZON, len(series) - cut)
        y, past = holdout.truth[w][present], series.y[:cut]
        pasts = {"Naive": naive(past, 5), "Drift": drift(past, 5), "SeasonalNaive": seasonal_naive(past, 5, SEASON)}
        for name, f in {"LSTM": holdout.mean[w], **pasts}.items():
            row, f = rows.loc[(series.unique_id, series.ds[cut - 1], name)], f[present]
            expected = [metrics.mae(y, f), metrics.rmse(y, f), metrics.smape(y, f)]
            assert row[["MAE", "RMSE", "sMAPE"]].tolist() == pytest.approx(expected)
            assert row["MASE"] == pytest.approx(metrics.mase(y, f, train=past, season=SEASON))
            if name != "LSTM":
                assert row["CRPS"] == pytest.approx(row["MAE"])
                assert row[["MSIS-80", "MSIS-95", "coverage-80", "coverage-95"]].isna().all()
        bounds = {level: [b[w][present] for b in holdout.intervals[level]] for level in (80, 95)}
        quantiles = {0.025: bounds[95][0], 0.1: bounds[80][0], 0.5: f, 0.9: bounds[80][1], 0.975: bounds[95][1]}
        row, quantiles[0.5] = rows.loc[(series.unique_id, series.ds[cut - 1], "LSTM")], holdout.mean[w][present]
        assert row["CRPS"] == pytest.approx(metrics.crps(y, quantiles))
        for level, (lower, upper) in bounds.items():
            scaled = metrics.msis(y, lower, upper, level=level, train=past, season=SEASON)
            assert row[f"MSIS-{level}"] == pytest.approx(scaled)
            assert row[f"coverage-{level}"] == pytest.approx(metrics.coverage(y, lower, upper))


def test_filled_values_are_not_scored():
    holdout = make_holdout()
    result = Backtest.of(holdout)
    model = result.scores.query("model == 'LSTM'").reset_index(drop=True)
    for w, (k, cut) in enumerate(zip(result.held.which, result.held.cuts, strict=True)):
        series = holdout.panel.series[k]
        y, f, lower = series.y[cut : cut + 5], result.held.mean[w], result.held.intervals[80][0][w]
        present = np.flatnonzero(~series.filled[cut : cut + 5])
        gaps = [
            abs(series.y[t] - series.y[t - 7])
            for t in range(7, cut)
            if not series.filled[t] and not series.filled[t - 7]
        ]
        error = np.mean([abs(y[t] - f[t]) for t in present])
        assert model.loc[w, "MAE"] == pytest.approx(error)
        assert model.loc[w, "MASE"] == pytest.approx(error / np.mean(gaps))
        inside = [lower[t] <= y[t] <= result.held.intervals[80][1][w][t] for t in present]
        assert model.loc[w, "coverage-80"] == pytest.approx(np.mean(inside))


def test_the_means_are_over_windows_then_series():
    result = Backtest.of(make_holdout())
    names = [name for name in result.scores.columns if name not in ("unique_id", "cutoff", "model")]
    by_series = result.scores.groupby(["unique_id", "model"], sort=False)[names].mean()
    pd.testing.assert_frame_equal(result.by_series.set_index(["unique_id", "model"]), by_series)
    assert result.by_series["unique_id"].unique().tolist() == ["a", "b", "c"]
    for model, scores in by_series.groupby("model"):
        expected = scores[list(result.overall[model])].mean().to_dict()
        assert result.overall[model] == pytest.approx(expected, nan_ok=True)
    table = result.forecasts.dropna(subset="y")
    inside = table["y"].between(table["LSTM-lo-95"], table["LSTM-hi-95"])
    assert result.coverage[95] == pytest.approx(inside.mean())
    assert list(result.coverage) == [80, 95]


def test_each_step_has_the_mean_over_the_series():
    result = Backtest.of(make_holdout())
    table = result.forecasts.assign(step=np.tile(np.arange(1, 6), len(result.held.which))).dropna(subset="y")
    rows = result.by_horizon.set_index(["step", "model"])
    assert result.by_horizon["step"].unique().tolist() == [1, 2, 3, 4, 5]
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


def test_the_order_of_the_windows_does_not_matter():
    holdout = make_holdout()
    turned = holdout_of(
        holdout.panel,
        SEASON,
        *(part[::-1] for part in (holdout.which, holdout.cuts, holdout.truth, holdout.mean)),
        {level: (lower[::-1], upper[::-1]) for level, (lower, upper) in holdout.intervals.items()},
    )
    first, other = Backtest.of(holdout), Backtest.of(turned)
    for name in ("scores", "by_series", "by_horizon", "forecasts"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(other, name), check_exact=True)
    assert first.verdict == other.verdict


def test_scores_do_not_depend_on_the_unit_of_each_series():
    holdout = make_holdout(gaps=False)
    size = np.array([3.0, 0.01, 7e5])
    scaled = tuple(
        Series(series.unique_id, series.ds, s * series.y) for series, s in zip(holdout.panel.series, size, strict=True)
    )
    by = size[holdout.which][:, None]
    intervals = {level: (by * lower, by * upper) for level, (lower, upper) in holdout.intervals.items()}
    other = holdout_of(
        Panel(scaled, "D"),
        SEASON,
        holdout.which,
        holdout.cuts,
        by * holdout.truth,
        by * holdout.mean,
        intervals,
    )
    for name in ("MASE", "sMAPE", "MSIS-80", "coverage-95"):
        np.testing.assert_allclose(Backtest.of(holdout).scores[name], Backtest.of(other).scores[name], rtol=1e-9)


def test_without_intervals_there_are_only_errors():
    result = Backtest.of(make_holdout(levels=()))
    assert list(result.overall["LSTM"]) == ["MAE", "RMSE", "sMAPE", "MASE", "CRPS"]
    assert result.overall["LSTM"]["CRPS"] == result.overall["LSTM"]["MAE"]
    assert result.coverage == {}
    assert result.forecasts.columns.tolist()[4:] == ["LSTM", "Naive", "Drift", "SeasonalNaive"]
    assert "interval" not in result.verdict
    assert "CRPS: equals the MAE, as there are no intervals." in result.definitions()


def test_definitions_have_a_line_for_every_score():
    result = Backtest.of(make_holdout())
    lines = [line.split(":")[0].strip() for line in result.definitions().splitlines()[:-1]]
    assert lines == list(result.overall["LSTM"])
    assert "seasonal naive forecast (season 7)" in result.definitions()
    assert "the quantiles 2.5, 10, 50, 90, 97.5 %" in result.definitions()
    definition = "width of the 95 % interval plus 40 times the distance of values outside it, scaled like MASE."
    assert f"MSIS-95: {definition}" in result.definitions()
    assert str(result) == f"{result.table()}\n{result.definitions()}\n{result.verdict}"
