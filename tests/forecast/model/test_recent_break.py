"""Recent breaks: a hint where the last values are unlike those of a season before."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.forecast.model.recent_break import recent_break
from gatewise.series import Series


def series(count, size=-40.0, seed=0, filled=None):
    """Eight years with a season; the last `count` months are shifted."""
    t = np.arange(96)
    y = 100 + 10 * np.sin(t * np.pi / 6) + np.random.default_rng(seed).normal(0, 2, 96)
    y[len(y) - count :] += size
    return Series("a", pd.date_range("2016-01-01", periods=96, freq="MS"), y, filled)


@pytest.mark.parametrize("count", [2, 3, 6, 11])
def test_a_break_of_less_than_a_season_is_named_with_its_date(count):
    date = pd.Timestamp("2024-01-01") - pd.DateOffset(months=count)
    text = recent_break(series(count), 12)
    assert text.startswith(f"recent break: the last {count} values of series 'a' are about ")
    assert " below those of a season before, beyond the usual change; if that lasts, use shift=" in text
    assert text.endswith(f"use shift='{date:%Y-%m-%d}' (--shift {date:%Y-%m-%d})")
    assert " above those" in recent_break(series(count, size=40.0), 12)


def test_no_break_is_named_without_one():
    assert recent_break(series(0), 12) == ""
    assert recent_break(series(1), 12) == ""  # one value may be an outlier
    assert recent_break(series(3), 1) == ""
    assert recent_break(Series("a", pd.RangeIndex(30), np.zeros(30)), 12) == ""
    assert recent_break(series(3, filled=np.arange(96) == 95), 12) == ""
    assert sum(bool(recent_break(series(0, seed=seed), 12)) for seed in range(200)) <= 2


def test_the_remedy_puts_the_forecast_at_the_new_level():
    late = series(4)
    table = pd.DataFrame({"ds": late.ds, "y": late.y})
    model = Forecaster(hidden_size=8, max_steps=50, ensemble_size=1).fit(table)
    (line,) = [guess for guess in model.guesses if guess.startswith("recent break")]
    assert "shift='2023-09-01'" in line
    remedied = Forecaster(hidden_size=8, max_steps=50, ensemble_size=1, shift="2023-09-01").fit(table)
    assert not any(guess.startswith("recent break") for guess in remedied.guesses)
    assert abs(remedied.predict(12)["LSTM"].mean() - 60) < 10


def test_intervals_after_a_late_break_stay_within_twice_the_range():
    late = series(8, size=-60.0)
    forecasts = Forecaster(hidden_size=8, max_steps=50, ensemble_size=1).fit(late.y).predict(24, level=99)
    span = np.ptp(late.y)
    assert (forecasts["LSTM-hi-99"] - forecasts["LSTM-lo-99"] <= 2 * span * (1 + 1e-9)).all()
    assert (forecasts["LSTM-hi-99"] - forecasts["LSTM"] <= span * (1 + 1e-9)).all()
