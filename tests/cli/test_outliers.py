"""Outliers: printed warnings, exit codes, and the effect on the forecast."""

import numpy as np
import pandas as pd
import pytest

from gatewise.cli import main

OUTLIER = "  outlier: 9,999 on 2024-03-29 in series 'sold' (usual range around it "


@pytest.fixture(autouse=True)
def typed_wrongly(folder):
    """90 days with a typing error in sold.csv."""
    values = np.random.default_rng(0).normal(100, 5, size=90).round(1)
    values[88] = 9999
    days = pd.date_range("2024-01-01", periods=90)
    pd.DataFrame({"day": days, "sold": values}).to_csv(folder / "sold.csv", index=False)


def test_an_outlier_is_a_warning(capsys):
    assert main(["check", "sold.csv"]) == 1
    assert f"Warnings\n{OUTLIER}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "done"),
    [
        (["--outliers", "clip"], "clipped to the usual range around it"),
        (["--outliers", "missing", "--fill", "interpolate"], "treated as missing (fill='interpolate')"),
    ],
)
def test_treated_outliers_are_none(capsys, options, done):
    assert main(["check", "sold.csv", *options]) == 0
    assert f"  outliers: 1 value {done} (2024-03-29 in series 'sold')\n" in capsys.readouterr().out


def test_missing_outliers_need_a_fill(capsys):
    assert main(["check", "sold.csv", "--outliers", "missing"]) == 2
    assert "(--fill interpolate)" in capsys.readouterr().err


def test_the_forecast_states_the_effect(capsys):
    command = ["forecast", "sold.csv", "--horizon", "7", "--windows", "0", "--quiet", "--max-steps", "10"]
    assert main([*command, "--hidden-size", "4", "--ensemble-size", "1"]) == 0
    printed = capsys.readouterr().out
    assert f"Warnings\n{OUTLIER}" in printed
    assert (
        "\nWith the same trained networks, but without the outlier of 2024-03-29 in 'sold', the forecast would "
        in printed
    )
    assert "(--outliers missing --fill interpolate)." in printed
    assert " on average (" in printed
