"""Dealing: which texts meet in a batch, so that each finds some of its own class there and some of others.

Classes come in turn, and the texts of a class in turn, both in an order drawn anew each time round: a rare class comes
as often as a common one. No pair is ever listed; what is kept is one number a text and class.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


class Dealer:
    """Batches by number, each the same whenever it is asked for.

    Args:
        targets: class of each text, int (texts,); or zeros and ones, (texts, classes), where a text may have several.
            Texts without any class come in turn like a class of their own.
        batch_size: texts in a batch; all in every batch where there are no more.
        texts_per_class: texts of a class in a batch at least, as far as it has so many; more where the classes are few.
        seed: of all orders.
    """

    def __init__(self, targets: NDArray[Any], batch_size: int, texts_per_class: int, seed: int) -> None:
        self.texts, self.batch_size, self.seed = len(targets), batch_size, seed
        self.members = _members(targets)
        self.at_once = max(texts_per_class, batch_size // max(1, len(self.members)))
        self._restart()

    def batch(self, number: int) -> Indices:
        """Return the numbers of the texts in a batch, none twice."""
        if self.texts <= self.batch_size:
            return np.arange(self.texts)
        if number < self._dealt:
            self._restart()
        while self._dealt < number:
            self._deal()
        return self._deal()

    def _restart(self) -> None:
        self._dealt = 0
        self._order = np.random.default_rng(self.seed)
        self._classes: list[int] = []
        self._left: list[Indices] = [np.zeros(0, dtype=np.int64) for _ in self.members]

    def _deal(self) -> Indices:
        found: dict[int, None] = {}
        for _ in self.members:
            if not self._classes:
                self._classes = self._order.permutation(len(self.members)).tolist()
            for text in self._of_class(self._classes.pop(), min(self.at_once, self.batch_size - len(found))):
                found[int(text)] = None
            if len(found) >= self.batch_size:
                break
        self._dealt += 1
        return np.array(list(found), dtype=np.int64)

    def _of_class(self, number: int, count: int) -> Indices:
        """Return the next texts of a class, none twice."""
        members, left = self.members[number], self._left[number]
        if len(members) <= count:
            return members
        if len(left) < count:
            again = self._order.permutation(members)
            waiting = np.isin(again, left)
            left = np.concatenate([left, again[~waiting], again[waiting]])
        self._left[number] = left[count:]
        return left[:count]


def _members(targets: NDArray[Any]) -> list[Indices]:
    """Return the texts of each class that has any, then those without a class."""
    if targets.ndim == 1:
        order = np.argsort(targets, kind="stable")
        return [part for part in np.split(order, np.flatnonzero(np.diff(targets[order])) + 1) if len(part)]
    groups = [np.flatnonzero(column) for column in targets.T] + [np.flatnonzero(~targets.any(axis=1))]
    return [group for group in groups if len(group)]
