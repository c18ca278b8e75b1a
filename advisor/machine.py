"""The machine at hand, read without loading any numerical library; each finding carries how it was found."""

import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True)
class MachineRates:
    """What one device of a machine achieves, as `advisor doctor --bench` measured it; None where it was not measured.

    Rates are of the whole device with all its threads, on the embedded encoder; operations are counted as
    `BaseModelFacts.forward_flops` does, three times that for an update.

    Attributes:
        device: ``cpu`` or ``gpu``.
        forward_gflops: 10^9 operations a second of passes without gradients, in batches of about 4,000 tokens.
        training_gflops: the same of forward and backward passes, the optimiser's step apart.
        single_gflops: 10^9 operations a second that a further token of a single text is computed at.
        matmul_gflops: 10^9 operations a second of one large matrix product: the most that can be reached.
        copy_gb_per_s: 10^9 bytes copied a second.
        optimizer_ns_per_parameter: of one AdamW step.
        layer_overhead_ms: a layer of a single text, beyond its operations.
        update_overhead_ms: an update beyond its operations and the optimiser's step.
        start_seconds: importing the libraries and loading the encoder.
        measured_at: date and time, ISO 8601 in UTC.
        precision: of the products, ``fp32`` or ``bf16`` (weights stay fp32 in training).
        threads: of the processor.
    """

    device: str = "cpu"
    forward_gflops: float | None = None
    training_gflops: float | None = None
    single_gflops: float | None = None
    matmul_gflops: float | None = None
    copy_gb_per_s: float | None = None
    optimizer_ns_per_parameter: float | None = None
    layer_overhead_ms: float | None = None
    update_overhead_ms: float | None = None
    start_seconds: float | None = None
    measured_at: str | None = None
    precision: str | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Correction:
    """What past runs on one device of a machine teach about the forecasts of one quantity.

    A forecast is multiplied by ``bias``; then its bounds are moved apart by the ratio ``margin``, or together where
    that is below 1, but never past the point.

    Attributes:
        quantity: its name in a forecast.
        device: ``cpu`` or ``gpu``.
        work: ``passes`` where pre-trained weights stay, ``updates`` where they learn, ``any`` where that makes no
            difference.
        runs: how many runs it rests on.
    """

    quantity: str
    device: str
    work: str
    runs: int
    bias: float
    margin: float


@dataclass(frozen=True)
class Machine:
    """Processors, memory and matrix units, and what has been measured of them.

    Attributes:
        cores: processors this process may use.
        memory_bytes: the container's limit where there is one, else the host's memory; None where unknown.
        units: the processor's widest matrix units: amx, avx512-bf16, avx512, avx2, neon or unknown.
        gpu: whether an NVIDIA device is there.
        rates: what its devices were measured to achieve; empty where nothing was.
        corrections: what past runs on it teach about forecasts.
    """

    cores: int
    memory_bytes: int | None
    units: str
    gpu: bool
    rates: tuple[MachineRates, ...] = ()
    corrections: tuple[Correction, ...] = ()

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
