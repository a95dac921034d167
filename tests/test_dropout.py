"""Dropout with its own random generator."""

import copy
import pickle

import pytest
import torch

from gatewise.dropout import Dropout, drawing_from
from tests.tolerance import assert_close


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.73])
def test_values_are_dropped_with_probability_p_and_others_scaled(p):
    x = torch.ones(400, 1003)
    layer = Dropout(p)
    with drawing_from(layer, generator()):
        y = layer(x)
    dropped = (y == 0).double().mean().item()
    assert abs(dropped - p) < 5 * (p * (1 - p) / x.numel()) ** 0.5
    kept = 1 - round(2**16 * p) / 2**16  # p is rounded
    assert_close(y[y != 0], torch.full_like(y[y != 0], 1 / kept))
    rows = (y == 0).double()
    assert abs(torch.corrcoef(torch.stack([rows[:, :-1].flatten(), rows[:, 1:].flatten()]))[0, 1]) < 0.01


@pytest.mark.parametrize("p", [0.999995, 1 - 1e-9])
def test_almost_all_values_are_dropped_if_p_is_almost_1(p):
    layer, x = Dropout(p), torch.ones(1000, 1000)
    with drawing_from(layer, generator()):
        y = layer(x)
    assert 0 < (y != 0).sum() < 60  # 15 expected
    assert y.max() == 2**16


def test_the_gradient_passes_where_values_stay():
    x = torch.randn(7, 5, generator=generator(), requires_grad=True)
    layer = Dropout(0.4)
    with drawing_from(layer, generator()):
        y = layer(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert_close(gradient * x.detach(), y.detach())


def test_the_same_generator_gives_the_same_values_and_the_global_one_is_not_used():
    layer, x, before = Dropout(0.5), torch.ones(100), torch.get_rng_state()
    results = []
    for seed in (1, 1, 2):
        with drawing_from(layer, generator(seed)):
            results.append(layer(x))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    assert torch.equal(before, torch.get_rng_state())


def test_outside_it_is_torchs_dropout():
    layer, x = Dropout(0.5), torch.ones(50)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        result = layer(x)
        torch.manual_seed(3)
        assert torch.equal(result, torch.nn.functional.dropout(x, 0.5))


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_the_limits_keep_all_or_nothing(p):
    layer, x = Dropout(p), torch.ones(5)
    with drawing_from(layer, generator()):
        assert torch.equal(layer(x), x * (1 - p))
        assert torch.equal(layer.eval()(x), x)


def test_the_generator_is_removed_after_an_error():
    layer = Dropout(0.5)
    with pytest.raises(KeyboardInterrupt), drawing_from(torch.nn.Sequential(layer), generator()):
        raise KeyboardInterrupt
    assert layer.generator is None
    assert pickle.loads(pickle.dumps(layer)).p == copy.deepcopy(layer).p == 0.5
