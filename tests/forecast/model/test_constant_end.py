"""Constant ends: series that have stopped to change, and series that repeat values as they always did."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.forecast.model.constant_end import constant_ends, describe
from gatewise.series import Series

BUSY = np.array([3.0, 1, 2, 2, 4, 1, 3, 2, 5, 1, 4, 2])


def series(y, filled=None):
    return Series("shop", pd.date_range("2024-01-01", periods=len(y), freq="D"), np.asarray(y, float), filled)


def ends(y, cuts=None, season=1, filled=None):
    cuts = np.array([len(y)] if cuts is None else cuts)
    return constant_ends([series(y, filled)], np.zeros(len(cuts), int), cuts, season)


@pytest.mark.parametrize(("equal", "season", "stopped"), [(7, 1, False), (8, 1, True), (13, 7, False), (14, 7, True)])
def test_as_many_equal_values_as_two_seasons(equal, season, stopped):
    assert np.isnan(ends([*BUSY, *[0.0] * equal], season=season)[0]) != stopped


def test_runs_must_be_longer_than_the_earlier_ones():
    quiet = [1.0, *[0.0] * 10, 2.0, 1.0]  # zeros are usual
    assert np.isnan(ends([*quiet, *[0.0] * 19])[0])
    assert ends([*quiet, *[0.0] * 20])[0] == 0.0


def test_a_constant_series_and_filled_values_have_no_constant_end():
    assert np.isnan(ends(np.ones(50))[0])
    y = np.array([*BUSY, *[1.0] * 12])
    assert np.isnan(ends(y, filled=np.arange(24) > 14)[0])
    assert not np.isnan(ends(y)[0])


def test_only_values_before_the_cut_count():
    y = np.array([*BUSY, *[0.0] * 20])
    later = y.copy()
    later[26:] = 9.0
    for cut in (13, 20, 26):
        np.testing.assert_array_equal(ends(y, cuts=[cut]), ends(later, cuts=[cut]))


def test_a_closed_shop_is_forecast_to_stay_closed():
    generator = np.random.default_rng(0)
    sales = generator.poisson(30, size=(2, 120)).astype(float)
    sales[1, -25:] = 0.0
    ds = pd.date_range("2024-01-01", periods=120, freq="D")
    table = pd.concat(
        [pd.DataFrame({"unique_id": name, "ds": ds, "y": y}) for name, y in zip("ab", sales, strict=True)]
    )
    model = Forecaster(hidden_size=4, max_steps=10, ensemble_size=1).fit(table)
    forecasts = model.predict(14, level=80).set_index("unique_id")
    assert (forecasts.loc["b", "LSTM"] == 0).all()
    assert (forecasts.loc["a", "LSTM"] > 15).all()
    (line,) = [guess for guess in model.guesses if guess.startswith("constant end")]
    assert line == "constant end: series 'b' is 0 since 2024-04-05, and so is its forecast"
    width = forecasts["LSTM-hi-80"] - forecasts["LSTM-lo-80"]
    assert (width["a"] > 0).all()
    assert (width["b"] == 0).all()
    assert describe(model.state.panel.series[:1], 7) == ()
