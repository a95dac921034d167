"""Intervals: as wide as the errors made on held-out data say.

Letters: `h` horizon, `O` cutoffs of held-out forecasts, `K` steps of each.

Locally weighted conformal prediction (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, Distribution-free predictive
inference for regression, 2018, section 5.2): an error e at step k after a window of spread s counts as the distance

    |e| / (s_k k^b)

and the interval of a level reaches, on both sides of the forecast, so many s_k k^b as the level's quantile of the
held-out distances. The spread s_k, that of the window or what the network answers for each step, lets the interval
follow the series where it varies more; b, the growth of the errors with the horizon, is fitted to them, with a pull
towards what is known before: 0.5, that of a random walk, or 0 where the network answers a spread for each step.

The errors of forecasts that overlap repeat each other: those of W held-out steps of S series count as S W / 2
independent ones, and the fewer there are, the farther out is the quantile that holds its promise. Yet series change
their ways, so the guarantee of the theory holds only roughly: measure it by a backtest. Errors that are seen later take
the place of old ones (`renewed`), so that intervals follow a series that has become calmer or wilder.

Sample paths follow the errors of whole held-out forecasts, drawn at random: so that they hang together from step to
step as those did.
"""

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

RANDOM_WALK = 0.5
PULL = 6.0  # of the growth known before: as strong as one forecast of 13 steps, whose log steps have such a variance
MOST_DISTANCES, MOST_PATHS = 20_000, 500  # kept: more make no difference


@dataclass(frozen=True)
class Calibration:
    """How large errors were on held-out data.

    Attributes:
        growth: b, from 0 to 1.
        distances: sorted, (O * K,) or fewer.
        errors: (at most 500, K) errors of whole forecasts as signed distances; of the shape (0, K) if none is whole.
        span: how many steps of time the errors stand for: those held out of a series.
        series: how many series they are of.
        renewals: how often newer errors took the place of old ones.
    """

    growth: float
    distances: np.ndarray
    errors: np.ndarray
    span: int
    series: int = 1
    renewals: int = 0

    @classmethod
    def of(cls, errors: np.ndarray, spreads: np.ndarray, span: int, series: int = 1) -> "Calibration":
        """Calibrate on errors (O, K), NaN where unknown, of forecasts with spreads (O, K) or (O, 1), all above 0.

        >>> errors = np.sqrt(np.arange(1.0, 5.0)) * np.array([[1.0], [-2.0], [3.0]])
        >>> found = Calibration.of(errors, np.ones((3, 1)), span=6)
        >>> round(found.growth, 6), found.distances.round(6).tolist()
        (0.5, [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0])
        """
        steps = (spreads != spreads[:, :1]).any()  # has each step a spread of its own?
        forecasts = series * span / errors.shape[1]  # that do not overlap
        growth = _growth(np.abs(errors / spreads), 0.0 if steps else RANDOM_WALK, PULL / forecasts)
        distances, whole = _measured(errors, spreads, growth)
        return cls(growth, _thinned(distances, MOST_DISTANCES), _thinned(whole, MOST_PATHS), span, series)

    def renewed(self, errors: np.ndarray, spreads: np.ndarray, share: float) -> "Calibration":
        """With newer errors (O, K'), NaN where unknown, in the place of a share of the old ones, drawn at random."""
        chance = np.random.default_rng(self.renewals)
        distances, whole = _measured(errors, spreads, self.growth)
        paths = self.errors if whole.shape[1] != self.errors.shape[1] else _mixed(self.errors, whole, share, chance)
        distances = np.sort(_mixed(self.distances, distances, share, chance))
        return replace(self, distances=distances, errors=paths, renewals=self.renewals + 1)

    def reach(self, spreads: np.ndarray, level: float) -> np.ndarray:
        """How far the interval of a level in percent reaches from the forecast on either side: (B, h) as spreads.

        The quantile is that of (n + 1) / n times the level, n being the number of independent errors. Where that is
        beyond 100 %, the largest distance is taken further by the tail of a normal distribution.

        >>> known = Calibration(0.5, np.arange(1.0, 10.0), np.empty((0, 1)), span=18)
        >>> known.reach(np.full((1, 4), 2.0), 80).round(3).tolist()
        [[16.0, 22.627, 27.713, 32.0]]
        """
        reach: np.ndarray = self._quantile(level) * self._grown(spreads)
        return reach

    def paths(self, mean: np.ndarray, spreads: np.ndarray, count: int, chance: np.random.Generator) -> np.ndarray:
        """(B, count, h) sample paths around forecasts (B, h)."""
        batch, horizon = mean.shape
        known = self._moved(self.errors) if len(self.errors) else np.array([[-1.0], [1.0]]) * self._quantile(68)
        blocks = -(-horizon // known.shape[1])
        drawn = known[chance.integers(len(known), size=(batch, count, blocks))]
        errors = drawn.reshape(batch, count, -1)[..., :horizon]
        paths: np.ndarray = mean[:, None] + errors * self._grown(spreads)[:, None]
        return paths

    def _grown(self, spreads: np.ndarray) -> np.ndarray:
        grown: np.ndarray = spreads * np.arange(1, spreads.shape[-1] + 1) ** self.growth
        return grown

    def in_words(self) -> str:
        """How many errors the intervals rest on."""
        n = self._independent
        tail = f"; levels above {100 * n / (n + 1):.3g} % by a normal tail" if n < 1000 else ""
        return f"intervals: sized by {len(self.distances)} held-out errors, {n:.0f} of them independent{tail}"

    @property
    def _independent(self) -> float:
        """How many errors there would be if each told something new."""
        return float(min(len(self.distances), max(2.0, self.series * self.span / 2)))

    def _quantile(self, level: float) -> float:
        return float(self._quantiles(np.array([level / 100]))[0])

    def _quantiles(self, chances: np.ndarray) -> np.ndarray:
        """The distance that an error is to stay within with each of some chances between 0 and 1."""
        n, count = self._independent, len(self.distances)
        shares = (n + 1) / n * chances
        ranks = np.ceil(shares * count - 1e-9).clip(1, count).astype(int)  # less rounding
        found: np.ndarray = self.distances[ranks - 1]
        if (beyond := shares > 1).any():
            known = _normal(n / (n + 1))
            found[beyond] *= [_normal(chance) / known for chance in chances[beyond]]
        return found

    def _moved(self, errors: np.ndarray) -> np.ndarray:
        """Errors moved so that as many lie within each interval as it promises."""
        own = np.sort(np.abs(errors), axis=None)
        count = len(own)
        places = np.searchsorted(own, np.abs(errors), side="right")
        reached = self._quantiles(np.arange(1, count + 1) / (count + 1))
        moved: np.ndarray = np.sign(errors) * reached[places - 1]
        return moved


def _normal(chance: float) -> float:
    """How many standard deviations a normal error stays within with a chance."""
    return NormalDist().inv_cdf(0.5 + chance / 2)


def _growth(local: np.ndarray, usual: float, pull: float) -> float:
    """The slope of log mean error over log step, by least squares with a pull towards the usual one."""
    counts = (~np.isnan(local)).sum(axis=0)
    means = np.where(counts > 0, np.nansum(local, axis=0) / np.maximum(counts, 1), 0.0)
    known = means > 0
    if known.sum() < 2:
        return usual
    x, y = np.log(np.arange(1, len(means) + 1)[known]), np.log(means[known])
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x @ y + pull * usual) / (x @ x + pull), 0, 1))


def _measured(errors: np.ndarray, spreads: np.ndarray, growth: float) -> tuple[np.ndarray, np.ndarray]:
    """Distances, sorted, and the errors (W, K) of whole forecasts as signed distances."""
    signed = errors / spreads / np.arange(1, errors.shape[1] + 1) ** growth
    return np.sort(np.abs(signed[~np.isnan(signed)])), signed[~np.isnan(signed).any(axis=1)]


def _mixed(old: np.ndarray, new: np.ndarray, share: float, chance: np.random.Generator) -> np.ndarray:
    """As many rows as there were, a share of them new."""
    if not len(new):
        return old
    count = round(min(share, 1.0) * len(old))
    kept = chance.permutation(len(old))[: len(old) - count]
    added = chance.permutation(len(new))[np.arange(count) % len(new)]
    return np.concatenate([old[kept], new[added]])


def _thinned(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many rows, evenly spread, the last among them."""
    if len(rows) <= most:
        return rows
    thinned: np.ndarray = rows[(np.arange(1, most + 1) * len(rows) + most - 1) // most - 1]
    return thinned
