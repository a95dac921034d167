"""Calls of the native kernels: the default state of zeros, saved tensors and their shapes."""

import pytest
import torch
from torch import Tensor

from gatewise import cells, engines, nn
from gatewise.cells import Weights
from gatewise.engines import native
from gatewise.engines.native import bindings, loader
from tests.engines.test_engines import KINDS, fields, normal
from tests.tolerance import assert_close

pytestmark = pytest.mark.skipif(loader.load() is None, reason="the native library is not available")


def layer_of(kind: str, hidden_size: int = 5, **options: object) -> nn.Recurrent:
    cls, rest = KINDS[kind]
    generator = torch.Generator().manual_seed(0)
    return cls(3, hidden_size, dtype=torch.float64, engine="native", generator=generator, **{**rest, **options})


def zeros_for(layer: nn.Recurrent, batch: int) -> nn.parameters.State:
    L = layer.num_layers * (2 if layer.bidirectional else 1)
    sizes = [layer.proj_size or layer.hidden_size, layer.hidden_size][: len(layer.cell.state._fields)]
    return layer.final_state([torch.zeros(L, batch, size, dtype=torch.float64) for size in sizes])


@pytest.mark.parametrize("batch", [1, 3, 1000])  # 1000 sequences need more zeros than the shared block has
@pytest.mark.parametrize("kind", KINDS)
def test_state_none_equals_a_state_of_zeros(kind, batch):
    layer, x = layer_of(kind, num_layers=2, bidirectional=True), normal(3, batch, 3, seed=1)
    with_zeros, with_none = layer(x, zeros_for(layer, batch)), layer(x)
    assert torch.equal(with_zeros[0], with_none[0])
    assert all(map(torch.equal, fields(with_zeros[1]), fields(with_none[1])))
    gradients = [torch.autograd.grad(output.sum(), list(layer.parameters())) for output, _ in (with_zeros, with_none)]
    assert all(map(torch.equal, *gradients))


@pytest.mark.parametrize("steps", [0, 1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_results_can_be_overwritten(kind, steps):
    layer, x = layer_of(kind), normal(steps, 2, 3, seed=1)
    with torch.no_grad():
        expected = layer(x)
        output, state = layer(x)
        for tensor in (output, *fields(state)):
            tensor.fill_(7.0)
        again = layer(x)
    assert torch.equal(again[0], expected[0])
    assert all(map(torch.equal, fields(again[1]), fields(expected[1])))


def test_the_shared_zeros_stay_zero():
    for kind in KINDS:
        layer, x = layer_of(kind), normal(4, 2, 3, seed=1).requires_grad_()
        output, _ = layer(x)
        output.sum().backward()
    assert not any(bytes(bindings._ZEROS))


def test_h_and_c_do_not_share_memory():
    _, (h, c) = layer_of("lstm")(torch.zeros(0, 2, 3, dtype=torch.float64))
    with torch.no_grad():
        h.fill_(1.0)
    assert not c.any()


@pytest.mark.parametrize("grad", [True, False])
def test_tensors_that_outlive_a_transform(grad):
    layer, x, leaked = layer_of("gru"), normal(4, 2, 3, seed=1), []

    def leak(tensor: Tensor) -> Tensor:
        leaked.append(tensor)
        return tensor.sum()

    torch.func.grad(leak)(x)
    with torch.set_grad_enabled(grad):
        assert torch.equal(layer(leaked[0])[0], layer(x)[0])


@pytest.mark.parametrize(
    ("shape", "name"), [((20, 3), "weight_ih"), ((20, 5), "weight_hh"), ((20,), "bias_ih"), ((4, 2, 3), "x")]
)
def test_hooks_must_not_change_the_shapes_of_saved_tensors(shape, name):
    layer, x = layer_of("lstm"), normal(4, 2, 3, seed=1)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda saved: saved, lambda saved: saved[:-1] if saved.shape == shape else saved
    ):
        output = layer(x)[0]
    with pytest.raises(RuntimeError, match=f"^{name} saved for backward is .*, expected torch.float64 "):
        output.sum().backward()


def test_the_operator_refuses_gradients_of_a_wrong_shape():
    x, h = normal(3, 2, 3, seed=0), normal(2, 4, seed=1)
    weights = (normal(12, 3, seed=2), normal(12, 4, seed=3), None, None, None)
    options = (None, None, 4, False)
    output, _, _, gates, states = torch.ops.gatewise.scan(x, h, None, *weights, *options, True)
    saved, flags = (output, gates, states), (True, True)
    backward = torch.ops.gatewise.scan_backward
    assert backward(x, h, None, *weights, *options, *saved, output, h, None, None, None, *flags)[0].shape == x.shape
    for grads, name in (((output[:2], None), "output"), ((None, h[:1]), "h"), ((output.float(), h), "h")):
        with pytest.raises(RuntimeError, match=f"the gradient of {name} is torch.float64|is torch.float64"):
            backward(x, h, None, *weights, *options, *saved, *grads, None, None, None, *flags)


def test_a_layer_without_units_is_refused_with_a_reason_and_runs_on_another_engine():
    x, weights = torch.zeros(3, 2, 4), Weights(torch.zeros(0, 4), torch.zeros(0, 0))
    request = engines.Request(cells.GRU, x, None, weights)
    assert native.refuses(request) == "the kernels need at least one unit, and weight_hh has shape (0, 0)"
    assert engines.scan(cells.GRU, x, None, weights, engine="reference").output.shape == (3, 2, 0)


@pytest.mark.parametrize("engine", ["native", "aten", "reference"])
def test_scans_treat_state_none_as_zeros(engine):
    weights = Weights(normal(20, 3, seed=0), normal(20, 5, seed=1))
    x, batch_sizes = normal(4, 2, 3, seed=2), torch.tensor([2, 2, 1])
    start = cells.LSTMState(*(torch.zeros(2, 5, dtype=torch.float64) for _ in range(2)))
    for lengths in (None, torch.tensor([4, 0])):
        options = {"engine": engine, "lengths": lengths}
        runs = [engines.scan(cells.LSTM, x, state, weights, **options) for state in (None, start)]
        assert_close(runs[0].output, runs[1].output)
        assert_close(runs[0].state.c, runs[1].state.c)
    data = x.flatten(0, 1)[:5]
    packed = [
        engines.scan_packed(cells.LSTM, data, batch_sizes, state, weights, engine=engine) for state in (None, start)
    ]
    assert_close(packed[0].output, packed[1].output)
    assert_close(packed[0].state.c, packed[1].state.c)


def test_backward_checks_the_initial_state():
    layer, x = layer_of("gru"), normal(4, 2, 3, seed=1)
    h = normal(1, 2, 5, seed=2).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(
        lambda saved: saved, lambda saved: saved[:, :-1] if saved.shape == (2, 5) else saved
    ):
        output = layer(x, h)[0]
    with pytest.raises(RuntimeError, match=r"^h0 saved for backward is .*, expected torch.float64 "):
        output.sum().backward()


@pytest.mark.parametrize("engine", ["native", "aten", "reference"])
def test_a_state_with_a_wrong_number_of_parts_is_refused(engine):
    x, weights, h = normal(3, 2, 4, seed=0), Weights(normal(20, 4, seed=1), normal(20, 5, seed=2)), normal(2, 5, seed=3)
    for state in ((h,), (h, h, h)):
        with pytest.raises(RuntimeError, match=rf"the state has {len(state)} parts, expected .'h', 'c'. for 'lstm'"):
            engines.scan(cells.LSTM, x, state, weights, engine=engine)


def test_a_compiled_graph_without_gradients_returns_gates():
    layer, x = layer_of("gru"), normal(4, 2, 3, seed=1)
    compiled = torch.compile(lambda x: layer.trace(x).gates, backend="eager", fullgraph=True)
    with torch.no_grad():
        for name, gate in compiled(x).items():
            assert_close(gate, layer.trace(x).gates[name])
