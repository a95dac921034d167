"""Files of earlier versions with their results then, and a file of a later version."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gatewise import Classifier, Forecaster
from gatewise.persistence import VERSION, file
from gatewise.persistence.file import FormatError

SAMPLES = Path(__file__).parents[2] / "persistence" / "samples"
FORECASTERS = sorted(path.stem for path in SAMPLES.glob("forecaster_*.safetensors"))
CLASSIFIERS = sorted(path.stem for path in SAMPLES.glob("classifier*.safetensors"))
TOLERANCE = 1e-4  # relative: the files were written by other versions of torch and the engines


LATER = {  # arguments that are newer than the samples
    "Forecaster": {"jobs": None, "shift": "auto", "lower": None, "upper": None, "integer": False, "point": "median"},
    "Classifier": {},
}


def load(name):
    """The model of a sample, and its expected results."""
    expected = json.loads((SAMPLES / f"{name}.json").read_text())
    kind = {"Forecaster": Forecaster, "Classifier": Classifier}[expected["kind"]]
    return kind.load(SAMPLES / f"{name}.safetensors"), expected


def check_table(table, expected):
    """Columns, dates and names are equal, numbers close; null is a missing value."""
    assert table.columns.tolist() == list(expected)
    for name, values in expected.items():
        column = table[name]
        if name == "ds" and pd.api.types.is_datetime64_any_dtype(column.dtype):
            assert [date.isoformat() for date in column] == values
        elif pd.api.types.is_float_dtype(column.dtype):
            numbers = np.array([np.nan if value is None else value for value in values], float)
            np.testing.assert_allclose(column.to_numpy(), numbers, rtol=TOLERANCE)
        else:
            assert column.tolist() == values


def future_of(expected):
    """The future covariates of a sample, as options of `predict`."""
    if "future" not in expected:
        return {}
    return {"future": pd.DataFrame(expected["future"]).astype({"ds": "datetime64[ns]"})}


def test_there_are_samples_of_every_strategy_and_of_a_classifier():
    assert FORECASTERS == ["forecaster_flatten_v1", "forecaster_one_step_v1", "forecaster_segment_v1"]
    assert CLASSIFIERS == ["classifier_v1"]


@pytest.mark.parametrize("name", FORECASTERS + CLASSIFIERS)
def test_a_sample_has_its_arguments(name):
    model, expected = load(name)
    assert model.get_params() == expected["params"] | LATER[expected["kind"]]


@pytest.mark.parametrize("name", FORECASTERS)
def test_a_sample_forecasts_as_before(name):
    model, expected = load(name)
    table = model.predict(expected["horizon"], level=expected["level"], **future_of(expected))
    check_table(table, expected["predict"])


@pytest.mark.parametrize("name", FORECASTERS)
def test_a_sample_draws_the_same_paths(name):
    model, expected = load(name)
    sample = dict(expected["sample"])
    paths, seed = sample.pop("paths"), sample.pop("seed")
    table = model.sample(expected["horizon"], paths, seed=seed, **future_of(expected))
    check_table(table, sample)


@pytest.mark.parametrize("name", FORECASTERS)
def test_a_sample_has_the_same_in_sample_fit(name):
    model, expected = load(name)
    check_table(model.fitted().tail(4), expected["fitted"])


def test_a_sample_has_the_same_excluded_series():
    model, expected = load("forecaster_segment_v1")
    check_table(model.excluded(), expected["report"])


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_sample_classifies_as_before(name):
    model, expected = load(name)
    x = [np.array(sequence) for sequence in expected["x"]]
    assert model.classes_.tolist() == expected["classes"]
    assert model.predict(x).tolist() == expected["predict"]
    np.testing.assert_allclose(model.predict_proba(x), expected["predict_proba"], rtol=TOLERANCE)


@pytest.mark.parametrize("name", FORECASTERS + CLASSIFIERS)
def test_a_sample_saved_again_has_the_present_version(name, tmp_path):
    model, expected = load(name)
    model.save(tmp_path / "again.safetensors")
    file.load(tmp_path / "again.safetensors", expected["kind"])  # no upgrades
    reloaded = type(model).load(tmp_path / "again.safetensors")
    assert reloaded.get_params() == expected["params"] | LATER[expected["kind"]]
    if expected["kind"] == "Forecaster":
        options = {"level": expected["level"], **future_of(expected)}
        ahead = model.predict(expected["horizon"], **options)
        pd.testing.assert_frame_equal(reloaded.predict(expected["horizon"], **options), ahead, check_exact=True)


@pytest.mark.parametrize("kind", [Forecaster, Classifier])
def test_a_file_of_a_later_version_is_refused(kind, tmp_path, monkeypatch):
    assert VERSION == 2
    monkeypatch.setattr(file, "VERSION", 3)
    file.save(tmp_path / "later.safetensors", kind.__name__, {}, {})
    monkeypatch.undo()
    with pytest.raises(FormatError, match=r"its format has version 3 \(written by .*\), expected 1 or 2; read it"):
        kind.load(tmp_path / "later.safetensors")
