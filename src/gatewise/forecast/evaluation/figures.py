"""Figures of a backtest: its forecasts over the outcomes."""

from dataclasses import replace
from typing import Any

import numpy as np

from gatewise import plot
from gatewise.forecast import baselines
from gatewise.forecast.evaluation.holdout import Holdout
from gatewise.plot import Example

EXAMPLES = 3  # best and worst series that are drawn


def draw_series(holdout: Holdout, k: int, ax: Any) -> Any:
    """The forecasts of the k-th series over its values."""
    example = _example(holdout, k)
    return plot.backtest(
        example.ds, example.y, example.forecasts, last=example.last, model=holdout.model, name=example.title, ax=ax
    )


def draw_examples(holdout: Holdout, cases: np.ndarray, errors: np.ndarray, score: str) -> Any:
    """The series with the smallest and the largest errors.

    Arguments:
        holdout: the test windows.
        cases: positions in `holdout.series` of the series that have the score.
        errors: the score of each.
        score: its name.
    """
    if len(holdout.series) == 1 or not len(cases):
        cases, errors = np.zeros(1, int), np.zeros(1)
    order = cases[np.argsort(errors, kind="stable")]
    few = len(order) <= 2 * EXAMPLES
    groups = {"": order} if few else {"best: ": order[:EXAMPLES], "worst: ": order[-EXAMPLES:]}
    panels = [
        replace(example, title=f"{group}{example.title}")
        for group, places in groups.items()
        for example in (_example(holdout, int(holdout.series[place])) for place in places)
    ]
    return plot.examples(
        panels, title=f"{holdout.model} forecasts and outcomes, series ordered by {score}", model=holdout.model
    )


def _example(holdout: Holdout, k: int) -> Example:
    """The test windows of one series that do not overlap, and the values before them."""
    series, horizon = holdout.panel.series[k], holdout.horizon
    rows = _not_overlapping(np.flatnonzero(holdout.which == k), holdout.cuts, horizon)
    end = int(holdout.cuts[rows[-1]])
    ds = holdout.calendar(k, end + horizon - 1)
    past = series.recorded[:end] if series.masked else baselines.known(series, end).y
    intervals = holdout.intervals.items()
    forecasts = [
        (ds[cut : cut + horizon], holdout.mean[w], {level: (lower[w], upper[w]) for level, (lower, upper) in intervals})
        for w, cut in zip(rows, holdout.cuts[rows], strict=True)
    ]
    return Example(
        str(series.unique_id),
        ds[: end + horizon],
        np.concatenate([past, holdout.truth[rows[-1]]]),
        forecasts,
        last=end - int(holdout.cuts[rows[0]]) + 4 * horizon,  # three horizons before the first window
    )


def _not_overlapping(rows: np.ndarray, cuts: np.ndarray, horizon: int) -> list[int]:
    """The last window and, going backwards, each window that ends before the previously chosen one starts."""
    chosen = [int(rows[-1])]
    for row in rows[-2::-1]:
        if cuts[row] + horizon <= cuts[chosen[-1]]:
            chosen.append(int(row))
    return chosen[::-1]
