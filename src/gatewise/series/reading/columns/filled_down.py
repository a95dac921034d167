"""Filled down: names of groups, or years, that stand only in the first row of their group, as pivot tables write them.

Letters: N rows.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from gatewise.series.reading.columns.ids import as_written, holds_names, together
from gatewise.series.reading.dates.joined_time import as_years
from gatewise.series.reading.dates.parsing import looks_like_dates, plausible_dates
from gatewise.series.reading.table import Table

BLANK = 1 / 2  # of the cells of such a column, at least
WITHIN = 0.1  # of the cells that repeat in the column of dates may repeat within a group, by mistake


def with_names_filled_down(table: Table, used: Iterable[str] = ()) -> Table:
    """The table whose blank cells below a name or a year hold it, where the dates or months restart with each.

    Arguments:
        table: a long table.
        used: columns of values or covariates, whose blank cells are missing.
    """
    columns = [column for column in table.frame.columns if column not in {*used}]
    sparse = [column for column in columns if _is_sparse(table.frame[column])]
    if not sparse:
        return table
    others = [column for column in columns if not table.frame[column].isna().any()]
    blocks = np.zeros(len(table.frame), np.int64)
    filled: dict[str, pd.Series] = {}
    labels = {column: _labels(table, column) for column in sparse}
    given = np.column_stack([cells.notna() for cells in labels.values()])
    for i, (column, cells) in enumerate(labels.items()):
        starts = given[:, i]
        innermost = together([blocks, given[:, i:].any(axis=1).cumsum()])
        if _are_labels(table, cells[starts], blocks[starts], others) and _restart(table, cells, innermost, others):
            filled[column], blocks = _typed(cells.ffill()), together([blocks, starts.cumsum()])
    guesses = [f"blank cells in column {column!r}: read as the cell above them" for column in filled]
    return replace(table.with_cells(filled), guesses=(*table.guesses, *guesses)) if filled else table


def _is_sparse(column: pd.Series) -> bool:
    """Whether a column has its first cell, and at least one more, but is mostly blank."""
    given = column.notna()
    return bool(len(given) > 2 and given.iloc[0] and 2 <= given.sum() <= (1 - BLANK) * len(given))


def _labels(table: Table, column: str) -> pd.Series:
    """The cells of a column: names as written, where NA may be one; numbers as they are."""
    cells = table.frame[column]
    return as_written(table, column) if holds_names(cells.dropna()) else cells


def _are_labels(table: Table, given: pd.Series, groups: np.ndarray, others: list[str]) -> bool:
    """Whether cells are distinct names within each group, or rising years where no column holds dates."""
    if pd.Index(together([groups, pd.factorize(given)[0]])).has_duplicates:
        return False
    if holds_names(given):
        return not looks_like_dates(given)
    years = as_years(given)
    return years is not None and years.is_monotonic_increasing and not any(_are_days(table, other) for other in others)


def _restart(table: Table, cells: pd.Series, blocks: np.ndarray, others: list[str]) -> bool:
    """Whether dates, or months beside years, occur in several blocks and hardly twice in one, perhaps for each name."""
    codes = {other: np.asarray(pd.factorize(table.frame[other])[0]) for other in others}
    if not holds_names(cells.dropna()):
        return any(_repeats_across(code, blocks) for code in codes.values())
    times = [other for other in others if _are_times(table.frame[other])]
    names = [codes[other] for other in others if other not in times and holds_names(table.frame[other])]
    return any(
        _repeats_across(codes[time], blocks) or _repeats_across(together([codes[time], *names]), blocks)
        for time in times
    )


def _repeats_across(codes: np.ndarray, blocks: np.ndarray) -> bool:
    repeats = pd.Series(codes).duplicated().to_numpy()
    within = pd.DataFrame({"block": blocks, "cell": codes}).duplicated().to_numpy()
    shared = np.bincount(blocks[repeats & ~within], minlength=blocks.max() + 1)
    return bool(repeats.any() and (shared[1:] > 0).all() and within.sum() <= WITHIN * repeats.sum())


def _are_times(column: pd.Series) -> bool:
    return looks_like_dates(column) or plausible_dates(column)


def _are_days(table: Table, column: str) -> bool:
    """Whether a column holds dates that are no years and do not repeat."""
    cells = table.frame[column]
    return cells.is_unique and looks_like_dates(cells) and as_years(cells) is None


def _typed(cells: pd.Series) -> pd.Series:
    """Years as integers, names as they are."""
    return cells if holds_names(cells) else pd.to_numeric(cells).astype(np.int64)
