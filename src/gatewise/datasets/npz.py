"""Archives of numpy, `.npz`: sequences `x`, labels `y`, and the length of each.

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

from gatewise.datasets.labelled import FileError, Labelled, Reads, at_most, check_size, shown

NAMES = ("x", "y", "lengths")
PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # as numpy packs; others fail in ways of their own
MOST_HEADER = 2**14  # bytes: of numbers and text, a header has about a hundred
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npz(path: str | os.PathLike[str]) -> Labelled:
    """Sequences from the arrays of an archive: x (N, T, C) or (N, T), and, where it has them, y (N,) and lengths (N,).

    With lengths, x becomes a list of arrays without what lies behind the end of each.

    Arguments:
        path: of the file, as `numpy.savez` and `numpy.savez_compressed` write it.

    Raises:
        FileError: it is no such file, an array is missing, of objects (which would run code) or damaged, they do not go
            together, or one takes more than 8 GiB.
        OSError: the file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            there = {one.filename[:-4]: one for one in archive.infolist() if one.filename.endswith(".npy")}
            found = {name: _array(archive, there[name], path) for name in NAMES if name in there}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError) as reason:
        _refuse(path, reason)
    except OSError as reason:
        if reason.errno != errno.EINVAL:  # what a place before the beginning, or beyond any end, is answered by
            raise
        _refuse(path, reason)
    if "x" not in found:
        raise FileError(f"{path} holds {shown(sorted(there)) or 'no arrays'}, expected x, and y for the labels")
    return _labelled(path, **found)


def _refuse(path: object, reason: Exception) -> NoReturn:
    raise FileError(f"{path} is no archive of numpy, or damaged ({reason!s:.80}); write it by numpy.savez") from None


def _labelled(path: object, x: np.ndarray, y: np.ndarray | None = None, lengths: np.ndarray | None = None) -> Labelled:
    x = x[..., None] if x.ndim == 2 else x
    if x.ndim != 3 or x.dtype.kind not in "biuf" or (y is not None and y.shape != (len(x),)):
        shapes = f"x {x.dtype} {x.shape}" + ("" if y is None else f" and y {y.shape}")
        raise FileError(f"{path} holds {shapes}, expected numbers (N, T, C) or (N, T), and labels (N,)")
    if lengths is None:
        return Labelled(x, y, Path(str(path)).stem)
    fits = lengths.shape == (len(x),) and lengths.dtype.kind in "iu" and ((lengths > 0) & (lengths <= x.shape[1])).all()
    if not fits:
        raise FileError(f"{path}: lengths are {lengths.dtype} {lengths.shape}, expected (N,) whole numbers from 1 to T")
    return Labelled([one[:length] for one, length in zip(x, lengths.tolist(), strict=True)], y, Path(str(path)).stem)


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: object) -> np.ndarray:
    where = f"{path}, {member.filename}"
    if member.compress_type not in PACKED:
        raise FileError(f"{where} is packed in a way that numpy does not use; write it by numpy.savez")
    with archive.open(member) as file:
        shape, fortran, dtype, start = _header(file, where)
        if dtype.hasobject:
            raise FileError(
                f"{where}: an array of objects, which only code in the file could bring back; write numbers, or text "
                "as numpy.array(labels, dtype=str)"
            )
        if not dtype.itemsize or dtype.subdtype is not None:
            raise FileError(
                f"{where}: values of type {dtype!s:.80}, expected numbers, or text; write it by numpy.savez"
            )
        size = check_size(where, shape, dtype.itemsize)
        content = at_most(file, size + 1, start)
    if len(content) != size:
        raise FileError(f"{where} announces {size} bytes, another number came; write it anew")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _header(file: Reads, where: str) -> "tuple[tuple[int, ...], bool, np.dtype[np.generic], bytes]":
    """Shape, order, type, and the first of the values."""
    start = io.BytesIO(at_most(file, MOST_HEADER))  # numpy would read as long a header as is announced
    try:
        version = np.lib.format.read_magic(start)
        return *HEADERS[version](start), start.read()
    except (ValueError, KeyError, SyntaxError, TypeError, MemoryError, RecursionError) as reason:
        raise FileError(f"{where}: no header of a numpy array ({reason!s:.80}); write it by numpy.savez") from None
