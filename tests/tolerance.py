"""The one place that says how close is close, keyed by dtype.

float64 results must agree with an independent computation to 1e-10, float32 results to 1e-5 relative to the size of the
tensor compared (its largest absolute value): element-wise relative error is meaningless for the entries that cancel to
almost nothing.
"""

import torch
from torch import Tensor

RELATIVE = {torch.float64: 1e-10, torch.float32: 1e-5}


def error(ours: Tensor, theirs: Tensor) -> float:
    """Largest absolute difference divided by the largest absolute value expected (by 1 where that is below 1e-3)."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        raise AssertionError(f"expected {theirs.dtype} {tuple(theirs.shape)}, got {ours.dtype} {tuple(ours.shape)}")
    if theirs.numel() == 0:
        return 0.0
    size = theirs.detach().abs().max().item()
    return (ours.detach() - theirs.detach()).abs().max().item() / (size if size > 1e-3 else 1.0)


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    worst = error(ours, theirs)
    limit = RELATIVE[theirs.dtype]
    assert worst <= limit, f"relative error {worst:.3g} is above {limit:.0e}"
