"""Sequences from the lines of an archive's file, with the lines of missing values.

Letters: `N` sequences, `T` steps, `C` channels.
"""

import os
from pathlib import Path

import numpy as np

from gatewise.datasets.gaps import filled
from gatewise.datasets.labelled import FileError, Labelled, listed


def collected(
    parts: list[np.ndarray],
    labels: np.ndarray | None,
    lines: list[int],
    path: str | os.PathLike[str],
    fill: str | None,
    name: str = "",
) -> Labelled:
    """The sequences of a file with their labels.

    Arguments:
        parts: a sequence (T, C) for each line; steps at the end without a value are left out.
        labels: (N,), or None.
        lines: (N,) their lines.
        path: of the file.
        fill: how missing values are filled in; see `gatewise.datasets.gaps.filled`.
        name: of the data set; by default the name of the file.

    Raises:
        FileError: sequences of different channels or without values, or a missing value that is not filled in.
    """
    channels = sorted({part.shape[1] for part in parts})
    if len(channels) > 1:
        raise FileError(f"{path}: sequences have {listed(channels)} channels, expected the same number; leave some out")
    sizes = [_length(part) for part in parts]
    if not all(sizes):
        raise FileError(f"{path}, line {lines[sizes.index(0)]} has no values; leave it out")
    shorter = sum(size < len(part) for size, part in zip(sizes, parts, strict=True))
    notes = (f"lengths: {shorter} sequences end in missing values, and are read as shorter",) if shorter else ()
    sequences = [part[:size] for size, part in zip(sizes, parts, strict=True)]
    x = np.stack(sequences) if len(set(sizes)) == 1 else sequences

    def where(sequence: int, step: int, channel: int) -> str:
        place = f"{path}, line {lines[sequence]}, step {step + 1} of {len(parts[sequence])}"
        return place if channels[0] == 1 else f"{place}, channel {channel + 1} of {channels[0]}"

    return Labelled(filled(x, fill, where), labels, name or Path(path).stem, notes)


def _length(part: np.ndarray) -> int:
    """Steps up to the last one with a value."""
    if part.size and not np.isnan(part[-1]).all():
        return len(part)
    present = np.flatnonzero(~np.isnan(part).all(1))
    return int(present[-1]) + 1 if len(present) else 0
