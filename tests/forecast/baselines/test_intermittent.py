"""The test for intermittent series: mostly zeros that nothing predicts."""

import time

import numpy as np
import pandas as pd
import pytest

from gatewise.forecast.baselines import demand_intervals
from gatewise.series import Series

DAYS = 120


def poisson(rate, seed=0, size=DAYS):
    return np.random.default_rng(seed).poisson(rate, size).astype(float)


def interval(y, season=7, cut=None, filled=None):
    series = Series("A", pd.RangeIndex(len(y)), np.asarray(y, float), filled)
    return demand_intervals([series], np.array([0]), np.array([len(y) if cut is None else cut]), season)[0]


def test_the_interval_is_the_number_of_values_for_each_demand():
    sales = poisson(0.3)
    assert interval(sales) == DAYS / np.count_nonzero(sales)


@pytest.mark.parametrize(("demands", "intermittent"), [(75, True), (76, False)])
def test_the_shortest_interval_is_132(demands, intermittent):
    y = np.zeros(100)
    y[np.random.default_rng(0).permutation(100)[:demands]] = 2.0
    assert 100 / 75 > 1.32 > 100 / 76
    assert np.isnan(interval(y)) != intermittent


def test_few_values_or_demands_are_no_evidence():
    y = np.zeros(40)
    y[[3, 9, 16, 30]] = 1.0
    assert np.isnan(interval(y))
    y[37] = 1.0
    assert interval(y) == 8.0
    sales = poisson(0.5)
    first = np.count_nonzero(sales[:20])
    assert first >= 5
    assert interval(sales, cut=20) == 20 / first
    assert np.isnan(interval(sales, cut=19))


@pytest.mark.parametrize(("value", "name"), [(-1.0, "negative"), (0.5, "fraction"), (2e9, "huge"), (np.nan, "missing")])
def test_other_values_than_counts_are_none(value, name):
    sales = poisson(0.3)
    sales[50] = value
    assert np.isnan(interval(sales)), name


def test_only_values_before_the_cut_count():
    sales = poisson(0.3)
    later = sales.copy()
    later[60:] = -7.5
    assert interval(sales, cut=60) == interval(later, cut=60) == 60 / np.count_nonzero(sales[:60])


def test_filled_values_are_not_observed():
    sales, filled = poisson(0.3), np.zeros(DAYS, bool)
    filled[30:60] = True
    changed = np.where(filled, 0.5, sales)
    assert interval(changed, filled=filled) == interval(np.delete(sales, np.arange(30, 60)), season=1)


def test_zeros_that_the_season_or_the_previous_value_predict_are_regular():
    weekend = np.where(np.arange(DAYS) % 7 < 5, poisson(20) + 1, 0.0)  # closed on two days of seven
    assert np.isnan(interval(weekend))
    hours = np.where(np.arange(480) % 24 < 10, poisson(5, size=480), 0.0)  # closed at night
    assert np.isnan(interval(hours, season=24))
    assert np.isnan(interval(hours, season=1))
    switched = np.repeat([0.0, 3.0] * 6, 10)
    assert np.isnan(interval(switched, season=1))
    pattern = np.array([2.5, 2, 0.5, 0.3, 0.3, 0.7, 0.7])[np.arange(DAYS) % 7]  # a weekly pattern alone is not enough
    assert not np.isnan(interval(poisson(0.3 * pattern)))


def test_many_series_take_seconds():
    generator = np.random.default_rng(0)
    values, ds = generator.poisson(0.3, (5000, 100)).astype(float), pd.RangeIndex(100)
    panel = [Series(k, ds, y) for k, y in enumerate(values)]
    start = time.perf_counter()
    intervals = demand_intervals(panel, np.arange(5000), np.full(5000, 100), 7)
    assert time.perf_counter() - start < 5
    assert np.isnan(intervals).mean() < 0.01
