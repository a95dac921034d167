"""Compare Gatewise's layers with torch.nn and, where installed, ONNX Runtime and JAX: `python -m benchmarks.layers`.

Answers are compared before anything is timed; a task whose answers differ shows nothing but that, and makes the exit
status 1. Then the contestants take turns in one process (see `benchmarks.timing`). Everything is float32, with biases,
on the CPU. For the peers, `pip install onnx onnxruntime jax`; or into a folder, with `--target FOLDER`, and
PYTHONPATH=FOLDER.
"""

import argparse
import json
import platform
import sys
from contextlib import nullcontext
from pathlib import Path

import torch

from benchmarks import figure, in_jax, in_onnxruntime, machine, peak, report
from benchmarks.contestants import Problem, our_contestants, torch_contestants
from benchmarks.report import Result
from benchmarks.shapes import CELLS, GROUPS, LAYER_MODES, Task, operations, select
from benchmarks.timing import check_then_time
from gatewise import engines

MODES = {"packed": ("packed-train", "packed-infer"), **{mode: (mode,) for mode in (*LAYER_MODES, "step", "memory")}}
PEERS = {"onnxruntime": in_onnxruntime, "jax": in_jax}
BUSY = 0.2  # cores; from here on times are disturbed
CEILING_EVERY = 20  # tasks between two measurements of the machine's ceiling


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=(__doc__ or "").split("\n")[0])
    names = ", ".join(f"{name} ({'; '.join(dict.fromkeys(one.about for one in GROUPS[name]))})" for name in GROUPS)
    found.add_argument("--group", nargs="+", choices=GROUPS, help=f"shapes; all but large if not given: {names}")
    found.add_argument("--cell", nargs="+", choices=CELLS, default=list(CELLS), help="all if not given")
    found.add_argument("--mode", nargs="+", choices=MODES, default=list(MODES), help="all if not given")
    found.add_argument("--quick", action="store_true", help="a few shapes only")
    found.add_argument("--all", action="store_true", help="the group large too, which takes long")
    found.add_argument("--engine", default="native", help="Gatewise's engine; native if not given")
    found.add_argument("--without", nargs="+", choices=PEERS, default=[], help="peers to leave out")
    found.add_argument("--threads", type=int, default=machine.cores(), help="for everybody; all cores if not given")
    found.add_argument("--seconds", type=float, default=1.0, help="time for each task, about; 1 if not given")
    found.add_argument("--out", type=Path, default=Path("out/benchmarks"), help="folder for layers.md, .json and .png")
    found.add_argument("--quiet", action="store_true", help="no progress on stderr")
    return found


def tasks(given: argparse.Namespace) -> list[Task]:
    """What the arguments select."""
    groups = given.group or [name for name in GROUPS if name != "large" or given.all]
    modes = [mode for name in given.mode for mode in MODES[name]]
    return select(groups, given.cell, modes, given.quick)


def run(task: Task, given: argparse.Namespace, peers: list[str]) -> Result:
    """Check and time one task; what is wrong is in the result."""
    try:
        if task.mode == "memory":
            return Result(task, {}, peaks=peak.compare(task, given.engine, given.threads))
        problem = Problem(task)
        # Around all calls, not in each: entering it costs as much as a part of a small step.
        with nullcontext() if problem.trains else torch.inference_mode():
            contestants = [*torch_contestants(problem), *our_contestants(problem, given.engine)]
            contestants += [one for peer in peers for one in PEERS[peer].contestants(problem, given.threads)]
            times = check_then_time(contestants, given.seconds)
        return Result(task, times, operations(task, problem.rows))
    except (ValueError, RuntimeError) as error:
        return Result(task, {}, wrong=str(error))


def ceiling(threads: int) -> float | None:
    """The machine's rate of multiply-adds in GF/s; None without the native library, which measures it."""
    meter = getattr(getattr(engines, "native", None), "multiply_add_rate", None)
    try:
        return None if meter is None else float(meter(threads))
    except RuntimeError:
        return None


def compare(chosen: list[Task], given: argparse.Namespace, peers: list[str]) -> tuple[list[Result], float | None]:
    """All results, and the highest ceiling seen on the way: a disturbed measurement of it would flatter."""
    ceilings, results = [ceiling(given.threads)], []
    for number, task in enumerate(chosen, 1):
        results.append(run(task, given, peers))
        if not given.quiet:
            print(f"[{number}/{len(chosen)}] {line(results[-1])}", file=sys.stderr, flush=True)
        if number % CEILING_EVERY == 0 or number == len(chosen):
            ceilings.append(ceiling(given.threads))
    return results, max((one for one in ceilings if one), default=None)


def line(result: Result) -> str:
    """A result in one line."""
    if result.wrong:
        return f"{report.label(result.task)}: {result.wrong}"
    if result.peaks:
        sizes = [f"{name} {peak.planes(result.task.shape):.1f} planes" for name, peak in result.peaks.items()]
        return f"{report.label(result.task)}: {', '.join(sizes)}"
    times = [f"{name} {report.significant(1e3 * timing.seconds)}" for name, timing in result.times.items()]
    return f"{report.label(result.task)}: {', '.join(times)} ms, {result.to_torch:.2f} times torch.nn"


def conditions(given: argparse.Namespace, peers: list[str], rate: float | None, others: float | None) -> dict[str, str]:
    """Where and with what the numbers were measured."""
    found = {
        "Machine": f"{machine.processor()}, {machine.cores()} cores, {platform.system()}",
        "Threads": f"{given.threads}",
        "torch": torch.__version__,
        "Gatewise": f"engine {given.engine!r}",
    }
    if "onnxruntime" in peers:
        how = f"{given.threads} threads, no spinning between calls, inputs and outputs bound"
        found["ONNX Runtime"] = f"{in_onnxruntime.version()}; {how}"
    if "jax" in peers:
        found["JAX"] = f"{in_jax.version()}; NPROC={given.threads}, lax.scan, jitted, the better of two ways"
    found["Ceiling of multiply-adds"] = f"{rate:.0f} GF/s" if rate else "not measured: no native library"
    if others is not None:
        warning = "; **a busy machine: measure again**" if others > BUSY else ""
        found["Other processes"] = f"kept {others:.2f} cores busy meanwhile{warning}"
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; 1 if any answers differ."""
    found = parser()
    given = found.parse_args(arguments)
    try:
        engines.check_name(given.engine)
    except ValueError as error:
        found.error(f"{error}; pass --engine")
    chosen = tasks(given)
    if not peak.available():
        chosen = [task for task in chosen if task.mode != "memory"]
    if not chosen:
        found.error("nothing is selected; leave out --group, --cell, --mode or --quick")
    torch.set_num_threads(given.threads)
    in_jax.limit_threads(given.threads)
    peers = [name for name, module in PEERS.items() if name not in given.without and module.available()]
    others = machine.Others()
    results, rate = compare(chosen, given, peers)
    write(results, conditions(given, peers, rate, others.cores()), rate, given.out)
    return int(any(one.wrong for one in results))


def write(results: list[Result], where: dict[str, str], rate: float | None, out: Path) -> None:
    """Print the tables, and put them, the numbers and the figure into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    text = report.markdown(results, where, rate)
    print(text, end="")
    (out / "layers.md").write_text(text, encoding="utf-8")
    (out / "layers.json").write_text(json.dumps(report.as_json(results, where, rate), indent=1), encoding="utf-8")
    figure.draw(results, out / "layers.png")


if __name__ == "__main__":
    sys.exit(main())
