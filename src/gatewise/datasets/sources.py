"""Labelled sequences from a file or folder: selects the reader, and finds the training and the test part."""

import os
from collections.abc import Callable
from pathlib import Path

from gatewise.datasets.idx import mnist
from gatewise.datasets.labelled import FileError, Labelled, listed
from gatewise.datasets.npz import read_npz
from gatewise.datasets.rows import read_rows
from gatewise.datasets.ts import read_ts

PathLike = str | os.PathLike[str]
READERS: dict[str, Callable[[PathLike], Labelled]] = {".npz": read_npz, ".ts": read_ts}
TABLES = (".csv", ".tsv", ".parquet")
KINDS = (*READERS, *TABLES)
TRAIN, TEST = "_TRAIN", "_TEST"  # endings of the file names of both parts in the archives
FOLDERS = "read_parts (DATA of gatewise classify)"  # the reader of folders, in messages


def read_sequences(source: PathLike, *, label: str | None = None) -> Labelled:
    """Read the sequences of one file with the reader of its suffix.

    Arguments:
        source: a `.npz`, `.ts`, `.csv`, `.tsv` or `.parquet`; see `read_npz`, `read_ts` and `read_rows`.
        label: the column of labels of a table.

    Raises:
        FileError: an unknown suffix, or a file that cannot be used.
        OSError: the file cannot be read.
    """
    path = Path(source)
    kind = path.suffix.lower()
    if path.is_dir():
        raise FileError(f"{path} is a folder; pass a file, or read the folder with {FOLDERS}")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}; check the path")
    if kind in TABLES:
        return read_rows(path, label=label)
    if label is not None:
        raise FileError(
            f"{path}: label={label!r} (--label) names a column, but only {', '.join(TABLES)} have columns; omit it"
        )
    if kind not in READERS:
        raise FileError(
            f"{path} is of an unknown kind; expected a file that ends in {', '.join(KINDS)}; "
            f"read a folder with {FOLDERS}"
        )
    return READERS[kind](path)


def read_parts(source: PathLike, *, label: str | None = None) -> tuple[Labelled, Labelled | None]:
    """Read the training part of a data set, and its test part, None if it has no test part.

    Arguments:
        source: a folder with MNIST's files; a folder with NAME_TRAIN.ts and NAME_TEST.ts (or `.tsv`), as the UCR and
            UEA archives have them, or the first of the two files; or any other file of `read_sequences`, which has
            no test part.
        label: the column of labels of a table.

    Raises:
        FileError: no data set was found, or it cannot be used.
        OSError: a file cannot be read.
    """
    path = Path(source)
    if path.is_dir():
        if any(path.glob("train*idx*")):
            parts = ("train", "test") if any(path.glob("t10k*idx*")) else ("train",)
            train, *test = (Labelled(*mnist(path, part), path.resolve().name) for part in parts)
            return train, test[0] if test else None
        candidates = sorted(file for file in path.glob(f"*{TRAIN}.ts*") if file.suffix in KINDS)
        if not candidates:
            raise FileError(
                f"{path} holds neither MNIST's files (train-images-idx3-ubyte.gz, ...) nor NAME{TRAIN}.ts; for "
                "images, write a .npz with their bytes as x (N, height, width) and their labels as y"
            )
        names = sorted({file.stem for file in candidates})
        if len(names) > 1:
            raise FileError(
                f"{path} holds several data sets, {listed(names)}; pass the file of one, such as {candidates[0].name}"
            )
        path = candidates[0]
    test_part = find_test_part(path)
    return read_sequences(path, label=label), None if test_part is None else read_sequences(test_part, label=label)


def find_test_part(path: Path) -> Path | None:
    """The file of the test part in the folder of a training part, None if there is none."""
    other = path.parent / path.name.replace(TRAIN, TEST)
    return other if path.stem.endswith(TRAIN) and other.is_file() else None
