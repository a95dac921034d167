"""Missing and infinite values in sequences from a file: refused with their place, or filled in.

Letters: `N` sequences, `T` steps, `C` channels.
"""

from collections.abc import Callable, Sequence

import numpy as np

from gatewise.datasets.labelled import FileError

FILLS = ("interpolate", "zero", "none")
LARGEST = 1e30  # absolute value of a usable number; float32 overflows not far above

Where = Callable[[int, int, int], str]  # sequence, step and channel -> their place in the file
Sequences = np.ndarray | list[np.ndarray]


def filled(x: Sequences, fill: str | None, where: Where) -> Sequences:
    """Sequences without missing values.

    Arguments:
        x: (N, T, C), or a list of N arrays (T, C).
        fill: None refuses missing values; "interpolate" fills them in linearly, and with the nearest value at the ends;
            "zero" with zeros; "none" keeps them as NaN.
        where: the place of a value in the file.

    Raises:
        FileError: an infinite or huge value, or a missing one that is not filled in; the message names the first.
        ValueError: an unknown fill.

    >>> filled([np.array([[1.0], [np.nan], [3.0]])], "interpolate", lambda *place: "")[0].T
    array([[1., 2., 3.]])
    """
    if fill not in (None, *FILLS):
        raise ValueError(f"fill is {fill!r}, expected one of {', '.join(FILLS)}, or None")
    if isinstance(x, np.ndarray) and x.dtype.kind != "f":
        return x
    gaps = []
    for k in _not_finite(x):
        with np.errstate(invalid="ignore"):
            huge = np.abs(x[k]) > _largest(x[k])
        if huge.any():
            step, channel = map(int, np.argwhere(huge)[0])
            raise FileError(
                f"{where(k, step, channel)}: {x[k][step, channel]}, expected an absolute value of at most "
                f"{_largest(x[k]):g}; correct it, or leave the sequence out"
            )
        if fill is None:
            step, channel = map(int, np.argwhere(np.isnan(x[k]))[0])
            raise FileError(
                f"{where(k, step, channel)}: no value, expected a number; correct it, leave the sequence out, or fill "
                'it in with fill="interpolate" (--fill interpolate)'
            )
        gaps.append(k)
    if fill == "none" or not gaps:
        return x
    parts = x.copy() if isinstance(x, np.ndarray) else list(x)
    for k in gaps:
        parts[k] = np.nan_to_num(x[k], nan=0.0) if fill == "zero" else _interpolated(x[k], k, where)
    return parts


def _not_finite(x: Sequences) -> list[int]:
    """Positions of sequences with a missing, infinite or huge value."""
    if isinstance(x, np.ndarray):
        return [int(k) for k in np.flatnonzero(~(np.abs(x) <= _largest(x)).all((1, 2)))]
    if not x:
        return []
    sizes = [len(sequence) for sequence in x]
    values = np.concatenate(x)
    if values.dtype.kind != "f":
        return []
    valid = (np.abs(values) <= _largest(values)).all(1)
    owners = np.repeat(np.arange(len(x)), sizes)
    return [int(k) for k in np.unique(owners[~valid])]


def _largest(values: np.ndarray) -> float:
    """The largest usable absolute value of this type."""
    return min(LARGEST, float(np.finfo(values.dtype).max))


def _interpolated(sequence: np.ndarray, k: int, where: Where) -> np.ndarray:
    steps = np.arange(len(sequence))
    channels = []
    for c, channel in enumerate(sequence.T):
        known = ~np.isnan(channel)
        if not known.any():
            raise FileError(f"{where(k, 0, c)}: this channel of the sequence has no value; leave the sequence out")
        channels.append(np.interp(steps, steps[known], channel[known]))
    return np.stack(channels, 1)


def lengths_without_end(values: np.ndarray) -> np.ndarray:
    """(N,) steps of each sequence (N, T, C) up to the last that has a value.

    >>> lengths_without_end(np.array([[[1.0], [np.nan]], [[np.nan], [2.0]]])).tolist()
    [1, 2]
    """
    present = ~np.isnan(values).all(2)
    return np.where(present.any(1), values.shape[1] - present[:, ::-1].argmax(1), 0)


def cut(values: np.ndarray, lengths: Sequence[int]) -> list[np.ndarray]:
    """The first steps of each sequence, as a list."""
    return [sequence[:length] for sequence, length in zip(values, lengths, strict=True)]
