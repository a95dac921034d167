"""The command with series on different calendars, series that have ended, and office hours."""

import numpy as np
import pandas as pd
import pytest

from gatewise.cli import main

SMALL = [
    "--max-steps",
    "10",
    "--hidden-size",
    "8",
    "--ensemble-size",
    "1",
    "--dropout",
    "0",
    "--quiet",
    "--windows",
    "1",
]
COMMAND = ["mixed.csv", "--horizon", "3", *SMALL]


@pytest.fixture(autouse=True)
def mixed(tmp_path, monkeypatch):
    """Daily and monthly shops in mixed.csv."""
    monkeypatch.chdir(tmp_path)
    days, months = pd.date_range("2022-01-01", periods=80), pd.date_range("2018-01-01", periods=50, freq="MS")
    series = {"d1": days, "d2": days, "m1": months, "m2": months}
    parts = {name: pd.DataFrame({"ds": ds, "y": np.arange(len(ds)) % 7 + 10.5}) for name, ds in series.items()}
    pd.concat(parts, names=["unique_id"]).reset_index(level=0).to_csv("mixed.csv", index=False)
    return tmp_path


def printed(capsys, *command):
    """Standard output of a command that succeeds."""
    assert main(list(command)) == 0
    return capsys.readouterr().out


def refused(capsys, *command):
    """The message of a command that fails."""
    assert main(list(command)) == 2
    return capsys.readouterr().err


def dates_of(path):
    table = pd.read_csv(path)
    return {name: rows["ds"].tolist() for name, rows in table.groupby("unique_id")}


DAYS = ["2022-03-22", "2022-03-23", "2022-03-24"]
MONTHS = ["2022-03-01", "2022-04-01", "2022-05-01"]


def test_mixed_calendars_are_refused_and_split_on_request(capsys):
    message = refused(capsys, "forecast", *COMMAND)
    assert "on different calendars: D (daily): 'd1', 'd2'; MS (month start): 'm1', 'm2'; read them" in message
    assert "--split-by-frequency" in message
    text = printed(capsys, "forecast", *COMMAND, "--split-by-frequency", "--out", "out.csv")
    assert dates_of("out.csv") == {"d1": DAYS, "d2": DAYS, "m1": MONTHS, "m2": MONTHS}
    assert [line for line in text.split("\n") if line.startswith("Frequency ")] == [
        "Frequency D (2 series)",
        "Frequency MS (2 series)",
    ]
    assert text.count("Forecast: 3 steps for 2 series") == 2
    assert text.count("Verdict: ") == 2
    assert text.count("Files written: out.csv") == 1


def test_the_other_remedies_of_the_message_work(capsys):
    printed(capsys, "forecast", *COMMAND, "--series", "m1", "--series", "m2", "--out", "months.csv")
    assert dates_of("months.csv") == {"m1": MONTHS, "m2": MONTHS}
    printed(capsys, "forecast", *COMMAND, "--freq", "D", "--on-bad", "skip", "--out", "days.csv")
    assert dates_of("days.csv") == {"d1": DAYS, "d2": DAYS}
    printed(capsys, "forecast", *COMMAND, "--freq", "MS", "--on-bad", "skip", "--out", "months.csv")
    assert dates_of("months.csv") == {"m1": MONTHS, "m2": MONTHS}
    message = refused(capsys, "forecast", *COMMAND, "--fill", "zero")
    assert "fill would invent 1443 of 1493 values of series 'm1' (to fill anyway: fill_limit=0.97 (--" in message
    filled = printed(capsys, "forecast", *COMMAND, "--fill", "zero", "--fill-limit", "0.97")
    assert "gaps: the longest gap is 30 dates, 2018-01-02 to 2018-01-31, in 'm1', filled with zero" in filled


def test_a_backtest_is_split_and_excluded_series_are_in_one_table(capsys):
    table = pd.read_csv("mixed.csv")
    table.loc[[3, 170], "y"] = np.nan
    table.to_csv("mixed.csv", index=False)
    options = ["--on-bad", "skip", "--split-by-frequency", "--out", "out.csv", "--excluded", "excluded.csv"]
    printed(capsys, "backtest", *COMMAND, *options)
    assert dates_of("out.csv") == {"d2": ["2022-03-19", "2022-03-20", "2022-03-21"],
                                   "m2": ["2021-12-01", "2022-01-01", "2022-02-01"]}  # fmt: skip
    assert pd.read_csv("excluded.csv")["unique_id"].tolist() == ["d1", "m1"]


@pytest.mark.parametrize("option", [["--plot", "p.png"], ["--save", "m.safetensors"], ["--paths-out", "p.csv"]])
def test_single_files_of_several_frequencies_are_refused_with_a_remedy(capsys, option):
    message = refused(capsys, "forecast", *COMMAND, "--split-by-frequency", *option)
    assert f"{option[0]} writes the result of one frequency, but the series have 2: D, MS" in message
    assert "--freq D --on-bad skip" in message
    printed(capsys, "forecast", *COMMAND, "--freq", "D", "--on-bad", "skip", *option)
    days = ["--series", "d1", "--series", "d2"]
    assert "Files written: " + option[1] in printed(
        capsys, "forecast", *COMMAND, "--split-by-frequency", *days, *option
    )


def test_a_given_frequency_contradicts_splitting(capsys):
    message = refused(capsys, "forecast", *COMMAND, "--split-by-frequency", "--freq", "D")
    assert "--split-by-frequency finds the frequencies of the series, but --freq gives one; omit one" in message


def test_an_ended_series_is_named_and_excluded_on_request(capsys):
    months = pd.date_range("2018-01-01", periods=53, freq="MS")
    parts = [
        pd.DataFrame({"unique_id": name, "ds": months[:n], "y": np.arange(n) % 7 + 10.5, "price": 1.0})
        for name, n in (("a", 53), ("b", 53), ("closed", 45))
    ]
    table = pd.concat(parts)
    table.loc[(table["ds"] >= "2022-03-01"), "y"] = np.nan
    table.to_csv("shops.csv", index=False)
    command = ["forecast", "shops.csv", "--horizon", "3", *SMALL, "--known", "price"]
    message = refused(capsys, *command)
    assert "series 'closed' ends on 2021-09-01, before the others" in message
    assert 'exclude it with ended="exclude" (--ended exclude)' in message
    files = ["--out", "out.csv", "--excluded", "excluded.csv"]
    printed(capsys, *command, "--ended", "exclude", *files)
    assert dates_of("out.csv") == {"a": MONTHS, "b": MONTHS}
    assert pd.read_csv("excluded.csv")["unique_id"].tolist() == ["closed"]
    table[table["y"].notna()].drop(columns="price").to_csv("sales.csv", index=False)
    warned = printed(capsys, "forecast", "sales.csv", "--horizon", "3", *SMALL)
    assert "  ended: 'closed' on 2021-09-01, long before the others (2022-02-01)" in warned
    silent = printed(
        capsys, "forecast", "sales.csv", "--horizon", "3", *SMALL, "--ended", "forecast", "--out", "out.csv"
    )
    assert "Warnings" not in silent
    assert dates_of("out.csv") == {"a": MONTHS, "b": MONTHS, "closed": ["2021-10-01", "2021-11-01", "2021-12-01"]}


def test_office_hours_are_refused_with_remedies_that_work(capsys):
    hours = pd.date_range("2024-01-01", periods=24 * 60, freq="h")
    hours = hours[(hours.hour >= 8) & (hours.hour <= 15) & (hours.day_of_week < 5)]
    table = pd.DataFrame({"ds": hours, "y": np.arange(len(hours)) % 8 + 10.5, "t": range(len(hours))})
    table.drop(columns="t").to_csv("office.csv", index=False)
    message = refused(capsys, "forecast", "office.csv", "--horizon", "3", *SMALL)
    assert "steps of h from 08:00 to 15:00, Monday to Friday" in message
    assert "(--freq h --fill none)" in message
    assert "(--time COL), where a day is season=8 (--season 8)" in message
    command = ["--horizon", "3", *SMALL, "--out", "out.csv"]
    printed(capsys, "forecast", "office.csv", *command, "--freq", "h", "--fill", "none")
    assert dates_of("out.csv") == {"y": ["2024-02-29 16:00:00", "2024-02-29 17:00:00", "2024-02-29 18:00:00"]}
    table.to_csv("office.csv", index=False)
    printed(capsys, "forecast", "office.csv", *command, "--time", "t", "--season", "8")
    assert dates_of("out.csv") == {"y": [len(hours), len(hours) + 1, len(hours) + 2]}
