"""The warning about intervals that are wider than the range of the series."""

import re

import numpy as np
import pytest

from gatewise.forecast.conformal import TooWide, too_wide

Y = np.array([0.0, 10.0, np.nan, 4.0])


def test_an_interval_within_the_range_is_not_too_wide():
    assert too_wide(np.zeros(3), np.full(3, 10.0), Y) is None
    assert too_wide(np.full(3, np.nan), np.full(3, np.nan), Y) is None
    assert too_wide(np.zeros(3), np.ones(3), np.full(5, 7.0)) is None  # a constant series has no range
    assert too_wide(np.zeros(3), np.ones(3), np.full(5, np.nan)) is None


def test_the_first_step_and_the_largest_ratio_are_named():
    assert too_wide(np.array([0.0, -6.0, -9.0, np.nan]), np.array([5.0, 6.0, 21.0, np.nan]), Y) == TooWide(2, 3.0, True)
    assert too_wide(np.array([-9.0, 0.0]), np.array([9.0, 5.0]), Y) == TooWide(1, 1.8, False)


@pytest.mark.parametrize(
    ("found", "n", "cause"),
    [
        (TooWide(1, 2.0, False), 12.0, r"because few independent validation errors calibrate it \(12\); use a longer"),
        (TooWide(3, 2.0, True), 50.0, "because the errors grow with the horizon; use a shorter horizon"),
        (TooWide(1, 2.0, False), 50.0, "or its last values are unlike those before; check the last values"),
    ],
)
def test_the_sentence_names_the_cause(found, n, cause):
    start = rf"^series 'A': from step {found.step}, the 80 % interval is wider than the range of the series \(up to 2 "
    assert re.search(start + ".*" + cause, found.sentence("A", 80, n))
