"""Tasks side by side: results, errors, interruptions, and the same bits for any number of workers."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from gatewise import Forecaster, nn, threads
from gatewise.parallel import WorkerError, default_jobs, meanwhile, run, run_all, schedule
from gatewise.parallel.cores import usable_jobs
from tests.waves import SMALL, wave

needs_fork = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


@pytest.fixture(params=["here", "threads", pytest.param("processes", marks=needs_fork)])
def jobs(request, monkeypatch):
    """The number of jobs, with each kind of worker."""
    monkeypatch.setattr(schedule, "can_fork", lambda: request.param == "processes")
    return 1 if request.param == "here" else 2


def returning(value, seconds=0.0):
    def task(report):
        time.sleep(seconds)
        report(1.0, "")
        return value

    return task


def failing(error, seconds=0.0):
    def task(report):
        time.sleep(seconds)
        raise error

    return task


# ------------------------------------------------------------------------------------------------- results


def test_results_are_in_the_order_of_the_tasks(jobs):
    assert run([returning(k, 0.02 * (3 - k)) for k in range(4)], jobs) == [0, 1, 2, 3]
    assert run([], jobs) == []


def test_generators_receive_the_results_of_their_tasks(jobs):
    def steps(start):
        first = yield [returning(start), returning(start + 1)]
        second = yield [returning(sum(first))]
        third = yield []
        return first, second, third

    expected = [([10 * k, 10 * k + 1], [20 * k + 1], []) for k in range(3)]
    assert run_all([steps(10 * k) for k in range(3)], jobs, total=9) == expected


@needs_fork
def test_a_generator_starts_when_a_worker_is_free():
    events = []

    def steps(k):
        events.append(("start", k))
        yield [returning(None, 0.2)]
        events.append(("end", k))

    run_all([steps(k) for k in range(4)], 2, total=4)
    assert events[:2] == [("start", 0), ("start", 1)]
    assert events.index(("start", 2)) > min(events.index(("end", 0)), events.index(("end", 1)))


def test_tasks_run_on_one_thread_and_a_single_task_on_all(jobs):
    torch.set_num_threads(2)

    def counts(report):
        return torch.get_num_threads(), threads.native_threads()

    assert run([counts] * 3, jobs) == [(1, 1)] * 3
    assert run([counts], jobs) == [(2, 2)]
    assert torch.get_num_threads() == 2


@needs_fork
def test_a_task_that_is_left_alone_uses_all_jobs_for_large_work(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 8)
    together = multiprocessing.get_context("fork").Barrier(4, timeout=60)

    def counts(report, alone=False):
        with threads.limited(threads.SMALL):
            together.wait()
            seen = threads.native_threads(), torch.get_num_threads()
            together.wait()
            for _ in range(600 * alone):
                if threads.native_threads() > 1:
                    break
                time.sleep(0.1)
            return [*seen, threads.native_threads()]

    seen = run([counts, counts, counts, partial(counts, alone=True)], 5)
    assert [counted[:2] for counted in seen] == [[1, 1]] * 4
    assert seen[3][2] == 5


@needs_fork
def test_the_threads_of_a_task_do_not_change_its_bits(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 2)

    def trained(report):
        generator = torch.Generator().manual_seed(0)
        lstm = nn.LSTM(24, 128, generator=generator)
        x = torch.randn(14, 256, 24, generator=generator)
        with threads.limited(threads.SMALL):
            for _ in range(8):
                gradients = torch.autograd.grad(lstm(x)[0].square().sum(), list(lstm.parameters()))
                for parameter, gradient in zip(lstm.parameters(), gradients, strict=True):
                    parameter.data -= 1e-3 * gradient
        return [parameter.detach().clone() for parameter in lstm.parameters()]

    (on_one,) = run([trained, trained], 1)[:1]
    results = run([trained] * 3, 2)
    assert all(torch.equal(a, b) for other in results for a, b in zip(on_one, other, strict=True))


@needs_fork
def test_large_results_and_tensors_are_returned():
    tensors = run([lambda report: torch.arange(3_000_000), lambda report: torch.ones(2)], 2)
    assert torch.equal(tensors[0], torch.arange(3_000_000))


@needs_fork
def test_a_function_is_called_once_while_workers_run():
    calls = []
    with meanwhile(lambda: calls.append("called")):
        assert run([returning(1, 0.1), returning(2, 0.1)], 2) == [1, 2]
        assert run([returning(3), returning(4)], 2) == [3, 4]
    assert calls == ["called"]
    with meanwhile(lambda: calls.append("not called")):
        run([returning(5)], 1)
    run([returning(6), returning(7)], 2)
    assert calls == ["called"]


# ------------------------------------------------------------------------------------------------- errors


def test_the_first_error_in_order_is_raised(jobs):
    tasks = [returning(0), failing(ValueError("second"), 0.3), failing(TypeError("third")), returning(3)]
    with pytest.raises(ValueError, match=r"^second$"):
        run(tasks, jobs)


def test_an_error_of_a_generator_is_raised(jobs):
    def steps(message):
        yield [returning(0), returning(0)]
        raise ValueError(message)

    with pytest.raises(ValueError, match=r"^first$"):
        run_all([steps("first"), steps("other")], jobs, total=4)


def test_tasks_after_an_error_are_ended(jobs):
    def endless(report):
        while True:
            time.sleep(0.01)
            report(0.5, "")

    started = time.perf_counter()
    with pytest.raises(ValueError, match=r"^first$"):
        run([failing(ValueError("first"), 0.1), endless], jobs)
    assert time.perf_counter() - started < 20


@needs_fork
@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda: os._exit(3), "ended with exit code 3"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL .*memory"),
    ],
)
def test_a_worker_that_ends_is_an_error(end, reason):
    with pytest.raises(WorkerError, match=rf"a worker process .*{reason}.*; use fewer at a time, such as jobs=1"):
        run([lambda report: end(), returning(1, 0.1)], 2)


@needs_fork
@pytest.mark.parametrize("possible", [0, 1, 3])
def test_without_more_processes_tasks_run_in_those_that_exist_or_here(monkeypatch, possible):
    forked, fork = [], os.fork

    def limited_fork():
        if len(forked) >= possible:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        forked.append(None)
        return fork()

    monkeypatch.setattr(os, "fork", limited_fork)
    assert run([returning(k, 0.05) for k in range(6)], 4) == list(range(6))


@needs_fork
def test_an_error_that_cannot_be_sent_keeps_its_text():
    class LocalError(Exception):
        pass

    with pytest.raises(WorkerError, match="LocalError: local"):
        run([failing(LocalError("local")), returning(1)], 2)


SCRIPT = """
import os, signal, time
from gatewise.parallel import run

signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored here

def task(report):
    print(os.getpid(), flush=True)
    for step in range(6000):
        time.sleep(0.1)
        report(step / 6000, "")

run([task, task], 2)
"""


def started_script(folder):
    """A process with two workers, and their numbers."""
    (folder / "script.py").write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(folder / "script.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return process, [int(process.stdout.readline()) for _ in range(2)]


def is_running(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@needs_fork
def test_an_interrupt_ends_all_workers(tmp_path):
    process, workers = started_script(tmp_path)
    for _ in range(2):  # the second one during the clean-up
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: to all processes of the terminal
    _, errors = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in errors
    assert "Process" not in errors  # no traceback of a worker
    assert not any(is_running(worker) for worker in workers)


@needs_fork
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_after_their_parent(tmp_path, end):
    process, workers = started_script(tmp_path)
    process.send_signal(end)
    process.communicate(timeout=30)
    until = time.monotonic() + 30
    while any(is_running(worker) for worker in workers) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(is_running(worker) for worker in workers)


@needs_fork
def test_a_result_that_cannot_be_sent_is_an_error(capfd):
    with pytest.raises((AttributeError, pickle.PicklingError), match="pickle"):
        run([returning(1), lambda report: lambda: 1], 2)
    assert capfd.readouterr().err == ""


@needs_fork
def test_an_error_has_the_traceback_of_its_worker_as_its_cause():
    with pytest.raises(ZeroDivisionError) as caught:
        run([lambda report: 1 / 0, returning(1)], 2)
    assert "in a worker process:" in str(caught.value.__cause__)
    assert "ZeroDivisionError: division by zero" in str(caught.value.__cause__)


@pytest.mark.filterwarnings("default")
def test_warnings_of_a_task_reach_the_caller(jobs, capfd):
    def task(report):
        warnings.warn("careful", RuntimeWarning, stacklevel=1)

    with pytest.warns(RuntimeWarning, match="careful"):
        run([task, returning(1)], jobs)
    assert capfd.readouterr().err == ""


# ------------------------------------------------------------------------------------------------- how many


def jobs_of_a_worker(_):
    return default_jobs(), usable_jobs(4)


def test_a_worker_of_another_pool_runs_one_task_at_a_time():
    with ProcessPoolExecutor(1) as pool:
        assert pool.submit(jobs_of_a_worker, 0).result() == (1, 1)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(jobs_of_a_worker, 0).result() == (1, 4)  # as requested


def test_by_default_as_many_as_cores(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 5)
    assert default_jobs() == 5
    seen = []
    thread = threading.Thread(target=lambda: seen.append(default_jobs()))
    thread.start()
    thread.join()
    assert seen == [1]


# ------------------------------------------------------------------------------------------------- forecasters


def test_forecasts_do_not_depend_on_the_number_of_jobs(jobs):
    options = {**SMALL, "max_steps": 20, "strategy": "auto", "dropout": None, "ensemble_size": 2}
    expected = Forecaster(**options, jobs=1).fit(wave())
    model = Forecaster(**options, jobs=2 * jobs).fit(wave())
    np.testing.assert_array_equal(model.predict(12).iloc[:, 2:], expected.predict(12).iloc[:, 2:])
    assert model.history.train == expected.history.train
    assert model.guesses == expected.guesses
    other = model.backtest(wave(), 6, windows=3, refit=True)
    reference = expected.backtest(wave(), 6, windows=3, refit=True)
    np.testing.assert_array_equal(other.forecasts["LSTM"], reference.forecasts["LSTM"])
    assert other.verdict == reference.verdict
    model.update(wave(130), max_steps=10)
    expected.update(wave(130), max_steps=10)
    np.testing.assert_array_equal(model.predict(3).iloc[:, 2:], expected.predict(3).iloc[:, 2:])


@needs_fork
def test_a_script_needs_no_main_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import gatewise\n"
        "model = gatewise.Forecaster(hidden_size=4, max_steps=5, jobs=2).fit([1.0, 2.0, 4.0, 3.0] * 10)\n"
        "print(len(model.predict(3)))\n"
    )
    result = subprocess.run([sys.executable, "-W", "ignore", str(script)], capture_output=True, text=True, timeout=120)
    assert (result.stdout, result.stderr) == ("3\n", "")
