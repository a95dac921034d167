"""Results as Markdown and as JSON: times, ratios, and whether they meet the floors.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size.
"""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from benchmarks.peak import Peak
from benchmarks.shapes import CEILING_B, CEILING_FLOORS, CEILING_H, CELLS, FLOORS, LAYER_MODES, Task
from benchmarks.timing import Timing

TITLES = {
    "train": "training step",
    "infer": "inference",
    "packed-train": "training step on packed sequences",
    "packed-infer": "inference on packed sequences",
    "step": "one step of streaming",
    "memory": "memory",
}
UNSTEADY = 0.2  # interquartile range of the blocks, relative to their median
NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}


class Result(NamedTuple):
    """The result of one task: the times if the outputs agree, otherwise the message about the difference."""

    task: Task
    times: dict[str, Timing]
    operations: int = 0
    error: str | None = None
    peaks: dict[str, Peak] = {}  # noqa: RUF012  (never changed)

    @property
    def seconds(self) -> float:
        """Seconds of Gatewise, for single steps those of the fastest variant."""
        return min(timing.seconds for name, timing in self.times.items() if name.startswith("Gatewise"))

    @property
    def to_torch(self) -> float:
        """Speed-up over torch.nn."""
        return self.times["torch.nn"].seconds / self.seconds

    @property
    def to_best(self) -> float:
        """Speed-up over the fastest other contestant."""
        return (
            min(timing.seconds for name, timing in self.times.items() if not name.startswith("Gatewise")) / self.seconds
        )

    @property
    def rate(self) -> float:
        """GF/s of Gatewise."""
        return self.operations / self.seconds / 1e9


def geometric_mean(ratios: Iterable[float]) -> float:
    logs = [math.log(ratio) for ratio in ratios]
    return math.exp(math.fsum(logs) / len(logs))


def markdown(results: list[Result], machine: dict[str, str], ceiling: float | None) -> str:
    """The whole report."""
    parts = ["# Comparison of layers", "\n".join(f"- {name}: {value}" for name, value in machine.items())]
    if failed := [result for result in results if result.error]:
        parts.append(
            "**Outputs differ:**\n\n" + "\n".join(f"- {label(result.task)}: {result.error}" for result in failed)
        )
    timed = [result for result in results if result.times]
    tables = [(mode, cell, select(timed, mode, cell)) for mode in (*LAYER_MODES, "step") for cell in CELLS]
    tables = [entry for entry in tables if entry[2]]
    if tables:
        parts.append(summary(tables, ceiling))
        parts.append(
            f"A time with a ~ is unsteady: the interquartile range of its blocks is above {UNSTEADY:.0%} of the median."
        )
    if ceiling and any(result.rate > ceiling for result in timed):
        parts.append(
            "**Gatewise exceeds the ceiling: the ceiling was measured too low, and its fractions are invalid.**"
        )
    for mode, cell, selected in tables:
        parts += [f"## {NAMES[cell]}, {TITLES[mode]}", table(selected, ceiling)]
    if peaks := [result for result in results if result.peaks]:
        parts += ["## Peak memory of a training step, above input and weights", memory_table(peaks)]
    return "\n\n".join(parts) + "\n"


def label(task: Task) -> str:
    return f"{NAMES[task.cell]}, {TITLES[task.mode]}, {task.shape}"


def select(results: list[Result], mode: str, cell: str) -> list[Result]:
    return [result for result in results if (result.task.mode, result.task.cell) == (mode, cell)]


def summary(tables: list[tuple[str, str, list[Result]]], ceiling: float | None) -> str:
    """A row for each table: geometric mean and minimum of the speed-up over torch.nn, with the floors."""
    head = [
        "",
        "shapes",
        "geometric mean to torch.nn",
        "floor",
        "minimum to torch.nn",
        "floor",
        "geometric mean to best",
    ]
    rows = []
    for mode, cell, results in tables:
        ratios = [result.to_torch for result in results]
        mean, minimum = geometric_mean(ratios), min(ratios)
        mean_floor, minimum_floor = FLOORS[cell, mode]
        best = geometric_mean(result.to_best for result in results)
        row = [f"{NAMES[cell]}, {TITLES[mode]}", str(len(results)), f"{mean:.2f}", met(mean, mean_floor)]
        row += [
            f"{minimum:.2f} at {min(results, key=lambda result: result.to_torch).task.shape}",
            met(minimum, minimum_floor),
        ]
        row += [f"{best:.2f}"]
        if ceiling:
            row.append(lowest_fraction(results, mode, ceiling))
        rows.append(row)
    if ceiling:
        head.append(f"least fraction of ceiling, H ≥ {CEILING_H}, B ≥ {CEILING_B}")
    return lines(head, rows)


def met(value: float, floor: float) -> str:
    return f"{floor:g}: {'met' if value >= floor else '**not met**'}"


def lowest_fraction(results: list[Result], mode: str, ceiling: float) -> str:
    """The lowest fraction of the ceiling among large shapes, and whether it meets the floor."""
    large = [result for result in results if result.task.shape.H >= CEILING_H and result.task.shape.B >= CEILING_B]
    if mode not in CEILING_FLOORS or not large:
        return ""
    worst = min(large, key=lambda result: result.rate)
    fraction, floor = worst.rate / ceiling, CEILING_FLOORS[mode]
    verdict = "met" if fraction >= floor else "**not met**"
    return f"{fraction:.0%} at {worst.task.shape}, {floor:.0%}: {verdict}"


def table(results: list[Result], ceiling: float | None) -> str:
    """A row for each shape: times by contestant, ratios, and the rate of Gatewise."""
    names = list(dict.fromkeys(name for result in results for name in result.times))
    unit, scale = ("µs", 1e6) if results[0].task.mode == "step" else ("ms", 1e3)
    head = ["T×B×I×H", *(f"{name}, {unit}" for name in names), "to torch.nn", "to best", "GF/s"]
    rows = []
    for result in results:
        times = [format_time(result.times[name], scale) if name in result.times else "" for name in names]
        row = [str(result.task.shape), *times, f"{result.to_torch:.2f}", f"{result.to_best:.2f}", f"{result.rate:.3g}"]
        rows.append(row + ([f"{result.rate / ceiling:.0%}"] if ceiling else []))
    return lines(head + (["of ceiling"] if ceiling else []), rows)


def format_time(timing: Timing, scale: float) -> str:
    """A time, marked if its blocks differ much."""
    return significant(timing.seconds * scale) + "~" * (timing.spread > UNSTEADY)


def significant(value: float) -> str:
    """The value with three significant digits, or all digits before the point."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value > 0 else "0"


def memory_table(results: list[Result]) -> str:
    head = ["", "contestant", "MiB", "planes of T×B×H floats"]
    rows = [
        [
            f"{NAMES[result.task.cell]} {result.task.shape}",
            name,
            f"{peak.bytes / 2**20:.0f}",
            f"{peak.planes(result.task.shape):.1f}",
        ]
        for result in results
        for name, peak in result.peaks.items()
    ]
    return lines(head, rows)


def lines(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; its first column is text, the others are right-aligned."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def as_json(results: list[Result], machine: dict[str, str], ceiling: float | None) -> dict[str, Any]:
    """All measurements: seconds of a call, interquartile range relative to them, number of timed calls."""
    return {
        "machine": machine,
        "ceiling_gflops": ceiling,
        "results": [
            {
                "cell": result.task.cell,
                "mode": result.task.mode,
                "shape": result.task.shape._asdict(),
                "operations": result.operations,
                "times": {name: timing._asdict() for name, timing in result.times.items()},
                "to_torch": result.to_torch if result.times else None,
                "to_best": result.to_best if result.times else None,
                "peak_bytes": {name: peak.bytes for name, peak in result.peaks.items()},
                "wrong": result.error,
            }
            for result in results
        ],
    }
