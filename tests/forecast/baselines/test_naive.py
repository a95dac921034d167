"""Naive forecasts of one series and of many test windows."""

import numpy as np
import pandas as pd
import pytest

from gatewise.forecast.baselines import NAIVE_NAMES, drift, forecasts, known, naive, seasonal_naive
from gatewise.series import Series
from tests.forecast.evaluation.windows import panel


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("season", [1, 7, 50])
def test_naive_forecasts_of_many_windows_equal_those_of_each(gaps, season):
    data, rng = panel(3, gaps), np.random.default_rng(1)
    which = rng.integers(0, 3, 200)
    cuts = np.array([rng.integers(1, len(data.series[k]) + 1) for k in which])
    result = forecasts(data.series, which, cuts, 12, season, names=NAIVE_NAMES)
    assert list(result) == ["Naive", "Drift", "SeasonalNaive"][: 2 if season == 1 else 3]
    for w, (k, cut) in enumerate(zip(which, cuts, strict=True)):
        past = known(data.series[k], cut).y
        np.testing.assert_array_equal(result["Naive"][w], naive(past, 12))
        np.testing.assert_allclose(result["Drift"][w], drift(past, 12), rtol=1e-12)
        if season > 1:
            np.testing.assert_array_equal(result["SeasonalNaive"][w], seasonal_naive(past, 12, season))


def test_seasonal_naive_repeats_the_last_value_of_a_short_series():
    assert seasonal_naive(np.array([1.0, 2.0]), 3, season=4).tolist() == [2.0, 2.0, 2.0]
    assert seasonal_naive(np.array([1.0, 2.0]), 3, season=2).tolist() == [1.0, 2.0, 1.0]


def test_the_known_past_of_a_cut_uses_only_values_before_it():
    filled = np.array([False, False, True, True, False])
    series = Series("A", pd.RangeIndex(5), np.array([1.0, 4.0, 6.0, 8.0, 10.0]), filled)  # filled by interpolation
    assert known(series, 4).y.tolist() == [1.0, 4.0, 4.0, 4.0]
    assert known(series, 5).y.tolist() == [1.0, 4.0, 6.0, 8.0, 10.0]
    later = Series("A", series.ds, np.array([1.0, 4.0, 36.0, 68.0, 100.0]), filled)
    windows = np.zeros(4, int), np.arange(1, 5), 3, 2
    for name, result in forecasts([series], *windows).items():
        np.testing.assert_array_equal(result, forecasts([later], *windows)[name])
