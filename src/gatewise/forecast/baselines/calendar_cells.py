"""Calendar cells: the position of each date in its day, week and year, as columns of a regression.

Letters: `n` steps of each series and the horizon, `C` cells, `D` columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from gatewise.forecast.baselines.windows import grouped
from gatewise.series import DataError, Series
from gatewise.series import future as dates_after

MONTHS = ("MS", "ME", "BMS", "BME", "CBMS", "CBME", "WOM", "LWOM")
QUARTERS = ("QS", "QE", "BQS", "BQE")
YEAR = {"s": 31557600, "min": 525960, "h": 8766, "D": 365.25, "B": 261, "C": 261, "W": 52.18}  # steps
DAY = {"s": 86400, "min": 1440, "h": 24}  # steps
MOST_PARTS = 48  # of a day, and phases of a season; longer ones are described by waves or half hours
HARMONICS = 3
MANY_SEASONS = 7  # a longer season, such as a year of days, also has waves: few whole ones are known


class Kind(NamedTuple):
    """The calendar of a frequency.

    Attributes:
        unit: "day" for parts of the day and weekdays, "weekday", "month", "quarter", or "phase" of the season.
        parts: number of parts of a day, or of phases.
        year: steps of a year, 0 if the year is described by the unit; without dates, of a season that is
            much longer than the usual one.
        week: steps of a week for frequencies below a day, else 0.
    """

    unit: str
    parts: int
    year: float
    week: int


def kind_of(freq: str | int | None, season: int, ds: pd.Index, longer: Sequence[int] = ()) -> Kind:
    """The calendar that describes a frequency; phases of the season without dates.

    >>> dates = pd.date_range("2024-01-01", periods=3)
    >>> kind_of("h", 24, dates), kind_of(None, 12, dates)
    (Kind(unit='day', parts=24, year=8766.0, week=168), Kind(unit='phase', parts=12, year=0, week=0))
    """
    if isinstance(freq, str) and isinstance(ds, pd.DatetimeIndex):
        offset = to_offset(freq)
        base, steps = str(offset.rule_code).split("-")[0], int(offset.n)
        year = YEAR.get(base, 0) / steps
        if base in DAY and DAY[base] % steps == 0 and DAY[base] > steps:
            day = DAY[base] // steps
            return Kind("day", min(day, MOST_PARTS), year, 7 * day)
        if base in ("D", "B", "C", "W"):
            return Kind("weekday" if base != "W" else "none", 7, year, 0)
        if base in MONTHS + QUARTERS:
            return Kind("month" if base in MONTHS else "quarter", 12 if base in MONTHS else 4, 0, 0)
    year = max((one for one in longer if one > MANY_SEASONS * season), default=0)
    return Kind("phase", season, year, 7 * season if season == 24 else 0)  # 24: hours of a day


@dataclass(frozen=True)
class Cells:
    """The cell and the position in the year of each date of some series.

    Attributes:
        kind: the calendar.
        offsets: the place of the first date of each series in `cell`.
        cell: the cell of each date.
        angle: its position in the year (a long season) in radians; zeros without one.
    """

    kind: Kind
    offsets: np.ndarray
    cell: np.ndarray
    angle: np.ndarray

    @classmethod
    def of(
        cls,
        series: Sequence[Series],
        which: np.ndarray,
        last: np.ndarray,
        freq: str | int | None,
        season: int,
        longer: Sequence[int] = (),
    ) -> "Cells":
        """The cells of the dates of each series up to the last positions (W,) that its windows need."""
        kind = kind_of(freq, season, series[int(which[0])].ds, longer)
        offsets, first, tables, total = np.zeros(len(series), np.int64), dict[int, Any](), [], 0
        needed: dict[Any, tuple[int, int]] = {}  # series that start together share their dates
        for k, rows in grouped(which):
            key, size = (series[k].ds[0] if kind.unit != "phase" else 0), int(last[rows].max()) + 1
            needed[key] = max(needed.get(key, (0, 0)), (size, k))
            first[k] = key
        places = {}
        for key, (size, k) in needed.items():
            places[key] = total
            try:
                tables.append(_describe(kind, series[k].ds, freq, size))
            except DataError:  # after the last date of pandas
                return cls.of(series, which, last, None, season, longer)
            total += size
        for k, key in first.items():
            offsets[k] = places[key]
        cells, angles = zip(*tables, strict=True)
        return cls(kind, offsets, np.concatenate(cells), np.concatenate(angles))

    def columns(self, fine: bool) -> np.ndarray:
        """(C, D) the columns of each cell, each with a mean square of 1 over the cells.

        Arguments:
            fine: whether each part of each weekday has a column of its own.
        """
        parts = self.kind.parts
        if self.kind.unit == "day":
            weekday, part = np.divmod(np.arange(7 * parts), parts)
            groups = [_indicators(part), _indicators(weekday), _indicators(np.where(weekday >= 5, part + 1, 0))[:, 1:]]
            return np.concatenate([*groups, _indicators(np.arange(7 * parts))] if fine else groups, axis=1)
        if self.kind.unit == "none" or parts == 1:
            return np.ones((1, 1))
        if self.kind.unit == "phase" and parts > MOST_PARTS:
            angles = 2 * np.pi * np.arange(parts)[:, None] * np.arange(1, 2 * HARMONICS + 1) / parts
            return np.asarray(np.sqrt(2) * np.concatenate([np.sin(angles), np.cos(angles)], axis=1))
        return _indicators(np.arange(parts))


def waves(angle: np.ndarray) -> np.ndarray:
    """The sines and cosines (..., 6) of the first harmonics of angles (...)."""
    multiples = angle[..., None] * np.arange(1, HARMONICS + 1)
    return np.concatenate([np.sin(multiples), np.cos(multiples)], axis=-1)


def _describe(kind: Kind, ds: pd.Index, freq: str | int | None, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The cells and angles of the first `size` dates of a calendar."""
    if kind.unit == "phase":
        return np.arange(size) % kind.parts, 2 * np.pi * (np.arange(size) % (kind.year or 1)) / (kind.year or 1)
    if size > len(ds) and freq is not None:
        ds = ds.append(dates_after(ds, freq, size - len(ds)))
    local = pd.DatetimeIndex(ds[:size]).tz_localize(None)
    weekday, days = np.asarray(local.day_of_week), 365 + np.asarray(local.is_leap_year)
    day = (np.asarray(local.hour) + np.asarray(local.minute) / 60 + np.asarray(local.second) / 3600) / 24
    angle = 2 * np.pi * (np.asarray(local.day_of_year) - 1 + day) / days if kind.year else np.zeros(size)
    if kind.unit == "day":
        cell = weekday * kind.parts + np.floor(day * kind.parts + 1e-9).astype(np.int64)
    elif kind.unit == "none":
        cell = np.zeros(size, np.int64)
    else:
        numbers = {"weekday": weekday, "month": local.month - 1, "quarter": local.quarter - 1}
        cell = np.asarray(numbers[kind.unit])
    return cell, np.asarray(angle)


def _indicators(codes: np.ndarray) -> np.ndarray:
    """A column for each code, scaled to a mean square of 1."""
    columns = np.eye(int(codes.max()) + 1)[codes]
    return np.asarray(columns / np.sqrt((columns**2).mean(0)))
