"""Inputs of the native kernels: NaN and infinity, unusual tensors, changing weights, and invalid calls."""

import pytest
import torch
from torch import Tensor
from torch.nn.utils import parametrize

from gatewise import engines, nn
from gatewise.engines.native import loader
from tests.engines.test_engines import KINDS, normal
from tests.native_scans import GATES_AND_CELLS, Problem, layer_of, run_python, scanned, seeded, tensors_of, values_of
from tests.tolerance import RELATIVE, assert_close

pytestmark = pytest.mark.skipif(loader.load() is None, reason="the native library is not available")


@pytest.mark.parametrize("dtype", RELATIVE, ids=str)
@pytest.mark.parametrize("special_value", [torch.nan, torch.inf, -torch.inf, 1e30], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_nan_and_infinity_propagate_as_in_the_reference(kind, special_value, dtype):
    problem = Problem(kind, 6, 5, 4, 19, P=3 * (kind == "projected"), keep=GATES_AND_CELLS)
    tensors = tensors_of(problem, dtype)
    tensors["x"][2, 1, 3] = tensors["x"][4, 3, 0] = special_value
    native, reference = (values_of(scanned(problem, tensors, engine)) for engine in ("native", "reference"))
    for name, actual in native.items():
        expected = reference[name]
        assert torch.equal(actual.isnan(), expected.isnan()), name
        assert torch.equal(actual.isinf(), expected.isinf()), name
        finite = actual.isfinite()
        assert (actual.isinf() * actual.sign()).equal(expected.isinf() * expected.sign())
        assert_close(actual[finite], expected[finite])


def test_negated_views_are_resolved():
    for negate in (torch._neg_view, lambda x: torch.complex(x, x).conj().imag):
        layer, x, h = (
            nn.GRU(1, 6, dtype=torch.float64, generator=seeded()),
            normal(4, 2, 1, seed=1),
            normal(1, 2, 6, seed=2),
        )
        assert_close(layer(negate(x), negate(h))[0], layer(-x, -h)[0])


class Marked(Tensor):
    """An empty subclass."""


def test_tensors_of_a_subclass():
    layer, x = layer_of("lstm", engine="native"), normal(4, 2, 3, seed=1)
    expected = torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))
    output, _ = layer(x.as_subclass(Marked))
    assert type(output) is Marked
    assert_close(output.as_subclass(Tensor), layer(x)[0])
    gradients = torch.autograd.grad(output.sum(), list(layer.parameters()))
    for gradient, expected_gradient in zip(gradients, expected, strict=True):
        assert_close(gradient.as_subclass(Tensor), expected_gradient)


def test_inference_mode():
    layer, x = layer_of("lstm", engine="native"), normal(4, 2, 3, seed=1)
    with torch.inference_mode():
        output, _ = layer(x)
    assert output.is_inference()
    assert_close(output.clone(), layer(x)[0])


# ---- weights ------------------------------------------------------------------------------------------------------


class Doubled(torch.nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight * 2


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("steps", [1, 4])
def test_each_call_uses_the_current_weights(steps, grad):
    layer, x = layer_of("lstm"), normal(steps, 2, 3, seed=1)

    def assert_equals_reference() -> None:
        with torch.set_grad_enabled(grad):
            output = layer(x)[0]
            with engines.use_engine("reference"):
                assert_close(output, layer(x)[0])

    assert_equals_reference()
    with torch.no_grad():
        layer.weight_hh_l0.mul_(1.5)
    assert_equals_reference()
    layer.weight_ih_l0.data.add_(0.1)
    assert_equals_reference()
    layer.bias_hh_l0.data = normal(24, seed=3)
    assert_equals_reference()
    layer.weight_hh_l0.data = layer.weight_hh_l0.data.t().contiguous().t()
    assert_equals_reference()
    layer.weight_hh_l0 = torch.nn.Parameter(normal(24, 6, seed=4))
    assert_equals_reference()
    parametrize.register_parametrization(layer, "weight_ih_l0", Doubled())
    assert_equals_reference()
    with torch.no_grad():
        layer.parametrizations.weight_ih_l0.original.mul_(0.5)
    assert_equals_reference()


def test_parametrised_weights_are_trained():
    layer, x = layer_of("gru"), normal(4, 2, 3, seed=1)
    parametrize.register_parametrization(layer, "weight_hh_l0", Doubled())
    (plain,) = torch.autograd.grad(layer(x)[0].sum(), layer.parametrizations.weight_hh_l0.original)
    with engines.use_engine("reference"):
        (expected,) = torch.autograd.grad(layer(x)[0].sum(), layer.parametrizations.weight_hh_l0.original)
    assert_close(plain, expected)


# ---- calls that must not corrupt memory, in a separate process ------------------------------------------------------


ATTEMPTS = """
import sys, torch
from torch.nn.utils.rnn import PackedSequence
from gatewise import nn
lstm = nn.LSTM(3, 8, dtype=torch.float64, engine="native", generator=torch.Generator().manual_seed(0))
x, h, w = torch.zeros(5, 2, 3).double(), torch.zeros(2, 8).double(), [weight.detach() for weight in lstm.parameters()]
scan = torch.ops.gatewise.scan
for attempt in sys.stdin.read().splitlines():
    try:
        exec(attempt)
        print("accepted", flush=True)
    except RuntimeError:
        print("refused", flush=True)
    torch.set_autocast_enabled("cuda", False)
"""


INVALID = {
    "more packed steps than rows": "lstm(PackedSequence(x[:2].flatten(0, 1)[:3], torch.tensor([2, 2, 1])))",
    "more rows than packed steps": "lstm(PackedSequence(x.flatten(0, 1), torch.tensor([2, 2, 1])))",
    "packed steps with increasing batch sizes": "lstm(PackedSequence(x.flatten(0, 1)[:5], torch.tensor([2, 1, 2])))",
    "a step of no sequences": "lstm(PackedSequence(x.flatten(0, 1)[:4], torch.tensor([2, 0, 2])))",
    "dtype of the state": "lstm(x, (torch.zeros(1, 2, 8), torch.zeros(1, 2, 8)))",
    "dtype of the state under the autocast of another device": (
        "torch.set_autocast_enabled('cuda', True); lstm(x, (torch.zeros(1, 2, 8), torch.zeros(1, 2, 8)))"
    ),
    "operator: dtype of h": "scan(x, h.float(), h, *w, None, None, None, 3, False, True)",
    "operator: rows of h": "scan(x, h[:1], h, *w, None, None, None, 3, False, True)",
    "operator: rows of c": "scan(x, h, h[:1], *w, None, None, None, 3, False, True)",
    "operator: no c": "scan(x, h, None, *w, None, None, None, 3, False, True)",
    "operator: weight_ih": "scan(x, h, h, w[0][:, :1], *w[1:], None, None, None, 3, False, True)",
    "operator: weight_hh": "scan(x, h, h, w[0], w[1][:2], *w[2:], None, None, None, 3, False, True)",
    "operator: bias": "scan(x, h, h, *w[:2], w[2][:1], w[3], None, None, None, 3, False, True)",
    "operator: lengths": "scan(x, h, h, *w, None, torch.tensor([1]), None, 3, False, True)",
    "operator: dtype of lengths": "scan(x, h, h, *w, None, torch.tensor([1, 2]).int(), None, 3, False, True)",
    "operator: cell": "scan(x, h, h, *w, None, None, None, 9, False, True)",
}


def test_invalid_calls_raise_and_never_crash():
    outcomes = run_python(ATTEMPTS, "\n".join(INVALID.values())).splitlines()
    assert dict(zip(INVALID, outcomes, strict=True)) == dict.fromkeys(INVALID, "refused")
