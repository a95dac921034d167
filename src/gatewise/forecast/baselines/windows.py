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


def blocks(
    series: Sequence[Series], which: np.ndarray, cuts: np.ndarray, longest: int
) -> Iterator[tuple[np.ndarray, Pasts]]:
    """The pasts of windows in blocks of similar length, with the positions (B,) of their windows.

    Arguments:
        series: the series of all windows.
        which: (W,) positions in `series`.
        cuts: (W,) number of known values, at least 1.
        longest: the most values of a past; older ones are left out.
    """
    if not len(which):
        return
    ends, observed, values, offsets = _concatenated(series, which, cuts)
    sizes = np.minimum(ends, longest)
    order = np.argsort(sizes, kind="stable")
    at = 0
    while at < len(order):
        rows = order[at : at + BLOCK_WINDOWS]
        rows = rows[: _affordable(sizes[rows])]
        starts = ends[rows] - sizes[rows]
        columns = np.arange(sizes[rows[-1]])
        within = columns < sizes[rows, None]
        places = np.where(within, (offsets[which[rows]] + starts)[:, None] + columns, 0)
        past = np.where(within, values[places], 0.0)
        yield rows, Pasts(past, within & observed[places], sizes[rows], cuts[rows] - ends[rows], starts)
        at += len(rows)


def _affordable(sizes: np.ndarray) -> int:
    """How many of the windows of ascending size fit into a block."""
    return max(1, int(np.count_nonzero(sizes * np.arange(1, len(sizes) + 1) <= BLOCK_VALUES)))


def _concatenated(
    series: Sequence[Series], which: np.ndarray, cuts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The end of each past, the observed flags and values of all series in turn, and the offset of each series."""
    ends, offsets = np.empty(len(which), np.int64), np.zeros(len(series), np.int64)
    values, observed, total = [], [], 0
    for k, rows in grouped(which):
        filled = series[k].filled
        ends[rows] = last_observed(series[k], cuts[rows]) + 1
        offsets[k] = total
        total += len(series[k])
        values.append(np.asarray(series[k].y, np.float64))
        observed.append(np.ones(len(series[k]), bool) if filled is None else ~filled)
    return ends, np.concatenate(observed), np.concatenate(values), offsets


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
