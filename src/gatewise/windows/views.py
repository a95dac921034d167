"""Windows of a series that share its memory.

Letters: N points of the whole series, T time steps of a window, B windows of a batch, C input features, Q target
features, M windows in all. Batches are time-major, `(T, B, C)`.
"""

import operator
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

Series: TypeAlias = np.ndarray | Tensor


class Windows:
    """Windows of a series as index views: no window is copied until a batch needs it.

    Window i starts at s = starts[i]. Its input is `inputs[s : s + length]`, and its target

        targets[s + shift : s + shift + length]     if every_step, one per step of the window
        targets[s + length - 1 + shift]             if not, one for the whole window.

    Arguments:
        inputs: (N, C) the whole series, tensor or array; (N,) for one feature.
        targets: (N, Q) or (N,), `inputs` by default.
        length: steps of a window, T.
        shift: steps from an input to its target: 1 for the next step, 0 for the same step.
        every_step: a target for every step of the window, or for the last step only.
        starts: (M,) first steps of the windows; by default all that fit.

    Raises:
        TypeError: a series is neither a tensor nor an array.
        ValueError: sizes do not agree, or a window does not fit into the series.

    >>> differences = torch.arange(199.0)[:, None]
    >>> windows = Windows(differences, length=19)
    >>> x, y = windows[:]
    >>> len(windows), tuple(x.shape), x[:2, 5, 0].tolist(), y[:2, 5, 0].tolist()
    (180, (19, 180, 1), [5.0, 6.0], [6.0, 7.0])
    """

    def __init__(
        self,
        inputs: Series,
        targets: Series | None = None,
        *,
        length: int,
        shift: int = 1,
        every_step: bool = True,
        starts: Sequence[int] | Tensor | None = None,
    ) -> None:
        self.length, self.shift, self.every_step = _whole("length", length, 1), _whole("shift", shift, 0), every_step
        self.inputs = _features(inputs, "inputs")
        self.targets = self.inputs if targets is None else _tensor(targets, "targets")
        _check_series(self.inputs, self.targets, self.length, self.shift)
        size = len(self.inputs)
        last = size - self.length - self.shift
        # indices stay on the CPU, whatever torch's default device is
        everywhere = torch.arange(last + 1, device="cpu")
        self.starts = everywhere if starts is None else torch.as_tensor(starts, device="cpu").detach()
        self._ends: Tensor = torch.tensor([size], device="cpu")  # where each series ends in `inputs`
        _check_starts(self.starts, last)

    @classmethod
    def over(
        cls,
        inputs: Sequence[Series],
        targets: Sequence[Series] | None = None,
        *,
        length: int,
        shift: int = 1,
        every_step: bool = True,
    ) -> "Windows":
        """Windows of several series, concatenated in one tensor; each window lies within one series.

        Arguments:
            inputs: series (N_k, C) or (N_k,), copied once into one tensor.
            targets: series (N_k, Q) or (N_k,), `inputs` by default.
            length, shift, every_step: as for one series.

        >>> len(Windows.over([torch.zeros(5, 1), torch.zeros(7, 1)], length=3))
        6
        """
        if len(inputs) == 0 or (targets is not None and len(targets) != len(inputs)):
            raise ValueError(
                f"got {len(inputs)} input series and {len(inputs) if targets is None else len(targets)} target series; "
                "expected at least one of each, and the same number of both"
            )
        length, shift = _whole("length", length, 1), _whole("shift", shift, 0)
        x_parts = [_features(series, f"series {k}: inputs") for k, series in enumerate(inputs)]
        y_parts = x_parts if targets is None else [_tensor(y, f"series {k}: targets") for k, y in enumerate(targets)]
        for k, (x, y) in enumerate(zip(x_parts, y_parts, strict=True)):
            _check_series(x, y, length, shift, f"series {k}: ")
        ends = torch.tensor([len(series) for series in x_parts], device="cpu").cumsum(0)
        ranges = zip([0, *ends.tolist()], ends.tolist(), strict=False)
        starts = torch.cat([torch.arange(first, end - length - shift + 1, device="cpu") for first, end in ranges])
        joined = None if targets is None else torch.cat(y_parts)
        windows = cls(torch.cat(x_parts), joined, length=length, shift=shift, every_step=every_step, starts=starts)
        windows._ends = ends
        return windows

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, indices: int | slice | Sequence[int] | Tensor) -> tuple[Tensor, Tensor]:
        """Windows by index with their targets: x (T, C) of one window, or x (T, B, C) of several.

        One window, or consecutive windows, are views of the series; other windows are copied.
        """
        chosen = self._checked_indices(indices)
        if isinstance(chosen, Tensor) and chosen.ndim == 0:
            x, y = self[chosen[None]]
            return x[:, 0], y[:, 0] if self.every_step else y[0]
        starts = self.starts[chosen]
        first, count = (int(starts[0]) if len(starts) else 0), len(starts)
        neighbours = torch.equal(starts, torch.arange(first, first + count, device="cpu"))
        return self._view(first, count) if neighbours else self._gather(starts)

    def _checked_indices(self, indices: int | slice | Sequence[int] | Tensor) -> slice | Tensor:
        if isinstance(indices, slice):
            return indices
        chosen = torch.as_tensor(indices, device="cpu")
        integral = chosen.numel() == 0 or not (chosen.is_floating_point() or chosen.dtype == torch.bool)
        if chosen.ndim > 1 or not integral:
            raise TypeError(f"indices are {chosen.dtype} {tuple(chosen.shape)}, expected integers () or (B,)")
        chosen = chosen.long()
        wrong = chosen[(chosen < -len(self)) | (chosen >= len(self))]
        if len(wrong):
            raise IndexError(f"window {int(wrong[0])} is out of range: there are {len(self)} windows, counted from 0")
        return chosen

    def _view(self, first: int, count: int) -> tuple[Tensor, Tensor]:
        x = _consecutive(self.inputs, first, self.length, count)
        if self.every_step:
            return x, _consecutive(self.targets, first + self.shift, self.length, count)
        last = first + self.length - 1 + self.shift
        return x, self.targets[last : last + count]

    def _gather(self, starts: Tensor) -> tuple[Tensor, Tensor]:
        rows = (torch.arange(self.length, device="cpu")[:, None] + starts).to(self.inputs.device)
        return self.inputs[rows], self.targets[(rows if self.every_step else rows[-1]) + self.shift]

    def batches(
        self, batch_size: int | None = None, shuffle: bool = False, generator: torch.Generator | None = None
    ) -> "Batches":
        """The windows in batches, which can be iterated any number of times.

        Arguments:
            batch_size: windows of a batch (the last may be smaller); by default all of them, in one view if unshuffled.
            shuffle: draw a new order for each iteration.
            generator: random generator for shuffling; torch's global generator is never used.

        Raises:
            ValueError: the batch size is below 1, or shuffling has no generator.
        """
        return Batches(self, batch_size, shuffle, generator)

    def split(self, held_out: int | float) -> tuple["Windows", "Windows"]:
        """Split the windows in time, into training and held-out windows.

        The last `held_out` steps of each series are held out. A training window ends, target included, before them; a
        held-out window has all its targets among them (its inputs may start earlier). A window with targets on both
        sides is in neither part, so that no held-out target is used in training.

        Arguments:
            held_out: number of steps, or a fraction of each series as a float between 0 and 1.

        Returns:
            Training windows, held-out windows.

        Raises:
            ValueError: one of the parts has no window.

        >>> train, test = Windows(torch.zeros(199, 1), length=19).split(40)
        >>> len(train), len(test)
        (140, 22)
        """
        first, last = self._target_span()
        cut = self._cuts(held_out)[torch.searchsorted(self._ends, self.starts, right=True)]
        parts = self.starts[last < cut], self.starts[first >= cut]
        for part, name in zip(parts, ("training", "held-out"), strict=True):
            if len(part) == 0:
                steps = self.length if self.every_step else 1
                raise ValueError(
                    f"held_out={held_out} leaves no {name} window: the {steps} target step(s) of a window must "
                    "lie on one side of the split; hold out another number of steps, or use shorter windows"
                )
        return self._at(parts[0]), self._at(parts[1])

    def _target_span(self) -> tuple[Tensor, Tensor]:
        last = self.starts + self.length - 1 + self.shift
        return (self.starts + self.shift if self.every_step else last), last

    def _cuts(self, held_out: int | float) -> Tensor:
        """(S,) the first held-out step of each series."""
        sizes = self._ends.diff(prepend=self._ends.new_zeros(1))
        if isinstance(held_out, float | np.floating):
            if not 0 < held_out < 1:
                raise ValueError(
                    f"held_out is {held_out}, expected a fraction between 0 and 1, or an integer number of steps"
                )
            return self._ends - (sizes.double() * float(held_out)).round().long()
        return self._ends - _whole("held_out", held_out, 1, ", or a fraction between 0 and 1")

    def _at(self, starts: Tensor) -> "Windows":
        """Windows of the same series at other starts."""
        length, shift, every_step = self.length, self.shift, self.every_step
        part = Windows(self.inputs, self.targets, length=length, shift=shift, every_step=every_step, starts=starts)
        part._ends = self._ends
        return part


class Batches:
    """Batches of windows, `(x, y)` with x (T, B, C) and y (T, B, Q) or (B, Q); see `Windows.batches`."""

    def __init__(
        self, windows: Windows, batch_size: int | None, shuffle: bool, generator: torch.Generator | None
    ) -> None:
        if shuffle and generator is None:
            raise ValueError("shuffle=True needs a generator; pass generator=torch.Generator().manual_seed(0)")
        self.windows, self.shuffle, self.generator = windows, shuffle, generator
        size = len(windows) if batch_size is None else batch_size
        self.batch_size = _whole("batch_size", size, 1, ", or None for all windows in one batch")

    def __len__(self) -> int:
        return -(-len(self.windows) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        count = len(self.windows)
        order = torch.randperm(count, generator=self.generator, device="cpu") if self.shuffle else None
        for first in range(0, count, self.batch_size):
            batch = slice(first, first + self.batch_size)
            yield self.windows[batch if order is None else order[batch]]


def _consecutive(series: Tensor, first: int, length: int, count: int) -> Tensor:
    """`count` windows with consecutive starts, (T, B, ...), as a view of the series (N, ...)."""
    step = series.stride(0)
    return series.as_strided(
        (length, count, *series.shape[1:]), (step, step, *series.stride()[1:]), series.storage_offset() + first * step
    )


def _tensor(series: Series, name: str) -> Tensor:
    if isinstance(series, np.ndarray):
        return torch.from_numpy(np.require(series, requirements=["C", "W"]))  # torch needs contiguous, writeable arrays
    if not isinstance(series, Tensor):
        raise TypeError(f"{name} are of type {type(series).__name__}, expected a tensor or a NumPy array; convert them")
    return series


def _features(series: Series, name: str) -> Tensor:
    tensor = _tensor(series, name)
    return tensor[:, None] if tensor.ndim == 1 else tensor


def _whole(name: str, value: int, least: int, instead: str = "") -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}, expected an integer of at least {least}{instead}")
    return number


def _check_series(inputs: Tensor, targets: Tensor, length: int, shift: int, name: str = "") -> None:
    if inputs.ndim != 2:
        raise ValueError(f"{name}inputs have shape {tuple(inputs.shape)}, expected (N, C), or (N,) for one feature")
    if targets.ndim not in (1, 2) or len(targets) != len(inputs):
        raise ValueError(
            f"{name}targets have shape {tuple(targets.shape)}, expected (N, Q) or (N,) with N = {len(inputs)}, like "
            "the inputs"
        )
    if len(inputs) < length + shift:
        raise ValueError(
            f"{name}{len(inputs)} steps are too few for a window of length={length} with shift={shift}, "
            f"expected at least {length + shift}; use a longer series or a shorter window"
        )


def _check_starts(starts: Tensor, last: int) -> None:
    if starts.ndim != 1 or starts.dtype != torch.int64 or len(starts) == 0:
        raise ValueError(
            f"starts are {starts.dtype} {tuple(starts.shape)}, expected torch.int64 (M,) with M of at least 1"
        )
    if int(starts.min()) < 0 or int(starts.max()) > last:
        raise ValueError(
            f"starts range from {int(starts.min())} to {int(starts.max())}, expected 0 to {last}, "
            "so that every window fits"
        )
