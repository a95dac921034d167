"""Sequences: validated, concatenated in one tensor, and batched.

Letters: `N` sequences, `T` steps, `C` channels, `B` sequences of a batch.
"""

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatewise.classify.errors import SequenceError
from gatewise.classify.frames import unpacked
from gatewise.datasets.gaps import lengths_without_end

NUMBERS = (int, float, np.number, np.bool_)  # accepted in arrays of objects
LARGEST = 1e30  # absolute value; float32 overflows not far above
SORTED = 50  # batches that are sorted by length together, so that few steps are padding
AT_ONCE = 2**22  # values of a batch of predictions, hidden states included: bounds the memory


class Batch(NamedTuple):
    """Sequences side by side, the input of a network.

    Attributes:
        x: (T, B, C), zero after the end of each sequence.
        lengths: (B,), or None if all have T steps.
    """

    x: Tensor
    lengths: Tensor | None


@dataclass(frozen=True)
class Sequences:
    """Validated sequences, concatenated.

    Attributes:
        values: (total steps, C) float32, or float64 for input that float32 cannot hold.
        starts: (N,) first row of each sequence.
        lengths: (N,) steps of each sequence.
    """

    values: Tensor
    starts: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, x: Any, lengths: Any = None) -> "Sequences":
        """Validate sequences and concatenate them.

        Arguments:
            x: (N, T, C), or (N, T) for one channel: an array, a tensor, or anything that numpy converts to an array; or
                a list of N arrays (T, C) or (T,) of any lengths.
            lengths: (N,) number of valid steps of each sequence; all T by default.

        Raises:
            SequenceError: no sequences, or one that is empty, has another number of channels, or holds a value that is
                not a finite number.

        >>> sequences = Sequences.of([[1.0, 2.0, 3.0], [4.0]])
        >>> sequences.values.T.tolist(), sequences.lengths.tolist()
        ([[1.0, 2.0, 3.0, 4.0]], [3, 1])
        """
        x = unpacked(x)
        flat, sizes = _from_list(x, lengths) if isinstance(x, list | tuple) else _from_array(x, lengths)
        if not flat.shape[1]:
            raise SequenceError("x holds no channels")
        if not sizes.all():
            raise SequenceError(f"sequence {int(np.argmin(sizes))} has no steps; leave it out")
        _check_finite(flat, sizes)
        ends = torch.from_numpy(sizes.cumsum())
        dtype = np.float32 if np.can_cast(flat.dtype, np.float32) else np.float64
        return cls(torch.from_numpy(flat.astype(dtype)), ends - torch.from_numpy(sizes), torch.from_numpy(sizes))

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def channels(self) -> int:
        """C."""
        return self.values.shape[1]

    def batch(self, positions: Tensor) -> Batch:
        """The sequences at these positions (B,), side by side."""
        lengths = self.lengths[positions]
        longest = int(lengths.max())
        steps = torch.arange(longest, device=self.lengths.device)[:, None]
        rows = self.starts[positions] + torch.minimum(steps, lengths - 1)
        x = self.values[rows]
        if bool((lengths == longest).all()):
            return Batch(x, None)
        return Batch(x.masked_fill_((steps >= lengths)[..., None], 0.0), lengths)

    def parts(self, width: int = 128) -> Iterator[Tensor]:
        """Positions of all sequences, in parts of bounded size: the longest first, equal lengths together.

        Arguments:
            width: values that a network stores for each step: its hidden states need more memory than the channels.
        """
        order = torch.argsort(self.lengths, descending=True, stable=True)
        while len(order):
            longest = int(self.lengths[order[0]])
            count = max(1, AT_ONCE // (longest * max(width, self.channels)))
            yield order[:count]
            order = order[count:]


class Batches:
    """Batches of sequences with their classes, shuffled anew at each iteration.

    Arguments:
        sequences: N of them.
        classes: (N,) index of the class of each.
        positions: of the sequences to use.
        batch_size: B.
        generator: random generator of the order; None keeps the given order.
    """

    def __init__(
        self,
        sequences: Sequences,
        classes: Tensor,
        positions: Tensor,
        batch_size: int,
        generator: torch.Generator | None,
    ) -> None:
        self.sequences, self.classes, self.positions = sequences, classes, positions
        self.batch_size, self.generator = min(int(batch_size), max(1, len(positions))), generator

    def __len__(self) -> int:
        return -(-len(self.positions) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Batch, Tensor]]:
        for positions in self._order():
            yield self.sequences.batch(positions), self.classes[positions]

    def _order(self) -> list[Tensor]:
        if self.generator is None:
            return list(torch.split(self.positions, self.batch_size))
        order = self.positions[self._permutation(len(self.positions))]
        lengths = self.sequences.lengths
        if bool((lengths == lengths[0]).all()):
            return list(torch.split(order, self.batch_size))
        parts = [part[torch.argsort(lengths[part])] for part in torch.split(order, SORTED * self.batch_size)]
        batches = [batch for part in parts for batch in torch.split(part, self.batch_size)]
        return [batches[k] for k in self._permutation(len(batches)).tolist()]

    def _permutation(self, count: int) -> Tensor:
        return torch.randperm(count, generator=self.generator, device="cpu")  # even if another device is the default


def as_array(x: Any, name: str) -> np.ndarray:
    """A numpy array without masked values.

    Raises:
        SequenceError: numpy cannot convert it, or some values are masked.
    """
    if hasattr(x, "toarray"):
        raise SequenceError(f"{name} is sparse, which is not supported; pass {name}.toarray()")
    try:
        array: np.ndarray = _from_tensor(x) if isinstance(x, Tensor) else np.asarray(x)
    except (ValueError, TypeError, RuntimeError) as reason:
        raise SequenceError(
            f"{name} cannot be converted to an array ({reason!s:.80}); pass a dense rectangular array{_or_list(name)}"
        ) from None
    if np.ma.is_masked(x):
        raise SequenceError(f"{name} has masked values; fill them, or leave the sequence out")
    return array


def _or_list(name: str) -> str:
    """The end of a remedy; only `x` can be a list of sequences."""
    return ", or pass sequences of different lengths as a list" if name == "x" else ""


def _from_list(x: list[Any] | tuple[Any, ...], lengths: Any) -> tuple[np.ndarray, np.ndarray]:
    """All steps of a list of sequences (R, C), and the length of each (N,)."""
    if not x:
        raise SequenceError("x holds no sequences")
    if lengths is not None:
        raise SequenceError("lengths is given, but the sequences of a list have their own lengths; leave it out")
    parts = [_numbers(sequence, f"sequence {k}", (1, 2)) for k, sequence in enumerate(x)]
    parts = [part[:, None] if part.ndim == 1 else part for part in parts]
    _check_channels(parts)
    return np.concatenate(parts), np.array([len(part) for part in parts])


def _from_array(x: Any, lengths: Any) -> tuple[np.ndarray, np.ndarray]:
    """All steps of an array of sequences (R, C), and the length of each (N,)."""
    array = _numbers(x, "x", (2, 3))
    array = array[..., None] if array.ndim == 2 else array
    if not len(array) or not array.shape[2]:
        raise SequenceError(f"x has shape {array.shape}, which holds no sequences, or no channels")
    if not array.shape[1]:  # scikit-learn's checks expect the first half of this message
        minimum = f"x has 0 feature(s) (shape={array.shape[:2]}) while a minimum of 1 is required"
        raise SequenceError(f"{minimum}: its sequences have no steps")
    sizes = _lengths_before_nan(array) if lengths is None else _checked_lengths(lengths, array)
    valid = np.arange(array.shape[1]) < sizes[:, None]
    return array.reshape(-1, array.shape[2]) if valid.all() else array[valid], sizes


def _from_tensor(x: Tensor) -> np.ndarray:
    """An array of a tensor; numpy has no bfloat16 and no floats of one byte."""
    short = x.is_floating_point() and x.element_size() < 4
    array: np.ndarray = (x.float() if short else x).detach().cpu().resolve_neg().numpy()
    return array


def _numbers(x: Any, name: str, dimensions: tuple[int, int]) -> np.ndarray:
    array = as_array(x, name)
    if array.dtype == object and all(isinstance(value, NUMBERS) for value in array.flat):
        with contextlib.suppress(OverflowError):  # a number that is too large stays an object, which is refused below
            array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        content = f"{'Complex data not supported: ' if array.dtype.kind == 'c' else ''}{name} is {array.dtype}"
        raise SequenceError(f"{content}, expected numbers; convert it{_or_list(name)}")
    if array.ndim not in dimensions:
        expected = "(N, T, C), or (N, T) for one channel" if dimensions[1] == 3 else "(T, C), or (T,) for one channel"
        raise SequenceError(f"Reshape your data: {name} has shape {array.shape}, expected {expected}")
    return array


def _check_channels(parts: list[np.ndarray]) -> None:
    channels = parts[0].shape[1]
    for k, part in enumerate(parts):
        if part.shape[1] != channels:
            first = len({len(other) for other in parts}) == 1 and len(part) < min(channels, part.shape[1])
            hint = "; if they are (C, T), pass channels_first=True" if first else ""
            raise SequenceError(
                f"sequence {k} has {part.shape[1]} channel(s), sequence 0 has {channels}; expected the same "
                f"number{hint}"
            )


def _lengths_before_nan(array: np.ndarray) -> np.ndarray:
    """(N,) steps of each sequence without those at its end that are NaN in all channels, with a warning."""
    if array.dtype.kind != "f" or not np.isnan(array[:, -1]).all(1).any():
        return np.full(len(array), array.shape[1])
    sizes = lengths_without_end(array)
    if not sizes.all():
        return np.full(len(array), array.shape[1])
    shorter = int((sizes < array.shape[1]).sum())
    warnings.warn(
        f"{shorter} of {len(array)} sequences of x end in NaN and are read as shorter; pass lengths= to confirm it",
        UserWarning,
        stacklevel=5,
    )
    return sizes


def _checked_lengths(lengths: Any, array: np.ndarray) -> np.ndarray:
    sizes = as_array(lengths, "lengths")
    if sizes.shape != (len(array),) or sizes.dtype.kind not in "iu":
        raise SequenceError(
            f"lengths is {sizes.dtype} {sizes.shape}, expected an integer for each of {len(array)} sequences"
        )
    wrong = np.flatnonzero((sizes < 1) | (sizes > array.shape[1]))
    if len(wrong):
        raise SequenceError(f"lengths[{wrong[0]}] is {sizes[wrong[0]]}, expected 1 to {array.shape[1]}")
    return sizes.astype(np.int64)


def _check_finite(flat: np.ndarray, sizes: np.ndarray) -> None:
    """Refuse missing, infinite and huge values; the message names the first."""
    if flat.dtype.kind != "f":
        return
    most = min(LARGEST, float(np.finfo(flat.dtype).max))  # float16 would convert the larger bound to infinity
    with np.errstate(invalid="ignore"):
        valid = np.abs(flat) <= most
    if not valid.all():
        row, channel = np.argwhere(~valid)[0]
        sequence = int(np.searchsorted(sizes.cumsum(), row, side="right"))
        step = int(row - sizes[:sequence].sum())
        where, value = f"sequence {sequence}, step {step}, channel {channel}", flat[row, channel]
        if np.isnan(value):
            raise SequenceError(f"{where}: NaN, expected a number; fill the gap, or leave the sequence out")
        raise SequenceError(
            f"{where}: {value}, expected an absolute value of at most {most:g}; correct it, or leave the sequence out"
        )
