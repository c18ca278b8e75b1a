"""What labels hold: how often each class, how many a row, which numbers, which entities, which answers."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from math import sqrt
from statistics import fmean
from typing import cast

from pydantic import BaseModel

from advisor.data.duplicates import Finding, finding
from advisor.data.examples import Examples
from advisor.data.lengths import Quantiles, nearest_rank, quantiles
from advisor.data.tags import OUTSIDE, entities
from advisor.tasks import TASKS, Answer, Pair


class LabelCount(BaseModel):
    """How often a label occurs among the usable training rows.

    Attributes:
        label: a class, or a type of entity.
        count: rows that carry it, or entities.
        share: of all rows, or of all entities, from 0 to 1.
    """

    label: str
    count: int
    share: float


class LabelSets(BaseModel):
    """Rows with several labels.

    Attributes:
        mean: labels a row.
        most: labels of the row that has most.
        without: rows to which no class applies.
        distinct: how many different sets of labels occur.
    """

    mean: float
    most: int
    without: Finding
    distinct: int


class Numbers(BaseModel):
    """Numbers to predict: their spread, quantiles by nearest rank; ``sd`` of the population, ``distinct`` values."""

    min: float
    p05: float
    p25: float
    p50: float
    p75: float
    p95: float
    max: float
    mean: float
    sd: float
    distinct: int


class EntityType(BaseModel):
    """Entities of one type: how many, their mean length and the longest, in words."""

    label: str
    count: int
    mean_words: float
    longest: int


class Entities(BaseModel):
    """Entities in sentences.

    Attributes:
        count: entities in all.
        types: from the most frequent to the least.
        without: sentences that have none.
        outside: share of the words that are part of none, from 0 to 1.
    """

    count: int
    types: list[EntityType]
    without: Finding
    outside: float


class Answers(BaseModel):
    """Answers in contexts.

    Attributes:
        count: answers in all.
        without: questions whose context holds none.
        words: their lengths in words, split at spaces.
        contexts: how many different contexts there are.
        shared_contexts: test questions about a context of the training data; ``None`` without a test file.
    """

    count: int
    without: Finding
    words: Quantiles
    contexts: int
    shared_contexts: Finding | None


def count_labels(task: str, examples: Examples) -> Counter[str]:
    """Return how many rows carry each class, or how many entities are of each type; empty for numbers and answers."""
    predicts = TASKS[task].predicts
    if predicts == "class":
        return Counter(examples.classes)
    if predicts == "classes":
        return Counter(chain.from_iterable(_sets(examples)))
    if predicts == "tags":
        return Counter(entity.type for tags in _sets(examples) for entity in entities(tags))
    return Counter()


def label_counts(task: str, examples: Examples) -> list[LabelCount]:
    """Return how often each class or type of entity occurs, from the most frequent to the least."""
    counts = count_labels(task, examples)
    among = sum(counts.values()) if TASKS[task].predicts == "tags" else len(examples)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [LabelCount(label=label, count=count, share=count / among) for label, count in ordered]


def label_sets(examples: Examples) -> LabelSets:
    """Look over the labels of a task with several a row."""
    sets = _sets(examples)
    return LabelSets(
        mean=fmean(map(len, sets)),
        most=max(map(len, sets)),
        without=_without(examples),
        distinct=len(set(map(frozenset, sets))),
    )


def numbers(examples: Examples) -> Numbers:
    """Look over numbers."""
    ordered = sorted(cast("list[float]", examples.labels))
    mean = fmean(ordered)
    return Numbers(
        min=ordered[0],
        **{f"p{percent:02}": nearest_rank(ordered, percent) for percent in (5, 25, 50, 75, 95)},
        max=ordered[-1],
        mean=mean,
        sd=sqrt(fmean((number - mean) ** 2 for number in ordered)),
        distinct=len(set(ordered)),
    )


def entity_types(examples: Examples) -> Entities:
    """Look over the entities that tags mark."""
    sets = _sets(examples)
    lengths: dict[str, list[int]] = {}
    without = []
    for row, tags in zip(examples.rows, sets, strict=True):
        found = list(entities(tags))
        if not found:
            without.append(row)
        for entity in found:
            lengths.setdefault(entity.type, []).append(entity.end - entity.start)
    ordered = sorted(lengths.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return Entities(
        count=sum(map(len, lengths.values())),
        types=[
            EntityType(label=name, count=len(some), mean_words=fmean(some), longest=max(some)) for name, some in ordered
        ],
        without=finding(without),
        outside=sum(tags.count(OUTSIDE) for tags in sets) / sum(map(len, sets)),
    )


def answer_spans(train: Examples, test: Examples | None) -> Answers:
    """Look over answers and the contexts they stand in."""
    answers = cast("list[tuple[Answer, ...]]", train.labels)
    contexts = {one.second for one in cast("list[Pair]", train.inputs)}
    shared = None
    if test is not None:
        asked = zip(test.rows, cast("list[Pair]", test.inputs), strict=True)
        shared = finding(row for row, one in asked if one.second in contexts)
    return Answers(
        count=sum(map(len, answers)),
        without=_without(train),
        words=quantiles([len(answer.text.split()) for answer in chain.from_iterable(answers)]),
        contexts=len(contexts),
        shared_contexts=shared,
    )


def _sets(examples: Examples) -> Sequence[tuple[str, ...]]:
    return cast("list[tuple[str, ...]]", examples.labels)


def _without(examples: Examples) -> Finding:
    return finding(row for row, label in zip(examples.rows, examples.labels, strict=True) if not label)
