"""The naive forecasts against those of each past."""

import numpy as np
import pandas as pd
import pytest

from gatewise.forecast.baselines import drift, forecasts, known, naive, seasonal_naive
from gatewise.series import Series
from tests.forecast.evaluation.windows import panel


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("season", [1, 7, 50])
def test_the_naive_forecasts_of_many_pasts_are_those_of_each(gaps, season):
    data, rng = panel(3, gaps), np.random.default_rng(1)
    which = rng.integers(0, 3, 200)
    cuts = np.array([rng.integers(1, len(data.series[k]) + 1) for k in which])
    made = forecasts(data.series, which, cuts, 12, season)
    assert list(made) == ["Naive", "Drift", "SeasonalNaive"][: 2 if season == 1 else 3]
    for w, (k, cut) in enumerate(zip(which, cuts, strict=True)):
        past = known(data.series[k], cut).y
        np.testing.assert_array_equal(made["Naive"][w], naive(past, 12))
        np.testing.assert_allclose(made["Drift"][w], drift(past, 12), rtol=1e-12)
        if season > 1:
            np.testing.assert_array_equal(made["SeasonalNaive"][w], seasonal_naive(past, 12, season))


def test_a_past_shorter_than_a_season_has_the_naive_forecast():
    assert seasonal_naive(np.array([1.0, 2.0]), 3, season=4).tolist() == [2.0, 2.0, 2.0]
    assert seasonal_naive(np.array([1.0, 2.0]), 3, season=2).tolist() == [1.0, 2.0, 1.0]


def test_the_known_past_of_a_cut_uses_only_values_before_it():
    filled = np.array([False, False, True, True, False])
    one = Series("A", pd.RangeIndex(5), np.array([1.0, 4.0, 6.0, 8.0, 10.0]), filled)  # filled by interpolation
    assert known(one, 4).y.tolist() == [1.0, 4.0, 4.0, 4.0]
    assert known(one, 5).y.tolist() == [1.0, 4.0, 6.0, 8.0, 10.0]
    later = Series("A", one.ds, np.array([1.0, 4.0, 36.0, 68.0, 100.0]), filled)
    windows = np.zeros(4, int), np.arange(1, 5), 3, 2
    for name, made in forecasts([one], *windows).items():
        np.testing.assert_array_equal(made, forecasts([later], *windows)[name])
