"""The point of the predictive distribution that is delivered as the forecast: its median or its mean.

Networks with loss="mae" forecast medians. For skewed values, such as sales, sums of medians are lower than the sums
that occur; sums of means are not. The mean is the median plus the mean of the validation errors, in units of the spread
of each forecast and step; see `Calibration.mean_errors`.
"""

import numpy as np

from gatewise.forecast.conformal import Calibration

POINTS = ("median", "mean")
NOTABLE = 0.01  # relative difference of sums of means and sums of medians, from which on `guesses` names it


def mean_lift(calibration: Calibration, forecast: np.ndarray, spreads: np.ndarray) -> float:
    """How much higher sums of means are than those of medians (B, h), as a fraction; 0 if it may be chance."""
    total = float(np.abs(forecast).sum())
    if not total > 0 or not calibration.is_biased:
        return 0.0
    return float(calibration.mean_errors(spreads).sum()) / total


def point_name(point: str, loss: str) -> str:
    """What a forecast is: a network that is trained with the loss "mse" forecasts the mean by itself.

    >>> point_name("median", "mae"), point_name("median", "mse"), point_name("mean", "mae")
    ('median', 'mean', 'mean')
    """
    return "mean" if loss == "mse" else point


def describe(point: str, loss: str, lift: float) -> str:
    """What the forecasts are, with a remark if their sums depend on it.

    >>> print(describe("median", "mae", 0.25))
    medians, whose sums are 20.0 % lower than those of means; point="mean" for totals
    >>> describe("median", "mae", 0.002), describe("mean", "mae", -0.04)
    ('medians', 'means, whose sums are 4.0 % lower than those of medians')
    """
    name = point_name(point, loss)
    if abs(lift) < NOTABLE or name != point:
        return f"{name}s"
    other, remedy = ("means", '; point="mean" for totals') if point == "median" else ("medians", "")
    higher = (lift > 0) == (point == "mean")
    relative = lift if point == "mean" else lift / (1 + lift)  # to the sums of the other one
    size = f"{abs(relative):.1%}".replace("%", " %")
    return f"{name}s, whose sums are {size} {'higher' if higher else 'lower'} than those of {other}{remedy}"
