"""Data: small built-in series, and readers of labelled sequences.

- `built_in`: one real series, one generated trend, one table of two features.
- `labelled`: sequences with their labels, and the table of what reads which file.
- `idx`, `npz`, `ts`: files of MNIST, of numpy, and of the UCR and UEA archives. What a file says of itself is checked
  before memory is taken, and no code in it is run.
- `views`: an image as a sequence of rows, columns or pixels.
"""

from gatewise.datasets.built_in import air_passengers, sums, trend
from gatewise.datasets.idx import mnist, read_idx
from gatewise.datasets.labelled import FileError, Labelled
from gatewise.datasets.npz import read_npz
from gatewise.datasets.ts import read_ts
from gatewise.datasets.views import VIEWS, view

__all__ = [
    "VIEWS",
    "FileError",
    "Labelled",
    "air_passengers",
    "mnist",
    "read_idx",
    "read_npz",
    "read_ts",
    "sums",
    "trend",
    "view",
]
