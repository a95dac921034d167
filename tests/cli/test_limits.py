"""`--lower`, `--upper`, `--integer` and `--quantiles`."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.cli import main

SMALL = ["--max-steps", "10", "--hidden-size", "8", "--ensemble-size", "1", "--quiet"]
COUNTS = ["--lower", "0", "--upper", "3", "--integer"]


@pytest.fixture
def visits(folder):
    """70 days of counts, mostly zero, in visits.csv; with one value of 2.5 in half.csv."""
    y = np.random.default_rng(0).poisson(0.5, 70).clip(max=3).astype(float)
    table = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=70), "visits": y})
    table.to_csv(folder / "visits.csv", index=False)
    table.loc[40, "visits"] = 2.5
    table.to_csv(folder / "half.csv", index=False)
    return folder


def values(path):
    table = pd.read_csv(path)
    return set(table.select_dtypes("number").to_numpy().ravel())


def test_a_forecast_within_limits_with_quantiles(visits, capsys):
    files = ["--out", "f.csv", "--paths-out", "p.csv", "--paths", "20", "--save", "m.safetensors"]
    options = [*COUNTS, "--quantiles", "0.9", "0.1", "0.975", "--level", "80", *files, *SMALL]
    assert main(["forecast", "visits.csv", "--horizon", "7", *options]) == 0
    assert "LSTM-q-0.1" in capsys.readouterr().out
    table = pd.read_csv("f.csv")
    columns = ["LSTM", "LSTM-lo-80", "LSTM-hi-80", "LSTM-q-0.1", "LSTM-q-0.9", "LSTM-q-0.975"]
    assert table.columns.tolist() == ["unique_id", "ds", *columns]
    assert values("f.csv") <= {0.0, 1.0, 2.0, 3.0}
    assert set(pd.read_csv("p.csv")["LSTM"]) <= {0.0, 1.0, 2.0, 3.0}
    np.testing.assert_array_equal(table["LSTM-q-0.9"], table["LSTM-hi-80"])
    model = Forecaster.load("m.safetensors")
    assert (model.lower, model.upper, model.integer) == (0.0, 3.0, True)
    saved = ["forecast", "--horizon", "7", "--model", "m.safetensors", "--quantiles", "0.1", "--level", "80"]
    assert main([*saved, "--out", "g.csv"]) == 0
    pd.testing.assert_frame_equal(pd.read_csv("g.csv"), table[["unique_id", "ds", *columns[:4]]])


def test_a_backtest_within_limits(visits, capsys):
    assert main(["backtest", "visits.csv", "--horizon", "7", "--out", "b.csv", *COUNTS, *SMALL]) == 0
    assert "Verdict: " in capsys.readouterr().out
    assert values("b.csv") <= {0.0, 1.0, 2.0, 3.0}


def test_a_search_within_limits(visits, capsys):
    search = ["--windows", "0", "--budget", "1s", "--out", "f.csv"]
    assert main(["forecast", "visits.csv", "--horizon", "7", *search, *COUNTS, *SMALL]) == 0
    assert "\nSearch: " in capsys.readouterr().out
    assert values("f.csv") <= {0.0, 1.0, 2.0, 3.0}


@pytest.mark.parametrize("command", ["forecast", "backtest"])
def test_values_that_contradict_the_limits_are_errors(visits, capsys, command):
    for name, options, message in (
        (
            "half.csv",
            ["--integer"],
            "2024-02-10: 2.5 is not a whole number, but integer=True (1 of 70 values); correct",
        ),
        ("half.csv", ["--upper", "2.4"], "2024-01-16: 3 is above upper=2.4 (5 of 70 values)"),
        ("visits.csv", ["--lower", "1", "--upper", "0"], "lower is 1.0, expected a number below upper, which is 0.0"),
        ("visits.csv", ["--lower", "nan"], "lower is nan, expected a number from -1e+100 to 1e+100"),
    ):
        assert main([command, name, "--horizon", "3", *options, *SMALL]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert "Traceback" not in error


@pytest.mark.parametrize("text", ["0", "1", "80", "nan", "visits.csv", "0.1,0.9", "0.12345678"])
def test_wrong_quantiles_are_refused(visits, capsys, text):
    with pytest.raises(SystemExit):
        main(["forecast", "--horizon", "3", "--quantiles", "0.5", text])
    message = "expected probabilities between 0 and 1 of at most six decimals, such as 0.1 0.9"
    assert f"argument --quantiles: '{text}': {message}" in capsys.readouterr().err


def test_limits_of_a_saved_model_cannot_be_changed(folder, capsys):
    for options in (["--lower", "0"], ["--upper", "0"], ["--integer"]):
        assert main(["forecast", "--horizon", "3", "--model", "m.safetensors", *options]) == 2
        assert (
            f"{options[0]} applies to training, but the model of --model is already trained" in capsys.readouterr().err
        )


@pytest.mark.parametrize(("options", "point"), [([], "median"), (["--point", "mean"], "mean")])
def test_the_heading_says_whether_forecasts_are_medians(visits, capsys, options, point):
    assert main(["forecast", "half.csv", "--horizon", "7", "--windows", "0", *options, *SMALL]) == 0
    printed = capsys.readouterr().out
    heading = next(line for line in printed.split("\n") if line.startswith("Forecast: "))
    assert heading.endswith(f"; {point}s")
    assert f"; {point}s" in printed.partition("forecast: ")[2].split("\n")[0]


@pytest.mark.parametrize("command", ["forecast", "backtest"])
@pytest.mark.parametrize(
    ("limits", "most"),
    [(["--integer"], np.inf), (["--integer", "--lower", "0"], np.inf), (["--lower", "0", "--upper", "40"], 40)],
    ids=["integer", "counts", "upper"],
)
def test_clipped_outliers_are_within_the_limits(folder, command, limits, most, capsys):
    y = np.random.default_rng(0).poisson(20, 96).clip(max=39)
    y[50] = 900
    table = pd.DataFrame({"month": pd.date_range("2016-01-01", periods=96, freq="MS"), "orders": y})
    table.to_csv("orders.csv", index=False)
    options = [*limits, "--outliers", "clip", "--out", "f.csv", *SMALL]
    assert main([command, "orders.csv", "--horizon", "6", *options]) == 0
    assert "1 value clipped" in capsys.readouterr().out
    assert pd.read_csv("f.csv")["LSTM"].between(0, most).all()


def test_other_values_beyond_the_limits_are_refused_beside_clipped_outliers(folder, capsys):
    y = np.random.default_rng(0).poisson(20, 96).clip(max=39)
    y[50] = 900
    table = pd.DataFrame({"month": pd.date_range("2016-01-01", periods=96, freq="MS"), "orders": y})
    table.to_csv("orders.csv", index=False)
    options = ["--upper", "25", "--outliers", "clip", *SMALL]
    assert main(["forecast", "orders.csv", "--horizon", "6", *options]) == 2
    assert "is above upper=25" in capsys.readouterr().err
