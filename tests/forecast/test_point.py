"""Means instead of medians."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.point import mean_lift
from gatewise.persistence import file

SMALL = {"hidden_size": 8, "max_steps": 40, "ensemble_size": 1, "strategy": "segment", "dropout": 0.0, "season": 1}


def skewed(count=1500, sigma=0.8, seed=0):
    """Independent values with median 10 and mean 10 exp(sigma^2 / 2)."""
    return 10 * np.exp(sigma * np.random.default_rng(seed).normal(size=count))


def lognormal_calibration(sigma, count, span):
    errors = np.exp(sigma * np.random.default_rng(1).normal(size=(count, 1))) - 1  # of the median 1
    return Calibration.of(errors, np.ones((count, 1)), span)


@pytest.fixture(scope="module")
def models():
    options = {**SMALL, "horizon": 7, "fallback": "none"}
    return {point: Forecaster(**options, point=point).fit(skewed()) for point in ("median", "mean")}


# ------------------------------------------------------------------------------------------------- the expected error


@pytest.mark.parametrize("sigma", [0.3, 0.6, 1.0])
def test_the_mean_of_skewed_values_is_recovered(sigma):
    calibration = lognormal_calibration(sigma, 4000, 8000)
    mean = 1 + calibration.mean_errors(np.ones((1, 1))).item()
    assert mean == pytest.approx(np.exp(sigma**2 / 2), rel=0.03)
    paths = calibration.paths(np.ones((1, 1)), np.ones((1, 1)), 50_000, np.random.default_rng(0))
    assert paths.mean() == pytest.approx(mean, rel=0.02)


def test_few_errors_correct_little():
    errors = np.exp(np.random.default_rng(1).normal(size=(500, 1))) - 1
    shares = []
    for span in (10, 60, 600):
        calibration = Calibration.of(errors, np.ones((500, 1)), span)
        n, mean = calibration.effective_size, calibration.distances.mean()
        assert n == span / 2
        shares.append(calibration.mean_errors(np.ones((1, 1))).item() / mean)
        assert shares[-1] == pytest.approx(n / (n + 30))
    assert shares[0] < 0.15 < 0.9 < shares[-1]
    together = replace(calibration, span=60, series=10, rho=0.5)  # ten series share their shocks
    assert together.mean_errors(np.ones((1, 1))).item() / mean == pytest.approx((300 / 5.5) / (300 / 5.5 + 30))


def test_the_expected_error_grows_like_the_intervals_and_stays_inside_them():
    errors = np.exp(2.5 * np.random.default_rng(2).normal(size=(400, 3))) * np.sqrt([1, 2, 3])  # few huge ones
    calibration = Calibration.of(errors, np.ones((400, 1)), 800)
    spreads = np.array([[1.0, 1.0, 1.0, 1.0], [5.0, 5.0, 5.0, 5.0]])
    expected, zeros = calibration.mean_errors(spreads), np.zeros((2, 4))
    lower, upper = calibration.bounds(zeros, spreads, 80)
    assert (expected > 0).all()
    assert ((lower <= expected) & (expected <= upper)).all()
    np.testing.assert_allclose(expected / upper, (expected / upper)[0, 0])  # the same fraction at each step
    alphas = np.array([0.5, 0.6, 0.7, 0.8, 0.9])[:, None] * np.ones(4)  # intervals have become narrow
    narrow = replace(calibration, alphas=alphas)
    np.testing.assert_array_equal(narrow.mean_errors(spreads), narrow.bounds(zeros, spreads, 80)[1])


def test_symmetric_errors_correct_nothing():
    errors = np.random.default_rng(3).normal(size=(400, 1))
    calibration = Calibration.of(np.concatenate([errors, -errors]), np.ones((800, 1)), 1600)
    assert abs(calibration.mean_errors(np.ones((1, 1))).item()) < 1e-12
    assert mean_lift(calibration, np.ones((5, 1)), np.ones((5, 1))) == 0
    unsigned = Calibration(0.0, np.array([1.0, 2.0]), np.empty((0, 1)), 10)  # of an old file
    assert not unsigned.is_biased
    assert unsigned.mean_errors(np.ones((1, 2))).tolist() == [[0, 0]]


def test_a_remark_needs_more_than_chance():
    """Sums of means that differ by chance from those of medians."""
    lifts = []
    for seed in range(200):
        errors = np.random.default_rng(seed).normal(size=(40, 1))
        calibration = Calibration.of(errors, np.ones((40, 1)), 80)
        lifts.append(mean_lift(calibration, np.full((1, 1), 2.0), np.ones((1, 1))))
    assert np.mean(np.array(lifts) == 0) > 0.9


# ------------------------------------------------------------------------------------------------------ the forecaster


def test_sums_of_means_are_those_that_occur():
    totals = {}
    for point in ("median", "mean"):
        model = Forecaster(**SMALL, horizon=7, fallback="none", point=point)
        forecasts = model.backtest(skewed(), 7, windows=100, refit=False).forecasts
        totals[point] = forecasts["LSTM"].sum() / forecasts["y"].sum()
    assert totals["median"] < 0.8
    assert totals["mean"] == pytest.approx(1, abs=0.06)


def test_the_mean_of_sample_paths_is_the_forecast(models):
    totals = models["mean"].sample(7, 5000).groupby("path")["LSTM"].sum()
    assert totals.mean() == pytest.approx(models["mean"].predict(7)["LSTM"].sum(), rel=0.05)


def test_only_the_point_differs(models):
    median, mean = (models[point].predict(7, quantiles=(0.1, 0.5, 0.9)) for point in ("median", "mean"))
    pd.testing.assert_frame_equal(median.drop(columns="LSTM"), mean.drop(columns="LSTM"), check_exact=True)
    np.testing.assert_array_equal(mean["LSTM-q-0.5"], median["LSTM"])
    assert mean["LSTM"].between(mean["LSTM-lo-80"], mean["LSTM-hi-80"]).all()
    pd.testing.assert_frame_equal(models["median"].sample(7, 5), models["mean"].sample(7, 5), check_exact=True)


def test_the_guesses_say_which_it_is(models):
    medians, means = (models[point].guesses[-1] for point in ("median", "mean"))
    assert medians.startswith("forecast: LSTM (validation MASE: ")
    assert "; medians, whose sums are " in medians
    assert medians.endswith(' % lower than those of means; point="mean" for totals')
    assert "; means, whose sums are " in means
    assert means.endswith(" % higher than those of medians")
    symmetric = Forecaster(**SMALL).fit(100 + np.random.default_rng(0).normal(size=200))
    assert symmetric.guesses[-1].endswith("; medians")
    squared = Forecaster(**SMALL, loss="mse", fallback="none").fit(skewed(300))
    assert "; means" in squared.guesses[-1]


def test_means_stay_within_the_limits():
    y = np.random.default_rng(0).poisson(0.6, 400).clip(max=3).astype(float)
    options = {**SMALL, "lower": 0, "upper": 3}
    for whole in (False, True):
        table = Forecaster(**options, integer=whole, point="mean").fit(y).predict(5)
        assert table["LSTM"].between(0, 3).all()
        assert not whole or (table["LSTM"] == table["LSTM"].round()).all()
    constant = Forecaster(**SMALL, point="mean").fit(np.full(60, 5.0)).predict(3)
    np.testing.assert_array_equal(constant["LSTM"], 5.0)


def test_a_backtest_scores_the_means_and_says_so():
    median, mean = (
        Forecaster(**SMALL, fallback="none", point=point).backtest(skewed(400), 6, windows=4, refit=False)
        for point in ("median", "mean")
    )
    changed = [name for name in median.forecasts if not median.forecasts[name].equals(mean.forecasts[name])]
    assert changed == ["LSTM"]  # not the intervals, nor the baselines
    assert (mean.forecasts["LSTM"] > median.forecasts["LSTM"]).all()
    assert mean.verdict_score == "MAE"
    remark = "The forecasts are means, but MAE favours medians; RMSE favours means."
    assert remark in mean.verdict
    assert remark not in median.verdict


def test_a_saved_model_keeps_its_point_and_its_adapted_levels(models, tmp_path):
    y = skewed()
    model = Forecaster(**models["mean"].get_params()).fit(y[:1400])
    model.save(tmp_path / "before.safetensors")
    assert "delivered.alphas" not in file.load(tmp_path / "before.safetensors", "Forecaster")[1]
    for end in range(1401, 1411):
        model.update(y[:end])
    alphas = model.state.selection.delivered.calibration.alphas
    assert alphas is not None
    model.save(tmp_path / "after.safetensors")
    again = Forecaster.load(tmp_path / "after.safetensors")
    assert again.point == "mean"
    np.testing.assert_array_equal(again.state.selection.delivered.calibration.alphas, alphas)
    pd.testing.assert_frame_equal(again.predict(7), model.predict(7), check_exact=True)


def test_a_wrong_point_is_refused():
    with pytest.raises(ValueError, match=r"^point is 'mode', expected one of 'median', 'mean'$"):
        Forecaster(point="mode")
