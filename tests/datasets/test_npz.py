"""Archives of numpy: valid, damaged and hostile files."""

import contextlib
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.datasets import (
    FileError,
    read_idx,
    read_npz,
    read_parts,
)
from tests.datasets.files import archive, by_message, idx


def test_npz_archives_are_read(write):
    x, y = np.random.default_rng(0).normal(size=(3, 4, 2)), np.array(["a", "b", "a"])
    result = read_npz(write(archive(x=x, y=y), "steps.npz"))
    np.testing.assert_array_equal(result.x, x)
    assert (result.y.tolist(), result.name, len(result)) == (["a", "b", "a"], "steps", 3)
    np.testing.assert_array_equal(read_npz(write(archive(x=np.asfortranarray(x)))).x, x)
    flat = read_npz(write(archive(x=x[..., 0])))
    assert flat.x.shape == (3, 4, 1)
    assert flat.y is None
    ragged = read_npz(write(archive(x=x, y=y, lengths=np.array([4, 1, 2]))))
    assert [sequence.shape for sequence in ragged.x] == [(4, 2), (1, 2), (2, 2)]
    np.testing.assert_array_equal(ragged.x[2], x[2, :2])


def zipped(content, name="x.npy", kind=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", kind) as file:
        file.writestr(name, content)
    return packed.getvalue()


def header_of(shape, descr="|u1", size=16, **options):
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": descr, "fortran_order": False, "shape": shape})
    return zipped(content.getvalue() + b"\0" * size, **options)


def test_arrays_in_folders_of_an_archive_are_ignored(write):
    both = io.BytesIO(archive(x=np.zeros((2, 3))))
    with zipfile.ZipFile(both, "a") as file:
        file.writestr("old/x.npy", zipfile.ZipFile(io.BytesIO(archive(x=np.ones((4, 5))))).read("x.npy"))
    assert read_npz(write(both.getvalue())).x.shape == (2, 3, 1)


@pytest.mark.parametrize("shape", [(5,), (3, 40000)])
def test_arrays_from_files_are_writable(shape, write):
    array = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    for result in (read_idx(write(idx(array))), read_npz(write(archive(x=array.reshape(1, -1)))).x):
        np.testing.assert_array_equal(result.ravel(), array.ravel())
        result += 1
        assert result.ravel()[0] == array.ravel()[0] + np.uint8(1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "is not a NumPy archive, or is damaged"),
        (archive(x=np.zeros((3, 4)))[:200], "is not a NumPy archive, or is damaged"),
        (archive(z=np.zeros(3)), "holds z, expected x"),
        (archive(), "holds no arrays, expected x"),
        (archive(x=np.array([{}, []], dtype=object)), "array of objects"),
        (archive(x=np.zeros((2, 3)), y=np.array([None, 1])), "array of objects"),
        (archive(x=np.array([["a", "b"]])), "expected numbers"),
        (archive(x=np.zeros((2, 3)), y=np.zeros(3)), r"y \(3,\), expected"),
        (archive(x=np.zeros((2, 3)), lengths=np.array([1, 4])), "from 1 to T"),
        (archive(x=np.zeros((2, 3)), lengths=np.array([1.0, 2.0])), "from 1 to T"),
        (header_of((2**20, 2**20)), "GiB; expected at most 8"),
        (header_of((2**20, 2**10)), "does not hold the 1073741824 bytes that it declares"),
        (header_of((4,), size=2**24), "does not hold the 4 bytes that it declares"),
        (header_of((-1, 5), "<f8", size=2**24), r"shape -1, 5, expected up to 8 dimensions"),
        (header_of((-2, -3), size=6), r"shape -2, -3, expected up to 8 dimensions"),
        (header_of((0, 2**40, 2**40)), "GiB; expected at most 8"),
        (header_of((0, 2**63, 2)), "expected up to 8 dimensions"),
        (header_of((1,) * 70), "expected up to 8 dimensions"),
        (header_of((2, 3), "|V0"), "values of type"),
        (header_of((2, 3), "(2,)f4", size=48), "values of type"),
        (zipped(b"\x93NUMPY\2\0" + struct.pack("<I", 2**24) + b" " * 2**24), "no NumPy array header"),
        (archive(x=np.zeros(3))[:-6] + b"\xff\xff\xff\x7f\0\0", "is not a NumPy archive, or is damaged"),
        (header_of((4,), kind=zipfile.ZIP_LZMA), "has a compression that numpy does not use"),
        (header_of((4,), kind=zipfile.ZIP_BZIP2), "has a compression that numpy does not use"),
        (header_of((4, 4), name="\x1b[2Jz.npy"), r"holds '.x1b\[2Jz', expected x"),
        (header_of((4, 4), name="z" * 9999 + ".npy"), "holds z{199}…, expected x"),
    ],
    ids=by_message,
)
def test_damaged_archives_are_refused_before_memory_is_allocated(content, message, write):
    path = write(content)
    tracemalloc.start()
    with pytest.raises(FileError, match=message):
        read_npz(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 400))
def test_damage_anywhere_in_an_archive_is_refused_or_harmless(tmp_path_factory, damage, position):
    path = tmp_path_factory.mktemp("damaged") / "file"
    whole = archive(x=np.arange(12.0).reshape(2, 3, 2), y=np.array([0, 1]))
    path.write_bytes(whole[:position] + damage + whole[position + len(damage) :])
    with contextlib.suppress(FileError):
        result = read_npz(path)
        assert result.x.shape == (2, 3, 2)
        np.testing.assert_array_equal(result.x.ravel(), np.arange(12.0))


X, Y = np.random.default_rng(0).normal(size=(4, 5, 2)), np.array(["a", "b", "a", "b"])


@pytest.mark.parametrize(
    ("x", "y"), [("X", "Y"), ("x", "label"), ("data", "labels"), ("Data", "target"), ("X", "classes"), ("x", "Class")]
)
def test_names_in_capitals_and_usual_other_names_are_read(write, x, y):
    result = read_npz(write(archive(**{x: X, y: Y, "Lengths": np.full(4, 5)})))
    np.testing.assert_array_equal(result.x, X)
    assert result.y.tolist() == Y.tolist()


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "y_train", "X_test", "y_test"),
        ("train_x", "train_y", "test_x", "test_y"),
        ("data_train", "labels_train", "data_test", "labels_test"),
        ("X_TRAIN", "Y_TRAIN", "X_TEST", "Y_TEST"),
    ],
)
def test_both_parts_of_an_archive_are_read(write, names):
    path = write(archive(**dict(zip(names, (X, Y, X[::-1], Y[::-1]), strict=True))), "parts.npz")
    train, test = read_parts(path)
    np.testing.assert_array_equal(train.x, X)
    np.testing.assert_array_equal(test.x, X[::-1])
    assert (train.y.tolist(), test.y.tolist()) == (Y.tolist(), Y[::-1].tolist())
    with pytest.raises(
        FileError, match="holds a training part and a test part, expected one; read both with read_parts"
    ):
        read_npz(path)
    only, none = read_parts(write(archive(**dict(zip(names[:2], (X, Y), strict=True))), "parts.npz"))
    assert (only.y.tolist(), none) == (Y.tolist(), None)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("x", "X"), "holds 'X' and 'x', which both may be x; remove all but one"),
        (("x", "data"), "holds 'data' and 'x', which both may be x"),
        (("x", "x_train"), "holds x and x_train, which both may be the sequences"),
        (("x", "x_test"), "holds x and x_test, expected x_train beside it"),
        (("x_train", "train_x"), "holds 'train_x' and 'x_train', which both may be x"),
        (("x_train", "y"), "holds y beside x_train, expected y_train"),
        (("x", "y", "label"), "holds 'label' and 'y', which both may be y"),
        (("x_test",), "holds x_test, expected x"),
        (("signals",), "holds signals, expected x"),
    ],
)
def test_arrays_that_may_have_two_meanings_are_refused(write, names, message):
    with pytest.raises(FileError, match=message):
        read_parts(write(archive(**{name: Y if name in ("y", "label") else X for name in names}), "a.npz"))
