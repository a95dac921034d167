"""Significance: against published values of Student's t, and by simulation."""

import math

import numpy as np
import pytest

from gatewise.forecast.evaluation.significance import p_value, student_cdf


@pytest.mark.parametrize(
    ("degrees", "t"),  # 95 % quantiles, from the tables of Abramowitz and Stegun, 26.10
    [(1, 6.314), (2, 2.920), (3, 2.353), (4, 2.132), (5, 2.015), (9, 1.833), (10, 1.812), (30, 1.697), (120, 1.658)],
)
def test_quantiles_of_students_t(degrees, t):
    assert student_cdf(t, degrees) == pytest.approx(0.95, abs=2e-4)
    assert student_cdf(-t, degrees) == pytest.approx(0.05, abs=2e-4)
    assert student_cdf(0.0, degrees) == 0.5


def test_many_degrees_are_close_to_the_normal_distribution():
    for degrees in (200, 201):
        assert student_cdf(1.0, degrees) == pytest.approx(0.5 * math.erfc(-1 / math.sqrt(2)), abs=1e-3)


def test_without_overlap_it_is_a_t_test():
    gains = np.array([3.0, 1.0, 2.0, 2.5])
    t = gains.mean() / (gains.std(ddof=1) / 2)
    assert p_value(gains) == pytest.approx(1 - student_cdf(t, 3))
    assert p_value(gains * 1e-200) == pytest.approx(p_value(gains))
    assert p_value(-gains) == pytest.approx(1 - p_value(gains))


def test_gains_that_are_all_equal():
    assert p_value([2.0, 2.0, 2.0]) == 0.0
    assert p_value([-2.0, -2.0]) == 1.0
    assert p_value([0.0, 0.0]) == p_value([1.0]) == p_value([1.0, 2.0], lag=1) == 1.0


@pytest.mark.parametrize(("cases", "lag"), [(20, 0), (10, 1), (10, 3), (12, 5), (20, 3), (30, 23), (100, 23)])
def test_equally_good_forecasts_rarely_seem_better(cases, lag):
    generator, found = np.random.default_rng(0), 0
    for _ in range(2000):
        noise = generator.normal(size=cases + lag)
        gains = np.convolve(noise, np.ones(lag + 1), "valid")  # windows that overlap with `lag` others
        found += p_value(gains, lag) < 0.05
    assert found / 2000 < 0.075
    assert p_value(generator.normal(1.5, 1, size=20), 0) < 0.01


def test_series_with_common_errors_are_less_evidence():
    generator, found = np.random.default_rng(1), 0
    for _ in range(2000):
        gains = math.sqrt(0.3) * generator.normal() + math.sqrt(0.7) * generator.normal(size=30)
        found += p_value(gains, rho=0.3) < 0.05
    assert found / 2000 < 0.075
    assert p_value(np.linspace(1, 2, 8), rho=1.0) == 1.0
    assert p_value(np.linspace(1, 2, 8), rho=0.1) < 0.01
