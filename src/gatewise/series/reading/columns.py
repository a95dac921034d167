"""Columns: which columns of a table hold the time, the target and the names of series.

Every guess is stated in a sentence. An ambiguous choice is an error that lists the candidates.
"""

from collections.abc import Sequence
from typing import Any

from gatewise.series.errors import DataError
from gatewise.series.reading.dates import PARTS, TIME_NAMES, looks_like_dates
from gatewise.series.reading.numbers import holds_numbers, mostly_numbers
from gatewise.series.reading.table import Columns, Table
from gatewise.series.wording import did_you_mean, listed

WIDE_REMEDY = 'if the table is wide, pass layout="columns" (a series in each column) or layout="rows"'


def choose_columns(
    table: Table,
    id_column: str | list[str] | None,
    time_column: str | list[str] | None,
    target_column: str | list[str] | None,
    layout: str = "long",
    covariates: Sequence[str] = (),
) -> Columns:
    """The columns to use: the given ones, else those with the usual names, else the only candidates."""
    if isinstance(id_column, list | tuple):
        if len(id_column) != 1:
            raise DataError(f"id_column={id_column!r}: expected the name of one column (--id)")
        id_column = id_column[0]
    given = _as_list(target_column)
    _check_given(table, [id_column, *given, *_as_list(time_column)])
    if table.columns is not None:
        if layout != "long":
            raise DataError(
                f"layout={layout!r} is for a table of several series, but the data are one series; omit layout"
            )
        return table.columns
    if layout == "rows":
        return _row_columns(table, id_column, time_column, given)
    if layout == "columns" and id_column is not None:
        raise DataError("layout='columns' names each series after its column; omit id_column= (--id)")
    if layout == "long":
        id_column = id_column or ("unique_id" if "unique_id" in table.frame.columns else None)
    time, time_guess = _time_columns(table, time_column, {id_column, *given}, layout, covariates)
    if layout == "columns" or len(given) > 1:
        targets, target_guess = _target_columns(table, given, {*time, *covariates})
    else:
        target, target_guess = _target_column(table, given[0] if given else None, {id_column, *time}, covariates)
        targets = (target,)
    unused = [column for column in table.frame.columns if column not in {id_column, *targets, *time, *covariates}]
    guesses = [time_guess, target_guess, id_column and f"series column: {id_column!r}"]
    guesses.append(f"columns not used: {listed(unused)}" if unused else None)
    return Columns(time, targets, id_column, tuple(guess for guess in guesses if guess))


def _as_list(columns: str | list[str] | None) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns or ())


def _check_given(table: Table, names: list[str | None]) -> None:
    for column in names:
        if column is not None and column not in table.frame.columns:
            raise DataError(
                f"{table.name} has no column {column!r}; its columns are {listed(table.frame.columns)}"
                f"{did_you_mean(column, table.frame.columns)}"
            )
        if names.count(column) > 1 and column is not None:
            raise DataError(f"column {column!r} is named twice; name different columns for time, target and id")


def _row_columns(table: Table, id_column: str | None, time_column: Any, given: list[str]) -> Columns:
    """The columns of a table with a series in each row: its name, then its values."""
    if time_column is not None:
        raise DataError("layout='rows' counts the time along each row; omit time_column= (--time)")
    name = table.frame.columns[0] if id_column is None else id_column
    targets = given or [column for column in table.frame.columns if column != name]
    if not targets:
        raise DataError(
            f"{table.name} has only the column {name!r}; layout='rows' needs columns of values after the name"
        )
    reason = "the first" if id_column is None else "as given"
    guesses = (f"series column: {name!r} ({reason})", f"values of a series: {len(targets)} columns, {listed(targets)}")
    return Columns((), tuple(targets), name, guesses)


def _time_columns(
    table: Table, given: str | list[str] | None, used: set[str | None], layout: str, covariates: Sequence[str]
) -> tuple[tuple[str, ...], str]:
    columns = [column for column in table.frame.columns if column not in used]
    if given is not None:
        time = (given,) if isinstance(given, str) else tuple(given)
        return time, f"time column: {listed(time)} (as given)"
    if "ds" in columns:
        return ("ds",), "time column: 'ds'"
    columns = [column for column in columns if column not in covariates]
    lower = {column.lower(): column for column in columns}
    if {"year", "month"} <= set(lower):
        parts = tuple(lower[part] for part in PARTS if part in lower)
        return parts, f"time columns: {listed(parts)} (combined)"
    dates = [column for column in columns if looks_like_dates(table.frame[column])]
    named = [column for column in columns if column.lower() in TIME_NAMES]
    if not dates and not named and (len(columns) <= 1 or layout == "columns"):
        return (), "time column: none"
    candidates = [column for column in dates if column in named] or dates or named
    if len(candidates) == 1:
        reason = "the only column of dates" if dates == candidates else "by its name"
        return (candidates[0],), f"time column: {candidates[0]!r} ({reason})"
    ambiguous = f"the time column is ambiguous, candidates are {listed(candidates)}"
    problem = ambiguous if candidates else f"no time column found, none of {listed(columns)} reads as dates"
    remedy = "pass time_column= (--time COL)" + (f"; {WIDE_REMEDY}" if not candidates else "")
    raise DataError(f"{table.name}: {problem}; {remedy}")


def _target_column(
    table: Table, given: str | None, used: set[str | None], covariates: Sequence[str]
) -> tuple[str, str]:
    columns = [column for column in table.frame.columns if column not in used]
    if given is not None:
        return given, f"target column: {given!r} (as given)"
    if "y" in columns:
        return "y", "target column: 'y'"
    columns = [column for column in columns if column not in covariates]
    numbers = [column for column in columns if mostly_numbers(table.frame[column])]
    numbers = [column for column in numbers if column not in table.percent] or numbers  # rates beside a quantity
    candidates = columns if len(columns) == 1 else numbers
    if len(candidates) == 1:
        reason = "the only other column" if len(columns) == 1 else "the only other column of numbers"
        return candidates[0], f"target column: {candidates[0]!r} ({reason})"
    ambiguous = f"the target column is ambiguous, {len(numbers)} columns hold numbers: {listed(numbers)}"
    problem = ambiguous if numbers else "no target column found, no column except the time holds numbers"
    remedy = "pass target_column= (--target COL)" + (f"; {WIDE_REMEDY}" if len(numbers) > 1 else "")
    raise DataError(f"{table.name}: {problem}; {remedy}")


def _target_columns(table: Table, given: list[str], used: set[str]) -> tuple[tuple[str, ...], str]:
    """The columns that are one series each: the given ones, or all except the time and the covariates."""
    targets = given or [column for column in table.frame.columns if column not in used]
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
    return tuple(targets), f"target columns: {listed(targets)} ({'as given' if given else 'all other columns'})"
