"""Readers of labelled sequences, with honest and with hostile files."""

import contextlib
import gzip
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.datasets import FileError, Labelled, mnist, read_idx, read_npz, read_ts, view


def idx(array, code=0x08):
    big = array.astype(array.dtype.newbyteorder(">"))
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + big.tobytes()


def by_message(value):
    """A test's name: packed bytes hold the time they were packed at."""
    return value if isinstance(value, str) else "file"


@pytest.fixture
def write(tmp_path):
    def written(content, name="file"):
        path = tmp_path / name
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
        return path

    return written


# ------------------------------------------------------------------------------------------------------------- IDX


@pytest.mark.parametrize(
    ("code", "dtype"), [(0x08, "u1"), (0x09, "i1"), (0x0B, "i2"), (0x0C, "i4"), (0x0D, "f4"), (0x0E, "f8")]
)
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (0, 3)])
@pytest.mark.parametrize("packed", [False, True])
def test_idx_arrays_come_back(code, dtype, shape, packed, write):
    array = np.random.default_rng(0).integers(-100, 100, shape).astype(dtype)
    content = idx(array, code)
    found = read_idx(write(gzip.compress(content) if packed else content))
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"PK\x03\x04" * 4, "begins with 50 4b 03 04"),
        (bytes([0, 0, 8, 0]), "number of dimensions"),
        (bytes([0, 0, 8, 255]) + b"\0" * 2000, "number of dimensions"),
        (bytes([0, 0, 8, 3, 0, 0]), "ends within its header"),
        (idx(np.zeros((2, 3), np.uint8))[:-1], "6 bytes of values for shape .2, 3., 5 came"),
        (idx(np.zeros((2, 3), np.uint8)) + b"\0", "more came"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12 + b"\0" * 9, "GiB; expected at most 8"),
        (bytes([0, 0, 8, 1]) + struct.pack(">I", 2**32 - 1) + b"\0" * 9, "9 came"),
        (gzip.compress(idx(np.zeros(1000, np.uint8)))[:-9], "damaged gzip"),
        (b"\x1f\x8b" + b"\0" * 40, "damaged gzip"),
    ],
    ids=by_message,
)
def test_broken_idx_files_are_refused_before_memory_is_taken(content, message, write):
    path = write(content)
    tracemalloc.start()
    with pytest.raises(FileError, match=message):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


def test_a_gzip_bomb_is_read_no_further_than_announced(write):
    path = write(gzip.compress(bytes([0, 0, 8, 1]) + struct.pack(">I", 10) + b"\0" * 2**26))
    tracemalloc.start()
    with pytest.raises(FileError, match="more came"):
        read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


@pytest.mark.parametrize(("part", "start"), [("train", "train"), ("test", "t10k")])
@pytest.mark.parametrize("end", ["-idx{}-ubyte", "-idx{}-ubyte.gz", ".idx{}-ubyte"])
def test_mnist_is_read_from_a_folder(part, start, end, write, tmp_path):
    images, labels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.array([7, 3], np.uint8)
    for name, array, dimensions in (("images", images, 3), ("labels", labels, 1)):
        content = idx(array)
        file = f"{start}-{name}{end.format(dimensions)}"
        write(gzip.compress(content) if end.endswith("gz") else content, file)
    found = mnist(tmp_path, part)
    np.testing.assert_array_equal(found[0], images)
    np.testing.assert_array_equal(found[1], labels)


def test_what_is_wrong_with_a_folder_is_said(write, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no train-images-idx3-ubyte, packed"):
        mnist(tmp_path)
    with pytest.raises(ValueError, match="part is 'valid', expected 'train' or 'test'"):
        mnist(tmp_path, "valid")
    write(idx(np.zeros((2, 3, 4), np.uint8)), "train-images-idx3-ubyte")
    write(idx(np.zeros(3, np.uint8)), "train-labels-idx1-ubyte")
    with pytest.raises(FileError, match=r"shape \(2, 3, 4\), the labels \(3,\)"):
        mnist(tmp_path)


# ------------------------------------------------------------------------------------------------------------- npz


def archive(**arrays):
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def test_npz_archives_come_back(write):
    x, y = np.random.default_rng(0).normal(size=(3, 4, 2)), np.array(["a", "b", "a"])
    found = read_npz(write(archive(x=x, y=y), "steps.npz"))
    np.testing.assert_array_equal(found.x, x)
    assert (found.y.tolist(), found.name, len(found)) == (["a", "b", "a"], "steps", 3)
    np.testing.assert_array_equal(read_npz(write(archive(x=np.asfortranarray(x)))).x, x)
    flat = read_npz(write(archive(x=x[..., 0])))
    assert flat.x.shape == (3, 4, 1)
    assert flat.y is None
    ragged = read_npz(write(archive(x=x, y=y, lengths=np.array([4, 1, 2]))))
    assert [one.shape for one in ragged.x] == [(4, 2), (1, 2), (2, 2)]
    np.testing.assert_array_equal(ragged.x[2], x[2, :2])


def header_of(shape, descr="|u1", size=16):
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": descr, "fortran_order": False, "shape": shape})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.npy", content.getvalue() + b"\0" * size)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "no archive of numpy"),
        (archive(x=np.zeros((3, 4)))[:200], "no archive of numpy"),
        (archive(z=np.zeros(3)), "holds z, expected x"),
        (archive(), "holds no arrays, expected x"),
        (archive(x=np.array([{}, []], dtype=object)), "array of objects"),
        (archive(x=np.zeros((2, 3)), y=np.array([None, 1])), "array of objects"),
        (archive(x=np.array([["a", "b"]])), "expected numbers"),
        (archive(x=np.zeros((2, 3)), y=np.zeros(3)), r"y \(3,\), expected"),
        (archive(x=np.zeros((2, 3)), lengths=np.array([1, 4])), "from 1 to T"),
        (archive(x=np.zeros((2, 3)), lengths=np.array([1.0, 2.0])), "from 1 to T"),
        (header_of((2**20, 2**20)), "GiB; expected at most 8"),
        (header_of((2**20, 2**10)), "another number came"),
        (header_of((4,), size=2**24), "another number came"),
    ],
    ids=by_message,
)
def test_broken_archives_are_refused_before_memory_is_taken(content, message, write):
    path = write(content)
    tracemalloc.start()
    with pytest.raises(FileError, match=message):
        read_npz(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 400))
def test_damage_anywhere_is_refused_or_harmless(tmp_path_factory, damage, at):
    path = tmp_path_factory.mktemp("damaged") / "file"
    whole = archive(x=np.arange(12.0).reshape(2, 3, 2), y=np.array([0, 1]))
    path.write_bytes(whole[:at] + damage + whole[at + len(damage) :])
    with contextlib.suppress(FileError):
        found = read_npz(path)
        assert found.x.shape == (2, 3, 2)
        np.testing.assert_array_equal(found.x.ravel(), np.arange(12.0))


# -------------------------------------------------------------------------------------------------------------- ts

HEAD = "# steps\n@problemName Steps\n@timeStamps false\n@univariate false\n@CLASSLABEL true walking Running\n@data\n"


def test_ts_files_come_back(write):
    found = read_ts(write(HEAD + "1.5,2.0,?:0.1,0.2,0.3:walking\n\n4,5,6: 7, 8, 9:Running\n", "steps.ts"))
    np.testing.assert_array_equal(found.x, [[[1.5, 0.1], [2, 0.2], [np.nan, 0.3]], [[4, 7], [5, 8], [6, 9]]])
    assert (found.y.tolist(), found.name) == (["walking", "Running"], "Steps")
    ragged = read_ts(write(HEAD + "1,2:walking\n3:Running\n"))
    assert [one.tolist() for one in ragged.x] == [[[1], [2]], [[3]]]
    bare = read_ts(write("@classLabel false\n@data\n1,2\n3,4\n", "bare.ts"))
    assert (bare.x.shape, bare.y, bare.name) == ((2, 2, 1), None, "bare")
    targets = read_ts(write("@targetLabel true\n@data\n1,2:0.5\n3,4:-1\n"))
    assert targets.y.tolist() == [0.5, -1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is no .ts file"),
        ("1,2,3\n", "is no .ts file"),
        (b"\xff\xfe\x00\x80", "is no text"),
        (HEAD, "no sequences after @data"),
        (HEAD + "1,2\n", "line 7 has no label"),
        (HEAD + "1,2:3,x:walking\n", "line 7: could not convert string to float: 'x'"),
        (HEAD + "1,2:3:walking\n", r"line 7 has channels of \[2, 1\] steps"),
        (HEAD + "1,2:walking\n1,2:3,4:walking\n", r"have \[1, 2\] channels"),
        (HEAD + "1,2:flying\n", "label 'flying' is none of those"),
        ("@timestamps true\n@data\n(0,1):a\n", "time stamps"),
        ("@targetlabel true\n@data\n1:a\n", "expected numbers as labels"),
    ],
)
def test_broken_ts_files_are_refused_with_the_line(content, message, write):
    with pytest.raises(FileError, match=message):
        read_ts(write(content))


# ----------------------------------------------------------------------------------------------------------- views


def test_views_hold_the_pixels_in_their_order():
    images = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(view(images, "rows"), images)
    np.testing.assert_array_equal(view(images, "columns")[1, 2], images[1, :, 2])
    np.testing.assert_array_equal(view(images, "pixels")[1, :, 0], np.arange(12, 24))
    np.testing.assert_array_equal(view(images, "vector")[0, 0], np.arange(12))
    first, again, other = (view(images, "permuted", seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert sorted(first[0, :, 0]) == list(range(12))
    np.testing.assert_array_equal(first[1] - first[0], 12)  # one order for all images
    assert first[0, :, 0].tolist() != other[0, :, 0].tolist()
    assert view(np.full((1, 1, 1), 255, np.uint8)).item() == 1


def test_strange_views_are_refused():
    with pytest.raises(ValueError, match="view is 'diagonal', expected one of rows, columns"):
        view(np.zeros((1, 2, 2)), "diagonal")
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected \(N, rows, columns\)"):
        view(np.zeros((2, 2)))


def test_labels_and_sequences_go_together():
    with pytest.raises(FileError, match="2 sequences and 3 labels"):
        Labelled(np.zeros((2, 1, 1)), np.zeros(3))
