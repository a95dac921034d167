"""Intervals that learn from what came true after the training."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.forecast import renewal
from gatewise.forecast.intervals import Calibration
from gatewise.forecast.origins import Origins
from gatewise.series import Series

SMALL = {"hidden_size": 8, "updates": 30, "networks": 1, "strategy": "segment", "dropout": 0.0}
ONES = np.ones((1, 1))


def calibration(distances, span=10, errors=None):
    return Calibration(0.0, np.sort(distances), np.empty((0, 1)) if errors is None else errors, span)


def noisy(count, scale, seed=0):
    return 100 + scale * np.random.default_rng(seed).normal(size=count)


@pytest.mark.parametrize(("steps", "new"), [(0, 0), (1, 20), (2.5, 50), (5, 100), (50, 100)])
def test_newer_errors_take_the_place_of_a_share_of_the_old(steps, new):
    known = calibration(np.full(100, 1.0), span=10)  # whose memory is five steps
    found = known.renewed(np.array([[3.0, np.nan, -3.0]]), 2 * ONES, steps)
    assert (found.distances == 1.5).sum() == new
    assert (found.distances == 1.0).sum() == 100 - new
    assert found.span == known.span


def test_what_is_kept_is_spread_over_all_that_was_there():
    found = calibration(np.arange(1.0, 101.0)).renewed(np.arange(1.0, 1001.0)[:, None], ONES, 2.5)
    for level in (20, 50, 80):
        reach = np.percentile(found.distances, level)
        below = (np.arange(1, 101) <= reach).mean() / 2 + (np.arange(1, 1001) <= reach).mean() / 2
        assert below == pytest.approx(level / 100, abs=0.03)


def test_errors_that_nobody_knows_change_nothing():
    known = calibration([1.0, 2.0])
    found = known.renewed(np.full((4, 3), np.nan), np.ones((4, 1)), 100)
    np.testing.assert_array_equal(found.distances, known.distances)


def test_paths_follow_newer_whole_forecasts():
    known = calibration(np.ones(8), errors=np.ones((4, 2)))
    found = known.renewed(np.array([[6.0, 8.0], [np.nan, 8.0]]), 2 * np.ones((2, 1)), 2.5)
    np.testing.assert_array_equal(found.errors, [[1, 1], [1, 1], [3, 4], [3, 4]])
    shorter = known.renewed(np.array([[6.0]]), ONES, 2.5)  # tells nothing of how errors hang together
    np.testing.assert_array_equal(shorter.errors, known.errors)


def test_at_each_origin_the_errors_count_that_were_known_there(monkeypatch):
    monkeypatch.setattr(renewal, "PARTS", 1000)  # renewed at each
    step, horizon, known = 2, 3, calibration(np.full(50, 5.0), span=16)  # remembers eight steps
    origins = Origins.of([Series("A", np.arange(60), np.arange(60.0))], horizon, 8, step)
    errors = np.arange(1.0, 25.0).reshape(8, 3)
    errors[2, 1] = np.nan
    turns = list(renewal.by_origin(known, origins, errors, np.ones((8, 3))))
    assert sum(here.sum() for here, _ in turns) == 8
    for here, found in turns:
        stage = int(np.flatnonzero(here)[0])
        came = {
            errors[k, i]
            for k in range(stage)
            for i in range(horizon)
            if stage * step - 8 < k * step + i + 1 <= stage * step and not np.isnan(errors[k, i])
        }
        # Of 50 places some may be too few to show each of the values.
        assert set(found.distances) - {5.0} <= came | {5.0}
        assert (found.distances != 5.0).sum() == pytest.approx(min(1, stage * step / 8) * 50 * bool(came), abs=8)


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_intervals_of_a_backtest_know_nothing_of_what_comes_later(strategy):
    y = np.concatenate([noisy(150, 1), noisy(60, 1, seed=1)])
    model = Forecaster(**{**SMALL, "strategy": strategy, "dropout": None})
    found = model.backtest(y, 6, windows=10).forecasts
    later = y.copy()
    later[-12:] += 50  # the last two windows
    other = model.backtest(later, 6, windows=10).forecasts
    columns = ["LSTM", "LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"]
    pd.testing.assert_frame_equal(found[columns].iloc[:54], other[columns].iloc[:54])
    assert not np.allclose(found["LSTM-hi-80"].iloc[54:], other["LSTM-hi-80"].iloc[54:])


@pytest.mark.parametrize("factor", [0.2, 4.0])
def test_intervals_follow_a_series_that_becomes_calmer_or_wilder(factor):
    y = np.concatenate([noisy(300, 5), noisy(200, 5 * factor, seed=1)])
    model = Forecaster(**SMALL, horizon=5)
    found = model.backtest(y, 5, windows=40, level=80)
    width = (found.forecasts["LSTM-hi-80"] - found.forecasts["LSTM-lo-80"]).to_numpy()
    assert width[-50:].mean() / width[:5].mean() == pytest.approx(factor, rel=0.5)
    inside = found.forecasts["y"].between(found.forecasts["LSTM-lo-80"], found.forecasts["LSTM-hi-80"])
    assert inside[100:].mean() == pytest.approx(0.8, abs=0.12)

    model.fit(y[:300])
    before = model.predict(5)
    model.update(pd.Series(y, name="y"))
    after = model.predict(5)
    wide, was = ((one["LSTM-hi-80"] - one["LSTM-lo-80"]).mean() for one in (after, before))
    assert wide / was == pytest.approx(factor, rel=0.5)


@pytest.mark.parametrize("naive", [False, True])
@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_an_update_learns_from_the_errors_at_new_values_alone(strategy, naive):
    y = noisy(130, 3)
    model = Forecaster(**{**SMALL, "strategy": strategy, "dropout": None}, horizon=4).fit(y[:120])
    old = model._trained
    known = old.rival.calibration if naive else old.model.calibrated
    model.update(y)
    found = model._trained.rival.calibration if naive else model._trained.model.calibrated
    horizon, errors, spreads = known.errors.shape[1], [], []
    corpus = old.corpus([Series("A", pd.RangeIndex(130), y)], [120])
    for cut in range(120 - horizon + 1, 130):
        mean, spread, _ = old.forecast(corpus, corpus.fronts + cut, horizon, naive=naive)
        truth = np.full(horizon, np.nan)
        for k in range(horizon):
            if 120 <= cut + k < 130:
                truth[k] = y[cut + k]
        errors.append(truth - mean[0])
        spreads.append(spread[0])
    expected = known.renewed(np.array(errors), np.array(spreads), 10)
    np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-4)
    np.testing.assert_allclose(found.errors, expected.errors, rtol=1e-3, atol=1e-4)
    assert not np.array_equal(found.distances, known.distances)


def test_an_update_without_newer_values_leaves_the_intervals():
    y = noisy(80, 3)
    model = Forecaster(**SMALL).fit(y)
    before = model.predict(4)
    pd.testing.assert_frame_equal(model.update(y).predict(4), before)


def test_one_series_of_many_that_grows_counts_for_its_share():
    table = pd.concat(
        [pd.DataFrame({"unique_id": str(k), "ds": np.arange(60), "y": noisy(60, 3, seed=k)}) for k in range(4)]
    )
    model = Forecaster(**SMALL).fit(table)
    old = model._trained.model.calibrated
    newer = pd.DataFrame({"unique_id": "0", "ds": np.arange(60, 63), "y": [101.0, 99.0, 102.0]})
    found = model.update(newer)._trained.model.calibrated
    new = (~np.isin(found.distances, old.distances)).mean()
    assert new == pytest.approx(3 / 4 / (0.5 * old.span), abs=1 / len(old.distances))
