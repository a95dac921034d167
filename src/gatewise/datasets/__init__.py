"""Data sets: small built-in series, and readers of labelled sequences.

- `built_in`: one real series, one generated trend, one table of two features.
- `charts`: generated sequences in six classes.
- `views`: an image as a sequence of rows, columns or pixels.
- `sources`: a file or folder to sequences: selects the reader, finds the training and the test part.
- `idx`, `npz`, `ts`, `arff`, `rows`: readers of MNIST's files, numpy archives, UCR and UEA archives, and tables. Sizes
  in a file are validated before memory is allocated, and no code in a file is run.
- `long`, `values`, `tables`: tables with a row for each time step, numbers and labels of cells, cells with their lines.
- `long_tables`, `no_steps`, `label_columns`, `columns`: time steps in rows, columns that are no steps, and the column
  of labels, all found by their values.
- `runs`, `numbered`, `matching`: labels in long runs, names that end in numbers, columns of a test set beside those of
  the training.
- `archive_rows`, `stamps`, `times`: sequences of an archive with their lines, steps with times, times as numbers.
- `gaps`: missing values, refused or filled in.
- `labelled`: sequences with their labels, and checks that all readers share.

Imports go one way: sources > idx | npz | ts | arff | rows | charts > long | stamps | archive_rows > long_tables |
values > no_steps | times | runs > label_columns | matching > tables | columns | gaps > labelled | numbered.
"""

from gatewise.datasets.arff import read_arff
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
    "read_arff",
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
