"""The choices of a plan, and their lines for `guesses`."""

import pytest

from gatewise import Forecaster
from gatewise.series import DataError, Panel
from tests.waves import series, wave

MINUTES = "season: none; one day is 1,440 steps, set season=1440 to use it"
FEW = "season: none (40 values are fewer than four seasons of 12 steps)"


@pytest.mark.parametrize(
    ("season", "freq", "values", "expected", "longer"),
    [
        (5, "MS", 100, (5, "season: 5 steps (as given); the baselines also use a season of 12 steps"), (12,)),
        (1, "MS", 100, (1, "season: 1 step (as given); the baselines use a season of 12 steps"), (12,)),
        (1, "MS", 23, (1, "season: 1 step (as given)"), ()),
        (24, "MS", 100, (24, "season: 24 steps (as given)"), ()),
        (1, 1, 100, (1, "season: 1 step (as given)"), ()),
        (
            (2, 30),
            "D",
            100,
            (2, "seasons: 2 and 30 steps (as given); the baselines also use a season of 7 steps"),
            (7, 30),
        ),
        ((168, 24), "MS", 400, (24, "seasons: 24 and 168 steps (as given)"), (168,)),
        ([7, 365, 30], "D", 800, (7, "seasons: 7, 30 and 365 steps (as given)"), (30, 365)),
        ((12,), "MS", 100, (12, "season: 12 steps (as given)"), ()),
        (None, "MS", 100, (12, "season: 12 steps (usual for frequency MS)"), ()),
        (None, "MS", 40, (1, f"{FEW}; the baselines use a season of 12 steps"), (12,)),
        (None, "MS", 23, (1, FEW.replace("40", "23")), ()),
        (None, 1, 100, (1, "season: none (frequency 1 has no usual season)"), ()),
        (None, "h", 503, (24, "season: 24 steps (usual for frequency h)"), ()),
        (None, "h", 504, (24, "seasons: 24 and 168 steps (usual for frequency h)"), (168,)),
        (None, "30min", 1008, (48, "seasons: 48 and 336 steps (usual for frequency 30min)"), (336,)),
        (None, "D", 1091, (7, "season: 7 steps (usual for frequency D)"), ()),
        (None, "D", 1092, (7, "seasons: 7 and 364 steps (usual for frequency D)"), (364,)),
        (None, "B", 780, (5, "seasons: 5 and 260 steps (usual for frequency B)"), (260,)),
        (None, "min", 2879, (1, MINUTES), ()),
        (None, "min", 2880, (1, f"{MINUTES}; the baselines use a season of 1,440 steps"), (1440,)),
        (None, "min", 30240, (1, f"{MINUTES}; the baselines use seasons of 1,440 and 10,080 steps"), (1440, 10080)),
        (None, "5s", 1000, (1, "season: none; one hour is 720 steps, set season=720 to use it"), ()),
    ],
)
def test_the_seasons_and_their_reason(season, freq, values, expected, longer):
    plan = Forecaster(season=season).plan
    panel = Panel((series(wave(values)),), freq=freq)
    assert plan.choose_season(panel) == expected
    assert plan.longer_seasons(panel) == longer


def test_weekly_series_of_three_years_have_the_year_for_the_baselines():
    panel = Panel((series(wave(150)),), freq="W-SUN")
    _, guess = Forecaster().plan.choose_season(panel)
    assert guess == (
        "season: none (150 values are fewer than four seasons of 52 steps); the baselines use a season of 52 steps"
    )
    assert Forecaster().plan.longer_seasons(panel) == (52,)


def test_a_given_longer_season_must_fit_twice_into_a_series():
    panel = Panel((series(wave(335)),), freq="h")
    with pytest.raises(DataError) as error:
        Forecaster(season=(24, 168)).plan.longer_seasons(panel)
    assert str(error.value) == (
        "series 'A' has 335 values, expected at least 336, two of the longest season; omit 168 from season= "
        "(--season), or use a longer series"
    )
    assert Forecaster(season=(24, 168)).plan.longer_seasons(Panel((series(wave(336)),), freq="h")) == (168,)
