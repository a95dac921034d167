"""Thread counts: set for the time of a call, restored whatever ends it, and limited by affinity and quotas."""

import os
import threading

import numpy as np
import pytest
import torch

from gatewise import Classifier, Forecaster, nn, threads
from gatewise.engines import divides_work, native, use_engine
from gatewise.threads import cores, fixed_order, following_work, limited, native_threads, sharing
from gatewise.training import fit
from tests.waves import SMALL, wave


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(threads, "cores", lambda: 2)
    torch.set_num_threads(2)


class Spy(torch.nn.Module):
    """Records the thread counts of its calls."""

    def __init__(self, weights=1):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(weights))
        self.seen = []

    def forward(self, x):
        self.seen.append((torch.get_num_threads(), native_threads()))
        return x * self.weight.mean()


def test_small_work_runs_on_one_thread_and_large_work_on_the_engines_threads():
    with limited(threads.SMALL - 1):
        assert (torch.get_num_threads(), native_threads()) == (1, 1)
        with limited(threads.SMALL):
            assert (torch.get_num_threads(), native_threads()) == (1, 1)  # an inner limit does not lift an outer one
    with limited(threads.SMALL):
        assert (torch.get_num_threads(), native_threads()) == (1, 2)
    assert (torch.get_num_threads(), native_threads()) == (2, 2)


def test_other_engines_keep_torchs_threads_for_large_work():
    with limited(threads.SMALL, divides_work=False):
        assert (torch.get_num_threads(), native_threads()) == (2, 2)
        with limited(0, divides_work=False):
            assert (torch.get_num_threads(), native_threads()) == (1, 1)
    assert divides_work("auto") == divides_work("native") == native.available()
    assert not divides_work("aten")
    with use_engine("reference"):
        assert not divides_work("auto")


def test_large_work_uses_a_share_of_the_cores_at_each_scan(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 4)
    counts = iter([2, 8, 0])
    with sharing(lambda: next(counts)):
        assert (torch.get_num_threads(), native_threads(), fixed_order()) == (1, 1, True)
        with limited(threads.SMALL - 1):
            assert native_threads() == 1
        with limited(threads.SMALL):
            assert [native_threads() for _ in range(3)] == [2, 4, 1]
    assert (torch.get_num_threads(), native_threads(), fixed_order()) == (2, 2, False)


def test_counts_are_restored_after_an_error():
    with pytest.raises(KeyboardInterrupt), limited(0):
        raise KeyboardInterrupt
    assert (torch.get_num_threads(), native_threads()) == (2, 2)


def test_the_native_engine_uses_no_more_threads_than_the_quota(monkeypatch):
    torch.set_num_threads(4)
    with limited(threads.SMALL):
        assert native_threads() == 2


def test_a_thread_that_starts_beside_a_limited_one_does_not_stay_limited():
    seen, entered, left = [], threading.Event(), threading.Event()

    def other():
        with limited(0):
            entered.set()
            left.wait()
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=other)
    with limited(0):
        thread.start()
        entered.wait()
    left.set()
    thread.join()
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert seen == [2, 2]
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("rows", "expected"), [(10, (1, 1)), (1000, (2, 2))])
def test_fit_follows_the_work_of_each_batch(rows, expected):
    spy = Spy(weights=int(threads.SMALL / 100))
    x = torch.ones(rows, 1)
    fit(spy, [(x, x)], held_out=[(x, x)], epochs=2, lr=1e-12)
    assert spy.seen == [expected] * 4
    assert (torch.get_num_threads(), native_threads()) == (2, 2)


def test_fit_restores_the_counts_after_an_error():
    def stop(epoch, history):
        raise KeyboardInterrupt

    x = torch.ones(3, 1)
    with pytest.raises(KeyboardInterrupt):
        fit(Spy(), [(x, x)], epochs=1, on_epoch=stop)
    assert (torch.get_num_threads(), native_threads()) == (2, 2)


def test_fit_leaves_batches_of_unknown_kinds_alone():
    with following_work(Spy()) as follow:
        follow({"x": 1})
        assert (torch.get_num_threads(), native_threads()) == (2, 2)
        follow((torch.zeros(2, 3), None))
        assert (torch.get_num_threads(), native_threads()) == (1, 1)
        follow(object())
        assert (torch.get_num_threads(), native_threads()) == (2, 2)


def test_estimators_restore_the_counts(monkeypatch):
    seen = []
    forward = nn.LSTM.forward
    monkeypatch.setattr(
        nn.LSTM, "forward", lambda *args, **options: seen.append(torch.get_num_threads()) or forward(*args, **options)
    )
    Forecaster(**SMALL, jobs=1).fit(wave()).predict(5)
    x = np.random.default_rng(0).normal(size=(20, 5))
    Classifier(hidden_size=4, epochs=1).fit(x, np.arange(20) % 2).predict(x)
    assert set(seen) == {1}
    assert (torch.get_num_threads(), native_threads()) == (2, 2)


# ------------------------------------------------------------------------------------------------- cores


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Control groups in a folder: write(group, file=content), and the lines of /proc/self/cgroup."""
    monkeypatch.undo()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    monkeypatch.setattr(threads, "CGROUPS", tmp_path)
    monkeypatch.setattr(threads, "MEMBERSHIP", tmp_path / "membership")

    def write(membership, **files):
        (tmp_path / "membership").write_text(membership)
        for path, content in files.items():
            file = tmp_path / path.replace("__", "/").replace("cpu_max", "cpu.max").replace("cpu_cfs", "cpu.cfs")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)

    return write


def test_without_quota_the_affinity_counts(groups, monkeypatch):
    groups("0::/\n")
    assert cores() == 64
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert cores() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert cores() == 64


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a__b__cpu_max": "150000 100000"}, 2),
        ({"a__b__cpu_max": "max 100000"}, 64),
        ({"a__b__cpu_max": "max 100000", "a__cpu_max": "400000 100000"}, 4),
        ({"cpu_max": "50000 100000"}, 1),
        ({"a__b__cpu_max": "nonsense"}, 64),
    ],
)
def test_the_lowest_quota_of_version_2_counts(groups, files, expected):
    groups("0::/a/b\n", **files)
    assert cores() == expected


def test_a_quota_of_version_1_counts(groups):
    quota = {"cpu__docker__cpu_cfs_quota_us": "250000\n", "cpu__docker__cpu_cfs_period_us": "100000\n"}
    groups("3:memory:/docker\n1:cpu,cpuacct:/docker\n", **quota)
    assert cores() == 3
    groups("1:cpu:/docker\n", cpu__docker__cpu_cfs_quota_us="-1", cpu__docker__cpu_cfs_period_us="100000")
    assert cores() == 64
