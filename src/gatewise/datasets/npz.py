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

from gatewise.datasets.labelled import FileError, Labelled, Readable, check_size, listed, read_at_most

NAMES = ("x", "y", "lengths")
COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # used by numpy; other compressions raise other errors
MOST_HEADER = 2**14  # bytes: the header of an array of numbers or text has about a hundred
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npz(path: str | os.PathLike[str]) -> Labelled:
    """Read the sequences x (N, T, C) or (N, T) of an archive, and y (N,) and lengths (N,), if it has them.

    With lengths, x becomes a list of arrays without the steps after the end of each sequence.

    Arguments:
        path: of the file, as `numpy.savez` and `numpy.savez_compressed` write it.

    Raises:
        FileError: not an archive, an array that is missing, damaged, of objects (which could run code) or larger than
            8 GiB, or shapes that do not match.
        OSError: the file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {entry.filename[:-4]: entry for entry in archive.infolist() if entry.filename.endswith(".npy")}
            arrays = {name: _array(archive, members[name], path) for name in NAMES if name in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError) as reason:
        _refuse(path, reason)
    except OSError as reason:
        if reason.errno != errno.EINVAL:  # raised for an offset outside the file
            raise
        _refuse(path, reason)
    if "x" not in arrays:
        raise FileError(f"{path} holds {listed(sorted(members)) or 'no arrays'}, expected x, and y for the labels")
    return _labelled(path, **arrays)


def _refuse(path: object, reason: Exception) -> NoReturn:
    raise FileError(
        f"{path} is not a NumPy archive, or is damaged ({reason!s:.80}); write it with numpy.savez"
    ) from None


def _labelled(path: object, x: np.ndarray, y: np.ndarray | None = None, lengths: np.ndarray | None = None) -> Labelled:
    x = x[..., None] if x.ndim == 2 else x
    if x.ndim != 3 or x.dtype.kind not in "biuf" or (y is not None and y.shape != (len(x),)):
        shapes = f"x {x.dtype} {x.shape}" + ("" if y is None else f" and y {y.shape}")
        raise FileError(f"{path} holds {shapes}, expected numbers (N, T, C) or (N, T), and labels (N,)")
    if lengths is None:
        return Labelled(x, y, Path(str(path)).stem)
    fits = lengths.shape == (len(x),) and lengths.dtype.kind in "iu" and ((lengths > 0) & (lengths <= x.shape[1])).all()
    if not fits:
        raise FileError(f"{path}: lengths are {lengths.dtype} {lengths.shape}, expected (N,) integers from 1 to T")
    return Labelled(
        [sequence[:length] for sequence, length in zip(x, lengths.tolist(), strict=True)], y, Path(str(path)).stem
    )


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
