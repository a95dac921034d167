"""The machine that the numbers belong to: its cores, its name, and how much of it others used meanwhile."""

import os
import platform
import time
from pathlib import Path

IDLE = (3, 4)  # idle and iowait, among the times of /proc/stat
COUNTED = 8  # user, nice, system, idle, iowait, irq, softirq, steal; those after are counted in these


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor's name."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    names = [entry.partition(":")[2].strip() for entry in text.splitlines() if entry.startswith("model name")]
    return names[0] if names else platform.machine()


class Others:
    """How many cores other processes keep busy, on average since the start; Linux only."""

    def __init__(self) -> None:
        self.began = time.monotonic(), used_by_others()

    def cores(self) -> float | None:
        """That number; None where the system does not tell."""
        (began, before), now = self.began, used_by_others()
        if before is None or now is None:
            return None
        return max(0.0, now - before) / (time.monotonic() - began)


def used_by_others() -> float | None:
    """Seconds of processor time since the machine's start that were neither idle nor of this process."""
    try:
        first = Path("/proc/stat").read_text().splitlines()[0]
    except OSError:
        return None
    ticks = [int(part) for part in first.split()[1 : 1 + COUNTED]]
    busy = sum(ticks) - sum(ticks[k] for k in IDLE)
    return busy / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])
