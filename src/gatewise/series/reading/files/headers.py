"""Headers: one or several lines of column names, the units below them, and the lines above them."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from gatewise.series.errors import DataError
from gatewise.series.reading.dates.parsing import TIME_NAMES
from gatewise.series.reading.files.shapes import ColumnShapes, kind
from gatewise.series.wording import listed

Candidate = tuple[int, list[Any]]  # a line by its position, and its cells
_UNIT = re.compile(r"[\[(].*[\])]|%|[ymdhsYMDHS]+([-/.: T]+[ymdhsYMDHSn]+)+")


class Header(NamedTuple):
    """The column names, and the lines that hold them."""

    names: list[Any]
    records: tuple[int, ...]


def choose_header(candidates: list[Candidate], index_name: Candidate | None, shapes: ColumnShapes) -> Header | None:
    """The header among lines above the first row, each of which may hold the names; None if they do not decide.

    Arguments:
        candidates: one or more lines in their order, none of which fits the columns.
        index_name: a line below them that names only the first column, as pandas writes it.
        shapes: of the columns.
    """
    if index_name is not None:
        return _joined(candidates, index_name)
    while len(candidates) > 1 and _holds_units(candidates[-1][1], shapes):
        candidates = candidates[:-1]
    if len(candidates) == 1:
        return Header(candidates[0][1], (candidates[0][0],))
    time = [candidate for candidate in candidates if _names_time(candidate[1], shapes)]
    last = candidates[-1]
    if all(_text(cells[0]).endswith(":") for _, cells in candidates[:-1]):  # a preamble of keys and values
        return Header(last[1], (last[0],))
    if _has_levels(candidates):
        return _joined(candidates, None)
    if len(time) == 1:
        return Header(time[0][1], (time[0][0],))
    full = [candidate for candidate in candidates if _names_all(candidate[1], shapes)]
    return Header(full[0][1], (full[0][0],)) if len(full) == 1 else None


def ambiguous(name: str, noun: str, candidates: Sequence[tuple[int, str]]) -> DataError:
    """The error for several lines, with their numbers and texts, that may hold the names."""
    listed = ", ".join(f"{noun} {line} ({text!r:.80})" for line, text in candidates[:4])
    options = " or ".join(f"header_row={line} (--header-row {line})" for line, _ in candidates[:4])
    return DataError(f"{name}: each of {listed} may hold the column names; pass {options}")


def headless(name: str, line: int, cells: Sequence[Any]) -> DataError:
    """The error for a row where the column names are expected."""
    where = "the first line" if line == 1 else f"line {line}"
    return DataError(
        f"{name}: {where}, {listed([str(cell) for cell in cells])}, holds no column names; add a header line above it, "
        "or pass header_row=0 (--header-row 0) for the names column1, column2, ..."
    )


def _text(cell: Any) -> str:
    return "" if kind(cell) == "blank" else str(cell).strip()


def _names_time(cells: Sequence[Any], shapes: ColumnShapes) -> bool:
    """Whether a line calls the column of dates a date."""
    return shapes.time is not None and shapes.time < len(cells) and _text(cells[shapes.time]).lower() in TIME_NAMES


def _names_all(cells: Sequence[Any], shapes: ColumnShapes) -> bool:
    """Whether a line has a name of its own for every column but that of dates, where others have a key."""
    width = max(shapes.kinds.keys() | shapes.names.keys()) + 1
    names = [_text(cell) for j, cell in enumerate(cells[:width]) if j != shapes.time]
    is_blank = shapes.time is not None and shapes.time < len(cells) and not _text(cells[shapes.time])
    return is_blank and shapes.dated and len(names) == width - 1 and all(names) and len(set(names)) == len(names)


def _holds_units(cells: Sequence[Any], shapes: ColumnShapes) -> bool:
    """Whether a line holds units: the column of dates has none or a pattern of dates, or all cells are units."""
    filled = [_text(cell) for cell in cells if _text(cell)]
    if all(_UNIT.fullmatch(text) for text in filled):
        return True
    time = _text(cells[shapes.time]) if shapes.time is not None and shapes.time < len(cells) else "time"
    return bool(_UNIT.fullmatch(time))


def _has_levels(candidates: Sequence[Candidate]) -> bool:
    """Whether every line but the last groups the names below it: its cells are repeated, or blank after the first."""
    groups = [[_text(cell) for cell in cells[1:]] for _, cells in candidates[:-1]]
    return all(any(group) and len({text for text in group if text}) < len(group) for group in groups)


def _joined(levels: Sequence[Candidate], index_name: Candidate | None) -> Header:
    """The names of several levels joined, without levels that are the same for all columns."""
    width = max(len(cells) for _, cells in levels)
    texts = [[_text(cell) for cell in cells] + [""] * (width - len(cells)) for _, cells in levels]
    last = texts[-1]
    for level in texts[: len(texts) - (index_name is None)]:
        for j in range(2, width):  # merged cells hold their text once
            level[j] = level[j] or level[j - 1]
    varying = [level for level in texts if len(set(level[1:])) > 1] or texts[:1]
    names = [" ".join(filter(None, (level[j] for level in varying))) for j in range(width)]
    names[0] = last[0] if index_name is None else _text(index_name[1][0])
    records = tuple(record for record, _ in levels)
    return Header(names, records if index_name is None else (*records, index_name[0]))
