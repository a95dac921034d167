"""Index: the index of a pandas table as columns; an index that only counts or labels the rows is dropped."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.columns.header import dated_header
from gatewise.series.reading.dates.choice import Evidence, missing_share
from gatewise.series.reading.dates.digits import number_readings
from gatewise.series.reading.dates.joined_time import part_named
from gatewise.series.reading.dates.parsing import TIME_NAMES, looks_like_dates, plausible_dates

NAME = "ds"  # of an index of dates without a name
DATE_NUMBERS = ("year", "%Y%m", "%Y%m%d")  # other small numbers may be a part of a longer count
LARGEST_COUNT = 10**8  # rows of a table
MOST_MISSING = 1.5  # dates of the calendar for each date of such an index, so that it is no part of a longer count


class Indexed(NamedTuple):
    """A table with its index as columns, and the guess that states an index without a name."""

    frame: pd.DataFrame
    guesses: tuple[str, ...] = ()


def with_index(frame: pd.DataFrame, may_be_time: bool = True) -> Indexed:
    """The table with its index as columns.

    Arguments:
        frame: the table.
        may_be_time: whether the time may be in an index without a name.

    Raises:
        DataError: an index and a column have one name; a range of rows that may as well be years.
    """
    index = frame.index
    if isinstance(frame.columns, pd.MultiIndex):
        raise DataError(
            f"the table has columns of {frame.columns.nlevels} levels, such as {frame.columns[0]!r}; give each "
            "column one name, for example table.columns = table.columns.map('_'.join)"
        )
    if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex) and index.name is None:
        frame, index = frame.rename_axis(NAME), index.rename(NAME)
        _refuse_duplicates(frame, [NAME])
        return Indexed(frame.reset_index())
    if index.names == [None]:
        is_time = may_be_time and len(frame) > 0 and _is_time(frame)
        return _named(frame) if is_time else Indexed(frame.reset_index(drop=True))
    duplicates = [name for name in index.names if name in frame.columns]
    if duplicates and len(duplicates) < index.nlevels:
        _refuse_duplicates(frame, duplicates)
    return Indexed(frame.reset_index(drop=bool(duplicates)))


def _is_time(frame: pd.DataFrame) -> bool:
    """Whether an index without a name holds the dates of the rows, and no column does."""
    index = frame.index
    if pd.api.types.is_numeric_dtype(index):
        may_count = any(str(column).lower() in TIME_NAMES for column in frame.columns)
        return not may_count and _are_dates(index) and not _hold_dates(frame)
    cells = pd.Series(index)
    is_categorical = isinstance(cells.dtype, pd.CategoricalDtype)
    return looks_like_dates(cells.astype(object) if is_categorical else cells) and not _hold_dates(frame)


def _are_dates(index: pd.Index) -> bool:
    """Whether numbers are dates by their digits, nearly all of a calendar, as the rows kept of a long table are not."""
    values = pd.unique(index.to_numpy(np.float64, na_value=np.nan))
    if len(values) < 2 or not np.isfinite(values).all() or not plausible_dates(pd.Series(values)):
        return False
    readings = number_readings(values, None, Evidence(np.arange(len(values))), named_year=False).readings
    is_no_count = values.min() > LARGEST_COUNT
    readings = [reading for reading in readings if is_no_count or reading.time_format in DATE_NUMBERS]
    shares = [missing_share(reading.dates) for reading in readings]
    return any(share is not None and share <= MOST_MISSING for share in shares)


def _hold_dates(frame: pd.DataFrame) -> bool:
    """Whether a column holds dates: as text or objects, as distinct numbers, or with others as their parts."""
    columns = {str(name): frame[name] for name in frame.columns if list(frame.columns).count(name) == 1}
    if NAME in columns or {"year", "month"} <= {part_named(name) for name in columns}:
        return True
    if dated_header(list(columns)) is not None:  # each row is a series
        return True
    return any(
        looks_like_dates(column) or (column.is_unique and plausible_dates(column)) for column in columns.values()
    )


def _named(frame: pd.DataFrame) -> Indexed:
    index = frame.index
    if isinstance(index, pd.RangeIndex):
        raise DataError(
            f"the table has the row numbers {index[0]} to {index[-1]}, which can be dates or a part of a longer table; "
            "pass table.rename_axis('year') if they are the time, "
            "or table.reset_index(drop=True) if they count the rows"
        )
    guess = f"time: the index of the table, which has no name, as column {NAME!r}"
    return Indexed(frame.rename_axis(NAME).reset_index(), (guess,))


def _refuse_duplicates(frame: pd.DataFrame, names: list[Any]) -> None:
    for name in names:
        if name in frame.columns:
            raise DataError(
                f"the table has both an index and a column {name!r}; drop one of them with "
                f"table.drop(columns={name!r}) or table.reset_index(drop=True)"
            )
