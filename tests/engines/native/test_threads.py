"""The native kernels with threads and processes: reproducible bits, forks, too few threads, and released memory."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from gatewise import engines, nn
from gatewise.engines import native
from gatewise.engines.native import loader
from tests.engines.test_engines import KINDS, normal
from tests.native_scans import (
    GATES_AND_CELLS,
    Problem,
    layer_of,
    random_problem,
    results,
    run_python,
    scanned,
    tensors_of,
    values_of,
)
from tests.tolerance import assert_close, error

pytestmark = pytest.mark.skipif(loader.load() is None, reason="the native library is not available")


# ---- the same bits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_call_gives_the_same_bits(kind, threads):
    torch.set_num_threads(threads)
    P = 20 * (kind == "projected")
    for lengths in ((4, 2, 0, 3, 4, 4, 1, 4, 2), None):
        problem = Problem(kind, 4, 9, 40, 100, P=P, lengths=lengths, keep=GATES_AND_CELLS)
        first = results(problem, "native", torch.float32)
        for _ in range(3):
            for name, again in results(problem, "native", torch.float32).items():
                assert torch.equal(again, first[name]), name


@pytest.mark.parametrize("kind", KINDS)
def test_values_do_not_depend_on_threads_or_other_sequences(kind):
    """This holds for sequences of several steps, which the same kernel runs for every batch."""
    for I in (3, 40):
        whole = Problem(kind, 5, 23, I, 70, P=20 * (kind == "projected"))
        tensors = tensors_of(whole, torch.float32)
        expected = values_of(scanned(whole, tensors, "native"))
        for threads in (2, 3, 4):
            torch.set_num_threads(threads)
            for name, value in values_of(scanned(whole, tensors, "native")).items():
                assert torch.equal(value, expected[name]), (name, threads)
        torch.set_num_threads(1)
        for first, last in ((0, 1), (4, 7), (3, 19)):
            parts = {name: tensor[first:last] if name in "hc" else tensor for name, tensor in tensors.items()}
            parts["x"] = tensors["x"][:, first:last]
            part = values_of(scanned(whole._replace(B=last - first), parts, "native"))
            assert torch.equal(part["output"], expected["output"][:, first:last]), (first, last)
            assert torch.equal(part["h"], expected["h"][first:last])


# ---- threads and processes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_denormal_numbers_may_become_zero_only_inside_the_kernels(kind, threads):
    torch.set_num_threads(threads)
    problem = Problem(kind, 8, 40, 40, 40, bias=False)
    tensors = tensors_of(problem, torch.float64)
    for name in ("x", "h", "c"):
        if name in tensors:
            tensors[name].mul_(1e-309)
    for value in values_of(scanned(problem, tensors, "native")).values():
        assert (value.abs() < 1e-300).all()
    tiny = torch.full((100_000,), 1e-310, dtype=torch.float64)  # enough for torch to use all threads
    # Compared by bits: if denormal numbers count as zero, they also compare equal to zero.
    assert torch.equal((tiny * 1).view(torch.int64), tiny.view(torch.int64))
    assert (1e-310 * float(torch.ones(()))).hex() == (1e-310).hex()


def test_calls_from_many_threads_at_once():
    problems = [random_problem(kind, seed)._replace(keep=()) for seed in (1, 2) for kind in KINDS]
    expected = [results(problem, "native") for problem in problems]

    def again(k: int) -> bool:
        torch.set_num_threads(1 + k % 2)
        actual = results(problems[k % len(problems)], "native")
        return all(error(tensor, expected[k % len(problems)][name]) < 1e-10 for name, tensor in actual.items())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(again, range(4 * len(problems))))


LIMITED = """
import torch
from gatewise import nn
torch.set_num_threads(4)
lstm, x = nn.LSTM(64, 128, engine="native", generator=torch.Generator().manual_seed(0)), torch.ones(4, 64, 64)
on_four_threads = lstm(x)[0]
on_four_threads.sum().backward()
torch.set_num_threads(1)
print(torch.equal(on_four_threads, lstm(x)[0]))
"""


@pytest.mark.parametrize("limit", ["OMP_THREAD_LIMIT=1", "OMP_THREAD_LIMIT=2", "OMP_DYNAMIC=true"])
def test_kernels_run_on_fewer_threads_than_requested(limit):
    name, value = limit.split("=")
    assert run_python(LIMITED, **{name: value}) == "True"


# The sizes are small, so that torch's own operations use one thread: its OpenMP would hang in a forked child.
FORKED = """
import multiprocessing, torch
from torch.utils.data import DataLoader, Dataset
from gatewise import nn
lstm, x = nn.LSTM(20, 50, engine="native", generator=torch.Generator().manual_seed(0)), torch.ones(8, 64, 20)

def train():
    lstm.zero_grad()
    output, _ = lstm(x)
    output.sum().backward()
    return output.detach(), lstm.weight_hh_l0.grad.clone()

def child(queue):
    torch.set_num_threads(2)
    queue.put([tensor.numpy() for tensor in train()])

class Items(Dataset):
    def __len__(self):
        return 3
    def __getitem__(self, k):
        return train()[0]

torch.set_num_threads(2)
expected = train()
context = multiprocessing.get_context("fork")
queue = context.SimpleQueue()
process = context.Process(target=child, args=(queue,))
process.start()
print(all(torch.allclose(torch.from_numpy(a), b, rtol=1e-4) for a, b in zip(queue.get(), expected)))
process.join()
loader = DataLoader(Items(), num_workers=1, multiprocessing_context="fork")
print(all(torch.equal(batch[0], expected[0]) for batch in loader))
print(all(map(torch.equal, train(), expected)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_children_of_a_process_that_used_threads():
    assert run_python(FORKED).split() == ["True"] * 3


# ---- memory -------------------------------------------------------------------------------------------------------


def resident() -> int:
    """Bytes of memory that this process uses."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def assert_constant_memory(calls: int) -> None:
    layers = [layer_of("lstm", engine="native"), layer_of("gru", engine="native")]
    x, lengths = normal(4, 2, 3, seed=1), torch.tensor([4, 1])

    def call() -> None:
        for layer in layers:
            layer(x, lengths=lengths)[0].sum().backward()
            layer.trace(x)
            with torch.no_grad():
                layer(x[:1])

    for _ in range(100):
        call()
    before = resident()
    for _ in range(calls // 8):
        call()
    assert resident() - before < 2_000_000


needs_statm = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="there is no /proc here")


@needs_statm
def test_memory_stays_constant_over_many_calls():
    assert_constant_memory(2_000)


@pytest.mark.slow
@needs_statm
def test_memory_stays_constant_over_very_many_calls():
    assert_constant_memory(40_000)


def test_release_frees_memory():
    problem = Problem("lstm", 4, 3, 5, 33)
    expected = results(problem, "native")
    assert native.release() > 0
    assert native.release() == 0
    assert all(torch.equal(tensor, expected[name]) for name, tensor in results(problem, "native").items())


def test_large_activations_reuse_memory_of_the_library():
    layer = nn.LSTM(4, 64, generator=torch.Generator().manual_seed(0))
    x = normal(64, 80, 4, seed=0).float()  # 64 x 80 x 256 floats of gates: more than 4 MiB
    runs = []
    for _ in range(3):
        output = layer(x)[0]
        runs.append(torch.autograd.grad(output.sum(), list(layer.parameters())))
        del output
    engines.native.release()
    again = torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))
    for run in runs:
        assert all(map(torch.equal, run, again))
    with engines.use_engine("reference"):
        expected = torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))
        for gradient, expected_gradient in zip(again, expected, strict=True):
            assert_close(gradient, expected_gradient)
