"""The choices of a plan, and their lines for `guesses`."""

import pytest

from gatewise.forecast.model.plan import Plan
from gatewise.series import Panel
from tests.waves import series, wave


@pytest.mark.parametrize(
    ("options", "freq", "values", "expected"),
    [
        ({"season": 5}, "MS", 100, (5, "season: 5 steps (as given)")),
        ({"season": 1}, "MS", 100, (1, "season: 1 step (as given)")),
        ({}, "MS", 100, (12, "season: 12 steps (usual for frequency MS)")),
        ({}, "MS", 40, (1, "season: none (40 values are fewer than four seasons of 12 steps)")),
        ({}, 1, 100, (1, "season: none (frequency 1 has no usual season)")),
        ({}, "min", 9000, (1, "season: none; one day is 1,440 steps, set season=1440 to use it")),
        ({}, "5s", 9000, (1, "season: none; one hour is 720 steps, set season=720 to use it")),
    ],
)
def test_the_season_and_its_reason(options, freq, values, expected):
    plan = Plan("auto", None, options.get("season"), None, 0, 0, "window")
    assert plan.choose_season(Panel((series(wave(values)),), freq=freq)) == expected
