"""Readers of labelled sequences, with honest and with hostile files."""

import contextlib
import gzip
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.datasets import VIEWS, FileError, Labelled, mnist, read_idx, read_npz, read_ts, view


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
        (gzip.compress(idx(np.zeros(5, np.uint8))) + b"rest", "damaged gzip"),
        (bytes([0, 0, 8, 8]) + struct.pack(">8I", 0, *[2**32 - 1] * 7), "GiB; expected at most 8"),
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


def zipped(content, name="x.npy", kind=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", kind) as file:
        file.writestr(name, content)
    return packed.getvalue()


def header_of(shape, descr="|u1", size=16, **options):
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": descr, "fortran_order": False, "shape": shape})
    return zipped(content.getvalue() + b"\0" * size, **options)


def test_arrays_of_other_folders_are_not_taken_for_those_that_are_read(write):
    both = io.BytesIO(archive(x=np.zeros((2, 3))))
    with zipfile.ZipFile(both, "a") as file:
        file.writestr("old/x.npy", zipfile.ZipFile(io.BytesIO(archive(x=np.ones((4, 5))))).read("x.npy"))
    assert read_npz(write(both.getvalue())).x.shape == (2, 3, 1)


@pytest.mark.parametrize("shape", [(5,), (3, 40000)])
def test_what_was_read_can_be_written_to(shape, write):
    array = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    for found in (read_idx(write(idx(array))), read_npz(write(archive(x=array.reshape(1, -1)))).x):
        np.testing.assert_array_equal(found.ravel(), array.ravel())
        found += 1
        assert found.ravel()[0] == array.ravel()[0] + np.uint8(1)


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
        (header_of((-1, 5), "<f8", size=2**24), r"shape -1, 5, expected up to 8 dimensions"),
        (header_of((-2, -3), size=6), r"shape -2, -3, expected up to 8 dimensions"),
        (header_of((0, 2**40, 2**40)), "GiB; expected at most 8"),
        (header_of((0, 2**63, 2)), "expected up to 8 dimensions"),
        (header_of((1,) * 70), "expected up to 8 dimensions"),
        (header_of((2, 3), "|V0"), "values of type"),
        (header_of((2, 3), "(2,)f4", size=48), "values of type"),
        (zipped(b"\x93NUMPY\2\0" + struct.pack("<I", 2**24) + b" " * 2**24), "no header of a numpy array"),
        (archive(x=np.zeros(3))[:-6] + b"\xff\xff\xff\x7f\0\0", "no archive of numpy"),
        (header_of((4,), kind=zipfile.ZIP_LZMA), "packed in a way"),
        (header_of((4,), kind=zipfile.ZIP_BZIP2), "packed in a way"),
        (header_of((4, 4), name="\x1b[2Jz.npy"), r"holds '.x1b\[2Jz', expected x"),
        (header_of((4, 4), name="z" * 9999 + ".npy"), "holds z{199}…, expected x"),
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
    "content",
    [
        HEAD.replace("\n", "\r\n") + "1,2:walking\r\n\r\n3,4:Running\r\n",
        "\ufeff" + HEAD + "1,2:walking\n3,4:Running",
        HEAD.replace(" ", "\t") + "1,2:walking\n3,4:Running\n",
        HEAD.replace("@", "  @") + "  1 , 2 : walking\n  # between\n3,4: Running \n",
        HEAD.upper().replace("WALKING RUNNING", "") + "1,2:walking\n3,4:Running\n",
    ],
)
def test_ts_files_of_any_hand_are_read(content, write):
    found = read_ts(write(content.encode()))
    np.testing.assert_array_equal(found.x, [[[1], [2]], [[3], [4]]])
    assert found.y.tolist() == ["walking", "Running"]
    assert found.name.upper() == "STEPS"


def test_labels_of_several_words_are_known_by_all_of_them(write):
    head = "@classLabel true big cat small dog\n@data\n"
    assert read_ts(write(head + "1:big cat\n2:small dog\n")).y.tolist() == ["big cat", "small dog"]
    with pytest.raises(FileError, match="line 4: label 'big dog' is none of those"):
        read_ts(write(head + "1:big cat\n2:big dog\n"))


def test_names_that_steer_a_terminal_are_written_out(write):
    assert read_ts(write("@problemName \x1b[2Jx\n@data\n1,2\n")).name == "'\\x1b[2Jx'"


def test_one_long_label_does_not_make_every_label_long(write):
    """Numpy gives each label the room of the longest: here 80 GB."""
    with pytest.raises(FileError, match=r"longest label, announces .* 20001, 1000000, 74\.5 GiB"):
        read_ts(write("@classLabel true\n@data\n1:" + "L" * 10**6 + "\n" + "1:a\n" * 20000))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is no .ts file"),
        ("1,2,3\n", "is no .ts file"),
        (b"\xff\xfe\x00\x80", "is no text"),
        (HEAD, "no sequences after @data"),
        (HEAD + "1,2\n", "line 7 has no label"),
        (HEAD + "1,2:3,x:walking\n", "line 7: could not convert string to float: 'x'"),
        (HEAD + "1,2:3:walking\n", "line 7 has channels of 2, 1 steps"),
        (HEAD + "1,2:walking\n1,2:3,4:walking\n", "have 1, 2 channels"),
        (HEAD + "1,2:flying\n", "line 7: label 'flying' is none of those that @classLabel names: walking, Running"),
        ("@classLabel true " + "a " * 10**5 + "\n@data\n1:b\n", "names: (a, ){66}a…$"),
        ("@classLabel true \x1b[2Ja\n@data\n1:b\n", r"names: '.x1b\[2Ja'$"),
        (HEAD + ":".join(["1", "1,2"] * 1000) + ":walking\n", "channels of (1, 2, ){33}1…? steps"),
        (HEAD + "1,2:\n", "line 7 has no label"),
        ("@classLabel true\n@data\n1,2: \n", "line 3 has no label"),
        (HEAD + "1_0,2:walking\n", "line 7: an underscore in a number"),
        (HEAD + "1,,2:walking\n", "line 7: could not convert string to float: ''"),
        (HEAD + "(0,1),(1,2):walking\n", r"line 7: could not convert string to float: '\(0'"),
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


@pytest.mark.parametrize("kind", VIEWS)
def test_views_are_of_any_number_of_images_and_of_whatever_numpy_reads(kind):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    expected = view(images, kind)
    assert expected.dtype == np.float32
    np.testing.assert_array_equal(np.sort(expected.ravel()), np.arange(24, dtype=np.float32) / 255)
    np.testing.assert_array_equal(view(torch.tensor(images), kind), expected)
    assert view(images[:0], kind).shape == (0, *expected.shape[1:])
    assert view(images.tolist(), kind).shape == expected.shape


def test_strange_views_are_refused():
    with pytest.raises(ValueError, match="view is 'diagonal', expected one of rows, columns"):
        view(np.zeros((1, 2, 2)), "diagonal")
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected \(N, rows, columns\)"):
        view(np.zeros((2, 2)))


def test_labels_and_sequences_go_together():
    with pytest.raises(FileError, match="2 sequences and 3 labels"):
        Labelled(np.zeros((2, 1, 1)), np.zeros(3))
