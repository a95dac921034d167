"""Results as Markdown and as JSON: times, ratios, what was promised and whether it is met.

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
UNSTEADY = 0.2  # the middle half of the blocks, relative to their median
NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}


class Result(NamedTuple):
    """One cell of the tables: either times, of answers that agree, or what is wrong."""

    task: Task
    times: dict[str, Timing]
    operations: int = 0
    wrong: str | None = None
    peaks: dict[str, Peak] = {}  # noqa: RUF012  (never changed)

    @property
    def ours(self) -> float:
        """Seconds of Gatewise; of its several ways to take a single step, the fastest."""
        return min(timing.seconds for name, timing in self.times.items() if name.startswith("Gatewise"))

    @property
    def to_torch(self) -> float:
        """How many times as fast as torch.nn."""
        return self.times["torch.nn"].seconds / self.ours

    @property
    def to_best(self) -> float:
        """How many times as fast as the fastest of the others."""
        return min(one.seconds for name, one in self.times.items() if not name.startswith("Gatewise")) / self.ours

    @property
    def rate(self) -> float:
        """Gatewise's GF/s."""
        return self.operations / self.ours / 1e9


def geometric_mean(ratios: Iterable[float]) -> float:
    logs = [math.log(ratio) for ratio in ratios]
    return math.exp(math.fsum(logs) / len(logs))


def markdown(results: list[Result], machine: dict[str, str], ceiling: float | None) -> str:
    """The whole report."""
    parts = ["# Layers compared", "\n".join(f"- {name}: {what}" for name, what in machine.items())]
    if wrong := [one for one in results if one.wrong]:
        parts.append("**Answers do not agree:**\n\n" + "\n".join(f"- {label(one.task)}: {one.wrong}" for one in wrong))
    timed = [one for one in results if one.times]
    tables = [(mode, cell, chosen(timed, mode, cell)) for mode in (*LAYER_MODES, "step") for cell in CELLS]
    tables = [one for one in tables if one[2]]
    if tables:
        parts.append(summary(tables, ceiling))
        parts.append(f"A time with a ~ is unsteady: the middle half of its blocks spans over {UNSTEADY:.0%} of it.")
    if ceiling and any(one.rate > ceiling for one in timed):
        parts.append("**Gatewise was faster than the ceiling: that was measured too low, its fractions mean nothing.**")
    for mode, cell, some in tables:
        parts += [f"## {NAMES[cell]}, {TITLES[mode]}", table(some, ceiling)]
    if peaks := [one for one in results if one.peaks]:
        parts += ["## Peak memory of a training step, above input and weights", memory_table(peaks)]
    return "\n\n".join(parts) + "\n"


def label(task: Task) -> str:
    return f"{NAMES[task.cell]}, {TITLES[task.mode]}, {task.shape}"


def chosen(results: list[Result], mode: str, cell: str) -> list[Result]:
    return [one for one in results if (one.task.mode, one.task.cell) == (mode, cell)]


def summary(tables: list[tuple[str, str, list[Result]]], ceiling: float | None) -> str:
    """A row for each table: the geometric mean and the minimum against torch.nn, and the floors."""
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
    for mode, cell, some in tables:
        ratios = [one.to_torch for one in some]
        mean, least = geometric_mean(ratios), min(ratios)
        mean_floor, least_floor = FLOORS[cell, mode]
        best = geometric_mean(one.to_best for one in some)
        row = [f"{NAMES[cell]}, {TITLES[mode]}", str(len(some)), f"{mean:.2f}", met(mean, mean_floor)]
        row += [f"{least:.2f} at {min(some, key=lambda one: one.to_torch).task.shape}", met(least, least_floor)]
        row += [f"{best:.2f}"]
        if ceiling:
            row.append(least_fraction(some, mode, ceiling))
        rows.append(row)
    if ceiling:
        head.append(f"least fraction of ceiling, H ≥ {CEILING_H}, B ≥ {CEILING_B}")
    return lines(head, rows)


def met(value: float, floor: float) -> str:
    return f"{floor:g}: {'met' if value >= floor else '**not met**'}"


def least_fraction(results: list[Result], mode: str, ceiling: float) -> str:
    """The lowest fraction of the ceiling among large shapes, and whether it is met."""
    large = [one for one in results if one.task.shape.H >= CEILING_H and one.task.shape.B >= CEILING_B]
    if mode not in CEILING_FLOORS or not large:
        return ""
    worst = min(large, key=lambda one: one.rate)
    fraction, floor = worst.rate / ceiling, CEILING_FLOORS[mode]
    verdict = "met" if fraction >= floor else "**not met**"
    return f"{fraction:.0%} at {worst.task.shape}, {floor:.0%}: {verdict}"


def table(results: list[Result], ceiling: float | None) -> str:
    """A row for each shape: times by contestant, ratios, and the rate of Gatewise."""
    names = list(dict.fromkeys(name for one in results for name in one.times))
    unit, scale = ("µs", 1e6) if results[0].task.mode == "step" else ("ms", 1e3)
    head = ["T×B×I×H", *(f"{name}, {unit}" for name in names), "to torch.nn", "to best", "GF/s"]
    rows = []
    for one in results:
        times = [shown(one.times[name], scale) if name in one.times else "" for name in names]
        row = [str(one.task.shape), *times, f"{one.to_torch:.2f}", f"{one.to_best:.2f}", f"{one.rate:.3g}"]
        rows.append(row + ([f"{one.rate / ceiling:.0%}"] if ceiling else []))
    return lines(head + (["of ceiling"] if ceiling else []), rows)


def shown(timing: Timing, scale: float) -> str:
    """A time, marked where its blocks differed much."""
    return significant(timing.seconds * scale) + "~" * (timing.spread > UNSTEADY)


def significant(value: float) -> str:
    """Three digits, or all of those before the point."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value > 0 else "0"


def memory_table(results: list[Result]) -> str:
    head = ["", "contestant", "MiB", "planes of T×B×H floats"]
    rows = [
        [
            f"{NAMES[one.task.cell]} {one.task.shape}",
            name,
            f"{peak.bytes / 2**20:.0f}",
            f"{peak.planes(one.task.shape):.1f}",
        ]
        for one in results
        for name, peak in one.peaks.items()
    ]
    return lines(head, rows)


def lines(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; its first column is text, the others are right-aligned."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def as_json(results: list[Result], machine: dict[str, str], ceiling: float | None) -> dict[str, Any]:
    """Everything measured: seconds for a call, the middle half of the blocks relative to it, calls timed."""
    return {
        "machine": machine,
        "ceiling_gflops": ceiling,
        "results": [
            {
                "cell": one.task.cell,
                "mode": one.task.mode,
                "shape": one.task.shape._asdict(),
                "operations": one.operations,
                "times": {name: timing._asdict() for name, timing in one.times.items()},
                "to_torch": one.to_torch if one.times else None,
                "to_best": one.to_best if one.times else None,
                "peak_bytes": {name: peak.bytes for name, peak in one.peaks.items()},
                "wrong": one.wrong,
            }
            for one in results
        ],
    }
