"""Values beyond single precision (3.4e38): refused, or forecast as their multiples are; never infinite or NaN."""

import warnings

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.series import DataError

SMALL = {"max_steps": 3, "hidden_size": 4, "ensemble_size": 1, "jobs": 1, "horizon": 5}
N = 60
RNG = np.random.default_rng(0)
WAVE = 10 + np.sin(np.arange(N) * 2 * np.pi / 7) + 0.1 * RNG.normal(size=N)
PRICE = RNG.normal(size=N)
FACTORS = [1e37, 2.0**130, 1e98]


def table(y, name="a", start="2024-01-01", **covariates):
    ds = pd.date_range(start, periods=len(y))
    return pd.DataFrame({"unique_id": name, "ds": ds, "y": np.asarray(y, float), **covariates})


def numbers(frame):
    return frame.iloc[:, 2:].to_numpy(float)


@pytest.fixture(autouse=True)
def no_overflow():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
@pytest.mark.parametrize("scale", ["window", "standard", "minmax", "robust"])
@pytest.mark.parametrize("factor", FACTORS)
def test_large_values_are_forecast_as_their_multiples(factor, scale, strategy):
    options = {**SMALL, "strategy": strategy, "scale": scale}
    model, large = Forecaster(**options).fit(table(WAVE)), table(factor * WAVE)
    assert np.isfinite(numbers(Forecaster(**options).fit(large).predict(5, quantiles=(0.01, 0.99)))).all()
    expected = numbers(model.predict(5))
    np.testing.assert_allclose(numbers(model.predict(5, table=large)) / factor, expected, rtol=1e-4)
    updated = model.update(table([factor], start="2024-03-01"))
    assert np.isfinite(numbers(updated.predict(5, quantiles=(0.01, 0.99)))).all()
    assert np.isfinite(updated.sample(5, 9)["LSTM"]).all()


@pytest.mark.parametrize("factor", FACTORS)
def test_a_backtest_and_several_series_of_large_values(factor):
    data = pd.concat([table(WAVE), table(factor * WAVE, "b"), table(WAVE / 1e37, "c")])
    result = Forecaster(**SMALL).backtest(data, 5, windows=2, fit=True)
    assert np.isfinite(result.forecasts.iloc[:, 3:].to_numpy(float)).all()
    assert np.isfinite(result.overall["LSTM"]["MASE"])


@pytest.mark.parametrize("value", [1e101, 1e300, -1e300])
def test_still_larger_values_are_refused_everywhere(value):
    model = Forecaster(**SMALL).fit(table(WAVE))
    before = model.predict(5)
    changed = table(np.append(WAVE[:-1], value))
    for use in (model.fit, model.update, model.with_series, lambda data: model.predict(5, table=data)):
        with pytest.raises(DataError, match=r"too large, expected at most 1e\+100 in magnitude; use a larger unit"):
            use(changed)
    assert model.predict(5).equals(before)


@pytest.mark.parametrize("value", [1e19, 1e37, 1e99])
def test_without_a_scale_large_values_are_refused(value):
    model = Forecaster(**SMALL, scale="none").fit(table(WAVE))
    changed = table(np.append(WAVE[:-1], value))
    for use in (Forecaster(**SMALL, scale="none").fit, model.update, lambda data: model.predict(5, table=data)):
        with pytest.raises(DataError, match=r"too large for scale='none'.*; use scale='window' \(--scale window\)"):
            use(changed)
    assert np.isfinite(numbers(Forecaster(**SMALL, scale="window").fit(changed).predict(5))).all()


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
@pytest.mark.parametrize("role", ["past", "known"])
@pytest.mark.parametrize("value", [1e39, -1e99])
def test_covariates_of_a_later_table_beyond_single_precision_are_refused(value, role, strategy):
    if (role, strategy) == ("past", "one-step"):
        return  # has no past covariates
    model = Forecaster(**SMALL, strategy=strategy, fallback="none").fit(table(WAVE, price=PRICE), **{role: "price"})
    price = np.append(PRICE[:40], [value, *PRICE[41:]])
    message = f"series 'a', 2024-02-10: {role} covariate 'price' is {value:g}, too far from its training values"
    changed = table(WAVE, price=price)
    for use in (model.update, model.with_series, lambda data: model.predict(5, table=data)):
        with pytest.raises(DataError) as error:
            use(changed)
        assert str(error.value).startswith(message)
    trained = Forecaster(**SMALL, strategy=strategy, fallback="none").fit(changed, **{role: "price"})
    future = {"future": table(WAVE[:5], start="2024-03-01", price=0.0).drop(columns="y")} if role == "known" else {}
    assert np.isfinite(numbers(trained.predict(5, **future))).all()


def test_static_covariates_beyond_single_precision_are_refused():
    data = pd.concat([table(WAVE, name, size=float(k)) for k, name in enumerate("abc")])
    model = Forecaster(**SMALL).fit(data, static="size")
    with pytest.raises(DataError, match=r"^series 'a': static covariate 'size' is 1e\+39, too far from its training"):
        model.predict(5, table=data.assign(size=1e39))
