"""Data sets from files and folders."""

import numpy as np
import pytest

from gatewise.datasets import FileError, read_parts, read_sequences

TS = "@problemName Steps\n@classLabel true a b\n@data\n1,2,3:a\n4,5,6:b\n"


def test_a_dataset_of_an_archive_has_two_parts(tmp_path):
    (tmp_path / "Steps_TRAIN.ts").write_text(TS)
    only, none = read_parts(tmp_path / "Steps_TRAIN.ts")
    assert (len(only), none) == (2, None)
    (tmp_path / "Steps_TEST.ts").write_text(TS.replace("1,2,3:a\n", ""))
    for source in (tmp_path, tmp_path / "Steps_TRAIN.ts"):
        train, test = read_parts(source)
        assert (train.y.tolist(), test.y.tolist()) == (["a", "b"], ["b"])


def test_a_folder_of_several_datasets_is_refused(tmp_path):
    for name in ("A_TRAIN.ts", "B_TRAIN.ts"):
        (tmp_path / name).write_text(TS)
    with pytest.raises(FileError, match="holds several data sets, A_TRAIN, B_TRAIN; pass the file of one, such as A"):
        read_parts(tmp_path)


def test_the_folder_of_mnist_has_two_parts(tmp_path):
    def idx(*sizes):
        head = bytes([0, 0, 8, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)
        return head + bytes(range(int(np.prod(sizes))))

    for part, count in (("train", 3), ("t10k", 2)):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(count, 2, 2))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(count))
    train, test = read_parts(tmp_path)
    assert (train.x.shape, test.x.shape, test.y.tolist()) == ((3, 2, 2), (2, 2, 2), [0, 1])


def test_invalid_sources_are_refused(tmp_path):
    with pytest.raises(FileError, match="holds neither MNIST's files"):
        read_parts(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_parts(tmp_path / "a.ts")
    (tmp_path / "a.xlsx").write_text("")
    with pytest.raises(
        FileError, match=r"of an unknown kind; expected a file that ends in \.npz, \.ts, \.arff, \.csv.*; read a folder"
    ):
        read_sequences(tmp_path / "a.xlsx")
    with pytest.raises(FileError, match=r"is a folder; pass a file, or read the folder with read_parts \(DATA of g"):
        read_sequences(tmp_path)


def test_mnist_without_test_files_has_no_test_part(tmp_path):
    head = bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7])
    (tmp_path / "train-images-idx3-ubyte").write_bytes(head)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 3]))
    train, test = read_parts(tmp_path)
    assert (train.x.tolist(), train.y.tolist(), test) == ([[[7]]], [3], None)
