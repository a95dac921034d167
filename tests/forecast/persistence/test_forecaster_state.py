"""Saved forecasters: loading restores the same bits for every kind of data and model."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import DataError, Forecaster, datasets, plot
from gatewise.persistence import file as file_format
from gatewise.series import ExcludedSeries, Panel, Series, read
from tests.forecast.persistence.tables import (
    COVARIATES,
    QUICK,
    covariate_table,
    invalid_table,
    ragged_table,
    table,
    values,
)

KINDS = ("forecast", "series", "differences", "approximation", "learning_curve", "gates")


def gaps():
    return table().drop([40, 41, 60])


def of_days():
    days = list(pd.date_range("2024-01-01", periods=90).date)
    return pl.DataFrame({"unique_id": ["A"] * 90, "ds": days, "y": values()})


DATA = {
    "months": table(),
    "gaps": gaps(),
    "hours of a zone": table(freq="h", tz="Europe/Berlin"),
    "hours of UTC": table(freq="h", tz="UTC"),
    "an offset": table(freq="D", tz="+05:30"),
    "nanoseconds": table(freq="D").astype({"ds": "datetime64[ns]"}),
    "seconds": table(freq="15min").astype({"ds": "datetime64[s]"}),
    "integers": pd.DataFrame({"t": np.arange(-10, 260, 3), "y": values()}),
    "an array": values(),
    "a number for a name": table(unique_id=7),
    "a strange name": table(unique_id='é"\\ \u202f{}'),
    "polars dates": of_days(),
    "polars dates as objects": of_days().with_columns(pl.Series("ds", pd.date_range("2024-01-01", periods=90).date)),
    "polars hours of a zone": pl.DataFrame({"ds": pl.Series(table(freq="h", tz="Asia/Tokyo")["ds"]), "y": values()}),
    "polars array": pl.Series("y", values()),
}


def same_table(table_before, table_after):
    assert type(table_before) is type(table_after)
    if isinstance(table_before, pd.DataFrame):
        pd.testing.assert_frame_equal(table_before, table_after, check_exact=True)
    else:
        assert table_before.schema == table_after.schema
        assert table_before.equals(table_after, null_equal=True)


def svg(figure, folder):
    return plot.save(figure, folder / "figure.svg").read_bytes()


def check_same(model, loaded):
    same_table(model.predict(9, level=(50, 80, 99.9)), loaded.predict(9, level=(50, 80, 99.9)))
    same_table(model.fitted(), loaded.fitted())
    assert (model.guesses, model.summary(), model.history) == (loaded.guesses, loaded.summary(), loaded.history)
    assert (repr(model), model.get_params()) == (repr(loaded), loaded.get_params())


def saved_and_loaded(model, folder):
    model.save(folder / "model.safetensors")
    return Forecaster.load(folder / "model.safetensors")


@pytest.mark.parametrize("data", DATA)
def test_every_kind_of_data_is_restored(tmp_path, data):
    model = Forecaster(**QUICK).fit(DATA[data], **({"fill": "interpolate"} if data == "gaps" else {}))
    check_same(model, saved_and_loaded(model, tmp_path))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(
    "options",
    [
        {"num_layers": 2, "ensemble_size": 3},
        {"difference": 1, "seasonal_difference": 1, "scale": "standard"},
        {"scale": "minmax", "season": 1, "engine": "reference"},
        {"scale": "robust", "context": 5, "season": 4, "strategy": "one-step", "engine": "aten"},
        {"scale": "none", "loss": "mse", "lr": np.float32(0.001), "seed": np.int64(3), "difference": 2},
    ],
)
def test_every_kind_of_model_is_restored(tmp_path, cell, options):
    model = Forecaster(cell, **{**QUICK, **options}).fit(table())
    loaded = saved_and_loaded(model, tmp_path)
    check_same(model, loaded)
    assert loaded.engine == options.get("engine", "auto")


def test_every_figure_is_the_same(tmp_path):
    pytest.importorskip("matplotlib")
    model = Forecaster(**QUICK).fit(gaps(), fill="previous")
    loaded = saved_and_loaded(model, tmp_path)
    for kind in KINDS:
        assert svg(model.plot(kind=kind), tmp_path) == svg(loaded.plot(kind=kind), tmp_path), kind


def test_filled_values_stay_marked(tmp_path):
    model = Forecaster(**QUICK).fit(gaps(), fill="zero")
    loaded = saved_and_loaded(model, tmp_path)
    assert loaded.state.panel.series[0].filled.tolist() == model.state.panel.series[0].filled.tolist()
    assert loaded.state.panel.series[0].filled.sum() == 3


def test_a_loaded_model_is_saved_with_the_same_bytes(tmp_path):
    model = Forecaster(**QUICK).fit(table())
    model.save(tmp_path / "first")
    Forecaster.load(tmp_path / "first").save(tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_fresh_process_forecasts_the_same_bits_on_any_number_of_threads(tmp_path, cell, threads):
    model = Forecaster(cell, **{**QUICK, "hidden_size": 32}).fit(table())
    model.save(tmp_path / "model")
    script = (
        "import sys, torch; torch.set_num_threads(int(sys.argv[2])); from gatewise import Forecaster; "
        "model = Forecaster.load(sys.argv[1]); name = model.name; "
        "print(model.predict(9)[f'{name}-hi-95'].to_numpy().tobytes().hex()); "
        "print(model.fitted()[name].to_numpy().tobytes().hex())"
    )
    output = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "model"), str(threads)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
    ).stdout.split()
    expected = (model.predict(9)[f"{model.name}-hi-95"], model.fitted()[model.name])
    assert output == [column.to_numpy().tobytes().hex() for column in expected]


def test_several_threads_load_at_once(tmp_path):
    model = Forecaster(**QUICK).fit(table())
    model.save(tmp_path / "model")
    forecasts = []
    threads = [
        threading.Thread(target=lambda: forecasts.append(Forecaster.load(tmp_path / "model").predict(9)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(forecasts) == 4
    assert all(forecast.equals(model.predict(9)) for forecast in forecasts)


def test_saving_before_fit_is_an_error_and_writes_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="not fitted; call fit"):
        Forecaster().save(tmp_path / "model")
    with pytest.raises(RuntimeError, match="not fitted; call fit"):
        Forecaster().update(table())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            table(unique_id=pd.Timestamp("2000-01-01")),
            "only text, booleans, floats and integers .* as names; rename the",
        ),
        (table(unique_id=np.inf), "can hold only finite numbers as names; rename the series"),
        (table(unique_id="\x1b[31m"), r"series '\\x1b\[31m': a file can hold only names without control characters"),
        (table(tz="dateutil/Europe/Berlin", freq="h"), "cannot hold dates in the time zone tzfile"),
    ],
)
def test_names_and_zones_that_a_file_cannot_hold_are_refused(tmp_path, data, message):
    model = Forecaster(**QUICK).fit(data)
    with pytest.raises(ValueError, match=message):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------------------------- many series


def whole_numbers():
    """Two series with interleaved times, and a third with times of the first."""
    steps = {"A": np.arange(0, 270, 3), "B": np.arange(1, 270, 3), "C": np.arange(30, 270, 3)}
    return pd.concat([pd.DataFrame({"unique_id": name, "t": t, "y": values(len(t))}) for name, t in steps.items()])


MANY = {
    "lengths": (ragged_table(), {}),
    "filled": (ragged_table().drop(index=[20, 100, 101]), {"fill": "interpolate"}),
    "a time zone": (ragged_table(freq="h", tz="Europe/Berlin"), {}),
    "seconds": (ragged_table(freq="15min").astype({"ds": "datetime64[s]"}), {}),
    "polars": (pl.from_pandas(ragged_table()), {}),
    "polars dates": (pl.concat([of_days(), of_days().head(50).with_columns(unique_id=pl.lit("B"))]), {}),
    "polars categories": (
        pl.from_pandas(invalid_table()).with_columns(pl.col("unique_id").cast(pl.Categorical)),
        {"on_bad": "naive"},
    ),
    "polars enum": (pl.from_pandas(ragged_table()).with_columns(pl.col("unique_id").cast(pl.Enum(list("ZCBA")))), {}),
    "pandas categories": (ragged_table().astype({"unique_id": pd.CategoricalDtype(list("ZCBA"), ordered=True)}), {}),
    "integers": (whole_numbers(), {}),
    "numbers for names": (ragged_table().assign(unique_id=lambda rows: rows["unique_id"].map(ord)), {}),
    "invalid ones excluded": (invalid_table(), {"on_bad": "skip"}),
    "invalid ones forecast naively": (invalid_table(), {"on_bad": "naive"}),
}


@pytest.mark.parametrize("data", MANY)
def test_every_kind_of_many_series_is_restored(tmp_path, data):
    rows, columns = MANY[data]
    model = Forecaster(strategy="segment", **QUICK).fit(rows, **columns)
    loaded = saved_and_loaded(model, tmp_path)
    check_same(model, loaded)
    same_table(model.excluded(), loaded.excluded())
    for series, other in zip(model.state.panel.series, loaded.state.panel.series, strict=True):
        assert series.ds.equals(other.ds)
        assert series.ds.dtype == other.ds.dtype
        np.testing.assert_array_equal(series.y, other.y)
        np.testing.assert_array_equal(np.bool_(series.filled), np.bool_(other.filled))
    assert loaded.state.panel.on_bad == model.state.panel.on_bad
    assert loaded.state.panel.categorical == model.state.panel.categorical
    assert bool(loaded.state.panel.categorical) == (data.endswith(("categories", "enum")))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "horizon": 5,
            "difference": 1,
            "scale": "standard",
            "fallback": "naive",
            "max_steps": 1,
        },
        {"seasonal_difference": 1, "scale": "robust", "season": 4, "context": 10, "num_layers": 2},
    ],
)
def test_every_strategy_of_many_series_is_restored(tmp_path, strategy, cell, options):
    model = Forecaster(cell, strategy=strategy, **{**QUICK, **options}).fit(ragged_table((90, 60)))
    loaded = saved_and_loaded(model, tmp_path)
    check_same(model, loaded)
    same_table(model.sample(7, 3, seed=1), loaded.sample(7, 3, seed=1))
    assert loaded.state.selection.delivered.error == model.state.selection.delivered.error
    assert loaded.state.selection.ensemble.scaling.difference == model.state.selection.ensemble.scaling.difference
    assert loaded.state.selection.configuration == model.state.selection.configuration


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_covariates_are_restored(tmp_path, strategy):
    columns = COVARIATES | ({"past": ()} if strategy == "one-step" else {})
    panel = read(covariate_table((12, 10)), **columns)
    model = Forecaster(strategy=strategy, horizon=9, **QUICK).fit(panel)
    loaded = saved_and_loaded(model, tmp_path)
    check_same(model, loaded)
    assert loaded.state.panel.covariates == panel.covariates
    assert loaded.state.panel.covariates.read_by == panel.covariates.read_by
    assert [len(series.ahead) for series in loaded.state.panel.series] == [12, 10]
    for series, other in zip(panel.series, loaded.state.panel.series, strict=True):
        for name in ("past", "known", "static", "ahead"):
            np.testing.assert_array_equal(getattr(series, name), getattr(other, name))


def test_some_series_have_no_future_covariates(tmp_path):
    rows = covariate_table((12, 9))
    model = Forecaster(strategy="segment", **QUICK).fit(rows.drop(index=rows.index[-9:]), **COVARIATES)
    loaded = saved_and_loaded(model, tmp_path)
    assert [series.ahead is None for series in loaded.state.panel.series] == [False, True]
    with pytest.raises(
        DataError,
        match="series 'B' ends on 2007-05-01, before the others, and needs the known covariates 'promotion', 'heat'",
    ):
        loaded.predict(9)
    same_table(model.predict(9, future=rows), loaded.predict(9, future=rows))
    saved_and_loaded(Forecaster(strategy="segment", **QUICK).fit(rows[rows["y"].notna()], **COVARIATES), tmp_path)
    assert "ahead" not in file_format.load(tmp_path / "model.safetensors", "Forecaster")[1]


def test_an_automatic_dropout_is_restored(tmp_path):
    model = Forecaster(strategy="segment", **QUICK).fit(ragged_table())
    model.save(tmp_path / "model")
    content, arrays = file_format.load(tmp_path / "model", "Forecaster")
    content["arguments"]["dropout"] = None
    content["scaling"]["dropout"] = 0.25
    file_format.save(tmp_path / "model", "Forecaster", content, arrays)
    loaded = Forecaster.load(tmp_path / "model")
    same_table(model.predict(9), loaded.predict(9))
    assert [network.network.dropout.p for network in loaded.state.selection.ensemble.networks] == [0.25, 0.25]


def test_shared_dates_are_stored_once(tmp_path):
    saved_and_loaded(Forecaster(**QUICK).fit(ragged_table()), tmp_path)
    _, arrays = file_format.load(tmp_path / "model.safetensors", "Forecaster")
    assert arrays["ds"].shape == (90,)
    assert arrays["starts"].tolist() == [0, 20, 45]
    saved_and_loaded(Forecaster(**QUICK).fit(whole_numbers()), tmp_path)
    _, arrays = file_format.load(tmp_path / "model.safetensors", "Forecaster")
    assert arrays["ds"].shape == arrays["y"].shape  # the calendars interleave, so each is stored
    assert "filled" not in arrays


def test_dates_of_several_units_are_stored_in_the_finest(tmp_path):
    ds = pd.date_range("2000-01-01", periods=90, freq="MS")
    series = [Series(name, ds.as_unit(unit), values()) for name, unit in {"A": "s", "B": "ms"}.items()]
    model = Forecaster(**QUICK).fit(Panel(tuple(series), "MS"))
    loaded = saved_and_loaded(model, tmp_path)
    same_table(model.predict(3), loaded.predict(3))
    assert {one_series.ds.unit for one_series in loaded.state.panel.series} == {"ms"}


def test_sentences_are_stored_without_control_characters(tmp_path):
    panel = read(invalid_table(), on_bad="naive")
    excluded = tuple(ExcludedSeries(entry.unique_id, "\x1b[2Jgone\n", entry.series) for entry in panel.excluded_series)
    panel = replace(panel, guesses=("\x1b]0;title\x07",), excluded_series=excluded)
    loaded = saved_and_loaded(Forecaster(**QUICK).fit(panel), tmp_path)
    assert loaded.guesses[0] == "\\x1b]0;title\\x07"
    assert set(loaded.excluded()["reason"]) >= {"\\x1b[2Jgone\\n"}


# ------------------------------------------------------------------------------------------------ a newer history


def test_a_newer_history_is_forecast_by_the_same_networks(tmp_path):
    model = Forecaster(**QUICK).fit(table(80))
    loaded = saved_and_loaded(model, tmp_path)
    newer = table(85).tail(60)
    same_table(loaded.predict(3, table=newer), model.predict(3, table=newer))


def test_an_updated_model_is_saved(tmp_path):
    model = Forecaster(**QUICK).fit(ragged_table(freq="D"))
    loaded = saved_and_loaded(model, tmp_path)
    newer = pd.concat([table(95, "D").tail(20), table(95, "D", unique_id="new")])
    same_table(loaded.update(newer, max_steps=2).predict(3), model.update(newer, max_steps=2).predict(3))
    assert loaded.guesses == model.guesses
    check_same(loaded, saved_and_loaded(loaded, tmp_path))


def test_the_file_describes_itself_in_json(tmp_path):
    Forecaster(strategy="one-step", **QUICK).fit(datasets.air_passengers()).save(tmp_path / "model")
    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(tmp_path / "model", "np") as file:
        document = json.loads(file.metadata()["gatewise"])
        assert file.get_tensor("names").tobytes() == b'["AirPassengers"]'
    assert document["kind"] == "Forecaster"
    assert document["content"]["arguments"]["hidden_size"] == 5
    assert document["content"]["scaling"]["strategy"] == "one-step"


def test_integers_of_numpy_are_stored(tmp_path):
    y = np.sin(np.arange(80.0))
    sizes = {"context": np.int64(8), "season": np.int32(2), "difference": np.int64(1), "hidden_size": np.int64(4)}
    model = Forecaster(
        **sizes, max_steps=np.int64(5), ensemble_size=np.int64(1), seed=np.int64(3), dropout=np.int64(0)
    ).fit(y)
    model.save(tmp_path / "model.safetensors")
    loaded = Forecaster.load(tmp_path / "model.safetensors")
    pd.testing.assert_frame_equal(loaded.predict(3), model.predict(3), check_exact=True)
