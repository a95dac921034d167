"""Gaps: series whose missing values stay missing (fill="none"), and what stands in for these values in computations.

A value that stands in is always an earlier observed one, so that nothing depends on a later value.

Letters: T time steps.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gatewise.series.panel import Series

LONGEST_GAP = 365  # steps; longer gaps count as this long


def carried(y: np.ndarray, missing: np.ndarray, season: int = 1) -> np.ndarray:
    """(T,) values in which the last observed value replaces each missing one.

    Arguments:
        y: (T,) values; those that are missing are not read.
        missing: (T,) bool.
        season: steps; above 1 the last observed value that lies whole seasons before is used, if there is one.

    >>> y, missing = np.array([1.0, 2.0, 3.0, 0.0, 0.0]), np.array([False, False, False, True, True])
    >>> carried(y, missing).tolist(), carried(y, missing, season=3).tolist()
    ([1.0, 2.0, 3.0, 3.0, 3.0], [1.0, 2.0, 3.0, 1.0, 2.0])
    """
    own = np.where(missing, -1, np.arange(len(y)))
    rows = np.pad(own, (0, -len(y) % season), constant_values=-1).reshape(-1, season)
    same_phase = np.maximum.accumulate(rows).ravel()[: len(y)]
    source = np.where(same_phase < 0, np.maximum.accumulate(own), same_phase)
    values: np.ndarray = np.where(source < 0, 0.0, y[source])
    return values


def mask_features(missing: np.ndarray) -> np.ndarray:
    """(T, 2) what a network reads about missing values: the mask, and the time since the last observed value.

        m_t = 1 if value t is observed, 0 if it is missing
        d_t = log(1 + steps since the last observed value) / log(1 + 365), at most 1

    Reference: Z. Che, S. Purushotham, K. Cho, D. Sontag, Y. Liu, Recurrent neural networks for multivariate time series
    with missing values, Scientific Reports 8, 2018.

    >>> mask_features(np.array([False, True, True, False])).round(2).tolist()
    [[1.0, 0.0], [0.0, 0.12], [0.0, 0.19], [1.0, 0.0]]
    """
    steps = np.arange(len(missing))
    gaps = steps - np.maximum.accumulate(np.where(missing, -1, steps))
    time = np.minimum(np.log1p(gaps) / np.log1p(LONGEST_GAP), 1.0)
    return np.stack([(~missing).astype(float), time], axis=1)


def seasonally_carried(series: Sequence[Series], season: int) -> list[Series]:
    """The series, in which earlier seasons stand in for the values that stay missing; `filled` remains."""
    return [
        replace(one_series, y=carried(one_series.y, one_series.filled, season))
        if one_series.masked and one_series.filled is not None
        else one_series
        for one_series in series
    ]
