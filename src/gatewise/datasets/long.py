"""Tables with a row for each time step of each sequence.

Letters: `N` sequences, `R` rows, `T` steps, `C` channels.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gatewise.datasets import columns
from gatewise.datasets.gaps import filled
from gatewise.datasets.label_columns import find_column, find_columns, has_few_values, named_label, options
from gatewise.datasets.labelled import FileError, Labelled, listed, plain_names
from gatewise.datasets.long_tables import LongColumns, constant_label, find_long, find_no_channels
from gatewise.datasets.tables import Table
from gatewise.datasets.times import time_values
from gatewise.datasets.values import label_values, matrix

ANOTHER = "name the other column that tells them apart too with id_column=[COL, COL] (--id COL,COL)"
Names = str | Sequence[str]


def read_long(
    table: Table,
    *,
    label: str | None = None,
    id_column: Names | None = None,
    time_column: str | None = None,
    keep: list[Any],
    fill: str | None = None,
) -> Labelled:
    """The sequences of a table with a row for each time step; the other columns are channels.

    Arguments:
        table: without the columns to leave out.
        label: column of the labels, constant in each sequence.
        id_column: column or columns that name the sequence of a row.
        time_column: its values sort the rows of a sequence.
        keep: columns that are channels although their values do not show it.
        fill: how missing values are filled in; see `gatewise.datasets.gaps.filled`.

    Raises:
        FileError: an unknown column, a sequence in several pieces, a time twice, labels that change within a sequence,
            or a cell that cannot be used; the message names its line.
    """
    cells = table.cells
    roles = _roles(table, label, id_column, time_column)
    codes = _sequence_of_rows(table, roles)
    names = [name for name in cells if name not in (*roles.roles, roles.label)]
    notes = []
    if label is None and roles.label is None:
        roles = LongColumns(roles.ids, roles.time, constant_label(cells[names], codes))
    if label is None and roles.label is not None:
        names = [name for name in names if name != roles.label]
        notes = [f"labels: column {str(roles.label)!r}, one in each sequence"]
    order = _order(table, roles, codes)
    _refuse_no_channels(table, [name for name in names if name not in keep], codes, roles.label)
    labels = None if roles.label is None else _labels(table, roles.label, codes, order)
    values = matrix(table, names)
    if not values.size:
        raise FileError(f"{table.path} has {len(cells)} rows and no values in them; expected a column for each channel")
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
    parts = np.split(values[order], starts[1:])

    def where(sequence: int, step: int, channel: int) -> str:
        return f"{table.row(int(order[starts[sequence] + step]))}, column {str(names[channel])!r}"

    same = len({len(part) for part in parts}) == 1
    x = filled(np.stack(parts) if same else parts, fill, where)
    return Labelled(x, labels, table.name, tuple(notes), plain_names(names) if len(names) > 1 else ())


def _roles(table: Table, label: str | None, id_column: Names | None, time_column: str | None) -> LongColumns:
    """The columns as named, or found by their values if neither sequences nor times are named."""
    label_name = named_label(table, label)
    ids = [] if id_column is None else find_columns(table, id_column, "id_column")
    time = None if time_column is None else find_column(table, time_column, "time_column")
    part = label_name in ids and len(ids) > 1  # a sequence for each activity of a person
    if label_name is not None and label_name in (*ids, time) and not (part and label is not None):
        if label is not None:
            raise FileError(
                f"{table.path}: column {label!r} is named as labels and as sequences or times; name each once"
            )
        label_name = None
    if ids or time is not None:
        return LongColumns(ids, time, label_name)
    found = find_long(table.cells, label_name)
    if found is None:
        raise FileError(
            f"{table.path}: layout is long, a row for each time step, but no column shows which rows are one sequence; "
            "name it with id_column= (--id), and the times, if there are any, with time_column= (--time)"
        )
    return found


def _sequence_of_rows(table: Table, roles: LongColumns) -> np.ndarray:
    """The sequence (R,) of each row, numbered in the order of the file."""
    cells = table.cells
    if not roles.ids:
        return _by_restarts(table, roles.time)
    for name in roles.ids:
        if cells[name].isna().any():
            row = int(cells[name].isna().argmax())
            raise FileError(
                f"{table.row(row)}, column {str(name)!r}: no value, expected the name of a sequence; add it"
            )
    codes = np.asarray(cells.groupby(roles.ids, sort=False).ngroup())
    if roles.time is None:
        _refuse_pieces(table, roles, codes)
    return codes


def _by_restarts(table: Table, time: Any) -> np.ndarray:
    """The sequence of each row, where only times show it: equal steps that begin anew at the same time."""
    values = _times(table, time)
    begins = np.r_[True, np.diff(values) <= 0]
    steps = np.diff(values)[~begins[1:]]
    if not len(steps) or not np.allclose(steps, steps[0], rtol=1e-3, atol=0) or len(np.unique(values[begins])) > 1:
        raise FileError(
            f"{table.path}: the times of column {str(time)!r} do not begin anew in equal steps, so they do not show "
            "where a sequence begins; name the column of the sequences with id_column= (--id)"
        )
    return np.cumsum(begins) - 1


def _refuse_pieces(table: Table, roles: LongColumns, codes: np.ndarray) -> None:
    """Refuse a sequence whose rows are not together, if no times sort them."""
    begins = np.flatnonzero(np.r_[True, np.diff(codes) != 0])
    again = begins[pd.Series(codes[begins]).duplicated().to_numpy()]
    if len(again):
        row = int(again[0])
        first = int(np.argmax(codes == codes[row]))
        raise FileError(
            f"{table.path}: sequence {_name(table, roles, row)} begins in {table.line(first)} and again in "
            f"{table.line(row)}; if these are two sequences, {ANOTHER}; if they are one, name the column of the times "
            "with time_column= (--time)"
        )


def _name(table: Table, roles: LongColumns, row: int) -> str:
    return listed(str(table.cells[name].iloc[row]) for name in roles.ids) or f"that begins in {table.line(row)}"


def _times(table: Table, name: Any) -> np.ndarray:
    """(R,) times that can be compared."""
    column = table.cells[name]
    values = time_values(column)
    if values is not None:
        return values
    if columns.kind(column) == "date" and not column.isna().any():
        raise FileError(
            f"{table.path}, column {str(name)!r}: dates such as {column.iloc[0]!r:.40} are written in several ways, or "
            "days and months may be swapped; write them like 2024-01-31"
        )
    valid = column.notna()
    if valid.all():
        cells = {cell: time_values(pd.Series([cell])) is not None for cell in column.unique()}
        valid = column.map(cells)
    row = int((~valid.astype(bool)).to_numpy().argmax())
    raise FileError(
        f"{table.row(row)}, column {str(name)!r}: {column.iloc[row]!r:.40}, expected a number or a date like "
        "2024-01-31; correct it"
    )


def _order(table: Table, roles: LongColumns, codes: np.ndarray) -> np.ndarray:
    """(R,) rows by sequence, those of a sequence by time."""
    if roles.time is None:
        return np.argsort(codes, kind="stable")
    times = _times(table, roles.time)
    order = np.lexsort((times, codes))
    twice = (np.diff(codes[order]) == 0) & (np.diff(times[order]) == 0)
    if twice.any():
        first, row = sorted(order[int(twice.argmax()) :][:2].tolist())
        time = table.cells[roles.time].iloc[row]
        raise FileError(
            f"{table.path}: sequence {_name(table, roles, row)} has time {time!s:.40} twice, in {table.line(first)} "
            f"and {table.line(row)}; leave one out, or, if these are two sequences, {ANOTHER}"
        )
    return order


def _refuse_no_channels(table: Table, names: list[Any], codes: np.ndarray, label: Any) -> None:
    reasons = find_no_channels(table.cells, names, codes)
    if reasons:
        described = ", ".join(f"column {str(name)!r}: {reason}" for name, reason in list(reasons.items())[:6])
        keep = [name for name in reasons if columns.kind(table.cells[name]) in ("number", "flag")]
        keeping = f", or, if one is a channel, read it with {options(keep=keep)}" if keep else ""
        few = [name for name in reasons if label is None and has_few_values(table.cells[name])]
        naming = f"; if one holds the labels, name it, such as {options(label=few[0])}" if few else ""
        raise FileError(
            f"{table.path} has columns that are no channels ({described}); leave them out with "
            f"{options(drop=list(reasons))}{keeping}{naming}"
        )


def _labels(table: Table, name: Any, codes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(N,) the label of each sequence."""
    labels = label_values(table, name)
    label_codes = pd.factorize(labels)[0]
    first = order[np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])]
    wrong = label_codes != label_codes[first][codes]
    if wrong.any():
        row = int(wrong.argmax())
        start = int(first[codes[row]])
        raise FileError(
            f"{table.path}: column {str(name)!r} is {labels[start].item()!r:.40} in {table.line(start)} and "
            f"{labels[row].item()!r:.40} in {table.line(row)}, which are of one sequence; expected one label for each "
            "sequence, so give each piece of one label a name of its own in the column of id_column= (--id)"
        )
    chosen: np.ndarray = labels[first]
    return chosen
