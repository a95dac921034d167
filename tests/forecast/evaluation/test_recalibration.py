"""Recalibration of intervals on outcomes after the training."""

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, Forecaster
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.evaluation import recalibration
from gatewise.forecast.evaluation.cutoffs import Cutoffs
from gatewise.series import Series

SMALL = {"hidden_size": 8, "max_steps": 30, "ensemble_size": 1, "strategy": "segment", "dropout": 0.0}
ONES = np.ones((1, 1))


def calibration(distances, span=10, errors=None):
    return Calibration(0.0, np.sort(distances), np.empty((0, 1)) if errors is None else errors, span)


def noisy(count, scale, seed=0):
    return 100 + scale * np.random.default_rng(seed).normal(size=count)


@pytest.mark.parametrize(("fraction", "new"), [(0, 0), (0.2, 20), (0.5, 50), (1, 100), (10, 100)])
def test_newer_errors_replace_a_fraction_of_the_old(fraction, new):
    known = calibration(np.full(100, 1.0))
    result = known.recalibrated(np.array([[3.0, np.nan, -3.0]]), 2 * ONES, fraction)
    assert (result.distances == 1.5).sum() == new
    assert (result.distances == 1.0).sum() == 100 - new
    assert result.span == known.span


def test_thinned_errors_are_spread_evenly():
    result = calibration(np.arange(1.0, 101.0)).recalibrated(np.arange(1.0, 1001.0)[:, None], ONES, 0.5)
    for level in (20, 50, 80):
        reach = np.percentile(result.distances, level)
        below = (np.arange(1, 101) <= reach).mean() / 2 + (np.arange(1, 1001) <= reach).mean() / 2
        assert below == pytest.approx(level / 100, abs=0.1)


def test_unknown_errors_change_nothing():
    known = calibration([1.0, 2.0])
    result = known.recalibrated(np.full((4, 3), np.nan), np.ones((4, 1)), 1.0)
    np.testing.assert_array_equal(result.distances, known.distances)


def test_paths_follow_newer_whole_forecasts():
    known = calibration(np.ones(8), errors=np.ones((4, 2)))
    result = known.recalibrated(np.array([[6.0, 8.0], [np.nan, 8.0]]), 2 * np.ones((2, 1)), 0.5)
    np.testing.assert_array_equal(result.errors, [[1, 1], [1, 1], [3, 4], [3, 4]])
    shorter = known.recalibrated(
        np.array([[6.0]]), ONES, 0.5
    )  # one step says nothing about the dependence between steps
    np.testing.assert_array_equal(shorter.errors, known.errors)


def test_each_cutoff_uses_only_errors_known_there(monkeypatch):
    monkeypatch.setattr(recalibration, "PARTS", 1000)  # recalibrated at each cutoff
    step, horizon, known = 2, 3, calibration(np.full(50, 5.0), span=16)  # a memory of eight steps
    cutoffs = Cutoffs.of([Series("A", np.arange(60), np.arange(60.0))], horizon, 8, step)
    errors = np.arange(101.0, 125.0).reshape(8, 3)
    errors[2, 1] = np.nan
    turns = list(recalibration.by_cutoff(known, cutoffs, errors, np.ones((8, 3))))
    assert sum(rows.sum() for rows, _ in turns) == 8
    for rows, result in turns:
        stage = int(np.flatnonzero(rows)[0])
        times = {
            errors[k, i]: k * step + i + 1
            for k in range(stage)
            for i in range(horizon)
            if stage * step - 8 < k * step + i + 1 <= stage * step and not np.isnan(errors[k, i])
        }
        assert set(result.distances) - {5.0} <= set(times)
        fraction = len(set(times.values())) / 8
        assert (result.distances != 5.0).sum() == pytest.approx(fraction * 50, abs=1)


@pytest.mark.parametrize(("kind", "horizon", "step"), [("walk", 24, 24), ("noise", 24, 24), ("walk", 6, 12)])
def test_few_cutoffs_do_not_replace_all_known_errors(kind, horizon, step):
    """Naive forecasts from three cutoffs, with a horizon longer than the validation set."""
    generator, inside = np.random.default_rng(0), []
    for _ in range(200):
        y = generator.normal(size=150)
        y = y.cumsum() if kind == "walk" else y
        validation_errors = np.array([y[t + 1 : t + 8] - y[t] for t in range(55, 63)])
        known = Calibration.of(validation_errors, np.ones_like(validation_errors), 14)
        cutoffs = Cutoffs.of([Series("A", np.arange(150), y)], horizon, 3, step)
        errors = np.array([y[cut : cut + horizon] - y[cut - 1] for cut in cutoffs.cuts])
        for rows, result in recalibration.by_cutoff(known, cutoffs, errors, np.ones_like(errors)):
            if not rows[0]:
                lower, upper = result.bounds(np.zeros((1, horizon)), np.ones((1, horizon)), 80)
                inside.append((lower <= errors[rows]) & (errors[rows] <= upper))
    assert np.mean(np.concatenate(inside)) > 0.72


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_intervals_of_a_backtest_do_not_depend_on_later_values(strategy):
    y = np.concatenate([noisy(150, 1), noisy(60, 1, seed=1)])
    model = Forecaster(**{**SMALL, "strategy": strategy, "dropout": None})
    result = model.backtest(y, 6, windows=10, refit=False).forecasts
    later = y.copy()
    later[-12:] += 50  # the last two windows
    other = model.backtest(later, 6, windows=10, refit=False).forecasts
    columns = ["LSTM", "LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"]
    pd.testing.assert_frame_equal(result[columns].iloc[:54], other[columns].iloc[:54])
    assert not np.allclose(result["LSTM-hi-80"].iloc[54:], other["LSTM-hi-80"].iloc[54:])


@pytest.mark.parametrize("factor", [0.2, 4.0])
def test_intervals_follow_a_series_that_becomes_calmer_or_more_volatile(factor):
    y = np.concatenate([noisy(300, 5), noisy(200, 5 * factor, seed=1)])
    model = Forecaster(**SMALL, horizon=5)
    result = model.backtest(y, 5, windows=40, level=80, refit=False)
    width = (result.forecasts["LSTM-hi-80"] - result.forecasts["LSTM-lo-80"]).to_numpy()
    assert width[-50:].mean() / width[:5].mean() == pytest.approx(factor, rel=0.5)
    inside = result.forecasts["y"].between(result.forecasts["LSTM-lo-80"], result.forecasts["LSTM-hi-80"])
    assert inside[100:].mean() == pytest.approx(0.8, abs=0.12)

    model.fit(y[:300])
    before = model.predict(5)
    model.update(pd.Series(y, name="y"))
    after = model.predict(5)
    later_width, earlier_width = (
        (forecasts["LSTM-hi-80"] - forecasts["LSTM-lo-80"]).mean() for forecasts in (after, before)
    )
    assert later_width / earlier_width == pytest.approx(factor, rel=0.5)


@pytest.mark.parametrize("fallback", ["none", "Drift"])
@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_an_update_recalibrates_on_errors_at_new_values_only(strategy, fallback):
    y = noisy(130, 3) if fallback == "none" else 10.0 * np.arange(130) + noisy(130, 3)
    options = {**SMALL, "strategy": strategy, "dropout": None, "fallback": fallback, "max_steps": 1}
    model = Forecaster(**options, horizon=4).fit(y[:120])
    old = model.state.selection
    assert old.delivered.baselines == (() if fallback == "none" else (fallback,))
    known = old.delivered.calibration
    model.update(y)
    result = model.state.selection.delivered.calibration
    horizon, errors, spreads = known.errors.shape[1], [], []
    dataset = old.dataset([Series("A", pd.RangeIndex(130), y)], [120])
    for cut in range(120 - horizon + 1, 130):
        mean, spread = old.forecast(dataset, dataset.fronts + cut, horizon)
        truth = np.full(horizon, np.nan)
        for k in range(horizon):
            if 120 <= cut + k < 130:
                truth[k] = y[cut + k]
        errors.append(truth - mean[0])
        spreads.append(spread[0])
    expected = known.recalibrated(np.array(errors), np.array(spreads), 10 / (0.5 * known.span))
    np.testing.assert_allclose(result.distances, expected.distances, rtol=1e-4)
    np.testing.assert_allclose(result.errors, expected.errors, rtol=1e-3, atol=1e-4)
    assert not np.array_equal(result.distances, known.distances)


def test_an_update_without_newer_values_leaves_the_intervals():
    y = noisy(80, 3)
    model = Forecaster(**SMALL).fit(y)
    before = model.predict(4)
    pd.testing.assert_frame_equal(model.update(y).predict(4), before)


def test_one_growing_series_of_many_replaces_a_proportional_fraction():
    table = pd.concat(
        [pd.DataFrame({"unique_id": str(k), "ds": np.arange(60), "y": noisy(60, 3, seed=k)}) for k in range(4)]
    )
    model = Forecaster(**SMALL).fit(table)
    old = model.state.selection.delivered.calibration
    newer = pd.DataFrame({"unique_id": "0", "ds": np.arange(60, 63), "y": [101.0, 99.0, 102.0]})
    result = model.update(newer).state.selection.delivered.calibration
    new = (~np.isin(result.distances, old.distances)).mean()
    assert new == pytest.approx(3 / 4 / (0.5 * old.span), abs=1 / len(old.distances))


def test_many_small_updates_keep_the_width():
    generator = np.random.default_rng(0)
    known = calibration(np.abs(generator.normal(size=100)), span=20)
    width = []
    for _ in range(300):
        known = known.recalibrated(generator.normal(size=(4, 1)), np.ones((4, 1)), 0.1)
        width.append([known.bounds(0 * ONES, ONES, level)[1][0, 0] for level in (50, 80)])
    first, last = np.mean(width[:50], axis=0), np.mean(width[-50:], axis=0)
    assert last == pytest.approx(first, rel=0.2)


def test_paths_are_as_wide_as_the_intervals_after_daily_updates():
    y = np.concatenate([noisy(200, 1), noisy(40, 8, seed=1)])
    model = Forecaster(**SMALL, horizon=4).fit(y[:200])
    for day in range(201, 241):
        model.update(y[:day])
    forecasts, drawn = model.predict(4, level=80), model.sample(4, 2000)
    wide = (forecasts["LSTM-hi-80"] - forecasts["LSTM-lo-80"]).to_numpy()
    paths = drawn.groupby("ds")["LSTM"].agg(lambda path: np.ptp(np.quantile(path, [0.1, 0.9])))
    assert paths.mean() == pytest.approx(wide.mean(), rel=0.3)


def test_a_constant_series_does_not_recalibrate_others():
    still = np.full(60, 5.0)
    parts = {"still": np.concatenate([still, [5, 6, 5, 6]]), **{str(k): 50 + noisy(64, 1, k) for k in range(3)}}
    table = pd.concat([pd.DataFrame({"unique_id": k, "ds": np.arange(64), "y": v}) for k, v in parts.items()])
    known = table[table["ds"] < 60]
    model = Forecaster(**SMALL, horizon=4).fit(known)

    def width():
        forecasts = model.predict(4)
        return (
            (forecasts["LSTM-hi-95"] - forecasts["LSTM-lo-95"]).groupby(forecasts["unique_id"]).mean()[["0", "1", "2"]]
        )

    before = width()
    model.update(table)
    assert (width() < 3 * before).all()
    result = Forecaster(**SMALL).backtest(table, 2, windows=2)
    of_each = result.by_series[result.by_series["model"] == "LSTM"].set_index("unique_id")["MSIS-95"]
    assert (of_each[["0", "1", "2"]] < 30).all()
    alone = Forecaster(**SMALL, horizon=4).fit(still)
    expected = alone.state.selection.delivered.calibration.distances
    alone.update(np.append(still, [5.0, 7.0]))
    np.testing.assert_array_equal(alone.state.selection.delivered.calibration.distances, expected)


def test_no_validation_forecast_starts_after_a_filled_value():
    y = noisy(120, 3)
    y[70:118:3] = np.nan
    table = pd.DataFrame({"ds": np.arange(120), "y": y})
    model = Forecaster(**SMALL).fit(table, fill="interpolate")
    panel, selection = model.state.panel, model.state.selection
    dataset = selection.dataset(panel.series)
    cuts, _ = selection.configuration.validation_set(dataset).cutoffs()
    assert len(cuts) > 5
    assert dataset.observed[cuts - 1].all()


def test_filled_values_do_not_recalibrate():
    model = Forecaster(**SMALL, horizon=4).fit(noisy(100, 3))
    old = model.state.selection.delivered.calibration
    newer = np.append(np.full(8, np.nan), [100.0])
    table = pd.DataFrame({"ds": np.arange(109), "y": np.concatenate([noisy(100, 3), newer])})
    result = model.update(table, fill="interpolate").state.selection.delivered.calibration
    new = (~np.isin(result.distances, old.distances)).mean()
    assert 0 < new <= 1 / (0.5 * old.span) + 1 / len(old.distances)


def test_values_too_far_to_forecast_from_change_nothing():
    y = noisy(80, 3)
    model = Forecaster(**SMALL).fit(y)
    before = model.predict(4)
    for far in (1e20, 1e60):
        with pytest.raises(DataError, match="too far from the training data"):
            model.update(np.append(y, [far, far]))
    pd.testing.assert_frame_equal(model.predict(4), before)


def test_an_update_with_known_covariates_measures_complete_forecasts():
    generator = np.random.default_rng(0)
    x = generator.normal(size=240)
    data = pd.DataFrame({"ds": pd.date_range("2022-01-01", periods=240), "y": 50 + 8 * x + generator.normal(size=240)})
    data["x"] = x
    model = Forecaster(**{**SMALL, "fallback": "Ridge"}, horizon=14).fit(data[:200], known=["x"])
    widths = []
    for end in (200, 207, 214):
        model.update(data[:end])
        forecast = model.predict(14, future=data[["ds", "x"]][end : end + 14], level=80)
        widths.append((forecast["LSTM-hi-80"] - forecast["LSTM-lo-80"]).mean())
    assert model.delivered == "Ridge"
    assert max(widths) < 1.5 * min(widths)


def test_a_series_that_starts_to_change_again_keeps_finite_intervals(tmp_path):
    y = 100 + 6 * np.random.default_rng(0).normal(size=300)
    y[200:280] = 0.0
    model = Forecaster(**{**SMALL, "fallback": "none"}).fit(y[:280]).update(y)
    assert np.isfinite(model.state.selection.delivered.calibration.distances).all()
    model.save(tmp_path / "model.safetensors")
    assert Forecaster.load(tmp_path / "model.safetensors").predict(3).equals(model.predict(3))
