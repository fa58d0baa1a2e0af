"""Time and memory of this process. A block of work enters; its seconds leave, by the wall and by the processor."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path
from typing import Any, Self


class Clock:
    """Counts the seconds of its blocks together. `cpu` is that of all threads: it grows little when others compute."""

    def __init__(self) -> None:
        self.wall = 0.0
        self.cpu = 0.0
        self.load = os.getloadavg()[0]

    def __enter__(self) -> Self:
        self._started = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self._started[0]
        self.cpu += time.process_time() - self._started[1]

    def facts(self) -> dict[str, Any]:
        """Return `seconds`, `cpu_seconds` and the machine's `load`: its mean over the last minute, before and after."""
        load = (self.load + os.getloadavg()[0]) / 2
        return {"seconds": self.wall, "cpu_seconds": self.cpu, "load": round(load, 1)}


def peak_mib() -> float:
    """Return the most memory that this process has had, in MiB.

    Linux's `ru_maxrss` begins with the peak of the process that started this one; `VmHWM` does not.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
