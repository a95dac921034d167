"""Which series are long enough to be forecast, and what becomes of the others."""

from dataclasses import replace

import numpy as np

from gatewise.forecast.model.plan import FEWEST, Plan
from gatewise.series import DataError, ExcludedSeries, Panel, Series
from gatewise.series.wording import counted, format_date

MOST_UNSCALED = 1e18  # values beyond overflow the single precision of networks when squared


def eligible(panel: Panel, plan: Plan, alone: bool = False) -> Panel:
    """The panel without series that are too short, which are put aside as its `on_bad` says.

    A single series is let through, unless `alone`: that it is too short is said better once its context is known.

    Raises:
        DataError: a series is too short, and on_bad="raise"; or all are.
    """
    if plan.scale == "none":
        _refuse_large(panel)
    if len(panel) == 1 and not panel.excluded_series and not alone:
        return panel
    fewest = plan.fewest(plan.choose_season(panel)[0])
    good, short = _sorted_out(panel, fewest)
    if not short:
        return panel
    reasons = [f"{_counted(one)}, expected at least {fewest}" for one in short]
    if panel.on_bad == "raise" or not good:
        raise DataError(f"{reasons[0]}; give a longer series, or on_bad='skip' or 'naive' (--on-bad naive)")
    kept = [one if panel.on_bad == "naive" else None for one in short]
    bad = [ExcludedSeries(one.unique_id, why, left) for one, why, left in zip(short, reasons, kept, strict=True)]
    return replace(panel, series=good, excluded_series=(*panel.excluded_series, *bad))


def _refuse_large(panel: Panel) -> None:
    for one in panel.series:
        worst = int(np.abs(one.y).argmax())
        if abs(one.y[worst]) > MOST_UNSCALED:
            raise DataError(
                f"series {str(one.unique_id)!r}, {format_date(one.ds[worst])}: {one.y[worst]:g} is too large for a "
                f"network that gets the values as they are, expected at most {MOST_UNSCALED:g} either way; "
                "pass scale='window' "
                "(--scale window) instead of 'none', or use a larger unit"
            )


def long_enough(panel: Panel, plan: Plan, held_out: int, what: str) -> tuple[Panel, tuple[str, ...]]:
    """The series from whose end so many values can be held out, and a sentence about the others.

    Raises:
        DataError: there is none; `what` says what the values are held out for.
    """
    fewest = FEWEST if len(panel) == 1 else plan.fewest(plan.choose_season(panel)[0])
    good, short = _sorted_out(panel, held_out + fewest)
    if not good:
        longest = max(short, key=len)
        leave = "leaves" if what.startswith("1 ") else "leave"
        raise DataError(
            f"{_counted(longest)}; {what} {leave} {max(len(longest) - held_out, 0)} to train on, expected at "
            f"least {fewest}; lower windows (--windows) or the horizon"
        )
    said = (f"left out of the backtest: {len(short)} of {len(panel)} series, too short for {what}",) if short else ()
    return replace(panel, series=good), said


def _sorted_out(panel: Panel, fewest: int) -> tuple[tuple[Series, ...], list[Series]]:
    good = tuple(one for one in panel.series if len(one) >= fewest)
    return good, [one for one in panel.series if len(one) < fewest]


def _counted(one: Series) -> str:
    return f"series {str(one.unique_id)!r} has {counted(len(one), 'value')}"
