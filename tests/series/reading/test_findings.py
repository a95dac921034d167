"""Findings: long gaps, series with many missing values and short series are named."""

import numpy as np
import pandas as pd
import pytest

from gatewise.series import read

DAYS = pd.date_range("2020-01-01", periods=365)


def warnings_of(table, **options):
    """The warnings, without those about the constant values of these tests."""
    return tuple(warning for warning in read(table, **options).warnings if not warning.startswith("constant"))


def warnings_about(gaps, freq="D", **options):
    """The warnings about a daily series for each list of positions without rows."""
    ds = pd.date_range("2020-01-01", periods=365, freq=freq)
    parts = [pd.DataFrame({"unique_id": name, "ds": ds.delete(gap), "y": 1.0}) for name, gap in gaps.items()]
    return warnings_of(pd.concat(parts), **options)


@pytest.mark.parametrize(
    ("fill", "treatment"),
    [("previous", "filled with the previous value"), ("interpolate", "filled by interpolation"),
     ("zero", "filled with zero"), ("none", "kept as missing values")],
)  # fmt: skip
def test_the_longest_gap_is_named_if_it_is_longer_than_a_season(fill, treatment):
    gaps = {"a": [*range(10, 30), *range(60, 105)], "b": [*range(200, 240)]}
    assert warnings_about(gaps, fill=fill) == (
        f"gaps: the longest gap is 45 dates, 2020-03-01 to 2020-04-14, in 'a', {treatment}",
    )
    assert warnings_about({"a": range(50, 57)}, fill=fill) == ()
    assert warnings_about({"a": range(50, 58)}, fill=fill)[0].startswith("gaps: the longest gap is 8 dates, 2020-02-20")


def test_a_season_of_months_is_a_year():
    assert warnings_about({"a": range(50, 62)}, "MS", fill="previous") == ()
    assert "13 dates, 2024-03-01 to 2025-03-01" in warnings_about({"a": range(50, 63)}, "MS", fill="previous")[0]


def test_series_whose_values_are_mostly_missing_are_named():
    every_second = {"a": range(1, 364, 2), "b": [7]}
    (warning,) = warnings_about(every_second, freq="D", fill="none")
    assert warning.startswith(
        "missing: 'a' (182 of 365 values): more than a third of the values on the calendar D (daily)"
    )
    months = pd.DataFrame({"ds": DAYS, "y": np.where(DAYS.day == 1, 1.0, np.nan)})
    warnings = warnings_of(months, fill="none")
    assert [warning.partition(" ")[0] for warning in warnings] == ["gaps:", "missing:"]


def test_series_much_shorter_than_the_rest_are_named():
    parts = {"a": DAYS, "b": DAYS[100:], "c": DAYS[-13:], "d": DAYS[-14:], "e": DAYS, "f": DAYS[-1:]}
    table = pd.concat([pd.DataFrame({"unique_id": name, "ds": ds, "y": 1.0}) for name, ds in parts.items()])
    assert warnings_of(table) == ("short: 'c' (13 values), 'f' (1 value); the median series has 139 values",)
    assert warnings_of(table[table["unique_id"].isin(["c", "d"])]) == ()


def test_tables_without_findings_have_no_warnings():
    assert warnings_about({"a": [], "b": []}) == ()
    assert warnings_of([1.0, 2.0, 3.0]) == ()
    assert warnings_of(pd.DataFrame({"id": ["a", "b"], "x": [1.0, 2.0], "y": [3.0, np.nan]}), layout="rows") == ()
