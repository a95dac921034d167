"""Streams against the layers they run, step by step: every cell and size, the state, inputs and errors."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from gatewise import engines, nn
from gatewise.engines.native import loader
from tests.engines.test_engines import KINDS, fields, normal
from tests.tolerance import RELATIVE, assert_close

T, I, H, P = 5, 3, 18, 4


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def layer_of(kind: str, inputs: int = I, **options: Any) -> nn.Recurrent:
    cls, extra = KINDS[kind]
    return cls(inputs, H, **{"dtype": torch.float64, "generator": seeded(), **extra, **options})


def input_of(batch_size: int | None, steps: int = T, dtype: torch.dtype = torch.float64) -> Tensor:
    """`(T, B, I)`, or `(T, I)`."""
    return normal(*((steps, I) if batch_size is None else (steps, batch_size, I)), seed=1, dtype=dtype)


def state_of(layer: nn.Recurrent, batch_size: int | None, seed: int = 5) -> Any:
    lead = (layer.num_layers,) if batch_size is None else (layer.num_layers, batch_size)
    dtype = layer.weight_ih_l0.dtype
    sizes = [layer.proj_size or H] + [H] * (len(layer.cell.state._fields) - 1)
    state = tuple(normal(*lead, size, seed=seed + k, dtype=dtype) for k, size in enumerate(sizes))
    return state if len(state) > 1 else state[0]


def assert_streams(stream: nn.Stream, layer: nn.Recurrent, x: Tensor, start: Any = None) -> None:
    """A new stream, or one that starts at `start`, gives the outputs of the layer on the reference engine."""
    outputs = torch.stack([stream(x_t) for x_t in x])
    with engines.use_engine("reference"), torch.no_grad():
        expected, state = layer(x, start)
    assert_close(outputs, expected)
    for field, expected_field in zip(fields(stream.state), fields(state), strict=True):
        assert_close(field, expected_field)


BATCHES = [None, 1, 3, 16, 17]


@pytest.mark.parametrize("batch_size", BATCHES)
@pytest.mark.parametrize("dtype", RELATIVE, ids=str)
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_equals_the_layer_step_by_step(kind, num_layers, dtype, batch_size):
    layer, x = layer_of(kind, num_layers=num_layers, dtype=dtype), input_of(batch_size, dtype=dtype)
    stream = nn.Stream(layer, batch_size)
    assert_streams(stream, layer, x)
    start = state_of(layer, batch_size)
    stream.reset(start)
    assert_streams(stream, layer, x, start)
    assert_streams(nn.Stream(layer, batch_size, start), layer, x, start)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("inputs", [1, 16, 33, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_sizes_around_the_vector_width(kind, inputs, bias):
    cls, extra = KINDS[kind]
    for H in (3, 8, 17, 65):
        layer = cls(inputs, H, bias=bias, dtype=torch.float64, generator=seeded(), **extra)
        for batch_size in (1, 5):
            assert_streams(nn.Stream(layer, batch_size), layer, normal(3, batch_size, inputs, seed=1))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_threads(kind, threads):
    cls, extra = KINDS[kind]
    layer = cls(I, 130, 2, dtype=torch.float64, generator=seeded(), **extra)
    torch.set_num_threads(threads)
    assert_streams(nn.Stream(layer, 16), layer, input_of(16))  # enough work for several threads


needs_native = pytest.mark.skipif(loader.load() is None, reason="the native library is not available")


@needs_native
@pytest.mark.parametrize("name", loader.INSTRUCTIONS)
def test_every_instruction_set(name):
    before = loader.instructions()
    if loader.load().gatewise_use_instructions(name.encode()):
        pytest.skip(f"this machine has no {name}")
    try:
        for kind in KINDS:
            layer = layer_of(kind, num_layers=2)
            assert_streams(nn.Stream(layer, 3), layer, input_of(3))
    finally:
        assert loader.load().gatewise_use_instructions(before.encode()) == 0


@needs_native
def test_streams_use_the_kernels_without_gradients(monkeypatch):
    def fail(*arguments: Any, **options: Any) -> None:
        raise AssertionError("layer.step was called")

    for kind in KINDS:
        layer = layer_of(kind, num_layers=2)
        stream = nn.Stream(layer, 3)
        monkeypatch.setattr(layer, "step", fail)
        output = stream(input_of(3)[0].requires_grad_())
        assert not output.requires_grad
        assert not any(field.requires_grad for field in fields(stream.state))


# ---- the state


@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_state_is_a_copy_in_the_shape_of_the_layer(kind, batch_size):
    layer, x = layer_of(kind, num_layers=2), input_of(batch_size)
    stream = nn.Stream(layer, batch_size)
    zeros = fields(stream.state)
    assert all((field == 0).all() for field in zeros)
    stream(x[0])
    state, copied = stream.state, [field.clone() for field in fields(stream.state)]
    assert [field.shape for field in fields(state)] == [field.shape for field in fields(layer.step(x[0])[1])]
    output, expected_state = layer.step(x[1], state)
    assert_close(stream(x[1]), output.detach())
    assert all(map(torch.equal, fields(state), copied))
    for field in fields(state):
        field.zero_()
    for field, expected_field in zip(fields(stream.state), fields(expected_state), strict=True):
        assert_close(field, expected_field.detach())


@pytest.mark.parametrize("kind", KINDS)
def test_the_initial_state_is_not_overwritten(kind):
    layer = layer_of(kind)
    start = state_of(layer, 3)
    before = [field.clone() for field in fields(start)]
    stream = nn.Stream(layer, 3, start)
    stream(input_of(3)[0])
    assert all(map(torch.equal, fields(start), before))
    shared = [field[:, :1].expand(-1, 3, -1).requires_grad_() for field in before]
    shared_start = shared[0] if len(shared) == 1 else tuple(shared)
    stream.reset(shared_start)
    assert_streams(stream, layer, input_of(3), shared_start)


def test_reset_starts_again():
    layer, x = layer_of("gru", num_layers=2), input_of(2)
    stream = nn.Stream(layer, 2)
    first = [stream(x_t) for x_t in x]
    stream.reset()
    assert all(torch.equal(stream(x_t), output) for x_t, output in zip(x, first, strict=True))


def test_a_stream_continues_after_a_sequence():
    layer, x = layer_of("lstm", num_layers=2), input_of(2)
    _, state = layer(x[:3])
    stream = nn.Stream(layer, 2, state)
    expected, _ = layer(x)
    assert_close(stream(x[3]), expected[3].detach())
    assert_close(stream(x[4]), expected[4].detach())


@pytest.mark.parametrize("batch_size", [None, 3])
def test_outputs_are_never_overwritten(batch_size):
    layer, x = layer_of("gru"), input_of(batch_size)
    stream = nn.Stream(layer, batch_size)
    outputs = [stream(x_t) for x_t in x]
    copies = [output.clone() for output in outputs]
    for x_t in x:
        stream(x_t).zero_()  # changes by the caller must not reach the stream
    assert all(map(torch.equal, outputs, copies))
    stream.reset()
    assert all(map(torch.equal, outputs, [stream(x_t) for x_t in x]))


def test_an_output_may_be_the_next_input():
    layer = layer_of("lstm", inputs=H)
    stream, output, state = nn.Stream(layer), normal(H, seed=3), None
    expected = output
    for _ in range(5):
        output = stream(output)
        expected, state = layer.step(expected, state)
        assert_close(output, expected.detach())


def test_streams_of_one_layer_are_independent():
    layer, x, y = layer_of("lstm"), input_of(2), normal(T, 2, I, seed=8)
    first_stream, second_stream = nn.Stream(layer, 2), nn.Stream(layer, 2)
    outputs = [(first_stream(x_t), second_stream(y_t)) for x_t, y_t in zip(x, y, strict=True)]
    assert_close(torch.stack([first for first, _ in outputs]), layer(x)[0].detach())
    assert_close(torch.stack([second for _, second in outputs]), layer(y)[0].detach())


@pytest.mark.parametrize("begun", [False, True])
def test_a_copy_of_a_stream_is_independent(begun):
    layer, x = layer_of("lstm"), input_of(2)
    stream = nn.Stream(layer, 2)
    if begun:
        stream(x[0])
    twin = copy.deepcopy(stream)
    for x_t in x:
        twin(x_t)
    assert_streams(stream, layer, x, stream.state)


def test_a_shallow_copy_has_its_own_state():
    stream = nn.Stream(nn.GRU(3, 5, generator=torch.Generator().manual_seed(0)), 1)
    before = stream.state
    copy.copy(stream)(torch.ones(1, 3))
    assert torch.equal(stream.state, before)


# ---- inputs


@pytest.mark.parametrize("batch_size", [None, 3])
def test_results_do_not_depend_on_input_strides(batch_size):
    layer, x = layer_of("gru"), input_of(batch_size)
    strided = x.repeat_interleave(2, -1)[..., ::2]
    assert_streams(nn.Stream(layer, batch_size), layer, strided)
    transposed = x.transpose(0, -1).contiguous().transpose(0, -1)
    assert_streams(nn.Stream(layer, batch_size), layer, transposed)
    repeated = x[:1].expand(T, *x.shape[1:])
    assert_streams(nn.Stream(layer, batch_size), layer, repeated)
    if batch_size:
        assert_streams(nn.Stream(layer, batch_size), layer, x[:, :1].expand(-1, batch_size, -1))


def test_a_negated_view_is_resolved():
    layer, x = layer_of("gru"), input_of(3)
    assert_close(nn.Stream(layer, 3)(torch._neg_view(x[0])), nn.Stream(layer, 3)(-x[0]))


@pytest.mark.parametrize("special_value", [torch.nan, torch.inf, 1e30], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_nan_infinity_and_large_values(kind, special_value):
    layer, x = layer_of(kind), input_of(3)
    x[1, 2, 0] = special_value
    stream = nn.Stream(layer, 3)
    actual = torch.stack([stream(x_t) for x_t in x])
    with engines.use_engine("reference"), torch.no_grad():
        expected, _ = layer(x)
    assert torch.equal(actual.isnan(), expected.isnan())
    assert torch.equal(actual.isinf(), expected.isinf())
    assert_close(actual[actual.isfinite()], expected[actual.isfinite()])


ERRORS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no layer": (
        lambda: nn.Stream(torch.nn.GRU),
        TypeError,
        "layer is of type type, expected an RNN, LSTM or GRU",
    ),
    "cell": (
        lambda: nn.Stream(nn.GRUCell(I, H, generator=seeded())),
        TypeError,
        "layer is of type GRUCell, expected an RNN, LSTM or GRU",
    ),
    "bidirectional": (
        lambda: nn.Stream(layer_of("gru", bidirectional=True)),
        RuntimeError,
        "a stream runs forward in time, but a bidirectional layer needs whole sequences; call layer(x)",
    ),
    "no sequences": (lambda: nn.Stream(layer_of("gru"), 0), ValueError, "batch_size is 0, expected 1 or more"),
    "half a sequence": (lambda: nn.Stream(layer_of("gru"), 0.5), TypeError, "batch_size is 0.5, expected an integer"),
    "state of a batch": (
        lambda: nn.Stream(layer_of("gru"), None, torch.zeros(1, 1, H).double()),
        RuntimeError,
        "h of the state has shape (1, 1, 18), expected (1, 18)",
    ),
    "state without c": (
        lambda: nn.Stream(layer_of("lstm"), 2, torch.zeros(1, 2, H).double()),
        TypeError,
        "the state is a tensor, expected the tuple (h, c) for LSTM",
    ),
    "reset to too few": (
        lambda: nn.Stream(layer_of("gru"), 2).reset(torch.zeros(1, 1, H).double()),
        RuntimeError,
        "h of the state has shape (1, 1, 18), expected (1, 2, 18)",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_mismatched_arguments_are_refused(name):
    call, kind, message = ERRORS[name]
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith(message)


WRONG_INPUTS = {
    "features": torch.zeros(3, I + 1).double(),
    "batch": torch.zeros(2, I).double(),
    "no batch": torch.zeros(I).double(),
    "time": torch.zeros(1, 3, I).double(),
    "dtype": torch.zeros(3, I),
    "integers": torch.zeros(3, I, dtype=torch.int64),
    "device": torch.zeros(3, I, device="meta", dtype=torch.float64),
}


@pytest.mark.parametrize("engine", ["auto", "aten"])
@pytest.mark.parametrize("name", WRONG_INPUTS)
def test_an_invalid_input_raises_and_changes_nothing(name, engine):
    layer, x = layer_of("lstm", engine=engine), input_of(3)
    stream = nn.Stream(layer, 3)
    stream(x[0])
    before = fields(stream.state)
    with pytest.raises((RuntimeError, ValueError)) as caught:
        stream(WRONG_INPUTS[name])
    assert "expected" in str(caught.value)
    assert all(map(torch.equal, fields(stream.state), before))
