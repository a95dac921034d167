"""Delivery: the forecast that is delivered is that of the network, of a baseline, or an average of several.

Averages of different methods are often better than each of them (J. M. Bates and C. W. J. Granger, The combination of
forecasts, 1969). With few validation errors, which say little about the next ones, the delivered forecast is an average
of the network, the ridge regression and Theta, weighted with a power of their validation errors:

    w_i ~ 1 / error_i^p

On the last values of 94 short pieces (36 of real series, 58 generated) its errors were 0.78 times those of the network,
0.91 times those of the equal-weight average of the network and the ridge regression, and 0.93 times those of the method
with the lowest validation error (geometric means).

With many, it is the average of the network and the best baseline, and a single method must be better than this average
by 5 %: the network is at a disadvantage on the validation set, because it has not been trained on the values just
before, as the baselines have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatewise.forecast import baselines
from gatewise.forecast.conformal import Calibration

NONE, NAIVE, BEST = "none", "naive", "best"  # of `fallback`, beside the names of baselines
NETWORK = "network"  # its name among the parts of an average
AVERAGED = (NETWORK, baselines.RIDGE, baselines.THETA)  # with few validation errors
POWER = 3  # p; 2 and 4 are as good
SMALLEST_WEIGHT = 0.05  # a part with a smaller one is left out
MANY_ERRORS = 100  # independent validation errors, from which on the mean errors decide
MARGIN = 0.95  # times the error of the average: the error of a method that is delivered alone
FALLBACKS = (BEST, NONE, NAIVE, *baselines.NAMES)


@dataclass(frozen=True)
class Method:
    """A way to forecast, with its errors on the validation set.

    Attributes:
        weights: of the parts of an average, above 0; their sum is 1. A part is `NETWORK` or the name of a baseline.
        error: validation MASE.
        calibration: of the intervals, from the validation errors.

    >>> import numpy as np
    >>> calibration = Calibration.of(np.ones((2, 1)), np.ones((2, 1)), span=2)
    >>> parts = {"Theta": 1.0}, {"network": 0.5, "Theta": 0.5}, {"network": 0.2, "Ridge": 0.45, "Theta": 0.35}
    >>> [Method(weights, 0.5, calibration).describe("LSTM") for weights in parts]
    ['Theta', 'average of LSTM and Theta', 'average of LSTM, Ridge and Theta']
    """

    weights: Mapping[str, float]
    error: float
    calibration: Calibration

    @property
    def baselines(self) -> tuple[str, ...]:
        """The baselines among the parts."""
        return tuple(name for name in self.weights if name != NETWORK)

    def is_part(self, name: str) -> bool:
        """Whether the method is the network or a baseline of this name, not an average."""
        return tuple(self.weights) == (name,)

    def describe(self, network: str) -> str:
        """The name, for a network of this name."""
        names = [network if name == NETWORK else name for name in self.weights]
        return f"average of {', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]

    def describe_weights(self) -> str:
        """The weights of an average in percent, such as "; weights 20, 45 and 35 %"; "" for equal weights."""
        percent = [f"{100 * weight:.0f}" for weight in self.weights.values()]
        return f"; weights {', '.join(percent[:-1])} and {percent[-1]} %" if len(set(percent)) > 1 else ""


def average_weights(methods: Sequence[Method], errors: float) -> dict[str, float]:
    """The weights of the average.

    Arguments:
        methods: the network and all baselines.
        errors: number of independent validation errors.

    >>> import numpy as np
    >>> calibration = Calibration.of(np.ones((2, 1)), np.ones((2, 1)), span=2)
    >>> errors_by_name = {"network": 2.0, "Ridge": 1.0, "SES": 0.9}
    >>> methods = [Method({name: 1.0}, error, calibration) for name, error in errors_by_name.items()]
    >>> average_weights(methods, 10), average_weights(methods, 1000)
    ({'network': 0.111..., 'Ridge': 0.888...}, {'network': 0.5, 'SES': 0.5})
    """
    by_name = {name: method.error for method in methods for name in method.weights}
    if errors >= MANY_ERRORS:
        best = min((name for name in by_name if name != NETWORK), key=lambda name: by_name[name])
        return {NETWORK: 0.5, best: 0.5}
    least = min(by_name[name] for name in AVERAGED if name in by_name)
    if not least:
        return {next(name for name in AVERAGED if by_name.get(name) == 0): 1.0}
    powers = {name: (least / by_name[name]) ** POWER for name in AVERAGED if name in by_name}
    for limit in (SMALLEST_WEIGHT, 0.0):  # first without small weights, then normalised
        total = sum(powers.values())
        powers = {name: power / total for name, power in powers.items() if power >= limit * total}
    return powers


def choose(fallback: str, network: Method, others: Sequence[Method], errors: float) -> Method:
    """The method to deliver.

    Arguments:
        fallback: "best" chooses by validation errors; "none" the network; "naive" or the name of a baseline
            that baseline (of several the best) if its validation error is not higher than the network's.
        network: the network.
        others: the baselines, then the average.
        errors: number of independent validation errors.
    """
    if fallback == NONE:
        return network
    if fallback == BEST:
        return _best(network, others[:-1], others[-1], errors)
    names = baselines.NAIVE_NAMES if fallback == NAIVE else (fallback,)
    allowed = [method for method in others if any(method.is_part(name) for name in names)]
    best = min(allowed, key=lambda method: method.error, default=network)
    return best if best.error <= network.error else network


def _best(network: Method, methods: Sequence[Method], average: Method, errors: float) -> Method:
    exact = next((method for method in methods if not method.error), None)
    if exact is not None:
        return exact
    if errors < MANY_ERRORS:
        return average
    best = min((*methods, network), key=lambda method: method.error)
    return best if best.error < MARGIN * average.error else average
