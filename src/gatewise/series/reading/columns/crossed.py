"""Crossed tables: one series in a grid, such as years in rows and their months in columns, or the other way round."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.columns.ids import option
from gatewise.series.reading.dates.month_names import month_number
from gatewise.series.reading.dates.part_texts import COUNTS, part_text
from gatewise.series.wording import listed

_CLOCK = re.compile(r"(\d{1,2})(?::(\d\d))?(?::00)?")
SHORTEST = 0.9  # of the hours of a day


class Parts(NamedTuple):
    """Labels that are the parts of a longer period.

    Attributes:
        part: "month", "quarter", "half" (of a year) or "hour".
        labels: those that are; others may be totals.
    """

    part: str
    labels: tuple[str, ...]


def parts_in(labels: Sequence[str]) -> Parts | None:
    """All months or quarters of a year, or all hours of a day, among labels of columns or rows; None for others.

    >>> parts_in(["Q1", "Q2", "Q3", "Q4"]).part, parts_in(["north", "south"])
    ('quarter', None)
    """
    months = [label for label in labels if not np.isnan(month_number(label))]
    if len({month_number(label) for label in months}) == len(months) == COUNTS["month"]:
        return Parts("month", tuple(months))
    clock = [_CLOCK.fullmatch(label.strip()) for label in labels]
    minutes = [int(match[1]) * 60 + int(match[2] or 0) for match in clock if match]
    if len(minutes) == len(labels) and len(minutes) > 1:
        return Parts(part, tuple(labels)) if (part := _part_of_counts(minutes)) else None
    text = part_text(pd.Series(labels, dtype=object))
    if text is None or len(np.unique(text.numbers)) < len(labels):
        return None
    part = "hour" if text.part == "minute" else text.part
    fewest = COUNTS.get(part, np.inf) * (SHORTEST if part == "hour" else 1)
    return Parts(part, tuple(labels)) if len(labels) >= fewest and part != "week" else None


def _part_of_counts(minutes: Sequence[int]) -> str | None:
    """What 1 to 12, 0 to 23, or 00:00 to 23:45 in equal steps count, given in minutes."""
    steps = np.diff(minutes)
    if (steps != steps[0]).any() or steps[0] <= 0:
        return None
    if steps[0] == 60 and (minutes[0], len(minutes)) == (60, COUNTS["month"]):
        return "month"
    whole_day = minutes[0] in (0, steps[0]) and len(minutes) * steps[0] == 24 * 60
    return "hour" if whole_day and len(minutes) >= COUNTS["hour"] else None


def refuse_crossed_columns(name: str, columns: Sequence[str], others: Sequence[str]) -> None:
    """Refuse columns that are parts of the dates of their rows; they may be one series, or a series each.

    Arguments:
        name: of the table.
        columns: of numbers.
        others: the columns of the dates and of the names of series.
    """
    parts = parts_in(columns) if others else None
    if parts is None:
        return
    kept = f"{list(parts.labels)}, " if len(parts.labels) < len(columns) else ""
    keys = others[0] if len(others) == 1 else list(others)
    time = f"{_time(others[0], parts.part)} and " if len(others) == 1 else ""
    raise DataError(
        f"{name}: the columns {listed(parts.labels)} are the {parts.part}s of the dates in {listed(others)}; for one "
        f"series of all {parts.part}s, make a row for each value (pandas: table.melt({keys!r}, {kept}"
        f"var_name={parts.part!r}, value_name='value')) and pass {time}sort=True (--sort); for a series in "
        'each column, pass layout="columns" (--layout columns)'
    )


def refuse_crossed_rows(name: str, column: str, cells: pd.Series, ds: pd.Index) -> None:
    """Refuse rows that are parts of the dates in the header; they may be one series, or a series each.

    Arguments:
        name: of the table.
        column: names the rows.
        cells: its values.
        ds: the dates in the header.
    """
    parts = parts_in([str(cell) for cell in cells])
    if parts is None or not isinstance(ds, pd.DatetimeIndex):
        return
    longer = "date" if parts.part == "hour" else "year"
    if not (ds == ds.normalize()).all() or (longer == "year" and (ds.day_of_year != 1).any()):
        return
    raise DataError(
        f"{name}: the rows {listed(parts.labels)} are the {parts.part}s of the {longer}s in the header; for one series "
        f"of all {parts.part}s, make a row for each value (pandas: table.melt({column!r}, var_name={longer!r}, "
        f"value_name='value')) and pass {_time(longer, column)}; for a series in each row, pass layout=\"rows\" "
        "(--layout rows)"
    )


def _time(longer: str, part: str) -> str:
    return f"time_column={[longer, part]} ({option('--time', [longer, part])})"
