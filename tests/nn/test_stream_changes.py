"""Streams with changes between their steps: weights, engines, dtypes, modes of torch, threads."""

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.utils import parametrize

from gatewise import engines, nn
from tests.engines.test_engines import KINDS, RUNNING, Wrong
from tests.nn.test_stream import assert_streams, input_of, layer_of
from tests.tolerance import assert_close

# ---- weights


class Doubled(torch.nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight * 2


def multiply_in_place(layer: nn.Recurrent) -> None:
    with torch.no_grad():
        layer.weight_hh_l0.mul_(1.5)


def replace_data(layer: nn.Recurrent) -> None:
    layer.weight_ih_l1.data = layer.weight_ih_l1.data * 1.5


def transpose_memory(layer: nn.Recurrent) -> None:
    layer.weight_hh_l0.data = (layer.weight_hh_l0.data * 1.5).t().contiguous().t()


def load(layer: nn.Recurrent) -> None:
    layer.load_state_dict({name: weight * 1.5 for name, weight in layer.state_dict().items()})


def load_by_assignment(layer: nn.Recurrent) -> None:
    layer.load_state_dict({name: weight * 1.5 for name, weight in layer.state_dict().items()}, assign=True)


def replace_parameter(layer: nn.Recurrent) -> None:
    layer.bias_ih_l0 = Parameter(layer.bias_ih_l0.detach() + 1)


def parametrise(layer: nn.Recurrent) -> None:
    parametrize.register_parametrization(layer, "weight_hh_l1", Doubled())


def train(layer: nn.Recurrent) -> None:
    layer.zero_grad()
    layer(input_of(2))[0].sum().backward()
    torch.optim.SGD(layer.parameters(), 0.1).step()


def share_memory(layer: nn.Recurrent) -> None:
    layer.share_memory()


CHANGES = [
    multiply_in_place,
    replace_data,
    transpose_memory,
    load,
    load_by_assignment,
    replace_parameter,
    parametrise,
    train,
    share_memory,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_each_call_uses_the_current_weights(kind, change):
    layer, x = layer_of(kind, num_layers=2), input_of(3)
    stream = nn.Stream(layer, 3)
    stream(x[0])
    for _ in range(2):
        state = stream.state
        change(layer)
        gc.collect()  # memory of deleted weights may be reused
        assert_streams(stream, layer, x, state)
        if change is parametrise:
            with torch.no_grad():
                layer.parametrizations.weight_hh_l1.original.mul_(0.9)
            assert_streams(stream, layer, x, stream.state)
            break


def test_cached_and_removed_parametrisations():
    layer, x = layer_of("gru", num_layers=2), input_of(3)
    stream = nn.Stream(layer, 3)
    parametrise(layer)
    with parametrize.cached():
        assert_streams(stream, layer, x)
    with torch.no_grad():
        layer.parametrizations.weight_hh_l1.original.mul_(0.5)
    assert_streams(stream, layer, x, stream.state)
    parametrize.remove_parametrizations(layer, "weight_hh_l1")
    assert_streams(stream, layer, x, stream.state)


def test_converting_the_layer_raises_until_the_stream_is_reset():
    layer, x = layer_of("lstm"), input_of(3)
    stream = nn.Stream(layer, 3)
    stream(x[0])
    layer.float()
    with pytest.raises((RuntimeError, ValueError), match=r"torch\.float32"):
        stream(x[0])
    stream.reset()
    assert_streams(stream, layer, x.float())


# ---- engines


@pytest.mark.parametrize("engine", RUNNING)
@pytest.mark.parametrize("kind", KINDS)
def test_every_engine_of_the_layer(kind, engine):
    if (kind, engine) == ("identity", "aten"):
        with pytest.raises(ValueError, match="engine 'aten' cannot run this"):
            nn.Stream(layer_of(kind, engine=engine), 3)(input_of(3)[0])
        return
    for batch_size in (None, 3):
        layer = layer_of(kind, engine=engine, num_layers=2)
        assert_streams(nn.Stream(layer, batch_size), layer, input_of(batch_size))


@pytest.mark.parametrize("batch_size", [None, 3])
def test_use_engine_around_some_steps(batch_size, monkeypatch):
    monkeypatch.setitem(engines.ENGINES, "wrong", Wrong("output scaled"))
    layer, x = layer_of("gru"), input_of(batch_size)
    expected, _ = layer(x)
    stream = nn.Stream(layer, batch_size)
    for t, x_t in enumerate(x):
        with engines.use_engine(["reference", "auto", "aten"][t % 3]):
            assert_close(stream(x_t), expected[t].detach())
    stream.reset()
    with engines.use_engine("wrong"):
        assert_close(stream(x[0]), expected[0].detach() * 1.01)
    assert_close(stream(x[1]), expected[1].detach())


def test_half_precision_runs_on_another_engine():
    layer, x = layer_of("lstm", dtype=torch.bfloat16), input_of(3, dtype=torch.bfloat16)
    stream, state = nn.Stream(layer, 3), None
    for x_t in x:
        expected, state = layer.step(x_t, state)
        assert torch.equal(stream(x_t), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_autocast_equals_the_layer(kind):
    layer, x = layer_of(kind, dtype=torch.float32), input_of(3, dtype=torch.float32)
    fresh, begun = nn.Stream(layer, 3), nn.Stream(layer, 3)
    begun(x[0])
    with torch.autocast("cpu", torch.bfloat16):
        dtypes = {stream(x[1]).dtype for stream in (fresh, begun)}
        assert dtypes == {layer.step(x[1])[0].dtype}
    fresh.reset()
    assert_streams(fresh, layer, x)


def test_a_default_device_applies_to_new_tensors_only():
    layer, x = layer_of("lstm"), input_of(3)
    torch.set_default_device("meta")
    try:
        assert_streams(nn.Stream(layer, 3), layer, x)
    finally:
        torch.set_default_device(None)


def test_dropout_applies_in_training_mode_only():
    layer, x = layer_of("lstm", num_layers=2, dropout=0.5), input_of(3, steps=20)
    stream, layer_state, total = nn.Stream(layer, 3), None, []
    for x_t in x:
        with torch.random.fork_rng():
            torch.manual_seed(3)
            output = stream(x_t)
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(3)
            expected, layer_state = layer.step(x_t, layer_state)
        assert_close(output, expected)
        total.append(output)
    layer.eval()
    stream.reset()
    plain = [stream(x_t) for x_t in x]
    assert not torch.allclose(torch.stack(plain), torch.stack(total))
    stream.reset()
    assert_streams(stream, layer, x)


def test_inference_mode():
    layer, x = layer_of("lstm", num_layers=2), input_of(3)
    expected = layer(x)[0].detach()
    with torch.inference_mode():
        stream = nn.Stream(layer, 3)
        first = stream(x[0])
    assert_close(first.clone(), expected[0])
    assert_close(stream(x[1]), expected[1])
    with torch.inference_mode():
        assert_close(stream(x[2]).clone(), expected[2])


def test_threads_can_share_a_stream():
    layer = nn.LSTM(8, 64, num_layers=2, generator=torch.Generator().manual_seed(0))
    stream, x = nn.Stream(layer, 1), torch.ones(1, 8)

    def steps() -> None:
        for _ in range(300):
            assert stream(x).isfinite().all()

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(steps) for _ in range(4)]:
            future.result()
    alone = nn.Stream(layer, 1)
    for _ in range(1200):
        expected = alone(x)
    assert_close(stream(x), alone(x))
    assert expected.shape == (1, 64)
