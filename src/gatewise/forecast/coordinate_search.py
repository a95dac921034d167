"""Coordinate search: settings improved one at a time, within a time budget.

The search starts from the defaults and changes one setting of the best trial at a time: by a factor of two until no
change helps, then by smaller factors. The remaining time goes to a larger ensemble.
"""

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from gatewise.forecast.forecaster import Forecaster
from gatewise.forecast.trials import Trial, configure, measure
from gatewise.parallel import usable_jobs
from gatewise.series import DataError, Panel
from gatewise.series.wording import counted

FACTORS = (2.0, 1.5, 1.25)  # by which settings change, tried in this order
ENSEMBLE_FRACTION = 0.25  # of the time, reserved for a larger ensemble than the default
MARGIN = 0.01  # a smaller relative gain counts as noise
MOST_NETWORKS = 10  # a larger ensemble gains little
SAFETY = 1.05  # safety factor on estimated times
PROBES = (10, 30)  # max_steps of two short training runs, to estimate the time of a full one
MOST_DROPOUT = 0.6
TUNED = ("dropout", "context", "hidden_size", "lr")


@dataclass(frozen=True)
class Search:
    """The result of a search.

    Attributes:
        settings: arguments for `Forecaster`, including those of the best trial.
        trials: in order; the first has the default settings.
        description: a sentence about the search.
    """

    settings: dict[str, Any]
    trials: tuple[Trial, ...]
    description: str

    def table(self) -> pd.DataFrame:
        """Table with a row per trial: settings, error, seconds, note."""
        rows = [
            {**trial.settings, "error": trial.error, "seconds": round(trial.seconds, 2), "note": trial.note}
            for trial in self.trials
        ]
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        if not self.trials:
            return self.description
        table = self.table()
        text = table.drop(columns="note").to_string(index=False, float_format="{:.4g}".format, na_rep="")
        notes = [f"  trial {k}: {trial.note}" for k, trial in enumerate(self.trials, 1) if trial.note]
        return "\n".join([self.description, text, *notes])


class CoordinateSearch:
    """A search in progress."""

    def __init__(
        self, arguments: dict[str, Any], panel: Panel, seconds: float, fits: int, quiet: bool, started: float
    ) -> None:
        self.arguments, self.panel, self.quiet = arguments, panel, quiet
        self.seconds, self.fits, self.started = seconds, fits, started
        self.model = Forecaster(**arguments)
        self.season, _ = self.model.plan.choose_season(panel)
        self.jobs = usable_jobs(self.model.jobs)
        self.generator = np.random.default_rng(self.model.seed)
        self.tuned = [name for name in TUNED if getattr(self.model, name) is None]
        self.trials: list[Trial] = []
        self.best: Trial | None = None
        self.best_default: Trial | None = None  # the best trial with the default settings of a strategy
        self.out_of_time = False  # whether any trial was skipped for lack of time

    def run(self) -> Search:
        """Run trials while there is time; then use the remaining time for a larger ensemble."""
        starts = [self._defaults(*candidate) for candidate in self._candidates()]
        if len(starts) == 1 and len(starts[0]) == 1:
            return self._result("search: none (all tunable settings are given)")
        expected = self._expected_seconds(starts[0])
        needed = SAFETY * (expected + self._remaining_training(starts[0], expected))
        if self._elapsed() + needed > self.seconds:
            return self._result(
                f"search: none ({self.seconds:g} s is too short; one trial and the final training take about "
                f"{needed:.2g} s)"
            )
        self._try(starts[0], expected)
        for start in starts[1:]:
            self._try(start, self._expected_seconds(start))
        self.best_default = self.best
        for factor in FACTORS:
            while self.best is not None and self._improve(factor):
                pass
        return self._result(self._description())

    def _candidates(self) -> Iterator[tuple[str, float]]:
        """Strategies to start from, with their dropout: those that `fit` compares; if several, also "flatten"."""
        candidates = self.model.plan.candidates(self.panel)
        yield from candidates
        if len({strategy for strategy, _ in candidates}) > 1:
            yield "flatten", 0.0

    def _defaults(self, strategy: str, dropout: float) -> dict[str, Any]:
        """The default settings of a strategy."""
        scaling, configuration = configure({**self.arguments, "strategy": strategy}, self.panel, strategy, dropout)
        defaults = {"context": scaling.context, "hidden_size": configuration.hidden_size, "lr": configuration.lr}
        if strategy == "segment":
            defaults["dropout"] = dropout
        return {"strategy": strategy, **{name: defaults[name] for name in self.tuned if name in defaults}}

    def _improve(self, factor: float) -> bool:
        """Change each setting of the best trial by a factor, in random order; True if any change is better."""
        before = self.best
        assert before is not None
        moves = [(name, sign) for name in self.tuned if name in before.settings for sign in (1, -1)]
        for k in self.generator.permutation(len(moves)):
            assert self.best is not None
            name, sign = moves[k]
            value = self.best.settings[name]
            changed = self._changed(name, value, factor, sign)
            settings = {**self.best.settings, name: changed}
            new = changed is not None and all(settings != trial.settings for trial in self.trials)
            if new and self._fits(settings):
                growth = max(1.0, changed / value) if name in ("context", "hidden_size") else 1.0
                self._try(settings, self.best.seconds * growth)
        return self.best is not before

    def _changed(self, name: str, value: float, factor: float, sign: int) -> Any:
        """A setting multiplied or divided by a factor, and rounded; None if it is unchanged or out of range."""
        if name == "lr":
            return float(f"{value * factor**sign:.3g}")
        if name == "dropout":  # changed by 0.2, 0.1 or 0.05
            changed = round(value + sign * (factor - 1) / 5, 2)
            return changed if 0 <= changed <= MOST_DROPOUT else None
        grain = 8 if name == "hidden_size" else self.season if self.season > 1 else 4
        changed = grain * round(value * factor**sign / grain)
        return changed if changed >= grain and changed != value else None

    def _fits(self, settings: dict[str, Any]) -> bool:
        """Whether the series are long enough for settings."""
        try:
            configure({**self.arguments, **settings}, self.panel, settings["strategy"], settings.get("dropout", 0.0))
        except DataError:
            return False
        return True

    def _try(self, settings: dict[str, Any], expected: float) -> None:
        """Run a trial if time remains for it and for the final training."""
        best = (self.best.settings, self.best.seconds) if self.best else (settings, expected)
        if self._elapsed() + SAFETY * (expected + self._remaining_training(*best)) > self.seconds:
            self.out_of_time = True
            return
        error, seconds, note = measure({**self.arguments, **settings}, self.panel)
        trial = Trial(settings, error, seconds, note)
        better = not note and (self.best is None or error < (1 - MARGIN) * self.best.error)
        remaining = self._remaining_training(settings, seconds) if better and self.best else 0.0
        if remaining and self._elapsed() + SAFETY * remaining > self.seconds:
            better, trial = False, replace(trial, note="too slow to train in the remaining time")
        self.trials.append(trial)
        self.best = trial if better else self.best
        self._report(trial, better)

    def _report(self, trial: Trial, better: bool) -> None:
        """Print a trial on standard error, unless quiet."""
        if self.quiet or sys.stderr is None:
            return
        number, best, note = (
            len(self.trials),
            ", best so far" if better else "",
            f"; {trial.note}" if trial.note else "",
        )
        print(
            f"search: {self._elapsed():.0f} of {self.seconds:.0f} s, trial {number}: {_as_text(trial.settings)}: "
            f"error {trial.error:.4g}{best}{note}",
            file=sys.stderr,
            flush=True,
        )

    def _elapsed(self) -> float:
        return perf_counter() - self.started

    def _remaining_training(self, settings: dict[str, Any], seconds: float) -> float:
        """Seconds of the final training if one network takes `seconds`: one network with a validation set, and the
        ensemble on all data."""
        networks = self._ensemble_size(settings["strategy"], seconds, ENSEMBLE_FRACTION * self.seconds)
        return self.fits * (1 + math.ceil(networks / self.jobs)) * seconds

    def _ensemble_size(self, strategy: str, each: float, remaining: float) -> int:
        """The number of networks of the final ensemble: as many as the remaining time allows, but at least the default.

        Arguments:
            strategy: of the networks.
            each: seconds for one network.
            remaining: seconds for all.
        """
        default = self.model.sizes(strategy, self.panel.series).ensemble_size
        if self.model.ensemble_size is not None or not self.fits:
            return default
        rounds = remaining / (self.fits * each) - 1  # each trains `jobs` networks side by side
        return int(min(MOST_NETWORKS, max(default, int(rounds) * self.jobs)))

    def _expected_seconds(self, settings: dict[str, Any]) -> float:
        """Seconds of a trial, estimated from two short ones."""
        if self.model.max_steps is not None and self.model.max_steps <= PROBES[1]:
            return measure({**self.arguments, **settings}, self.panel).seconds
        short, long = (measure({**self.arguments, **settings, "max_steps": n}, self.panel).seconds for n in PROBES)
        max_steps = self.model.sizes(settings["strategy"], self.panel.series).max_steps
        return short + max(0.0, long - short) / (PROBES[1] - PROBES[0]) * (max_steps - PROBES[0])

    def _result(self, description: str) -> Search:
        if self.best is None:
            return Search(dict(self.arguments), tuple(self.trials), description)
        remaining = (self.seconds - self._elapsed()) / SAFETY
        size = self._ensemble_size(self.best.settings["strategy"], self.best.seconds, remaining)
        settings = {**self.arguments, **self.best.settings, "ensemble_size": size}
        return Search(settings, tuple(self.trials), f"{description}; ensemble of {counted(size, 'network')}")

    def _description(self) -> str:
        count = counted(len(self.trials), "trial")
        if self.best is None:
            return f"search: training failed in {count}; the defaults are used"
        end = "until the time was up" if self.out_of_time else "until no change helped"
        default = math.nan if self.best_default is None else self.best_default.error
        gain = "the defaults" if self.best is self.best_default else f"{default:.4g} with the defaults"
        return (
            f"search: {count} in {self._elapsed():.0f} s, {end}; validation MASE {self.best.error:.4g} ({gain}): "
            f"{_as_text(self.best.settings)}"
        )


def _as_text(settings: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in settings.items()
    )
