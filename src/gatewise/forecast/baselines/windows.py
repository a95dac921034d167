"""Windows: the known values of many test windows, in blocks of bounded size.

Letters: `W` test windows, `B` windows of a block, `N` values of the longest past, `h` horizon.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gatewise.series import Series

BLOCK_VALUES, BLOCK_WINDOWS = 2**20, 2048  # of a block: its arrays stay below 10 MB each


@dataclass(frozen=True)
class Pasts:
    """The observed pasts of B windows, each from column 0 on.

    A past ends with its last observed value, because filled values after it may depend on later ones.

    Attributes:
        values: (B, N), 0 after the end of a past.
        observed: (B, N) whether a value was observed; False for filled values and after the end.
        sizes: (B,) values of each past, at least 1.
        gaps: (B,) steps from the last observed value to the cut, not counting the first; usually 0.
        starts: (B,) position in its series of the value in column 0.
    """

    values: np.ndarray
    observed: np.ndarray
    sizes: np.ndarray
    gaps: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def within(self) -> np.ndarray:
        """(B, N) whether a column is before the end of a past."""
        return np.asarray(np.arange(self.values.shape[1]) < self.sizes[:, None])

    def take(self, rows: slice) -> "Pasts":
        """Some of the windows."""
        parts = (self.values, self.observed, self.sizes, self.gaps, self.starts)
        return Pasts(*(part[rows] for part in parts))

    def ahead(self, horizon: int) -> np.ndarray:
        """(B, h) the steps of the forecast, counted from the last observed value: 1 to h without a gap."""
        return np.asarray(self.gaps[:, None] + np.arange(1, horizon + 1))


@dataclass(frozen=True)
class Values:
    """The values of several series in turn.

    Attributes:
        values: (T,) of all series.
        observed: (T,) whether each was observed, not filled in.
        last: (T,) the position in its series of the last observed value up to each value.
        offsets: (S,) the place of the first value of each series; 0 for series without windows.
        causal: (T,) the position in its series of the last value up to each value that depends on no later one: the
            last observed one, or any where missing values stay missing.
    """

    values: np.ndarray
    observed: np.ndarray
    last: np.ndarray
    offsets: np.ndarray
    causal: np.ndarray

    @classmethod
    def of(cls, series: Sequence[Series], which: np.ndarray) -> "Values":
        """The values of the series with windows `which` (W,)."""
        used = np.unique(which)
        chosen = [series[k] for k in used.tolist()]
        sizes = np.array([len(one_series) for one_series in chosen], np.int64)
        offsets = np.zeros(len(series), np.int64)
        offsets[used] = np.cumsum(sizes) - sizes
        values = np.concatenate([one_series.y for one_series in chosen]).astype(np.float64, copy=False)
        places = np.arange(len(values)) - np.repeat(offsets[used], sizes)
        observed, last, causal = np.ones(len(values), bool), places, places.copy()
        for one_series, start in zip(chosen, offsets[used].tolist(), strict=True):
            if one_series.filled is not None:
                rows = slice(start, start + len(one_series))
                observed[rows] = ~one_series.filled
                last[rows] = last_observed(one_series, places[rows] + 1)
                causal[rows] = causal[rows] if one_series.masked else last[rows]
        return cls(values, observed, last, offsets, causal)

    def ends(self, which: np.ndarray, cuts: np.ndarray) -> np.ndarray:
        """(W,) the number of values up to the last observed one before each cut."""
        return np.asarray(self.last[self.offsets[which] + cuts - 1] + 1)

    def blocks(self, which: np.ndarray, cuts: np.ndarray, longest: int) -> Iterator[tuple[np.ndarray, Pasts]]:
        """The pasts of windows in blocks of similar length, with the positions (B,) of their windows.

        Arguments:
            which: (W,) the series of each window.
            cuts: (W,) number of known values, at least 1.
            longest: the most values of a past; older ones are left out.
        """
        ends = self.ends(which, cuts)
        sizes = np.minimum(ends, longest)
        order = np.argsort(sizes, kind="stable")
        at = 0
        while at < len(order):
            rows = order[at : at + BLOCK_WINDOWS]
            rows = rows[: _affordable(sizes[rows])]
            starts = ends[rows] - sizes[rows]
            columns = np.arange(sizes[rows[-1]])
            within = columns < sizes[rows, None]
            places = np.where(within, (self.offsets[which[rows]] + starts)[:, None] + columns, 0)
            past = np.where(within, self.values[places], 0.0)
            yield rows, Pasts(past, within & self.observed[places], sizes[rows], cuts[rows] - ends[rows], starts)
            at += len(rows)


def _affordable(sizes: np.ndarray) -> int:
    """How many of the windows of ascending size fit into a block."""
    return max(1, int(np.count_nonzero(sizes * np.arange(1, len(sizes) + 1) <= BLOCK_VALUES)))


def grouped(which: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """For each series with windows: its position, and the positions of its windows.

    >>> [(k, rows.tolist()) for k, rows in grouped(np.array([3, 0, 3]))]
    [(0, [1]), (3, [0, 2])]
    """
    order = np.argsort(which, kind="stable")
    owners, starts = np.unique(which[order], return_index=True)
    yield from zip(owners.tolist(), np.split(order, starts[1:]), strict=True)


def last_observed(series: Series, cuts: np.ndarray) -> np.ndarray:
    """The position of the last observed value before each cut.

    If all values before a cut were filled in, it is the position of the last one: such values are zeros and depend on
    no later value.
    """
    if series.filled is None:
        return cuts - 1
    last = np.maximum.accumulate(np.where(series.filled, -1, np.arange(len(series))))[cuts - 1]
    return np.where(last < 0, cuts - 1, last)


def known(series: Series, cut: int) -> Series:
    """A series up to a cut, in which the last observed value replaces the filled values after it."""
    at = np.minimum(np.arange(cut), last_observed(series, np.array([cut])))
    return Series(series.unique_id, series.ds[:cut], series.y[at])
