"""Row names: the columns that name the rows of a wide table, each of which is a series.

Letters: N rows.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, takewhile
from typing import NamedTuple

import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.columns.ids import as_written, holds_names, named_together, option, with_column
from gatewise.series.reading.numbers.parsing import holds_numbers
from gatewise.series.reading.table import Table
from gatewise.series.wording import listed

MOST_NAMES = 3  # attributes that name a series together
NAME = "unique_id"  # of the only row of a table without attributes


class NamedRows(NamedTuple):
    """The table with a column of distinct names, the name of this column, and the attributes that it joins.

    Attributes:
        table, column, parts: these.
        guesses: sentences that state how the names are read.
    """

    table: Table
    column: str
    parts: list[str]
    guesses: tuple[str, ...] = ()


def named_rows(table: Table, attributes: Sequence[str], given: Sequence[str], layout: str | None) -> NamedRows:
    """The rows with names of their own, as given or by the smallest set of attributes of text that is unique.

    Names of merged cells hold for the blank cells below them, if only that makes the names unique.

    Raises:
        DataError: the rows have no distinct names.
    """
    chosen = list(given) or smallest_names(table, attributes, layout)
    if chosen and (not given or _are_unique(table, chosen)):
        return _joined(table, attributes, chosen)
    filled, columns = _without_merged_cells(table, given or attributes)
    names = list(given) or smallest_names(filled, attributes, None)
    if columns and names and _are_unique(filled, names):
        guess = f"names: blank cells in {listed(columns)} read as the name above them"
        return _joined(filled, attributes, names)._replace(guesses=(guess,))
    if chosen or len(attributes) == 1 < len(table.frame):
        return _joined(table, attributes, chosen or list(attributes))  # raises, naming the row
    if len(table.frame) == 1:
        return NamedRows(with_column(table, NAME, pd.Series(["y"])), NAME, [])
    problem = f"no columns of text name each row differently, among {listed(attributes)}"
    remedy = "pass id_column= (--id) with the columns that name the series"
    if not attributes:
        problem, remedy = "no column names the rows", 'add one, with pandas table.rename_axis("name").reset_index()'
    elif not _are_unique(table, attributes) and not _are_unique(filled, attributes):
        remedy = "give each row its own name in one of them"
    raise DataError(f"{table.name}: the header holds dates, but {problem}; {remedy}")


def _joined(table: Table, attributes: Sequence[str], chosen: list[str]) -> NamedRows:
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
    return NamedRows(table, name, chosen)


def _are_unique(table: Table, columns: Sequence[str]) -> bool:
    """Whether these columns together have a name of its own for each row, without their blank cells."""
    cells = pd.DataFrame({column: as_written(table, column) for column in columns})
    return (
        not cells.apply(lambda row: tuple(row.dropna()), axis=1).duplicated().any()
        and not cells.isna().all(axis=1).any()
    )


def _without_merged_cells(table: Table, attributes: Sequence[str]) -> tuple[Table, list[str]]:
    """The table with the name above in blank cells of columns of text, and these columns."""
    cells = {column: as_written(table, column) for column in attributes if holds_names(table.frame[column])}
    cells = {column: part for column, part in cells.items() if part.isna().any() and pd.notna(part.iloc[0])}
    filled = {column: part.ffill() for column, part in cells.items()}
    return table.with_cells(filled), list(filled)


def smallest_names(table: Table, attributes: Sequence[str], layout: str | None) -> list[str]:
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


def words_before_values(table: Table, given: Sequence[str]) -> list[str]:
    """The columns that name and describe the rows: as given, else the first; and those of text before numbers."""
    others = [column for column in table.frame.columns if column not in given]
    words = list(takewhile(lambda column: not holds_numbers(table.frame[column]), others))
    return [*given, *words] if given else words or others[:1]
