"""Treated outliers in a backtest: nothing depends on later values, and scores are those of the values as read."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import gatewise as gw
from gatewise.forecast.evaluation.cutoffs import Cutoffs, cut_off, known_at
from gatewise.series import Panel

SIZE, HORIZON = 120, 6
SMALL: dict[str, Any] = {"hidden_size": 4, "max_steps": 10, "ensemble_size": 1}


def panel_of(values: np.ndarray, how: str) -> Panel:
    days = pd.date_range("2024-01-01", periods=len(values))
    return gw.read(pd.DataFrame({"ds": days, "y": values}), outliers=how, fill="interpolate")


def sales() -> np.ndarray:
    values = np.random.default_rng(0).normal(100, 5, size=SIZE)
    values[[30, 99]] = 900.0, -300.0
    return values


@pytest.mark.parametrize("how", ["clip", "missing"])
@pytest.mark.parametrize("cut", [40, 98, 99, 100, 101, 103, 110])
def test_the_past_of_a_cutoff_does_not_depend_on_later_values(how: str, cut: int) -> None:
    values, other = sales(), sales()
    other[cut:] = np.random.default_rng(1).normal(5000, 900, size=SIZE - cut)
    first, second = (cut_off(panel_of(y, how).series[0], cut) for y in (values, other))
    alone = panel_of(values[:cut], how).series[0]
    for past in (first, second):
        np.testing.assert_array_equal(past.y, alone.y)
        np.testing.assert_array_equal(past.ds, alone.ds)
        assert (past.filled is None) == (alone.filled is None)
        if past.filled is not None and alone.filled is not None:
            np.testing.assert_array_equal(past.filled, alone.filled)


def test_values_from_the_cut_on_stay() -> None:
    series = panel_of(sales(), "clip").series[0]
    np.testing.assert_array_equal(known_at(series, 60).y[60:], series.y[60:])


def test_each_cutoff_has_its_own_series() -> None:
    panel = panel_of(sales(), "clip")
    cutoffs = Cutoffs.of(panel.series, HORIZON, windows=3, step=HORIZON)
    series, places, owners = cutoffs.known(slice(None))
    assert (len(series), places, owners) == (3, [0, 1, 2], [0, 0, 0])


@pytest.mark.parametrize("how", ["clip", "missing"])
@pytest.mark.parametrize("refit", [True, False])
def test_a_backtest_scores_values_as_read_and_trains_on_earlier_ones(how: str, refit: bool) -> None:
    values, other = sales(), sales()
    values[-2] = 700.0  # an outlier in the last test window
    other[-HORIZON:] = 100.0
    first, second = (
        gw.Forecaster(**SMALL).backtest(panel_of(y, how), HORIZON, windows=2, refit=refit) for y in (values, other)
    )
    np.testing.assert_array_equal(first.held.truth.ravel(), values[-2 * HORIZON :])
    np.testing.assert_array_equal(first.held.mean, second.held.mean)
    for name in first.held.forecasts:
        np.testing.assert_array_equal(first.held.forecasts[name].mean, second.held.forecasts[name].mean)


def test_the_scale_of_scores_is_that_of_the_values_as_read() -> None:
    treated, plain = (
        gw.Forecaster(**SMALL).backtest(panel_of(sales(), how), HORIZON, windows=2) for how in ("clip", "report")
    )
    np.testing.assert_array_equal(treated.held.scale(), plain.held.scale())
