"""Date formats: text of any common form as dates.

Letters: C distinct cells.
"""

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta, timezone
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.frequency import infer_frequency
from gatewise.series.reading.dates.arrays import NAT, YEARS, halves, month_days, quarters, week_days, year_days
from gatewise.series.reading.dates.century import with_century
from gatewise.series.reading.dates.choice import Evidence, Reading
from gatewise.series.reading.dates.month_names import WEEKDAYS, month_number
from gatewise.series.reading.dates.ranges import plain_dates
from gatewise.series.reading.dates.times_of_day import SAMPLE, Parts, Times, read_times, split

Y, YY, M, D = r"(?P<y>\d{4})", r"'?(?P<yy>\d\d)", r"(?P<m>\d{1,2})", r"(?P<d>\d{1,2})"
B, S, GAP = r"(?P<b>[^\W\d_]{3,10})\.?", r"(?P<s>[-/. ])", r"[-/., ']*"
Q, H, W, U, J = r"(?P<q>[1-4])", r"(?P<h>[12])", r"(?P<w>\d{1,2})", r"(?P<u>[1-7])", r"(?P<j>\d{3})"
WEEK = "(?:W|KW|CW|WK|Week)"


class Form(NamedTuple):
    """A form of dates: its format, "s" standing for the separator, and the pattern of its parts."""

    time_format: str
    pattern: re.Pattern[str]
    dayfirst: bool | None = None


def _form(time_format: str, *parts: str, dayfirst: bool | None = None) -> Form:
    return Form(time_format, re.compile("".join(parts), re.IGNORECASE), dayfirst)


FORMS = (
    _form("%Ys%ms%d", Y, S, M, "(?P=s)", D),
    _form("%Y%m%d", Y, r"(?P<m>\d\d)(?P<d>\d\d)"),
    _form("%ds%ms%Y", D, S, M, "(?P=s)", Y, dayfirst=True),
    _form("%ms%ds%Y", M, S, D, "(?P=s)", Y, dayfirst=False),
    _form("%ds%ms%y", D, S, M, "(?P=s)", YY, dayfirst=True),
    _form("%ms%ds%y", M, S, D, "(?P=s)", YY, dayfirst=False),
    _form("%ys%ms%d", YY, S, M, "(?P=s)", D),
    _form("%Ys%m", Y, S, M),
    _form("%ms%Y", M, S, Y),
    _form("%d-%b-%Y", D, r"(?:st|nd|rd|th)?", GAP, B, GAP, Y),
    _form("%d-%b-%y", D, GAP, B, GAP, YY),
    _form("%b %d, %Y", B, GAP, D, r"(?:st|nd|rd|th)?[-/., ]+", Y),
    _form("%Y-%b-%d", Y, GAP, B, GAP, D),
    _form("%b %Y", B, GAP, Y),
    _form("%Y %b", Y, GAP, B),
    _form("quarter", Y, r"[-/.: ]*(?:Q|Qtr|Quarter) ?", Q),
    _form("quarter", r"(?:Q|Qtr|Quarter) ?", Q, r"[-/.:, ']*", Y),
    _form("quarter", r"(?:Q|Qtr|Quarter) ?", Q, r"[-/.:, ']*", YY),
    _form("quarter", Q, r"\.? ?(?:Q|Qtr|Quarter|Quartal)[-/.:, ']*", Y),
    _form("quarter", Q, r" ?(?:Q|Qtr|Quarter)[-/.:, ']*", YY),
    _form("half year", Y, r"[-/.: ]*[HS]", H),
    _form("half year", r"[HS]", H, "[-/.: ]*", Y),
    _form("%YM%m", Y, "[-/.: ]*M", M),
    _form("M%m %Y", "M", M, "[-/.: ]+", Y),
    _form("week", Y, rf"[-/.: ]*{WEEK} ?", W),
    _form("week", Y, "-?W", r"(?P<w>\d\d)-?", U),
    _form("week", rf"{WEEK}[. ]?", W, "[-/.:, ]+", Y),
    _form("week", W, rf"\.? ?{WEEK}[-/.:, ]+", Y),
    _form("week", YY, "[-/.: ]?W", r"(?P<w>\d\d)"),
    _form("%Y-%j", Y, "-", J),
)
MONTHS_OF_YEARS = (  # or days without a year
    _form("%b-%y", B, GAP, YY),
    _form("%y-%b", YY, GAP, B),
    _form("%ms%y", M, "(?P<s>[-/.])", YY),
    _form("%ys%m", YY, "(?P<s>[-/.])", r"(?P<m>\d\d)"),
)
DAYS_WITHOUT_YEAR = (
    _form("%b-%d", B, GAP, D),
    _form("%d-%b", D, GAP, B),
    _form("%ds%m", D, "(?P<s>[-/.])", M),
    _form("%ms%d", M, "(?P<s>[-/.])", D),
)
_NAMES = "|".join(sorted(WEEKDAYS, key=len, reverse=True))
_WEEKDAY = re.compile(rf"(?:(?:{_NAMES})\b[.,]*\s*(?=\w)|mar[.,]*\s*(?=\d+[-/.]\d))", re.IGNORECASE)
_MILLISECONDS = re.compile(r"/?Date\((-?\d+)(?:[+-]\d{4})?\)/?")


def text_readings(cells: pd.Series, evidence: Evidence) -> list[Reading]:
    """The ways to read distinct cells (C,) of text as dates; cells that a way cannot read are NaT.

    The text is ISO 8601, or has a form of `FORMS` or `MONTHS_OF_YEARS`, after a weekday and before a time of day.
    """
    cells = plain_dates(cells)
    iso = _iso(cells)
    if iso is not None and iso.is_complete:
        return [iso]
    cells = cells.astype(object)  # is faster cell by cell
    sample = cells.iloc[:: max(1, len(cells) // SAMPLE)]
    if sample.str.match(_MILLISECONDS).any():
        return [_objects(cells)]
    if sample.str.match(_WEEKDAY).any():
        cells = cells.str.replace(_WEEKDAY, "", n=1, regex=True)
    parts = split(cells)
    times = read_times(parts.times)
    days = replace(evidence, codes=parts.day[evidence.codes])
    readings = [
        _with_times(form, _dates(form, parts.days, days), parts, times) for form in _matching(FORMS, parts.days)
    ]
    readings += [] if iso is None else [iso]
    return readings or [
        _with_times(form, _dates(form, parts.days, days), parts, times)
        for form in _matching(MONTHS_OF_YEARS, parts.days)
        if "%b" in form.time_format
        or evidence.expected is not None
        or _is_regular(_dates(form, parts.days, days), days)
    ]


def may_lack_year(cells: pd.Series) -> bool:
    """Whether cells (C,) such as Jan-01 are regular as days of one year."""
    for form in _matching(DAYS_WITHOUT_YEAR, cells):
        dates = pd.DatetimeIndex(_dates(form, cells, Evidence(np.arange(len(cells)))))
        freq = None if dates.hasnans else infer_frequency(dates.unique().sort_values())
        if str(freq).split("-")[0] in ("D", "B", "W"):
            return True
    return False


def with_years(days: pd.Series, years: np.ndarray) -> pd.Series | None:
    """Days without a year (N,), such as 01 Oct or 1.10., as text with the years (N,) of another column; else None.

    >>> with_years(pd.Series(["01 Oct", "02 Oct"]), np.array([2020, 2020])).tolist()
    ['01 Oct 2020', '02 Oct 2020']
    """
    if not len(days) or not all(isinstance(cell, str) for cell in days.iloc[:1]):
        return None
    codes, distinct = pd.factorize(days.astype(str).str.strip().str.replace(r"(?<=[\d\w])[-/.]$", "", regex=True))
    if not any(all(map(form.pattern.fullmatch, distinct)) for form in DAYS_WITHOUT_YEAR):
        return None
    found = [re.findall(r"\d+", cell) for cell in distinct]
    numbers = np.array([(int(each[0]), int(each[-1])) for each in found])[codes]
    if (numbers == (years % 100)[:, None]).all(axis=0).any():  # Jan-15 beside 2015 is a month
        return None
    separator = next((sign for sign in "-/. " if sign in distinct[0]), " ")
    texts = pd.Series(distinct).iloc[codes].reset_index(drop=True)
    return texts + separator + pd.Series(years.astype(np.int64).astype(str))


def is_month_of_year(reading: Reading) -> bool:
    """Whether a reading takes cells such as Jan-01 as months of years."""
    return any(
        re.sub("[-/.]", "s", form.time_format) == re.sub("[-/.]", "s", reading.time_format) for form in MONTHS_OF_YEARS
    )


def _iso(cells: pd.Series) -> Reading | None:
    try:
        dates = pd.DatetimeIndex(pd.to_datetime(cells, format="ISO8601", errors="coerce"))
    except ValueError:  # several UTC offsets
        return None
    if dates.isna().all() or dates.min().year < YEARS[0]:  # digits such as 0102
        return None
    return Reading(dates, "ISO8601")


def _objects(cells: pd.Series) -> Reading:
    """Cells such as /Date(1580428800000)/."""
    found = [_MILLISECONDS.fullmatch(cell) for cell in cells]
    counts = [np.datetime64(int(match[1]), "ms") if match else np.datetime64("NaT", "ms") for match in found]
    return Reading(pd.DatetimeIndex(np.array(counts, "M8[ms]")).as_unit("us"), "unix ms")


def _is_regular(dates: np.ndarray, evidence: Evidence) -> bool:
    return not np.isnat(dates).any() and evidence.missing_share(pd.DatetimeIndex(dates)) is not None


def _matching(forms: tuple[Form, ...], days: pd.Series) -> list[Form]:
    """The forms that some of the texts have."""
    sample = days.iloc[:: max(1, len(days) // SAMPLE)]
    return [form for form in forms if any(form.pattern.fullmatch(text) for text in sample)]


def _dates(form: Form, days: pd.Series, evidence: Evidence) -> np.ndarray:
    """Texts (C,) as dates; NaT for those of another form, or with other separators than most."""
    found = [form.pattern.fullmatch(text) for text in days]
    names = form.pattern.groupindex
    if "s" in names:
        usual = Counter(match["s"] for match in found if match).most_common(1)[0][0]
        found = [match if match and match["s"] == usual else None for match in found]

    def part(name: str) -> np.ndarray:
        if name not in names:
            return np.ones(len(found))
        return np.array([match[name] if match else "nan" for match in found], np.float64)

    month = part("m")
    if "b" in names:
        month = np.array([month_number(match["b"]) if match else np.nan for match in found])

    def on_day(year: np.ndarray) -> np.ndarray:
        for name, dates_of in (("q", quarters), ("h", halves), ("j", year_days)):
            if name in names:
                return dates_of(year, part(name))
        return week_days(year, part("w"), part("u")) if "w" in names else month_days(year, month, part("d"))

    if "yy" in names:
        return with_century(part("yy"), on_day, evidence)
    if "y" in names:
        return on_day(part("y"))
    return on_day(np.full(len(found), 2000))


def _with_times(form: Form, days: np.ndarray, parts: Parts, times: Times) -> Reading:
    """Days with their times of day, in their time zone; several UTC offsets become UTC."""
    dates = days[parts.day] + times.since_midnight[parts.time]
    offset = times.offset[parts.time]
    zoned = np.isfinite(offset)
    example = parts.days.iloc[0]
    separator = next((sign for sign in "-/. " if sign in example), "")
    time_format = re.sub("(?<=%[a-zA-Z])s", separator, form.time_format) + _time_format(parts.times.iloc[0])
    if zoned.any() and not zoned.all() and offset[zoned].any():  # with and without an offset: the fewer are unreadable
        usual = bool(zoned.mean() >= 0.5)
        dates, zoned = np.where(zoned == usual, dates, NAT), np.full(len(zoned), usual)
    if not zoned.any():
        return Reading(pd.DatetimeIndex(dates), time_format, form.dayfirst)
    minutes = np.nan_to_num(offset)
    moments = pd.DatetimeIndex(dates - (minutes * 60_000_000).astype("m8[us]")).tz_localize("UTC")
    distinct = np.unique(minutes[~np.isnat(dates)])
    if len(distinct) == 1 and distinct[0]:
        moments = moments.tz_convert(timezone(timedelta(minutes=distinct[0])))
    return Reading(moments, time_format, form.dayfirst, has_offsets=len(distinct) > 1)


def _time_format(text: str) -> str:
    """The format of a time of day such as 18:00 or 6:00 PM."""
    if not text:
        return ""
    clock = re.sub(r"\d\d?", "%H", text, count=1)
    for part in ("%M", "%S"):
        clock = re.sub(r"(?<![%\d])\d\d", part, clock, count=1)
    noon = re.search(r"[ap]m", clock, re.IGNORECASE)
    return " " + (clock.replace("%H", "%I").replace(noon[0], "%p") if noon else clock)
