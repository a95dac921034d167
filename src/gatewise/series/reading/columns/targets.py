"""Target columns: which columns of a table hold the values to forecast."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.columns.crossed import refuse_crossed_columns
from gatewise.series.reading.columns.ids import option
from gatewise.series.reading.columns.row_names import smallest_names
from gatewise.series.reading.numbers.parsing import holds_numbers, mostly_numbers, present, to_numbers
from gatewise.series.reading.table import Table
from gatewise.series.wording import listed

MOST_LISTED = 12  # columns that a remedy lists
COUNTERS = ("", "unnamed", "index", "idx", "id", "row", "rowid", "rownum", "rownumber", "no", "nr")  # letters only


class Targets(NamedTuple):
    """The target columns, and the guesses that state them."""

    columns: tuple[str, ...]
    guesses: tuple[str, ...]


def target_column(
    table: Table, given: str | None, used: Sequence[str], covariates: Sequence[str], has_ids: bool
) -> Targets:
    """The column to forecast: as given, by its name, or the only one of numbers."""
    columns = [column for column in table.frame.columns if column not in used]
    if given is not None:
        return Targets((given,), (f"target column: {given!r} (as given)",))
    if "y" in columns:
        return Targets(("y",), ("target column: 'y'",))
    columns = [column for column in columns if column not in covariates]
    empty = [column for column in columns if present(table.frame[column]).empty]
    numbers = [column for column in columns if _may_be_values(table, column)]
    counters = [column for column in numbers if len(numbers) > 1 and counts_rows(table, column)]
    candidates = columns if len(columns) == 1 else [column for column in numbers if column not in counters]
    if len(candidates) == 1:
        reason = "the only other column" if len(columns) == 1 else "the only other column of numbers"
        counting = (f"{listed(counters)} counts the rows",) if counters else ()
        blank = (f"empty columns: {listed(empty)}",) if empty and len(columns) > 1 else ()
        return Targets((candidates[0],), (f"target column: {candidates[0]!r} ({reason})", *counting, *blank))
    refuse_crossed_columns(table.name, numbers, used)
    ambiguous = f"the target column is ambiguous, {len(numbers)} columns hold numbers: {listed(numbers)}"
    problem = ambiguous if numbers else "no target column found, no column except the time holds numbers"
    problem += f"; all cells are blank in {listed(empty)}" if empty else ""
    remedy = "pass target_column= (--target COL)"
    if len(numbers) > 1:
        some = candidates if 1 < len(candidates) <= MOST_LISTED else ["COL", "COL", "..."]
        several = f"list them in target_column= ({option('--target', some)})"
        is_wide = len(columns) == len(numbers) and not has_ids
        wide = 'if the table is wide, pass layout="columns" (--layout columns)' if is_wide else several
        remedy += f"; {wide} for a series in each column"
    raise DataError(f"{table.name}: {problem}; {remedy}")


def _may_be_values(table: Table, column: str) -> bool:
    cells = present(table.frame[column])
    return len(cells) > 0 and mostly_numbers(cells) and pd.api.types.infer_dtype(cells) != "boolean"


def wide_remedy(table: Table, columns: Sequence[str]) -> str:
    """How to read a table without dates that is wide; empty if it is not."""
    textual = [column for column in columns if not holds_numbers(table.frame[column])]
    if textual and (textual != list(table.frame.columns[: len(textual)]) or len(columns) < len(textual) + 2):
        return ""
    if len(textual) > 1 and not smallest_names(table, textual, "rows"):
        return ""
    layouts = ['layout="rows" (--layout rows) if each row is a series']
    layouts += [] if textual else ['layout="columns" (--layout columns) if each column is a series']
    return f"if the table is wide, pass {' or '.join(reversed(layouts))}"


def counts_rows(table: Table, column: str) -> bool:
    """Whether a column only counts the rows: from 0 or 1, without a name or with one such as index.

    >>> counts_rows(Table(pd.DataFrame({"Unnamed: 0": [0, 1, 2], "y": [5, 3, 4]})), "Unnamed: 0")
    True
    """
    if re.sub(r"[\W\d_]", "", column.lower()) not in COUNTERS:
        return False
    numbers = to_numbers(table.frame[column])
    return bool(numbers[0] in (0, 1) and (np.diff(numbers) == 1).all())


def target_columns(table: Table, given: Sequence[str], used: Sequence[str]) -> Targets:
    """The columns that are one series each: the given ones, or all except the time and the covariates."""
    others = [column for column in table.frame.columns if column not in used]
    counters = [column for column in others if column.startswith("Unnamed: ") and counts_rows(table, column)]
    targets = list(given) or [column for column in others if column not in counters]
    textual = [column for column in targets if not holds_numbers(table.frame[column])]
    if textual or not targets:
        problem, remedy = (
            "no column is left besides the time and the covariates",
            "add a column of values for each series",
        )
        if textual:
            problem = f"there are no numbers in {listed(textual)}"
            remedy = "remove them from" if given else "list only columns of numbers in"
            remedy += " target_column= (--target), or convert them to numbers"
        raise DataError(f"{table.name}: every column must be a series, but {problem}; {remedy}")
    return Targets(
        tuple(targets), (f"target columns: {listed(targets)} ({'as given' if given else 'all other columns'})",)
    )
