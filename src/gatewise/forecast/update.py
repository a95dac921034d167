"""Updates: newer observations joined to the series that a model knows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gatewise.series import DataError, Panel, Series
from gatewise.series.covariates.roles import Covariates
from gatewise.series.frequency import future, grid, most_steps, tick_count
from gatewise.series.outliers.report import describe_treatment
from gatewise.series.outliers.treatment import treated, untreated
from gatewise.series.wording import counted, format_date, listed


def check_alike(known: Panel, new: Panel) -> None:
    """Refuse series whose frequency, time zone or covariates differ from those of a model.

    Raises:
        DataError: the message says what differs.
    """
    zones = (str(getattr(panel.series[0].ds, "tz", None)) for panel in (known, new))
    for name, (expected, got) in {"frequency": (known.freq, new.freq), "time zone": tuple(zones)}.items():
        if expected != got:
            raise DataError(
                f"the table has {name} {got!r}, but the model was trained on {name} {expected!r}; convert "
                "the table, or train another model"
            )
    expected, got = (_description(panel.covariates) for panel in (known, new))
    if expected != got:
        raise DataError(
            f"the series have {got}, but the model was trained on {expected}; pass the table itself, or read it with "
            "gatewise.read(table, like=...), where like is the panel that the model was trained on"
        )


def check_reach(panel: Panel, reach: int, horizon: int) -> None:
    """Refuse a horizon beyond the steps that a network forecasts at once, if further steps need past covariates.

    Raises:
        DataError: the message names the remedy.
    """
    if panel.covariates is not None and panel.covariates.past and horizon > reach:
        raise DataError(
            f"horizon {horizon}: the network forecasts {counted(reach, 'step')} at once, and further steps need future "
            f"values of the past covariates {listed(panel.covariates.past)}; fit with Forecaster(horizon={horizon}), "
            "or pass covariates that are known in advance as known="
        )


def check_missing(masked: bool, panel: Panel) -> None:
    """Refuse missing values that a network cannot read, and filled ones for a network that reads a mask.

    Arguments:
        masked: whether the network reads a mask.
        panel: the series.

    Raises:
        DataError: the message names the series and the remedy.
    """
    for series in panel.series:
        if series.filled is None or series.masked == masked:
            continue
        first = f"series {str(series.unique_id)!r}: the value at {format_date(series.ds[series.filled.argmax()])}"
        if masked:
            raise DataError(
                f"{first} is filled, but the network was trained on series whose missing values stay missing; read the "
                'table with fill="none" (--fill none)'
            )
        raise DataError(
            f"{first} is missing, but the network was trained on series without missing values and reads no mask; read "
            'the table with fill="previous" (--fill previous), or train on a table with missing values and fill="none"'
        )


def _description(covariates: Covariates | None) -> str:
    """The names of the covariates by role."""
    covariates = covariates or Covariates()
    names = {role: getattr(covariates, f"{role}_features") for role in ("past", "known", "static")}
    return (
        "; ".join(f"{role} covariates {', '.join(features)}" for role, features in names.items() if features)
        or "no covariates"
    )


def extended(known: Panel, new: Panel) -> Panel:
    """The known series with newer values that extend or replace theirs, and the new series.

    Raises:
        DataError: no series is known, a series ends earlier than the known one, or steps between the two are missing.
    """
    check_alike(known, new)
    newer = {series.unique_id: series for series in new.series}
    excluded_again = {entry.unique_id for entry in new.excluded_series}
    excluded = [entry for entry in known.excluded_series if entry.unique_id not in excluded_again]
    recovered = [entry.series for entry in excluded if entry.series is not None and entry.unique_id in newer]
    before = (*known.series, *recovered)
    names = {series.unique_id for series in before}
    if not names & set(newer):
        expected, got = (
            ", ".join(repr(str(series.unique_id)) for series in panel.series[:3]) for panel in (known, new)
        )
        raise DataError(
            f"the table has the series {got}, but the model was trained on the series {expected}; pass newer values of "
            "the same series, or forecast others with predict(table=...)"
        )
    before = tuple(untreated(series) for series in before)
    newer = {name: untreated(series) for name, series in newer.items()}
    seams = _seams(before, newer, known.freq)
    old = [
        _joined(series, newer[series.unique_id], seams[series.unique_id], known)
        if series.unique_id in newer
        else series
        for series in before
    ]
    added = [series for name, series in newer.items() if name not in names]
    still_excluded = (entry for entry in excluded if entry.unique_id not in newer)
    series, guesses = (*old, *added), new.guesses
    if known.outliers != "report":
        series, found = treated(series, known.freq, known.outliers, known.fill)
        recent = [entry for one in found if (entry := one.since(newer.get(one.series.unique_id)))]
        more = describe_treatment(recent, known.outliers, known.fill)
        guesses = (*guesses, *(sentence for sentence in more if sentence not in guesses))
    return replace(
        new,
        series=series,
        outliers=known.outliers,
        guesses=guesses,
        covariates=known.covariates,
        fill=known.fill,
        excluded_series=(*still_excluded, *new.excluded_series),
    )


class Seam(NamedTuple):
    """Where newer values follow the known values of a series.

    Attributes:
        known: number of known values before the first newer date.
        last: date of the last of them; None if there is none.
        continues: whether the first newer date is the step after it.
    """

    known: int
    last: Any = None
    continues: bool = True


def _seams(series: Sequence[Series], newer: Mapping[Any, Series], freq: str | int) -> dict[Any, Seam]:
    """The seam of each known series that has newer values, by its name."""
    seams: dict[Any, Seam] = {}
    continues: dict[tuple[Any, Any], bool] = {}  # of the distinct pairs of dates, which many series share
    for old in series:
        if (new := newer.get(old.unique_id)) is None:
            continue
        first = new.ds[0]
        known = int(old.ds.searchsorted(first))
        if known == 0:
            seams[old.unique_id] = Seam(known)
            continue
        last = old.ds[known - 1]
        if (last, first) not in continues:
            continues[last, first] = bool(future(old.ds[known - 1 : known], freq, 1)[0] == first)
        seams[old.unique_id] = Seam(known, last, continues[last, first])
    return seams


def _joined(old: Series, new: Series, seam: Seam, panel: Panel) -> Series:
    """The known values up to the newer ones, followed by the newer ones; missing ones between them may stay missing."""
    if new.ds[-1] < old.ds[-1]:
        raise DataError(
            f"series {str(new.unique_id)!r} ends at {format_date(new.ds[-1])}, before {format_date(old.ds[-1])}, "
            "the last date that the model knows; pass newer values"
        )
    known = seam.known
    if known == 0:
        return new
    if not seam.continues and panel.fill == "none" and new.past is None and new.known is None:
        old = _with_missing(old, new.ds[0], panel.freq)
        known = len(old)
    if not seam.continues and known == seam.known:
        raise DataError(
            f"series {str(new.unique_id)!r}: steps are missing between {format_date(seam.last)}, the last date that "
            f"the model knows, and {format_date(new.ds[0])}; pass all values after {format_date(seam.last)}"
        )
    y, filled = np.concatenate([old.y[:known], new.y]), None
    if old.filled is not None or new.filled is not None:
        parts = [np.zeros(len(series), bool) if series.filled is None else series.filled for series in (old, new)]
        filled = np.concatenate([parts[0][:known], parts[1]])
    features: dict[str, Any] = {
        name: None if getattr(new, name) is None else np.concatenate([getattr(old, name)[:known], getattr(new, name)])
        for name in ("past", "known")
    }
    masked = old.masked or new.masked
    return replace(new, ds=old.ds[:known].append(new.ds), y=y, filled=filled, masked=masked, **features)


def _with_missing(series: Series, first: Any, freq: str | int) -> Series:
    """A series with missing values after its end, up to the step before a date; unchanged, if they are too many."""
    ends = series.ds[-1:].append(pd.Index([first]))
    if tick_count(ends, freq) > most_steps(len(series)):
        return series
    dates = grid(ends, freq)[1:-1]
    filled = np.zeros(len(series), bool) if series.filled is None else series.filled
    return replace(
        series,
        ds=series.ds.append(dates),
        y=np.append(series.y, np.full(len(dates), series.y[-1])),
        filled=np.append(filled, np.ones(len(dates), bool)),
        masked=True,
    )
