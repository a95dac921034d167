"""The intervals and paths of files that hold no profile, as the version that wrote these files computed them.

Letters: `B` forecasts, `h` horizon, `N` distances, `M` stored errors of whole forecasts, `K` steps of each.
"""

import numpy as np

from gatewise.forecast.conformal.quantiles import absolute_quantiles


def earlier_paths(
    errors: np.ndarray, distances: np.ndarray, n: float, shape: tuple[int, int, int], generator: np.random.Generator
) -> np.ndarray:
    """Errors (B, count, h) of paths as distances: whole errors (M, K), each series drawn by itself."""
    batch, count, horizon = shape
    if len(errors):
        known = _matched(errors, distances, n)
    else:
        known = np.array([[-1.0], [1.0]]) * absolute_quantiles(distances, n, np.array([0.68]))
    drawn = known[generator.integers(len(known), size=(batch, count, -(-horizon // known.shape[1])))]
    paths: np.ndarray = drawn.reshape(batch, count, -1)[..., :horizon]
    return paths


def _matched(errors: np.ndarray, distances: np.ndarray, n: float) -> np.ndarray:
    """Errors rescaled so that the interval of each level contains the stated fraction of them."""
    sizes = np.sort(np.abs(errors), axis=None)
    count = len(sizes)
    ranks = np.searchsorted(sizes, np.abs(errors), side="right")
    quantiles = absolute_quantiles(distances, n, np.arange(1, count + 1) / (count + 1))
    matched: np.ndarray = np.sign(errors) * quantiles[ranks - 1]
    return matched
