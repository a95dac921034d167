"""The verdict: what a backtest says about trusting a model, in words that its numbers bear out."""

import math
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from gatewise.forecast.baselines import DRIFT, NAIVE, SEASONAL
from gatewise.series.wording import counted

Errors: TypeAlias = Sequence[float] | np.ndarray

CALLED = {
    NAIVE: "the naive forecast (the last value)",
    DRIFT: "the drift forecast (on along the line from the first value to the last)",
    SEASONAL: "the seasonal naive forecast (last season again)",
}
MARGIN = 0.05  # a difference of less than 5 % in mean error is called none
LOOSE = 0.10  # an interval whose coverage is off by less than 10 points is called neither narrow nor wide
THIN = 5  # fewer windows than these are thin evidence
WORST = 3  # so many series at most are named


def standing(ours: Errors, theirs: Errors) -> Literal["behind", "level", "unsure", "ahead"]:
    """Where errors stand beside a baseline's in the same cases: "ahead" by more than a little, and surely.

    Surely is in every case, or on average by twice the standard error of the differences.

    Arguments:
        ours, theirs: error in each case, a held-out window or a series.

    >>> standing([1.0, 2.0, 1.5], [2.0, 3.0, 2.5]), standing([1.0, 5.0, 1.0], [3.0, 3.0, 3.0])
    ('ahead', 'unsure')
    """
    gains = np.asarray(theirs) - np.asarray(ours)
    gains = gains / (np.abs(gains).max() or 1.0)  # squares of small ones vanish
    mine, other = float(np.mean(ours)), float(np.mean(theirs))
    if mine > other * (1 + MARGIN):
        return "behind"
    if mine >= other * (1 - MARGIN):
        return "level"
    sure = (gains > 0).all() or gains.mean() > 2 * gains.std(ddof=1) / math.sqrt(len(gains))
    return "ahead" if sure else "unsure"


def judgement(model: str, best: str, ours: Errors, theirs: Errors, where: str = "") -> str:
    """Whether a model is worth using beside the best naive forecast.

    Arguments:
        model, best: names.
        ours, theirs: error in each held-out window, or the mean error in each series.
        where: how often the model is ahead, in words; by default in how many of the windows.

    >>> print(judgement("LSTM", "Naive", [1.0, 2.0, 1.5], [2.0, 3.0, 2.5]))
    The LSTM is worth using: 40% better than the naive forecast (the last value), in 3 of 3 held-out windows.
    """
    where = where or f"in {wins(ours, theirs)} held-out windows"
    stands = standing(ours, theirs)
    if stands == "behind":
        return f"Do not trust the {model} here: {CALLED[best]} does better, and the {model} is ahead {where}."
    if stands == "level":
        return f"The {model} is no better than {CALLED[best]}; use that, it is simpler (ahead {where})."
    gain = f"{1 - float(np.mean(ours)) / float(np.mean(theirs)):.0%} better than {CALLED[best]}"
    if stands == "ahead":
        return f"The {model} is worth using: {gain}, {where}."
    return f"The {model} is {gain} on average, but ahead only {where}; use it with care."


def stood_in(model: str, replaced: Sequence[str], judged: str) -> str:
    """What is judged where naive forecasts took the place of a model; else the judgement as it is.

    Arguments:
        model: its name.
        replaced: the naive forecast that stood in for it each time it was trained, "" for none.
        judged: of the forecasts that were measured.

    >>> stood_in("LSTM", ["Naive"], "...").partition(":")[0]
    'No verdict on the LSTM'
    >>> stood_in("LSTM", ["Naive", ""], "It is worth using.")
    "It is worth using. In 1 of 2 trainings of the LSTM a naive forecast took its place (fallback='naive')."
    """
    baselines = list(dict.fromkeys(name for name in replaced if name))
    if not baselines:
        return judged
    if all(replaced):
        said = " and ".join(CALLED[name] for name in baselines)
        return f"No verdict on the {model}: measured was {said}, which took its place (fallback='naive')."
    times = f"{sum(map(bool, replaced))} of {len(replaced)} trainings of the {model}"
    return f"{judged} In {times} a naive forecast took its place (fallback='naive')."


def wins(ours: Errors, theirs: Errors) -> str:
    """In how many cases the errors are the smaller ones.

    >>> wins([1.0, 2.0, 4.0], [2.0, 3.0, 3.0])
    '2 of 3'
    """
    return f"{int((np.asarray(ours) < np.asarray(theirs)).sum())} of {len(ours)}"


def worst(names: Sequence[Any], ours: Errors, theirs: Errors, score: str) -> str:
    """The few series where a model is furthest behind a baseline; nothing if it is behind in none.

    >>> worst(["a", "b", "c"], [3.1, 0.5, 2.0], [1.2, 1.0, 1.9], "MASE")
    "Worst: 'a' (MASE 3.1 against 1.2), 'c' (MASE 2 against 1.9)."
    """
    behind = np.asarray(ours) - np.asarray(theirs)
    chosen = [int(k) for k in np.argsort(-behind, kind="stable")[:WORST] if behind[k] > 0]
    said = [f"{_short(names[k])} ({score} {ours[k]:.3g} against {theirs[k]:.3g})" for k in chosen]
    return f"Worst: {', '.join(said)}." if said else ""


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
    return f"Of {counted(values, 'value')}, {found}{judged}."


def _off(level: float, inside: float, values: int) -> int:
    """-1 or 1 where the coverage is off by more than a little and more than chance would have it, else 0."""
    chance = 2 * math.sqrt(level * (1 - level) / values)
    away = inside - level
    return 0 if abs(away) <= max(LOOSE, chance) else int(math.copysign(1, away))


def _short(name: Any) -> str:
    """A name in quotes, cut where it is long."""
    text = str(name)
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
