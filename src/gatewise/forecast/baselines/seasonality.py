"""Seasonality: the seasonal adjustment of many windows.

Letters: `B` windows, `N` values of the longest past, `m` steps of a season, `h` horizon.

Reference: S. Makridakis, E. Spiliotis, V. Assimakopoulos, The M4 competition: 100,000 time series and 61 forecasting
methods, International Journal of Forecasting 36(1), 2020 (the adjustment of its benchmarks).
"""

from dataclasses import dataclass

import numpy as np

from gatewise.forecast.baselines.windows import Pasts
from gatewise.series.seasonality import SEASONS_NEEDED, seasonal

SMALLEST_INDEX = 0.01  # a smaller factor means that values are near zero; then the adjustment is additive


@dataclass(frozen=True)
class Adjusted:
    """Seasonally adjusted pasts.

    Attributes:
        values: (B, N) without the season, 0 after the end of a past.
        factors: (B, m) of the season, 1 where it is not multiplicative.
        terms: (B, m) of the season, 0 where it is not additive.
    """

    values: np.ndarray
    factors: np.ndarray
    terms: np.ndarray

    def restore(self, forecasts: np.ndarray, phases: np.ndarray) -> np.ndarray:
        """Forecasts (B, h) with the season, at phases (B, h) from 0 to m - 1."""
        factors, terms = (np.take_along_axis(part, phases, 1) for part in (self.factors, self.terms))
        return np.asarray(forecasts * factors + terms)


def adjust(pasts: Pasts, values: np.ndarray, season: int) -> Adjusted:
    """Remove the season from the windows in which the test finds one.

    The season is multiplicative if all values are positive, else additive; it is estimated by the classical
    decomposition, from the ratios to (differences from) a centred moving average over one season.

    Arguments:
        pasts: of the windows.
        values: (B, N) their values, which may be scaled.
        season: m, steps.
    """
    factors, terms = np.ones((len(pasts), season)), np.zeros((len(pasts), season))
    rows = np.flatnonzero(pasts.sizes >= SEASONS_NEEDED * season) if season > 1 else np.empty(0, np.int64)
    rows = rows[seasonal(values[rows], pasts.sizes[rows], season)]
    if not len(rows):
        return Adjusted(values, factors, terms)
    y, inside, observed = values[rows], pasts.within[rows], pasts.observed[rows]
    trend, centred = _moving_average(y, pasts.sizes[rows], season)
    usable, positive = centred & observed, np.where(inside, y, 1.0).min(1) > 0
    ratios = np.divide(y, trend, out=np.zeros_like(y), where=usable & positive[:, None])
    indices = _phase_means(ratios, usable, season)
    means = indices.mean(1, keepdims=True)
    indices = np.divide(indices, means, out=np.ones_like(indices), where=means > 0)
    multiplicative = positive & (indices.min(1) >= SMALLEST_INDEX)
    differences = _phase_means(np.where(usable, y - trend, 0.0), usable, season)
    factors[rows] = np.where(multiplicative[:, None], indices, 1.0)
    terms[rows] = np.where(multiplicative[:, None], 0.0, differences - differences.mean(1, keepdims=True))
    phases = np.arange(values.shape[1]) % season
    adjusted = np.where(pasts.within, (values - terms[:, phases]) / factors[:, phases], 0.0)
    return Adjusted(adjusted, factors, terms)


def _moving_average(y: np.ndarray, sizes: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """The centred moving average (B, N) over a season, and where the whole season is known."""
    half, columns = season // 2, np.arange(y.shape[1])
    centred = (columns >= half) & (columns < (sizes - half)[:, None])
    before = np.concatenate([np.zeros((len(y), 1)), np.cumsum(y, axis=1)], axis=1)
    low, high = np.maximum(columns - half, 0), np.minimum(columns + half, y.shape[1] - 1)
    total = before[:, high + 1] - before[:, low]
    if season % 2 == 0:
        total = total - (y[:, low] + y[:, high]) / 2
    return np.where(centred, total / season, 1.0), centred


def _phase_means(values: np.ndarray, usable: np.ndarray, season: int) -> np.ndarray:
    """The mean (B, m) of the usable values at each phase; the mean of the others at a phase without one."""
    fill = -values.shape[1] % season
    stacked, counted = (
        np.pad(part, ((0, 0), (0, fill))).reshape(len(values), -1, season) for part in (values * usable, usable)
    )
    counts = counted.sum(1)
    means = stacked.sum(1) / np.maximum(counts, 1)
    overall = means.sum(1, keepdims=True) / np.maximum((counts > 0).sum(1, keepdims=True), 1)
    return np.asarray(np.where(counts > 0, means, overall))
