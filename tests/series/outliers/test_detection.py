"""Detection: false alarms on series of many kinds, and the outliers that are found in them."""

from typing import Any

import numpy as np
import pytest

from gatewise.series.outliers.detection import find
from gatewise.series.outliers.layout import Layout
from tests.series.outliers.kinds import HEAVY, KINDS, Kind

SERIES, SIZE = 200, 120


def generated(kind: Kind, seed: int = 0, count: int = SERIES, size: int = SIZE) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.array([kind(generator, size) for _ in range(count)])


def found(values: np.ndarray, seasons: list[int]) -> np.ndarray:
    """(S, T) which values are outliers."""
    count, size = values.shape
    marked = np.zeros(count * size, bool)
    marked[find(values.ravel(), Layout(np.full(count, size)), seasons).rows] = True
    return marked.reshape(count, size)


@pytest.mark.parametrize("name", KINDS)
def test_at_most_two_in_a_hundred_series_have_false_alarms(name: str) -> None:
    kind, seasons = KINDS[name]
    assert found(generated(kind), seasons).any(1).mean() <= 0.02


@pytest.mark.parametrize("name", ["normal", "autoregressive", "season", "random walk"])
def test_fewer_than_one_in_a_hundred_usual_series_have_false_alarms(name: str) -> None:
    kind, seasons = KINDS[name]
    assert found(generated(kind, seed=7, count=1000, size=100), seasons).any(1).mean() < 0.01


@pytest.mark.parametrize("name", HEAVY)
def test_series_with_heavy_tails_have_few_false_alarms(name: str) -> None:
    kind, seasons = HEAVY[name]
    assert found(generated(kind), seasons).any(1).mean() < 0.15


@pytest.mark.parametrize(("deviations", "rate"), [(5, 0.25), (8, 0.75), (10, 0.9), (20, 0.97)])
@pytest.mark.parametrize(("name", "spread"), [("normal", 5.0), ("level shift", 2.0), ("ramp", 2.0)])
def test_values_far_off_are_found(name: str, spread: float, deviations: float, rate: float) -> None:
    kind, seasons = KINDS[name]
    values = generated(kind, seed=1)
    generator, rows = np.random.default_rng(2), np.arange(SERIES)
    at = generator.integers(3, SIZE - 3, size=SERIES)
    values[rows, at] += generator.choice([-1, 1], size=SERIES) * deviations * spread
    assert found(values, seasons)[rows, at].mean() >= rate


TYPING_ERRORS = {
    "ten times": lambda y: 10 * y,
    "hundred times": lambda y: 100 * y,
    "thousand times": lambda y: 1000 * y,
    "thousandth": lambda y: y / 1000,
    "negative": lambda y: -y,
    "zero": lambda y: 0.0,
    "nines": lambda y: 9999.0,
    "one digit more": lambda y: float(f"{y:.0f}5"),
}


@pytest.mark.parametrize("error", TYPING_ERRORS)
@pytest.mark.parametrize("name", ["normal", "random walk", "trend", "season", "level shift", "ramp", "rounded"])
def test_typing_errors_are_found(name: str, error: str) -> None:
    values = generated(KINDS[name][0], seed=3, count=40)
    rows, at = np.arange(40), np.random.default_rng(4).integers(0, SIZE, size=40)
    change: Any = TYPING_ERRORS[error]
    values[rows, at] = [change(y) for y in values[rows, at]]
    marked = found(values, KINDS[name][1])
    assert marked[rows, at].mean() > 0.85
    marked[rows, at] = False
    assert marked.sum() <= 2  # their neighbours are none


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("start", [8, 40, 100])
def test_short_runs_are_found(length: int, start: int) -> None:
    values = generated(KINDS["normal"][0], count=20)
    values[:, start : start + length] += 400
    marked = found(values, [1])
    assert marked[:, start : start + length].all()
    assert marked.sum() <= 20 * length + 1


def test_a_lasting_level_is_no_run_of_outliers() -> None:
    values = generated(KINDS["normal"][0], count=20)
    values[:, 40:60] += 400
    assert not found(values, [1]).any()


def test_a_peak_of_every_year_is_no_outlier_but_a_single_one_is() -> None:
    days = np.random.default_rng(0).normal(100, 5, size=800)
    days[[200, 566]] = 900.0
    assert not found(days[None], [7, 364]).any()
    days[566] = 100.0
    assert np.flatnonzero(found(days[None], [7, 364])).tolist() == [200]


def test_the_usual_range_surrounds_the_neighbours() -> None:
    values = np.tile([95.0, 100.0, 105.0, 98.0, 102.0], 12)
    values[30] = 5000.0
    result = find(values, Layout(np.array([60])), [1])
    assert result.rows.tolist() == [30]
    assert 70 < result.lower[0] < 95 < 105 < result.upper[0] < 130


@pytest.mark.parametrize("name", KINDS)
def test_outliers_are_outside_the_usual_range(name: str) -> None:
    values = generated(KINDS[name][0], seed=6, count=60)
    at = np.random.default_rng(7).integers(0, SIZE, size=60)
    values[np.arange(60), at] *= np.resize([10.0, 4.0, 0.1, -1.0], 60)
    y, layout = values.ravel(), Layout(np.full(60, SIZE))
    rows, lower, upper = find(y, layout, KINDS[name][1])
    assert (lower <= upper).all()
    assert ((y[rows] < lower) | (y[rows] > upper)).all()


def test_series_of_different_lengths_are_searched_as_if_alone() -> None:
    generator = np.random.default_rng(5)
    parts = [generator.normal(100, 5, size=size) for size in (5, 40, 14, 300, 61)]
    for part in parts[1:]:
        part[len(part) // 2] = 1000.0
    together = find(np.concatenate(parts), Layout(np.array([len(part) for part in parts])), [1])
    alone = [find(part, Layout(np.array([len(part)])), [1]) for part in parts]
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    rows = np.concatenate([result.rows + start for result, start in zip(alone, starts, strict=True)])
    np.testing.assert_array_equal(together.rows, rows)
    np.testing.assert_allclose(together.upper, np.concatenate([result.upper for result in alone]))
    assert len(rows) == 4


@pytest.mark.parametrize("factor", [1e-6, 7.25, 1e9])
def test_the_unit_of_a_series_does_not_matter(factor: float) -> None:
    values = generated(KINDS["normal"][0], count=20) + 0.25
    values[:, 50] += 100
    np.testing.assert_array_equal(found(values * factor, [1]), found(values, [1]))


def test_filled_values_are_no_outliers() -> None:
    values = generated(KINDS["normal"][0], count=1)[0]
    values[50] = 0.0
    assert find(values, Layout(np.array([SIZE])), [1]).rows.tolist() == [50]
    assert not len(find(values, Layout(np.array([SIZE])), [1], np.arange(SIZE) != 50).rows)
