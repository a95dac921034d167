"""Calendars: the calendar of each series of a table, and series on different ones.

Letters: N rows of all series, S series.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.frequency import describe_frequency, infer_frequency, steps_and_phases, tick_count
from gatewise.series.reading.exclusion import Reason
from gatewise.series.reading.rows import Rows, Stack
from gatewise.series.wording import counted, listed

MAX_CALENDARS = 20  # that are inferred from the series of a table
SHORTEST = 3  # dates that tell a frequency
FEW_GAPS = 1.25  # steps for each date of a series that certainly follows a calendar; business days have 7/5 days


class DifferentCalendars(DataError):
    """The series of a table are on different calendars.

    Arguments:
        message: names the series and their calendars, with the remedy.
        groups: frequency -> the names of its series.
    """

    def __init__(self, message: str, groups: Mapping[str | int, list[str]]) -> None:
        super().__init__(message)
        self.groups = groups


class OtherCalendar(Reason):
    """Why a series is excluded: its calendar is not that of most series."""

    __slots__ = ("freq",)
    freq: str | int

    @classmethod
    def of(cls, message: str, freq: str | int) -> "OtherCalendar":
        """The reason, with the frequency of the series."""
        reason = cls(message)
        reason.freq = freq
        return reason


class Fit(NamedTuple):
    """Which series are on a calendar (S,), and its steps from the first to the last date of each (S,)."""

    on: np.ndarray
    steps: np.ndarray


def fit(stack: Stack, freq: str | int) -> Fit:
    """Compare the dates of each series with a calendar; the series may be out of phase, such as odd and even hours."""
    steps, phases = steps_and_phases(stack.ds, freq)
    first, last = (np.clip(bound, 0, max(len(steps) - 1, 0)) for bound in (stack.bounds[:-1], stack.bounds[1:] - 1))
    if not len(steps):
        return Fit(np.zeros(len(stack.names), bool), np.zeros(len(stack.names), np.int64))
    on = stack.every(np.diff(phases) == 0) & (phases[first] >= 0) & (stack.lengths > 0)
    return Fit(on, np.where(on, steps[last] - steps[first] + 1, 0))


@dataclass(frozen=True)
class Calendars:
    """The calendars of the series of a table.

    Attributes:
        freqs: the frequencies; the first one is that of the panel.
        fits: the fit of the series to each of them.
        of: (S,) the number of the calendar of each series, -1 for a series that is on none of them.
    """

    freqs: tuple[str | int, ...]
    fits: tuple[Fit, ...]
    of: np.ndarray

    @classmethod
    def find(cls, stack: Stack, freq: str | int, eligible: np.ndarray) -> "Calendars":
        """The calendar of each eligible series: of `freq` and those inferred from other series the closest one."""
        freqs, fits = [freq], [fit(stack, freq)]
        untried = eligible & (stack.lengths >= SHORTEST) & ~_closely(fits[0], stack)
        for _ in range(MAX_CALENDARS):
            if not untried.any():
                break
            s = int(np.where(untried, stack.lengths, -1).argmax())
            untried[s] = False
            other = infer_frequency(stack.rows(s).ds)
            if other is not None and other not in freqs:
                freqs.append(other)
                fits.append(fit(stack, other))
                untried &= ~_closely(fits[-1], stack)
        return cls(tuple(freqs), tuple(fits), _closest(fits, stack, eligible))

    def missing(self, stack: Stack) -> np.ndarray:
        """(S,) the fraction of the steps of the first calendar that have no row; 1 for series off that calendar."""
        on, steps = self.fits[0]
        return np.where(on, 1 - stack.lengths / np.maximum(steps, 1), 1.0)

    def groups(self, chosen: np.ndarray) -> dict[str | int, np.ndarray]:
        """Frequency -> the numbers of its series among the chosen ones (S,)."""
        groups = {freq: np.flatnonzero(chosen & (self.of == c)) for c, freq in enumerate(self.freqs)}
        return {freq: numbers for freq, numbers in groups.items() if len(numbers)}


def _closely(fit: Fit, stack: Stack) -> np.ndarray:
    return np.asarray(fit.on & (fit.steps <= FEW_GAPS * stack.lengths))


def _closest(fits: list[Fit], stack: Stack, eligible: np.ndarray) -> np.ndarray:
    """(S,) the calendar with the fewest steps of those that fit: at least half have a row, or there are few rows."""
    short = stack.lengths < SHORTEST
    steps = np.stack([np.where(on & (short | (steps <= 2 * stack.lengths)), steps, np.inf) for on, steps in fits])
    return np.where(eligible & np.isfinite(steps).any(axis=0), steps.argmin(axis=0), -1)


# ------------------------------------------------------------------------------------------------------- messages


def different_calendars(stack: Stack, calendars: Calendars, chosen: np.ndarray, invented: str = "") -> DataError:
    """The error for series on different calendars; series on none of them are in the group of the first calendar."""
    groups = {freq: [str(stack.names[s]) for s in numbers] for freq, numbers in calendars.groups(chosen).items()}
    parts = [f"{describe_frequency(freq)}: {listed(names)}" for freq, names in groups.items()]
    off = [str(stack.names[s]) for s in np.flatnonzero(chosen & (calendars.of < 0))]
    parts += [f"no regular calendar: {listed(off)}"] if off else []
    freq, rare = calendars.freqs[0], min(groups.values(), key=len)
    message = (
        f"the series are on different calendars: {'; '.join(parts)}{invented}; read them separately: "
        f"gatewise.series.split_by_frequency (--split-by-frequency), or those of one calendar, such as "
        f"series={rare[:3]} ({' '.join(f'--series {shell(name)}' for name in rare[:3])}), or "
        f'freq="{freq}", on_bad="skip" (--freq {freq} --on-bad skip)'
    )
    first = next(iter(groups))
    return DifferentCalendars(message, {**groups, first: groups[first] + off})


def shell(name: str) -> str:
    """A name as an argument of the command."""
    return name if name.replace("_", "").replace("-", "").isalnum() else f'"{name}"'


def other_calendar(rows: Rows, own: str | int, freq: str | int) -> OtherCalendar:
    """The reason to exclude a series whose calendar is not that of most series."""
    return OtherCalendar.of(
        f"{rows} is on the calendar {describe_frequency(own)}, the others on {describe_frequency(freq)}; read it "
        f"separately: gatewise.series.split_by_frequency (--split-by-frequency), or series={str(rows.unique_id)!r} "
        f"(--series {shell(str(rows.unique_id))})",
        own,
    )


def own_calendar(rows: Rows, freq: str | int) -> str | int | None:
    """The calendar that the values of a series follow with few gaps, if it is not `freq`."""
    ds = rows.ds[~np.isnan(rows.y)]
    own = infer_frequency(ds) if len(ds) > SHORTEST else None
    is_rare = isinstance(own, int) and tick_count(ds, own) > 2 * len(ds)  # integers always have a common step
    return None if own == freq or is_rare else own


# --------------------------------------------------------------------------------------------- dates without values


class Trimmed(NamedTuple):
    """The rows of the calendar of each series, and the guess that states which other rows are left out."""

    stack: Stack
    guesses: tuple[str, ...]


def without_other_dates(stack: Stack, freqs: Mapping[int, str | int]) -> Trimmed:
    """Leave out blank cells off the calendar of a series, such as days in a column of monthly values.

    Arguments:
        stack: the rows of all series, by date.
        freqs: number of the series -> its frequency; other series are unchanged.
    """
    blank, codes = np.isnan(stack.y), stack.codes
    if not blank.any():
        return Trimmed(stack, ())
    drop = np.zeros(len(blank), bool)
    for freq in dict.fromkeys(freqs.values()):
        numbers = np.array([s for s, own in freqs.items() if own == freq])
        rows = np.flatnonzero(np.isin(codes, numbers))
        _, phases = steps_and_phases(stack.ds[rows], freq)
        phase = pd.Series(np.where(blank[rows] | (phases < 0), np.nan, phases)).groupby(codes[rows]).transform("first")
        drop[rows] = blank[rows] & (phases != phase.to_numpy()) & phase.notna().to_numpy()
    if not drop.any():
        return Trimmed(stack, ())
    named = dict.fromkeys(codes[drop].tolist())
    first = next(iter(named))
    more = f" and {counted(len(named) - 1, 'more series')}" if len(named) > 1 else ""
    guess = (
        f"left out: {counted(int(drop.sum()), 'date')} without a value in series {str(stack.names[first])!r}, whose "
        f"values are on the calendar {describe_frequency(freqs[first])}{more}"
    )
    return Trimmed(stack.only(~drop), (guess,))


def future_of(stack: Stack, future: Stack, freq: str | int) -> Stack:
    """The rows of the future on the calendar of the series; other rows hold covariates of the dates in between."""
    _, phases = steps_and_phases(stack.ds.append(future.ds), freq)
    first = phases[: len(stack.ds)][np.clip(stack.bounds[:-1], 0, len(stack.ds) - 1)]
    return future.only(phases[len(stack.ds) :] == first[future.codes])
