"""The plan: which strategy, season, context and sizes, chosen for the series at hand and said in words.

Letters: `N` values of a series of usual (median) length.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.forecast.model.window import WindowScaling
from gatewise.series import DataError, Panel, Series
from gatewise.series.wording import counted
from gatewise.windows import Difference

SCALES = ("window", "standard", "minmax", "robust", "none")
LONGEST_SEASON = 366  # a longer one is used only if asked for: every window would hold more than a season of steps
FEWEST = 10  # values to train on, however short the context
TARGETS = 4  # windows to train on, at the very least
LONGEST_SEGMENT = 31  # a longer season is read in several segments
SEASONS_READ, LONGEST_CONTEXT = (14, 30), 720  # by a network of segments; the more, the longer the series
MANY_CONTEXTS = 12  # so many contexts must there be in a series for a longer one
FEW_SERIES, LONG_SERIES = 20, 1500  # up to which several strategies are tried
FEWEST_OF_MANY = 3
DROPOUTS = (0.0, 0.5)  # tried for networks of segments
MOST_SEASONS = 7  # seasons before that are mixed


@dataclass(frozen=True)
class Plan:
    """What was asked of the transforms around the network; None is chosen by the data. See `Forecaster` for each."""

    strategy: str
    context: int | None
    season: int | None
    horizon: int | None
    difference: int
    seasonal_difference: int
    scale: str
    dropout: float | None = None

    def choose_season(self, panel: Panel) -> tuple[int, str]:
        """The season of the series, and why."""
        if self.season is not None:
            return self.season, f"season: {self.season} steps, as given"
        usual, values = panel.season, usual_length(panel.series)
        if usual == 1:
            return 1, f"season: none known for frequency {panel.freq}"
        if usual > LONGEST_SEASON:
            return (
                1,
                f"season: none; the usual {usual} steps of frequency {panel.freq} are long (season= asks for them)",
            )
        if values < 4 * usual:
            return 1, f"season: none; {values} values are less than four seasons of {usual}"
        return usual, f"season: {usual} steps, usual for frequency {panel.freq}"

    def candidates(self, panel: Panel) -> tuple[tuple[str, float], ...]:
        """The strategies to try, each with its dropout: what was asked for, or what is worth its time for the data.

        Raises:
            DataError: past covariates for a strategy that goes on from its own answers.
        """
        has_past = panel.covariates is not None and bool(panel.covariates.past)
        if has_past and self.strategy == "one-step":
            raise DataError(
                "strategy='one-step' goes on from its own forecasts, where past covariates are not known; use "
                "strategy='segment' or 'flatten', or pass covariates that are known in advance as known="
            )
        strategies: tuple[str, ...] = (self.strategy,)
        if self.strategy == "auto":
            strategies = ("one-step", "segment") if is_small(panel) and not has_past else ("segment",)
        dropouts = DROPOUTS if self.dropout is None else (self.dropout,)
        return tuple((name, share) for name in strategies for share in (dropouts if name == "segment" else (0.0,)))

    def scaling(
        self, series: Sequence[Series], season: int, strategy: str, dropout: float = 0.0, left: str = ""
    ) -> tuple[WindowScaling, str]:
        """The scaling of a strategy for series of a season, and what was chosen in words.

        Raises:
            DataError: the series are too short; `left` says what they are what is left of.
        """
        longest = max(series, key=len)
        needed, why = self.needed(len(longest), season)
        if strategy != "one-step" and self.context is None:  # what is short of a whole window is made up
            needed, why = FEWEST + self._difference(season).lag, "to learn anything from"
        if len(longest) < needed:
            remedy = "lower windows (--windows) or the horizon" if left else "give a longer series or ask for less"
            raise DataError(
                f"series {str(longest.unique_id)!r} has {counted(len(longest), 'value')}{left}, expected at least "
                f"{needed} ({why}); {remedy}"
            )
        difference, values = self._difference(season), usual_length(series)
        reach = 1 if strategy == "one-step" else self.horizon or (2 * season if season > 1 else 12)
        segment = _segment(season, reach) if strategy == "segment" else 1
        context = self._context(values, season, segment if strategy == "segment" else None)
        chosen = f"context: {context} steps" + ("" if self.context else ", chosen by season and length")
        scaling = WindowScaling(strategy, season, season, segment, context, reach, difference, self.scale)
        if strategy == "segment":
            spread = "season" if scaling.length >= 2 * season else "std"
            seasons = max(1, min(MOST_SEASONS, context // season))
            scaling = replace(scaling, spread=spread, dropout=dropout, seasons=seasons)
        return scaling, chosen

    def needed(self, values: int, season: int) -> tuple[int, str]:
        """How many values the longest of series of about so many must have, and why."""
        context, lag = self._context(values, season, None), self._difference(season).lag
        why = f"context {context}, season {season} and four targets" + f", differences that look back {lag}" * (lag > 0)
        return max(FEWEST, lag + context + season - 1 + TARGETS), why

    def fewest(self, season: int) -> int:
        """How many values each of many series must have."""
        return self._difference(season).lag + FEWEST_OF_MANY

    def _difference(self, season: int) -> Difference:
        return Difference(self.difference, self.seasonal_difference, season)

    def _context(self, values: int, season: int, segment: int | None) -> int:
        """Whole seasons, about 96 steps but at most a fifth of the values, and two seasons if there are four."""
        if self.context is not None:
            return self.context if segment is None else -(-self.context // segment) * segment
        values -= self._difference(season).lag
        if segment is not None:
            unit = max(season, segment)
            seasons = np.clip(values // (MANY_CONTEXTS * unit), *SEASONS_READ)
            return segment * max(2, min(int(seasons) * unit, LONGEST_CONTEXT, values // 2) // segment)
        if season == 1:
            return max(4, min(48, values // 5))
        least = 2 if values >= 4 * season else 1
        return season * max(least, min(round(96 / season), values // 5 // season))


def is_small(panel: Panel) -> bool:
    """Whether there are so few values that trainings are short, and the chance in one of them counts."""
    return len(panel) <= FEW_SERIES and usual_length(panel.series) <= LONG_SERIES


def usual_length(series: Sequence[Series]) -> int:
    """The median number of values."""
    return int(np.median([len(one) for one in series]))


def _segment(season: int, reach: int) -> int:
    """Steps that are read at once: a season, or the longest part of it that is not too long."""
    if season == 1:
        return max(1, min(8, reach))
    return max(width for width in range(1, min(season, LONGEST_SEGMENT) + 1) if season % width == 0)


@dataclass(frozen=True)
class Sizes:
    """What was asked of the networks and their training; None is chosen by strategy and data. See `Forecaster`."""

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
    quiet: bool

    def __call__(self, strategy: str, series: Sequence[Series]) -> TrainingConfiguration:
        """The configuration for networks of a strategy on these series."""
        usual = _usual_sizes(strategy, sum(len(one) for one in series))
        return TrainingConfiguration(
            **{name: usual[name] if value is None else value for name, value in vars(self).items()}
        )


def _usual_sizes(strategy: str, values: int) -> dict[str, Any]:
    """The sizes for so many values in all."""
    if strategy != "segment":
        return {"hidden_size": 64, "max_steps": 500, "batch_size": 64, "lr": 3e-3, "ensemble_size": 3}
    max_steps = int(np.clip(values // 400, 300, 1000))
    return {"hidden_size": 128, "max_steps": max_steps, "batch_size": 256, "lr": 3e-3, "ensemble_size": 3}
