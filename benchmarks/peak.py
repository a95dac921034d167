"""Peak memory of one training step, measured in a separate process for each contestant. Linux only.

The kernel records the highest resident set size of a process (VmHWM); writing 5 to /proc/self/clear_refs resets it to
the current size. A small step runs first, to load libraries and start threads. The peak includes everything above input
and weights: output, tensors saved for the backward pass, gradients, workspaces.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import torch

from benchmarks.contestants import Problem, gatewise_contestants, torch_contestants
from benchmarks.shapes import Shape, Task
from benchmarks.timing import TOLERANCE, Contestant

NAMES = ("torch.nn", "Gatewise")
WARM_UP_STEPS = 8


class Peak(NamedTuple):
    """Memory of a training step above input and weights, and the sums of the absolute values of its outputs."""

    bytes: int
    sums: dict[str, float]

    def planes(self, shape: Shape) -> float:
        """The memory in planes of T * B * H floats, the size of the output."""
        return self.bytes / (4 * shape.T * shape.B * shape.H)


def available() -> bool:
    return Path("/proc/self/clear_refs").exists()


def compare(task: Task, engine: str, threads: int) -> dict[str, Peak]:
    """The peaks by contestant.

    Raises:
        ValueError: the outputs differ.
    """
    peaks = {name: in_subprocess(name, task, engine, threads) for name in NAMES}
    first, *others = peaks.values()
    for other in others:
        for name, expected in first.sums.items():
            if not abs(other.sums[name] - expected) <= TOLERANCE * abs(expected):
                raise ValueError(f"the sum of {name} is {other.sums[name]:.7g}, expected {expected:.7g}")
    return peaks


def in_subprocess(name: str, task: Task, engine: str, threads: int) -> Peak:
    """The peak of one contestant, measured in a separate process."""
    command = [sys.executable, "-m", "benchmarks.peak", name, task.cell, engine, threads, *task.shape]
    completed = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if completed.returncode:
        last = (completed.stderr.strip().splitlines() or [f"exit status {completed.returncode}"])[-1]
        raise ValueError(f"{name}: {last}")
    return Peak(**json.loads(completed.stdout))


def measure(name: str, task: Task, engine: str) -> Peak:
    """The peak of one contestant in this process."""
    contestant(name, task._replace(shape=task.shape._replace(T=WARM_UP_STEPS)), engine).call()
    step = contestant(name, task, engine)
    reset_peak()
    before = status("VmRSS")
    step.call()
    peak = status("VmHWM") - before
    return Peak(peak, {key: tensor.double().abs().sum().item() for key, tensor in step.outputs().items()})


def contestant(name: str, task: Task, engine: str) -> Contestant:
    problem = Problem(task._replace(mode="train"))
    return (torch_contestants(problem) if name == "torch.nn" else gatewise_contestants(problem, engine))[0]


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def status(field: str) -> int:
    """A memory field of the status of this process, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise ValueError(f"/proc/self/status has no {field}")


def main(arguments: list[str]) -> None:
    name, cell, engine, threads, *sizes = arguments
    torch.set_num_threads(int(threads))
    peak = measure(name, Task(cell, "memory", Shape(*map(int, sizes))), engine)
    print(json.dumps(peak._asdict()))


if __name__ == "__main__":
    main(sys.argv[1:])
