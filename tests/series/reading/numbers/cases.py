"""Tables with one column of numbers, for the tests of number formats."""

import numpy as np
import pandas as pd
import polars as pl

from gatewise.series import read

SOURCES = ("comma", "semicolon", "tab", "pandas", "polars")
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


def source_of(cells, kind, csv, **columns):
    """A table with the cells as column y, beside daily dates, as a file or table of this kind."""
    days = pd.date_range("2024-01-20", periods=len(cells))
    frame = pd.DataFrame({"ds": days.strftime("%Y-%m-%d"), "y": pd.Series(cells, dtype=object), **columns})
    if kind in DELIMITERS:
        return csv(frame.to_csv(index=False, sep=DELIMITERS[kind]).encode())
    return frame if kind == "pandas" else pl.DataFrame(frame.to_dict("list"), strict=False)


def read_cells(cells, kind, csv, columns=None, **options):
    """The panel of such a table; missing values stay missing."""
    source = source_of(cells, kind, csv, **(columns or {}))
    return read(source, **{"target_column": "y", "fill": "none", **options})


def values(panel):
    """(T,) the values as they are in the table."""
    return panel.series[0].recorded


def same(result, expected):
    """Whether two lists of numbers are equal bit for bit, with missing values at the same places."""
    return bool(np.array_equal(np.asarray(result, float), np.asarray(expected, float), equal_nan=True))
