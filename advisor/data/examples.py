"""What reading labelled data gives: what a model reads, the labels, and where each row stood."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import cast

from advisor.data.content import is_number
from advisor.data.tags import OUTSIDE
from advisor.tasks import TASKS, Chat, Input, Label, Pair


@dataclass(frozen=True)
class Examples:
    """Labelled rows, in the file's order.

    Attributes:
        inputs: what a model reads, one a row and all of one kind: a text, never blank; a pair of texts; or words. A
            prompt is a text or a chat.
        labels: one a row: a class without surrounding space, never empty; several classes, perhaps none; a number;
            a tag a word; the answers that stand in a context; or, all of one kind, demonstrations, preferences or
            judgements of answers.
        rows: each row's place in its file, from 1; `Part.unit` says what they count.
    """

    inputs: list[Input] = field(default_factory=list, repr=False)
    labels: list[Label] = field(default_factory=list, repr=False)
    rows: list[int] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def texts(self) -> list[str]:
        """The rows as text, see `as_text`; the inputs themselves where they are texts."""
        if self.inputs and isinstance(self.inputs[0], str):
            return cast("list[str]", self.inputs)
        return [as_text(one) for one in self.inputs]

    @property
    def classes(self) -> list[str]:
        """The labels of a task with one class a row."""
        return cast("list[str]", self.labels)


def as_text(one: Input) -> str:
    """Return what a model reads as one text: words with spaces between, parts on lines of their own."""
    if isinstance(one, str):
        return one
    if isinstance(one, Chat):
        return "\n".join(message.content for message in one.messages)
    return "\n".join(one) if isinstance(one, Pair) else " ".join(one)


def context_of(one: Input) -> str:
    """Return what rows that must stay together have in common: the context of a question, or the text of a prompt."""
    return one.second if isinstance(one, Pair) else as_text(one)


@dataclass(frozen=True)
class Part:
    """What one file gave.

    Attributes:
        path: the file as the user named it, or the hub id with its split.
        format: ``csv``, ``tsv``, ``jsonl``, ``json``, ``conll``, ``parquet`` or ``hub``.
        unit: what row numbers count, ``line``, ``row`` or ``question``.
        columns: all columns of the file.
        sha256: of the file's bytes; for a hub id, of its rows as JSON lines ``[text, label]``.
        examples: rows with all that the task needs.
        without_text: places of the rows that have no text, or only one text of a pair.
        unlabelled: what a model reads of the rows that have no label.
        unlabelled_rows: their places.
    """

    path: str
    format: str
    unit: str
    columns: list[str]
    sha256: str
    examples: Examples
    without_text: list[int] = field(default_factory=list, repr=False)
    unlabelled: list[Input] = field(default_factory=list, repr=False)
    unlabelled_rows: list[int] = field(default_factory=list, repr=False)


@dataclass(frozen=True)
class LabelledData:
    """A training file and, where there is one, a test file, with the columns that were used.

    Attributes:
        train_part: the training file.
        test_part: the test file, None where there is none.
        text_column: the column of texts; of the first text of a pair, of questions, or of words.
        label_column: the column of labels, tags, numbers or answers; empty where no row has one.
        task: the kind of task, a key of `TASKS`.
        pair_column: the column of the second text of a pair, or of contexts; None where a row has one text.
    """

    train_part: Part
    test_part: Part | None
    text_column: str
    label_column: str
    task: str = "text-classification"
    pair_column: str | None = None

    @property
    def train(self) -> Examples:
        """The labelled rows to learn from."""
        return self.train_part.examples

    @property
    def test(self) -> Examples | None:
        """The labelled rows to measure on, ``None`` where no test file was given."""
        return self.test_part.examples if self.test_part else None

    @property
    def unlabelled(self) -> list[str]:
        """Training rows without a label, as text."""
        return [as_text(one) for one in self.train_part.unlabelled]

    @property
    def label_names(self) -> list[str]:
        """What can be predicted: training classes in order, as numbers where all are; tags of either file; or nothing.

        Tags begin with ``O``; the others go by type, ``B-`` before ``I-``. Numbers and answers have no names.
        """
        predicts = TASKS[self.task].predicts
        if predicts == "class":
            return in_order(set(self.train.classes))
        if predicts == "classes":
            return in_order(set(chain.from_iterable(cast("list[tuple[str, ...]]", self.train.labels))))
        if predicts == "tags":
            tagged = chain(self.train.labels, self.test.labels if self.test else [])
            return in_order_of_tags(chain.from_iterable(cast("Iterable[tuple[str, ...]]", tagged)))
        return []


def in_order(names: set[str]) -> list[str]:
    """Return names sorted: as numbers where all are numbers, else as text."""
    if all(map(is_number, names)):
        return sorted(names, key=lambda name: (float(name), name))
    return sorted(names)


def in_order_of_tags(tags: Iterable[str]) -> list[str]:
    """Return the distinct tags, ``O`` first, then by type, ``B-`` before ``I-``."""
    return [OUTSIDE, *sorted(set(tags) - {OUTSIDE}, key=lambda tag: (tag[2:], tag[:2]))]
