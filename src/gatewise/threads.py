"""Thread counts: a small network runs on one thread, a large one on several.

torch divides even small operations among all threads, and these wait for each other at the end of each operation. On an
idle machine this gains little for a small network. On a busy one, each of these waits can last for a time slice of
another program, and a training step has hundreds of them. The rule of this package:

- Work is small if a forward pass has fewer than `SMALL` multiplications.
- An estimator trains and predicts with small work on one thread. With large work, torch's operations run on one thread,
  and the native engine divides a scan among threads, as far as it has enough work for each of them
  (`native/dispatch.cpp`): a few long divisions instead of hundreds of short ones. Other engines use torch's threads.
- Several networks are trained side by side, each on one thread (`gatewise.parallel`). When fewer networks are left than
  cores, the native engine divides large work among the free cores (`sharing`), with sums in the order of one thread.
- `gatewise.training.fit` runs a small module on one thread, and leaves the threads of a large one as they are.

The thread counts of the caller are restored afterwards. Code that does not run inside an estimator is not affected.
"""

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

# Multiplications of a forward pass. For training steps of an LSTM on two cores, two threads of the native engine are
# faster than one by these factors, on an idle machine and beside two busy processes: 1.5 and 0.5 to 0.9 at 2e7, 1.8 and
# 0.8 to 0.9 at 1e8, 1.8 and 1.1 at 5e8, 1.9 and 1.4 at 2e9.
SMALL = 1e8
CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


class _Limit(threading.local):
    """What limits the threads of the native engine, for each thread of Python."""

    native = 0  # their largest number; 0 for torch's number
    share: Callable[[], int] | None = None  # see `sharing`


_limit = _Limit()
_forked = False


def _note_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_note_fork)


class _Torch:
    """torch's number of threads: each thread has its own, but a new thread takes the latest of any thread.

    So that a thread that starts while another one is limited does not stay limited, the number from outside all blocks
    is remembered.
    """

    lock, open, outside = threading.Lock(), 0, 1

    def enter(self) -> int:
        """Begin a block, and return the number to restore."""
        with self.lock:
            now = torch.get_num_threads()
            self.outside = now if not self.open else max(now, self.outside)
            self.open += 1
            return self.outside if now == 1 and not _limit.native else now

    def leave(self, number: int) -> None:
        """End a block."""
        with self.lock:
            self.open -= 1
            torch.set_num_threads(number)


_torch = _Torch()


def native_threads() -> int:
    """The largest number of threads that a scan of the native engine uses.

    That is one in a forked process, unless it is a worker: other pools of processes use all cores already.
    """
    if _limit.share and _limit.native > 1:
        return max(1, min(_limit.native, _limit.share()))
    return _limit.native or (1 if _forked else torch.get_num_threads())


def fixed_order() -> bool:
    """Whether sums run in the order of one thread, because the number of threads changes during a training."""
    return _limit.share is not None


@contextmanager
def limited(work: float, divides_work: bool = True) -> Iterator[None]:
    """Run torch on one thread, and the native engine on one thread too if the work is small.

    Arguments:
        work: multiplications of a forward pass; 0 for one thread in any case.
        divides_work: whether the native engine does the work; otherwise torch keeps its threads for large work.

    >>> before = torch.get_num_threads()
    >>> with limited(0):
    ...     torch.get_num_threads(), native_threads()
    (1, 1)
    >>> torch.get_num_threads() == before
    True
    """
    outer = _limit.native
    before = _torch.enter()
    try:
        most = outer or (1 if _forked else before)
        _limit.native = 1 if work < SMALL else cores() if _limit.share else min(most, cores())
        torch.set_num_threads(1 if divides_work else min(before, _limit.native))
        yield
    finally:
        _limit.native = outer
        _torch.leave(before)


@contextmanager
def sharing(share: Callable[[], int]) -> Iterator[None]:
    """Run on one thread, and large work of the native engine on as many threads as `share` returns at each scan.

    The results do not depend on what it returns.
    """
    with limited(0):
        _limit.share = share
        try:
            yield
        finally:
            _limit.share = None


def work(module: torch.nn.Module, rows: float) -> float:
    """About the multiplications of a forward pass: each row of the input meets each parameter once."""
    return rows * sum(parameter.numel() for parameter in module.parameters())


@contextmanager
def following_work(module: torch.nn.Module) -> Iterator[Callable[[Any], None]]:
    """A function of a batch x that sets the thread counts for it; inside `limited` it changes nothing.

    The rows of x are its elements without the last dimension.
    """
    if _limit.native:
        yield lambda x: None
        return
    before = _torch.enter()
    work_of_row = work(module, 1)

    def follow(x: Any) -> None:
        small = work_of_row * rows(x) < SMALL
        _limit.native = int(small)
        if torch.get_num_threads() != (threads := 1 if small else before):
            torch.set_num_threads(threads)

    try:
        yield follow
    finally:
        _limit.native = 0
        _torch.leave(before)


def rows(x: Any) -> float:
    """The rows of a batch, a tensor or a tuple that starts with one; infinite if there is no tensor.

    >>> rows(torch.zeros(19, 180, 2)), rows((torch.zeros(5, 2), None)), rows("unknown")
    (3420, 5, inf)
    """
    while isinstance(x, tuple | list) and x:
        x = x[0]
    if not isinstance(x, Tensor) or not x.numel():
        return math.inf
    return x.numel() // (x.shape[-1] if x.is_floating_point() and x.dim() > 1 else 1)


def cores() -> int:
    """The number of cores that this process may use.

    That is the number of cores it may run on, or its quota of CPU time (cgroups), or OMP_NUM_THREADS, whichever is
    lowest.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    requested = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    limits = [affinity, math.ceil(_quota()) if _quota() < affinity else affinity]
    return max(1, min(*limits, int(requested) if requested.isdecimal() and int(requested) else affinity))


def _quota() -> float:
    """The quota of CPU time in cores, the lowest of all control groups of this process; infinite without one."""
    try:
        groups = [line.split(":", 2) for line in MEMBERSHIP.read_text().splitlines()]
    except (OSError, ValueError):
        return math.inf
    quotas = [math.inf]
    for _, controllers, path in (group for group in groups if len(group) == 3):
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = CGROUPS / ("cpu" if controllers else "")
        folder = top / path.lstrip("/")
        quotas += [_quota_of(group) for group in (folder, *folder.parents) if group == top or top in group.parents]
    return min(quotas)


def _quota_of(group: Path) -> float:
    """The quota of one control group, of version 2 or 1; infinite if it has none."""
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota, period = ((group / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return float(quota) / float(period) if float(quota) > 0 else math.inf
    except (OSError, ValueError):  # no such file, or no quota ("max")
        return math.inf
