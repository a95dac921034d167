"""Check the answers, then time: in turns, in blocks, by medians.

Contestants take turns in one process, so that whatever disturbs the machine disturbs all of them. A turn is a block of
calls of one contestant. It begins with calls that are not measured, at least one and at least `LEAD` seconds of them:
OpenMP threads of the contestant before spin for a while after their last call, and caches hold its data. Calls of more
than `LONG` seconds go without: there it does not matter, and would take half of the time.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor

TOLERANCE = 1e-4  # of the largest value of a tensor, in float32
LEAD, LONG = 0.002, 0.1
ROUNDS = 5
BLOCKS = 12  # rounds aimed at, where calls are short

Answer = dict[str, Tensor]


class Contestant(NamedTuple):
    """Somebody who computes a task: `call` is timed, `answer` gives by name what it computes."""

    name: str
    call: Callable[[], Any]
    answer: Callable[[], Answer]


class Timing(NamedTuple):
    """Seconds for one call: the median over blocks, and the middle half of them relative to it."""

    seconds: float
    spread: float
    calls: int


def mismatch(answer: Answer, expected: Answer) -> str | None:
    """What in an answer is wrong, in words; None if it agrees."""
    if answer.keys() != expected.keys():
        return f"has {', '.join(answer)}, expected {', '.join(expected)}"
    for name, theirs in expected.items():
        ours = answer[name]
        if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            return f"{name} is {ours.dtype} {tuple(ours.shape)}, expected {theirs.dtype} {tuple(theirs.shape)}"
        size = theirs.abs().max().item() if theirs.numel() else 1.0
        worst = (ours - theirs).abs().max().item() if theirs.numel() else 0.0
        if not worst <= TOLERANCE * (size or 1.0):  # so that NaN is a mismatch
            return f"{name} is off by {worst:.3g} where the largest value is {size:.3g}"
    return None


def disagreements(contestants: Sequence[Contestant]) -> list[str]:
    """Everybody whose answer is not that of the first contestant, with what is wrong."""
    first, *others = contestants
    expected = first.answer()
    found = ((one.name, mismatch(one.answer(), expected)) for one in others)
    return [f"{name}: {wrong} (by {first.name})" for name, wrong in found if wrong]


def check_then_time(contestants: Sequence[Contestant], seconds: float) -> dict[str, Timing]:
    """Time by contestant, after all answers were found to agree.

    Raises:
        ValueError: they do not; nothing was timed.
    """
    if wrong := disagreements(contestants):
        raise ValueError("; ".join(wrong))
    return measure(contestants, seconds)


def measure(contestants: Sequence[Contestant], seconds: float) -> dict[str, Timing]:
    """Median time of a call of each, over at least `ROUNDS` rounds and about so many seconds in all."""
    estimates = [estimate(one.call) for one in contestants]
    share = seconds / len(contestants) / BLOCKS
    calls = [max(1, round(share / one)) for one in estimates]
    lasts = sum(one * (count + (one < LONG)) + LEAD for one, count in zip(estimates, calls, strict=True))
    blocks: list[list[float]] = [[] for _ in contestants]
    for number in range(max(ROUNDS, round(seconds / lasts))):
        turns = list(range(len(contestants)))
        for k in turns if number % 2 else reversed(turns):  # each follows each neighbour equally often
            if estimates[k] < LONG:
                lead_in(contestants[k].call)
            blocks[k].append(block(contestants[k].call, calls[k]))
    return {one.name: timing(blocks[k], calls[k] * len(blocks[k])) for k, one in enumerate(contestants)}


def timing(blocks: list[float], calls: int) -> Timing:
    """The summary of one contestant's blocks."""
    low, middle, high = statistics.quantiles(blocks, n=4, method="inclusive")
    return Timing(middle, (high - low) / middle, calls)


def block(call: Callable[[], Any], calls: int) -> float:
    """Seconds for one call, the mean of so many in a row, without garbage collection between them."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - begin) / calls
    finally:
        if collecting:
            gc.enable()


def lead_in(call: Callable[[], Any]) -> None:
    begin = time.perf_counter()
    call()
    while time.perf_counter() - begin < LEAD:
        call()


def estimate(call: Callable[[], Any]) -> float:
    """Seconds for one call, roughly; a long one is called once, else the contestant is warmed up on the way."""
    seconds = block(call, 1)
    return seconds if seconds > LONG else min(seconds, block(call, max(1, round(0.01 / seconds))))
