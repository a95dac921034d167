"""Delivery: the forecast that is delivered is that of the network, of a baseline, or an average of several.

Averages of different methods are often better than each of them (J. M. Bates and C. W. J. Granger, The combination of
forecasts, 1969). By default, a weighted average is delivered:

    w_i ~ 1 / error_i^p

with the validation errors of the methods i. Few errors say little about the next ones: then p is 3, and the average is
that of the network, the ridge regression and Theta. On the last values of 94 short pieces (36 of real series, 58
generated) its errors were 0.78 times those of the network, 0.91 times those of the equal-weight average of the network
and the ridge regression, and 0.93 times those of the method with the lowest validation error (geometric means). With
many errors, p is 6, and the average is that of the network and the best baseline: on 8 panels its errors were 0.98
times those with equal weights.
Where the network uses no season, although a series holds two seasons of the calendar, the seasonal naive forecast joins
the average of few errors: on the next values of 53 such pieces (41 of real series, 12 generated) the errors were 0.84
times those without it (geometric mean).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gatewise.forecast import baselines
from gatewise.forecast.baselines import is_naive
from gatewise.forecast.conformal import Calibration

NONE, NAIVE, BEST = "none", "naive", "best"  # of `fallback`, beside the names of baselines
NETWORK = "network"  # its name among the parts of an average
AVERAGED = (NETWORK, baselines.RIDGE, baselines.THETA)  # with few validation errors
SMALLEST_WEIGHT = 0.05  # a part with a smaller one is left out
MANY_ERRORS = 100  # independent validation errors
POWER, POWER_OF_MANY = 3, 6  # p
FALLBACKS = (BEST, NONE, NAIVE, *baselines.NAMES)
COUNTING = (BEST, baselines.CROSTON)  # with these, intermittent series are forecast as counts


@dataclass(frozen=True)
class Method:
    """A way to forecast, with its errors on the validation set.

    Attributes:
        weights: of the parts of an average, above 0; their sum is 1. A part is `NETWORK` or the name of a baseline.
        error: validation MASE.
        calibration: of the intervals, from the validation errors.
        lift: of sums of means over sums of medians on the validation set, see `mean_lift`; 0 after loading.

    >>> import numpy as np
    >>> calibration = Calibration.of(np.ones((2, 1)), np.ones((2, 1)), span=2)
    >>> parts = {"Theta": 1.0}, {"network": 0.5, "Theta": 0.5}, {"network": 0.2, "Ridge": 0.45, "Theta": 0.35}
    >>> [Method(weights, 0.5, calibration).describe("LSTM") for weights in parts]
    ['Theta', 'average of LSTM and Theta', 'average of LSTM, Ridge and Theta']
    """

    weights: Mapping[str, float]
    error: float
    calibration: Calibration
    lift: float = 0.0

    @property
    def baselines(self) -> tuple[str, ...]:
        """The baselines among the parts."""
        return tuple(name for name in self.weights if name != NETWORK)

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
    ({'network': 0.11..., 'Ridge': 0.88...}, {'SES': 1.0})
    """
    by_name = {name: method.error for method in methods for name in method.weights if name != baselines.CROSTON}
    names, power = [name for name in (*AVERAGED, *_reference(by_name)) if name in by_name], POWER
    if errors >= MANY_ERRORS:
        best = min((name for name in by_name if name != NETWORK), key=lambda name: by_name[name])
        names, power = [NETWORK, best], POWER_OF_MANY
    least = min(by_name[name] for name in names)
    if not least:
        return {next(name for name in names if not by_name[name]): 1.0}
    powers = {name: (least / by_name[name]) ** power for name in names}
    for limit in (SMALLEST_WEIGHT, 0.0):  # first without small weights, then normalised
        total = sum(powers.values())
        powers = {name: power / total for name, power in powers.items() if power >= limit * total}
    return powers


def _reference(names: Iterable[str]) -> list[str]:
    """The seasonal naive forecast that stands in where the network uses no season; none where it uses one.

    >>> _reference(["Naive", "SeasonalNaive12"]), _reference(["Naive", "SeasonalNaive", "SeasonalNaive168"])
    (['SeasonalNaive12'], [])
    """
    names = list(names)
    return [] if baselines.SEASONAL in names else [name for name in names if baselines.longer_seasons([name])][:1]


def choose(fallback: str, network: Method, others: Sequence[Method]) -> Method:
    """The method to deliver.

    Arguments:
        fallback: "best" is the average, or a baseline without errors; "none" the network; "naive" or the name of a
            baseline that baseline (of several the best) if its validation error is not higher than the network's.
        network: the network.
        others: the baselines, then the average.
    """
    if fallback == NONE:
        return network
    if fallback == BEST:
        regular = (method for method in others if baselines.CROSTON not in method.weights)  # for counts see `.counts`
        return next((method for method in regular if not method.error), others[-1])
    singles = [method for method in others if len(method.weights) == 1]
    naive = fallback == NAIVE
    allowed = [one for one in singles if fallback in one.weights or (naive and all(map(is_naive, one.weights)))]
    best = min(allowed, key=lambda method: method.error, default=network)
    return best if best.error <= network.error else network
