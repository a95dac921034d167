"""The layers as drop-in replacements: constructors, weights, shapes, errors; step, trace, dropout, packed sequences."""

import copy
import inspect
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gatewise import cells, engines, nn
from tests.engines.test_engines import RUNNING, fields
from tests.tolerance import assert_close

T, B, I, H, P = 6, 3, 4, 5, 2

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "tanh": ("RNN", {}),
    "relu": ("RNN", {"nonlinearity": "relu"}),
    "lstm": ("LSTM", {}),
    "projected": ("LSTM", {"proj_size": P}),
    "gru": ("GRU", {}),
}
STACKS = [{}, {"num_layers": 2}, {"num_layers": 2, "bidirectional": True}, {"bias": False}]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=seeded(seed))


def layer_of(kind: str, **options: Any) -> nn.Recurrent:
    name, extra = KINDS[kind]
    return getattr(nn, name)(I, H, **{"dtype": torch.float64, "generator": seeded(), **extra, **options})


def torch_layer(layer: torch.nn.Module, kind: str, **options: Any) -> torch.nn.Module:
    """The layer of torch.nn with the same weights."""
    name, extra = KINDS[kind]
    with torch.random.fork_rng():
        same = getattr(torch.nn, name)(I, H, **{"dtype": torch.float64, **extra, **options})
    same.load_state_dict(layer.state_dict())
    return same.train(layer.training)


def assert_same(actual: Any, expected: Any) -> None:
    """Compare output and state, tensor by tensor."""
    assert_close(actual[0], expected[0])
    assert len(fields(actual[1])) == len(fields(expected[1]))
    for field, expected_field in zip(fields(actual[1]), fields(expected[1]), strict=True):
        assert_close(field, expected_field)


def state_of(layer: nn.Recurrent, *batch: int, seed: int = 7) -> Any:
    scans = layer.num_layers * (1 + layer.bidirectional)
    sizes = [layer.proj_size or H] + [H] * (len(layer.cell.state._fields) - 1)
    state = tuple(normal(scans, *batch, size, seed=seed + k) for k, size in enumerate(sizes))
    return state if len(state) > 1 else state[0]


# ---- constructors and weights


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
def test_constructors_take_the_arguments_of_torch_in_order(name):
    parameters = inspect.signature(getattr(nn, name).__init__).parameters
    positional_names = [name for name, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    documented = {
        "RNN": "input_size hidden_size num_layers nonlinearity bias batch_first dropout bidirectional device dtype",
        "LSTM": "input_size hidden_size num_layers bias batch_first dropout bidirectional proj_size device dtype",
        "GRU": "input_size hidden_size num_layers bias batch_first dropout bidirectional device dtype",
        "RNNCell": "input_size hidden_size bias nonlinearity device dtype",
        "LSTMCell": "input_size hidden_size bias device dtype",
        "GRUCell": "input_size hidden_size bias device dtype",
    }
    assert positional_names == ["self", *documented[name].split()]
    positional = {"RNN": (I, H, 2, "relu", False, True, 0.5, True), "RNNCell": (I, H, False, "relu")}.get(
        name, (I, H, False) if name.endswith("Cell") else (I, H, 2, False, True, 0.5, True)
    )
    layer = getattr(nn, name)(*positional, generator=seeded())
    with torch.random.fork_rng():
        same = getattr(torch.nn, name)(*positional)
    assert repr(layer) == repr(same) or name == "RNN"  # torch's RNN does not show its nonlinearity
    for attribute in ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional"):
        assert getattr(layer, attribute, None) == getattr(same, attribute, None)
    if not name.endswith("Cell"):
        assert layer.proj_size == 0
        assert [[weight.shape for weight in weights] for weights in layer.all_weights] == [
            [weight.shape for weight in weights] for weights in same.all_weights
        ]
        assert [weight.shape for weight in layer._flat_weights] == [weight.shape for weight in same._flat_weights]
        assert layer.flatten_parameters() is None


@pytest.mark.parametrize("stack", STACKS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_state_dicts_load_in_both_directions(kind, stack):
    layer = layer_of(kind, **stack)
    same = torch_layer(layer, kind, **stack)
    assert {k: v.shape for k, v in layer.state_dict().items()} == {k: v.shape for k, v in same.state_dict().items()}
    assert list(layer.state_dict()) == list(same.state_dict())
    other = layer_of(kind, generator=seeded(5), **stack)
    other.load_state_dict(same.state_dict(), strict=True)
    assert all(map(torch.equal, other.parameters(), layer.parameters()))


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
def test_the_same_seed_gives_the_weights_of_torch(name):
    weights = []
    for module in (nn, torch.nn):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            weights.append(getattr(module, name)(I, H).state_dict())
    local = getattr(nn, name)(I, H, generator=seeded(3)).state_dict()
    for key in weights[0]:
        assert torch.equal(weights[0][key], weights[1][key])
        assert torch.equal(weights[0][key], local[key])


@pytest.mark.parametrize(("bound", "expected"), [(None, 1 / 8), (1.0, 1.0), (0.25, 0.25)])
def test_uniform_init_fills_its_range_and_leaves_biases_zero(bound, expected):
    layer = nn.LSTM(32, 64, 2, init="uniform", init_bound=bound, generator=seeded())
    for name, weight in layer.named_parameters():
        if name.startswith("bias"):
            assert (weight == 0).all()
        else:
            assert 0.99 * expected < weight.abs().max() <= expected
            assert abs(weight.mean()) < 0.02 * expected
            assert abs(weight.std() - expected / 3**0.5) < 0.02 * expected


def test_torch_init_has_the_same_bound_for_every_parameter():
    for name, weight in nn.GRU(32, 64, generator=seeded()).named_parameters():
        assert 0.9 / 8 < weight.abs().max() <= 1 / 8, name


def test_reset_parameters_draws_new_weights():
    layer = nn.GRU(I, H, generator=seeded(0))
    before = layer.weight_hh_l0.detach().clone()
    layer.reset_parameters(seeded(1))
    assert not torch.equal(layer.weight_hh_l0, before)
    layer.reset_parameters(seeded(0))
    assert torch.equal(layer.weight_hh_l0, before)


# ---- calls


@pytest.mark.parametrize("engine", RUNNING)
@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_one_sequence_without_a_batch_dimension(kind, with_state, engine):
    for batch_first in (False, True):  # batch_first has no effect here
        options = {"num_layers": 2, "bidirectional": True, "batch_first": batch_first}
        layer = layer_of(kind, engine=engine, **options)
        hx = state_of(layer) if with_state else None
        assert_same(layer(normal(T, I), hx), torch_layer(layer, kind, **options)(normal(T, I), hx))


@pytest.mark.parametrize("engine", RUNNING)
@pytest.mark.parametrize("in_order", [False, True])
@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences(kind, with_state, in_order, engine):
    options = {"num_layers": 2, "bidirectional": True, "batch_first": True}
    layer = layer_of(kind, engine=engine, **options)
    lengths = torch.tensor([6, 5, 2] if in_order else [2, 6, 5])
    packed = pack_padded_sequence(normal(B, T, I), lengths, batch_first=True, enforce_sorted=in_order)
    hx = state_of(layer, B) if with_state else None
    output, state = layer(packed, hx)
    expected, expected_state = torch_layer(layer, kind, **options)(packed, hx)
    assert isinstance(output, PackedSequence)
    assert_same((output.data, state), (expected.data, expected_state))
    for actual_part, expected_part in zip(output[1:], expected[1:], strict=True):
        assert actual_part is expected_part is None or torch.equal(actual_part, expected_part)
    padded, _ = pad_packed_sequence(output, batch_first=True)
    assert_same((padded, state), layer(normal(B, T, I), hx, lengths=lengths))


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_of_one_sequence_and_as_a_list(kind):
    layer = layer_of(kind)
    x = normal(T, B, I)
    assert_same(layer(x, lengths=[6, 0, 3]), layer(x, lengths=torch.tensor([6, 0, 3])))
    output, state = layer(x[:, 0], lengths=[4])
    short, short_state = layer(x[:4, 0])
    assert_same((output[:4], state), (short, short_state))
    assert (output[4:] == 0).all()


def test_empty_sequences_and_empty_batches():
    for kind in KINDS:
        layer = layer_of(kind, num_layers=2, bidirectional=True)
        width = 2 * (layer.proj_size or H)
        hx = state_of(layer, B)
        output, state = layer(torch.zeros(0, B, I, dtype=torch.float64), hx)
        assert output.shape == (0, B, width)
        assert all(map(torch.equal, fields(state), fields(hx)))
        output, state = layer(torch.zeros(T, 0, I, dtype=torch.float64))
        assert output.shape == (T, 0, width)
        assert all(field.shape[:2] == (4, 0) for field in fields(state))


def test_batch_first_input_is_not_copied():
    seen = []

    class Spy:
        name, summary = "spy", "records requests"

        def refuses(self, request: engines.Request) -> None:
            seen.append(request.x)

        def scan(self, *arguments: Any, **options: Any) -> engines.Scan:
            return engines.reference.scan(*arguments, **options)

    x = normal(B, T, I)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(engines.ENGINES, "spy", Spy())
        output, _ = layer_of("gru", batch_first=True, engine="spy")(x)
    assert output.shape == (B, T, H)
    assert seen[0].data_ptr() == x.data_ptr()
    assert seen[0].shape == (T, B, I)


@pytest.mark.parametrize("engine", ["auto", *RUNNING])
@pytest.mark.parametrize("name", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cells_equal_those_of_torch(name, engine):
    for options in ({}, {"bias": False}, {"nonlinearity": "relu"} if name == "RNNCell" else {}):
        cell = getattr(nn, name)(I, H, dtype=torch.float64, engine=engine, generator=seeded(), **options)
        with torch.random.fork_rng():
            same = getattr(torch.nn, name)(I, H, dtype=torch.float64, **options)
        same.load_state_dict(cell.state_dict())
        for batch in ((B,), ()):
            x = normal(*batch, I)
            hx = tuple(normal(*batch, H, seed=k) for k in (5, 6))
            hx = hx if name == "LSTMCell" else hx[0]
            for state in (None, hx):
                for actual, expected in zip(fields(cell(x, state)), fields(same(x, state)), strict=True):
                    assert_close(actual, expected)


# ---- step and trace


@pytest.mark.parametrize("engine", ["auto", *RUNNING])
@pytest.mark.parametrize("kind", KINDS)
def test_single_steps_equal_the_sequence(kind, engine):
    layer = layer_of(kind, num_layers=3, engine=engine)
    for batch, start in (((B,), None), ((B,), state_of(layer, B)), ((), None), ((), state_of(layer))):
        x, state, outputs = normal(T, *batch, I), start, []
        for x_t in x:
            output_t, state = layer.step(x_t, state)
            outputs.append(output_t)
        assert_same((torch.stack(outputs), state), layer(x, start))


def test_step_continues_after_a_sequence():
    layer, x = layer_of("lstm", num_layers=2, batch_first=True), normal(B, T, I)
    _, state = layer(x[:, :-1])
    output, expected = layer.step(x[:, -1], state), layer(x)
    assert_same(output, (expected[0][:, -1], expected[1]))


@pytest.mark.parametrize("kind", KINDS)
def test_trace_equals_the_equations_at_every_step(kind):
    layer = layer_of(kind, num_layers=2, bidirectional=True)
    x, hx, width = normal(T, B, I), state_of(layer, B), layer.proj_size or H
    trace = layer.trace(x, hx)
    assert_same((trace.output, trace.state), layer(x, hx))
    assert [(record.layer, record.reverse) for record in trace.layers] == [(0, False), (0, True), (1, False), (1, True)]
    for k, record in enumerate(trace.layers):
        below = x if record.layer == 0 else torch.cat([trace.layers[0].output, trace.layers[1].output], -1)
        state = layer.cell.state(*(field[k] for field in fields(hx)))
        for t in reversed(range(T)) if record.reverse else range(T):
            state, gates = layer.cell.step(below[t], state, layer._weights(k))
            assert_close(record.output[t], state.h)
            for name, gate in gates.items():
                assert_close(record.gates[name][t], gate)
            if record.cells is not None:
                assert_close(record.cells[t], state.c)
        assert record.output.shape == (T, B, width)
    assert trace.gates is trace.layers[2].gates
    assert trace.cells is trace.layers[2].cells
    assert (trace.cells is None) == (KINDS[kind][0] != "LSTM")


def test_trace_has_the_layout_of_the_input():
    x = normal(T, B, I)
    trace = layer_of("lstm").trace(x, lengths=[6, 2, 0])
    batch_first = layer_of("lstm", batch_first=True).trace(x.transpose(0, 1), lengths=[6, 2, 0])
    assert_close(batch_first.gates["forget"], trace.gates["forget"].transpose(0, 1))
    assert_close(batch_first.cells, trace.cells.transpose(0, 1))
    assert (trace.gates["forget"][2:, 1] == 0).all()
    alone = layer_of("lstm").trace(x[:2, 1])
    assert_close(alone.gates["output"], trace.gates["output"][:2, 1])
    assert_close(alone.cells, trace.cells[:2, 1])
    assert_close(alone.state[1], trace.state[1][:, 1])


def test_gradients_flow_through_a_trace():
    layer, x = layer_of("lstm"), normal(T, B, I).requires_grad_()
    (gradient,) = torch.autograd.grad(layer.trace(x).gates["forget"][2].sum(), x)
    assert (gradient[:3] != 0).all()
    assert (gradient[3:] == 0).all()


# ---- dropout


def test_dropout_has_no_effect_at_zero_or_in_evaluation_mode():
    x = normal(T, B, I)
    plain = layer_of("gru", num_layers=3)(x)
    assert_same(layer_of("gru", num_layers=3, dropout=0.0)(x), plain)
    layer = layer_of("gru", num_layers=3, dropout=0.7).eval()
    assert_same(layer(x), plain)
    layer.train().dropout = 0.0  # may be changed later
    assert_same(layer(x), plain)


def test_dropout_of_one_zeroes_all_but_the_last_layer():
    with torch.random.fork_rng():
        output, state = layer_of("gru", num_layers=2, dropout=1.0)(normal(T, B, I))
    layer = layer_of("gru", num_layers=2)
    alone = nn.GRU(H, H, dtype=torch.float64, generator=seeded())
    alone.load_state_dict({f"{name}_l0": getattr(layer, f"{name}_l1") for name in cells.Weights._fields[:4]})
    expected, last = alone(torch.zeros(T, B, H, dtype=torch.float64))
    assert_same((output, state[1:]), (expected, last))


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_masks_equal_those_of_torch(kind):
    options = {"num_layers": 3, "bidirectional": True, "dropout": 0.4}
    layer = layer_of(kind, **options)
    same = torch_layer(layer, kind, **options)
    results = []
    for module in (layer, same):
        with torch.random.fork_rng():
            torch.manual_seed(11)
            results.append(module(normal(T, B, I)))
    assert_same(*results)
    assert (results[0][0] - layer.eval()(normal(T, B, I))[0]).abs().max() > 0.01


def test_dropout_applies_in_step_and_not_in_trace():
    layer, x = layer_of("gru", num_layers=2, dropout=0.5), normal(T, B, I)
    quiet = copy.deepcopy(layer).eval()
    with torch.random.fork_rng():
        noisy, _ = layer.step(x[0])
    assert (noisy - quiet.step(x[0])[0]).abs().max() > 1e-3
    assert_close(layer.trace(x).output, quiet(x)[0])


def test_dropout_of_a_single_layer_warns():
    with pytest.warns(
        UserWarning, match=r"dropout=0.5 has no effect: dropout acts between layers, and num_layers=1"
    ) as caught:
        nn.LSTM(I, H, dropout=0.5, generator=seeded())
    assert caught[0].filename == __file__


# ---- copies, replaced weights, dtypes and devices


@pytest.mark.parametrize("kind", KINDS)
def test_copies_and_pickles_equal_the_layer(kind):
    layer, x = layer_of(kind, num_layers=2, bidirectional=True), normal(T, B, I)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert_same(other(x), layer(x))
        with torch.no_grad():
            other.weight_ih_l0.zero_()
        assert layer.weight_ih_l0.abs().max() > 0


def test_a_replaced_weight_is_used():
    layer, x = layer_of("gru"), normal(T, B, I)
    other = layer_of("gru", generator=seeded(4))
    expected = other(x)
    assert_same(torch.func.functional_call(layer, dict(other.named_parameters()), (x,)), expected)
    for name, weight in other.named_parameters():
        setattr(layer, name, weight)
    assert_same(layer(x), expected)


def test_moving_to_another_dtype_moves_the_weights():
    layer = layer_of("lstm").float()
    assert_same(
        layer(normal(T, B, I).float()), torch_layer(layer, "lstm", dtype=torch.float32)(normal(T, B, I).float())
    )


def test_a_generator_serves_weights_on_another_device():
    layer = nn.GRU(3, 4, device="meta", generator=torch.Generator().manual_seed(0))
    assert layer.weight_ih_l0.device.type == "meta"
