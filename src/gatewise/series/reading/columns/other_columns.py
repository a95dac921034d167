"""Other columns: what stands between the dates of a header, such as totals of years, and dates in another form.

Letters: N rows, D dates in the header.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.frequency import grid, infer_frequency
from gatewise.series.reading.columns.header import Header, names_period
from gatewise.series.reading.columns.sums import agrees
from gatewise.series.reading.numbers.parsing import holds_numbers, to_numbers
from gatewise.series.reading.table import Table
from gatewise.series.wording import format_date, listed


class _Place(NamedTuple):
    """The place of a column among the others.

    Attributes:
        before, after: the columns of dates before and after it, in the order of the table.
        near: those between it and the next other columns, before and after it.
    """

    before: list[str]
    after: list[str]
    near: tuple[list[str], list[str]]


def totals(table: Table, header: Header, others: Sequence[str]) -> list[str]:
    """The columns of numbers that are sums or means of dates in the header.

    Arguments:
        table: a wide table.
        header: its dates.
        others: columns without a use.

    Raises:
        DataError: a column of numbers stands in the place of a date, or names another period than the dates.
    """
    others = [column for column in others if holds_numbers(table.frame[column])]
    places = _places(list(table.frame.columns), header, others)
    found = [column for column in others if places[column].before or names_period(column)]
    values = {name: to_numbers(table.frame[name]) for name in header.columns} if found else {}
    dates = pd.Series(header.ds, index=list(header.columns))
    sums = []
    for column in found:
        _refuse_misread_date(table, column, places[column], dates)
        if _is_total(to_numbers(table.frame[column]), values, _parts(places[column], dates, names_period(column))):
            sums.append(column)
        elif names_period(column):
            raise DataError(
                f"{table.name}: column {column!r} is no date like {listed(header.columns[:2])}, ... in the header, nor "
                "the sum or the mean of such columns; remove it, or write it as a date of the same form"
            )
    return sums


def _places(columns: list[str], header: Header, others: Sequence[str]) -> dict[str, _Place]:
    dates = set(header.columns)
    row = [column for column in columns if column in dates or column in others]
    places = {}
    for i, column in enumerate(row):
        if column in dates:
            continue
        before, after = row[:i], row[i + 1 :]
        left = next((k for k, name in enumerate(reversed(before)) if name not in dates), len(before))
        right = next((k for k, name in enumerate(after) if name not in dates), len(after))
        near = before[len(before) - left :], after[:right]
        places[column] = _Place(
            [name for name in before if name in dates], [name for name in after if name in dates], near
        )
    return places


def _parts(place: _Place, dates: pd.Series, is_period: bool) -> Iterator[list[str]]:
    """The dates that a column may be the total of; if it names a period, those of any year, quarter or month."""
    yield from (*place.near, place.before, place.after, [*place.before, *place.after])
    years = dates.dt.year
    for end in (*place.before[-1:], *place.after[:1]):
        yield years.index[years == years[end]].tolist()
    for period in (years, 4 * years + dates.dt.quarter, 12 * years + dates.dt.month) if is_period else ():
        yield from (part.index.tolist() for _, part in dates.groupby(period))


def _is_total(total: np.ndarray, values: dict[str, np.ndarray], parts: Iterator[list[str]]) -> bool:
    return any(len(part) > 1 and agrees(total, np.stack([values[name] for name in part])) for part in parts)


def _refuse_misread_date(table: Table, column: str, place: _Place, dates: pd.Series) -> None:
    """Refuse a column that stands between two dates in the place of a missing one."""
    freq = infer_frequency(pd.DatetimeIndex(dates).sort_values())
    if freq is None or not place.before or not place.after:
        return
    ends = pd.DatetimeIndex([dates[place.before[-1]], dates[place.after[0]]]).sort_values()
    between = grid(ends, freq)[1:-1]
    if len(between):
        raise DataError(
            f"{table.name}: column {column!r} stands in the place of {format_date(between[0])} in the header, but is "
            f"no date like {place.before[-1]!r} and {place.after[0]!r}; correct its name, or remove the column"
        )
