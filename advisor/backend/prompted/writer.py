"""A prompted language model whose task is to write: it answers prompts in its own words."""

from collections.abc import Sequence
from typing import Any

from advisor.backend.alignment.observing import evenly_chosen
from advisor.backend.predictor import Observed
from advisor.backend.prompted.asking.texts import written_numbers
from advisor.backend.prompted.interview import Interview
from advisor.backend.prompted.model import WINDOW, PromptedModel
from advisor.backend.rows import Rows
from advisor.backend.within_memory import Progress
from advisor.tasks import TASKS, WRITING, Input


class PromptedWriter(PromptedModel):
    """A prompted model that writes, see `advisor.backend.predictor.Writer`."""

    def write(self, inputs: Sequence[Input], progress: Progress | None = None) -> list[str]:
        """Return an answer a prompt."""
        found: list[str] = []
        for start in range(0, len(inputs), WINDOW):
            written = self.interview.written(inputs[start : start + WINDOW], self.way)
            found += [one.text.strip() for one in written]
            if progress:
                progress(len(found), len(inputs))
        return found

    def observe(self, rows: Rows, progress: Progress | None = None) -> Observed:
        """Write answers to as many rows as the rules allow and compare them; how likely right ones are is not told."""
        chosen, texts = evenly_chosen(len(rows)), [""] * len(rows)
        for row, text in zip(chosen, self.write([rows.inputs[row] for row in chosen], progress), strict=True):
            texts[row] = text
        return Observed(written_numbers(texts, rows, chosen), texts)


def prompted(interview: Interview, *parts: Any) -> PromptedModel:
    """Return a prompted model of the kind that its task needs; the parts are those of `PromptedModel`."""
    writes = TASKS[interview.asking.brief.task].predicts in WRITING
    return (PromptedWriter if writes else PromptedModel)(interview, *parts)
