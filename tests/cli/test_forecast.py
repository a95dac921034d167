"""`gatewise forecast`: printed output, files, and errors before training."""

import os
import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster, datasets
from gatewise.cli import main
from gatewise.forecast.fitted import FittedState
from gatewise.forecast.model.training import TrainingConfiguration

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("folder")
SMALL = ["--max-steps", "20", "--hidden-size", "8", "--ensemble-size", "1"]


def test_forecast_of_the_built_in_series(folder, capsys):
    assert main(["forecast", "--horizon", "24", "--out", "f.csv", "--plot", "f.png", *SMALL]) == 0
    printed = capsys.readouterr()
    for text in (
        "AirPassengers (built-in; give FILE to use your own data)",
        "series 'AirPassengers': 144 values, 1949-01-01 to 1960-12-01",
        "frequency: MS (month start), inferred from 144 dates",
        "season: 12 steps (usual for frequency MS)",
        "Backtest: 3 windows of 24 steps, mean scores",
        "SeasonalNaive",
        "networks for each window, trained on the first 72 to 120 values",
        "Verdict: ",
        " for the 80 % interval",
        "Files written: f.csv, f.png",
    ):
        assert text in printed.out
    assert "networks trained, loss" in printed.err
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


def test_forecasts_do_not_depend_on_the_number_of_jobs(folder, capsys):
    for jobs in ("1", "2"):
        assert main(["forecast", "--horizon", "12", "--out", f"{jobs}.csv", "--jobs", jobs, *SMALL]) == 0
        assert main(["backtest", "--horizon", "12", "--refit", "--out", f"b{jobs}.csv", "--jobs", jobs, *SMALL]) == 0
    assert (folder / "1.csv").read_bytes() == (folder / "2.csv").read_bytes()
    assert (folder / "b1.csv").read_bytes() == (folder / "b2.csv").read_bytes()
    assert "networks trained, loss" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["forecast", "--horizon", "12", "--jobs", "0"])
    assert "argument --jobs" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_a_dead_worker_is_an_error_without_traceback(folder, capsys, monkeypatch):
    parent, fit = os.getpid(), TrainingConfiguration._fit

    def die(self, *arguments):
        return fit(self, *arguments) if os.getpid() == parent else os._exit(9)

    monkeypatch.setattr(TrainingConfiguration, "_fit", die)
    assert main(["forecast", "--horizon", "12", "--out", "f.csv", "--jobs", "2", *SMALL]) == 2
    printed = capsys.readouterr().err
    assert "a worker process ended with exit code 9 before its network was trained; use fewer at a time" in printed
    assert list(folder.iterdir()) == []


def test_no_file_is_written_by_default_and_quiet_hides_progress(sales, capsys):
    before = sorted(sales.iterdir())
    assert main(["forecast", "whole.csv", "--horizon", "7", "--quiet", *SMALL]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "time column: 'day' (the only column of dates)" in printed.out
    assert sorted(sales.iterdir()) == before


def test_a_gap_is_an_error_and_its_remedy_works(sales, capsys):
    assert main(["forecast", "sales.csv", "--horizon", "7", *SMALL]) == 2
    printed = capsys.readouterr()
    assert "2024-02-10" in printed.err
    assert "--fill interpolate" in printed.err
    assert "Traceback" not in printed.err
    assert main(["forecast", "sales.csv", "--horizon", "7", "--fill", "interpolate", "--quiet", *SMALL]) == 0
    assert "filled by interpolation: 2 values" in capsys.readouterr().out


def test_missing_values_stay_missing_on_request(sales, capsys):
    assert (
        main(
            ["forecast", "sales.csv", "--horizon", "7", "--fill", "none", "--save", "s.safetensors", "--quiet", *SMALL]
        )
        == 0
    )
    assert "missing: 2 values" in capsys.readouterr().out
    assert main(["forecast", "sales.csv", "--model", "s.safetensors", "--horizon", "3", "--out", "f.csv"]) == 0
    assert pd.read_csv("f.csv")["LSTM"].notna().sum() == 3


def test_every_model_option_reaches_the_forecaster(sales, monkeypatch):
    passed = {}

    def record(self, **options):
        passed.update(options)
        raise ValueError("stop here")

    monkeypatch.setattr(Forecaster, "__init__", record)
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
        "lower": 0.0,
        "upper": 40.5,
        "point": "mean",
        "seed": 9,
        "engine": "reference",
    }
    flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    assert main(["forecast", "whole.csv", "--horizon", "3", *flags]) == 2
    assert passed == {**options, "horizon": 3, "quiet": False}
    for command in ("forecast", "backtest"):
        passed.clear()
        assert main([command, "whole.csv", "--horizon", "3", "--integer", "--lower", "-2"]) == 2
        assert passed == {"integer": True, "lower": -2.0, "horizon": 3, "quiet": False}


def test_every_data_option_reaches_the_reader(folder, capsys):
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
    printed = capsys.readouterr().out
    assert "series 'north': 24 values, 2000-01-01 to 2001-12-01" in printed
    assert "sorted by date" in printed
    assert "2002-02-01" in printed
    assert "Verdict: none (no backtest: --windows 0)." in printed


def test_one_series_of_several_is_selected_by_name(sales, capsys):
    table = pd.concat([pd.read_csv("whole.csv").assign(shop=name) for name in ("north", "south")])
    table.to_csv("two.csv", index=False)
    arguments = ["forecast", "two.csv", "--horizon", "3", "--id", "shop", "--windows", "0", "--quiet", *SMALL]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "  2 series: 'north', 'south'; from 15.1254 to 24.8746" in printed
    assert "\n    90 values each; 2024-01-01 to 2024-03-30\n" in printed
    assert main([*arguments, "--series", "east"]) == 2
    assert "no such series; the table contains 'north', 'south'" in capsys.readouterr().err
    assert main([*arguments, "--series", "south"]) == 0
    assert "series 'south': 90 values" in capsys.readouterr().out


def test_a_short_series_is_forecast_without_a_backtest(sales, capsys):
    pd.read_csv("whole.csv").head(12).to_csv("short.csv", index=False)
    assert main(["forecast", "short.csv", "--horizon", "3", "--quiet", *SMALL]) == 0
    assert (
        "Verdict: none (too few values for a backtest: 12 values; holding out 3 steps leaves 9, fewer than the 10 for "
        "training). Use the forecast with care." in capsys.readouterr().out
    )


def test_a_long_forecast_is_shortened_on_the_screen_only(sales, capsys):
    arguments = ["forecast", "whole.csv", "--horizon", "60", "--windows", "0", "--level", "80", "--out", "f.csv"]
    assert main([*arguments, "--quiet", *SMALL]) == 0
    assert "(60 rows; --out FILE.csv writes them all)" in capsys.readouterr().out
    assert len(pd.read_csv("f.csv")) == 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.csv", "--horizon", "3"], "there is no file nowhere.csv"),
        (["whole.csv", "--horizon", "3", "--target", "profit"], "no column 'profit'; its columns are 'day', 'sold'"),
        (["whole.csv", "--horizon", "3", "--out", "no/f.csv"], "the folder no does not exist; create it first"),
        (["whole.csv", "--horizon", "3", "--out", "f.xlsx"], "--out f.xlsx: expected a file name that ends in .csv"),
        (["whole.csv", "--horizon", "3", "--plot", "f.txt"], "expected one of .png, .svg, .pdf"),
        (["whole.csv", "--horizon", "3", "--engine", "turbo"], "engine is 'turbo', expected one of 'auto'"),
        (["whole.csv", "--horizon", "40", "--windows", "3"], "3 windows of 40 leave 0 for training"),
        (["whole.csv", "--horizon", "3", "--lr", "-1"], "lr is -1.0, expected a number above 0"),
        (["whole.csv", "--horizon", "3", "--freq", "fortnight"], "fortnight"),
        (["whole.csv", "--horizon", "3", "--hidden-size", "100000000"], "expected at most 1e+08; lower one of them"),
        (["whole.csv", "--horizon", "3", "--out", "/proc/f.csv"], "--out /proc/f.csv: cannot write to /proc"),
    ],
)
def test_wrong_data_and_options_exit_with_2_before_training(sales, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr("gatewise.forecast.model.training.fit", lambda *_, **__: pytest.fail("training started"))
    assert main(["forecast", *arguments]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("gatewise: ")
    assert message in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "slod"], "no column 'slod'; its columns are 'day', 'sold'; did you mean 'sold'?"),
        (
            ["--known", "slod"],
            "covariate 'slod' is not among the columns 'day', 'sold'; correct its name; did you mean 'so",
        ),
        (["--series", "slod"], "no such series; the table contains 'sold'; did you mean 'sold'?"),
    ],
)
def test_a_misspelt_name_gets_a_suggestion(sales, options, message, capsys):
    assert main(["forecast", "whole.csv", "--horizon", "2", *options]) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed


def test_a_level_shift_is_named_and_can_be_given(folder, capsys):
    t = np.arange(96)
    y = 100 * (1 + 0.2 * np.sin(t * np.pi / 6) + np.random.default_rng(0).normal(0, 0.02, 96)) * np.where(t < 60, 1, 2)
    ds = pd.date_range("2016-01-01", periods=96, freq="MS").strftime("%Y-%m-%d")
    pd.DataFrame({"ds": ds, "y": y}).to_csv("visits.csv", index=False)
    for options, named in (([], True), (["--shift", "none"], False), (["--shift", "2021-01-01"], True)):
        assert main(["forecast", "visits.csv", "--horizon", "6", "--windows", "0", "--quiet", *options, *SMALL]) == 0
        assert ("level shift: +" in capsys.readouterr().out) == named
    assert main(["forecast", "visits.csv", "--horizon", "6", "--shift", "2031-01-01", *SMALL]) == 2
    assert "level shift at 2031-01-01 in series" in capsys.readouterr().err


def test_a_wide_interval_is_a_message(folder, capsys, monkeypatch):
    monkeypatch.setattr(FittedState, "width_warning", lambda *_: "series 'a': from step 1, the 80 % interval is wide")
    assert main(["forecast", "--horizon", "6", "--windows", "0", "--quiet", *SMALL]) == 0
    assert capsys.readouterr().err == "gatewise: series 'a': from step 1, the 80 % interval is wide\n"


@pytest.mark.skipif(find_spec("statsforecast") is not None, reason="statsforecast is installed")
def test_a_missing_statsforecast_is_an_error_before_training(folder, capsys):
    assert main(["forecast", "--horizon", "6", "--against", "AutoETS"]) == 2
    error = '--against needs statsforecast, which is missing; run: pip install "gatewise[classical]"'
    assert error in capsys.readouterr().err
