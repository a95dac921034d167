"""Eligibility: which series are long enough, and within the limits, to be forecast or backtested.

The others are excluded or an error.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gatewise.forecast.model.held_out import HeldOut
from gatewise.forecast.model.plan import MINIMUM, Plan
from gatewise.series import DataError, ExcludedSeries, Panel, Series
from gatewise.series.panel import length_of
from gatewise.series.wording import format_date

EXCLUDED, MOST_NAMED = "excluded from the backtest", 3  # begins the sentence about series; names them
MOST_UNSCALED = 1e18  # the squares of larger values overflow in single precision


def eligible(panel: Panel, plan: Plan, alone: bool = False) -> Panel:
    """The panel without series that are too short or contradict the limits, which its `on_bad` excludes or refuses.

    Clipped outliers are moved into the limits.

    A single series passes unless `alone`: once the context is known, `Plan.scaling` raises a better message.

    Raises:
        DataError: one such series and on_bad="raise", or only such series.
    """
    if plan.scale == "none":
        _check_unscaled(panel)
    panel = plan.limits.within(panel)
    panel = _without(panel, plan.limits.violations(panel), "correct such values", "use other limits")
    if len(panel) == 1 and not panel.excluded_series and not alone:
        return panel
    fewest = plan.fewest(plan.choose_season(panel)[0])
    short = {k: series for k, series in enumerate(panel.series) if len(series) < fewest}
    expected = plan.fewest_sum(plan.choose_season(panel)[0])
    reasons = {k: f"{length_of(series)}, expected at least {expected}" for k, series in short.items()}
    return _without(panel, reasons, "use a longer series")


def _without(panel: Panel, reasons: Mapping[int, str], *remedies: str) -> Panel:
    """The panel without the series at these positions, which its `on_bad` excludes or refuses."""
    if not reasons:
        return panel
    if panel.on_bad == "raise" or len(reasons) == len(panel):
        if len(reasons) < len(panel):
            remedies = (*remedies, "on_bad='skip' or 'naive' (--on-bad naive)")
        *first, last = remedies
        remedy = f"{', '.join(first)}, or {last}" if first else last
        raise DataError(f"{next(iter(reasons.values()))}; {remedy}")
    excluded = [
        ExcludedSeries(panel.series[k].unique_id, reason, panel.series[k] if panel.on_bad == "naive" else None)
        for k, reason in reasons.items()
    ]
    remaining = tuple(series for k, series in enumerate(panel.series) if k not in reasons)
    return replace(panel, series=remaining, excluded_series=(*panel.excluded_series, *excluded))


def _check_unscaled(panel: Panel) -> None:
    for series in panel.series:
        worst = int(np.abs(series.y).argmax())
        if abs(series.y[worst]) > MOST_UNSCALED:
            raise DataError(
                f"series {str(series.unique_id)!r}, {format_date(series.ds[worst])}: {series.y[worst]:g} is too large "
                f"for scale='none', expected an absolute value of at most {MOST_UNSCALED:g}; use scale='window' "
                "(--scale window), or a larger unit"
            )


def long_enough(panel: Panel, plan: Plan, held_out: HeldOut) -> tuple[Panel, tuple[str, ...]]:
    """The series from which test windows can be cut off at the end, and a line for `guesses` about the others.

    Raises:
        DataError: all series are too short; the message holds the sum of the values that are needed.
    """
    season = plan.choose_season(panel)[0]
    longest, (least, why) = max(panel.series, key=len), plan.least(panel, season)
    if len(longest) - held_out.values < least:
        reason = "" if why == MINIMUM else f"{why}; "
        raise DataError(
            f"{length_of(longest)}; {held_out.leave(len(longest) - held_out.values)}, expected at least {least} "
            f"({reason}{least + held_out.values} values in all: {least} + {held_out.sum}); "
            f"{held_out.remedy(len(longest) - least)}"
        )
    fewest = plan.fewest(season)
    long, short = _split_by_length(panel, held_out.values + fewest)
    names = ", ".join(repr(str(series.unique_id)) for series in short[:MOST_NAMED])
    names += ", ..." if len(short) > MOST_NAMED else ""
    why = f"too short for {held_out}: fewer than {fewest} + {held_out.sum} values"
    guess = f"{EXCLUDED}: {len(short)} of {len(panel)} series ({why}): {names}"
    return replace(panel, series=long), (guess,) if short else ()


def _split_by_length(panel: Panel, fewest: int) -> tuple[tuple[Series, ...], list[Series]]:
    """The series with at least `fewest` values, and the others."""
    long = tuple(series for series in panel.series if len(series) >= fewest)
    return long, [series for series in panel.series if len(series) < fewest]
