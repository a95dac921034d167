"""Scaling: each channel to mean 0 and standard deviation 1 over the training sequences.

Letters: `N` sequences, `R` steps of all of them, `C` channels.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from gatewise.classify.sequences import AT_ONCE, Sequences

FURTHEST = 10.0  # standard deviations that a value counts as at most: a pixel that is nearly always dark has tiny ones


def measured(sequences: Sequences, known: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (C,) of the sequences for which `known` (N,) is true; 1 for a constant channel."""
    rows = torch.repeat_interleave(known, sequences.lengths)

    def total(of: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.stack([of(part).sum(0) for part in _pieces(sequences.values, rows)]).sum(0)

    mean = total(lambda x: x) / rows.sum()
    spread = (total(lambda x: (x - mean) ** 2) / rows.sum()).sqrt()
    largest = torch.stack([part.abs().amax(0) for part in _pieces(sequences.values, rows)]).amax(0)
    rounding = 8 * torch.finfo(sequences.values.dtype).eps * largest
    return mean, torch.where(spread > rounding, spread, 1.0)


def scaled(sequences: Sequences, shift: Tensor | None, scale: Tensor | None) -> Sequences:
    """All of them scaled, in single precision."""
    values = torch.empty(sequences.values.shape, dtype=torch.float32, device="cpu")
    for made, part in zip(_parts(values), _parts(sequences.values), strict=True):
        made.copy_(in_units(part, shift, scale))
    return Sequences(values, sequences.starts, sequences.lengths)


def in_units(values: Tensor, shift: Tensor | None, scale: Tensor | None) -> Tensor:
    """Values (..., C) in single precision, scaled in double: what tells large numbers apart may be small."""
    if shift is None or scale is None:
        return values.float()
    return ((values - shift) / scale).clamp_(-FURTHEST, FURTHEST).float()


def _pieces(values: Tensor, rows: Tensor) -> Iterator[Tensor]:
    """Those rows (R,) of values (R, C) that are true, in double, a bounded number at a time."""
    start = 0
    for part in _parts(values):
        which = rows[start : start + len(part)]
        start += len(part)
        if which.any():
            yield part[which].double()


def _parts(values: Tensor) -> tuple[Tensor, ...]:
    return torch.split(values, max(1, AT_ONCE // values.shape[1]))
