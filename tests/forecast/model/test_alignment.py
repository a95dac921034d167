"""Alignment: level shifts removed for the model, and restored in the in-sample fit."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, Forecaster
from gatewise.forecast.model.alignment import MOST_SEARCHED, NO_SHIFTS, Alignment
from gatewise.series import Series

QUICK = {"hidden_size": 8, "max_steps": 60, "ensemble_size": 1, "strategy": "one-step", "season": 12}


def shifted(name="a", size=120, at=84, factor=0.6, seed=0):
    """Months with a season, and a shift of the level."""
    noise = np.random.default_rng(seed).normal(0, 0.02, size)
    y = 100 * (1 + 0.2 * np.sin(np.arange(size) * np.pi / 6) + noise) * np.where(np.arange(size) < at, 1, factor)
    return pd.DataFrame({"unique_id": name, "ds": pd.date_range("2015-01-01", periods=size, freq="MS"), "y": y})


def as_series(table):
    return Series(table["unique_id"].iloc[0], pd.DatetimeIndex(table["ds"]), table["y"].to_numpy())


def test_a_shift_is_found_removed_and_restored():
    series, steady = as_series(shifted()), as_series(shifted("b", factor=1.0))
    alignment = Alignment.find([series, steady], 12, "auto")
    assert list(alignment.shifts) == ["a"]
    aligned, other = alignment.apply([series, steady])
    assert other is steady
    np.testing.assert_array_equal(aligned.y[84:], series.y[84:])
    assert aligned.y[:84].mean() == pytest.approx(aligned.y[84:].mean(), rel=0.03)
    for size in (120, 50, 20):
        np.testing.assert_allclose(alignment.undo(series, aligned.y[-size:]), series.y[-size:])
    assert alignment.describe([series, steady])[0].startswith("level shift: -40 % from 2022-01-01 (series 'a')")


def test_a_shift_keeps_its_date_in_a_series_that_starts_later():
    series = as_series(shifted())
    alignment = Alignment.find([series], 12, "auto")
    later = Series("a", series.ds[60:], series.y[60:])
    np.testing.assert_allclose(alignment.apply([later])[0].y, alignment.apply([series])[0].y[60:])
    after = Series("a", series.ds[90:], series.y[90:])
    assert alignment.apply([after])[0] is after


def test_which_series_are_searched():
    series = as_series(shifted())
    assert Alignment.find([series], 12, "none") == NO_SHIFTS
    assert not Alignment.find([series] * (MOST_SEARCHED + 1), 12, "auto").shifts
    given = Alignment.find([series], 12, "2022-01-01")
    assert given.placed(series).position == 84
    assert not Alignment.find([series], 12, "2030-01-01").shifts  # as in a backtest, before the shift
    with pytest.raises(DataError, match="level shift at 2030-01-01 in series 'a': expected at least 2 values on each"):
        Alignment.find([series], 12, "2030-01-01", required=True)


def test_forecasts_and_intervals_stay_at_the_new_level(tmp_path):
    past, future = shifted(at=93)[:-12], shifted(at=93)[-12:]
    model, blind = (Forecaster(**QUICK, shift=shift).fit(past) for shift in ("auto", "none"))
    (line,) = [guess for guess in model.guesses if guess.startswith("level shift")]
    assert re.fullmatch(
        r"level shift: -(39|40|41) % from 2022-10-01 \(series 'a'\); earlier values are aligned .*", line
    )
    assert not any("level shift" in guess for guess in blind.guesses)
    forecast, other = model.predict(12), blind.predict(12)
    errors = [np.abs(table["LSTM"].to_numpy() - future["y"].to_numpy()).mean() for table in (forecast, other)]
    widths = [(table["LSTM-hi-95"] - table["LSTM-lo-95"]).mean() for table in (forecast, other)]
    assert errors[0] < min(8, errors[1])
    assert widths[0] < 0.5 * widths[1]
    fitted = model.fitted()
    assert np.abs(fitted["LSTM"] - fitted["y"]).mean() < 10  # at the old level before the shift
    model.save(tmp_path / "model.safetensors")
    loaded = Forecaster.load(tmp_path / "model.safetensors")
    assert loaded.predict(12).equals(forecast)
    assert loaded.fitted().equals(fitted)


def test_a_backtest_finds_a_shift_only_when_it_is_known():
    table = shifted(at=100)
    changed = table.copy()
    changed.loc[96:, "y"] *= 3
    model = Forecaster(**QUICK)
    first, second = (model.backtest(data, 12, windows=2, refit=True).forecasts for data in (table, changed))
    pd.testing.assert_frame_equal(first.filter(like="LSTM")[:12], second.filter(like="LSTM")[:12])


@pytest.mark.parametrize("shift", [True, 1.5, None, pd.Timestamp("2022-01-01")])
def test_other_types_are_refused(shift):
    with pytest.raises(ValueError, match="expected 'auto', 'none', a date as text such as '2024-01-31', or an integer"):
        Forecaster(shift=shift)


def test_a_date_outside_the_series_is_refused():
    with pytest.raises(DataError, match="level shift at 2040-01-01 in series 'a'"):
        Forecaster(**QUICK, shift="2040-01-01").fit(shifted())
    with pytest.raises(DataError, match="soon"):
        Forecaster(**QUICK, shift="soon").fit(shifted())
