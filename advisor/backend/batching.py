"""Batches of texts of similar length, filled by a budget of tokens (padding included) and padded to one length."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def token_batches(
    lengths: Sequence[int], tokens: int, *, most_rows: int | None = None, order: np.random.Generator | None = None
) -> list[np.ndarray]:
    """Split row numbers into batches whose longest row times row count stays within ``tokens``.

    Rows of similar length share a batch, which is what saves padding. With a generator as ``order`` rows of equal
    length are dealt at random and the batches come in random order, as training wants; without, longest first.

    Args:
        lengths: tokens in each row.
        tokens: budget of a batch, padding included; a single longer row makes a batch of its own.
        most_rows: cap on rows in a batch.
        order: source of randomness.

    Returns:
        arrays of row numbers that together hold every row once.
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    tie_break = order.random(len(sizes)) if order is not None else np.arange(len(sizes))
    ranked = np.lexsort((tie_break, -sizes))
    batches: list[np.ndarray] = []
    start = 0
    while start < len(ranked):
        longest = max(1, int(sizes[ranked[start]]))
        rows = max(1, tokens // longest)
        if most_rows is not None:
            rows = min(rows, most_rows)
        batches.append(ranked[start : start + rows])
        start += rows
    if order is not None:
        order.shuffle(batches)
    return batches


def collate(
    rows: Sequence[Sequence[int]], pad: int, device: torch.device, width: int | None = None
) -> tuple[Tensor, Tensor]:
    """Pad ``rows`` to the longest, or to ``width``, which none exceeds; return ids and attention mask."""
    width = width or max(len(row) for row in rows)
    ids = np.full((len(rows), width), pad, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)
