"""Time the library on an idle machine, and beside other work: as many busy processes as cores.

    python -m benchmarks.busy [--only demo fit ...] [--repeats 5]
    python -m benchmarks.busy --before ../other/src    # another source tree is timed in turn
    python -m benchmarks.busy --write                  # the table goes into docs/performance.md

Each run is a new process with the default number of threads. The conditions of a task take turns: alone or beside the
busy processes; the other source tree; this one with one job and, by default, with one job for each core. The table has
the median wall and CPU seconds. CPU seconds are those of the process with its ended child processes. The results of all
runs of this tree are compared, byte for byte, before anything is printed.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import gatewise as gw
from benchmarks import machine, scale
from benchmarks.report import lines, significant
from gatewise.persistence import atomic

REPOSITORY = Path(__file__).parent.parent
SRC, PAGE = REPOSITORY / "src", REPOSITORY / "docs" / "performance.md"
LOOP = "import os, sys; print(flush=True)\nwhile os.getppid() == int(sys.argv[1]): sum(range(100_000))"
THREADS = {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"}  # unset for the runs: they use the defaults
SERIES, POINTS, HORIZON = 10_000, 100, 12
TRAINING, SEQUENCES, STEPS = 200, 1_000, 427
ALONE, BUSY = LOADS = ("alone", "busy")
BEFORE = "before"


class Version(NamedTuple):
    """A source tree, and its number of jobs; None for the default."""

    name: str
    src: Path
    jobs: int | None = None


class Run(NamedTuple):
    """Seconds of one run, and the digest of its results."""

    wall: float
    cpu: float
    digest: str


Runs = dict[tuple[str, str], list[Run]]  # version and load -> runs
Call = tuple[Callable[[], Any], Callable[[Any], bytes]]  # the call that is timed, and its results as bytes


def fit(**options: Any) -> Call:
    """Fit a forecaster to one series."""
    model, air = gw.Forecaster(**options), gw.datasets.air_passengers()
    return lambda: model.fit(air), lambda fitted: as_csv(fitted.predict(HORIZON))


def predict(**options: Any) -> Call:
    """Forecast many series."""
    small: dict[str, Any] = {"strategy": "segment", "hidden_size": 16, "max_steps": 40, "dropout": 0.0}
    model = gw.Forecaster(**small, horizon=HORIZON, ensemble_size=1, **options).fit(scale.table(SERIES, POINTS))
    return lambda: model.predict(HORIZON), as_csv


def classify_fit() -> Call:
    """Fit a classifier."""
    model, (x, y) = gw.Classifier(), walks(TRAINING)
    return lambda: model.fit(x, y), lambda fitted: bytes(fitted.predict_proba(x).tobytes())


def classify_predict() -> Call:
    """Predict the classes of many sequences."""
    model, (x, _) = gw.Classifier(epochs=2).fit(*walks(TRAINING)), walks(SEQUENCES)
    return lambda: model.predict(x), lambda classes: repr(classes.tolist()).encode()


def walks(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random walks (N, T) that drift up or down, and their directions (N,)."""
    generator, y = np.random.default_rng(0), np.arange(count) % 2
    return np.cumsum(0.2 * y[:, None] - 0.1 + generator.normal(size=(count, STEPS)), axis=1), y


def as_csv(forecast: pd.DataFrame) -> bytes:
    return str(forecast.to_csv(index=False)).encode()


CALLS: tuple[Callable[..., Call], ...] = (fit, predict, classify_fit, classify_predict)
INSIDE = {call.__name__.replace("_", "-"): call for call in CALLS}
TASKS = ("demo", *INSIDE, "lstm_on_a_trend")
WITH_JOBS = {"demo", "fit", "predict"}


def run_here(task: str, jobs: int | None) -> Run:
    """Run a task in this process; only its call is timed."""
    call, content = INSIDE[task](**{} if jobs is None else {"jobs": jobs})
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    cpu = cpu_seconds(*who)
    result, wall = scale.timed(call)
    return Run(wall, cpu_seconds(*who) - cpu, hashlib.sha256(content(result)).hexdigest())


def cpu_seconds(*who: int) -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))


@contextlib.contextmanager
def busy_processes(count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Endless loops in other processes. They end with the block, or with this process."""
    command, processes = [sys.executable, "-c", LOOP, str(os.getpid())], []
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()  # the loop starts
        yield processes


def command_of(task: str, version: Version, folder: Path) -> list[str]:
    """The arguments of Python that run a task, which writes files only in the folder."""
    jobs = [] if version.jobs is None else [f"--jobs={version.jobs}"]
    if task == "demo":
        files = [f"--out={folder / 'forecast.csv'}", f"--plot={folder / 'forecast.png'}"]
        return ["-m", "gatewise", "forecast", "--horizon=24", *files, "--quiet", *jobs]
    if task == "lstm_on_a_trend":
        return [str(version.src.parent / "examples" / "lstm_on_a_trend.py"), "--quiet", f"--out={folder}"]
    return ["-m", "benchmarks.busy", f"--here={task}", *jobs]


def python(arguments: list[str], src: Path, name: str) -> str:
    """The output of Python with the library in `src`."""
    env = {key: value for key, value in os.environ.items() if key not in THREADS}
    env["PYTHONPATH"] = os.pathsep.join([str(src), *filter(None, [env.get("PYTHONPATH")])])
    completed = subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, env=env, capture_output=True, text=True)
    if completed.returncode:
        raise SystemExit(f"{name} failed with exit status {completed.returncode}:\n{completed.stderr}")
    return completed.stdout


def check_source(version: Version) -> None:
    """Raise an error if Python takes the library from another folder, for example from an installation."""
    file = python(["-c", "import gatewise; print(gatewise.__file__)"], version.src, version.name).strip()
    if version.src.resolve() not in Path(file).resolve().parents:
        raise SystemExit(f"{version.name}: the library comes from {file}, expected from {version.src}")


def run(task: str, version: Version, name: str) -> Run:
    """Run a task in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        arguments, cpu = command_of(task, version, Path(folder)), cpu_seconds(resource.RUSAGE_CHILDREN)
        output, wall = scale.timed(lambda: python(arguments, version.src, name))
        cpu = cpu_seconds(resource.RUSAGE_CHILDREN) - cpu
        if task in INSIDE:
            return Run(**json.loads(output))
        files = b"".join(file.name.encode() + file.read_bytes() for file in sorted(Path(folder).iterdir()))
        return Run(wall, cpu, hashlib.sha256(files).hexdigest())


def measure(task: str, versions: list[Version], repeats: int) -> Runs:
    """The runs of a task under each condition; the conditions take turns."""
    conditions = [(version, load) for version in versions for load in LOADS]
    runs: Runs = {(version.name, load): [] for version, load in conditions}
    for number in range(repeats):
        for version, load in conditions if number % 2 else reversed(conditions):
            name = f"{task} ({version.name}, {load})"
            with busy_processes(machine.cores() if load == BUSY else 0):
                others = machine.OtherProcesses()
                result, used = run(task, version, name), others.cores()  # in this order
            runs[version.name, load].append(result)
            rest = "" if used is None else f"; other processes used {used:.1f} cores"
            print(f"{name}, {number + 1}/{repeats}: {result.wall:.3g} s{rest}", file=sys.stderr, flush=True)
    return runs


def check_results(task: str, runs: Runs) -> None:
    """Raise an error if the runs of this tree have different results."""
    digests = {key: {run.digest for run in several} for key, several in runs.items() if key[0] != BEFORE}
    if len(set().union(*digests.values())) > 1:
        found = (f"{version}, {load}: {' '.join(sorted(each))}" for (version, load), each in digests.items())
        raise SystemExit("\n".join([f"the results of {task} differ; their digests are", *found]))


def table(measurements: dict[str, Runs]) -> str:
    """A row for each task and version: median seconds under both loads, and their ratio."""
    head = ["task", "version", "alone, s", "busy, s", "busy / alone", "alone, CPU s", "busy, CPU s"]
    rows = []
    for task, runs in measurements.items():
        for version in dict.fromkeys(version for version, _ in runs):
            alone, busy = (statistics.median(run.wall for run in runs[version, load]) for load in LOADS)
            cpu = [statistics.median(run.cpu for run in runs[version, load]) for load in LOADS]
            rows.append([task, version, *map(significant, (alone, busy, busy / alone, *cpu))])
    return lines(head, rows)


def replaced(page: str, text: str) -> str:
    """The page with another text between its two markers."""
    result, count = re.subn(r"(?s)(<!-- busy -->\n).*?(\n<!-- /busy -->)", lambda m: f"{m[1]}\n{text}\n{m[2]}", page)
    if count != 1:
        raise ValueError(f"the page has {count} parts between <!-- busy --> and <!-- /busy -->, expected one")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=TASKS, default=TASKS, metavar="NAME", help=", ".join(TASKS))
    parser.add_argument("--repeats", type=int, default=5, help="runs under each condition")
    parser.add_argument("--before", type=Path, metavar="SRC", help="folder src of another checkout, timed in turn")
    parser.add_argument("--write", action="store_true", help="replace the table in docs/performance.md")
    parser.add_argument("--here", choices=INSIDE, help="run one task in this process and print its seconds as JSON")
    parser.add_argument("--jobs", type=int, help="number of jobs, for --here")
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(run_here(arguments.here, arguments.jobs)._asdict()))
        return
    if arguments.repeats < 1:
        parser.error(f"--repeats is {arguments.repeats}, expected at least 1")
    before = [Version(BEFORE, arguments.before.resolve())] if arguments.before else []
    now, with_jobs = [Version("now", SRC)], [Version("now, 1 job", SRC, 1), Version("now, all jobs", SRC)]
    for version in (*before, *now):
        check_source(version)
    measurements: dict[str, Runs] = {}
    for task in arguments.only:
        versions = [*before, *(with_jobs if task in WITH_JOBS else now)]
        measurements[task] = measure(task, versions, arguments.repeats)
        check_results(task, measurements[task])
    if arguments.write:
        atomic.write(PAGE, replaced(PAGE.read_text(encoding="utf-8"), table(measurements)).encode())
    else:
        print(table(measurements))


if __name__ == "__main__":
    main()
