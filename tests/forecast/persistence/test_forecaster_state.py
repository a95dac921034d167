"""Forecasters kept in files: the same bits afterwards, whatever they were trained on."""

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
from gatewise.persistence import file as storage
from gatewise.series import ExcludedSeries, Panel, Series, read
from tests.forecast.persistence.tables import COVARIATES, QUICK, beside, broken, shop, table, values

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
    "whole numbers": pd.DataFrame({"t": np.arange(-10, 260, 3), "y": values()}),
    "an array": values(),
    "a number for a name": table(unique_id=7),
    "a strange name": table(unique_id='é"\\ \u202f{}'),
    "polars dates": of_days(),
    "polars dates as objects": of_days().with_columns(pl.Series("ds", pd.date_range("2024-01-01", periods=90).date)),
    "polars hours of a zone": pl.DataFrame({"ds": pl.Series(table(freq="h", tz="Asia/Tokyo")["ds"]), "y": values()}),
    "polars array": pl.Series("y", values()),
}


def same_table(one, other):
    assert type(one) is type(other)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    else:
        assert one.schema == other.schema
        assert one.equals(other, null_equal=True)


def svg(figure, folder):
    return plot.save(figure, folder / "figure.svg").read_bytes()


def check_same(model, again):
    same_table(model.predict(9, level=(50, 80, 99.9)), again.predict(9, level=(50, 80, 99.9)))
    same_table(model.fitted(), again.fitted())
    assert (model.guesses, model.summary(), model.history) == (again.guesses, again.summary(), again.history)
    assert (repr(model), model.get_params()) == (repr(again), again.get_params())


def kept(model, folder):
    model.save(folder / "model.safetensors")
    return Forecaster.load(folder / "model.safetensors")


@pytest.mark.parametrize("data", DATA)
def test_every_kind_of_data_comes_back(tmp_path, data):
    model = Forecaster(**QUICK).fit(DATA[data], **({"fill": "interpolate"} if data == "gaps" else {}))
    check_same(model, kept(model, tmp_path))


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
def test_every_kind_of_model_comes_back(tmp_path, cell, options):
    model = Forecaster(cell, **{**QUICK, **options}).fit(table())
    again = kept(model, tmp_path)
    check_same(model, again)
    assert again.engine == options.get("engine", "auto")


def test_every_figure_is_the_same(tmp_path):
    pytest.importorskip("matplotlib")
    model = Forecaster(**QUICK).fit(gaps(), fill="previous")
    again = kept(model, tmp_path)
    for kind in KINDS:
        assert svg(model.plot(kind=kind), tmp_path) == svg(again.plot(kind=kind), tmp_path), kind


def test_filled_values_are_still_known(tmp_path):
    model = Forecaster(**QUICK).fit(gaps(), fill="zero")
    again = kept(model, tmp_path)
    assert again.state.panel.series[0].filled.tolist() == model.state.panel.series[0].filled.tolist()
    assert again.state.panel.series[0].filled.sum() == 3


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
    wanted = (model.predict(9)[f"{model.name}-hi-95"], model.fitted()[model.name])
    assert output == [column.to_numpy().tobytes().hex() for column in wanted]


def test_several_threads_load_at_once(tmp_path):
    model = Forecaster(**QUICK).fit(table())
    model.save(tmp_path / "model")
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(Forecaster.load(tmp_path / "model").predict(9))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert all(one.equals(model.predict(9)) for one in made)


def test_saving_before_fit_is_an_error_and_writes_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="not fitted; call fit"):
        Forecaster().save(tmp_path / "model")
    with pytest.raises(RuntimeError, match="not fitted; call fit"):
        Forecaster().update(table())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (table(unique_id=pd.Timestamp("2000-01-01")), "names that are text or numbers, .*; rename the series"),
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
    """Two series whose times interleave, and one that shares the first one's."""
    steps = {"A": np.arange(0, 270, 3), "B": np.arange(1, 270, 3), "C": np.arange(30, 270, 3)}
    return pd.concat([pd.DataFrame({"unique_id": name, "t": t, "y": values(len(t))}) for name, t in steps.items()])


MANY = {
    "lengths": (shop(), {}),
    "filled": (shop().drop(index=[20, 100, 101]), {"fill": "interpolate"}),
    "a time zone": (shop(freq="h", tz="Europe/Berlin"), {}),
    "seconds": (shop(freq="15min").astype({"ds": "datetime64[s]"}), {}),
    "polars": (pl.from_pandas(shop()), {}),
    "polars dates": (pl.concat([of_days(), of_days().head(50).with_columns(unique_id=pl.lit("B"))]), {}),
    "polars categories": (
        pl.from_pandas(broken()).with_columns(pl.col("unique_id").cast(pl.Categorical)),
        {"on_bad": "naive"},
    ),
    "polars enum": (pl.from_pandas(shop()).with_columns(pl.col("unique_id").cast(pl.Enum(list("ZCBA")))), {}),
    "pandas categories": (shop().astype({"unique_id": pd.CategoricalDtype(list("ZCBA"), ordered=True)}), {}),
    "whole numbers": (whole_numbers(), {}),
    "numbers for names": (shop().assign(unique_id=lambda one: one["unique_id"].map(ord)), {}),
    "bad ones skipped": (broken(), {"on_bad": "skip"}),
    "bad ones forecast naively": (broken(), {"on_bad": "naive"}),
}


@pytest.mark.parametrize("data", MANY)
def test_every_kind_of_many_series_comes_back(tmp_path, data):
    rows, columns = MANY[data]
    model = Forecaster(strategy="segment", **QUICK).fit(rows, **columns)
    again = kept(model, tmp_path)
    check_same(model, again)
    same_table(model.excluded(), again.excluded())
    for one, other in zip(model.state.panel.series, again.state.panel.series, strict=True):
        assert one.ds.equals(other.ds)
        assert one.ds.dtype == other.ds.dtype
        np.testing.assert_array_equal(one.y, other.y)
        np.testing.assert_array_equal(np.bool_(one.filled), np.bool_(other.filled))
    assert again.state.panel.on_bad == model.state.panel.on_bad
    assert again.state.panel.categorical == model.state.panel.categorical
    assert bool(again.state.panel.categorical) == (data.endswith(("categories", "enum")))


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
def test_every_strategy_of_many_series_comes_back(tmp_path, strategy, cell, options):
    model = Forecaster(cell, strategy=strategy, **{**QUICK, **options}).fit(shop((90, 60)))
    again = kept(model, tmp_path)
    check_same(model, again)
    same_table(model.sample(7, 3, seed=1), again.sample(7, 3, seed=1))
    assert again.state.selection.baseline.name == model.state.selection.baseline.name
    assert again.state.selection.baseline.error == model.state.selection.baseline.error
    assert again.state.selection.ensemble.scaling.difference == model.state.selection.ensemble.scaling.difference
    assert again.state.selection.configuration == model.state.selection.configuration


@pytest.mark.parametrize("strategy", ["one-step", "segment", "flatten"])
def test_covariates_come_back(tmp_path, strategy):
    columns = COVARIATES | ({"past": ()} if strategy == "one-step" else {})
    panel = read(beside((12, 10)), **columns)
    model = Forecaster(strategy=strategy, horizon=9, **QUICK).fit(panel)
    again = kept(model, tmp_path)
    check_same(model, again)
    assert again.state.panel.covariates == panel.covariates
    assert again.state.panel.covariates.read_by == panel.covariates.read_by
    assert [len(one.ahead) for one in again.state.panel.series] == [12, 10]
    for one, other in zip(panel.series, again.state.panel.series, strict=True):
        for name in ("past", "known", "static", "ahead"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_some_series_have_no_future_covariates(tmp_path):
    whole = beside((12, 9))
    model = Forecaster(strategy="segment", **QUICK).fit(whole.drop(index=whole.index[-9:]), **COVARIATES)
    again = kept(model, tmp_path)
    assert [one.ahead is None for one in again.state.panel.series] == [False, True]
    with pytest.raises(DataError, match="series 'B' needs the known covariates 'promotion', 'heat'"):
        again.predict(9)
    same_table(model.predict(9, future=whole), again.predict(9, future=whole))
    kept(Forecaster(strategy="segment", **QUICK).fit(whole[whole["y"].notna()], **COVARIATES), tmp_path)
    assert "ahead" not in storage.load(tmp_path / "model.safetensors", "Forecaster")[1]


def test_a_dropout_that_was_chosen_comes_back(tmp_path):
    model = Forecaster(strategy="segment", **QUICK).fit(shop())
    model.save(tmp_path / "model")
    content, arrays = storage.load(tmp_path / "model", "Forecaster")
    content["arguments"]["dropout"] = None
    content["scaling"]["dropout"] = 0.25
    storage.save(tmp_path / "model", "Forecaster", content, arrays)
    again = Forecaster.load(tmp_path / "model")
    same_table(model.predict(9), again.predict(9))
    assert [network.network.dropout.p for network in again.state.selection.ensemble.networks] == [0.25, 0.25]


def test_shared_dates_are_stored_once(tmp_path):
    kept(Forecaster(**QUICK).fit(shop()), tmp_path)
    _, arrays = storage.load(tmp_path / "model.safetensors", "Forecaster")
    assert arrays["ds"].shape == (90,)
    assert arrays["starts"].tolist() == [0, 20, 45]
    kept(Forecaster(**QUICK).fit(whole_numbers()), tmp_path)
    _, arrays = storage.load(tmp_path / "model.safetensors", "Forecaster")
    assert arrays["ds"].shape == arrays["y"].shape  # one lies between the other's: each stands for itself
    assert "filled" not in arrays


def test_dates_of_several_units_are_stored_in_the_finest(tmp_path):
    ds = pd.date_range("2000-01-01", periods=90, freq="MS")
    series = [Series(name, ds.as_unit(unit), values()) for name, unit in {"A": "s", "B": "ms"}.items()]
    model = Forecaster(**QUICK).fit(Panel(tuple(series), "MS"))
    again = kept(model, tmp_path)
    same_table(model.predict(3), again.predict(3))
    assert {one.ds.unit for one in again.state.panel.series} == {"ms"}


def test_sentences_are_stored_without_control_characters(tmp_path):
    panel = read(broken(), on_bad="naive")
    bad = tuple(ExcludedSeries(one.unique_id, "\x1b[2Jgone\n", one.series) for one in panel.excluded_series)
    panel = replace(panel, guesses=("\x1b]0;title\x07",), excluded_series=bad)
    again = kept(Forecaster(**QUICK).fit(panel), tmp_path)
    assert again.guesses[0] == "\\x1b]0;title\\x07"
    assert set(again.excluded()["reason"]) >= {"\\x1b[2Jgone\\n"}


# ------------------------------------------------------------------------------------------------ a newer history


def test_a_newer_history_is_forecast_by_the_same_networks(tmp_path):
    model = Forecaster(**QUICK).fit(table(80))
    again = kept(model, tmp_path)
    newer = table(85).tail(60)
    same_table(again.predict(3, table=newer), model.predict(3, table=newer))


def test_an_updated_model_is_saved(tmp_path):
    model = Forecaster(**QUICK).fit(shop(freq="D"))
    again = kept(model, tmp_path)
    newer = pd.concat([table(95, "D").tail(20), table(95, "D", unique_id="new")])
    same_table(again.update(newer, max_steps=2).predict(3), model.update(newer, max_steps=2).predict(3))
    assert again.guesses == model.guesses
    check_same(again, kept(again, tmp_path))


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
    one = {"context": np.int64(8), "season": np.int32(2), "difference": np.int64(1), "hidden_size": np.int64(4)}
    model = Forecaster(
        **one, max_steps=np.int64(5), ensemble_size=np.int64(1), seed=np.int64(3), dropout=np.int64(0)
    ).fit(y)
    model.save(tmp_path / "kept.safetensors")
    again = Forecaster.load(tmp_path / "kept.safetensors")
    pd.testing.assert_frame_equal(again.predict(3), model.predict(3), check_exact=True)
