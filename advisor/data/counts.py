"""Counts: how many rows carry each class, or how many entities are of each type."""

from collections import Counter
from itertools import chain
from typing import cast

from advisor.data.examples import Examples
from advisor.data.tags import entities
from advisor.tasks import TASKS


def count_labels(task: str, examples: Examples) -> Counter[str]:
    """Return how many rows carry each class, or how many entities are of each type; empty for numbers and answers."""
    predicts = TASKS[task].predicts
    sets = cast("list[tuple[str, ...]]", examples.labels)
    if predicts == "class":
        return Counter(examples.classes)
    if predicts == "classes":
        return Counter(chain.from_iterable(sets))
    if predicts == "tags":
        return Counter(entity.type for tags in sets for entity in entities(tags))
    return Counter()
