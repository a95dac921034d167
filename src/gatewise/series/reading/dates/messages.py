"""Date messages: the one right reading of a column as dates, or the error that names the rows or the readings.

Letters: N rows, C distinct cells.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.arguments import plain
from gatewise.series.errors import DataError, RowError
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.dates.choice import Evidence, Reading, missing_share, possible
from gatewise.series.wording import format_date, quoted

Where = Callable[[int], str]  # names a row in a message: "row 12 (line 13 of sales.csv)"


class Cells(NamedTuple):
    """A time column (N,), the distinct cell of each row, and what its messages need."""

    column: pd.Series
    codes: np.ndarray
    where: Where
    written: CellFormat

    def example(self, cell: int) -> str:
        """A distinct cell as it stands in the column, quoted."""
        return quoted(plain(self.column.iloc[int((self.codes == cell).argmax())]))


def decided(cells: Cells, readings: Sequence[Reading], evidence: Evidence) -> Reading:
    """The right reading; the one with the fewest unreadable cells if no reading is complete.

    Raises:
        DataError: the data leave several readings possible.
    """
    dayfirst = cells.written.dayfirst
    if dayfirst is not None:
        ordered = any(reading.dayfirst == dayfirst for reading in readings)
        readings = [
            reading
            for reading in readings
            if reading.dayfirst in (None, dayfirst) and not (ordered and reading.time_format.startswith("%y"))
        ]
    complete = possible([reading for reading in readings if reading.is_complete], evidence)
    if len(complete) > 1 and evidence.expected is None:
        raise DataError(_ambiguous(cells, complete))
    return complete[0] if complete else max(readings, key=lambda reading: int(reading.dates.notna().sum()))


def _ambiguous(cells: Cells, readings: list[Reading]) -> str:
    local = [reading.dates.tz_localize(None) for reading in readings]
    differ = int((local[0] != local[1]).argmax())
    dates = [format_date(reading.dates[differ]) for reading in readings]
    such = f"dates such as {cells.example(differ)} in time column {cells.column.name!r} can be read"
    if {reading.dayfirst for reading in readings} == {True, False} and len(readings) == 2:
        first, second = (dates[[reading.dayfirst for reading in readings].index(order)] for order in (True, False))
        return (
            f"{such} day first or month first, as {first} or {second}; pass dayfirst=True (--dayfirst) or "
            "dayfirst=False (--no-dayfirst)"
        )
    formats = [f"{date} ({reading.time_format!r})" for date, reading in zip(dates, readings, strict=True)]
    return f"{such} as {' or '.join(formats)}; pass the right format as time_format= (--time-format)"


def dates_or_integers(cells: Cells, readings: Sequence[Reading], evidence: Evidence) -> DataError:
    """The error for integers in a row that can be dates, too, in one or several formats."""
    readings = possible(readings, evidence)
    if len(readings) > 1:
        formats = ", ".join(
            f"time_format={name!r} (--time-format {name}) for dates from {format_date(dates[0])} to "
            f"{format_date(dates[-1])}"
            for dates, name, *_ in readings
        )
        return DataError(
            f"time column {cells.column.name!r} holds integers such as {cells.example(0)}, which can be dates or "
            f"counted steps; pass {formats}, or time_format='integer' (--time-format integer) for steps"
        )
    name, date = readings[0].time_format, format_date(readings[0].dates[0])
    return DataError(
        f"time column {cells.column.name!r} holds integers such as {cells.example(0)}, which can be dates ({date}) or "
        f"counted steps; pass time_format={name!r} (--time-format {name}) for dates, or time_format='integer' "
        "(--time-format integer) for steps"
    )


def days_without_year(cells: Cells) -> DataError:
    """The error for days such as 31 January that have no year."""
    return DataError(
        f"dates such as {cells.example(0)} in time column {cells.column.name!r} are days without a year; write the "
        "year, too, as in 1949-01-31"
    )


def months_or_days(cells: Cells, reading: Reading) -> DataError:
    """The error for cells such as Jan-01 that can be days without a year."""
    name, date = reading.time_format, format_date(reading.dates[0])
    if missing_share(reading.dates) is None:
        return days_without_year(cells)
    names = [name] if "b" not in name else [re.sub("[- ]", sign, name) for sign in ("-", " ", "", "/", ".")]
    fitting = next((form for form in names if _has_format(cells.column, form)), None)
    if fitting is None:
        months = f"write months as {date[:7]}"
    else:
        months = f"pass time_format={fitting!r} (--time-format {quoted_format(fitting)}) for months"
    return DataError(
        f"dates such as {cells.example(0)} in time column {cells.column.name!r} can be months of years ({date}) or "
        f"days without a year; {months}, or write the year of the days, too"
    )


def _has_format(column: pd.Series, time_format: str) -> bool:
    """Whether all cells of text have a format of strptime."""
    return bool(pd.to_datetime(pd.Series(column.unique()), format=time_format, errors="coerce").notna().all())


def quoted_format(time_format: str) -> str:
    """A format as an argument of a shell."""
    return f"'{time_format}'" if " " in time_format else time_format


def refuse_unreadable(cells: Cells, readable: np.ndarray, time_format: str | None = None) -> None:
    """Refuse rows whose distinct cells (C,) are not `readable`.

    Raises:
        RowError: for these rows.
    """
    unreadable = np.flatnonzero(~readable[cells.codes])
    if not len(unreadable):
        return
    example = f", unlike {cells.example(int(readable.argmax()))}" if readable.any() else ""
    remedy = "write dates as 1949-01-31 (or 1949-01, or 1949-01-31 13:00)"
    fault = "cannot be read as a date"
    if time_format is not None:
        fault, remedy = f"does not have time_format={time_format!r}", "correct the cell or the format (--time-format)"
    elif cells.written.dayfirst is not None:
        order, option, other = ("day", "--dayfirst", "--no-dayfirst")
        if not cells.written.dayfirst:
            order, option, other = "month", other, option
        fault = f"cannot be read as a date, {order} first ({option})"
        remedy = f"correct the cell, or pass dayfirst={not cells.written.dayfirst} ({other})"

    def describe(rows: np.ndarray) -> str:
        cell = quoted(plain(cells.column.iloc[rows[0]]))
        return f"{cells.where(rows[0])}: {cell} in time column {cells.column.name!r} {fault}{example}"

    raise RowError(unreadable, describe, remedy)
