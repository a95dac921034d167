"""Tables of sequences: a row for each sequence, or a row for each time step.

Letters: `N` sequences, `T` steps, `C` channels.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gatewise.datasets.gaps import cut, filled, lengths_without_end
from gatewise.datasets.label_columns import find_columns, label_by_values, named_label
from gatewise.datasets.labelled import FileError, Labelled, plain_names
from gatewise.datasets.long import read_long
from gatewise.datasets.long_tables import find_long, refuse_long, refuse_one_recording, refuse_smooth
from gatewise.datasets.no_steps import find_no_steps, refuse_no_steps
from gatewise.datasets.numbered import channels, in_order, stem, strangers
from gatewise.datasets.runs import refuse_label_runs
from gatewise.datasets.tables import Table, read_table
from gatewise.datasets.values import label_values, matrix

LAYOUTS = ("rows", "long")


def read_rows(
    path: str | os.PathLike[str],
    *,
    label: str | None = None,
    layout: str | None = None,
    id_column: str | Sequence[str] | None = None,
    time_column: str | None = None,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    fill: str | None = None,
) -> Labelled:
    """Read sequences from a table with a row for each sequence, or for each time step of each sequence.

    With a row for each sequence, it has a column of labels, and a column for each step; empty cells at the end of a row
    mean a shorter sequence. A `.tsv` or `.txt` without a header has the labels, read as text, in the first column, as
    in the UCR archive. Reference: Dau, Bagnall, Kamgar, Yeh, Zhu, Gharghabi, Ratanamahatana and Keogh, The UCR time
    series archive, 2018, arXiv 1810.07758.

    Tables that would be misread are refused: a `.csv` without a header, columns that are no steps (sample numbers,
    ages, file names, dates), which are found by their values, and without `layout` a table that seems to have a row for
    each time step. The message has the arguments that read the table.

    Arguments:
        path: of a `.csv` (separated by commas; or by semicolons, tabs or bars, which also allow decimal commas),
            `.parquet`, `.tsv` or `.txt`.
        label: the column of labels; by default a column with a usual name such as label, class, target, y or activity,
            or the only column of text or of whole numbers with a few distinct values (`Labelled.notes` names it).
        layout: "rows", a row for each sequence; "long", a row for each time step. By default rows, and a table whose
            values show time steps is refused.
        id_column: for "long", the column or columns that name the sequence of a row; sequences may have any lengths.
        time_column: for "long", the times, which sort the rows of a sequence; by default the rows are in order. The
            other columns are channels.
        drop: columns to leave out.
        keep: columns that are steps or channels although their values do not show it.
        fill: None refuses missing values inside of a sequence, "interpolate" and "zero" fill them in, "none" keeps NaN.

    Returns:
        x (N, T, C) float64, or a list of (T, C) if lengths differ, with one channel for a row per sequence; y (N,), or
        None without labels.

    Raises:
        FileError: not a table, no or several columns of labels, or a cell that is not a number; the message names its
            line.
        ValueError: an unknown layout or fill, or arguments of another layout.
        OSError: the file cannot be read.
        ImportError: `.parquet` without pyarrow.
    """
    if layout not in (None, *LAYOUTS):
        raise ValueError(f"layout is {layout!r}, expected one of {', '.join(LAYOUTS)}")
    if layout == "rows" and (id_column or time_column):
        raise ValueError("id_column= and time_column= (--id, --time) are for layout='long' (--layout long); omit them")
    table = read_table(Path(path))
    if table.header and table.delimiter is not None:
        _refuse_no_header(table)
    table = replace(table, cells=table.cells.drop(columns=find_columns(table, drop, "drop")))
    kept = find_columns(table, keep, "keep")
    if layout == "long" or id_column or time_column:
        return read_long(table, label=label, id_column=id_column, time_column=time_column, keep=kept, fill=fill)
    return _one_row_each(table, label, layout, kept, fill)


def _one_row_each(table: Table, label: str | None, layout: str | None, keep: list[Any], fill: str | None) -> Labelled:
    """The sequences of a table with a row for each."""
    name = named_label(table, label)
    cells, notes = table.cells, []
    if not len(cells) or len(cells.columns) == (name is not None):
        raise FileError(f"{table.path} has {len(cells)} rows and no values in them; expected a row for each sequence")
    if table.header:
        reasons = find_no_steps(cells, name)
        found = find_long(cells.drop(columns=keep), name)
        if found is not None:
            if layout is None:
                refuse_long(table, found, [column for column in reasons if column not in keep])
            reasons = dict.fromkeys(found.roles, "it is of a table with a row for each time step") | reasons
        reasons = {column: reason for column, reason in reasons.items() if column not in keep}
        if name is None:
            name = label_by_values(table, reasons)
            if name is not None:
                notes.append(f"labels: column {str(name)!r}, found by its values; label= (--label) names another")
                reasons = {column: reason for column, reason in reasons.items() if column != name}
        if layout is None:
            refuse_one_recording(table, reasons, name)
        steps = [column for column in cells if column != name]
        if layout is None:
            refuse_label_runs(table, reasons, name)
        strange = {column: reason for column, reason in strangers(steps).items() if column not in keep}
        refuse_no_steps(table, strange | reasons, name)
        if layout is None:
            refuse_smooth(table, steps, name)
    labels = None if name is None else label_values(table, name)
    steps = [column for column in cells if column != name]
    several = channels(steps) if table.header and layout is None else []
    return _sequences(table, several or [_ordered(steps, notes) if table.header else steps], labels, fill, notes)


def _sequences(
    table: Table, names: list[list[Any]], labels: np.ndarray | None, fill: str | None, notes: list[str]
) -> Labelled:
    """The sequences of the steps of each channel."""
    values = np.stack([matrix(table, steps) for steps in names], 2)
    if len(names) > 1:
        pairs = " and ".join(f"{steps[0]} to {steps[-1]}" for steps in names[:4])
        notes = [
            *notes,
            f"channels: columns {pairs}{', ...' if len(names) > 4 else ''} read as {len(names)} channels of "
            f"{len(names[0])} steps; layout='rows' (--layout rows) reads {len(names) * len(names[0])} steps",
        ]
    lengths = lengths_without_end(values)
    if not lengths.all():
        raise FileError(f"{table.row(int(lengths.argmin()))} has no values; leave it out")
    x = values if (lengths == values.shape[1]).all() else cut(values, lengths.tolist())

    def where(sequence: int, step: int, channel: int) -> str:
        return f"{table.row(sequence)}, column {str(names[channel][step])!r}"

    columns = names[0] if len(names) == 1 else [stem(steps[0]) for steps in names]
    shown = plain_names(columns) if table.header else ()
    return Labelled(filled(x, fill, where), labels, table.name, tuple(notes), shown)


def _ordered(steps: list[Any], notes: list[str]) -> list[Any]:
    """Steps in the order of their numbers, with a note if they are in another."""
    ordered = in_order(steps)
    if ordered != steps:
        notes.append(
            f"steps: columns {steps[0]}, {steps[1]}, {steps[2]}, ... are read in the order of their numbers, "
            f"{ordered[0]} to {ordered[-1]}"
        )
    return ordered


def _refuse_no_header(table: Table) -> None:
    """Refuse a text without a header: most column names are numbers and not in order."""
    numbers = pd.to_numeric(pd.Series(table.cells.columns, dtype=object), errors="coerce")
    differences = numbers.dropna().diff().iloc[1:]
    if numbers.notna().mean() > 0.5 and not ((differences > 0).all() or (differences < 0).all()):
        raise FileError(f"{table.path} begins with numbers, expected column names; add a first line with names")
