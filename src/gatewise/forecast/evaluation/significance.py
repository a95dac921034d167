"""Significance: whether one forecast is better than another, or only luckier.

Diebold and Mariano (Comparing predictive accuracy, 1995) test the mean of the differences between the losses of two
forecasts in n cases. Their long-run variance is unreliable for few cases (Harvey, Leybourne and Newbold, Testing the
equality of prediction mean squared errors, 1997), so that this module counts cases instead: of cases that overlap with
`lag` cases to each side, m = (n + lag) / (lag + 1) do not overlap; of cases with correlation rho, such as series with
common causes, m = n / (1 + (n - 1) rho) are independent. With the mean d and the standard deviation s of differences
between cases that do not overlap,

    t = d sqrt(m) / s

is compared with Student's t distribution with m - 1 degrees of freedom. Without overlap and correlation that is their
test.
"""

import math
from collections.abc import Sequence

import numpy as np


def p_value(gains: Sequence[float] | np.ndarray, lag: int = 0, rho: float = 0.0) -> float:
    """The probability of a mean gain this large if both forecasts are equally good (one-sided).

    Arguments:
        gains: (n,) differences of the losses, in the order of time if they overlap.
        lag: cases to each side that overlap with a case.
        rho: correlation of the cases, from 0 to 1.

    Returns:
        0 to 1; 1 for fewer than two independent cases.

    >>> round(p_value([3.0, 2.0, 4.0]), 4), p_value([3.0]), p_value([0.0, 0.0])
    (0.0175, 1.0, 1.0)
    """
    d = np.asarray(gains, float)
    independent = (len(d) + lag) // (lag + 1) / (1 + (len(d) - 1) * rho)
    if independent < 2 or not d.any():
        return 1.0
    d = d / np.abs(d).max()  # squares of small gains underflow
    apart = [d[first :: lag + 1] for first in range(lag + 1)]
    squares = sum(float(np.square(part - part.mean()).sum()) for part in apart)
    deviation = math.sqrt(squares / max(1, sum(len(part) - 1 for part in apart)))
    if deviation <= 1e-12:  # all gains are equal
        return 0.0 if d.mean() > 0 else 1.0
    return 1 - student_cdf(d.mean() * math.sqrt(independent) / deviation, math.floor(independent) - 1)


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
