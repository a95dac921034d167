"""Labelled sequences, and checks that all readers share.

Letters: `N` sequences, `T` steps, `C` channels.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

MOST_BYTES = 2**33  # 8 GiB of values: a larger array is treated as a damaged or hostile file
MOST_DIMENSIONS = 8
PIECE = 2**22  # bytes read at a time: memory grows with the content, not with the header


class FileError(ValueError):
    """A file that cannot be used; the message says what was expected, what was found, and the remedy."""


@dataclass(frozen=True)
class Labelled:
    """Sequences and their labels.

    Attributes:
        x: (N, T, C); or a list of N arrays (T, C), if lengths differ.
        y: (N,) labels of any type, or None.
        name: of the data set.
        notes: what was found by the values in the file, one sentence each.
        columns: names of the steps, or of several channels; none if the file has no names.
    """

    x: np.ndarray | list[np.ndarray]
    y: np.ndarray | None
    name: str = ""
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.y is not None and len(self.y) != len(self.x):
            raise FileError(f"{len(self.x)} sequences and {len(self.y)} labels, expected a label for each sequence")

    def __len__(self) -> int:
        return len(self.x)


class Readable(Protocol):
    """A source of bytes."""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes, fewer at the end."""


def check_size(path: object, shape: tuple[int, ...], itemsize: int) -> int:
    """The size of an array in bytes, validated before the array is allocated.

    Raises:
        FileError: an array of more than 8 GiB or 8 dimensions.
    """
    if len(shape) > MOST_DIMENSIONS or not all(0 <= size < 2**63 for size in shape):
        raise FileError(
            f"{path} declares an array of shape {listed(shape)}, expected up to {MOST_DIMENSIONS} dimensions of 0 or "
            "more each; check whether the file is damaged"
        )
    most = math.prod(max(size, 1) for size in (itemsize, *shape))  # numpy refuses huge dimensions even if one is zero
    if most > MOST_BYTES:
        raise FileError(
            f"{path} declares an array of shape {listed(shape)}, {most / 2**30:.3g} GiB; expected at most "
            f"{MOST_BYTES // 2**30} GiB; check whether the file is damaged"
        )
    return itemsize * math.prod(shape)


def read_at_most(file: Readable, size: int, start: bytes = b"") -> bytearray:
    """Read until `size` bytes, `start` included, or to the end of the file."""
    content = bytearray(start)  # grows in place, and arrays that share its memory are writable
    while len(content) < size and (piece := file.read(min(PIECE, size - len(content)))):
        content += piece
    return content


def plain_names(names: Iterable[Any]) -> tuple[str, ...]:
    """Names as text, without blanks at their ends and line breaks in them."""
    return tuple(" ".join(str(name).split()) for name in names)


def listed(values: Iterable[Any]) -> str:
    """A list for a message, shortened and with control characters escaped, as a file may be hostile."""
    text = ", ".join(value if isinstance(value, str) and value.isprintable() else repr(value) for value in values)
    return text if len(text) <= 200 else f"{text[:199]}…"
