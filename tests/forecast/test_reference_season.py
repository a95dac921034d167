"""The season of the calendar: with two seasons of values, its naive forecast is a baseline and scales the errors."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.series import DataError

QUICK = {"max_steps": 2, "hidden_size": 4, "ensemble_size": 1, "jobs": 1}
# frequency, values, season of the calendar, the argument season, horizon, windows
INSTANCES = [
    ("MS", 24, 12, None, 3, 3),
    ("MS", 24, 12, None, 12, 1),  # the model knows one season
    ("MS", 25, 12, None, 5, 2),
    ("MS", 30, 12, None, 6, 3),
    ("MS", 36, 12, None, 6, 3),
    ("MS", 36, 12, None, 18, 1),
    ("MS", 36, 12, 1, 6, 3),
    ("MS", 36, 12, 6, 3, 2),
    ("MS", 48, 12, 1, 6, 3),
    ("MS", 144, 12, 1, 12, 2),
    ("W-SUN", 104, 52, None, 8, 2),
    ("W-SUN", 156, 52, 1, 8, 2),
    ("QS", 12, 4, None, 1, 2),
    ("D", 14, 7, None, 1, 3),
    ("D", 27, 7, None, 3, 3),
    ("D", 30, 7, 1, 9, 2),
    ("h", 48, 24, None, 6, 3),
    ("h", 72, 24, 1, 6, 3),
]


def waves(n, season, name="a", freq="MS", noise=0.1):
    """A wave of a season with noise."""
    rng = np.random.default_rng(n)
    y = 100 + 10 * np.sin(2 * np.pi * np.arange(n) / season) + noise * rng.normal(size=n)
    return pd.DataFrame({"unique_id": name, "ds": pd.date_range("2023-01-01", periods=n, freq=freq), "y": y})


@pytest.mark.parametrize(("freq", "n", "usual", "season", "horizon", "windows"), INSTANCES)
def test_the_values_of_the_last_season_are_a_baseline(freq, n, usual, season, horizon, windows):
    data = waves(n, usual, freq=freq)
    result, y = Forecaster(**QUICK, season=season).backtest(data, horizon, windows=windows), data["y"].to_numpy()
    name = f"SeasonalNaive{usual}"
    mean = result.held.forecasts[name].mean
    for cut, forecast in zip(result.held.cuts, mean, strict=True):
        expected = np.resize(y[cut - usual : cut], horizon) if cut >= usual else np.repeat(y[cut - 1], horizon)
        np.testing.assert_array_equal(forecast, expected)
    assert not result.trusted or result.overall["LSTM"]["MAE"] < result.overall[name]["MAE"]
    scored = season if season == 6 else usual if result.held.cuts[0] > usual else 1
    assert result.season == scored
    text = f"seasonal naive forecast (season {scored})" if scored > 1 else "in-sample error of the naive forecast"
    assert text in result.definitions()
    for cut, row in zip(result.held.cuts, result.scores[result.scores["model"] == name].itertuples(), strict=True):
        scale = np.abs(y[scored:cut] - y[: cut - scored]).mean()
        np.testing.assert_allclose(row.MASE, row.MAE / scale)
    assert sum("use a season of " in guess for guess in result.guesses) == 1


@pytest.mark.parametrize(("freq", "n", "usual", "season"), [("MS", 23, 12, None), ("MS", 23, 12, 1), ("D", 13, 7, 1)])
def test_fewer_values_than_two_seasons_have_no_such_baseline(freq, n, usual, season):
    result = Forecaster(**QUICK, season=season).backtest(waves(n, usual, freq=freq), 1, windows=2)
    assert result.season == 1
    assert [name for name in result.overall if name.startswith("Seasonal")] == []


def test_the_longest_series_decides_and_the_shorter_ones_repeat_their_last_value():
    data = pd.concat([waves(n, 12, str(n)) for n in (13, 14, 30)])
    result = Forecaster(**QUICK).backtest(data, 2, windows=1)
    mean = result.held.forecasts["SeasonalNaive12"].mean
    for forecast, n in zip(mean, (13, 14, 30), strict=True):
        y, cut = waves(n, 12)["y"].to_numpy(), n - 2
        np.testing.assert_array_equal(forecast, np.resize(y[cut - 12 : cut], 2) if cut >= 12 else y[[cut - 1] * 2])
    assert result.season == 1  # most series hold no error of the seasonal naive forecast before the window
    assert result.overall["LSTM"]["MASE"] > 0


def test_several_series_are_scaled_by_the_season_of_most():
    data = pd.concat([waves(n, 12, str(n)) for n in (20, 30, 36)])
    result = Forecaster(**QUICK).backtest(data, 3, windows=2)
    assert result.season == 12
    assert "No MASE" not in result.verdict


@pytest.mark.parametrize("season", [None, 1])
def test_the_delivered_average_holds_the_values_of_the_last_season(season, tmp_path):
    data = waves(40, 12, noise=0.01)
    model = Forecaster(**QUICK, season=season).fit(data)
    assert "SeasonalNaive12" in model.delivered
    np.testing.assert_allclose(model.predict(12)["LSTM"], data["y"].to_numpy()[-12:], atol=0.5)
    model.save(tmp_path / "model.safetensors")
    assert Forecaster.load(tmp_path / "model.safetensors").predict(12).equals(model.predict(12))


def test_a_random_walk_is_not_forecast_by_the_last_season():
    data = waves(40, 12).assign(y=np.random.default_rng(0).normal(size=40).cumsum())
    assert "SeasonalNaive12" not in Forecaster(**QUICK).fit(data).delivered


def test_the_season_of_the_calendar_joins_a_given_one_only_if_it_is_longer():
    months = waves(60, 12)
    for season, expected in ((12, []), (24, []), ((6, 12), ["SeasonalNaive12"]), ((6, 18), ["SeasonalNaive12"])):
        names = Forecaster(**QUICK, season=season).backtest(months, 2, windows=1).overall
        assert [name for name in names if name == "SeasonalNaive12"] == expected, season
    with pytest.raises(DataError, match="two of the longest season; omit 36 from season="):
        Forecaster(**QUICK, season=(6, 36)).fit(months)
