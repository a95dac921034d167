"""Archives of numpy, `.npz`: sequences `x`, labels `y` and their `lengths`.

Letters: `N` sequences, `T` steps, `C` channels.
"""

import errno
import io
import os
import zipfile
import zlib
from pathlib import Path
from typing import NoReturn

import numpy as np

from gatewise.datasets.gaps import cut, filled, lengths_without_end
from gatewise.datasets.labelled import FileError, Labelled, Readable, check_size, listed, read_at_most

X, Y = ("x", "data"), ("y", "label", "labels", "target", "targets", "class", "classes")  # in lower case
LENGTHS = ("lengths", "length")
PARTS = ("train", "test")
COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # used by numpy; other compressions raise other errors
MOST_HEADER = 2**14  # bytes: the header of an array of numbers or text has about a hundred
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npz(path: str | os.PathLike[str], *, fill: str | None = None) -> Labelled:
    """Read the sequences x (N, T, C) or (N, T) of an archive, and y (N,) and lengths (N,), if it has them.

    x may be named data, and y label, labels, target, targets, class or classes, in capitals or not. With lengths, x
    becomes a list of arrays without the steps after the end of each sequence; so it does if sequences end in NaN.

    Arguments:
        path: of the file, as `numpy.savez` and `numpy.savez_compressed` write it.
        fill: how missing values are filled in; see `read_sequences`.

    Raises:
        FileError: not an archive, an array that is missing, damaged, of objects (which could run code) or larger than
            8 GiB, several arrays that may be x, or shapes that do not match.
        OSError: the file cannot be read.
    """
    part, test = read_npz_parts(path, fill=fill)
    if test is not None:
        raise FileError(
            f"{path} holds a training part and a test part, expected one; read both with read_parts (DATA of gatewise "
            "classify)"
        )
    return part


def read_npz_parts(path: str | os.PathLike[str], *, fill: str | None = None) -> tuple[Labelled, Labelled | None]:
    """Read the training part of an archive and its test part, None without x_test; see `read_npz`.

    The arrays of the parts are named x_train, y_train, x_test and y_test, or train_x and so on, in capitals or not.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {entry.filename[:-4]: entry for entry in archive.infolist() if entry.filename.endswith(".npy")}
            roles = _roles(list(members), path)
            arrays = [
                {role: _array(archive, members[name], path) for role, name in names.items()} for names in roles if names
            ]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError) as reason:
        _refuse(path, reason)
    except OSError as reason:
        if reason.errno != errno.EINVAL:  # raised for an offset outside the file
            raise
        _refuse(path, reason)
    train, *test = (_labelled(path, names["x"], fill, **part) for names, part in zip(roles, arrays, strict=False))
    return train, test[0] if test else None


def _roles(members: list[str], path: object) -> tuple[dict[str, str], dict[str, str]]:
    """The names of x, y and lengths in the training part, or the only one, and in the test part, which may be empty."""
    whole = _named(members, ("",), path)
    train, test = (_named(members, (f"_{part}", part), path) for part in PARTS)
    if "x" in whole and "x" in train:
        raise FileError(
            f"{path} holds {whole['x']} and {train['x']}, which both may be the sequences; rename or remove one"
        )
    if "x" in train:
        if "y" in whole:
            raise FileError(f"{path} holds {whole['y']} beside {train['x']}, expected y_train; rename it")
        return train, test if "x" in test else {}
    if "x" not in whole:
        raise FileError(f"{path} holds {listed(sorted(members)) or 'no arrays'}, expected x, and y for the labels")
    if "x" in test:
        raise FileError(f"{path} holds {whole['x']} and {test['x']}, expected x_train beside it; rename one")
    return whole, {}


def _named(members: list[str], endings: tuple[str, ...], path: object) -> dict[str, str]:
    """The name of the array of each role; endings such as "_train" also stand in front, as in train_x."""
    found: dict[str, str] = {}
    for role, names in (("x", X), ("y", Y), ("lengths", LENGTHS)):
        usual = {f"{name}{end}" for name in names for end in endings}
        usual |= {f"{end.strip('_')}_{name}" for name in names for end in endings if end}
        matches = sorted(name for name in members if name.strip().lower() in usual)
        if len(matches) > 1:
            raise FileError(
                f"{path} holds {' and '.join(map(repr, matches))}, which both may be {role}; remove all but one"
            )
        found |= dict.fromkeys([role] * len(matches), matches[0] if matches else "")
    return found


def _refuse(path: object, reason: Exception) -> NoReturn:
    raise FileError(
        f"{path} is not a NumPy archive, or is damaged ({reason!s:.80}); write it with numpy.savez"
    ) from None


def _labelled(
    path: object,
    name: str,
    fill: str | None,
    x: np.ndarray,
    y: np.ndarray | None = None,
    lengths: np.ndarray | None = None,
) -> Labelled:
    x = x[..., None] if x.ndim == 2 else x
    if x.ndim != 3 or x.dtype.kind not in "biuf" or (y is not None and y.shape != (len(x),)):
        shapes = f"x {x.dtype} {x.shape}" + ("" if y is None else f" and y {y.shape}")
        raise FileError(f"{path} holds {shapes}, expected numbers (N, T, C) or (N, T), and labels (N,)")
    stem = Path(str(path)).stem

    def where(sequence: int, step: int, channel: int) -> str:
        return f"{path}, {name}[{sequence}, {step}, {channel}]"

    if lengths is None:
        sizes = lengths_without_end(x) if x.dtype.kind == "f" else np.full(len(x), x.shape[1])
        if (sizes == x.shape[1]).all() or not x.size:
            return Labelled(filled(x, fill, where), y, stem)
        if not sizes.all():
            raise FileError(f"{path}, {name}[{int(sizes.argmin())}] has no values; leave it out")
        notes = (f"lengths: {int((sizes < x.shape[1]).sum())} sequences end in NaN, and are read as shorter",)
        return Labelled(filled(cut(x, sizes.tolist()), fill, where), y, stem, notes)
    fits = lengths.shape == (len(x),) and lengths.dtype.kind in "iu" and ((lengths > 0) & (lengths <= x.shape[1])).all()
    if not fits:
        raise FileError(f"{path}: lengths are {lengths.dtype} {lengths.shape}, expected (N,) integers from 1 to T")
    return Labelled(filled(cut(x, lengths.tolist()), fill, where), y, stem)


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: object) -> np.ndarray:
    where = f"{path}, {member.filename}"
    if member.compress_type not in COMPRESSIONS:
        raise FileError(f"{where} has a compression that numpy does not use; write it with numpy.savez")
    with archive.open(member) as file:
        shape, fortran, dtype, start = _header(file, where)
        if dtype.hasobject:
            raise FileError(
                f"{where} is an array of objects, and reading it could run code in the file; write numbers, or text as "
                "numpy.array(labels, dtype=str)"
            )
        if not dtype.itemsize or dtype.subdtype is not None:
            raise FileError(
                f"{where}: values of type {dtype!s:.80}, expected numbers, or text; write it with numpy.savez"
            )
        size = check_size(where, shape, dtype.itemsize)
        content = read_at_most(file, size + 1, start)
    if len(content) != size:
        raise FileError(f"{where} does not hold the {size} bytes that it declares; write it again with numpy.savez")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _header(file: Readable, where: str) -> "tuple[tuple[int, ...], bool, np.dtype[np.generic], bytes]":
    """Shape, order, type, and the first bytes of the values."""
    start = io.BytesIO(read_at_most(file, MOST_HEADER))  # numpy would read a header of any declared length
    try:
        version = np.lib.format.read_magic(start)
        return *HEADERS[version](start), start.read()
    except (ValueError, KeyError, SyntaxError, TypeError, MemoryError, RecursionError) as reason:
        raise FileError(f"{where}: no NumPy array header ({reason!s:.80}); write it with numpy.savez") from None
