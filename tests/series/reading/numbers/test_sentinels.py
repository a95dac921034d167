"""Sentinels: repeated values far outside the others are named, and the remedy makes them missing."""

import numpy as np
import pandas as pd
import pytest

from gatewise.series import read
from gatewise.series.reading.numbers.sentinels import find_sentinels

GENERATOR = np.random.default_rng(0)
TEMPERATURES, PRICES = GENERATOR.normal(15, 5, 300), GENERATOR.uniform(100, 900, 300)
ROWS = [7, 40, 41]


def with_value(values, value, rows=ROWS):
    values = np.array(values, float)
    values[rows] = value
    return values


SENTINELS = [
    *(
        (TEMPERATURES, value)
        for value in (-999, -9999, -200, 9999, 999, 99999, 1e20, -99999, -999.9, -1e30, -99, 32767)
    ),
    *((PRICES, value) for value in (-1, -9, -99, -999, -9999, 9999, 99999, 1e20)),
    *((GENERATOR.poisson(3, 300), value) for value in (-999, -200, 999, 9999)),
    *((GENERATOR.lognormal(10, 1, 300), value) for value in (-1, -99, -999, -9999)),
]


@pytest.mark.parametrize(("values", "value"), SENTINELS)
def test_a_sentinel_is_named_and_the_remedy_makes_it_missing(values, value):
    y = with_value(values, value)
    frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=300), "y": y})
    panel = read(frame)
    number = str(value) if value % 1 else str(int(value)) if abs(value) < 1e16 else repr(float(value))
    (warning,) = [text for text in panel.warnings if "occurs" in text]
    assert warning.startswith(f"series 'y': {number} occurs 3 times, far outside the other values (")
    option = f"--missing{'=' if number == '-1e+30' else ' '}{number}"  # argparse takes -1e+30 for an option
    assert warning.endswith(f"at 2024-01-08; if it marks missing values, pass missing={number!r} ({option})")
    assert np.array_equal(panel.series[0].y, y)
    filled = read(frame, missing=number, fill="previous")
    assert np.array_equal(filled.series[0].y, pd.Series(with_value(values, np.nan)).ffill())
    assert np.array_equal(np.flatnonzero(filled.series[0].filled), ROWS)
    assert not any("occurs" in text for text in filled.warnings)


USUAL = {
    "many zeros": GENERATOR.poisson(0.1, 500),
    "saturated": np.minimum(GENERATOR.normal(80, 20, 500), 100),
    "clipped below": np.maximum(GENERATOR.normal(0, 1, 300), -1),
    "binary": GENERATOR.choice([0, 1000.0], 500),
    "spikes": with_value(np.zeros(300), 1000),
    "promotions": with_value(GENERATOR.poisson(20, 300), 500),
    "intermittent": np.where(GENERATOR.uniform(size=500) < 0.1, GENERATOR.integers(1, 5, 500) * 100, 0),
    "price cap": np.minimum(GENERATOR.lognormal(4, 1.5, 3000), 3000),
    "negative prices": np.maximum(GENERATOR.normal(30, 80, 3000), -500),
    "round prices": GENERATOR.choice([999, 1099, 899, 949, 979, 1299.0], 300),
    "prices of 99": GENERATOR.choice([9, 99, 5, 7, 12, 15, 20, 30.0], 300),
    "returns": GENERATOR.normal(0, 0.01, 500),
    "balance": GENERATOR.normal(0, 100, 500).round(),
    "once": with_value(TEMPERATURES, -999, [7]),
    "zero": with_value(PRICES + 1000, 0),
    "constant": np.full(100, 5.0),
    "skewed": GENERATOR.lognormal(0, 3, 1000).round(),
    "level shift": np.r_[np.full(50, 5.0), np.full(50, 900.0)],
    "scores": GENERATOR.choice([-1, 0, 1, 2, 3, 4, 5, 6.0], 300),
}


@pytest.mark.parametrize("case", USUAL)
def test_usual_values_are_no_sentinels(case):
    assert find_sentinels(np.asarray(USUAL[case], float)) == ()


def test_two_sentinels_are_named():
    y = with_value(with_value(PRICES, -9999), 1e20, [100, 200])
    assert sorted(sentinel.value for sentinel in find_sentinels(y)) == [-9999, 1e20]


def test_series_and_covariates_share_a_sentence_for_each_value():
    ds = pd.date_range("2024-01-01", periods=300)
    parts = [
        pd.DataFrame({"unique_id": name, "ds": ds, "y": with_value(PRICES, -999), "t": with_value(TEMPERATURES, -200)})
        for name in "abc"
    ]
    warnings = read(pd.concat(parts), past="t").warnings
    first, second = (text.partition(";")[0] for text in warnings if "occurs" in text)
    assert first.startswith("series 'a' and 2 other series: -999 occurs 9 times, far outside the other values (10")
    assert second.startswith("covariate 't' of series 'a' and 2 other series: -200 occurs 9 times")
    panel = read(pd.concat(parts), past="t", missing=("-999", "-200"), fill="previous")
    assert not any("occurs" in text for text in panel.warnings)
    assert min(panel.series[0].y) > 0
    assert panel.series[0].past.min() > -200
