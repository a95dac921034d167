"""The axes of arrays of sequences: the usual mistakes in their order, found by shapes and values.

Letters: `N` sequences, `T` steps, `C` channels.
"""

import warnings
from typing import Any

import numpy as np

from gatewise.classify.errors import SequenceError

LONGER = 8  # times as many channels as steps: the axes are probably in the order (N, C, T)
FEWEST = 10  # channels of such an array
SMOOTHER = 2.0  # with twice as many channels, neighbours along the axis of channels must be this much closer
MUCH_SMOOTHER = 4.0  # the same with fewer channels
MOST = 200  # sequences of a sample


def seem_channels_first(x: np.ndarray) -> bool:
    """Whether an array (N, T, C) seems to be (N, C, T): far more channels than steps, or smooth along the channels.

    >>> noise = np.random.default_rng(0).normal(size=(20, 6, 100))
    >>> [seem_channels_first(x) for x in (noise, noise.transpose(0, 2, 1), noise[..., :30], noise[..., :30].cumsum(2))]
    [True, False, False, True]
    """
    if x.ndim != 3 or not x.size or x.dtype.kind not in "biuf":
        return False
    _, steps, channels = x.shape
    if channels < FEWEST or channels <= steps:
        return False
    if channels >= LONGER * steps:
        return True
    values = x[:: max(1, len(x) // MOST)].astype(np.float64)
    along_steps, along_channels = np.abs(np.diff(values, axis=1)), np.abs(np.diff(values, axis=2))
    smoother = SMOOTHER if channels >= 2 * steps else MUCH_SMOOTHER
    return bool(along_steps.size and smoother * np.nanmean(along_channels) < np.nanmean(along_steps))


def oriented(x: Any, channels_first: bool | None) -> Any:
    """Sequences in the order (N, T, C); without `channels_first`, a warning if an array seems to be (N, C, T).

    Arguments:
        x: an array, or a list of sequences.
        channels_first: True for arrays (N, C, T) and lists of (C, T); False for (N, T, C) and lists of (T, C).
    """
    if channels_first:
        if isinstance(x, list | tuple):
            return [np.asarray(sequence).T for sequence in x]
        if len(np.shape(x)) != 3:
            raise SequenceError(f"channels_first=True is for arrays (N, C, T), but x has shape {np.shape(x)}; omit it")
        return x.swapaxes(1, 2) if hasattr(x, "swapaxes") else np.swapaxes(np.asarray(x), 1, 2)
    array = _sample(x) if channels_first is None else None
    if array is not None and seem_channels_first(array):
        _, steps, channels = array.shape
        one = "a list of shapes" if isinstance(x, list | tuple) else "shape"
        shape = (steps, channels) if isinstance(x, list | tuple) else tuple(x.shape)
        warnings.warn(
            f"x has {one} {shape} and is read as {steps} step(s) of {channels} channels; if channels come before "
            "steps, (N, C, T), pass x.transpose(0, 2, 1) or channels_first=True; if not, channels_first=False says so",
            UserWarning,
            stacklevel=3,
        )
    return x


def _sample(x: Any) -> np.ndarray | None:
    """An array or a tensor with three axes, or arrays of one shape (T, C) of a list; None for anything else."""
    if isinstance(x, list | tuple):
        shapes = {tuple(getattr(sequence, "shape", ())) for sequence in x}
        return np.stack([np.asarray(sequence) for sequence in x]) if [len(shape) for shape in shapes] == [2] else None
    if len(getattr(x, "shape", ())) != 3:
        return None
    if isinstance(x, np.ndarray):
        return x
    some = x[:: max(1, len(x) // MOST)]
    return np.asarray(some.detach().cpu() if hasattr(some, "detach") else some)


def count_hint(x: Any, y: Any) -> str:
    """What may be wrong if the number of labels is not that of the sequences; empty without a hint."""
    shape = tuple(getattr(x, "shape", ()))
    if len(shape) == 2:
        return f"; x has shape {shape}, read as {shape[0]} sequences of {shape[1]} steps; one sequence is x[None]"
    if len(shape) == 3 and hasattr(y, "__len__") and len(y) in shape[1:]:
        return f"; x has shape {shape}, expected (N, T, C); transpose it"
    return ""


def channels_hint(x: Any, channels: int) -> str:
    """What may be wrong if the channels are not those of the training; empty without a hint."""
    shape = tuple(getattr(x, "shape", ()))
    if len(shape) == 2 and shape[1] == channels:
        return f"; x has shape {shape}, read as {shape[0]} sequences of one channel; one sequence is x[None]"
    if len(shape) == 3 and shape[1] == channels:
        return f"; x has shape {shape}; if it is (N, C, T), pass x.transpose(0, 2, 1) or channels_first=True"
    return ""


def refuse_one_sequence(x: Any) -> None:
    """Refuse an array (T, 1), which may be one sequence, for a classifier of longer sequences of one channel.

    Raises:
        SequenceError: x is such an array.
    """
    shape = tuple(getattr(x, "shape", ()))
    if len(shape) == 2 and shape[1] == 1 < shape[0]:
        raise SequenceError(
            f"x has shape {shape}, which may be one sequence of {shape[0]} steps, x[None], or {shape[0]} sequences of "
            "one step, x[:, None]; pass one of them"
        )
