"""The training loss and its gradients, compared with the definitions."""

import pytest
import torch
from torch.nn.functional import huber_loss

from gatewise.forecast.model.loss import LOSSES, loss_of
from tests.tolerance import assert_close


def outputs(scales=True):
    generator = torch.Generator().manual_seed(0)
    output = torch.randn(4, 3, 2 if scales else 1, generator=generator, dtype=torch.float64)
    y = torch.randn(2, 9, 3, generator=generator, dtype=torch.float64)
    y[1] = (torch.rand(9, 3, generator=generator) < 0.6).double()
    return output.requires_grad_(), y


POINT = {
    "mae": torch.abs,
    "mse": torch.square,
    "huber": lambda e: huber_loss(e, torch.zeros_like(e), reduction="none", delta=1.0),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("scales", [False, True])
def test_the_loss_is_the_weighted_loss_of_the_values(name, scales):
    output, y = outputs(scales)
    target, weight = y[0, 5:], y[1, 5:]  # of the last four steps
    by_hand = (weight * POINT[name](output[..., 0] - target)).sum() / weight.sum()
    loss = loss_of(name)(output, y)
    assert_close(loss, by_hand)
    gradient, reference = (torch.autograd.grad(of, output, retain_graph=True)[0] for of in (loss, by_hand))
    assert_close(gradient[..., 0], reference[..., 0])
    if scales:
        error = (output[..., 0] - target).detach().abs()
        expected = weight * (1 - error * torch.exp(-output[..., 1].detach())) / weight.sum()
        assert_close(gradient[..., 1], expected)


def test_the_best_scale_is_the_mean_absolute_error():
    output, y = outputs()
    weight = y[1, 5:]
    size = (weight * (output[..., 0] - y[0, 5:]).abs()).sum() / weight.sum()
    output = torch.stack([output[..., 0].detach(), size.log().detach().expand(4, 3)], -1).requires_grad_()
    loss_of("mse")(output, y).backward()
    assert output.grad[..., 1].sum().abs() < 1e-12
    assert output.grad[..., 1].abs().max() > 1e-3


def test_the_loss_is_zero_if_nothing_is_observed():
    output, y = outputs()
    y[1] = 0
    loss = loss_of("mae")(output, y)
    loss.backward()
    assert loss.item() == 0
    assert (output.grad == 0).all()
