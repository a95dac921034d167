"""The forecaster of many series: one model for all, and each forecast as if it were alone."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import DataError, Forecaster, read
from gatewise.forecast.model import ensemble as models
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.training import DivergenceError
from tests.forecast.several import COLUMNS, LENGTHS, QUICK, fitted, same
from tests.waves import STRATEGY_NAMES, one_of, tables

# ------------------------------------------------------------------------------------------------- predict


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_a_series_among_others_is_forecast_as_if_alone(strategy):
    data, model = tables(LENGTHS), fitted(strategy)
    together = model.predict(9)
    assert together["unique_id"].tolist() == [name for name in "ABCD" for _ in range(9)]
    for name in "ABCD":
        same(one_of(together, name), model.predict(9, table=one_of(data, name)))
    backwards = pd.concat([one_of(data, name) for name in "DCBA"])
    made = model.predict(9, table=backwards)
    same(made.sort_values(["unique_id", "ds"]), together)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_series_that_were_never_seen_are_forecast(strategy):
    model = fitted(strategy)
    unseen = tables((5, 71), end="2015-06-01").replace({"unique_id": {"A": "new", "B": "newer"}})
    made = model.predict(6, table=unseen)
    assert made["unique_id"].unique().tolist() == ["new", "newer"]
    assert made["ds"].tolist() == 2 * pd.date_range("2015-07-01", periods=6, freq="MS").tolist()
    assert np.isfinite(made[COLUMNS]).all(axis=None)
    grown = unseen.assign(y=unseen["y"] * 8)  # a power of 2 is exact
    np.testing.assert_allclose(model.predict(6, table=grown)[COLUMNS], 8 * made[COLUMNS], rtol=1e-6)


def test_series_of_another_kind_are_refused():
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
def test_forecasts_in_parts_are_those_of_all_at_once(strategy, monkeypatch):
    model = fitted(strategy)
    whole, past = model.predict(9), model.fitted()
    monkeypatch.setattr(models, "MOST_VALUES", 40)
    same(model.predict(9), whole)
    same(model.fitted(), past)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_intervals_are_nested_around_the_forecast(strategy):
    made = fitted(strategy).predict(20, level=(50, 80, 95, 99.9))
    order = [f"LSTM-lo-{level}" for level in (99.9, 95, 80, 50)] + ["LSTM"]
    order += [f"LSTM-hi-{level}" for level in (50, 80, 95, 99.9)]
    assert (made[order].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_the_fitted_past_of_each_series_ends_with_it(strategy):
    data, made = tables(LENGTHS), fitted(strategy).fitted()
    for name, part in made.groupby("unique_id"):
        one = one_of(data, name).tail(len(part))
        assert part["ds"].tolist() == one["ds"].tolist()
        np.testing.assert_array_equal(part["y"], one["y"])
        assert len(part) >= len(one_of(data, name)) // 2


def test_the_fitted_past_of_many_series_is_one_table_from_the_start(monkeypatch):
    model, made = fitted(), []
    usual = pd.DataFrame.__init__
    monkeypatch.setattr(pd.DataFrame, "__init__", lambda self, *a, **b: made.append(self) or usual(self, *a, **b))
    assert model.fitted()["unique_id"].nunique() == len(LENGTHS)
    assert len(made) < len(LENGTHS)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_names_that_are_categories_stay_so(library):
    data = tables(LENGTHS).astype({"unique_id": pd.CategoricalDtype(list("ZDCBA"), ordered=True)})
    wanted: object = data["unique_id"].dtype
    if library == "polars":
        wanted = pl.Enum(list("ZDCBA"))
        data = pl.from_pandas(data.astype({"unique_id": object})).with_columns(pl.col("unique_id").cast(wanted))
    model = Forecaster(**QUICK).fit(data, on_bad="skip")
    scores = model.backtest(data, 2, windows=1, on_bad="skip").scores
    for answer in (model.predict(2), model.sample(2, 2), model.fitted(), model.excluded(), scores):
        assert answer["unique_id"].dtype == wanted


def test_names_that_an_update_adds_become_categories_too():
    data = tables(LENGTHS[:2]).astype({"unique_id": "category"})
    new = one_of(tables(LENGTHS[:2]), "A").assign(unique_id=pd.Categorical(["E"] * LENGTHS[0]))
    answer = Forecaster(**QUICK).fit(data).update(pd.concat([data, new]).astype({"unique_id": "category"})).predict(1)
    assert answer["unique_id"].tolist() == ["A", "B", "E"]
    newer = one_of(data, "B")
    newer["unique_id"] = newer["unique_id"].cat.remove_unused_categories()
    fewer = Forecaster(**QUICK).fit(data).update(newer)
    assert fewer.predict(1)["unique_id"].cat.categories.tolist() == ["B", "A"]


def test_the_columns_of_an_empty_report_have_the_types_of_a_full_one():
    whole = tables((9, 9))
    gone = whole.assign(y=whole["y"].where(whole["unique_id"] == "A"))
    for library in (pd.DataFrame, pl.from_pandas):
        full, empty = (read(library(table), on_bad="skip").excluded() for table in (gone, whole))
        assert (len(full), len(empty)) == (1, 0)
        assert list(full.dtypes) == list(empty.dtypes)


def test_scales_of_series_do_not_mix():
    """A series a million times as large as the others leaves their forecasts nearly as they are."""
    data = tables(LENGTHS)
    large = data.assign(y=np.where(data["unique_id"] == "B", data["y"] * 2.0**20, data["y"]))
    options = {**QUICK, "season": 6, "context": 12, "strategy": "segment"}
    first, other = (Forecaster(**options).fit(of).predict(6) for of in (data, large))
    times = np.where(first["unique_id"] == "B", 2.0**20, 1.0)
    np.testing.assert_allclose(other["LSTM"], times * first["LSTM"], rtol=1e-6)


def test_polars_in_polars_out():
    data = tables(LENGTHS)
    options = {**QUICK, "season": 6, "context": 12, "strategy": "segment"}
    model = Forecaster(**options).fit(pl.from_pandas(data))
    made, expected = model.predict(6), Forecaster(**options).fit(data).predict(6)
    assert isinstance(made, pl.DataFrame)
    np.testing.assert_array_equal(made["LSTM"].to_numpy(), expected["LSTM"])
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
    same(model.predict(7, level=()), expected, exact=True)


def test_an_update_takes_new_series_and_keeps_those_that_are_missing():
    data, more = tables(LENGTHS), tables((60, 97, 8, 33, 20))
    model = fitted()
    before = model.predict(4)
    model.update(pd.concat([one_of(data, "B"), one_of(more, "E")]))
    after = model.predict(4)
    assert after["unique_id"].unique().tolist() == list("ABCDE")
    same(after[after["unique_id"] != "E"], before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.assign(ds=data["ds"] + pd.DateOffset(months=40)), "steps are missing"),
        (lambda data: data[data["ds"] < "2009-01-01"], "expected 2010-01-01.* or later"),
        (lambda data: data.assign(unique_id="Z"), "the model was trained on the series 'A', 'B', 'C'"),
        (
            lambda data: read(data.assign(ds=pd.date_range("2009-01-01", periods=len(data)))),
            "the table has frequency 'D', but the model was trained on frequency 'MS'",
        ),
        (lambda data: data.assign(y=np.nan), "has no values at all"),
    ],
)
@pytest.mark.parametrize("max_steps", [0, 5])
def test_an_update_that_does_not_fit_changes_nothing(change, message, max_steps):
    model = fitted()
    before, guesses = model.predict(4), model.guesses
    with pytest.raises(DataError, match=message):
        model.update(change(one_of(tables(LENGTHS), "A").tail(20)), max_steps=max_steps)
    same(model.predict(4), before, exact=True)
    assert model.guesses == guesses


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_an_update_may_train_a_little_further(strategy, monkeypatch):
    model, data = fitted(strategy), tables(LENGTHS)
    before, old = model.predict(4), model.state.selection
    weights = [{name: w.clone() for name, w in one.state_dict().items()} for one in old.ensemble.networks]
    model.update(data, max_steps=5)
    after = model.predict(4)
    assert (after["LSTM"] != before["LSTM"]).any()
    np.testing.assert_allclose(after["LSTM"], before["LSTM"], rtol=0.05)  # a tenth of the learning rate
    for one, kept in zip(old.ensemble.networks, weights, strict=True):
        assert all(kept[name].equal(weight) for name, weight in one.state_dict().items())
    same(fitted(strategy).update(data, max_steps=5).predict(4), after, exact=True)

    def diverge(configuration, *_):
        assert (configuration.max_steps, configuration.lr) == (5, old.configuration.lr / 10)
        raise DivergenceError("too far")

    monkeypatch.setattr(TrainingConfiguration, "_train", diverge)
    with pytest.raises(DivergenceError):
        model.update(data, max_steps=5)
    same(model.predict(4), after, exact=True)


# ------------------------------------------------------------------------------------------------- how many


def test_the_order_of_the_rows_of_a_table_does_not_matter():
    data = tables(LENGTHS)
    mixed = pd.concat([part for _, part in sorted(data.groupby(data.index % 7))]).sort_values("ds", kind="stable")
    options = {**QUICK, "season": 6, "context": 12, "strategy": "segment"}
    made = Forecaster(**options).fit(data).predict(4)
    other = Forecaster(**options).fit(read(mixed)).predict(4)
    assert sorted(other["unique_id"].unique()) == sorted(made["unique_id"].unique())
    assert other.groupby("unique_id")["ds"].first().tolist() == made.groupby("unique_id")["ds"].first().tolist()


def test_two_thousand_short_series_are_one_training(monkeypatch):
    rng = np.random.default_rng(0)
    y = rng.normal(50, 5, (2000, 24)) + 10 * np.sin(np.arange(24) * np.pi / 3)
    names = np.repeat([f"s{k}" for k in range(2000)], 24)
    ds = np.tile(pd.date_range("2020-01-01", periods=24, freq="MS"), 2000)
    seen, finish = [], TrainingConfiguration.refit
    monkeypatch.setattr(
        TrainingConfiguration, "refit", lambda self, *of: seen.append(len(of[1].series)) or finish(self, *of)
    )
    model = Forecaster(**{**QUICK, "batch_size": 64}, season=6)
    made = model.fit(pd.DataFrame({"unique_id": names, "ds": ds, "y": y.ravel()})).predict(6)
    assert seen == [2000]
    assert len(made) == 12_000
    assert np.isfinite(made[COLUMNS]).all(axis=None)
    means = made.groupby("unique_id", sort=False)["LSTM"].mean().to_numpy()
    assert np.abs(means - y[:, :6].mean(1)).mean() < 10


def test_the_strategy_of_many_series_is_in_the_guesses():
    model = Forecaster(**QUICK).fit(tables((60, 97)))
    said = next(one for one in model.guesses if one.startswith("strategy"))
    assert "(lowest validation MASE: one-step" in said
    many = Forecaster(**QUICK).fit(tables([40] * 21))
    assert "strategy: segment" in many.guesses


def test_auto_takes_the_strategy_of_the_smaller_error(monkeypatch):
    errors, tried = {}, TrainingConfiguration.train_with_validation

    def counted(self, dataset, title=""):
        made = tried(self, dataset, title)
        errors[dataset.scaling.strategy, dataset.scaling.dropout] = made.error
        return made

    monkeypatch.setattr(TrainingConfiguration, "train_with_validation", counted)
    model = Forecaster(**{**QUICK, "dropout": None}, season=6).fit(tables((60, 97)))
    assert sorted(errors) == [("one-step", 0.0), ("segment", 0.0), ("segment", 0.5)]
    chosen = model.state.selection.ensemble.scaling
    assert (chosen.strategy, chosen.dropout) == min(errors, key=errors.get)


# ------------------------------------------------------------------------------------------------- covariates


def sold(n=90):
    """A series that its price tells, which is known in advance, with the weather, which is not."""
    rng = np.random.default_rng(0)
    price, weather = rng.normal(size=(2, n))
    ds = pd.date_range("2024-01-01", periods=n, freq="D")
    return pd.DataFrame({"unique_id": "A", "ds": ds, "y": 20 - 3 * price, "price": price, "weather": weather})


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_future_covariates_come_with_the_request_or_the_table(strategy):
    data = sold()
    model = Forecaster(**QUICK, season=1, strategy=strategy).fit(data.iloc[:84], known="price", target_column="y")
    made = model.predict(6, future=data.iloc[84:][["unique_id", "ds", "price"]])
    with_end = data.assign(y=data["y"].where(data.index < 84))[["unique_id", "ds", "y", "price"]]
    same(model.predict(6, table=with_end), made)
    other = data.iloc[84:][["unique_id", "ds", "price"]].assign(price=2.0)
    assert (model.predict(6, future=other)["LSTM"] != made["LSTM"]).all()
    with pytest.raises(DataError, match="price"):
        model.predict(6)


def test_missing_future_covariates_are_refused():
    data = sold()
    with pytest.raises(
        DataError, match="strategy='one-step' feeds its forecasts back, and past covariates of those steps are unknown"
    ):
        Forecaster(**QUICK, strategy="one-step").fit(data, past="weather", target_column="y")
    for strategy in ("segment", "flatten"):
        model = Forecaster(**QUICK, season=1, strategy=strategy).fit(data, past="weather", target_column="y")
        assert np.isfinite(model.predict(6)[COLUMNS]).all(axis=None)
        with pytest.raises(DataError, match="horizon 7: the network forecasts 6 steps at once"):
            model.predict(7)
