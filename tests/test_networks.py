"""Networks: body and head against the same arithmetic by hand."""

import pytest
import torch
from torch.nn.functional import linear

from gatewise.networks import Flatten, OneStep
from gatewise.networks import linear as head
from gatewise.nn import GRU, LSTM, RNN
from tolerance import assert_close


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("layer", [RNN, LSTM, GRU])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_one_step_is_the_head_on_every_hidden_state(layer, bidirectional):
    body = layer(2, 5, bidirectional=bidirectional, generator=seeded())
    network = OneStep(body, 3, generator=seeded(1))
    x = torch.randn(7, 4, 2, generator=seeded(2))
    hidden = body(x)[0]
    assert_close(network(x), linear(hidden, network.head.weight, network.head.bias))


def test_a_base_is_added_to_the_answer():
    plain, based = (OneStep(GRU(2, 5, generator=seeded()), base=base, generator=seeded(1)) for base in (None, 1))
    x = torch.randn(7, 4, 2, generator=seeded(2))
    assert_close(based(x), plain(x) + x[:, :, 1:2])


def test_flatten_weighs_every_step_by_its_own_columns():
    body = LSTM(2, 5, generator=seeded())
    network = Flatten(body, steps=3, outputs=2, generator=seeded(1))
    x = torch.randn(3, 4, 2, generator=seeded(2))
    hidden, weight = body(x)[0], network.head.weight
    by_step = sum(hidden[t] @ weight[:, 5 * t : 5 * t + 5].T for t in range(3)) + network.head.bias
    assert_close(network(x), by_step)


def test_projection_narrows_the_head():
    network = OneStep(LSTM(2, 5, proj_size=3, generator=seeded()), generator=seeded())
    assert network.head.in_features == 3
    assert network(torch.zeros(2, 1, 2)).shape == (2, 1, 1)


def test_uniform_heads_have_zero_biases_and_the_bound_asked_for():
    layer = head(1000, 4, init="uniform", init_bound=1, generator=seeded())
    assert layer.bias.abs().max() == 0
    assert 0.99 < layer.weight.max() <= 1
    assert -1 <= layer.weight.min() < -0.99


def test_torch_heads_are_drawn_within_the_root_of_the_inputs():
    layer = head(100, 50, generator=seeded())
    assert 0.099 < layer.weight.abs().max() <= 0.1
    assert 0.05 < layer.bias.abs().max() <= 0.1
    again = head(100, 50, generator=seeded())
    assert torch.equal(layer.weight, again.weight)


def test_uniform_heads_have_the_bound_of_torch_if_none_is_given():
    layer = head(100, 50, init="uniform", generator=seeded())
    assert 0.099 < layer.weight.abs().max() <= 0.1
    assert layer.bias.abs().max() == 0


@pytest.mark.parametrize(("device", "dtype"), [("cpu", torch.float64), ("meta", torch.float32)])
def test_heads_are_where_the_body_is_and_of_its_dtype(device, dtype):
    body = LSTM(2, 5, device=device, dtype=dtype, generator=seeded())
    x = torch.zeros(3, 4, 2, device=device, dtype=dtype)
    for network in (OneStep(body, generator=seeded()), Flatten(body, 3, generator=seeded())):
        answers = network(x)
        assert (answers.device.type, answers.dtype) == (device, dtype)


def body() -> GRU:
    return GRU(2, 5, generator=seeded())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OneStep(body(), outputs=0), "outputs is 0, expected 1 or more"),
        (lambda: OneStep(body(), base=0.5), "base is 0.5, expected an integer"),
        (lambda: Flatten(body(), 0), "steps is 0, expected 1 or more"),
        (lambda: Flatten(body(), 3, outputs=0), "outputs is 0, expected 1 or more"),
        (lambda: OneStep(body(), init="uniform", init_bound=-1), "init_bound is -1, expected a finite number"),
        (lambda: OneStep(body(), generator=seeded())(torch.zeros(3, 2)), r"x has shape \(3, 2\), expected \(T, B, I\)"),
        (lambda: Flatten(body(), 3, generator=seeded())(torch.zeros(3, 2)), r"x has shape \(3, 2\), expected \(T, B"),
    ],
)
def test_numbers_and_shapes_that_make_no_sense_are_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OneStep(GRU(2, 5, generator=seeded()), base=2), "base is 2 with 1 outputs, expected one output and a"),
        (lambda: OneStep(GRU(2, 5, generator=seeded()), 2, base=0), "base is 0 with 2 outputs"),
        (lambda: OneStep(GRU(2, 5, batch_first=True, generator=seeded())), "leave batch_first out"),
        (
            lambda: OneStep(GRU(2, 5, generator=seeded()), init="zeros"),
            "init is 'zeros', expected 'torch' or 'uniform'",
        ),
        (lambda: OneStep(GRU(2, 5, generator=seeded()), init_bound=1), "init_bound is for init='uniform'"),
        (
            lambda: Flatten(GRU(2, 5, generator=seeded()), 3, generator=seeded())(torch.zeros(4, 1, 2)),
            "the sequence has 4 steps, expected steps=3",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
