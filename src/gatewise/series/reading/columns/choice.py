"""Columns: which columns of a table hold the time, the target and the names of series.

Every guess is stated in a sentence. An ambiguous choice is an error that lists the candidates.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.columns.crossed import refuse_crossed_rows
from gatewise.series.reading.columns.duplicates import AGGREGATE
from gatewise.series.reading.columns.filled_down import with_names_filled_down
from gatewise.series.reading.columns.ids import (
    Ids,
    as_written,
    certain,
    find_ids,
    holds_names,
    id_remedy,
    may_name_series,
    named_together,
    remedies,
    with_names_as_written,
)
from gatewise.series.reading.columns.merged_series import go_back, interrupted
from gatewise.series.reading.columns.row_names import smallest_names, words_before_values
from gatewise.series.reading.columns.split_dates import completing, joined_dates, ranks_of, repeat
from gatewise.series.reading.columns.targets import target_column as choose_target
from gatewise.series.reading.columns.targets import target_columns as choose_targets
from gatewise.series.reading.columns.targets import wide_remedy
from gatewise.series.reading.columns.time import given_time, time_columns
from gatewise.series.reading.columns.wide import long_table
from gatewise.series.reading.dates.parsing import is_text, looks_like_dates
from gatewise.series.reading.numbers.parsing import to_numbers
from gatewise.series.reading.request import CovariateRequest
from gatewise.series.reading.table import Columns, Table
from gatewise.series.wording import counted, did_you_mean, listed


class Chosen(NamedTuple):
    """The table with a column of series names, the columns to use, and the layout."""

    table: Table
    columns: Columns
    layout: str


def choose_columns(
    table: Table,
    request: CovariateRequest,
    id_column: str | Sequence[str] | None,
    time_column: str | Sequence[str] | None,
    target_column: str | Sequence[str] | None,
    layout: str | None = None,
    aggregate: str | None = None,
) -> Chosen:
    """The columns to use: the given ones, else those with the usual names, else the only candidates.

    A table with dates in the header becomes a long one. Several id columns are joined in a new column. Without an id
    column, rows that repeat a date are explained by a column of series names, if only one can be it; with `aggregate`,
    several rows of a date are expected. An empty id column states that all rows are one series.
    """
    one_series = id_column is not None and not id_column and "" not in table.frame.columns
    ids, given = [] if one_series else _as_list(id_column), _as_list(target_column)
    _check_given(table, [*ids, *given, *_as_list(time_column)])
    by_date = request.past or request.known
    if time_column is None and not (layout is None and by_date):
        wide = long_table(table, layout, ids, given, request.static, bool(request.names))
        if wide is not None:
            if layout is None and len(wide[1].ids) == 1 and not ids:
                column, header = wide[1].ids[0], wide[0].frame[wide[1].time[0]]
                refuse_crossed_rows(table.name, column, as_written(table, column), pd.Index(header.unique()))
            request.check("rows", has_dates=True)
            return Chosen(*wide, "rows")
    layout = layout or "long"
    request.check(layout, has_dates=False)
    if table.columns is not None:
        if layout != "long":
            raise DataError(
                f"layout={layout!r} is for a table of several series, but the data are one series; omit layout"
            )
        return Chosen(table, table.columns, layout)
    if layout == "rows":
        table, columns = _row_columns(table, ids, time_column, given)
    else:
        table, columns = _dated_columns(
            table, None if one_series else ids, time_column, given, layout, request, aggregate
        )
    return Chosen(replace(table, columns=columns), columns, layout)


def _dated_columns(
    table: Table,
    given_ids: list[str] | None,
    time_column: str | Sequence[str] | None,
    given: list[str],
    layout: str,
    request: CovariateRequest,
    aggregate: str | None,
) -> tuple[Table, Columns]:
    """The columns of a table with a row for each date, of one or of every series; no `given_ids`: it is one series."""
    ids, may_be_several = given_ids or [], given_ids is not None and layout == "long"
    if layout == "columns" and ids:
        raise DataError("layout='columns' names each series after its column; omit id_column= (--id)")
    if may_be_several and not ids and "unique_id" in table.frame.columns:
        ids = ["unique_id"]
    covariates = request.columns
    table = with_names_filled_down(table, [*given, *covariates])
    if may_be_several and not ids and len(request.names) > 1:
        ids = _column_of_names(table, request.names, [*_as_list(time_column), *given, *covariates])
    others = [column for column in table.frame.columns if column not in {*ids, *given}]
    if time_column is None:
        remedy = wide_remedy(table, others)
        time, time_guess = time_columns(table, ids, [*ids, *given], layout, covariates, remedy)
    else:
        time, time_guess = given_time(time_column)
    id_guess = f"series {'column' if len(ids) == 1 else 'columns'}: {listed(ids)}" if ids else None
    if may_be_several and not ids and time and aggregate is None:
        used = [*given, *covariates]
        hour = None if time_column is None or len(time) > 1 else _completing(table, time[0], used)
        ids, id_guess = _ids_by_shape(table, time, [*used, *([hour] if hour else [])])
    used = [*ids, *time]
    if may_be_several and not ids and time and aggregate is not None:
        naming = [] if given else _naming(table, time, covariates)
        used += naming if len(table.frame.columns) > len({*time, *covariates, *naming}) else []
    if layout == "columns" or len(given) > 1:
        targets, target_guesses = choose_targets(table, given, [*time, *covariates])
    else:
        targets, target_guesses = choose_target(table, given[0] if given else None, used, covariates, bool(ids))
    unused = [column for column in table.frame.columns if column not in {*ids, *time, *targets, *covariates}]
    if may_be_several and not ids and time and aggregate is None:
        _refuse_merged(table, time, targets, unused)
    id_guess = "series column: none (as given)" if given_ids is None else id_guess
    guesses = [time_guess, *target_guesses, id_guess, f"columns not used: {listed(unused)}" if unused else None]
    table, name = _named(table, ids)
    return table, Columns(
        time, targets, name, tuple(guess for guess in guesses if guess), tuple(ids), given_ids is None
    )


def _named(table: Table, ids: Sequence[str]) -> tuple[Table, str | None]:
    """The table with one column of series names, and its name."""
    if len(ids) > 1:
        return named_together(table, ids)
    return with_names_as_written(table, ids), next(iter(ids), None)


def _completing(table: Table, time: str, used: Sequence[str]) -> str | None:
    """The column that would complete a given column of dates, which does not name series then."""
    if not repeat(table, time, ()):
        return None
    split = completing(table, time, (), [column for column in table.frame.columns if column not in {time, *used}])
    return None if split is None else split.column


def _ids_by_shape(table: Table, time: Sequence[str], used: Sequence[str]) -> tuple[list[str], str | None]:
    """The column that names the series of a table whose dates repeat, and the guess; none if no column can be it.

    Raises:
        DataError: several columns can be it, or the only one does not hold names.
    """
    ds, found = _candidates(table, time, used)
    chosen = certain(found)
    if chosen is not None:
        names = counted(as_written(table, chosen.columns[0]).nunique(), "name")
        guess = f"series column: {chosen.columns[0]!r} ({names}, each with distinct dates)"
        return list(chosen.columns), guess
    if not found or ds is None:
        return [], None
    repeated = int(pd.Series(ds).duplicated().sum())
    raise DataError(
        f"{table.name}: {counted(repeated, 'row')} of {len(ds)} repeat a date in time column {listed(time)}, but the "
        f"dates are distinct for each {_each(found[0].columns)}; if the table holds several series, pass "
        f"{' or '.join(remedies(found))}; else {AGGREGATE}"
    )


def _refuse_merged(table: Table, time: Sequence[str], targets: Sequence[str], unused: Sequence[str]) -> None:
    """Refuse distinct dates that may belong to several series, as a column that is not used shows."""
    columns = [column for column in unused if may_name_series(table.frame[column])]
    columns = [column for column in columns if not looks_like_dates(table.frame[column])]
    ds = joined_dates(table, time) if columns else None
    if ds is None or ds.has_duplicates:
        return
    back = go_back(table.frame, columns, ds)
    found = back or interrupted(table.frame, columns, ds, [to_numbers(table.frame[target]) for target in targets])
    if not found:
        return
    names = counted(len(table.frame[list(found[0])].drop_duplicates()), "name")
    shape = "the dates go back, except within each name" if back else "the values jump where it changes"
    raise DataError(
        f"{table.name}: {_each(found[0])} may name several series ({names}): no date repeats, but {shape}; pass "
        f"{' or '.join(map(id_remedy, found))} for a series of each name, or "
        'id_column=[] (--id "") if all rows are one series'
    )


def _column_of_names(table: Table, names: frozenset[Any], used: Sequence[str]) -> list[str]:
    """The column of text that holds the names of the series of an earlier panel, if there is only one."""
    columns = [column for column in table.frame.columns if column not in used and holds_names(table.frame[column])]
    naming = [column for column in columns if as_written(table, column).isin(names).mean() >= 0.5]
    return naming if len(naming) == 1 else []


def _naming(table: Table, time: Sequence[str], covariates: Sequence[str]) -> list[str]:
    """The columns that would name series, if several rows of a date become one; they are no targets."""
    return [column for ids in _candidates(table, time, covariates)[1][:1] for column in ids.columns]


def _candidates(table: Table, time: Sequence[str], used: Sequence[str]) -> tuple[pd.Index | None, list[Ids]]:
    """The dates, and the sets of columns that may name the series if they repeat."""
    if not table.frame[list(time)].duplicated().any():
        return None, []
    ds = joined_dates(table, time)
    if ds is None or not ds.has_duplicates:
        return None, []
    columns = [column for column in table.frame.columns if column not in {*time, *used, "y"}]
    columns = [column for column in columns if not looks_like_dates(table.frame[column])]
    blank = [column for column in columns if is_text(table.frame[column]) and table.frame[column].isna().any()]
    return ds, find_ids(with_names_as_written(table, blank).frame, columns, ranks_of(ds))  # NA may be a name


def _each(columns: Sequence[str]) -> str:
    return " and ".join(map(repr, columns))


def _as_list(columns: str | Sequence[str] | None) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns or ())


def _check_given(table: Table, names: list[str]) -> None:
    for column in names:
        if column not in table.frame.columns:
            raise DataError(
                f"{table.name} has no column {column!r}; its columns are {listed(table.frame.columns)}"
                f"{did_you_mean(column, table.frame.columns)}"
            )
        if names.count(column) > 1:
            raise DataError(f"column {column!r} is named twice; name different columns for time, target and id")


def _row_columns(table: Table, ids: Sequence[str], time_column: Any, given: list[str]) -> tuple[Table, Columns]:
    """The columns of a table with a series in each row: columns of text that name and describe it, then its values."""
    if time_column is not None:
        raise DataError("layout='rows' counts the time along each row; omit time_column= (--time)")
    words = words_before_values(table, ids)
    parts = list(ids) or smallest_names(table, words, "rows") or words[:1]
    others = [column for column in table.frame.columns if column not in words]
    targets = given or others
    if not targets:
        raise DataError(
            f"{table.name} has only {'the column' if len(words) == 1 else 'columns of text,'} {listed(words)}; "
            "layout='rows' needs columns of values after the name"
        )
    unused = [column for column in words if column not in {*parts, *targets}]
    reason = "as given" if ids else "the first" if parts == words[:1] else "the fewest that tell the rows apart"
    guesses = [
        f"series {'column' if len(parts) == 1 else 'columns'}: {listed(parts)} ({reason})",
        f"values of a series: {len(targets)} columns, {listed(targets)}",
        *([f"columns not used: {listed(unused)}"] if unused else []),
    ]
    table = with_names_as_written(table, parts) if parts != words[:1] else table
    table, name = named_together(table, parts, blanks=True) if len(parts) > 1 else (table, parts[0])
    return table, Columns((), tuple(targets), name, tuple(guesses), tuple(parts) if len(parts) > 1 else ())
