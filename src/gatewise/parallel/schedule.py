"""The schedule: which task runs when.

Work that consists of several stages is a generator. It yields the tasks that can run side by side, and receives their
results. Several generators share the workers, so that a stage with few tasks leaves no worker idle.
"""

from collections import deque
from collections.abc import Generator, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

from gatewise.parallel.cores import usable_jobs
from gatewise.parallel.workers import Event, Inline, Key, Processes, Task, Threads, can_fork
from gatewise.training import TaskProgress

Result = TypeVar("Result")


Steps: TypeAlias = Generator[Sequence[Task[Any]], list[Any], Result]


def run(
    tasks: Sequence[Task[Result]], jobs: int | None = None, *, description: str = "", quiet: bool = True
) -> list[Result]:
    """Run tasks side by side, and return their results in order; see `run_all`.

    >>> run([lambda report: 1, lambda report: 2], jobs=2)
    [1, 2]
    """

    def steps() -> Steps[list[Result]]:
        return (yield tasks)

    return run_all([steps()], jobs, total=len(tasks), description=description, quiet=quiet)[0]


def run_all(
    generators: Sequence[Steps[Result]],
    jobs: int | None = None,
    *,
    total: int,
    description: str = "",
    quiet: bool = True,
) -> list[Result]:
    """Run generators of tasks side by side, and return what they return, in order.

    Each task runs on one thread. Large work of the native engine uses more when cores are free, and so does a single
    task of a single generator.

    Arguments:
        generators: each yields lists of tasks and receives lists of results. It starts when a worker is free.
        jobs: tasks at a time; by default `default_jobs()`.
        total: number of all tasks, for the progress.
        description: name of the tasks in the progress.
        quiet: False shows the progress of all tasks together.

    Raises:
        WorkerError: a worker process ended without a result.
        The error of a task or a generator; if several fail, that of the first one in order.
    """
    return _Schedule(generators, usable_jobs(jobs), TaskProgress(description, total, quiet)).run()


class _Schedule:
    """Generators in progress. The key of a task: the positions of its generator, of its stage, and in the stage."""

    def __init__(self, generators: Sequence[Steps[Any]], jobs: int, progress: TaskProgress) -> None:
        self.generators, self.jobs, self.progress = generators, jobs, progress
        self.started = 0  # generators
        self.waiting: deque[tuple[Key, Task[Any]]] = deque()
        self.results: dict[Key, list[Any]] = {}  # of the current stage of each generator: tuples, or None
        self.returned: dict[int, Any] = {}
        self.errors: dict[Key, BaseException] = {}
        self.workers: Inline | Processes | Threads = Inline(self._handle)
        if jobs > 1:
            self.workers = Processes(jobs) if can_fork() else Threads()

    def run(self) -> list[Any]:
        """Run all generators to their ends."""
        with self.progress:
            try:
                while self._start_tasks():
                    for event in self.workers.events():
                        self._handle(event)
            finally:
                self.workers.close()
                for generator in self.generators:
                    generator.close()
        if self.errors:
            raise self.errors[min(self.errors)]
        return [self.returned[k] for k in range(len(self.generators))]

    def _start_tasks(self) -> bool:
        """Start tasks until all workers are busy; False if nothing is left to do."""
        while len(self.workers.running) < self.jobs:
            if self.waiting:
                self._start(*self.waiting.popleft())
            elif self.started < len(self.generators) and not self.errors:
                self.started += 1
                self._advance(self.started - 1, 0, None)
            else:
                break
        return bool(self.workers.running)

    def _start(self, key: Key, task: Task[Any]) -> None:
        """Start a task. If the system has no process left, go on with those that run, or in this process."""
        try:
            self.workers.start(key, task)
        except OSError:
            self.waiting.appendleft((key, task))
            self.jobs = max(1, len(self.workers.running))
            if not self.workers.running:
                self.workers = Inline(self._handle)

    def _advance(self, generator: int, stage: int, results: list[Any] | None) -> None:
        """Send results to a generator, and queue the tasks of its next stage."""
        try:
            tasks = self.generators[generator].send(results)  # type: ignore[arg-type]  # None starts it
            while not tasks or len(tasks) == len(self.generators) == 1:  # a single task may use several threads
                results = [task(partial(self.progress.show, (generator, stage))) for task in tasks]
                stage += 1
                tasks = self.generators[generator].send(results)
        except StopIteration as end:
            self.returned[generator] = end.value
        except Exception as error:
            self._fail((generator, stage), error)
        else:
            self.results[generator, stage] = [None] * len(tasks)
            self.waiting.extend(((generator, stage, k), task) for k, task in enumerate(tasks))

    def _handle(self, event: Event) -> None:
        """Show a report, or collect a result; the last result of a stage starts the next stage."""
        *stage, place = event.key
        if self.errors and event.key > min(self.errors):
            return  # the task ended together with one whose error makes its result useless
        if event.kind == "report":
            self.progress.show(event.key, *event.content)
        elif event.kind == "error":
            self._fail(event.key, event.content[0])
        else:
            results = self.results[tuple(stage)]
            results[place] = event.content
            if None not in results:
                del self.results[tuple(stage)]
                self._advance(stage[0], stage[1] + 1, [result for (result,) in results])

    def _fail(self, key: Key, error: BaseException) -> None:
        """Record an error, and stop the tasks whose results it makes useless: those that come later in order."""
        self.errors[key] = error
        self.waiting = deque(item for item in self.waiting if item[0] < key)
        for other in [other for other in self.workers.running if other > key]:
            self.workers.stop(other)
