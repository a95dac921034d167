"""The native engine with torch: operators, compiling, exporting, transforms, and refused requests."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from gatewise import cells, engines, nn
from gatewise.cells import Weights
from gatewise.engines import native
from gatewise.engines.native import loader
from tests.engines.test_engines import Wrong, fields, normal
from tests.native_scans import CODES, Problem, layer_of, run_python, seeded, tensors_of
from tests.tolerance import assert_close

pytestmark = pytest.mark.skipif(loader.load() is None, reason="the native library is not available")


# ---- the operator -------------------------------------------------------------------------------------------------


def arguments_of(problem: Problem, requires_grad: bool = True) -> tuple[Any, ...]:
    tensors = tensors_of(problem, torch.float64)
    if problem.packed:
        tensors["x"], sizes, *_ = pack_padded_sequence(tensors["x"], torch.tensor(problem.lengths))
        tensors["x"], lengths = tensors["x"].clone(), None
    else:
        sizes, lengths = None, None if problem.lengths is None else torch.tensor(problem.lengths)
    arguments = [tensors.get(name) for name in ("x", "h", "c", *Weights._fields)]
    arguments = [tensor if tensor is None else tensor.requires_grad_(requires_grad) for tensor in arguments]
    return *arguments, lengths, sizes, CODES[problem.kind], problem.reverse, True


OPERATORS = {
    "lstm": Problem("lstm", 3, 2, 2, 3, lengths=(3, 1)),
    "projected": Problem("projected", 3, 2, 2, 3, P=2, reverse=True, bias=False),
    "gru": Problem("gru", 3, 2, 2, 3, lengths=(3, 1), packed=True),
    "tanh": Problem("tanh", 3, 2, 2, 3),
}


@pytest.mark.filterwarnings("ignore")  # warnings of torch while it compiles
@pytest.mark.parametrize("name", OPERATORS)
def test_the_operator_passes_opcheck(name):
    outcome = torch.library.opcheck(torch.ops.gatewise.scan.default, arguments_of(OPERATORS[name]))
    assert set(outcome.values()) == {"SUCCESS"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("flags", [(True, True), (False, True), (True, False)], ids=str)
@pytest.mark.parametrize("name", OPERATORS)
def test_the_backward_operator_passes_opcheck(name, flags):
    *tensors, keep = arguments_of(OPERATORS[name], requires_grad=False)
    output, h, _, gates, states = torch.ops.gatewise.scan(*tensors, keep)
    gradients = (normal(*output.shape, seed=3), normal(*h.shape, seed=4), None, None, None)
    arguments = (*tensors, output, gates, states, *gradients, *flags)
    checks = ("test_schema", "test_faketensor", "test_aot_dispatch_dynamic")
    outcome = torch.library.opcheck(torch.ops.gatewise.scan_backward.default, arguments, test_utils=checks)
    assert set(outcome.values()) == {"SUCCESS"}


def test_the_operator_refuses_mixed_dtypes_under_autocast():
    x, h, weights = normal(3, 2, 3, seed=0), normal(2, 4, seed=1), [normal(16, 3, seed=2), normal(16, 4, seed=3)]
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(RuntimeError, match="expected the same dtype for all"):
        torch.ops.gatewise.scan(x, h.bfloat16(), h, *weights, None, None, None, None, None, 3, False, False)


def test_the_operator_reads_strided_lengths():
    x, h, weights = normal(6, 3, 3, seed=0), normal(3, 4, seed=1), [normal(16, 3, seed=2), normal(16, 4, seed=3)]
    strided = torch.tensor([1, 5, 4, 0, 6, 2])[::2]
    rest = (None, None, None)
    actual = torch.ops.gatewise.scan(x, h, h, *weights, *rest, strided, None, 3, False, True)
    expected = torch.ops.gatewise.scan(x, h, h, *weights, *rest, strided.contiguous(), None, 3, False, True)
    assert all(map(torch.equal, actual, expected))


def test_fake_tensors_have_the_shapes_of_real_ones():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        layer = nn.LSTM(3, 6, proj_size=2, engine="native")
        output, (h, c) = layer(torch.zeros(4, 2, 3))
    assert (output.shape, h.shape, c.shape) == ((4, 2, 2), (1, 2, 2), (1, 2, 6))


# ---- compiled, exported, traced -----------------------------------------------------------------------------------


def assert_trains_alike(compiled: Callable[..., Any], plain: nn.Recurrent, x: Tensor, **options: Any) -> None:
    results = []
    for run in (compiled, plain):
        output, state = run(x, **options)
        total = sum((value * normal(*value.shape, seed=k)).sum() for k, value in enumerate([output, *fields(state)]))
        results.append([output, *fields(state), *torch.autograd.grad(total, list(plain.parameters()))])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["identity", "projected", "gru"])
def test_compiled_as_one_graph(kind):
    torch.compiler.reset()
    layer = layer_of(kind, num_layers=2, bidirectional=True, engine="native")
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    x = normal(5, 4, 3, seed=1)
    assert_trains_alike(compiled, layer, x)
    assert_trains_alike(compiled, layer, x, lengths=torch.tensor([2, 5, 0, 1]))
    assert_trains_alike(compiled, layer, normal(7, 2, 3, seed=2))


@pytest.mark.filterwarnings("ignore")
def test_compiled_packed_sequences():
    torch.compiler.reset()
    layer = layer_of("gru", engine="native")

    def padded(x: Tensor, batch_sizes: Tensor) -> tuple[Tensor, Tensor]:
        output, state = layer(PackedSequence(x, batch_sizes))
        return output.data, state

    packed = pack_padded_sequence(normal(4, 3, 3, seed=1), torch.tensor([4, 2, 1]))
    for actual, expected in zip(
        torch.compile(padded, backend="aot_eager")(*packed[:2]), padded(*packed[:2]), strict=True
    ):
        assert_close(actual, expected)


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_length_out_of_range_is_an_error():
    torch.compiler.reset()
    layer = layer_of("gru", engine="native")
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    with pytest.raises(RuntimeError, match="lengths range from"):
        compiled(normal(4, 2, 3, seed=1), lengths=torch.tensor([4, 5]))


@pytest.mark.filterwarnings("ignore")
def test_use_engine_applies_to_a_compiled_layer(monkeypatch):
    monkeypatch.setitem(engines.ENGINES, "wrong", Wrong("output scaled"))
    torch.compiler.reset()
    layer, x = layer_of("lstm"), normal(3, 2, 3, seed=1)
    compiled, expected = torch.compile(layer, backend="aot_eager"), layer(x)[0]
    assert_close(compiled(x)[0], expected)
    with engines.use_engine("wrong"):
        assert_close(compiled(x)[0], expected * 1.01)
    with engines.use_engine("reference"):
        assert_close(compiled(x)[0], expected)
    assert_close(compiled(x)[0], expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("strict", [False, True])
def test_export_with_dynamic_time_and_batch(strict):
    layer = layer_of("lstm", num_layers=2, bidirectional=True, engine="native")
    steps, batch = torch.export.Dim("T", min=2, max=1000), torch.export.Dim("B", min=2, max=1000)
    shapes = {"input": {0: steps, 1: batch}}
    exported = torch.export.export(layer, (normal(5, 4, 3, seed=1),), dynamic_shapes=shapes, strict=strict)
    assert "gatewise.scan" in exported.graph_module.code
    x = normal(9, 7, 3, seed=2)
    for actual, expected in zip(fields(exported.module()(x)[1]), fields(layer(x)[1]), strict=True):
        assert_close(actual, expected)
    assert_close(exported.module()(x)[0], layer(x)[0])


def test_a_traced_graph_contains_the_scan():
    from torch.fx.experimental.proxy_tensor import make_fx

    layer = nn.GRU(3, 5, dtype=torch.float64, generator=seeded())
    with torch.no_grad():
        graph = make_fx(lambda x: layer(x)[0])(normal(4, 2, 3, seed=0))
        x = normal(4, 2, 3, seed=1)
        assert_close(graph(x), layer(x)[0])


# ---- refused requests ---------------------------------------------------------------------------------------------


def refusal(layer: nn.Recurrent, x: Tensor) -> str | None:
    return native.refuses(layer.requests(x)[0])


def test_native_refuses_with_a_reason(capsys):
    layer, x = layer_of("lstm", dtype=torch.float32), torch.zeros(4, 2, 3)
    assert refusal(layer, x) is None
    assert refusal(layer_of("lstm", dtype=torch.bfloat16), x.bfloat16()) == (
        "the kernels support only float32 and float64, and x is torch.bfloat16"
    )
    assert refusal(layer_of("lstm", device="meta", generator=None), x.double().to("meta")) == (
        "the kernels run only on the CPU, and x is on meta"
    )
    with torch.autocast("cpu", torch.bfloat16):
        assert refusal(layer, x) == "autocast is on, but the kernels compute in the dtype of the weights"
        assert engines.choose(layer.requests(x)[0]).name != "native"
        with engines.use_engine("native"), pytest.raises(ValueError, match="cannot run this: autocast is on"):
            layer(x)
        engines.explain(layer, x)
    assert "native     refuses: autocast is on" in capsys.readouterr().out


WITHOUT_LIBRARY = """
import torch
from gatewise import engines, nn
layer, x = nn.LSTM(3, 6, generator=torch.Generator().manual_seed(0)), torch.zeros(4, 2, 3)
print(engines.native.refuses(layer.requests(x)[0]))
print(engines.native.release(), engines.choose(layer.requests(x)[0]).name, layer(x)[0].shape == (4, 2, 6))
"""


def test_without_the_library_another_engine_runs():
    output = run_python(WITHOUT_LIBRARY, GATEWISE_NATIVE="0")
    assert output.splitlines() == ["switched off by GATEWISE_NATIVE=0", "0 aten True"]


def test_a_changed_equation_is_refused():
    problem = Problem("lstm", 4, 2, 3, 6)
    tensors = tensors_of(problem, torch.float64)
    changed = dataclasses.replace(cells.LSTM, step=functools.partial(cells.lstm_step))
    weights = Weights(*(tensors.get(name) for name in Weights._fields))
    with pytest.raises(ValueError, match="engine 'native' cannot run this: there is no kernel for the step"):
        engines.scan(changed, tensors["x"], cells.LSTMState(tensors["h"], tensors["c"]), weights, engine="native")


TRANSFORMS: dict[str, tuple[Callable[[Callable[[Tensor], Tensor], Tensor], Tensor], str]] = {
    "vmap": (lambda run, x: torch.func.vmap(run, in_dims=1, out_dims=1)(x[:, :, None]), "torch.func"),
    "grad": (lambda run, x: torch.func.grad(lambda x: run(x).sum())(x), "torch.func"),
    "vjp": (lambda run, x: torch.func.vjp(run, x)[1](run(x))[0], "torch.func"),
    "jvp": (lambda run, x: torch.func.jvp(run, (x,), (x,))[1], "torch.func"),
    "jacrev": (lambda run, x: torch.func.jacrev(run)(x), "torch.func"),
    "trace": (lambda run, x: torch.jit.trace(run, (x,))(x), "torch.jit.trace"),
    "forward": (lambda run, x: forward_derivative(run, x), "forward-mode"),
}


def forward_derivative(run: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with torch.autograd.forward_ad.dual_level():
        dual = run(torch.autograd.forward_ad.make_dual(x, x))
        return torch.autograd.forward_ad.unpack_dual(dual).tangent


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit is deprecated
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("kind", ["gru", "relu", "lstm"])
def test_transforms_of_a_layer(kind, transform):
    transformed, reason = TRANSFORMS[transform]
    layer, x = layer_of(kind), normal(4, 2, 3, seed=1)
    if transform == "trace":
        layer.requires_grad_(False)

    def run(x: Tensor) -> Tensor:
        return layer(x)[0]

    actual = transformed(run, x)
    with engines.use_engine("reference"):
        assert_close(actual, transformed(run, x))
    with engines.use_engine("native"), pytest.raises(ValueError, match=f"engine 'native' cannot run this: .*{reason}"):
        transformed(run, x)
