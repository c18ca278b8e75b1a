"""Trials: the measurements that could be made on labelled rows, all contenders on the same parts of them.

What leaves the encoder as it is costs little once features are there: it is cross-validated on all rows, with other
folds again while rows are few, or on a part of many. What tunes the encoder is dear: it learns from one half of the
rows, or a part of that, and is judged on the other. What takes no labels is judged on all rows or a part. Smaller parts
lie in larger ones, and of very many rows no more are looked at than tell something.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np

from advisor.backend.arrays import Indices
from advisor.backend.rows import Rows, strata
from advisor.pilot.contenders import Contender
from advisor.run.prepare import fold_rows
from advisor.settings import load_settings
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

    @cached_property
    def touched(self) -> int:
        """Distinct rows that are learnt from or judged."""
        return len(np.unique(np.concatenate([index for part in self.parts for index in part])))


class Trials:
    """The trials there are on some rows.

    Args:
        task: id of the task.
        rows: the labelled rows.
        seed: of the parts.
    """

    def __init__(self, task: str, rows: Rows, seed: int) -> None:
        self.task, self.rows, self.seed, self.rules = task, rows, seed, load_settings("pilot.yaml")
        groups = strata(task, rows)
        self.groups = np.zeros(len(rows), dtype=np.int64) if groups is None else groups

    def of(self, contender: Contender) -> list[Trial]:
        """Return a contender's trials; none where there are too few rows to leave some out."""
        if contender.label_free:
            return [Trial(contender.id, ((some[:0], some),), name) for name, some in self._shares.items() if len(some)]
        if contender.frozen:
            return [Trial(contender.id, parts, name) for name, parts in self._crossed.items() if parts]
        lengths = (False, True) if contender.short_settings else (False,)
        return [Trial(contender.id, (part,), name, short) for name, part in self._halves.items() for short in lengths]

    @cached_property
    def _shares(self) -> dict[str, Indices]:
        """The rows that are looked at, and parts of them where they are many."""
        every = self._spread(np.arange(len(self.rows)), 0)[: self.rules["most_rows"]]
        found, count, step = {"all": np.sort(every)}, len(every), self.rules["share_step"]
        while (count := count // step) >= self.rules["fewest_shared"]:
            found[f"1/{round(len(every) / count)}"] = np.sort(every[:count])
        return found

    @cached_property
    def _crossed(self) -> dict[str, tuple[tuple[Indices, Indices], ...]]:
        most, judged = self.rules["most_repeats"], self.rules["judgements"]
        return {
            name: tuple(
                part
                for again in range(min(most, ceil(judged / max(len(some), 1))))
                for part in self._dealt(some, self.rules["folds"], again)
            )
            for name, some in self._shares.items()
        }

    @cached_property
    def _halves(self) -> dict[str, tuple[Indices, Indices]]:
        found = {}
        for number, (kept, held) in enumerate(self._dealt(self._shares["all"], 2, 0), start=1):
            learnt, judged = self._spread(kept, number), self._spread(held, number)[: self.rules["most_judged"]]
            for halved in range(self.rules["halvings"] + 1):
                some = learnt[: len(learnt) >> halved]
                if halved and len(some) < self.rules["fewest_rows"]:
                    break
                if self._tells_apart(some):
                    found[f"half {number} 1/{1 << halved}"] = (np.sort(some), np.sort(judged))
        return found

    def _dealt(self, some: Indices, parts: int, again: int) -> Iterator[tuple[Indices, Indices]]:
        """Yield the folds of some rows: so many, or as many as the largest stratum has rows."""
        parts = min(parts, int(np.bincount(self.groups[some]).max())) if len(some) else 0
        if parts < 2:
            return
        for kept, held in fold_rows(self.task, self.rows.take(some), parts, self.seed + again):
            if len(held) and self._tells_apart(some[kept]):
                yield some[kept], some[held]

    def _tells_apart(self, index: Indices) -> bool:
        """Return whether there is more than one thing to learn from these rows."""
        if TASKS[self.task].predicts != "class":
            return len(index) > 1
        return len(np.unique(self.rows.targets[index])) > 1

    def _spread(self, index: Indices, number: int) -> Indices:
        """Return rows in an order in which every beginning has one of each stratum, then all in equal shares."""
        order = np.random.default_rng([self.seed, number]).permutation(index)
        of = self.groups[order]
        counts = np.bincount(of)
        by_group = np.argsort(of, kind="stable")
        rank = np.empty(len(of), dtype=np.int64)
        rank[by_group] = np.arange(len(of)) - (counts.cumsum() - counts)[of[by_group]]
        spread: Indices = order[np.argsort(rank / counts[of], kind="stable")]
        return spread
