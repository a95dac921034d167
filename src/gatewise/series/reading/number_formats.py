"""Number formats: columns of text that hold numbers with separators, decided by all cells of a column."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.dates import is_text

Written = Callable[[str], pd.Series]  # the cells of a column as text


class Converted(NamedTuple):
    """A table with its numbers converted, the guesses that state how, and the warnings."""

    frame: pd.DataFrame
    guesses: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def convert(frame: pd.DataFrame, cells: CellFormat, written: Written | None = None, delimiter: str = ",") -> Converted:
    """Columns of text that hold numbers as columns of numbers.

    Arguments:
        frame: the table.
        cells: how cells are written, as far as the caller says so.
        written: the cells of a column as text, if the table comes from a text file.
        delimiter: of the fields of the file.
    """
    if written is None or delimiter == ",":
        return Converted(frame)
    points = _decimal_points(frame, written, delimiter)
    frame, commas = _decimal_commas(frame)
    return Converted(frame, (*points, *commas))


def _decimal_points(frame: pd.DataFrame, written: Written, delimiter: str) -> list[str]:
    """A sentence for each column of numbers such as 1.000, which may mean a thousand in a file with semicolons."""
    columns = [column for column in frame.columns if frame[column].dtype.kind == "f"] if delimiter == ";" else []
    guesses = []
    for column in columns:
        cells = written(column).replace("", np.nan).dropna().str.strip()
        dotted = cells[cells.str.contains(".", regex=False)]
        if len(dotted) and cells.str.fullmatch(r"[+-]?(0|[1-9]\d{0,2}(\.\d{3})?)").all():
            guesses.append(
                f"decimal point in column {column!r}: {dotted.iloc[0]!r} read as {float(dotted.iloc[0])}, "
                "not as thousands; write thousands without points"
            )
    return guesses


def _decimal_commas(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The table with numbers such as 112,5 converted, and a sentence for each converted column."""
    frame, guesses = frame.copy(), []
    for column in [column for column in frame.columns if is_text(frame[column])]:
        text = frame[column].dropna().str.strip()
        with_comma = text[text.str.contains(",")]
        if len(with_comma) and text.str.fullmatch(r"[+-]?\d+(,\d+)?").all():
            frame[column] = frame[column].str.replace(",", ".").astype(np.float64)
            example = f"{with_comma.iloc[0]!r} read as {frame[column][with_comma.index[0]]}"
            guesses.append(f"decimal comma in column {column!r}: {example}")
    return frame, guesses
