"""Messages about series that are too short: their sums are right, and what they suggest works."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.cli import main
from gatewise.forecast.model.held_out import HeldOut
from gatewise.series import DataError

SMALL = {"max_steps": 2, "hidden_size": 4, "ensemble_size": 1, "jobs": 1}


def values(n, seed=0):
    return (10 + np.sin(np.arange(n)) + np.random.default_rng(seed).normal(size=n) / 9).tolist()


def settings(message):
    """The arguments that a message suggests, without windows and horizon."""
    found = re.findall(r"\b(context|season|difference|seasonal_difference)=(\d+)", message.partition("; use")[2])
    return {name: int(number) for name, number in found}


def suggested(message):
    """The (windows, horizon) that a message suggests; None for those it does not."""
    windows = re.search(r"windows=(\d+) \(--windows \1\)", message)
    horizon = re.search(r"a horizon of (\d+) \(--horizon \1\)", message)
    return windows and int(windows[1]), horizon and int(horizon[1])


BACKTESTS = [  # values, windows, horizon, step, arguments, the message
    (8, 3, 2, None, {}, "3 windows of 2 leave 2 for training, expected at least 10 (16 values in all: 10 + 3 x 2)"),
    (10, 1, 1, None, {}, "1 window of 1 leaves 9 for training, expected at least 10 (11 values in all: 10 + 1)"),
    (14, 3, 2, None, {}, "3 windows of 2 leave 8 for training, expected at least 10 (16 values in all: 10 + 3 x 2)"),
    (12, 3, 2, None, {}, "3 windows of 2 leave 6 for training, expected at least 10 (16 values in all: 10 + 3 x 2)"),
    (24, 3, 6, None, {}, "3 windows of 6 leave 6 for training, expected at least 10 (28 values in all: 10 + 3 x 6)"),
    (
        24,
        5,
        12,
        1,
        {},
        "leave 8 for training, expected at least 10 (26 values in all: 10 + 12 + 4 x 1)",
    ),
    (48, 2, 12, None, {"season": 12}, "(12 of context + 11 for the season of 12 + 4 targets; 51 values in all: 27 + 2"),
    (30, 3, 2, None, {"context": 20}, "least 24 (20 of context + 4 targets; 30 values in all: 24 + 3 x 2)"),
    (29, 3, 2, None, {"context": 20}, "leave 23 for training, expected at least 24 (20 of context + 4 targets; 30"),
    (14, 2, 2, None, {"difference": 1}, "expected at least 11 (10 to train on + 1 for the differences; 15 values in"),
    (
        40,
        2,
        6,
        3,
        {"season": 7, "seasonal_difference": 1, "context": 14},
        "expected at least 31 (14 of context + 6 for the season of 7 + 4 targets + 7 for the differences; 40 values in",
    ),
    (39, 2, 6, 3, {"season": 7, "seasonal_difference": 1, "context": 14}, "all: 31 + 6 + 1 x 3); use windows=1"),
]


@pytest.mark.parametrize(("n", "windows", "horizon", "step", "arguments", "message"), BACKTESTS)
def test_a_backtest_names_the_sum_of_values_and_what_fits(n, windows, horizon, step, arguments, message):
    model = Forecaster(**SMALL, **arguments)
    total = re.search(r"(\d+) values in", message)
    if total and int(total[1]) <= n:  # just enough
        model.backtest(values(n), horizon, windows=windows, step=step)
        return
    with pytest.raises(DataError) as error:
        model.backtest(values(n), horizon, windows=windows, step=step)
    text = str(error.value)
    assert message in text
    least = int(re.search(r"(\d+) values in all", text)[1])
    result = model.backtest(values(least), horizon, windows=windows, step=step)
    assert len(result.held.cuts) == windows
    with pytest.raises(DataError):
        model.backtest(values(least - 1), horizon, windows=windows, step=step)
    fewer, shorter = suggested(text)
    if fewer is None and shorter is None:
        assert text.endswith("; use a longer series")
        with pytest.raises(DataError):
            model.backtest(values(n), 1, windows=1)
    if fewer is not None:
        assert len(model.backtest(values(n), horizon, windows=fewer, step=step).held.cuts) == fewer < windows
        if fewer + 1 < windows:
            with pytest.raises(DataError):
                model.backtest(values(n), horizon, windows=fewer + 1, step=step)
    if shorter is not None:
        assert model.backtest(values(n), shorter, windows=windows, step=step).held.horizon == shorter < horizon


FITS = [  # values, arguments, the sum
    (40, {"season": 24}, "expected at least 51 (24 of context + 23 for the season of 24 + 4 targets)"),
    (20, {"season": 12}, "expected at least 27 (12 of context + 11 for the season of 12 + 4 targets)"),
    (20, {"context": 18}, "expected at least 22 (18 of context + 4 targets)"),
    (20, {"context": 18, "strategy": "segment"}, "expected at least 22 (18 of context + 4 targets)"),
    (23, {"season": 7, "context": 14, "strategy": "flatten"}, "6 for the season of 7 + 4 targets)"),
    (22, {"season": 7, "context": 7, "difference": 1, "seasonal_difference": 1}, "4 targets + 8 for the differences)"),
    (10, {"difference": 2}, "expected at least 12 (10 to train on + 2 for the differences)"),
    (6, {}, "expected at least 10 (the minimum for training); use a longer series"),
]


@pytest.mark.parametrize(("n", "arguments", "message"), FITS)
def test_a_training_names_the_sum_and_each_setting_that_fits(n, arguments, message):
    with pytest.raises(DataError) as error:
        Forecaster(**SMALL, **arguments).fit(values(n))
    text = str(error.value)
    assert message in text
    least = int(re.search(r"expected at least (\d+)", text)[1])
    terms = re.search(r"expected at least \d+ \((\d+.*?)\)", text)
    if terms:
        assert sum(int(term.split()[0]) for term in terms[1].split(" + ")) == least
    Forecaster(**SMALL, **arguments).fit(values(least))
    changes = settings(text)
    differences = {name: 0 for name in changes if "difference" in name}
    single = [{name: number} for name, number in changes.items() if name not in differences]
    for change in [*single, *([differences] if differences else [])]:
        model = Forecaster(**{**SMALL, **arguments, **change}).fit(values(n))
        assert np.isfinite(model.predict(3)["LSTM"]).all()
    assert changes or text.endswith("use a longer series")


def test_a_short_series_among_others_names_the_sum_of_differences():
    data = pd.concat(
        pd.DataFrame({"unique_id": name, "ds": range(n), "y": values(n)}) for name, n in {"a": 60, "b": 9}.items()
    )
    options = {"season": 7, "seasonal_difference": 1}
    with pytest.raises(DataError) as error:
        Forecaster(**SMALL, **options).fit(data)
    assert str(error.value) == (
        "series 'b' has 9 values, expected at least 10 (3 + 7 for the differences); use a longer series, or "
        "on_bad='skip' or 'naive' (--on-bad naive)"
    )
    assert Forecaster(**SMALL, **options).fit(data, on_bad="skip").excluded()["unique_id"].tolist() == ["b"]


def test_no_exclusion_is_suggested_where_no_series_would_remain():
    data = pd.DataFrame({"unique_id": ["a", "a", "b"], "ds": [1, 2, 1], "y": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match=r"series 'a' has 2 values, expected at least 3; use a longer series$"):
        Forecaster(**SMALL).fit(data)
    with pytest.raises(DataError, match=r"\(1 of 20 values\); correct such values, or use other limits$"):
        Forecaster(**SMALL, lower=0).fit([*values(19), -1.0])


def test_the_command_suggests_what_works(folder, capsys):
    dates = pd.date_range("2023-01-31", periods=24, freq="ME")
    pd.DataFrame({"month": dates, "sales": values(24)}).to_csv(folder / "sales.csv", index=False)
    options = ["--max-steps", "2", "--hidden-size", "4", "--ensemble-size", "1", "--quiet"]
    assert main(["backtest", "sales.csv", "--horizon", "6", *options]) == 2
    message = capsys.readouterr().err
    assert "use windows=2 (--windows 2), or a horizon of 4 (--horizon 4)" in message
    assert main(["backtest", "sales.csv", "--horizon", "6", "--windows", "2", *options]) == 0
    assert main(["backtest", "sales.csv", "--horizon", "4", *options]) == 0
    capsys.readouterr()
    assert main(["forecast", "sales.csv", "--horizon", "13", *options]) == 0
    assert "24 values; holding out 13 steps leaves 11, less than half; windows=1 (--win" in capsys.readouterr().out
    assert main(["forecast", "sales.csv", "--horizon", "13", "--windows", "1", *options]) == 0
    assert "Verdict: none" not in capsys.readouterr().out


def test_remedies_are_the_largest_that_fit():
    assert HeldOut(5, 3, 1).remedy(6) == "use windows=4 (--windows 4), or a horizon of 2 (--horizon 2)"
    assert HeldOut(1, 9, 9).remedy(5) == "use a horizon of 5 (--horizon 5)"
    assert HeldOut(9, 1, 1).remedy(4) == "use windows=4 (--windows 4)"
    assert HeldOut(2, 3, 3).remedy(-4) == "use a longer series"
