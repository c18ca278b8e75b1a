"""Timing of a piece of work on a device: the median of several, after one that does not count."""

import statistics
import time
from collections.abc import Callable

import torch


def median_seconds(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Return the median wall time of ``work`` in seconds, what it leaves to a GPU waited for.

    Args:
        work: what is timed; it is called once more than it is timed.
        device: where it computes.
        repeats: how often it is timed.
    """
    work()
    return statistics.median(_seconds(work, device) for _ in range(repeats))


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    wait_for(device)
    started = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - started


def wait_for(device: torch.device) -> None:
    """Return when a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
