"""Earlier table: a later table is read in the same way, as far as its cells allow it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from gatewise.series.errors import DataError
from gatewise.series.read_by import ReadBy
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.dates.context import ReadDates
from gatewise.series.reading.table import Table


def with_earlier(cells: CellFormat, earlier: ReadBy) -> CellFormat:
    """How cells are written, with what an earlier table says where the caller says nothing."""
    is_open = cells.thousands is None and cells.decimal is None
    remembered = earlier if is_open else replace(earlier, decimal=None, thousands=None, decimals={})
    return replace(cells, missing=cells.missing or earlier.missing, earlier=remembered)


def read_as_before(read: Callable[[CellFormat], ReadDates], cells: CellFormat) -> ReadDates:
    """Dates in the format of an earlier table if all cells have it, else in its order of day and month, else freely."""
    earlier, own = cells.earlier, replace(cells, earlier=ReadBy())
    formats: list[dict[str, Any]] = [] if earlier.time_format is None else [{"time_format": earlier.time_format}]
    formats += [] if earlier.dayfirst is None else [{"dayfirst": earlier.dayfirst}]
    for form in formats:
        try:
            before = read(replace(own, **form))
        except DataError:
            continue
        return _compared(before, earlier)
    return _compared(read(own), earlier)


def _compared(dates: ReadDates, earlier: ReadBy) -> ReadDates:
    """Dates with a guess that compares them with the earlier table, if they are written otherwise or could be."""
    guess = dates.guess and dates.guess.removesuffix(", as given")
    if dates.time_format is not None and dates.time_format == earlier.time_format:
        is_iso = dates.time_format.startswith(("ISO8601", "%Y-"))
        guess = None if is_iso or guess is None else f"{guess}, as in the earlier table"
        return dates._replace(guess=guess, dayfirst=earlier.dayfirst)
    if guess is not None and None not in (dates.dayfirst, earlier.dayfirst):
        relation = "as" if dates.dayfirst == earlier.dayfirst else "unlike"
        guess = f"{guess}, {relation} in the earlier table"
    return dates._replace(guess=guess)


def same_layout(table: Table, layout: str | None, names: Collection[Any]) -> bool:
    """Whether a table holds the series where an earlier table of this layout held them."""
    places = table.frame.iloc[:, 0] if layout == "rows" else table.frame.columns
    return layout not in ("rows", "columns") or not {str(name) for name in names}.isdisjoint(map(str, places))


def memory_of(
    earlier: ReadBy, cells: CellFormat, table: Table, dates: ReadDates | None, columns: Mapping[str, Any]
) -> ReadBy:
    """How this table was read; what it does not show stays as in the earlier one."""
    found = dates or ReadDates(None, None)
    dayfirst = cells.dayfirst if cells.dayfirst is not None else found.dayfirst
    return ReadBy(
        {**earlier.columns, **columns} if earlier.columns.get("layout") == columns.get("layout") else dict(columns),
        found.time_format or cells.time_format or earlier.time_format,
        earlier.dayfirst if dayfirst is None else bool(dayfirst),
        cells.decimal or cells.earlier.decimal,
        cells.thousands if cells.thousands is not None else cells.earlier.thousands,
        cells.missing,
        {**cells.earlier.decimals, **table.decimals},
    )
