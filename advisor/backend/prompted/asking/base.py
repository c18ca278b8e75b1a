"""Asking: how a row of a task becomes questions to a language model, and how its answers become the task's outputs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from advisor.backend.arrays import Floats, Indices, softmax
from advisor.backend.prompted.asking.brief import Brief
from advisor.backend.prompted.label_words import wordings
from advisor.backend.prompted.language_model import Form, Written
from advisor.backend.prompted.templates import PromptTemplate
from advisor.backend.rows import Rows, strata
from advisor.tasks import TASKS, Chat, Input, Pair


class Asking(ABC):
    """How one task's rows are asked about.

    Args:
        brief: what is asked.
        text: of the prompt template.

    Attributes:
        questions: how many a row takes, one or one a label.
        instruction, stem: of every prompt, as `Prompt` has them.
        template: that words it all.
    """

    def __init__(self, brief: Brief, text: str) -> None:
        self.brief = brief
        self.template = PromptTemplate(text, {"task": brief.instruction, **self.values()}, brief.task)
        self.instruction = "" if brief.hypotheses else self.template.fill("instruction")
        self.stem = "" if brief.hypotheses else self.template.fill("stem")

    @property
    def questions(self) -> int:
        """How many questions a row takes."""
        return 1

    @abstractmethod
    def values(self) -> dict[str, Any]:
        """Return what the template's macros see."""

    def question(self, row: Input, number: int) -> str:
        """Return a question about a row."""
        return self.template.fill("premise" if self.brief.hypotheses else "question", fields_of(self.brief.task, row))

    @abstractmethod
    def right_answer(self, row: Input, target: Any, number: int) -> str:
        """Return the answer that a demonstration shows, from a row and its target as `Rows` has it."""

    def strata(self, rows: Rows, number: int) -> Indices | None:
        """Return a number a row that demonstrations of a question are balanced over; None where any will do."""
        return strata(self.brief.task, rows)

    @abstractmethod
    def lure(self, answer: dict[str, Any]) -> str:
        """Return an answer other than the one given, as an injection would demand it.

        Args:
            answer: about a row, as `advisor.backend.answers` has it.
        """


class ScoredAsking(Asking):
    """Asking where given answers are scored.

    Attributes:
        choices: all wordings of all answers, or a hypothesis an answer.
        calibrated: whether probabilities of choices add up to 1, so that they can be calibrated.
    """

    calibrated: bool = True

    def __init__(self, brief: Brief, text: str) -> None:
        super().__init__(brief, text)
        if brief.hypotheses:
            worded = [[self.template.fill("hypothesis", subject)] for subject in self.hypothesis_subjects()]
        else:
            worded = wordings(self.template, self.subjects(), brief.verbalisers)
        self.worded = worded
        self.choices = tuple(wording for lines in worded for wording in lines)
        self._shares: Floats = np.zeros((len(self.choices), len(worded)), dtype=np.float32)
        first = 0
        for number, lines in enumerate(worded):
            self._shares[first : first + len(lines), number] = 1 / len(lines)
            first += len(lines)

    @abstractmethod
    def subjects(self) -> Sequence[Any]:
        """Return what the answers are, as the template's macro ``answers`` takes them."""

    def hypothesis_subjects(self) -> Sequence[Any]:
        """Return what hypotheses are about."""
        return self.subjects()

    def probabilities(self, scores: Floats) -> Floats:
        """Return probabilities of the choices from their log-likelihoods, both (rows, questions, choices)."""
        return softmax(scores.reshape(-1, scores.shape[-1]).astype(np.float32)).reshape(scores.shape)

    def of_answers(self, probabilities: Floats) -> Floats:
        """Return probabilities of answers, the mean over each one's wordings, (rows, questions, answers)."""
        found: Floats = probabilities @ self._shares
        shared: Floats = found / np.maximum(found.sum(axis=-1, keepdims=True), np.finfo(np.float32).tiny)
        return shared.astype(np.float32)

    @abstractmethod
    def outputs(self, probabilities: Floats) -> Floats:
        """Return the task's outputs from probabilities of the choices, (rows, questions, choices)."""


class WrittenAsking(Asking):
    """Asking where the model writes its answer in a given form."""

    @abstractmethod
    def form(self, row: Input) -> Form:
        """Return the form of the answer about a row, which may have been cut."""

    @abstractmethod
    def outputs(self, inputs: Sequence[Input], written: Sequence[Written]) -> Floats:
        """Return the task's outputs from the answers about rows, given as they were before any was cut."""

    def judged(self, rows: Rows, written: Sequence[Written]) -> Floats:
        """Return what answers are judged by, as `advisor.backend.evaluation` takes it: the outputs, mostly."""
        return self.outputs(rows.inputs, written)


def fields_of(task: str, row: Input) -> dict[str, Any]:
    """Return what a row holds by the names that templates know it by."""
    if isinstance(row, Pair):
        names = ("question", "context") if TASKS[task].reads == "question" else ("first", "second")
        return dict(zip(names, row, strict=True))
    if isinstance(row, Chat):
        return {"text": _transcript(row)}
    return {"text": row} if isinstance(row, str) else {"words": row}


def _transcript(chat: Chat) -> str:
    """Return a chat as one text: what the system and the user say, with names from the second turn on."""
    *before, last = chat.messages
    if all(message.role == "system" for message in before):
        return "\n\n".join(message.content for message in chat.messages)
    return "\n\n".join(f"{message.role.capitalize()}: {message.content}" for message in (*before, last))


def sureness(written: Written) -> float:
    """Return the probability of a written answer, a token's geometric mean; 1 where the model does not tell."""
    if np.isnan(written.log_likelihood):
        return 1.0
    return float(np.exp(min(0.0, written.log_likelihood)))
