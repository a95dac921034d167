"""Hostile and damaged files: refused with a message, or they forecast."""

import copy
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import DataError, Forecaster
from gatewise.persistence import file as file_format
from gatewise.persistence.file import FormatError
from gatewise.training import DivergenceError

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
        "9" * 20 + "D",
        "C",
        "bh",
        "ns",
        "CBMS",
        "2000-01",
        "Europe/Berlin",
        "UTC+99:99",
        "tzlocal()",
        "EST5EDT",
    ]
)


def replace_array(data, arrays):
    """Replace one of the arrays."""
    name = data.draw(st.sampled_from(sorted(arrays)))
    values = arrays[name]
    arrays[name] = data.draw(
        st.sampled_from(
            [
                np.zeros(0, values.dtype),
                np.zeros((0, 3), values.dtype),
                np.arange(40),
                np.full(values.shape, True),
                np.ones_like(values),
                values[::-1].copy() if values.ndim else values,
                -values if values.dtype != np.bool_ else ~values,
                np.concatenate([values, values]),
            ]
        )
    )


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_content_is_refused_or_forecasts(several, data):
    check_refused_or_forecasts(several, data)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_content_with_covariates_is_refused_or_forecasts(rich, data):
    check_refused_or_forecasts(rich, data)


def check_refused_or_forecasts(saved, data):
    content, arrays, folder = copy.deepcopy(saved[0]), dict(saved[1]), saved[2]
    inner = data.draw(st.sampled_from([content, *(part for part in content.values() if isinstance(part, dict))]))
    for name in data.draw(st.lists(st.sampled_from(sorted(inner)), min_size=0, max_size=2)):
        inner[name] = data.draw(
            JSON
            | ODD
            | st.integers(0, 40)
            | st.fixed_dictionaries({"unit": ODD | st.sampled_from(["s", "us"]), "zone": ODD})
        )
    if data.draw(st.booleans()):
        replace_array(data, arrays)
    file_format.save(folder / "fuzzed", "Forecaster", content, arrays)
    try:
        model = Forecaster.load(folder / "fuzzed")
    except FormatError:
        return
    try:
        assert len(model.predict(2)) >= 2
    except (DataError, DivergenceError):  # dates out of range, or forecasts that diverge
        return
    assert len(model.fitted())


def test_flipped_bytes_and_shortened_files_are_refused(small):
    content = (small[2] / "model").read_bytes()
    path = small[2] / "damaged"
    for place in range(0, len(content), 7):
        for damaged in (content[:place], content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]):
            path.write_bytes(damaged)
            with pytest.raises(FormatError, match="damaged"):
                Forecaster.load(path)


def test_a_file_with_a_long_sparse_tail_is_refused_before_it_is_read(small, monkeypatch):
    content = (small[2] / "model").read_bytes()
    path = small[2] / "sparse"
    path.write_bytes(content)
    os.truncate(path, 2**36)
    monkeypatch.setattr("safetensors.numpy.load", lambda _: pytest.fail("it read the file"))
    with pytest.raises(FormatError, match="bytes follow after its last array; it is damaged"):
        Forecaster.load(path)
    path.unlink()


def test_no_file_of_another_kind_is_loaded(tmp_path):
    file_format.save(tmp_path / "other", "Classifier", {}, {})
    with pytest.raises(FormatError, match="it holds 'Classifier', expected 'Forecaster'; use another file"):
        Forecaster.load(tmp_path / "other")
    with pytest.raises(FileNotFoundError, match=r"there is no file .*; check the path"):
        Forecaster.load(tmp_path / "nowhere")
