"""Inputs that occur more than once: repeats, contradictory labels, and test rows seen in training."""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable

from pydantic import BaseModel, Field

from advisor.data.examples import Examples, as_text
from advisor.tasks import TASKS, Chat, Demonstration, Input, Judged, Label, Pair, Preferred

_SHOWN_ROWS = 10
_WORD = re.compile(r"\w+")


class Finding(BaseModel):
    """Rows that share a fault: how many, and the places of the first ten in their file."""

    count: int = 0
    rows: list[int] = Field(default_factory=list)


class Contradiction(BaseModel):
    """One text (case and spaces aside) that carries several labels."""

    text: str
    rows: list[int]
    labels: list[str]


class Contradictions(BaseModel):
    """Texts with several labels.

    Attributes:
        texts: how many texts.
        rows: how many rows they fill.
        examples: the first ten.
        disagreement: among rows whose text occurs more than once, the share whose label is not the commonest
            one of that text: a rough sign of label noise; ``None`` where no text repeats.
        disagreement_rows: how many rows that share rests on.
    """

    texts: int = 0
    rows: int = 0
    examples: list[Contradiction] = Field(default_factory=list)
    disagreement: float | None = None
    disagreement_rows: int = 0


class Leakage(BaseModel):
    """Test rows whose text is also in the training data.

    Attributes:
        exact: the same text, case and spaces aside.
        near: not the same text but the same set of words, order and punctuation aside.
        pairs: ``(test row, training row)`` of the first ten, exact ones first.
        other_label: how many exact ones carry a label that the text never has in training.
    """

    exact: Finding = Field(default_factory=Finding)
    near: Finding = Field(default_factory=Finding)
    pairs: list[tuple[int, int]] = Field(default_factory=list)
    other_label: int = 0


def finding(rows: Iterable[int]) -> Finding:
    """Count rows and keep the places of the first ten."""
    places = list(rows)
    return Finding(count=len(places), rows=places[:_SHOWN_ROWS])


def fold(text: str) -> str:
    """Return a text with case and spaces evened out, the form in which duplicates are compared."""
    return " ".join(text.casefold().split())


def folded(one: Input) -> str:
    """Return all that a model reads of a row in the form in which duplicates are compared."""
    if isinstance(one, str):
        return fold(one)
    if isinstance(one, Chat):
        return "\n".join(fold(message.content) for message in one.messages)
    return "\n".join(map(fold, one)) if isinstance(one, Pair) else fold(" ".join(one))


class Seen:
    """First places of inputs, by folded text and by set of words; hashes stand for the texts to save memory.

    Attributes:
        repeats: index of a repeating row to the index of the first row with its folded text.
        near_repeats: indices of rows that repeat an earlier row's set of words but not its text.
    """

    def __init__(self, examples: Examples) -> None:
        self.inputs = examples.inputs
        self.by_text: dict[int, int] = {}
        self.by_words: dict[int, int] = {}
        self.repeats: dict[int, int] = {}
        self.near_repeats: list[int] = []
        for index, one in enumerate(self.inputs):
            text = folded(one)
            first = self.by_text.setdefault(hash(text), index)
            if first != index and folded(self.inputs[first]) == text:
                self.repeats[index] = first
                continue
            bag = _bag(text)
            first = self.by_words.setdefault(hash(bag), index)
            if first != index and len(bag) > 1 and _bag(folded(self.inputs[first])) == bag:
                self.near_repeats.append(index)

    def find(self, one: Input) -> tuple[int | None, int | None]:
        """Return the first row with the same folded text, and the first with the same set of words."""
        text = folded(one)
        same = self.by_text.get(hash(text))
        if same is not None and folded(self.inputs[same]) == text:
            return same, None
        bag = _bag(text)
        near = self.by_words.get(hash(bag))
        if near is not None and len(bag) > 1 and _bag(folded(self.inputs[near])) == bag:
            return None, near
        return None, None


def _bag(text: str) -> frozenset[object]:
    """Return the words of a folded text; of a pair, those of either text apart, whichever comes first."""
    if "\n" in text:
        return frozenset(frozenset(_WORD.findall(part)) for part in text.split("\n"))
    return frozenset(_WORD.findall(text))


def label_text(task: str, label: Label) -> str:
    """Return a label in words: tags with spaces between, several classes with commas, answers with bars."""
    if isinstance(label, str):
        return label
    if isinstance(label, float):
        return f"{label:g}"
    if isinstance(label, Demonstration):
        return " | ".join(label.answers)
    if isinstance(label, Preferred):
        return f"{label.chosen} rather than {label.rejected}"
    if isinstance(label, Judged):
        return f"{label.answer} ({'approved' if label.approved else 'disapproved'})"
    between = {"tags": " ", "span": " | "}.get(TASKS[task].predicts, ", ")
    return between.join(part if isinstance(part, str) else part.text for part in label)


def _same(task: str, label: Label) -> Hashable:
    """Return a label in the form in which two are compared: classes and answers in any order, tags in theirs."""
    return frozenset(label) if isinstance(label, tuple) and TASKS[task].predicts in ("classes", "span") else label


def find_contradictions(task: str, examples: Examples, repeats: dict[int, int]) -> Contradictions:
    """Return the inputs that carry several labels; ``repeats`` as in `Seen`."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, first in repeats.items():
        if not groups[first]:
            groups[first].append(first)
        groups[first].append(index)
    result = Contradictions()
    dissenting = 0
    for first, members in sorted(groups.items()):
        labels = Counter(_same(task, examples.labels[index]) for index in members)
        result.disagreement_rows += len(members)
        dissenting += len(members) - max(labels.values())
        if len(labels) > 1:
            result.texts += 1
            result.rows += len(members)
            if len(result.examples) < _SHOWN_ROWS:
                shown = members[:_SHOWN_ROWS]
                result.examples.append(
                    Contradiction(
                        text=as_text(examples.inputs[first])[:200],
                        rows=[examples.rows[index] for index in shown],
                        labels=[label_text(task, examples.labels[index]) for index in shown],
                    )
                )
    if result.disagreement_rows:
        result.disagreement = dissenting / result.disagreement_rows
    return result


def find_leakage(task: str, train: Examples, test: Examples, seen: Seen) -> Leakage:
    """Return the test rows whose input ``seen`` has met in training."""
    exact: list[tuple[int, int]] = []
    near: list[tuple[int, int]] = []
    for index, one in enumerate(test.inputs):
        same, similar = seen.find(one)
        if same is not None:
            exact.append((index, same))
        elif similar is not None:
            near.append((index, similar))
    labels = {first: {_same(task, train.labels[first])} for _, first in exact}
    for index, first in seen.repeats.items():
        if first in labels:
            labels[first].add(_same(task, train.labels[index]))
    return Leakage(
        exact=finding(test.rows[index] for index, _ in exact),
        near=finding(test.rows[index] for index, _ in near),
        pairs=[(test.rows[index], train.rows[first]) for index, first in (exact + near)[:_SHOWN_ROWS]],
        other_label=sum(_same(task, test.labels[index]) not in labels[first] for index, first in exact),
    )
