"""Forecasts with covariates: more accurate if these are informative, and without leakage."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import DataError, Forecaster, read
from gatewise.forecast.model import selection

STEPS, SERIES, HORIZON = 100, 8, 4
QUICK = {
    "hidden_size": 16,
    "max_steps": 200,
    "ensemble_size": 1,
    "lr": 1e-2,
    "dropout": 0,
    "season": 1,
    "fallback": "none",
}
SMALL = {**QUICK, "hidden_size": 4, "max_steps": 10, "context": 8, "horizon": HORIZON}


def panel_of(make, start="2020-01-01", freq="D", steps=STEPS):
    """A long table of several series with the columns `make(random)`."""
    parts = []
    for k in range(SERIES):
        columns = make(np.random.default_rng(k))
        length = len(columns["y"])
        ds = pd.date_range(start, periods=length, freq=freq)
        parts.append(pd.DataFrame({"unique_id": f"s{k}", "ds": ds, **columns}))
    return pd.concat(parts, ignore_index=True)


def ends(table, horizon):
    """The table without the last values of each series, and these values."""
    ahead = table.groupby("unique_id").cumcount(ascending=False) < horizon
    return table.assign(y=table["y"].mask(ahead)), table[ahead].reset_index(drop=True)


def error(table, truth, options, **covariates):
    """The mean absolute error of forecasts with the given covariates, or without any."""
    columns = [column for name in ("past", "known", "static") for column in [covariates.get(name)] if column]
    history = table[["unique_id", "ds", "y", *columns]]
    model = Forecaster(**options).fit(history if "known" in covariates else history[table["y"].notna()], **covariates)
    forecast = model.predict(len(truth) // SERIES, level=())
    joined = truth.merge(forecast, on=["unique_id", "ds"], validate="1:1")
    return float((joined["y"] - joined["LSTM"]).abs().mean())


def driven(random):
    x = random.normal(size=STEPS)
    return {"y": 3 * x + 0.1 * random.normal(size=STEPS), "x": x}


def led(random):
    x = random.normal(size=STEPS + HORIZON)
    return {"y": 3 * x[:STEPS] + 0.1 * random.normal(size=STEPS), "x": x[HORIZON:]}


# --------------------------------------------------------------------------------------------------------- accuracy


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_a_future_covariate_improves_the_forecast(strategy):
    table, truth = ends(panel_of(driven), HORIZON)
    options = {**QUICK, "strategy": strategy, "context": 8, "horizon": HORIZON}
    assert error(table, truth, options, known="x") < 0.6 * error(table, truth, options)


@pytest.mark.parametrize("strategy", ["segment", "flatten"])
def test_a_leading_past_covariate_improves_the_forecast(strategy):
    table, truth = ends(panel_of(led), HORIZON)
    options = {**QUICK, "strategy": strategy, "context": 8, "horizon": HORIZON}
    assert error(table, truth, options, past="x") < 0.6 * error(table, truth, options)


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_a_static_category_distinguishes_two_kinds_of_series(strategy):
    def make(random):
        kind = random.integers(2)
        y = np.zeros(STEPS)
        for t in range(1, STEPS):
            y[t] = (0.98 if kind else -0.98) * y[t - 1] + random.normal()
        return {"y": y, "kind": ["swings", "wanders"][kind]}

    table, truth = ends(panel_of(make), 1)
    options = {**QUICK, "strategy": strategy, "context": 1, "horizon": 1, "scale": "standard"}
    assert error(table, truth, options, static="kind") < 0.6 * error(table, truth, options)


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_the_calendar_distinguishes_weekends_from_weekdays(strategy):
    def make(random):
        ds = pd.date_range("2024-01-01", periods=24 * 7 * 4 + 24 * random.integers(7), freq="h")
        y = 5 * np.cos(2 * np.pi * ds.hour / 24) - 20 * (ds.day_of_week >= 5) + random.normal(size=len(ds))
        return {"y": y}

    table, truth = ends(panel_of(make, freq="h", start="2024-01-01"), 24)
    options = {**QUICK, "strategy": strategy, "context": 24, "season": 24, "horizon": 24, "scale": "standard"}
    assert error(table, truth, options, calendar="day of week") < 0.6 * error(table, truth, options)


# ------------------------------------------------------------------------------------------------ future covariates


def fit_with_covariates(strategy="segment", **changes):
    """A fitted forecaster with every kind of covariates, its history, and the rows of the future."""
    table = panel_of(driven)
    table["promo"] = np.where(table["x"] > 1, "yes", "None")
    table["lead"] = table["x"] ** 2
    table["kind"] = np.where(table["unique_id"] < "s4", "a", "b")
    table, truth = ends(table, HORIZON)
    columns = {"past": "lead", "known": ["x", "promo"], "static": "kind", "calendar": True}
    columns |= {"past": ()} if strategy == "one-step" else {}
    model = Forecaster(**{**SMALL, "strategy": strategy, **changes})
    return model.fit(table[table["y"].notna()], **columns), table, truth.drop(columns=["y", "lead", "kind"]), columns


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_the_future_comes_from_a_table_or_from_the_end_of_the_history(strategy):
    model, table, future, columns = fit_with_covariates(strategy)
    forecast = model.predict(HORIZON, future=future)
    with_future = Forecaster(**model.get_params()).fit(table, **columns)
    pd.testing.assert_frame_equal(with_future.predict(HORIZON), forecast)
    pd.testing.assert_frame_equal(with_future.predict(2), with_future.predict(2, future=future.sample(frac=1)))
    pd.testing.assert_frame_equal(with_future.sample(HORIZON, 3), model.sample(HORIZON, 3, future=future))
    changed = future.assign(x=future["x"] + 1)
    assert (model.predict(HORIZON, future=changed)["LSTM"] != forecast["LSTM"]).all()
    assert (
        with_future.predict(HORIZON, future=changed)["LSTM"] != forecast["LSTM"]
    ).all()  # the table takes precedence


def test_missing_future_rows_are_named():
    model, table, future, columns = fit_with_covariates()
    message = r"'s0'.*needs the known covariates 'x', 'promo' for 2020-04-06 to 2020-04-09.*none of them"
    with pytest.raises(DataError, match=message):
        model.predict(HORIZON)
    with pytest.raises(DataError, match="all but 1 date: 2020-04-07"):
        model.predict(HORIZON, future=future.drop(index=1))
    with pytest.raises(DataError, match=r"row 3 .*promo.*'maybe' is a new category"):
        model.predict(HORIZON, future=future.assign(promo=["yes"] * 2 + ["maybe"] * (len(future) - 2)))
    longer = Forecaster(**{**model.get_params(), "horizon": 9}).fit(table, **columns)
    with pytest.raises(
        DataError,
        match=r"2020-04-10 .5 dates., but the history has the first 4 dates .7 more series with missing dates",
    ):
        longer.predict(HORIZON + 1)


def test_a_future_covariate_beyond_float32_is_named():
    model, _, future, _ = fit_with_covariates()
    huge = future["x"].mask(future.index == future.index[1], 1e60)
    with pytest.raises(
        DataError, match="future covariate 'x' is 1e\\+60 in forecast step 2, too far from its training values"
    ):
        model.predict(HORIZON, future=future.assign(x=huge))


def test_a_future_is_rejected_without_future_covariates_and_the_calendar_needs_none():
    table = panel_of(driven)[["unique_id", "ds", "y"]]
    for columns in ({}, {"calendar": True}):
        model = Forecaster(**SMALL, strategy="flatten").fit(table, **columns)
        assert len(model.predict(HORIZON)) == SERIES * HORIZON
        with pytest.raises(DataError, match="no covariates are known in advance"):
            model.predict(HORIZON, future=table)


# -------------------------------------------------------------------------------------------------- other tables


def test_another_table_is_read_with_the_same_columns_and_categories():
    model, table, _, columns = fit_with_covariates()
    names = {"unique_id": "shop", "ds": "day", "y": "sold"}
    model.fit(table.rename(columns=names).assign(other=1.0), target_column="sold", id_column="shop", **columns)
    forecast = model.predict(HORIZON)
    part = table[table["unique_id"].isin(["s1", "s5"])].rename(columns=names)  # promo may have one value only
    repeated = model.predict(HORIZON, table=part.assign(other=1.0))
    expected = forecast[forecast["unique_id"].isin(["s1", "s5"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(repeated, expected, rtol=1e-4)
    with pytest.raises(DataError, match="static covariate 'kind': 'c' is a new category"):
        model.predict(HORIZON, table=part.assign(kind="c", other=1.0))
    with pytest.raises(DataError, match="covariate 'lead' is not among the columns"):
        model.predict(HORIZON, table=part.drop(columns="lead"))
    with pytest.raises(DataError, match="the series have no covariates, but the model was trained on past covariates"):
        model.predict(HORIZON, table=read(part.dropna(), id_column="shop", target_column="sold", time_column="day"))
    with pytest.raises(DataError, match="the covariates differ from those of the earlier series"):
        model.update(part, known="x")


def test_an_update_continues_the_features_too():
    model, table, future, columns = fit_with_covariates()
    longer = table[table["y"].notna()]
    rank = longer.groupby("unique_id").cumcount()
    model.fit(longer[rank < 80], **columns)
    other = Forecaster(**model.get_params()).fit(longer[rank < 80], **columns)
    forecast = model.update(longer[rank >= 80]).predict(HORIZON, future=future)
    pd.testing.assert_frame_equal(forecast, other.update(longer, **columns).predict(HORIZON, future=future))
    pd.testing.assert_frame_equal(forecast, other.predict(HORIZON, table=longer, future=future))


def test_polars_and_wide_tables_give_the_same_forecasts():
    table, _ = ends(panel_of(driven).query("unique_id < 's2'"), HORIZON)
    x = table["x"].to_numpy()[:STEPS]
    wide = pd.DataFrame(
        {"ds": table["ds"][:STEPS], **{name: part["y"].to_numpy() for name, part in table.groupby("unique_id")}, "x": x}
    )
    shared = table.assign(x=np.tile(x, 2))
    model = Forecaster(**SMALL, strategy="segment")
    expected = model.fit(shared, known="x").predict(HORIZON)
    assert model.fit(pl.from_dicts(shared.to_dict("records")), known="x").predict(HORIZON)["LSTM"].to_list() == list(
        expected["LSTM"]
    )
    forecast = model.fit(wide[: STEPS - HORIZON], layout="columns", known="x").predict(
        HORIZON, future=wide[["ds", "x"]]
    )
    pd.testing.assert_frame_equal(forecast, expected)
    pd.testing.assert_frame_equal(model.predict(HORIZON, table=wide), expected)


# --------------------------------------------------------------------------------------------------------- limits


def test_past_covariates_are_rejected_where_future_values_would_be_needed(monkeypatch):
    model, table, future, columns = fit_with_covariates()
    with pytest.raises(DataError, match=r"horizon 5: the network forecasts 4 .*'lead'; fit with Forecaster.horizon=5."):
        model.predict(HORIZON + 1, future=future)
    monkeypatch.setattr(selection, "Dataset", None)  # nothing is trained
    with pytest.raises(
        DataError, match=r"strategy='one-step' feeds its forecasts back.*unknown; use.*'segment' or 'flatten'.*known="
    ):
        Forecaster(**SMALL, strategy="one-step").fit(table, **columns)


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("strategy", ["segment", "flatten"])
def test_a_backtest_uses_only_the_future_covariates_of_the_test_windows(strategy, refit):
    model, table, _, columns = fit_with_covariates(strategy)
    table = table[table["y"].notna()].reset_index(drop=True)
    after = table.groupby("unique_id").cumcount(ascending=False) < HORIZON

    def forecasts(changed):
        return model.backtest(changed, HORIZON, windows=1, level=(), refit=refit, **columns).held.mean

    forecast = forecasts(table)
    for column in ("y", "lead"):
        np.testing.assert_array_equal(forecasts(table.assign(**{column: table[column] + 1e3 * after})), forecast)
    assert (forecasts(table.assign(x=table["x"] + after)) != forecast).any(1).all()
