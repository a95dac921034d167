"""`gatewise backtest`: printed output and files for one series; test_many_series.py tests many."""

import pandas as pd
import pytest

from gatewise.cli import main

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("folder")
SMALL = ["--max-steps", "20", "--hidden-size", "8", "--ensemble-size", "1"]


def test_backtest_writes_its_forecasts_and_a_figure(sales, capsys):
    arguments = ["whole.csv", "--horizon", "7", "--windows", "4", "--level", "90", "--cell", "gru", "--refit"]
    assert main(["backtest", *arguments, "--out", "b.csv", "--plot", "b.svg", "--quiet", *SMALL]) == 0
    printed = capsys.readouterr().out
    assert "Backtest: 4 windows of 7 steps, mean scores" in printed
    assert "Scores by window" in printed
    assert "coverage-90" in printed
    table = pd.read_csv("b.csv")
    assert len(table) == 28
    assert table["cutoff"].nunique() == 4
    assert {"y", "GRU", "GRU-lo-90", "GRU-hi-90", "Naive", "SeasonalNaive"} <= set(table.columns)
    assert (sales / "b.svg").read_text().startswith("<?xml")
