"""The calibration of one model: from its validation errors to intervals, quantiles and sample paths.

Letters: `h` horizon, `B` forecasts, `O` cutoffs of the validation forecasts, `K` steps of each.
"""

from dataclasses import dataclass, replace

import numpy as np

from gatewise.forecast.conformal.adaptive import PROBABILITIES, adapted, follow, outside
from gatewise.forecast.conformal.correlation import Origins, correlation
from gatewise.forecast.conformal.earlier import earlier_paths
from gatewise.forecast.conformal.paths import path_probabilities
from gatewise.forecast.conformal.profile import (
    GROWTH_WEIGHT,
    RANDOM_WALK,
    extended,
    fit_growth,
    fit_profile,
    non_decreasing,
)
from gatewise.forecast.conformal.quantiles import SKEW_SIZE, absolute_quantiles, limited, signed_quantiles
from gatewise.forecast.conformal.shrinkage import shrinkage

MOST_DISTANCES, MOST_PATHS = 20_000, 500  # stored; more would not change the intervals
MOST_TOGETHER = 2**22  # values of sample paths, to bound the memory
CENTRAL = 80  # percent: the mean of a predictive distribution lies inside this interval
MANY = 100.0  # independent errors: from this number on, intervals may become narrower with the step


@dataclass(frozen=True)
class Calibration:
    """The distribution of validation errors.

    Attributes:
        growth: b, from 0 to 1.
        distances: sorted and signed, (O * K,) or fewer; without a profile, absolute.
        errors: (at most 500, K) errors of whole forecasts as signed distances; shape (0, K) if none is complete.
        span: validation steps of a series.
        series: number of series.
        recalibrations: number of times that newer errors replaced old ones.
        profile: (K,) g_k; None for a file without one, whose intervals are symmetric and grow as k^b.
        rho: correlation between series.
        rising: whether no interval is narrower than that of an earlier step.
        alphas: (A, K) of `conformal.adaptive`; None before the first outcome after the calibration.
    """

    growth: float
    distances: np.ndarray
    errors: np.ndarray
    span: int
    series: int = 1
    recalibrations: int = 0
    profile: np.ndarray | None = None
    rho: float = 0.0
    rising: bool = False
    alphas: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        errors: np.ndarray,
        spreads: np.ndarray,
        span: int,
        series: int = 1,
        reference: np.ndarray | None = None,
        *,
        past: float = 1.0,
        season: int = 1,
        origins: Origins | None = None,
    ) -> "Calibration":
        """Calibrate on validation errors.

        Arguments:
            errors: (O, K), NaN where unknown.
            spreads: (O, K) or (O, 1) of the forecasts, all above 0.
            span: validation steps of a series.
            series: number of series.
            reference: (O, K) errors of a naive forecast of the same values; by default, widths are not shrunk.
            past: size of the errors of the naive forecast over the whole past, relative to that on the validation set.
            season: steps of a season, 1 for none. With a season and many errors, intervals may become narrower with
                the step.
            origins: of the forecasts, for the correlation between series; by default, it is 0.

        >>> errors = np.sqrt(np.arange(1.0, 5.0)) * np.array([[1.0], [-2.0], [3.0]])
        >>> calibration = Calibration.of(errors, np.ones((3, 1)), span=6)
        >>> calibration.profile.round(3).tolist(), calibration.distances[[0, -1]].round(3).tolist()
        ([1.0, 1.414, 1.732, 2.0], [-2.0, 3.0])
        """
        ratios = errors / spreads
        by_step = (spreads != spreads[:, :1]).any()  # whether each step has its own spread
        prior = 0.0 if by_step else RANDOM_WALK
        rho = 0.0 if origins is None else correlation(ratios, origins)
        independent = series * span
        n = min(float((~np.isnan(errors)).sum()), max(2.0, independent / 2))
        steps = np.arange(1, errors.shape[1] + 1)
        sizes = np.abs(limited(ratios / steps**prior, n)) * steps**prior
        growth = fit_growth(sizes, prior, GROWTH_WEIGHT * errors.shape[1] / independent)
        counts = np.minimum((~np.isnan(errors)).sum(axis=0), independent / steps)
        profile = fit_profile(sizes, growth, counts)
        rising = season == 1 or n < MANY
        if rising or not by_step:
            profile = _rising_profile(profile, spreads, counts)
        shape = cls(growth, np.empty(0), errors[:0], span, series, 0, profile, rho, rising)
        grown = shape._grow(np.broadcast_to(spreads, errors.shape))
        signed = limited(errors / grown, n)
        reference = None if reference is None else reference / grown
        distances, paths = _stored(signed * shrinkage(signed, reference, past, n))
        return replace(shape, distances=distances, errors=paths)

    def recalibrated(self, errors: np.ndarray, spreads: np.ndarray, fraction: float) -> "Calibration":
        """A copy in which newer errors (O, K'), NaN where unknown, replace a random fraction of the old ones."""
        generator = np.random.default_rng(self.recalibrations)
        signed = errors / self._grow(np.broadcast_to(spreads, errors.shape))
        if self.profile is not None:
            signed = limited(signed, self.effective_size)
        newer, complete = _stored(signed)
        newer = np.sort(np.abs(newer)) if self.profile is None else newer
        same_length = errors.shape[1] == self.errors.shape[1]
        paths = _replace_rows(self.errors, complete, fraction, generator) if same_length else self.errors
        distances = np.sort(_replace_rows(self.distances, newer, fraction, generator))
        return replace(self, distances=distances, errors=paths, recalibrations=self.recalibrations + 1)

    def missed(self, errors: np.ndarray, spreads: np.ndarray) -> np.ndarray:
        """Whether outcomes lie outside the intervals of forecasts with errors and spreads (N, h); see `outside`.

        The intervals are those before limits and the range of the series cut them.
        """
        quantiles = self.quantiles(np.zeros(spreads.shape), spreads, PROBABILITIES)
        return outside(quantiles, errors, self._grow(spreads))

    def following(
        self, missed: np.ndarray, seen: np.ndarray, series: int, step: int, weight: float = 1.0
    ) -> "Calibration":
        """A copy whose levels are adapted to the coverage of forecasts; see `follow`."""
        if self.profile is None:  # of an old file, whose intervals stay as they were
            return self
        return replace(self, alphas=follow(self.alphas, missed, seen, series, step, weight))

    def bounds(self, mean: np.ndarray, spreads: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds, (B, h) each, of the intervals of a level in percent.

        Arguments:
            mean: (B, h) forecasts.
            spreads: (B, h) of the forecasts.
            level: between 0 and 100.

        >>> calibration = Calibration(0.5, np.arange(1.0, 10.0), np.empty((0, 1)), span=18)
        >>> lower, upper = calibration.bounds(np.zeros((1, 4)), np.full((1, 4), 2.0), 80)
        >>> upper.round(3).tolist(), bool((lower == -upper).all())
        ([[16.0, 22.627, 27.713, 32.0]], True)
        """
        grown = self._grow(spreads)
        sides = np.array([[-1], [1]])
        lower, upper = self._distance_quantiles(np.full((2, 1), level / 100), sides, grown.shape[-1])
        return mean + lower * grown, mean + upper * grown

    def quantiles(self, mean: np.ndarray, spreads: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """The quantiles (B, h, P) of forecasts (B, h) for probabilities (P,) between 0 and 1; that of 0.5 is the mean.

        >>> calibration = Calibration(0.5, np.arange(1.0, 10.0), np.empty((0, 1)), span=18)
        >>> calibration.quantiles(np.zeros((1, 1)), np.full((1, 1), 2.0), np.array([0.1, 0.5, 0.9])).tolist()
        [[[-16.0, 0.0, 16.0]]]
        """
        distances = self._distance_quantiles(*_levels(np.asarray(probabilities, float)[:, None]), mean.shape[-1]).T
        quantiles: np.ndarray = mean[..., None] + distances * self._grow(spreads)[..., None]
        return quantiles

    def paths(self, mean: np.ndarray, spreads: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
        """(B, count, h) sample paths around forecasts (B, h) of different series from the same date."""
        shape = (len(mean), count, mean.shape[1])
        if self.profile is None:
            distances = earlier_paths(self.errors, self.distances, self.effective_size, shape, generator)
        else:
            distances = path_probabilities(self.errors, shape, self.rho, generator)
            together = max(1, MOST_TOGETHER // (count * mean.shape[1]))
            for part in (slice(first, first + together) for first in range(0, len(mean), together)):
                distances[part] = self._distance_quantiles(*_levels(distances[part]), mean.shape[1])
        paths: np.ndarray = mean[:, None] + distances * self._grow(spreads)[:, None]
        return paths

    def growth_after_gaps(self, gaps: np.ndarray, horizon: int) -> np.ndarray:
        """How much larger errors (B, h) are if `gaps` (B,) values before the first step were not observed, at least 1.

        >>> calibration = Calibration(0.5, np.arange(1.0, 10.0), np.empty((0, 1)), span=18)
        >>> calibration.growth_after_gaps(np.array([0, 3]), 2).round(3).tolist()
        [[1.0, 1.0], [2.0, 1.581]]
        """
        units = np.ones((1, int(gaps.max()) + horizon))
        grown = self._grow(units)[0]
        steps = np.arange(horizon)
        return np.asarray(np.maximum(grown[gaps[:, None] + steps] / grown[steps], 1.0))

    def mean_errors(self, spreads: np.ndarray) -> np.ndarray:
        """The expected errors (B, h) of forecasts with these spreads, which turn medians into means.

        The mean of the signed distances is multiplied by m / (m + 30), where m = n / (1 + (S - 1) rho) for S series:
        a common shock of the validation set says little about the next ones. It lies inside the 80 % interval.

        >>> calibration = Calibration(0.0, np.array([-1.0, 0.0, 4.0]), np.empty((0, 1)), 120, profile=np.ones(1))
        >>> calibration.mean_errors(np.full((1, 2), 10.0)).round(3).tolist()  # n = 3
        [[0.909, 0.909]]
        """
        if self.profile is None:  # of an old file, whose distances have no sign
            return np.zeros(spreads.shape)
        mean = self._common_size / (self._common_size + SKEW_SIZE) * float(self.distances.mean())
        bounds = self.bounds(np.zeros(spreads.shape), spreads, CENTRAL)
        return np.asarray(np.clip(mean * self._grow(spreads), *bounds))

    @property
    def is_biased(self) -> bool:
        """Whether the mean of the signed distances differs from 0 by more than two standard errors."""
        error = float(self.distances.std()) / np.sqrt(self._common_size)
        return self.profile is not None and abs(float(self.distances.mean())) > 2 * error

    def describe(self) -> str:
        """The number of errors behind the intervals, for `guesses`."""
        n = self.effective_size
        tail = f"; levels above {100 * n / (n + 1):.3g} % use a normal approximation" if n < 1000 else ""
        together = f"; errors of different series have correlation {self.rho:.2f}" if self.rho else ""
        size = f"{len(self.distances)} validation errors (effective sample size {n:.0f})"
        return f"intervals: calibrated on {size}{together}{tail}"

    @property
    def effective_size(self) -> float:
        """n, the number of independent errors with the same information."""
        return float(min(len(self.distances), max(2.0, self.series * self.span / 2)))

    @property
    def _common_size(self) -> float:
        """m, the number of independent errors whose mean varies as much as that of the correlated ones."""
        return self.effective_size / (1 + (self.series - 1) * self.rho)

    def _grow(self, spreads: np.ndarray) -> np.ndarray:
        """Spreads (B, h) times the profile."""
        horizon = spreads.shape[-1]
        if self.profile is None:
            return np.asarray(spreads * np.arange(1, horizon + 1) ** self.growth)
        grown: np.ndarray = spreads * extended(self.profile, self.growth, horizon)
        return np.maximum.accumulate(grown, axis=-1) if self.rising else grown

    def _distance_quantiles(self, levels: np.ndarray, sides: np.ndarray, horizon: int) -> np.ndarray:
        """G: the bounds of intervals of levels (..., h or 1) from 0 to 1, below (-1) or above (1) the forecast."""
        levels = adapted(self.alphas, levels, horizon)
        if self.profile is None:
            return np.asarray(sides * absolute_quantiles(self.distances, self.effective_size, levels))
        return signed_quantiles(self.distances, self.effective_size, levels, sides)


def _levels(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The levels and sides of the intervals whose bounds are the quantiles of these probabilities."""
    return np.abs(2 * probabilities - 1), np.sign(probabilities - 0.5)


def _rising_profile(profile: np.ndarray, spreads: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The profile (K,), changed where necessary so that typical spreads times the profile do not decrease."""
    typical = np.log(spreads).mean(axis=0) + np.zeros(len(profile))
    rising: np.ndarray = np.exp(non_decreasing(typical + np.log(profile), np.maximum(counts, 1e-9)) - typical)
    return rising


def _stored(signed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distances and the errors of whole forecasts out of signed distances (O, K), NaN where unknown."""
    known = ~np.isnan(signed)
    return _thin(np.sort(signed[known]), MOST_DISTANCES), _thin(signed[known.all(axis=1)], MOST_PATHS)


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
