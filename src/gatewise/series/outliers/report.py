"""Report: sentences about outliers, level shifts, constant series and counts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.outliers.search import Found
from gatewise.series.panel import Series
from gatewise.series.wording import FEW, counted, format_date

TREATMENT = 'correct them, or pass outliers="clip" or "missing" (--outliers clip)'
NEAR_ZERO = 0.1  # of the mean: a series whose smallest value is lower may have forecasts below zero
REPEATED = 0.5  # of the values of counts, distinct ones
LOW_COUNTS = 5.0  # mean
FEWEST = 12  # values of a series
FEWEST_EQUAL, SEASONS, MOST_EQUAL = 8, 2, 48  # equal values at the end: two seasons, but at least 8 and at most 48
TIMES = 2  # as many as in the longest earlier run of equal values


def describe_outliers(found: Sequence[Found]) -> tuple[str, ...]:
    """A sentence for each of the largest outliers, or runs of them, and one for all others."""
    runs = [(one, run) for one in found for run in _runs(one)]
    runs.sort(key=lambda entry: -_excess(*entry))
    sentences = [_describe(one, run) for one, run in runs[:FEW]]
    rest = runs[FEW:]
    if rest:
        values, series = sum(len(run) for _, run in rest), {id(one.series): one for one, _ in rest}
        names = ", ".join(repr(str(one.series.unique_id)) for one in list(series.values())[:FEW])
        more = ", ..." if len(series) > FEW else ""
        sentences.append(f"outliers: {counted(values, 'more value')} in {len(series)} series ({names}{more})")
    return tuple(sentences)


def describe_treatment(found: Sequence[Found], how: str, fill: str | None) -> tuple[str, ...]:
    """A sentence for `guesses` about the outliers that were treated."""
    if not found:
        return ()
    count = sum(len(one.rows) for one in found)
    first = found[0]
    dates = ", ".join(format_date(date) for date in first.series.ds[first.rows[:FEW]])
    dates += ", ..." if count > min(len(first.rows), FEW) else ""
    done = (
        f"clipped to the usual range around {'it' if count == 1 else 'each'}"
        if how == "clip"
        else f"treated as missing (fill={fill!r})"
    )
    return (f"outliers: {counted(count, 'value')} {done} ({dates} in series {str(first.series.unique_id)!r})",)


def _runs(found: Found) -> list[np.ndarray]:
    """The positions, in `found.rows`, of outliers that follow one another."""
    return np.split(np.arange(len(found.rows)), np.flatnonzero(np.diff(found.rows) > 1) + 1)


def _worst(found: Found, run: np.ndarray) -> int:
    return int(run[np.argmax(_distance(found)[run])])


def _distance(found: Found) -> np.ndarray:
    """How far each outlier is from the middle of its usual range, in units of this range."""
    middle, width = (found.lower + found.upper) / 2, found.upper - found.lower
    return np.asarray(np.abs(found.series.y[found.rows] - middle) / np.maximum(width, np.finfo(float).tiny))


def _excess(found: Found, run: np.ndarray) -> float:
    return float(_distance(found)[run].max())


def _describe(found: Found, run: np.ndarray) -> str:
    series, worst = found.series, _worst(found, run)
    name, ds = repr(str(series.unique_id)), series.ds[found.rows[run]]
    size = number(series.y[found.rows[worst]])
    usual = f"usual range around it {rounded(found.lower[worst])} to {rounded(found.upper[worst])}"
    if len(run) == 1:
        return f"outlier: {size} {_on(ds[0])} in series {name} ({usual})"
    dates = f"from {format_date(ds[0])} to {format_date(ds[-1])}"
    return f"outliers: {len(run)} values {dates} in series {name}, such as {size} ({usual})"


def _on(date: Any) -> str:
    return f"on {format_date(date)}" if isinstance(date, pd.Timestamp) else f"at time {date}"


def number(value: float) -> str:
    """A value as it was read, with separators of thousands.

    >>> number(9999.0), number(0.25), number(-1234.5678)
    ('9,999', '0.25', '-1,234.57')
    """
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    return _separated(float(f"{value:.6g}"))


def rounded(value: float) -> str:
    """A number with three digits, and separators of thousands.

    >>> rounded(79.961), rounded(1234567.0), rounded(-0.012345)
    ('80', '1,230,000', '-0.0123')
    """
    return _separated(float(f"{value:.3g}"))


def _separated(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) and 1 <= abs(value) < 1e15 else f"{value:,.10g}"


# ------------------------------------------------------------------------------------------------- constants and counts


def describe_constants(series: Sequence[Series], season: int) -> tuple[str, ...]:
    """Sentences about constant series, and about series that are constant at their ends."""
    constant = [one for one in series if len(one) > 2 and not np.ptp(one.y)]
    sentences = []
    if constant:
        first = constant[0]
        all_values = f"all {len(first)} values of series {str(first.unique_id)!r} are {number(first.y[0])}"
        sentences.append(f"constant: {all_values}{_others(len(constant) - 1, len(series))}")
    stuck = [(one, run) for one in series if (run := _standstill(one, season))]
    if stuck:
        one, run = stuck[0]
        since = format_date(one.ds[len(one) - run])
        last = f"the last {run} values of series {str(one.unique_id)!r} are {number(one.y[-1])}, since {since}"
        sentences.append(f"constant end: {last}{_others(len(stuck) - 1, len(series))}")
    return tuple(sentences)


def stuck_series(series: Sequence[Series], season: int) -> set[str]:
    """The names of the series that are constant at their ends."""
    return {str(one.unique_id) for one in series if _standstill(one, season)}


def _others(count: int, total: int) -> str:
    return f"; so it is in {counted(count, 'other')} of {total} series" if count else ""


def _standstill(series: Series, season: int) -> int:
    """The number of equal values at the end, if they are unusually many; otherwise 0."""
    y = series.y
    if len(y) < 2 or y[-1] != y[-2]:
        return 0
    changes = np.flatnonzero(np.diff(y) != 0)
    if not len(changes):
        return 0
    run = len(y) - 1 - int(changes[-1])
    earlier = int(np.diff(changes, prepend=-1).max())
    return run if run >= max(FEWEST_EQUAL, min(SEASONS * season, MOST_EQUAL), TIMES * earlier) else 0


def describe_counts(series: Sequence[Series]) -> tuple[str, ...]:
    """A note about values that are never negative, where forecasts may be."""
    if not series or any(one.y.min() < 0 for one in series):
        return ()
    if all(len(one) < FEWEST or one.y.min() > NEAR_ZERO * one.y.mean() for one in series):
        return ()
    if all((one.y == np.rint(one.y)).all() for one in series):
        if all(len(np.unique(one.y)) > REPEATED * len(one) for one in series):
            return ()
        low = np.mean([one.y.mean() for one in series]) < LOW_COUNTS  # rounded forecasts of low counts are mostly 0
        keep = "keeps" if low else "and integer=True (--integer) keep"
        return (f"counts: values are whole numbers >= 0; lower=0 (--lower 0) {keep} forecasts so",)
    return ("values: none is negative; lower=0 (--lower 0) keeps forecasts so",)
