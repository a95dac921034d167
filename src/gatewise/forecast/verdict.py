"""The verdict: what a backtest says about trusting a model, in words that its numbers bear out."""

import math
from collections.abc import Sequence

import numpy as np

NAIVE, DRIFT, SEASONAL = "Naive", "Drift", "SeasonalNaive"
CALLED = {
    NAIVE: "the naive forecast (the last value)",
    DRIFT: "the drift forecast (on along the line from the first value to the last)",
    SEASONAL: "the seasonal naive forecast (last season again)",
}
MARGIN = 0.05  # a difference of less than 5 % in mean absolute error is called none
LOOSE = 0.10  # an interval whose coverage is off by less than 10 points is called neither narrow nor wide
THIN = 5  # fewer windows than these are thin evidence


def judgement(model: str, best: str, ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Whether a model is worth using beside the best naive forecast.

    Arguments:
        model, best: names.
        ours, theirs: mean absolute error in each held-out window.

    >>> print(judgement("LSTM", "Naive", [1.0, 2.0, 1.5], [2.0, 3.0, 2.5]))
    The LSTM is worth using: 40% better than the naive forecast (the last value), in 3 of 3 held-out windows.
    """
    gains = np.asarray(theirs) - np.asarray(ours)
    wins, windows = int((gains > 0).sum()), len(gains)
    mine, other = float(np.mean(ours)), float(np.mean(theirs))
    where = f"in {wins} of {windows} held-out windows"
    if mine > other * (1 + MARGIN):
        return f"Do not trust the {model} here: {CALLED[best]} does better, and the {model} is ahead {where}."
    if mine >= other * (1 - MARGIN):
        return f"The {model} is no better than {CALLED[best]}; use that, it is simpler (ahead {where})."
    gain = f"{1 - mine / other:.0%} better than {CALLED[best]}"
    if wins == windows or gains.mean() > 2 * gains.std(ddof=1) / math.sqrt(windows):
        return f"The {model} is worth using: {gain}, {where}."
    return f"The {model} is {gain} on average, but ahead only {where}; use it with care."


def evidence(windows: int) -> str:
    """What to think of the number of windows; nothing if there are enough.

    >>> evidence(3)
    '3 windows are thin evidence; more of them (windows=, --windows) make it firmer.'
    """
    if windows >= THIN:
        return ""
    few = "One window is" if windows == 1 else f"{windows} windows are"
    return f"{few} thin evidence; more of them (windows=, --windows) make it firmer."


def band(coverage: dict[float, float], values: int) -> str:
    """How far the measured coverage of the intervals bears out their levels.

    Arguments:
        coverage: level in percent -> fraction of the values inside.
        values: how many there were.

    >>> band({80: 0.55, 95: 0.8}, values=72)
    'Of 72 values, the 80 % interval held 55% and the 95 % interval held 80%: too narrow, expect more surprises.'
    """
    if not coverage or not values:
        return ""
    found = " and ".join(f"the {level:g} % interval held {inside:.0%}" for level, inside in coverage.items())
    off = [_off(level / 100, inside, values) for level, inside in coverage.items()]
    judged = ": too narrow, expect more surprises" if min(off) < 0 else ": wider than need be" if max(off) > 0 else ""
    return f"Of {values} values, {found}{judged}."


def _off(level: float, inside: float, values: int) -> int:
    """-1 or 1 where the coverage is off by more than a little and more than chance would have it, else 0."""
    chance = 2 * math.sqrt(level * (1 - level) / values)
    away = inside - level
    return 0 if abs(away) <= max(LOOSE, chance) else int(math.copysign(1, away))
