"""Peak memory of one training step, each contestant in a fresh process, which runs this file. Linux only.

The kernel keeps a process's highest resident set (VmHWM); writing 5 to /proc/self/clear_refs sets it back to the
current one. A small step goes first, so that libraries are loaded and threads started. What is counted is everything
above input and weights: output, what is kept for the backward pass, gradients, workspaces.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import torch

from benchmarks.contestants import Problem, our_contestants, torch_contestants
from benchmarks.shapes import Shape, Task
from benchmarks.timing import TOLERANCE, Contestant

NAMES = ("torch.nn", "Gatewise")
WARM_UP_STEPS = 8


class Peak(NamedTuple):
    """What one training step takes above input and weights, and sums over the absolute values of its answer."""

    bytes: int
    answer: dict[str, float]

    def planes(self, shape: Shape) -> float:
        """The same in planes of T * B * H floats, the size of the output."""
        return self.bytes / (4 * shape.T * shape.B * shape.H)


def available() -> bool:
    return Path("/proc/self/clear_refs").exists()


def compare(task: Task, engine: str, threads: int) -> dict[str, Peak]:
    """The peaks by contestant.

    Raises:
        ValueError: the answers do not agree.
    """
    peaks = {name: in_a_process(name, task, engine, threads) for name in NAMES}
    first, *others = peaks.values()
    for other in others:
        for name, expected in first.answer.items():
            if not abs(other.answer[name] - expected) <= TOLERANCE * abs(expected):
                raise ValueError(f"the sum of {name} is {other.answer[name]:.7g}, expected {expected:.7g}")
    return peaks


def in_a_process(name: str, task: Task, engine: str, threads: int) -> Peak:
    """The peak of one contestant, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.peak", name, task.cell, engine, threads, *task.shape]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ValueError(f"{name}: {last}")
    return Peak(**json.loads(done.stdout))


def here(name: str, task: Task, engine: str) -> Peak:
    """The peak of one contestant in this process."""
    contestant(name, task._replace(shape=task.shape._replace(T=WARM_UP_STEPS)), engine).call()
    step = contestant(name, task, engine)
    reset_peak()
    before = status("VmRSS")
    step.call()
    peak = status("VmHWM") - before
    return Peak(peak, {key: one.double().abs().sum().item() for key, one in step.answer().items()})


def contestant(name: str, task: Task, engine: str) -> Contestant:
    problem = Problem(task._replace(mode="train"))
    return (torch_contestants(problem) if name == "torch.nn" else our_contestants(problem, engine))[0]


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def status(field: str) -> int:
    """A field of this process's status that is in kB, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise ValueError(f"/proc/self/status has no {field}")


def main(arguments: list[str]) -> None:
    name, cell, engine, threads, *sizes = arguments
    torch.set_num_threads(int(threads))
    peak = here(name, Task(cell, "memory", Shape(*map(int, sizes))), engine)
    print(json.dumps(peak._asdict()))


if __name__ == "__main__":
    main(sys.argv[1:])
