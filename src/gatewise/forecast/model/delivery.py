"""Delivery: the forecast that is delivered is that of the network, of a baseline, or their average.

Averages of different methods are often better than each of them (J. M. Bates and C. W. J. Granger, The combination of
forecasts, 1969).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gatewise.forecast import baselines
from gatewise.forecast.conformal import Calibration

NONE, NAIVE, BEST = "none", "naive", "best"  # of `fallback`, beside the names of baselines
FALLBACKS = (BEST, NONE, NAIVE, *baselines.NAMES)


@dataclass(frozen=True)
class Method:
    """A way to forecast, with its errors on the validation set.

    Attributes:
        weight: of the network: 1 for the network, 0 for a baseline, between them for an average.
        baseline: name of the baseline; "" for the network alone.
        error: validation MASE.
        calibration: of the intervals, from the validation errors.

    >>> import numpy as np
    >>> calibration = Calibration.of(np.ones((2, 1)), np.ones((2, 1)), span=2)
    >>> [Method(weight, "Theta", 0.5, calibration).describe("LSTM") for weight in (0.0, 0.5)]
    ['Theta', 'average of LSTM and Theta']
    """

    weight: float
    baseline: str
    error: float
    calibration: Calibration

    def describe(self, network: str) -> str:
        """The name, for a network of this name."""
        if self.weight == 1:
            return network
        return f"average of {network} and {self.baseline}" if self.weight else self.baseline


def choose(fallback: str, network: Method, others: Sequence[Method]) -> Method:
    """The method to deliver.

    Arguments:
        fallback: "best" chooses the lowest validation error; "none" the network; "naive" or the name of a baseline
            that baseline (of several the best) if its validation error is not higher than the network's.
        network: the network.
        others: baselines and averages.
    """
    if fallback == NONE:
        return network
    if fallback == BEST:
        return min((*others, network), key=lambda method: method.error)
    names = baselines.NAIVE_NAMES if fallback == NAIVE else (fallback,)
    allowed = [method for method in others if not method.weight and method.baseline in names]
    best = min(allowed, key=lambda method: method.error, default=network)
    return best if best.error <= network.error else network
