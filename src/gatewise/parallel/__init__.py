"""Trainings side by side, each on one thread: in worker processes, or in threads where processes cannot be forked.

A worker process is a fork of this process. It shares the memory of the parent (a page is copied only when it is
written), it starts within milliseconds, and the script needs no `if __name__ == "__main__"`. Only the result of its
task is sent back. Threads gain much less (docs/performance.md), because Python holds its global lock between torch's
operations. They are used on macOS and Windows, where a fork is unsafe or does not exist, and with a GPU, because
torch's autograd does not survive a fork then.

The results do not depend on the number of workers: each task draws random numbers of its own, and runs on one thread,
or on more with sums in the order of one thread, when there are fewer tasks than cores (`threads.sharing`).

    schedule.py    run, run_all: which task runs when, errors, progress
    workers.py     processes, threads and this process as workers
    cores.py       how many tasks run at a time
"""

from gatewise.parallel.cores import default_jobs, usable_jobs
from gatewise.parallel.schedule import Steps, run, run_all
from gatewise.parallel.workers import Report, Task, WorkerError, meanwhile, silent

__all__ = [
    "Report",
    "Steps",
    "Task",
    "WorkerError",
    "default_jobs",
    "meanwhile",
    "run",
    "run_all",
    "silent",
    "usable_jobs",
]
