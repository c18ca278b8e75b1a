"""Confusion: which classes a model takes for which, as a matrix or as the pairs most often confused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MATRIX_CLASSES = 20
_PAIRS = 15


@dataclass(frozen=True)
class Confused:
    """A pair of classes that the model confuses: how many rows of ``truth`` were taken for ``predicted``."""

    truth: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix with its share of the row."""

    count: int
    share: float
    diagonal: bool


@dataclass(frozen=True)
class Confusion:
    """What is shown: the matrix, a row a true class, or, of many classes, the pairs; the other of the two is None."""

    labels: list[str]
    matrix: list[tuple[str, list[Cell]]] | None
    pairs: list[Confused] | None


def confusion_of(found: Mapping[str, Any] | None) -> Confusion | None:
    """Return what a result's ``confusion`` shows; None where there is none."""
    if found is None:
        return None
    labels, counts = found["labels"], found["rows"]
    if len(labels) <= _MATRIX_CLASSES:
        return Confusion(labels, _matrix(labels, counts), None)
    return Confusion(labels, None, _most_confused(labels, counts))


def _matrix(labels: list[str], counts: list[list[int]]) -> list[tuple[str, list[Cell]]]:
    return [
        (
            label,
            [Cell(count, round(count / max(sum(row), 1), 3), number == place) for place, count in enumerate(row)],
        )
        for number, (label, row) in enumerate(zip(labels, counts, strict=True))
    ]


def _most_confused(labels: list[str], counts: list[list[int]]) -> list[Confused]:
    pairs = [
        Confused(labels[truth], labels[predicted], count, count / max(sum(row), 1))
        for truth, row in enumerate(counts)
        for predicted, count in enumerate(row)
        if truth != predicted and count
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, -pair.share))[:_PAIRS]
