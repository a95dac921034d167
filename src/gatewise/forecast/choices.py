"""The permitted values of the arguments of a forecaster that are words."""

from collections.abc import Sequence

from gatewise.engines import ENGINES
from gatewise.forecast.model.delivery import FALLBACKS
from gatewise.forecast.model.loss import LOSSES
from gatewise.forecast.model.plan import SCALES
from gatewise.forecast.model.point import POINTS
from gatewise.forecast.model.strategies import CELLS, STRATEGIES

CHOICES: dict[str, Sequence[str]] = {
    "cell": tuple(CELLS),
    "scale": SCALES,
    "strategy": ("auto", *STRATEGIES),
    "loss": tuple(LOSSES),
    "fallback": FALLBACKS,
    "engine": ("auto", *ENGINES),
    "point": POINTS,
}
