"""Asking for several labels: a question of yes or no a label, or one list of all that fit."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from advisor.backend.arrays import Floats, Indices
from advisor.backend.prompted.asking.base import Asking, ScoredAsking, WrittenAsking, fields_of, sureness
from advisor.backend.prompted.label_words import LabelWord, label_words
from advisor.backend.prompted.language_model import Form, Free, Written
from advisor.backend.rows import Rows
from advisor.tasks import Input

_NONE = "none"
_BETWEEN = re.compile(r"[;\n]")
_AROUND = " \t\"'`[]().*-•"


class _SeveralLabels(Asking):
    """What both ways have in common."""

    @cached_property
    def words(self) -> list[LabelWord]:
        """The words of the labels."""
        return label_words(self.brief.labels, self.brief.descriptions)

    def values(self) -> dict[str, Any]:
        """Return the labels, and the way they are asked for."""
        return {"labels": self.words, "way": "list" if self.brief.listed else "each"}


class EachLabel(_SeveralLabels, ScoredAsking):
    """A question of yes or no for every label; where hypotheses are judged, all of a row at once."""

    @property
    def calibrated(self) -> bool:  # type: ignore[override]
        """Whether yes and no are scored, rather than hypotheses that may all hold."""
        return not self.brief.hypotheses

    @property
    def questions(self) -> int:
        """One a label."""
        return 1 if self.brief.hypotheses else len(self.words)

    def subjects(self) -> Sequence[bool]:
        """Return no and yes."""
        return False, True

    def hypothesis_subjects(self) -> Sequence[LabelWord]:
        """Return the labels."""
        return self.words

    def question(self, row: Input, number: int) -> str:
        """Return the question whether a label fits a text."""
        if self.brief.hypotheses:
            return super().question(row, number)
        return self.template.fill("question", fields_of(self.brief.task, row), self.words[number])

    def right_answer(self, row: Input, target: Any, number: int) -> str:
        """Return yes or no."""
        return self.worded[int(target[number] > 0)][0]

    def strata(self, rows: Rows, number: int) -> Indices:
        """Return whether each row has the label."""
        return rows.targets[:, number].astype(np.int64)

    def probabilities(self, scores: Floats) -> Floats:
        """Return probabilities of yes and no; each hypothesis has its own, that it is entailed."""
        if self.calibrated:
            return super().probabilities(scores)
        entailed: Floats = np.exp(np.minimum(scores, 0)).astype(np.float32)
        return entailed

    def outputs(self, probabilities: Floats) -> Floats:
        """Return (rows, labels) probabilities."""
        return self.of_answers(probabilities)[:, :, 1] if self.calibrated else probabilities[:, 0]

    def lure(self, answer: dict[str, Any]) -> str:
        """Return no where labels were given, else yes."""
        return "no" if answer["labels"] else "yes"


class ListedLabels(_SeveralLabels, WrittenAsking):
    """One list of the labels that fit; words that name no label count for nothing."""

    @cached_property
    def _numbers(self) -> dict[str, int]:
        named = {label.casefold(): number for number, label in enumerate(self.brief.labels)}
        return named | {label.word.casefold(): number for number, label in enumerate(self.words)}

    def form(self, row: Input) -> Form:
        """Return free text of a list's length."""
        return Free(self.brief.written_tokens)

    def question(self, row: Input, number: int) -> str:
        """Return the text."""
        return self.template.fill("question", fields_of(self.brief.task, row), None)

    def right_answer(self, row: Input, target: Any, number: int) -> str:
        """Return the labels with semicolons between them."""
        return "; ".join(self.words[at].word for at in np.flatnonzero(target > 0)) or _NONE

    def outputs(self, inputs: Sequence[Input], written: Sequence[Written]) -> Floats:
        """Return (rows, labels): above a half for labels that were named, the further the surer the answer was."""
        found: Floats = np.zeros((len(written), len(self.words)), dtype=np.float32)
        for row, answer in enumerate(written):
            sure = sureness(answer)
            found[row] = 0.5 - sure / 2
            found[row, self._named(answer.text)] = 0.5 + sure / 2
        return found

    def lure(self, answer: dict[str, Any]) -> str:
        """Return a label that was not given, or none where all were."""
        free = (word.word for label, word in zip(self.brief.labels, self.words, strict=True)
                if label not in answer["labels"])  # fmt: skip
        return next(free, _NONE)

    def _named(self, text: str) -> list[int]:
        parts = _BETWEEN.split(text)
        if not any(part.strip(_AROUND).casefold() in self._numbers for part in parts):
            parts = text.split(",")
        named = (self._numbers.get(part.strip(_AROUND).casefold()) for part in parts)
        return sorted({number for number in named if number is not None})
