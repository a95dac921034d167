"""Coverage of the intervals of simulated series, with few and with many validation errors."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from gatewise.forecast.conformal import Calibration

STEPS, START = 8, 60


class Run(NamedTuple):
    """Whether outcomes (reps, h) are inside the intervals of each level, and the mean widths (reps,) at 80 %."""

    inside: dict[int, np.ndarray]
    widths: np.ndarray


def series_of(kind, rng, n):
    """A series, and its best forecast after a cut."""
    e = rng.normal(size=n)
    if kind == "walk":
        y = e.cumsum()
        return y, lambda cut: np.full(STEPS, y[cut - 1])
    if kind == "autoregressive":
        y = np.zeros(n)
        for t in range(1, n):
            y[t] = 0.7 * y[t - 1] + e[t]
        return y, lambda cut: y[cut - 1] * 0.7 ** np.arange(1, STEPS + 1)
    if kind == "seasonal":  # every fourth value varies three times as much
        return e * np.where(np.arange(n) % 4 == 0, 3, 1), lambda cut: np.zeros(STEPS)
    y = np.exp(e) - 1 if kind == "skewed" else e
    return y, lambda cut: np.zeros(STEPS)


def errors_of(kind, span, repetitions, seed=0) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Errors on a validation set, those of the naive forecast there, and those of the forecast after it."""
    rng = np.random.default_rng(seed)
    for _ in range(repetitions):
        y, forecast = series_of(kind, rng, START + span + STEPS)
        cuts = range(START, START + span - STEPS + 1)
        errors = np.array([y[cut : cut + STEPS] - forecast(cut) for cut in cuts])
        naive = np.array([y[cut : cut + STEPS] - y[cut - 1] for cut in cuts])
        yield errors, naive, y[START + span :] - forecast(START + span)


def simulated(kind, span, repetitions):
    inside, widths = {80: [], 95: []}, []
    zeros, ones = np.zeros((1, STEPS)), np.ones((1, STEPS))
    for errors, naive, outcome in errors_of(kind, span, repetitions):
        calibration = Calibration.of(errors, np.ones((len(errors), 1)), span, reference=naive)
        for level, rows in inside.items():
            lower, upper = calibration.bounds(zeros, ones, level)
            rows.append((lower[0] <= outcome) & (outcome <= upper[0]))
        lower, upper = calibration.bounds(zeros, ones, 80)
        widths.append((upper - lower).mean())
    return Run({level: np.array(rows) for level, rows in inside.items()}, np.array(widths))


@pytest.mark.parametrize("kind", ["noise", "walk", "autoregressive", "seasonal", "skewed"])
@pytest.mark.parametrize(("span", "repetitions", "above"), [(16, 300, 0.12), (40, 300, 0.1), (400, 100, 0.06)])
def test_intervals_have_about_their_nominal_coverage(kind, span, repetitions, above):
    """With 8, 20 and 200 independent errors; few errors make intervals wider rather than narrower."""
    run = simulated(kind, span, repetitions)
    assert 0.76 <= run.inside[80].mean() <= 0.8 + above
    assert 0.92 <= run.inside[95].mean() <= 1


@pytest.mark.parametrize("kind", ["noise", "walk", "autoregressive"])
def test_each_step_has_about_its_nominal_coverage(kind):
    """The first step too, although the prior growth is that of a random walk."""
    by_step = simulated(kind, 80, 400).inside[80].mean(axis=0)
    assert by_step.min() > 0.74
    assert by_step.max() < 0.88


def test_a_calm_validation_set_does_not_make_the_intervals_narrow():
    """Widths for few errors vary less from sample to sample if the naive errors of the whole past count."""
    plain, corrected = [], []
    for errors, naive, _ in errors_of("noise", 16, 200):
        spreads, bounds = np.ones((len(errors), 1)), (np.zeros((1, 1)), np.ones((1, 1)), 80)
        past = np.sqrt(2 * 2 / np.pi) / np.abs(naive).mean()  # the expected size of a difference of two errors
        for widths, options in ((plain, {}), (corrected, {"reference": naive, "past": past})):
            lower, upper = Calibration.of(errors, spreads, 16, **options).bounds(*bounds)
            widths.append((upper - lower).item())
    variation = [np.std(np.log(widths)) for widths in (plain, corrected)]
    assert variation[1] < 0.8 * variation[0]


def test_one_huge_error_does_not_decide_the_width():
    errors = np.random.default_rng(0).normal(size=(60, STEPS))
    wild = errors.copy()
    wild[7] *= 1e4  # the spread of one window was almost 0
    for level in (80, 95, 99):
        calm, other = (
            Calibration.of(e, np.ones((60, 1)), 67).bounds(np.zeros((1, STEPS)), np.ones((1, STEPS)), level)[1]
            for e in (errors, wild)
        )
        assert (other < 2.5 * calm).all()


def test_skewed_errors_give_skewed_intervals_if_there_are_many():
    errors = np.exp(np.random.default_rng(0).normal(size=(400, 1))) - 1
    ratios = []
    for span in (10, 100, 800):
        lower, upper = Calibration.of(errors, np.ones((400, 1)), span).bounds(np.zeros((1, 1)), np.ones((1, 1)), 80)
        ratios.append((upper / -lower).item())
    assert 1 < ratios[0] < ratios[1] < ratios[2]
    assert ratios[0] < 1.4  # few errors say little about skewness
    exact = np.expm1(1.2816) / -np.expm1(-1.2816)  # of the quantiles of the distribution
    assert ratios[2] == pytest.approx(exact, rel=0.15)
