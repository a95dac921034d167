"""Wide tables with dates in the header: a series in each row, read as a long table.

Letters: N rows, D dates in the header, A attributes.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.columns.ids import as_written, holds_names, named_together, option
from gatewise.series.reading.dates.parsing import looks_like_dates, plausible_dates, read_time
from gatewise.series.reading.table import Columns, Table
from gatewise.series.wording import counted, format_date, listed

LEAST_DATES = 3  # in a header
MOST_NAMES = 3  # attributes that name a series together
YEAR = re.compile(r"(?:[A-Za-z]{1,2}[ _-]?)?(1[89]\d\d|2[01]\d\d)(?:\s*\[YR\1\])?")  # 1960, X1960, 1960 [YR1960]
INTEGER = re.compile(r"-?\d+")  # seconds before 1970 are negative
NAMES = {"id": "unique_id", "time": "ds", "target": "y"}  # of the columns of the long table


class Header(NamedTuple):
    """The columns of a wide table whose names are dates.

    Attributes:
        columns: (D,) their names, by date.
        ds: (D,) the dates.
        guess: how they were read.
    """

    columns: tuple[str, ...]
    ds: pd.Index
    guess: str | None


def dated_header(columns: Sequence[str], least: int = LEAST_DATES) -> Header | None:
    """The columns whose names are dates of one form; None if there are fewer than `least` of them.

    >>> header = dated_header(["Country", "Lat", "1/22/20", "1/23/20", "1/24/20"])
    >>> header.columns, str(header.ds[0].date())
    (('1/22/20', '1/23/20', '1/24/20'), '2020-01-22')
    """
    by_form: dict[str, list[str]] = {}
    for column in columns:
        if any(map(str.isdecimal, column)):
            form = "0" if INTEGER.fullmatch(column) else re.sub(r"\d+", "0", re.sub(r"[^\W\d_]+", "a", column))
            by_form.setdefault(form, []).append(column)
    forms = [(names, ds) for names in by_form.values() if (ds := _dates(names, least)) is not None]
    if len(forms) != 1:
        return None
    names, (dates, guess) = forms[0]
    order = np.argsort(dates.asi8, kind="stable")
    return Header(tuple(names[i] for i in order), dates[order], guess)


def _dates(names: list[str], least: int) -> tuple[pd.DatetimeIndex, str | None] | None:
    """Names of columns as dates; None if one is no date, or a date is repeated."""
    if len(names) < least:
        return None
    years = [YEAR.fullmatch(name.strip()) for name in names]
    if all(years):
        header = pd.Series([int(year[1]) for year in years if year], name="year")
    elif all(INTEGER.fullmatch(name) for name in names):
        header = pd.Series([int(name) for name in names], name="header")
    else:
        header = pd.Series(names, name="header")
    is_number = pd.api.types.is_integer_dtype(header) and len(names) >= LEAST_DATES
    if not (plausible_dates(header) if is_number else header.name == "year" or looks_like_dates(header)):
        return None
    ds, guess, *_ = read_time(header.to_frame(), [str(header.name)], lambda i: f"column {names[i]!r}")
    return (ds, guess) if isinstance(ds, pd.DatetimeIndex) and ds.is_unique else None


def long_table(
    table: Table,
    layout: str | None,
    ids: Sequence[str],
    targets: Sequence[str],
    static: Sequence[str],
    is_newer: bool = False,
) -> tuple[Table, Columns] | None:
    """A table with dates in its header as a long table, and its columns; None for others.

    Arguments:
        table: the table.
        layout: "rows", or None to find it by the header.
        ids: attributes that name the series; by default the smallest set of attributes of text that is unique.
        targets: columns to read; by default all whose names are dates.
        static: attributes that are covariates.
        is_newer: whether the table continues an earlier one, so that it may have few dates.

    Raises:
        DataError: the rows have no distinct names; a column of dates beside a header of dates.
    """
    names = list(table.frame.columns)
    if table.columns is not None or layout not in (None, "rows"):
        return None
    few = is_newer and not any(looks_like_dates(table.frame[name]) for name in names)
    header = dated_header(targets or names, 1 if few else LEAST_DATES)
    if header is None or (layout is None and not {"ds", "y"}.isdisjoint(names)):
        return None
    table.refuse_ambiguous(header.columns)
    attributes = [name for name in names if name not in header.columns]
    if layout is None:
        _refuse_two_times(table, attributes, header)
    table, name, parts = _named(table, attributes, ids, layout)
    wide = table.frame
    rows, count = len(wide), len(header.columns)
    values = wide[list(header.columns)].to_numpy()
    origins = np.repeat(np.arange(rows), count)
    frame = {column: wide[column].take(origins).reset_index(drop=True) for column in dict.fromkeys([name, *static])}
    used = {**NAMES, **{use: f"{column} (values)" for use, column in NAMES.items() if column in frame}, "id": name}
    frame |= {used["time"]: header.ds.take(np.tile(np.arange(count), rows)), used["target"]: values.ravel()}
    span = f"{format_date(header.ds[0])} to {format_date(header.ds[-1])}"
    unused = [column for column in attributes if column not in {*parts, *static}]
    guesses = [
        f"layout: a series in each row, with {counted(count, 'date')} in the header, {span}",
        header.guess,
        f"series {'column' if len(parts) == 1 else 'columns'}: {listed(parts)}" if parts else None,
        f"columns not used: {listed(unused)}" if unused else None,
    ]
    columns = Columns(
        (used["time"],), (used["target"],), name, tuple(guess for guess in guesses if guess), tuple(parts), wide=True
    )
    long = pd.DataFrame(frame).infer_objects()
    return replace(table, frame=long, columns=columns, origins=origins, written=None), columns


def _refuse_two_times(table: Table, attributes: Sequence[str], header: Header) -> None:
    dates = [column for column in attributes if looks_like_dates(table.frame[column])]
    if dates:
        raise DataError(
            f"{table.name}: the header holds dates, {listed(header.columns[:2])}, ..., and so does column "
            f'{dates[0]!r}; pass layout="rows" (--layout rows) if each row is a series with dates in the header, '
            f'or layout="columns" (--layout columns) if each column is a series with the dates of {dates[0]!r}'
        )


def _named(
    table: Table, attributes: Sequence[str], given: Sequence[str], layout: str | None
) -> tuple[Table, str, list[str]]:
    """The table with a column of distinct names, the name of this column, and the attributes that it joins."""
    chosen = list(given) or _smallest_names(table, attributes, layout)
    if not chosen and len(table.frame) == 1:
        return replace(table, frame=table.frame.assign(**{NAMES["id"]: "y"})), NAMES["id"], []
    if not chosen:
        problem = f"no columns of text name each row differently, among {listed(attributes)}"
        remedy = "pass id_column= (--id) with the columns that name the series"
        if not attributes:
            problem, remedy = "no column names the rows", 'add one, with pandas table.rename_axis("name").reset_index()'
        raise DataError(f"{table.name}: the header holds dates, but {problem}; {remedy}")
    if len(chosen) > 1:
        table, name = named_together(table, chosen, blanks=True)
        cells = table.frame[name]
    else:
        name, cells = chosen[0], as_written(table, chosen[0])
        table = replace(table, frame=table.frame.assign(**{name: cells}))
    wrong = cells.isna() | cells.duplicated()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        problem = "has no name" if pd.isna(cells.iloc[row]) else f"repeats the name {str(cells.iloc[row])!r}"
        others = [column for column in attributes if column not in chosen]
        more = f"; name the series by more columns, such as {option('--id', [*chosen, others[0]])}" if others else ""
        raise DataError(
            f"{table.row(row)}: the row {problem} in {listed(chosen)}, but each row is a series; "
            f"give each row its own name{more}"
        )
    return table, name, chosen


def _smallest_names(table: Table, attributes: Sequence[str], layout: str | None) -> list[str]:
    """The fewest attributes of text with which each row has its own name; else the first attribute that is unique."""
    cells = {column: as_written(table, column) for column in attributes}
    distinct = [column for column, part in cells.items() if part.notna().all() and not part.duplicated().any()]
    if layout == "rows" and attributes and attributes[0] in distinct:
        return [attributes[0]]
    text = [column for column in attributes if holds_names(table.frame[column])]
    for count in range(1, MOST_NAMES + 1):
        for chosen in combinations(text, count):
            if count == 1 and chosen[0] not in distinct:
                continue
            rows = pd.DataFrame({column: cells[column] for column in chosen})
            if not rows.duplicated().any() and not rows.isna().all(axis=1).any():
                return list(chosen)
    return distinct[:1]
