"""Gradient clipping by size."""

import pytest
import torch

from gatewise.training import clip_by_size


def test_clipping_by_size_scales_only_large_gradients():
    small, large, none = (torch.zeros(4, requires_grad=True) for _ in range(3))
    small.grad, large.grad = torch.full((4,), 1.9), torch.full((4,), -8.0)
    clip_by_size([small, large, none], alpha=1.0)  # theta 4; norms 3.8 and 16
    assert small.grad.tolist() == pytest.approx([1.9] * 4)
    assert large.grad.tolist() == pytest.approx([-2.0] * 4)
    assert none.grad is None
    clip_by_size([none], alpha=1.0)


@pytest.mark.parametrize(
    ("size", "dtype"),
    [(40000.0, torch.float16), (3e38, torch.float32), (1e308, torch.float64), (1.5e308, torch.float64)],
)
def test_clipping_by_size_of_gradients_whose_norm_overflows(size, dtype):
    long = torch.zeros(4, dtype=dtype, requires_grad=True)
    long.grad = torch.full((4,), -size, dtype=dtype)
    clip_by_size([long], alpha=0.5)  # theta 2
    assert long.grad.tolist() == pytest.approx([-1.0] * 4, rel=1e-3)
    long.grad = torch.full((4,), 40000, dtype=dtype)
    clip_by_size([long], alpha=30000.0)
    assert long.grad.tolist() == [40000] * 4


@pytest.mark.parametrize("alpha", [0, -1.0, float("nan"), float("inf")])
def test_clipping_by_size_needs_a_positive_alpha(alpha):
    with pytest.raises(ValueError, match=f"alpha is {alpha}, expected a finite number above 0"):
        clip_by_size([], alpha)
