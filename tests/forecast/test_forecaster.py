"""The forecaster of a single series: its forecasts, its errors, and no leakage."""

import dataclasses

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from gatewise import DataError, Forecaster, datasets, read
from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.series import check_length
from gatewise.training import DivergenceError
from tests.waves import SMALL, configuration, series, table, wave, window_scaling

# ------------------------------------------------------------------------------------------------- fit and predict


def test_prediction_keeps_the_calendar_and_the_names():
    model = Forecaster(cell="gru", **SMALL).fit(datasets.air_passengers())
    forecasts = model.predict(24, level=(95, 80))
    assert forecasts.columns.tolist() == ["unique_id", "ds", "GRU", "GRU-lo-80", "GRU-hi-80", "GRU-lo-95", "GRU-hi-95"]
    assert forecasts["ds"].tolist() == pd.date_range("1961-01-01", periods=24, freq="MS").tolist()
    assert set(forecasts["unique_id"]) == {"AirPassengers"}
    inner, outer = forecasts[["GRU-lo-80", "GRU-hi-80"]].to_numpy(), forecasts[["GRU-lo-95", "GRU-hi-95"]].to_numpy()
    assert (outer[:, 0] <= inner[:, 0]).all()
    assert (inner[:, 0] <= forecasts["GRU"]).all()
    assert (forecasts["GRU"] <= inner[:, 1]).all()
    assert (inner[:, 1] <= outer[:, 1]).all()
    assert (outer[:, 1] - outer[:, 0]).min() > 0


@pytest.mark.parametrize("freq", ["ME", "B", "W-SUN", "QS-OCT", "h"])
def test_forecasts_continue_the_calendar(freq):
    data = table(wave(90), freq=freq)
    forecasts = Forecaster(**SMALL, season=4, context=8).fit(data).predict(5, level=())
    assert forecasts.columns.tolist() == ["unique_id", "ds", "LSTM"]
    assert forecasts["ds"].tolist() == pd.date_range("2000-01-01", periods=95, freq=freq)[-5:].tolist()


def test_polars_in_polars_out():
    data = pl.DataFrame({"unique_id": "A", "ds": pd.date_range("2000-01-01", periods=90, freq="D"), "y": wave(90, 7)})
    model = Forecaster(**SMALL).fit(data)
    for result in (model.predict(3), model.fitted(), model.backtest(data, 3, windows=2).scores):
        assert isinstance(result, pl.DataFrame)
    reference = Forecaster(**SMALL).fit(data.to_pandas()).predict(3)
    np.testing.assert_array_equal(model.predict(3)["LSTM"].to_numpy(), reference["LSTM"].to_numpy())


def test_arrays_and_pandas_series_can_be_fitted():
    y = wave(60)
    by_array = Forecaster(**SMALL).fit(y).predict(3)
    assert by_array["ds"].tolist() == [60, 61, 62]
    indexed = pd.Series(y, index=pd.date_range("2000-01-31", periods=60, freq="ME"), name="sales")
    by_series = Forecaster(**SMALL, season=1).fit(indexed).predict(3)
    assert by_series["ds"].dt.strftime("%Y-%m-%d").tolist() == ["2005-01-31", "2005-02-28", "2005-03-31"]
    np.testing.assert_array_equal(by_array["LSTM"], by_series["LSTM"])


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_same_seed_gives_the_same_bits(cell):
    first, repeated = (Forecaster(cell, **SMALL, seed=4).fit(wave()).predict(5) for _ in range(2))
    pd.testing.assert_frame_equal(first, repeated, check_exact=True)
    other = Forecaster(cell, **SMALL, seed=5).fit(wave()).predict(5)
    assert not np.allclose(first[cell.upper()], other[cell.upper()])


def test_predict_is_repeatable_and_fit_starts_from_scratch():
    model = Forecaster(**SMALL).fit(wave())
    first = model.predict(5)
    pd.testing.assert_frame_equal(first, model.predict(5), check_exact=True)
    pd.testing.assert_frame_equal(first, model.fit(wave()).predict(5), check_exact=True)


@pytest.mark.parametrize("scale", ["window", "standard", "minmax", "robust"])
def test_the_unit_of_the_values_does_not_matter(scale):
    y = wave() + np.random.default_rng(0).normal(0, 2, 120)
    single, fourfold = (
        Forecaster(**SMALL, scale=scale).fit(k * y).predict(6) for k in (1.0, 4.0)
    )  # a power of 2 is exact
    np.testing.assert_allclose(4 * single.iloc[:, 2:], fourfold.iloc[:, 2:], rtol=1e-12)


def test_many_options_work_together():
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
        max_steps=20,
        batch_size=16,
        loss="huber",
        validation_fraction=0.3,
        engine="reference",
    ).fit(y)
    forecasts = model.predict(4)
    assert np.isfinite(forecasts.iloc[:, 2:]).all(axis=None)
    fitted = model.fitted()
    assert len(fitted) == 120 - 7 - 15
    np.testing.assert_array_equal(fitted["y"], y[22:])


def test_a_wave_on_a_trend_is_learnt():
    y = wave(150)
    result = Forecaster(max_steps=200, hidden_size=16, fallback="none").backtest(table(y), 12, windows=2)
    assert result.overall["LSTM"]["MASE"] < 0.3 * result.overall["SeasonalNaive"]["MASE"]


@pytest.mark.parametrize("level", [7.0, 0.0, -1e9])
def test_constant_series_are_forecast_as_constant(level):
    forecasts = Forecaster(**SMALL).fit(np.full(60, level)).predict(5)
    assert forecasts.iloc[:, 2:].to_numpy() == pytest.approx(level, rel=1e-6, abs=0.1)


def test_the_networks_are_float32_whatever_the_default():
    before = torch.get_default_dtype()
    expected = Forecaster(**SMALL).fit(wave()).predict(3)
    try:
        torch.set_default_dtype(torch.float64)
        forecasts = Forecaster(**SMALL).fit(wave()).predict(3)
    finally:
        torch.set_default_dtype(before)
    np.testing.assert_allclose(forecasts["LSTM"], expected["LSTM"], rtol=1e-5)


# ------------------------------------------------------------------------------------------------- leakage


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_the_validation_set_is_not_trained_on(strategy):
    y, changed = wave(), wave()
    changed[-20:] += np.random.default_rng(0).normal(0, 5, 20)  # 20 % of 120 are held out: 24
    first, other = (
        configuration().train_with_validation(Dataset.of([series(values)], window_scaling(strategy), until=[96]))
        for values in (y, changed)
    )
    assert first.history.train == other.history.train
    assert first.history.held_out[-1] != other.history.held_out[-1]
    assert first.error != other.error


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_a_backtest_does_not_see_what_it_forecasts(refit, strategy):
    y, changed = wave(), wave()
    changed[-10:] *= 3
    model = Forecaster(**{**SMALL, "strategy": strategy})
    first, other = (model.backtest(v, 10, windows=2, refit=refit).forecasts for v in (y, changed))
    columns = ["LSTM", "LSTM-lo-80", "LSTM-hi-95", "Naive"]
    pd.testing.assert_frame_equal(first[columns], other[columns], check_exact=True)
    assert not np.allclose(first["y"], other["y"])


def gappy(last=20.0):
    """90 days with a weekly pattern; days 75 to 84 are missing."""
    y = 20 + 5 * np.sin(np.arange(90) * 2 * np.pi / 7)
    y[75:85], y[85] = np.nan, last
    return table(y, freq="D")


@pytest.mark.parametrize("fill", ["interpolate", "previous", "zero", "none"])
def test_filling_a_gap_leaks_no_future_value(fill):
    def forecasts(last):
        return Forecaster(**SMALL).backtest(gappy(last), 10, windows=1, fill=fill).forecasts

    first, other = forecasts(20.0), forecasts(500.0)
    columns = ["LSTM", "LSTM-hi-95", "Naive", "SeasonalNaive"]
    pd.testing.assert_frame_equal(first[columns], other[columns], check_exact=True)


def test_filled_values_are_not_scored():
    result = Forecaster(**SMALL).backtest(gappy(), 10, windows=1, fill="interpolate")
    forecasts = result.forecasts
    assert forecasts["y"].isna().tolist() == [True] * 5 + [False] * 5
    known = forecasts.iloc[5:]
    assert result.overall["LSTM"]["MAE"] == pytest.approx((known["y"] - known["LSTM"]).abs().mean())
    assert "Coverage over 5 values: " in result.verdict
    with pytest.raises(DataError, match="the 4 steps after 2000-03-1"):
        Forecaster(**SMALL).backtest(gappy().iloc[:88], 4, windows=3, fill="interpolate")


def test_a_past_of_filled_zeros_is_accepted_if_the_end_has_observed_values():
    data = table(wave(60))
    data.loc[:35, "y"] = np.nan
    filled = read(data, fill="zero", fill_limit=0.8)
    result = Forecaster(**SMALL).backtest(filled, 10, windows=2)  # the first cut is at 40, 8 are held out
    assert np.isfinite(result.forecasts[["LSTM", "LSTM-hi-95"]]).all(axis=None)
    data.loc[:44, "y"] = np.nan
    filled = read(data, fill="zero", fill_limit=0.8)
    with pytest.raises(
        DataError,
        match="the last 20% of the series holds only filled values; increase validation_fraction",
    ):
        Forecaster(**SMALL).backtest(filled, 10, windows=2)


@pytest.mark.parametrize("refit", [False, True])
def test_the_backtest_has_the_season_of_the_forecast(refit):
    data = table(wave(60))
    result = Forecaster(**SMALL).backtest(data, 12, windows=2, refit=refit)
    assert result.season == 12
    assert "SeasonalNaive" in result.overall
    assert result.held.season == 12
    assert "season: 12 steps (usual for frequency MS)" in result.guesses
    each, context = ("trained on the first 36 values", 12)
    if refit:
        each, context = ("networks for each window, trained on the first 36 to 48 values", 24)
    assert result.trained == each
    assert f"context: {context} steps (chosen from season and length)" in result.guesses


# ------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "transformer"}, "cell is 'transformer', expected one of 'lstm', 'gru', 'rnn'"),
        ({"hidden_size": 0}, "hidden_size is 0, expected an integer of at least 1"),
        ({"hidden_size": 2.5}, "hidden_size is 2.5, expected an integer"),
        ({"num_layers": True}, "num_layers is True"),
        ({"difference": -1}, "difference is -1, expected an integer of at least 0"),
        ({"seasonal_difference": 50}, "seasonal_difference is 50, expected at most 4"),
        ({"scale": "log"}, "scale is 'log', expected one of 'window'"),
        ({"strategy": "seq2seq"}, "strategy is 'seq2seq', expected one of 'auto', 'one-step', 'segment', 'flatten'"),
        ({"horizon": 0}, "horizon is 0, expected an integer of at least 1"),
        ({"horizon": 10**6}, "horizon is 1000000, expected at most 100000 steps"),
        ({"dropout": 1.0}, "dropout is 1.0, expected a fraction of the hidden values from 0 to below 1"),
        (
            {"dropout": 0.1, "strategy": "one-step"},
            "with dropout, strategy is 'one-step', expected one of 'auto', 'segment'",
        ),
        ({"fallback": "drift"}, "fallback is 'drift', expected one of 'best', 'none', 'naive', 'Naive'"),
        ({"loss": "mape"}, "loss is 'mape'"),
        ({"lr": 0}, "lr is 0, expected a number above 0"),
        ({"lr": float("nan")}, "lr is nan, expected a number above 0"),
        (
            {"validation_fraction": 1.0},
            "validation_fraction is 1.0, expected a fraction of each series between 0 and 1",
        ),
        ({"engine": "turbo"}, "engine is 'turbo'"),
        ({"context": 0}, "context is 0"),
        ({"seed": 2**64}, "seed is 18446744073709551616"),
        ({"lr": "0.1"}, "lr is '0.1', expected a number above 0"),
        ({"cell": ["lstm"]}, r"cell is \['lstm'\]"),
        ({"validation_fraction": None}, "validation_fraction is None"),
        ({"hidden_size": 10**8}, "hidden_size 100000000, num_layers 1 and ensemble_size 1 need about 8e.16 weights"),
    ],
)
def test_invalid_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Forecaster(**options)


def test_invalid_calls_are_refused():
    model = Forecaster(**SMALL)
    for call in (lambda: model.predict(3), model.fitted, model.plot, model.summary):
        with pytest.raises(RuntimeError, match=r"not fitted; call fit\(table\) first"):
            call()
    model.fit(wave())
    with pytest.raises(ValueError, match="horizon is 0, expected an integer of at least 1"):
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


def test_an_unknown_kind_of_figure_is_refused_before_fit_too():
    with pytest.raises(ValueError, match="kind is 'bogus', expected one of 'forecast'"):
        Forecaster().plot(kind="bogus")


def test_levels_can_be_a_number_or_an_iterator_with_duplicates():
    model = Forecaster(**SMALL).fit(wave())
    single, several = model.predict(3, level=80), model.predict(3, level=iter([95, 80, 95]))
    assert single.columns.tolist() == ["unique_id", "ds", "LSTM", "LSTM-lo-80", "LSTM-hi-80"]
    assert several.columns.tolist()[3:] == ["LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"]


@pytest.mark.parametrize("kind", ["forecast", "series", "differences", "approximation", "learning_curve", "gates"])
def test_every_kind_of_figure_is_drawn(kind):
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


def test_the_figure_of_a_forecast_shows_the_forecast():
    pytest.importorskip("matplotlib")
    model = Forecaster(**SMALL).fit(wave())
    drawn = model.plot(6, level=80)
    np.testing.assert_array_equal(drawn.lines[1].get_ydata()[1:], model.predict(6)["LSTM"])
    fitted = model.plot(kind="approximation")
    np.testing.assert_array_equal(fitted.lines[1].get_ydata(), model.fitted()["LSTM"])


def test_invalid_data_are_refused_before_training(monkeypatch):
    monkeypatch.setattr(TrainingConfiguration, "train_with_validation", lambda *_: pytest.fail("it went on to train"))
    huge = wave()
    huge[7] = 1e200
    for data, message in (
        (wave(6), r"series 'y' has 6 values, expected at least 10 \(the minimum for training\); use a longer series$"),
        (table(huge), r"series 'A', 2000-08-01.*: 1e\+200 is too large"),
        (np.array([1.0, np.nan, 3.0] * 10), "row 2"),
    ):
        with pytest.raises(DataError, match=message):
            Forecaster(**SMALL).fit(data)
    with pytest.raises(
        DataError,
        match=r"30 leave 0 for training, expected at least 10 \(160 values in all: 10 \+ 5 x 30\); use windows=3",
    ):
        Forecaster(**SMALL).backtest(wave(), 30, windows=5)
    with pytest.raises(DataError, match="series 'y' has 40 values, expected at least 51"):
        Forecaster(**SMALL, season=24).fit(wave(40))


def test_divergence_leaves_the_previous_model():
    model = Forecaster(**SMALL).fit(wave())
    before = model.predict(3)
    model.sizes = dataclasses.replace(model.sizes, lr=1e30)
    with pytest.raises(DivergenceError, match=r"the recursive forecast overflows after \d steps; use a shorter"):
        model.fit(wave(100))
    model.sizes = dataclasses.replace(model.sizes, lr=1e38, num_layers=2)
    with pytest.raises(DivergenceError, match=r"Use a smaller lr$"):
        model.fit(wave(100))
    with pytest.raises(DivergenceError, match=r"Use a smaller lr$"):
        model.backtest(wave(100), 3)
    pd.testing.assert_frame_equal(before, model.predict(3), check_exact=True)


def test_choices_are_in_the_guesses():
    model = Forecaster(**SMALL).fit(datasets.air_passengers())
    assert "strategy: one-step (as given)" in model.guesses
    assert "season: 12 steps (usual for frequency MS)" in model.guesses
    assert "context: 24 steps (chosen from season and length)" in model.guesses
    short = Forecaster(**SMALL).fit(datasets.air_passengers().iloc[:40])
    fewer = "season: none (40 values are fewer than four seasons of 12 steps)"
    assert f"{fewer}; the baselines use a season of 12 steps" in short.guesses


def test_a_panel_can_be_fitted():
    panel = read(table(wave()))
    forecasts = Forecaster(**SMALL).fit(panel).predict(3)
    pd.testing.assert_frame_equal(forecasts, Forecaster(**SMALL).fit(table(wave())).predict(3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Forecaster(**SMALL).fit([1.0]), "series 'y' has 1 value, expected at least"),
        (lambda: Forecaster(**SMALL).backtest(list(wave(12)), 12, windows=1), "; 1 window of 12 leaves 0 for training"),
        (
            lambda: read(pd.Series([1.0], pd.DatetimeIndex(["2000-01-01"]))),
            "has 1 date, expected 3 or more to infer the frequency",
        ),
        (lambda: check_length(read([1.0]), 2, "a pair"), "series 'y' has 1 value, expected at least 2"),
    ],
)
def test_messages_use_the_singular_for_one_value(make, message):
    with pytest.raises(DataError, match=message):
        make()


def test_values_too_large_for_single_precision_need_a_scale():
    model = Forecaster(**SMALL, scale="none")
    with pytest.raises(
        DataError, match=r"series 'A', .*e\+9\d is too large for scale='none', expected .* scale='window'"
    ):
        model.fit(table(1e90 * wave()))
    Forecaster(**SMALL).fit(table(1e90 * wave()))
    model.fit(wave())
    model.sizes = dataclasses.replace(model.sizes, lr=1e38, num_layers=2)
    with pytest.raises(DivergenceError, match=r"Use a smaller lr, or scale='window' instead of 'none'$"):
        model.fit(wave())
