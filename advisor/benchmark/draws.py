"""A draw: which training rows a benchmark gives a strategy, nested so that more labels hold the fewer ones."""

import re
from collections import defaultdict
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from advisor.backend.rows import Rows
from advisor.errors import InputError
from advisor.tasks import TASKS


class Size(NamedTuple):
    """How many labels: ``amount`` of every class, ``amount`` rows as they come, or all there are."""

    kind: Literal["per-class", "rows", "all"]
    amount: int = 0

    @classmethod
    def parse(cls, text: str) -> "Size":
        """Read ``8`` (of every class), ``500-rows`` or ``all``.

        Raises:
            InputError: it is none of these.
        """
        if text == "all":
            return cls("all")
        if found := re.fullmatch(r"(\d+)(-rows)?", text):
            return cls("rows" if found[2] else "per-class", int(found[1]))
        raise InputError(f"size '{text}' is neither a number of labels a class, a number of rows (500-rows), nor all")

    @property
    def place(self) -> tuple[int, int]:
        """What sizes are sorted by: labels a class, then rows, then all."""
        return (("per-class", "rows", "all").index(self.kind), self.amount)

    def __str__(self) -> str:
        """Write it as it is read."""
        return "all" if self.kind == "all" else f"{self.amount}-rows" if self.kind == "rows" else str(self.amount)


def draw(task: str, rows: Rows, size: Size, *, seed: int, most: int) -> NDArray[np.int64] | None:
    """Return row numbers, ascending; None where the task has no classes to count labels by.

    Rows come in one random order a seed. By class, the k-th row of every class is taken before the k+1-th of any, so
    that a draw stopped at ``most`` rows is still balanced; a row with several labels counts for each of them.

    Args:
        task: id of the task.
        rows: to draw from.
        size: how many.
        seed: of the order.
        most: rows at most.
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    if size.kind != "per-class":
        return np.sort(order[: most if size.kind == "all" else min(size.amount, most)])
    if size.amount == 0:
        return np.empty(0, dtype=np.int64)
    if TASKS[task].predicts not in ("class", "classes"):
        return None
    ranked = sorted(_ranks(rows, order), key=lambda found: found[0])
    return np.sort(np.array([row for rank, row in ranked if rank < size.amount][:most], dtype=np.int64))


def _ranks(rows: Rows, order: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return for every row how many of its rarest label came before it, and its number."""
    seen: dict[int, int] = defaultdict(int)
    found = []
    for row in order.tolist():
        target = rows.targets[row]
        classes = [int(target)] if rows.targets.ndim == 1 else np.flatnonzero(target).tolist()
        rank = min((seen[number] for number in classes), default=seen[-1])
        found.append((rank, row))
        for number in classes or [-1]:
            seen[number] += 1
    return found
