"""Labelled sequences from a file or folder: selects the reader, and finds the training and the test part."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gatewise.datasets.arff import read_arff
from gatewise.datasets.idx import mnist
from gatewise.datasets.labelled import FileError, Labelled, listed
from gatewise.datasets.npz import read_npz, read_npz_parts
from gatewise.datasets.rows import read_rows
from gatewise.datasets.tables import TABLES
from gatewise.datasets.ts import read_ts

PathLike = str | os.PathLike[str]
READERS: dict[str, Callable[..., Labelled]] = {".npz": read_npz, ".ts": read_ts, ".arff": read_arff}
KINDS = (*READERS, *TABLES)
ARCHIVE_KINDS = (".ts", ".tsv", ".arff", ".txt")  # of the parts of a data set in a folder, the first one is used
TRAIN, TEST = "_TRAIN", "_TEST"  # endings of the file names of both parts in the archives
FOLDERS = "read_parts (DATA of gatewise classify)"  # the reader of folders, in messages
OF_TABLES = {"label": "--label", "layout": "--layout", "id_column": "--id", "time_column": "--time"}
OF_TABLES |= {"drop": "--drop", "keep": "--keep"}


def read_sequences(
    source: PathLike,
    *,
    label: str | None = None,
    layout: str | None = None,
    id_column: str | Sequence[str] | None = None,
    time_column: str | None = None,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    fill: str | None = None,
) -> Labelled:
    """Read the sequences of one file with the reader of its suffix.

    Arguments:
        source: a `.npz`, `.ts`, `.arff`, `.csv`, `.tsv`, `.txt` or `.parquet`; see `read_npz`, `read_ts`, `read_arff`
            and `read_rows`.
        label, layout, id_column, time_column, drop, keep: columns of a table; see `read_rows`.
        fill: None refuses missing values; "interpolate" and "zero" fill them in, "none" keeps them as NaN.

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
    options: dict[str, Any] = {"label": label, "layout": layout, "id_column": id_column, "time_column": time_column}
    options |= {"drop": drop, "keep": keep}
    if kind in TABLES:
        return read_rows(path, **options, fill=fill)
    _refuse_options(path, options)
    if kind not in READERS:
        raise FileError(
            f"{path} is of an unknown kind; expected a file that ends in {', '.join(KINDS)}; "
            f"read a folder with {FOLDERS}"
        )
    return READERS[kind](path, fill=fill)


def _refuse_options(path: Path, options: dict[str, Any]) -> None:
    """Refuse options of columns for a file without columns."""
    for name, value in options.items():
        if value:
            raise FileError(
                f"{path}: {name}={value!r} ({OF_TABLES[name]}) is for columns, but only {', '.join(TABLES)} have "
                "columns; omit it"
            )


def read_parts(source: PathLike, **options: Any) -> tuple[Labelled, Labelled | None]:
    """Read the training part of a data set, and its test part, None if it has no test part.

    Arguments:
        source: a folder with MNIST's files; a folder with NAME_TRAIN.ts and NAME_TEST.ts (or `.tsv`, `.arff`, `.txt`),
            as the UCR and UEA archives have them, or the first of the two files; a `.npz` of x_train, y_train, x_test
            and y_test; or any other file of `read_sequences`, which has no test part.
        options: as for `read_sequences`.

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
        path = _training_file(path)
    elif path.suffix.lower() == ".npz" and path.is_file():
        fill = options.pop("fill", None)
        _refuse_options(path, options)
        return read_npz_parts(path, fill=fill)
    test_part = find_test_part(path)
    return read_sequences(path, **options), None if test_part is None else read_sequences(test_part, **options)


def _training_file(folder: Path) -> Path:
    """The training part of the only data set of a folder."""
    files = [file for file in folder.glob(f"*{TRAIN}.*") if file.suffix.lower() in ARCHIVE_KINDS]
    candidates = sorted(files, key=lambda file: (ARCHIVE_KINDS.index(file.suffix.lower()), file.name))
    if not candidates:
        raise FileError(
            f"{folder} holds neither MNIST's files (train-images-idx3-ubyte.gz, ...) nor NAME{TRAIN}.ts; for "
            "images, write a .npz with their bytes as x (N, height, width) and their labels as y"
        )
    names = sorted({file.stem for file in candidates})
    if len(names) > 1:
        raise FileError(
            f"{folder} holds several data sets, {listed(names)}; pass the file of one, such as {candidates[0].name}"
        )
    return candidates[0]


def find_test_part(path: Path) -> Path | None:
    """The file of the test part in the folder of a training part, None if there is none."""
    other = path.parent / path.name.replace(TRAIN, TEST)
    return other if path.stem.endswith(TRAIN) and other.is_file() else None
