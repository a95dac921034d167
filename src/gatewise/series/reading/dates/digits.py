"""Date numbers: digits such as 202011, counts since 1970, serial numbers of spreadsheets and decimal years as dates.

Letters: C distinct cells.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.reading.dates.arrays import NAT, month_days, quarters, time_of_day, week_days, year_days
from gatewise.series.reading.dates.century import AHEAD, with_century
from gatewise.series.reading.dates.choice import Evidence, Reading, as_expected

YEARS = (1600, 2100)  # of integers that are read as years
UNIX = {"unix": 10**6, "unix ms": 10**3, "unix us": 1, "unix ns": 1e-3}  # name -> microseconds
SERIALS = {"excel": "1899-12-30", "excel1904": "1904-01-01"}  # name -> day 0
SERIAL_RANGE = (18_264, 51_136)  # 1950 to 2039
UNIX_RANGE = (np.datetime64("1980-01-01", "us"), np.datetime64("2100-01-01", "us"))
LARGE_COUNT, EARLIEST = 1e8, np.datetime64("1900-01-01", "us")  # of counts since 1970 at whole minutes
LATE_COUNT = 1e6  # seconds; counts since the first row start below
MANY = 1000  # integers, of which some decide whether all are tried
MOSTLY = (0.9, 0.75)  # of the cells are dates: the others are errors
CALENDAR_DIGITS = ("%Y%m", "%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%j", "%d%m%Y", "%m%d%Y")
IRREGULAR = (*CALENDAR_DIGITS, "week", *UNIX)  # are read as dates even if their calendar is irregular
SHORT = ("%y%m%d", "%d%m%y", "%m%d%y")  # may be integers in a row, too
DAY_OF_YEAR = "%y%j"
FEW_GAPS = 1.1  # dates of the calendar per date of five digits, such as 20366 and 21001; codes have more gaps


class Numbers(NamedTuple):
    """What numbers in a time column are.

    Attributes:
        readings: as dates; several are ambiguous; none for integer time. Cells that are no dates are NaT.
        is_integer: whether integer time is possible, too.
    """

    readings: list[Reading]
    is_integer: bool = False


def number_readings(values: np.ndarray, texts: pd.Series | None, evidence: Evidence, named_year: bool) -> Numbers:
    """What the distinct numbers (C,) of a time column are: dates, integers, or either.

    Arguments:
        values: finite numbers.
        texts: the numbers as written, if known: 2020.10 is the number 2020.1.
        evidence: the rows, and expected dates.
        named_year: whether the column is named year.
    """
    whole = bool((values == np.round(values)).all())
    if whole and texts is not None and texts.str.endswith(".0").all():  # years beside missing ones
        texts = texts.str.removesuffix(".0")
    if named_year and whole and ((values >= 1000) & (values < 3000)).all():
        return Numbers([Reading(pd.DatetimeIndex(month_days(values)), "year")])
    if len(values) > MANY and whole and not _is_calendar(values, texts):
        return Numbers([])
    readings = list(_of_integers(values, texts, evidence) if whole else _of_fractions(values, texts))
    complete = _without_future_counts([reading for reading in readings if reading.is_complete], evidence)
    if evidence.expected is not None:
        return Numbers(_as_expected(values, complete, evidence))
    if complete and complete[0].time_format == "%Y%m%d":
        return Numbers(complete[:1])
    shares = [(share, reading) for reading in complete if (share := _share(reading, evidence)) is not None]
    if shares:
        return _best(shares, steady=whole and _is_steady(values))
    if whole and len(values) and _is_dense(values):
        return Numbers([])
    for least in MOSTLY:
        most = [each for each in readings if each.time_format in IRREGULAR and each.dates.notna().mean() >= least]
        if most:
            return Numbers(_orders(most) if most[0].dayfirst is not None else most[:1])
    return Numbers([])


def _as_expected(values: np.ndarray, readings: list[Reading], evidence: Evidence) -> list[Reading]:
    """The reading that holds most of the expected dates; none if integers are expected."""
    if not isinstance(evidence.expected, pd.DatetimeIndex):
        return []
    readings += [Reading(pd.DatetimeIndex(of_form(values, name)), name) for name in (*SERIALS, "decimal year")]
    return as_expected([reading for reading in readings if reading.is_complete], evidence)[:1]


def _without_future_counts(readings: list[Reading], evidence: Evidence) -> list[Reading]:
    """The readings without counts since 1970 in the future, if a regular one is in the past: 2402270000 is of 2024."""
    is_past = [bool(reading.dates.max() <= evidence.now + AHEAD) for reading in readings]
    past = [reading for reading, is_over in zip(readings, is_past, strict=True) if is_over]
    if not any(reading.time_format not in UNIX and _share(reading, evidence) is not None for reading in past):
        return readings
    both = zip(readings, is_past, strict=True)
    return [reading for reading, is_over in both if reading.time_format not in UNIX or is_over]


def _is_calendar(values: np.ndarray, texts: pd.Series | None) -> bool:
    """Whether some of the integers look like dates in any form."""
    some = slice(None, None, len(values) // MANY)
    sample, cells = np.append(values[some], values.max()), None
    if texts is not None:
        cells = pd.concat([texts.iloc[some], texts.iloc[[int(values.argmax())]]]).reset_index(drop=True)
    readings = _of_integers(sample, cells, Evidence(np.arange(len(sample))))
    return any(reading.dates.notna().mean() >= 0.5 for reading in readings)


def _best(shares: list[tuple[float, Reading]], steady: bool) -> Numbers:
    """The readings with the fewest missing dates: the first, or all orders of day, month and year."""
    least = min(share for share, _ in shares)
    best = [reading for share, reading in shares if share == least]
    orders, first = _orders([reading for _, reading in shares]), best[0]
    if first.time_format == "week" and orders:  # 200101 is a week of 2001 or a day of 2020
        return Numbers([first, *orders])
    if first.time_format == DAY_OF_YEAR:
        return Numbers(best if steady else _latest(best), steady)
    has_orders = first.dayfirst is not None or _is_short(first)
    return Numbers(orders if has_orders else best[:1], steady and first.time_format in (*SHORT, "excel"))


def _orders(readings: list[Reading]) -> list[Reading]:
    """The readings that differ in the order of day, month and year."""
    return [reading for reading in readings if reading.dayfirst is not None or _is_short(reading)]


def _is_short(reading: Reading) -> bool:
    """Whether a reading has years of two digits beside months and days, with or without a time of day."""
    return reading.time_format.startswith(SHORT)


def _latest(readings: list[Reading]) -> list[Reading]:
    """The serial numbers alone if they are later than the days of years: 44200 is rather of 2021 than of 1944."""
    later = max(readings, key=lambda reading: reading.dates[0])
    return [later] if later.time_format in SERIALS else readings


def of_form(values: np.ndarray, form: str, texts: pd.Series | None = None) -> np.ndarray:
    """Numbers (C,) as dates in a named form; NaT for those that are none."""
    if form in UNIX:
        return _since_epoch(values, form)
    if form in SERIALS:
        return _serials(values, form)
    if form == "decimal year":
        return decimal_years(values)
    if form == "year":
        return month_days(values)
    divisor = 10 if form == "quarter" and (values < 100_000).all() else 100
    return (quarters if form == "quarter" else week_days)(values // divisor, values % divisor)


def _of_integers(values: np.ndarray, texts: pd.Series | None, evidence: Evidence) -> Iterator[Reading]:
    """The possible readings of integers, the usual ones first."""
    if not len(values) or values.min() < 0:
        yield from _counts(values) if len(values) else ()
        return
    fewest, width = (len(str(int(number))) for number in (values.min(), values.max()))
    if texts is not None:
        fewest, width = int(texts.str.len().min()), int(texts.str.len().max())

    def reading(name: str, dates: np.ndarray, dayfirst: bool | None = None) -> Reading:
        year = dates.astype("M8[Y]").astype(np.int64) + 1970
        inside = (name == "%Y%m%d") | ((year >= YEARS[0]) & (year <= YEARS[1]))
        return Reading(pd.DatetimeIndex(np.where(inside, dates, NAT)), name, dayfirst)

    year_first, has_hours = width == fewest, True
    in_a_row = len(values) > 1 and _is_steady(values) and np.ptp(values) == len(values) - 1  # only years would change
    if width == 4 and year_first and _is_dense(values, step=1):
        yield reading("year", month_days(values))
    if width in (3, 4) and (_is_padded(texts) or not _is_dense(values)):
        first, second, one = values // 100, values % 100, np.ones(len(values))
        yield reading("%y%m", _short(first, second, one, evidence))
        yield reading("%m%y", _short(second, first, one, evidence))
    if width == 5 and year_first:
        yield reading("quarter", quarters(values // 10, values % 10))
    if (width == 5 or (width == 4 and texts is None)) and (days := _days_of_years(values, evidence)) is not None:
        yield reading(DAY_OF_YEAR, days)
    if width == 6 and year_first:
        yield reading("%Y%m", month_days(values // 100, values % 100))
        yield reading("quarter", quarters(values // 100, values % 100))
        yield reading("week", week_days(values // 100, values % 100))
    if width == 6:
        first, second, third = values // 10_000, values // 100 % 100, values % 100
        yield reading("%y%m%d", _short(first, second, third, evidence))
    if width == 6 and not in_a_row:
        yield reading("%m%Y", month_days(values % 10_000, first))
        yield reading("%d%m%y", _short(third, second, first, evidence), dayfirst=True)
        yield reading("%m%d%y", _short(third, first, second, evidence), dayfirst=False)
    if width == 7 and year_first:
        yield reading("%Y%j", year_days(values // 1000, values % 1000))
    if width == 8:
        yield reading("%Y%m%d", month_days(values // 10_000, values // 100 % 100, values % 100))
    if width == 8 and not in_a_row:
        first, second, year = values // 1_000_000, values // 10_000 % 100, values % 10_000
        orders = [reading("%d%m%Y", month_days(year, second, first), True)]
        orders.append(reading("%m%d%Y", month_days(year, first, second), False))
        yield from orders
        has_hours = not any(each.is_complete and _share(each, evidence) is not None for each in orders)
    if width in (10, 12, 14) and year_first:
        yield reading(f"%Y%m%d{'%H%M%S'[: width - 8]}", _moments(values, width))
    yield from _counts(values)
    even = width + width % 2 if texts is None else width  # a number has no zero before it
    if even in (10, 12, 14) or (even == 8 and not in_a_row and has_hours):
        for name, dates in _stamps(values, even, evidence):
            yield reading(name, dates, {"%d": True, "%m": False}.get(name[:2]))


def _days_of_years(values: np.ndarray, evidence: Evidence) -> np.ndarray | None:
    """Digits such as 20366 as days of years; None unless they are serial numbers, too, or days of several years."""
    year, day = values // 1000, values % 1000
    dates = with_century(year, lambda years: year_days(years, day), evidence)
    if (values >= SERIAL_RANGE[0]).all() and (values < SERIAL_RANGE[1]).all():
        return dates
    if np.isnat(dates).any() or np.ptp(year) == 0:
        return None
    share = evidence.missing_share(pd.DatetimeIndex(dates))
    return dates if share is not None and share <= FEW_GAPS else None


def _stamps(values: np.ndarray, width: int, evidence: Evidence) -> Iterator[tuple[str, np.ndarray]]:
    """Digits such as 2402271530 or 27022024153000 as dates with a time of day, and their formats."""
    for day_width, year_names in ((6, SHORT), (8, ("%d%m%Y", "%m%d%Y"))):
        if width - day_width not in (2, 4, 6):
            continue
        scale = 10 ** (width - day_width)
        days, times = values // scale, values % scale * 10 ** (day_width + 6 - width)
        since = time_of_day(times // 10_000, times // 100 % 100, times % 100)
        for name in year_names:
            year, month, day = _year_month_day(days, name)
            dates = _short(year, month, day, evidence) if day_width == 6 else month_days(year, month, day)
            yield name + "%H%M%S"[: width - day_width], dates + since


def _year_month_day(days: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The parts of digits in a format such as %d%m%y."""
    parts = {}
    for directive in reversed(name.split("%")[1:]):
        size = 10_000 if directive == "Y" else 100
        days, parts[directive.lower()] = days // size, days % size
    return parts["y"], parts["m"], parts["d"]


def _short(year: np.ndarray, month: np.ndarray, day: np.ndarray, evidence: Evidence) -> np.ndarray:
    return with_century(year, lambda years: month_days(years, month, day), evidence)


def _moments(values: np.ndarray, width: int) -> np.ndarray:
    """Digits such as 2020013115 or 20200131153000 as dates with a time of day."""
    scale = 10 ** (width - 8)
    days, times = values // scale, values % scale * 10 ** (14 - width)
    dates = month_days(days // 10_000, days // 100 % 100, days % 100)
    return np.asarray(dates + time_of_day(times // 10_000, times // 100 % 100, times % 100))


def _counts(values: np.ndarray) -> Iterator[Reading]:
    """Counts since 1970 of seconds or smaller units, and serial numbers of spreadsheets; rather the past ones."""
    counts, now = [], np.datetime64(pd.Timestamp.now(), "us") + AHEAD
    for name, scale in UNIX.items():
        dates = _since_epoch(values, name)
        is_round = values.min() >= 1e9 or bool((values % 60 == 0).all())
        first = EARLIEST if _since_1970(values, 10**6 / scale) else UNIX_RANGE[0]
        if is_round and first <= dates.min() and dates.max() < UNIX_RANGE[1]:
            counts.append(Reading(pd.DatetimeIndex(dates), name))
    thousands = values
    while len(counts) > 1 and not (thousands % 1000).any():  # hours in ms, not thousands of hours in seconds
        counts, thousands = counts[1:], thousands / 1000
    yield from [reading for reading in counts if reading.dates.max() <= now] or counts
    if (values >= SERIAL_RANGE[0]).all() and (values < SERIAL_RANGE[1]).all():
        yield Reading(pd.DatetimeIndex(_serials(values, "excel")), "excel")


def _since_1970(values: np.ndarray, second: float) -> bool:
    """Whether counts are of whole minutes or days since 1970 rather than since the first row."""
    if (values % (60 * second)).any():
        return False
    if values.min() < 0 or values.max() >= LARGE_COUNT or values.min() >= LATE_COUNT * second:
        return True
    days = not (values % (86_400 * second)).any()
    return days and (not _is_dense(values) or bool(values.min() > np.diff(np.sort(values)).max(initial=0)))


def _of_fractions(values: np.ndarray, texts: pd.Series | None) -> Iterator[Reading]:
    """The possible readings of numbers with a fraction."""
    year, fraction = np.floor(values), values - np.floor(values)
    if ((year >= YEARS[0]) & (year <= YEARS[1])).all():
        month = _written_months(texts) if texts is not None else np.round(fraction * 100, 6)
        if month is not None:
            yield Reading(pd.DatetimeIndex(month_days(year, month)), "%Y.%m")
        yield Reading(pd.DatetimeIndex(decimal_years(values, exactly=True)), "decimal year")
    years = np.round(fraction * 10_000, 6)
    if ((year >= 1) & (year <= 12)).all() and ((years >= YEARS[0]) & (years <= YEARS[1])).all():
        yield Reading(pd.DatetimeIndex(month_days(years, year)), "%m.%Y")
    yield from _counts(values)


def _written_months(texts: pd.Series) -> np.ndarray | None:
    """The months of cells such as 2020.10; None if 2020.1 may be January or October."""
    digits = texts.str.partition(".")[2]
    single = (digits.str.len() == 1).any()
    padded = digits.str.fullmatch("0[1-9]").any()
    if single and not padded and not digits.isin(["10", "11", "12"]).any():
        return None
    months = pd.to_numeric(digits.str.ljust(2, "0") if padded else digits, errors="coerce")
    return np.asarray(months, np.float64)


def _since_epoch(values: np.ndarray, name: str) -> np.ndarray:
    counts = np.round(values * float(UNIX[name]))
    valid = np.abs(counts) < 2.0**60
    return np.where(valid, np.where(valid, counts, 0).astype(np.int64).astype("M8[us]"), NAT)


def _serials(values: np.ndarray, name: str) -> np.ndarray:
    """Days since the day 0 of a spreadsheet, rounded to seconds."""
    valid = (values >= 1) & (values < 2_958_466)
    seconds = np.round(np.where(valid, values, 0) * 86_400).astype("m8[s]")
    return np.where(valid, (np.datetime64(SERIALS[name], "s") + seconds).astype("M8[us]"), NAT)


def decimal_years(values: np.ndarray, exactly: bool = False) -> np.ndarray:
    """Years with a fraction as months, from their start or middle, else as days, else (or NaT) as seconds.

    >>> decimal_years(np.array([2020.92, 2021.0, 2021.08])).astype("M8[M]").astype(str).tolist()
    ['2020-12', '2021-01', '2021-02']
    """
    year = np.floor(values)
    fraction = values - year
    for twelfth in (fraction * 12, fraction * 12 - 0.5):
        if (np.abs(twelfth - np.round(twelfth)) <= 0.0625).all():
            return month_days(year + np.round(twelfth) // 12, np.round(twelfth) % 12 + 1)
    start, end = month_days(year), month_days(year + 1)
    seconds = (end - start).astype("m8[s]").astype(np.int64) * fraction
    days = seconds / 86_400
    for day in (days, days - 0.5):
        if (np.abs(day - np.round(day)) <= 0.2).all():
            return np.asarray(start + np.round(day).astype("m8[D]"))
    return np.full(len(values), NAT) if exactly else np.asarray(start + np.round(seconds).astype("m8[s]"))


def _is_padded(texts: pd.Series | None) -> bool:
    return texts is not None and bool(texts.str.startswith("0").any() and (texts.str.len() == 4).all())


def _is_steady(values: np.ndarray) -> bool:
    """Whether the numbers are equally spaced."""
    steps = np.diff(np.sort(values))
    return not len(steps) or bool((steps == steps[0]).all())


def _is_dense(values: np.ndarray, step: int | None = None) -> bool:
    """Whether at least half of the integers of a step, by default the common one, are present from first to last."""
    distinct = np.sort(values).astype(np.int64)
    common = int(np.gcd.reduce(np.diff(distinct))) if len(distinct) > 1 else 1
    return step in (None, common) and bool((distinct[-1] - distinct[0]) // common + 1 <= 2 * len(distinct))


def _share(reading: Reading, evidence: Evidence) -> float | None:
    """`missing_share`; two dates in a row count as regular if their digits are those of a calendar."""
    distinct = reading.dates.unique()
    if len(distinct) < 3:
        return 1.0 if reading.time_format in IRREGULAR else None
    return evidence.missing_share(reading.dates)
