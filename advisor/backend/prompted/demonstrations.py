"""Demonstrations: labelled rows shown in prompts, chosen once and balanced, or similar to the row asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from advisor.backend.arrays import Floats, Indices
from advisor.backend.encoder import Encoder
from advisor.backend.features import FeatureCache
from advisor.backend.prompted.settings import Order, Selection
from advisor.backend.rows import Rows
from advisor.data.examples import as_text
from advisor.tasks import Input

# Digits of a cosine that do not depend on how rows were batched.
_STEADY_DIGITS = 5


class Way(NamedTuple):
    """A way to show demonstrations.

    Attributes:
        selection: how they are chosen, ``none`` to show none.
        order: ``forward`` puts the most similar last, or fixed ones as chosen; ``reversed`` the other way round.
    """

    selection: Selection | None
    order: Order = "forward"


@dataclass(frozen=True)
class Similar:
    """Finds rows similar to others by an encoder's vectors.

    Attributes:
        encoder: embeds them.
        cache: of the vectors.
        vectors: (rows, hidden) of the rows that are looked in.
    """

    encoder: Encoder
    cache: FeatureCache
    vectors: Floats

    @classmethod
    def among(cls, encoder: Encoder, cache: FeatureCache, inputs: Sequence[Input]) -> "Similar":
        """Embed the rows that are looked in."""
        return cls(encoder, cache, cache.embed(encoder, [as_text(one) for one in inputs]))

    def ranked(self, inputs: Sequence[Input], most: int) -> Indices:
        """Return (inputs, most or all) numbers of rows, most similar first; equals in the order of the rows."""
        asked = self.cache.embed(self.encoder, [as_text(one) for one in inputs])
        similarity = np.round(asked @ self.vectors.T, _STEADY_DIGITS)
        ranked: Indices = np.argsort(-similarity, axis=1, kind="stable")[:, :most]
        return ranked


@dataclass(frozen=True)
class Demonstrations:
    """Rows that can be shown, and which of them are.

    Attributes:
        rows: that demonstrations are taken from.
        fixed: for every question of a row, numbers of the rows shown to all, in order of preference; one more than are
            shown, to stand in for a row that is asked about itself.
        most: how many are shown at most.
        similar: finds similar ones; None where none are retrieved.
    """

    rows: Rows
    fixed: tuple[Indices, ...]
    most: int
    similar: Similar | None = None

    def preferred(
        self, inputs: Sequence[Input], way: Way, unseen: Sequence[Input] | None = None
    ) -> list[list[Indices]]:
        """Return for each question, then each input, numbers of the rows to show, the one to keep longest first.

        Args:
            inputs: what is asked about.
            way: how they are chosen.
            unseen: a row an input that is not shown to it, nor any that reads the same: itself, where its answer is
                known and measured.
        """
        if way.selection is None or not len(self.rows):
            return [[_NOTHING] * len(inputs)] * len(self.fixed)
        hiding: Sequence[Input | None] = unseen or [None] * len(inputs)
        if way.selection == "fixed":
            return [[self._kept(numbers, hidden)[: self.most] for hidden in hiding] for numbers in self.fixed]
        assert self.similar is not None
        spare = self._most_alike if unseen else 0
        ranked = self.similar.ranked(inputs, self.most + spare)
        found = [self._kept(numbers, hidden)[: self.most] for numbers, hidden in zip(ranked, hiding, strict=True)]
        return [found] * len(self.fixed)

    @property
    def _most_alike(self) -> int:
        """The most rows that read alike."""
        counts: dict[str, int] = {}
        for one in self.rows.inputs:
            text = as_text(one)
            counts[text] = counts.get(text, 0) + 1
        return max(counts.values(), default=0)

    def _kept(self, numbers: Indices, hidden: Input | None) -> Indices:
        if hidden is None:
            return numbers
        text = as_text(hidden)
        return np.array([number for number in numbers if as_text(self.rows.inputs[number]) != text], dtype=np.int64)


_NOTHING: Indices = np.zeros(0, dtype=np.int64)


def balanced(strata: Indices | None, rows: int, most: int, seed: int) -> Indices:
    """Return at most ``most`` row numbers, dealt in turns from every stratum, the rows and the turns in random order.

    Args:
        strata: number of each row's stratum; None to draw from all alike.
        rows: how many there are.
        most: how many to return.
        seed: of the draw.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(rows)
    if strata is None or not rows:
        return order[:most]
    _, stratum = np.unique(strata, return_inverse=True)
    turn = generator.permutation(int(stratum.max()) + 1)
    dealt = np.zeros(rows, dtype=np.int64)
    seen = np.zeros(len(turn), dtype=np.int64)
    for number in order:
        dealt[number] = seen[stratum[number]]
        seen[stratum[number]] += 1
    chosen: Indices = order[np.lexsort((turn[stratum[order]], dealt[order]))][:most]
    return chosen
