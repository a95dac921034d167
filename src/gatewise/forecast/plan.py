"""The plan: which season and how much past a network reads, chosen for a series and said in words.

Letters: `N` values of the series.
"""

from dataclasses import dataclass

from gatewise.forecast.one_step import Pipeline
from gatewise.series import DataError, Panel, Series
from gatewise.windows import Difference, Scale

SCALES = ("window", "standard", "minmax", "robust", "none")
LONGEST_SEASON = 366  # a longer one is used only if asked for: every window would hold more than a season of steps
FEWEST = 10  # values to train on, however short the context
TARGETS = 4  # windows to train on, at the very least


@dataclass(frozen=True)
class Plan:
    """What was asked of the transforms around the network; None is chosen by the data. See `Forecaster` for each."""

    context: int | None
    season: int | None
    difference: int
    seasonal_difference: int
    scale: str

    def choose_season(self, panel: Panel, one: Series) -> tuple[int, str]:
        """The season of a series, and why."""
        if self.season is not None:
            return self.season, f"season: {self.season} steps, as given"
        usual = panel.season
        if usual == 1:
            return 1, f"season: none known for frequency {panel.freq}"
        if usual > LONGEST_SEASON:
            return (
                1,
                f"season: none; the usual {usual} steps of frequency {panel.freq} are long (season= asks for them)",
            )
        if len(one) < 4 * usual:
            return 1, f"season: none; {len(one)} values are less than four seasons of {usual}"
        return usual, f"season: {usual} steps, usual for frequency {panel.freq}"

    def pipeline(self, one: Series, season: int, left: str = "") -> tuple[Pipeline, str]:
        """The transforms for a series of a season, and the context in words.

        Raises:
            DataError: the series is too short; `left` says what it is what is left of.
        """
        needed, why = self.needed(len(one), season)
        if len(one) < needed:
            remedy = "lower windows (--windows) or the horizon" if left else "give a longer series or ask for less"
            raise DataError(
                f"series {str(one.unique_id)!r} has {len(one)} values{left}, expected at least {needed} ({why}); "
                f"{remedy}"
            )
        difference, context = self._difference(season), self._context(len(one), season)
        scale = Scale("standard" if self.scale == "window" else self.scale).fit(difference.apply(one.y))
        chosen = f"context: {context} steps" + ("" if self.context else ", chosen by season and length")
        return Pipeline(difference, scale, self.scale == "window", context, season), chosen

    def needed(self, values: int, season: int) -> tuple[int, str]:
        """How many values a series of about so many must have, and why."""
        context, lag = self._context(values, season), self._difference(season).lag
        why = f"context {context}, season {season} and four targets" + f", differences that look back {lag}" * (lag > 0)
        return max(FEWEST, lag + context + season - 1 + TARGETS), why

    def _difference(self, season: int) -> Difference:
        return Difference(self.difference, self.seasonal_difference, season)

    def _context(self, values: int, season: int) -> int:
        """Whole seasons, about 96 steps but at most a fifth of the values, and two seasons if there are four."""
        if self.context is not None:
            return self.context
        values -= self._difference(season).lag
        if season == 1:
            return max(4, min(48, values // 5))
        least = 2 if values >= 4 * season else 1
        return season * max(least, min(round(96 / season), values // 5 // season))
