"""The most a device can do: large matrix products, a large copy, weights read for a single vector."""

import math

import torch
from torch.nn.functional import linear

from advisor.backend.bench.settings import BenchSettings
from advisor.backend.bench.timing import median_seconds

_SMALLEST, _LARGEST = 256, 16384
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def product_gflops(precision: str, device: torch.device, settings: BenchSettings) -> float:
    """Return 10^9 operations a second of a square product (2·size³), made larger until it takes long enough.

    Where a precision is emulated the smallest product takes long enough already.
    """
    size = _SMALLEST
    while True:
        left, right = (torch.ones(size, size, dtype=PRECISIONS[precision], device=device) for _ in range(2))
        seconds = median_seconds(lambda a=left, b=right: torch.mm(a, b), device, settings.repeats)  # type: ignore[misc]
        if seconds * 1e3 >= settings.product_ms or size == _LARGEST:
            return 2 * size**3 / seconds / 1e9
        size *= 2


def copy_gb_per_s(device: torch.device, settings: BenchSettings) -> float:
    """Return 10^9 bytes a second, those read and those written together, of one large copy."""
    source = torch.ones(settings.copy_mb * 10**6 // 4, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / median_seconds(lambda: target.copy_(source), device, settings.repeats) / 1e9


def reading_gb_per_s(precision: str, device: torch.device, settings: BenchSettings) -> float:
    """Return 10^9 bytes of weights a second in the product of a large matrix and one vector.

    What a language model does with every weight for each token that it writes.
    """
    dtype = PRECISIONS[precision]
    size = math.isqrt(settings.copy_mb * 10**6 // dtype.itemsize)
    weight, vector = (torch.ones(rows, size, dtype=dtype, device=device) for rows in (size, 1))
    seconds = median_seconds(lambda: linear(vector, weight), device, settings.repeats)
    return weight.nbytes / seconds / 1e9
