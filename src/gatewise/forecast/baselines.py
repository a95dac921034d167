"""Baselines: the naive forecasts that a model must beat, for one series or for many test windows at once.

Letters: `W` test windows, `h` horizon.

A test window is given by a series and a cut, the number of values that are known. Filled values (fill=) before the cut
may depend on values after it, so the last observed value replaces them.

Reference: R. J. Hyndman, G. Athanasopoulos, Forecasting: principles and practice, 3rd edition 2021, section 5.2.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from gatewise.series import Series

NAIVE, DRIFT, SEASONAL = "Naive", "Drift", "SeasonalNaive"
NAMES = (NAIVE, DRIFT, SEASONAL)


def naive(y: np.ndarray, horizon: int) -> np.ndarray:
    """The last value, repeated.

    >>> naive(np.array([1.0, 2.0, 3.0]), 2)
    array([3., 3.])
    """
    return np.repeat(y[-1], horizon)


def drift(y: np.ndarray, horizon: int) -> np.ndarray:
    """The line through the first and the last value, extrapolated: the naive forecast for a series with a trend.

    >>> drift(np.array([1.0, 4.0, 3.0]), 2)
    array([4., 5.])
    """
    slope = (y[-1] - y[0]) / max(len(y) - 1, 1)
    return np.asarray(y[-1] + slope * np.arange(1, horizon + 1))


def seasonal_naive(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The values of the last season, repeated; the last value if the past is shorter than a season.

    >>> seasonal_naive(np.array([1.0, 2.0, 3.0]), 3, season=2)
    array([2., 3., 2.])
    """
    return np.resize(y[-season:], horizon) if len(y) >= season else naive(y, horizon)


def forecasts(
    series: Sequence[Series], which: np.ndarray, cuts: np.ndarray, horizon: int, season: int
) -> dict[str, np.ndarray]:
    """The naive forecasts of many test windows.

    Arguments:
        series: the series of all windows.
        which: (W,) positions in `series`.
        cuts: (W,) number of known values, at least 1.
        horizon: steps of each forecast, h.
        season: steps of a season; 1 for none, which omits the seasonal naive forecast.

    Returns:
        Forecasts (W, h) by name: Naive, Drift and SeasonalNaive, each equal to `naive`, `drift` or `seasonal_naive`.

    >>> series = Series("A", np.arange(4), np.array([1.0, 4.0, 2.0, 3.0]))
    >>> by_name = forecasts([series], np.array([0, 0]), np.array([1, 4]), horizon=2, season=2)
    >>> by_name["Naive"].tolist(), by_name["SeasonalNaive"].tolist()
    ([[1.0, 1.0], [3.0, 3.0]], [[1.0, 1.0], [2.0, 3.0]])
    """
    names = (NAIVE, DRIFT) if season == 1 else (NAIVE, DRIFT, SEASONAL)
    by_name = {name: np.empty((len(cuts), horizon)) for name in names}
    steps = np.arange(horizon)
    for k, rows in grouped(which):
        y, known, last = series[k].y, cuts[rows], last_observed(series[k], cuts[rows])
        end = y[last, None]
        by_name[NAIVE][rows] = end
        by_name[DRIFT][rows] = end + (end - y[0]) / np.maximum(known[:, None] - 1, 1) * (steps + 1)
        if season > 1:
            back = np.where(known >= season, known - season, known - 1)[:, None]
            within = np.where(known >= season, season, 1)[:, None]
            by_name[SEASONAL][rows] = y[np.minimum(back + steps % within, last[:, None])]
    return by_name


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
