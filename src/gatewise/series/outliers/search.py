"""Search: the outliers of the series of a panel."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gatewise.series.frequency import longer_season_length, season_length
from gatewise.series.outliers.groups import Group
from gatewise.series.outliers.judgement import judge
from gatewise.series.outliers.layout import Layout
from gatewise.series.panel import Series

NUMBER = re.compile(r"(?<![\d.,-])-?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\d-])")  # no part of a date
MOST_VALUES = 250_000  # of all series searched at a time


class Found(NamedTuple):
    """The outliers of a series: their positions, and the usual range around each."""

    series: Series
    rows: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def since(self, newer: Series | None) -> "Found | None":
        """The outliers from the first date of newer values on; None if there are none."""
        recent = np.zeros(len(self.rows), bool) if newer is None else self.series.ds[self.rows] >= newer.ds[0]
        return self.chosen(recent) if recent.any() else None

    def chosen(self, rows: np.ndarray) -> "Found":
        """Some of the outliers."""
        return Found(self.series, self.rows[rows], self.lower[rows], self.upper[rows])


class Search(NamedTuple):
    """The outliers of a panel, and the groups of values that are no single outliers, each with its series."""

    found: list[Found]
    groups: list[tuple[Series, Group]]


def search(series: Sequence[Series], freq: str | int) -> list[Found]:
    """The series that have outliers, with these.

    >>> noise = np.random.default_rng(0).normal(size=60)
    >>> noise[30] = 900.0
    >>> [found.rows.tolist() for found in search([Series("A", np.arange(60), 100 + noise)], freq=1)]
    [[30]]
    """
    return search_all(series, freq).found


def search_all(series: Sequence[Series], freq: str | int, named: Mapping[int, np.ndarray] | None = None) -> Search:
    """The outliers and the groups of the series.

    A group is none if all its values are outliers whose usual ranges lie among the other values. The outliers of a
    series with groups are searched among its other values, so that no usual range comes from a group.

    Arguments:
        series: as they were read.
        freq: their calendar.
        named: by `id` of a series, (T,) the values that are named already and left out.
    """
    seasons = [season_length(freq), longer_season_length(freq)]
    named = {} if named is None else named
    found: list[Found] = []
    grouped: list[tuple[Series, Group]] = []
    for part in _parts(series):
        y = np.concatenate([one.y for one in part])
        observed = np.concatenate([np.ones(len(one), bool) if one.filled is None else ~one.filled for one in part])
        absent = np.concatenate([named.get(id(one), np.zeros(len(one), bool)) for one in part])
        layout = Layout(np.array([len(one) for one in part]))
        (rows, lower, upper), groups = judge(y, layout, seasons, observed, absent, len(series))
        which = layout.codes[rows]
        for k in np.unique(which).tolist():
            at = which == k
            found.append(Found(part[k], rows[at] - layout.starts[k], lower[at], upper[at]))
        for group in groups:
            k = int(layout.codes[group.rows[0]])
            grouped.append((part[k], group._replace(rows=group.rows - layout.starts[k])))
    return Search(found, grouped)


def _parts(series: Sequence[Series]) -> list[list[Series]]:
    """The series in groups, so that the memory for their windows is small."""
    sizes = np.cumsum([len(one) for one in series]) // MOST_VALUES
    return [[series[k] for k in np.flatnonzero(sizes == size).tolist()] for size in np.unique(sizes)]


def without_named(found: Sequence[Found], sentences: Sequence[str]) -> list[Found]:
    """The outliers without values that occur several times and that a sentence names already, such as -999.

    >>> series = Series("A", np.arange(4), np.array([5.0, -999.0, -999.0, 70.0]))
    >>> found = [Found(series, np.array([1, 2, 3]), np.zeros(3), np.full(3, 9.0))]
    >>> [one.rows.tolist() for one in without_named(found, ["2 values are -999"])]
    [[3]]
    """
    if not found or not sentences:
        return list(found)
    values, counts = np.unique(np.concatenate([one.series.y[one.rows] for one in found]), return_counts=True)
    numbers = [float(text.replace(",", "")) for text in NUMBER.findall(" ".join(sentences))]
    named = np.intersect1d(values[counts > 1], numbers)
    remaining = (one.chosen(~np.isin(one.series.y[one.rows], named)) for one in found)
    return [one for one in remaining if len(one.rows)]
