"""Duplicates: how to read several rows of one series and date, as the shape of the table suggests.

Letters: N rows of a series.
"""

from gatewise.series.errors import DataError
from gatewise.series.reading.columns.ids import find_ids, id_remedy, option, remedies
from gatewise.series.reading.columns.merged_series import explaining
from gatewise.series.reading.columns.split_dates import completing, ranks_of
from gatewise.series.reading.columns.subtotals import subtotal_remedy
from gatewise.series.reading.dates.daylight_saving import repeated_hour
from gatewise.series.reading.dates.parsing import looks_like_dates
from gatewise.series.reading.rows import Rows
from gatewise.series.reading.table import Columns, Table

LEAST_SHARE = 1 / 4  # of the rows of a series that repeat a date, if another column tells them apart
AGGREGATE = 'make one value of them with aggregate="sum", "mean" or "last" (--aggregate sum)'


def duplicates_remedy(rows: Rows) -> str:
    """How to read the rows of a series that repeat a date."""
    hour = repeated_hour(rows.ds)
    if hour is not None:
        return hour
    columns = rows.table.columns
    repeats = rows.ds.duplicated(keep=False)
    subtotals = None if columns is None else subtotal_remedy(rows.table, columns.time, rows.positions, repeats)
    if subtotals is not None:
        return subtotals
    repeated = int(rows.ds.duplicated().sum())
    copies = int(rows.table.frame.iloc[rows.positions[repeats]].astype(str).duplicated().sum())
    if copies == repeated:
        count = "1 row is an exact copy" if copies == 1 else f"{copies} rows are exact copies"
        return (
            f'{count} of another row; read it once with aggregate="last" (--aggregate last), or, if every row counts, '
            'make one value of them with aggregate="sum" (--aggregate sum)'
        )
    is_rule = repeated >= LEAST_SHARE * len(rows.ds)  # a few duplicates are errors, not another series
    ways = [*_time_remedy(rows, columns), *_id_remedies(rows, columns)] if columns is not None and is_rule else []
    ways = ways or naming(rows)
    if ways:
        return f"pass {' or '.join(ways)}; else remove the duplicates, or {AGGREGATE}"
    return f"remove or average the duplicates, or {AGGREGATE}{_name_remedy(columns)}"


def _id_remedies(rows: Rows, columns: Columns) -> list[str]:
    """Columns that tell the series apart, beside the id columns in use."""
    if columns.is_one:
        return []
    of_series = rows.table.frame.iloc[rows.positions]
    found = find_ids(of_series, _other_columns(rows, columns), ranks_of(rows.ds))
    return remedies([one._replace(columns=(*columns.ids, *one.columns)) for one in found])


def naming(rows: Rows, in_order: bool = False) -> list[str]:
    """What to pass for columns with which the dates of a series are those of several series; see `explaining`."""
    columns = rows.table.columns
    if columns is None or columns.is_one:
        return []
    of_series = rows.table.frame.iloc[rows.positions]
    found = explaining(of_series, _other_columns(rows, columns), rows.ds, in_order)
    return [id_remedy((*columns.ids, *names)) for names in found[:4]]


def _time_remedy(rows: Rows, columns: Columns) -> list[str]:
    """A column that completes the dates, if they are in one column."""
    if len(columns.time) != 1:
        return []
    of_series = Table(rows.table.frame.iloc[rows.positions].reset_index(drop=True))
    try:
        split = completing(of_series, columns.time[0], (), _other_columns(rows, columns))
    except DataError:  # the column may also name the series, which the other remedy says
        return []
    if split is None:
        return []
    time = (columns.time[0], split.column, *split.further)
    return [f"time_column={list(time)!r} ({option('--time', time)}), as {split.column!r} completes the dates"]


def _other_columns(rows: Rows, columns: Columns) -> list[str]:
    used = {*columns.time, *columns.targets, *columns.ids, columns.id}
    others = [column for column in rows.table.frame.columns if column not in used]
    return [column for column in others if not looks_like_dates(rows.table.frame[column])]


def _name_remedy(columns: Columns | None) -> str:
    """A reminder of the id column, if there is none."""
    if columns is not None and (columns.id is not None or columns.is_one):
        return ""
    return "; if the table holds several series, pass the column of series names as id_column= (--id)"
