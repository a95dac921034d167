"""Aggregate: several rows of a series and date as one.

Letters: N rows of all series, G groups of rows with the same series and date.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.covariates.roles import is_given
from gatewise.series.errors import DataError
from gatewise.series.frequency import as_integers
from gatewise.series.reading.columns.subtotals import subtotal_remedy
from gatewise.series.reading.rows import Stack
from gatewise.series.wording import format_date

Where = Callable[[int], str]  # names a row in a message


class Aggregated(NamedTuple):
    """The rows of all series, one for each date, and the guess that states it."""

    stack: Stack
    guesses: tuple[str, ...]


def aggregated(stack: Stack, how: str | None, covariates: Sequence[str]) -> Aggregated:
    """One row for each series and date, by date; rows of distinct dates remain as they are.

    Missing values are left out; a date without any value stays missing. Covariates of numbers are averaged, or the last
    value is read if `how` is "last"; the categories of a date must agree.

    Arguments:
        stack: the rows of all series, in the order of the table.
        how: "sum", "mean" or "last"; None for no change.
        covariates: columns that are read beside the values.

    Raises:
        DataError: different categories in one column, series and date; totals beside their rows.
    """
    if how is None:
        return Aggregated(stack, ())
    ordered = stack.by_date()  # rows of equal dates stay in the order of the table
    changes = np.ones(len(ordered.ds), bool)
    changes[1:] = ~ordered.inside() | (np.diff(as_integers(ordered.ds)) != 0)
    if changes.all():
        return Aggregated(stack, ())
    groups = changes.cumsum() - 1
    _refuse_subtotals(ordered, np.bincount(groups)[groups] > 1)
    frame = with_one_value(ordered.table.frame, groups, ordered.positions, how, covariates, _describe(ordered))
    first = np.flatnonzero(changes)
    bounds = np.concatenate([[0], np.bincount(ordered.codes[first], minlength=len(ordered.names)).cumsum()])
    one = replace(
        ordered,
        bounds=bounds,
        ds=ordered.ds[first],
        y=one_value(ordered.y, groups, how),
        positions=ordered.positions[first],
        table=replace(ordered.table, frame=frame),
    )
    guess = f"aggregated by {how}: {len(groups)} rows to {len(first)}, one for each date of a series"
    return Aggregated(one, (guess,))


def _refuse_subtotals(stack: Stack, repeats: np.ndarray) -> None:
    """Refuse rows labelled with a longer period than the others, whose values would count twice."""
    columns = stack.table.columns
    remedy = None if columns is None else subtotal_remedy(stack.table, columns.time, stack.positions, repeats)
    if remedy is not None:
        raise DataError(f"{stack.table.name}: {remedy}")


def one_value(values: np.ndarray, groups: np.ndarray, how: str) -> np.ndarray:
    """(G,) the sum, mean or last of the values (N,) of each group; NaN if all are missing.

    >>> one_value(np.array([1.0, 2.0, np.nan, np.nan]), np.array([0, 0, 0, 1]), "sum").tolist()
    [3.0, nan]
    """
    grouped = pd.Series(values).groupby(groups)
    one = grouped.sum(min_count=1) if how == "sum" else grouped.mean() if how == "mean" else grouped.last()
    return np.asarray(one.to_numpy(np.float64))


def with_one_value(
    frame: pd.DataFrame,
    groups: np.ndarray,
    positions: np.ndarray,
    how: str,
    columns: Sequence[str],
    where: Where,
) -> pd.DataFrame:
    """The table whose first row of each group holds the covariates of the group.

    Arguments:
        frame: the table.
        groups: (N,) the group of each row, ascending.
        positions: (N,) the rows of the table.
        how: "last" for the last value of numbers, else their mean.
        columns: the covariates.
        where: the name of a row of `positions` and its date, for a message.
    """
    first = positions[np.flatnonzero(np.diff(groups, prepend=-1))]
    for column in [column for column in columns if column in frame.columns]:
        cells = frame[column].iloc[positions]
        if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells):
            values = _one_number(cells.to_numpy(np.float64, na_value=np.nan), groups, how)
        else:
            _refuse_different(cells, groups, column, where)
            values = cells.where(is_given(cells)).groupby(groups).last().to_numpy()
        changed = frame[column].astype(np.float64 if values.dtype.kind == "f" else object).to_numpy(copy=True)
        changed[first] = values
        frame = frame.assign(**{column: changed})
    return frame


def _one_number(numbers: np.ndarray, groups: np.ndarray, how: str) -> np.ndarray:
    """(G,) the last number of each group, or their mean; equal numbers stay exactly the same."""
    by_group = pd.Series(numbers).groupby(groups)
    least = by_group.min().to_numpy()
    one = one_value(numbers, groups, "last" if how == "last" else "mean")
    return np.where(least == by_group.max().to_numpy(), least, one)


def _describe(stack: Stack) -> Where:
    def where(i: int) -> str:
        row = stack.table.row(int(stack.positions[i]))
        return f"series {str(stack.names[stack.codes[i]])!r}, {row}, {format_date(stack.ds[i])}"

    return where


def _refuse_different(cells: pd.Series, groups: np.ndarray, column: str, where: Where) -> None:
    """Refuse categories that differ within a group."""
    given = np.flatnonzero(is_given(cells))
    codes = pd.factorize(cells.iloc[given])[0]
    differs = (np.diff(codes) != 0) & (np.diff(groups[given]) == 0)
    if differs.any():
        i = int(differs.argmax())
        before, after = cells.iloc[given[i]], cells.iloc[given[i + 1]]
        raise DataError(
            f"{where(int(given[i + 1]))}: covariate {column!r} is {after!r}, but {before!r} in another row of the same "
            "date; rows with different categories cannot be aggregated, so omit the covariate or correct the rows"
        )
