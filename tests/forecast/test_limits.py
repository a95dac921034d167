"""Limits, whole numbers and quantiles of forecasts."""

import math
import re

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, Forecaster
from gatewise.forecast import seasonal_naive
from gatewise.forecast.limits import Limits
from gatewise.forecast.tuning import tune
from tests.forecast.several import QUICK, assert_same_table
from tests.waves import select_series

MODEL = {**QUICK, "season": 7, "context": 14, "strategy": "segment"}
COUNTS = {"lower": 0, "upper": 4, "integer": True}


def counts(*names, n=100):
    """Small counts with a weekly pattern, often zero."""
    parts = []
    for k, name in enumerate(names or "A"):
        rate = 0.8 * (1 + np.sin(np.arange(n) * 2 * np.pi / 7 + k))
        y = np.random.default_rng(k).poisson(rate).clip(0, 4).astype(float)
        ds = pd.date_range("2024-01-01", periods=n, freq="D")
        parts.append(pd.DataFrame({"unique_id": name, "ds": ds, "y": y}))
    return pd.concat(parts, ignore_index=True)


def changed(data, row, value):
    data = data.copy()
    data.loc[row, "y"] = value
    return data


def numbers(table):
    """The values of a forecast, its bounds and its quantiles."""
    return table.loc[:, table.columns.str.startswith("LSTM")].to_numpy()


def limited(value, limits, rounded=round):
    """One value within limits, by Python's own arithmetic."""
    value = float(rounded(value)) if limits.get("integer") else value
    return min(max(value, limits.get("lower", -math.inf)), limits.get("upper", math.inf))


@pytest.fixture(scope="module")
def model():
    return Forecaster(**MODEL, **COUNTS).fit(counts("A", "B"))


# ------------------------------------------------------------------------------------------------------------- values

VALUES = np.array([-2.6, -0.4, 0.0, 0.5, 1.5, 1.500001, 3.2, 9.9])


@pytest.mark.parametrize("limits", [{}, {"lower": 0}, {"upper": 3}, {"lower": -1, "upper": 2}, COUNTS])
def test_values_are_rounded_and_clipped(limits):
    expected = [limited(value, limits) for value in VALUES.tolist()]
    np.testing.assert_array_equal(Limits(**limits).point(VALUES), expected)
    lower, upper = Limits(**limits).interval(VALUES - 0.3, VALUES + 0.3)
    np.testing.assert_array_equal(lower, [limited(value, limits, math.floor) for value in VALUES - 0.3])
    np.testing.assert_array_equal(upper, [limited(value, limits, math.ceil) for value in VALUES + 0.3])


def test_whole_numbers_stay_within_limits_that_are_not_whole():
    limits = Limits(0.5, 2.5, True)
    lower, upper = limits.interval(VALUES, VALUES)
    for values in (limits.point(VALUES), lower, upper):
        assert set(values) == {1.0, 2.0}


def test_rounding_errors_do_not_widen_intervals_of_whole_numbers():
    lower, upper = Limits(integer=True).interval(np.array([2 - 1e-14, -2 - 1e-14]), np.array([3 + 1e-14, 1e9 + 1e-6]))
    assert (lower.tolist(), upper.tolist()) == ([2, -2], [3, 1e9])


def test_zero_has_no_sign_and_missing_values_stay_missing():
    assert not np.signbit(Limits(integer=True).point(np.array([-0.3]))).any()
    assert np.isnan(Limits(**COUNTS).point(np.array([np.nan]))).all()


# ---------------------------------------------------------------------------------------------------------- forecasts


@pytest.mark.parametrize("limits", [{"lower": 0.3}, {"lower": 0, "upper": 1}, {"integer": True}, COUNTS])
def test_forecasts_equal_limited_forecasts_of_the_same_network(limits):
    data = counts("A", "B")
    if limits.get("upper") == 1 or "integer" not in limits:
        data["y"] = data["y"].clip(limits["lower"], limits.get("upper"))
    free, model = (Forecaster(**MODEL, **options).fit(data) for options in ({}, limits))
    expected = free.predict(9, level=())
    expected["LSTM"] = [limited(value, limits) for value in expected["LSTM"]]
    assert_same_table(model.predict(9, level=()), expected, exact=True)
    fitted = free.fitted()
    fitted["LSTM"] = [limited(value, limits) for value in fitted["LSTM"]]
    assert_same_table(model.fitted(), fitted, exact=True)
    table = numbers(model.predict(9, level=(50, 99), quantiles=(0.01, 0.7)))
    assert (table >= limits.get("lower", -np.inf)).all()
    assert (table <= limits.get("upper", np.inf)).all()
    if "integer" in limits:
        assert (table == np.rint(table)).all()


def test_some_forecasts_are_beyond_the_limits_without_them():
    free = numbers(Forecaster(**MODEL).fit(counts("A", "B")).predict(9))
    assert (free < 0).any()
    assert (free != np.rint(free)).all()


def test_intervals_are_calibrated_on_the_errors_of_limited_forecasts():
    limits = {"lower": 0, "integer": True}
    model = Forecaster(**MODEL, **limits).fit(counts())
    selection = model.state.selection
    mean, spread = selection.ensemble.validation_forecasts
    steps = mean.shape[1]
    dataset = selection.dataset(model.state.panel.series)
    cuts, _ = selection.configuration.validation_set(dataset).cutoffs()
    truth, calibration = dataset.after(cuts, steps), selection.delivered.calibration
    limited_mean = np.array([[limited(value, limits) for value in row] for row in mean])
    expected = selection.configuration.validation_set(dataset).calibration(cuts, truth - limited_mean, spread)
    np.testing.assert_allclose(calibration.distances, expected.distances, atol=1e-12)
    unlimited = selection.configuration.validation_set(dataset).calibration(cuts, truth - mean, spread)
    assert not np.allclose(unlimited.distances, expected.distances)


def test_a_limit_that_all_values_respect_lowers_the_validation_error():
    free, model = (
        Forecaster(**{**MODEL, "max_steps": 30}, **limits).fit(counts("A", "B")) for limits in ({}, {"lower": 0})
    )
    assert model.state.selection.delivered.error < free.state.selection.delivered.error


def test_sample_paths_are_whole_numbers_within_the_limits(model):
    paths, free = (m.sample(9, 50)["LSTM"] for m in (model, Forecaster(**MODEL).fit(counts("A", "B"))))
    assert set(paths) == {0.0, 1.0, 2.0, 3.0, 4.0}
    assert free.min() < 0
    assert model.sample(9, 50).equals(model.sample(9, 50))


def test_series_with_naive_forecasts_respect_the_limits_too():
    data = counts("A", "B", "C")
    data = changed(changed(data, 199, 7.5), 250, np.nan)
    model = Forecaster(**MODEL, **COUNTS).fit(data, on_bad="naive")
    table = model.predict(7, quantiles=(0.1, 0.5))
    b, c = (select_series(data, name)["y"].ffill().to_numpy() for name in "BC")
    np.testing.assert_array_equal(select_series(table, "B")["LSTM"], seasonal_naive(b, 7, 7).clip(0, 4))
    np.testing.assert_array_equal(select_series(table, "C")["LSTM"], seasonal_naive(c, 7, 7))
    assert table[table["unique_id"] != "A"].iloc[:, 3:].isna().all(axis=None)
    assert select_series(table, "A").notna().all(axis=None)


def test_a_panel_has_the_forecasts_of_its_series_alone(model):
    alone = model.predict(5, table=counts("A", "B").query("unique_id == 'B'"))
    together = select_series(model.predict(5), "B")
    np.testing.assert_array_equal(numbers(alone), numbers(together))


def test_polars_tables_have_the_same_limited_forecasts_and_quantiles(model):
    polars = pytest.importorskip("polars")
    table = Forecaster(**MODEL, **COUNTS).fit(polars.from_pandas(counts("A", "B"))).predict(5, quantiles=(0.1, 0.5))
    assert isinstance(table, polars.DataFrame)
    expected = model.predict(5, quantiles=(0.1, 0.5))
    assert table.columns == expected.columns.tolist()
    np.testing.assert_array_equal(table.select(expected.columns[2:].tolist()).to_numpy(), numbers(expected))


@pytest.mark.parametrize("limits", [COUNTS, {"lower": 0.0}])
def test_a_saved_forecaster_has_its_limits(limits, tmp_path):
    model = Forecaster(**MODEL, **limits).fit(counts("A", "B"))
    model.save(tmp_path / "m.safetensors")
    loaded = Forecaster.load(tmp_path / "m.safetensors")
    assert loaded.get_params() == model.get_params()
    assert loaded.predict(5, quantiles=(0.2,)).equals(model.predict(5, quantiles=(0.2,)))
    assert loaded.sample(5, 20).equals(model.sample(5, 20))
    assert loaded.fitted().equals(model.fitted())
    with pytest.raises(DataError, match=r"2024-04-11: -1 is below lower=0"):
        loaded.update(changed(counts("A", "B", n=102), 101, -1))


def test_an_update_keeps_the_limits(model, tmp_path):
    model.save(tmp_path / "m.safetensors")
    updated = Forecaster.load(tmp_path / "m.safetensors").update(counts("A", "B", n=110), max_steps=2)
    table = numbers(updated.predict(9, level=(50, 99)))
    assert set(table.ravel()) <= {0.0, 1.0, 2.0, 3.0, 4.0}


# ----------------------------------------------------------------------------------------------------------- backtest


def test_a_backtest_limits_the_model_and_the_baselines_alike():
    limits = {"lower": 0, "upper": 2, "integer": True}
    data = counts()
    data["y"] = data["y"].clip(upper=2)
    result = Forecaster(**MODEL, **limits).backtest(data, 7, windows=4, level=(50, 80))
    free = Forecaster(**MODEL).backtest(data, 7, windows=4, level=(50, 80))
    table = result.forecasts.iloc[:, 4:]
    assert set(table.to_numpy().ravel()) == {0.0, 1.0, 2.0}
    for name in ("Drift", "SeasonalNaive", "LSTM"):
        expected = [limited(value, limits) for value in free.forecasts[name]]
        np.testing.assert_array_equal(table[name], expected)
        error = np.abs(np.array(expected) - result.forecasts["y"]).mean()
        assert result.overall[name]["MAE"] == pytest.approx(error)
        assert {f"{name}-lo-80", f"{name}-hi-80"} <= set(table.columns)
    for level, coverage in result.coverage.items():
        inside = result.forecasts["y"].between(table[f"LSTM-lo-{level}"], table[f"LSTM-hi-{level}"])
        assert coverage == inside.mean()


def test_a_backtest_forecasts_as_a_model_fitted_before_its_window():
    data = counts("A", "B")
    result = Forecaster(**MODEL, **COUNTS).backtest(data, 6, windows=1, refit=True)
    past = data[data["ds"] < data["ds"].max() - pd.Timedelta(days=5)]
    expected = Forecaster(**MODEL, **COUNTS).fit(past).predict(6)
    actual = result.forecasts[expected.columns]
    np.testing.assert_array_equal(numbers(actual), numbers(expected))


# ---------------------------------------------------------------------------------------------------------- quantiles


@pytest.mark.parametrize("limits", [{}, COUNTS])
def test_quantiles_are_the_bounds_of_intervals(limits):
    model = Forecaster(**MODEL, **limits).fit(counts("A", "B"))
    table = model.predict(5, level=(95, 80), quantiles=(0.9, 0.5, 0.025, 0.1, 0.975))
    bounds = ["LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"]
    quantiles = ["LSTM-q-0.025", "LSTM-q-0.1", "LSTM-q-0.5", "LSTM-q-0.9", "LSTM-q-0.975"]
    assert table.columns.tolist() == ["unique_id", "ds", "LSTM", *bounds, *quantiles]
    for quantile, column in zip(
        quantiles, ["LSTM-lo-95", "LSTM-lo-80", "LSTM", "LSTM-hi-80", "LSTM-hi-95"], strict=True
    ):
        np.testing.assert_array_equal(table[quantile], table[column])
    alone = model.predict(5, level=(), quantiles=0.9)
    assert_same_table(alone, table[["unique_id", "ds", "LSTM", "LSTM-q-0.9"]], exact=True)
    assert_same_table(model.predict(5, level=(80, 95)), table.iloc[:, :7], exact=True)


@pytest.mark.parametrize("limits", [{}, {"lower": 0}, COUNTS])
def test_quantiles_increase_with_their_probability(limits):
    probabilities = [0.000001, *np.arange(1, 100) / 100, 0.999999]
    table = Forecaster(**MODEL, **limits).fit(counts()).predict(5, level=(), quantiles=probabilities)
    values = table.iloc[:, 3:].to_numpy()
    assert values.shape == (5, 101)
    assert (np.diff(values, axis=1) >= 0).all()
    assert np.isfinite(values).all()
    assert (values[:, 0] < values[:, -1]).all()


@pytest.mark.parametrize(
    ("quantiles", "message"),
    [
        (0, "a quantile is 0, expected a probability between 0 and 1, such as 0.9"),
        ((0.1, 1.0), "a quantile is 1.0, expected a probability between 0 and 1, such as 0.9"),
        ((0.5, np.nan), "a quantile is nan, expected a probability between 0 and 1, such as 0.9"),
        (("0.5",), "a quantile is '0.5', expected a probability between 0 and 1, such as 0.9"),
        ("0.5", "a quantile is '0.5', expected a probability between 0 and 1, such as 0.9"),
        ((True,), "a quantile is True, expected a probability between 0 and 1, such as 0.9"),
        (1 / 3, f"a quantile is {1 / 3}, expected a probability of at most six decimals, such as 0.975"),
    ],
)
def test_a_wrong_quantile_is_refused(model, quantiles, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        model.predict(3, quantiles=quantiles)


def test_a_quantile_is_given_once_and_may_be_absent(model):
    table = model.predict(3, level=(), quantiles=(0.1, np.float64(0.1), np.float32(0.1)))
    assert table.columns.tolist()[3:] == ["LSTM-q-0.1"]
    assert model.predict(3, quantiles=None).equals(model.predict(3, quantiles=()))


# ----------------------------------------------------------------------------------------------------------- refusals

REMEDY = "correct such values, use other limits, or on_bad='skip' or 'naive' (--on-bad naive)"


@pytest.mark.parametrize(
    ("limits", "value", "violation"),
    [
        ({"lower": 0}, -3, "-3 is below lower=0 (1 of 100 values)"),
        ({"lower": -1.5, "upper": 4}, 4.25, "4.25 is above upper=4 (1 of 100 values)"),
        ({"integer": True}, 2.5, "2.5 is not a whole number, but integer=True (1 of 100 values)"),
        (COUNTS, -0.5, "-0.5 is below lower=0 (1 of 100 values)"),
    ],
)
def test_impossible_values_are_refused(limits, value, violation):
    data, model = changed(counts("A", "B"), 130, value), Forecaster(**MODEL, **limits)
    message = re.escape(f"series 'B', 2024-01-31: {violation}; {REMEDY}")
    for use in (model.fit, lambda table: model.backtest(table, 3), lambda table: tune(model.get_params(), table, 0.1)):
        with pytest.raises(DataError, match=f"^{message}$"):
            use(data)


def test_impossible_values_of_later_tables_are_refused(model):
    before = model.predict(3)
    data = changed(counts("A", "B", n=105), 102, 1.5)
    message = f"series 'A', 2024-04-12: 1.5 is not a whole number, but integer=True (1 of 105 values); {REMEDY}"
    for use in (model.update, lambda table: model.predict(3, table=table), model.with_series):
        with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
            use(data)
    assert model.predict(3).equals(before)


@pytest.mark.parametrize("on_bad", ["skip", "naive"])
def test_series_with_impossible_values_are_excluded(on_bad):
    data = changed(changed(counts("A", "B"), 110, -1.0), 120, 5.5)
    model = Forecaster(**MODEL, **COUNTS).fit(data, on_bad=on_bad)
    assert model.excluded()["unique_id"].tolist() == ["B"]
    assert model.excluded()["reason"].tolist() == ["series 'B', 2024-01-11: -1 is below lower=0 (2 of 100 values)"]
    expected = Forecaster(**MODEL, **COUNTS).fit(counts("A")).predict(3)
    assert_same_table(select_series(model.predict(3), "A"), expected, exact=True)
    with pytest.raises(DataError, match=r"^series 'B', 2024-01-11: -1 is below"):
        Forecaster(**COUNTS).fit(data[data["unique_id"] == "B"], on_bad=on_bad)


def test_values_at_the_limits_and_filled_values_are_accepted():
    data = changed(counts(), [10, 11, 12], [0, np.nan, 1])  # filled with 0.5
    model = Forecaster(**MODEL, **COUNTS).fit(data, fill="interpolate")
    assert 0.5 in model.state.panel.series[0].y
    assert data["y"].min() == 0
    assert data["y"].max() == 4


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"lower": "0"}, "lower is '0', expected a number from -1e+100 to 1e+100, or None for no limit"),
        ({"upper": float("nan")}, "upper is nan, expected a number from -1e+100 to 1e+100, or None for no limit"),
        ({"upper": float("inf")}, "upper is inf, expected a number from -1e+100 to 1e+100, or None for no limit"),
        ({"lower": True}, "lower is True, expected a number from -1e+100 to 1e+100, or None for no limit"),
        ({"lower": [0, 1]}, "lower is [0, 1], expected a number from -1e+100 to 1e+100, or None for no limit"),
        ({"lower": 10**400}, f"lower is {10**400}, expected a number from -1e+100 to 1e+100, or None for no limit"),
        ({"lower": 1, "upper": 1}, "lower is 1, expected a number below upper, which is 1"),
        ({"lower": 1.5, "upper": -2}, "lower is 1.5, expected a number below upper, which is -2"),
        ({"integer": 1}, "integer is 1, expected True or False"),
        ({"integer": None}, "integer is None, expected True or False"),
        (
            {"lower": 0.2, "upper": 0.8, "integer": True},
            "there is no whole number between lower, 0.2, and upper, 0.8, as integer=True needs; widen the limits",
        ),
    ],
)
def test_wrong_limits_are_refused(limits, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Forecaster(**limits)


def test_limits_may_be_numpy_numbers():
    limits = {"lower": np.float32(0), "upper": np.int8(4), "integer": np.bool_(True)}
    table = Forecaster(**MODEL, **limits).fit(counts("A", "B")).predict(5)
    assert_same_table(table, Forecaster(**MODEL, **COUNTS).fit(counts("A", "B")).predict(5), exact=True)
