"""Compare the outputs, then time the contestants: they take turns, and the median over blocks of calls counts.

Contestants take turns in one process, so that disturbances of the machine affect all of them. A turn is a block of
calls of one contestant. It starts with calls that are not measured, at least one and at least `LEAD` seconds: OpenMP
threads of the previous contestant spin for a while after its last call, and caches hold its data. Calls that take more
than `LONG` seconds have no lead-in: the effect is negligible there, and the lead-in would take half of the time.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor

TOLERANCE = 1e-4  # relative to the largest value of a tensor, in float32
LEAD, LONG = 0.002, 0.1
ROUNDS = 5
BLOCKS = 12  # intended number of rounds for short calls

Outputs = dict[str, Tensor]


class Contestant(NamedTuple):
    """An implementation of a task: `call` is timed, `outputs` gives the results by name."""

    name: str
    call: Callable[[], Any]
    outputs: Callable[[], Outputs]


class Timing(NamedTuple):
    """Seconds of a call: the median over blocks, and their interquartile range relative to it."""

    seconds: float
    spread: float
    calls: int


def mismatch(outputs: Outputs, expected: Outputs) -> str | None:
    """The first difference between outputs, as a message; None if they agree."""
    if outputs.keys() != expected.keys():
        return f"has {', '.join(outputs)}, expected {', '.join(expected)}"
    for name, reference in expected.items():
        value = outputs[name]
        if value.shape != reference.shape or value.dtype != reference.dtype:
            return f"{name} is {value.dtype} {tuple(value.shape)}, expected {reference.dtype} {tuple(reference.shape)}"
        size = reference.abs().max().item() if reference.numel() else 1.0
        difference = (value - reference).abs().max().item() if reference.numel() else 0.0
        if not difference <= TOLERANCE * (size or 1.0):  # so that NaN is a mismatch
            return f"{name} differs by up to {difference:.3g}, the largest value is {size:.3g}"
    return None


def disagreements(contestants: Sequence[Contestant]) -> list[str]:
    """The contestants whose outputs differ from those of the first, with the differences."""
    first, *others = contestants
    expected = first.outputs()
    messages = ((contestant.name, mismatch(contestant.outputs(), expected)) for contestant in others)
    return [f"{name}: {message} (expected as {first.name})" for name, message in messages if message]


def check_then_time(contestants: Sequence[Contestant], seconds: float) -> dict[str, Timing]:
    """Compare all outputs, then time the contestants.

    Raises:
        ValueError: outputs differ; nothing is timed.
    """
    if messages := disagreements(contestants):
        raise ValueError("; ".join(messages))
    return measure(contestants, seconds)


def measure(contestants: Sequence[Contestant], seconds: float) -> dict[str, Timing]:
    """The timing of each contestant, over at least `ROUNDS` rounds and about `seconds` in total."""
    estimates = [estimate(contestant.call) for contestant in contestants]
    block_seconds = seconds / len(contestants) / BLOCKS
    calls = [max(1, round(block_seconds / call)) for call in estimates]
    round_seconds = sum(call * (count + (call < LONG)) + LEAD for call, count in zip(estimates, calls, strict=True))
    blocks: list[list[float]] = [[] for _ in contestants]
    for number in range(max(ROUNDS, round(seconds / round_seconds))):
        turns = list(range(len(contestants)))
        for k in turns if number % 2 else reversed(turns):  # each contestant follows each neighbour equally often
            if estimates[k] < LONG:
                lead_in(contestants[k].call)
            blocks[k].append(block(contestants[k].call, calls[k]))
    return {contestant.name: timing(blocks[k], calls[k] * len(blocks[k])) for k, contestant in enumerate(contestants)}


def timing(blocks: list[float], calls: int) -> Timing:
    """The summary of the blocks of one contestant."""
    low, middle, high = statistics.quantiles(blocks, n=4, method="inclusive")
    return Timing(middle, (high - low) / middle, calls)


def block(call: Callable[[], Any], calls: int) -> float:
    """Seconds of a call, the mean over consecutive calls, without garbage collection."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - start) / calls
    finally:
        if collecting:
            gc.enable()


def lead_in(call: Callable[[], Any]) -> None:
    start = time.perf_counter()
    call()
    while time.perf_counter() - start < LEAD:
        call()


def estimate(call: Callable[[], Any]) -> float:
    """Rough seconds of a call; a long call runs once, a short one more often, as a warm-up."""
    seconds = block(call, 1)
    return seconds if seconds > LONG else min(seconds, block(call, max(1, round(0.01 / seconds))))
