"""Layout: the values of many series in one array, with order statistics, medians and seasonal patterns of each.

Letters: `S` series, `N` values of all series, `k` values on each side of a window.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

SEASONS = 3  # fewest whole seasons of a seasonal pattern
NEAR_SEASONS = 3  # seasons on each side that the pattern of a season is a median of
MOST_WINDOWS = 2**16  # windows in memory at a time
MOST_PADDED = 4  # times N: larger rectangles of padded series are not built


@dataclass(frozen=True)
class Layout:
    """Where the series lie in an array of all values.

    Attributes:
        lengths: (S,) number of values, each at least 1.
    """

    lengths: np.ndarray

    @cached_property
    def starts(self) -> np.ndarray:
        """(S,) position of the first value."""
        return np.concatenate([[0], np.cumsum(self.lengths)[:-1]]).astype(np.intp)

    @cached_property
    def codes(self) -> np.ndarray:
        """(N,) series of each value."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @cached_property
    def steps(self) -> np.ndarray:
        """(N,) position of each value in its series."""
        return np.asarray(np.arange(self.lengths.sum()) - self.starts[self.codes])

    @cached_property
    def back(self) -> np.ndarray:
        """(N,) number of values after each value in its series."""
        return np.asarray(self.lengths[self.codes] - 1 - self.steps)

    def any(self, marked: np.ndarray) -> np.ndarray:
        """(S,) whether a value of each series is marked."""
        return np.asarray(np.logical_or.reduceat(marked, self.starts))

    def count(self, marked: np.ndarray) -> np.ndarray:
        """(S,) number of marked values of each series."""
        return np.asarray(np.add.reduceat(marked.astype(np.int64), self.starts))

    def ordered(self, x: np.ndarray) -> np.ndarray:
        """(N,) the values of each series in ascending order."""
        if len(self.lengths) == 1:
            return np.sort(x)
        longest = int(self.lengths.max())
        if len(self.lengths) * longest > MOST_PADDED * len(x):
            return x[np.lexsort((x, self.codes))]
        table = np.full((len(self.lengths), longest), np.inf)
        table[self.codes, self.steps] = x
        table.sort(axis=1)
        return np.asarray(table[self.codes, self.steps])

    def quantile(
        self, ordered: np.ndarray, fraction: float, smallest: np.ndarray | int = 0, largest: np.ndarray | int = 0
    ) -> np.ndarray:
        """(S,) the value below which a fraction of the ordered values lies, without some of the smallest and largest.

        Arguments:
            ordered: (N,) the result of `ordered`.
            fraction: from 0 to 1.
            smallest, largest: (S,) number of values that are left out.
        """
        last = np.maximum(self.lengths - 1 - smallest - largest, 0)
        first = np.minimum(smallest, self.lengths - 1)
        return np.asarray(ordered[self.starts + first + np.floor(fraction * last).astype(np.intp)])


def medians(x: np.ndarray, layout: Layout, k: int, level: np.ndarray | None = None) -> np.ndarray:
    """(N,) the median of each value and `k` values on each side, without the slope there.

    A median follows a step between two levels, and ignores up to k values that lie apart. The slope is the smaller
    one of those before and after the value, 0 if they differ in sign. `level` is the result of `levels`, if known.
    """
    level = levels(x, layout, k) if level is None else level
    at = np.arange(len(x))
    before = (level - level[at - np.minimum(k, layout.steps)]) / k
    after = (level[at + np.minimum(k, layout.back)] - level) / k
    slope = np.where(before * after > 0, np.where(np.abs(before) < np.abs(after), before, after), 0.0)
    return levels(x, layout, k, slope)


def levels(x: np.ndarray, layout: Layout, k: int, slope: np.ndarray | None = None) -> np.ndarray:
    """(N,) medians of windows, after subtraction of a slope; at the ends, of values reflected there."""
    result, ends = np.empty(len(x)), range(-k, k + 1)
    for first in range(k, len(x) - k, MOST_WINDOWS):
        rows = slice(first, min(first + MOST_WINDOWS, len(x) - k))
        columns = [x[rows.start + j : rows.stop + j] for j in ends]
        result[rows] = _middle(columns if slope is None else _level(columns, slope[rows], k))
    near = np.flatnonzero((layout.steps < k) | (layout.back < k))
    columns = list(_reflected(x, layout, near, k).T)
    result[near] = _middle(columns if slope is None else _level(columns, slope[near], k))
    return result


def _level(columns: list[np.ndarray], slope: np.ndarray, k: int) -> list[np.ndarray]:
    return [column - slope * j if j else column for j, column in enumerate(columns, -k)]


def _reflected(x: np.ndarray, layout: Layout, near: np.ndarray, k: int) -> np.ndarray:
    """(M, 2k + 1) the windows of values near the ends of series, where these are continued by a point reflection."""
    codes = layout.codes[near]
    first, last = layout.starts[codes], (layout.lengths[codes] - 1)[:, None]
    at = layout.steps[near, None] + np.arange(-k, k + 1)
    left, right = at < 0, at > last
    inside = np.where(left, -at, np.where(right, 2 * last - at, at))
    window = x[first[:, None] + np.clip(inside, 0, last)]
    begin, end = (_ends(x, layout, side)[codes, None] for side in (1, -1))
    return np.asarray(np.where(left, 2 * begin - window, np.where(right, 2 * end - window, window)))


def _middle(columns: list[np.ndarray]) -> np.ndarray:
    """The median of each row of an odd number of columns, by a sorting network."""
    columns = list(columns)
    for i, j in _network(len(columns)):
        columns[i], columns[j] = np.minimum(columns[i], columns[j]), np.maximum(columns[i], columns[j])
    return columns[len(columns) // 2]


@lru_cache
def _network(size: int) -> tuple[tuple[int, int], ...]:
    """The comparisons that sort `size` values: K. E. Batcher, Sorting networks and their applications, 1968.

    >>> _network(3)
    ((0, 1), (0, 2), (1, 2))
    """
    pairs, p = [], 1
    while p < size:
        k = p
        while k >= 1:
            for j in range(k % p, size - k, 2 * k):
                rows = range(j, min(j + k, size - k))
                pairs += [(i, i + k) for i in rows if i // (2 * p) == (i + k) // (2 * p)]
            k //= 2
        p *= 2
    return tuple(pairs)


def _ends(x: np.ndarray, layout: Layout, side: int) -> np.ndarray:
    """(S,) the first value (side 1) or the last one (side -1), replaced by a neighbour if it lies apart.

    It is the median of the value, of the next ones, and of the line through them.

    Reference: J. W. Tukey, Exploratory Data Analysis, 1977 (the rule for end values).
    """
    end = layout.starts if side == 1 else layout.starts + layout.lengths - 1
    steps = np.minimum(np.arange(7), layout.lengths[:, None] - 1)
    values = x[end[:, None] + side * steps]
    near, far = np.median(values[:, 1:4], axis=1), np.median(values[:, 4:7], axis=1)
    return np.asarray(np.median([values[:, 0], near, near + (near - far) * 2 / 3], axis=0))


def seasonal(x: np.ndarray, layout: Layout, season: int) -> np.ndarray:
    """(N,) the seasonal pattern: medians of the same step in near seasons, after subtraction of the level of each.

    It is 0 for series with fewer than three seasons.
    """
    long = layout.lengths >= SEASONS * season
    if season == 1 or not long.any():
        return np.zeros(len(x))
    rows = np.where(long, layout.lengths // season, 0)  # whole seasons, counted from the end
    table = Layout(rows[long])
    last = (layout.starts + layout.lengths)[long][table.codes]
    first = last - (table.back + 1) * season
    values = x[first[:, None] + np.arange(season)]
    level = np.median(values, axis=1)
    apart = values - _interpolated(level, table, season)
    size = table.lengths[table.codes]
    start = np.clip(table.steps - NEAR_SEASONS, 0, np.maximum(size - 2 * NEAR_SEASONS - 1, 0))
    near = start[:, None] + np.arange(2 * NEAR_SEASONS + 1)
    beyond = near >= size[:, None]
    cycles = apart[table.starts[table.codes][:, None] + np.where(beyond, 0, near)]
    cycles[beyond] = np.inf
    cycles.sort(axis=1)
    count = np.minimum(size, 2 * NEAR_SEASONS + 1)
    every = np.arange(len(size))
    pattern = (cycles[every, (count - 1) // 2] + cycles[every, count // 2]) / 2
    row = np.maximum(rows[layout.codes] - 1 - layout.back // season, 0)
    start = np.zeros(len(rows), np.intp)
    start[long] = table.starts
    values = pattern[start[layout.codes] + row, season - 1 - layout.back % season]
    return np.asarray(np.where(long[layout.codes], values, 0.0))


def _interpolated(level: np.ndarray, table: Layout, season: int) -> np.ndarray:
    """The level at each step of the seasons: linear between the medians of neighbouring seasons."""
    rows = np.arange(len(level))
    before, after = np.where(table.steps > 0, rows - 1, rows), np.where(table.back > 0, rows + 1, rows)
    place = (np.arange(season) - (season - 1) / 2) / season
    slope = np.where(place < 0, (level - level[before])[:, None], (level[after] - level)[:, None])
    return np.asarray(level[:, None] + slope * place)
