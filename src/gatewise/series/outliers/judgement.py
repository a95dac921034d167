"""Judgement: single outliers and groups of values, so that no usual range comes from a group.

A group is one of outliers if all its values are found, with usual ranges among the other values. Otherwise it is one
finding, and the outliers of its series are searched among the other values.

Letters: `S` series, `N` values of all series, `R` rows.
"""

from collections.abc import Sequence

import numpy as np

from gatewise.series.outliers.detection import find
from gatewise.series.outliers.groups import Group, groups
from gatewise.series.outliers.layout import Layout
from gatewise.series.outliers.plausibility import EVENT, Outliers
from gatewise.series.outliers.support import supported

MOST = 0.4  # of the values of a series that are a level apart
FAR = 0.5  # of the factor of a group, in logarithms: a range nearer to the group than this comes from it


def judge(
    y: np.ndarray,
    layout: Layout,
    seasons: Sequence[int],
    observed: np.ndarray,
    absent: np.ndarray,
    total: int,
) -> tuple[Outliers, list[Group]]:
    """The outliers and the groups of many series.

    Arguments:
        y, layout, seasons, observed, total: see `detection.find`.
        absent: (N,) values that are left out, because they are named already.

    >>> values = 100.0 + np.random.default_rng(0).normal(size=60)
    >>> values[20], values[50:] = 300.0, 0.0
    >>> layout, every = Layout(np.array([60])), np.ones(60, bool)
    >>> outliers, (group,) = judge(values, layout, [1], every, ~every, 1)
    >>> outliers.rows.tolist(), group.kind, group.rows.tolist()
    ([20], 'standstill', [50, 51, 52, 53, 54, 55, 56, 57, 58, 59])
    """
    every = np.arange(len(layout.lengths))
    outliers = _find(y, layout, seasons, observed, absent, total, every)
    unclear = [
        group for group in groups(y, layout, observed & ~absent, seasons[0]) if not _judged(group, outliers, y, layout)
    ]
    outliers = _again(outliers, unclear, y, layout, seasons, observed, absent, total)
    levels, doubtful = _levels(outliers, y, layout, observed & ~absent)
    clear = ~np.isin(outliers.rows, doubtful)
    return Outliers(*(part[clear] for part in outliers)), [*unclear, *levels]


def _again(
    outliers: Outliers,
    unclear: list[Group],
    y: np.ndarray,
    layout: Layout,
    seasons: Sequence[int],
    observed: np.ndarray,
    absent: np.ndarray,
    total: int,
) -> Outliers:
    """The outliers, those of series with groups searched without these."""
    if not unclear:
        return outliers
    absent = absent.copy()
    absent[np.concatenate([group.rows for group in unclear])] = True
    series = np.unique(layout.codes[[group.rows[0] for group in unclear]])
    others = ~np.isin(layout.codes[outliers.rows], series)
    again = _find(y, layout, seasons, observed, absent, total, series)
    rows = np.concatenate([outliers.rows[others], again.rows])
    order = np.argsort(rows)
    lower, upper = (np.concatenate([a[others], b]) for a, b in zip(outliers[1:], again[1:], strict=True))
    return Outliers(rows[order], lower[order], upper[order])


def _find(
    y: np.ndarray,
    layout: Layout,
    seasons: Sequence[int],
    observed: np.ndarray,
    absent: np.ndarray,
    total: int,
    series: np.ndarray,
) -> Outliers:
    """The outliers of some series without the values that are absent."""
    if not absent.any() and len(series) == len(layout.lengths):
        return supported(find(y, layout, seasons, observed, total), y, layout, seasons)
    y, observed, present = y.copy(), observed & ~absent, np.isin(layout.codes, series)
    for code in np.unique(layout.codes[absent & present]).tolist():
        whole = slice(layout.starts[code], layout.starts[code] + layout.lengths[code])
        y[whole], present[whole] = _replaced(y[whole], absent[whole], seasons[0])
    rows = np.flatnonzero(present)
    lengths = np.bincount(layout.codes[rows], minlength=len(layout.lengths))
    if not len(rows):
        return Outliers(rows, y[rows], y[rows])
    part = Layout(lengths[lengths > 0])
    result = supported(find(y[rows], part, seasons, observed[rows], total), y[rows], part, seasons)
    return result._replace(rows=rows[result.rows])


def _replaced(y: np.ndarray, absent: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """The values of a series, the absent ones replaced by those of the nearest other season; and which are present.

    Without a season, and where no season has a value, they are left out.
    """
    y, empty = y.copy(), absent.copy()
    at = np.flatnonzero(absent)
    for shift in range(season, len(y), season) if season > 1 else ():
        for source in (at - shift, at + shift):
            usable = empty[at] & (source >= 0) & (source < len(y))
            usable[usable] = ~absent[source[usable]]
            y[at[usable]], empty[at[usable]] = y[source[usable]], False
        if not empty.any():
            break
    return y, ~empty


def _judged(group: Group, outliers: Outliers, y: np.ndarray, layout: Layout) -> bool:
    """Whether the values of a group are outliers with ranges outside the group."""
    at = np.searchsorted(outliers.rows, group.rows)
    if not len(outliers.rows) or (outliers.rows[np.minimum(at, len(outliers.rows) - 1)] != group.rows).any():
        return False
    middle = np.abs(outliers.lower[at] + outliers.upper[at]) / 2
    if group.kind != "scale":
        return True
    with np.errstate(divide="ignore"):
        return bool((np.abs(np.log(middle / np.abs(y[group.rows]))) > FAR * abs(np.log(group.size))).all())


def _levels(outliers: Outliers, y: np.ndarray, layout: Layout, observed: np.ndarray) -> tuple[list[Group], np.ndarray]:
    """Runs of outliers that continue in values which are none, as levels; and the outliers in them.

    Mild ones, such as promotions, and runs that are most of their series, are no levels and no outliers either.
    """
    levels: list[Group] = []
    doubtful: list[np.ndarray] = []
    breaks = np.flatnonzero((np.diff(outliers.rows) > 1) | (np.diff(layout.codes[outliers.rows]) != 0)) + 1
    for run in np.split(np.arange(len(outliers.rows)), breaks) if len(outliers.rows) else ():
        code = layout.codes[outliers.rows[run[0]]]
        start, stop = int(layout.starts[code]), int(layout.starts[code] + layout.lengths[code])
        rows = outliers.rows[run]
        first = _continued(y, observed, int(rows[0]), -1, start - 1, outliers, run[0])
        last = _continued(y, observed, int(rows[-1]), 1, stop, outliers, run[-1])
        if first == rows[0] and last == rows[-1]:
            continue
        doubtful.append(rows)
        middle = float(outliers.lower[run[0]] + outliers.upper[run[0]]) / 2
        size = float(np.median(y[first : last + 1]))
        mild = 0 <= middle / EVENT < size < EVENT * middle
        if not mild and last - first + 1 <= MOST * (stop - start):
            levels.append(Group("level", np.arange(first, last + 1), size))
    return levels, np.concatenate(doubtful) if doubtful else outliers.rows[:0]


def _continued(y: np.ndarray, observed: np.ndarray, at: int, step: int, end: int, found: Outliers, k: int) -> int:
    """The last position, in one direction, of values that are nearer to an outlier than to its usual range."""
    value, lower, upper = float(y[at]), float(found.lower[k]), float(found.upper[k])
    row = at + step
    while row != end and observed[row]:
        distance = max(lower - y[row], y[row] - upper)
        if not abs(y[row] - value) < distance or (y[row] > upper) != (value > upper):
            break
        row += step
    return row - step
