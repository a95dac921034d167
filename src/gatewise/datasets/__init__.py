"""Data: small built-in series, and readers of labelled sequences.

- `built_in`: one real series, one generated trend, one table of two features.
- `charts`: generated sequences in six classes.
- `labelled`: sequences with their labels.
- `sources`: what a name stands for: which reader reads it, which parts there are.
- `idx`, `npz`, `ts`, `rows`: files of MNIST, of numpy, of the UCR and UEA archives, and tables. What a file says of
  itself is checked before memory is taken, and no code in it is run.
- `views`: an image as a sequence of rows, columns or pixels.
"""

from gatewise.datasets.built_in import air_passengers, sums, trend
from gatewise.datasets.charts import control_charts
from gatewise.datasets.idx import mnist, read_idx
from gatewise.datasets.labelled import FileError, Labelled
from gatewise.datasets.npz import read_npz
from gatewise.datasets.rows import read_rows
from gatewise.datasets.sources import read_parts, read_sequences
from gatewise.datasets.ts import read_ts
from gatewise.datasets.views import VIEWS, view

__all__ = [
    "VIEWS",
    "FileError",
    "Labelled",
    "air_passengers",
    "control_charts",
    "mnist",
    "read_idx",
    "read_npz",
    "read_parts",
    "read_rows",
    "read_sequences",
    "read_ts",
    "sums",
    "trend",
    "view",
]
