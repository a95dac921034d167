"""Structure: the header, the rows of a table, and the lines around them, in a text file or a sheet.

Only lines that cannot be rows are left out, and every one is stated.

Letters: R records (lines of a text file, rows of a sheet).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from gatewise.series.errors import DataError
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.columns.header import dated_header
from gatewise.series.reading.dates.parsing import TIME_NAMES
from gatewise.series.reading.files.headers import Candidate, Header, ambiguous, choose_header, headless
from gatewise.series.reading.files.shapes import ColumnShapes, has_cells, is_note, kind

SAMPLED_CELLS = 20_000  # at each end of the table
SAMPLED_COLUMNS = 64
SAMPLED_ROWS = 100  # for the shapes of the columns


@dataclass(frozen=True)
class Grid:
    """The records of a file.

    Attributes:
        name: of the file, for messages.
        cells: the cells of a record.
        fields: (R,) the number of cells of each record.
        blank: (R,) whether each record is empty.
        comment: (R,) whether each record starts with the mark of a comment.
        keys: (R,) numbers that are equal for equal records.
        lines: (R,) the number of each record in the file.
        width: usual number of cells.
        noun: "line" or "row".
    """

    name: str
    cells: Callable[[int], list[Any]]
    fields: np.ndarray
    blank: np.ndarray
    comment: np.ndarray
    keys: np.ndarray
    lines: np.ndarray
    width: int
    noun: str = "line"

    @property
    def end(self) -> int:
        """The number of the last record that is not empty."""
        return int(self.lines[~self.blank][-1])

    def example(self, record: int) -> str:
        """The start of a record as text."""
        texts = [str(cell) for cell in self.cells(record) if kind(cell) != "blank"]
        text = ",".join(texts).strip()
        return repr(text if len(text) <= 40 else f"{text[:40]}…")


class Skipped(NamedTuple):
    """Records that are left out, and why."""

    records: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Structure:
    """The parts of a grid.

    Attributes:
        names: the column names; "" for a column without a name.
        header: the records that hold them.
        data: (R,) whether each record is a row.
        skipped: the records that are left out and stated.
        shapes: of the columns.
        last: the last record that fits the columns.
    """

    names: list[str]
    header: tuple[int, ...]
    data: np.ndarray
    skipped: tuple[Skipped, ...]
    shapes: ColumnShapes
    last: int


def find_structure(grid: Grid, cells: CellFormat) -> Structure:
    """The parts of a grid.

    Raises:
        DataError: naming lines that may be header or rows, and the option that decides.
    """
    return _Search(grid, cells).structure()


@dataclass(frozen=True)
class _Search:
    grid: Grid
    format: CellFormat

    @cached_property
    def present(self) -> np.ndarray:
        """The records with text, without the footer that the caller names."""
        present = np.flatnonzero(~self.grid.blank)
        count = self.format.skip_footer or 0
        if count:
            present = present[self.grid.lines[present] <= self.grid.lines[present[-1]] - count]
        if not len(present):
            raise DataError(
                f"{self.grid.name}: skip_footer={count} (--skip-footer) leaves no line; pass a smaller number"
            )
        return present

    @cached_property
    def sample(self) -> list[int]:
        """Records at both ends."""
        count = max(20, min(200, SAMPLED_CELLS // self.grid.width))
        several = (self.grid.fields[self.present] > 1) | (self.grid.width == 1)
        table = self.present[several & ~self.grid.comment[self.present]]  # below a long preamble, too
        ends = [part for records in (self.present, table) for part in (records[:count], records[-count:])]
        return [int(record) for record in np.unique(np.concatenate(ends))]

    @cached_property
    def sampled_cells(self) -> dict[int, list[Any]]:
        return {record: self.grid.cells(record) for record in self.sample}

    def cells(self, record: int) -> list[Any]:
        known = self.sampled_cells.get(record)
        return self.grid.cells(record) if known is None else known

    @cached_property
    def shapes(self) -> ColumnShapes:
        step = len(self.sample) // SAMPLED_ROWS + 1
        rows = [self.cells(record) for record in self.sample[::step] if not self.is_excess(record)]
        return ColumnShapes.of(rows, min(self.grid.width, SAMPLED_COLUMNS), self.format.missing)

    def is_excess(self, record: int) -> bool:
        return any(kind(cell) != "blank" for cell in self.cells(record)[self.grid.width :])

    def verdict(self, record: int) -> str:
        verdict = self.shapes.verdict(self.cells(record))
        return "perhaps" if verdict == "row" and self.is_excess(record) else verdict

    def is_comment(self, record: int) -> bool:
        return bool(self.grid.comment[record]) and self.verdict(record) != "row"

    def is_outside(self, record: int) -> bool:
        """Whether a record at the edge of the table cannot be a row."""
        verdict, cells, time = self.verdict(record), self.cells(record), self.shapes.time
        if verdict == "none" or (verdict == "empty" and self.shapes.dated):
            return True
        note = next((cell for cell in cells if kind(cell) != "blank"), None)
        return is_note(note) and (time is None or time >= len(cells) or not self.shapes.fits(time, cells[time]))

    def structure(self) -> Structure:
        start = self.given_header()
        sample = [record for record in self.sample if record > start]
        end = int(self.present[-1])
        first = next((record for record in sample if self.verdict(record) == "row"), end + 1)
        last = next((record for record in reversed(sample) if self.verdict(record) == "row"), end)
        header = self.header(start, first)
        first = max(first, max(header.records, default=-1) + 1)
        names = [_name(cell) for cell in header.names]
        data = np.zeros(len(self.grid.blank), bool)
        data[max(header.records, default=-1) + 1 : end + 1] = True
        skipped = self.skipped(header, first, last)
        for part in skipped:
            data[list(part.records)] = False
        blank = np.flatnonzero(self.grid.blank & data)
        data[blank] = False
        inner = blank[blank < np.flatnonzero(data)[-1]] if data.any() else blank[:0]
        if self.has_times():
            skipped.append(Skipped(tuple(inner[inner > first].tolist()), "blank"))
        else:  # a missing value
            data[inner] = True
        return Structure(names, header.records, data, tuple(skipped), self.shapes, last)

    def skipped(self, header: Header, first: int, last: int) -> list[Skipped]:
        """All records with text that are no rows, each once."""
        end = int(self.present[-1])
        after = [record for record in self.records(last, end + 1) if self.is_outside(record) or self.is_comment(record)]
        parts = [
            ("before the header" if header.records else "before the first row", self.before(header, first)),
            ("below the header", self.below(header, first)),
            ("the header again", self.repeated(header, first)),
            ("after the last row", after),
            ("a comment", self.comments(first)),
            ("as given", self.given_footer()),
        ]
        seen: set[int] = set()
        skipped = []
        for reason, records in parts if first <= end else parts[:1]:
            skipped.append(Skipped(tuple(record for record in records if record not in seen), reason))
            seen.update(records)
        return skipped

    def given_header(self) -> int:
        """The record of the header that the caller names; -1 if it is to be found, or if there is none."""
        line = self.format.header_row
        if not line:
            return -1
        record = int(np.searchsorted(self.grid.lines, line))
        if record >= len(self.grid.lines) or self.grid.lines[record] != line or self.grid.blank[record]:
            raise DataError(
                f"{self.grid.name}: {self.grid.noun} {line} is empty; header_row= (--header-row) is the "
                f"{self.grid.noun} of the column names, counted from 1"
            )
        return record

    def given_footer(self) -> list[int]:
        end = int(self.present[-1]) + 1
        return [int(record) for record in np.flatnonzero(~self.grid.blank[end:]) + end]

    def header(self, given: int, first: int) -> Header:
        if given >= 0:
            return Header(self.cells(given), (given,))
        if self.format.header_row == 0:
            count = max(self.grid.width, 1)
            return Header([f"column{j + 1}" for j in range(count)], ())
        head = [record for record in self.sample if record < first]
        comments = [record for record in head if self.is_comment(record)]
        head = [record for record in head if record not in comments]
        candidates = self.candidates(head)
        if not candidates:
            return self.unusual_header(head, comments, first)
        if self.is_below_preamble(candidates, first):
            return Header(self.cells(first), (first,))
        last = head[-1]
        cells = self.cells(last)
        names_index = last > candidates[-1][0] and kind(cells[0]) == "text" and not has_cells(cells, 2)
        padded = len(cells) == self.grid.width > 1 or str(cells[0]).lower() in TIME_NAMES
        index_name = (last, cells) if names_index and padded and 0 in self.shapes.kinds else None
        gaps = np.flatnonzero(self.grid.blank[candidates[0][0] : candidates[-1][0]]) + candidates[0][0]
        if len(gaps):  # a blank line divides the header from the lines above it
            candidates = [candidate for candidate in candidates if candidate[0] > gaps[-1]]
        header = choose_header(candidates, index_name, self.shapes)
        if header is None:
            lines = [(int(self.grid.lines[record]), self.grid.example(record)[1:-1]) for record, _ in candidates]
            raise ambiguous(self.grid.name, self.grid.noun, lines)
        return header

    def candidates(self, head: list[int]) -> list[Candidate]:
        """The records above the first row that may hold the names: several cells, none of which fits its column."""
        least = min(2, self.grid.width)
        return [
            (record, self.cells(record))
            for record in head
            if self.verdict(record) in ("none", "empty")
            and any(re.search(r"[^\W_]", str(cell)) for cell in self.cells(record) if cell is not None)
            and has_cells(self.cells(record), least)
            and not self.is_excess(record)
        ]

    def is_below_preamble(self, candidates: list[Candidate], first: int) -> bool:
        """Whether the first row that fits is a header of years, set apart from shorter lines above."""
        if self.shapes.dated or first >= len(self.grid.blank) or not self.grid.blank[candidates[-1][0] : first].any():
            return False
        numbers = [str(cell) for cell in self.cells(first) if kind(cell) == "number"]
        years = all(text.isdecimal() for text in numbers) and len(numbers) > 1
        short = all(len(cells) < self.grid.width for _, cells in candidates)
        return short and years and bool((np.diff([int(text) for text in numbers]) == 1).all())

    def names_dates(self, record: int) -> bool:
        return dated_header(list(map(str, self.cells(record))), cells=self.format) is not None

    def unusual_header(self, head: list[int], comments: list[int], first: int) -> Header:
        """A header with cells that fit the columns, such as 2020; or a comment; or the first row, refused later."""
        if head:
            texts = [record for record in head if not any(kind(cell) == "number" for cell in self.cells(record))]
            record = (texts or list(filter(self.names_dates, head)) or head)[-1]
            return Header(self.cells(record), (record,))
        for record in reversed(comments):
            cells = self.cells(record)
            cells = cells[1:] if str(cells[0]) in ("#", "%", ";", "//") else cells
            if len(cells) == self.grid.width and isinstance(cells[0], str):
                return Header([cells[0].lstrip("#%/; "), *cells[1:]], (record,))
        record = first if first < len(self.grid.blank) else int(self.present[0])
        if self.shapes.dated and self.verdict(record) == "row":
            raise headless(self.grid.name, int(self.grid.lines[record]), self.cells(record))
        return Header(self.cells(record), (record,))

    def records(self, start: int, stop: int) -> list[int]:
        """The records with text after `start` and before `stop`."""
        low, high = np.searchsorted(self.present, [start, stop - 1], side="right")
        return [int(record) for record in self.present[low:high]]

    def before(self, header: Header, first: int) -> list[int]:
        stop = min(header.records, default=first)
        if header.records:
            return self.records(-1, stop)
        return [record for record in self.records(-1, stop) if self.is_outside(record) or self.is_comment(record)]

    def below(self, header: Header, first: int) -> list[int]:
        """Units and notes between the header and the first record that may be a row."""
        below = []
        for record in self.records(max(header.records), first) if header.records else ():
            if not (self.is_outside(record) or self.is_comment(record) or self.is_key(record)):
                break
            below.append(record)
        return below

    def is_key(self, record: int) -> bool:
        """Whether a record has a word where others have a date, and no number, such as the time of an export."""
        cells, time = self.cells(record), self.shapes.time
        is_word = self.shapes.dated and time is not None and time < len(cells) and kind(cells[time]) == "text"
        return is_word and not any(kind(cell) == "number" for cell in cells)

    def comments(self, first: int) -> list[int]:
        marked = np.flatnonzero(self.grid.comment)
        marked = marked[(marked > first) & (marked <= self.present[-1])]
        return [record for record in marked.tolist() if self.is_comment(record)]

    def repeated(self, header: Header, first: int) -> list[int]:
        """Records below the header that are equal to it, or to another one above the first row."""
        head = [record for record in self.sample if record < first and self.verdict(record) in ("none", "empty")]
        head = sorted({*head, *header.records})
        if not header.records or not self.shapes.kinds:
            return []
        same = np.flatnonzero(np.isin(self.grid.keys, self.grid.keys[head]) & ~self.grid.blank)
        texts = [self.cells(record) for record in head]
        same = same[(same > max(header.records)) & (same <= self.present[-1]) & ~np.isin(same, head)]
        return [record for record in same.tolist() if self.cells(record) in texts]

    def has_times(self) -> bool:
        """Whether each row has a date or a number that increases, so that an empty line is no row."""
        time = self.shapes.time
        if time is None or self.shapes.dated or self.grid.width == 1:
            return self.shapes.dated and self.grid.width > 1
        rows = [cells[time] for record, cells in self.sampled_cells.items() if self.verdict(record) == "row"]
        try:
            return bool(np.all(np.diff([float(cell) for cell in rows]) > 0))
        except (ValueError, TypeError):  # text, or dates of a spreadsheet
            return False


def _name(cell: Any) -> str:
    if cell is None:
        return ""
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat()).removesuffix("T00:00:00")
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def describe(grid: Grid, skipped: Iterable[Skipped]) -> tuple[str, ...]:
    """One sentence for all records that are left out; empty if there are none."""
    parts = [_described(grid, *part) for part in sorted(skipped) if part.records]
    return (f"skipped: {', '.join(parts)}",) if parts else ()


def _described(grid: Grid, records: tuple[int, ...], reason: str) -> str:
    lines = [int(line) for line in grid.lines[list(records)]]
    if len(lines) == 1:
        where = f"{grid.noun} {lines[0]}"
    elif lines[-1] - lines[0] == len(lines) - 1:
        where = f"{grid.noun}s {lines[0]} to {lines[-1]}"
    elif len(lines) <= 4:
        where = f"{grid.noun}s {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
    else:
        where = f"{len(lines)} {grid.noun}s, the first is {grid.noun} {lines[0]}"
    return (
        f"{where} ({reason})"
        if reason == "blank"
        else f"{where} {_PREFIX.get(reason, '')}{reason} ({grid.example(records[0])})"
    )


_PREFIX = {"a comment": "as ", "the header again": "as ", "a total": "as "}
