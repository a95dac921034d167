"""The machine of the measurements: its cores, its processor, and the load of other processes."""

import os
import platform
import time
from pathlib import Path

IDLE = (3, 4)  # idle and iowait, among the times of /proc/stat
COUNTED = 8  # user, nice, system, idle, iowait, irq, softirq, steal; the columns after these are included in them


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


class OtherProcesses:
    """The average number of cores that other processes use, since the start; Linux only."""

    def __init__(self) -> None:
        self.start = time.monotonic(), used_by_others()

    def cores(self) -> float | None:
        """The number of cores; None if the system does not report it."""
        (start, before), now = self.start, used_by_others()
        if before is None or now is None:
            return None
        return max(0.0, now - before) / (time.monotonic() - start)


def used_by_others() -> float | None:
    """Seconds of processor time since the machine's start that were neither idle nor of this process."""
    try:
        first = Path("/proc/stat").read_text().splitlines()[0]
    except OSError:
        return None
    ticks = [int(part) for part in first.split()[1 : 1 + COUNTED]]
    busy = sum(ticks) - sum(ticks[k] for k in IDLE)
    return busy / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])
