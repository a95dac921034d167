"""Labelled sequences from wherever they are: what a name stands for, and which parts there are."""

import os
from collections.abc import Callable
from pathlib import Path

from gatewise.datasets.idx import mnist
from gatewise.datasets.labelled import FileError, Labelled, shown
from gatewise.datasets.npz import read_npz
from gatewise.datasets.rows import read_rows
from gatewise.datasets.ts import read_ts

Path_ = str | os.PathLike[str]
READERS: dict[str, Callable[[Path_], Labelled]] = {".npz": read_npz, ".ts": read_ts}
TABLES = (".csv", ".tsv", ".parquet")
KINDS = (*READERS, *TABLES)
TRAIN, TEST = "_TRAIN", "_TEST"  # how the archives end the names of their two parts


def read_sequences(source: Path_, *, label: str | None = None) -> Labelled:
    """The sequences of one file, by the end of its name.

    Arguments:
        source: a `.npz`, `.ts`, `.csv`, `.tsv` or `.parquet`; see `read_npz`, `read_ts` and `read_rows`.
        label: the column of labels, of a table.

    Raises:
        FileError: it is of no such kind, or cannot be used.
        OSError: the file cannot be read.
    """
    path = Path(source)
    kind = path.suffix.lower()
    if path.is_dir():
        raise FileError(f"{path} is a folder; give a file, or the folder of MNIST's files, or of NAME{TRAIN}.ts")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}; check the path")
    if kind in TABLES:
        return read_rows(path, label=label)
    if label is not None:
        raise FileError(f"{path}: a column of labels, {label!r}, was named, but only {', '.join(TABLES)} have columns")
    if kind not in READERS:
        raise FileError(f"{path} is of no known kind; expected a file that ends in {', '.join(KINDS)}, or a folder")
    return READERS[kind](path)


def read_parts(source: Path_, *, label: str | None = None) -> tuple[Labelled, Labelled | None]:
    """The training part of a set, and its test part where it has one.

    Arguments:
        source: a folder with MNIST's files; a folder with NAME_TRAIN.ts and NAME_TEST.ts (or `.tsv`), as the UCR and
            UEA archives have them, or the first of the two; or any other file for `read_sequences`, without a test
            part.
        label: the column of labels, of a table.

    Raises:
        FileError: there is no such set, or it cannot be used.
        OSError: a file cannot be read.
    """
    path = Path(source)
    if path.is_dir():
        if any(path.glob("train*idx*")):
            parts = ("train", "test") if any(path.glob("t10k*idx*")) else ("train",)
            train, *test = (Labelled(*mnist(path, part), path.resolve().name) for part in parts)
            return train, test[0] if test else None
        found = sorted(one for one in path.glob(f"*{TRAIN}.ts*") if one.suffix in KINDS)
        if not found:
            raise FileError(
                f"{path} holds neither MNIST's files (train-images-idx3-ubyte.gz, ...) nor NAME{TRAIN}.ts; for "
                "pictures, write a .npz with x (N, height, width), bytes, and y, their labels"
            )
        sets = sorted({one.stem for one in found})
        if len(sets) > 1:
            raise FileError(f"{path} holds several sets, {shown(sets)}; give the file of one, such as {found[0].name}")
        path = found[0]
    other = beside(path)
    return read_sequences(path, label=label), None if other is None else read_sequences(other, label=label)


def beside(path: Path) -> Path | None:
    """The file of the test part beside that of a training part, if there is one."""
    other = path.parent / path.name.replace(TRAIN, TEST)
    return other if path.stem.endswith(TRAIN) and other.is_file() else None
