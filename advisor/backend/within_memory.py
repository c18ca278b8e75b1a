"""Work in batches that fit in memory: filled by a budget of tokens, halved where memory runs out."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from advisor.backend.batching import token_batches
from advisor.backend.devices import Device
from advisor.errors import RunError
from advisor.knowledge.computing import tokens_at_once

Progress = Callable[[int, int], None]


def by_batch(
    sizes: Sequence[int],
    fill: Callable[[NDArray[np.int64]], None],
    device: Device,
    progress: Progress | None = None,
    *,
    tokens: int | None = None,
    most_tokens: int | None = None,
    too_large: str = "not even one text fits in memory; set a shorter max_length",
) -> None:
    """Call ``fill`` with the numbers of rows that fit in memory together, until each had its turn.

    Args:
        sizes: tokens of every row.
        fill: does the work for some rows; where memory runs out it is called again, with fewer.
        device: where it is done.
        progress: called with rows done and rows in all.
        tokens: budget of a batch, padding included; the device's if left out.
        most_tokens: cap on the device's budget.
        too_large: what to say where a single row is too large.

    Raises:
        RunError: memory runs out on a single row.
    """
    lengths = np.array(sizes, dtype=np.int64)
    left, done = np.arange(len(lengths)), np.zeros(len(lengths), dtype=bool)
    budget = tokens or tokens_at_once(device.kind, device.precision)
    budget = min(budget, most_tokens or budget)
    while len(left):
        try:
            for batch in token_batches(lengths[left].tolist(), budget):
                some = left[batch]
                fill(some)
                done[some] = True
                if progress:
                    progress(int(done.sum()), len(lengths))
        except (MemoryError, torch.OutOfMemoryError, RuntimeError) as failure:
            if not out_of_memory(failure):
                raise
            if budget <= lengths[~done].max():
                raise RunError(too_large) from None
            budget //= 2
            if device.kind == "cuda":
                torch.cuda.empty_cache()
        left = np.flatnonzero(~done)


def out_of_memory(failure: Exception) -> bool:
    """Whether an error says that memory ran out; on a CPU PyTorch says it only in words."""
    if isinstance(failure, MemoryError | torch.OutOfMemoryError):
        return True
    words = ("not enough memory", "out of memory", "can't allocate memory")
    return any(word in str(failure) for word in words)
