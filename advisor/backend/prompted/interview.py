"""An interview: rows put to a language model in a task's words, with demonstrations, as far as its context goes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.prompted.asking import Asking, ScoredAsking, WrittenAsking
from advisor.backend.prompted.demonstrations import Demonstrations, Way
from advisor.backend.prompted.language_model import LanguageModel, Written
from advisor.backend.prompted.packing import Cuts, Packer
from advisor.backend.prompted.prompt import Prompt, Turn
from advisor.backend.rows import Rows
from advisor.backend.within_memory import Progress
from advisor.tasks import Input


@dataclass
class Interview:
    """A language model and all that its prompts are made of.

    Attributes:
        model: answers.
        asking: words rows as questions, and reads the answers.
        demonstrations: what can be shown.
        context: tokens that prompt and answer may have together, beside what the model says itself.
        cuts: what did not fit, so far.
        sizes: tokens that demonstrations add, as far as they were looked up.
    """

    model: LanguageModel
    asking: Asking
    demonstrations: Demonstrations
    context: int | None = None
    cuts: Cuts = field(default_factory=Cuts)
    sizes: dict[Turn, int] = field(default_factory=dict)

    def prompts(
        self, inputs: Sequence[Input], way: Way, unseen: Sequence[Input] | None = None
    ) -> tuple[list[list[Prompt]], list[list[Input]]]:
        """Return for each question, then each row, the prompt, and the row as the prompt has it.

        Args:
            inputs: rows.
            way: how demonstrations are chosen and ordered.
            unseen: a row an input that it is not shown, nor any that reads the same.

        Raises:
            InputError: the instruction alone does not fit the context.
        """
        packer = Packer(self.model, self.asking, self._room, self.cuts, self.sizes)
        # What is similar comes last as chosen first; fixed ones come as they were chosen.
        backwards = (way.selection == "retrieved") == (way.order == "forward")
        prompts: list[list[Prompt]] = []
        read: list[list[Input]] = []
        for number, chosen in enumerate(self.demonstrations.preferred(inputs, way, unseen)):
            turns = [[self._turn(int(at), number) for at in numbers] for numbers in chosen]
            packed = [
                packer.pack(row, number, shown, backwards=backwards) for row, shown in zip(inputs, turns, strict=True)
            ]
            prompts.append([prompt for prompt, _ in packed])
            read.append([row for _, row in packed])
        return prompts, read

    def probabilities(
        self, inputs: Sequence[Input], way: Way, unseen: Sequence[Input] | None = None, progress: Progress | None = None
    ) -> Floats:
        """Return probabilities of the choices, (rows, questions, choices); arguments are those of `prompts`."""
        assert isinstance(self.asking, ScoredAsking)
        prompts, _ = self.prompts(inputs, way, unseen)
        total = len(inputs) * len(prompts)
        scores: Floats = np.zeros((len(inputs), len(prompts), len(self.asking.choices)), dtype=np.float32)
        # One question at a time: its prompts begin alike, which the model can make use of.
        for number, asked in enumerate(prompts):
            report = _from(number * len(inputs), total, progress)
            scores[:, number] = self.model.score(asked, self.asking.choices, report)
        return self.asking.probabilities(scores)

    def written(
        self, inputs: Sequence[Input], way: Way, unseen: Sequence[Input] | None = None, progress: Progress | None = None
    ) -> list[Written]:
        """Return a written answer a row; arguments are those of `prompts`."""
        assert isinstance(self.asking, WrittenAsking)
        (prompts,), (read,) = self.prompts(inputs, way, unseen)
        return self.model.write(prompts, [self.asking.form(row) for row in read], progress)

    def likelihoods(
        self, rows: Rows, way: Way, unseen: Sequence[Input] | None = None, progress: Progress | None = None
    ) -> Floats:
        """Return log-likelihood and tokens of the right answer to each row, (rows, 2), as `LanguageModel` has them.

        Args:
            rows: with their answers.
            way: how demonstrations are chosen and ordered.
            unseen: as of `prompts`.
            progress: called with rows done and rows in all.
        """
        (prompts,), _ = self.prompts(rows.inputs, way, unseen)
        pairs = zip(rows.inputs, rows.targets, strict=True)
        answers = [self.asking.right_answer(row, target, 0) for row, target in pairs]
        return self.model.likelihoods(prompts, answers, progress)

    def _turn(self, at: int, number: int) -> Turn:
        rows, asking = self.demonstrations.rows, self.asking
        row = rows.inputs[at]
        return Turn(asking.question(row, number), asking.right_answer(row, rows.targets[at], number))

    @property
    def _room(self) -> int | None:
        """Tokens that a prompt may have, the answer's taken off."""
        limits = [limit for limit in (self.context, self.model.context) if limit is not None]
        if not limits:
            return None
        if isinstance(self.asking, WrittenAsking):
            return min(limits) - self.asking.brief.written_tokens
        assert isinstance(self.asking, ScoredAsking)
        return min(limits) - max(self.model.tokens(Prompt("", (), choice)) for choice in self.asking.choices)


def _from(done: int, total: int, progress: Progress | None) -> Progress | None:
    """Return a report of one part of the work as that of all."""
    if progress is None:
        return None
    return lambda step, _: progress(done + step, total)
