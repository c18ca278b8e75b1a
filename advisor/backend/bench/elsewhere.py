"""Work elsewhere: how many of the processors that this process may use are kept busy by others."""

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_IDLE = (3, 4)
_COUNTED = 8


def busy_elsewhere(seconds: float) -> float:
    """Watch the processors and return how many of them work of other processes kept busy, on the mean.

    Where the kernel counts no time of single processors (``/proc/stat``), the load of the last minute stands in, which
    holds what this process did before.

    Args:
        seconds: to watch for.
    """
    before = _busy_seconds()
    if before is None:
        return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    began, own = time.perf_counter(), time.process_time()
    time.sleep(seconds)
    passed, own = time.perf_counter() - began, time.process_time() - own
    return max(0.0, (_busy_seconds() or before) - before - own) / passed


def _busy_seconds() -> float | None:
    """Return the seconds that our processors were not idle since the start; None where that is not counted."""
    try:
        lines = _STAT.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    ours = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    times = [[int(tick) for tick in line.split()[1 : _COUNTED + 1]] for line in lines if line.partition(" ")[0] in ours]
    ticks = sum(tick for counted in times for kind, tick in enumerate(counted) if kind not in _IDLE)
    return ticks / os.sysconf("SC_CLK_TCK") if times else None
