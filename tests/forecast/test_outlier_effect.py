"""Outliers of a fitted forecaster: their effect on the forecast, saved models and updates."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gatewise as gw
from gatewise.forecast.outlier_effect import OutlierEffect, describe_effects
from gatewise.series import Series

SMALL: dict[str, Any] = {"hidden_size": 4, "max_steps": 10, "ensemble_size": 1}
DAYS = pd.date_range("2024-01-01", periods=90)


def sales(changes: dict[int, float], size: int = 90) -> pd.DataFrame:
    values = np.random.default_rng(0).normal(100, 5, size=size)
    for at, value in changes.items():
        values[at] = value
    return pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=size), "a": values})


def test_the_effect_is_that_of_a_forecast_without_the_outlier() -> None:
    model = gw.Forecaster(**SMALL).fit(sales({87: 500.0}))
    (effect,) = model.outlier_effects(5)
    without = sales({87: 500.0})
    without.loc[87, "a"] = (without["a"][86] + without["a"][88]) / 2
    before, after = (model.predict(5, table=table)["LSTM"].to_numpy() for table in (sales({87: 500.0}), without))
    assert effect.rows.tolist() == [87]
    assert effect.change == pytest.approx((after - before).mean())
    assert effect.absolute == pytest.approx(np.abs(after - before).mean())
    assert effect.fraction == pytest.approx(effect.absolute / np.abs(before).mean())
    assert str(effect).startswith(
        "With the same trained networks, but without the outlier of 2024-03-28 in 'a', the forecast would be "
    )


@pytest.mark.parametrize("how", ["clip", "missing"])
def test_treated_or_absent_outliers_have_no_effect(how: str) -> None:
    assert gw.Forecaster(**SMALL).fit(sales({})).outlier_effects(5) == ()
    model = gw.Forecaster(**SMALL).fit(sales({87: 500.0}), outliers=how, fill="previous")
    assert model.outlier_effects(5) == ()


ONE, FIRST = "outlier of 2024-03-05", "outlier of 2024-01-01"
FOUR = "4 outliers of 2024-01-02, 2024-01-03, 2024-01-04, ..."


@pytest.mark.parametrize(
    ("rows", "change", "absolute", "fraction", "outliers", "effect"),
    [
        ([64], -12.3, 12.3, 0.08, ONE, "be 12.3 lower on average (8 %)."),
        ([64], 5.0, 5.1, 0.051, ONE, "be 5.1 higher on average (5.1 %)."),
        ([64], 0.0123, 0.0123, 0.5, ONE, "be 0.0123 higher on average (50 %)."),
        ([0], 1.0, 5.0, 0.5, FIRST, "change by 5 on average (50 %)."),
        ([0], -1.0, 5.0, 0.01, FIRST, "change by 5 on average (1 %)."),
        ([0], 0.0, 0.0, 0.0, FIRST, "not change (less than 0.1 %)."),
        ([1, 2], -1e6, 1e6, 0.25, "2 outliers of 2024-01-02, 2024-01-03", "be 1,000,000 lower on average (25 %)."),
        ([1, 2, 3, 4], -2.0, 2.0, 0.02, FOUR, "be 2 lower on average (2 %)."),
    ],
)
def test_sentences(
    rows: list[int], change: float, absolute: float, fraction: float, outliers: str, effect: str
) -> None:
    series = Series("a", DAYS, np.ones(90))
    sentence = str(OutlierEffect(series, np.array(rows), change, absolute, fraction))
    assert sentence == f"With the same trained networks, but without the {outliers} in 'a', the forecast would {effect}"


def test_few_sentences() -> None:
    series = Series("a", DAYS, np.ones(90))
    effects = [OutlierEffect(series, np.array([k]), -1.0, 1.0, 0.01 * k) for k in range(1, 6)]
    sentences = describe_effects(effects)
    assert "2024-01-06" in sentences[0]
    assert sentences[3:] == (
        "2 more series have outliers with smaller effects.",
        "Training without outliers may change forecasts more: pass outliers='missing' and fill='interpolate' "
        "(--outliers missing --fill interpolate).",
    )
    assert describe_effects(effects[:1])[1:] == sentences[4:]
    assert describe_effects([]) == ()


@pytest.mark.parametrize(("how", "fill"), [("clip", None), ("missing", "interpolate"), ("missing", "none")])
def test_a_saved_model_treats_its_series_and_newer_values_in_the_same_way(
    how: str, fill: str | None, tmp_path: Path
) -> None:
    model = gw.Forecaster(**SMALL).fit(sales({40: 900.0}), outliers=how, fill=fill)
    model.save(tmp_path / "model")
    again = gw.Forecaster.load(tmp_path / "model")
    assert again.predict(4).equals(model.predict(4))
    assert again.guesses == model.guesses
    np.testing.assert_array_equal(again.state.panel.series[0].y, model.state.panel.series[0].y)
    longer = sales({40: 900.0, 95: -400.0}, size=100)
    again.update(longer[90:])
    whole = gw.read(pd.concat([sales({40: 900.0}), longer[90:]]), outliers=how, fill=fill)
    np.testing.assert_array_equal(again.state.panel.series[0].y, whole.series[0].y)
    assert again.state.panel.outliers == how
    assert any(guess.startswith("outliers: 1 value ") and "2024-04-05" in guess for guess in again.guesses)
