"""The command: what it prints, writes and refuses, run as a person would."""

import errno
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import gatewise
from gatewise import Forecaster, datasets
from gatewise.cli import main, parser

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("folder")
SMALL = ["--max-steps", "20", "--hidden-size", "8", "--ensemble-size", "1"]


@pytest.fixture
def sales(folder):
    """90 days with a week in them, two of the days missing."""
    days = pd.date_range("2024-01-01", periods=90, freq="D")
    table = pd.DataFrame({"day": days, "sold": 20 + 5 * np.sin(np.arange(90) * 2 * np.pi / 7)})
    table.drop([40, 60]).to_csv(folder / "sales.csv", index=False)
    table.to_csv(folder / "whole.csv", index=False)
    return folder


def test_forecast_of_the_built_in_series(folder, capsys):
    assert main(["forecast", "--horizon", "24", "--out", "f.csv", "--plot", "f.png", *SMALL]) == 0
    said = capsys.readouterr()
    for words in (
        "AirPassengers (built in",
        "series 'AirPassengers': 144 values, 1949-01-01 to 1960-12-01",
        "frequency: MS (month start), inferred from 144 dates",
        "season: 12 steps, usual for frequency MS",
        "Backtest: 3 x 24 steps held out",
        "SeasonalNaive",
        "trained on the first 72 values",
        "Verdict: ",
        " for the 80 % interval",
        "Written: f.csv, f.png",
    ):
        assert words in said.out
    assert "network 1 of 1: epoch" in said.err
    table = pd.read_csv("f.csv")
    assert table.columns.tolist() == [
        "unique_id",
        "ds",
        "LSTM",
        "LSTM-lo-80",
        "LSTM-hi-80",
        "LSTM-lo-95",
        "LSTM-hi-95",
    ]
    assert table["ds"].tolist() == [f"{year}-{month:02}-01" for year in (1961, 1962) for month in range(1, 13)]
    assert set(table["unique_id"]) == {"AirPassengers"}
    model = Forecaster(hidden_size=8, max_steps=20, ensemble_size=1).fit(datasets.air_passengers())
    np.testing.assert_allclose(table["LSTM-hi-95"], model.predict(24)["LSTM-hi-95"])
    assert (folder / "f.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in folder.iterdir()) == ["f.csv", "f.png"]


def test_nothing_is_written_unasked_and_quiet_is_quiet(sales, capsys):
    before = sorted(sales.iterdir())
    assert main(["forecast", "whole.csv", "--horizon", "7", "--quiet", *SMALL]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "time column: 'day' (the only one that reads as dates)" in said.out
    assert sorted(sales.iterdir()) == before


def test_a_gap_is_refused_and_its_remedy_works(sales, capsys):
    assert main(["forecast", "sales.csv", "--horizon", "7", *SMALL]) == 2
    said = capsys.readouterr()
    assert "2024-02-10" in said.err
    assert "--fill interpolate" in said.err
    assert "Traceback" not in said.err
    assert main(["forecast", "sales.csv", "--horizon", "7", "--fill", "interpolate", "--quiet", *SMALL]) == 0
    assert "filled by interpolation: 2 values" in capsys.readouterr().out


def test_backtest_writes_its_forecasts_and_a_picture(sales, capsys):
    arguments = ["whole.csv", "--horizon", "7", "--windows", "4", "--level", "90", "--cell", "gru", "--refit"]
    assert main(["backtest", *arguments, "--out", "b.csv", "--plot", "b.svg", "--quiet", *SMALL]) == 0
    said = capsys.readouterr().out
    assert "Backtest: 4 x 7 steps held out" in said
    assert "Each window" in said
    assert "coverage-90" in said
    table = pd.read_csv("b.csv")
    assert len(table) == 28
    assert table["cutoff"].nunique() == 4
    assert {"y", "GRU", "GRU-lo-90", "GRU-hi-90", "Naive", "SeasonalNaive"} <= set(table.columns)
    assert (sales / "b.svg").read_text().startswith("<?xml")


def test_every_model_option_arrives(sales, monkeypatch):
    given = {}

    def keep(self, **options):
        given.update(options)
        raise ValueError("enough seen")

    monkeypatch.setattr(Forecaster, "__init__", keep)
    options = {
        "cell": "gru",
        "hidden_size": 5,
        "num_layers": 2,
        "context": 11,
        "season": 6,
        "difference": 1,
        "seasonal_difference": 2,
        "scale": "robust",
        "strategy": "flatten",
        "fallback": "naive",
        "ensemble_size": 4,
        "max_steps": 33,
        "dropout": 0.25,
        "lr": 0.5,
        "loss": "huber",
        "seed": 9,
        "engine": "reference",
    }
    flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    assert main(["forecast", "whole.csv", "--horizon", "3", *flags]) == 2
    assert given == {**options, "horizon": 3, "quiet": False}


def test_every_data_option_arrives(folder, capsys):
    table = pd.DataFrame(
        {
            "shop": "north",
            "year": [2001, 2000, *[2000] * 22][:24],
            "month": [1, *range(1, 13), *range(1, 12)][:24],
            "sold": np.arange(24.0),
            "cost": 1.0,
        }
    )
    table["year"] = [2001, *[2000] * 12, *[2001] * 11]
    table["month"] = [12, *range(1, 13), *range(1, 12)]
    table.to_csv("t.csv", index=False)
    data = ["--id", "shop", "--time", "year,month", "--target", "sold", "--freq", "MS"]
    assert main(["forecast", "t.csv", "--horizon", "2", *data, "--quiet", *SMALL]) == 2
    assert "--sort" in capsys.readouterr().err
    assert main(["forecast", "t.csv", "--horizon", "2", *data, "--sort", "--quiet", "--windows", "0", *SMALL]) == 0
    said = capsys.readouterr().out
    assert "series 'north': 24 values, 2000-01-01 to 2001-12-01" in said
    assert "sorted by date" in said
    assert "2002-02-01" in said
    assert "Verdict: none, without a backtest (--windows 0)." in said


def test_a_kept_model_forecasts_without_training(sales, capsys, monkeypatch):
    asked = ["forecast", "whole.csv", "--horizon", "7", "--windows", "0", "--quiet", *SMALL]
    assert main([*asked, "--save", "m.safetensors", "--out", "f.csv", "--cell", "gru"]) == 0
    assert "Written: f.csv, m.safetensors" in capsys.readouterr().out
    monkeypatch.setattr("gatewise.forecast.model.training.fit", lambda *_, **__: pytest.fail("it trained"))
    kept = ["forecast", "--horizon", "7", "--model", "m.safetensors"]
    assert main([*kept, "--out", "again.csv", "--plot", "again.png"]) == 0
    said = capsys.readouterr().out
    for words in (
        "Model: m.safetensors, Forecaster(cell='gru', hidden_size=8, horizon=7, ensemble_size=1, max_steps=20)",
        "time column: 'day'",
        "Training: ",
        "Verdict: none; a backtest trains anew: gatewise backtest FILE.",
        "Written: again.csv, again.png",
    ):
        assert words in said
    assert (sales / "again.csv").read_bytes() == (sales / "f.csv").read_bytes()
    assert main([*kept, "--level", "90", "--quiet"]) == 0
    assert "GRU-lo-90" in capsys.readouterr().out


def test_a_kept_model_forecasts_from_a_newer_file(sales, capsys):
    whole = pd.read_csv("whole.csv")
    whole.head(80).to_csv("early.csv", index=False)
    assert main(["forecast", "early.csv", "--horizon", "3", "--quiet", "--save", "m.safetensors", *SMALL]) == 0
    capsys.readouterr()
    kept = ["forecast", "whole.csv", "--horizon", "2", "--model", "m.safetensors"]
    assert main([*kept, "--out", "f.csv", "--save", "newer.safetensors"]) == 0
    assert "Data: whole.csv" in capsys.readouterr().out
    table = pd.read_csv("f.csv")
    assert table["ds"].tolist() == ["2024-03-31", "2024-04-01"]
    model = Forecaster(hidden_size=8, max_steps=20, ensemble_size=1).fit("early.csv").update("whole.csv")
    np.testing.assert_array_equal(table["LSTM"], model.predict(2)["LSTM"])
    assert main(["forecast", "--horizon", "2", "--model", "newer.safetensors", "--out", "g.csv"]) == 0
    assert (sales / "g.csv").read_bytes() == (sales / "f.csv").read_bytes()
    assert main(["forecast", "early.csv", "--horizon", "2", "--model", "newer.safetensors"]) == 2
    assert "ends at 2024-03-20, expected 2024-03-30 or later" in capsys.readouterr().err
    whole.rename(columns={"sold": "bought"}).to_csv("other.csv", index=False)
    assert main(["forecast", "other.csv", "--horizon", "2", "--model", "m.safetensors"]) == 2
    assert "the table has the series 'bought', but the model was trained on the series 'sold'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(
            ([f"--{name.replace('_', '-')}", value], f"--{name.replace('_', '-')} belongs to training")
            for name, value in {
                **dict.fromkeys(parser.MODEL, "1"),
                "cell": "lstm",
                "scale": "window",
                "loss": "mae",
                "strategy": "segment",
                "fallback": "naive",
            }.items()
        ),
        (
            ["--windows", "0"],
            "--windows belongs to training, but the model of --model is trained already; leave it out",
        ),
        (["--refit"], "--refit belongs to training"),
        (["--fill", "zero"], "--fill belongs to a FILE, but the model of --model is trained already; give one too"),
        *(
            ([option, "a"], f"{option} belongs to a FILE")
            for option in ("--id", "--time", "--target", "--series", "--freq")
        ),
        (["--sort"], "--sort belongs to a FILE"),
        ([], "there is no file m.safetensors; check the path"),
        (["--save", "m.bin"], "--save m.bin: expected a name that ends in .safetensors"),
        (["--save", "no/m.safetensors"], "--save no/m.safetensors: there is no folder no; create it first"),
    ],
)
def test_options_without_use_beside_a_kept_model_are_refused(folder, capsys, options, message):
    assert main(["forecast", "--horizon", "3", "--model", "m.safetensors", *options]) == 2
    assert message in capsys.readouterr().err


def test_a_model_that_is_none_is_refused(sales, capsys):
    assert main(["forecast", "--horizon", "3", "--model", "whole.csv"]) == 2
    assert "whole.csv: it is not a safetensors file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.csv", "--horizon", "3"], "there is no file nowhere.csv"),
        (["whole.csv", "--horizon", "3", "--target", "profit"], "no column 'profit'; its columns are 'day', 'sold'"),
        (["whole.csv", "--horizon", "3", "--out", "no/f.csv"], "there is no folder no; create it first"),
        (["whole.csv", "--horizon", "3", "--out", "f.xlsx"], "--out f.xlsx: expected a name that ends in .csv"),
        (["whole.csv", "--horizon", "3", "--plot", "f.txt"], "expected one of .png, .svg, .pdf"),
        (["whole.csv", "--horizon", "3", "--engine", "turbo"], "engine is 'turbo', expected one of 'auto'"),
        (["whole.csv", "--horizon", "40", "--windows", "3"], "3 windows of 40 leave 0 to train on"),
        (["whole.csv", "--horizon", "3", "--lr", "-1"], "lr is -1.0, expected a number above 0"),
        (["whole.csv", "--horizon", "3", "--freq", "fortnight"], "fortnight"),
        (["whole.csv", "--horizon", "3", "--hidden-size", "100000000"], "expected at most 1e+08; lower one of them"),
        (["whole.csv", "--horizon", "3", "--out", "/proc/f.csv"], "--out /proc/f.csv: cannot write in /proc"),
    ],
)
def test_wrong_data_and_options_end_with_2_before_training(sales, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr("gatewise.forecast.model.training.fit", lambda *_, **__: pytest.fail("it went on to train"))
    assert main(["forecast", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("gatewise: ")
    assert message in said


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["forecast"],
        ["forecast", "--horizon", "0"],
        ["forecast", "--horizon", "two"],
        ["forecast", "--horizon", "3", "--level", "80,120"],
        ["forecast", "--horizon", "3", "--level", "high"],
        ["forecast", "--horizon", "3", "--fill", "magic"],
        ["forecast", "--horizon", "3", "--seed", "-1"],
        ["forecast", "--horizon", "3", "--seed", str(2**63)],
    ],
)
def test_wrong_usage_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: gatewise" in capsys.readouterr().err


def test_the_largest_seed_is_one(sales):
    options = ["--windows", "0", "--seed", str(2**63 - 1), *SMALL]
    assert main(["forecast", "whole.csv", "--horizon", "3", *options]) == 0


def test_an_interrupt_ends_with_130_and_writes_nothing(sales, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("gatewise.forecast.model.training.fit", interrupt)
    assert main(["forecast", "whole.csv", "--horizon", "3", "--out", "f.csv", *SMALL]) == 130
    assert "interrupted; nothing was written" in capsys.readouterr().err
    assert not (sales / "f.csv").exists()


def test_an_interrupt_between_two_files_says_which_is_there(sales, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("gatewise.plot.save", interrupt)
    arguments = ["forecast", "whole.csv", "--horizon", "3", "--out", "f.csv", "--plot", "f.png", "--windows", "0"]
    assert main([*arguments, *SMALL]) == 130
    assert "interrupted; written before that: f.csv" in capsys.readouterr().err
    assert len(pd.read_csv("f.csv")) == 3


def test_the_file_that_is_read_is_never_written(sales, capsys):
    before = (sales / "whole.csv").read_bytes()
    (sales / "link.csv").symlink_to("whole.csv")
    for name in ("whole.csv", "./whole.csv", "link.csv"):
        assert main(["forecast", "whole.csv", "--horizon", "3", "--out", name, *SMALL]) == 2
        assert "is the file that is read; give another name" in capsys.readouterr().err
    assert (sales / "whole.csv").read_bytes() == before


def run(arguments, **options):
    return subprocess.run([sys.executable, "-m", "gatewise", *arguments], capture_output=True, text=True, **options)


def test_files_are_written_whoever_stops_reading(sales):
    arguments = f"{sys.executable} -u -m gatewise forecast whole.csv --horizon 40 --windows 0 --quiet {' '.join(SMALL)}"
    subprocess.run(["sh", "-c", f"{arguments} --out piped.csv | head -1"], capture_output=True, check=True)
    subprocess.run(["sh", "-c", f"{arguments} --out closed.csv >&- 2>&-"], capture_output=True, check=True)
    for name in ("piped.csv", "closed.csv"):
        assert len(pd.read_csv(sales / name)) == 40


FULL = pytest.param("2>/dev/full >said.txt", marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="none"))


@pytest.mark.parametrize("reader", ["2>&1 >said.txt | head -1", FULL])
def test_progress_that_nobody_can_read_stops_nothing(sales, reader):
    command = f"{sys.executable} -m gatewise forecast whole.csv --horizon 4 --windows 0 --out f.csv"
    options = ["--max-steps", "300", "--hidden-size", "8", "--ensemble-size", "1"]
    subprocess.run(["sh", "-c", f"{command} {' '.join(options)} {reader}"], capture_output=True, check=True)
    assert len(pd.read_csv(sales / "f.csv")) == 4
    assert "Written: f.csv" in (sales / "said.txt").read_text()


def test_letters_that_the_terminal_lacks_do_no_harm(sales):
    (sales / "whole.csv").write_text((sales / "whole.csv").read_text().replace("sold", "Umsätze"), encoding="utf-8")
    arguments = ["forecast", "whole.csv", "--horizon", "3", "--windows", "0", "--quiet", *SMALL]
    done = run(arguments, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "Ums?tze" in done.stdout


def test_one_series_of_several_is_selected_by_name(sales, capsys):
    table = pd.concat([pd.read_csv("whole.csv").assign(shop=name) for name in ("north", "south")])
    table.to_csv("two.csv", index=False)
    arguments = ["forecast", "two.csv", "--horizon", "3", "--id", "shop", "--windows", "0", "--quiet", *SMALL]
    assert main(arguments) == 0
    assert "2 series: 'north', 'south'\n  90 values each" in capsys.readouterr().out
    assert main([*arguments, "--series", "east"]) == 2
    assert "there is no such series, the file holds 'north', 'south'" in capsys.readouterr().err
    assert main([*arguments, "--series", "south"]) == 0
    assert "series 'south': 90 values" in capsys.readouterr().out


def test_a_short_series_is_forecast_without_a_backtest(sales, capsys):
    pd.read_csv("whole.csv").head(12).to_csv("short.csv", index=False)
    assert main(["forecast", "short.csv", "--horizon", "3", "--quiet", *SMALL]) == 0
    assert "Verdict: none; holding out 3 steps leaves too little to train on" in capsys.readouterr().out


def test_a_long_forecast_is_cut_on_the_screen_only(sales, capsys):
    arguments = ["forecast", "whole.csv", "--horizon", "60", "--windows", "0", "--level", "80", "--out", "f.csv"]
    assert main([*arguments, "--quiet", *SMALL]) == 0
    assert "(60 rows; --out FILE.csv has them all)" in capsys.readouterr().out
    assert len(pd.read_csv("f.csv")) == 60


def test_info_names_engines_and_extras(capsys):
    assert main(["info"]) == 0
    said = capsys.readouterr().out
    for words in (f"gatewise {gatewise.__version__}", "torch ", "reference", "aten", "matplotlib", "threads"):
        assert words in said


def test_info_says_what_the_native_library_computes_with(capsys, monkeypatch):
    monkeypatch.setattr("gatewise.engines.library.reason", lambda: None)
    monkeypatch.setattr("gatewise.engines.library.instructions", lambda: "avx512")
    monkeypatch.setattr("torch.get_num_threads", lambda: 3)
    assert main(["info"]) == 0
    assert "native library: avx512, 3 threads\n" in capsys.readouterr().out


def test_info_says_why_there_is_no_native_library(capsys, monkeypatch):
    monkeypatch.setattr("gatewise.engines.library.reason", lambda: "switched off")
    assert main(["info"]) == 0
    assert "native library: none, switched off\n" in capsys.readouterr().out


def test_the_command_is_a_program_and_a_module():
    run = subprocess.run([sys.executable, "-m", "gatewise", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout == f"gatewise {gatewise.__version__}\n"


def test_help_and_the_package_itself_come_without_torch():
    code = (
        "import sys, gatewise, gatewise.cli as c; c.parser.made(print, print, print, c.classify.add); "
        "print(sorted({'torch', 'pandas'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_what_is_refused_at_once_comes_without_torch(folder):
    code = (
        "import sys, gatewise.cli as c; print(c.main(['forecast', 'f.csv', '--horizon', '3', '--out', 'no/f.csv']), "
        "'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "2 False\n"


def test_what_the_command_offers_is_what_the_forecaster_takes():
    import inspect

    taken = set(inspect.signature(Forecaster).parameters)
    assert set(parser.MODEL) <= taken
    assert taken - set(parser.MODEL) == {"horizon", "batch_size", "validation_fraction", "quiet"}


def test_a_full_disk_is_said_with_a_remedy(sales, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gatewise.persistence.atomic.os.fsync", full)
    options = ["--windows", "0", "--quiet", "--out", "f.csv", *SMALL]
    assert main(["forecast", "whole.csv", "--horizon", "2", *options]) == 2
    said = "gatewise: the output: No space left on device; make room there, or write elsewhere; nothing was written\n"
    assert capsys.readouterr().err == said
    assert sorted(path.name for path in sales.iterdir()) == ["sales.csv", "whole.csv"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "slod"], "no column 'slod'; its columns are 'day', 'sold'; did you mean 'sold'?"),
        (
            ["--known", "slod"],
            "no covariate 'slod' among the columns 'day', 'sold'; correct its name; did you mean 'so",
        ),
        (["--series", "slod"], "there is no such series, the file holds 'sold'; did you mean 'sold'?"),
    ],
)
def test_a_name_with_letters_swapped_is_asked_back(sales, options, message, capsys):
    assert main(["forecast", "whole.csv", "--horizon", "2", *options]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
