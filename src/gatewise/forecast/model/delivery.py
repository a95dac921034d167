"""Delivery: the forecast that is delivered is that of the network, of a baseline, or their average.

Averages of different methods are often better than each of them (J. M. Bates and C. W. J. Granger, The combination of
forecasts, 1969), and validation errors of a short series say little about the next ones. On 71 short series (47
generated, 24 pieces of real ones), the errors of the method with the lowest validation error were 0.82 and 0.95 times
those of the network (geometric means), those of the average with the ridge regression 0.85 and 0.85 times. With few
validation errors, the average is delivered unless one part of it is clearly worse (0.84 and 0.88 times; this is safe
where one part fails). With many, a single method must be better than the average by 5 %: the network is at a
disadvantage on the validation set, because it has not been trained on the values just before, as the baselines have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gatewise.forecast import baselines
from gatewise.forecast.conformal import Calibration

NONE, NAIVE, BEST = "none", "naive", "best"  # of `fallback`, beside the names of baselines
AVERAGE = 0.5  # weight of the network in an average
MANY_ERRORS = 100  # independent validation errors, from which on the mean errors decide
MARGIN = 0.95  # times the error of the average: the error of a method that is delivered alone
CLEARLY_WORSE = 2.0  # times the error of the other part: left out of an average of few errors
CLEARLY_BETTER = 0.6  # times the error of the ridge regression: another baseline replaces it in the average
FALLBACKS = (BEST, NONE, NAIVE, *baselines.NAMES)


@dataclass(frozen=True)
class Method:
    """A way to forecast, with its errors on the validation set.

    Attributes:
        weight: of the network: 1 for the network, 0 for a baseline, between them for an average.
        baseline: name of the baseline; "" for the network alone.
        error: validation MASE.
        calibration: of the intervals, from the validation errors.
        lift: of sums of means over sums of medians on the validation set, see `mean_lift`; 0 after loading.

    >>> import numpy as np
    >>> calibration = Calibration.of(np.ones((2, 1)), np.ones((2, 1)), span=2)
    >>> [Method(weight, "Theta", 0.5, calibration).describe("LSTM") for weight in (0.0, 0.5)]
    ['Theta', 'average of LSTM and Theta']
    """

    weight: float
    baseline: str
    error: float
    calibration: Calibration
    lift: float = 0.0

    def describe(self, network: str) -> str:
        """The name, for a network of this name."""
        if self.weight == 1:
            return network
        return f"average of {network} and {self.baseline}" if self.weight else self.baseline


def partner(methods: Sequence[Method], errors: float) -> Method:
    """The baseline of the average: the best one, or with few errors the ridge regression unless it is clearly worse.

    Arguments:
        methods: all baselines.
        errors: number of independent validation errors.
    """
    best = min(methods, key=lambda method: method.error)
    ridge = next((method for method in methods if method.baseline == baselines.RIDGE), best)
    return best if errors >= MANY_ERRORS or best.error < CLEARLY_BETTER * ridge.error else ridge


def choose(fallback: str, network: Method, others: Sequence[Method], errors: float) -> Method:
    """The method to deliver.

    Arguments:
        fallback: "best" chooses by validation errors; "none" the network; "naive" or the name of a baseline
            that baseline (of several the best) if its validation error is not higher than the network's.
        network: the network.
        others: the baselines, then the average of the network and one of them.
        errors: number of independent validation errors.
    """
    if fallback == NONE:
        return network
    if fallback == BEST:
        return _best(network, others[:-1], others[-1], errors)
    names = baselines.NAIVE_NAMES if fallback == NAIVE else (fallback,)
    allowed = [method for method in others if not method.weight and method.baseline in names]
    best = min(allowed, key=lambda method: method.error, default=network)
    return best if best.error <= network.error else network


def _best(network: Method, methods: Sequence[Method], average: Method, errors: float) -> Method:
    exact = next((method for method in methods if not method.error), None)
    if exact is not None:
        return exact
    if errors >= MANY_ERRORS:
        best = min((*methods, network), key=lambda method: method.error)
        return best if best.error < MARGIN * average.error else average
    baseline = next(method for method in methods if method.baseline == average.baseline)
    if network.error >= CLEARLY_WORSE * baseline.error:
        return baseline
    return network if baseline.error > CLEARLY_WORSE * network.error else average
