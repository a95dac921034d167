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

# sktime 1.2 asks pandas for frequencies, of which pandas 3.1 announces another type.
pytestmark = pytest.mark.filterwarnings("ignore:A future version of pandas will return a BaseOffset")

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


@pytest.mark.filterwarnings("ignore:Forecasters' predict_proba requires skpro")
def test_sktime_accepts_it():
    check_estimator(GatewiseForecaster, raise_exceptions=True, verbose=False, tests_to_exclude=SLOWEST)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Forecasters' predict_proba requires skpro")
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


# ------------------------------------------------------------------------------------------------------- max_steps


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


def test_an_update_of_a_series_may_have_another_name():
    y = passengers()
    model = GatewiseForecaster(**QUICK).fit(y[:-12]).update(y[-12:].rename("other"), update_params=False)
    assert model.predict(fh=[1]).index[0] == pd.Period("1961-01", "M")


# ---------------------------------------------------------------------------------------------------- many series


def several(*lengths: int, columns: tuple[str, ...] = ("y",)) -> pd.DataFrame:
    """A panel of daily series, which begin together."""
    dates = pd.date_range("2020-01-01", periods=max(lengths), freq="D")
    rows = [(f"{name}", date) for name, length in zip("abc", lengths, strict=False) for date in dates[:length]]
    values = np.random.default_rng(0).normal(size=(len(rows), len(columns))).cumsum(axis=0)
    return pd.DataFrame(values, pd.MultiIndex.from_tuples(rows, names=["shop", "day"]), list(columns))


def long(y: pd.DataFrame) -> pd.DataFrame:
    """The columns and instances of a panel as Gatewise has many series."""
    columns = [y[column].rename("y").reset_index().assign(column=column) for column in y.columns]
    table = pd.concat(columns, ignore_index=True).rename(columns={"day": "ds"})
    return table.assign(unique_id=table["shop"] + "/" + table["column"])[["unique_id", "ds", "y"]]


def test_a_panel_is_the_series_of_one_model():
    y = several(40, 40, 40, columns=("y", "z"))
    expected = Forecaster(**QUICK).fit(long(y)).predict(3, level=(80,)).set_index("unique_id")
    model = GatewiseForecaster(**QUICK).fit(y)
    found, bounds = model.predict(fh=[1, 3]), model.predict_interval(fh=[1, 3], coverage=[0.8])
    assert model.forecaster_.predict(3, level=(80,)).set_index("unique_id").equals(expected)
    assert found.index.names == ["shop", "day"]
    assert found.columns.tolist() == ["y", "z"]
    for shop in "abc":
        for column in "yz":
            of = expected.loc[f"{shop}/{column}"].iloc[[0, 2]]
            assert found.loc[shop].index.tolist() == of["ds"].tolist()
            assert found.loc[shop, column].tolist() == of["LSTM"].tolist()
            assert bounds.loc[shop, (column, 0.8, "lower")].tolist() == of["LSTM-lo-80"].tolist()
            assert bounds.loc[shop, (column, 0.8, "upper")].tolist() == of["LSTM-hi-80"].tolist()


def test_columns_are_the_series_of_one_model():
    y = several(40, columns=("y", "z")).droplevel(0)
    wide = y.reset_index(names="ds")
    expected = Forecaster(**QUICK).fit(wide, layout="columns").predict(2, level=()).set_index("unique_id")["LSTM"]
    found = GatewiseForecaster(**QUICK).fit(y).predict(fh=[1, 2])
    assert found["y"].tolist() == expected["y"].tolist()
    assert found["z"].tolist() == expected["z"].tolist()
    assert found.index.tolist() == list(pd.date_range("2020-02-10", periods=2))


def test_a_hierarchy_comes_back_in_its_levels():
    y = pd.concat({"north": several(40, 40), "south": several(40) + 1.0}, names=["region"])
    found = GatewiseForecaster(**QUICK).fit(y).predict(fh=[2])
    assert found.index.names == ["region", "shop", "day"]
    assert found.index.tolist() == [(*key, pd.Timestamp("2020-02-11")) for key in y.index.droplevel(-1).unique()]


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
    found = model.predict(fh=[-38, -35, 0, 1])["y"]
    fitted = model.forecaster_.fitted().set_index("unique_id")["LSTM"]
    for shop in "ab":
        assert found[shop].iloc[2] == fitted[shop].iloc[-1]
        assert found[shop].isna().tolist() == [True, shop == "b", False, False]


@pytest.mark.parametrize("freq", ["ME", "MS", "QS", "B", "W-WED", "2h"])
def test_dates_of_panels_are_on_their_calendar(freq):
    dates = pd.date_range("2020-01-01", periods=43, freq=freq)
    y = pd.concat({"a": series(dates[:40]), "b": series(dates[:38])}).to_frame("y")
    found = GatewiseForecaster(**QUICK).fit(y).predict(fh=[1, 3])
    assert found.index.get_level_values(-1).tolist() == dates[[40, 42, 38, 40]].tolist()


@pytest.mark.parametrize("again", [False, True])
def test_an_update_of_a_panel_changes_the_series_it_has(again):
    y = several(40, 40)
    newer = y.loc[["b"]].tail(4)
    old = y.drop(newer.index)
    model = GatewiseForecaster(**QUICK).fit(old).update(newer, update_params=again)
    expected = Forecaster(**QUICK).fit(long(y if again else old))
    ahead = (expected if again else expected.update(long(y))).predict(1, level=())
    found = model.predict(fh=[1])
    assert found["y"].tolist() == ahead["LSTM"].tolist()
    assert found.index.get_level_values(-1).tolist() == [pd.Timestamp("2020-02-10")] * 2


def test_series_that_were_not_seen_are_forecast_by_pretrained_networks():
    y, other = several(40, 40), 3 * several(30, 30, 30).loc["c"]
    kept = Forecaster(**QUICK, horizon=2).fit(long(y))
    model = GatewiseForecaster(**QUICK).pretrain(y, fh=[1, 2]).fit(other)
    expected = kept.predict(2, level=(), table=long(other.assign(shop="c").set_index("shop", append=True)))
    assert model.predict(fh=[1, 2])["y"].tolist() == expected["LSTM"].tolist()
    newer = other.tail(1).shift(freq="D")
    expected = kept.predict(1, level=(), table=pd.concat([other, newer]))
    assert model.update(newer).predict(fh=[1, 2])["y"].iloc[0] == expected["LSTM"].iloc[0]


def test_pretraining_goes_on_with_other_series():
    y, other = several(40, 40), several(40, 40) * 2
    once = GatewiseForecaster(**QUICK).pretrain(y).pretrain(other)
    kept = Forecaster(**QUICK).fit(long(y))
    expected = kept.update(long(other), max_steps=1).predict(1, level=())
    assert once.fit(other).predict(fh=[1])["y"].tolist() == pytest.approx(expected["LSTM"].tolist(), rel=1e-3)
    assert once.predict(fh=[1])["y"].tolist() != GatewiseForecaster(**QUICK).fit(other).predict(fh=[1])["y"].tolist()


def test_two_series_of_one_name_are_refused():
    y = several(40).loc["a"]
    twice = pd.concat({("x/y", "z"): y, ("x", "y/z"): y}, names=["one", "two"])
    with pytest.raises(DataError, match="two series of y are both called 'x/y/z'"):
        GatewiseForecaster(**QUICK).fit(twice)


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


# ------------------------------------------------------------------------------------------------------ covariates


def with_price(y: pd.DataFrame, steps: int = 0) -> pd.DataFrame:
    """A covariate in numbers and one in words, for the dates of y and some after them."""
    shops = y.groupby(level="shop", sort=False).size()
    dates = {shop: pd.date_range("2020-01-01", periods=n + steps, name="day") for shop, n in shops.items()}
    off = {shop: np.where(d.day_of_week < 5, "no", "yes") for shop, d in dates.items()}
    parts = {shop: pd.DataFrame({"price": np.sin(d.day), "day off": off[shop]}, d) for shop, d in dates.items()}
    return pd.concat(parts, names=["shop"])


@pytest.mark.parametrize("strategy", ["one-step", "segment"])
def test_covariates_are_known_in_advance(strategy):
    arguments = {**QUICK, "strategy": strategy, "max_steps": 20}
    y = several(40, 36)
    X = with_price(y, 5)
    table = X.join(y).reset_index().rename(columns={"shop": "unique_id", "day": "ds"})
    expected = Forecaster(**arguments).fit(table, known=["price", "day off"]).predict(5, level=(80,))
    model = GatewiseForecaster(**arguments).fit(y, X.loc[y.index])
    found, bounds = model.predict([2, 5], X), model.predict_interval([2, 5], X, coverage=0.8)
    assert found["y"].tolist() == expected["LSTM"].iloc[[1, 4, 6, 9]].tolist()
    assert bounds["y", 0.8, "upper"].tolist() == expected["LSTM-hi-80"].iloc[[1, 4, 6, 9]].tolist()
    other = model.predict([2, 5], X.assign(price=X["price"] + 1))
    assert (found["y"] != other["y"]).all()


def test_covariates_of_one_series_hold_for_each_of_its_columns():
    y = several(40, columns=("y", "z"))
    X = with_price(y, 2)
    table = long(y).merge(X.reset_index().rename(columns={"day": "ds"}), on="ds", how="left")
    kept = Forecaster(**QUICK).fit(table.drop(columns="shop"), known=["price", "day off"])
    after = X.loc["a"].tail(2).reset_index(names="ds")
    future = pd.concat([after.assign(unique_id=name) for name in ("a/y", "a/z")])
    found = GatewiseForecaster(**QUICK).fit(y.loc["a"], X.loc["a"]).predict(fh=[1, 2])  # X had these dates before
    expected = kept.predict(2, level=(), future=future)["LSTM"].tolist()
    assert found["y"].tolist() + found["z"].tolist() == expected


def test_covariates_that_are_missing_are_named():
    y = several(40, 36)
    X = with_price(y, 4)
    past, ahead = X.loc[y.index], X.drop(y.index)
    with pytest.raises(DataError, match=r"X lacks 1 of the 76 rows that are needed: b/2020-01-02"):
        GatewiseForecaster(**QUICK).fit(y, past.drop(("b", pd.Timestamp("2020-01-02"))))
    model = GatewiseForecaster(**QUICK).fit(y, past)
    with pytest.raises(DataError, match=r"X lacks 8 of the 8 rows .*: a/2020-02-10 .*'price', 'day off'"):
        model.predict(fh=[4])
    holes = ahead.groupby(level=0).nth([0, 1, 3])
    with pytest.raises(DataError, match=r"X lacks 2 of the 8 rows .*: a/2020-02-12 .*, b/2020-02-08"):
        model.predict(fh=[4], X=holes)
    with pytest.raises(DataError, match=r"lack the columns \['price'\] that fit had"):
        model.predict(X=ahead[["day off"]])
    with pytest.raises(ValueError, match="cannot handle missing data"):
        model.predict(X=ahead.assign(price=np.nan))
    with pytest.raises(DataError, match="'perhaps' is a new category"):
        model.predict(X=ahead.assign(**{"day off": "perhaps"}))


@pytest.mark.parametrize("again", [False, True])
def test_updates_take_covariates_and_the_past_needs_none_ahead(again):
    y = several(40, 36)
    X = with_price(y, 4)
    newer = y.groupby(level=0).tail(4)
    old = y.drop(newer.index)
    model = GatewiseForecaster(**QUICK).fit(old, X.loc[old.index])
    assert model.predict(fh=[0]).notna().all(axis=None)
    with pytest.raises(DataError, match="X lacks 8 of the 76 rows"):
        GatewiseForecaster(**QUICK).fit(old, X.loc[old.index]).update(newer, update_params=again)
    model = GatewiseForecaster(**QUICK).fit(old, X.loc[old.index]).update(newer, X.loc[newer.index], again)
    expected = GatewiseForecaster(**QUICK).fit(y, X.loc[y.index]).predict([1], X)
    assert (model.predict([1], X)["y"] == expected["y"]).all() == again


def test_covariates_of_pretrained_networks_are_asked_for():
    y = several(40, 36)
    X = with_price(y, 2)
    model = GatewiseForecaster(**QUICK).pretrain(y, X.loc[y.index])
    with pytest.raises(DataError, match=r"columns \[\], expected \['price', 'day off'\]"):
        model.clone().fit(y.loc["a"])
    found = model.fit(y.loc["a"], X.loc["a"]).predict([1, 2])
    assert found.notna().all(axis=None)


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


def test_panels_become_sequences_of_the_classifier():
    """sktime's own conversions from the arrays of the classifier and back, beside those that the docs name."""
    from sktime.datatypes import convert_to

    ours = np.random.default_rng(0).normal(size=(5, 7, 2))
    panel = convert_to(ours.transpose(0, 2, 1), "pd-multiindex", as_scitype="Panel")
    assert np.array_equal([one.to_numpy() for _, one in panel.groupby(level=0, sort=False)], ours)
    assert np.array_equal(convert_to(panel, "numpy3D", as_scitype="Panel").transpose(0, 2, 1), ours)
