"""The plan: chooses strategy, season, context and sizes for the data, each with a line for `guesses`.

It imports the window scaling and the training configuration, and is imported by selection and eligibility.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from gatewise.arguments import plain
from gatewise.forecast.limits import NO_LIMITS, Limits
from gatewise.forecast.model.seasons import Seasons, check_length, given_seasons, usual_length, usual_seasons
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.forecast.model.window import WindowScaling
from gatewise.series import DataError, Panel, Series
from gatewise.series.panel import FEWEST, FEWEST_OF_MANY, length_of
from gatewise.series.wording import counted
from gatewise.windows import Difference

SCALES = ("window", "standard", "minmax", "robust", "none")
TARGETS = 4  # training targets at least
MINIMUM = "the minimum for training"
LONGEST_SEGMENT = 31  # a longer season is split into several segments
CONTEXT_SEASONS, LONGEST_CONTEXT = (14, 30), 720  # of the segment strategy; more for longer series
MANY_CONTEXTS = 12  # a context is lengthened only if the series is this many times as long
FEW_SERIES, LONG_SERIES = 20, 1500  # up to these sizes several strategies are compared
FEW_VALUES = 2000  # in all series together: below this, a smaller network and fewer training steps are as accurate
DROPOUTS = (0.0, 0.5)  # compared for the segment strategy
MOST_SEASONS = 7  # past seasons that are mixed


@dataclass(frozen=True)
class Plan:
    """The requested strategy, transforms and limits; None means chosen for the data. See `Forecaster` for each one."""

    strategy: str
    context: int | None
    season: int | None
    horizon: int | None
    difference: int
    seasonal_difference: int
    scale: str
    dropout: float | None = None
    fallback: str = "none"
    shift: str | int = "none"
    longer: tuple[int, ...] = ()
    limits: Limits = NO_LIMITS
    point: str = "median"

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "Plan":
        """The plan out of the arguments of a forecaster."""
        limits = Limits(**{field.name: plain(arguments[field.name]) for field in fields(Limits)})
        values = {field.name: arguments[field.name] for field in fields(cls) if field.name in arguments}
        for name in ("context", "horizon", "difference", "seasonal_difference"):
            values[name] = None if values[name] is None else int(values[name])
        seasons = values["season"]
        if seasons is not None:
            several = seasons if isinstance(seasons, tuple | list) else (seasons,)
            values["season"], *longer = sorted(int(season) for season in several)
            values["longer"] = tuple(longer)
        return cls(**values, limits=limits)

    def choose_season(self, panel: Panel) -> tuple[int, str]:
        """The season of the series, and its line for `guesses`."""
        season, _, guess = self._seasons(panel)
        return season, guess

    def longer_seasons(self, panel: Panel) -> tuple[int, ...]:
        """The longer seasons of the series, ascending, which the baselines use.

        Raises:
            DataError: the series are too short for a given one.
        """
        check_length(panel, self.longer)
        return self._seasons(panel).longer

    def _seasons(self, panel: Panel) -> Seasons:
        return usual_seasons(panel) if self.season is None else given_seasons((self.season, *self.longer), panel)

    def candidates(self, panel: Panel) -> tuple[tuple[str, float], ...]:
        """The strategies to compare, each with its dropout: the requested one, or those that suit the data.

        Raises:
            DataError: past covariates are given for the recursive strategy.
        """
        has_past = panel.covariates is not None and bool(panel.covariates.past)
        if has_past and self.strategy == "one-step":
            raise DataError(
                "strategy='one-step' feeds its forecasts back, and past covariates of those steps are unknown; use "
                "strategy='segment' or 'flatten', or pass covariates that are known in advance as known="
            )
        strategies: tuple[str, ...] = (self.strategy,)
        if self.strategy == "auto":
            strategies = ("one-step", "segment") if is_small(panel) and not has_past else ("segment",)
        dropouts = DROPOUTS if self.dropout is None else (self.dropout,)
        return tuple((name, rate) for name in strategies for rate in (dropouts if name == "segment" else (0.0,)))

    def scaling(
        self, series: Sequence[Series], season: int, strategy: str, dropout: float = 0.0, remainder: str = ""
    ) -> tuple[WindowScaling, str]:
        """The window scaling of a strategy for series of a season, and the line for `guesses` about its context.

        Raises:
            DataError: the series are too short; `remainder` names the test windows that are held out.
        """
        longest = max(series, key=len)
        needed, why = self.needed(len(longest), season, strategy)
        if len(longest) < needed:
            remedies = "fewer windows (--windows) or a shorter horizon"
            if not remainder:
                remedies = ", or ".join(["a longer series", *self._remedies(len(longest), season, strategy)])
            raise DataError(f"{length_of(longest)}{remainder}, expected at least {needed} ({why}); use {remedies}")
        difference, values = self._difference(season), usual_length(series)
        reach = 1 if strategy == "one-step" else self.horizon or (2 * season if season > 1 else 12)
        segment = _segment(season, reach) if strategy == "segment" else 1
        context = self._context(values, season, segment if strategy == "segment" else None)
        guess = f"context: {counted(context, 'step')}" + ("" if self.context else " (chosen from season and length)")
        masked = any(one_series.masked for one_series in series)
        scaling = WindowScaling(
            strategy, season, season, segment, context, reach, difference, self.scale, masked=masked
        )
        if strategy == "segment":
            spread = "season" if scaling.length >= 2 * season else "std"
            seasons = max(1, min(MOST_SEASONS, context // season))
            scaling = replace(scaling, spread=spread, dropout=dropout, seasons=seasons)
        return scaling, guess

    def needed(self, values: int, season: int, strategy: str = "one-step") -> tuple[int, str]:
        """How many values the longest series must have if a typical one has `values`, and why, as a sum."""
        context, lag = self._context(values, season, None), self._difference(season).lag
        differences = f" + {lag} for the differences" if lag else ""
        if strategy != "one-step" and self.context is None:  # padding completes the windows
            return FEWEST + lag, f"{FEWEST} to train on{differences}" if lag else MINIMUM
        windows = lag + context + season - 1 + TARGETS
        if windows < FEWEST:
            return FEWEST, MINIMUM
        of_season = f" + {season - 1} for the season of {season}" if season > 1 else ""
        return windows, f"{context} of context{of_season} + {TARGETS} targets{differences}"

    def least(self, panel: Panel, season: int) -> tuple[int, str]:
        """How many values the longest series must have for all candidate strategies, and why, as a sum."""
        names = [name for name, _ in self.candidates(panel)]
        least, why = FEWEST, MINIMUM
        while (needed := max(self.needed(least, season, name) for name in names))[0] > least:
            least, why = needed
        return least, why

    def fewest(self, season: int) -> int:
        """How many values each of several series must have."""
        return self._difference(season).lag + FEWEST_OF_MANY

    def fewest_sum(self, season: int) -> str:
        """The number of `fewest`, with its sum if it has one."""
        lag = self._difference(season).lag
        return f"{lag + FEWEST_OF_MANY}" + (f" ({FEWEST_OF_MANY} + {lag} for the differences)" if lag else "")

    def _remedies(self, values: int, season: int, strategy: str) -> list[str]:
        """The settings with which `values` are enough, as arguments and options."""

        def enough(season: int = season, **changes: Any) -> bool:
            return replace(self, **changes).needed(values, season, strategy)[0] <= values

        contexts = [context for context in range(1, values) if enough(context=context)]
        none = {name: 0 for name in ("difference", "seasonal_difference") if getattr(self, name)}
        remedies = [f"context={contexts[-1]} (--context {contexts[-1]})"] if contexts else []
        if season > 1 and not self.seasonal_difference and enough(season=1):
            remedies.append("season=1 (--season 1)")
        if none and enough(**none):
            options = " ".join(f"--{name.replace('_', '-')} 0" for name in none)
            remedies.append(f"{' and '.join(f'{name}=0' for name in none)} ({options})")
        return remedies

    def _difference(self, season: int) -> Difference:
        return Difference(self.difference, self.seasonal_difference, season)

    def _context(self, values: int, season: int, segment: int | None) -> int:
        """The context: whole seasons, about 96 steps, at most a fifth of the values (two seasons if there are four)."""
        if self.context is not None:
            return self.context if segment is None else -(-self.context // segment) * segment
        values -= self._difference(season).lag
        if segment is not None:
            unit = max(season, segment)
            seasons = np.clip(values // (MANY_CONTEXTS * unit), *CONTEXT_SEASONS)
            return segment * max(2, min(int(seasons) * unit, LONGEST_CONTEXT, values // 2) // segment)
        if season == 1:
            return max(4, min(48, values // 5))
        least = 2 if values >= 4 * season else 1
        return season * max(least, min(round(96 / season), values // 5 // season))


def is_small(panel: Panel) -> bool:
    """Whether there are few short series: training is fast, and a single network depends on its seed."""
    return len(panel) <= FEW_SERIES and usual_length(panel.series) <= LONG_SERIES


def _segment(season: int, reach: int) -> int:
    """Steps of a segment: a season, or the longest divisor of it that is not too long."""
    if season == 1:
        return max(1, min(8, reach))
    return max(width for width in range(1, min(season, LONGEST_SEGMENT) + 1) if season % width == 0)


@dataclass(frozen=True)
class Sizes:
    """The requested sizes of networks and training; None means chosen for strategy and data. See `Forecaster`."""

    cell: str
    hidden_size: int | None
    num_layers: int
    loss: str
    max_steps: int | None
    batch_size: int | None
    lr: float | None
    validation_fraction: float
    ensemble_size: int | None
    seed: int
    engine: str
    jobs: int | None
    quiet: bool

    def __call__(self, strategy: str, series: Sequence[Series]) -> TrainingConfiguration:
        """The training configuration of a strategy for these series."""
        usual = _usual_sizes(strategy, sum(len(one_series) for one_series in series))
        return TrainingConfiguration(
            **{name: usual[name] if value is None and name in usual else value for name, value in vars(self).items()}
        )


def _usual_sizes(strategy: str, values: int) -> dict[str, Any]:
    """The default sizes for this many values in all series together."""
    segment, few = strategy == "segment", values < FEW_VALUES
    sizes = {"batch_size": 256 if segment else 64, "ensemble_size": 3, "lr": 5e-3 if few else 3e-3}
    if few:
        return {**sizes, "hidden_size": 64, "max_steps": 200 if segment else 300}
    if segment:
        return {**sizes, "hidden_size": 128, "max_steps": int(np.clip(values // 400, 300, 1000))}
    return {**sizes, "hidden_size": 64, "max_steps": 500}
