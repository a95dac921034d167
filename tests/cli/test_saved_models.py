"""`gatewise forecast --model`: forecasts with a saved model, and the options that it excludes."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.cli import main, options

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("folder")
SMALL = ["--max-steps", "20", "--hidden-size", "8", "--ensemble-size", "1"]


def test_a_saved_model_forecasts_without_training(sales, capsys, monkeypatch):
    arguments = ["forecast", "whole.csv", "--horizon", "7", "--windows", "0", "--quiet", *SMALL]
    assert main([*arguments, "--save", "m.safetensors", "--out", "f.csv", "--cell", "gru"]) == 0
    assert "Files written: f.csv, m.safetensors" in capsys.readouterr().out
    monkeypatch.setattr("gatewise.forecast.model.training.fit", lambda *_, **__: pytest.fail("training started"))
    saved = ["forecast", "--horizon", "7", "--model", "m.safetensors"]
    assert main([*saved, "--out", "again.csv", "--plot", "again.png"]) == 0
    printed = capsys.readouterr().out
    for text in (
        "Model: m.safetensors, Forecaster(cell='gru', hidden_size=8, horizon=7, ensemble_size=1, max_steps=20)",
        "time column: 'day'",
        "Training: ",
        "Verdict: none (--model runs no backtest; use gatewise backtest FILE to evaluate).",
        "Files written: again.csv, again.png",
    ):
        assert text in printed
    assert (sales / "again.csv").read_bytes() == (sales / "f.csv").read_bytes()
    assert main([*saved, "--level", "90", "--quiet"]) == 0
    assert "GRU-lo-90" in capsys.readouterr().out


def test_a_saved_model_forecasts_from_a_newer_file(sales, capsys):
    whole = pd.read_csv("whole.csv")
    whole.head(80).to_csv("early.csv", index=False)
    assert main(["forecast", "early.csv", "--horizon", "3", "--quiet", "--save", "m.safetensors", *SMALL]) == 0
    capsys.readouterr()
    saved = ["forecast", "whole.csv", "--horizon", "2", "--model", "m.safetensors"]
    assert main([*saved, "--out", "f.csv", "--save", "newer.safetensors"]) == 0
    assert "Data: whole.csv" in capsys.readouterr().out
    table = pd.read_csv("f.csv")
    assert table["ds"].tolist() == ["2024-03-31", "2024-04-01"]
    model = Forecaster(hidden_size=8, max_steps=20, ensemble_size=1).fit("early.csv").update("whole.csv")
    np.testing.assert_array_equal(table["LSTM"], model.predict(2)["LSTM"])
    assert main(["forecast", "--horizon", "2", "--model", "newer.safetensors", "--out", "g.csv"]) == 0
    assert (sales / "g.csv").read_bytes() == (sales / "f.csv").read_bytes()
    assert main(["forecast", "early.csv", "--horizon", "2", "--model", "newer.safetensors"]) == 2
    assert "ends at 2024-03-20, before 2024-03-30, the last date that the model knows" in capsys.readouterr().err
    whole.rename(columns={"sold": "bought"}).to_csv("other.csv", index=False)
    assert main(["forecast", "other.csv", "--horizon", "2", "--model", "m.safetensors"]) == 2
    assert (
        "the table has the series 'bought', but the model was trained on the series 'sold'" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(
            ([f"--{name.replace('_', '-')}", value], f"--{name.replace('_', '-')} applies to training")
            for name, value in {
                **dict.fromkeys(options.FORECASTER, "1"),
                "cell": "lstm",
                "scale": "window",
                "loss": "mae",
                "point": "mean",
                "strategy": "segment",
                "fallback": "naive",
            }.items()
        ),
        (
            ["--windows", "0"],
            "--windows applies to training, but the model of --model is already trained; omit --windows",
        ),
        (["--refit"], "--refit applies to training"),
        (
            ["--fill", "zero"],
            "--fill applies to a data file, but without FILE the series are those of --model; give FILE, "
            "or omit --fill",
        ),
        *(
            ([option, "a"], f"{option} applies to a data file")
            for option in ("--id", "--time", "--target", "--series", "--freq")
        ),
        (["--sort"], "--sort applies to a data file"),
        ([], "there is no file m.safetensors; check the path"),
        (["--save", "m.bin"], "--save m.bin: expected a file name that ends in .safetensors"),
        (["--save", "no/m.safetensors"], "--save no/m.safetensors: the folder no does not exist; create it first"),
    ],
)
def test_options_without_effect_on_a_saved_model_are_errors(folder, capsys, options, message):
    assert main(["forecast", "--horizon", "3", "--model", "m.safetensors", *options]) == 2
    assert message in capsys.readouterr().err


def test_a_file_without_a_model_is_an_error(sales, capsys):
    assert main(["forecast", "--horizon", "3", "--model", "whole.csv"]) == 2
    assert "whole.csv: it is not a safetensors file" in capsys.readouterr().err
