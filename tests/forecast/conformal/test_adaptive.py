"""Levels that are adapted to the coverage of earlier intervals."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.forecast.conformal import Calibration
from gatewise.forecast.conformal.adaptive import BOUNDS, GAMMAS, MISCOVERAGES, RATE, adapted, follow
from gatewise.forecast.evaluation import recalibration
from gatewise.forecast.evaluation.cutoffs import Cutoffs
from gatewise.series import Series

LEVELS = len(MISCOVERAGES)
ALPHA = 3  # of the 80 % interval
TABLE = "0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 1"


def calibration(steps=3, span=200, seed=0):
    errors = np.random.default_rng(seed).normal(size=(200, steps)) * np.sqrt(np.arange(1, steps + 1))
    return Calibration.of(errors, np.ones((200, 1)), span)


def cutoffs_of(series, windows, horizon, step=1):
    size = 10 + (windows - 1) * step + horizon
    table = [Series(str(k), np.arange(size), np.arange(float(size))) for k in range(series)]
    return Cutoffs.of(table, horizon, windows, step)


# ---------------------------------------------------------------------------------------------------- the recursion


def test_the_recursion_by_hand():
    alphas = None
    expected = 0.2
    for miss in (1, 0, 0, 1):  # gamma = 0.05 sqrt(0.2 * 0.8) = 0.02
        alphas = follow(alphas, np.full((LEVELS, 1, 1), bool(miss)), np.ones((1, 1), bool), series=1, step=1)
        expected += 0.02 * (0.2 - miss)
        assert alphas[ALPHA, 0] == pytest.approx(expected, abs=1e-12)
    assert expected == pytest.approx(0.176)
    np.testing.assert_allclose(alphas[:, 0], MISCOVERAGES + GAMMAS * (4 * MISCOVERAGES - 2))


def test_misses_are_averaged_over_series_and_overlapping_forecasts():
    seen, missed = np.ones((4, 5), bool), np.zeros((LEVELS, 4, 5), bool)
    missed[:, 0] = True  # one of four series
    seen[3, 4] = False
    alphas = follow(None, missed, seen, series=4, step=2)
    overlap = np.array([1, 1, 2, 2, 3])
    gains = np.array([4 * 0.2 - 1] * 4 + [3 * 0.2 - 1]) / 4
    np.testing.assert_allclose(alphas[ALPHA], 0.2 + 0.02 * gains / overlap)
    halved = follow(None, missed, seen, series=4, step=2, weight=0.5)
    np.testing.assert_allclose(halved - MISCOVERAGES[:, None], (alphas - MISCOVERAGES[:, None]) / 2)


@pytest.mark.parametrize("wrong", ["alternating", "always", "never", "worst"])
def test_long_run_coverage_against_an_adversary(wrong):
    """Proposition 4.1 of Gibbs and Candes, 2021, for every sequence of outcomes."""
    steps, alphas, misses = 400, None, []
    for t in range(steps):
        now = (MISCOVERAGES[:, None] if alphas is None else alphas)[:, 0]
        choice = {"alternating": t % 2 == 0, "always": True, "never": False, "worst": t < steps / 2}[wrong]
        missed = np.where(now < 0, False, np.where(now > 1, True, choice))  # all or no values are in such intervals
        misses.append(missed)
        alphas = follow(alphas, missed[:, None, None], np.ones((1, 1), bool), series=1, step=1)
    bound = (np.maximum(MISCOVERAGES, 1 - MISCOVERAGES) + GAMMAS) / (GAMMAS * steps)
    assert (np.abs(np.mean(misses, axis=0) - MISCOVERAGES) <= bound).all()
    assert (alphas >= BOUNDS[0]).all()
    assert (alphas <= BOUNDS[1]).all()


def test_the_state_is_bounded_if_even_the_widest_interval_misses():
    alphas = None
    for _ in range(300):
        alphas = follow(alphas, np.ones((LEVELS, 1, 1), bool), np.ones((1, 1), bool), series=1, step=1)
    np.testing.assert_array_equal(alphas, BOUNDS[0])
    changed = replace(calibration(1), alphas=alphas)
    assert np.isfinite(changed.bounds(np.zeros((1, 1)), np.ones((1, 1)), 80)).all()


# ------------------------------------------------------------------------------------------------------- the levels


@given(st.lists(st.floats(-0.02, 1.02), min_size=2 * LEVELS, max_size=2 * LEVELS))
@settings(max_examples=50, deadline=None)
def test_adapted_levels_rise_and_intervals_are_nested(values):
    alphas = np.array(values).reshape(LEVELS, 2)
    levels = np.array([float(level) for level in TABLE.split(",")])
    result = adapted(alphas, levels[:, None], horizon=3)
    assert (np.diff(result, axis=0) >= -1e-15).all()
    np.testing.assert_allclose(result[[0, -1]], [[0.0] * 3, [1.0] * 3])
    np.testing.assert_array_equal(result[:, 1], result[:, 2])  # further steps are like the last one
    changed = replace(calibration(), alphas=alphas)
    mean, spreads = np.array([[1.0, 2.0, 3.0]]), np.ones((1, 3))
    bounds = np.array([changed.bounds(mean, spreads, 100 * level) for level in levels[1:-1]])
    assert (bounds[:, 0] <= mean).all()
    assert (mean <= bounds[:, 1]).all()
    assert (np.diff(bounds[:, 0], axis=0) <= 1e-12).all()
    assert (np.diff(bounds[:, 1], axis=0) >= -1e-12).all()


def test_an_interval_is_drawn_at_its_adapted_level():
    known, mean, spreads = calibration(), np.zeros((1, 3)), np.ones((1, 3))
    alphas = np.array([[0.01, 0.01, 0.01], [0.05, 0.02, 0.08], [0.1] * 3, [0.2, 0.1, 0.3], [0.5] * 3])
    changed = replace(known, alphas=alphas)
    for level, drawn in {80: (80, 90, 70), 95: (95, 98, 92)}.items():
        for step, other in enumerate(drawn):
            expected = known.bounds(mean, spreads, other)
            bounds = changed.bounds(mean, spreads, level)
            np.testing.assert_allclose([side[0, step] for side in bounds], [side[0, step] for side in expected])


def test_quantiles_and_paths_are_those_of_the_adapted_intervals():
    alphas = np.array([[0.002] * 3, [0.01, 0.05, 0.1], [0.02, 0.1, 0.2], [0.05, 0.2, 0.4], [0.3, 0.5, 0.7]])
    changed, mean, spreads = replace(calibration(), alphas=alphas), np.zeros((1, 3)), np.ones((1, 3))
    lower, upper = changed.bounds(mean, spreads, 80)
    quantiles = changed.quantiles(mean, spreads, np.array([0.1, 0.5, 0.9]))
    np.testing.assert_allclose(quantiles[0], np.stack([lower[0], mean[0], upper[0]], axis=1), atol=1e-12)
    paths = changed.paths(mean, spreads, 20_000, np.random.default_rng(0))[0]
    inside = ((lower <= paths) & (paths <= upper)).mean(axis=0)
    np.testing.assert_allclose(inside, 0.8, atol=0.015)


def test_without_outcomes_nothing_changes():
    known, mean, spreads = calibration(), np.zeros((2, 3)), np.ones((2, 3))
    unseen = np.zeros((2, 3), bool)
    assert known.following(np.ones((LEVELS, 2, 3), bool), unseen, 1, 1).alphas is None
    assert known.following(np.ones((LEVELS, 2, 3), bool), ~unseen, 1, 1, weight=0.0).alphas is None
    levels = np.array([[0.123], [0.8]])
    assert adapted(None, levels, 3) is levels
    earlier = replace(known, profile=None, distances=np.abs(known.distances))  # of an old file
    assert earlier.following(known.missed(mean, spreads), ~unseen, 1, 1) is earlier


# --------------------------------------------------------------------------------------------- from cutoff to cutoff


@pytest.mark.parametrize(("step", "horizon", "span"), [(1, 3, 10), (2, 5, 10), (4, 3, 200)])
def test_outcomes_count_once_they_are_known(step, horizon, span):
    """Against the recursion as a loop over single outcomes."""
    windows, series = 40, 2
    cutoffs, known = cutoffs_of(series, windows, horizon, step), calibration(horizon, span)
    errors = 2 * np.random.default_rng(1).normal(size=(series * windows, horizon))
    errors[5:9, 1] = np.nan
    spreads, at_cutoff, missed = np.ones_like(errors), {}, {}
    for rows, result in recalibration.by_cutoff(known, cutoffs, errors, spreads):
        for stage in np.unique(cutoffs.stages[rows]):
            at_cutoff[stage] = result
        first = int(cutoffs.stages[rows].min())
        expected = np.repeat(MISCOVERAGES[:, None], horizon, axis=1)
        for (stage, k), fraction in missed.items():
            if stage * step + k + 1 <= first * step:
                expected[:, k] += GAMMAS * fraction / -(-(k + 1) // step)
        if first == 0:
            assert result.alphas is None
        else:
            np.testing.assert_allclose(result.alphas, expected, atol=1e-12)
        for stage in np.unique(cutoffs.stages[rows]):
            own = cutoffs.stages == stage
            for k in range(horizon):
                gains = np.zeros(LEVELS)
                for error in errors[own, k]:
                    for a, alpha in enumerate(MISCOVERAGES):
                        lower, upper = result.bounds(np.zeros((1, horizon)), np.ones((1, horizon)), 100 * (1 - alpha))
                        if not np.isnan(error):
                            gains[a] += (alpha - (not lower[0, k] <= error <= upper[0, k])) / series
                missed[stage, k] = gains


def rolling_coverage(rate, monkeypatch, errors_after, repetitions=6, windows=300, horizon=4):
    """The coverage (h,) of the 80 % interval over rolling origins, after the first 100."""
    monkeypatch.setattr("gatewise.forecast.conformal.adaptive.GAMMAS", rate / RATE * GAMMAS)
    generator, inside = np.random.default_rng(0), []
    for _ in range(repetitions):
        known = Calibration.of(generator.normal(size=(100, horizon)), np.ones((100, 1)), 100)
        errors = errors_after(generator.normal(size=(windows, horizon)))
        for rows, result in recalibration.by_cutoff(
            known, cutoffs_of(1, windows, horizon), errors, np.ones_like(errors)
        ):
            lower, upper = result.bounds(0 * errors[rows], np.ones_like(errors[rows]), 80)
            inside.append((lower <= errors[rows]) & (errors[rows] <= upper))
    return np.concatenate(inside).reshape(repetitions, windows, horizon)[:, 100:].mean(axis=(0, 1))


def test_coverage_stays_if_nothing_changes(monkeypatch):
    coverage = rolling_coverage(RATE, monkeypatch, lambda errors: errors)
    assert coverage.mean() == pytest.approx(0.8, abs=0.015)
    assert np.abs(coverage - 0.8).max() < 0.03


def test_each_step_recovers_after_its_errors_have_changed(monkeypatch):
    """Errors that newly grow with the step: newer distances alone cannot repair it."""
    before, after = (
        np.abs(rolling_coverage(rate, monkeypatch, lambda errors: errors * np.array([0.5, 1, 1.5, 2])) - 0.8).max()
        for rate in (0.0, RATE)
    )
    assert before > 0.12
    assert after < 0.6 * before
