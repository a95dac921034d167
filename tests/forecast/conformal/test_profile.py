"""The profile: how the widths of intervals grow with the step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.forecast.conformal import Calibration
from gatewise.forecast.conformal.profile import extended, fit_profile, non_decreasing


def widths(calibration, spreads):
    lower, upper = calibration.bounds(np.zeros_like(spreads), spreads, 80)
    return (upper - lower)[0]


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=8))
def test_pooling_gives_the_closest_non_decreasing_values(values):
    """Brute force: the max-min formula of isotonic regression."""
    y = np.array(values)
    n = len(y)
    expected = [
        max(min(y[a : b + 1].mean() for b in range(k, n)) for a in range(k + 1)) for k in range(n)
    ]  # Robertson, Wright and Dykstra, 1988
    np.testing.assert_allclose(non_decreasing(y, np.ones(n)), expected, atol=1e-9)


def test_the_weights_of_pooled_values_count():
    np.testing.assert_allclose(non_decreasing(np.array([3.0, 1.0]), np.array([3.0, 1.0])), [2.5, 2.5])


def test_many_errors_decide_the_profile_and_few_do_not():
    sizes = np.tile([4.0, 1.0, 1.0, 1.0, 1.0, 1.0], (50, 1))
    many, few = (fit_profile(sizes, 0.0, np.full(6, count)) for count in (1e6, 0.1))
    assert many[0] / many[-1] == pytest.approx(4, rel=0.15)
    assert few[0] / few[-1] == pytest.approx(1, rel=0.03)


def test_beyond_its_steps_the_profile_grows():
    np.testing.assert_allclose(extended(np.array([1.0, 3.0]), 0.5, 8), [1, 3, *3 * np.sqrt(np.arange(3, 9) / 2)])
    np.testing.assert_allclose(extended(np.array([1.0, 3.0]), 0.5, 1), [1])


def test_widths_do_not_decrease_without_a_reason():
    """Twelve yearly values: chance makes late errors smaller, and the network narrower."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        spreads = np.exp(rng.normal(0, 0.5, (7, 6)))
        errors = rng.normal(size=(7, 6)) * spreads * np.linspace(2, 0.5, 6)
        calibration = Calibration.of(errors, spreads, 12)
        assert (np.diff(widths(calibration, np.exp(rng.normal(0, 0.5, (1, 9))))) >= -1e-12).all()
        window = Calibration.of(errors, spreads[:, :1], 12)
        assert (np.diff(widths(window, np.ones((1, 9)))) >= -1e-12).all()


def test_widths_follow_seasonal_spreads_if_there_are_many_errors():
    spreads = np.tile([1.0, 5.0, 1.0, 5.0], (200, 1))
    errors = np.random.default_rng(0).normal(0, spreads)
    assert widths(Calibration.of(errors, spreads, 1000, season=2), spreads[:1])[2] < 1.7 * 2
    few = widths(Calibration.of(errors, spreads, 20, season=2), spreads[:1])
    assert (np.diff(few) >= 0).all()


def test_a_spread_of_the_window_alone_gives_no_reason_to_decrease():
    errors = np.random.default_rng(0).normal(0, [5.0, 1.0, 5.0, 1.0], (400, 4))
    season = Calibration.of(errors, np.ones((400, 1)), 1000, season=2)
    assert (np.diff(widths(season, np.ones((1, 4)))) >= -1e-12).all()
