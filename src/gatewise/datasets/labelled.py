"""Labelled sequences, as they come from a file.

Letters: `N` sequences, `T` steps, `C` channels.
"""

from dataclasses import dataclass

import numpy as np

MOST_BYTES = 2**33  # 8 GiB of values: more is taken for a damaged or hostile file


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


def check_size(path: object, shape: tuple[int, ...], itemsize: int) -> int:
    """The number of bytes that an array takes, before it is made.

    Raises:
        FileError: they are more than any honest file here has.
    """
    size = itemsize
    for one in shape:
        size *= one
    if size > MOST_BYTES:
        raise FileError(
            f"{path} announces an array of shape {shape}, {size / 2**30:.3g} GiB; expected at most "
            f"{MOST_BYTES // 2**30} GiB; is it damaged?"
        )
    return size
