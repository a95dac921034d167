"""Wide tables with dates in the header: a series in each row, read as a long table.

Letters: N rows, D dates in the header, A attributes.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.columns.header import LEAST_DATES, Header, dated_header, refuse_mixed
from gatewise.series.reading.columns.ids import holds_names
from gatewise.series.reading.columns.other_columns import totals
from gatewise.series.reading.columns.row_names import NAME, named_rows
from gatewise.series.reading.columns.sums import sums_of_rows_above
from gatewise.series.reading.dates.parsing import TIME_NAMES, looks_like_dates, plausible_dates
from gatewise.series.reading.numbers.parsing import to_numbers
from gatewise.series.reading.table import Columns, Table
from gatewise.series.wording import counted, format_date, listed

LEAST_SUMS = 4  # dates at which a row is the sum of others, and not by chance
NAMES = {"id": NAME, "time": "ds", "target": "y"}  # of the columns of the long table


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
    least = 1 if few else LEAST_DATES
    words = layout is not None or _may_have_words(table, names, least)
    header = dated_header(targets or names, least, table.cells, words)
    if layout is None and not {"ds", "y"}.isdisjoint(names):
        return None
    if header is None:
        if words:
            refuse_mixed(targets or names, table.name, table.cells)
        return None
    table.refuse_ambiguous(header.columns)
    attributes = [name for name in names if name not in header.columns]
    if layout is None:
        _refuse_two_times(table, attributes, header)
    left_out = [] if targets else totals(table, header, [name for name in attributes if name not in {*ids, *static}])
    attributes = [name for name in attributes if name not in left_out]
    table, name, parts, name_guesses = named_rows(table, attributes, ids, layout)
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
        *header.guesses,
        f"left out: {listed(left_out)}, sums or means of dates in the header" if left_out else None,
        f"series {'column' if len(parts) == 1 else 'columns'}: {listed(parts)}" if parts else None,
        *name_guesses,
        f"columns not used: {listed(unused)}" if unused else None,
    ]
    columns = Columns(
        (used["time"],), (used["target"],), name, tuple(guess for guess in guesses if guess), tuple(parts), wide=True
    )
    long = pd.DataFrame(frame).infer_objects()
    warnings = (*table.warnings, *_total_rows(wide, name, header))
    return replace(table, frame=long, columns=columns, origins=origins, written=None, warnings=warnings), columns


def _may_have_words(table: Table, names: Sequence[str], least: int) -> bool:
    """Whether dates in the header may have words around them: beside columns that name the rows and hold no dates."""
    words = [name for name in names if not any(map(str.isdecimal, name))]
    if len(names) - len(words) < least or not any(holds_names(table.frame[name]) for name in words):
        return False
    columns = [(name, table.frame[name]) for name in words]
    return not any(
        name.lower() in TIME_NAMES or looks_like_dates(cells) or plausible_dates(cells) for name, cells in columns
    )


def _total_rows(wide: pd.DataFrame, name: str, header: Header) -> tuple[str, ...]:
    """A warning about rows that are the sums of rows above them, which may be no series of their own."""
    values = np.column_stack([to_numbers(wide[column]) for column in header.columns])
    rows = sums_of_rows_above(values) if values.shape[1] >= LEAST_SUMS else []
    if not rows:
        return ()
    names, are = listed(wide[name].iloc[rows]), "is the sum" if len(rows) == 1 else "are the sums"
    return (f"totals: {names} {are} of rows above, but read as series; remove such rows if they are only totals",)


def _refuse_two_times(table: Table, attributes: Sequence[str], header: Header) -> None:
    dates = [column for column in attributes if looks_like_dates(table.frame[column])]
    if dates:
        raise DataError(
            f"{table.name}: the header holds dates, {listed(header.columns[:2])}, ..., and so does column "
            f'{dates[0]!r}; pass layout="rows" (--layout rows) if each row is a series with dates in the header, '
            f'or layout="columns" (--layout columns) if each column is a series with the dates of {dates[0]!r}'
        )
