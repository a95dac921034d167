"""Standardization: each channel to mean 0 and standard deviation 1 over the training sequences.

Letters: `N` sequences, `R` steps of all sequences, `C` channels.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.classify.sequences import AT_ONCE, Sequences

# standard deviations: a pixel that is almost always dark has a tiny one, so that its bright values would be huge
CLIP = 10.0


class Standardization(NamedTuple):
    """The statistics of each channel.

        x' = min(max((x - mean) / deviation, -10), 10)

    Attributes:
        mean: (C,).
        deviation: (C,) standard deviation, 1 for a constant channel.
    """

    mean: Tensor
    deviation: Tensor


def fit_standardization(sequences: Sequences, training: Tensor) -> Standardization:
    """Statistics of the sequences for which `training` (N,) is true."""
    rows = torch.repeat_interleave(training, sequences.lengths)

    def total(function: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.stack([function(part).sum(0) for part in _selected_rows(sequences.values, rows)]).sum(0)

    mean = total(lambda x: x) / rows.sum()
    deviation = (total(lambda x: (x - mean) ** 2) / rows.sum()).sqrt()
    largest = torch.stack([part.abs().amax(0) for part in _selected_rows(sequences.values, rows)]).amax(0)
    rounding = 8 * torch.finfo(sequences.values.dtype).eps * largest
    return Standardization(mean, torch.where(deviation > rounding, deviation, 1.0))


def scale_sequences(sequences: Sequences, scaling: Standardization | None) -> Sequences:
    """Scaled sequences in single precision."""
    values = torch.empty(sequences.values.shape, dtype=torch.float32, device="cpu")
    for target, part in zip(_parts(values), _parts(sequences.values), strict=True):
        target.copy_(scale_values(part, scaling))
    return Sequences(values, sequences.starts, sequences.lengths)


def scale_values(values: Tensor, scaling: Standardization | None) -> Tensor:
    """Scaled values (..., C) in single precision, computed in double because large values may differ only slightly."""
    if scaling is None:
        return values.float()
    return ((values - scaling.mean) / scaling.deviation).clamp_(-CLIP, CLIP).float()


def _selected_rows(values: Tensor, rows: Tensor) -> Iterator[Tensor]:
    """The rows of `values` (R, C) for which `rows` (R,) is true, in double precision, in parts of bounded size."""
    start = 0
    for part in _parts(values):
        mask = rows[start : start + len(part)]
        start += len(part)
        if mask.any():
            yield part[mask].double()


def _parts(values: Tensor) -> tuple[Tensor, ...]:
    return torch.split(values, max(1, AT_ONCE // values.shape[1]))
