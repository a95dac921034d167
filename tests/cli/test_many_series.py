"""The command with many series: what it says of them, what it puts aside, and the files it writes."""

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
    """Fourteen shops of 60 days and more in a file, of which two have errors; and those without in wide tables."""
    monkeypatch.chdir(tmp_path)
    chance = np.random.default_rng(0)
    parts = []
    for k in range(14):
        days = pd.date_range("2024-01-01", periods=60 + k)
        sold = 20 + k + 5 * np.sin(np.arange(60 + k) * 2 * np.pi / 7) + chance.normal(0, 1, 60 + k)
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


def said_by(capsys, *command):
    """What a small model says, once the command is done."""
    assert main([*command, *SMALL]) == 0
    return capsys.readouterr().out


def test_many_series_are_forecast_and_bad_ones_put_aside(shops, capsys):
    files = ["--out", "f.csv", "--excluded", "bad.csv", "--paths", "3", "--paths-out", "p.csv"]
    said = said_by(capsys, "forecast", *SHOPS, "--on-bad", "skip", *files)
    for words in (
        "12 series, 2 more put aside: 'shop 0', 'shop 1', 'shop 2', 'shop 4', 'shop 5', ...\n"
        "  60 to 73 values each (median 67), 2024-01-01 to 2024-03-13, frequency D",
        "Put aside: 2 series (--on-bad skip)",
        "series 'shop 3', row",
        "Each score is averaged over the windows of a series",
        "Forecast of 5 steps of 12 series",
        "(60 rows; --out FILE.csv has them all)",
        "Written: f.csv, bad.csv, p.csv",
    ):
        assert words in said
    assert pd.read_csv("bad.csv")["unique_id"].tolist() == ["shop 3", "shop 7"]
    assert len(pd.read_csv("p.csv")) == 12 * 5 * 3
    panel = read("shops.csv", id_column="shop", on_bad="skip")
    model = Forecaster(max_steps=20, hidden_size=8, ensemble_size=1, dropout=0.0, horizon=5).fit(panel)
    np.testing.assert_allclose(pd.read_csv("f.csv")["LSTM"], model.predict(5)["LSTM"])


def test_a_bad_series_stops_the_command_unless_it_may_be_put_aside(capsys):
    assert main(["forecast", *SHOPS, *SMALL]) == 2
    assert "series 'shop 3', row" in capsys.readouterr().err
    said = said_by(capsys, "forecast", *SHOPS, "--on-bad", "naive", "--windows", "0", "--out", "f.csv")
    assert "forecast naively, without intervals" in said
    table = pd.read_csv("f.csv").set_index("unique_id")
    assert table.loc["shop 3", "LSTM"].notna().all()
    assert table.loc["shop 3", "LSTM-lo-80"].isna().all()


def test_a_backtest_shows_the_best_and_worst_series(capsys):
    options = ["--on-bad", "skip", "--windows", "3", "--step", "2", "--excluded", "bad.csv", "--out", "b.csv"]
    said = said_by(capsys, "backtest", *SHOPS, *options)
    assert "Backtest: 3 x 5 steps held out" in said
    assert "best gain first" in said
    assert "... 2 more ..." in said
    assert "Each window" not in said
    rows = said.split("best gain first\n")[1].split("\n\n")[0].split("\n")
    gains = [float(row.split()[-1]) for row in rows[1:] if "more" not in row]
    assert len(gains) == 10
    assert gains == sorted(gains, reverse=True)
    table = pd.read_csv("b.csv", parse_dates=["cutoff"])
    cutoffs = table.loc[table["unique_id"] == "shop 0", "cutoff"].drop_duplicates()
    assert cutoffs.diff().dropna().dt.days.tolist() == [2, 2]
    assert len(pd.read_csv("bad.csv")) == 2


@pytest.mark.parametrize("layout", ["columns", "rows"])
def test_wide_tables_are_read(layout, capsys):
    said = said_by(capsys, "forecast", f"{layout}.csv", "--layout", layout, "--horizon", "5", "--windows", "0")
    assert "12 series: 'shop 0'" in said


def test_several_columns_may_be_targets(capsys):
    targets = ["--target", "shop 0,shop 1", "--windows", "0"]
    table = pd.read_csv("columns.csv").head(60)
    table.to_csv("short.csv", index=False)
    said = said_by(capsys, "forecast", "short.csv", "--horizon", "5", *targets)
    assert "2 series: 'shop 0', 'shop 1'\n  60 values each" in said


def test_several_series_are_selected(capsys):
    chosen = ["--series", "shop 2", "--series", "shop 0", "--series", "shop 3", "--on-bad", "skip", "--windows", "0"]
    said = said_by(capsys, "forecast", *SHOPS, *chosen)
    assert "2 series, 1 more put aside: 'shop 0', 'shop 2'" in said
    assert "Put aside: 1 series" in said
    assert main(["forecast", *SHOPS, "--series", "shop 3", "--on-bad", "skip", *SMALL]) == 2
    assert "--series shop 3: it was put aside, and nothing is left: series 'shop 3', row" in capsys.readouterr().err


def test_a_series_put_aside_is_one_of_the_file_for_who_misspells_it(capsys):
    pd.read_csv("shops.csv").replace("shop 3", "harbour").to_csv("named.csv", index=False)
    options = ["--horizon", "5", "--id", "shop", "--on-bad", "skip", "--series", "harbor"]
    assert main(["forecast", "named.csv", *options, *SMALL]) == 2
    assert "did you mean 'harbour'?" in capsys.readouterr().err


def test_a_report_without_bad_series_is_an_empty_table(capsys):
    said = said_by(capsys, "forecast", "--horizon", "3", "--on-bad", "skip", "--excluded", "r.csv", "--windows", "0")
    assert "Put aside" not in said
    assert Path("r.csv").read_text() == "unique_id,reason\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--excluded", "r.csv"], "--excluded lists the series that --on-bad skip or --on-bad naive puts aside"),
        (["--paths", "3"], "--paths samples futures for a file; name it with --paths-out F.csv"),
        (["--future", "shops.csv"], "--future gives the values of columns known in advance; name them with --known"),
        (["--known", "price", "--future", "no.csv"], "--future: there is no file no.csv"),
        (["--known", "price", "--future", "."], "--future .: it is no ordinary file; save the table in one"),
        (["--out", ""], "--out is empty; give the name of a file, or leave it out"),
        (["--model", ""], "--model is empty; give the name of a file, or leave it out"),
        (["--out", "a.csv", "--paths-out", "./a.csv"], "--out and --paths-out are the same file ./a.csv"),
        (["--step", "3", "--windows", "0"], "--step belongs to the backtest, but --windows 0 asks for none"),
        (["--refit", "--windows", "0"], "--refit belongs to the backtest"),
        (["--on-bad", "skip", "--excluded", "shops.csv"], "--excluded shops.csv is the file that is read"),
        (["--on-bad", "skip", "--excluded", "no/r.csv"], "--excluded no/r.csv: there is no folder no"),
        (["--out", "/dev/null"], "--out /dev/null: it is no ordinary file"),
        (["--budget", "1m", "--model", "m.safetensors"], "--budget belongs to training"),
        (["--step", "2", "--model", "m.safetensors"], "--step belongs to training"),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_any_work(monkeypatch, capsys, options, message):
    monkeypatch.setattr("gatewise.series.read", lambda *_, **__: pytest.fail("it went on to read"))
    assert main(["forecast", *SHOPS, *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("budget", ["2", "0s", "m", "1d", "-1s", "infs"])
def test_a_budget_is_a_time(budget, capsys):
    with pytest.raises(SystemExit):
        main(["forecast", *SHOPS, f"--budget={budget}"])
    assert "expected a time such as 90s, 2m or 1h" in capsys.readouterr().err


def test_covariates_are_passed_on_only_where_given(monkeypatch):
    came = {}

    def keep(source, **options):
        came.update(options)
        raise ValueError("enough seen")

    monkeypatch.setattr("gatewise.series.read", keep)
    assert main(["backtest", *SHOPS]) == 2
    assert came == {"id_column": "shop"}
    assert main(["backtest", *SHOPS, "--known", "price,day", "--past", "a", "--static", "b", "--calendar"]) == 2
    assert came == {"id_column": "shop", "known": ["price", "day"], "past": ["a"], "static": ["b"], "calendar": True}


def test_a_budget_is_spent_on_what_comes_before_the_backtest(monkeypatch, capsys):
    from gatewise.forecast import tuning

    seen = {}

    def search(arguments, table, seconds, *, fits, quiet):
        seen.update(seconds=seconds, fits=fits, last=[one.ds[-1] for one in table.series])
        trial = tuning.Trial({"lr": 0.01}, 0.5, 1.0)
        return tuning.Search({**arguments, "lr": 0.01}, (trial,), "search: 1 trial(s)")

    monkeypatch.setattr(tuning, "search", search)
    options = ["--budget", "1.5m", "--windows", "2", "--series", "shop 0"]
    said = said_by(capsys, "forecast", *SHOPS, *options, "--on-bad", "skip")
    assert (seen["seconds"], seen["fits"]) == (90, 2)
    assert seen["last"] == [pd.Timestamp("2024-02-29") - pd.Timedelta(days=10)]
    assert "Search: 1 trial(s)\n" in said
    assert "0.5" in said


def test_an_interrupt_halfway_leaves_no_files(shops):
    command = [sys.executable, "-m", "gatewise", "forecast", *SHOPS, "--on-bad", "skip", "--max-steps", "100000"]
    before = sorted(path.name for path in shops.iterdir())
    with subprocess.Popen(
        [*command, "--out", "f.csv", "--excluded", "r.csv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert "network 1" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
    assert running.returncode == 130
    assert said.endswith("gatewise: interrupted; nothing was written\n")
    assert sorted(path.name for path in shops.iterdir()) == before


def test_what_is_not_known_ahead_is_said_before_training(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Forecaster, "fit", lambda *_, **__: pytest.fail("trained"))
    table = pd.DataFrame({"ds": pd.date_range("2000-01-01", periods=40, freq="MS"), "y": range(40), "x": 1.0})
    table.loc[::2, "x"] = 2.0
    table.to_csv(tmp_path / "x.csv", index=False)
    assert main(["forecast", str(tmp_path / "x.csv"), "--known", "x", "--horizon", "3", "--windows", "0"]) == 2
    assert "the known covariates 'x' are needed for 2003-05-01 to 2003-07-01" in capsys.readouterr().err


def test_a_kept_model_samples_futures_by_the_seed_asked_for(shops):
    made = ["forecast", *SHOPS, "--on-bad", "skip", *SMALL, "--windows", "0", "--save", "m.safetensors"]
    assert main(made) == 0
    asked = ["forecast", "--model", "m.safetensors", "--horizon", "3", "--paths", "3", "--paths-out"]
    assert [
        main([*asked, name, "--seed", seed]) for name, seed in (("a.csv", "1"), ("b.csv", "1"), ("c.csv", "2"))
    ] == [0] * 3
    first, again, other = (pd.read_csv(name) for name in ("a.csv", "b.csv", "c.csv"))
    assert first.equals(again)
    assert not first.equals(other)
    assert main(["forecast", "--model", "m.safetensors", "--horizon", "3", "--seed", "1"]) == 2
