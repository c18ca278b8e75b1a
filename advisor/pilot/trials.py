"""Trials: the measurements that could be made on labelled rows, all contenders on the same parts of them.

What leaves the encoder as it is costs next to nothing once features are there: it is cross-validated whole, with other
parts again while rows are few. What tunes the encoder is dear: it learns from one half of the rows, or a part of that,
and is judged on the other. What takes no labels is judged on every row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np

from advisor.backend.arrays import Indices
from advisor.backend.rows import Rows, strata
from advisor.knowledge.hyperparameters import load_pilot
from advisor.pilot.contenders import Contender
from advisor.run.prepare import fold_rows
from advisor.tasks import TASKS


@dataclass(frozen=True, eq=False)
class Trial:
    """One measurement.

    Attributes:
        strategy: what is fitted.
        parts: numbers of the rows learnt from and of those judged, a fit each.
        name: which parts these are, the same for every strategy that is measured on them.
        short: whether training is shortened.
    """

    strategy: str
    parts: tuple[tuple[Indices, Indices], ...]
    name: str
    short: bool = False

    @property
    def key(self) -> str:
        """What tells it from other trials on the same rows."""
        return f"{self.strategy} {self.name}{' short' if self.short else ''}"

    @property
    def rows(self) -> float:
        """Rows learnt from, on average."""
        return sum(len(kept) for kept, _ in self.parts) / len(self.parts)

    @cached_property
    def judged(self) -> int:
        """Distinct rows that are judged."""
        return len(np.unique(np.concatenate([held for _, held in self.parts])))

    @property
    def answers(self) -> int:
        """Rows that are judged, each as often as it is."""
        return sum(len(held) for _, held in self.parts)


class Trials:
    """The trials there are on some rows.

    Args:
        task: id of the task.
        rows: the labelled rows.
        seed: of the parts.
    """

    def __init__(self, task: str, rows: Rows, seed: int) -> None:
        self.task, self.rows, self.seed, self.rules = task, rows, seed, load_pilot()
        groups = strata(task, rows)
        self.groups = np.zeros(len(rows), dtype=np.int64) if groups is None else groups
        self.most = int(np.bincount(self.groups).max()) if len(rows) else 0

    def of(self, contender: Contender) -> list[Trial]:
        """Return a contender's trials; none where there are too few rows to leave some out."""
        if contender.label_free:
            everything = np.arange(len(self.rows))
            return [Trial(contender.id, ((everything[:0], everything),), "all")] if len(self.rows) else []
        if contender.frozen:
            parts = tuple(self._crossed)
            return [Trial(contender.id, parts, "folds")] if parts else []
        lengths = (False, True) if contender.short_settings else (False,)
        return [Trial(contender.id, (part,), name, short) for name, part in self._halves.items() for short in lengths]

    @cached_property
    def _crossed(self) -> list[tuple[Indices, Indices]]:
        rows, most = len(self.rows), self.rules["most_repeats"]
        repeats = min(most, ceil(self.rules["judgements"] / max(rows, 1)))
        return [part for again in range(repeats) for part in self._dealt(self.rules["folds"], again)]

    @cached_property
    def _halves(self) -> dict[str, tuple[Indices, Indices]]:
        found = {}
        for number, (kept, held) in enumerate(self._dealt(2, 0)):
            for halved in range(self.rules["halvings"] + 1):
                count = len(kept) >> halved
                if halved and count < self.rules["fewest_rows"]:
                    break
                some = self._spread(kept, number)[:count]
                if self._tells_apart(some):
                    found[f"half {number + 1} 1/{1 << halved}"] = (np.sort(some), held)
        return found

    def _dealt(self, parts: int, again: int) -> Iterator[tuple[Indices, Indices]]:
        """Yield the parts of a cross-validation, as many as the largest stratum has rows."""
        parts = min(parts, self.most)
        if parts < 2:
            return
        for kept, held in fold_rows(self.task, self.rows, parts, self.seed + again):
            if len(held) and self._tells_apart(kept):
                yield kept, held

    def _tells_apart(self, index: Indices) -> bool:
        """Return whether there is more than one thing to learn from these rows."""
        if TASKS[self.task].predicts != "class":
            return len(index) > 1
        return len(np.unique(self.rows.targets[index])) > 1

    def _spread(self, index: Indices, number: int) -> Indices:
        """Return rows in an order in which every beginning has one of each stratum, then all in equal shares."""
        order = np.random.default_rng([self.seed, number]).permutation(index)
        of = self.groups[order]
        rank = np.array([(of[:place] == group).sum() for place, group in enumerate(of)])
        return order[np.argsort(rank / np.bincount(of)[of], kind="stable")]
