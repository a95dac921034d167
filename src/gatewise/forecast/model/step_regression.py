"""Step regression: the most likely step of a series, beside its trend, its season and its noise.

Model: `x[t] = a + b t + season[t mod m] + w (t >= p) + noise[t]`, of the values or of their logarithms. Its changes
`d[t] = x[t] - x[t-1]` have the covariance `s² C`; then the shift is an impulse `w` at `p`, and with
`H = C⁻¹ - C⁻¹ D (Dᵀ C⁻¹ D)⁻¹ Dᵀ C⁻¹` (the columns of `D` are trend and season)

    w = (H d)[p] / H[p, p],    sum of squares = dᵀ H d - (H d)[p]² / H[p, p]    (generalised least squares)

`C` comes from a list of noise models between white noise and a random walk, with and without the shift by maximum
likelihood. A random walk therefore explains its own steps and is not taken for a series with a shift.

Reference: Chen & Liu 1993, "Joint estimation of model parameters and outlier effects in time series" (the impulse in
the changes; the choice of the noise model by likelihood on a fixed list replaces their iteration).

Letters: `T` values of a series, `N = T - 1` changes, `G` noise models, `m` season, `p` position, `w` size.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

ROUNDING = 1e-6  # in units of the range of the series: smaller residuals count as none
SMALLEST = 1e-100  # range of a constant series, so that logarithms stay finite

# The limits were chosen on generated series without a shift; a shift of four standard deviations exceeds all of them.
EVIDENCE = 18.0  # twice the gain in log-likelihood
SIZE = 2.5  # |w| in standard deviations of the noise
TEMPORARY = 1.1  # most that a change which returns to the old level may explain, in units of the shift
DOMINANCE = 10.0  # if the noise wanders: the squared step in units of the next largest one

MOVING_AVERAGE = (-0.4, 0.0, 0.3, 0.6, 0.8, 0.9, 1.0)  # d[t] = e[t] - c e[t-1]: 0 is a random walk, 1 white noise
SMOOTH = (0.4, 0.8)  # d[t] = c d[t-1] + e[t]: slow waves
STEADY = tuple(c >= 0.8 for c in MOVING_AVERAGE) + (False,) * len(SMOOTH)


@dataclass(frozen=True)
class _NoiseModels:
    """The matrix `H` of each noise model, its diagonal, and the logarithm of the determinant of `C`."""

    weights: np.ndarray  # (G, N, N)
    diagonal: np.ndarray  # (G, N)
    log_determinant: np.ndarray  # (G,)


@lru_cache(maxsize=32)
def _noise_models(size: int, season: int) -> _NoiseModels:
    """The noise models of series with `size` values."""
    lag = np.abs(np.subtract.outer(np.arange(size - 1), np.arange(size - 1)))
    covariances = np.array(
        [(1 + c * c) * (lag == 0) - c * (lag == 1) for c in MOVING_AVERAGE] + [c**lag / (1 - c * c) for c in SMOOTH]
    )
    inverse = np.linalg.inv(covariances)
    phases = np.eye(season)[np.arange(size) % season, 1:]
    design = np.column_stack([np.ones(size - 1), np.diff(phases, axis=0)])
    weighted = inverse @ design
    weights = inverse - weighted @ np.linalg.solve(design.T @ weighted, weighted.transpose(0, 2, 1))
    diagonal = np.diagonal(weights, axis1=1, axis2=2).copy()
    return _NoiseModels(weights, diagonal, np.linalg.slogdet(covariances)[1])


@dataclass(frozen=True)
class Step:
    """The most likely step of a series.

    Attributes:
        position: index of the first value after the step.
        size: `w`.
        log_likelihood: of the series with this step, up to a constant.
        evidence: twice the gain in log-likelihood over the series without a step.
        steady: whether the noise stays near the level; otherwise it wanders, as a random walk does.
        variance: of the noise, `s²`.
        weights, weighted: (N, N) `H` and (N,) `H d` of the noise model.
    """

    position: int
    size: float
    log_likelihood: float
    evidence: float
    steady: bool
    variance: float
    weights: np.ndarray
    weighted: np.ndarray

    def is_shift(self) -> bool:
        """Whether the step is clear, lasting, and not usual for the series."""
        if self.evidence <= EVIDENCE or self.size**2 <= SIZE**2 * self.variance:
            return False
        at, diagonal = self.position - 1, np.diagonal(self.weights)
        gain = self.size * self.weighted[at]
        spread = diagonal + diagonal[at] - 2 * self.weights[at]
        spread[at] = np.inf
        returning = (self.weighted - self.weighted[at]) ** 2 / spread  # gain of a step here and its reverse elsewhere
        rest = (self.weighted - self.weights[at] * self.size) ** 2 / diagonal  # gains of further steps
        others = np.delete(rest, [at - 1, at, at + 1])
        return bool(returning.max() < TEMPORARY * gain and (self.steady or gain > DOMINANCE * others.max()))


def best_step(values: np.ndarray, season: int, first: int, last: int, positive: bool) -> tuple[Step, bool]:
    """The most likely step with its first value in [first, last], and whether it is one of the logarithms.

    Logarithms are considered if the series is positive: the values may be means over values that are not.
    """
    additive = step(values, season, first, last)
    if not positive:
        return additive, False
    logarithms = np.log(values)
    relative = step(logarithms, season, first, last)
    degrees = (len(values) - 1 - season) / len(values)
    jacobian = -degrees * logarithms.sum()  # the density of y is that of log(y), divided by y
    return (relative, True) if relative.log_likelihood + jacobian > additive.log_likelihood else (additive, False)


def step(x: np.ndarray, season: int, first: int, last: int) -> Step:
    """The most likely step of `x` with its first value in [first, last]."""
    models = _noise_models(len(x), season)
    change = np.diff(x)
    weighted = models.weights @ change  # (G, N), H d
    degrees = len(change) - season
    floor = degrees * (ROUNDING * max(np.ptp(x), SMALLEST)) ** 2
    squares = weighted @ change + floor
    candidates = slice(first - 1, last)  # change p - 1 leads to value p
    gains = weighted[:, candidates] ** 2 / models.diagonal[:, candidates]
    remaining = np.maximum(squares - gains.max(1), floor)
    without = _log_likelihood(squares, degrees, models)
    likelihood = _log_likelihood(remaining, degrees, models)
    model = int(likelihood.argmax())
    position = int(gains[model].argmax()) + first
    return Step(
        position=position,
        size=float(weighted[model, position - 1] / models.diagonal[model, position - 1]),
        log_likelihood=float(likelihood[model]),
        evidence=float(2 * (likelihood[model] - without.max())),
        steady=STEADY[model],
        variance=float(remaining[model]) / degrees,
        weights=models.weights[model],
        weighted=weighted[model],
    )


def _log_likelihood(squares: np.ndarray, degrees: int, models: _NoiseModels) -> np.ndarray:
    """(G,) the log-likelihood of each noise model, up to a constant."""
    result: np.ndarray = -0.5 * (degrees * np.log(squares / degrees) + models.log_determinant)
    return result
