"""Forecasts of series whose missing values stay missing (fill="none")."""

import copy

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, Forecaster, read
from gatewise.forecast import baselines
from gatewise.persistence import file as file_format
from gatewise.persistence.file import FormatError
from tests.waves import STRATEGY_NAMES, noisy, series, table

QUICK = {"hidden_size": 6, "max_steps": 10, "ensemble_size": 1, "horizon": 4, "dropout": 0.0, "fallback": "none"}
GAPS = np.random.default_rng(2).random(90) < 0.2
GAPS[[0, 88]], GAPS[40:52], GAPS[89] = False, True, True


def gappy(start=0, end=90):
    """A weekly pattern with missing values, and a missing row."""
    return table(np.where(GAPS, np.nan, noisy(90, 7)), freq="D").drop(index=45).loc[start : end - 1]


def whole():
    return table(noisy(90, 7), freq="D")


@pytest.fixture(scope="module", params=STRATEGY_NAMES)
def model(request):
    return Forecaster(**QUICK, strategy=request.param).fit(gappy(), fill="none")


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_a_table_without_gaps_is_forecast_the_same(strategy):
    plain, other = (Forecaster(**QUICK, strategy=strategy).fit(whole(), **fill) for fill in ({}, {"fill": "none"}))
    pd.testing.assert_frame_equal(plain.predict(9), other.predict(9), check_exact=True)
    assert not other.state.selection.ensemble.scaling.masked


def test_forecasts_start_after_the_last_date_though_its_value_is_missing(model):
    forecasts = model.predict(9)
    assert forecasts["ds"].tolist() == pd.date_range("2000-03-31", periods=9).tolist()
    assert np.isfinite(forecasts.drop(columns=["unique_id", "ds"])).all(axis=None)


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_a_backtest_does_not_see_what_it_forecasts(strategy, refit):
    forecaster = Forecaster(**QUICK, strategy=strategy)
    data, changed = gappy(), gappy()
    changed.loc[changed.index[-4:], "y"] *= 3
    first, other = (forecaster.backtest(x, 4, windows=2, refit=refit, fill="none").forecasts for x in (data, changed))
    columns = ["LSTM", "LSTM-lo-80", "LSTM-hi-95", "Naive", "SeasonalNaive", "Ridge"]
    pd.testing.assert_frame_equal(first[columns], other[columns], check_exact=True)
    assert first["y"].isna().tolist() == GAPS[-8:].tolist()


def test_scores_count_observed_values():
    result = Forecaster(**QUICK, strategy="segment").backtest(gappy(), 8, windows=1, fill="none")
    known = result.forecasts[~GAPS[-8:]]
    error = (known["y"] - known["LSTM"]).abs()
    assert result.overall["LSTM"]["MAE"] == pytest.approx(error.mean())
    assert f"Coverage over {(~GAPS[-8:]).sum()} values: " in result.verdict


def test_a_window_without_an_observed_value_is_refused():
    data = table(np.where(np.arange(90) >= 85, np.nan, noisy(90, 7)), freq="D")
    with pytest.raises(DataError, match=r"the 4 steps after 2000-03-26 .* hold no observed value, only missing ones"):
        Forecaster(**QUICK).backtest(data, 4, windows=1, fill="none")
    data = table(np.where(np.arange(90) >= 70, np.nan, noisy(90, 7)), freq="D")
    with pytest.raises(DataError, match="the last 20% of the series holds only missing values; increase validation_f"):
        Forecaster(**QUICK, strategy="segment").fit(data, fill="none")


def test_the_seasonal_naive_forecast_repeats_the_last_observed_value_of_each_phase():
    y, missing = noisy(90, 7), GAPS.copy()
    one_series = series(np.where(missing, 1e9, y), filled=missing, masked=True)
    cuts = np.arange(20, 91)
    forecasts = baselines.forecasts([one_series], 0 * cuts, cuts, 3, 7, names=("SeasonalNaive",))["SeasonalNaive"]
    for cut, forecast in zip(cuts.tolist(), forecasts, strict=True):
        for step, value in enumerate(forecast):
            past = [y[t] for t in range(cut + step - 7, -1, -7) if not missing[t]]
            assert value == past[0]


def test_no_output_shows_a_value_that_is_missing(model):
    fitted = model.fitted()
    assert fitted["y"].isna().tolist() == GAPS[-len(fitted) :].tolist()
    np.testing.assert_array_equal(model.state.panel.frame()["y"], np.where(GAPS, np.nan, noisy(90, 7)))


def test_no_figure_shows_a_value_that_is_missing(model):
    pytest.importorskip("matplotlib")
    for kind in ("forecast", "series", "approximation"):
        data = model.plot(kind=kind).lines[0].get_ydata()
        assert np.isnan(data).tolist() == GAPS[-len(data) :].tolist(), kind
    isolated = [k for k in range(1, 89) if not GAPS[k] and GAPS[k - 1] and GAPS[k + 1]]
    line = model.plot(kind="series").lines[0]
    assert set(isolated) <= set(line.get_markevery())
    assert model.plot(kind="series").get_title(loc="left") == f"A, {(~GAPS).sum()} observations"
    drawn = [np.isnan(line.get_ydata()).sum() for line in model.plot(kind="residuals").axes[0].lines]
    assert max(drawn) == GAPS[-len(model.fitted()) :].sum()
    result = Forecaster(**QUICK).backtest(gappy(), 4, windows=2, fill="none", refit=False)
    data = result.plot().lines[0].get_ydata()
    assert np.isnan(data).tolist() == GAPS[-len(data) :].tolist()


# -------------------------------------------------------------------------------------------- other and newer tables


def test_a_model_with_a_mask_forecasts_tables_with_and_without_gaps(model):
    assert np.isfinite(model.predict(4, table=whole())["LSTM"]).all()
    pd.testing.assert_frame_equal(model.predict(4, table=gappy()), model.predict(4), check_exact=True)
    other = model.with_series(whole())
    assert np.isfinite(other.predict(4, table=gappy())["LSTM"]).all()
    with pytest.raises(DataError) as refusal:
        model.predict(4, table=filled())
    assert str(refusal.value) == (
        f"series 'A': the value at {first_gap()} is filled, but the network was trained on series whose missing values "
        'stay missing; read the table with fill="none" (--fill none)'
    )


def filled():
    return read(gappy(end=89), fill="previous")


def first_gap():
    return f"{pd.Timestamp('2000-01-01') + pd.Timedelta(days=int(GAPS.argmax())):%Y-%m-%d}"


def test_a_model_without_a_mask_refuses_missing_values():
    model = Forecaster(**QUICK).fit(whole(), fill="none")
    with pytest.raises(DataError) as refusal:
        model.predict(4, table=gappy())
    assert str(refusal.value) == (
        f"series 'A': the value at {first_gap()} is missing, "
        "but the network was trained on series without missing values and reads no mask; "
        'read the table with fill="previous" (--fill previous), or train on a table with missing values and fill="none"'
    )
    assert np.isfinite(model.predict(4, table=filled())["LSTM"]).all()
    assert np.isfinite(model.update(whole().tail(3), fill="previous").predict(4)["LSTM"]).all()


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_newer_values_with_gaps_extend_the_series(strategy):
    model = Forecaster(**QUICK, strategy=strategy).fit(gappy(end=80), fill="none")
    model.update(gappy(70))
    np.testing.assert_array_equal(model.state.panel.frame()["y"], np.where(GAPS, np.nan, noisy(90, 7)))
    expected = (
        Forecaster(**QUICK, strategy=strategy).fit(gappy(end=80), fill="none").predict(4, table=gappy(), level=())
    )
    pd.testing.assert_frame_equal(model.predict(4, level=()), expected, check_exact=True)


def test_series_with_and_without_gaps_share_a_model():
    data = pd.concat([gappy(), whole().assign(unique_id="B")])
    model = Forecaster(**QUICK).fit(data, fill="none")
    assert [one_series.masked for one_series in model.state.panel.series] == [True, False]
    assert np.isfinite(model.predict(9)["LSTM"]).all()


# ---------------------------------------------------------------------------------------------------------- files


def test_a_saved_model_keeps_what_is_missing(model, tmp_path):
    model.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.predict(9), model.predict(9), check_exact=True)
    pd.testing.assert_frame_equal(loaded.state.panel.frame(), model.state.panel.frame(), check_exact=True)
    assert loaded.state.panel.fill == "none"
    pd.testing.assert_frame_equal(loaded.predict(4, table=gappy()), model.predict(4), check_exact=True)


def test_invalid_masks_in_files_are_refused(model, tmp_path):
    model.save(tmp_path / "model")
    content, arrays = file_format.load(tmp_path / "model", "Forecaster", {})
    changes = {
        "fill is 'mean'": lambda content, arrays: content["panel"].update(fill="mean"),
        "fill is 3": lambda content, arrays: content["panel"].update(fill=3),
        "masked is 1": lambda content, arrays: content["scaling"].update(masked=1),
        "has shape": lambda content, arrays: content["scaling"].update(masked=False),
        "array 'masked' is": lambda content, arrays: arrays.update(masked=np.array([1])),
        "expected bool of shape (1,)": lambda content, arrays: arrays.update(masked=np.array([True, False])),
    }
    for message, change in changes.items():
        new_content, new_arrays = copy.deepcopy(content), dict(arrays)
        change(new_content, new_arrays)
        file_format.save(tmp_path / "hostile", "Forecaster", new_content, new_arrays)
        with pytest.raises(FormatError) as refusal:
            Forecaster.load(tmp_path / "hostile")
        assert message in str(refusal.value)


def test_intervals_after_missing_values_are_as_wide_as_so_many_steps_ahead():
    y = np.cumsum(np.random.default_rng(0).normal(size=300))
    gap = np.where(np.arange(300) >= 280, np.nan, y)
    model = Forecaster(**QUICK, season=1, strategy="one-step").fit(gap, fill="none")
    state = model.state
    dataset = state.selection.dataset(state.panel.series)
    _, spread = state.selection.forecast(dataset, dataset.ends, 5)
    _, plain = state.selection.ensemble.extrapolate(dataset, dataset.ends, 5)
    grown = state.selection.delivered.calibration._grow(np.ones((1, 25)))[0]
    assert grown[24] > 1.5 * grown[4]
    np.testing.assert_allclose(spread[0] / plain[0], grown[20:] / grown[:5])


def test_an_update_may_start_with_missing_values():
    generator = np.random.default_rng(0)
    data = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=120), "y": generator.normal(size=120)})
    data.loc[[50, 100, 101, 102], "y"] = np.nan
    model = Forecaster(**QUICK, season=7).fit(data[:100], fill="none").update(data[100:])
    whole = model.state.panel.frame()["y"].to_numpy()
    np.testing.assert_array_equal(whole, data["y"])
