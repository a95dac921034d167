"""Shrinkage: few errors of a network say little about its widths, so that those of a naive forecast count as well.

Letters: `O` cutoffs of the validation forecasts, `K` steps of each.

Two things can make few validation errors untypical. The validation set may be unusually calm or volatile: the errors of
a naive forecast, whose size over the whole past is known, show this. And the skill of the network, the ratio of its
errors to those of the naive forecast, may be due to chance.
"""

import numpy as np

from gatewise.forecast.conformal.quantiles import limited

PAST_SIZE = 10.0  # independent errors for which half of the difference between validation set and past is corrected
SKILL_SIZE = 3.0  # independent errors for which half of the skill is believed
LARGEST_RATIO = 4.0  # of two sizes


def shrinkage(distances: np.ndarray, reference: np.ndarray | None, past: float, n: float) -> float:
    """The factor for the width of the intervals: (reference / own)^(3 / (n + 3)) past^(10 / (n + 10)).

    Arguments:
        distances: (O, K) of the forecasts to calibrate, NaN where unknown.
        reference: (O, K) of naive forecasts of the same values, in the same units; None if there are none.
        past: size of the errors of the naive forecast over the whole past, relative to that on the validation set.
        n: effective sample size.

    >>> shrinkage(np.array([[1.0, -1.0]]), np.array([[4.0, -4.0]]), 1.0, n=3.0)
    2.0
    """
    factor: float = _bounded(past) ** (PAST_SIZE / (n + PAST_SIZE))
    if reference is not None:
        factor *= _ratio(distances, reference, n) ** (SKILL_SIZE / (n + SKILL_SIZE))
    return factor


def _ratio(distances: np.ndarray, reference: np.ndarray, n: float) -> float:
    """The mean size of the reference, in units of that of the distances; 1 if either is 0 or unknown."""
    known = ~np.isnan(distances) & ~np.isnan(reference)
    if not known.any():
        return 1.0
    own, other = (float(np.abs(limited(errors[known], n)).mean()) for errors in (distances, reference))
    return _bounded(other / own) if own > 0 and other > 0 else 1.0


def _bounded(ratio: float) -> float:
    return min(max(ratio, 1 / LARGEST_RATIO), LARGEST_RATIO)
