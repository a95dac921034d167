"""The sktime adapter: sktime's conformance tests, and the same values as the forecaster."""

import inspect
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, Forecaster

pytest.importorskip("sktime")

from sktime.utils.estimator_checks import check_estimator

from gatewise.sktime import GatewiseForecaster
from tests.sktime_series import QUICK, forecast, long, passengers, series, several

# pandas 3.1 announces a new type of the frequencies that sktime 1.2 reads.
pytestmark = pytest.mark.filterwarnings("ignore:A future version of pandas will return a BaseOffset")

SLOWEST = [  # mostly because of their many combinations
    "test_doctest_examples",
    "test_predict_interval",
    "test_predict_quantiles",
    "test_predict_time_index",
    "test_predict_time_index_with_X",
    "test_update_predict_predicted_index",
    "test_hierarchical_with_exogenous",
]


# ------------------------------------------------------------------------------------------------ sktime's tests


@pytest.mark.filterwarnings("ignore:Forecasters' predict_proba requires skpro")
def test_the_adapter_passes_the_checks_of_sktime():
    check_estimator(GatewiseForecaster, raise_exceptions=True, verbose=False, tests_to_exclude=SLOWEST)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Forecasters' predict_proba requires skpro")
def test_the_adapter_passes_the_checks_with_every_index_and_horizon():
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
    result = GatewiseForecaster(**QUICK).fit(y).predict(fh=[1, 5, 12])
    assert result.index.astype(str).tolist() == ["1961-01", "1961-05", "1961-12"]
    assert result.tolist() == forecast(y, 12)[[0, 4, 11]].tolist()


def test_the_past_is_one_step_ahead_and_unknown_before_the_first_context():
    y = passengers()
    model = GatewiseForecaster(**QUICK).fit(y)
    fitted = model.forecaster_.fitted()
    result = model.predict(fh=y.index)
    assert result.isna().sum() == len(y) - len(fitted) > 0
    assert result.dropna().index.to_timestamp().tolist() == fitted["ds"].tolist()
    assert result.dropna().tolist() == fitted["LSTM"].tolist()
    forecasts = model.predict(fh=[0, 1])
    assert forecasts.tolist() == [fitted["LSTM"].iloc[-1], forecast(y, 1)[0]]


def test_intervals_are_those_of_the_forecaster():
    y = passengers()
    model = GatewiseForecaster(**QUICK).fit(y)
    result = model.predict_interval(fh=[2, 3], coverage=[0.9, 0.29])
    expected = model.forecaster_.predict(3, level=(29, 90)).iloc[1:]
    for coverage, level in ((0.9, 90), (0.29, 29)):
        assert result["y", coverage, "lower"].tolist() == expected[f"LSTM-lo-{level}"].tolist()
        assert result["y", coverage, "upper"].tolist() == expected[f"LSTM-hi-{level}"].tolist()


def test_quantiles_are_the_ends_of_intervals_and_the_median_is_the_forecast():
    model = GatewiseForecaster(**QUICK).fit(passengers())
    result = model.predict_quantiles(fh=[1, 2], alpha=[0.1, 0.5, 0.9])["y"]
    expected = model.forecaster_.predict(2, level=80)
    assert result[0.1].tolist() == expected["LSTM-lo-80"].tolist()
    assert result[0.5].tolist() == expected["LSTM"].tolist()
    assert result[0.9].tolist() == expected["LSTM-hi-80"].tolist()


# ------------------------------------------------------------------------------------------------------- updates


def test_an_update_of_the_end_alone_keeps_the_networks():
    y = passengers()
    model = GatewiseForecaster(**QUICK).fit(y[:-12])
    forecaster = Forecaster(**QUICK).fit(y[:-12])
    model.update(y[-12:-5], update_params=False)
    result = model.update(y[-5:], update_params=False).predict(fh=[1, 2])
    assert result.tolist() == forecaster.update(y).predict(2, level=())["LSTM"].tolist()
    assert result.index[0] == pd.Period("1961-01", "M")


def test_an_update_of_the_parameters_trains_from_scratch():
    y = passengers()
    result = GatewiseForecaster(**QUICK).fit(y[:-12]).update(y[-12:]).predict(fh=[1, 2])
    assert result.tolist() == forecast(y, 2).tolist()


def test_an_update_replaces_values_and_drops_later_ones():
    y = passengers()
    corrected = y.copy()
    corrected.iloc[90:100] += 10
    result = GatewiseForecaster(**QUICK).fit(y).update(corrected[90:100]).predict(fh=[1])
    assert result.index[0] == y.index[100]
    assert result.tolist() == forecast(corrected[:100], 1).tolist()


def test_an_update_of_a_series_may_have_another_name():
    y = passengers()
    model = GatewiseForecaster(**QUICK).fit(y[:-12]).update(y[-12:].rename("other"), update_params=False)
    assert model.predict(fh=[1]).index[0] == pd.Period("1961-01", "M")


# ---------------------------------------------------------------------------------------------------- many series


def test_a_panel_is_the_series_of_one_model():
    y = several(40, 40, 40, columns=("y", "z"))
    expected = Forecaster(**QUICK).fit(long(y)).predict(3, level=(80,)).set_index("unique_id")
    model = GatewiseForecaster(**QUICK).fit(y)
    result, bounds = model.predict(fh=[1, 3]), model.predict_interval(fh=[1, 3], coverage=[0.8])
    assert model.forecaster_.predict(3, level=(80,)).set_index("unique_id").equals(expected)
    assert result.index.names == ["shop", "day"]
    assert result.columns.tolist() == ["y", "z"]
    for shop in "abc":
        for column in "yz":
            rows = expected.loc[f"{shop}/{column}"].iloc[[0, 2]]
            assert result.loc[shop].index.tolist() == rows["ds"].tolist()
            assert result.loc[shop, column].tolist() == rows["LSTM"].tolist()
            assert bounds.loc[shop, (column, 0.8, "lower")].tolist() == rows["LSTM-lo-80"].tolist()
            assert bounds.loc[shop, (column, 0.8, "upper")].tolist() == rows["LSTM-hi-80"].tolist()


def test_columns_are_the_series_of_one_model():
    y = several(40, columns=("y", "z")).droplevel(0)
    wide = y.reset_index(names="ds")
    expected = Forecaster(**QUICK).fit(wide, layout="columns").predict(2, level=()).set_index("unique_id")["LSTM"]
    result = GatewiseForecaster(**QUICK).fit(y).predict(fh=[1, 2])
    assert result["y"].tolist() == expected["y"].tolist()
    assert result["z"].tolist() == expected["z"].tolist()
    assert result.index.tolist() == list(pd.date_range("2020-02-10", periods=2))


def test_a_hierarchy_keeps_its_levels():
    y = pd.concat({"north": several(40, 40), "south": several(40) + 1.0}, names=["region"])
    result = GatewiseForecaster(**QUICK).fit(y).predict(fh=[2])
    assert result.index.names == ["region", "shop", "day"]
    assert result.index.tolist() == [(*key, pd.Timestamp("2020-02-11")) for key in y.index.droplevel(-1).unique()]


def test_horizons_count_from_the_end_of_each_series():
    y = several(40, 36)
    model = GatewiseForecaster(**QUICK).fit(y)
    ahead = model.forecaster_.predict(6, level=()).set_index("unique_id")["LSTM"]
    relative = model.predict(fh=[1])
    assert relative.index.tolist() == [("a", pd.Timestamp("2020-02-10")), ("b", pd.Timestamp("2020-02-06"))]
    dates = pd.DatetimeIndex(["2020-02-10", "2020-02-11"])
    absolute = GatewiseForecaster(**QUICK).fit(y).predict(fh=dates)
    assert absolute.index.tolist() == [(shop, date) for shop in "ab" for date in dates]
    assert absolute.loc["a", "y"].tolist() == ahead["a"].tolist()[:2]
    assert absolute.loc["b", "y"].tolist() == ahead["b"].tolist()[4:]
    assert relative["y"].tolist() == [ahead["a"].iloc[0], ahead["b"].iloc[0]]


def test_the_past_of_a_panel_is_one_step_ahead():
    y = several(40, 36)
    model = GatewiseForecaster(**QUICK).fit(y)
    result = model.predict(fh=[-38, -35, 0, 1])["y"]
    fitted = model.forecaster_.fitted().set_index("unique_id")["LSTM"]
    for shop in "ab":
        assert result[shop].iloc[2] == fitted[shop].iloc[-1]
        assert result[shop].isna().tolist() == [True, shop == "b", False, False]


@pytest.mark.parametrize("freq", ["ME", "MS", "QS", "B", "W-WED", "2h"])
def test_dates_of_panels_are_on_their_calendar(freq):
    dates = pd.date_range("2020-01-01", periods=43, freq=freq)
    y = pd.concat({"a": series(dates[:40]), "b": series(dates[:38])}).to_frame("y")
    result = GatewiseForecaster(**QUICK).fit(y).predict(fh=[1, 3])
    assert result.index.get_level_values(-1).tolist() == dates[[40, 42, 38, 40]].tolist()


@pytest.mark.parametrize("update_params", [False, True])
def test_an_update_of_a_panel_changes_only_the_updated_series(update_params):
    y = several(40, 40)
    newer = y.loc[["b"]].tail(4)
    old = y.drop(newer.index)
    model = GatewiseForecaster(**QUICK).fit(old).update(newer, update_params=update_params)
    expected = Forecaster(**QUICK).fit(long(y if update_params else old))
    ahead = (expected if update_params else expected.update(long(y))).predict(1, level=())
    result = model.predict(fh=[1])
    assert result["y"].tolist() == ahead["LSTM"].tolist()
    assert result.index.get_level_values(-1).tolist() == [pd.Timestamp("2020-02-10")] * 2


def test_pretrained_networks_forecast_unseen_series():
    y, other = several(40, 40), 3 * several(30, 30, 30).loc["c"]
    forecaster = Forecaster(**QUICK, horizon=2).fit(long(y))
    model = GatewiseForecaster(**QUICK).pretrain(y, fh=[1, 2]).fit(other)
    expected = forecaster.predict(2, level=(), table=long(other.assign(shop="c").set_index("shop", append=True)))
    assert model.predict(fh=[1, 2])["y"].tolist() == expected["LSTM"].tolist()
    newer = other.tail(1).shift(freq="D")
    expected = forecaster.predict(1, level=(), table=pd.concat([other, newer]))
    assert model.update(newer).predict(fh=[1, 2])["y"].iloc[0] == expected["LSTM"].iloc[0]


def test_pretraining_continues_with_other_series():
    y, other = several(40, 40), several(40, 40) * 2
    once = GatewiseForecaster(**QUICK).pretrain(y).pretrain(other)
    forecaster = Forecaster(**QUICK).fit(long(y))
    expected = forecaster.update(long(other), max_steps=1).predict(1, level=())
    assert once.fit(other).predict(fh=[1])["y"].tolist() == pytest.approx(expected["LSTM"].tolist(), rel=1e-3)
    assert once.predict(fh=[1])["y"].tolist() != GatewiseForecaster(**QUICK).fit(other).predict(fh=[1])["y"].tolist()


def test_two_series_of_one_name_are_refused():
    y = several(40).loc["a"]
    duplicates = pd.concat({("x/y", "z"): y, ("x", "y/z"): y}, names=["one", "two"])
    with pytest.raises(DataError, match="two series of y have the same name 'x/y/z' as text"):
        GatewiseForecaster(**QUICK).fit(duplicates)


def test_the_horizon_of_fit_is_that_of_the_network():
    y = several(40, 36)
    assert GatewiseForecaster(**QUICK).fit(y).forecaster_.horizon is None
    assert GatewiseForecaster(**QUICK).fit(y, fh=[2, 5]).forecaster_.horizon == 5
    assert GatewiseForecaster(**QUICK).fit(y, fh=[0]).forecaster_.horizon is None
    assert GatewiseForecaster(**QUICK, horizon=3).fit(y, fh=[5]).forecaster_.horizon == 3
    dates = pd.DatetimeIndex(["2020-02-10", "2020-02-11"])  # six steps after the end of the second
    model = GatewiseForecaster(**QUICK).fit(y, fh=dates)
    assert model.forecaster_.horizon == 6
    assert model.update(several(41, 40), update_params=True).forecaster_.horizon == 6


# -------------------------------------------------------------------------------------------------------- packaging


def test_sktime_is_imported_only_by_the_adapter():
    code = "import sys, gatewise; gatewise.Forecaster, gatewise.plot; assert 'sktime' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_panels_become_sequences_of_the_classifier():
    """sktime converts the arrays of the classifier to a panel and back."""
    from sktime.datatypes import convert_to

    sequences = np.random.default_rng(0).normal(size=(5, 7, 2))
    panel = convert_to(sequences.transpose(0, 2, 1), "pd-multiindex", as_scitype="Panel")
    assert np.array_equal([table.to_numpy() for _, table in panel.groupby(level=0, sort=False)], sequences)
    assert np.array_equal(convert_to(panel, "numpy3D", as_scitype="Panel").transpose(0, 2, 1), sequences)
