"""Conformal prediction: intervals and sample paths, calibrated on the errors of validation forecasts.

Letters: `h` horizon, `B` forecasts, `O` cutoffs of the validation forecasts, `K` steps of each.

Locally weighted conformal prediction (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, Distribution-free predictive
inference for regression, 2018, section 5.2): the distance (nonconformity score) of an error e at step k is

    |e| / (s_k k^b)

where s_k is the spread of the forecast. The interval of a level is the forecast +- q s_k k^b, where q is the level's
quantile of the validation distances. The spread is that of the window, or a network output for each step; intervals are
wider where the series varies more. The exponent b, the growth of the errors with the horizon, is fitted by regularised
least squares with the prior 0.5 (a random walk), or 0 if the network outputs a spread for each step.

Errors of overlapping forecasts are dependent. For W validation steps of S series, the effective sample size is set to
S W / 2; the smaller it is, the higher the quantile. Because series change over time, the coverage guarantee holds only
approximately; a backtest measures the coverage. Newer errors can replace old ones
(`recalibrated`), so that intervals follow a series that becomes calmer or more volatile.

Sample paths add randomly drawn errors of whole validation forecasts, which preserves the dependence between steps.
"""

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

RANDOM_WALK = 0.5
PRIOR_WEIGHT = 6.0  # of the prior growth: that of about 12 steps (the sum of squares of the centred log steps)
MOST_DISTANCES, MOST_PATHS = 20_000, 500  # stored; more would not change the intervals


@dataclass(frozen=True)
class Calibration:
    """The distribution of validation errors.

    Attributes:
        growth: b, from 0 to 1.
        distances: sorted, (O * K,) or fewer.
        errors: (at most 500, K) errors of whole forecasts as signed distances; shape (0, K) if none is complete.
        span: validation steps of a series.
        series: number of series.
        recalibrations: number of times that newer errors replaced old ones.
    """

    growth: float
    distances: np.ndarray
    errors: np.ndarray
    span: int
    series: int = 1
    recalibrations: int = 0

    @classmethod
    def of(cls, errors: np.ndarray, spreads: np.ndarray, span: int, series: int = 1) -> "Calibration":
        """Calibrate on errors (O, K), NaN where unknown, of forecasts with spreads (O, K) or (O, 1), all above 0.

        >>> errors = np.sqrt(np.arange(1.0, 5.0)) * np.array([[1.0], [-2.0], [3.0]])
        >>> calibration = Calibration.of(errors, np.ones((3, 1)), span=6)
        >>> round(calibration.growth, 6), calibration.distances.round(6).tolist()
        (0.5, [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0])
        """
        by_step = (spreads != spreads[:, :1]).any()  # whether each step has its own spread
        forecasts = series * span / errors.shape[1]  # non-overlapping ones
        growth = _fit_growth(np.abs(errors / spreads), 0.0 if by_step else RANDOM_WALK, PRIOR_WEIGHT / forecasts)
        distances, paths = _distances(errors, spreads, growth)
        return cls(growth, _thin(distances, MOST_DISTANCES), _thin(paths, MOST_PATHS), span, series)

    def recalibrated(self, errors: np.ndarray, spreads: np.ndarray, fraction: float) -> "Calibration":
        """A copy in which newer errors (O, K'), NaN where unknown, replace a random fraction of the old ones."""
        generator = np.random.default_rng(self.recalibrations)
        distances, paths = _distances(errors, spreads, self.growth)
        same_length = paths.shape[1] == self.errors.shape[1]
        paths = _replace_rows(self.errors, paths, fraction, generator) if same_length else self.errors
        distances = np.sort(_replace_rows(self.distances, distances, fraction, generator))
        return replace(self, distances=distances, errors=paths, recalibrations=self.recalibrations + 1)

    def half_widths(self, spreads: np.ndarray, level: float) -> np.ndarray:
        """Half the width (B, h) of the intervals of a level in percent, for forecasts with spreads (B, h).

        The quantile is taken at (n + 1) / n times the level, where n is the effective sample size. Above 100 %, a
        normal distribution extrapolates the largest distance.

        >>> calibration = Calibration(0.5, np.arange(1.0, 10.0), np.empty((0, 1)), span=18)
        >>> calibration.half_widths(np.full((1, 4), 2.0), 80).round(3).tolist()
        [[16.0, 22.627, 27.713, 32.0]]
        """
        widths: np.ndarray = self._quantile(level) * self._grow(spreads)
        return widths

    def paths(self, mean: np.ndarray, spreads: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
        """(B, count, h) sample paths around forecasts (B, h)."""
        batch, horizon = mean.shape
        known = self._matched(self.errors) if len(self.errors) else np.array([[-1.0], [1.0]]) * self._quantile(68)
        blocks = -(-horizon // known.shape[1])
        drawn = known[generator.integers(len(known), size=(batch, count, blocks))]
        errors = drawn.reshape(batch, count, -1)[..., :horizon]
        paths: np.ndarray = mean[:, None] + errors * self._grow(spreads)[:, None]
        return paths

    def describe(self) -> str:
        """The number of errors behind the intervals, for `guesses`."""
        n = self._effective_size
        tail = f"; levels above {100 * n / (n + 1):.3g} % use a normal approximation" if n < 1000 else ""
        return f"intervals: calibrated on {len(self.distances)} validation errors (effective sample size {n:.0f}){tail}"

    def _grow(self, spreads: np.ndarray) -> np.ndarray:
        """Spreads (B, h) times k^b."""
        grown: np.ndarray = spreads * np.arange(1, spreads.shape[-1] + 1) ** self.growth
        return grown

    @property
    def _effective_size(self) -> float:
        """The number of independent errors with the same information."""
        return float(min(len(self.distances), max(2.0, self.series * self.span / 2)))

    def _quantile(self, level: float) -> float:
        return float(self._quantiles(np.array([level / 100]))[0])

    def _quantiles(self, probabilities: np.ndarray) -> np.ndarray:
        """The distance that an error exceeds with probability 1 - p, for each p between 0 and 1."""
        n, count = self._effective_size, len(self.distances)
        adjusted = (n + 1) / n * probabilities
        ranks = np.ceil(adjusted * count - 1e-9).clip(1, count).astype(int)  # minus rounding error
        quantiles: np.ndarray = self.distances[ranks - 1]
        if (beyond := adjusted > 1).any():
            largest = _normal_quantile(n / (n + 1))
            quantiles[beyond] *= [_normal_quantile(p) / largest for p in probabilities[beyond]]
        return quantiles

    def _matched(self, errors: np.ndarray) -> np.ndarray:
        """Errors rescaled so that the interval of each level contains the stated fraction of them."""
        sizes = np.sort(np.abs(errors), axis=None)
        count = len(sizes)
        ranks = np.searchsorted(sizes, np.abs(errors), side="right")
        quantiles = self._quantiles(np.arange(1, count + 1) / (count + 1))
        matched: np.ndarray = np.sign(errors) * quantiles[ranks - 1]
        return matched


def _normal_quantile(probability: float) -> float:
    """The number of standard deviations that a normal error does not exceed with the given probability."""
    return NormalDist().inv_cdf(0.5 + probability / 2)


def _fit_growth(local: np.ndarray, prior: float, weight: float) -> float:
    """The slope of log mean error over log step, by least squares with a weight for the prior slope."""
    counts = (~np.isnan(local)).sum(axis=0)
    means = np.where(counts > 0, np.nansum(local, axis=0) / np.maximum(counts, 1), 0.0)
    known = means > 0
    if known.sum() < 2:
        return prior
    x, y = np.log(np.arange(1, len(means) + 1)[known]), np.log(means[known])
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x @ y + weight * prior) / (x @ x + weight), 0, 1))


def _distances(errors: np.ndarray, spreads: np.ndarray, growth: float) -> tuple[np.ndarray, np.ndarray]:
    """Distances, sorted, and the errors (W, K) of whole forecasts as signed distances."""
    signed = errors / spreads / np.arange(1, errors.shape[1] + 1) ** growth
    return np.sort(np.abs(signed[~np.isnan(signed)])), signed[~np.isnan(signed).any(axis=1)]


def _replace_rows(old: np.ndarray, new: np.ndarray, fraction: float, generator: np.random.Generator) -> np.ndarray:
    """`old` with a random fraction of its rows replaced by rows of `new`."""
    if not len(new):
        return old
    count = round(min(fraction, 1.0) * len(old))
    remaining = generator.permutation(len(old))[: len(old) - count]
    added = generator.permutation(len(new))[np.arange(count) % len(new)]
    return np.concatenate([old[remaining], new[added]])


def _thin(rows: np.ndarray, most: int) -> np.ndarray:
    """At most `most` rows, evenly spaced, the last among them."""
    if len(rows) <= most:
        return rows
    thinned: np.ndarray = rows[(np.arange(1, most + 1) * len(rows) + most - 1) // most - 1]
    return thinned
