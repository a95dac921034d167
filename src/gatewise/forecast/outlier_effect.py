"""The effect of outliers on the forecast: how much it changes if the same model does not read them.

Letters: `h` horizon.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gatewise.forecast.fitted import FittedState
from gatewise.series import Series
from gatewise.series.outliers.report import rounded
from gatewise.series.outliers.search import Found, search
from gatewise.series.outliers.treatment import without
from gatewise.series.wording import format_date

MOST_DATES, MOST_SENTENCES = 3, 3
SMALLEST = 0.001  # change in units of the forecast from which it is stated in the unit of the series
TRAINING = (
    "Training without outliers may change forecasts more: pass outliers='missing' and fill='interpolate' "
    "(--outliers missing --fill interpolate)."
)


@dataclass(frozen=True)
class OutlierEffect:
    """What the outliers of a series do to its forecast; `str` gives the sentence.

    Attributes:
        series: as the model reads it.
        rows: (R,) positions of the outliers.
        change: mean over the h steps of the forecast without the outliers minus the forecast.
        absolute: mean absolute change.
        fraction: the mean absolute change in units of the mean absolute forecast.
    """

    series: Series
    rows: np.ndarray
    change: float
    absolute: float
    fraction: float

    def __str__(self) -> str:
        dates = self.series.ds[self.rows]
        of = f"outlier of {format_date(dates[0])}"
        if len(dates) > 1:
            more = ", ..." if len(dates) > MOST_DATES else ""
            of = f"{len(dates)} outliers of {', '.join(map(format_date, dates[:MOST_DATES]))}{more}"
        name = repr(str(self.series.unique_id))
        start = f"With the same trained networks, but without the {of} in {name}, the forecast would"
        if not self.fraction >= SMALLEST:
            return f"{start} not change (less than 0.1 %)."
        if abs(self.change) > 0.9 * self.absolute:
            direction = "higher" if self.change > 0 else "lower"
            size = f"be {rounded(self.absolute)} {direction} on average"
        else:
            size = f"change by {rounded(self.absolute)} on average"
        return f"{start} {size} ({rounded(100 * self.fraction)} %)."


def outlier_effects(state: FittedState, horizon: int, future: Any = None) -> tuple[OutlierEffect, ...]:
    """The effect of the outliers that the model reads on the forecast of each series that has some.

    The forecast is repeated without training: linear values in time replace the outliers. Treated outliers have no
    effect.

    Arguments:
        state: the fitted forecaster.
        horizon: steps, h.
        future: future covariates; see `gatewise.Forecaster.predict`.
    """
    panel = state.panel
    found = [] if panel.outliers != "report" else search(panel.series, panel.freq)
    if not found:
        return ()
    by_series = {id(one.series): one for one in found}
    replaced = tuple(without(by_series[id(one)]) if id(one) in by_series else one for one in panel.series)
    before = state.forecasts(horizon, (), future)
    after = state.forecasts(horizon, (), future, replace(panel, series=replaced))
    return tuple(
        _effect(by_series[id(series)], old.mean, new.mean)
        for series, old, new in zip(panel.series, before, after, strict=False)  # excluded series come last
        if id(series) in by_series
    )


def _effect(found: Found, before: np.ndarray, after: np.ndarray) -> OutlierEffect:
    change = after - before
    absolute, size = float(np.abs(change).mean()), float(np.abs(before).mean())
    fraction = absolute / size if size else float(absolute > 0)
    return OutlierEffect(found.series, found.rows, float(change.mean()), absolute, fraction)


def describe_effects(effects: Sequence[OutlierEffect]) -> tuple[str, ...]:
    """The sentences of the largest effects, the number of others, and what these effects leave out."""
    largest = sorted(effects, key=lambda effect: -effect.fraction)
    more = len(largest) - MOST_SENTENCES
    sentences = [str(effect) for effect in largest[:MOST_SENTENCES]]
    others = [f"{more} more series have outliers with smaller effects."] if more > 0 else []
    return (*sentences, *others, *([TRAINING] if sentences else []))
