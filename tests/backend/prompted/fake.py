"""A language model that answers by simple rules, the same every time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.prompted.language_model import Extract, Form, Usage, Written
from advisor.backend.prompted.prompt import Prompt
from advisor.backend.within_memory import Progress

Likes = Callable[[Prompt, str], float]
Writes = Callable[[Prompt, Form], str]


def by_cues(cues: dict[str, str], bias: dict[str, float] | None = None) -> Likes:
    """Return a taste for answers whose cue word stands in the question, and for some answers whatever is asked."""

    def likes(prompt: Prompt, choice: str) -> float:
        found = sum(3.0 for word, answer in cues.items() if word in prompt.question and answer == choice.lower())
        return found + (bias or {}).get(choice.lower(), 0.0)

    return likes


def first_word(prompt: Prompt, form: Form) -> str:
    return form.context.split()[0] if isinstance(form, Extract) else "[]"


@dataclass
class FakeModel:
    likes: Likes = field(default_factory=lambda: by_cues({}))
    answer: Writes = first_word
    name: str = "fake"
    context: int | None = None
    reads: Literal["prompts", "hypotheses"] = "prompts"
    writes: bool = True
    likelihood: float = float("nan")
    asked: list[Prompt] = field(default_factory=list)

    def tokens(self, prompt: Prompt) -> int:
        return len(prompt.text().split())

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str], progress: Progress | None = None) -> Floats:
        self.asked += prompts
        if progress:
            progress(len(prompts), len(prompts))
        scores = [[self.likes(prompt, choice) for choice in choices] for prompt in prompts]
        found = np.array(scores, dtype=np.float32).reshape(len(prompts), len(choices))
        return (found - np.log(np.exp(found).sum(axis=1, keepdims=True))).astype(np.float32)

    def write(
        self, prompts: Sequence[Prompt], forms: Sequence[Form], progress: Progress | None = None
    ) -> list[Written]:
        self.asked += prompts
        pairs = zip(prompts, forms, strict=True)
        return [Written(self.answer(prompt, form), self.likelihood, True) for prompt, form in pairs]

    def likelihoods(
        self, prompts: Sequence[Prompt], answers: Sequence[str], progress: Progress | None = None
    ) -> Floats:
        """Two nats a word, fewer the more demonstrations there are; nothing is told as behind a server."""
        if self.likelihood != self.likelihood:
            return np.zeros((len(prompts), 2), dtype=np.float32)
        sizes = [len(answer.split()) for answer in answers]
        nats = [2.0 / (1 + len(prompt.turns)) for prompt in prompts]
        return np.array([(-size * each, size) for size, each in zip(sizes, nats, strict=True)], dtype=np.float32)

    @property
    def usage(self) -> Usage:
        return Usage(len(self.asked), sum(map(self.tokens, self.asked)), 0, 0.0)
