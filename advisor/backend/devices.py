"""The device that computes, and the number format it computes in, each with the reason it was chosen."""

import os
import time
from dataclasses import dataclass
from functools import cache

import torch

from advisor.errors import InputError
from advisor.machine import this_machine
from advisor.settings import load_settings


@dataclass(frozen=True)
class Device:
    """A torch device and the precision of its matrix products: ``fp32`` or ``bf16`` (weights stay fp32 in training)."""

    kind: str
    precision: str
    reason: str

    @property
    def torch(self) -> torch.device:
        """The device as torch names it."""
        return torch.device(self.kind)

    @property
    def bf16(self) -> bool:
        """Whether matrix products run in bf16."""
        return self.precision == "bf16"

    def in_fp32(self) -> "Device":
        """Return the same device computing in fp32."""
        return self if not self.bf16 else Device(self.kind, "fp32", "to repeat what others compute in fp32")


@cache
def choose_device(kind: str | None = None) -> Device:
    """Return the named device (``cpu``, ``cuda``, ``mps``), or the fastest there is.

    On a CPU bf16 is used only where a short timed product shows that this machine has the units for it: without them
    PyTorch emulates bf16 and is slower than fp32. It computes with no more threads than a container's quota allows.

    Raises:
        InputError: the named one is not here.
    """
    kind = kind or ("cuda" if torch.cuda.is_available() else "cpu")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[kind]:
        raise InputError(f"no device '{kind}' can be used from here; leave it out, or name cpu")
    if kind == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Device(kind, "bf16", f"{torch.cuda.get_device_name()} has bf16 matrix units")
        return Device(kind, "fp32", f"{torch.cuda.get_device_name()} has no bf16 matrix units")
    if kind == "mps":
        return Device(kind, "fp32", "bf16 is not used on this kind of device")
    # oneDNN reads it with its first product. Each kernel it keeps may hold a block between activations apart.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(int(load_settings("computing.yaml")["kept_kernels"])))
    # PyTorch starts a thread on every processor it sees; beyond the quota they only wait for each other.
    torch.set_num_threads(min(torch.get_num_threads(), this_machine().cores))
    gain = _seconds_for_product(torch.float32) / _seconds_for_product(torch.bfloat16)
    if gain >= load_settings("evaluation.yaml")["bf16_gain"]:
        return Device(kind, "bf16", f"a bf16 matrix product is {gain:.1f} times as fast as fp32 here")
    return Device(kind, "fp32", f"a bf16 matrix product runs at {gain:.2g} times the speed of fp32 here")


def _seconds_for_product(dtype: torch.dtype, size: int = 256) -> float:
    """Return the shortest of a few timed ``size``³ products (a few ms even where bf16 is emulated)."""
    left, right = (torch.ones(size, size, dtype=dtype) for _ in range(2))
    torch.mm(left, right)
    best = float("inf")
    for _ in range(4):
        started = time.perf_counter()
        torch.mm(left, right)
        best = min(best, time.perf_counter() - started)
    return best
