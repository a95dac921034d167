"""Date parts: columns of years, months, days, weeks, hours, ... or a date and a time of day, combined.

Letters: N rows, C distinct cells.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.reading.dates.arrays import NAT, halves, month_days, quarters, time_of_day, week_days, year_days
from gatewise.series.reading.dates.century import with_century
from gatewise.series.reading.dates.choice import Evidence, missing_share
from gatewise.series.reading.dates.formats import with_years
from gatewise.series.reading.dates.joined_time import DAY, Reading, covers, is_clock_with_seconds
from gatewise.series.reading.dates.month_names import month_number
from gatewise.series.reading.dates.part_texts import part_text
from gatewise.series.reading.dates.times_of_day import read_times

TIME_NAMES = (
    *("ds", "date", "datetime", "timestamp", "time", "month", "year", "quarter", "week", "day", "hour", "period", "t"),
    *("kalenderwoche", "woche", "semaine", "semana"),
)
HOUR_ENDING = 24
PARTS = ("year", "month", "day", "hour", "minute", "second")
NAMES = {  # part -> names of columns
    "year": "year yr yyyy yy jahr annee année ano año anio",
    "month": "month mon mnth mo mm monat mes mois",
    "day": "day dy dd tag dia día jour mday day_of_month dayofmonth",
    "hour": "hour hr hh hrs stunde std hora heure time",
    "minute": "minute min mins minuto",
    "second": "second sec secs segundo sekunde",
    "quarter": "quarter qtr q quartal trimestre",
    "week": "week wk kw woche kalenderwoche weeknum week_of_year weekofyear isoweek semana semaine",
    "day of year": "doy yday dayofyear day_of_year julian julian_day",
    "weekday": "weekday dow day_of_week dayofweek wochentag weekdag",
    "half": "half semester",
}
_PART = {name: part for part, names in NAMES.items() for name in names.split()}


class Combined(NamedTuple):
    """Several columns as one.

    Attributes:
        column: the column of dates, or the dates themselves, or text.
        since_midnight: (N,) times of day to add to the dates; None if there are none. NaT where there is none.
        guess: what the parts are, if their names do not say so.
    """

    column: pd.Series
    since_midnight: np.ndarray | None = None
    guess: str | None = None


def combined(frame: pd.DataFrame, columns: Sequence[str]) -> Combined:
    """Columns without missing cells as one: year and month, year and week, date and hour, ...; else text.

    Dates from parts are NaT in rows that are no date.
    """
    parts = {column: _PART.get(str(column).strip().lower()) for column in columns}
    numbers = {column: _numbers(frame[column], parts[column]) for column in columns}
    for column in columns:
        text = part_text(frame[column])
        if text is not None and text.part == "minute":
            frame = frame.assign(**{column: _clock_texts(text.numbers)})
            parts[column], numbers[column] = None, None
        elif text is not None:
            parts[column], numbers[column] = text
    years = [column for column in columns if _is_year(numbers[column], parts[column])]
    if len(years) == 1 and all(numbers[column] is not None for column in columns):
        return _from_year(numbers, parts, years[0])
    if len(years) == 1 and len(columns) == 2:
        dated = _days_with_year(frame, columns, years[0], numbers)
        if dated is not None:
            return dated
    longs = [column for column in columns if not _is_time(frame[column], numbers[column])]
    clocks = [column for column in longs if (found := numbers[column]) is not None and is_clock_with_seconds(found)]
    if len(longs) == 2 and len(clocks) == 1:  # alone, such digits may be a date
        longs = [column for column in longs if column not in clocks]
    if len(longs) == 1:
        times = [column for column in columns if column != longs[0]]
        return Combined(frame[longs[0]], _times(frame, times, numbers))
    return joined(frame, columns)


def _days_with_year(
    frame: pd.DataFrame, columns: Sequence[str], year: str, numbers: dict[str, np.ndarray | None]
) -> Combined | None:
    """A column of days such as 01 Oct and one of years as text; None for others."""
    day, years = next(column for column in columns if column != year), numbers[year]
    texts = None if years is None or not np.isfinite(years).all() else with_years(frame[day], years)
    return None if texts is None else Combined(texts.rename(" ".join(columns)))


def _clock_texts(minutes: np.ndarray) -> np.ndarray:
    """Minutes of the day (N,) as texts such as 18:00."""
    codes, distinct = pd.factorize(minutes)
    texts = [f"{int(minute) // 60:02d}:{int(minute) % 60:02d}" for minute in distinct]
    return np.asarray(np.array(texts, object)[codes])


def joined(frame: pd.DataFrame, columns: Sequence[str]) -> Combined:
    """Columns as text, joined by spaces."""
    first, *others = [_text(frame[column]) for column in columns]
    return Combined(first.str.cat(others, sep=" ").rename(" ".join(columns)))


def _text(column: pd.Series) -> pd.Series:
    """Cells as text, whole numbers without a decimal point."""
    whole = pd.api.types.is_float_dtype(column) and bool((column == column.round()).all())
    return (column.astype(np.int64) if whole else column).astype(str)


def _numbers(column: pd.Series, part: str | None) -> np.ndarray | None:
    """A column of whole numbers, also as text such as Q1, W05 or January; None for others."""
    codes, distinct = pd.factorize(column)
    cells = pd.Series(distinct)
    if not pd.api.types.is_numeric_dtype(cells):
        cells = cells.astype(str).str.strip()
        digits = cells.str.replace(r"^(?:Q|W|KW|M|H)\s*(?=\d+$)", "", regex=True, case=False)
        values = pd.to_numeric(digits, errors="coerce").to_numpy(np.float64)
        if part in ("month", None) and np.isnan(values).all():
            values = np.array([month_number(cell) for cell in cells])
    else:
        values = cells.to_numpy(np.float64)
    if pd.api.types.is_bool_dtype(distinct) or not (np.isfinite(values) & (values == np.round(values))).mean() >= 0.5:
        return None
    return np.asarray(values[codes])


def _is_year(values: np.ndarray | None, part: str | None) -> bool:
    if values is None or part not in ("year", None):
        return False
    return part == "year" or bool(((values >= 1600) & (values <= 2100)).all())


def _is_time(column: pd.Series, values: np.ndarray | None) -> bool:
    """Whether a column holds hours, minutes or times of day."""
    if values is not None:
        digits = (values <= 2400).all() and (values % 100 < 60).all()
        return bool((values < 100).all() or digits or _are_minutes(values))
    cells = pd.Series(column.unique())
    return bool(pd.api.types.infer_dtype(cells) == "string") and bool(
        (~np.isnat(read_times(cells.str.strip()).since_midnight)).mean() >= 0.5
    )


def _are_minutes(values: np.ndarray) -> bool:
    """Whether numbers count the minutes of a day: up to 1439, unlike digits such as 1830, or the whole day."""
    within = (values >= 100).any() and (values >= 0).all() and (values < DAY).all()
    return bool(within and ((values % 100 >= 60).any() or covers(Reading("minute", values))))


def _times(frame: pd.DataFrame, columns: Sequence[str], numbers: dict[str, np.ndarray | None]) -> np.ndarray:
    """Times of day (N,) from a column of hours, then minutes and seconds; or of texts such as 18:00."""
    values = [numbers[column] for column in columns]
    if len(columns) == 1 and values[0] is not None and _are_minutes(values[0]):
        return time_of_day(values[0] // 60, values[0] % 60)
    if len(columns) == 1 and (values[0] is None or (values[0] >= 100).any()):
        codes, distinct = pd.factorize(frame[columns[0]])
        cells = pd.Series(distinct)
        width = 4 if values[0] is None or values[0].max() <= 2400 else 6
        texts = cells.astype(str).str.strip() if values[0] is None else cells.map(lambda cell: f"{int(cell):0{width}d}")
        return np.asarray(read_times(texts).since_midnight[codes])
    if len(columns) > 3 or any(value is None for value in values):
        return np.full(len(frame), np.timedelta64("NaT"), "m8[us]")
    return time_of_day(*(value for value in values if value is not None))


def _from_year(numbers: dict[str, np.ndarray | None], parts: dict[str, str | None], year: str) -> Combined:
    values = {column: number for column, number in numbers.items() if number is not None and column != year}
    years = numbers[year]
    assert years is not None
    named = {part: number for column, number in values.items() if (part := parts[column]) is not None}
    guess = None
    if len(named) < len(values):
        if len(values) == 1:
            part, dates = _second_part(years, *values.values())
            guess = f"dates: year and {part}"
            return Combined(_series(dates), guess=guess)
        if len(values) == 2 and list(numbers)[2] == year:  # day and month in either order
            texts = [pd.Series(number.astype(np.int64).astype(str)) for number in (*values.values(), years)]
            return Combined(texts[0].str.cat(texts[1:], sep="/").rename(" ".join(numbers)))
        named = dict(zip(PARTS[1:], values.values(), strict=False))
        guess = f"dates: {', '.join(('year', *named))}"
    if "hour" in named and (named["hour"] == HOUR_ENDING).any():  # hours from 1 to 24
        cells = ", ".join(f"{column} {number[0]:g}" for column, number in numbers.items() if number is not None)
        guess = f"dates: {cells} (hour ending)"
    if ((years >= 0) & (years < 100)).all():
        dates = with_century(years, lambda full: _dates(full, named), Evidence(np.arange(len(years))))
        return Combined(_series(dates), guess=guess or "dates: two-digit years")
    return Combined(_series(_dates(years, named)), guess=guess)


def _series(dates: np.ndarray) -> pd.Series:
    return pd.Series(pd.DatetimeIndex(dates))


def _second_part(year: np.ndarray, number: np.ndarray) -> tuple[str, np.ndarray]:
    """What the numbers beside years are: the part whose dates have the fewest gaps."""
    readings = {part: _dates(year, {part: number}) for part in ("month", "quarter", "week", "day of year")}
    shares = {
        part: share
        for part, dates in readings.items()
        if not np.isnat(dates).any() and (share := missing_share(pd.DatetimeIndex(dates))) is not None
    }
    part = min(shares, key=lambda name: shares[name], default="month")
    return part, readings[part]


def _dates(year: np.ndarray, parts: dict[str, np.ndarray]) -> np.ndarray:
    """Dates (N,) of a year with its other parts."""
    one = np.ones(len(year))
    day = parts.get("day", one)
    if "quarter" in parts:
        dates = quarters(year, parts["quarter"])
    elif "half" in parts:
        dates = halves(year, parts["half"])
    elif "week" in parts:
        dates = week_days(year, parts["week"], parts.get("weekday", day))
    elif "day of year" in parts or ("month" not in parts and "day" in parts):
        dates = year_days(year, parts.get("day of year", day))
    else:
        dates = month_days(year, parts.get("month", one), day)
    clock = [parts.get(part, 0 * one) for part in ("hour", "minute", "second")]
    return np.where(np.isnat(dates), NAT, dates + time_of_day(*clock))
