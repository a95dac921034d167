"""Forecasters kept in files: the same bits afterwards, and nothing else is let in."""

import copy
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import DataError, Forecaster, datasets, plot, storage
from gatewise.storage import FormatError

QUICK = {"hidden_size": 5, "updates": 6, "networks": 2, "batch_size": 32}
KINDS = ("forecast", "series", "differences", "approximation", "learning_curve", "gates")


def values(n=90, season=12):
    x = np.arange(n)
    return 50 + 0.3 * x + 10 * np.sin(2 * np.pi * x / season) + np.random.default_rng(0).normal(size=n)


def table(n=90, freq="MS", start="2000-01-01", tz=None, unique_id="A"):
    return pd.DataFrame(
        {"unique_id": unique_id, "ds": pd.date_range(start, periods=n, freq=freq, tz=tz), "y": values(n)}
    )


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
    "a strange name": table(unique_id='é"\n'),
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


def picture(figure, folder):
    return plot.save(figure, folder / "picture.svg").read_bytes()


def check_same(model, again, folder):
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
    check_same(model, kept(model, tmp_path), tmp_path)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(
    "options",
    [
        {"num_layers": 2, "networks": 3},
        {"difference": 1, "seasonal_difference": 1, "scale": "standard"},
        {"scale": "minmax", "season": 1, "engine": "reference"},
        {"scale": "robust", "context": 5, "season": 4, "strategy": "one-step", "engine": "aten"},
        {"scale": "none", "loss": "mse", "lr": np.float32(0.001), "seed": np.int64(3), "difference": 2},
    ],
)
def test_every_kind_of_model_comes_back(tmp_path, cell, options):
    model = Forecaster(cell, **{**QUICK, **options}).fit(table())
    again = kept(model, tmp_path)
    check_same(model, again, tmp_path)
    assert again.engine == options.get("engine", "auto")


def test_every_picture_is_the_same(tmp_path):
    pytest.importorskip("matplotlib")
    model = Forecaster(**QUICK).fit(gaps(), fill="previous")
    again = kept(model, tmp_path)
    for kind in KINDS:
        assert picture(model.plot(kind=kind), tmp_path) == picture(again.plot(kind=kind), tmp_path), kind


def test_what_was_filled_in_is_still_known(tmp_path):
    model = Forecaster(**QUICK).fit(gaps(), fill="zero")
    again = kept(model, tmp_path)
    assert again._panel.series[0].filled.tolist() == model._panel.series[0].filled.tolist()
    assert again._panel.series[0].filled.sum() == 3


def test_a_loaded_model_is_kept_and_loaded_again(tmp_path):
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
    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "model"), str(threads)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
    ).stdout.split()
    wanted = (model.predict(9)[f"{model.name}-hi-95"], model.fitted()[model.name])
    assert said == [column.to_numpy().tobytes().hex() for column in wanted]


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
        (table(unique_id=pd.Timestamp("2000-01-01")), "names that are text or numbers; rename the series"),
        (table(tz="dateutil/Europe/Berlin", freq="h"), "cannot keep dates in the time zone tzfile"),
    ],
)
def test_what_a_file_cannot_keep_is_refused(tmp_path, data, message):
    model = Forecaster(**QUICK).fit(data)
    with pytest.raises(ValueError, match=message):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------ a newer history


def test_a_newer_history_is_forecast_without_training(monkeypatch):
    model = Forecaster(**QUICK).fit(table(80))
    before = {name: copy.deepcopy(network.state_dict()) for name, network in enumerate(model._model.networks)}
    chosen = model.guesses[-3:]
    monkeypatch.setattr("gatewise.forecast.one_step.fit", lambda *_, **__: pytest.fail("it trained"))
    newer = pl.from_pandas(table(85).tail(60))
    assert model.update(newer) is model
    made = model.predict(3)
    assert isinstance(made, pl.DataFrame)
    assert made["ds"].dt.strftime("%Y-%m").to_list() == ["2007-02", "2007-03", "2007-04"]
    direct = model._model.extrapolate(newer["y"].to_numpy()[None], 3)[0]
    np.testing.assert_array_equal(made["LSTM"].to_numpy(), direct)
    assert "inferred from 60 dates" in " ".join(model.guesses)
    assert model.guesses[-3:] == chosen
    for name, state in before.items():
        for weight, tensor in model._model.networks[name].state_dict().items():
            assert (tensor == state[weight]).all()


@pytest.mark.parametrize(
    ("newer", "message"),
    [
        (table(95, unique_id="B"), "series 'B' came, but the model was trained on series 'A'"),
        (table(95, freq="ME"), "frequency 'ME' came, but the model was trained on frequency 'MS'"),
        (table(95, tz="UTC"), "time zone 'UTC' came, but the model was trained on time zone 'None'"),
        (table(89), "ends at 2007-05-01, expected 2007-06-01 or later"),
        (table(95).tail(12), "has 12 values, expected at least 36, as the model reads 35"),
        (table(95).drop(50), "1 date is missing"),
    ],
)
def test_another_series_is_no_newer_history(newer, message):
    model = Forecaster(**QUICK).fit(table())
    before, guesses = model.predict(3), model.guesses
    with pytest.raises(DataError, match=message):
        model.update(newer)
    assert model.predict(3).equals(before)
    assert model.guesses == guesses


# --------------------------------------------------------------------------------------------------- hostile files


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Content and arrays of a small model, and a folder."""
    folder = tmp_path_factory.mktemp("small")
    Forecaster(hidden_size=1, updates=1, networks=1, context=4).fit(values(40)).save(folder / "model")
    return *storage.load(folder / "model", "Forecaster"), folder


def refused(small, content, arrays):
    storage.save(small[2] / "hostile", "Forecaster", content, arrays)
    with pytest.raises(FormatError) as caught:
        Forecaster.load(small[2] / "hostile")
    assert str(caught.value).startswith(f"{small[2] / 'hostile'} holds no whole forecaster: ")
    assert len(str(caught.value)) < 1500
    return str(caught.value)


def with_arguments(**changes):
    return lambda content, _: content["arguments"].update(changes)


def with_content(**changes):
    return lambda content, _: content.update(changes)


def with_arrays(**changes):
    return lambda _, arrays: arrays.update({name.replace("__", "."): value for name, value in changes.items()})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_arguments(hidden_size=3), "has shape (4, 1), expected (12, 1)"),
        (with_arguments(hidden_size=3000), "has shape (4, 1), expected (12000, 1)"),
        (with_arguments(num_layers=10**7), "too few arrays for 1 networks of 10000000 layers"),
        (with_arguments(num_layers=2), "weight 'body.weight_ih_l1' of network 0 has shape None"),
        (with_arguments(networks=2), "of network 1 has shape None"),
        (with_arguments(networks=10**9), "expected at most 1e+08; lower one of them"),
        (with_arguments(cell="gru"), "expected (3, 1)"),
        (with_arguments(cell="os.system"), "cell is 'os.system', expected one of 'lstm'"),
        (with_arguments(season=True), "season is True, expected a whole number"),
        (with_arguments(season=7), "season is 1, but 7 in the arguments"),
        (with_arguments(difference=10**12), "expected at least 1000000000005, as the model reads"),
        (with_arguments(turbo=1), "argument 'turbo' is unknown, perhaps of a newer Gatewise"),
        (with_content(arguments=[]), "arguments is [], expected dict"),
        (with_content(strategy="direct"), "strategy is 'direct', expected one of 'one-step'"),
        (with_content(context=5), "context is 5, but 4 in the arguments"),
        (with_content(season=2), "has shape (4, 1), expected (4, 2)"),
        (with_content(growth=2.0), "growth and distances are those of no calibration"),
        (with_content(growth="0"), "growth is '0', expected int or float"),
        (with_content(best_epoch=99), "best_epoch is 99 of"),
        (with_content(stopped="now"), "stopped is 'now', expected one of"),
        (with_content(guesses=[1]), "guesses is [1], expected sentences"),
        (with_content(chosen="all"), "chosen is 'all', expected list"),
        (with_content(unique_id={}), "unique_id is {}, expected str or int or float or bool"),
        (with_content(freq="MS"), "expected a positive whole step"),
        (with_content(freq=-1), "expected a positive whole step"),
        (with_content(freq=2**62), "freq is too large"),
        (with_content(freq=10**30), "freq is too large"),
        (with_content(backend="excel"), "backend is 'excel', expected one of 'pandas', 'polars'"),
        (with_content(date_only=1), "date_only is 1, expected bool"),
        (with_content(time={}), "unit is None, expected one of 's', 'ms'"),
        (with_content(time={"unit": "s", "zone": None}), "freq=1 is no frequency of pandas"),
        (with_content(time={"unit": "s", "zone": "/etc/passwd"}), "zone is '/etc/passwd', expected the name of a time"),
        (with_content(time={"unit": "s", "zone": "../x"}), "zone is '../x', expected the name of a time zone"),
        (with_content(time={"unit": "s", "zone": "dateutil//x"}), "expected the name of a time zone"),
        (with_content(time={"unit": "s", "zone": "Mars/Olympus"}), "this machine knows no time zone 'Mars/Olympus'"),
        (with_arrays(y=np.full(40, np.nan)), "array 'y' holds NaN or infinity"),
        (with_arrays(y=np.full(40, 1e200)), "y is empty or beyond 1e+100"),
        (with_arrays(y=np.zeros(0)), "y is empty"),
        (with_arrays(y=np.zeros(40, np.float32)), "array 'y' is float32 of shape (40,), expected float64 of one dim"),
        (with_arrays(y=np.zeros((8, 5))), "expected float64 of one dimension"),
        (with_arrays(y=np.zeros(5), ds=np.arange(5)), "has 5 values, expected at least 5, as the model reads"),
        (with_arrays(ds=np.arange(39)), "array 'ds' is int64 of shape (39,), expected int64 of shape (40,)"),
        (with_arrays(ds=np.arange(40)[::-1].copy()), "ds holds no dates in order"),
        (with_arrays(ds=np.zeros(40, np.int64)), "ds holds no dates in order"),
        (with_arrays(ds=np.arange(40) + 2**62), "ds holds a time that is too large"),
        (with_arrays(filled=np.zeros(40)), "array 'filled' is float64"),
        (with_arrays(scale__scale=np.array(0.0)), "scale.scale is 0.0, expected a number above 0"),
        (with_arrays(distances=np.array([2.0, 1.0])), "those of no calibration"),
        (with_arrays(distances=np.zeros(0)), "those of no calibration"),
        (with_arrays(history__lr=np.zeros(99)), "array 'history.lr' is float64 of shape (99,), expected"),
        (with_arrays(network__0__body__weight_hh_l0=np.full((4, 1), np.inf, np.float32)), "holds NaN or infinity"),
        (with_arrays(network__0__head__bias=np.zeros(1)), "is float64 of shape (1,), expected float32"),
        (
            with_arrays(network__0__head__turbo=np.zeros(1, np.float32)),
            "weight 'head.turbo' of network 0 has shape (1,)",
        ),
        (with_arrays(network__00__head__bias=np.zeros(1, np.float32)), "belongs to no part of the forecaster"),
        (with_arrays(other=np.zeros(1, np.float32)), "array 'other' belongs to no part of the forecaster"),
    ],
)
def test_each_impossible_content_is_said(small, change, message):
    content, arrays = copy.deepcopy(small[0]), dict(small[1])
    change(content, arrays)
    if small[0]["context"] == 4 and "as the model reads" in message and "5 values" in message:
        arrays |= {"y": arrays["y"][:4], "ds": arrays["ds"][:4]}
        message = "has 4 values, expected at least 5"
    assert message in refused(small, content, arrays)


def test_each_missing_part_is_named(small):
    content, arrays, _ = small
    for name in content:
        assert name in refused(small, {key: value for key, value in content.items() if key != name}, arrays)
    for name in arrays:
        words = name.removeprefix("network.0.")
        assert words in refused(small, content, {key: value for key, value in arrays.items() if key != name})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ODD = st.sampled_from(
    [
        "W-SUN",
        "99999999999999999999D",
        "C",
        "bh",
        "ns",
        "CBMS",
        "2000-01",
        "Europe/Berlin",
        "UTC+99:99",
        "tzlocal()",
        "EST5EDT",
        "ns",
    ]
)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_content_is_refused_or_forecasts(small, data):
    content, arrays, folder = copy.deepcopy(small[0]), dict(small[1]), small[2]
    inner = data.draw(st.sampled_from([content, content, content["arguments"]]))
    for name in data.draw(st.lists(st.sampled_from(sorted(inner)), min_size=1, max_size=2)):
        inner[name] = data.draw(
            JSON | ODD | st.fixed_dictionaries({"unit": ODD | st.sampled_from(["s", "us"]), "zone": ODD})
        )
    if data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(arrays)))
        arrays[name] = data.draw(
            st.sampled_from(
                [np.zeros(0), np.zeros((0, 3), np.float32), np.arange(40), np.full(40, True), -arrays[name]]
            )
            if arrays[name].dtype != np.bool_
            else st.just(np.zeros(40))
        )
    storage.save(folder / "fuzzed", "Forecaster", content, arrays)
    try:
        model = Forecaster.load(folder / "fuzzed")
    except FormatError:
        return
    assert len(model.predict(2)) == 2
    assert len(model.fitted())


def test_flipped_bytes_and_shortened_files_are_refused(small):
    content = (small[2] / "model").read_bytes()
    path = small[2] / "damaged"
    for place in range(0, len(content), 7):
        for damaged in (content[:place], content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]):
            path.write_bytes(damaged)
            with pytest.raises(FormatError, match="damaged"):
                Forecaster.load(path)


def test_no_file_of_another_kind_is_loaded(tmp_path):
    storage.save(tmp_path / "other", "Classifier", {}, {})
    with pytest.raises(FormatError, match="it holds 'Classifier', expected 'Forecaster'; give another file"):
        Forecaster.load(tmp_path / "other")
    with pytest.raises(FileNotFoundError, match=r"there is no file .*; check the path"):
        Forecaster.load(tmp_path / "nowhere")


def test_the_file_says_in_plain_json_what_it_holds(tmp_path):
    Forecaster(**QUICK).fit(datasets.air_passengers()).save(tmp_path / "model")
    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(tmp_path / "model", "np") as file:
        said = json.loads(file.metadata()["gatewise"])
    assert said["kind"] == "Forecaster"
    assert said["content"]["arguments"]["hidden_size"] == 5
    assert said["content"]["unique_id"] == "AirPassengers"


def test_whole_numbers_of_numpy_are_kept(tmp_path):
    y = np.sin(np.arange(80.0))
    one = {"context": np.int64(8), "season": np.int32(2), "difference": np.int64(1), "hidden_size": np.int64(4)}
    model = Forecaster(**one, updates=np.int64(5), networks=np.int64(1), seed=np.int64(3)).fit(y)
    model.save(tmp_path / "kept.safetensors")
    again = Forecaster.load(tmp_path / "kept.safetensors")
    pd.testing.assert_frame_equal(again.predict(3), model.predict(3), check_exact=True)
