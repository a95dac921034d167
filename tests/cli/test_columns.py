"""Remedies of the command for roles of columns: each is followed."""

import numpy as np
import pandas as pd
import pytest

from gatewise.cli import main

SMALL = [
    "--horizon",
    "2",
    "--windows",
    "0",
    "--max-steps",
    "2",
    "--hidden-size",
    "4",
    "--ensemble-size",
    "1",
    "--quiet",
]
DAYS = pd.date_range("2024-01-01", periods=60)
HOURS = pd.date_range("2024-01-01", periods=240, freq="h")
WAVE = np.sin(np.arange(60)) + 5


def shops(**names):
    frame = pd.DataFrame(names).merge(pd.DataFrame({"date": DAYS, "sales": WAVE}), how="cross")
    return frame.sort_values("date", kind="stable", ignore_index=True)


TABLES = {  # name -> table, the remedy that its error prints, names of the series, first date of the forecast
    "id": (shops(shop=[1, 2, 3]), ["--id", "shop"], ["1", "2", "3"], "2024-03-01"),
    "two ids": (
        shops(store=["a", "a", "b", "b"], item=[1, 2, 1, 2]),
        ["--id", "store,item"],
        ["a/1", "a/2", "b/1", "b/2"],
        "2024-03-01",
    ),
    "aggregate": (
        pd.DataFrame({"date": DAYS.repeat(2), "sales": np.arange(120.0)}),
        ["--aggregate", "sum"],
        ["sales"],
        "2024-03-01",
    ),
    "hours": (
        pd.DataFrame({"date": HOURS.date, "z": HOURS.hour, "v": np.arange(240.0) % 24}),
        ["--time", "date,z"],
        ["v"],
        "2024-01-11 00:00:00",
    ),
    "columns": (
        pd.DataFrame({"date": DAYS, "a": WAVE, "b": -WAVE}),
        ["--layout", "columns"],
        ["a", "b"],
        "2024-03-01",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_remedy_that_an_error_prints_reads_the_table(name, folder, capsys):
    table, remedy, names, date = TABLES[name]
    table.to_csv(folder / "table.csv", index=False)
    assert main(["forecast", "table.csv", "--horizon", "2", *SMALL]) != 0
    assert " ".join(remedy) in capsys.readouterr().err
    assert main(["forecast", "table.csv", "--horizon", "2", *SMALL, *remedy, "--out", "out.csv"]) == 0
    forecast = pd.read_csv(folder / "out.csv", dtype={"unique_id": str})
    assert forecast["unique_id"].unique().tolist() == names
    assert forecast["ds"].iloc[0] == date


def test_dates_in_the_header_need_no_option(folder, capsys):
    wide = pd.DataFrame([WAVE, -WAVE], columns=DAYS.strftime("%m/%d/%y")).assign(Country=["France", "Spain"])
    wide.to_csv(folder / "wide.csv", index=False)
    assert main(["forecast", "wide.csv", "--horizon", "2", *SMALL, "--out", "out.csv"]) == 0
    assert "a series in each row, with 60 dates in the header, 2024-01-01 to 2024-02-29" in capsys.readouterr().out
    forecast = pd.read_csv(folder / "out.csv")
    assert forecast["unique_id"].unique().tolist() == ["France", "Spain"]
    assert forecast["ds"].iloc[0] == "2024-03-01"
