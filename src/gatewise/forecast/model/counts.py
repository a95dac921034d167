"""Counts: the forecasts of intermittent series, as distributions of counts.

The median of a series that is mostly zero is zero, and its errors are not symmetric. The forecast of such a series is
therefore its mean demand, and its intervals and sample paths come from a negative binomial distribution:

    mean_j = rate factor_j,   variance_j = mean_j + dispersion mean_j²

The rate is that of Croston's method, with a factor for each step of the season. A factor compares the demands at its
step with those expected without a season, and is shrunk to that of all intermittent series whose values end on the same
date, and with them to 1. The dispersion compares squared errors with those of a Poisson distribution, and is shrunk to
that of these series. Both need no values after the cut. Sample paths share one random rate, because the rate itself is
an estimate; apart from it, steps are independent, and so are different series.

Letters: `W` test windows, `R` windows of intermittent series, `h` horizon, `B` windows of a block, `N` values of the
longest past, `m` steps of a season, `G` dates at which the values of windows end.

References: M. Evans, N. Hastings, B. Peacock, Statistical distributions, 3rd edition 2000, for the negative binomial
distribution as a Poisson distribution with a gamma-distributed rate, and its moments.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gatewise.forecast.baselines import Pasts, Values, demand, demand_intervals, launched, longest_past
from gatewise.forecast.conformal.negative_binomial import quantiles
from gatewise.forecast.limits import NO_LIMITS, Limits
from gatewise.forecast.model.constant_end import constant_ends
from gatewise.series import Series

NAME = "Croston's mean demand"
LONGEST_SEASON, MOST_FACTORS = 400, 2**22  # steps, factors of all dates: without a season beyond, to bound the memory
SEASON_WEIGHT = 20.0  # demands by which factors are shrunk
DISPERSION_WEIGHT = 5.0  # sum of squared means by which the dispersion is shrunk
USUAL_DISPERSION, USUAL_WEIGHT = 0.5, 0.5  # of a panel, and its weight in series


@dataclass(frozen=True)
class Counts:
    """Distributions of counts for some of W windows.

    Attributes:
        rows: (R,) positions of the windows.
        mean: (R, h) mean demands.
        dispersion: (R,) of the steps around the rate.
        uncertainty: (R,) variance of the rate, relative to its square.
        limits: of the forecasts.
    """

    rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    mean: np.ndarray = field(default_factory=lambda: np.empty((0, 1)))
    dispersion: np.ndarray = field(default_factory=lambda: np.empty(0))
    uncertainty: np.ndarray = field(default_factory=lambda: np.empty(0))
    limits: Limits = NO_LIMITS

    @classmethod
    def of(
        cls,
        series: Sequence[Series],
        which: np.ndarray,
        cuts: np.ndarray,
        horizon: int,
        season: int,
        limits: Limits = NO_LIMITS,
    ) -> "Counts":
        """The distributions for the windows in which a series is intermittent, and has not stopped to change.

        Arguments:
            series: the series of all windows.
            which: (W,) positions in `series`.
            cuts: (W,) number of known values.
            horizon: h, steps.
            season: m, steps; 1 for none.
            limits: of the forecasts.

        >>> sales = np.random.default_rng(0).poisson(0.4, 60).astype(float)
        >>> counts = Counts.of([Series("A", np.arange(60), sales)], np.array([0]), np.array([60]), 2, season=1)
        >>> counts.mean.round(2).tolist(), counts.quantile(np.zeros((1, 2)), 0.9).tolist()
        ([[0.53, 0.53]], [[2.0, 2.0]])
        """
        rows, _ = _intermittent(series, which, cuts, season)
        if not len(rows):
            return cls()
        ends = [series[k].ds[cut - 1] for k, cut in zip(which[rows].tolist(), cuts[rows].tolist(), strict=True)]
        codes = {end: code for code, end in enumerate(dict.fromkeys(ends))}
        windows = _Windows(series, which[rows], cuts[rows], np.array([codes[end] for end in ends]), season)
        return cls(rows, *windows.estimates(horizon), limits)

    def point(self, values: np.ndarray) -> np.ndarray:
        """Forecasts (W, h) with the mean demands in their rows."""
        return self._replaced(values, self.limits.point(self.mean))

    def quantile(self, values: np.ndarray, probability: float) -> np.ndarray:
        """Values (W, h) with the quantiles of a probability in their rows."""
        dispersion = (1 + self.dispersion) * (1 + self.uncertainty) - 1
        return self._replaced(values, self.limits.point(quantiles(self.mean, dispersion[:, None], probability)))

    def bounds(self, bounds: tuple[np.ndarray, np.ndarray], level: float) -> tuple[np.ndarray, np.ndarray]:
        """Bounds (W, h) of intervals of a level in percent, with those of the distributions in their rows."""
        lower, upper = bounds
        return self.quantile(lower, (100 - level) / 200), self.quantile(upper, (100 + level) / 200)

    def paths(self, samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Sample paths (W, count, h) with random counts in their rows."""
        paths, (_, count, horizon) = samples.copy() if len(self.rows) else samples, samples.shape
        for row, mean, dispersion, uncertainty in zip(
            self.rows, self.mean, self.dispersion, self.uncertainty, strict=True
        ):
            rates = mean * _gamma(uncertainty, (count, 1), generator) * _gamma(dispersion, (count, horizon), generator)
            paths[row] = self.limits.point(generator.poisson(rates).astype(float))
        return paths

    def _replaced(self, values: np.ndarray, own: np.ndarray) -> np.ndarray:
        if not len(self.rows):
            return values
        replaced = values.copy()
        replaced[self.rows] = own
        return replaced


def describe(series: Sequence[Series], rows: np.ndarray, intervals: np.ndarray, integer: bool) -> tuple[str, ...]:
    """A sentence for `guesses` about the intermittent series (R,), with their intervals (R,)."""
    if not len(rows):
        return ()
    name, rounded = str(series[rows[0]].unique_id), " (rounded, because of integer=True)" if integer else ""
    first = series[0]
    covariates = any(part is not None for part in (first.past, first.known, first.static))
    return (
        f"intermittent: {len(rows)} of {len(series)} series (ADI {intervals[0]:.1f} for {name!r}); their forecasts are "
        f"mean demands of Croston's method{rounded}, their intervals those of a negative binomial distribution"
        f"{'; they read no covariates' if covariates else ''}",
    )


def intermittent_ends(series: Sequence[Series], season: int) -> tuple[np.ndarray, np.ndarray]:
    """The series (R,) that are intermittent up to their ends, and their average intervals (R,) between demands."""
    return _intermittent(series, np.arange(len(series)), np.array([len(one) for one in series]), season)


def _intermittent(
    series: Sequence[Series], which: np.ndarray, cuts: np.ndarray, season: int
) -> tuple[np.ndarray, np.ndarray]:
    """The windows (R,) in which a series is intermittent and has not stopped to change, and its intervals (R,)."""
    intervals = demand_intervals(series, which, cuts, season)
    rows = np.flatnonzero(~np.isnan(intervals))
    if len(rows):
        rows = rows[np.isnan(constant_ends(series, which[rows], cuts[rows], season))]
    return rows, intervals[rows]


@dataclass(frozen=True)
class _Windows:
    """Windows (R,) of intermittent series, with the code (R,) of the date at which the values of each end."""

    series: Sequence[Series]
    which: np.ndarray
    cuts: np.ndarray
    dates: np.ndarray
    season: int

    def estimates(self, horizon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The means (R, h), the dispersions (R,) and the uncertainties (R,) of the rates."""
        few = self.season <= LONGEST_SEASON and self.season * (self.dates.max() + 1) <= MOST_FACTORS
        season = self.season if few else 1
        means = np.empty((len(self.which), horizon))
        rates, concentration, excess, squares = np.empty((4, len(self.which)))
        pooled = self._pooled(season)
        for rows, pasts in self._blocks():
            demands, phases = demand(pasts), _phases(pasts, season)
            factors = _factors(*_by_phase(pasts, demands.size, phases, season), pooled[self.dates[rows]])
            mean = _mean(pasts)[:, None] * np.take_along_axis(factors, phases, 1) * pasts.observed
            excess[rows] = ((pasts.values - mean) ** 2 - mean).sum(1)
            squares[rows] = (mean**2).sum(1)
            rates[rows] = demands.rate
            means[rows] = rates[rows, None] * factors[:, np.arange(horizon) % season]
            occasions = (pasts.values > 0).sum(1) / pasts.observed.sum(1)
            concentration[rows] = demands.concentration * occasions
        dispersion = self._dispersion(excess, squares)
        return means, dispersion, concentration * (1 / rates + dispersion)

    def _blocks(self) -> Iterator[tuple[np.ndarray, Pasts]]:
        """The pasts in blocks, with 0 where no value was observed."""
        values = Values.of(self.series, self.which)
        for rows, pasts in values.blocks(self.which, self.cuts, longest_past(self.season)):
            yield rows, launched(replace(pasts, values=np.where(pasts.observed, pasts.values, 0.0)))

    def _pooled(self, season: int) -> np.ndarray:
        """The factors (G, m) of all series whose values end on the same date."""
        sums, expected = np.zeros((2, self.dates.max() + 1, season))
        for rows, pasts in self._blocks() if season > 1 else ():
            parts = _by_phase(pasts, demand(pasts).size, _phases(pasts, season), season)
            for total, part in zip((sums, expected), parts, strict=True):
                np.add.at(total, self.dates[rows], part)
        return _factors(sums, expected, np.ones_like(sums))

    def _dispersion(self, excess: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """The dispersions (R,), shrunk to the weighted mean of all series whose values end on the same date."""
        weights = squares / (squares + DISPERSION_WEIGHT)
        total = np.bincount(self.dates, weights * excess / squares) + USUAL_WEIGHT * USUAL_DISPERSION
        pooled = (total / (np.bincount(self.dates, weights) + USUAL_WEIGHT))[self.dates]
        shrunk = (excess + DISPERSION_WEIGHT * pooled) / (squares + DISPERSION_WEIGHT)
        return np.asarray(np.maximum(shrunk, 0.0))


def _phases(pasts: Pasts, season: int) -> np.ndarray:
    """(B, N) the step of the season of each value; 0 is that of the first forecast."""
    return np.asarray((np.arange(pasts.values.shape[1]) - (pasts.sizes + pasts.gaps)[:, None]) % season)


def _mean(pasts: Pasts) -> np.ndarray:
    """(B,) the mean of the observed values."""
    return np.asarray(pasts.values.sum(1) / pasts.observed.sum(1))


def _by_phase(pasts: Pasts, size: np.ndarray, phases: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """The demand (B, m) at each step of the season and the expected one, in units of the size (B,) of a demand."""
    places = (np.arange(len(pasts))[:, None] * season + phases).ravel()
    shape, units = (len(pasts), season), pasts.values / size[:, None]
    sums = np.bincount(places, units.ravel(), minlength=len(pasts) * season).reshape(shape)
    counts = np.bincount(places, pasts.observed.ravel(), minlength=len(pasts) * season).reshape(shape)
    return sums, counts * (_mean(pasts) / size)[:, None]


def _factors(sums: np.ndarray, expected: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """The factors (B, m), with mean 1: posterior means of Poisson rates with a gamma prior."""
    factors = (sums + SEASON_WEIGHT * prior) / (expected + SEASON_WEIGHT)
    return np.asarray(factors / factors.mean(1, keepdims=True))


def _gamma(variance: float, shape: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Random numbers with mean 1."""
    if variance == 0:
        return np.ones(shape)
    return generator.gamma(1 / variance, variance, shape)
