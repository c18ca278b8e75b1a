"""Asking for an answer out of a context: the model copies it, and its place there is looked up."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.prompted.asking.base import WrittenAsking, sureness
from advisor.backend.prompted.language_model import Extract, Form, Written
from advisor.tasks import Input, Pair


class Spans(WrittenAsking):
    """The part of a context that answers a question."""

    def values(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def form(self, row: Input) -> Form:
        """Return the form of words from the context."""
        return Extract(cast(Pair, row).second)

    def right_answer(self, row: Input, target: Any, number: int) -> str:
        """Return the first answer; empty where the context holds none."""
        return target[0].text if target else ""

    def outputs(self, inputs: Sequence[Input], written: Sequence[Written]) -> Floats:
        """Return (rows, 3): start, end and sureness; all 0 where the answer does not stand in the context."""
        found: Floats = np.zeros((len(written), 3), dtype=np.float32)
        for row, (source, answer) in enumerate(zip(inputs, written, strict=True)):
            start, end = _place(answer.text.strip(), cast(Pair, source).second)
            if end > start:
                found[row] = start, end, sureness(answer)
        return found

    def lure(self, answer: dict[str, Any]) -> str:
        """Return a word that answers nothing."""
        return "nothing"


def _place(answer: str, context: str) -> tuple[int, int]:
    """Return where an answer begins and ends in a context: as it is, else whatever its case; (0, 0) where nowhere."""
    if not answer:
        return 0, 0
    start = context.find(answer)
    if start < 0 and len(context.lower()) == len(context):
        start = context.lower().find(answer.lower())
    return (start, start + len(answer)) if start >= 0 else (0, 0)
