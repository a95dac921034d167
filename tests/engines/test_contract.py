"""The engine contract: lengths, strides, gates and cells, refused requests, and the choice of an engine."""

import asyncio
import dataclasses
import functools
import threading
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from gatewise import cells, engines, nn
from gatewise.cells import LSTMState, Weights
from gatewise.engines import Request, Scan, selection
from tests.engines.test_engines import KINDS, LENGTHS, PAIRS, RUNNING, B, H, I, P, T, Wrong, normal
from tests.tolerance import assert_close


def request_of(kind: str, dtype: torch.dtype = torch.float64, **changes: Any) -> Request:
    cls, options = KINDS[kind]
    layer = cls(I, H, dtype=dtype, generator=torch.Generator().manual_seed(0), **options)
    weights = Weights(*(None if weight is None else weight.detach() for weight in layer._weights(0)))
    sizes = [layer.proj_size or H] + [H] * (len(layer.cell.state._fields) - 1)
    state = layer.cell.state(*(normal(B, size, seed=2 + k, dtype=dtype) for k, size in enumerate(sizes)))
    return Request(layer.cell, normal(T, B, I, seed=1, dtype=dtype), state, weights)._replace(**changes)


def scan_of(request: Request, engine: str = "auto") -> Scan:
    cell, x, state, weights, lengths, reverse, keep = request
    return engines.scan(cell, x, state, weights, lengths=lengths, reverse=reverse, keep=keep, engine=engine)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_the_reference_are_finite_differences(kind):
    request = request_of(kind)
    leaves = [request.x, *request.state, *(weight for weight in request.weights if weight is not None)]
    leaves = [leaf.clone().requires_grad_() for leaf in leaves]

    def function(x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        state, rest = others[: len(request.state)], others[len(request.state) :]
        weights = Weights(*rest)
        scan = engines.reference.scan(
            request.cell, x, request.cell.state(*state), weights, lengths=torch.tensor(LENGTHS)
        )
        return scan.output, *scan.state

    assert torch.autograd.gradcheck(function, leaves)


def test_second_derivatives_of_the_reference_are_finite_differences():
    request = request_of("lstm")

    def gradient(x: Tensor) -> Tensor:
        output = engines.reference.scan(request.cell, x, request.state, request.weights).output
        return torch.autograd.grad((output * output).sum(), x, create_graph=True)[0]

    assert torch.autograd.gradcheck(gradient, request.x.requires_grad_())


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_lengths_zero_and_in_any_order(pair, dtype, reverse):
    engine, kind = pair
    lengths = (0, 5, 2, 0)
    request = request_of(kind, lengths=torch.tensor(lengths, dtype=dtype), reverse=reverse)
    request.x[torch.arange(T)[:, None] >= torch.tensor(lengths)] = torch.nan  # the padding must have no influence
    leaves = [request.x.requires_grad_(), *(field.requires_grad_() for field in request.state)]
    weights = [weight.requires_grad_() for weight in request.weights if weight is not None]
    scan = scan_of(request, engine)
    for b, length in enumerate(lengths):
        assert (scan.output[length:, b] == 0).all()
        alone = request_of(kind)
        start = alone.cell.state(*(field[b : b + 1] for field in alone.state))
        alone = alone._replace(x=alone.x[:length, b : b + 1], state=start, reverse=reverse)
        expected = scan_of(alone, "reference")
        assert_close(scan.output[:length, b : b + 1], expected.output)
        for field, expected_field in zip(scan.state, expected.state, strict=True):
            assert_close(field[b : b + 1], expected_field)
    total = scan.output.sum() + sum(field.sum() for field in scan.state)
    for gradient in torch.autograd.grad(total, leaves + weights):
        assert gradient.isfinite().all()


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_all_lengths_zero(pair):
    engine, kind = pair
    request = request_of(kind, lengths=torch.zeros(B, dtype=torch.int64))
    scan = scan_of(request, engine)
    assert (scan.output == 0).all()
    assert all(map(torch.equal, scan.state, request.state))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_results_do_not_depend_on_strides(pair, reverse):
    engine, kind = pair
    request = request_of(kind, reverse=reverse)
    strided = request.x.transpose(0, 2).contiguous().transpose(0, 2)
    assert strided.stride() != request.x.stride()
    assert_close(scan_of(request._replace(x=strided), engine).output, scan_of(request, engine).output)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_gates_and_cells_match_the_single_steps(kind, reverse):
    request = request_of(kind, lengths=torch.tensor(LENGTHS), reverse=reverse, keep=("gates", "cells"))
    scan = scan_of(request)
    assert tuple(scan.gates) == request.cell.gates
    for b, length in enumerate(LENGTHS):
        state = request.cell.state(*(field[b : b + 1] for field in request.state))
        for t in reversed(range(length)) if reverse else range(length):
            state, gates = request.cell.step(request.x[t, b : b + 1], state, request.weights)
            for name, gate in gates.items():
                assert_close(scan.gates[name][t, b : b + 1], gate)
            if isinstance(state, LSTMState):
                assert_close(scan.cells[t, b : b + 1], state.c)
        assert all((gate[length:, b] == 0).all() for gate in scan.gates.values())
    assert (scan.cells is None) == (request.cell is not cells.LSTM)


def test_only_requested_gates_and_cells_are_returned():
    assert scan_of(request_of("lstm"), "reference")[2:] == (None, None)
    assert scan_of(request_of("lstm", keep=("cells",))).gates is None
    assert scan_of(request_of("lstm", keep=("gates",))).cells is None


@pytest.mark.parametrize("keep", [("gate",), ("gates", "cell"), "gates"])
def test_unknown_names_in_keep_are_refused(keep):
    with pytest.raises(ValueError, match=r"^keep is .*gate.*, expected a tuple of names from \('gates', 'cells'\)$"):
        scan_of(request_of("lstm", keep=keep))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_packed_scans_equal_scans_with_lengths(pair, reverse):
    engine, kind = pair
    request = request_of(kind, lengths=torch.tensor([5, 3, 3, 1]), reverse=reverse)
    packed = pack_padded_sequence(request.x, request.lengths)
    scan = engines.scan_packed(
        request.cell, *packed[:2], request.state, request.weights, reverse=reverse, engine=engine
    )
    expected = scan_of(request, "reference")
    assert_close(scan.output, pack_padded_sequence(expected.output, request.lengths).data)
    for field, expected_field in zip(scan.state, expected.state, strict=True):
        assert_close(field, expected_field)


@pytest.mark.parametrize("steps", [0, 5])
@pytest.mark.parametrize("batch", [0, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_empty_batches_and_sequences(kind, batch, steps):
    request = request_of(kind, keep=("gates", "cells"))
    state = request.cell.state(*(field[:batch] for field in request.state))
    scan = scan_of(request._replace(x=request.x[:steps, :batch], state=state))
    assert scan.output.shape == (steps, batch, request.state[0].shape[1])
    assert {gate.shape for gate in scan.gates.values()} == {(steps, batch, H)}
    if steps == 0:
        assert all(map(torch.equal, scan.state, state))


def coupled_step(x: Tensor, state: LSTMState, weights: Weights) -> tuple[LSTMState, cells.Gates]:
    """An LSTM whose input gate is one minus its forget gate."""
    f, g, o = cells.weighted_sum(x, state.h, weights).chunk(3, -1)
    f, g, o = f.sigmoid(), g.tanh(), o.sigmoid()
    c = f * state.c + (1 - f) * g
    return LSTMState(o * c.tanh(), c), {"forget": f, "candidate": g, "output": o}


class CoupledLSTM(nn.LSTM):
    cell = cells.Cell("coupled", ("forget", "candidate", "output"), LSTMState, coupled_step)


def test_a_user_defined_cell_runs_on_the_reference(capsys):
    layer = CoupledLSTM(I, H, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert layer.weight_ih_l0.shape == (3 * H, I)
    x = normal(T, B, I, seed=1)
    output, (_, c) = layer(x)
    state = LSTMState(torch.zeros(B, H, dtype=torch.float64), torch.zeros(B, H, dtype=torch.float64))
    for t in range(T):
        state, _ = coupled_step(x[t], state, layer._weights(0))
        assert_close(output[t], state.h)
    assert_close(c[0], state.c)
    engines.explain(layer, x)
    assert "aten       refuses: torch has no fused kernel for the step 'coupled_step'" in capsys.readouterr().out


def test_a_changed_equation_is_never_run_by_a_fused_kernel():
    changed = dataclasses.replace(cells.LSTM, step=functools.partial(cells.lstm_step))
    assert engines.choose(request_of("lstm")).name == RUNNING[0]
    assert engines.choose(request_of("lstm")._replace(cell=changed)).name == "reference"


REFUSALS = {
    "linear": (request_of("identity"), "no fused kernel for the step 'rnn_identity_step' of the cell 'rnn_identity'"),
    "keep": (request_of("lstm", keep=("gates", "cells")), "torch's kernels do not return cells or gates"),
    "empty": (request_of("gru", x=torch.zeros(0, B, I)), "torch's kernels do not accept an empty x, here (0, 4, 3)"),
    "no sequences": (
        request_of("gru", x=torch.zeros(T, 0, I)),
        "torch's kernels do not accept an empty x, here (5, 0, 3)",
    ),
    "one bias": (request_of("gru", weights=request_of("gru").weights._replace(bias_hh=None)), "both biases or neither"),
    "projection": (
        request_of("gru", weights=request_of("gru").weights._replace(weight_hr=torch.zeros(P, H))),
        "torch's kernels support a projection for the LSTM only, not for 'gru'",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_aten_refuses_with_its_reason(name, monkeypatch):
    monkeypatch.setattr(selection, "ENGINES", {name: engines.ENGINES[name] for name in ("aten", "reference")})
    request, reason = REFUSALS[name]
    assert reason in engines.aten.refuses(request)
    assert engines.choose(request).name == "reference"
    with pytest.raises(
        ValueError, match=r"engine 'aten' cannot run this: .*; use engine='auto' to select one that can"
    ) as caught:
        engines.choose(request, "aten")
    assert reason in str(caught.value)


def test_the_error_lists_every_reason_if_no_engine_accepts(monkeypatch):
    monkeypatch.delitem(engines.ENGINES, "reference")
    native = "engine 'native' cannot run this: the kernels support only float32 and float64, and x is torch.bfloat16"
    with pytest.raises(
        ValueError, match=f"^{native}; engine 'aten' cannot run this: torch's kernels do not return gates$"
    ):
        engines.choose(request_of("lstm", torch.bfloat16, keep=("gates",)))


def test_an_unknown_engine_is_refused():
    for call in (lambda: nn.GRU(I, H, engine="fast"), lambda: engines.use_engine("fast").__enter__()):
        with pytest.raises(ValueError, match="engine is 'fast', expected one of 'auto', 'native', 'aten', 'reference'"):
            call()


def chosen(engine: str = "auto") -> str:
    return engines.choose(request_of("lstm"), engine).name


def test_use_engine_overrides_the_layer_and_can_be_nested():
    assert (chosen(), chosen("reference")) == (RUNNING[0], "reference")
    with engines.use_engine("reference"):
        assert chosen("aten") == "reference"
        with engines.use_engine("auto"):
            assert chosen("reference") == RUNNING[0]
        with pytest.raises(KeyError), engines.use_engine("aten"):
            raise KeyError
        assert chosen() == "reference"
    assert chosen() == RUNNING[0]


def test_use_engine_applies_to_tasks_started_inside_and_to_no_other_threads_or_tasks():
    seen = []

    async def with_engine(name: str) -> str:
        with engines.use_engine(name):
            await asyncio.sleep(0)
            return chosen()

    async def seen_by_a_task() -> str:
        return chosen()

    async def inherited() -> list[str]:
        with engines.use_engine("reference"):
            return await asyncio.gather(seen_by_a_task(), asyncio.to_thread(chosen))

    async def together() -> list[str]:
        return await asyncio.gather(with_engine("reference"), with_engine("aten"))

    with engines.use_engine("reference"):
        thread = threading.Thread(target=lambda: seen.append(chosen()))
        thread.start()
        thread.join()
    assert seen == [RUNNING[0]]
    assert asyncio.run(together()) == ["reference", "aten"]
    assert asyncio.run(inherited()) == ["reference", "reference"]


def explained(layer: nn.Recurrent, x: Tensor, capsys, **options: Any) -> list[str]:
    assert engines.explain(layer, x, **options) is None
    return capsys.readouterr().out.splitlines()


needs_native = pytest.mark.skipif("native" not in RUNNING, reason="the native library is not available")


@needs_native
def test_explain(capsys):
    x, generator = torch.zeros(2, T, I), torch.Generator()
    layer = nn.LSTM(I, H, 2, bidirectional=True, batch_first=True, generator=generator)
    assert explained(layer, x, capsys, lengths=[5, 0]) == [
        "LSTM(3, 6, num_layers=2, batch_first=True, bidirectional=True) "
        "on x (2, 5, 3), torch.float32, cpu; engine='auto'",
        "  native     runs: Gatewise's own kernels",
        "  aten       accepts, but a faster engine runs",
        "  reference  accepts, but a faster engine runs",
    ]
    assert explained(nn.GRU(I, H, engine="reference", generator=generator), x, capsys)[1:] == [
        "  native     not considered: engine='reference'",
        "  aten       not considered: engine='reference'",
        "  reference  runs: a Python loop over gatewise.cells, the specification",
    ]
    with engines.use_engine("aten"):
        assert explained(nn.GRU(I, H, generator=generator), x[:, :0], capsys)[1:] == [
            "  native     not considered: use_engine('aten')",
            "  aten       refuses: torch's kernels do not accept an empty x, here (2, 0, 3)",
            "  reference  not considered: use_engine('aten')",
        ]


@needs_native
def test_explain_if_an_engine_runs_some_of_the_scans(capsys, monkeypatch):
    narrow = Wrong("output scaled")
    monkeypatch.setattr(
        narrow, "refuses", lambda request: "x is wide" if request.x.shape[2] > I else None, raising=False
    )
    monkeypatch.setattr(selection, "ENGINES", {"wrong": narrow, **engines.ENGINES})
    assert explained(nn.GRU(I, H, 3, generator=torch.Generator()), torch.zeros(T, B, I), capsys)[1:] == [
        "  wrong      runs 1 of 3 scans (one for each layer and direction): makes a mistake; "
        "refuses the others: x is wide",
        "  native     runs 2 of 3 scans (one for each layer and direction): Gatewise's own kernels",
        "  aten       accepts, but a faster engine runs",
        "  reference  accepts, but a faster engine runs",
    ]


MISMATCHES = {
    "x of two dimensions": ({"x": torch.zeros(T, I)}, "x has shape (5, 3), expected (T, B, I)"),
    "features": (
        {"x": torch.zeros(T, B, 7)},
        "x (T, B, I) has shape (5, 4, 7), expected (5, 4, 3)",
    ),
    "batch": ({"x": torch.zeros(T, 9, I)}, "the state's h has shape (4, 6), expected (9, 6)"),
    "dtype": (
        {"x": torch.zeros(T, B, I).double()},
        "x (T, B, I) is torch.float64, expected torch.float32 like weight_ih",
    ),
    "device": ({"x": torch.zeros(T, B, I, device="meta")}, "x (T, B, I) is on meta, expected cpu like weight_ih"),
    "h": (
        {"state": LSTMState(torch.zeros(1, H), torch.zeros(B, H))},
        "the state's h has shape (1, 6), expected (4, 6)",
    ),
    "c": (
        {"state": LSTMState(torch.zeros(B, H), torch.zeros(B, 99))},
        "the state's c has shape (4, 99), expected (4, 6)",
    ),
    "lengths": ({"lengths": torch.tensor([1, 2])}, "lengths is torch.int64 (2,), expected integers of shape (4,)"),
    "long": (
        {"lengths": torch.tensor([1, 6, 0, 5])},
        "lengths range from 0 to 6, expected from 0 to 5, the number of steps",
    ),
    "negative": ({"lengths": torch.tensor([1, -1, 0, 5])}, "lengths range from -1 to 5, expected from 0 to 5"),
    "unsigned": (
        {"lengths": torch.ones(B, dtype=torch.uint16)},
        "lengths is torch.uint16 (4,), expected integers of shape (4,)",
    ),
    "no integers": ({"lengths": torch.ones(B)}, "lengths is torch.float32 (4,), expected integers of shape (4,)"),
    "gates": (
        {"weights": Weights(torch.zeros(7, I), torch.zeros(7, H))},
        "weight_ih has shape (7, 3), expected (4*H, I)",
    ),
    "bias": (
        {"weights": Weights(torch.zeros(24, I), torch.zeros(24, H), torch.zeros(24), torch.zeros(6))},
        "bias_hh has shape (6,), expected (24,) to match weight_ih (24, 3)",
    ),
}


@pytest.mark.parametrize("engine", RUNNING)
@pytest.mark.parametrize("name", MISMATCHES)
def test_mismatched_tensors_raise_before_any_kernel_runs(name, engine):
    changes, message = MISMATCHES[name]
    refused = (name, engine) == ("device", "native")
    if refused:
        message = "engine 'native' cannot run this: the kernels run only on the CPU, and x is on meta"
    with pytest.raises(ValueError if refused else RuntimeError) as caught:
        scan_of(request_of("lstm", torch.float32, **changes), engine)
    assert str(caught.value).startswith(message)


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:torch.jit"
)  # a warning of torch at the first forward derivative
def test_reference_under_vmap_and_forward_derivatives():
    request = request_of("lstm")
    start = LSTMState(request.state.h[:1], request.state.c[:1])

    def run(x: Tensor) -> Tensor:
        return engines.reference.scan(request.cell, x[:, None], start, request.weights).output[:, 0]

    mapped = torch.func.vmap(run, in_dims=1, out_dims=1)(request.x)
    assert_close(mapped, torch.stack([run(request.x[:, b]) for b in range(B)], 1))
    x, direction = request.x[:, 0], normal(T, I, seed=5)
    _, forward = torch.func.jvp(run, (x,), (direction,))
    assert_close(forward, torch.einsum("thsi,si->th", torch.autograd.functional.jacobian(run, x), direction))
