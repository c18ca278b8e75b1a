"""Asking for a class: every label's wordings are scored as the answer, and averaged in probability."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from advisor.backend.arrays import Floats
from advisor.backend.prompted.asking.base import ScoredAsking
from advisor.backend.prompted.label_words import LabelWord, label_words
from advisor.tasks import Input


class Classes(ScoredAsking):
    """One label a row, or a pair of texts."""

    @cached_property
    def words(self) -> list[LabelWord]:
        """The words of the labels."""
        return label_words(self.brief.labels, self.brief.descriptions)

    def values(self) -> dict[str, Any]:
        """Return the labels."""
        return {"labels": self.words}

    def subjects(self) -> Sequence[LabelWord]:
        """Return the labels."""
        return self.words

    def right_answer(self, row: Input, target: Any, number: int) -> str:
        """Return the first wording of the label."""
        return self.worded[int(target)][0]

    def outputs(self, probabilities: Floats) -> Floats:
        """Return (rows, labels) probabilities."""
        return self.of_answers(probabilities)[:, 0]

    def lure(self, answer: dict[str, Any]) -> str:
        """Return the next label, after the last one the first."""
        at = self.brief.labels.index(answer["label"])
        return self.words[(at + 1) % len(self.words)].word
