"""The digits of printed tables."""

import numpy as np
import pandas as pd
import pytest

from gatewise.cli import main
from gatewise.cli.digits import significant_digits, written
from gatewise.cli.output import format_table

SMALL = ["--max-steps", "2", "--hidden-size", "4", "--ensemble-size", "1", "--windows", "0", "--quiet"]


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ([1.0, 2.0, 3.0], 5),
        ([100.0, 101.0], 5),
        ([1000.0, 1001.0], 6),
        ([10_000.0, 10_001.0], 7),
        ([1e9 - 1, 1e9, 1e9 + 1], 11),
        ([-1e9 - 1, -1e9 + 1], 11),
        ([1e9, 1e9], 12),
        ([1e9 + 0.5], 12),
        ([1e-9, 2e-9], 5),
        ([1e-9 + 1e-15, 1e-9], 9),
        ([1e-9, 1e-9], 5),
        ([0.0, 0.0], 5),
        ([np.nan, np.nan], 5),
        ([np.nan, 1e6, 1e6 + 1], 9),
        ([1e300, 1e300], 5),
        ([-1e300, 1e300], 5),
        ([1e15, 1e15 + 1], 15),
        ([-5.0, 5.0], 5),
    ],
)
def test_enough_digits_tell_values_apart(values, digits):
    assert significant_digits(np.array(values)) == digits
    finite = sorted({value for value in values if np.isfinite(value)})
    if digits < 15:
        assert len({f"{value:.{digits}g}" for value in finite}) == len(finite)


def forecast(name, mean, half):
    rows = {"unique_id": name, "ds": pd.date_range("2024", periods=len(mean)), "LSTM": mean}
    return pd.DataFrame(rows).assign(**{"LSTM-lo-80": np.subtract(mean, half), "LSTM-hi-80": np.add(mean, half)})


def test_the_bounds_of_a_constant_forecast_are_told_apart():
    text = format_table(forecast("a", np.full(3, 1e9), 1.0))
    assert text.splitlines()[1].split()[2:] == ["1000000000", "999999999", "1000000001"]


def test_each_series_has_its_own_digits():
    table = pd.concat([forecast("a", 1e9 + np.arange(2.0), 0.5), forecast("b", np.array([0.123456, 2.5]), 1.0)])
    rows = [line.split()[2:] for line in format_table(table).splitlines()[1:]]
    assert rows[0] == ["1000000000", "999999999.5", "1000000000.5"]
    assert rows[1] == ["1000000001", "1000000000.5", "1000000001.5"]
    assert rows[2] == ["0.12346", "-0.87654", "1.1235"]


def test_tables_of_scores_have_digits_for_each_column():
    table = pd.DataFrame({"model": ["LSTM", "Naive"], "MAE": [1e6, 1e6 + 1], "MASE": [0.512345, 1.0], "n": [3, 4]})
    rows = [line.split() for line in format_table(table).splitlines()[1:]]
    assert rows == [["LSTM", "1000000", "0.51235", "3"], ["Naive", "1000001", "1", "4"]]


@pytest.mark.parametrize("n", [5, 48, 60, 1000])
def test_usual_tables_look_as_with_five_digits(n):
    rng = np.random.default_rng(n)
    table = forecast("a", rng.normal(100, 9, n), rng.uniform(1, 9, n))
    table.loc[n // 2, "LSTM"] = np.nan
    options = {"index": False, "float_format": "{:.5g}".format, "na_rep": ""}
    expected = table.to_string(**options) if n <= 48 else table.to_string(**options, max_rows=12)
    assert format_table(table).startswith(expected)


def test_only_the_rows_on_the_screen_are_written():
    texts = written(forecast("a", np.arange(9.0), 1.0), np.array([0, 8]))[" LSTM"]
    assert texts.tolist() == ["0", *[""] * 7, "8"]


def test_the_command_prints_differences_of_large_values(folder, capsys):
    y = 1e9 + np.sin(np.arange(40) * 2 * np.pi / 7)
    pd.DataFrame({"day": pd.date_range("2024-01-01", periods=40), "y": y}).to_csv(folder / "large.csv", index=False)
    assert main(["forecast", "large.csv", "--horizon", "7", "--fallback", "SeasonalNaive", *SMALL]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip().startswith("y ")]
    assert len(rows) == 7
    assert not any("1e+09" in row for row in rows)
    assert len({row[2] for row in rows}) >= 4
    np.testing.assert_allclose([float(row[2]) for row in rows], y[-7:], atol=0.11)
