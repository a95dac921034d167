"""Calendar features: the position of a date in its cycles, as computed by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.series.covariates.calendar import calendar_features, cycles
from tests.shop import refused


@pytest.mark.parametrize(
    ("freq", "expected"),
    [
        ("h", ("hour of day", "day of week", "day of year")),
        ("15min", ("hour of day", "day of week", "day of year")),
        ("s", ("minute of hour", "hour of day", "day of week", "day of year")),
        ("12h", ("hour of day", "day of week", "day of year")),
        ("24h", ("day of week", "day of year")),
        ("D", ("day of week", "day of month", "day of year")),
        ("B", ("day of week", "day of month", "day of year")),
        ("7D", ("day of month", "day of year")),
        ("W-SUN", ("week of year",)),
        ("MS", ("month of year",)),
        ("BME", ("month of year",)),
        ("12MS", ()),
        ("QE-JAN", ("quarter of year",)),
        ("YE-DEC", ()),
        (1, ()),
    ],
)
def test_each_frequency_has_its_calendar_cycles(freq, expected):
    assert cycles(freq) == expected


@pytest.mark.parametrize(
    ("cycle", "freq", "date", "part"),
    [
        ("minute of hour", "s", "2024-01-01 00:30:30", 30.5 / 60),
        ("hour of day", "15min", "2024-01-01 06:45", 6.75 / 24),
        ("day of week", "D", "2024-01-01", 0),  # a Monday
        ("day of week", "h", "2024-01-07 23:00", 6 / 7),
        ("day of month", "D", "2024-02-29", 28 / 29),
        ("day of year", "D", "2024-12-31", 365 / 366),
        ("day of year", "D", "2023-12-31", 364 / 365),
        ("week of year", "W", "2020-12-31", 52 / 53),  # week 53 of 53
        ("week of year", "W", "2021-01-03", 52 / 53),  # week 53 of 53 as well
        ("week of year", "W", "2021-01-04", 0),
        ("week of year", "W", "2024-12-30", 0),  # week 1 of 2025
        ("month of year", "MS", "2024-04-01", 3 / 12),
        ("quarter of year", "QE", "2024-12-31", 3 / 4),
    ],
)
def test_calendar_features_equal_those_computed_by_hand(cycle, freq, date, part):
    names, values = calendar_features(pd.DatetimeIndex([date]), freq, cycle)
    assert names == (f"calendar: {cycle} (sine)", f"calendar: {cycle} (cosine)")
    np.testing.assert_allclose(values, [[np.sin(2 * np.pi * part), np.cos(2 * np.pi * part)]], atol=1e-12)


def test_weeks_equal_those_of_pandas():
    ds = pd.date_range("1990-01-01", "2030-12-29", freq="D")
    iso = ds.isocalendar()
    weeks = iso.groupby("year")["week"].transform("max")
    angle = 2 * np.pi * ((iso["week"] - 1) / weeks).to_numpy(float)
    np.testing.assert_allclose(
        calendar_features(ds, "W")[1], np.stack([np.sin(angle), np.cos(angle)], axis=1), atol=1e-12
    )


def test_the_hour_is_in_local_time():
    ds = pd.date_range("2024-03-30 23:00", periods=5, freq="h", tz="Europe/Berlin")  # 23, 0, 1, 3, 4: 2 is skipped
    clock = 2 * np.pi * np.array([23, 0, 1, 3, 4]) / 24
    np.testing.assert_allclose(calendar_features(ds, "h", ["hour of day"])[1][:, 0], np.sin(clock), atol=1e-12)


@settings(deadline=None)
@given(
    st.sampled_from(["s", "15min", "h", "D", "B", "W-SUN", "MS", "QE"]),
    st.datetimes(pd.Timestamp("1950-01-01").to_pydatetime(), pd.Timestamp("2100-01-01").to_pydatetime()),
)
def test_sine_and_cosine_lie_on_the_circle_and_weeks_repeat(freq, start):
    ds = pd.DatetimeIndex([start, pd.Timestamp(start) + pd.Timedelta(days=7)])
    names, values = calendar_features(ds, freq)
    assert values.shape == (2, len(names)) == (2, 2 * len(cycles(freq)))
    np.testing.assert_allclose(values[:, ::2] ** 2 + values[:, 1::2] ** 2, 1)
    weekly = [i for i, name in enumerate(names) if "of week" in name or "of day" in name or "of hour" in name]
    np.testing.assert_allclose(values[0, weekly], values[1, weekly])


def test_integer_time_has_no_calendar():
    with refused("integer time has no calendar", "--calendar"):
        calendar_features(pd.Index([1, 2]), 1)
    assert calendar_features(pd.Index([1, 2]), 1, False)[1].shape == (2, 0)
