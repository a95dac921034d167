"""Sequences as they come in, checked, end to end in one tensor, and cut into batches.

Letters: `N` sequences, `T` steps, `C` channels, `B` sequences of a batch.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

NUMBERS = (int, float, np.number, np.bool_)  # what tables of several types hold
LARGEST = 1e30  # of a value: float32 still holds its square's root
SORTED = 50  # so many batches are sorted by length together, so that few steps are padded
AT_ONCE = 2**22  # values, hidden ones too, of a batch of predictions: memory stays bounded however many there are


class SequenceError(ValueError):
    """Sequences cannot be used; says which, what is wrong, and what to do."""


class Batch(NamedTuple):
    """Sequences side by side, as a network reads them.

    Attributes:
        x: (T, B, C), zero after the end of each.
        lengths: (B,), or None where all have T steps.
    """

    x: Tensor
    lengths: Tensor | None


@dataclass(frozen=True)
class Sequences:
    """Checked sequences, end to end.

    Attributes:
        values: (steps of all, C) float32, or float64 where numbers came that float32 does not hold.
        starts: (N,) where each begins.
        lengths: (N,) its steps.
    """

    values: Tensor
    starts: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, x: Any, lengths: Any = None) -> "Sequences":
        """Check sequences and put them end to end.

        Arguments:
            x: (N, T, C), or (N, T) for one channel: an array, a tensor, or what numpy makes an array of; or a list of N
                arrays (T, C) or (T,) of any lengths.
            lengths: (N,) how many steps of each count, where they differ in an x of three dimensions.

        Raises:
            SequenceError: there are none, or one is empty, of another number of channels, or holds what is no finite
                number.

        >>> found = Sequences.of([[1.0, 2.0, 3.0], [4.0]])
        >>> found.values.T.tolist(), found.lengths.tolist()
        ([[1.0, 2.0, 3.0, 4.0]], [3, 1])
        """
        if isinstance(x, list | tuple):
            if not x:
                raise SequenceError("x holds no sequences")
            if lengths is not None:
                raise SequenceError("lengths were given for a list of sequences, which have lengths of their own")
            parts = [_numbers(one, f"sequence {k}", (1, 2)) for k, one in enumerate(x)]
            parts = [one[:, None] if one.ndim == 1 else one for one in parts]
            _check_channels(parts)
            sizes = np.array([len(one) for one in parts])
            flat = np.concatenate(parts)
        else:
            array = _numbers(x, "x", (2, 3))
            array = array[..., None] if array.ndim == 2 else array
            if not len(array) or not array.shape[2]:
                raise SequenceError(f"x has shape {array.shape}, which holds no sequences, or no channels")
            if not array.shape[1]:
                none = f"x has 0 feature(s) (shape={array.shape[:2]}) while a minimum of 1 is required"
                raise SequenceError(f"{none}: its sequences have no steps")
            sizes = _checked_lengths(lengths, array)
            there = np.arange(array.shape[1]) < sizes[:, None]
            flat = array.reshape(-1, array.shape[2]) if there.all() else array[there]
        if not flat.shape[1]:
            raise SequenceError("x holds no channels")
        if not sizes.all():
            raise SequenceError(f"sequence {int(np.argmin(sizes))} has no steps; leave it out")
        _check_finite(flat, sizes)
        ends = torch.from_numpy(sizes.cumsum())
        kept = np.float32 if np.can_cast(flat.dtype, np.float32) else np.float64
        return cls(torch.from_numpy(flat.astype(kept)), ends - torch.from_numpy(sizes), torch.from_numpy(sizes))

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def channels(self) -> int:
        """C."""
        return self.values.shape[1]

    def batch(self, which: Tensor) -> Batch:
        """Some of them (B,) side by side."""
        lengths = self.lengths[which]
        longest = int(lengths.max())
        steps = torch.arange(longest, device=self.lengths.device)[:, None]
        rows = self.starts[which] + torch.minimum(steps, lengths - 1)
        x = self.values[rows]
        if bool((lengths == longest).all()):
            return Batch(x, None)
        return Batch(x.masked_fill_((steps >= lengths)[..., None], 0.0), lengths)

    def parts(self, width: int = 128) -> Iterator[Tensor]:
        """All of them in parts of bounded size, the longest first, those of one length together.

        Arguments:
            width: values that a network keeps of each step: its hidden states take more room than the channels.
        """
        order = torch.argsort(self.lengths, descending=True, stable=True)
        while len(order):
            longest = int(self.lengths[order[0]])
            count = max(1, AT_ONCE // (longest * max(width, self.channels)))
            yield order[:count]
            order = order[count:]


class Shuffled:
    """Batches of sequences with their classes, shuffled anew at each iteration.

    Arguments:
        sequences: N of them.
        classes: (N,).
        which: those to take.
        batch_size: B.
        generator: where chance comes from; None for the order as it is.
    """

    def __init__(
        self, sequences: Sequences, classes: Tensor, which: Tensor, batch_size: int, generator: torch.Generator | None
    ) -> None:
        self.sequences, self.classes, self.which = sequences, classes, which
        self.batch_size, self.generator = min(int(batch_size), max(1, len(which))), generator

    def __len__(self) -> int:
        return -(-len(self.which) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Batch, Tensor]]:
        for chosen in self._order():
            yield self.sequences.batch(chosen), self.classes[chosen]

    def _order(self) -> list[Tensor]:
        if self.generator is None:
            return list(torch.split(self.which, self.batch_size))
        order = self.which[self._permutation(len(self.which))]
        lengths = self.sequences.lengths
        if bool((lengths == lengths[0]).all()):
            return list(torch.split(order, self.batch_size))
        near = [part[torch.argsort(lengths[part])] for part in torch.split(order, SORTED * self.batch_size)]
        batches = [batch for part in near for batch in torch.split(part, self.batch_size)]
        return [batches[k] for k in self._permutation(len(batches)).tolist()]

    def _permutation(self, count: int) -> Tensor:
        return torch.randperm(count, generator=self.generator, device="cpu")  # whatever the default device is


def as_array(x: Any, name: str) -> np.ndarray:
    """What numpy makes of it, where every value is there.

    Raises:
        SequenceError: numpy makes no array of it, or some values are masked.
    """
    if hasattr(x, "toarray"):
        raise SequenceError(f"{name} is sparse, which is not supported; pass {name}.toarray()")
    try:
        array: np.ndarray = _of_tensor(x) if isinstance(x, Tensor) else np.asarray(x)
    except (ValueError, TypeError, RuntimeError) as reason:
        raise SequenceError(
            f"{name} is no array ({reason!s:.80}); convert it; sequences of several lengths come as a list"
        ) from None
    if np.ma.is_masked(x):
        raise SequenceError(f"{name} is masked in places; fill what is missing, or leave its sequence out")
    return array


def _of_tensor(x: Tensor) -> np.ndarray:
    """An array of a tensor; numpy knows no floats of one byte, nor bfloat16."""
    short = x.is_floating_point() and x.element_size() < 4
    array: np.ndarray = (x.float() if short else x).detach().cpu().resolve_neg().numpy()
    return array


def _numbers(x: Any, name: str, dimensions: tuple[int, int]) -> np.ndarray:
    array = as_array(x, name)
    if array.dtype == object and all(isinstance(one, NUMBERS) for one in array.flat):
        with contextlib.suppress(OverflowError):  # a number that is too large stays what it is, and is refused
            array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        came = f"{'Complex data not supported: ' if array.dtype.kind == 'c' else ''}{name} is {array.dtype}"
        raise SequenceError(f"{came}, expected numbers; convert them, and pass sequences of several lengths as a list")
    if array.ndim not in dimensions:
        expected = "(N, T, C), or (N, T) for one channel" if dimensions[1] == 3 else "(T, C), or (T,) for one channel"
        raise SequenceError(f"Reshape your data: {name} has shape {array.shape}, expected {expected}")
    return array


def _check_channels(parts: list[np.ndarray]) -> None:
    for k, one in enumerate(parts):
        if one.shape[1] != parts[0].shape[1]:
            raise SequenceError(
                f"sequence {k} has {one.shape[1]} channel(s), sequence 0 has {parts[0].shape[1]}; expected the same"
            )


def _checked_lengths(lengths: Any, array: np.ndarray) -> np.ndarray:
    if lengths is None:
        return np.full(len(array), array.shape[1])
    given = as_array(lengths, "lengths")
    if given.shape != (len(array),) or given.dtype.kind not in "iu":
        raise SequenceError(
            f"lengths are {given.dtype} {given.shape}, expected a whole number for each of {len(array)}"
        )
    wrong = np.flatnonzero((given < 1) | (given > array.shape[1]))
    if len(wrong):
        raise SequenceError(f"length {wrong[0]} is {given[wrong[0]]}, expected 1 to {array.shape[1]}")
    return given.astype(np.int64)


def _check_finite(flat: np.ndarray, sizes: np.ndarray) -> None:
    """Refuse values that are missing, infinite or huge, naming the first."""
    if flat.dtype.kind != "f":
        return
    most = min(LARGEST, float(np.finfo(flat.dtype).max))  # float16 ends far below, and would make it an infinity
    with np.errstate(invalid="ignore"):
        fine = np.abs(flat) <= most
    if not fine.all():
        row, channel = np.argwhere(~fine)[0]
        which = int(np.searchsorted(sizes.cumsum(), row, side="right"))
        step = int(row - sizes[:which].sum())
        where, value = f"sequence {which}, step {step}, channel {channel}", flat[row, channel]
        if np.isnan(value):
            raise SequenceError(f"{where}: NaN, expected a number; fill what is missing, or leave the sequence out")
        raise SequenceError(
            f"{where}: {value}, expected a number of at most {most:g} either way; correct it, or leave the sequence out"
        )
