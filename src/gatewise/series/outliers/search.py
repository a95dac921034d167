"""Search: the outliers of the series of a panel."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gatewise.series.frequency import longer_season_length, season_length
from gatewise.series.outliers.detection import find
from gatewise.series.outliers.layout import Layout
from gatewise.series.panel import Series

MOST_VALUES = 250_000  # of all series searched at a time


LISTS = ("rows", "lower", "upper")


class Found(NamedTuple):
    """The outliers of a series: their positions, and the usual range around each."""

    series: Series
    rows: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def since(self, newer: Series | None) -> "Found | None":
        """The outliers from the first date of newer values on; None if there are none."""
        recent = np.zeros(len(self.rows), bool) if newer is None else self.series.ds[self.rows] >= newer.ds[0]
        return self._replace(**{name: getattr(self, name)[recent] for name in LISTS}) if recent.any() else None


def search(series: Sequence[Series], freq: str | int) -> list[Found]:
    """The series that have outliers, with these.

    >>> noise = np.random.default_rng(0).normal(size=60)
    >>> noise[30] = 900.0
    >>> [found.rows.tolist() for found in search([Series("A", np.arange(60), 100 + noise)], freq=1)]
    [[30]]
    """
    seasons = [season_length(freq), longer_season_length(freq)]
    result: list[Found] = []
    for part in _parts(series):
        y = np.concatenate([one.y for one in part])
        observed = np.concatenate([np.ones(len(one), bool) if one.filled is None else ~one.filled for one in part])
        layout = Layout(np.array([len(one) for one in part]))
        rows, lower, upper = find(y, layout, seasons, observed)
        which = layout.codes[rows]
        for k in np.unique(which).tolist():
            at = which == k
            result.append(Found(part[k], rows[at] - layout.starts[k], lower[at], upper[at]))
    return result


def _parts(series: Sequence[Series]) -> list[list[Series]]:
    """The series in groups, so that the memory for their windows is small."""
    sizes = np.cumsum([len(one) for one in series]) // MOST_VALUES
    return [[series[k] for k in np.flatnonzero(sizes == size).tolist()] for size in np.unique(sizes)]
