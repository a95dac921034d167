"""Intervals and sample paths: as the held-out errors say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise import Forecaster
from gatewise.forecast import conformal as intervals
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.dataset import Dataset
from gatewise.windows import Difference
from tests.waves import SMALL, configuration, noisy, series, untrained, window_scaling

NO_PATHS = np.empty((0, 1))
SPAN = 10**9  # so many independent errors that those at hand count as such


def chance(seed=0):
    return np.random.default_rng(seed)


# ------------------------------------------------------------------------------------------------- the reach


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40), st.floats(1, 99))
def test_the_reach_holds_its_level_on_the_errors_it_is_read_from(distances, level):
    found = Calibration.of(np.array(distances)[:, None], np.ones((len(distances), 1)), SPAN)
    reach = found.reach(np.ones((1, 1)), level)[0, 0]
    assert (np.array(distances) <= reach).mean() >= level / 100 - 1e-12
    within = level / 100 <= len(distances) / (len(distances) + 1)
    assert reach in distances if within else reach >= max(distances)


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=40), st.lists(st.floats(0.5, 99.99), min_size=2), st.floats(0, 1)
)
def test_intervals_are_nested(distances, levels, growth):
    found = Calibration(growth, np.sort(distances), NO_PATHS, SPAN)
    reach = [found.reach(np.array([[1.0, 3.0], [0.5, 0.5]]), level) for level in sorted(levels)]
    assert (np.diff(reach, axis=0) >= 0).all()
    assert min(one.min() for one in reach) >= 0


def test_levels_beyond_the_errors_there_are_reach_further():
    found = Calibration(0.0, np.array([1.0, 2.0, 3.0]), NO_PATHS, SPAN)  # three errors tell of 75 %
    at = [found.reach(np.ones((1, 1)), level)[0, 0] for level in (75, 80, 95)]
    assert at == pytest.approx([3, 3 * 1.2816 / 1.1503, 3 * 1.96 / 1.1503], rel=1e-3)
    assert (
        found.describe()
        == "intervals: calibrated on 3 validation errors (effective sample size 3); above 75 %, a normal approximation"
    )


def test_the_reach_follows_the_spread_of_each_step():
    found = Calibration(0.5, np.arange(1.0, 10.0), NO_PATHS, SPAN)  # the fifth of nine is the median
    spreads = np.array([[1.0, 2.0, 3.0], [10.0, 0.0, 1.0]])
    np.testing.assert_allclose(found.reach(spreads, 50), 5 * spreads * np.sqrt([1, 2, 3]))


# ------------------------------------------------------------------------------------------------- what is measured


@pytest.mark.parametrize("power", [0.0, 0.3, 1.0])
def test_the_growth_of_the_errors_is_found(power):
    rng = chance()
    spreads = rng.uniform(1, 5, (200, 1))
    sizes = spreads * np.arange(1, 25) ** power
    found = Calibration.of(rng.normal(0, sizes), spreads, SPAN)
    assert found.growth == pytest.approx(power, abs=0.05)
    normal = 1.96 * 2.0 * np.arange(1, 9) ** power
    np.testing.assert_allclose(found.reach(np.full((1, 8), 2.0), 95)[0], normal, rtol=0.1)


def test_growth_stays_within_bounds_and_is_a_random_walk_where_unknown():
    steps, one = np.arange(1.0, 9.0), np.ones((1, 1))
    assert Calibration.of(steps[None] ** 3, one, SPAN).growth == 1
    assert Calibration.of(1 / steps[None], one, SPAN).growth == 0
    assert Calibration.of(np.ones((5, 1)), np.ones((5, 1)), SPAN).growth == 0.5
    assert Calibration.of(np.zeros((5, 4)), np.ones((5, 1)), SPAN).growth == 0.5


def test_spreads_of_each_step_take_the_growth_out():
    rng = chance()
    spreads = np.tile(np.arange(1.0, 13.0) ** 0.8, (300, 1))
    errors = rng.normal(0, spreads)
    found = Calibration.of(errors, spreads, SPAN)
    assert found.growth == pytest.approx(0, abs=0.05)  # the network said it all
    expected = np.sort(np.abs(errors / (spreads * np.arange(1, 13) ** found.growth)).ravel())
    np.testing.assert_allclose(found.distances, expected, rtol=1e-12)


def test_errors_that_are_unknown_are_left_out():
    errors = np.array([[1.0, np.nan], [-2.0, 2.0], [np.nan, np.nan], [3.0, -3.0]])
    found = Calibration.of(errors, np.full((4, 2), 2.0), SPAN)
    assert found.growth == pytest.approx(np.log(2.5 / 2) / np.log(2))  # mean errors 2 and 2.5
    far = np.array([1, 2**found.growth]) * 2
    np.testing.assert_allclose(found.distances, np.sort([0.5, 1.0, 1.5, 2 / far[1], 3 / far[1]]))
    np.testing.assert_allclose(found.errors, [[-1.0, 2 / far[1]], [1.5, -3 / far[1]]])


@pytest.mark.parametrize("usual", [0.0, 0.5])
def test_few_forecasts_leave_the_growth_near_the_usual_one(usual):
    rng = np.random.default_rng(0)
    steps = np.arange(1, 9)
    errors = rng.choice([-1.0, 1.0], (50, 8)) * steps**1.0
    spreads = np.ones((50, 8)) if usual else np.ones((50, 8)) + 1e-9 * steps
    found = [Calibration.of(errors, spreads, span, series).growth for span, series in ((8, 1), (16, 1), (16, 1000))]
    assert usual < found[0] < found[1] < found[2] <= 1
    assert found[2] == pytest.approx(1, abs=0.01)
    x = np.log(steps) - np.log(steps).mean()
    assert found[0] == pytest.approx((x @ x + 6 * usual) / (x @ x + 6), rel=1e-3)


@pytest.mark.parametrize(("series", "level", "expected"), [(1, 50, 60), (1, 80, 96), (40, 80, 81), (1000, 80, 81)])
def test_fewer_independent_errors_reach_further(series, level, expected):
    found = Calibration(0.0, np.arange(1.0, 101.0), NO_PATHS, span=10, series=series)  # 5, 100, ... errors
    assert found.reach(np.ones((1, 1)), level)[0, 0] == expected


def test_intervals_of_short_series_hold_about_what_they_promise():
    """A random walk with 100 held-out errors, which overlap: of ten steps from ten cutoffs in 20 steps."""
    rng, inside = np.random.default_rng(1), []
    for _ in range(300):
        y = rng.normal(size=140).cumsum()
        errors = np.array([y[t + 1 : t + 11] - y[t] for t in range(80, 90)])
        found = Calibration.of(errors, np.ones_like(errors), 20)
        inside.append(np.abs(y[100:112] - y[99]) <= found.reach(np.ones((1, 12)), 80)[0])
    assert np.mean(inside) == pytest.approx(0.8, abs=0.05)  # 0.71 if all errors were taken for independent


def test_many_errors_are_thinned_without_moving_the_quantiles(monkeypatch):
    errors = chance().normal(size=(2000, 3))
    whole = Calibration.of(errors, np.ones((2000, 1)), SPAN)
    monkeypatch.setattr(intervals, "MOST_DISTANCES", 500)
    thin = Calibration.of(errors, np.ones((2000, 1)), SPAN)
    assert (len(whole.distances), len(thin.distances), len(thin.errors)) == (6000, 500, 500)
    assert thin.distances[-1] == whole.distances[-1]
    assert set(thin.distances) <= set(whole.distances)
    for level in (50, 80, 95):
        ones = np.ones((1, 1))
        assert thin.reach(ones, level) == pytest.approx(whole.reach(ones, level), rel=0.02)


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_calibration_uses_the_held_out_errors_of_the_recursion(strategy, monkeypatch):
    y = noisy()
    around = window_scaling(strategy, difference=Difference(1), reach=1 if strategy == "one-step" else 5)
    model = untrained(around)
    used = configuration(validation_fraction=6 / 119)
    monkeypatch.setattr(type(used), "_fit", lambda *_: (model.networks[0], model.history))
    dataset = Dataset.of([series(y)], around)
    found = used.train_with_validation(dataset)  # cutoffs 114 to 117, three steps each
    model = replace(model, networks=model.networks[:1])
    errors, spreads = [], []
    for cutoff in (114, 115, 116, 117):
        alone = Dataset.of([series(y)], around)
        mean, spread = model.extrapolate(alone, alone.fronts + cutoff - 1, 3)
        errors.append(y[cutoff : cutoff + 3] - mean[0])
        spreads.append(spread[0])
    expected = Calibration.of(np.array(errors), np.array(spreads), 6)
    np.testing.assert_allclose(found.calibrated.distances, expected.distances, rtol=1e-4)
    np.testing.assert_allclose(found.calibrated.errors, expected.errors, rtol=1e-3, atol=1e-4)
    assert found.calibrated.growth == pytest.approx(expected.growth, rel=1e-4)
    assert found.calibrated.span == expected.span
    assert found.error == pytest.approx(np.abs(errors).mean() / np.abs(y[12:] - y[:-12]).mean(), rel=1e-5)


def test_intervals_hold_what_they_promise_on_noise_of_one_kind():
    y = 100 + chance(5).normal(0, 3, 400)
    found = Forecaster(**SMALL, context=8).backtest(y, 10, windows=10, level=(50, 80, 95))
    for level, inside in found.coverage.items():
        assert abs(inside - level / 100) < 0.12
    assert list(found.coverage) == [50, 80, 95]


# ------------------------------------------------------------------------------------------------- sample paths


def walks(count=400, steps=12, memory=0.9):
    """Errors that hang together from step to step."""
    rng, errors = chance(1), np.zeros((count, steps))
    errors[:, 0] = rng.normal(size=count)
    for k in range(1, steps):
        errors[:, k] = memory * errors[:, k - 1] + np.sqrt(1 - memory**2) * rng.normal(size=count)
    return errors


def test_quantiles_of_many_paths_are_those_of_the_intervals():
    spreads = np.array([[2.0] * 12, [0.5] * 12])
    found = Calibration.of(walks(), np.ones((400, 1)), SPAN)
    mean = np.array([[10.0] * 12, [-3.0] * 12])
    paths = found.paths(mean, spreads, 20_000, chance())
    for level in (50, 80, 90):
        inside = np.abs(paths - mean[:, None]) <= found.reach(spreads, level)[:, None]
        np.testing.assert_allclose(inside.mean(axis=(1, 2)), level / 100, atol=0.01)


def test_paths_of_few_errors_are_as_wide_as_the_intervals():
    steps = np.sqrt(np.arange(1, 11))
    errors = chance(2).normal(size=(40, 1)) * steps
    found = Calibration.of(errors, np.ones((40, 10)), 20)
    paths = found.paths(np.zeros((1, 10)), np.ones((1, 10)), 4000, chance(0))[0]
    inside = np.abs(paths) <= found.reach(np.ones((1, 10)), 80)
    assert inside.mean() == pytest.approx(0.8, abs=0.03)


def test_paths_hang_together_as_the_errors_did():
    errors = walks()
    found = Calibration.of(errors, np.ones((400, 1)), SPAN)
    paths = found.paths(np.zeros((1, 12)), np.ones((1, 12)), 20_000, chance())[0]
    for lag in (1, 5):
        theirs, ours = (np.corrcoef(x[:, 0], x[:, lag])[0, 1] for x in (errors, paths))
        assert ours == pytest.approx(theirs, abs=0.03)
    total = np.quantile(paths.sum(1), (0.1, 0.9))
    np.testing.assert_allclose(total, np.quantile(errors.sum(1), (0.1, 0.9)), rtol=0.05)


def test_each_path_is_one_of_the_errors_at_its_place():
    known = np.array([[1.0, 2.0], [-3.0, 4.0]])
    found = Calibration(0.0, np.array([1.0, 2.0, 3.0, 4.0]), known, SPAN)
    paths = found.paths(np.full((1, 5), 100.0), np.full((1, 5), 10.0), 200, chance())[0]
    errors = (paths - 100) / 10
    rows = {tuple(row) for row in known.tolist()}
    for block in (errors[:, :2], errors[:, 2:4]):
        assert {tuple(row) for row in block.round(9).tolist()} == rows
    assert set(errors[:, 4].round(9)) == {1.0, -3.0}  # the horizon ends in the middle of a third


def test_paths_repeat_with_their_seed_and_grow():
    found = Calibration(0.5, np.arange(1.0, 10.0), NO_PATHS, SPAN)  # no whole forecast was measured
    mean, spreads = np.zeros((2, 4)), np.ones((2, 4))
    first, again, other = (found.paths(mean, spreads, 50, chance(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_allclose(np.abs(first).max(axis=(0, 1)), 7 * np.sqrt([1, 2, 3, 4]))  # the seventh of nine is 68 %
