"""Tuning: a search for settings with a lower validation error, within a time budget.

The search starts from the defaults and changes one setting of the best trial at a time; each trial trains one network
without the validation set. The time left at the end goes to a larger ensemble. See
`gatewise.forecast.coordinate_search`.

The error of a trial is its validation MASE (see `gatewise.forecast.model.training`), which is comparable between all
settings. The lowest error of many trials is optimistic; a backtest on values that the search does not use
(`without_end`) is not.

With the same seed, the order of the trials and their errors are reproducible; how many fit into the time is not.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

from gatewise.arguments import number, whole
from gatewise.forecast.coordinate_search import CoordinateSearch, Search
from gatewise.forecast.evaluation.cutoffs import cut_off
from gatewise.forecast.forecaster import Forecaster
from gatewise.forecast.reading import read_eligible
from gatewise.forecast.trials import Trial, measure
from gatewise.series import DataError, Panel
from gatewise.series.panel import FEWEST
from gatewise.series.wording import counted

__all__ = ["Search", "Trial", "objective", "search", "tune", "without_end"]

SPACE: dict[str, Any] = {"hidden_size": [16, 32, 64, 128, 256], "lr": (5e-4, 1e-2)}


def tune(arguments: Mapping[str, Any], table: Any, seconds: float, *, quiet: bool = True, **columns: Any) -> Forecaster:
    """Search for settings and fit a forecaster with them, within about the time given.

    Arguments:
        arguments: of `Forecaster`; they stay fixed. The search tunes strategy, dropout, context, hidden_size, lr and
            ensemble_size, unless they are given (None, or "auto" for strategy, counts as not given).
        table, columns: as for `Forecaster.fit`.
        seconds: for the search and the final training together.
        quiet: False prints the trials on standard error.

    Returns:
        The fitted forecaster. Its last guess describes the search; `search` returns the trials themselves.

    Raises:
        DataError: as `Forecaster.fit`.
        ValueError: an argument is unknown or out of range.

    >>> from gatewise import datasets
    >>> small = {"strategy": "segment", "hidden_size": 8, "context": 24, "max_steps": 10}
    >>> model = tune(small, datasets.air_passengers(), seconds=0.001)
    >>> model.hidden_size, model.guesses[-1]
    (8, 'search: none (0.001 s is too short; one trial and the final training take about ... s)')
    """
    panel = _read(arguments, table, columns)
    result = search(arguments, panel, seconds, quiet=quiet)
    model = Forecaster(**result.settings).fit(panel)
    model.guesses = (*model.guesses, result.description)
    return model


def search(
    arguments: Mapping[str, Any], table: Any, seconds: float, *, fits: int = 1, quiet: bool = True, **columns: Any
) -> Search:
    """Search for settings, and leave time to train with them.

    Arguments:
        arguments, table, seconds, quiet, columns: as for `tune`.
        fits: number of final training runs for which to leave time, such as those of a backtest.

    Returns:
        The best settings, and the trials.
    """
    number("seconds", seconds, math.inf, "a number of seconds above 0")
    whole("fits", fits, 0)
    started = perf_counter()
    panel = _read(arguments, table, columns)
    return CoordinateSearch(dict(arguments), panel, float(seconds), fits, quiet, started).run()


def objective(
    table: Any,
    arguments: Mapping[str, Any] | None = None,
    space: Mapping[str, Any] | None = None,
    **columns: Any,
) -> Callable[[Any], float]:
    """An objective for Optuna to minimise: the validation MASE of settings, as in `search`.

    Arguments:
        table, columns: as for `Forecaster.fit`.
        arguments: of `Forecaster`, for all trials.
        space: argument -> a list of choices, or a tuple (low, high) of bounds on a logarithmic scale; integer bounds
            give integers. By default hidden_size and lr.

    Returns:
        A function of an Optuna trial. Its result is infinite for settings that cannot be trained.

    Raises:
        DataError: as `Forecaster.fit`.
        ValueError: an argument is unknown or out of range.

    Optuna comes with `pip install gatewise[tune]`:

        import optuna
        panel = gatewise.read("sales.csv")
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
        study.optimize(objective(panel, {"horizon": 28}, {"context": (28, 364), "lr": (5e-4, 1e-2)}), n_trials=50)
        model = gatewise.Forecaster(horizon=28, **study.best_params).fit(panel)

    >>> import numpy as np
    >>> class First:  # a trial that takes the first choices
    ...     def suggest_categorical(self, name, choices):
    ...         return choices[0]
    >>> small = {"strategy": "segment", "context": 24, "max_steps": 10}
    >>> error = objective(np.sin(np.arange(96.0)), small, {"hidden_size": [8, 16]})
    >>> error(First()) > 0
    True
    """
    fixed, tuned = dict(arguments or {}), dict(SPACE if space is None else space)
    panel = _read(fixed, table, columns)
    Forecaster(**{**fixed, **{name: _first(values) for name, values in tuned.items()}})  # checks the names

    def error(trial: Any) -> float:
        settings = {name: _suggestion(trial, name, values) for name, values in tuned.items()}
        return measure({**fixed, **settings}, panel).error

    return error


def without_end(panel: Panel, values: int) -> Panel:
    """A panel without the last values of each series, and without the series that this makes too short.

    >>> import gatewise as gw, pandas as pd
    >>> table = pd.DataFrame({"a": range(20), "b": [1.0, 2.0, *[None] * 18]}).T.reset_index()
    >>> shortened = without_end(gw.read(table, layout="rows"), 6)
    >>> [(series.unique_id, len(series)) for series in shortened.series]
    [('a', 14)]

    Raises:
        DataError: all series are too short.
    """
    if not values:
        return panel
    cut = tuple(cut_off(series, len(series) - values) for series in panel.series if len(series) - values >= FEWEST)
    if not cut:
        longest = max(len(series) for series in panel.series)
        raise DataError(
            f"the longest series has {counted(longest, 'value')}, expected at least {FEWEST + values}: {FEWEST} to "
            f"train on + {values} in test windows; use fewer windows (--windows) or a shorter horizon"
        )
    return replace(panel, series=cut)


def _read(arguments: Mapping[str, Any], table: Any, columns: dict[str, Any]) -> Panel:
    """The series of a table that are long enough."""
    return read_eligible(table, Forecaster(**arguments).plan, columns)


def _first(values: Any) -> Any:
    if not isinstance(values, list | tuple) or not values or (isinstance(values, tuple) and len(values) != 2):
        raise ValueError(f"space has {values!r}, expected a list of choices, or a tuple (low, high)")
    return values[0]


def _suggestion(trial: Any, name: str, values: Any) -> Any:
    if isinstance(values, list):
        return trial.suggest_categorical(name, values)
    between = trial.suggest_int if all(isinstance(end, int) for end in values) else trial.suggest_float
    return between(name, *values, log=True)
