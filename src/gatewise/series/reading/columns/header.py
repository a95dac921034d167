"""Header: the columns of a wide table whose names are dates, and what the other names beside them are.

Letters: D dates in the header.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.frequency import grid, infer_frequency
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.columns.header_names import INTEGER, YEAR, form, kinds, marked, plain
from gatewise.series.reading.dates.parsing import looks_like_dates, plausible_dates, read_time
from gatewise.series.reading.table import Table
from gatewise.series.wording import format_date, listed

LEAST_DATES = 3  # in a header


class Header(NamedTuple):
    """The columns of a wide table whose names are dates.

    Attributes:
        columns: (D,) their names, by date.
        ds: (D,) the dates.
        guesses: how they were read.
    """

    columns: tuple[str, ...]
    ds: pd.Index
    guesses: tuple[str, ...]


class _Dates(NamedTuple):
    """Names of one form as dates; `is_plain` without words around them."""

    names: list[str]
    ds: pd.DatetimeIndex
    guess: str | None
    is_plain: bool


def dated_header(
    columns: Sequence[str], least: int = LEAST_DATES, cells: CellFormat | None = None, words: bool = True
) -> Header | None:
    """The columns whose names are dates of one form; None if there are fewer than `least` of them.

    Arguments:
        columns: names of columns.
        least: number of dates.
        cells: how dates are written, as given.
        words: whether dates may have words around them, such as Sales 2020-01.

    >>> header = dated_header(["Country", "Lat", "1/22/20", "1/23/20", "1/24/20"])
    >>> header.columns, str(header.ds[0].date())
    (('1/22/20', '1/23/20', '1/24/20'), '2020-01-22')
    """
    cells = CellFormat() if cells is None else cells
    main = _main(_by_form(columns, least, cells, words))
    if main is None:
        return None
    main, guesses = _with_marked(main, columns, cells)
    order = np.argsort(main.ds.asi8, kind="stable")
    guesses = (*((main.guess,) if main.guess else ()), *guesses)
    return Header(tuple(main.names[i] for i in order), main.ds[order], guesses)


def names_period(name: str) -> bool:
    """Whether a name alone is a date or a period, such as 2020 or Q1-20."""
    is_text = not INTEGER.fullmatch(name) and any(map(str.isdecimal, name))
    return bool(YEAR.fullmatch(name.strip())) or (is_text and looks_like_dates(pd.Series([name])))


def _by_form(columns: Sequence[str], least: int, cells: CellFormat, words: bool) -> list[_Dates]:
    """The groups of names of one form that are dates."""
    by_form: dict[str, list[str]] = {}
    for column in columns:
        if any(map(str.isdecimal, column)):
            by_form.setdefault(form(column), []).append(column)
    found = (_read(names, least, cells, words) for names in by_form.values())
    return [dates for dates in found if dates is not None]


def _main(found: Sequence[_Dates]) -> _Dates | None:
    """The only group; or the largest, if the others are coarser periods; or the only one without words around dates."""
    if len(found) > 1:
        first, *others = sorted(found, key=lambda dates: -len(dates.names))
        if all(_step(other.ds) > 1.5 * _step(first.ds) for other in others):
            return first
        found = [dates for dates in found if dates.is_plain]
    return found[0] if len(found) == 1 else None


def _step(ds: pd.DatetimeIndex) -> float:
    """The usual step between dates; 0 for a single date."""
    return float(np.median(np.diff(np.sort(ds.as_unit("s").asi8)))) if len(ds) > 1 else 0.0


def _read(names: list[str], least: int, cells: CellFormat, words: bool) -> _Dates | None:
    """Names of one form as dates, first as they are, then without words around them."""
    dates = _dates(names, least, cells)
    if dates is not None or not words or len(names) < least:
        return dates
    bare = plain(names)
    dates = None if bare is None else _dates(bare.texts, least, cells, bare.words)
    if dates is None:
        return None
    return _Dates(names, dates.ds, f"dates: {names[0]!r} read as {format_date(dates.ds[0])}", is_plain=False)


def _dates(names: list[str], least: int, cells: CellFormat, words: str = "") -> _Dates | None:
    """Names as dates; None if one is no date, or a date is repeated."""
    if len(names) < least:
        return None
    years = [YEAR.fullmatch(name.strip()) for name in names]
    name = words or "header"
    if all(years):
        header = pd.Series([int(year[1]) for year in years if year], name="year")
    elif all(INTEGER.fullmatch(name) for name in names):
        header = pd.Series([int(name) for name in names], name=name)
    else:
        header = pd.Series(names, name=name)
    is_number = pd.api.types.is_integer_dtype(header) and len(names) >= LEAST_DATES
    is_date = plausible_dates(header) if is_number else header.name == "year" or looks_like_dates(header)
    if not is_date and cells.time_format is None:
        return None
    if cells.time_format is not None and "%" in cells.time_format:  # has the digits as they are written
        header = pd.Series(names, name=header.name)
    table = Table(header.to_frame(), cells=cells)
    try:
        ds, guess, *_ = read_time(table.frame, [str(header.name)], lambda i: f"column {names[i]!r}", table)
    except DataError:
        if is_date:
            raise
        return None
    return _Dates(names, ds, guess, is_plain=True) if isinstance(ds, pd.DatetimeIndex) and ds.is_unique else None


# ---------------------------------------------------------------------------------------------------------- marks


def _with_marked(main: _Dates, columns: Iterable[str], cells: CellFormat) -> tuple[_Dates, tuple[str, ...]]:
    """The dates with those that have a mark behind them, such as 2022-12 (p), if all of them are regular."""
    forms = set(map(form, main.names))
    found = {name: date for name in columns if name not in main.names and (date := marked(name))}
    found = {name: date for name, date in found.items() if form(date) in forms}
    if not found:
        return main, ()
    both = _read([*main.names, *found.values()], 1, cells, words=not main.is_plain)
    if both is None or not _is_as_regular(both.ds, main.ds):
        return main, ()
    names = [*main.names, *found]
    guess = f"dates: {listed(found)} read as {listed(list(found.values()))}, without the mark"
    return _Dates(names, both.ds, main.guess, main.is_plain), (guess,)


def _is_as_regular(both: pd.DatetimeIndex, main: pd.DatetimeIndex) -> bool:
    """Whether more dates continue a calendar or fill its gaps."""
    freq = infer_frequency(both.sort_values())
    if freq is None:
        return False
    return len(grid(both.sort_values(), freq)) - len(both) <= max(len(grid(main.sort_values(), freq)) - len(main), 0)


# -------------------------------------------------------------------------------------------------------- refusal


def refuse_mixed(columns: Sequence[str], name: str, cells: CellFormat) -> None:
    """Refuse a header that holds dates of several kinds, such as 2020-01 Actual and 2020-01 Budget.

    Raises:
        DataError: naming two of them.
    """
    found = _by_form(columns, LEAST_DATES, cells, words=True)
    if not found:
        named = [column for column in columns if any(map(str.isdecimal, column))]
        for words in kinds(named):
            read = [_read(names, LEAST_DATES, cells, words=True) for names in words.values()]
            found = [dates for dates in read if dates is not None]
            if len(found) > 1:
                break
    if len(found) < 2:
        return
    first, second = found[:2]
    shared = np.flatnonzero(second.ds.isin(first.ds))
    if len(shared):
        date = second.ds[shared[0]]
        both = first.names[int((first.ds == date).argmax())], second.names[int(shared[0])]
        raise DataError(
            f"{name}: the header holds two columns for {format_date(date)}, {both[0]!r} and {both[1]!r}; each row is a "
            "series only with one column for each date, so keep the columns of one kind and remove the others"
        )
    raise DataError(
        f"{name}: the header holds dates of several forms, such as {first.names[0]!r} and {second.names[0]!r}; write "
        "all of them in one form, or remove those of other kinds"
    )
