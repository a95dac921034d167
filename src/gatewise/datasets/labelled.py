"""Labelled sequences, as they come from a file.

Letters: `N` sequences, `T` steps, `C` channels.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

MOST_BYTES = 2**33  # 8 GiB of values: more is taken for a damaged or hostile file
MOST_DIMENSIONS = 8
PIECE = 2**22  # bytes read at a time: memory grows with what there is, whatever a header says


class FileError(ValueError):
    """A file does not hold what it should; says what was expected, what came, and what to do."""


@dataclass(frozen=True)
class Labelled:
    """Sequences and their labels.

    Attributes:
        x: (N, T, C); or, where sequences differ in length, a list of N arrays (T, C).
        y: (N,) labels of any type, or None.
        name: of the data.
    """

    x: np.ndarray | list[np.ndarray]
    y: np.ndarray | None
    name: str = ""

    def __post_init__(self) -> None:
        if self.y is not None and len(self.y) != len(self.x):
            raise FileError(f"there are {len(self.x)} sequences and {len(self.y)} labels, expected one for each")

    def __len__(self) -> int:
        return len(self.x)


class Reads(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """So many, fewer at the end."""


def check_size(path: object, shape: tuple[int, ...], itemsize: int) -> int:
    """The number of bytes that an array takes, before it is made.

    Raises:
        FileError: they are more than any honest file here has.
    """
    if len(shape) > MOST_DIMENSIONS or not all(0 <= one < 2**63 for one in shape):
        raise FileError(
            f"{path} announces an array of shape {shown(shape)}, expected up to {MOST_DIMENSIONS} dimensions of 0 or "
            "more each; is it damaged?"
        )
    most = math.prod(max(one, 1) for one in (itemsize, *shape))  # numpy makes no array of huge sizes beside a zero
    if most > MOST_BYTES:
        raise FileError(
            f"{path} announces an array of shape {shown(shape)}, {most / 2**30:.3g} GiB; expected at most "
            f"{MOST_BYTES // 2**30} GiB; is it damaged?"
        )
    return itemsize * math.prod(shape)


def at_most(file: Reads, size: int, start: bytes = b"") -> bytearray:
    """So many bytes, `start` among them, or those that there are."""
    content = bytearray(start)  # grows in place, and an array upon it can be written to
    while len(content) < size and (piece := file.read(min(PIECE, size - len(content)))):
        content += piece
    return content


def shown(values: Iterable[Any]) -> str:
    """A list for a message, cut short: a hostile file may name much, and with it what steers a terminal."""
    text = ", ".join(one if isinstance(one, str) and one.isprintable() else repr(one) for one in values)
    return text if len(text) <= 200 else f"{text[:199]}…"
