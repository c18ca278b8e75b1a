"""The words that stand for labels in prompts: distinct, as people write them, each with its description."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from advisor.backend.prompted.templates import PromptTemplate, one_line
from advisor.backend.wording import humanise


class LabelWord(NamedTuple):
    """A label as a prompt names it.

    Attributes:
        word: its name in running text, no two labels alike.
        description: what it means, empty where nothing is said.
    """

    word: str
    description: str


def label_words(labels: Sequence[str], descriptions: Mapping[str, str]) -> list[LabelWord]:
    """Return the words of labels; those that would read alike keep the name as the data have it."""
    names = [one_line(humanise(label)) or label for label in labels]
    often = Counter(name.casefold() for name in names)
    return [
        LabelWord(name if often[name.casefold()] == 1 else label, one_line(descriptions.get(label, "")))
        for label, name in zip(labels, names, strict=True)
    ]


def wordings(template: PromptTemplate, answers: Sequence[object], most: int) -> list[list[str]]:
    """Return the wordings of every answer, the one that demonstrations show first; no wording stands for two answers.

    Args:
        template: words an answer by its macro ``answers``.
        answers: what is worded.
        most: wordings of an answer.
    """
    found = [template.lines("answers", answer) or [str(answer)] for answer in answers]
    owners: dict[str, int] = {}
    for number, lines in enumerate(found):
        owners.setdefault(lines[0], number)
    kept = []
    for number, lines in enumerate(found):
        own = [line for line in lines if owners.setdefault(line, number) == number]
        kept.append((own or lines)[:most])
    return kept
