"""The verdict on series whose past is constant: their intervals have no width, and no coverage to judge."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.forecast.evaluation.constant_past import constant_windows

SMALL = {"max_steps": 4, "hidden_size": 4, "ensemble_size": 1, "jobs": 1}
N = 60
NOISE = 10 + np.random.default_rng(0).normal(size=N)
ALL = "After a constant past, intervals have no width: {} of {} values equal the forecast."
CASES = {  # the series, the sentence, whether the coverage of other values is stated
    "zero": ([np.zeros(N)], ALL.format(15, 15), False),
    "five": ([np.full(N, 5.0)], ALL.format(15, 15), False),
    "a tenth": ([np.full(N, 0.1)], ALL.format(15, 15), False),
    "large": ([np.full(N, 1e9)], ALL.format(15, 15), False),
    "negative": ([np.full(N, -3.0)], ALL.format(15, 15), False),
    "changed at the end": ([np.append(np.full(N - 1, 5.0), 9.0)], ALL.format(14, 15), False),
    "changed in the last window": ([np.append(np.full(N - 5, 5.0), NOISE[:5])], ALL.format(10, 15), False),
    "constant at the end": (
        [np.append(NOISE[:40], np.full(20, 5.0))],
        "After a constant past (1 of 3 windows), intervals have no width: 5 of 5 values equal the forecast.",
        True,
    ),
    "one of two": (
        [NOISE, np.full(N, 5.0)],
        "After a constant past (3 of 6 windows), intervals have no width: 15 of 15 values equal the forecast.",
        True,
    ),
    "both": ([np.zeros(N), np.full(N, 5.0)], ALL.format(30, 30), False),
    "constant at first": ([np.append(np.full(40, 5.0), NOISE[:20])], None, True),
    "nowhere": ([NOISE], None, True),
}


def table(series):
    ds = pd.date_range("2024-01-01", periods=N)
    return pd.concat([pd.DataFrame({"unique_id": f"s{k}", "ds": ds, "y": y}) for k, y in enumerate(series)])


@pytest.mark.parametrize(("series", "sentence", "covered"), CASES.values(), ids=CASES)
def test_the_verdict_on_constant_series(series, sentence, covered):
    result = Forecaster(**SMALL).backtest(table(series), 5, windows=3)
    assert (sentence in result.verdict) if sentence else ("constant past" not in result.verdict)
    assert ("Coverage over" in result.verdict) == covered
    if not covered:
        assert "too wide" not in result.verdict
        assert "too narrow" not in result.verdict
        assert set(result.coverage) == {80, 95}  # of all values
    for row in np.flatnonzero(constant_windows(result.held)):
        lower, upper = result.held.intervals[80]
        np.testing.assert_allclose(upper[row], lower[row], rtol=1e-6)
        np.testing.assert_allclose(result.held.mean[row], lower[row], rtol=1e-6)


def test_without_intervals_nothing_is_said():
    result = Forecaster(**SMALL).backtest(np.full(N, 5.0), 5, windows=3, level=())
    assert "width" not in result.verdict


def test_values_near_a_large_constant_are_not_constant():
    result = Forecaster(**SMALL).backtest(1e9 + NOISE, 5, windows=3)
    assert not constant_windows(result.held).any()


def test_rare_sales_are_not_constant():
    y = np.zeros(90)
    y[::9] = 2.0
    assert not constant_windows(Forecaster(**SMALL).backtest(y, 3, windows=5).held).any()


def test_filled_values_do_not_end_a_constant_past():
    y = np.full(N, 5.0)
    y[30] = np.nan
    for fill in ("previous", "interpolate", "none"):
        result = Forecaster(**SMALL).backtest(y, 5, windows=3, fill=fill)
        assert ALL.format(15, 15) in result.verdict
