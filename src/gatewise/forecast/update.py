"""Histories: newer observations joined to those that a model knows."""

from dataclasses import replace
from typing import Any

import numpy as np

from gatewise.series import DataError, Panel, Series
from gatewise.series.covariates.roles import Covariates
from gatewise.series.frequency import future
from gatewise.series.wording import counted, format_date, listed


def check_alike(known: Panel, came: Panel) -> None:
    """Refuse series of another calendar or with other features than those of a model.

    Raises:
        DataError: says what differs.
    """
    zones = (str(getattr(panel.series[0].ds, "tz", None)) for panel in (known, came))
    for what, (expected, got) in {"frequency": (known.freq, came.freq), "time zone": tuple(zones)}.items():
        if expected != got:
            raise DataError(
                f"{what} {got!r} came, but the model was trained on {what} {expected!r}; give such series, or train "
                "another model"
            )
    ours, theirs = (_in_words(panel.covariates) for panel in (known, came))
    if ours != theirs:
        raise DataError(
            f"series with {theirs} came, but the model was trained on {ours}; give the table itself, or read it with "
            "gatewise.read(table, like=...) as the panel that the model was trained on"
        )


def check_reach(panel: Panel, reach: int, horizon: int) -> None:
    """Refuse a horizon beyond the steps that a network forecasts at once, where its past covariates are not known.

    Raises:
        DataError: names the remedy.
    """
    if panel.covariates is not None and panel.covariates.past and horizon > reach:
        raise DataError(
            f"horizon {horizon}: the network forecasts {counted(reach, 'step')} at once, and to go on it lacks the "
            f"past covariates {listed(panel.covariates.past)}; fit with Forecaster(horizon={horizon}), or pass "
            "covariates that are known in advance as known="
        )


def _in_words(covariates: Covariates | None) -> str:
    """The features of covariates, for a person."""
    covariates = covariates or Covariates()
    names = {role: getattr(covariates, f"{role}_features") for role in ("past", "known", "static")}
    return "; ".join(f"{role} covariates {', '.join(some)}" for role, some in names.items() if some) or "no covariates"


def extended(known: Panel, came: Panel) -> Panel:
    """The known series with newer values in place of, and after, their own; series that are new are added.

    Raises:
        DataError: none of the series is known, one ends earlier than it did, or steps are missing between the two.
    """
    check_alike(known, came)
    newer = {one.unique_id: one for one in came.series}
    aside = [
        one for one in known.excluded_series if one.unique_id not in {bad.unique_id for bad in came.excluded_series}
    ]
    grown = [one.series for one in aside if one.series is not None and one.unique_id in newer]
    before = (*known.series, *grown)
    names = {one.unique_id for one in before}
    if not names & set(newer):
        ours, theirs = (", ".join(repr(str(one.unique_id)) for one in panel.series[:3]) for panel in (known, came))
        raise DataError(
            f"series {theirs} came, but the model was trained on series {ours}; give newer values of the same series, "
            "or forecast others by predict(table=...)"
        )
    seams: dict[tuple[Any, Any], bool] = {}
    old = [_joined(one, newer[one.unique_id], known.freq, seams) if one.unique_id in newer else one for one in before]
    added = [one for one in came.series if one.unique_id not in names]
    bad = (*(one for one in aside if one.unique_id not in newer), *came.excluded_series)
    return replace(came, series=(*old, *added), covariates=known.covariates, excluded_series=bad)


def _joined(old: Series, new: Series, freq: str | int, seams: dict[tuple[Any, Any], bool]) -> Series:
    if new.ds[-1] < old.ds[-1]:
        raise DataError(
            f"series {str(new.unique_id)!r} ends at {format_date(new.ds[-1])}, expected {format_date(old.ds[-1])} or "
            "later, where what the model knows ends; give newer values"
        )
    kept = int(old.ds.searchsorted(new.ds[0]))
    if kept == 0:
        return new
    seam = (old.ds[kept - 1], new.ds[0])
    if seam not in seams:  # many series have the same
        seams[seam] = bool(future(old.ds[kept - 1 : kept], freq, 1)[0] == new.ds[0])
    if not seams[seam]:
        raise DataError(
            f"series {str(new.unique_id)!r}: between {format_date(seam[0])}, the last value the model knows, and "
            f"{format_date(new.ds[0])} steps are missing; give the values from the step after the former on"
        )
    y, filled = np.concatenate([old.y[:kept], new.y]), None
    if old.filled is not None or new.filled is not None:
        parts = [np.zeros(len(one), bool) if one.filled is None else one.filled for one in (old, new)]
        filled = np.concatenate([parts[0][:kept], parts[1]])
    features = {
        name: None if getattr(new, name) is None else np.concatenate([getattr(old, name)[:kept], getattr(new, name)])
        for name in ("past", "known")
    }
    return replace(new, ds=old.ds[:kept].append(new.ds), y=y, filled=filled, **features)
