"""Times of day: cells split into their date and their time of day with its UTC offset.

Letters: C distinct cells.
"""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from gatewise.series.reading.dates.arrays import time_of_day

ZONE = r"Z|UTC|GMT|[+-]\d\d(?::?\d\d)?"
_SECOND = r"(?:[:.m](?P<second>\d\d)s?(?:[.,](?P<fraction>\d{1,9}))?)?"
_CLOCK = rf"(?P<hour>\d{{1,2}})(?:[:h.](?P<minute>\d\d){_SECOND}|h|(?=\s*[ap]\.?m))"
_DIGITS = r"(?P<hour2>\d{1,2})(?:(?P<minute2>\d\d)(?P<second2>\d\d)?)?"
TIME = re.compile(rf"(?:{_CLOCK}|{_DIGITS})\s*(?P<noon>[ap])?(?:\.?m\.?)?\s*(?P<zone>{ZONE})?", re.IGNORECASE)
_FULL = (  # digits after such a date are a time of day
    r"\d{8}|\d{1,4}([-/. ])\d{1,2}\2\d{1,4}|\d{1,2}[-/. ]+[^\W\d_]{3,}[-/., ]+\d{4}"
    r"|[^\W\d_]{3,}[-/. ]+\d{1,2}[-/., ]+\d{4}|\d{4}[-/. ]*[^\W\d_]{3,}[-/. ]*\d{1,2}"
)
_AFTER = rf"\d{{1,2}}(?:[:h.]\d\d.*|h|\s*[ap]\.?m\.?)\s*(?:{ZONE})?"
_BETWEEN = re.compile(rf"(.*?\d) (\d\d:\d\d(?::\d\d)?(?: (?:{ZONE}))?) (\d{{4}})")  # Jan 01 18:00:00 2020
_SPLIT = re.compile(
    rf"(?:({_FULL})(?:T|[ ,]+|(?<=\d{{8}}):)(\d[^/]*)|(.*?\d\.?)(?:T|[ ,]+|(?<=\d{{4}}):)({_AFTER}))", re.IGNORECASE
)


FEW = 5000  # distinct times that are read one by one
SAMPLE = 50  # cells that decide where to split
Partition: TypeAlias = Callable[[str, str], tuple[str, str, str]]


class Parts(NamedTuple):
    """Cells as dates and times of day: the distinct texts of each, and the text of each cell (C,) by number."""

    days: pd.Series
    day: np.ndarray
    times: pd.Series
    time: np.ndarray


def split(cells: pd.Series) -> Parts:
    """The date and the time of day of each cell; "" for no time."""
    sample = cells.iloc[:: max(1, len(cells) // SAMPLE)]
    at = next((place for place in (str.partition, str.rpartition) if all(_is_at(place, cell) for cell in sample)), None)
    pairs = [_pair(cell, at) for cell in cells]
    day, days = pd.factorize(np.array([pair[0] for pair in pairs], object))
    time, times = pd.factorize(np.array([pair[1] for pair in pairs], object))
    return Parts(pd.Series(days), day, pd.Series(times), time)


def _is_at(place: Partition, cell: str) -> bool:
    """Whether a cell is split at its first or last space."""
    day, _, time = place(cell, " ")
    return _pair(cell) == (day, time)


def _pair(cell: str, at: Partition | None = None) -> tuple[str, str]:
    """The date and the time of a cell, split at a space if it is known where."""
    if at is not None:
        day, space, time = at(cell, " ")
        if space:
            return day, time
    between = _BETWEEN.fullmatch(cell)
    if between is not None:
        return f"{between[1]} {between[3]}", between[2]
    match = _SPLIT.fullmatch(cell)
    if match is None:
        return cell, ""
    return (match[1], match[3]) if match[1] else (match[4], match[5])


class Times(NamedTuple):
    """Times of day (C,) since midnight, and their UTC offsets in minutes, NaN for none."""

    since_midnight: np.ndarray
    offset: np.ndarray


def read_times(times: pd.Series) -> Times:
    """Times of day such as 18:00, 6:00 PM, 18h00, 18.00.00, 1800 or 18; NaT where a text is no time of day."""
    if len(times) > FEW and times.str.fullmatch(r"\d\d:\d\d:\d\d(?:\.\d{1,6})?").all():
        return _of_seconds(times)
    found = [TIME.fullmatch(text) for text in times]
    empty = (times == "").to_numpy()

    def number(*names: str) -> np.ndarray:
        texts = [next((match[name] for name in names if match[name]), "0") if match else "nan" for match in found]
        return np.array(texts, np.float64)

    hour = number("hour", "hour2")
    noon = np.array([(match["noon"] or "").lower() if match else "" for match in found])
    hour = np.where((noon != "") & ((hour < 1) | (hour > 12)), np.nan, hour)
    hour = np.where(noon == "", hour, hour % 12 + np.where(noon == "p", 12, 0))
    micro = np.array([float((match["fraction"] or "0").ljust(6, "0")[:6]) if match else np.nan for match in found])
    since = time_of_day(hour, number("minute", "minute2"), number("second", "second2"), micro)
    since[empty] = np.timedelta64(0)
    return Times(since, np.array([zone_offset(match["zone"] if match else None) for match in found]))


def _of_seconds(times: pd.Series) -> Times:
    """Times such as 18:00:00 or 18:00:00.5, of which a day has many."""
    since = pd.to_timedelta(times, errors="coerce").to_numpy().astype("m8[us]")
    valid = (since <= np.timedelta64(1, "D")) & times.str.slice(3, 4).lt("6").to_numpy() & times.str.slice(6, 7).lt("6")
    return Times(np.where(valid, since, np.timedelta64("NaT")), np.full(len(times), np.nan))


def zone_offset(zone: str | None) -> float:
    """A UTC offset such as +01:00, +0100 or Z in minutes; NaN for none.

    >>> zone_offset("-0330"), zone_offset("UTC")
    (-210.0, 0.0)
    """
    if not isinstance(zone, str) or not zone:
        return float("nan")
    digits = zone[1:].replace(":", "").ljust(4, "0") if zone[0] in "+-" else "0000"
    return (-1.0 if zone[0] == "-" else 1.0) * (60 * int(digits[:2]) + int(digits[2:]))
