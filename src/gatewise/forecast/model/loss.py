"""The training loss: weighted mae, mse or huber of normalised values, and the likelihood of predicted scales.

Letters: `L` values of a window, `r` steps after it, `B` windows, `A` steps of a network output, `Q` outputs per step.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from gatewise.forecast.model.ensemble import LARGEST_LOG_SCALE

LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "mae": lambda error: error.abs(),
    "mse": lambda error: error.square(),
    "huber": lambda error: huber_loss(error, torch.zeros_like(error), reduction="none"),
}


def loss_of(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """A function of a network output (A, B, Q) and of targets with weights (2, L + r, B); only the last A steps count.

    With Q = 2 the network also outputs the log of a scale s. It is trained by the negative log-likelihood of a Laplace
    distribution of that scale, `|e| / s + log s`, which changes neither the value of the loss nor the gradient of the
    forecast.
    """
    pointwise = LOSSES[name]

    def loss(output: Tensor, y: Tensor) -> Tensor:
        target, weight = y[:, -len(output) :]
        error = output[..., 0] - target
        count = weight.sum().clamp_min(1.0)
        value: Tensor = (weight * pointwise(error)).sum() / count
        if output.shape[-1] == 1:
            return value
        log_scale = output[..., 1].clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE)
        likelihood = (weight * (error.detach().abs() * (-log_scale).exp() + log_scale)).sum() / count
        total: Tensor = value + (likelihood - likelihood.detach())
        return total

    return loss
