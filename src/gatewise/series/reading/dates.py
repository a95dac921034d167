"""Dates: a column as dates or as integer time."""

import re
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from pandas.tseries.api import guess_datetime_format

from gatewise.series.errors import DataError, RowError
from gatewise.series.frequency import pandas_frequency
from gatewise.series.reading.joined_time import add, as_years, hours_of, part_named, period_of
from gatewise.series.wording import format_date, quoted

Where = Callable[[int], str]  # names a row in a message: "row 12 (line 13 of sales.csv)"

TIME_NAMES = (
    "ds",
    "date",
    "datetime",
    "timestamp",
    "time",
    "month",
    "year",
    "quarter",
    "week",
    "day",
    "hour",
    "period",
    "t",
)
MORE_FORMATS = (  # formats of common exports that pandas does not guess
    *("%b-%y", "%b-%Y", "%b %Y", "%B %Y", "%d-%b-%y", "%d.%m.%y", "%m.%d.%y", "%d/%m/%y", "%m/%d/%y"),
    *("%d/%m/%Y %I:%M %p", "%m/%d/%Y %I:%M %p", "%d/%m/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M:%S %p"),
)
PARTS = ("year", "month", "day", "hour", "minute", "second")


def looks_like_dates(column: pd.Series) -> bool:
    """Whether most of a column reads as dates; numbers never do."""
    present = column.dropna().drop_duplicates() if is_text(column) else column.dropna()
    if len(present) == 0 or pd.api.types.is_numeric_dtype(present):
        return False
    if not is_text(present):
        return not isinstance(_converted(present), str)
    return any(reading.notna().mean() >= 0.5 for reading in _readings(present))


def read_dates(column: pd.Series, where: Where) -> tuple[pd.Index, str | None]:
    """A column as a time index, and the guess made to read it, or None."""
    _refuse_missing(column, where)
    if pd.api.types.infer_dtype(column) in ("integer", "floating", "mixed-integer-float"):  # also in an object column
        column = pd.to_numeric(column)
    if pd.api.types.is_numeric_dtype(column):
        return _integers(column, where)
    if is_text(column):
        return _text_dates(column, where)
    converted = _converted(column)
    if isinstance(converted, str):
        raise DataError(f"time column {column.name!r} cannot be read as dates: {converted}")
    return converted, None


def read_time(frame: pd.DataFrame, columns: Sequence[str], where: Where) -> tuple[pd.Index, str | None]:
    """One or several columns as a time index, and the guess made to read them, or None."""
    if len(columns) == 1:
        return read_dates(frame[columns[0]], where)
    joined, first_guess = _joined(frame, columns, where)
    ds, guess = read_dates(joined, where)
    return ds, first_guess or guess


def _joined(frame: pd.DataFrame, columns: Sequence[str], where: Where) -> tuple[pd.Series, str | None]:
    """Several columns as one: the parts of a date, a date and hours, or text joined by spaces; and the guess."""
    for column in columns:
        _refuse_missing(frame[column], where)
    parts = {column: part_named(column) for column in columns}
    if "year" in parts.values() and len(set(parts.values())) == len(columns) and set(parts.values()) <= set(PARTS):
        dates, guess = _of_parts(frame.rename(columns=parts)[list(parts.values())]), None
    else:
        dates, guess = _completed(frame, columns, where)
    if dates is None:
        first, *others = [frame[column].astype(str) for column in columns]
        return first.str.cat(others, sep=" ").rename(" ".join(columns)), None
    invalid = np.flatnonzero(dates.isna())

    def describe(rows: np.ndarray) -> str:
        values = ", ".join(f"{column} {frame[column].iloc[rows[0]]}" for column in columns)
        return f"{where(rows[0])}: {values} is not a date; correct or remove the row"

    if len(invalid):
        raise RowError(invalid, describe)
    return dates, guess


def _of_parts(frame: pd.DataFrame) -> pd.Series:
    """Columns year, month, day, hour, minute and second as dates; NaT where they are none."""
    parts = {part: pd.to_numeric(frame[part], errors="coerce") for part in frame.columns}
    months = period_of(frame["month"]) if "month" in parts else None
    if months is not None:
        parts["month"] = pd.Series(months.numbers, index=frame.index)  # also names such as Jan
    end_of_day = parts.get("hour", pd.Series(0, index=frame.index)) == 24
    if end_of_day.any():
        parts["hour"] = parts["hour"].mask(end_of_day, 23)
    dates = pd.to_datetime(pd.DataFrame({"month": 1, "day": 1, **parts}), errors="coerce")
    return dates + pd.to_timedelta(end_of_day.astype(np.int64), unit="h")


def _completed(frame: pd.DataFrame, columns: Sequence[str], where: Where) -> tuple[pd.Series | None, str | None]:
    """Days and times of day, or years and periods of the year, as dates; None if the cells are none."""
    first, *others = columns
    years = as_years(frame[first])
    period = period_of(frame[others[0]]) if years is not None and len(others) == 1 else None
    if years is not None and period is not None:
        return pd.Series(add(years, period)), f"dates: {first!r} read as years, {others[0]!r} as their {period.part}s"
    times = hours_of([frame[column] for column in others])
    if times is None or years is not None:
        return None, None
    days, guess = read_dates(frame[first], where)
    if not isinstance(days, pd.DatetimeIndex):
        return None, None
    for reading in times:
        days = add(days, reading)
    return pd.Series(days), guess


def _refuse_missing(column: pd.Series, where: Where) -> None:
    def describe(rows: np.ndarray) -> str:
        count = "1 row has" if len(rows) == 1 else f"{len(rows)} rows have"
        return (
            f"{where(rows[0])}: no date in time column {column.name!r} ({count} none); add the date or remove the row"
        )

    missing = np.flatnonzero(column.isna())
    if len(missing):
        raise RowError(missing, describe)


def is_text(column: pd.Series) -> bool:
    """Whether every value of a column is text."""
    return bool(pd.api.types.infer_dtype(column, skipna=True) == "string")


def _converted(column: pd.Series) -> pd.DatetimeIndex | str:
    """Date objects (of pandas, numpy or Python) as an index, or the reason why this fails."""
    if isinstance(column.dtype, pd.PeriodDtype):
        return pd.DatetimeIndex(column.dt.to_timestamp())
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind not in ("datetime64", "datetime", "date"):
        return f"it holds {kind!r} values, expected dates, text such as '1949-01-31', or integers"
    try:
        return pd.DatetimeIndex(pd.to_datetime(column))
    except (ValueError, TypeError) as reason:  # several time zones, or dates out of the range of pandas
        return (
            f"{reason}; if the dates have several time zones, convert them first, for example with "
            "pandas.to_datetime(column, utc=True)"
        )


def _integers(column: pd.Series, where: Where) -> tuple[pd.Index, str | None]:
    values = column.to_numpy(np.float64)
    faults = {
        "infinite": np.isinf(values),
        "a fraction": values != np.round(values),
        "too large": np.abs(values) >= 2.0**62,  # the difference of two such numbers does not fit 64 bits
    }
    fault = next((fault for fault, wrong in faults.items() if wrong.any()), None)
    if fault is not None:
        raise RowError(
            np.flatnonzero(faults[fault]),
            lambda rows: (
                f"{where(rows[0])}: time {values[rows[0]]:g} in column {column.name!r} is {fault}; "
                "give dates such as '1949-01', or integers"
            ),
        )
    if str(column.name).lower() == "year" and ((values >= 1000) & (values < 3000)).all():
        return _digits(column, "%Y"), "dates: integers read as years"
    if ((values >= 1e7) & (values < 3e7)).all():
        dates = _digits(column, "%Y%m%d")
        if dates.notna().all():
            return dates, "dates: integers read as year, month, day"
    return pd.Index(column.to_numpy(np.int64)), "time: integers, not dates"


def _digits(column: pd.Series, form: str) -> pd.DatetimeIndex:
    """Integers such as 20240131 as dates; each distinct integer is converted once."""
    codes, distinct = pd.factorize(column.astype(np.int64))
    dates = pd.to_datetime(pd.Series(distinct).astype(str), format=form, errors="coerce")
    return pd.DatetimeIndex(dates).take(codes)


def _readings(text: pd.Series) -> list[pd.Series]:
    """The possible readings of text as dates: ISO 8601, quarters, day or month first; unreadable cells are NaT."""
    text = text.str.strip()
    zones = text.str.extract(r":\d\d(?:\.\d+)?\s?(Z|[+-]\d\d:?\d\d)$", expand=False)
    iso = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=len(zones.unique()) > 1)
    if iso.notna().any():
        return [iso]
    if text.str.fullmatch(r"\d{4}-?Q[1-4]").any():
        quarters = text.str.replace("-", "").where(text.str.fullmatch(r"\d{4}-?Q[1-4]"))
        return [pd.Series(pd.PeriodIndex(quarters, freq="Q").to_timestamp(), index=text.index)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns about day-first dates; both orders are tried here
        formats = next((formats for cell in text.iloc[:20] if (formats := _formats(cell))), set())
    return [pd.to_datetime(text, format=form, errors="coerce") for form in sorted(formats)]


def _formats(cell: str) -> set[str]:
    """The formats in which one cell can be read."""
    formats = {guess_datetime_format(cell, dayfirst=first) for first in (False, True)} - {None}
    return formats | {form for form in MORE_FORMATS if not pd.isna(pd.to_datetime(cell, format=form, errors="coerce"))}


def _text_dates(column: pd.Series, where: Where) -> tuple[pd.Index, str | None]:
    """Text as dates; each distinct cell is converted once."""
    codes, distinct = pd.factorize(column)
    cells = pd.Series(distinct)
    readings = sorted(_readings(cells), key=lambda reading: int(reading.isna().sum()))
    best = readings[0] if readings else pd.Series(pd.NaT, index=cells.index)
    example = f", unlike {cells[best.notna()].iloc[0]!r}" if best.notna().any() else ""
    unreadable = np.flatnonzero(best.isna().to_numpy()[codes])
    if len(unreadable):
        raise RowError(
            unreadable,
            lambda rows: (
                f"{where(rows[0])}: {quoted(column.iloc[rows[0]])} in time column {column.name!r} cannot be read as "
                f"a date{example}; write dates as 1949-01-31 (or 1949-01, or 1949-01-31 13:00)"
            ),
        )
    if len(readings) == 1:
        dates, guess = pd.DatetimeIndex(best), _reading_guess(cells, best)
    else:
        whole = [pd.DatetimeIndex(reading) for reading in readings if reading.notna().all()]
        dates, guess = _day_or_month_first(cells.rename(column.name), whole)
    return dates.take(codes).rename(column.name), guess


def _reading_guess(cells: pd.Series, dates: pd.Series) -> str | None:
    if str(dates.dt.tz) == "UTC" and not cells.str.strip().str.endswith(("Z", "+00:00")).all():
        return "dates: several UTC offsets, read as UTC"
    first = cells.iloc[0]
    return None if re.match(r"\s*\d{4}", first) else f"dates: {first!r} read as {format_date(dates.iloc[0])}"


def _day_or_month_first(column: pd.Series, readings: list[pd.DatetimeIndex]) -> tuple[pd.DatetimeIndex, str]:
    """The reading that gives a regular calendar, among those that read every cell."""
    readings = readings[:1] if readings[0].equals(readings[-1]) else readings
    differ = int((readings[0] != readings[-1]).argmax())
    regular = [dates for dates in readings if len(readings) == 1 or pandas_frequency(dates.unique().sort_values())]
    example = column.iloc[differ]
    if len(regular) != 1:
        raise DataError(
            f"dates such as {example!r} in time column {column.name!r} can be read day first or month first; "
            f"write them as year-month-day, {format_date(readings[0][differ])} or {format_date(readings[-1][differ])}"
        )
    return regular[0], f"dates: {example!r} read as {format_date(regular[0][differ])}"
