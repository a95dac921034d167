"""Updates with newer values, excluded series, units and future covariates."""

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, Forecaster

SMALL = {"hidden_size": 8, "max_steps": 20, "ensemble_size": 1, "strategy": "segment", "dropout": 0.0, "horizon": 4}


def months(n, unique_id, seed=0):
    y = 100 + 10 * np.sin(np.arange(n) / 2) + np.random.default_rng(seed).normal(0, 1, n)
    return pd.DataFrame({"unique_id": unique_id, "ds": pd.date_range("2000-01-01", periods=n, freq="MS"), "y": y})


def several(*sizes):
    return pd.concat([months(n, f"s{k}", k) for k, n in enumerate(sizes)], ignore_index=True)


@pytest.mark.parametrize("newest", [1, 2])
def test_one_new_value_of_each_series_is_enough(newest):
    table = several(40, 44)
    known = table.groupby("unique_id").head(40)
    known = known[known["unique_id"] != "s1"].iloc[:-newest], table[table["unique_id"] == "s1"].iloc[:-newest]
    model = Forecaster(**SMALL).fit(pd.concat(known))
    model.update(table.groupby("unique_id").tail(newest))
    expected = Forecaster(**SMALL).fit(pd.concat(known)).predict(4, table=table, level=())
    pd.testing.assert_frame_equal(model.predict(4, level=()), expected)


def test_excluded_series_stay_until_an_update_makes_them_long_enough():
    model = Forecaster(**SMALL).fit(several(1, 2, 30, 40), on_bad="naive")
    assert model.excluded()["unique_id"].tolist() == ["s0", "s1"]
    model.update(months(41, "s3", 3))
    assert model.excluded()["unique_id"].tolist() == ["s0", "s1"]
    assert set(model.predict(2)["unique_id"]) == {"s0", "s1", "s2", "s3"}
    model.update(months(20, "s0", 0))
    assert model.excluded()["unique_id"].tolist() == ["s1"]
    assert model.predict(2).notna().all(axis=1).sum() == 6


def test_missing_steps_before_an_update_are_refused():
    model = Forecaster(**SMALL).fit(several(40, 40))
    with pytest.raises(DataError, match=r"series 's1': steps are missing between 2003-04-01.* and 2003-06-01"):
        model.update(pd.concat([months(41, "s0").tail(1), months(42, "s1").tail(1)]))


@pytest.mark.parametrize("unit", [1e-9, 1e9, 1e-250])
def test_the_unit_does_not_matter_to_a_constant_series(unit):
    table = pd.concat([several(60, 60), months(60, "constant").assign(y=5.0)], ignore_index=True)
    plain = Forecaster(**SMALL).fit(table).predict(3)
    scaled = Forecaster(**SMALL).fit(table.assign(y=table["y"] * unit)).predict(3)
    numbers = plain.columns[2:]
    np.testing.assert_allclose(scaled[numbers] / unit, plain[numbers], rtol=1e-4)
    constant = plain[plain["unique_id"] == "constant"]
    np.testing.assert_allclose(constant["LSTM"], 5.0, rtol=1e-3)


def test_covariates_beyond_the_horizon_of_a_backtest_are_not_used():
    table = several(60, 60).assign(x=np.random.default_rng(0).normal(size=120))
    later = table.copy()
    later.loc[[59, 119], "x"] += 3.0  # beyond all but the last cutoff
    first, second = (
        Forecaster(**SMALL).backtest(rows, 1, windows=3, step=2, known="x", refit=False).forecasts
        for rows in (table, later)
    )
    before = first["ds"] < first["ds"].max()
    np.testing.assert_allclose(first.loc[before, "LSTM"], second.loc[before, "LSTM"], rtol=1e-3)
    assert not np.allclose(first.loc[~before, "LSTM"], second.loc[~before, "LSTM"], rtol=1e-4)


def test_without_levels_there_are_no_intervals():
    model = Forecaster(**SMALL).fit(months(40, "a"))
    assert model.predict(2, level=None).columns.tolist() == ["unique_id", "ds", "LSTM"]


def test_too_short_a_history_is_refused():
    model = Forecaster(**SMALL).fit(several(40, 40))
    with pytest.raises(DataError, match="series 's9' has 1 value, expected at least 3"):
        model.predict(1, table=months(1, "s9"))


def test_a_backtest_reports_the_delivered_methods():
    table = pd.DataFrame({"unique_id": "a", "ds": range(80), "y": np.arange(80.0)})
    model = Forecaster(**{**SMALL, "max_steps": 1, "lr": 1e-9, "fallback": "naive"})
    result = model.backtest(table, 4, refit=False)
    assert result.guesses[-1].startswith("forecast: Drift (validation MASE: Drift 0, ")
    assert result.verdict.startswith("Use the drift forecast (the line from the first value to the last, continued)")
    assert "In the test windows, the forecast was Drift. " in result.verdict
    assert "One model forecast all 3 windows, trained before the first; refit=True (--refit)" in result.verdict
    assert "LSTM is" not in result.verdict
    assert not result.trusted
    refitted = model.backtest(table, 4, windows=2)
    assert refitted.delivered == ("Drift", "Drift")
    assert "One model" not in refitted.verdict
    model.set_params(fallback="none")
    plain = model.backtest(table, 4)
    assert set(plain.delivered) == {"LSTM"}
    assert "In the test windows" not in plain.verdict


def test_the_best_and_the_worst_series_are_drawn():
    result = Forecaster(**SMALL).backtest(several(*[60] * 8), 4, windows=2)
    errors = result.by_series[result.by_series["model"] == "LSTM"].set_index("unique_id")["MASE"].sort_values()
    figure = result.plot("examples")
    titles = [ax.get_title() or ax.get_title(loc="left") for ax in figure.axes]
    assert titles == [f"best: {name}" for name in errors.index[:3]] + [f"worst: {name}" for name in errors.index[-3:]]
    with pytest.raises(ValueError, match="kind='examples' draws several Axes of its own; leave ax out"):
        result.plot("examples", ax=figure.axes[0])


def test_all_of_few_series_and_the_coverage_are_drawn():
    result = Forecaster(**SMALL).backtest(several(60, 60), 4)
    assert len(result.plot("examples").axes) == 2
    alone = Forecaster(**SMALL).backtest(several(60), 4)
    assert len(alone.plot("examples").axes) == 1
    points = {float(y) for line in result.plot("coverage").lines for y in line.get_ydata()}
    assert all(any(abs(100 * fraction - y) < 1e-9 for y in points) for fraction in result.coverage.values())
