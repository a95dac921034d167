"""The sentence below a forecast that leaves the range of the past."""

import numpy as np
import pandas as pd
import pytest

from gatewise.cli import main

SMALL = ["--max-steps", "2", "--hidden-size", "4", "--ensemble-size", "1", "--windows", "0", "--quiet"]
REACHES = "The forecast of 'sales' reaches 38 on 2024-02-08; the series has never been above 28."


@pytest.fixture
def line(folder):
    """29 days of sales on a line, in line.csv; repeated in weeks, in weeks.csv."""
    days = pd.date_range("2024-01-01", periods=29)
    pd.DataFrame({"day": days, "sales": np.arange(29.0)}).to_csv(folder / "line.csv", index=False)
    pd.DataFrame({"day": days, "sales": np.arange(29.0) % 7}).to_csv(folder / "weeks.csv", index=False)
    return folder


def test_the_sentence_stands_below_the_forecast_also_of_a_saved_model(line, capsys):
    save = ["--save", "m.safetensors", *SMALL]
    assert main(["forecast", "line.csv", "--horizon", "10", "--fallback", "Drift", *save]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[lines.index(REACHES) - 1].split()[:2] == ["sales", "2024-02-08"]
    assert main(["forecast", "--model", "m.safetensors", "--horizon", "10"]) == 0
    assert REACHES in capsys.readouterr().out.splitlines()


def test_nothing_is_printed_about_a_forecast_inside(line, capsys):
    assert main(["forecast", "weeks.csv", "--horizon", "10", *SMALL]) == 0
    assert "never been" not in capsys.readouterr().out
