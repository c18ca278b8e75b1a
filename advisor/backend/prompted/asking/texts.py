"""Asking for text: the model answers a prompt or goes on with a chat in its own words."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from advisor.backend.alignment.observing import overlaps
from advisor.backend.arrays import Floats
from advisor.backend.prompted.asking.base import WrittenAsking
from advisor.backend.prompted.language_model import Form, Free, Written
from advisor.backend.rows import Rows
from advisor.tasks import Demonstration, Input


class Texts(WrittenAsking):
    """An answer to a prompt."""

    def values(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def form(self, row: Input) -> Form:
        """Return free text."""
        return Free(self.brief.written_tokens)

    def right_answer(self, row: Input, target: Any, number: int) -> str:
        """Return the first of the right answers."""
        return cast(Demonstration, target).answers[0]

    def outputs(self, inputs: Sequence[Input], written: Sequence[Written]) -> Floats:
        """Return (rows, 2): log-likelihood of the answer, 0 where the model does not tell, and its characters."""
        found: Floats = np.array([(one.log_likelihood, len(one.text)) for one in written], dtype=np.float32)
        return np.nan_to_num(found.reshape(-1, 2))

    def judged(self, rows: Rows, written: Sequence[Written]) -> Floats:
        """Return what written answers are judged by, see `written_numbers`."""
        untold = np.zeros((len(rows), 2), dtype=np.float32)
        return written_numbers(untold, [one.text for one in written], rows, range(len(rows)))

    def lure(self, answer: dict[str, Any]) -> str:
        """Return nothing: no answer is demanded instead of another."""
        return ""


def written_numbers(likelihoods: Floats, texts: Sequence[str], rows: Rows, chosen: Sequence[int]) -> Floats:
    """Return (rows, 5) as `advisor.backend.evaluation.writing` takes them.

    Args:
        likelihoods: (rows, 2), log-likelihood and tokens of the right answers, zeros where they are not told.
        texts: an answer a row, empty where none was written.
        rows: prompts with right answers.
        chosen: numbers of the rows that an answer was written to.
    """
    return np.concatenate([likelihoods, overlaps(texts, rows, list(chosen))], axis=1)
