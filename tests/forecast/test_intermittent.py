"""Intermittent series in a forecaster: forecasts, intervals, paths, files, updates, limits and backtests."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.forecast import baselines
from gatewise.forecast.evaluation.backtest import Backtest
from gatewise.forecast.evaluation.holdout import Holdout, WindowForecasts
from gatewise.forecast.evaluation.verdict import counts
from gatewise.forecast.model.counts import NAME, Counts
from gatewise.series import Panel, Series
from tests.forecast.several import QUICK

H, DAYS = 7, 140
OPTIONS = {**QUICK, "season": 7, "context": 14, "horizon": H, "fallback": "best", "jobs": 1}


def shops(rates=(0.3, 0.6, 30.0), size=DAYS, seed=0):
    """Sales of shops, intermittent for rates below 1."""
    generator = np.random.default_rng(seed)
    ds = pd.date_range("2024-01-01", periods=size, freq="D")
    parts = [{"unique_id": f"{rate:g}", "ds": ds, "y": generator.poisson(rate, size).astype(float)} for rate in rates]
    return pd.concat(map(pd.DataFrame, parts), ignore_index=True)


@pytest.fixture(scope="module")
def mixed():
    return Forecaster(**OPTIONS).fit(shops())


@pytest.fixture(scope="module")
def slow():
    return Forecaster(**OPTIONS).fit(shops(rates=(0.3, 0.6)))


def without_counts(model):
    """The same networks, without distributions of counts."""
    other = Forecaster(**OPTIONS)
    other._set(replace(model.state, selection=replace(model.state.selection, counting=False)))
    return other


def rows_of(table, regular):
    chosen = table[(table["unique_id"] == "30") == regular]
    return chosen.reset_index(drop=True)


def test_intermittent_series_are_forecast_as_counts(mixed):
    panel = mixed.state.panel
    expected = Counts.of(panel.series, np.arange(3), np.full(3, DAYS), H, 7)
    assert expected.rows.tolist() == [0, 1]
    table = rows_of(mixed.predict(H, level=80, quantiles=(0.1, 0.5, 0.975)), regular=False)
    np.testing.assert_array_equal(table["LSTM"], expected.mean.ravel())
    for column, probability in (("LSTM-lo-80", 0.1), ("LSTM-hi-80", 0.9), ("LSTM-q-0.1", 0.1), ("LSTM-q-0.975", 0.975)):
        quantile = expected.quantile(np.zeros((3, H)), probability)[:2]
        np.testing.assert_array_equal(table[column], quantile.ravel(), err_msg=column)
    assert (table["LSTM-q-0.5"] == expected.quantile(np.zeros((3, H)), 0.5)[:2].ravel()).all()
    paths = rows_of(mixed.sample(H, 50), regular=False)["LSTM"]
    assert (paths >= 0).all()
    assert (paths == np.rint(paths)).all()
    assert paths.mean() == pytest.approx(expected.mean.mean(), rel=0.15)


def test_regular_series_keep_their_forecasts_bit_for_bit(mixed):
    plain = without_counts(mixed)
    for ask in (lambda model: model.predict(H, quantiles=(0.2, 0.5)), lambda model: model.sample(H, 20)):
        pd.testing.assert_frame_equal(
            rows_of(ask(mixed), regular=True), rows_of(ask(plain), regular=True), check_exact=True
        )
        assert not rows_of(ask(mixed), regular=False).equals(rows_of(ask(plain), regular=False))


def test_guesses_and_the_delivered_method_name_the_counts(mixed, slow):
    assert any(guess.startswith("intermittent: 2 of 3 series (ADI ") for guess in mixed.guesses)
    assert mixed.delivered.endswith(f", for intermittent series {NAME}")
    assert (mixed.state.point, slow.state.point) == ("median", "mean")
    assert slow.delivered == NAME
    assert "Croston" in mixed.guesses[-1]  # its validation error


def test_other_fallbacks_deliver_the_network_or_the_baseline():
    for fallback in ("none", "Theta"):
        model = Forecaster(**{**OPTIONS, "fallback": fallback, "max_steps": 2}).fit(shops(rates=(0.3, 0.6)))
        assert not any(guess.startswith("intermittent") for guess in model.guesses)
        assert not len(model.state.selection.counts_ahead(model.state.panel.series, H).rows)
    model = Forecaster(**{**OPTIONS, "fallback": "Croston", "max_steps": 2}).fit(shops(rates=(0.3, 0.6)))
    assert model.delivered == NAME


def test_saved_models_forecast_the_same(mixed, tmp_path):
    mixed.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.predict(H), mixed.predict(H), check_exact=True)
    pd.testing.assert_frame_equal(loaded.sample(H, 5), mixed.sample(H, 5), check_exact=True)


def test_newer_values_and_other_series_change_the_counts(mixed):
    table = shops(size=DAYS + 30)
    later = table.groupby("unique_id", sort=False).tail(30)
    other = without_counts(mixed)
    other._set_fitted(mixed.state.panel, "", mixed.state.selection)
    updated = other.update(later)
    expected = Counts.of(updated.state.panel.series, np.arange(3), np.full(3, DAYS + 30), H, 7)
    np.testing.assert_array_equal(rows_of(updated.predict(H), regular=False)["LSTM"], expected.mean.ravel())
    new = mixed.predict(H, table=shops(rates=(0.2,), seed=5))
    assert 0 < new["LSTM"].mean() < 0.5
    assert (new["LSTM-lo-80"] == 0).all()


def test_horizons_beyond_the_reach_repeat_the_season(mixed):
    far = rows_of(mixed.predict(30), regular=False)
    assert len(far) == 60
    assert far.select_dtypes("number").notna().all().all()
    np.testing.assert_array_equal(far["LSTM"][7:14], far["LSTM"][:7])


def test_limits_hold_and_narrow_intervals_of_counts_do_not_warn():
    options = {**OPTIONS, "lower": 0, "upper": 2, "integer": True, "max_steps": 2}
    table = shops(rates=(0.3, 0.6))
    table["y"] = table["y"].clip(upper=1)
    model = Forecaster(**options).fit(table)
    assert any("(rounded, because of integer=True)" in guess for guess in model.guesses)
    forecast = model.predict(H, level=99.99)
    assert set(np.unique(forecast["LSTM"])) <= {0.0, 1.0}
    assert forecast["LSTM-hi-99.99"].max() == 2.0
    assert model.state.width_warning(model.forecasts(H, (99.99,)), model.state.panel) == ""


def test_a_backtest_judges_mostly_intermittent_series_by_squared_errors(slow):
    result = Forecaster(**OPTIONS).backtest(shops(rates=(0.3, 0.6)), H, windows=6, refit=False)
    assert result.verdict_score == "RMSSE"
    held = result.held
    assert held.counts.all()
    stage = Counts.of(held.panel.series, held.which, held.cuts, H, 7)
    np.testing.assert_allclose(held.mean, stage.mean, rtol=1e-12)
    assert result.delivered == (NAME,)
    assert "RMSSE" in result.verdict
    assert "Intermittent series: 12 of 12 test windows, with" in result.verdict
    assert "In the test windows, the forecast was Croston's mean demand." in result.verdict
    assert "RMSSE: root mean squared error divided by" in result.definitions()
    assert "RMSSE" in result.by_horizon.columns
    assert "RMSSE" in result.against().overall["Naive"]


def test_mostly_regular_series_are_judged_as_before():
    result = Forecaster(**OPTIONS).backtest(shops(rates=(0.3, 20.0, 30.0)), H, windows=2, refit=False)
    assert result.held.counts.sum() == 2
    assert result.verdict_score == "MASE"
    assert "RMSSE" not in result.scores.columns
    assert "for them, the mean absolute error favours forecasts of zero." in result.verdict
    assert "the forecast was Croston's mean demand" not in result.verdict


def test_the_rmsse_is_that_of_its_definition():
    y = np.array([0.0, 2, 0, 0, 1, 0, 3, 0])
    series = Series("A", pd.RangeIndex(8), y)
    forecast = WindowForecasts(np.array([[1.0, 1.0]]), {}, np.array([[2.0, 0.0]]))
    naive = WindowForecasts(np.zeros((1, 2)), {})
    held = Holdout(
        Panel((series,), 1), 1, np.array([0]), np.array([6]), y[None, 6:], {"LSTM": forecast, "Naive": naive}
    )
    result = Backtest.of(held)
    squares = np.square(np.diff(y[:6])).mean()
    assert result.overall["LSTM"]["RMSSE"] == pytest.approx(np.sqrt((4 + 1) / 2 / squares))
    assert result.overall["Naive"]["RMSSE"] == pytest.approx(np.sqrt((9 + 0) / 2 / squares))
    assert result.overall["LSTM"]["CRPS"] == pytest.approx(0.5)  # of the median, not of the mean
    assert result.overall["LSTM"]["MAE"] == pytest.approx(1.5)
    assert result.by_horizon.query("model == 'LSTM' and step == 1")["RMSSE"].item() == pytest.approx(2 / squares**0.5)


def test_importance_does_not_count_forecasts_that_read_no_covariates():
    table = shops(rates=(0.3, 0.6, 30.0))
    table["promotion"] = np.random.default_rng(1).integers(0, 2, len(table)).astype(float)
    result = Forecaster(**OPTIONS).backtest(table[table["unique_id"] != "30"], H, windows=2, known=["promotion"])
    assert result.importance["increase"].tolist() == [0.0]
    assert any(guess.endswith("distribution; they read no covariates") for guess in result.guesses)


def test_the_sentence_about_counts_states_totals_of_observed_values():
    truth = np.array([[1.0, np.nan], [0.0, 2.0], [5.0, 5.0]])
    sentence = counts(np.array([True, True, False]), np.full((3, 2), 0.5), truth, "RMSSE")
    assert sentence.startswith("Intermittent series: 2 of 3 test windows, with 1.5 forecast in total and 3 observed; ")
    assert counts(np.zeros(3, bool), np.zeros((3, 2)), truth, "MASE") == ""


@pytest.mark.parametrize(
    "demands", [lambda g, n: np.rint(20 * g.uniform(0.5, 1.5, n)), lambda g, n: np.full(n, 1000.0)]
)
def test_demands_of_many_units_are_no_counts(demands):
    generator = np.random.default_rng(3)
    y = (generator.random(365) < 0.3) * demands(generator, 365)
    assert np.isnan(baselines.demand_intervals([Series("A", np.arange(365), y)], np.array([0]), np.array([365]), 7))


def test_an_outlier_makes_no_distribution_of_counts():
    y = np.random.default_rng(3).poisson(0.3, 365).astype(float)
    y[300] = 1000.0
    assert np.isnan(baselines.demand_intervals([Series("A", np.arange(365), y)], np.array([0]), np.array([365]), 7))


def test_zeros_before_a_launch_do_not_lower_the_mean_demand():
    y = np.random.default_rng(4).poisson(0.5, 400).astype(float)
    late = np.where(np.arange(400) < 250, 0.0, y)
    series = [Series("A", np.arange(400), late), Series("B", np.arange(150), y[250:])]
    which, cuts = np.arange(2), np.array([400, 150])
    mean = Counts.of(series, which, cuts, 7, 1).mean
    np.testing.assert_allclose(mean[0], mean[1], rtol=0.1)
    croston = baselines.forecasts(series, which, cuts, 7, 1, names=("Croston",))["Croston"]
    np.testing.assert_allclose(croston[0], croston[1], rtol=0.1)
