"""Asking for an answer out of a context: the model copies it, and its place there is looked up."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np

from advisor.backend.arrays import Floats, Indices
from advisor.backend.prompted.asking.base import WrittenAsking, sureness
from advisor.backend.prompted.language_model import Extract, Form, Written
from advisor.backend.rows import Rows
from advisor.tasks import Input, Pair


class Spans(WrittenAsking):
    """The part of a context that answers a question, or words that say that none does where that may be."""

    @cached_property
    def nothing(self) -> str:
        """How an answer says that the context holds none; empty where every context holds one."""
        return self.template.fill("nothing") if self.brief.unanswerable else ""

    def values(self) -> dict[str, Any]:
        """Return whether a context may hold no answer."""
        return {"unanswerable": self.brief.unanswerable}

    def form(self, row: Input) -> Form:
        """Return the form of words from the context."""
        return Extract(cast(Pair, row).second, self.nothing)

    def right_answer(self, row: Input, target: Any, number: int) -> str:
        """Return the first answer, or that there is none."""
        return target[0].text if target else self.nothing

    def strata(self, rows: Rows, number: int) -> Indices | None:
        """Return whether each row has an answer, where some may have none."""
        return np.array([bool(answers) for answers in rows.targets], dtype=np.int64) if self.nothing else None

    def outputs(self, inputs: Sequence[Input], written: Sequence[Written]) -> Floats:
        """Return (rows, 3): start, end and sureness; all 0 where the answer does not stand in the context.

        Where it says that the context holds none, start and end are 0.
        """
        found: Floats = np.zeros((len(written), 3), dtype=np.float32)
        for row, (source, answer) in enumerate(zip(inputs, written, strict=True)):
            if self.nothing and answer.text.strip().casefold() == self.nothing.casefold():
                found[row, 2] = sureness(answer)
                continue
            start, end = _place(answer.text.strip(), cast(Pair, source).second)
            if end > start:
                found[row] = start, end, sureness(answer)
        return found

    def lure(self, answer: dict[str, Any]) -> str:
        """Return that there is no answer, or a word that answers nothing."""
        return self.nothing or "nothing"


def _place(answer: str, context: str) -> tuple[int, int]:
    """Return where an answer begins and ends in a context: as it is, else whatever its case; (0, 0) where nowhere."""
    if not answer:
        return 0, 0
    start = context.find(answer)
    if start < 0 and len(context.lower()) == len(context):
        start = context.lower().find(answer.lower())
    return (start, start + len(answer)) if start >= 0 else (0, 0)
