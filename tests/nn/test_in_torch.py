"""The layers with the rest of torch: compiling, tracing, saving, autocast, default dtype and device, numpy."""

import io
import resource
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

from gatewise import nn
from tests.engines.test_engines import RUNNING, fields
from tests.nn.test_layers import KINDS, B, H, I, T, assert_same, layer_of, normal, seeded, state_of, torch_layer
from tests.tolerance import assert_close, error


@pytest.mark.filterwarnings("ignore")  # warnings of torch while it compiles
@pytest.mark.parametrize("name", ["LSTM", "LSTMCell"])
def test_a_compiled_layer_trains(name):
    torch.compiler.reset()
    layer = getattr(nn, name)(I, H, generator=seeded())
    x = normal(B, I, dtype=torch.float32) if name.endswith("Cell") else normal(T, B, I, dtype=torch.float32)
    expected = layer(x)[0]
    gradients = torch.autograd.grad(expected.sum(), list(layer.parameters()))
    output = torch.compile(layer, backend="aot_eager")(x)[0]
    assert_close(output, expected)
    compiled_gradients = torch.autograd.grad(output.sum(), list(layer.parameters()))
    for compiled, expected in zip(compiled_gradients, gradients, strict=True):
        assert_close(compiled, expected)


def test_importing_layers_does_not_import_the_compiler():
    # In another process, because this one may have imported the compiler already.
    code = "import sys, torch, gatewise.nn; gatewise.nn.LSTM(2, 3)(torch.zeros(4, 1, 2))"
    code += "; print('torch._dynamo' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout == "False\n"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit is deprecated
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_layer_traced_without_gradients_still_computes_them():
    layer, x = layer_of("lstm", dtype=torch.float32), normal(T, B, I, dtype=torch.float32)
    with torch.no_grad():
        traced = torch.jit.trace(layer, (x,))
    graph = traced.inlined_graph  # a variable, because the nodes of a graph live no longer than the graph
    train = list(graph.findNode("aten::lstm").inputs())[6]
    assert train.toIValue() is True  # cuDNN requires it for the backward pass
    assert_same(traced(x), layer(x))


@pytest.mark.parametrize("kind", KINDS)
def test_saved_states_load_with_torch_alone(kind):
    file, state = io.BytesIO(), layer_of(kind)(normal(T, B, I))[1]
    torch.save(state, file)
    file.seek(0)
    again = torch.load(file, weights_only=True)
    assert type(again) is type(state) is (tuple if KINDS[kind][0] == "LSTM" else Tensor)
    assert all(map(torch.equal, fields(again), fields(state)))


@pytest.mark.parametrize("engine", ["auto", "aten", "reference"])
@pytest.mark.parametrize("lengths", [None, [6, 2, 0]], ids=["whole", "lengths"])
@pytest.mark.parametrize("kind", KINDS)
def test_autocast(kind, lengths, engine):
    layer = layer_of(kind, engine=engine, dtype=torch.float32)
    x = normal(T, B, I, dtype=torch.float32)
    output, state = layer(x, lengths=lengths)
    bound = torch.finfo(torch.bfloat16).eps * 4  # one rounding for each of the few operations between steps
    with torch.autocast("cpu", torch.bfloat16):
        for values in (x, x.bfloat16()):  # the layer below may output either dtype
            cast = layer(values, lengths=lengths)
            pairs = zip([cast[0], *fields(cast[1])], [output, *fields(state)], strict=True)
            assert max(error(actual.float(), expected) for actual, expected in pairs) < bound
            if engine == "reference":  # torch's kernels for packed sequences may choose another dtype
                assert [field.dtype for field in fields(cast[1])] == [field.dtype for field in fields(layer(values)[1])]


@pytest.mark.parametrize("engine", RUNNING)
@pytest.mark.parametrize("kind", KINDS)
def test_a_default_device_applies_to_new_tensors_only(kind, engine):
    layer = layer_of(kind, num_layers=2, bidirectional=True, engine=engine)
    x, lengths = normal(T, B, I), torch.tensor([2, 6, 3])
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    expected, expected_packed = layer(x, lengths=lengths), layer(packed)
    torch.set_default_device("meta")
    try:
        actual = [layer(x, lengths=lengths), layer(x, lengths=[2, 6, 3])]
        actual_packed = (
            layer(packed) if engine != "reference" else expected_packed
        )  # torch's own padding follows the default
    finally:
        torch.set_default_device(None)
    assert_same(actual[0], expected)
    assert_same(actual[1], expected)
    assert_same((actual_packed[0].data, actual_packed[1]), (expected_packed[0].data, expected_packed[1]))


def test_new_weights_have_the_default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        layer = nn.GRU(I, H, generator=seeded())
        output, h = layer(torch.zeros(T, B, I))
    finally:
        torch.set_default_dtype(torch.float32)
    assert layer.weight_hh_l0.dtype == output.dtype == h.dtype == torch.float64


def test_sizes_and_dropout_may_be_numpy_numbers():
    layer = nn.LSTM(
        np.int64(I), np.int32(H), np.int64(2), dropout=np.float32(0.5), proj_size=np.int8(2), generator=seeded()
    )
    plain = nn.LSTM(I, H, 2, dropout=0.5, proj_size=2, generator=seeded())
    assert repr(layer) == repr(plain)
    assert list(layer.state_dict()) == list(plain.state_dict())
    assert {type(size) for size in (layer.input_size, layer.hidden_size, layer.num_layers, layer.proj_size)} == {int}


def test_a_parametrised_bias_starts_at_zero_too():
    layer = layer_of("lstm", init="uniform")
    parametrize.register_parametrization(layer, "bias_hh_l0", torch.nn.Identity())
    with torch.no_grad():
        layer.parametrizations.bias_hh_l0.original.fill_(1.0)
    layer.reset_parameters(seeded())
    assert (layer.bias_hh_l0 == 0).all()
    assert (layer.weight_hh_l0 != 0).all()


@pytest.mark.parametrize("engine", RUNNING)
@pytest.mark.parametrize("kind", KINDS)
def test_a_learned_initial_state_is_shared_by_the_batch(kind, engine):
    gradients = []
    layer = layer_of(kind, engine=engine)
    for module in (layer, torch_layer(layer, kind)):
        learned = [field[:, :1].clone().requires_grad_() for field in fields(state_of(layer, B))]
        hx = [field.expand(-1, B, -1) for field in learned]
        output, _ = module(normal(T, B, I), hx[0] if len(hx) == 1 else tuple(hx))
        gradients.append(torch.autograd.grad(output.sum(), learned))
    for actual, expected in zip(*gradients, strict=True):
        assert_close(actual, expected)


def test_repr_shows_arguments_that_differ_from_the_defaults():
    layer = layer_of("projected", num_layers=2, bidirectional=True)
    assert repr(layer) == repr(torch_layer(layer, "projected", num_layers=2, bidirectional=True))
    assert repr(layer) == "LSTM(4, 5, proj_size=2, num_layers=2, bidirectional=True)"
    assert repr(layer_of("relu", bias=False)) == "RNN(4, 5, nonlinearity=relu, bias=False)"
    assert repr(layer_of("tanh")) == "RNN(4, 5)"
    assert (
        repr(nn.RNNCell(I, H, False, "identity", generator=seeded()))
        == "RNNCell(4, 5, bias=False, nonlinearity=identity)"
    )


# ---- packed sequences


def test_the_fused_kernels_do_not_pad_packed_sequences():
    sequences = [torch.ones(2000, I), *[torch.ones(1, I)] * 20000]  # 640 MB of float32 when padded, 0.4 MB when not
    layer = layer_of("gru", num_layers=2, bidirectional=True, dtype=torch.float32)
    packed = pack_sequence(sequences)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with torch.no_grad():
        output, _ = layer(packed)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes
    assert output.data.shape == (22000, 2 * H)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_and_dropout_of_packed_sequences_equal_torch(kind):
    options: dict[str, Any] = {"num_layers": 2, "bidirectional": True, "dropout": 0.5}
    layer = layer_of(kind, **options)
    results = []
    for module in (layer, torch_layer(layer, kind, **options)):
        x = normal(T, B, I).requires_grad_()
        packed = pack_padded_sequence(x, torch.tensor([2, 6, 3]), enforce_sorted=False)
        with torch.random.fork_rng():
            torch.manual_seed(11)
            output, state = module(packed)
        total = output.data.sum() + sum((field * field).sum() for field in fields(state))
        results.append([output.data, *torch.autograd.grad(total, [x, *module.parameters()])])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected)


def test_an_empty_batch_accepts_empty_lengths():
    layer = layer_of("gru")
    empty = torch.zeros(T, 0, I, dtype=torch.float64)
    assert_same(layer(empty, lengths=[]), layer(empty))
    assert isinstance(layer(pack_sequence([normal(T, I)]))[0], PackedSequence)
