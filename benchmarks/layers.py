"""Compare layers of Gatewise with torch.nn and, if installed, ONNX Runtime and JAX: `python -m benchmarks.layers`.

Outputs are compared before anything is timed; a task with different outputs has no times, and the exit status is 1. The
contestants take turns in one process (see `benchmarks.timing`). Everything is float32, with biases, on the CPU. To
install the peers: `pip install onnx onnxruntime jax`; or into a folder, with `--target FOLDER` and PYTHONPATH=FOLDER.
"""

import argparse
import json
import platform
import sys
from contextlib import nullcontext
from pathlib import Path

import torch

from benchmarks import figure, in_jax, in_onnxruntime, machine, peak, report
from benchmarks.contestants import Problem, gatewise_contestants, torch_contestants
from benchmarks.report import Result
from benchmarks.shapes import CELLS, GROUPS, LAYER_MODES, Task, operations, select
from benchmarks.timing import check_then_time
from gatewise import engines

MODES = {"packed": ("packed-train", "packed-infer"), **{mode: (mode,) for mode in (*LAYER_MODES, "step", "memory")}}
PEERS = {"onnxruntime": in_onnxruntime, "jax": in_jax}
BUSY = 0.2  # cores of other processes above which times are unreliable
CEILING_EVERY = 20  # tasks between two measurements of the ceiling


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=(__doc__ or "").split("\n")[0])
    names = ", ".join(f"{name} ({'; '.join(dict.fromkeys(group.about for group in GROUPS[name]))})" for name in GROUPS)
    options.add_argument("--group", nargs="+", choices=GROUPS, help=f"groups of shapes (all but large): {names}")
    options.add_argument("--cell", nargs="+", choices=CELLS, default=list(CELLS), help="cells (all)")
    options.add_argument("--mode", nargs="+", choices=MODES, default=list(MODES), help="modes (all)")
    options.add_argument("--quick", action="store_true", help="only a few shapes")
    options.add_argument("--all", action="store_true", help="also the group large, which takes long")
    options.add_argument("--engine", default="native", help="engine of Gatewise (native)")
    options.add_argument("--without", nargs="+", choices=PEERS, default=[], help="peers to skip")
    options.add_argument("--threads", type=int, default=machine.cores(), help="threads of each contestant (all cores)")
    options.add_argument("--seconds", type=float, default=1.0, help="approximate time for each task (1)")
    options.add_argument(
        "--out", type=Path, default=Path("out/benchmarks"), help="output folder for layers.md, .json and .png"
    )
    options.add_argument("--quiet", action="store_true", help="show no progress")
    return options


def tasks(arguments: argparse.Namespace) -> list[Task]:
    """The selected tasks."""
    groups = arguments.group or [name for name in GROUPS if name != "large" or arguments.all]
    modes = [mode for name in arguments.mode for mode in MODES[name]]
    return select(groups, arguments.cell, modes, arguments.quick)


def run(task: Task, arguments: argparse.Namespace, peers: list[str]) -> Result:
    """Compare and time one task; if outputs differ or an error occurs, the result contains the message."""
    try:
        if task.mode == "memory":
            return Result(task, {}, peaks=peak.compare(task, arguments.engine, arguments.threads))
        problem = Problem(task)
        # Around all calls: entering it takes a considerable part of a small step.
        with nullcontext() if problem.trains else torch.inference_mode():
            contestants = [*torch_contestants(problem), *gatewise_contestants(problem, arguments.engine)]
            contestants += [entry for peer in peers for entry in PEERS[peer].contestants(problem, arguments.threads)]
            times = check_then_time(contestants, arguments.seconds)
        return Result(task, times, operations(task, problem.rows))
    except (ValueError, RuntimeError) as error:
        return Result(task, {}, error=str(error))


def ceiling(threads: int) -> float | None:
    """The multiply-add rate of the machine in GF/s; None without the native library, which measures it."""
    meter = getattr(getattr(engines, "native", None), "multiply_add_rate", None)
    try:
        return None if meter is None else float(meter(threads))
    except RuntimeError:
        return None


def compare(selected: list[Task], arguments: argparse.Namespace, peers: list[str]) -> tuple[list[Result], float | None]:
    """All results, and the highest measured ceiling: one that other load has lowered would flatter the results."""
    ceilings, results = [ceiling(arguments.threads)], []
    for number, task in enumerate(selected, 1):
        results.append(run(task, arguments, peers))
        if not arguments.quiet:
            print(f"[{number}/{len(selected)}] {line(results[-1])}", file=sys.stderr, flush=True)
        if number % CEILING_EVERY == 0 or number == len(selected):
            ceilings.append(ceiling(arguments.threads))
    return results, max((rate for rate in ceilings if rate), default=None)


def line(result: Result) -> str:
    """The result in one line."""
    if result.error:
        return f"{report.label(result.task)}: {result.error}"
    if result.peaks:
        sizes = [f"{name} {peak.planes(result.task.shape):.1f} planes" for name, peak in result.peaks.items()]
        return f"{report.label(result.task)}: {', '.join(sizes)}"
    times = [f"{name} {report.significant(1e3 * timing.seconds)}" for name, timing in result.times.items()]
    return f"{report.label(result.task)}: {', '.join(times)} ms, {result.to_torch:.2f} times as fast as torch.nn"


def conditions(
    arguments: argparse.Namespace, peers: list[str], rate: float | None, others: float | None
) -> dict[str, str]:
    """The machine, versions and settings of the measurements."""
    values = {
        "Machine": f"{machine.processor()}, {machine.cores()} cores, {platform.system()}",
        "Threads": f"{arguments.threads}",
        "torch": torch.__version__,
        "Gatewise": f"engine {arguments.engine!r}",
    }
    if "onnxruntime" in peers:
        settings = f"{arguments.threads} threads, no spinning between calls, inputs and outputs bound"
        values["ONNX Runtime"] = f"{in_onnxruntime.version()}; {settings}"
    if "jax" in peers:
        values["JAX"] = f"{in_jax.version()}; NPROC={arguments.threads}, lax.scan, jitted, the faster of two variants"
    values["Ceiling of multiply-adds"] = f"{rate:.0f} GF/s" if rate else "not measured: no native library"
    if others is not None:
        warning = "; **the machine is busy: measure again**" if others > BUSY else ""
        values["Other processes"] = f"used {others:.2f} cores{warning}"
    return values


def main(argv: list[str] | None = None) -> int:
    """Run the comparison; returns 1 if any outputs differ."""
    options = parser()
    arguments = options.parse_args(argv)
    try:
        engines.check_name(arguments.engine)
    except ValueError as error:
        options.error(f"{error}; pass --engine")
    selected = tasks(arguments)
    if not peak.available():
        selected = [task for task in selected if task.mode != "memory"]
    if not selected:
        options.error("no task is selected; omit --group, --cell, --mode or --quick")
    torch.set_num_threads(arguments.threads)
    in_jax.limit_threads(arguments.threads)
    peers = [name for name, module in PEERS.items() if name not in arguments.without and module.available()]
    others = machine.OtherProcesses()
    results, rate = compare(selected, arguments, peers)
    write(results, conditions(arguments, peers, rate, others.cores()), rate, arguments.out)
    return int(any(result.error for result in results))


def write(results: list[Result], conditions: dict[str, str], rate: float | None, out: Path) -> None:
    """Print the tables, and write tables, numbers and figure to a folder."""
    out.mkdir(parents=True, exist_ok=True)
    text = report.markdown(results, conditions, rate)
    print(text, end="")
    (out / "layers.md").write_text(text, encoding="utf-8")
    (out / "layers.json").write_text(json.dumps(report.as_json(results, conditions, rate), indent=1), encoding="utf-8")
    figure.draw(results, out / "layers.png")


if __name__ == "__main__":
    sys.exit(main())
