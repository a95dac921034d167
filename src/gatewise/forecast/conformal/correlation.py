"""The correlation of the errors of different series at the same dates.

Letters: `O` cutoffs of the validation forecasts, `K` steps of each, `S` series.
"""

from typing import NamedTuple

import numpy as np
import torch

LARGEST = 0.95  # correlation: paths of different series stay different
OVERLAP = 4  # dates within the steps of a forecast


class Origins(NamedTuple):
    """Where validation forecasts start.

    Attributes:
        series: (O,) number of the series.
        times: (O,) number of the date; forecasts with the same number are simultaneous.
    """

    series: np.ndarray
    times: np.ndarray


def correlation(distances: np.ndarray, origins: Origins) -> float:
    """The mean correlation, from 0 to 0.95, of the mean errors of simultaneous forecasts of different series.

    Errors are replaced by their normal scores, so that no outlier decides. The mean score is subtracted, because skewed
    errors of independent series have one, too; with few dates only a part of it, as an error that is common to all
    series does not cancel in a sum. Forecasts that overlap are not independent: four dates count as one.

    Arguments:
        distances: (O, K), NaN where unknown.
        origins: of the forecasts.

    >>> origins = Origins(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]))
    >>> correlation(np.array([[1.0], [1.0], [-2.0], [-2.0]]), origins)
    0.95
    """
    known = ~np.isnan(distances).all(axis=1)
    series, times = origins.series[known], origins.times[known]
    if len(np.unique(series)) < 2:
        return 0.0
    scores, times = _means_by_series(_normal_scores(np.nanmean(distances[known], axis=1)), series, times)
    sizes = np.bincount(times)
    scores = scores - scores.mean() * (1 - 1 / max(1.0, len(sizes) / OVERLAP))
    pairs = sizes * (sizes - 1.0)
    if not pairs.any():
        return 0.0
    squares = np.bincount(times, scores**2)
    products = np.bincount(times, scores) ** 2 - squares
    together = sizes > 1
    variance = np.average(squares[together] / sizes[together], weights=pairs[together])
    if not variance > 0:
        return 0.0
    return float(np.clip(products.sum() / pairs.sum() / variance, 0.0, LARGEST))


def _normal_scores(errors: np.ndarray) -> np.ndarray:
    """Errors as if they were normal: each keeps its sign and the rank of its size."""
    sizes = np.sort(np.abs(errors))
    ranks = sum(np.searchsorted(sizes, np.abs(errors), side=side) for side in ("left", "right")) / 2
    levels = torch.from_numpy(ranks / len(errors))
    scores: np.ndarray = np.sign(errors) * torch.special.ndtri(0.5 + levels / 2).numpy()
    return scores


def _means_by_series(scores: np.ndarray, series: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean score of each series at each time, and the number of the time, from 0."""
    pairs, owner = np.unique(np.stack([times, series]), axis=1, return_inverse=True)
    owner = owner.ravel()
    means = np.bincount(owner, scores) / np.bincount(owner)
    return means, np.unique(pairs[0], return_inverse=True)[1]
