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
    `BaseModelFacts.forward_flops` does, three times that for a forward and a backward pass. Its rates are not those of
    a wider model: products grow with the square of the width, the rest with the width. So the time of a pass is split:
    operations at the rate of a large product, and what is left, by units (tokens x layers x hidden) and by attention's
    scores (tokens x layers x heads x length); `pass_seconds` puts them together for any model.

    Attributes:
        device: ``cpu`` or ``gpu``.
        forward_gflops: 10^9 operations a second of passes without gradients over many texts.
        training_gflops: the same of forward and backward passes, without the optimiser's step.
        matmul_gflops: 10^9 operations a second of a large matrix product in ``precision``.
        forward_ns_per_unit, forward_ns_per_score: of a pass without gradients, beyond its operations.
        training_ns_per_unit, training_ns_per_score: of a forward and a backward pass, beyond their operations.
        copy_gb_per_s: 10^9 bytes a second, read and written, of a large copy.
        optimizer_ns_per_parameter: of a step of AdamW, gradients clipped.
        layer_overhead_ms: a layer of a single short text, beyond its operations at ``single_gflops``.
        single_gflops: 10^9 operations a second at which a single text grows longer.
        update_overhead_ms: an update beyond its passes and the optimiser's step.
        start_seconds: importing the libraries and loading the encoder.
        measured_at: date and time, ISO 8601 in UTC.
        precision: of the products, ``fp32`` or ``bf16`` (weights stay fp32 in training).
        threads: of the processor.
    """

    device: str = "cpu"
    forward_gflops: float | None = None
    training_gflops: float | None = None
    matmul_gflops: float | None = None
    forward_ns_per_unit: float | None = None
    forward_ns_per_score: float | None = None
    training_ns_per_unit: float | None = None
    training_ns_per_score: float | None = None
    copy_gb_per_s: float | None = None
    optimizer_ns_per_parameter: float | None = None
    layer_overhead_ms: float | None = None
    single_gflops: float | None = None
    update_overhead_ms: float | None = None
    start_seconds: float | None = None
    measured_at: str | None = None
    precision: str | None = None
    threads: int | None = None

    def pass_seconds(self, flops: float, units: float, scores: float, *, training: bool) -> float | None:
        """Return the seconds of passes over any model; None where a rate is missing.

        Args:
            flops: operations, of the backward pass too where it is training.
            units: tokens x layers x hidden.
            scores: tokens x layers x heads x tokens attended to.
            training: whether gradients are computed.
        """
        of_unit = self.training_ns_per_unit if training else self.forward_ns_per_unit
        of_score = self.training_ns_per_score if training else self.forward_ns_per_score
        if self.matmul_gflops is None or of_unit is None or of_score is None:
            return None
        return (flops / self.matmul_gflops + of_unit * units + of_score * scores) / 1e9


@dataclass(frozen=True)
class Machine:
    """Processors, memory and matrix units, and what has been measured of them.

    Attributes:
        cores: processors this process may use.
        memory_bytes: the container's limit where there is one, else the host's memory; None where unknown.
        units: the processor's widest matrix units: amx, avx512-bf16, avx512, avx2, neon or unknown.
        gpu: whether an NVIDIA device is there.
        rates: what its devices were measured to achieve; empty where nothing was.
    """

    cores: int
    memory_bytes: int | None
    units: str
    gpu: bool
    rates: tuple[MachineRates, ...] = ()

    def rates_on(self, device: str) -> MachineRates | None:
        """Return what was measured of ``cpu`` or ``gpu``; None where nothing was."""
        return next((rates for rates in self.rates if rates.device == device), None)

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
