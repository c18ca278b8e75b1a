"""The machine at hand, read without loading any numerical library; each finding carries how it was found."""

import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True)
class Machine:
    """Processors, memory and matrix units.

    Attributes:
        cores: processors this process may use.
        memory_bytes: the container's limit where there is one, else the host's memory; None where unknown.
        units: the processor's widest matrix units: amx, avx512-bf16, avx512, avx2, neon or unknown.
        gpu: whether an NVIDIA device is there.
    """

    cores: int
    memory_bytes: int | None
    units: str
    gpu: bool

    def describe(self) -> str:
        """Return the machine in a few words."""
        memory = f", {self.memory_bytes / 1e9:.0f} GB" if self.memory_bytes else ""
        return (
            f"{self.cores} {'core' if self.cores == 1 else 'cores'} ({self.units}){memory}{', GPU' if self.gpu else ''}"
        )


@cache
def this_machine() -> Machine:
    """Look at the machine this process runs on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(cores, _memory(), _units(), Path("/dev/nvidia0").exists())


def _memory() -> int | None:
    total: int | None = None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in _CGROUP_LIMITS:
        try:
            limit = Path(name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if limit.isdigit() and (total is None or int(limit) < total):
            total = int(limit)
    return total


def _units() -> str:
    if platform.machine() in {"arm64", "aarch64"}:
        return "neon"
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("flags")[2].partition("\n")[0].split())
    except OSError:
        return "unknown"
    for flag, units in (
        ("amx_bf16", "amx"),
        ("avx512_bf16", "avx512-bf16"),
        ("avx512f", "avx512"),
        ("avx2", "avx2"),
    ):
        if flag in flags:
            return units
    return "unknown"
