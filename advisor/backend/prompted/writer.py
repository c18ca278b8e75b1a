"""A prompted language model whose task is to write: it answers prompts in its own words."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from advisor.backend.alignment.observing import evenly_chosen
from advisor.backend.arrays import Floats
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
        """Measure how likely right answers are, unless a server is asked, and write as many as the rules allow.

        Like a model that is tuned, so that both can be compared: over all rows, an answer's end included.
        """
        likelihoods: list[Floats] = [np.zeros((0, 2), dtype=np.float32)]
        for start in range(0, len(rows), WINDOW):
            window = rows.take(range(start, min(start + WINDOW, len(rows))))

            def report(done: int, _: int, start: int = start) -> None:
                if progress:
                    progress(start + done, len(rows))

            likelihoods.append(self.interview.likelihoods(window, self.way, progress=report))
        chosen, texts = evenly_chosen(len(rows)), [""] * len(rows)
        for row, text in zip(chosen, self.write([rows.inputs[row] for row in chosen], progress), strict=True):
            texts[row] = text
        return Observed(written_numbers(np.concatenate(likelihoods), texts, rows, chosen), texts)


def prompted(interview: Interview, *parts: Any) -> PromptedModel:
    """Return a prompted model of the kind that its task needs; the parts are those of `PromptedModel`."""
    writes = TASKS[interview.asking.brief.task].predicts in WRITING
    return (PromptedWriter if writes else PromptedModel)(interview, *parts)
