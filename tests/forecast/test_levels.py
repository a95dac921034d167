"""Levels are percentages and quantiles are probabilities: one written as the other is refused."""

import re

import numpy as np
import pytest

from gatewise import Forecaster
from gatewise.cli import main
from gatewise.forecast.validation import as_levels, as_quantiles

WAVE = np.sin(np.arange(40)) + 3
SMALL = {"max_steps": 2, "hidden_size": 4, "ensemble_size": 1, "jobs": 1}
FRACTIONS = [
    (0.8, "level=0.8 means 0.8 %; for 80 % pass level=80", 80),
    (0.5, "level=0.5 means 0.5 %; for 50 % pass level=50", 50),
    (0.99, "level=0.99 means 0.99 %; for 99 % pass level=99", 99),
    (0.29, "level=0.29 means 0.29 %; for 29 % pass level=29", 29),
    (0.975, "level=0.975 means 0.975 %; for 97.5 % pass level=97.5", 97.5),
    (np.float64(0.9), "level=0.9 means 0.9 %; for 90 % pass level=90", 90),
    ((0.8, 0.95), "level=(0.8, 0.95) means 0.8 and 0.95 %; for 80 and 95 % pass level=(80, 95)", (80, 95)),
    ([0.8], "level=0.8 means 0.8 %; for 80 % pass level=80", 80),
    (np.array([0.5, 0.9]), "level=(0.5, 0.9) means 0.5 and 0.9 %; for 50 and 90 % pass level=(50, 90)", (50, 90)),
    ((0.8, 95), "level=(0.8, 95) means 0.8 and 95 %; for 80 and 95 % pass level=(80, 95)", (80, 95)),
    (1, "level is 1, expected percentages above 1 and below 100, such as 80", None),
    ((0.8, 1.0), "level is (0.8, 1), expected percentages above 1 and below 100, such as 80", None),
]
PERCENTAGES = [
    (10, "a quantile is 10, expected a probability between 0 and 1, such as 0.9; for 10 % pass quantiles=0.1", 0.1),
    ((10, 90), "such as 0.9; for 10 and 90 % pass quantiles=(0.1, 0.9)", (0.1, 0.9)),
    ([2.5, 50, 97.5], "for 2.5, 50 and 97.5 % pass quantiles=(0.025, 0.5, 0.975)", (0.025, 0.5, 0.975)),
    ((0.1, 90), "a quantile is 90, expected a probability between 0 and 1, such as 0.9; for 10 and 90 %", None),
    (1, "a quantile is 1, expected a probability between 0 and 1, such as 0.9$", None),
    (-10, "a quantile is -10, expected a probability between 0 and 1, such as 0.9$", None),
    ("10", "a quantile is '10', expected a probability between 0 and 1, such as 0.9$", None),
]


@pytest.mark.parametrize(("level", "message", "remedy"), FRACTIONS)
def test_a_level_that_looks_like_a_fraction_is_refused(level, message, remedy):
    with pytest.raises(ValueError, match=re.escape(message)):
        as_levels(level)
    if remedy is not None:
        assert as_levels(remedy) == tuple(np.atleast_1d(remedy).tolist())


@pytest.mark.parametrize(("quantiles", "message", "remedy"), PERCENTAGES)
def test_a_quantile_that_looks_like_a_percentage_is_refused(quantiles, message, remedy):
    with pytest.raises(ValueError, match=re.escape(message).replace(r"\$", "$")):
        as_quantiles(quantiles)
    if remedy is not None:
        assert as_quantiles(remedy) == tuple(np.atleast_1d(remedy).tolist())


def test_every_method_with_levels_refuses_fractions():
    model = Forecaster(**SMALL).fit(WAVE)
    calls = (
        lambda level: model.predict(2, level=level),
        lambda level: model.backtest(WAVE, 2, level=level),
        lambda level: model.plot(2, level=level),
    )
    for call in calls:
        with pytest.raises(ValueError, match="for 80 % pass level=80"):
            call(0.8)
    with pytest.raises(ValueError, match=re.escape("for 10 and 90 % pass quantiles=(0.1, 0.9)")):
        model.predict(2, quantiles=(10, 90))
    table = model.predict(2, level=80, quantiles=(0.1, 0.9))
    np.testing.assert_array_equal(table[["LSTM-lo-80", "LSTM-hi-80"]], table[["LSTM-q-0.1", "LSTM-q-0.9"]])
    assert model.predict(2, level=1.5).columns[-1] == "LSTM-hi-1.5"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--level", "0.8"], "argument --level: '0.8': 0.8 means 0.8 %; for 80 % use --level 80"),
        (["--level", "0.8,0.95"], "argument --level: '0.8,0.95': 0.8 means 0.8 %; for 80 and 95 % use --level 80,95"),
        (["--level", "95,0.8"], "argument --level: '95,0.8': 0.8 means 0.8 %; for 95 and 80 % use --level 95,80"),
        (["--level", ".5"], "argument --level: '.5': 0.5 means 0.5 %; for 50 % use --level 50"),
        (["--level", "1"], "argument --level: '1': 1 means 1 %; expected percentages above 1, such as 80,95"),
        (["--quantiles", "10", "90"], "argument --quantiles: '10': expected probabilities between 0 and 1 of at most"),
        (["--quantiles", "97.5"], "decimals, such as 0.1 0.9; for 97.5 % use 0.975"),
    ],
)
def test_the_command_refuses_them_too(options, message, capsys):
    for command in ("forecast", "backtest") if options[0] == "--level" else ("forecast",):
        with pytest.raises(SystemExit) as stop:
            main([command, "--horizon", "2", *options])
        assert stop.value.code == 2
        assert message in " ".join(capsys.readouterr().err.split())
