"""Several seasons: the longer ones reach the baselines, the delivered forecast, files and messages."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.forecast import baselines
from gatewise.forecast.evaluation.verdict import describe
from gatewise.series import DataError, Series
from tests.forecast.several import QUICK

NOISE = 0.1
BEST = {**QUICK, "fallback": "best", "horizon": 24}


def day_and_week(n=1600, day=12, days=5, seed=0):
    """A table with integer time: a wave of a day, other levels on each day of a week, and noise."""
    t, rng = np.arange(n), np.random.default_rng(seed)
    levels = np.array([0.0, 2.0, -1.5, 1.0, -1.0, 0.5, -2.0])[:days]
    y = np.sin(2 * np.pi * t / day) + levels[t // day % days] + NOISE * rng.normal(size=n)
    return pd.DataFrame({"unique_id": "A", "ds": t, "y": y})


@pytest.mark.parametrize(("day", "days"), [(12, 5), (24, 7)])
def test_with_a_longer_season_the_error_falls_to_the_noise(day, days):
    data = day_and_week(day=day, days=days)
    result = Forecaster(**BEST, season=(day, day * days)).backtest(data, 2 * day, windows=3)
    error = result.overall["LSTM"]["MAE"]
    assert error < 1.3 * NOISE * np.sqrt(2 / np.pi)  # of noise of known mean: the mean of |N(0, 0.1)|
    if day == 12:  # for 24 hours the ridge regression tries a week unasked
        assert error < 0.3 * Forecaster(**BEST, season=day).backtest(data, 2 * day, windows=3).overall["LSTM"]["MAE"]


def test_the_longer_seasonal_naive_forecast_repeats_the_values_of_its_season():
    data = day_and_week(500)
    result = Forecaster(**QUICK, season=(12, 60)).backtest(data, 24, windows=3)
    assert list(result.held.forecasts) == [
        "LSTM",
        "Naive",
        "Drift",
        "SeasonalNaive",
        "SeasonalNaive60",
        "SES",
        "Theta",
        "Ridge",
    ]
    y = data["y"].to_numpy()
    for name, season in (("SeasonalNaive", 12), ("SeasonalNaive60", 60)):
        for cut, mean in zip(result.held.cuts, result.held.forecasts[name].mean, strict=True):
            np.testing.assert_array_equal(mean, np.resize(y[cut - season : cut], 24))
    assert result.season == 12
    assert "in-sample error of the seasonal naive forecast (season 12)" in result.definitions()
    assert {len(line) for line in result.table().splitlines()} == {len(result.table().splitlines()[0])}


def test_before_a_whole_longer_season_its_forecast_is_that_of_the_season():
    y = np.random.default_rng(0).normal(size=100)
    which, cuts = np.zeros(4, int), np.array([5, 40, 59, 60])
    by_name = baselines.forecasts([Series("A", pd.RangeIndex(100), y)], which, cuts, 15, 12, longer=(60,))
    np.testing.assert_array_equal(by_name["SeasonalNaive60"][:3], by_name["SeasonalNaive"][:3])
    np.testing.assert_array_equal(by_name["SeasonalNaive60"][3], y[:15])
    without = baselines.forecasts([Series("A", pd.RangeIndex(100), y)], which, cuts, 15, 1, longer=(60,))
    np.testing.assert_array_equal(without["SeasonalNaive60"][:3], without["Naive"][:3])
    assert "SeasonalNaive" not in without


def test_longer_seasons_leave_the_network_and_the_other_naive_forecasts_unchanged():
    data = day_and_week(500)
    alone, both = (Forecaster(**QUICK, season=season).backtest(data, 24) for season in (12, (12, 60)))
    for name in ("LSTM", "Naive", "SeasonalNaive", "SES", "Theta"):
        np.testing.assert_array_equal(alone.held.forecasts[name].mean, both.held.forecasts[name].mean, err_msg=name)
    of_network = [result.scores.query("model == 'LSTM'").reset_index(drop=True) for result in (alone, both)]
    pd.testing.assert_frame_equal(*of_network, check_exact=True)
    assert not np.array_equal(alone.held.forecasts["Ridge"].mean, both.held.forecasts["Ridge"].mean)


@pytest.mark.parametrize("fallback", ["SeasonalNaive60", "naive", "Ridge"])
def test_a_file_keeps_the_longer_seasons(fallback, tmp_path):
    model = Forecaster(**{**QUICK, "fallback": fallback}, season=[60, 12]).fit(day_and_week(700))
    assert model.delivered == ("Ridge" if fallback == "Ridge" else "SeasonalNaive60")
    assert "seasons: 12 and 60 steps (as given)" in model.guesses
    assert "SeasonalNaive60 " in model.guesses[-1]
    model.save(tmp_path / "model.safetensors")
    loaded = Forecaster.load(tmp_path / "model.safetensors")
    assert loaded.season == (60, 12)
    assert loaded.guesses == model.guesses
    for options in ({}, {"table": day_and_week(900, seed=1)}):
        pd.testing.assert_frame_equal(
            loaded.predict(30, **options), model.predict(30, **options), check_exact=True, obj=str(options)
        )
    if fallback != "Ridge":
        expected = np.resize(day_and_week(700)["y"].to_numpy()[-60:], 70)
        np.testing.assert_array_equal(loaded.predict(70)["LSTM"], expected)


def test_the_seasons_of_the_calendar_are_saved_and_named(tmp_path):
    data = day_and_week(600, 24, 7).assign(ds=pd.date_range("2024-01-01", periods=600, freq="h"))
    model = Forecaster(**{**QUICK, "fallback": "naive"}).fit(data)
    assert model.delivered == "SeasonalNaive168"
    assert "seasons: 24 and 168 steps (usual for frequency h)" in model.guesses
    model.save(tmp_path / "model.safetensors")
    assert Forecaster.load(tmp_path / "model.safetensors").predict(48).equals(model.predict(48))
    assert describe("SeasonalNaive168") == (
        "the seasonal naive forecast with season 168 (the last 168 values repeated)"
    )


def test_weekly_series_of_three_years_have_the_year_as_a_baseline():
    t = np.arange(150)
    y = 50 + 10 * np.sin(2 * np.pi * t / 52) + np.random.default_rng(0).normal(size=150) / 10
    data = pd.DataFrame({"unique_id": "A", "ds": pd.date_range("2021-01-03", periods=150, freq="W-SUN"), "y": y})
    result = Forecaster(**QUICK).backtest(data, 8, windows=2)
    assert result.season == 52
    assert result.overall["SeasonalNaive52"]["MAE"] < 0.2
    assert result.overall["Naive"]["MAE"] > 2


def test_many_minutes_have_a_day_as_a_baseline():
    n = 31_500  # three weeks: more than a ridge regression learns from
    t = np.arange(n)
    series = Series("A", pd.date_range("2024-01-01", periods=n, freq="min"), 10 + 5 * np.sin(2 * np.pi * t / 1440))
    by_name = baselines.forecasts([series], np.array([0]), np.array([n - 60]), 60, 1, freq="min", longer=(1440, 10080))
    for name in ("SeasonalNaive1440", "SeasonalNaive10080", "Ridge"):
        np.testing.assert_allclose(by_name[name][0], series.y[-60:], atol=1e-2, err_msg=name)


@pytest.mark.parametrize(("longer", "least", "most"), [((365,), 0.0, 0.3), ((), 0.6, 9.0)])
def test_the_ridge_regression_has_waves_of_a_long_season_of_integer_time(longer, least, most):
    t, rng = np.arange(1090), np.random.default_rng(3)
    y = np.array([0, 1, 3, 2, 5, -2, 0.5])[t % 7] + 6 * np.sin(2 * np.pi * t / 365) + rng.normal(size=1090) / 5
    which, cuts = np.zeros(10, int), np.arange(730, 1001, 30)
    series = Series("A", pd.RangeIndex(1090), y)
    mean = baselines.forecasts([series], which, cuts, 90, 7, longer=longer, names=("Ridge",))["Ridge"]
    error = np.abs(mean - np.stack([y[cut : cut + 90] for cut in cuts])).mean()
    assert least < error < most


@pytest.mark.parametrize(
    "season", [(24, 24), (1, 24), (0,), (), [24, 168.0], (24, "168"), (24, None), (True, 24), (24, -168), ((24,), 168)]
)
def test_wrong_seasons_are_refused(season):
    with pytest.raises(ValueError) as error:
        Forecaster(season=season)
    assert str(error.value) == f"season is {season!r}, expected different integers of at least 2, such as (24, 168)"


@pytest.mark.parametrize("season", ["24", 24.5, {24, 168}, 0, -1, True, np.array([24, 168])])
def test_a_wrong_season_is_refused(season):
    with pytest.raises(ValueError) as error:
        Forecaster(season=season)
    expected = "an integer, or a tuple such as (24, 168)" if np.ndim(season) else "an integer of at least 1"
    assert str(error.value) == f"season is {season!r}, expected {expected}"


def test_a_season_longer_than_half_of_the_series_is_refused_before_training():
    message = "series 'A' has 119 values, expected at least 120, two of the longest season; omit 60 from season="
    for call in (lambda model, data: model.fit(data), lambda model, data: model.backtest(data, 10)):
        with pytest.raises(DataError, match=message):
            call(Forecaster(**QUICK, season=(12, 60)), day_and_week(119))


def test_a_fallback_names_a_longer_season():
    assert Forecaster(fallback="SeasonalNaive168").fallback == "SeasonalNaive168"  # perhaps of the calendar
    assert Forecaster(season=(24, 168), fallback="SeasonalNaive168").plan.longer == (168,)
    for season in (24, (24, 168)):
        with pytest.raises(ValueError) as error:
            Forecaster(season=season, fallback="SeasonalNaive24")
        assert str(error.value) == (
            f"fallback is 'SeasonalNaive24', but 24 is not a longer season of season={season}; add it, such as "
            "season=(24, 168), or use fallback='SeasonalNaive'"
        )
    for fallback in ("SeasonalNaive0", "SeasonalNaive 168", "SeasonalNaive168 ", "Naive168"):
        with pytest.raises(ValueError, match=f"fallback is '{fallback}', expected one of 'best', 'none'"):
            Forecaster(fallback=fallback)


def test_estimators_keep_the_argument_as_it_is():
    seasons = (np.int64(168), 24)
    model = Forecaster(season=seasons)
    assert model.get_params()["season"] is seasons
    assert (model.plan.season, model.plan.longer) == (24, (168,))
    assert repr(model) == "Forecaster(season=(168, 24))"
    assert model.set_params(season=24).plan.longer == ()
    assert model.set_params(season=[24, 168, 96]).plan.longer == (96, 168)
    assert pytest.importorskip("sklearn.base").clone(model).season == [24, 168, 96]
