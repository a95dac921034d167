"""Output: tables of either library as pandas tables and CSV files."""

from pathlib import Path
from typing import Any

import pandas as pd

from gatewise.persistence import atomic
from gatewise.series.reading.files.sources import as_table


def as_pandas(table: Any) -> pd.DataFrame:
    """A pandas or polars table as a pandas table."""
    return as_table(table).frame


def write_csv(frame: Any, path: str | Path) -> None:
    """Write a pandas or polars table to a CSV file, atomically; a date without a time of day stays a date.

    Raises:
        OSError: if the file cannot be written; an existing file then remains unchanged.
    """
    atomic.write(path, as_pandas(frame).to_csv(index=False).encode())
