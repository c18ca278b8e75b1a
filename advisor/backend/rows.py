"""Rows as a model sees them: what it reads, and what it should answer as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.settings import load_settings
from advisor.tasks import TASKS, Input, Label


@dataclass(frozen=True)
class Rows:
    """Inputs with their targets and their places in the file.

    Attributes:
        inputs: texts, pairs or words.
        targets: by what the task predicts: a class, int64 (rows,); classes, float32 (rows, classes) of 0 and 1; a
            number, float32 (rows,); tags, an int64 array a row; a span, a tuple of answers a row.
        places: row numbers in the file, from 1.
    """

    inputs: Sequence[Input]
    targets: NDArray[Any]
    places: Sequence[int]

    def __len__(self) -> int:
        return len(self.inputs)

    def plus(self, other: "Rows") -> "Rows":
        """Return these rows and then others of the same task."""
        targets = np.concatenate([self.targets, other.targets])
        return Rows([*self.inputs, *other.inputs], targets, [*self.places, *other.places])

    def take(self, index: Sequence[int] | NDArray[np.integer[Any]]) -> "Rows":
        """Return some rows, by their numbers."""
        return Rows([self.inputs[i] for i in index], self.targets[index], [self.places[i] for i in index])


def encode_rows(
    task: str, inputs: Sequence[Input], labels: Sequence[Label], places: Sequence[int], names: Sequence[str]
) -> Rows:
    """Return rows with the labels as numbers.

    Args:
        task: id of the task.
        inputs: what a model reads.
        labels: one a row.
        places: row numbers in the file.
        names: classes or tags, in the order of their numbers.

    Raises:
        KeyError: a label is none of ``names``.
    """
    return Rows(inputs, encode_targets(task, labels, {name: number for number, name in enumerate(names)}), places)


def encode_targets(task: str, labels: Sequence[Any], numbers: dict[str, int]) -> NDArray[Any]:
    """Return the targets of `Rows` for labels as `Examples` holds them."""
    match TASKS[task].predicts:
        case "class":
            return np.array([numbers[label] for label in labels], dtype=np.int64)
        case "classes":
            targets = np.zeros((len(labels), len(numbers)), dtype=np.float32)
            for row, several in enumerate(labels):
                targets[row, [numbers[label] for label in several]] = 1
            return targets
        case "number":
            return np.array(labels, dtype=np.float32)
        case "tags":
            return _ragged([np.array([numbers[tag] for tag in tags], dtype=np.int64) for tags in labels])
        case _:
            return _ragged(list(labels))


def strata(task: str, rows: Rows) -> NDArray[np.int64] | None:
    """Return a number a row, such that folds should hold every number in equal shares; None where any split will do.

    A class is its own; several classes or tags go by the rarest one in the row; a number by one of a few groups
    of equal size.
    """
    match TASKS[task].predicts:
        case "class":
            return rows.targets
        case "classes":
            return _rarest([np.flatnonzero(row) for row in rows.targets], rows.targets.shape[1])
        case "number":
            ranks = rows.targets.argsort(kind="stable").argsort(kind="stable")
            settings = load_settings("evaluation.yaml")
            groups = min(int(settings["number_groups"]), max(1, len(rows) // int(settings["rows_a_group"])))
            return (ranks * groups // max(1, len(rows))).astype(np.int64)
        case "tags":
            highest = max((int(tags.max(initial=0)) for tags in rows.targets), default=0)
            return _rarest([np.unique(tags) for tags in rows.targets], highest + 1)
        case _:
            return None


def _rarest(members: list[NDArray[np.int64]], count: int) -> NDArray[np.int64]:
    """Return the member that fewest rows have, of each row; ``count`` for a row without any."""
    found = np.bincount(np.concatenate([*members, np.zeros(0, dtype=np.int64)]), minlength=count)
    return np.array([row[found[row].argmin()] if len(row) else count for row in members], dtype=np.int64)


def _ragged(values: list[Any]) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        array[row] = value
    return array
