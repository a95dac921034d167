"""The forecaster as one of sktime's: its own conformance tests, and that nothing is lost or shifted on the way."""

import inspect
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, Forecaster, datasets

pytest.importorskip("sktime")

from sktime.utils.estimator_checks import check_estimator

from gatewise.sktime import GatewiseForecaster

QUICK = GatewiseForecaster.get_test_params()[0]
SLOWEST = [  # mostly for their dozens of combinations
    "test_doctest_examples",
    "test_predict_interval",
    "test_predict_quantiles",
    "test_predict_time_index",
    "test_predict_time_index_with_X",
    "test_update_predict_predicted_index",
    "test_hierarchical_with_exogenous",
]


def passengers() -> pd.Series:
    return datasets.air_passengers().set_index("ds")["y"].to_period("M")


def series(index: pd.Index) -> pd.Series:
    return pd.Series(np.random.default_rng(0).normal(size=len(index)).cumsum(), index)


def forecast(y: pd.Series, steps: int) -> np.ndarray:
    return Forecaster(**QUICK).fit(y).predict(steps, level=())["LSTM"].to_numpy()


# ------------------------------------------------------------------------------------------------ sktime's tests


def test_sktime_accepts_it():
    check_estimator(GatewiseForecaster, raise_exceptions=True, verbose=False, tests_to_exclude=SLOWEST)


@pytest.mark.slow
def test_sktime_accepts_it_with_every_index_and_horizon():
    check_estimator(GatewiseForecaster, raise_exceptions=True, verbose=False, tests_to_run=SLOWEST)


def test_arguments_are_those_of_the_forecaster():
    assert inspect.signature(GatewiseForecaster).parameters == inspect.signature(Forecaster).parameters
    assert GatewiseForecaster().get_params() == Forecaster().get_params()
    assert GatewiseForecaster("gru", 8).get_params() == Forecaster("gru", 8).get_params()
    with pytest.raises(TypeError, match="cells"):
        GatewiseForecaster(cells="gru")
    with pytest.raises(ValueError, match="cell is 'lstn'"):
        GatewiseForecaster(cell="lstn").fit(passengers())


# ------------------------------------------------------------------------------------------------------- values


def test_forecasts_are_those_of_the_forecaster():
    y = passengers()
    found = GatewiseForecaster(**QUICK).fit(y).predict(fh=[1, 5, 12])
    assert found.index.astype(str).tolist() == ["1961-01", "1961-05", "1961-12"]
    assert found.tolist() == forecast(y, 12)[[0, 4, 11]].tolist()


def test_the_past_is_one_step_ahead_and_unknown_before_the_first_context():
    y = passengers()
    model = GatewiseForecaster(**QUICK).fit(y)
    fitted = model.forecaster_.fitted()
    found = model.predict(fh=y.index)
    assert found.isna().sum() == len(y) - len(fitted) > 0
    assert found.dropna().index.to_timestamp().tolist() == fitted["ds"].tolist()
    assert found.dropna().tolist() == fitted["LSTM"].tolist()
    both = model.predict(fh=[0, 1])
    assert both.tolist() == [fitted["LSTM"].iloc[-1], forecast(y, 1)[0]]


def test_intervals_are_those_of_the_forecaster():
    y = passengers()
    model = GatewiseForecaster(**QUICK).fit(y)
    found = model.predict_interval(fh=[2, 3], coverage=[0.9, 0.29])
    expected = model.forecaster_.predict(3, level=(29, 90)).iloc[1:]
    for coverage, level in ((0.9, 90), (0.29, 29)):
        assert found["y", coverage, "lower"].tolist() == expected[f"LSTM-lo-{level}"].tolist()
        assert found["y", coverage, "upper"].tolist() == expected[f"LSTM-hi-{level}"].tolist()


def test_quantiles_are_the_ends_of_intervals_and_the_median_is_the_forecast():
    model = GatewiseForecaster(**QUICK).fit(passengers())
    found = model.predict_quantiles(fh=[1, 2], alpha=[0.1, 0.5, 0.9])["y"]
    expected = model.forecaster_.predict(2, level=80)
    assert found[0.1].tolist() == expected["LSTM-lo-80"].tolist()
    assert found[0.5].tolist() == expected["LSTM"].tolist()
    assert found[0.9].tolist() == expected["LSTM-hi-80"].tolist()


# ------------------------------------------------------------------------------------------------------- updates


def test_an_update_of_the_end_alone_keeps_the_networks():
    y = passengers()
    model = GatewiseForecaster(**QUICK).fit(y[:-12])
    kept = Forecaster(**QUICK).fit(y[:-12])
    model.update(y[-12:-5], update_params=False)
    found = model.update(y[-5:], update_params=False).predict(fh=[1, 2])
    assert found.tolist() == kept.update(y).predict(2, level=())["LSTM"].tolist()
    assert found.index[0] == pd.Period("1961-01", "M")


def test_an_update_of_the_parameters_trains_afresh():
    y = passengers()
    found = GatewiseForecaster(**QUICK).fit(y[:-12]).update(y[-12:]).predict(fh=[1, 2])
    assert found.tolist() == forecast(y, 2).tolist()


def test_an_update_corrects_values_and_what_follows_it_is_not_known():
    y = passengers()
    corrected = y.copy()
    corrected.iloc[90:100] += 10
    found = GatewiseForecaster(**QUICK).fit(y).update(corrected[90:100]).predict(fh=[1])
    assert found.index[0] == y.index[100]
    assert found.tolist() == forecast(corrected[:100], 1).tolist()


# ------------------------------------------------------------------------------------------------------- calendars


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5, 45),
        pd.Index(range(40)),
        *(pd.date_range("2020-01-01", periods=40, freq=freq) for freq in ("ME", "QS", "B", "W-WED", "2h")),
        pd.DatetimeIndex(pd.date_range("2020-01-01", periods=40, freq="MS").to_numpy()),  # without a frequency
        *(pd.period_range("2020-01-01", periods=40, freq=freq) for freq in ("W-SUN", "Q", "Y", "h")),
    ],
    ids=lambda index: f"{type(index).__name__}-{getattr(index, 'freqstr', '')}",
)
@pytest.mark.parametrize("update", [False, True])
def test_dates_of_sktime_are_dates_of_the_forecaster(index, update):
    y = series(index)
    model = GatewiseForecaster(**QUICK).fit(y[:-8])
    if update:
        model.update(y[-8:-4], update_params=False)
    found = model.predict(fh=[1, 2, 3])
    expected = model.forecaster_.predict(3, level=())
    dates = found.index.to_timestamp() if isinstance(index, pd.PeriodIndex) else found.index
    assert dates.tolist() == expected["ds"].tolist()
    assert found.index.tolist() == (index[-4:-1] if update else index[-8:-5]).tolist()


def test_whole_numbers_in_wide_steps_are_refused():
    with pytest.raises(ValueError, match="from 0 to 58 in 30 values, expected steps of 1"):
        GatewiseForecaster(**QUICK).fit(series(pd.RangeIndex(0, 60, 2)))


def test_missing_dates_are_refused_and_named():
    y = series(pd.date_range("2020-01-01", periods=40, freq="D"))
    with pytest.raises(DataError, match="2020-01-13"):
        GatewiseForecaster(**QUICK).fit(y.drop(y.index[12]))


# -------------------------------------------------------------------------------------------------------- house


def test_sktime_is_imported_only_where_it_is_asked_for():
    code = "import sys, gatewise; gatewise.Forecaster, gatewise.plot; assert 'sktime' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
