"""The command with many series: printed output, excluded series, and files."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster, read
from gatewise.cli import main

SMALL = ["--max-steps", "20", "--hidden-size", "8", "--ensemble-size", "1", "--dropout", "0", "--quiet"]
SHOPS = ["shops.csv", "--id", "shop", "--horizon", "5"]


@pytest.fixture(autouse=True)
def shops(tmp_path, monkeypatch):
    """Fourteen shops of 60 days and more in shops.csv, two with errors; the other twelve in two wide tables."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    parts = []
    for k in range(14):
        days = pd.date_range("2024-01-01", periods=60 + k)
        sold = 20 + k + 5 * np.sin(np.arange(60 + k) * 2 * np.pi / 7) + generator.normal(0, 1, 60 + k)
        parts.append(pd.DataFrame({"shop": f"shop {k}", "day": days, "sold": sold}))
    parts[3].loc[20, "sold"] = np.nan
    parts[7] = parts[7].drop(index=[30, 31])
    pd.concat(parts).to_csv("shops.csv", index=False)
    good = [part for k, part in enumerate(parts) if k not in (3, 7)]
    wide = pd.concat([part.set_index("day")["sold"].rename(part["shop"].iloc[0]) for part in good], axis=1)
    wide.reset_index().to_csv("columns.csv", index=False)
    pd.DataFrame([{"shop": part["shop"].iloc[0], **dict(enumerate(part["sold"]))} for part in good]).to_csv(
        "rows.csv", index=False
    )
    return tmp_path


def printed_by(capsys, *command):
    """The output of the command with a small model."""
    assert main([*command, *SMALL]) == 0
    return capsys.readouterr().out


def test_many_series_are_forecast_and_those_with_errors_excluded(shops, capsys):
    files = ["--out", "f.csv", "--excluded", "excluded.csv", "--paths", "3", "--paths-out", "p.csv"]
    printed = printed_by(capsys, "forecast", *SHOPS, "--on-bad", "skip", *files)
    for text in (
        "12 series (2 more excluded): 'shop 0', 'shop 1', 'shop 2', 'shop 4', 'shop 5', ...\n"
        "  60 to 73 values each (median 67), 2024-01-01 to 2024-03-13, frequency D",
        "Excluded series: 2 (--on-bad skip)",
        "series 'shop 3', row",
        "Each score is averaged over the windows of a series",
        "Forecast: 5 steps for 12 series",
        "(60 rows; --out FILE.csv writes them all)",
        "Files written: f.csv, excluded.csv, p.csv",
    ):
        assert text in printed
    assert pd.read_csv("excluded.csv")["unique_id"].tolist() == ["shop 3", "shop 7"]
    assert len(pd.read_csv("p.csv")) == 12 * 5 * 3
    panel = read("shops.csv", id_column="shop", on_bad="skip")
    model = Forecaster(max_steps=20, hidden_size=8, ensemble_size=1, dropout=0.0, horizon=5).fit(panel)
    np.testing.assert_allclose(pd.read_csv("f.csv")["LSTM"], model.predict(5)["LSTM"])


def test_a_series_with_errors_stops_the_command_unless_it_may_be_excluded(capsys):
    assert main(["forecast", *SHOPS, *SMALL]) == 2
    assert "series 'shop 3', row" in capsys.readouterr().err
    printed = printed_by(capsys, "forecast", *SHOPS, "--on-bad", "naive", "--windows", "0", "--out", "f.csv")
    assert "Excluded series: 2 (--on-bad naive; those with values get naive forecasts without intervals)" in printed
    table = pd.read_csv("f.csv").set_index("unique_id")
    assert table.loc["shop 3", "LSTM"].notna().all()
    assert table.loc["shop 3", "LSTM-lo-80"].isna().all()


def test_a_backtest_prints_the_best_and_worst_series(capsys):
    options = ["--on-bad", "skip", "--windows", "3", "--step", "2", "--excluded", "excluded.csv", "--out", "b.csv"]
    printed = printed_by(capsys, "backtest", *SHOPS, *options)
    assert "Backtest: 3 windows of 5 steps, mean scores" in printed
    assert "largest gain first" in printed
    assert "... 2 more ..." in printed
    assert "Scores by window" not in printed
    rows = printed.split("largest gain first\n")[1].split("\n\n")[0].split("\n")
    gains = [float(row.split()[-1]) for row in rows[1:] if "more" not in row]
    assert len(gains) == 10
    assert gains == sorted(gains, reverse=True)
    table = pd.read_csv("b.csv", parse_dates=["cutoff"])
    cutoffs = table.loc[table["unique_id"] == "shop 0", "cutoff"].drop_duplicates()
    assert cutoffs.diff().dropna().dt.days.tolist() == [2, 2]
    assert len(pd.read_csv("excluded.csv")) == 2


@pytest.mark.parametrize("layout", ["columns", "rows"])
def test_wide_tables_are_read(layout, capsys):
    printed = printed_by(capsys, "forecast", f"{layout}.csv", "--layout", layout, "--horizon", "5", "--windows", "0")
    assert "12 series: 'shop 0'" in printed


def test_several_columns_may_be_targets(capsys):
    targets = ["--target", "shop 0,shop 1", "--windows", "0"]
    table = pd.read_csv("columns.csv").head(60)
    table.to_csv("short.csv", index=False)
    printed = printed_by(capsys, "forecast", "short.csv", "--horizon", "5", *targets)
    assert "2 series: 'shop 0', 'shop 1'\n  60 values each" in printed


def test_several_series_are_selected(capsys):
    selection = ["--series", "shop 2", "--series", "shop 0", "--series", "shop 3", "--on-bad", "skip", "--windows", "0"]
    printed = printed_by(capsys, "forecast", *SHOPS, *selection)
    assert "2 series (1 more excluded): 'shop 0', 'shop 2'" in printed
    assert "Excluded series: 1 " in printed
    assert main(["forecast", *SHOPS, "--series", "shop 3", "--on-bad", "skip", *SMALL]) == 2
    assert "the only series has an error: series 'shop 3', row" in capsys.readouterr().err


def test_an_excluded_series_is_suggested_for_a_misspelt_name(capsys):
    pd.read_csv("shops.csv").replace("shop 3", "harbour").to_csv("named.csv", index=False)
    options = ["--horizon", "5", "--id", "shop", "--on-bad", "skip", "--series", "harbor"]
    assert main(["forecast", "named.csv", *options, *SMALL]) == 2
    assert "did you mean 'harbour'?" in capsys.readouterr().err


def test_without_excluded_series_the_table_of_them_is_empty(capsys):
    printed = printed_by(
        capsys, "forecast", "--horizon", "3", "--on-bad", "skip", "--excluded", "r.csv", "--windows", "0"
    )
    assert "Excluded series" not in printed
    assert Path("r.csv").read_text() == "unique_id,reason\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--excluded", "r.csv"],
            "--excluded lists the series that --on-bad skip, --on-bad naive or --ended exclude excludes; add one of ",
        ),
        (
            ["--paths", "3"],
            "--paths is the number of sample paths to write; name their file with --paths-out PATHS.csv",
        ),
        (
            ["--future", "shops.csv"],
            "--future gives the values of columns known in advance; name these columns with --known",
        ),
        (["--known", "price", "--future", "no.csv"], "--future no.csv: the file does not exist; check the path"),
        (["--known", "price", "--future", "."], "--future .: not a regular file; save the table to a file"),
        (["--out", ""], "--out is empty; give a file name or omit it"),
        (["--model", ""], "--model is empty; give a file name or omit it"),
        (["--out", "a.csv", "--paths-out", "./a.csv"], "--out and --paths-out are the same file ./a.csv"),
        (
            ["--step", "3", "--windows", "0"],
            "--step applies to the backtest, but --windows 0 disables it; omit one of them",
        ),
        (["--refit", "--windows", "0"], "--refit applies to the backtest"),
        (["--on-bad", "skip", "--excluded", "shops.csv"], "--excluded shops.csv is an input file"),
        (["--on-bad", "skip", "--excluded", "no/r.csv"], "--excluded no/r.csv: the folder no does not exist"),
        (["--out", "/dev/null"], "--out /dev/null: not a regular file"),
        (["--budget", "1m", "--model", "m.safetensors"], "--budget applies to training"),
        (["--step", "2", "--model", "m.safetensors"], "--step applies to training"),
    ],
)
def test_options_that_exclude_each_other_are_errors_before_any_work(monkeypatch, capsys, options, message):
    monkeypatch.setattr("gatewise.series.read", lambda *_, **__: pytest.fail("the file was read"))
    assert main(["forecast", *SHOPS, *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("budget", ["2", "0s", "m", "1d", "-1s", "infs"])
def test_a_budget_is_a_duration(budget, capsys):
    with pytest.raises(SystemExit):
        main(["forecast", *SHOPS, f"--budget={budget}"])
    assert "expected a duration such as 90s, 2m or 1h" in capsys.readouterr().err


def test_covariates_are_passed_on_only_if_given(monkeypatch):
    passed = {}

    def record(source, **options):
        passed.update(options)
        raise ValueError("stop here")

    monkeypatch.setattr("gatewise.series.read", record)
    assert main(["backtest", *SHOPS]) == 2
    assert passed == {"id_column": "shop"}
    assert main(["backtest", *SHOPS, "--known", "price,day", "--past", "a", "--static", "b", "--calendar"]) == 2
    assert passed == {
        "id_column": "shop",
        "known": ["price", "day"],
        "past": ["a"],
        "static": ["b"],
        "calendar": True,
    }


def test_a_search_uses_the_values_before_the_backtest(monkeypatch, capsys):
    from gatewise.forecast import tuning

    recorded = {}

    def search(arguments, table, seconds, *, fits, quiet):
        recorded.update(seconds=seconds, fits=fits, last=[series.ds[-1] for series in table.series])
        trial = tuning.Trial({"lr": 0.01}, 0.5, 1.0)
        return tuning.Search({**arguments, "lr": 0.01}, (trial,), "search: 1 trial(s)")

    monkeypatch.setattr(tuning, "search", search)
    options = ["--budget", "1.5m", "--windows", "2", "--series", "shop 0"]
    printed = printed_by(capsys, "forecast", *SHOPS, *options, "--on-bad", "skip")
    assert (recorded["seconds"], recorded["fits"]) == (90, 3)
    assert recorded["last"] == [pd.Timestamp("2024-02-29") - pd.Timedelta(days=10)]
    assert "Search: 1 trial(s)\n" in printed
    assert "0.5" in printed


def test_an_interrupt_during_training_leaves_no_files(shops):
    command = [sys.executable, "-m", "gatewise", "forecast", *SHOPS, "--on-bad", "skip", "--max-steps", "100000"]
    before = sorted(path.name for path in shops.iterdir())
    with subprocess.Popen(
        [*command, "--out", "f.csv", "--excluded", "r.csv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert "networks trained" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        printed = running.stderr.read()
    assert running.returncode == 130
    assert printed.endswith("gatewise: interrupted; nothing was written\n")
    assert sorted(path.name for path in shops.iterdir()) == before


def test_missing_future_values_are_an_error_before_training(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Forecaster, "fit", lambda *_, **__: pytest.fail("training started"))
    table = pd.DataFrame({"ds": pd.date_range("2000-01-01", periods=40, freq="MS"), "y": range(40), "x": 1.0})
    table.loc[::2, "x"] = 2.0
    table.to_csv(tmp_path / "x.csv", index=False)
    assert main(["forecast", str(tmp_path / "x.csv"), "--known", "x", "--horizon", "3", "--windows", "0"]) == 2
    assert "needs the known covariates 'x' for 2003-05-01 to 2003-07-01" in capsys.readouterr().err


def test_a_saved_model_samples_paths_with_the_given_seed(shops):
    training = ["forecast", *SHOPS, "--on-bad", "skip", *SMALL, "--windows", "0", "--save", "m.safetensors"]
    assert main(training) == 0
    sampling = ["forecast", "--model", "m.safetensors", "--horizon", "3", "--paths", "3", "--paths-out"]
    assert [
        main([*sampling, name, "--seed", seed]) for name, seed in (("a.csv", "1"), ("b.csv", "1"), ("c.csv", "2"))
    ] == [0] * 3
    first, repeated, other = (pd.read_csv(name) for name in ("a.csv", "b.csv", "c.csv"))
    assert first.equals(repeated)
    assert not first.equals(other)
    assert main(["forecast", "--model", "m.safetensors", "--horizon", "3", "--seed", "1"]) == 2


def test_a_series_too_short_for_the_backtest_is_named(shops, capsys):
    table = pd.read_csv("shops.csv")
    new = table[table["shop"] == "shop 0"].tail(8).assign(shop="new")
    pd.concat([table, new]).to_csv("shops.csv", index=False)
    printed = printed_by(capsys, "forecast", *SHOPS, "--on-bad", "skip")
    assert "  excluded from the backtest: 1 of 13 series (too short for 3 windows of 5): 'new'\n" in printed
