"""The built-in data sets have the published values."""

import numpy as np
import pytest

from gatewise.datasets import air_passengers, sums, trend


def test_air_passengers_has_the_published_values_and_months():
    table = air_passengers()
    assert table.columns.tolist() == ["unique_id", "ds", "y"]
    assert table["unique_id"].unique().tolist() == ["AirPassengers"]
    assert (table["ds"].iloc[0].isoformat(), table["ds"].iloc[-1].isoformat()) == (
        "1949-01-01T00:00:00",
        "1960-12-01T00:00:00",
    )
    assert (table["ds"].dt.day == 1).all()
    assert table["ds"].dt.to_period("M").is_unique
    by_year = table.groupby(table["ds"].dt.year)["y"].sum().tolist()
    assert by_year == [1520, 1676, 2042, 2364, 2700, 2867, 3408, 3939, 4421, 4572, 5140, 5714]
    assert table["y"].max() == table.loc[table["ds"] == "1960-07-01", "y"].item() == 622


def test_trend_is_a_line_under_noise_of_the_given_standard_deviation():
    y = trend(200_000, noise=10.0, seed=1)
    noise = y - (5 + 7 * np.arange(200_000))
    assert y.dtype == np.float64
    assert noise.std() == pytest.approx(10, rel=0.01)  # 1 % is 6 standard errors
    assert noise.mean() == pytest.approx(0, abs=0.15)


def test_trend_repeats_with_its_seed_and_does_not_use_the_global_generator():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the test checks the global state
    assert (trend(seed=3) == trend(seed=3)).all()
    assert (trend(seed=3) != trend(seed=4)).any()
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002 - as above


def test_sums_adds_its_two_features():
    table = sums()
    assert table.to_numpy().tolist() == [[10.0 * k, 10.0 * k + 5, 20.0 * k + 5] for k in range(10)]
