"""IDX files and MNIST: valid, damaged and hostile files."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from gatewise.datasets import (
    FileError,
    mnist,
    read_idx,
)
from tests.datasets.files import by_message, idx


@pytest.mark.parametrize(
    ("code", "dtype"), [(0x08, "u1"), (0x09, "i1"), (0x0B, "i2"), (0x0C, "i4"), (0x0D, "f4"), (0x0E, "f8")]
)
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (0, 3)])
@pytest.mark.parametrize("compressed", [False, True])
def test_idx_arrays_are_read(code, dtype, shape, compressed, write):
    array = np.random.default_rng(0).integers(-100, 100, shape).astype(dtype)
    content = idx(array, code)
    result = read_idx(write(gzip.compress(content) if compressed else content))
    assert result.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(result, array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"PK\x03\x04" * 4, "begins with 50 4b 03 04"),
        (bytes([0, 0, 8, 0]), "number of dimensions"),
        (bytes([0, 0, 8, 255]) + b"\0" * 2000, "number of dimensions"),
        (bytes([0, 0, 8, 3, 0, 0]), "ends within its header"),
        (
            idx(np.zeros((2, 3), np.uint8))[:-1],
            "shape .2, 3. in its header .6 bytes of values., but the file holds 5; download it again",
        ),
        (idx(np.zeros((2, 3), np.uint8)) + b"\0", "but the file holds more; download it again"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12 + b"\0" * 9, "GiB; expected at most 8"),
        (bytes([0, 0, 8, 1]) + struct.pack(">I", 2**32 - 1) + b"\0" * 9, "but the file holds 9; download it again"),
        (gzip.compress(idx(np.zeros(1000, np.uint8)))[:-9], "damaged gzip"),
        (b"\x1f\x8b" + b"\0" * 40, "damaged gzip"),
        (gzip.compress(idx(np.zeros(5, np.uint8))) + b"rest", "damaged gzip"),
        (bytes([0, 0, 8, 8]) + struct.pack(">8I", 0, *[2**32 - 1] * 7), "GiB; expected at most 8"),
    ],
    ids=by_message,
)
def test_damaged_idx_files_are_refused_before_memory_is_allocated(content, message, write):
    path = write(content)
    tracemalloc.start()
    with pytest.raises(FileError, match=message):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


def test_a_gzip_bomb_is_read_only_up_to_its_declared_size(write):
    path = write(gzip.compress(bytes([0, 0, 8, 1]) + struct.pack(">I", 10) + b"\0" * 2**26))
    tracemalloc.start()
    with pytest.raises(FileError, match="but the file holds more; download it again"):
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
    result = mnist(tmp_path, part)
    np.testing.assert_array_equal(result[0], images)
    np.testing.assert_array_equal(result[1], labels)


def test_incomplete_folders_of_mnist_are_refused(write, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no train-images-idx3-ubyte, compressed"):
        mnist(tmp_path)
    with pytest.raises(ValueError, match="part is 'valid', expected 'train' or 'test'"):
        mnist(tmp_path, "valid")
    write(idx(np.zeros((2, 3, 4), np.uint8)), "train-images-idx3-ubyte")
    write(idx(np.zeros(3, np.uint8)), "train-labels-idx1-ubyte")
    with pytest.raises(FileError, match=r"shape \(2, 3, 4\), the labels \(3,\)"):
        mnist(tmp_path)
