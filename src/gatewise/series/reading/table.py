"""Table: a source as one pandas table, and the columns of it to use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from gatewise.series.backends import Backend, Kind


@dataclass(frozen=True)
class Columns:
    """Which columns to use, and how each was found."""

    time: tuple[str, ...]  # empty: the rows are time 0, 1, 2, ...
    targets: tuple[str, ...]  # several: a series of each; with layout="rows" the values of a row, in order
    id: str | None
    guesses: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The column to forecast, where there is one."""
        return self.targets[0]


@dataclass(frozen=True)
class Table:
    """A source as one pandas table."""

    frame: pd.DataFrame
    name: str = "the table"
    backend: Backend = "pandas"
    is_file: bool = False  # then row 1 is line 2
    date_only: tuple[str, ...] = ()  # polars columns of type Date, to be answered in kind
    categorical: Mapping[Any, Kind] = field(default_factory=dict)  # columns of categories, likewise
    columns: Columns | None = None  # already known where the source is one series
    freq: tuple[str, str] | None = None  # the time column that a pandas index became, and the frequency it carried
    guesses: tuple[str, ...] = ()

    def row(self, position: int) -> str:
        """The name of a row for a person, who counts from 1 and whose file has a header."""
        line = f" (line {position + 2} of {self.name})" if self.is_file else ""
        return f"row {position + 1}{line}"

    def known_frequency(self, time: tuple[str, ...]) -> str | None:
        """The frequency that the index carried, if the index is the time."""
        return self.freq[1] if self.freq is not None and time == self.freq[:1] else None
