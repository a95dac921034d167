"""How many tasks run at a time."""

import multiprocessing
import threading

from gatewise import threads


def usable_jobs(jobs: int | None) -> int:
    """The number of tasks at a time: as requested, or the default; 1 in a worker process."""
    return 1 if _is_worker() else default_jobs() if jobs is None else int(jobs)


def default_jobs() -> int:
    """The cores that this process may use; 1 in a worker process of any pool, and outside the main thread."""
    inside = _is_worker() or threading.current_thread() is not threading.main_thread()
    return 1 if inside else threads.cores()


def _is_worker() -> bool:
    """Whether another process started this one as a worker (multiprocessing, concurrent.futures, joblib)."""
    return multiprocessing.parent_process() is not None or multiprocessing.current_process().name != "MainProcess"
