"""Trials of a search: settings, and the validation error of one network trained with them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, NamedTuple

from gatewise.forecast.forecaster import Forecaster
from gatewise.forecast.model.dataset import Dataset, stack_features
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.forecast.model.window import WindowScaling
from gatewise.series import DataError, Panel
from gatewise.training import DivergenceError


@dataclass(frozen=True)
class Trial:
    """Settings and their error.

    Attributes:
        settings: argument of the forecaster -> value.
        error: validation MASE; infinite if training failed.
        seconds: duration.
        note: why these settings are ruled out; empty if they are not.
    """

    settings: dict[str, Any]
    error: float
    seconds: float
    note: str = ""


class Measurement(NamedTuple):
    """The validation error of settings, the seconds that the training took, and why it failed, if it did."""

    error: float
    seconds: float
    note: str


def measure(arguments: Mapping[str, Any], panel: Panel) -> Measurement:
    """Train one network, and measure its error on the validation set; the error is infinite if training fails."""
    started, note = perf_counter(), ""
    try:
        candidates = Forecaster(**arguments).plan.candidates(panel)
        error = min(_error(arguments, panel, strategy, dropout) for strategy, dropout in candidates)
    except (DataError, DivergenceError) as reason:
        error, note = math.inf, str(reason)
    return Measurement(error, perf_counter() - started, note)


def configure(
    arguments: Mapping[str, Any], panel: Panel, strategy: str, dropout: float
) -> tuple[WindowScaling, TrainingConfiguration]:
    """The scaling and the configuration of a strategy for one network.

    Raises:
        DataError: the series are too short.
    """
    model = Forecaster(**arguments)
    season, _ = model.plan.choose_season(panel)
    scaling, _ = model.plan.scaling(panel.series, season, strategy, dropout)
    return scaling, replace(model.sizes(strategy, panel.series), ensemble_size=1, quiet=True)


def _error(arguments: Mapping[str, Any], panel: Panel, strategy: str, dropout: float) -> float:
    """The validation error of one network of a strategy."""
    scaling, configuration = configure(arguments, panel, strategy, dropout)
    dataset = Dataset.of(panel.series, scaling.with_features(*stack_features(panel.series)))
    return configuration.train_with_validation(dataset).error
