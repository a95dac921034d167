"""The sentence about forecasts outside the range of the past."""

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.forecast.past_range import describe, furthest_outside
from gatewise.series import Series, as_pandas

MONTHS = 100 + 20 * np.sin(2 * np.pi * np.arange(24) / 12)  # from 80 to 120


@pytest.mark.parametrize(
    ("y", "forecast", "expected"),
    [
        (MONTHS, [110.0, 120.0], None),  # inside
        (MONTHS, [127.0, 100.0], None),  # outside by less than a fifth of 40, and by less than the moves of one step
        (MONTHS, [129.0, 100.0], (0, 129.0, 120.0, 9 / 40)),  # by more than a fifth
        (MONTHS, [100.0, 100.0, 71.0], (2, 71.0, 80.0, 9 / 40)),  # below
        (MONTHS, [100.0] * 11 + [125.0], (11, 125.0, 120.0, 1 / 8)),  # in 12 steps the series has never moved
        (np.arange(50.0), 50 + np.arange(9.0), None),  # a line, continued for less than a fifth
        (np.arange(50.0), 50 + np.arange(12.0), (11, 61.0, 49.0, 12 / 49)),
        (np.arange(50.0), 50 + 2 * np.arange(4.0), (3, 56.0, 49.0, 7 / 49)),  # steeper than it was
        (np.full(10, 5.0), [5.0, 5.0 + 1e-12], None),  # rounding
        (np.full(10, 5.0), [5.0, 5.1], (1, 5.1, 5.0, np.inf)),
        (np.zeros(10), [0.0, 0.0], None),
        (1e9 + np.arange(10.0) % 2, [1e9 + 3], (0, 1e9 + 3, 1e9 + 1, 2.0)),
        (-MONTHS, [-60.0], (0, -60.0, -80.0, 0.5)),
        (np.array([1.0, np.nan, 3.0]), [np.float64(4.0)], (0, 4.0, 3.0, 0.5)),
        (np.array([1.0, 2.0]), [2.0, 2.0, 2.1], None),  # no moves of three steps are known
    ],
)
def test_the_furthest_step_counts(y, forecast, expected):
    outside = furthest_outside(y, np.asarray(forecast))
    if expected is None:
        assert outside is None
    else:
        np.testing.assert_allclose(tuple(outside), expected)


def table(**forecasts):
    rows = [
        (name, date, value)
        for name, values in forecasts.items()
        for date, value in zip(pd.date_range("2025-11-01", periods=len(values), freq="MS"), values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["unique_id", "ds", "GRU"])


def series(*names):
    return [Series(name, pd.date_range("2023-11-01", periods=24, freq="MS"), MONTHS) for name in names]


def test_the_sentence_names_the_value_the_date_and_the_bound():
    sentence = describe(series("a"), table(a=[100.0, 210.0]), "GRU")
    assert sentence == "The forecast of 'a' reaches 210 on 2025-12-01; the series has never been above 120."
    sentence = describe(series("a"), table(a=[-3.25, 100.0]), "GRU")
    assert sentence == "The forecast of 'a' falls to -3.25 on 2025-11-01; the series has never been below 80."
    assert describe(series("a"), table(a=[100.0, 101.0]), "GRU") == ""


def test_of_many_series_the_furthest_is_named():
    forecasts = table(a=[100.0, 140.0], b=[90.0, 91.0], c=[20.0, 110.0])
    expected = (
        "The forecasts of 2 of 3 series leave the range of their past. The furthest: 'c' falls to 20 on 2025-11-01; it "
        "has never been below 80."
    )
    assert describe(series("a", "b", "c"), forecasts, "GRU") == expected
    assert describe(series("a", "b", "c"), forecasts.sort_values(["ds", "unique_id"]), "GRU") == expected
    with pytest.raises(ValueError, match="no forecast of series 'd'; pass the table of predict"):
        describe(series("a", "d"), forecasts, "GRU")


def test_large_values_keep_the_digits_that_differ():
    large = [Series("a", pd.RangeIndex(4), 1e9 + np.array([0.0, 1.0, 0.0, 1.0]))]
    forecasts = pd.DataFrame({"unique_id": "a", "ds": [4], "LSTM": [1e9 + 7]})
    expected = "The forecast of 'a' reaches 1000000007 at 4; the series has never been above 1000000001."
    assert describe(large, forecasts, "LSTM") == expected


@pytest.mark.parametrize("backend", ["pandas", "polars"])
@pytest.mark.parametrize("names", [["x", "y"], [3, 1]])
def test_a_forecaster_compares_its_forecasts_with_its_series(backend, names):
    t = np.arange(40)
    parts = [pd.DataFrame({"unique_id": name, "ds": pd.date_range("2024", periods=40), "y": t % 7.0}) for name in names]
    data = pd.concat(parts)
    if backend == "polars":
        data = pytest.importorskip("polars").from_pandas(data)
    model = Forecaster(max_steps=2, hidden_size=4, ensemble_size=1, jobs=1).fit(data)
    forecast = model.predict(3, level=())
    assert model.beyond_range(forecast) == ""
    far = as_pandas(forecast)
    far.loc[4, "LSTM"] = 50.0
    name = str(far["unique_id"][4])
    expected = f"The forecast of {name!r} reaches 50 on 2024-02-11; the series has never been above 6."
    assert model.beyond_range(far) == expected
