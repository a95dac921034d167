"""The covariates and the calendars of the sktime adapter."""

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, Forecaster

pytest.importorskip("sktime")


from gatewise.sktime import GatewiseForecaster
from tests.sktime_series import QUICK, long, series, several

# pandas 3.1 announces a new type of the frequencies that sktime 1.2 reads.
pytestmark = pytest.mark.filterwarnings("ignore:A future version of pandas will return a BaseOffset")

# ------------------------------------------------------------------------------------------------------ covariates


def with_price(y: pd.DataFrame, steps: int = 0) -> pd.DataFrame:
    """A numeric and a categorical covariate, for the dates of y and `steps` more."""
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
    result, bounds = model.predict([2, 5], X), model.predict_interval([2, 5], X, coverage=0.8)
    assert result["y"].tolist() == expected["LSTM"].iloc[[1, 4, 6, 9]].tolist()
    assert bounds["y", 0.8, "upper"].tolist() == expected["LSTM-hi-80"].iloc[[1, 4, 6, 9]].tolist()
    other = model.predict([2, 5], X.assign(price=X["price"] + 1))
    assert (result["y"] != other["y"]).all()


def test_covariates_of_one_series_hold_for_each_of_its_columns():
    y = several(40, columns=("y", "z"))
    X = with_price(y, 2)
    table = long(y).merge(X.reset_index().rename(columns={"day": "ds"}), on="ds", how="left")
    forecaster = Forecaster(**QUICK).fit(table.drop(columns="shop"), known=["price", "day off"])
    after = X.loc["a"].tail(2).reset_index(names="ds")
    future = pd.concat([after.assign(unique_id=name) for name in ("a/y", "a/z")])
    result = GatewiseForecaster(**QUICK).fit(y.loc["a"], X.loc["a"]).predict(fh=[1, 2])  # X had these dates before
    expected = forecaster.predict(2, level=(), future=future)["LSTM"].tolist()
    assert result["y"].tolist() + result["z"].tolist() == expected


def test_covariates_that_are_missing_are_named():
    y = several(40, 36)
    X = with_price(y, 4)
    past, ahead = X.loc[y.index], X.drop(y.index)
    with pytest.raises(DataError, match=r"X lacks 1 of the 76 required rows: b/2020-01-02"):
        GatewiseForecaster(**QUICK).fit(y, past.drop(("b", pd.Timestamp("2020-01-02"))))
    model = GatewiseForecaster(**QUICK).fit(y, past)
    with pytest.raises(DataError, match=r"X lacks 8 of the 8 required rows: a/2020-02-10 .*'price', 'day off'"):
        model.predict(fh=[4])
    holes = ahead.groupby(level=0).nth([0, 1, 3])
    with pytest.raises(DataError, match=r"X lacks 2 of the 8 required rows: a/2020-02-12 .*, b/2020-02-08"):
        model.predict(fh=[4], X=holes)
    with pytest.raises(DataError, match=r"lack the columns \['price'\] passed to fit"):
        model.predict(X=ahead[["day off"]])
    with pytest.raises(ValueError, match="cannot handle missing data"):
        model.predict(X=ahead.assign(price=np.nan))
    with pytest.raises(DataError, match="'perhaps' is a new category"):
        model.predict(X=ahead.assign(**{"day off": "perhaps"}))


@pytest.mark.parametrize("update_params", [False, True])
def test_updates_take_covariates_and_in_sample_steps_need_no_future_ones(update_params):
    y = several(40, 36)
    X = with_price(y, 4)
    newer = y.groupby(level=0).tail(4)
    old = y.drop(newer.index)
    model = GatewiseForecaster(**QUICK).fit(old, X.loc[old.index])
    assert model.predict(fh=[0]).notna().all(axis=None)
    with pytest.raises(DataError, match="X lacks 8 of the 76 required rows"):
        GatewiseForecaster(**QUICK).fit(old, X.loc[old.index]).update(newer, update_params=update_params)
    model = GatewiseForecaster(**QUICK).fit(old, X.loc[old.index]).update(newer, X.loc[newer.index], update_params)
    expected = GatewiseForecaster(**QUICK).fit(y, X.loc[y.index]).predict([1], X)
    assert (model.predict([1], X)["y"] == expected["y"]).all() == update_params


def test_covariates_of_pretrained_networks_are_required():
    y = several(40, 36)
    X = with_price(y, 2)
    model = GatewiseForecaster(**QUICK).pretrain(y, X.loc[y.index])
    with pytest.raises(DataError, match=r"columns \[\], but the networks were trained on \['price', 'day off'\]"):
        model.clone().fit(y.loc["a"])
    result = model.fit(y.loc["a"], X.loc["a"]).predict([1, 2])
    assert result.notna().all(axis=None)


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
    result = model.predict(fh=[1, 2, 3])
    expected = model.forecaster_.predict(3, level=())
    dates = result.index.to_timestamp() if isinstance(index, pd.PeriodIndex) else result.index
    assert dates.tolist() == expected["ds"].tolist()
    assert result.index.tolist() == (index[-4:-1] if update else index[-8:-5]).tolist()


def test_integers_in_steps_above_one_are_refused():
    with pytest.raises(ValueError, match="from 0 to 58 in 30 values, expected steps of 1"):
        GatewiseForecaster(**QUICK).fit(series(pd.RangeIndex(0, 60, 2)))


def test_missing_dates_are_refused_and_named():
    y = series(pd.date_range("2020-01-01", periods=40, freq="D"))
    with pytest.raises(DataError, match="2020-01-13"):
        GatewiseForecaster(**QUICK).fit(y.drop(y.index[12]))
