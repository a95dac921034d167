"""Dates: a column, or several, as dates or as integer time.

Letters: N rows, C distinct cells.
"""

import re
from collections.abc import Sequence
from numbers import Real

import numpy as np
import pandas as pd

from gatewise.arguments import plain
from gatewise.series.errors import DataError, RowError
from gatewise.series.reading.dates.arrays import NAT
from gatewise.series.reading.dates.century import wrapped_years
from gatewise.series.reading.dates.choice import Evidence, Reading, missing_share
from gatewise.series.reading.dates.context import DIGITS, Context, ReadDates, is_digits
from gatewise.series.reading.dates.digits import number_readings, of_form
from gatewise.series.reading.dates.earlier import read_as_before
from gatewise.series.reading.dates.end_midnights import with_end_midnights
from gatewise.series.reading.dates.formats import is_month_of_year, may_lack_year, text_readings
from gatewise.series.reading.dates.given_formats import INTEGER, check_time_format, in_format
from gatewise.series.reading.dates.messages import (
    Cells,
    dates_or_integers,
    days_without_year,
    decided,
    months_or_days,
    refuse_unreadable,
)
from gatewise.series.reading.dates.messages import Where as Where  # public here
from gatewise.series.reading.dates.objects import converted_objects
from gatewise.series.reading.dates.part_texts import part_text
from gatewise.series.reading.dates.parts import PARTS as PARTS  # public here
from gatewise.series.reading.dates.parts import TIME_NAMES as TIME_NAMES  # public here
from gatewise.series.reading.dates.parts import combined, joined
from gatewise.series.reading.dates.ranges import is_range
from gatewise.series.reading.dates.two_numbers import QUARTER, SEASON, quarter_reading, season_reading, week_readings
from gatewise.series.reading.table import Table
from gatewise.series.wording import format_date, listed, quoted

UNCERTAIN = "%y|%m.?%Y|%d-%m-%y|%m-%d-%y"  # formats that codes may have, too
UNCERTAIN_DIGITS = rf"{UNCERTAIN}|%Y%m$|%Y%j|%[dm]%[dm]|%Y.%m$|[a-z]"
SAMPLE = 500  # distinct cells that are tried


def looks_like_dates(column: pd.Series) -> bool:
    """Whether most of a column reads as dates; numbers never do."""
    present = column.dropna().drop_duplicates() if is_text(column) else column.dropna()
    if len(present) == 0 or pd.api.types.is_numeric_dtype(present):
        return False
    if not is_text(present):
        return not isinstance(converted_objects(present), str)
    cells = present.str.strip().iloc[:SAMPLE].reset_index(drop=True)
    if part_text(cells) is not None:
        return False
    if _has_calendar(week_readings(cells, column.name)):
        return True
    evidence = Evidence(np.arange(len(cells)))
    if is_digits(cells):
        readings, _ = number_readings(cells.to_numpy(np.float64), cells, evidence, named_year=False)
        if any(_is_certain(reading, UNCERTAIN_DIGITS) for reading in readings):
            return True
    season = season_reading(cells, evidence) or quarter_reading(cells)
    readings = [season] if season else text_readings(cells, evidence)
    return any(reading.dates.notna().mean() >= 0.5 and _is_certain(reading, UNCERTAIN) for reading in readings)


def _has_calendar(readings: Sequence[Reading]) -> bool:
    return any(missing_share(reading.dates) is not None for reading in readings)


def _is_certain(reading: Reading, pattern: str) -> bool:
    """Whether a reading is regular, or of a form that no code has, unlike 12-2003 and 10.5.3."""
    return missing_share(reading.dates) is not None or not re.match(pattern, reading.time_format)


def plausible_dates(column: pd.Series) -> bool:
    """Whether a column of numbers can be dates: digits such as 202011, counts since 1970, serial numbers, years.

    >>> plausible_dates(pd.Series([202011, 202012, 202101])), plausible_dates(pd.Series([1, 2, 3]))
    (True, False)
    """
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return False
    codes, values = pd.factorize(column.dropna().to_numpy(np.float64))
    if len(values) < 2 or not np.isfinite(values).all():
        return False
    if _has_calendar(week_readings(pd.Series(values), column.name)) or quarter_reading(pd.Series(values)):
        return True
    readings, _ = number_readings(values, None, Evidence(codes), str(column.name).lower() == "year")
    return any(_is_certain(reading, UNCERTAIN_DIGITS) for reading in readings)


def read_time(
    frame: pd.DataFrame,
    columns: Sequence[str],
    where: Where,
    table: Table | None = None,
    series: np.ndarray | None = None,
    expected: pd.Index | None = None,
    past: np.ndarray | None = None,
) -> ReadDates:
    """One or several columns as a time index.

    Arguments:
        frame: the rows of a table, by its index.
        columns: their names.
        where: names a row of `frame` in a message.
        table: the table, which knows how its cells are written.
        series: the series of each row, which decides what is in order.
        expected: the dates that the rows should hold, which decide between two readings.
        past: whether each row holds a value, so that its date is not in the future.

    Raises:
        RowError: rows without a readable date.
        DataError: several readings are possible; names them and the option that decides.
    """
    context = Context(where, series=series, expected=expected, past=past)
    if table is not None:
        context = context._replace(cells=table.cells)
    if len(columns) > 1:
        return with_end_midnights(_read_parts(frame, columns, context), series)
    if table is not None and table.written is not None:
        cells_of, index, name = table.written, frame.index, columns[0]
        context = context._replace(written=lambda: cells_of(name).reindex(index))
    return with_end_midnights(read_dates(frame[columns[0]], context), series)


def read_dates(column: pd.Series, context: Context) -> ReadDates:
    """A column as a time index; as in an earlier table where the cells allow that."""
    if context.cells.time_format is None and context.cells.dayfirst is None:
        return read_as_before(lambda cells: _read_dates(column, context._replace(cells=cells)), context.cells)
    return _read_dates(column, context)


def _read_dates(column: pd.Series, context: Context) -> ReadDates:
    column = column.reset_index(drop=True)
    _refuse_missing(column, context.where)
    if context.cells.time_format is not None:
        return _formatted(column, context.cells.time_format, context)
    if pd.api.types.infer_dtype(column) in ("integer", "floating", "mixed-integer-float"):  # also in an object column
        column = pd.to_numeric(column)
    if pd.api.types.is_numeric_dtype(column):
        return _numbers(column, context)
    if is_text(column):
        return _texts(column, context)
    converted = converted_objects(column)
    if isinstance(converted, str) and str(pd.api.types.infer_dtype(column)).startswith("mixed"):
        return _mixed(column, context)
    if isinstance(converted, str):
        raise DataError(f"time column {column.name!r} cannot be read as dates: {converted}")
    return ReadDates(converted, None)


def is_text(column: pd.Series) -> bool:
    """Whether every value of a column is text."""
    return bool(pd.api.types.infer_dtype(column, skipna=True) == "string")


def _read_parts(frame: pd.DataFrame, columns: Sequence[str], context: Context) -> ReadDates:
    """Several columns as a time index; with a format of all of them as text joined by spaces."""
    frame = frame.reset_index(drop=True)
    for column in columns:
        _refuse_missing(frame[column], context.where)
    parts, time_format = combined(frame, columns), context.cells.time_format
    if time_format is not None and (parts.since_midnight is None or re.search("%[HI]", time_format)):
        parts = joined(frame, columns)
    if parts.since_midnight is None and is_text(parts.column):
        return read_dates(parts.column, context)

    def describe(rows: np.ndarray) -> str:
        values = ", ".join(f"{column} {frame[column].iloc[rows[0]]}" for column in columns)
        remedy = "correct or remove the row"
        if any(str(frame[column].iloc[rows[0]]) in ("25", "25.0") for column in columns):
            remedy = (
                "hour 25 belongs to a day on which daylight-saving time ends, whose hours are counted; write the dates "
                "with their times and UTC offsets, such as 2023-10-29 02:00+01:00"
            )
        return f"{context.where(rows[0])}: {values} is not a date; {remedy}"

    wrong = parts.column.isna() if parts.since_midnight is None else pd.Series(np.isnat(parts.since_midnight))
    if wrong.any():
        raise RowError(np.flatnonzero(wrong), describe)
    dates = read_dates(parts.column, context)
    ds = dates.ds
    if parts.since_midnight is None:
        return ReadDates(ds, None if parts.guess is None else f"{parts.guess} read as {format_date(ds[0])}")
    if not isinstance(ds, pd.DatetimeIndex):
        raise DataError(
            f"time columns {listed(columns)} cannot be combined: {columns[0]!r} holds integers such as {ds[0]}; pass "
            "one of them as time_column= (--time)"
        )
    ds = ds + pd.TimedeltaIndex(parts.since_midnight)
    example = " and ".join(str(plain(frame[column].iloc[0])).removesuffix(" 00:00:00") for column in columns)
    return ReadDates(ds, f"dates: {example} read as {format_date(ds[0])}", dates.time_format, dates.dayfirst)


def _refuse_missing(column: pd.Series, where: Where) -> None:
    def describe(rows: np.ndarray) -> str:
        count = "1 row has" if len(rows) == 1 else f"{len(rows)} rows have"
        return (
            f"{where(rows[0])}: no date in time column {column.name!r} ({count} none); add the date or remove the row"
        )

    missing = np.flatnonzero(column.isna())
    if len(missing):
        raise RowError(missing, describe)


def _mixed(column: pd.Series, context: Context) -> ReadDates:
    """Date objects, text and serial numbers in one column, as a spreadsheet holds them."""
    kinds = column.map(lambda cell: "text" if isinstance(cell, str) else "number" if isinstance(cell, Real) else "date")
    dates = pd.Series(pd.DatetimeIndex(np.full(len(column), NAT)))
    for kind in kinds.unique():
        rows = np.flatnonzero(kinds == kind)
        try:
            part = column.iloc[rows].infer_objects()
            ds = _serials(part, context.only(rows)) if kind == "number" else read_dates(part, context.only(rows)).ds
        except RowError as error:
            raise _in_rows(error, rows) from None
        if not isinstance(ds, pd.DatetimeIndex) or ds.tz is not None:
            raise DataError(
                f"time column {column.name!r} holds dates of several kinds, such as {quoted(column.iloc[rows[0]])}; "
                "convert them to one kind, for example with pandas.to_datetime(column, utc=True)"
            )
        dates.iloc[rows] = ds
    index = pd.DatetimeIndex(dates, name=column.name)
    other = int((kinds != "date").argmax())
    return ReadDates(index, f"dates: {quoted(plain(column.iloc[other]))} read as {format_date(index[other])}")


def _serials(column: pd.Series, context: Context) -> pd.DatetimeIndex:
    """Serial numbers of a spreadsheet between dates."""
    codes, distinct = pd.factorize(column.to_numpy(np.float64))
    dates = pd.DatetimeIndex(of_form(distinct, "excel"))
    refuse_unreadable(context.of(column, codes), dates.notna() & ((distinct < 1700) | (distinct > 2200)))  # no years
    return dates.take(codes)


def _in_rows(error: RowError, rows: np.ndarray) -> RowError:
    """The error of a part of a column; `rows` are the positions of the part."""
    return RowError(rows[error.rows], lambda bad: error.fault(np.searchsorted(rows, bad)), error.remedy)


# -------------------------------------------------------------------------------------------------------- numbers


def _numbers(column: pd.Series, context: Context) -> ReadDates:
    """Numbers as dates or integer time."""
    values = column.to_numpy(np.float64)
    _refuse_numbers(column, context.where, {"infinite": np.isinf(values), "too large": np.abs(values) >= 2.0**62})
    texts = context.written_digits(values)
    codes, distinct = pd.factorize(values if texts is None else texts)
    cells = None if texts is None else pd.Series(distinct)
    numbers = distinct if texts is None else distinct.astype(np.float64)
    return _number_dates(column, codes, numbers, cells, context) or _integers(column, context.where)


def _number_dates(
    column: pd.Series, codes: np.ndarray, numbers: np.ndarray, cells: pd.Series | None, context: Context
) -> ReadDates | None:
    """Distinct numbers (C,) as dates; None if they are integers in a row."""
    named_year = str(column.name).lower() == "year"
    years = wrapped_years(numbers, context.evidence(codes))
    if years is not None:
        dates = pd.DatetimeIndex(years).take(codes).rename(column.name)
        return ReadDates(dates, f"dates: {quoted(plain(column.iloc[0]))} read as {format_date(dates[0])}")
    written = pd.Series(numbers) if cells is None else cells
    quarter = quarter_reading(written)
    weeks = [quarter] if quarter else week_readings(written, column.name)
    evidence = context.evidence(codes)
    readings, is_integer = number_readings(numbers, cells, evidence, named_year)
    readings, is_integer = (weeks, False) if weeks else (readings, is_integer)
    found = context.of(column, codes)
    _refuse_days_of_no_year(found, cells)
    if not readings:
        return None
    if is_integer:
        raise dates_or_integers(found, readings, evidence)
    reading = decided(found, readings, evidence)
    refuse_unreadable(found, reading.dates.notna())
    dates = reading.dates.take(codes).rename(column.name)
    known = {"year": "years", "%Y%m%d": "year, month, day"}.get(reading.time_format)
    guess = f"{quoted(plain(column.iloc[0]))} read as {format_date(dates[0])}"
    if known is not None and pd.api.types.is_numeric_dtype(column):
        guess = f"integers read as {known}"
    return ReadDates(dates, f"dates: {guess}", reading.time_format, reading.dayfirst)


def _refuse_days_of_no_year(found: Cells, cells: pd.Series | None) -> None:
    """Refuse days such as 0131."""
    padded = cells is not None and (cells.str.len() == 4).all() and cells.str.startswith("0").any()
    if cells is not None and padded and may_lack_year(cells.str.slice(0, 2) + "/" + cells.str.slice(2)):
        raise days_without_year(found)


def _integers(column: pd.Series, where: Where) -> ReadDates:
    values = column.to_numpy(np.float64)
    _refuse_numbers(column, where, {"a fraction": values != np.round(values)})
    return ReadDates(pd.Index(column.to_numpy(np.int64)), "time: integers, not dates", INTEGER)


def _refuse_numbers(column: pd.Series, where: Where, faults: dict[str, np.ndarray]) -> None:
    fault = next((fault for fault, wrong in faults.items() if wrong.any()), None)
    if fault is None:
        return
    is_year = column.between(1600, 2101).all()
    remedy = "; or pass time_format='%Y.%m' or 'decimal year' (--time-format)" if is_year else ""
    raise RowError(
        np.flatnonzero(faults[fault]),
        lambda rows: (
            f"{where(rows[0])}: time {column.iloc[rows[0]]:g} in column {column.name!r} is {fault}; "
            f"give dates such as '1949-01', or integers{remedy}"
        ),
    )


# ----------------------------------------------------------------------------------------------------------- text


def _texts(column: pd.Series, context: Context) -> ReadDates:
    """Text as dates; each distinct cell is read once."""
    codes, distinct = pd.factorize(column)
    cells = pd.Series(distinct).str.strip()
    found, evidence = context.of(column, codes), context.evidence(codes)
    digits = cells.str.fullmatch(DIGITS).to_numpy(bool)
    if digits.all():
        dates = _number_dates(column, codes, cells.to_numpy(np.float64), cells, context)
        if dates is not None:
            return dates
        if cells.str.fullmatch(r"0|[1-9]\d{0,17}").all():
            return _integers(pd.to_numeric(column), context.where)
    elif digits.mean() >= 0.5:
        some = cells[digits].reset_index(drop=True)
        if number_readings(some.to_numpy(np.float64), some, evidence.only(digits), named_year=False).readings:
            refuse_unreadable(found, digits)
    season = season_reading(cells, evidence) or quarter_reading(cells)
    readings = [season] if season else week_readings(cells, column.name) or text_readings(cells, evidence)
    if not readings:
        refuse_unreadable(found, digits & (0.5 <= digits.mean() < 1))
    reading = decided(found, readings, evidence)
    refuse_unreadable(found, reading.dates.notna())
    if is_month_of_year(reading) and may_lack_year(cells):
        raise months_or_days(found, reading)
    dates = reading.dates.take(codes).rename(column.name)
    return ReadDates(dates, _reading_guess(cells, reading), reading.time_format, reading.dayfirst)


def _reading_guess(cells: pd.Series, reading: Reading) -> str | None:
    dates = reading.dates
    if reading.has_offsets:
        return "dates: several UTC offsets, read as UTC"
    if is_range(cells.iloc[0]):
        return f"dates: {cells.iloc[0]!r} read as {format_date(dates[0])}, the start of the range"
    if reading.time_format == SEASON:
        return f"dates: {cells.iloc[0]!r} read as {format_date(dates[0])}, a season or fiscal year"
    if reading.time_format == QUARTER and re.fullmatch(r"\d{4}.\d", cells.iloc[0]):
        return f"dates: {cells.iloc[0]!r} read as {format_date(dates[0])}, a quarter"
    if reading.time_format.startswith(("ISO8601", "%Y-%m", "%Y/%m", "quarter")) and re.match(r"\d{4}", cells.iloc[0]):
        return None
    return f"dates: {cells.iloc[0]!r} read as {format_date(dates[0])}"


# --------------------------------------------------------------------------------------------------------- format


def _formatted(column: pd.Series, time_format: str, context: Context) -> ReadDates:
    """A column as dates in the given format; every cell must have it."""
    check_time_format(time_format)
    is_number = pd.api.types.infer_dtype(column) in ("integer", "floating", "mixed-integer-float")
    if not is_number and not is_text(column) and not isinstance(converted := converted_objects(column), str):
        return ReadDates(converted, None)
    cells = column
    if is_number and "%" in time_format and context.written is not None:
        cells = context.written().reset_index(drop=True).astype(str)
    codes, distinct = pd.factorize(cells.str.strip() if is_text(cells) else cells)
    if time_format == INTEGER:
        numbers = pd.to_numeric(pd.Series(distinct), errors="coerce")
        refuse_unreadable(context.of(column, codes), numbers.notna().to_numpy(), INTEGER)
        return _integers(numbers.iloc[codes].reset_index(drop=True).rename(column.name), context.where)
    dates = in_format(pd.Series(distinct), time_format, context.evidence(codes))
    refuse_unreadable(context.of(column, codes), dates.notna(), time_format)
    dates = dates.take(codes).rename(column.name)
    guess = f"dates: {quoted(plain(column.iloc[0]))} read as {format_date(dates[0])}, as given"
    return ReadDates(dates, guess, time_format)
