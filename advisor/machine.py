"""The machine at hand, read without loading any numerical library; each finding carries how it was found."""

import hashlib
import math
import os
import platform
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from advisor.cards import card_names
from advisor.container import memory_limit, processor_limit
from advisor.correction import Correction
from advisor.rates import MachineRates as MachineRates
from advisor.rates import read_rates


@dataclass(frozen=True)
class Machine:
    """Processors, memory and matrix units, and what has been measured of them.

    Attributes:
        cores: processors this process may use, a container's quota of processor time rounded up.
        memory_bytes: the container's limit where there is one, else the host's memory; None where unknown.
        units: the processor's widest matrix units: amx, avx512-bf16, avx512, avx2, neon or unknown.
        gpu: whether an NVIDIA device is there.
        processor: its maker's name for it.
        cards: names of the NVIDIA devices, where the driver tells them.
        rates: what its devices were measured to achieve; empty where nothing was.
        corrections: what past runs on it teach about forecasts.
    """

    cores: int
    memory_bytes: int | None
    units: str
    gpu: bool
    processor: str = "unknown"
    cards: tuple[str, ...] = ()
    rates: tuple[MachineRates, ...] = ()
    corrections: tuple[Correction, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A short hash of what rates depend on; another machine has another one, more memory does not change it."""
        parts = [platform.machine(), self.processor, self.units, str(self.cores), *self.cards]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def rates_on(self, device: str) -> MachineRates | None:
        """Return what was measured of ``cpu`` or ``gpu``; None where nothing was."""
        return next((rates for rates in self.rates if rates.device == device), None)

    def corrections_for(self, device: str, work: str) -> dict[str, Correction]:
        """Return, by quantity, what past runs teach about work on a device."""
        return {c.quantity: c for c in self.corrections if c.device == device and c.work in (work, "any")}

    def describe(self) -> str:
        """Return the machine in a few words."""
        memory = f", {self.memory_bytes / 1e9:.0f} GB" if self.memory_bytes else ""
        return (
            f"{self.cores} {'core' if self.cores == 1 else 'cores'} ({self.units}){memory}{', GPU' if self.gpu else ''}"
        )


@cache
def this_machine() -> Machine:
    """Look at the machine this process runs on."""
    told = _processor()
    found = Machine(
        cores=_cores(),
        memory_bytes=_memory(),
        units=_units(set(told.get("flags", "").split())),
        gpu=Path("/dev/nvidia0").exists(),
        processor=told.get("model name") or platform.processor() or "unknown",
        cards=card_names(),
    )
    return replace(found, rates=read_rates(found.fingerprint))


def host_memory() -> int | None:
    """Return the memory of the host in bytes, whatever a container may use of it."""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def _memory() -> int | None:
    return min((limit for limit in (host_memory(), memory_limit()) if limit is not None), default=None)


def _cores() -> int:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, math.ceil(processor_limit() or allowed)))


def _processor() -> dict[str, str]:
    """Return what Linux tells of the first processor."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    lines = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def _units(flags: set[str]) -> str:
    if platform.machine() in {"arm64", "aarch64"}:
        return "neon"
    for flag, units in (
        ("amx_bf16", "amx"),
        ("avx512_bf16", "avx512-bf16"),
        ("avx512f", "avx512"),
        ("avx2", "avx2"),
    ):
        if flag in flags:
            return units
    return "unknown"
