"""Level shifts: found and removed where there is one, and nothing found in series without one."""

import warnings

import numpy as np
import pandas as pd
import pytest

from gatewise.forecast.model.level_shift import LevelShift, aligned, aligned_series, at_date, find_shift
from gatewise.series import DataError, Series

TIME = np.arange(120)
SEASON = 8 * np.sin(2 * np.pi * TIME / 12) + 3 * np.cos(2 * np.pi * TIME / 4)


def noise(seed, size=120):
    return np.random.default_rng(seed).normal(size=size)


def monthly(y, filled=None):
    return Series("A", pd.date_range("2015-01-01", periods=len(y), freq="MS"), np.asarray(y), filled)


@pytest.mark.parametrize("position", [20, 60, 96, 108])
def test_without_noise_the_aligned_series_is_the_one_without_the_shift(position):
    before = 100 + 0.2 * TIME + SEASON
    additive = before - 30 * (position <= TIME)
    shift = find_shift(additive, 12)
    assert (shift.position, shift.ratio, shift.multiplicative) == (position, None, False)
    assert shift.difference == pytest.approx(-30)
    np.testing.assert_allclose(aligned(additive, shift), before - 30, rtol=1e-9)

    before = np.exp(4 + 0.003 * TIME + 0.02 * SEASON)
    relative = before * np.where(position <= TIME, 0.65, 1.0)
    shift = find_shift(relative, 12)
    assert (shift.position, shift.multiplicative) == (position, True)
    assert shift.ratio == pytest.approx(0.65)
    np.testing.assert_allclose(aligned(relative, shift), 0.65 * before, rtol=1e-9)


@pytest.mark.parametrize("back", [12, 18, 24, 30])
@pytest.mark.parametrize("ratio", [0.5, 0.65, 1.4, 2.0])
def test_a_shift_is_found_in_noise(back, ratio):
    y = (100 + 0.3 * TIME) * (1 + 0.01 * SEASON) * (1 + 0.05 * noise(back)) * np.where(120 - back <= TIME, ratio, 1.0)
    shift = find_shift(y, 12)
    assert shift.position == 120 - back
    last_year = slice(108 - back, 120 - back)
    assert aligned(y, shift)[last_year].mean() == pytest.approx(ratio * y[last_year].mean(), rel=0.08)


@pytest.mark.parametrize(("season", "size"), [(1, 48), (4, 60), (7, 180), (52, 260)])
def test_a_shift_is_found_at_every_frequency(season, size):
    time = np.arange(size)
    y = 50 + 5 * np.sin(2 * np.pi * time / max(season, 2)) + noise(season, size) - 8 * (time >= size - 26)
    shift = find_shift(y, season)
    assert abs(shift.position - (size - 26)) <= 1
    assert shift.difference == pytest.approx(-8, abs=1)


@pytest.mark.parametrize("season", [24, 7, 1])
def test_in_a_long_series_the_position_is_that_of_a_value_not_of_a_block(season):
    time = np.arange(5000)
    y = np.where(time >= 4321, 60.0, 100.0) * (1 + 0.2 * np.sin(2 * np.pi * time / max(season, 2)))
    y *= 1 + 0.03 * noise(season, 5000)
    shift = find_shift(y, season)
    assert shift.position == 4321
    assert shift.ratio == pytest.approx(0.6, rel=0.002)


def test_in_a_long_series_a_shift_nine_days_before_the_end_is_found_unless_such_changes_are_usual():
    time = np.arange(3000)
    week = 100 + 10 * np.sin(2 * np.pi * time / 7) + noise(10, 3000)
    shift = find_shift(week - 20 * (time >= 2991), 7)
    assert shift.position == 2991
    assert shift.difference == pytest.approx(-20, abs=1.5)
    assert find_shift(week - 20 * (time >= 2995), 7) is None  # too late to be certain
    closed = (time + 14) % 300 < 20  # for 20 days, also at the end
    assert find_shift(week - 20 * closed, 7) is None


@pytest.mark.parametrize("zero", [3, 1000, 4321, 4999])
def test_a_series_with_a_value_of_zero_has_no_ratio(zero):
    time = np.arange(5000)
    y = np.where(time >= 4321, 60.0, 100.0) * (1 + 0.03 * noise(11, 5000))
    y[zero] = 0
    shift = find_shift(y, 7)
    assert abs(shift.position - 4321) <= 1
    assert shift.ratio is None
    assert shift.difference == pytest.approx(-40, abs=1)


def autoregressive(seed, coefficient):
    shocks, x = noise(seed), np.zeros(120)
    for t in range(1, 120):
        x[t] = coefficient * x[t - 1] + shocks[t]
    return x


def spike(seed):
    return np.where(np.arange(120) == 20 + 9 * seed, 20.0, 0.0)


def hump(seed):
    return 9.0 * np.isin(TIME, 40 + 4 * seed + np.arange(6))


def long_hump(seed):
    return 6.0 * np.isin(TIME, 56 + 4 * seed + np.arange(25))


def jumps(seed):
    generator = np.random.default_rng(seed)
    return np.where(generator.uniform(size=120) < 0.06, 10 * generator.normal(size=120), 0.0).cumsum()


WITHOUT = {
    "trend and season": lambda seed: 100 + 0.5 * TIME + SEASON + 3 * noise(seed),
    "random walk": lambda seed: 100 + noise(seed).cumsum(),
    "random walk with season": lambda seed: 100 + noise(seed).cumsum() + SEASON,
    "geometric random walk": lambda seed: 100 * np.exp(0.05 * noise(seed).cumsum()),
    "random walk with noise": lambda seed: noise(seed).cumsum() + 2 * noise(seed + 100),
    "autoregression 0.5": lambda seed: autoregressive(seed, 0.5),
    "autoregression 0.8": lambda seed: autoregressive(seed, 0.8),
    "autoregression 0.95": lambda seed: autoregressive(seed, 0.95),
    "exponential growth": lambda seed: np.exp(4 + 0.02 * TIME + 0.02 * SEASON + 0.05 * noise(seed)),
    "outlier": lambda seed: 100 + SEASON + noise(seed) + spike(seed),
    "temporary change": lambda seed: 100 + SEASON + noise(seed) + hump(seed),
    "long temporary change": lambda seed: 100 + SEASON + noise(seed) + long_hump(seed),
    "many jumps": lambda seed: 100 + SEASON + noise(seed) + jumps(seed),
    "larger noise": lambda seed: 100 + SEASON + noise(seed + 16) * np.where(TIME >= 80, 5, 1),
    "smaller noise": lambda seed: 100 + SEASON + noise(seed) * np.where(TIME >= 80, 1, 5),
    "slope change": lambda seed: 100 + noise(seed) + np.maximum(TIME - 70, 0),
    "slow wave": lambda seed: 100 + noise(seed) + 20 * np.sin(TIME / (8 + seed)),
    "growing season": lambda seed: 100 + SEASON * np.linspace(0.5, 3, 120) + noise(seed),
    "counts": lambda seed: np.random.default_rng(seed).poisson(1.0, size=120),
}


@pytest.mark.parametrize("family", WITHOUT)
def test_no_shift_is_found_in_a_series_without_one(family):
    assert [find_shift(WITHOUT[family](seed), 12) for seed in range(10)] == [None] * 10


def test_the_unit_the_sign_and_a_constant_do_not_matter():
    y = SEASON + 2 * noise(4) + 15 * (TIME >= 90)
    shift = find_shift(y, 12)
    assert (shift.position, shift.ratio) == (90, None)
    for other, factor in ((-y, -1), (1e90 * y, 1e90), (1e-90 * y, 1e-90), (y - 1000, 1), (y + 1e6, 1)):
        changed = find_shift(other, 12)
        assert changed.position == 90
        assert changed.difference == pytest.approx(factor * shift.difference, rel=0.01)


def test_a_factor_does_not_matter_for_a_ratio():
    y = np.exp(4 + 0.03 * SEASON + 0.05 * noise(5)) * np.where(TIME >= 90, 1.5, 1)
    shift, scaled = find_shift(y, 12), find_shift(1e-6 * y, 12)
    assert (shift.position, scaled.position) == (90, 90)
    assert shift.ratio == pytest.approx(scaled.ratio)
    assert 1e-6 * shift.difference == pytest.approx(scaled.difference)


def test_values_after_the_end_are_not_used():
    y = 100 + SEASON + noise(6) - 20 * (TIME >= 80)
    later = np.concatenate([y, np.full(20, 1e6)])
    assert find_shift(later[:120], 12) == find_shift(y, 12)


@pytest.mark.parametrize(
    "y",
    [
        [],
        [1.0],
        [1.0, 2.0, 3.0],
        np.zeros(100),
        np.full(100, 7.0),
        np.full(100, 1e300),
        np.full(100, 5e-324),
        np.arange(100),
        10.0 ** np.arange(100),
        np.where(TIME == 60, 1e300, 1.0),
        np.where(TIME == 119, -1e300, 1e-300),
        (TIME % 12 == 0).astype(int),
        np.tile([1e300, -1e300], 60),
        1e15 + (TIME % 2),
    ],
)
@pytest.mark.parametrize("season", [1, 12, 1440])
def test_unusual_values_are_no_shift_and_no_error(y, season):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_shift(np.asarray(y), season) is None


@pytest.mark.parametrize("size", range(20, 60))
@pytest.mark.parametrize("season", [1, 12])
def test_a_step_of_huge_or_whole_values_is_found_from_the_fewest_values_on(size, season):
    for low, high in ((1e299, 1e300), (3, 5), (0, 2)):
        shift = find_shift(np.where(np.arange(size) >= size - 12, high, low), season)
        if size < max(24, 3 * season):
            assert shift is None
        else:
            assert shift.position == size - 12
            assert shift.difference == pytest.approx(high - low, rel=1e-6)


def test_values_that_were_filled_are_no_evidence():
    y = 100 + SEASON + noise(7) - 30 * (TIME >= 100)
    filled = (TIME >= 95) & (TIME < 103)
    y[filled] = np.linspace(100, 70, 10)[1:-1]
    result, shift = aligned_series(monthly(y, filled), 12)
    assert shift.position == 103
    assert np.abs(result.y - (70 + SEASON + noise(7)))[~filled].max() < 3
    assert result.y[filled].min() > 55  # values between the levels were not moved by the whole difference
    assert np.array_equal(result.y[103:], y[103:])
    assert find_shift(y, 12, observed=(TIME < 100)) is None
    assert find_shift(y, 12, observed=(TIME >= 95)) is None


def test_a_series_without_a_shift_is_returned_unchanged():
    series = monthly(100 + SEASON + noise(8))
    assert aligned_series(series, 12) == (series, None)


def test_a_shift_at_a_date():
    y = 100 + SEASON + noise(9) - 6 * (TIME >= 110)
    series = monthly(y)
    shift = at_date(series, "2024-03-01", 12)
    assert shift == at_date(series, pd.Timestamp("2024-02-15"), 12)
    assert shift.position == 110
    assert shift.difference == pytest.approx(-6, abs=1)
    assert find_shift(y, 12) in (None, shift)
    integers = Series("B", pd.RangeIndex(10, 130), y)
    assert at_date(integers, 120, 12) == at_date(integers, "120", 12) == shift
    zoned = Series("C", series.ds.tz_localize("Europe/Berlin"), y)
    assert at_date(zoned, "2024-03-01", 12) == shift


@pytest.mark.parametrize("size", [4, 5, 8, 30, 300, 2000])
def test_a_shift_at_a_date_near_an_end(size):
    y = np.where(np.arange(size) >= size - 2, 50.0, 80.0)
    series = Series("A", pd.date_range("2020-01-01", periods=size), y)
    assert at_date(series, series.ds[2], 7).position == 2
    assert at_date(series, series.ds[size - 2], 7).difference == pytest.approx(-30)


@pytest.mark.parametrize(
    ("date", "message"),
    [
        ("2014-01-01", "expected at least 2 values on each side, got 0 before it and 120 from it on; the series runs"),
        ("2015-02-01", "got 1 before it and 119 from it on"),
        ("2024-12-01", "got 119 before it and 1 from it on"),
        ("2030-01-01", "from 2015-01-01 to 2024-12-01"),
        ("soon", "level shift at 'soon': expected a date, such as 2020-01-01"),
        (None, "expected a date"),
    ],
)
def test_a_date_without_values_on_both_sides_is_an_error(date, message):
    with pytest.raises(DataError, match=message):
        at_date(monthly(SEASON), date)


def test_an_integer_is_expected_for_integer_time():
    with pytest.raises(DataError, match="level shift at 'soon': expected an integer, such as 60"):
        at_date(Series("A", pd.RangeIndex(120), SEASON), "soon")


@pytest.mark.parametrize(
    ("shift", "size"),
    [
        (LevelShift(99, -35.2, 0.648), "-35 %"),
        (LevelShift(99, 4.0, 1.042), "+4.2 %"),
        (LevelShift(99, 900.0, 13.0), "+1,200 %"),
        (LevelShift(99, -120.4), "-120"),
        (LevelShift(99, 12345.6), "+12,300"),
        (LevelShift(99, 0.01234), "+0.0123"),
    ],
)
def test_the_description(shift, size):
    expected = f"level shift: {size} from 2023-04-01 (series 'A'); earlier values are aligned to the new level"
    assert shift.description(monthly(SEASON)) == expected
