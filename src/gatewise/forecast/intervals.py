"""Intervals: as wide as the errors made on held-out data say.

Letters: `h` horizon, `O` origins of held-out forecasts, `K` steps of each.

Locally weighted conformal prediction (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, Distribution-free predictive
inference for regression, 2018, section 5.2): an error e at step k after a window of spread s counts as the distance

    |e| / (s k^b)

and the interval of a level reaches, on both sides of the forecast, so many s k^b as the level's quantile of the
held-out distances. The spread lets the interval follow the series where it varies more; b, the growth of the errors
with the horizon, is fitted to them (0.5 for a random walk, 0 where the past soon tells nothing more). Held-out
forecasts of one series overlap, so the guarantee of that theory holds only roughly: measure it by a backtest.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

RANDOM_WALK = 0.5


@dataclass(frozen=True)
class Calibration:
    """How large errors were on held-out data.

    Attributes:
        growth: b, from 0 to 1.
        distances: (O * K,) sorted.
    """

    growth: float
    distances: np.ndarray

    @classmethod
    def of(cls, errors: np.ndarray, spreads: np.ndarray) -> "Calibration":
        """Calibrate on errors (O, K) of forecasts after windows whose spreads are (O,), all above 0.

        >>> errors = np.sqrt(np.arange(1.0, 5.0)) * np.array([[1.0], [-2.0], [3.0]])
        >>> found = Calibration.of(errors, np.ones(3))
        >>> round(found.growth, 6), found.distances.round(6).tolist()
        (0.5, [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0])
        """
        local = np.abs(errors) / spreads[:, None]
        growth = _growth(local)
        steps = np.arange(1, local.shape[1] + 1)
        return cls(growth, np.sort(local / steps**growth, axis=None))

    def reach(self, spread: float, horizon: int, level: float) -> np.ndarray:
        """How far the interval of a level in percent reaches from the forecast on either side, at each step: (h,).

        The quantile is the r-th smallest of n distances, r = ceil((n + 1) level / 100). Where r is beyond n, the
        largest is taken further by the tail of a normal distribution.

        >>> Calibration(0.5, np.arange(1.0, 10.0)).reach(2.0, 4, 80).round(3).tolist()
        [16.0, 22.627, 27.713, 32.0]
        """
        steps = np.arange(1, horizon + 1)
        reach: np.ndarray = self._quantile(level) * spread * steps**self.growth
        return reach

    def in_words(self) -> str:
        """How many errors the intervals rest on."""
        n = len(self.distances)
        tail = f"; levels above {100 * n / (n + 1):.3g} % by a normal tail" if n < 1000 else ""
        return f"intervals: sized by {n} held-out errors{tail}"

    def _quantile(self, level: float) -> float:
        n = len(self.distances)
        rank = int(np.ceil((n + 1) * level / 100))
        if rank <= n:
            return float(self.distances[rank - 1])
        known, wanted = (NormalDist().inv_cdf(0.5 + share / 2) for share in (n / (n + 1), level / 100))
        return float(self.distances[-1] * wanted / known)


def _growth(local: np.ndarray) -> float:
    """The slope of log mean error over log step, by least squares; that of a random walk where it cannot be told."""
    means = local.mean(axis=0)
    known = means > 0
    if known.sum() < 2:
        return RANDOM_WALK
    slope, _ = np.polyfit(np.log(np.arange(1, len(means) + 1)[known]), np.log(means[known]), 1)
    return float(np.clip(slope, 0, 1))
