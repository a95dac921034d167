"""History: the rows of each series by date, separated from rows that hold only future covariates.

Letters: N rows, S series.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.covariates.roles import is_given
from gatewise.series.frequency import as_integers
from gatewise.series.reading.calendars.validation import Repair, in_order
from gatewise.series.reading.exclusion import Exclusions
from gatewise.series.reading.rows import Stack
from gatewise.series.wording import counted


class History(NamedTuple):
    """The past and future rows of all series by date, with repairs, exclusions and guesses."""

    stack: Stack
    future: Stack
    repairs: tuple[Repair, ...]
    exclusions: Exclusions
    guesses: tuple[str, ...]


class Split(NamedTuple):
    """The rows of the past and of the future, and the guess that states it."""

    history: Stack
    future: Stack
    guesses: tuple[str, ...]


def history_of(stack: Stack, known: Sequence[str], trim: bool, sort: bool, exclusions: Exclusions) -> History:
    """The rows of all series by date, divided into past and future.

    Arguments:
        stack: the rows of all series, in the order of the table.
        known: columns known in advance.
        trim: drop blank cells before the first and after the last value of each series.
        sort: sort rows that are not in order of their dates.
        exclusions: the series excluded so far.
    """
    stack, before = stack.without_blanks() if trim and not known else (stack, ())
    ordered = in_order(stack, sort, exclusions)
    split = split_future(ordered.stack, known)
    # With known covariates, blank cells at the end may be rows of the future, so trimming comes after the split.
    past, after = split.history.without_blanks() if trim and known else (split.history, ())
    return History(past, split.future, ordered.repairs, ordered.exclusions, (*before, *split.guesses, *after))


def split_future(stack: Stack, known: Sequence[str]) -> Split:
    """Split the rows of each series into its history and later rows that have known covariates but no value.

    Arguments:
        stack: the rows of all series, in any order.
        known: columns known in advance; a later row belongs to the future if it has a value in one of them.

    Returns:
        The history, the future and the guess that states it. A series without any value stays in the history.
    """
    has_value, codes, time = ~np.isnan(stack.y), stack.codes, as_integers(stack.ds)
    last = np.full(len(stack.names), np.iinfo(np.int64).max)  # a series without values has no future rows
    latest = pd.Series(time[has_value]).groupby(codes[has_value]).max()
    last[latest.index] = latest
    has_known = np.zeros(len(stack.table.frame), bool)
    for column in set(known) & set(stack.table.frame.columns):  # an unknown column is refused later
        has_known |= is_given(stack.table.frame[column])
    ahead = has_known[stack.positions] & ~has_value & (time > last[codes])
    if not ahead.any():
        return Split(stack, stack.only(ahead), ())
    rows, series = counted(int(ahead.sum()), "row"), counted(len(np.unique(codes[ahead])), "series")
    guess = f"used for the forecast: {rows} with known covariates but no value yet, at the end of {series}"
    return Split(stack.only(~ahead), stack.only(ahead), (guess,))
