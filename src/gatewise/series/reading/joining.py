"""Joining: add the covariates of a table to its checked series, aligned by date.

Letters: N steps of all series, S series, h steps ahead, K known-future features.
"""

import itertools
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from gatewise.series.covariates.features import CovariateReader, Features, Places, features
from gatewise.series.covariates.roles import Covariates, is_given
from gatewise.series.frequency import as_integers, future
from gatewise.series.panel import Series, concatenated
from gatewise.series.reading.exclusion import Exclusions
from gatewise.series.reading.history import History
from gatewise.series.reading.rows import Rows, Stack


class Joined(NamedTuple):
    """The series with their features, the guesses, and the exclusions."""

    series: tuple[Series, ...]
    guesses: tuple[str, ...]
    exclusions: Exclusions


def join_covariates(
    series: tuple[Series, ...],
    history: History,
    covariates: Covariates,
    freq: str | int,
    fill: str | None,
    exclusions: Exclusions,
) -> Joined:
    """The series with their features.

    Arguments:
        series: the series without an error so far, on their whole calendars.
        history: the rows of the past and of the future.
        covariates: the columns to read.
        freq: the calendar.
        fill: how to repair missing values; see `gatewise.read`.
        exclusions: the series excluded so far.
    """
    frame, numbers = history.stack.table.frame, np.flatnonzero(exclusions.eligible(len(history.stack.names)))
    while True:
        places = _places(series, history.stack, numbers)
        ahead = _places_ahead(series, history.future, numbers, covariates, freq)
        past = partial(features, frame, places, covariates, freq, fill=fill)
        past_features, exclusions = exclusions.attempt_rows(past, numbers[places.codes])
        known = partial(CovariateReader(frame, ahead, covariates).known, freq)
        ahead_features, exclusions = exclusions.attempt_rows(known, numbers[ahead.codes])
        if past_features is not None and ahead_features is not None:
            return Joined(
                _with_features(series, past_features, places.codes, ahead_features[0], ahead.codes),
                past_features.guesses,
                exclusions,
            )
        eligible = exclusions.eligible(len(history.stack.names))[numbers]
        series = tuple(itertools.compress(series, eligible))
        numbers = numbers[eligible]


def _with_features(
    series: tuple[Series, ...], past_features: Features, codes: np.ndarray, known: np.ndarray | None, ahead: np.ndarray
) -> tuple[Series, ...]:
    """The series, each with its part of the features (N, ...) and of the known features ahead (n, K)."""
    bounds, bounds_ahead = (np.searchsorted(part, np.arange(len(series) + 1)).tolist() for part in (codes, ahead))

    def part(values: np.ndarray | None, bounds: list[int], k: int) -> np.ndarray | None:
        return None if values is None or bounds[k] == bounds[k + 1] else values[bounds[k] : bounds[k + 1]]

    return tuple(
        replace(
            one_series,
            past=part(past_features.past, bounds, k),
            known=part(past_features.known, bounds, k),
            static=None if past_features.static is None else past_features.static[k],
            ahead=part(known, bounds_ahead, k),
        )
        for k, one_series in enumerate(series)
    )


def _places(series: tuple[Series, ...], stack: Stack, numbers: np.ndarray) -> Places:
    """The places of the steps of all series, whose numbers in the stack are `numbers` (S,)."""
    lengths = np.array([len(one_series) for one_series in series])
    starts, codes = lengths.cumsum() - lengths, np.repeat(np.arange(len(series)), lengths)
    rows = np.arange(len(codes)) + np.repeat(stack.bounds[numbers] - starts, lengths)
    positions = stack.positions[np.minimum(rows, len(stack.positions) - 1)]
    unchanged = (lengths == stack.lengths[numbers]) & np.array([one_series.filled is None for one_series in series])
    for k in np.flatnonzero(~unchanged).tolist():
        positions[starts[k] : starts[k] + lengths[k]] = _on_grid(series[k], stack.rows(int(numbers[k])))
    names = [one_series.unique_id for one_series in series]
    ds = concatenated([one_series.ds for one_series in series])
    return Places(names, codes, ds, positions, stack.table.row)


def _on_grid(series: Series, rows: Rows) -> np.ndarray:
    """(T,) the table row of each step, -1 if it has none; rows before the first step are ignored."""
    positions, steps, time = np.full(len(series), -1), as_integers(series.ds), as_integers(rows.ds)
    inside = time >= steps[0]
    positions[np.searchsorted(steps, time[inside])] = rows.positions[inside]
    return positions


def _places_ahead(
    series: tuple[Series, ...], stack: Stack, numbers: np.ndarray, covariates: Covariates, freq: str | int
) -> Places:
    """The places of the steps after each series, up to the first step without a complete row."""
    whole = np.ones(len(stack.table.frame), bool)
    for column in covariates.known:
        whole &= is_given(stack.table.frame[column])
    counts, at, following = np.zeros(len(series), np.int64), [np.empty(0, np.int64)], dict[object, np.ndarray]()
    most = int(stack.lengths.max(initial=0))
    for k in np.flatnonzero(stack.lengths[numbers]).tolist():
        rows, end = np.arange(*stack.bounds[numbers[k] : numbers[k] + 2]), series[k].ds[-1]
        if end not in following:
            following[end] = as_integers(future(series[k].ds, freq, most))
        fits = (as_integers(stack.ds[rows]) == following[end][: len(rows)]) & whole[stack.positions[rows]]
        counts[k] = len(rows) if fits.all() else fits.argmin()
        at.append(rows[: counts[k]])
    selected, codes = np.concatenate(at), np.repeat(np.arange(len(series)), counts)
    names = [one_series.unique_id for one_series in series]
    remedy = "give a value for every date"
    return Places(names, codes, stack.ds[selected], stack.positions[selected], stack.table.row, remedy)
