"""The forecaster: against closed forms, hand-written recursions and leaks that must not be."""

import dataclasses

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatewise import DataError, Forecaster, datasets, read
from gatewise.forecast import naive, seasonal_naive
from gatewise.forecast.intervals import Calibration
from gatewise.forecast.one_step import Fitted, Pipeline, Recipe
from gatewise.training import DivergenceError, History
from gatewise.windows import Difference, Scale, Windows

SMALL = {"hidden_size": 8, "updates": 30, "networks": 1}


taken = Windows.__getitem__


def table(y, start="2000-01-01", freq="MS", unique_id="A"):
    return pd.DataFrame({"unique_id": unique_id, "ds": pd.date_range(start, periods=len(y), freq=freq), "y": y})


def wave(n=120, season=12, slope=0.5):
    x = np.arange(n)
    return 50 + slope * x + 10 * np.sin(2 * np.pi * x / season)


def recipe(**changes):
    usual = {
        "cell": "gru",
        "hidden_size": 6,
        "num_layers": 1,
        "loss": "mae",
        "updates": 20,
        "batch_size": 16,
        "lr": 3e-3,
        "held_out": 0.2,
        "networks": 2,
        "seed": 0,
        "engine": "auto",
        "quiet": True,
    }
    return Recipe(**{**usual, **changes})


def pipeline(y, *, difference=None, scale="standard", by_window=True, context=24, season=12):
    difference = difference or Difference(0)
    return Pipeline(difference, Scale(scale).fit(difference.apply(y)), by_window, context, season)


def untrained(line, *, mute=False):
    """A fitted model whose network is as drawn, or silent."""
    generator = torch.Generator().manual_seed(3)
    networks = tuple(recipe()._network(line, generator).eval() for _ in range(2))
    for network in networks if mute else ():
        torch.nn.init.zeros_(network.head.weight)
        torch.nn.init.zeros_(network.head.bias)
    return Fitted(line, networks, History())


# ------------------------------------------------------------------------------------------------- the recursion


@pytest.mark.parametrize("by_window", [False, True])
@pytest.mark.parametrize("season", [1, 12])
def test_a_silent_network_is_the_naive_forecast(season, by_window):
    y = wave()
    model = untrained(pipeline(y, by_window=by_window, season=season), mute=True)
    expected = seasonal_naive(y, 30, season)
    np.testing.assert_allclose(model.extrapolate(y[None], 30)[0], expected, rtol=1e-6)
    fitted = model.fitted(y)
    assert len(fitted) == len(y) - (24 + season - 1)
    np.testing.assert_allclose(fitted, y[-len(fitted) - season : -season], rtol=1e-6)


@pytest.mark.parametrize("difference", [Difference(0), Difference(1), Difference(2), Difference(1, 1, 12)])
@pytest.mark.parametrize("season", [1, 12])
@pytest.mark.parametrize("by_window", [False, True])
def test_extrapolation_is_the_recursion_written_by_hand(difference, season, by_window):
    y = wave() + np.random.default_rng(0).normal(0, 2, 120)
    line = pipeline(y, difference=difference, by_window=by_window, context=20, season=season)
    model = untrained(line)
    d = list((difference.apply(y) - line.scale.shift) / line.scale.scale)
    for _ in range(15):
        window = np.array(d[-(20 + season - 1) :])
        shift, spread = (window.mean(), max(window.std(), 0.02)) if by_window else (0.0, 1.0)
        z = (window - shift) / spread
        x = z[:, None] if season == 1 else np.stack([z[season - 1 :], z[:20]], 1)
        x = torch.tensor(x, dtype=torch.float32)[:, None]
        answer = sum(network(x)[-1, 0, 0].item() for network in model.networks) / 2
        d.append(answer * spread + shift)
    future = difference.extend(np.array(d[-15:]) * line.scale.scale + line.scale.shift, y)
    np.testing.assert_allclose(model.extrapolate(y[None], 15)[0], future, rtol=1e-4)


def test_fitted_is_the_first_step_from_every_window():
    y = wave() + np.random.default_rng(0).normal(0, 2, 120)
    model = untrained(pipeline(y, difference=Difference(1)))
    fitted = model.fitted(y)
    for back in (1, 17, len(fitted)):
        one = model.extrapolate(y[None, : len(y) - back], 1)[0, 0]
        np.testing.assert_allclose(fitted[-back], one, rtol=1e-5)


def test_several_pasts_are_extrapolated_as_if_alone():
    y = wave() + np.random.default_rng(0).normal(0, 2, 120)
    model = untrained(pipeline(y))
    together = model.extrapolate(np.stack([y[:100], y[20:]]), 6)
    np.testing.assert_allclose(together[0], model.extrapolate(y[None, :100], 6)[0], rtol=1e-5)
    np.testing.assert_allclose(together[1], model.extrapolate(y[None], 6)[0], rtol=1e-5)


# ------------------------------------------------------------------------------------------------- the intervals


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40), st.floats(1, 99))
def test_the_reach_holds_its_level_on_the_errors_it_is_read_from(distances, level):
    found = Calibration.of(np.array(distances)[:, None], np.ones(len(distances)))
    reach = found.reach(1.0, 1, level)[0]
    assert (np.array(distances) <= reach).mean() >= level / 100 - 1e-12
    within = level / 100 <= len(distances) / (len(distances) + 1)
    assert reach in distances if within else reach >= max(distances)


def test_levels_beyond_the_errors_there_are_reach_further():
    found = Calibration(0.0, np.array([1.0, 2.0, 3.0]))  # three errors tell of 75 %
    at = [found.reach(1.0, 1, level)[0] for level in (75, 80, 95)]
    assert at == pytest.approx([3, 3 * 1.2816 / 1.1503, 3 * 1.96 / 1.1503], rel=1e-3)
    assert found.in_words() == "intervals: sized by 3 held-out errors; levels above 75 % by a normal tail"


@pytest.mark.parametrize("power", [0.0, 0.3, 1.0])
def test_the_growth_of_the_errors_is_found(power):
    rng = np.random.default_rng(0)
    spreads = rng.uniform(1, 5, 200)
    sizes = spreads[:, None] * np.arange(1, 25) ** power
    found = Calibration.of(rng.normal(0, sizes), spreads)
    assert found.growth == pytest.approx(power, abs=0.05)
    normal = 1.96 * 2.0 * np.arange(1, 9) ** power
    np.testing.assert_allclose(found.reach(2.0, 8, 95), normal, rtol=0.1)


def test_growth_stays_within_bounds_and_is_a_random_walk_where_unknown():
    steps = np.arange(1.0, 9.0)
    assert Calibration.of(steps[None] ** 3, np.ones(1)).growth == 1
    assert Calibration.of(1 / steps[None], np.ones(1)).growth == 0
    assert Calibration.of(np.ones((5, 1)), np.ones(5)).growth == 0.5
    assert Calibration.of(np.zeros((5, 4)), np.ones(5)).growth == 0.5


def test_calibration_uses_the_held_out_errors_of_the_recursion():
    y = wave() + np.random.default_rng(0).normal(0, 2, 120)
    model = untrained(pipeline(y, difference=Difference(1)))
    found = model.calibrate(y, unseen=6)  # origins 114 to 117, three steps each
    errors, spreads = [], []
    for origin in (114, 115, 116, 117):
        errors.append(y[origin : origin + 3] - model.extrapolate(y[None, :origin], 3)[0])
        spreads.append(np.diff(y[origin - 36 : origin]).std())
    expected = Calibration.of(np.array(errors), np.array(spreads))
    np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-4)
    assert found.growth == pytest.approx(expected.growth, rel=1e-4)


def test_intervals_hold_what_they_promise_on_noise_of_one_kind():
    y = 100 + np.random.default_rng(5).normal(0, 3, 400)
    found = Forecaster(**SMALL, context=8).backtest(y, 10, windows=10, level=(50, 80, 95))
    for level, inside in found.coverage.items():
        assert abs(inside - level / 100) < 0.12
    assert list(found.coverage) == [50, 80, 95]


# ------------------------------------------------------------------------------------------------- fit and predict


def test_prediction_keeps_the_calendar_and_the_names():
    model = Forecaster(cell="gru", **SMALL).fit(datasets.air_passengers())
    made = model.predict(24, level=(95, 80))
    assert made.columns.tolist() == ["unique_id", "ds", "GRU", "GRU-lo-80", "GRU-hi-80", "GRU-lo-95", "GRU-hi-95"]
    assert made["ds"].tolist() == pd.date_range("1961-01-01", periods=24, freq="MS").tolist()
    assert set(made["unique_id"]) == {"AirPassengers"}
    inner, outer = made[["GRU-lo-80", "GRU-hi-80"]].to_numpy(), made[["GRU-lo-95", "GRU-hi-95"]].to_numpy()
    assert (outer[:, 0] <= inner[:, 0]).all()
    assert (inner[:, 0] <= made["GRU"]).all()
    assert (made["GRU"] <= inner[:, 1]).all()
    assert (inner[:, 1] <= outer[:, 1]).all()
    assert (outer[:, 1] - outer[:, 0]).min() > 0


@pytest.mark.parametrize("freq", ["ME", "B", "W-SUN", "QS-OCT", "h"])
def test_other_calendars_go_on_as_they_are(freq):
    data = table(wave(90), freq=freq)
    made = Forecaster(**SMALL, season=4, context=8).fit(data).predict(5, level=())
    assert made.columns.tolist() == ["unique_id", "ds", "LSTM"]
    assert made["ds"].tolist() == pd.date_range("2000-01-01", periods=95, freq=freq)[-5:].tolist()


def test_polars_in_polars_out():
    data = pl.DataFrame({"unique_id": "A", "ds": pd.date_range("2000-01-01", periods=90, freq="D"), "y": wave(90, 7)})
    model = Forecaster(**SMALL).fit(data)
    for answer in (model.predict(3), model.fitted(), model.backtest(data, 3, windows=2).scores):
        assert isinstance(answer, pl.DataFrame)
    reference = Forecaster(**SMALL).fit(data.to_pandas()).predict(3)
    np.testing.assert_array_equal(model.predict(3)["LSTM"].to_numpy(), reference["LSTM"].to_numpy())


def test_arrays_and_series_are_enough():
    y = wave(60)
    by_array = Forecaster(**SMALL).fit(y).predict(3)
    assert by_array["ds"].tolist() == [60, 61, 62]
    indexed = pd.Series(y, index=pd.date_range("2000-01-31", periods=60, freq="ME"), name="sales")
    by_series = Forecaster(**SMALL, season=1).fit(indexed).predict(3)
    assert by_series["ds"].dt.strftime("%Y-%m-%d").tolist() == ["2005-01-31", "2005-02-28", "2005-03-31"]
    np.testing.assert_array_equal(by_array["LSTM"], by_series["LSTM"])


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_same_seed_gives_the_same_bits(cell):
    first, again = (Forecaster(cell, **SMALL, seed=4).fit(wave()).predict(5) for _ in range(2))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    other = Forecaster(cell, **SMALL, seed=5).fit(wave()).predict(5)
    assert not np.allclose(first[cell.upper()], other[cell.upper()])


def test_prediction_repeats_and_fit_starts_afresh():
    model = Forecaster(**SMALL).fit(wave())
    first = model.predict(5)
    pd.testing.assert_frame_equal(first, model.predict(5), check_exact=True)
    pd.testing.assert_frame_equal(first, model.fit(wave()).predict(5), check_exact=True)


@pytest.mark.parametrize("scale", ["window", "standard", "minmax", "robust"])
def test_the_unit_of_the_values_does_not_matter(scale):
    y = wave() + np.random.default_rng(0).normal(0, 2, 120)
    one, four = (Forecaster(**SMALL, scale=scale).fit(k * y).predict(6) for k in (1.0, 4.0))  # a power of 2 is exact
    np.testing.assert_allclose(4 * one.iloc[:, 2:], four.iloc[:, 2:], rtol=1e-12)


def test_every_option_together():
    y = wave() + np.random.default_rng(0).normal(0, 1, 120)
    model = Forecaster(
        "rnn",
        8,
        2,
        context=10,
        season=6,
        difference=1,
        seasonal_difference=1,
        scale="robust",
        strategy="one-step",
        updates=20,
        batch_size=16,
        loss="huber",
        held_out=0.3,
        engine="reference",
    ).fit(y)
    made = model.predict(4)
    assert np.isfinite(made.iloc[:, 2:]).all(axis=None)
    fitted = model.fitted()
    assert len(fitted) == 120 - 7 - 15
    np.testing.assert_array_equal(fitted["y"], y[22:])


def test_a_wave_on_a_trend_is_learnt():
    y = wave(150)
    found = Forecaster(updates=200, hidden_size=16).backtest(table(y), 12, windows=2)
    assert found.overall["LSTM"]["MASE"] < 0.3 * found.overall["SeasonalNaive"]["MASE"]
    assert "worth using" in found.verdict


@pytest.mark.parametrize("level", [7.0, 0.0, -1e9])
def test_constant_series_are_forecast_as_constant(level):
    made = Forecaster(**SMALL).fit(np.full(60, level)).predict(5)
    assert made.iloc[:, 2:].to_numpy() == pytest.approx(level, abs=0.1)


def test_training_is_bounded_by_its_updates(monkeypatch):
    seen = []
    monkeypatch.setattr(Windows, "__getitem__", lambda self, at: seen.append(at) or taken(self, at))
    Forecaster(**{**SMALL, "updates": 5}, batch_size=16, context=4).fit(wave(6000))
    batches = [at for at in seen if isinstance(at, torch.Tensor)]
    assert len(batches) == 10  # five with the end held out, five on everything
    assert max(int(at.max()) for at in batches) < 80


def test_the_networks_are_float32_whatever_the_default():
    before = torch.get_default_dtype()
    expected = Forecaster(**SMALL).fit(wave()).predict(3)
    try:
        torch.set_default_dtype(torch.float64)
        made = Forecaster(**SMALL).fit(wave()).predict(3)
    finally:
        torch.set_default_dtype(before)
    np.testing.assert_allclose(made["LSTM"], expected["LSTM"], rtol=1e-5)


# ------------------------------------------------------------------------------------------------- nothing leaks


def test_the_held_out_end_is_not_trained_on():
    y, changed = wave(), wave()
    changed[-20:] += np.random.default_rng(0).normal(0, 5, 20)  # 20 % of 120 are held out: 24
    line = pipeline(y)
    first, other = (recipe().train(line, values) for values in (y, changed))
    assert first.history.train == other.history.train
    assert first.history.held_out[-1] != other.history.held_out[-1]


@pytest.mark.parametrize("refit", [False, True])
def test_a_backtest_does_not_see_what_it_forecasts(refit):
    y, changed = wave(), wave()
    changed[-10:] *= 3
    first, other = (Forecaster(**SMALL).backtest(v, 10, windows=2, refit=refit).forecasts for v in (y, changed))
    columns = ["LSTM", "LSTM-lo-80", "LSTM-hi-95", "Naive"]
    pd.testing.assert_frame_equal(first[columns], other[columns], check_exact=True)
    assert not np.allclose(first["y"], other["y"])


def gappy(last=20.0):
    """90 days of a week's pattern, the days 75 to 84 unknown."""
    y = 20 + 5 * np.sin(np.arange(90) * 2 * np.pi / 7)
    y[75:85], y[85] = np.nan, last
    return table(y, freq="D")


@pytest.mark.parametrize("fill", ["interpolate", "previous", "zero"])
def test_filling_a_gap_does_not_let_the_future_in(fill):
    def forecasts(last):
        return Forecaster(**SMALL).backtest(gappy(last), 10, windows=1, fill=fill).forecasts

    first, other = forecasts(20.0), forecasts(500.0)
    columns = ["LSTM", "LSTM-hi-95", "Naive", "SeasonalNaive"]
    pd.testing.assert_frame_equal(first[columns], other[columns], check_exact=True)


def test_values_filled_in_are_not_scored():
    found = Forecaster(**SMALL).backtest(gappy(), 10, windows=1, fill="interpolate")
    made = found.forecasts
    assert made["y"].isna().tolist() == [True] * 5 + [False] * 5
    known = made.iloc[5:]
    assert found.overall["LSTM"]["MAE"] == pytest.approx((known["y"] - known["LSTM"]).abs().mean())
    assert "Of 5 values" in found.verdict
    with pytest.raises(DataError, match="nothing was observed in the 4 steps after 2000-03-1"):
        Forecaster(**SMALL).backtest(gappy().iloc[:88], 4, windows=3, fill="interpolate")


def test_a_past_of_zeros_filled_in_is_no_fault():
    data = table(wave(60))
    data.loc[:44, "y"] = np.nan
    found = Forecaster(**SMALL).backtest(data, 10, windows=2, fill="zero")  # the first cut lies among the zeros
    assert found.forecasts["Naive"].tolist()[:10] == [0.0] * 10


@pytest.mark.parametrize("refit", [False, True])
def test_the_backtest_goes_by_the_season_of_the_forecast(refit):
    data = table(wave(60))
    found = Forecaster(**SMALL).backtest(data, 12, windows=2, refit=refit)
    assert found.season == 12
    assert "SeasonalNaive" in found.overall
    assert {one.season for one in found.stretches} == {12}
    assert found.guesses[-1] == "season: 12 steps, usual for frequency MS"
    values, context = (48, 24) if refit else (36, 12)
    assert (
        found.trained == f"trained on the first {values} values, context: {context} steps, chosen by season and length"
    )


def test_affordable_windows_leave_enough_to_train_on():
    model = Forecaster(**SMALL)
    assert model.affordable_windows(datasets.air_passengers(), 24) == 3
    assert model.affordable_windows(table(wave(60)), 12) == 2
    assert model.affordable_windows(wave(12), 3) == 0
    for y, horizon in ((wave(12), 2), (wave(40), 7), (wave(61), 20)):
        windows = model.affordable_windows(y, horizon)
        if windows:
            model.backtest(y, horizon, windows=windows)


def test_without_refit_there_is_one_training(monkeypatch):
    trained = []
    train = Recipe.train
    monkeypatch.setattr(Recipe, "train", lambda self, line, y, title: trained.append(len(y)) or train(self, line, y))
    Forecaster(**SMALL).backtest(wave(), 10, windows=3)
    assert trained == [90]
    Forecaster(**SMALL).backtest(wave(), 10, windows=3, refit=True)
    assert trained[1:] == [90, 100, 110]


# ------------------------------------------------------------------------------------------------- the backtest


def test_scores_are_those_of_the_forecasts():
    data = table(wave() + np.random.default_rng(0).normal(0, 3, 120))
    found = Forecaster(**SMALL).backtest(data, 12, windows=3)
    assert found.forecasts["cutoff"].unique().tolist() == data["ds"].iloc[[83, 95, 107]].tolist()
    np.testing.assert_array_equal(found.forecasts["y"], data["y"].iloc[84:])
    for k, cut in enumerate((84, 96, 108)):
        past, part = data["y"].to_numpy()[:cut], found.forecasts.iloc[12 * k : 12 * k + 12]
        np.testing.assert_array_equal(part["Naive"], naive(past, 12))
        np.testing.assert_array_equal(part["SeasonalNaive"], past[-12:])
        rows = found.scores[found.scores["cutoff"] == data["ds"].iloc[cut - 1]].set_index("model")
        for name in ("LSTM", "Naive", "SeasonalNaive"):
            assert rows.loc[name, "MAE"] == pytest.approx(np.abs(part["y"] - part[name]).mean())
            assert rows.loc[name, "MASE"] == pytest.approx(
                np.abs(part["y"] - part[name]).mean() / np.abs(past[12:] - past[:-12]).mean()
            )
        inside = (part["LSTM-lo-80"] <= part["y"]) & (part["y"] <= part["LSTM-hi-80"])
        assert rows.loc["LSTM", "coverage-80"] == pytest.approx(inside.mean())
    assert found.overall["LSTM"]["RMSE"] == pytest.approx(
        found.scores.loc[found.scores["model"] == "LSTM", "RMSE"].mean()
    )


def test_the_last_window_is_what_predict_would_have_said():
    data = table(wave())
    found = Forecaster(**SMALL).backtest(data, 12, windows=1)
    made = Forecaster(**SMALL).fit(data.iloc[:-12]).predict(12)
    np.testing.assert_array_equal(found.forecasts["LSTM-hi-95"], made["LSTM-hi-95"])


def test_the_forecaster_is_left_as_it_was():
    model = Forecaster(**SMALL).fit(wave())
    before = model.predict(3)
    model.backtest(wave(60), 5, windows=1)
    pd.testing.assert_frame_equal(before, model.predict(3), check_exact=True)


@pytest.mark.parametrize(
    ("ours", "words"),
    [(0.5, "is worth using: 50% better"), (0.97, "no better than"), (1.0, "no better than"), (1.5, "Do not trust")],
)
def test_the_verdict_goes_by_the_errors(monkeypatch, ours, words):
    def silent(self, y, horizon):  # errs by `ours` where the naive forecast errs by 1
        return np.repeat(y[:, -1:] + 1 - ours, horizon, 1)

    def fitted(self, line, y, title):
        return dataclasses.replace(untrained(line), calibration=Calibration(0.5, np.ones(1)))

    monkeypatch.setattr(Fitted, "extrapolate", silent)
    monkeypatch.setattr(Recipe, "train", fitted)
    y = np.repeat(np.arange(40.0), 5)  # each stretch of five is 1 above the one before
    y[0] = 1000.0  # so that the drift forecast goes down
    found = Forecaster(context=4).backtest(y, 5, windows=2)
    assert found.overall["Naive"]["MAE"] == 1
    assert words in found.verdict
    assert "the naive forecast (the last value)" in found.verdict
    assert ("2 of 2" if ours < 1 else "0 of 2") in found.verdict


def test_a_series_that_repeats_itself_has_no_mase_but_a_backtest():
    found = Forecaster(**SMALL, season=2).backtest(np.tile([1.0, 2.0], 40), 4, windows=2)
    assert np.isnan(found.overall["LSTM"]["MASE"])
    assert found.overall["SeasonalNaive"]["MAE"] == 0
    assert "Do not trust" in found.verdict
    assert "MASE" not in found.verdict
    assert found.table().splitlines()[1].split()[-1] == "-"


# ------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "transformer"}, "cell is 'transformer', expected one of 'lstm', 'gru', 'rnn'"),
        ({"hidden_size": 0}, "hidden_size is 0, expected a whole number of at least 1"),
        ({"hidden_size": 2.5}, "hidden_size is 2.5, expected a whole number"),
        ({"num_layers": True}, "num_layers is True"),
        ({"difference": -1}, "difference is -1, expected a whole number of at least 0"),
        ({"scale": "log"}, "scale is 'log', expected one of 'window'"),
        ({"strategy": "segment"}, "strategy is 'segment', expected one of 'auto', 'one-step'"),
        ({"loss": "mape"}, "loss is 'mape'"),
        ({"lr": 0}, "lr is 0, expected a number above 0"),
        ({"lr": float("nan")}, "lr is nan, expected a number above 0"),
        ({"held_out": 1.0}, "held_out is 1.0, expected a fraction of the series between 0 and 1"),
        ({"engine": "turbo"}, "engine is 'turbo'"),
        ({"context": 0}, "context is 0"),
        ({"seed": 2**64}, "seed is 18446744073709551616"),
        ({"lr": "0.1"}, "lr is '0.1', expected a number above 0"),
        ({"cell": ["lstm"]}, r"cell is \['lstm'\]"),
        ({"held_out": None}, "held_out is None"),
        ({"hidden_size": 10**8}, "hidden_size 100000000, num_layers 1 and networks 3 make some 2e.17 weights"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Forecaster(**options)


def test_wrong_requests_are_refused():
    model = Forecaster(**SMALL)
    for call in (lambda: model.predict(3), model.fitted, model.plot, model.summary):
        with pytest.raises(RuntimeError, match=r"not fitted; call fit\(table\) first"):
            call()
    model.fit(wave())
    with pytest.raises(ValueError, match="horizon is 0, expected a whole number of at least 1"):
        model.predict(0)
    with pytest.raises(ValueError, match="level is 100, expected a percentage between 0 and 100"):
        model.predict(3, level=(100,))
    for level, message in (("80", "level is '80'"), ((True,), "level is True"), (99.9999999, "at most six digits")):
        with pytest.raises(ValueError, match=message):
            model.predict(3, level=level)
    with pytest.raises(ValueError, match="windows is 0"):
        model.backtest(wave(), 3, windows=0)
    with pytest.raises(ValueError, match="horizon is 1000000000, expected at most 100000 steps"):
        model.predict(10**9)


def test_levels_may_be_one_number_or_an_iterator_and_come_once():
    model = Forecaster(**SMALL).fit(wave())
    one, many = model.predict(3, level=80), model.predict(3, level=iter([95, 80, 95]))
    assert one.columns.tolist() == ["unique_id", "ds", "LSTM", "LSTM-lo-80", "LSTM-hi-80"]
    assert many.columns.tolist()[3:] == ["LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"]


@pytest.mark.parametrize("kind", ["forecast", "series", "differences", "approximation", "learning_curve", "gates"])
def test_every_kind_of_picture_is_drawn(kind):
    pytest.importorskip("matplotlib")
    model = Forecaster("gru", **SMALL).fit(wave())
    drawn = model.plot(kind=kind)
    if kind == "gates":
        assert [ax.get_title(loc="left") for ax in drawn.axes][:3] == ["reset gate", "update gate", "candidate"]
    else:
        assert drawn.get_title(loc="left")
    with pytest.raises(ValueError, match="zoom belongs to kind='approximation'"):
        model.plot(kind="series", zoom=(1, 2))
    with pytest.raises(ValueError, match="kind is 'bars', expected one of 'forecast'"):
        model.plot(kind="bars")
    with pytest.raises(ValueError, match="horizon is 0"):
        model.plot(0)


def test_the_picture_of_a_forecast_shows_the_forecast():
    pytest.importorskip("matplotlib")
    model = Forecaster(**SMALL).fit(wave())
    drawn = model.plot(6, level=80)
    np.testing.assert_array_equal(drawn.lines[1].get_ydata()[1:], model.predict(6)["LSTM"])
    fitted = model.plot(kind="approximation")
    np.testing.assert_array_equal(fitted.lines[1].get_ydata(), model.fitted()["LSTM"])


def test_data_that_will_not_do_are_refused_before_training(monkeypatch):
    monkeypatch.setattr(Recipe, "train", lambda *_: pytest.fail("it went on to train"))
    two = pd.concat([table(wave()), table(wave(), unique_id="B")])
    huge = wave()
    huge[7] = 1e200
    for data, message in (
        (two, r"the table holds 2 series \('A', 'B'\), expected one; select one"),
        (wave(6), r"series 'y' has 6 values, expected at least 10 \(context 4, season 1 and four targets\)"),
        (table(huge), r"series 'A', 2000-08-01.*: 1e\+200 is too large"),
        (np.array([1.0, np.nan, 3.0] * 10), "row 2"),
    ):
        with pytest.raises(DataError, match=message):
            Forecaster(**SMALL).fit(data)
    with pytest.raises(DataError, match="5 windows of 30 leave 0 to train on, expected at least 10; lower windows"):
        Forecaster(**SMALL).backtest(wave(), 30, windows=5)
    with pytest.raises(DataError, match="series 'y' has 40 values, expected at least 51"):
        Forecaster(**SMALL, season=24).fit(wave(40))


def test_divergence_leaves_the_model_that_was_there():
    model = Forecaster(**SMALL).fit(wave())
    before = model.predict(3)
    model.recipe = recipe(cell="lstm", lr=1e30)
    with pytest.raises(DivergenceError, match=r"grow beyond all bounds after \d steps; ask for"):
        model.fit(wave(100))
    model.recipe = recipe(cell="lstm", lr=1e38, num_layers=2)
    with pytest.raises(DivergenceError, match="Use a smaller lr"):
        model.fit(wave(100))
    pd.testing.assert_frame_equal(before, model.predict(3), check_exact=True)


def test_what_was_chosen_is_said():
    model = Forecaster(**SMALL).fit(datasets.air_passengers())
    assert "season: 12 steps, usual for frequency MS" in model.guesses
    assert "context: 24 steps, chosen by season and length" in model.guesses
    short = Forecaster(**SMALL).fit(datasets.air_passengers().iloc[:40])
    assert "season: none; 40 values are less than four seasons of 12" in short.guesses


def test_a_panel_that_was_read_can_be_fitted():
    panel = read(table(wave()))
    made = Forecaster(**SMALL).fit(panel).predict(3)
    pd.testing.assert_frame_equal(made, Forecaster(**SMALL).fit(table(wave())).predict(3))


def test_the_drift_forecast_is_a_rival(monkeypatch):
    monkeypatch.setattr(Fitted, "extrapolate", lambda self, y, horizon: np.repeat(y[:, -1:], horizon, 1))
    monkeypatch.setattr(
        Recipe,
        "train",
        lambda self, line, y, title: dataclasses.replace(untrained(line), calibration=Calibration(0.5, np.ones(1))),
    )
    found = Forecaster(context=4).backtest(3.0 * np.arange(60.0) + 5, 4, windows=2)
    assert found.overall["Drift"]["MAE"] == pytest.approx(0, abs=1e-9)
    assert found.overall["Naive"]["MAE"] == pytest.approx(7.5)  # 3, 6, 9 and 12 too low
    assert "Do not trust the LSTM here: the drift forecast" in found.verdict
    assert found.forecasts["Drift"].tolist() == pytest.approx(found.forecasts["y"].tolist())
