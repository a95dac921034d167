"""The forecaster of many series: one model for all, and each forecast as if it were alone."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import DataError, Forecaster, read
from gatewise.forecast.model import ensemble
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.training import DivergenceError
from tests.forecast.several import COLUMNS, LENGTHS, QUICK, assert_same_table, fitted
from tests.waves import STRATEGY_NAMES, select_series, tables

# ------------------------------------------------------------------------------------------------- predict


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_a_series_among_others_is_forecast_as_if_alone(strategy):
    data, model = tables(LENGTHS), fitted(strategy)
    together = model.predict(9)
    assert together["unique_id"].tolist() == [name for name in "ABCD" for _ in range(9)]
    for name in "ABCD":
        assert_same_table(select_series(together, name), model.predict(9, table=select_series(data, name)))
    backwards = pd.concat([select_series(data, name) for name in "DCBA"])
    forecasts = model.predict(9, table=backwards)
    assert_same_table(forecasts.sort_values(["unique_id", "ds"]), together)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_unseen_series_are_forecast(strategy):
    model = fitted(strategy)
    unseen = tables((5, 71), end="2015-06-01").replace({"unique_id": {"A": "new", "B": "newer"}})
    forecasts = model.predict(6, table=unseen)
    assert forecasts["unique_id"].unique().tolist() == ["new", "newer"]
    assert forecasts["ds"].tolist() == 2 * pd.date_range("2015-07-01", periods=6, freq="MS").tolist()
    assert np.isfinite(forecasts[COLUMNS]).all(axis=None)
    grown = unseen.assign(y=unseen["y"] * 8)  # a power of 2 is exact
    np.testing.assert_allclose(model.predict(6, table=grown)[COLUMNS], 8 * forecasts[COLUMNS], rtol=1e-6)


def test_series_with_another_frequency_or_time_zone_are_refused():
    model = fitted()
    with pytest.raises(DataError, match="frequency"):
        model.predict(3, table=read(tables((40,), freq="W-SUN")))
    data = tables((40,))
    elsewhere = data.assign(ds=data["ds"].dt.tz_localize("Europe/Berlin"))
    with pytest.raises(
        DataError, match="the table has time zone 'Europe/Berlin', but the model was trained on time zone"
    ):
        model.predict(3, table=elsewhere)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_forecasts_in_batches_equal_forecasts_at_once(strategy, monkeypatch):
    model = fitted(strategy)
    full, past = model.predict(9), model.fitted()
    monkeypatch.setattr(ensemble, "MOST_VALUES", 40)
    assert_same_table(model.predict(9), full)
    assert_same_table(model.fitted(), past)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_intervals_are_nested_around_the_forecast(strategy):
    forecasts = fitted(strategy).predict(20, level=(50, 80, 95, 99.9))
    order = [f"LSTM-lo-{level}" for level in (99.9, 95, 80, 50)] + ["LSTM"]
    order += [f"LSTM-hi-{level}" for level in (50, 80, 95, 99.9)]
    assert (forecasts[order].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_the_in_sample_fit_ends_at_the_end_of_each_series(strategy):
    data, forecasts = tables(LENGTHS), fitted(strategy).fitted()
    for name, part in forecasts.groupby("unique_id"):
        series = select_series(data, name).tail(len(part))
        assert part["ds"].tolist() == series["ds"].tolist()
        np.testing.assert_array_equal(part["y"], series["y"])
        assert len(part) >= len(select_series(data, name)) // 2


def test_the_in_sample_fit_of_many_series_is_built_as_one_table(monkeypatch):
    model, frames = fitted(), []
    usual = pd.DataFrame.__init__
    monkeypatch.setattr(pd.DataFrame, "__init__", lambda self, *a, **b: frames.append(self) or usual(self, *a, **b))
    assert model.fitted()["unique_id"].nunique() == len(LENGTHS)
    assert len(frames) < len(LENGTHS)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_categorical_names_stay_categorical(library):
    data = tables(LENGTHS).astype({"unique_id": pd.CategoricalDtype(list("ZDCBA"), ordered=True)})
    expected: object = data["unique_id"].dtype
    if library == "polars":
        expected = pl.Enum(list("ZDCBA"))
        data = pl.from_pandas(data.astype({"unique_id": object})).with_columns(pl.col("unique_id").cast(expected))
    model = Forecaster(**QUICK).fit(data, on_bad="skip")
    scores = model.backtest(data, 2, windows=1, on_bad="skip").scores
    for result in (model.predict(2), model.sample(2, 2), model.fitted(), model.excluded(), scores):
        assert result["unique_id"].dtype == expected


def test_an_update_adds_new_names_to_the_categories():
    data = tables(LENGTHS[:2]).astype({"unique_id": "category"})
    new = select_series(tables(LENGTHS[:2]), "A").assign(unique_id=pd.Categorical(["E"] * LENGTHS[0]))
    result = Forecaster(**QUICK).fit(data).update(pd.concat([data, new]).astype({"unique_id": "category"})).predict(1)
    assert result["unique_id"].tolist() == ["A", "B", "E"]
    newer = select_series(data, "B")
    newer["unique_id"] = newer["unique_id"].cat.remove_unused_categories()
    fewer = Forecaster(**QUICK).fit(data).update(newer)
    assert fewer.predict(1)["unique_id"].cat.categories.tolist() == ["B", "A"]


def test_an_empty_table_of_excluded_series_has_the_usual_column_types():
    data = tables((9, 9))
    gone = data.assign(y=data["y"].where(data["unique_id"] == "A"))
    for library in (pd.DataFrame, pl.from_pandas):
        full, empty = (read(library(table), on_bad="skip").excluded() for table in (gone, data))
        assert (len(full), len(empty)) == (1, 0)
        assert list(full.dtypes) == list(empty.dtypes)


def test_scales_of_series_do_not_mix():
    """A series a million times as large as the others leaves their forecasts nearly as they are."""
    data = tables(LENGTHS)
    large = data.assign(y=np.where(data["unique_id"] == "B", data["y"] * 2.0**20, data["y"]))
    options = {**QUICK, "season": 6, "context": 12, "strategy": "segment"}
    first, other = (Forecaster(**options).fit(rows).predict(6) for rows in (data, large))
    times = np.where(first["unique_id"] == "B", 2.0**20, 1.0)
    np.testing.assert_allclose(other["LSTM"], times * first["LSTM"], rtol=1e-6)


def test_polars_in_polars_out():
    data = tables(LENGTHS)
    options = {**QUICK, "season": 6, "context": 12, "strategy": "segment"}
    model = Forecaster(**options).fit(pl.from_pandas(data))
    forecasts, expected = model.predict(6), Forecaster(**options).fit(data).predict(6)
    assert isinstance(forecasts, pl.DataFrame)
    np.testing.assert_array_equal(forecasts["LSTM"].to_numpy(), expected["LSTM"])
    assert isinstance(model.sample(3, 2), pl.DataFrame)
    assert isinstance(model.excluded(), pl.DataFrame)


# ------------------------------------------------------------------------------------------------- update


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("overlap", [0, 4])
def test_an_update_forecasts_from_the_whole_history(strategy, overlap):
    data = tables(LENGTHS)
    known = data[data["ds"] < "2009-09-01"]  # the last five values of each come later
    model = Forecaster(**QUICK, season=6, context=12, strategy=strategy).fit(known)
    expected = model.predict(7, table=data, level=())
    start = pd.Timestamp("2009-09-01") - pd.DateOffset(months=overlap)
    assert model.update(data[data["ds"] >= start]) is model
    assert_same_table(model.predict(7, level=()), expected, exact=True)


def test_an_update_adds_new_series_and_keeps_missing_ones():
    data, more = tables(LENGTHS), tables((60, 97, 8, 33, 20))
    model = fitted()
    before = model.predict(4)
    model.update(pd.concat([select_series(data, "B"), select_series(more, "E")]))
    after = model.predict(4)
    assert after["unique_id"].unique().tolist() == list("ABCDE")
    assert_same_table(after[after["unique_id"] != "E"], before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.assign(ds=data["ds"] + pd.DateOffset(months=40)), "steps are missing"),
        (lambda data: data[data["ds"] < "2009-01-01"], "before 2010-01-01, the last date that the model knows"),
        (lambda data: data.assign(unique_id="Z"), "the model was trained on the series 'A', 'B', 'C'"),
        (
            lambda data: read(data.assign(ds=pd.date_range("2009-01-01", periods=len(data)))),
            "the table has frequency 'D', but the model was trained on frequency 'MS'",
        ),
        (lambda data: data.assign(y=np.nan), "has no values at all"),
    ],
)
@pytest.mark.parametrize("max_steps", [0, 5])
def test_an_invalid_update_changes_nothing(change, message, max_steps):
    model = fitted()
    before, guesses = model.predict(4), model.guesses
    with pytest.raises(DataError, match=message):
        model.update(change(select_series(tables(LENGTHS), "A").tail(20)), max_steps=max_steps)
    assert_same_table(model.predict(4), before, exact=True)
    assert model.guesses == guesses


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_an_update_can_train_further(strategy, monkeypatch):
    model, data = fitted(strategy), tables(LENGTHS)
    before, old = model.predict(4), model.state.selection
    weights = [{name: w.clone() for name, w in network.state_dict().items()} for network in old.ensemble.networks]
    model.update(data, max_steps=5)
    after = model.predict(4)
    assert (after["LSTM"] != before["LSTM"]).any()
    np.testing.assert_allclose(after["LSTM"], before["LSTM"], rtol=0.05)  # a tenth of the learning rate
    for network, before_update in zip(old.ensemble.networks, weights, strict=True):
        assert all(before_update[name].equal(weight) for name, weight in network.state_dict().items())
    assert_same_table(fitted(strategy).update(data, max_steps=5).predict(4), after, exact=True)

    def diverge(configuration, *_):
        assert (configuration.max_steps, configuration.lr) == (5, old.configuration.lr / 10)
        raise DivergenceError("too far")

    monkeypatch.setattr(TrainingConfiguration, "_train", diverge)
    with pytest.raises(DivergenceError):
        model.update(data, max_steps=5)
    assert_same_table(model.predict(4), after, exact=True)


# ------------------------------------------------------------------------------------------------- number of series


def test_the_order_of_the_rows_of_a_table_does_not_matter():
    data = tables(LENGTHS)
    mixed = pd.concat([part for _, part in sorted(data.groupby(data.index % 7))]).sort_values("ds", kind="stable")
    options = {**QUICK, "season": 6, "context": 12, "strategy": "segment"}
    forecasts = Forecaster(**options).fit(data).predict(4)
    other = Forecaster(**options).fit(read(mixed)).predict(4)
    assert sorted(other["unique_id"].unique()) == sorted(forecasts["unique_id"].unique())
    assert other.groupby("unique_id")["ds"].first().tolist() == forecasts.groupby("unique_id")["ds"].first().tolist()


def test_two_thousand_short_series_are_trained_together(monkeypatch):
    rng = np.random.default_rng(0)
    y = rng.normal(50, 5, (2000, 24)) + 10 * np.sin(np.arange(24) * np.pi / 3)
    names = np.repeat([f"s{k}" for k in range(2000)], 24)
    ds = np.tile(pd.date_range("2020-01-01", periods=24, freq="MS"), 2000)
    seen, finish = [], TrainingConfiguration.train_ensemble

    def record(self, first, dataset, *, measured):
        seen.append(len(dataset.series))
        return finish(self, first, dataset, measured=measured)

    monkeypatch.setattr(TrainingConfiguration, "train_ensemble", record)
    model = Forecaster(**{**QUICK, "batch_size": 64}, season=6)
    forecasts = model.fit(pd.DataFrame({"unique_id": names, "ds": ds, "y": y.ravel()})).predict(6)
    assert seen == [2000]
    assert len(forecasts) == 12_000
    assert np.isfinite(forecasts[COLUMNS]).all(axis=None)
    means = forecasts.groupby("unique_id", sort=False)["LSTM"].mean().to_numpy()
    assert np.abs(means - y[:, :6].mean(1)).mean() < 10


def test_the_strategy_of_many_series_is_in_the_guesses():
    model = Forecaster(**QUICK).fit(tables((60, 97)))
    guess = next(guess_of_model for guess_of_model in model.guesses if guess_of_model.startswith("strategy"))
    assert "(lowest validation MASE: one-step" in guess
    many = Forecaster(**QUICK).fit(tables([40] * 21))
    assert "strategy: segment" in many.guesses


def test_auto_chooses_the_strategy_with_the_lowest_error(monkeypatch):
    errors, train = {}, TrainingConfiguration.train_with_validation

    def record(self, dataset, report):
        trained = train(self, dataset, report)
        errors[dataset.scaling.strategy, dataset.scaling.dropout] = trained.error
        return trained

    monkeypatch.setattr(TrainingConfiguration, "train_with_validation", record)
    model = Forecaster(**{**QUICK, "dropout": None}, season=6).fit(tables((60, 97)))
    assert sorted(errors) == [("one-step", 0.0), ("segment", 0.0), ("segment", 0.5)]
    chosen = model.state.selection.ensemble.scaling
    assert (chosen.strategy, chosen.dropout) == min(errors, key=errors.get)


# ------------------------------------------------------------------------------------------------- covariates


def sales(n=90):
    """A series driven by its price (known in advance), and the weather (not known in advance)."""
    rng = np.random.default_rng(0)
    price, weather = rng.normal(size=(2, n))
    ds = pd.date_range("2024-01-01", periods=n, freq="D")
    return pd.DataFrame({"unique_id": "A", "ds": ds, "y": 20 - 3 * price, "price": price, "weather": weather})


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_future_covariates_come_from_the_call_or_the_table(strategy):
    data = sales()
    model = Forecaster(**QUICK, season=1, strategy=strategy).fit(data.iloc[:84], known="price", target_column="y")
    forecasts = model.predict(6, future=data.iloc[84:][["unique_id", "ds", "price"]])
    with_end = data.assign(y=data["y"].where(data.index < 84))[["unique_id", "ds", "y", "price"]]
    assert_same_table(model.predict(6, table=with_end), forecasts)
    other = data.iloc[84:][["unique_id", "ds", "price"]].assign(price=2.0)
    assert (model.predict(6, future=other)["LSTM"] != forecasts["LSTM"]).all()
    with pytest.raises(DataError, match="price"):
        model.predict(6)


def test_missing_future_covariates_are_refused():
    data = sales()
    with pytest.raises(
        DataError, match="strategy='one-step' feeds its forecasts back, and past covariates of those steps are unknown"
    ):
        Forecaster(**QUICK, strategy="one-step").fit(data, past="weather", target_column="y")
    for strategy in ("segment", "flatten"):
        model = Forecaster(**QUICK, season=1, strategy=strategy).fit(data, past="weather", target_column="y")
        assert np.isfinite(model.predict(6)[COLUMNS]).all(axis=None)
        with pytest.raises(DataError, match="horizon 7: the network forecasts 6 steps at once"):
            model.predict(7)
