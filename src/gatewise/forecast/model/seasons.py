"""Seasons: the season of the windows and longer ones, as given or those of the calendar.

A longer season needs no window of its length: the baselines use it (`gatewise.forecast.baselines`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gatewise.series import DataError, Panel, Series, longer_season_length
from gatewise.series.panel import length_of
from gatewise.series.wording import counted

LONGEST_SEASON = 366  # a longer one is used only on request, as every window holds more than one season
CYCLES = {"min": "day", "s": "hour"}  # the usual season, where it can exceed LONGEST_SEASON
FOR_WINDOWS, FOR_BASELINES = 4, 2  # seasons in the series, for the usual season
LONGER = 3  # seasons in the series, for a longer one than the usual


class Seasons(NamedTuple):
    """The seasons of a panel.

    Attributes:
        season: of the windows, 1 for none.
        longer: ascending.
        guess: their line for `guesses`.
    """

    season: int
    longer: tuple[int, ...]
    guess: str


def given_seasons(seasons: Sequence[int], panel: Panel) -> Seasons:
    """The seasons of the argument `season`; the shortest is that of the windows.

    The season of the calendar joins them, if it is longer than that of the windows and a series holds two: a forecast
    must also beat the values of last year, week or day.

    >>> import pandas as pd
    >>> days = Panel((Series("A", pd.date_range("2024", periods=20), np.arange(20.0)),), freq="D")
    >>> given_seasons((168, 24), days)
    Seasons(season=24, longer=(168,), guess='seasons: 24 and 168 steps (as given)')
    >>> given_seasons((1,), days).guess
    'season: 1 step (as given); the baselines use a season of 7 steps'
    """
    season, *given = sorted(seasons)
    usual = panel.season
    added = usual > season and usual not in given and _longest(panel) >= FOR_BASELINES * usual
    guess = f"season: {counted(season, 'step')} (as given)"
    if given:
        guess = f"seasons: {_steps((season, *given))} (as given)"
    if added:
        also = "" if season == 1 else " also"
        guess += f"; the baselines{also} use a season of {_steps((usual,))}"
    return Seasons(season, tuple(sorted((*given, usual) if added else given)), guess)


def usual_seasons(panel: Panel) -> Seasons:
    """The seasons of the calendar that the series are long enough for."""
    usual, values = panel.season, usual_length(panel.series)
    reason = ""
    if usual == 1:
        reason = f" (frequency {panel.freq} has no usual season)"
    elif usual > LONGEST_SEASON:
        reason = f"; one {_cycle(panel.freq)} is {usual:,} steps, set season={usual} to use it"
    elif values < FOR_WINDOWS * usual:
        reason = f" ({values} values are fewer than four seasons of {usual} steps)"
    season, longest = 1 if reason else usual, longer_season_length(panel.freq)
    enough = {usual: _longest(panel) >= FOR_BASELINES * usual, longest: values >= LONGER * longest}
    longer = tuple(steps for steps, holds in enough.items() if steps > season and holds)
    if not reason:
        name = "season" if not longer else "seasons"
        return Seasons(season, longer, f"{name}: {_steps((season, *longer))} (usual for frequency {panel.freq})")
    several = "seasons" if len(longer) > 1 else "a season"
    more = f"; the baselines use {several} of {_steps(longer)}" if longer else ""
    return Seasons(season, longer, f"season: none{reason}{more}")


def season_of_scores(season: int, longer: Sequence[int], known: Sequence[int] | np.ndarray) -> int:
    """The season of the naive forecast that scales errors: that of the windows, else the shortest one of the baselines.

    Arguments:
        season: of the windows, 1 for none.
        longer: ascending.
        known: values before the first test window of each series; most must hold more than a season.

    >>> season_of_scores(1, (12,), [15]), season_of_scores(1, (12,), [12]), season_of_scores(4, (12,), [15])
    (12, 1, 4)
    """
    if season > 1 or not longer or np.median(known) <= longer[0]:
        return season
    return longer[0]


def check_length(panel: Panel, longer: Sequence[int]) -> None:
    """Refuse a longer season of which no series holds two.

    Raises:
        DataError: the message names the longest series.
    """
    longest = max(panel.series, key=len)
    if longer and len(longest) < 2 * longer[-1]:
        raise DataError(
            f"{length_of(longest)}, expected at least {2 * longer[-1]}, two of the longest season; omit {longer[-1]} "
            "from season= (--season), or use a longer series"
        )


def _longest(panel: Panel) -> int:
    """The number of values of the longest series."""
    return max(map(len, panel.series))


def usual_length(series: Sequence[Series]) -> int:
    """The median number of values."""
    return int(np.median([len(one_series) for one_series in series]))


def _steps(seasons: Sequence[int]) -> str:
    *names, last = (f"{season:,}" for season in seasons)
    return f"{', '.join(names)} and {last} steps" if names else f"{last} steps"


def _cycle(freq: str | int) -> str:
    """The calendar period that is the usual season of a frequency, such as "day" for "min"."""
    return next((name for unit, name in CYCLES.items() if str(freq).lower().endswith(unit)), "season")
