"""Table: a source as one pandas table, and the columns of it to use."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.backends import Backend, Kind
from gatewise.series.errors import DataError
from gatewise.series.reading.cells import CellFormat

MOST_ROWS = 20  # that a message lists


@dataclass(frozen=True)
class Columns:
    """The columns to use, and the guesses that state them."""

    time: tuple[str, ...]  # empty: the rows are time 0, 1, 2, ...
    targets: tuple[str, ...]  # several: one series each; with layout="rows": the values of a row, in order
    id: str | None
    guesses: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()  # columns that name the series together; `id` holds their joined names
    is_one: bool = False  # whether all rows are stated to be one series
    wide: bool = False  # whether the table had its dates in the header

    @property
    def target(self) -> str:
        """The column to forecast, if there is only one."""
        return self.targets[0]


@dataclass(frozen=True)
class Table:
    """A source as one pandas table."""

    frame: pd.DataFrame
    name: str = "the table"
    backend: Backend = "pandas"
    is_file: bool = False  # if so, row 1 is line 2
    date_only: tuple[str, ...] = ()  # polars columns of type Date
    categorical: Mapping[Any, Kind] = field(default_factory=dict)  # columns of categories
    columns: Columns | None = None  # the columns to use, once they are known
    freq: tuple[str, str] | None = None  # the time column from a pandas index, and its frequency
    guesses: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    origins: np.ndarray | None = None  # (N,) row of the source that each row comes from, if not the same
    lines: np.ndarray | None = None  # (rows of the source,) line of the file of each row, if row 1 is not line 2
    written: Callable[[str], pd.Series] | None = None  # the cells of a column of a text file as text
    end: int | None = None  # the last line of the file, or row of the sheet, that is not empty
    cells: CellFormat = field(default_factory=CellFormat)  # as given
    unconverted: Mapping[str, pd.Series] = field(default_factory=dict)  # columns before their numbers were converted
    ambiguous: Mapping[str, str] = field(default_factory=dict)  # columns of numbers with two readings, and these
    percent: tuple[str, ...] = ()  # columns of percentages
    decimals: Mapping[str, str] = field(default_factory=dict)  # decimal separator of columns, where cells show it

    def row(self, position: int) -> str:
        """The name of a row in a message, counted from 1, with its line in the file."""
        position = position if self.origins is None else int(self.origins[position])
        number = position + 2 if self.lines is None else int(self.lines[position])
        line = f" (line {number} of {self.name})" if self.is_file else ""
        return f"row {position + 1}{line}"

    def rows(self, positions: np.ndarray) -> str:
        """The names of several rows in a message: by their lines in a file, else counted from 1."""
        positions = positions if self.origins is None else self.origins[positions]
        numbers = positions + 2 if self.lines is None else self.lines[positions]
        noun, numbers = ("line", numbers) if self.is_file else ("row", positions + 1)
        texts = [str(int(number)) for number in numbers]
        if len(texts) == 1:
            return f"{noun} {texts[0]}"
        if len(texts) > MOST_ROWS:
            return f"{noun}s {', '.join(texts[:MOST_ROWS])} and {len(texts) - MOST_ROWS} more"
        return f"{noun}s {', '.join(texts[:-1])} and {texts[-1]}"

    def with_removal(self, positions: np.ndarray, remedy: str) -> str:
        """A remedy for cells of some rows, and how to leave out these rows: the last ones, or a few others."""
        rows = len(self.frame) if self.origins is None else 0
        count = len(positions)
        if 2 * count <= rows and int(positions.min()) == rows - count:
            if not self.is_file or self.end is None:
                return f"remove the last {'row' if count == 1 else f'{count} rows'} if no data; else {remedy}"
            last = rows - count - 1
            lines = self.end - (last + 2 if self.lines is None else int(self.lines[last]))
            option = f"skip_footer={lines} (--skip-footer {lines})"
            return f"pass {option} if the lines after the last date are no data; else {remedy}"
        few = 4 * count <= rows
        return f"{remedy}; or remove {self.rows(positions)}, if such rows hold totals or notes" if few else remedy

    def with_cells(self, columns: Mapping[str, pd.Series]) -> "Table":
        """The table with other cells in some columns, also where they are read as written."""
        written = self.written

        def as_written(column: str) -> pd.Series:
            assert written is not None  # by the condition below
            return columns[column].astype(str) if column in columns else written(column)

        return replace(
            self,
            frame=self.frame.assign(**columns),
            written=None if written is None else as_written,
            unconverted={column: columns.get(column, cells) for column, cells in self.unconverted.items()},
        )

    def refuse_ambiguous(self, columns: Iterable[str]) -> None:
        """Refuse columns whose numbers can be read in two ways."""
        for column in columns:
            if column in self.ambiguous:
                raise DataError(self.ambiguous[column])

    def known_frequency(self, time: tuple[str, ...]) -> str | None:
        """The frequency of the pandas index, if the index is the time."""
        return self.freq[1] if self.freq is not None and time == self.freq[:1] else None
