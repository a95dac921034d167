"""The verdict: whether the numbers of a backtest justify trust in a model."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from gatewise.forecast.baselines import describe
from gatewise.forecast.evaluation.importance import SMALLEST, Importance
from gatewise.forecast.evaluation.significance import p_value
from gatewise.series.wording import counted

Errors: TypeAlias = Sequence[float] | np.ndarray

SIGNIFICANT = 0.05  # probability of a gain by chance, below which it is evidence
MARGIN = 0.05  # a relative difference in mean error up to which two forecasts are equally good
TOLERANCE = 0.10  # a difference between coverage and level up to which an interval is neither narrow nor wide
ENOUGH_WINDOWS = 5  # fewer test windows are little evidence
MOST_NAMED = 3  # of the worst series
MOST_COVARIATES = 5  # named in the verdict
MANY_TIMES = 10  # an error above this many times another is not stated exactly
NUMBERS = ("No", "One", "Two", "Three", "Four")


def standing(
    errors: Errors, baseline: Errors, lag: int = 0, rho: float = 0.0
) -> Literal["behind", "level", "unsure", "ahead"]:
    """Compare errors with those of a baseline in the same cases.

    "ahead" means a mean error lower by more than 5 %, and significantly lower; see
    `gatewise.forecast.evaluation.significance`.

    Arguments:
        errors, baseline: error in each case, a test window or a series.
        lag: test windows to each side that overlap with a window.
        rho: correlation of the errors of different series.

    >>> standing([1.0, 2.0, 1.5], [2.0, 3.0, 2.6]), standing([1.0, 5.0, 1.0], [3.0, 3.0, 3.0])
    ('ahead', 'unsure')
    """
    mean, baseline_mean = float(np.mean(errors)), float(np.mean(baseline))
    if mean > baseline_mean * (1 + MARGIN):
        return "behind"
    if mean >= baseline_mean * (1 - MARGIN):
        return "level"
    return "ahead" if p_value(np.asarray(baseline) - np.asarray(errors), lag, rho) < SIGNIFICANT else "unsure"


def judgement(
    model: str, best: str, errors: Errors, baseline: Errors, where: str = "", lag: int = 0, rho: float = 0.0
) -> str:
    """Whether a model is worth using instead of the best baseline.

    Arguments:
        model, best: names of the model and the baseline.
        errors, baseline: their error in each test window, or their mean error for each series.
        where: in which cases the model is better; by default in how many of the test windows.
        lag: test windows to each side that overlap with a window.
        rho: correlation of the errors of different series.

    >>> print(judgement("LSTM", "Naive", [1.0, 5.0, 1.0], [3.0, 3.0, 3.0]))
    The LSTM is 22 % better than ... on average, ahead in 2 of 3 test windows; that may be chance (p = 0.33), ...
    """
    where = where or f"in {wins(errors, baseline)} test windows"
    description, result = describe(best), standing(errors, baseline, lag, rho)
    if result == "behind":
        return f"Do not trust the {model} here: {description} is better; the {model} is ahead {where}."
    if result == "level" and model == "forecast":
        return f"The forecast is as good as {description}, but not better (it is ahead {where})."
    if result == "level":
        return (
            f"The {model} is no better than {description}; use that instead, as it is simpler (the {model} is ahead "
            f"{where})."
        )
    gain = f"{percent(1 - float(np.mean(errors)) / float(np.mean(baseline)))} better than {description}"
    p = p_value(np.asarray(baseline) - np.asarray(errors), lag, rho)
    if result == "ahead":
        return f"The {model} is worth using: {gain}, ahead {where} ({_probability(p)})."
    return f"The {model} is {gain} on average, ahead {where}; that may be chance ({_probability(p)}), use it with care."


def delivery(model: str, delivered: Sequence[str]) -> str:
    """Which methods the forecasts of the test windows come from; "" if all come from the model.

    Arguments:
        model: its name.
        delivered: for each training run the name of the delivered method.

    >>> delivery("LSTM", ["average of LSTM and Theta", "LSTM", "average of LSTM and Theta"])
    'In the test windows, the forecast was the average of LSTM and Theta (2 of 3) or LSTM (1).'
    >>> delivery("LSTM", ["Theta"])
    'In the test windows, the forecast was Theta.'
    """
    counts = Counter(delivered)
    if set(counts) <= {model}:
        return ""
    (first, times), *others = [(articled(name), count) for name, count in counts.most_common()]
    text = f"In the test windows, the forecast was {first}"
    if not others:
        return f"{text}."
    return f"{text} ({times} of {len(delivered)}) or {' or '.join(f'{name} ({count})' for name, count in others)}."


def articled(method: str) -> str:
    """The name of a method in a sentence.

    >>> articled("Theta"), articled("average of LSTM and Theta")
    ('Theta', 'the average of LSTM and Theta')
    """
    return f"the {method}" if method.startswith("average") else method


def baseline_only(model: str, best: str) -> str:
    """The judgement where all forecasts are those of the baseline that is best in the test windows too.

    >>> print(baseline_only("LSTM", "Naive"))
    Use the naive forecast (the last value): it was the forecast in all test windows; the LSTM was no better before.
    """
    return f"Use {describe(best)}: it was the forecast in all test windows; the {model} was no better before."


def wins(errors: Errors, baseline: Errors) -> str:
    """In how many cases the errors are smaller than those of the baseline.

    >>> wins([1.0, 2.0, 4.0], [2.0, 3.0, 3.0])
    '2 of 3'
    """
    return f"{int((np.asarray(errors) < np.asarray(baseline)).sum())} of {len(errors)}"


def worst(names: Sequence[Any], errors: Errors, baseline: Errors, score: str) -> str:
    """The series on which a model is furthest behind a baseline; "" if it is behind on none.

    >>> worst(["a", "b", "c"], [3.1, 0.5, 2.0], [1.2, 1.0, 1.9], "MASE")
    "Worst: 'a' (MASE 3.1 against 1.2), 'c' (MASE 2 against 1.9)."
    """
    behind = np.asarray(errors) - np.asarray(baseline)
    cases = [int(k) for k in np.argsort(-behind, kind="stable")[:MOST_NAMED] if behind[k] > 0]
    texts = [f"{_short(names[k])} ({score} {errors[k]:.3g} against {baseline[k]:.3g})" for k in cases]
    return f"Worst: {', '.join(texts)}." if texts else ""


def counts(rows: np.ndarray, forecast: np.ndarray, truth: np.ndarray, score: str) -> str:
    """The totals of test windows that are forecast as counts, and the score of the verdict; "" if there are none.

    Arguments:
        rows: (W,) whether each test window is forecast as counts.
        forecast: (W, h).
        truth: (W, h), NaN where nothing was observed.
        score: of the verdict.

    >>> print(counts(np.array([True, False]), np.full((2, 3), 0.4), np.array([[0, 0, 1.0], [5, 6, 7]]), "RMSSE"))
    Intermittent series: 1 of 2 test windows, with 1.2 forecast in total and 1 observed; errors are compared by the
    RMSSE, as the mean absolute error favours forecasts of zero. Intervals of counts cover more than their level.
    """
    if not rows.any():
        return ""
    seen = ~np.isnan(truth[rows])
    totals = [f"{values[rows][seen].sum():,.4g}" for values in (forecast, truth)]
    favours = "the mean absolute error favours forecasts of zero"
    compared = f"errors are compared by the RMSSE, as {favours}" if score == "RMSSE" else f"for them, {favours}"
    return (
        f"Intermittent series: {int(rows.sum())} of {counted(len(rows), 'test window')}, with {totals[0]} forecast in "
        f"total and {totals[1]} observed; {compared}. Intervals of counts cover more than their level."
    )


def evidence(windows: int, more: int, series: int = 1) -> str:
    """A warning of too few test windows; "" if there are enough.

    Arguments:
        windows: number of test windows of all series.
        more: number of windows to use instead for each series, 0 if the series are too short for more.
        series: number of series.

    >>> evidence(3, more=10)
    'Three test windows are little evidence; use windows=10 (--windows 10).'
    """
    if windows >= ENOUGH_WINDOWS:
        return ""
    count = f"{NUMBERS[windows]} test window{' is' if windows == 1 else 's are'}"
    remedy = (
        f"use windows={more} (--windows {more})"
        if more
        else f"the series {'is' if series == 1 else 'are'} too short for more"
    )
    return f"{count} little evidence; {remedy}."


def single_model(windows: int) -> str:
    """The difference between a model that forecasts all test windows and the delivered one.

    >>> single_model(3)
    'One model forecast all 3 windows, trained before the first; refit=True (--refit) trains one for each.'
    """
    return (
        f"One model forecast all {windows} windows, trained before the first; refit=True (--refit) trains one for each."
    )


def coverage(fractions: dict[float, float], values: int) -> str:
    """The measured coverage of the intervals, beside their levels.

    Arguments:
        fractions: level in percent -> fraction of the values inside.
        values: how many values were measured.

    >>> coverage({80: 0.55, 95: 0.94}, values=72)
    'Coverage over 72 values: 55 % for the 80 % interval (too narrow), 94 % for the 95 % interval.'
    """
    if not fractions or not values:
        return ""
    notes = {-1: " (too narrow)", 0: "", 1: " (too wide)"}
    parts = [
        f"{percent(inside)} for the {level:g} % interval{notes[_deviation(level / 100, inside, values)]}"
        for level, inside in fractions.items()
    ]
    return f"Coverage over {counted(values, 'value')}: {', '.join(parts)}."


def of_means(score: str) -> str:
    """A remark about the score of means, "MAE" or "MASE"."""
    return f"The forecasts are means, but {score} favours medians; RMSE favours means."


def covariates(importances: Sequence[Importance]) -> str:
    """Which covariates help the forecast, the strongest first; "" without covariates.

    >>> print(covariates([Importance("price", "past", 0.0, 0.1), Importance("promotion", "known", 0.31, 0.02)]))
    Covariates: 'promotion' helps (without its information the error is 31 % higher); 'price' does not help (+0 %).
    """
    if not importances:
        return ""
    if not any(covariate.is_used for covariate in importances):
        return "Covariates: the forecast does not depend on them."
    ranked = sorted(importances, key=lambda covariate: (not covariate.helps, -covariate.increase))
    named = "; ".join(map(_help, ranked[:MOST_COVARIATES]))
    more = len(ranked) - MOST_COVARIATES
    return f"Covariates: {named}{f'; {more} more in the table of importance' if more > 0 else ''}."


def _help(importance: Importance) -> str:
    name, increase = _short(importance.covariate), importance.increase
    if not importance.helps:
        if increase >= SMALLEST:
            return f"{name} does not clearly help ({percent(increase, '+')} ± {percent(importance.standard_error)})"
        return f"{name} does not help ({percent(round(increase, 2) + 0.0, '+')})"
    higher = f"{percent(increase)} higher" if increase < MANY_TIMES else f"more than {MANY_TIMES} times as high"
    return f"{name} helps (without its information the error is {higher})"


def _probability(p: float) -> str:
    return f"p = {p:.2f}" if p >= 0.01 else "p < 0.01"


def percent(fraction: float, sign: str = "") -> str:
    """A fraction in whole percent.

    >>> percent(0.974)
    '97 %'
    """
    return f"{fraction:{sign}.0%}".replace("%", " %")


def _deviation(level: float, inside: float, values: int) -> int:
    """-1 or 1 where the coverage is significantly too low or too high, else 0."""
    twice_deviation = 2 * math.sqrt(level * (1 - level) / values)
    difference = inside - level
    return 0 if abs(difference) <= max(TOLERANCE, twice_deviation) else int(math.copysign(1, difference))


def _short(name: Any) -> str:
    """A name in quotes, truncated if it is long."""
    text = str(name)
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
