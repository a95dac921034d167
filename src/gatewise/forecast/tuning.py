"""Tuning: time spent on finding better settings, judged by the held-out end of the series alone.

The search starts from the defaults and changes one setting at a time, away from the best so far: by a factor of two
until no change helps, then by less. Each trial trains one network with the end held out, never on it. The time left at
last goes into an ensemble of more networks, which differ in their seeds.

A trial's error is the mean absolute error of its held-out forecasts as a MASE (see `gatewise.forecast.model.training`), which
is comparable between all settings. The error of the winner is the smallest of many and thus flatters it; a backtest on
values that the search has not seen (`without_end`) does not.

Given a seed, the order of trials and their errors are the same each time; how many fit into the time is not.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from gatewise.arguments import number, whole
from gatewise.forecast.evaluation.cutoffs import cut_off
from gatewise.forecast.forecaster import Forecaster
from gatewise.forecast.model.dataset import Dataset, stack_features
from gatewise.forecast.model.plan import FEWEST
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.forecast.model.window import WindowScaling
from gatewise.series import DataError, Panel
from gatewise.training import DivergenceError

FACTORS = (2.0, 1.5, 1.25)  # by which settings are changed, one after the other
SHARE = 0.25  # of the time, kept for an ensemble of more networks than usual
MARGIN = 0.01  # a smaller gain is taken for chance
MOST_NETWORKS = 10  # more gain little
SPARE = 1.05  # of the time that the rest is expected to take
PROBES = (10, 30)  # max_steps by which the time of a training is estimated
MOST_DROPOUT = 0.6
TUNED = ("dropout", "context", "hidden_size", "lr")
SPACE: dict[str, Any] = {"hidden_size": [16, 32, 64, 128, 256], "lr": (5e-4, 1e-2)}


@dataclass(frozen=True)
class Trial:
    """Settings that were tried.

    Attributes:
        settings: argument of the forecaster -> value.
        error: mean absolute scaled error on the held-out end; infinite if training failed.
        seconds: that it took.
        note: why it cannot be the best, if so.
    """

    settings: dict[str, Any]
    error: float
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Search:
    """What a search found.

    Attributes:
        settings: arguments for `Forecaster`, those of the best trial among them.
        trials: in the order in which they were made, the first with the defaults.
        said: how it went.
    """

    settings: dict[str, Any]
    trials: tuple[Trial, ...]
    said: str

    def table(self) -> pd.DataFrame:
        """The trials, a row each: their settings, error and seconds, and a note."""
        rows = [
            {**one.settings, "error": one.error, "seconds": round(one.seconds, 2), "note": one.note}
            for one in self.trials
        ]
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        if not self.trials:
            return self.said
        table = self.table()
        text = table.drop(columns="note").to_string(index=False, float_format="{:.4g}".format, na_rep="")
        notes = [f"  trial {k}: {one.note}" for k, one in enumerate(self.trials, 1) if one.note]
        return "\n".join([self.said, text, *notes])


def tune(arguments: Mapping[str, Any], table: Any, seconds: float, *, quiet: bool = True, **columns: Any) -> Forecaster:
    """A forecaster with settings that were searched for, selection, within about the time given.

    Arguments:
        arguments: of `Forecaster`. Those that are given stay as they are; searched for are those of strategy, dropout,
            context, hidden_size, lr and networks that are left out (or None, strategy "auto").
        table, columns: as for `Forecaster.fit`.
        seconds: of the search and the training at its end together, if it is enough for one trial beside the training.
        quiet: False says on standard error how it goes.

    Returns:
        The forecaster, fitted. The last of its guesses say what was found; `search` gives the trials themselves.

    Raises:
        DataError: as `Forecaster.fit`.
        ValueError: an argument is unknown or out of range.

    >>> from gatewise import datasets
    >>> small = {"strategy": "segment", "hidden_size": 8, "context": 24, "max_steps": 10}
    >>> model = tune(small, datasets.air_passengers(), seconds=0.001)
    >>> model.hidden_size, model.guesses[-1]
    (8, 'the time of 0.001 s is too short for a trial beside the training (about ... s); nothing was searched')
    """
    panel = _prepared(arguments, table, columns)
    found = search(arguments, panel, seconds, quiet=quiet)
    model = Forecaster(**found.settings).fit(panel)
    model.guesses = (*model.guesses, found.said)
    return model


def search(
    arguments: Mapping[str, Any], table: Any, seconds: float, *, fits: int = 1, quiet: bool = True, **columns: Any
) -> Search:
    """Search for settings, leaving time for the training with them.

    Arguments:
        arguments, table, seconds, quiet, columns: as for `tune`.
        fits: how many trainings with the settings found, such as those of a backtest, the time is to be enough for.

    Returns:
        The settings found, and the trials.
    """
    number("seconds", seconds, math.inf, "a number of seconds above 0")
    whole("fits", fits, 0)
    started = perf_counter()
    panel = _prepared(arguments, table, columns)
    return _Hunt(dict(arguments), panel, float(seconds), fits, quiet, started).run()


def objective(
    table: Any,
    arguments: Mapping[str, Any] | None = None,
    space: Mapping[str, Any] | None = None,
    **columns: Any,
) -> Callable[[Any], float]:
    """What Optuna is to minimise: the error of settings on the held-out end, as in `search`.

    Arguments:
        table, columns: as for `Forecaster.fit`.
        arguments: of `Forecaster`, those that are not searched for.
        space: argument -> a list to choose from, or a tuple (low, high) to search between on a logarithmic scale, whole
            numbers if both are. By default hidden_size and lr.

    Returns:
        A function of an Optuna trial. Settings that cannot be trained have an infinite error.

    Raises:
        DataError: as `Forecaster.fit`.
        ValueError: an argument is unknown or out of range.

    Optuna comes with `pip install gatewise[tune]`:

        import optuna
        panel = gatewise.read("sales.csv")
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
        study.optimize(objective(panel, {"horizon": 28}, {"context": (28, 364), "lr": (5e-4, 1e-2)}), n_trials=50)
        model = gatewise.Forecaster(horizon=28, **study.best_params).fit(panel)

    >>> class First:  # a trial that takes the first of everything
    ...     def suggest_categorical(self, name, choices):
    ...         return choices[0]
    >>> small = {"strategy": "segment", "context": 24, "max_steps": 10}
    >>> error = objective(np.sin(np.arange(96.0)), small, {"hidden_size": [8, 16]})
    >>> error(First()) > 0
    True
    """
    chosen, wanted = dict(arguments or {}), dict(SPACE if space is None else space)
    panel = _prepared(chosen, table, columns)
    Forecaster(**{**chosen, **{name: _first(values) for name, values in wanted.items()}})

    def error(trial: Any) -> float:
        settings = {name: _suggested(trial, name, values) for name, values in wanted.items()}
        return _tried({**chosen, **settings}, panel)[0]

    return error


def without_end(panel: Panel, values: int) -> Panel:
    """A panel without the last so many values of each series; those of which too little is left are left out.

    >>> import gatewise as gw
    >>> table = pd.DataFrame({"a": range(20), "b": [1.0, 2.0, *[None] * 18]}).T.reset_index()
    >>> left = without_end(gw.read(table, layout="rows"), 6)
    >>> [(one.unique_id, len(one)) for one in left.series]
    [('a', 14)]

    Raises:
        DataError: too little is left of all.
    """
    if not values:
        return panel
    cut = tuple(cut_off(one, len(one) - values) for one in panel.series if len(one) - values >= FEWEST)
    if not cut:
        longest = max(len(one) for one in panel.series)
        raise DataError(
            f"the longest series has {longest} values, expected at least {FEWEST + values} to hold out {values}; lower "
            "windows (--windows) or the horizon"
        )
    return replace(panel, series=cut)


class _Hunt:
    """A search under way."""

    def __init__(
        self, arguments: dict[str, Any], panel: Panel, seconds: float, fits: int, quiet: bool, started: float
    ) -> None:
        self.arguments, self.panel, self.quiet = arguments, panel, quiet
        self.seconds, self.fits, self.started = seconds, fits, started
        self.model = Forecaster(**arguments)
        self.season, _ = self.model.plan.choose_season(panel)
        self.chance = np.random.default_rng(self.model.seed)
        self.tuned = [name for name in TUNED if getattr(self.model, name) is None]
        self.trials: list[Trial] = []
        self.best: Trial | None = None
        self.usual: Trial | None = None  # the best with settings as they are by default
        self.late = False  # whether time kept any trial from being made

    def run(self) -> Search:
        """Try as long as there is time; then spend what is left on more networks."""
        starts = [self._usual(*candidate) for candidate in self._candidates()]
        if len(starts) == 1 and len(starts[0]) == 1:
            return self._found("search: none, as all settings that are searched for were given")
        expected = self._expected(starts[0])
        needed = SPARE * (expected + self._rest(starts[0], expected))
        if self._spent() + needed > self.seconds:
            return self._found(
                f"the time of {self.seconds:g} s is too short for a trial beside the training (about {needed:.2g} s); "
                "nothing was searched"
            )
        self._try(starts[0], expected)
        for start in starts[1:]:
            self._try(start, self._expected(start))
        self.usual = self.best
        for factor in FACTORS:
            while self.best is not None and self._around(factor):
                pass
        return self._found(self._in_words())

    def _candidates(self) -> Iterator[tuple[str, float]]:
        """The strategies to start from, each with its dropout: those that fitting compares, or all if it does that."""
        candidates = self.model.plan.candidates(self.panel)
        yield from candidates
        if len({strategy for strategy, _ in candidates}) > 1:
            yield "flatten", 0.0

    def _usual(self, strategy: str, dropout: float) -> dict[str, Any]:
        """The settings that a strategy has by default."""
        scaling, configuration = _made({**self.arguments, "strategy": strategy}, self.panel, strategy, dropout)
        usual = {"context": scaling.context, "hidden_size": configuration.hidden_size, "lr": configuration.lr}
        if strategy == "segment":
            usual["dropout"] = dropout
        return {"strategy": strategy, **{name: usual[name] for name in self.tuned if name in usual}}

    def _around(self, factor: float) -> bool:
        """Try all changes by a factor in any order, each of the best so far; whether one was better."""
        before = self.best
        assert before is not None
        moves = [(name, sign) for name in self.tuned if name in before.settings for sign in (1, -1)]
        for k in self.chance.permutation(len(moves)):
            assert self.best is not None
            name, sign = moves[k]
            value = self.best.settings[name]
            changed = self._changed(name, value, factor, sign)
            settings = {**self.best.settings, name: changed}
            if changed is not None and all(settings != one.settings for one in self.trials) and self._fits(settings):
                growth = max(1.0, changed / value) if name in ("context", "hidden_size") else 1.0
                self._try(settings, self.best.seconds * growth)
        return self.best is not before

    def _changed(self, name: str, value: float, factor: float, sign: int) -> Any:
        """A setting changed by a factor, up or down, and rounded; None if that is out of the question."""
        if name == "lr":
            return float(f"{value * factor**sign:.3g}")
        if name == "dropout":  # 0.2, 0.1 or 0.05 more or less
            changed = round(value + sign * (factor - 1) / 5, 2)
            return changed if 0 <= changed <= MOST_DROPOUT else None
        grain = 8 if name == "hidden_size" else self.season if self.season > 1 else 4
        changed = grain * round(value * factor**sign / grain)
        return changed if changed >= grain and changed != value else None

    def _fits(self, settings: dict[str, Any]) -> bool:
        """Whether the series are long enough for settings."""
        try:
            _made({**self.arguments, **settings}, self.panel, settings["strategy"], settings.get("dropout", 0.0))
        except DataError:
            return False
        return True

    def _try(self, settings: dict[str, Any], expected: float) -> None:
        """Make a trial, if there is time for it and for the rest."""
        rest = self._rest(self.best.settings, self.best.seconds) if self.best else self._rest(settings, expected)
        if self._spent() + SPARE * (expected + rest) > self.seconds:
            self.late = True
            return
        error, seconds, note = _tried({**self.arguments, **settings}, self.panel)
        trial = Trial(settings, error, seconds, note)
        better = not note and (self.best is None or error < (1 - MARGIN) * self.best.error)
        if better and self.best and self._spent() + SPARE * self._rest(settings, seconds) > self.seconds:
            better, trial = False, replace(trial, note="too slow to train with in the time left")
        self.trials.append(trial)
        self.best = trial if better else self.best
        self._tell(trial, better)

    def _tell(self, trial: Trial, better: bool) -> None:
        if not self.quiet and sys.stderr is not None:
            said = (
                f"error {trial.error:.4g}{', the best so far' if better else ''}{'; ' * bool(trial.note)}{trial.note}"
            )
            print(
                f"search: {self._spent():.0f} of {self.seconds:.0f} s, trial {len(self.trials)}: "
                f"{_listed(trial.settings)}: {said}",
                file=sys.stderr,
                flush=True,
            )

    def _spent(self) -> float:
        return perf_counter() - self.started

    def _rest(self, settings: dict[str, Any], seconds: float) -> float:
        """What the trainings at the end take, if one network takes so many seconds: one network with the end held out,
        and all of them on everything."""
        return self.fits * (1 + self._networks(settings["strategy"], seconds, SHARE * self.seconds)) * seconds

    def _networks(self, strategy: str, each: float, left: float) -> int:
        """How many networks to train at the end: as many as the time left is enough for, but at least as many as usual.

        Arguments:
            strategy: of the networks.
            each: seconds that one takes.
            left: seconds.
        """
        usual = self.model.sizes(strategy, self.panel.series).ensemble_size
        if self.model.ensemble_size is not None or not self.fits:
            return usual
        return int(min(MOST_NETWORKS, max(usual, left / (self.fits * each) - 1)))

    def _expected(self, settings: dict[str, Any]) -> float:
        """Seconds of a trial, estimated by shorter ones."""
        if self.model.max_steps is not None and self.model.max_steps <= PROBES[1]:
            return _tried({**self.arguments, **settings}, self.panel)[1]
        few, more = (_tried({**self.arguments, **settings, "max_steps": n}, self.panel)[1] for n in PROBES)
        max_steps = self.model.sizes(settings["strategy"], self.panel.series).max_steps
        return few + max(0.0, more - few) / (PROBES[1] - PROBES[0]) * (max_steps - PROBES[0])

    def _found(self, said: str) -> Search:
        if self.best is None:
            return Search(dict(self.arguments), tuple(self.trials), said)
        left = (self.seconds - self._spent()) / SPARE
        networks = self._networks(self.best.settings["strategy"], self.best.seconds, left)
        settings = {**self.arguments, **self.best.settings, "ensemble_size": networks}
        return Search(settings, tuple(self.trials), f"{said}; {networks} network(s)")

    def _in_words(self) -> str:
        if self.best is None:
            return f"search: none of {len(self.trials)} trials could be trained; the defaults stay"
        count = len(self.trials)
        end = "until the time was up" if self.late else "until no change helped"
        usual = math.nan if self.usual is None else self.usual.error
        gain = "that of the defaults" if self.best is self.usual else f"{usual:.4g} with the defaults"
        return (
            f"search: {count} trial(s) in {self._spent():.0f} s, {end}; held-out error {self.best.error:.4g} "
            f"({gain}): {_listed(self.best.settings)}"
        )


# ------------------------------------------------------------------------------------------------------- one trial


def _prepared(arguments: Mapping[str, Any], table: Any, columns: dict[str, Any]) -> Panel:
    """The series that are long enough."""
    return Forecaster(**arguments)._read(table, columns)


def _made(
    arguments: Mapping[str, Any], panel: Panel, strategy: str, dropout: float
) -> tuple[WindowScaling, TrainingConfiguration]:
    """The scaling and configuration of a strategy for one network."""
    model = Forecaster(**arguments)
    season, _ = model.plan.choose_season(panel)
    scaling, _ = model.plan.scaling(panel.series, season, strategy, dropout)
    return scaling, replace(model.sizes(strategy, panel.series), ensemble_size=1, quiet=True)


def _tried(arguments: Mapping[str, Any], panel: Panel) -> tuple[float, float, str]:
    """The error of settings on the held-out end, the seconds it took, and what went wrong."""
    started, note = perf_counter(), ""
    try:
        error = min(_error(arguments, panel, *one) for one in Forecaster(**arguments).plan.candidates(panel))
    except (DataError, DivergenceError) as reason:
        error, note = math.inf, str(reason)
    return error, perf_counter() - started, note


def _error(arguments: Mapping[str, Any], panel: Panel, strategy: str, dropout: float) -> float:
    """The error on the held-out end of one network of a strategy that was trained without it."""
    scaling, configuration = _made(arguments, panel, strategy, dropout)
    dataset = Dataset.of(panel.series, scaling.with_features(*stack_features(panel.series)))
    return configuration.train_with_validation(dataset).error


def _first(values: Any) -> Any:
    if not isinstance(values, list | tuple) or not values or (isinstance(values, tuple) and len(values) != 2):
        raise ValueError(f"space has {values!r}, expected a list to choose from, or a tuple (low, high)")
    return values[0]


def _suggested(trial: Any, name: str, values: Any) -> Any:
    if isinstance(values, list):
        return trial.suggest_categorical(name, values)
    between = trial.suggest_int if all(isinstance(end, int) for end in values) else trial.suggest_float
    return between(name, *values, log=True)


def _listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in settings.items()
    )
