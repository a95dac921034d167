"""IDX files, the format of MNIST: a short header and an array of numbers, optionally compressed by gzip.

    two zero bytes, a byte for the type, a byte for the number n of dimensions, n sizes of four bytes (big-endian), the
    values in C order (big-endian)

Reference: LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998, "file formats".

Letters: `N` images.
"""

import gzip
import os
import zlib
from pathlib import Path

import numpy as np

from gatewise.datasets.labelled import MOST_DIMENSIONS, FileError, Readable, check_size, read_at_most

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP = b"\x1f\x8b"  # first bytes of a gzip file
PARTS = {"train": "train", "test": "t10k"}


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read the array of an IDX file, compressed by gzip or not.

    Arguments:
        path: of the file; its first bytes show whether it is compressed.

    Returns:
        The array, in the byte order of this machine.

    Raises:
        FileError: not an IDX file, a truncated or too long file, or an array of more than 8 GiB.
        OSError: the file cannot be read.
    """
    with open(path, "rb") as plain:
        compressed = plain.read(2) == GZIP
        plain.seek(0)
        if not compressed:
            return _array(plain, path)
        try:
            with gzip.open(plain) as content:
                return _array(content, path)
        except (EOFError, gzip.BadGzipFile, zlib.error) as reason:
            raise FileError(f"{path} is a damaged gzip file ({reason}); download it again") from None


def mnist(folder: str | os.PathLike[str], part: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of MNIST, or of a data set in the same format (Fashion-MNIST, KMNIST, ...).

    Arguments:
        folder: with files such as train-images-idx3-ubyte.gz, compressed or not.
        part: "train" or "test".

    Returns:
        Images (N, height, width) and their labels (N,), bytes as in the files.

    Raises:
        FileNotFoundError: a file is missing; the message names it.
        FileError: a file cannot be used, or the numbers of images and labels differ.
        ValueError: an unknown part.
    """
    if part not in PARTS:
        raise ValueError(f"part is {part!r}, expected 'train' or 'test'")
    images, labels = (read_idx(_find(Path(folder), f"{PARTS[part]}-{kind}")) for kind in ("images-idx3", "labels-idx1"))
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise FileError(
            f"{folder}: the images of {part} have shape {images.shape}, the labels {labels.shape}; expected "
            "(N, height, width) and (N,)"
        )
    return images, labels


def _find(folder: Path, start: str) -> Path:
    """The file under any of its usual names."""
    stems = (f"{start}-ubyte", f"{start.replace('-idx', '.idx')}-ubyte")
    names = [f"{name}{end}" for name in stems for end in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{folder} holds no {names[0]}, compressed (.gz) or not; pass the folder with MNIST")


def _array(file: Readable, path: object) -> np.ndarray:
    shape, dtype = _header(file, path)
    size = check_size(path, shape, dtype.itemsize)
    content = read_at_most(file, size + 1)
    if len(content) != size:
        number = "more" if len(content) > size else f"{len(content)}"
        raise FileError(
            f"{path} has shape {shape} in its header ({size} bytes of values), but the file holds {number}; download "
            "it again"
        )
    array = np.frombuffer(content, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=dtype.byteorder == ">")


def _header(file: Readable, path: object) -> tuple[tuple[int, ...], "np.dtype[np.generic]"]:
    magic = file.read(4)
    valid = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in TYPES and 1 <= magic[3] <= MOST_DIMENSIONS
    if not valid:
        raise FileError(
            f"{path} begins with {magic.hex(' ') or 'nothing'}, expected the header of an IDX file: 00 00, a type "
            "from 08 to 0e, and the number of dimensions"
        )
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise FileError(f"{path} ends within its header; download it again")
    return tuple(int(size) for size in np.frombuffer(sizes, ">u4")), np.dtype(TYPES[magic[2]])
