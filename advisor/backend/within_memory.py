"""Work in batches that fit in memory: filled by a budget of tokens, halved where memory runs out."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from advisor.backend.batching import token_batches
from advisor.backend.devices import Device
from advisor.errors import RunError

Progress = Callable[[int, int], None]
_BATCH_TOKENS = {("cpu", "fp32"): 1024, ("cpu", "bf16"): 4096}
_BATCH_TOKENS_ELSEWHERE = 32768


def by_batch(
    sizes: Sequence[int],
    fill: Callable[[NDArray[np.int64]], None],
    device: Device,
    progress: Progress | None = None,
    *,
    most_tokens: int | None = None,
    too_large: str = "not even one text fits in memory; set a shorter max_length",
) -> None:
    """Call ``fill`` with the numbers of rows that fit in memory together, until each had its turn.

    Args:
        sizes: tokens of every row, none of them 0.
        fill: does the work for some rows; where memory runs out it is called again, with fewer.
        device: where it is done; it sets the budget.
        progress: called with rows done and rows in all.
        most_tokens: cap on the budget.
        too_large: what to say where a single row is too large.

    Raises:
        RunError: memory runs out on a single row.
    """
    lengths = np.array(sizes, dtype=np.int64)
    left = np.arange(len(lengths))
    budget = _BATCH_TOKENS.get((device.kind, device.precision), _BATCH_TOKENS_ELSEWHERE)
    budget = min(budget, most_tokens or budget)
    while len(left):
        try:
            for batch in token_batches(lengths[left].tolist(), budget):
                some = left[batch]
                fill(some)
                lengths[some] = 0
                if progress:
                    progress(int((lengths == 0).sum()), len(lengths))
        except (MemoryError, torch.OutOfMemoryError, RuntimeError) as failure:
            if not out_of_memory(failure):
                raise
            if budget <= lengths.max():
                raise RunError(too_large) from None
            budget //= 2
            if device.kind == "cuda":
                torch.cuda.empty_cache()
        left = np.flatnonzero(lengths)


def out_of_memory(failure: Exception) -> bool:
    """Whether an error says that memory ran out; on a CPU PyTorch says it only in words."""
    if isinstance(failure, MemoryError | torch.OutOfMemoryError):
        return True
    words = ("not enough memory", "out of memory", "can't allocate memory")
    return any(word in str(failure) for word in words)
