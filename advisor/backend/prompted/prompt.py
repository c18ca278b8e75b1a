"""A prompt: an instruction, demonstrations as turns of question and answer, and the question to be answered."""

from typing import NamedTuple

BETWEEN_TURNS = "\n\n"
"""What stands between the turns of a text without roles, and so ends an answer there."""


class Turn(NamedTuple):
    """A demonstration: what was asked and what the right answer was."""

    question: str
    answer: str


class Prompt(NamedTuple):
    """What a language model is asked.

    Attributes:
        instruction: what to do, the same for every row of a task.
        turns: demonstrations, in order.
        question: what the row holds.
        stem: what stands before every answer in a text without roles, such as ``Label:``.
    """

    instruction: str
    turns: tuple[Turn, ...]
    question: str
    stem: str = ""

    def messages(self) -> list[dict[str, str]]:
        """Return it as chat messages with ``role`` and ``content``, the instruction as the system's."""
        found = [{"role": "system", "content": self.instruction}] if self.instruction else []
        for question, answer in self.turns:
            found += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return [*found, {"role": "user", "content": self.question}]

    def text(self) -> str:
        """Return it as one text for a model without roles; the answer follows after a space."""
        turns = (f"{question}\n{self.stem} {answer}" for question, answer in self.turns)
        return BETWEEN_TURNS.join(
            (*([self.instruction] if self.instruction else []), *turns, f"{self.question}\n{self.stem}")
        )
