"""Workers: they run tasks in forked processes, in threads, or in this process.

All have the same methods: `start` a task, `events` since the last call (at least one), `stop` a task whose result is no
longer needed, `close`.
"""

import contextlib
import contextvars
import gc
import mmap
import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection
from time import perf_counter
from typing import Any, NamedTuple, Protocol, TypeVar

import torch

from gatewise import threads

Result = TypeVar("Result", covariant=True)
Report = Callable[[float, str], None]  # the fraction of the task that is done, and the latest loss
Key = tuple[int, ...]
INTERVAL = 0.1  # seconds between two reports of a worker
SECONDS_TO_END = 5  # of a worker process that has sent its result


class Task(Protocol[Result]):
    """A function of a `Report`. It must not change anything outside: a worker process has a copy."""

    def __call__(self, report: Report, /) -> Result: ...


class WorkerError(RuntimeError):
    """A worker process ended without a result."""


def silent(done: float, loss: str) -> None:
    """A report to nobody."""


class Event(NamedTuple):
    """What a task sends: a "report" (fraction, loss), a "result", or an "error"."""

    key: Key
    kind: str
    content: tuple[Any, ...]


def can_fork() -> bool:
    """Whether tasks can run in forked processes."""
    return sys.platform == "linux" and not torch.accelerator.is_available()


_postponed: list[Callable[[], object]] = []


@contextlib.contextmanager
def meanwhile(function: Callable[[], object]) -> Iterator[None]:
    """Call a function in this process while it waits for worker processes, if it does so inside the block.

    It saves time if the function prepares what is needed later, such as a slow import. It must not matter whether it
    was called.
    """
    _postponed.append(function)
    try:
        yield
    finally:
        _postponed.clear()


class Inline:
    """Runs each task in this process, when its events are asked for."""

    def __init__(self, show: Callable[[Event], None]) -> None:
        self.show = show
        self.running: dict[Key, Task[Any]] = {}

    def start(self, key: Key, task: Task[Any]) -> None:
        """Keep a task until `events`."""
        self.running[key] = task

    def events(self) -> list[Event]:
        """Run the task."""
        key, task = self.running.popitem()
        report = _at_intervals(lambda *content: self.show(Event(key, "report", content)))
        try:
            with threads.limited(0):
                return [Event(key, "result", (task(report),))]
        except Exception as error:
            return [Event(key, "error", (error,))]

    def stop(self, key: Key) -> None:
        """No task runs between two calls of `events`."""

    def close(self) -> None:
        """No task runs any more."""


class Processes:
    """Runs each task in a forked process of its own; cores without a task are shared among the tasks that run."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.running: dict[Key, tuple[Any, Any]] = {}  # the process, and the end of the pipe to receive from
        self.threads = mmap.mmap(-1, 1)  # one byte of memory shared by all processes: the threads of each task

    def start(self, key: Key, task: Task[Any]) -> None:
        """Fork a process.

        Raises:
            OSError: the system has no process or no memory left.
        """
        context = multiprocessing.get_context("fork")
        receiver, sender = context.Pipe(duplex=False)
        inherited = [receiver, *(other for _, other in self.running.values())]
        process = context.Process(target=_work, args=(task, sender, inherited, self.threads), daemon=True)
        try:
            with warnings.catch_warnings():  # of Python, about forks beside other threads; see `_work`
                warnings.simplefilter("ignore", DeprecationWarning)
                process.start()
        except OSError:
            receiver.close()
            raise
        finally:
            sender.close()
        self.running[key] = process, receiver

    def events(self) -> list[Event]:
        """Wait for events."""
        self.threads[0] = min(255, max(1, self.jobs // len(self.running)))
        while _postponed:
            _postponed.pop()()
        keys = {receiver: key for key, (_, receiver) in self.running.items()}
        return [self._event(keys[receiver]) for receiver in connection.wait(list(keys))]

    def _event(self, key: Key) -> Event:
        process, receiver = self.running[key]
        try:
            kind, *content = pickle.loads(receiver.recv_bytes())
        except (EOFError, OSError):
            process.join(SECONDS_TO_END)
            kind, content = "error", [WorkerError(_ending(process.exitcode)), ""]
        if kind == "report":
            return Event(key, kind, tuple(content))
        del self.running[key]
        receiver.close()
        process.join(SECONDS_TO_END)
        process.kill()
        process.join()
        result, extra = content
        if kind == "result":
            for warning in extra:
                warnings.warn_explicit(*warning)
        elif extra:
            result.__cause__ = WorkerError(f"in a worker process:\n{extra}")
        return Event(key, kind, (result,))

    def stop(self, key: Key) -> None:
        """Kill the process of a task."""
        process, receiver = self.running.pop(key)
        process.kill()
        receiver.close()
        process.join()

    def close(self) -> None:
        """Kill all processes that still run. A second Ctrl-C does not interrupt this."""
        with _uninterrupted():
            for process, _ in self.running.values():
                process.kill()
            for key in list(self.running):
                self.stop(key)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignore Ctrl-C; only the main thread receives it."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:  # None: not a handler of Python
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(task: Task[Any], sender: Any, inherited: Sequence[Any], shared: mmap.mmap) -> None:
    """Run a task in a forked process.

    OpenMP's threads do not exist after a fork, and a second thread would wait for them forever: torch stays on one
    thread, and the native engine starts threads of its own. Ctrl-C is left to the parent, which ends its workers. The
    inherited receiving ends are closed, because a pipe without a reader is how a worker notices that the parent has
    ended.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for receiver in inherited:
        receiver.close()
    gc.freeze()  # the collector would write to all objects, and so copy the shared memory

    def send(message: bytes) -> None:
        try:
            sender.send_bytes(message)
        except BrokenPipeError:
            os._exit(1)

    def report(*content: Any) -> None:
        send(pickle.dumps(("report", *content)))

    try:
        with threads.sharing(lambda: shared[0]), warnings.catch_warnings(record=True) as caught:
            result = task(_at_intervals(report))
        issued = [(str(one.message), one.category, one.filename, one.lineno) for one in caught]
        message = pickle.dumps(("result", result, issued))
    except BaseException as error:
        text = "".join(traceback.format_exception(error))
        message = pickle.dumps(("error", _picklable(error, text), text))
    send(message)


class Threads:
    """Runs each task in a thread of its own."""

    def __init__(self) -> None:
        self.received: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.running: dict[Key, threading.Thread] = {}
        self.stopped: set[Key] = set()

    def start(self, key: Key, task: Task[Any]) -> None:
        """Start a thread."""
        inherited = contextvars.copy_context()  # such as a block of `engines.use_engine`
        self.running[key] = threading.Thread(target=inherited.run, args=(self._work, key, task), daemon=True)
        self.running[key].start()

    def events(self) -> list[Event]:
        """Wait for an event."""
        while (event := self.received.get()).key in self.stopped:
            pass
        if event.kind != "report":
            self.running.pop(event.key).join()
        return [event]

    def stop(self, key: Key) -> None:
        """Let a task end at its next report."""
        self.stopped.add(key)
        self.running.pop(key).join()

    def close(self) -> None:
        """Let all tasks end at their next reports."""
        self.stopped.update(self.running)
        for thread in self.running.values():
            thread.join()

    def _work(self, key: Key, task: Task[Any]) -> None:
        send = _at_intervals(lambda *content: self.received.put(Event(key, "report", content)))

        def report(done: float, loss: str) -> None:
            if key in self.stopped:
                raise _StoppedError
            send(done, loss)

        try:
            with threads.limited(0):
                event = Event(key, "result", (task(report),))
        except BaseException as error:
            event = Event(key, "error", (error,))
        self.received.put(event)


class _StoppedError(BaseException):
    """Ends a task whose result is no longer needed."""


def _at_intervals(send: Report) -> Report:
    """A report that passes on a message every `INTERVAL` seconds, and the last one."""
    latest = 0.0

    def report(done: float, loss: str) -> None:
        nonlocal latest
        if done >= 1 or perf_counter() - latest >= INTERVAL:
            latest = perf_counter()
            send(done, loss)

    return report


def _picklable(error: BaseException, text: str) -> BaseException:
    """The error, or a WorkerError with its traceback if it cannot be sent."""
    with contextlib.suppress(Exception):
        if type(pickle.loads(pickle.dumps(error))) is type(error):
            return error
    return WorkerError(text)


def _ending(code: int | None) -> str:
    """The message about a process that ended with an exit code, negative for a signal."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        why = f"was ended by {name}" + (" (often for lack of memory)" if -code == signal.SIGKILL else "")
    else:
        why = f"ended with exit code {code}"
    return f"a worker process {why} before its network was trained; use fewer at a time, such as jobs=1 (--jobs 1)"
