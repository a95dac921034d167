"""Rivals: the naive forecasts that a model must beat, of one past or of many at once.

Letters: `W` held-out windows, `h` horizon.

A window is a series and a cut: how many of its values are known. The naive forecasts need a few of them, so that no
past is copied. A value that fill= invented after the last observed one before the cut may know what came later; the
last observed value stands in its place.

Reference: R. J. Hyndman, G. Athanasopoulos, Forecasting: principles and practice, 3rd edition 2021, section 5.2.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from gatewise.series import Series

NAIVE, DRIFT, SEASONAL = "Naive", "Drift", "SeasonalNaive"


def naive(y: np.ndarray, horizon: int) -> np.ndarray:
    """The last value, again and again.

    >>> naive(np.array([1.0, 2.0, 3.0]), 2)
    array([3., 3.])
    """
    return np.repeat(y[-1], horizon)


def drift(y: np.ndarray, horizon: int) -> np.ndarray:
    """On along the line from the first value to the last: the naive forecast of a series that grows or falls.

    >>> drift(np.array([1.0, 4.0, 3.0]), 2)
    array([4., 5.])
    """
    slope = (y[-1] - y[0]) / max(len(y) - 1, 1)
    return np.asarray(y[-1] + slope * np.arange(1, horizon + 1))


def seasonal_naive(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The values of the last season, again and again; the last value where there is no whole season.

    >>> seasonal_naive(np.array([1.0, 2.0, 3.0]), 3, season=2)
    array([2., 3., 2.])
    """
    return np.resize(y[-season:], horizon) if len(y) >= season else naive(y, horizon)


def forecasts(
    series: Sequence[Series], which: np.ndarray, cuts: np.ndarray, horizon: int, season: int
) -> dict[str, np.ndarray]:
    """The naive forecasts of many windows.

    Arguments:
        series: that the windows lie in.
        which: (W,) positions in `series`.
        cuts: (W,) how many values are known, at least 1.
        horizon: steps of each forecast, h.
        season: steps; 1 for none, and then there is no seasonal naive forecast.

    Returns:
        (W, h) by name: Naive, Drift and SeasonalNaive, each as the function of one past has it.

    >>> one = Series("A", np.arange(4), np.array([1.0, 4.0, 2.0, 3.0]))
    >>> made = forecasts([one], np.array([0, 0]), np.array([1, 4]), horizon=2, season=2)
    >>> made["Naive"].tolist(), made["SeasonalNaive"].tolist()
    ([[1.0, 1.0], [3.0, 3.0]], [[1.0, 1.0], [2.0, 3.0]])
    """
    names = (NAIVE, DRIFT) if season == 1 else (NAIVE, DRIFT, SEASONAL)
    made = {name: np.empty((len(cuts), horizon)) for name in names}
    steps = np.arange(horizon)
    for k, rows in grouped(which):
        y, known, last = series[k].y, cuts[rows], last_observed(series[k], cuts[rows])
        end = y[last, None]
        made[NAIVE][rows] = end
        made[DRIFT][rows] = end + (end - y[0]) / np.maximum(known[:, None] - 1, 1) * (steps + 1)
        if season > 1:
            back = np.where(known >= season, known - season, known - 1)[:, None]
            within = np.where(known >= season, season, 1)[:, None]
            made[SEASONAL][rows] = y[np.minimum(back + steps % within, last[:, None])]
    return made


def grouped(which: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each series that has windows, with their positions.

    >>> [(k, rows.tolist()) for k, rows in grouped(np.array([3, 0, 3]))]
    [(0, [1]), (3, [0, 2])]
    """
    order = np.argsort(which, kind="stable")
    found, starts = np.unique(which[order], return_index=True)
    yield from zip(found.tolist(), np.split(order, starts[1:]), strict=True)


def last_observed(one: Series, cuts: np.ndarray) -> np.ndarray:
    """The position of the last observed value before each cut.

    Where all values before a cut were filled in, that of the last of them: they are zeros, which know nothing of later.
    """
    if one.filled is None:
        return cuts - 1
    last = np.maximum.accumulate(np.where(one.filled, -1, np.arange(len(one))))[cuts - 1]
    return np.where(last < 0, cuts - 1, last)


def known(one: Series, cut: int) -> Series:
    """A series as it was known before a cut: values filled in with the help of later ones become the last true one."""
    at = np.minimum(np.arange(cut), last_observed(one, np.array([cut])))
    return Series(one.unique_id, one.ds[:cut], one.y[at])
