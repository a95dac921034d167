"""Gradient clipping, by the norm of all gradients or by the size of each."""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from gatewise.training.validation import positive


def clip_by_size(parameters: Iterable[Tensor], alpha: float) -> None:
    """Scale down, in place, each gradient whose norm is too large for its number of elements.

    `theta = alpha * numel(g)`; if `||g|| > theta` then `g *= theta / ||g||`, for each parameter separately.

    Reference: Zhang, Lipton, Li and Smola, "Dive into Deep Learning", equation 9.5.3, with a theta per parameter.

    Arguments:
        parameters: tensors whose `.grad` is clipped; those without one are skipped.
        alpha: norm allowed per element, > 0.

    Raises:
        ValueError: an alpha that is not a finite number above 0.

    Examples:
        >>> weight = torch.zeros(2, requires_grad=True)
        >>> weight.grad = torch.tensor([6.0, 8.0])
        >>> clip_by_size([weight], alpha=1.0)
        >>> weight.grad
        tensor([1.2000, 1.6000])
    """
    alpha = positive("alpha", alpha)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return
    norms = torch.stack([torch.linalg.vector_norm(g) for g in gradients]).tolist()
    for g, norm in zip(gradients, norms, strict=True):
        theta = alpha * g.numel()
        if math.isinf(norm):  # the squares overflow, although the gradient may be finite
            largest = g.abs().max().item()
            scaled_norm = torch.linalg.vector_norm(g / largest).item()
            if largest * scaled_norm > theta:
                g.div_(largest).mul_(theta / scaled_norm)
        elif norm > theta:
            g.mul_(theta / norm)


def clipping(parameters: Sequence[Tensor], norm: float | None, alpha: float | None) -> Callable[[], object]:
    """A function that clips the gradients of the parameters by the chosen rule, or does nothing."""
    if norm is not None and alpha is not None:
        raise ValueError("clip_norm and clip_size are both given; use one of them")
    if norm is not None:
        largest = positive("clip_norm", norm)
        return lambda: torch.nn.utils.clip_grad_norm_(parameters, largest)
    if alpha is not None:
        per_element = positive("clip_size", alpha)
        return lambda: clip_by_size(parameters, per_element)
    return lambda: None
