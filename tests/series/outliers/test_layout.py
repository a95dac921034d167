"""Layout: medians, order statistics and seasonal patterns of each series equal those of a plain computation."""

import numpy as np
import pytest

from gatewise.series.outliers.layout import Layout, levels, medians, seasonal

LENGTHS = np.array([1, 7, 30, 13, 100])


@pytest.mark.parametrize("lengths", [LENGTHS, np.array([50]), np.array([20, 20, 20]), np.array([3, 2, 1, 1, 2000])])
def test_order_statistics(lengths: np.ndarray) -> None:
    x, layout = np.random.default_rng(0).normal(size=lengths.sum()), Layout(lengths)
    parts = np.split(x, np.cumsum(lengths)[:-1])
    np.testing.assert_array_equal(layout.ordered(x), np.concatenate([np.sort(part) for part in parts]))
    expected = [np.quantile(part, 0.3, method="lower") for part in parts]
    np.testing.assert_array_equal(layout.quantile(layout.ordered(x), 0.3), expected)


@pytest.mark.parametrize("k", [2, 5])
def test_levels_are_running_medians_inside_each_series(k: int) -> None:
    x, layout = np.random.default_rng(1).normal(size=LENGTHS.sum()), Layout(LENGTHS)
    result = levels(x, layout, k)
    for start, length in zip(layout.starts, LENGTHS, strict=True):
        for t in range(start + k, start + length - k):
            assert result[t] == np.median(x[t - k : t + k + 1])


def test_medians_follow_a_line_to_its_ends_and_ignore_values_apart() -> None:
    x = 3.0 * np.arange(40)
    y = x.copy()
    y[[0, 20, 21, 39]] = -500.0
    np.testing.assert_allclose(medians(y, Layout(np.array([40])), 5), x, atol=6.0)
    np.testing.assert_allclose(medians(x, Layout(np.array([40])), 5), x, atol=1e-9)


def test_medians_follow_a_step() -> None:
    x = np.where(np.arange(40) < 17, 10.0, 90.0)
    np.testing.assert_array_equal(medians(x, Layout(np.array([40])), 5), x)


def test_seasonal_pattern_repeats_and_ignores_outliers() -> None:
    pattern = np.array([0.0, 5.0, -3.0, 1.0])
    x = np.tile(pattern, 9) + 100
    x[17] = 900.0
    result = seasonal(np.concatenate([x, np.arange(8.0)]), Layout(np.array([36, 8])), 4)
    np.testing.assert_allclose(result[:36] - result[0], np.tile(pattern, 9), atol=1e-9)
    np.testing.assert_array_equal(result[36:], 0.0)
