"""Limits of the native kernels: very long sequences, forks during threads, too few threads, and combinations of
torch's compilers, autocast and transforms. Each gives correct numbers or an error.
"""

import os
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor

from gatewise import engines, nn
from gatewise.engines.native import loader
from tests.engines.native.test_native import TRANSFORMS, assert_trains_alike
from tests.engines.test_engines import fields, normal
from tests.native_scans import layer_of, run_python, seeded
from tests.tolerance import assert_close

pytestmark = pytest.mark.skipif(loader.load() is None, reason="the native library is not available")

LONG = 100_000


# ---- very many steps ----------------------------------------------------------------------------------------------


def test_a_running_sum_over_a_very_long_sequence():
    """With weights of 1, a linear network and its gradients are running sums, which are exact at any length."""
    rnn = nn.RNN(1, 1, nonlinearity="identity", bias=False, dtype=torch.float64, engine="native", generator=seeded())
    with torch.no_grad():
        for weight in rnn.parameters():
            weight.fill_(1)
    x, grad = normal(LONG, 1, 1, seed=1).requires_grad_(), normal(LONG, 1, 1, seed=2)
    output, h = rnn(x)
    sums = x.detach().cumsum(0)
    assert_close(output, sums)
    assert_close(h[0], sums[-1])
    output.backward(grad)
    at_steps = grad.flip(0).cumsum(0).flip(0)
    assert_close(x.grad, at_steps)
    assert_close(rnn.weight_ih_l0.grad[0, 0], (at_steps * x.detach()).sum())
    assert_close(rnn.weight_hh_l0.grad[0, 0], (at_steps[1:] * sums[:-1]).sum())


def test_very_long_sequences_equal_torch():
    lstm = nn.LSTM(2, 4, engine="native", generator=seeded())
    with torch.random.fork_rng():  # torch.nn draws weights, which are overwritten
        torch_lstm = torch.nn.LSTM(2, 4)
    torch_lstm.load_state_dict(lstm.state_dict())
    values, weight, results = normal(LONG, 1, 2, seed=1).float(), normal(LONG, 1, 4, seed=2).float(), []
    for layer in (lstm, torch_lstm):
        x = values.clone().requires_grad_()
        output, state = layer(x)
        results.append([output, *state, *torch.autograd.grad(output, [x], weight)])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tanh", "lstm", "gru"])
def test_every_gradient_of_very_long_sequences_equals_torch(kind):
    layer, x, weight = layer_of(kind), normal(LONG, 1, 3, seed=1).requires_grad_(), normal(LONG, 1, 6, seed=2)
    results = []
    for engine in ("native", "aten"):
        with engines.use_engine(engine):
            output, state = layer(x)
            gradients = torch.autograd.grad(output, [x, *layer.parameters()], weight)
            results.append([output, *fields(state), *gradients])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected)


# ---- processes and threads ----------------------------------------------------------------------------------------


# The sizes are small, so that torch's own operations use one thread: its OpenMP would hang in a forked child.
FORKED_DURING_SCANS = """
import multiprocessing, sys, threading, torch
from gatewise import nn
lstm, x = nn.LSTM(20, 50, engine="native", generator=torch.Generator().manual_seed(0)), torch.ones(8, 64, 20)
torch.set_num_threads(2)

def train():
    output, _ = lstm(x)
    return [output.detach(), *torch.autograd.grad(output.sum(), list(lstm.parameters()))]

def close(tensors):
    return all(torch.allclose(a, b, rtol=1e-4, atol=1e-4) for a, b in zip(tensors, expected))

def child():
    sys.exit(0 if close(train()) else 1)

def scans():
    with torch.no_grad():
        while not stop.is_set():
            lstm(x)

expected, stop = train(), threading.Event()
threads = [threading.Thread(target=scans, daemon=True) for _ in range(3)]
for thread in threads:
    thread.start()
codes = []
for _ in range(10):
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(30)
    codes.append(process.exitcode)
    if process.exitcode is None:
        process.kill()
        break
stop.set()
for thread in threads:
    thread.join()
print(codes == [0] * 10 and close(train()), codes)
"""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@needs_fork
def test_processes_forked_while_other_threads_run_scans():
    assert run_python(FORKED_DURING_SCANS).startswith("True")


FORKED_INFO = """
import os
from gatewise.cli import main
from gatewise.engines.native import loader
loader.load()
print(loader.forked(), flush=True)
if child := os.fork():
    os.waitpid(child, 0)
else:
    print(loader.forked())
    main(["info"])
"""


@needs_fork
def test_a_forked_child_reports_one_thread():
    output = run_python(FORKED_INFO).splitlines()
    assert output[:2] == ["False", "True"]
    assert f"native library: {loader.instructions()}, 1 thread in a forked child" in output


# Threads with 1 GB of stack each, in a quarter of that memory: neither OpenMP nor the system can start one.
TOO_FEW = """
import os, resource, sys, torch
from gatewise import nn, threads
threads.cores = lambda: 8
torch.set_num_threads(8)
lstm, x = nn.LSTM(64, 128, engine="native", generator=torch.Generator().manual_seed(0)), torch.ones(4, 64, 64)
expected = lstm(x)[0]
with open("/proc/self/statm") as file:
    size = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 28), resource.getrlimit(resource.RLIMIT_AS)[1]))
for run in (lambda: lstm(x), lambda: expected.sum().backward()):
    try:
        run()
    except RuntimeError as error:
        print("fewer threads" in str(error))
torch.set_num_threads(1)
print(torch.equal(lstm(x)[0], expected))
sys.stdout.flush()
if not os.fork():  # a worker process goes on with one thread
    with threads.sharing(lambda: 8), threads.limited(threads.SMALL):
        print(threads.native_threads() == 8 and torch.equal(lstm(x)[0], expected))
        sys.stdout.flush()
    os._exit(0)
os.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")
def test_too_few_threads_raise_an_error_instead_of_hanging():
    process = subprocess.run(
        ["sh", "-c", 'ulimit -s 1048576 || exit 99; exec "$0" -c "$1"', sys.executable, TOO_FEW],
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1"},
    )
    if process.returncode == 99:
        pytest.skip("this system does not allow such a large stack")
    assert process.stdout.split() == ["True"] * 4, process.stderr


# ---- compilers, autocast, transforms ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # warnings of torch while it compiles
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_compiled_by_inductor(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch.compiler.reset()
    try:
        torch.compile(lambda x: (x * 2).sin(), backend="inductor")(torch.ones(3))
    except Exception as error:  # a compiler, headers or a writable folder are missing
        pytest.skip(f"inductor cannot run here: {type(error).__name__}")
    layer = layer_of(kind, num_layers=2, bidirectional=True, engine="native")
    compiled = torch.compile(layer, backend="inductor", fullgraph=True)
    x = normal(5, 4, 3, seed=1)
    assert_trains_alike(compiled, layer, x)
    assert_trains_alike(compiled, layer, x, lengths=torch.tensor([2, 5, 0, 1]))
    assert_trains_alike(compiled, layer, normal(7, 2, 3, seed=2))


def compiled(run: Any) -> Any:
    torch.compiler.reset()
    return torch.compile(run, backend="aot_eager")


def trained(run: Any, layer: nn.Recurrent, x: Tensor) -> list[Tensor]:
    with torch.autocast("cpu", torch.bfloat16):
        output, _ = run(x)
    return [output, *torch.autograd.grad(output.float().sum(), list(layer.parameters()))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_compiled_layer_under_autocast_equals_the_uncompiled_layer(kind):
    layer, x = layer_of(kind, dtype=torch.float32), normal(5, 2, 3, seed=1).float()
    run, expected = compiled(layer), trained(layer, layer, x)
    assert_close(run(x)[0], layer(x)[0])  # compiled without autocast first
    for actual, plain in zip(trained(run, layer, x), expected, strict=True):
        assert actual.dtype == plain.dtype
        assert torch.allclose(actual.float(), plain.float(), rtol=2e-2, atol=2e-2)
    assert_close(run(x)[0], layer(x)[0])


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_layer_of_the_native_engine_refuses_autocast():
    layer, x = layer_of("lstm", dtype=torch.float32, engine="native"), normal(5, 2, 3, seed=1).float()
    run = compiled(layer)
    run(x)
    with pytest.raises(ValueError, match="engine 'native' cannot run this: autocast is on"):
        trained(run, layer, x)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_an_exported_layer_under_autocast_computes_in_its_own_dtype_or_raises(kind):
    layer, x = layer_of(kind, dtype=torch.float32), normal(5, 2, 3, seed=1).float()
    exported = torch.export.export(layer, (x,)).module()
    with torch.random.fork_rng():
        before = torch.nn.Linear(3, 3)
    mixed = torch.export.export(torch.nn.Sequential(before, layer), (x,)).module()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(exported(x)[0], without_autocast(layer, x))
        with pytest.raises(
            RuntimeError,
            match=r"x is torch.bfloat16 and another tensor is torch.float32, expected the same dtype for all",
        ):
            mixed(x)


def without_autocast(layer: nn.Recurrent, x: Tensor) -> Tensor:
    with torch.autocast("cpu", enabled=False):
        output: Tensor = layer(x)[0]
    return output


# other transforms may refuse
SUPPORTED = ("vmap outside", "vmap inside", "grad inside", "vjp inside", "jvp inside", "jacrev inside")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("where", ["outside", "inside"])
@pytest.mark.parametrize("transform", [name for name in TRANSFORMS if name != "trace"])
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_transforms_of_compiled_layers_are_correct_or_raise(kind, transform, where):
    transformed, _ = TRANSFORMS[transform]
    layer, x = layer_of(kind), normal(4, 2, 3, seed=1)

    def run(x: Tensor) -> Tensor:
        return layer(x)[0]

    with engines.use_engine("reference"):
        expected = transformed(run, x)
    if where == "outside":
        attempt = compiled(lambda x: transformed(run, x))
    else:
        inner = compiled(run)
        assert_close(inner(x), run(x))  # an earlier graph must not be reused

        def attempt(x):
            return transformed(inner, x)

    refusals = (
        () if f"{transform} {where}" in SUPPORTED else (Exception,)
    )  # torch's compiler raises errors of various types
    try:
        actual = attempt(x)
    except refusals:
        return
    assert_close(actual, expected)
