"""Files: saved content is read back unchanged, and invalid files are refused with a message."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.persistence import file as file_format
from gatewise.persistence.file import FormatError, load, save

CONTENT = {"text": 'é\ud800 " \\', "number": 0.1, "complete": 10**25, "nothing": None, "list": [True, {"deep": []}]}
ARRAYS = {
    "float64": np.array([[0.1, -0.0], [5e-324, 1e308]]),
    "float32": np.array([0.1, 3.4e38], np.float32),
    "scalar": np.array(1.5),
    "empty": np.zeros((0, 3)),
    "complete": np.array([-(2**63), 2**63 - 1]),
    "truth": np.array([True, False, True]),
    "bytes": np.arange(256).astype(np.uint8),
    "reversed": np.arange(6.0).reshape(2, 3).T,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def file_bytes(folder):
    """The bytes of a small file."""
    save(folder / "complete", "Thing", {"a": [1, 2.5]}, {"x": np.array([1.0, 2.0]), "y": np.array([3.0, 4.0])})
    return (folder / "complete").read_bytes()


def parts(content):
    """Header and arrays of a file."""
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def joined(header, arrays):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + arrays


def refused(folder, content, kind="Thing"):
    """The message with which a file is refused."""
    path = folder / "other"
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        load(path, kind)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < 1000
    return str(caught.value).removeprefix(f"{path}: ")


def test_saved_content_is_read_back(folder):
    save(folder / "all", "Thing", CONTENT, ARRAYS)
    content, arrays = load(folder / "all", "Thing")
    assert content == CONTENT
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        assert arrays[name].tobytes() == array.tobytes()


def test_safetensors_opens_the_file(folder):
    from safetensors import safe_open

    save(folder / "all", "Thing", CONTENT, ARRAYS)
    with safe_open(folder / "all", "np") as file:
        np.testing.assert_array_equal(file.get_tensor("float64"), ARRAYS["float64"])
        assert json.loads(file.metadata()["gatewise"])["kind"] == "Thing"


def test_equal_content_gives_equal_bytes(folder, file_bytes):
    save(folder / "again", "Thing", {"a": [1, 2.5]}, {"x": np.array([1.0, 2.0]), "y": np.array([3.0, 4.0])})
    assert (folder / "again").read_bytes() == file_bytes


@pytest.mark.parametrize(
    ("content", "arrays", "error"),
    [
        ({"a": float("nan")}, {}, ValueError),
        ({"a": float("inf")}, {}, ValueError),
        ({"a": b"bytes"}, {}, TypeError),
        ({}, {"x": np.array(["text"])}, TypeError),
        ({}, {"x": np.array([None])}, TypeError),
        ({}, {"x": np.zeros(2, np.float16)}, TypeError),
        ({}, {"x": np.zeros(2, ">f8")}, TypeError),
        ({"a": "b" * 10**7}, {}, ValueError),
    ],
)
def test_invalid_content_is_refused_before_anything_is_written(folder, content, arrays, error):
    with pytest.raises(error):
        save(folder / "never", "Thing", content, arrays)
    assert not (folder / "never").exists()


def test_a_missing_file_and_a_folder_are_named(folder):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nowhere; check the path"):
        load(folder / "nowhere", "Thing")
    with pytest.raises(OSError, match="cannot be read"):
        load(folder, "Thing")


def test_every_shortened_file_is_refused(folder, file_bytes):
    for length in range(len(file_bytes)):
        refused(folder, file_bytes[:length])
    assert "1 bytes follow after its last array" in refused(folder, file_bytes + b"\0")


def test_every_flipped_bit_is_refused_or_changes_nothing(folder, file_bytes):
    path = folder / "flipped"
    content, arrays = load(folder / "complete", "Thing")
    harmless = 0
    for place in range(len(file_bytes)):
        for bit in range(8):
            path.write_bytes(file_bytes[:place] + bytes([file_bytes[place] ^ (1 << bit)]) + file_bytes[place + 1 :])
            try:
                loaded, others = load(path, "Thing")
            except FormatError:
                continue
            harmless += 1
            assert loaded == content
            assert {name: array.tobytes() for name, array in others.items()} == {
                name: array.tobytes() for name, array in arrays.items()
            }
    assert harmless < 40  # at most the padding of the header


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TENSOR = st.fixed_dictionaries(
    {},
    optional={
        "dtype": st.sampled_from(["F64", "F32", "BF16", "BOOL", "I64", "U8"]) | ANY,
        "shape": st.lists(st.integers(-2, 2**70), max_size=3) | ANY,
        "data_offsets": st.lists(st.integers(-2, 40), min_size=2, max_size=2) | ANY,
    },
)


@settings(max_examples=300, deadline=None)
@given(
    header=ANY
    | st.fixed_dictionaries({"__metadata__": ANY})
    | st.dictionaries(st.text(max_size=4), TENSOR, max_size=3)
    | st.binary(min_size=2, max_size=40),
    arrays=st.binary(max_size=40),
)
def test_any_header_is_refused(folder, file_bytes, header, arrays):
    refused(folder, joined(header, arrays))
    if isinstance(header, dict) and "__metadata__" not in header:
        metadata = parts(file_bytes)[0]["__metadata__"]
        refused(folder, joined({**header, "__metadata__": metadata}, arrays))


@settings(max_examples=300, deadline=None)
@given(document=ANY | st.dictionaries(st.sampled_from(["format", "version", "kind", "content", "gatewise"]), ANY))
def test_any_document_is_refused(folder, file_bytes, document):
    header, arrays = parts(file_bytes)
    usual = json.loads(header["__metadata__"]["gatewise"])
    for changed in (document, {**usual, **document} if isinstance(document, dict) else document):
        if changed != usual:
            header["__metadata__"]["gatewise"] = json.dumps(changed)
            refused(folder, joined(header, arrays))


def test_no_memory_is_allocated_for_sizes_that_a_file_only_claims(folder, file_bytes, monkeypatch):
    monkeypatch.setattr("safetensors.numpy.load", lambda _: pytest.fail("it went on to read the arrays"))
    header, arrays = parts(file_bytes)
    header["x"] |= {"shape": [2**60, 2**60]}
    assert "array 'x' of shape [1152921504606846976, 11529" in refused(folder, joined(header, arrays))
    header["x"] |= {"shape": [2**50], "data_offsets": [0, 2**53]}
    assert "but the arrays have 32 bytes" in refused(folder, joined(header, arrays))
    assert "it is not a safetensors file" in refused(folder, struct.pack("<Q", 2**62) + bytes(100))
    assert "in the middle of its header" in refused(folder, struct.pack("<Q", 10**6) + b"{}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: header.pop("x"), "its arrays overlap or leave a gap at byte 0; it is damaged"),
        (lambda header: header.update(x=header["y"]), "its arrays overlap or leave a gap"),
        (lambda header: header["x"].update(dtype="BF16"), "array 'x' is of type 'BF16', expected one of F64, F32"),
        (lambda header: header["x"].update(dtype="I64"), "does not match its checksum, so it is damaged"),
        (lambda header: header["x"].update(shape=[2, 1]), "does not match its checksum"),
        (lambda header: header["x"].update(shape=[-2]), "has shape [-2]"),
        (lambda header: header["x"].update(shape=[True]), "has shape [True]"),
        (lambda header: header["x"].pop("shape"), "expected dtype, shape and data_offsets"),
        (lambda header: header.update(x=header["y"], y=header["x"]), "does not match its checksum"),
        (lambda header: header.update(z=header.pop("x")), "does not match its checksum"),
        (lambda header: header.pop("__metadata__"), "a safetensors file, but not from Gatewise"),
    ],
)
def test_each_damage_is_named(folder, file_bytes, change, message):
    header, arrays = parts(file_bytes)
    change(header)
    assert message in refused(folder, joined(header, arrays))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"dtype":"F64"', b'"dtype":"F64","dtype":"F64"', "duplicate name 'dtype'"),
        (b'"y":', b'"x":', "duplicate name 'x'"),
        (b"[0,16]", b"[0,NaN]", "a number is NaN, expected a finite one"),
        (b"[0,16]", b"[0,1e999]", "a number is 1e999, expected a finite one"),
        (b"[0,16]", b"[0," + b"1" * 5000 + b"]", "its header cannot be read"),
        (b"[0,16]", b"[" * 100000, "its header cannot be read"),
        (b'\\"version\\": 2', b'\\"version\\": 3', "its format has version 3 (written by Gatewise '"),
        (b'\\"version\\": 2', b'\\"version\\": 0', "expected 2; it is damaged: copy or save it again"),
        (b'\\"version\\": 2', b'\\"version\\": -Infinity', "a number is -Infinity"),
        (b'\\"kind\\": \\"Thing\\"', b'\\"kind\\": \\"Other\\"', "it holds 'Other', expected 'Thing'; use another"),
        (b'\\"format\\": \\"gatewise', b'\\"format\\": \\"other', "a safetensors file, but not from Gatewise"),
        (b'\\"sha256\\": \\"', b'\\"sha256\\": \\"0', "does not match its checksum"),
    ],
)
def test_each_invalid_header_is_named(folder, file_bytes, old, new, message):
    (length,) = struct.unpack("<Q", file_bytes[:8])
    text, arrays = file_bytes[8 : 8 + length], file_bytes[8 + length :]
    assert old in text
    assert message in refused(folder, joined(text.replace(old, new, 1), arrays))


@pytest.mark.parametrize("content", [b"", b"unique_id,ds,y\nA,2020-01-01,1\n", b"PK\3\4" + bytes(100), b"\x80\4cos\n"])
def test_a_file_of_another_format_is_refused(folder, content):
    assert "it is not a safetensors file; use a file that a model's `save` or --save wrote" in refused(folder, content)


def test_a_failed_write_leaves_the_old_file(folder, monkeypatch):
    def full(*_):
        raise OSError("disk full")

    save(folder / "old", "Thing", {"a": 1}, {})
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="disk full"):
        save(folder / "old", "Thing", {"a": 2}, {})
    assert load(folder / "old", "Thing") == ({"a": 1}, {})
    assert file_format.VERSION == 2
