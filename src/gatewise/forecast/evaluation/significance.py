"""Significance: whether one forecast is better than another, or only luckier.

Diebold and Mariano (Comparing predictive accuracy, 1995) test the mean d of the differences between the losses of two
forecasts in n cases. If the cases overlap, differences up to `lag` cases apart are correlated, and the variance of the
mean is

    v = (g_0 + 2 (g_1 + ... + g_lag)) / n

with the autocovariances g_k of the differences. Harvey, Leybourne and Newbold (Testing the equality of prediction mean
squared errors, 1997) correct d / sqrt(v) for few cases by the factor

    sqrt((n - 1 - 2 lag + lag (lag + 1) / n) / n)

and compare it with Student's t distribution with n - 1 degrees of freedom.
"""

import math
from collections.abc import Sequence

import numpy as np


def p_value(gains: Sequence[float] | np.ndarray, lag: int = 0) -> float:
    """The probability of a mean gain this large if both forecasts are equally good (one-sided).

    Arguments:
        gains: (n,) differences of the losses, in the order of time if they overlap.
        lag: cases to each side that overlap with a case.

    Returns:
        0 to 1; 1 for fewer than two cases that do not overlap.

    >>> round(p_value([3.0, 2.0, 4.0]), 4), p_value([3.0]), p_value([0.0, 0.0])
    (0.0175, 1.0, 1.0)
    """
    d = np.asarray(gains, float)
    n = len(d)
    if n < lag + 2 or not d.any():
        return 1.0
    d = d / np.abs(d).max()  # squares of small gains underflow
    centred = d - d.mean()
    covariances = [float(centred[k:] @ centred[: n - k]) / n for k in range(lag + 1)]
    variance = (covariances[0] + 2 * sum(covariances[1:])) / n
    if variance <= 0:
        variance = covariances[0] / n  # the estimate with few overlapping cases may be negative
    if variance <= 1e-24:  # all gains are equal
        return 0.0 if d.mean() > 0 else 1.0
    correction = max(n - 1 - 2 * lag + lag * (lag + 1) / n, 0.0) / n
    return 1 - student_cdf(d.mean() / math.sqrt(variance) * math.sqrt(correction), n - 1)


def student_cdf(t: float, degrees: int) -> float:
    """The distribution function of Student's t for a whole number of degrees of freedom.

    The closed forms of Abramowitz and Stegun, Handbook of mathematical functions, 26.7.3 and 26.7.4; above 200 degrees
    the normal distribution.

    >>> round(student_cdf(2.919986, 2), 6), round(student_cdf(-1.0, 1), 6)
    (0.95, 0.25)
    """
    if degrees > 200:
        return 0.5 * math.erfc(-t / math.sqrt(2))
    angle = math.atan2(t, math.sqrt(degrees))
    cosine, total, term = math.cos(angle), 0.0, 1.0
    odd = degrees % 2
    for k in range(1 + odd, degrees, 2):
        total += term
        term *= cosine**2 * k / (k + 1)
    inside = math.sin(angle) * total
    if odd:
        inside = 2 / math.pi * (angle + inside * cosine)
    return (1 + inside) / 2
