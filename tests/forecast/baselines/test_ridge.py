"""The ridge regression against closed forms and other forecasts."""

import numpy as np
import pandas as pd
import pytest

from gatewise.datasets import air_passengers
from gatewise.forecast.baselines import forecasts
from gatewise.forecast.baselines.calendar_cells import Cells
from gatewise.forecast.baselines.regressors import Form, Rows, Units
from gatewise.forecast.baselines.ridge import PENALTIES, choose, solve
from gatewise.forecast.baselines.windows import Values
from gatewise.series import Series


def absolute_errors(series, cuts, horizon, season, freq):
    which, cuts = np.zeros(len(cuts), int), np.asarray(cuts)
    truth = series.y[cuts[:, None] + np.arange(horizon)]
    by_name = forecasts([series], which, cuts, horizon, season, freq=freq)
    return {name: np.abs(mean - truth).mean() for name, mean in by_name.items()}


def load(size=6000, seed=0):
    """Hourly load: an effect of each hour of the week and of the temperature, and noise."""
    rng, ds = np.random.default_rng(seed), pd.date_range("2024-01-01", periods=size, freq="h")
    hours = np.asarray(ds.day_of_week * 24 + ds.hour)
    temperature = 300 + 8 * np.sin(2 * np.pi * np.arange(size) / 24) + np.cumsum(rng.normal(size=size)) / 3
    y = 500 + 30 * rng.normal(size=168)[hours] + 2 * (temperature - 300) + 3 * rng.normal(size=size)
    return Series("load", ds, y, known=temperature[:, None]), hours


@pytest.mark.parametrize("penalty", [1e-3, 0.5])
def test_coefficients_equal_least_squares_with_rows_for_the_penalty(penalty):
    rng = np.random.default_rng(0)
    X, y, prior = rng.normal(size=(40, 5)), rng.normal(size=40), rng.normal(size=(5, 2))
    found = solve(X.T @ X / 40, (X.T @ y / 40)[:, None], penalty, prior)
    for p in range(2):
        rows = np.concatenate([X, np.sqrt(40 * penalty) * np.eye(5)])
        targets = np.concatenate([y, np.sqrt(40 * penalty) * prior[:, p]])
        np.testing.assert_allclose(found[:, p], np.linalg.lstsq(rows, targets, rcond=None)[0], rtol=1e-9)


def test_penalty_and_prior_are_chosen_on_the_last_quarter():
    rng = np.random.default_rng(1)
    X, priors = rng.normal(size=(6, 4, 80)), rng.normal(size=(6, 4, 3))
    y = np.einsum("bfr,bf->br", X, priors[..., 1]) + rng.normal(size=(6, 80)) * np.arange(6)[:, None]
    chosen = choose(X, y, (np.full(6, 60), np.full(6, 20)), priors)
    for k in range(6):
        best = []
        for penalty in PENALTIES:
            for p in range(3):
                rows = np.concatenate([X[k, :, :60].T, np.sqrt(60 * penalty) * np.eye(4)])
                targets = np.concatenate([y[k, :60], np.sqrt(60 * penalty) * priors[k, :, p]])
                b = np.linalg.lstsq(rows, targets, rcond=None)[0]
                best.append((((y[k, 60:] - X[k, :, 60:].T @ b) ** 2).sum(), penalty, p))
        _, penalty, p = min(best)
        rows = np.concatenate([X[k].T, np.sqrt(80 * penalty) * np.eye(4)])
        targets = np.concatenate([y[k], np.sqrt(80 * penalty) * priors[k, :, p]])
        np.testing.assert_allclose(chosen[k], np.linalg.lstsq(rows, targets, rcond=None)[0], rtol=1e-8)


@pytest.mark.parametrize("seasons", [(), (20,), (20, 35)])
def test_columns_of_the_past_equal_loops(seasons):
    y, season = np.random.default_rng(2).normal(size=200), 5
    ((_, pasts),) = Values.of([Series("A", pd.RangeIndex(200), y)], np.array([0])).blocks(
        np.array([0]), np.array([200]), 200
    )
    cuts, steps = np.array([[90, 61, 117, 200]]), np.array([[1, 23, 5, 7]])
    units = Units(*(np.array([[value]]) for value in (1.0, 0.25, False)), np.empty((1, 0)))
    columns = list(Rows(pasts, pasts.values, cuts, steps, Form(season, seasons, False, False, 4), units).of_past())
    for at, (c, s) in enumerate(zip(cuts[0], steps[0], strict=True)):
        level, t = y[c - season : c].mean(), c + s - 1
        lags = list(range(t % season, c, season))[::-1]
        usual = [np.mean([y[c - k - season * j] for j in range(1, 5)]) for k in (1, 2)]
        slow, fast, trend = np.exp((1 - s) / 6), np.exp((1 - s) / 2), level - y[c - 2 * season : c - season].mean()
        expected = [y[lags[0]] - level, y[lags[:4]].mean() - y[c - 4 * season : c].mean()]
        expected += [y[c - 4 * season : c].mean() - level]
        for longer in seasons:
            long_lags = list(range(t % longer, c, longer))[::-1]
            back = c - (t - long_lags[0])
            expected += [y[long_lags[0]] - level]
            expected += [y[long_lags[:4]].mean() - y[max(c - 4 * longer, 0) : c].mean()]
            expected += [y[long_lags[0]] - y[back - season : back].mean(), level - y[c - longer : c].mean()]
        expected += [y[c - 1] - usual[0], (y[c - 1] - usual[0]) * slow, (y[c - 1] - usual[0]) * fast]
        expected += [(y[c - 2] - usual[1]) * slow, (y[c - 2] - usual[1]) * fast]
        expected += [trend, trend * s / season, level - 0.25, (level - 0.25) * slow]
        np.testing.assert_allclose([column[0, at] for column in columns], expected, atol=1e-12)


def test_calendar_cells_are_those_of_pandas():
    starts = ["2024-03-01 05:00", "2024-03-02 05:00", "2024-03-01 05:00"]
    series = [
        Series(k, pd.date_range(start, periods=30 + k, freq="h"), np.ones(30 + k)) for k, start in enumerate(starts)
    ]
    cells = Cells.of(series, np.arange(3), np.array([40, 35, 31]), "h", 24)
    for k, last in enumerate([40, 35, 31]):
        ds = pd.date_range(starts[k], periods=last + 1, freq="h")
        np.testing.assert_array_equal(cells.cell[cells.offsets[k] + np.arange(last + 1)], ds.day_of_week * 24 + ds.hour)
    assert cells.columns(fine=False).shape == (168, 24 + 7 + 24)
    np.testing.assert_allclose((cells.columns(fine=True) ** 2).mean(0), 1)


def test_ridge_is_as_good_as_a_regression_on_the_hours_of_the_week_and_the_temperature():
    series, hours = load()
    cuts = np.arange(5000, 5900, 113)
    X = np.concatenate([np.eye(168)[hours], series.known - 300], axis=1)
    errors = []
    for cut in cuts:
        b = np.linalg.lstsq(X[:cut], series.y[:cut], rcond=None)[0]
        errors.append(np.abs(X[cut : cut + 48] @ b - series.y[cut : cut + 48]).mean())
    found = absolute_errors(series, cuts, 48, 24, "h")
    assert found["Ridge"] < 1.1 * np.mean(errors)
    assert found["Ridge"] < 0.6 * found["SeasonalNaive"]


def test_ridge_forecasts_a_monthly_series_much_better_than_the_seasonal_naive_forecast():
    y = air_passengers().iloc[:120, -1].to_numpy(float)
    found = absolute_errors(
        Series("A", pd.date_range("1949", periods=120, freq="MS"), y), range(60, 109, 6), 12, 12, "MS"
    )
    assert found["Ridge"] < 0.65 * found["SeasonalNaive"]
    assert found["Theta"] < 0.7 * found["SeasonalNaive"]


def test_ridge_uses_promotions():
    rng, size = np.random.default_rng(3), 400
    promotion = (rng.random(size) < 0.15).astype(float)
    week = np.resize([1.0, 1.1, 0.9, 1.2, 1.5, 1.8, 0.6], size)
    y = 40 * week * (1 + 0.8 * promotion) * np.exp(0.05 * rng.normal(size=size))
    ds, cuts = pd.date_range("2023-01-01", periods=size, freq="D"), range(200, 380, 20)
    with_promotion = absolute_errors(Series("A", ds, y, known=promotion[:, None]), cuts, 14, 7, "D")["Ridge"]
    assert with_promotion < 0.5 * absolute_errors(Series("A", ds, y), cuts, 14, 7, "D")["Ridge"]


def test_a_shift_of_values_and_covariates_changes_nothing_and_a_factor_scales_the_forecast():
    series, _ = load(1200)
    y = series.y - series.y.mean()  # positive values have proportional effects, which a shift changes
    arguments = np.zeros(2, int), np.array([900, 1100]), 24, 24
    expected = forecasts([Series("A", series.ds, y, known=series.known)], *arguments, freq="h")["Ridge"]
    moved = Series("A", series.ds, 1e-4 * y, known=1e3 * series.known - 5e4)
    np.testing.assert_allclose(forecasts([moved], *arguments, freq="h")["Ridge"], 1e-4 * expected, rtol=1e-6, atol=1e-9)


def test_filled_values_are_no_targets():
    rng, size = np.random.default_rng(4), 300
    x, filled = rng.normal(size=(size, 1)), rng.random(size) < 0.4
    y = np.where(filled, 0.0, 10 * x[:, 0] + rng.normal(size=size) / 10)
    series = Series("A", pd.RangeIndex(size), y, filled, known=x)
    future = np.array([[[1.0], [1.0]], [[-1.0], [-1.0]]])
    high, low = forecasts([series], np.zeros(2, int), np.full(2, size), 2, 1, future=future)["Ridge"]
    np.testing.assert_allclose(high - low, 20, rtol=0.05)


def test_a_curved_response_to_a_covariate_is_found():
    generator = np.random.default_rng(0)
    temperature = 12 + 10 * np.sin(np.arange(2000) / 150) + generator.normal(0, 4, 2000)
    y = 500 + 0.5 * (temperature - 14) ** 2 + generator.normal(0, 3, 2000)
    ds = pd.date_range("2024-01-01", periods=2000, freq="h")
    one = Series("A", ds, y, known=temperature[:, None])
    cuts = np.arange(1500, 1950, 45)
    forecast = forecasts([one], np.zeros(10, int), cuts, 24, 24, freq="h", names=("Ridge",))["Ridge"]
    truth = np.stack([y[cut : cut + 24] for cut in cuts])
    noise = np.abs(generator.normal(0, 3, 10_000)).mean()
    assert np.abs(forecast - truth).mean() < 1.3 * noise
