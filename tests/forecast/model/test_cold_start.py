"""Forecasts of new series, which are too short to show a season."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model import selection
from gatewise.forecast.model.borrowed_past import NewSeries, Pool
from gatewise.forecast.model.cold_start import NOT_MEASURED, ColdStart, measure, measured_sizes
from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.validation_set import ValidationSet
from gatewise.forecast.persistence import forecaster_state
from gatewise.series import read
from tests.forecast.shops import DAYS, LONG, QUICK, WEEK, fitted, sales, table
from tests.waves import tables, window_scaling

HORIZON, NEW = 14, 10  # steps; new shops of a test of coverage
COLUMNS = ["LSTM", "LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"]


def rows(forecast, name):
    return forecast[forecast["unique_id"] == name].reset_index(drop=True)


def without(model):
    """The model without cold start."""
    other = model.with_series(model.state.panel)
    other._state = replace(model.state, selection=replace(model.state.selection, cold_start=NOT_MEASURED))
    return other


@pytest.fixture(scope="module")
def model():
    return fitted()


@pytest.mark.parametrize("fallback", ["best", "none", "SES"])
def test_intervals_of_new_series_cover(fallback):
    inside = {14: [], 28: []}
    for seed in (0, 1):
        ds, y = sales(LONG + NEW, DAYS + 4 * HORIZON, seed)
        model = Forecaster(**QUICK, fallback=fallback).fit(table(ds, y, (DAYS,) * LONG, DAYS))
        for end in range(DAYS, DAYS + 4 * HORIZON, HORIZON):
            truth = y[LONG:, end : end + HORIZON].ravel()
            for size, found in inside.items():
                forecast = model.with_series(table(ds, y, (end,) * LONG + (size,) * NEW, end)).predict(HORIZON)
                lower, upper = forecast[["LSTM-lo-80", "LSTM-hi-80"]].to_numpy()[LONG * HORIZON :].T
                found.append(((truth >= lower) & (truth <= upper)).mean())
    for size, found in inside.items():
        assert 0.7 <= np.mean(found) <= 0.9, (size, np.mean(found))


def test_the_forecast_of_a_new_shop_has_the_peak_of_the_others(model):
    forecast = model.predict(HORIZON)
    saturday = forecast["ds"].dt.day_of_week == 5
    peaks = forecast[saturday].groupby("unique_id")["LSTM"].mean() / forecast.groupby("unique_id")["LSTM"].mean()
    assert peaks.iloc[:LONG].mean() > 1.5
    assert abs(peaks[f"S{LONG:02d}"] / peaks.iloc[:LONG].mean() - 1) < 0.2


def test_a_peak_that_the_new_shop_has_not_shown_is_borrowed():
    ds, y = sales(LONG + 1, DAYS)
    wednesday = int(np.flatnonzero(ds.day_of_week == 2)[-1]) + 1
    long = (wednesday,) * LONG
    model = Forecaster(**QUICK).fit(table(ds, y, (*long, 4), wednesday))  # Sunday to Wednesday
    forecast = rows(model.predict(7), f"S{LONG:02d}").set_index(rows(model.predict(7), "S00")["ds"].dt.day_of_week)
    assert forecast["LSTM"].idxmax() == 5
    assert forecast["LSTM"].max() > 1.3 * forecast["LSTM"].mean()


def test_without_new_series_nothing_changes(monkeypatch):
    data = table(*sales(LONG, DAYS), (DAYS,) * LONG)
    model = Forecaster(**QUICK).fit(data)
    monkeypatch.setattr(selection, "measure", lambda *arguments: NOT_MEASURED)
    other = Forecaster(**QUICK).fit(data)
    assert model.state.selection.cold_start.sizes == (7, 14, 28)
    assert not other.state.selection.cold_start.sizes
    pd.testing.assert_frame_equal(model.predict(20), other.predict(20), check_exact=True)
    assert model.guesses == other.guesses


def test_the_other_series_of_a_panel_are_forecast_as_before(model):
    forecast, before = model.predict(HORIZON), without(model).predict(HORIZON)
    count = LONG * HORIZON
    pd.testing.assert_frame_equal(forecast[:count], before[:count], check_exact=True)
    widths = [(part["LSTM-hi-80"] - part["LSTM-lo-80"])[count:].mean() for part in (forecast, before)]
    assert widths[0] > 2 * widths[1]


def test_later_values_do_not_matter(model):
    ds, y = sales(LONG + 1, DAYS)
    changed = y.copy()
    changed[:, -5:] *= 3
    forecasts = []
    for values in (y, changed):
        other = model.with_series(table(ds, values, (DAYS,) * LONG + (26,)))
        dataset = other.state.selection.dataset(other.state.panel.series)
        cuts = dataset.ends[-1:] - 5
        forecasts.append(other.state.selection.forecast(dataset, cuts, HORIZON))
    np.testing.assert_array_equal(*forecasts)


def test_a_backtest_of_a_new_series_uses_no_later_values():
    ds, y = sales(LONG + 1, DAYS)
    changed = y.copy()
    changed[:, -7:] *= 3
    tables_ = [table(ds, values, (DAYS,) * LONG + (30,)) for values in (y, changed)]
    results = [Forecaster(**QUICK).backtest(data, 7, windows=2) for data in tables_]
    first, other = (rows(result.forecasts, f"S{LONG:02d}") for result in results)
    pd.testing.assert_frame_equal(first[COLUMNS], other[COLUMNS], check_exact=True)
    assert len(first) == 14
    assert not np.allclose(first["y"], other["y"])


def test_a_new_series_alone_borrows_from_the_fitted_ones(model):
    new = rows(table(*sales(LONG + 1, DAYS), (DAYS,) * LONG + (21,)), f"S{LONG:02d}")
    alone, together = model.predict(HORIZON, table=new), rows(model.predict(HORIZON), f"S{LONG:02d}")
    np.testing.assert_allclose(alone[COLUMNS], together[COLUMNS], rtol=1e-5)


def test_a_saved_model_forecasts_new_series_the_same(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    again = Forecaster.load(tmp_path / "model.safetensors")
    assert again.state.selection.cold_start == model.state.selection.cold_start
    pd.testing.assert_frame_equal(again.predict(HORIZON), model.predict(HORIZON), check_exact=True)
    assert again.guesses == model.guesses


def packed(model):
    state = model.state
    return forecaster_state.pack(model.get_params(), state.panel, state.selection, ())


def test_a_file_without_cold_start_forecasts_as_before(model):
    content, arrays = packed(model)
    del content["cold_start"]
    stored = forecaster_state.unpack(content, arrays, model.plan, model.sizes)
    assert stored.selection.cold_start == NOT_MEASURED


@pytest.mark.parametrize(
    "changes",
    [
        {"sizes": [7, 7, 28]},
        {"sizes": [7, 28, 98]},
        {"factors": [1.0, 0.5, 1.0]},
        {"factors": [1.0]},
        {"weights": [2, 1, 1]},
        {"sizes": "7"},
    ],
)
def test_an_invalid_cold_start_is_refused(model, changes):
    content, arrays = packed(model)
    content["cold_start"] = content["cold_start"] | changes
    with pytest.raises(ValueError, match=r"of new series are invalid|expected|sizes"):
        forecaster_state.unpack(content, arrays, model.plan, model.sizes)


def test_the_guesses_name_the_new_series(model):
    selection, series = model.state.selection, model.state.panel.series
    new, pool = NewSeries(series[-1], 21), Pool(series, selection.ensemble.scaling, "D")
    factor = selection.cold_start.factor(np.array([21]), 98)[0] * pool.extended(new).noise
    width = f"{factor:.1f} times as wide as theirs" if factor >= 1.05 else "as wide as theirs"
    sentence = f"new: 'S06' has 21 values; its forecast uses the past of 6 longer series, its intervals are {width}"
    sentence += ", relative to its level"
    assert sentence in model.guesses
    more = model.with_series(table(*sales(LONG + 2, DAYS), (DAYS,) * LONG + (21, 9)))
    (guess,) = [guess for guess in more.guesses if guess.startswith("new: 'S06' has 21 values")]
    assert guess.endswith("; 1 more of 8 series are as short")


def test_averages_of_forecasts_stay_within_the_limits():
    ds, y = sales(LONG + 1, DAYS)
    data = table(ds, y.round(), (DAYS,) * LONG + (21,))
    forecast = rows(Forecaster(**QUICK, lower=0, integer=True).fit(data).predict(HORIZON), f"S{LONG:02d}")[COLUMNS]
    assert (forecast == forecast.round()).all(axis=None)
    assert (forecast >= 0).all(axis=None)


def test_updates_add_and_lengthen_new_series():
    ds, y = sales(LONG + 2, DAYS + 120)
    model = Forecaster(**QUICK).fit(table(ds, y, (DAYS,) * LONG, DAYS))
    assert not [guess for guess in model.guesses if guess.startswith("new:")]
    cold_start = model.state.selection.cold_start
    for days, size in ((21, 21), (60, 60), (120, 120)):
        model.update(table(ds, y, (days,) * LONG + (size,), DAYS + days))
        named = [guess for guess in model.guesses if guess.startswith("new:")]
        assert [f"'S06' has {size} values" in guess for guess in named] == ([True] if size < 98 else [])
    assert model.state.selection.cold_start == cold_start
    falling = ColdStart((7, 14, 28), (1.0,) * 3, (3.0, 2.0, 1.5)).factor(np.array([21, 60, 98, 120]), 98)
    assert (np.diff(falling) <= 0).all()
    assert falling[0] > 1.5
    assert falling[2:].tolist() == [1.0, 1.0]


def test_the_factor_is_linear_in_the_logarithm_of_the_size():
    factors = ColdStart((8, 16), (1.0, 1.0), (3.0, 2.0)).factor(np.array([4, 8, 11.3137085, 16, 32, 64, 200]), 64)
    np.testing.assert_allclose(factors, [4.0, 3.0, 2.5, 2.0, 1.5, 1.0, 1.0])


def test_measured_factors_are_the_ratio_of_the_errors_in_units_of_the_intervals():
    season, generator = 7, np.random.default_rng(0)
    data = tables((300,) * 5, freq="D", season=season)
    scaling = window_scaling(context=28, season=season)
    dataset = Dataset.of(read(data).series, scaling)
    distances = np.sort(generator.normal(size=400))
    calibration = Calibration(0.0, distances, np.empty((0, 14)), 60, profile=np.ones(14))

    def forecast(dataset, cuts, horizon, future):
        """Too narrow intervals for the extended series, whose length differs from that of the others."""
        spread = 1.0 if len(dataset.series[0]) == 300 else 0.4
        return np.zeros((len(cuts), horizon)), np.full((len(cuts), horizon), spread)

    measured = measure(forecast, calibration, ValidationSet(dataset, 0.2), "D")
    assert measured.sizes == measured_sizes(scaling) == (7, 14, 28)
    assert measured.weights == (1.0, 1.0, 1.0)
    np.testing.assert_allclose(measured.factors, 2.5)


@pytest.mark.parametrize("options", [{"seasonal_difference": 1}, {"season": 1}, {"scale": "standard"}, {"horizon": 3}])
def test_new_series_are_forecast_with_other_options(options):
    model = fitted(max_steps=5, **options)
    assert model.state.selection.cold_start.sizes
    assert any(guess.startswith("new: 'S06'") for guess in model.guesses)
    assert np.isfinite(model.predict(20)[COLUMNS]).all(axis=None)


def test_exact_forecasts_measure_nothing():
    ds, _ = sales(LONG + 1, DAYS)
    exact = np.arange(1.0, LONG + 2)[:, None] * WEEK[ds.day_of_week.to_numpy()]
    model = Forecaster(**{**QUICK, "max_steps": 2}).fit(table(ds, exact, (DAYS,) * LONG + (21,)))
    assert model.state.selection.cold_start == NOT_MEASURED


def test_too_few_long_series_measure_nothing():
    model = Forecaster(**{**QUICK, "max_steps": 2}).fit(table(*sales(4, DAYS), (DAYS, DAYS, DAYS, 21)))
    assert model.state.selection.cold_start == NOT_MEASURED
    assert not [guess for guess in model.guesses if guess.startswith("new:")]
