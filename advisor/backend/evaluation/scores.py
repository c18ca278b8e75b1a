"""Scores: what a test set says of a model, as plain values."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Interval:
    """A measured value and its 95 % bootstrap percentile interval; ``low`` and ``high`` are the value where none is."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassScores:
    """One row of the table of classes, labels or types of entity; a ratio without a denominator is 0.

    Attributes:
        label: its name.
        precision: share of what was given this label that is right.
        recall: share of what has this label that was found.
        f1: harmonic mean of the two.
        support: rows, or entities, that have this label.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Evaluation:
    """What a test set says of a model.

    Attributes:
        rows: rows of the test set.
        metrics: the task's measures by key, the leading one first, then what is told besides, without an interval.
        classes: a line for each class, label or type of entity; empty for numbers and answers.
        confusion: rows true, columns predicted, in the order of the labels; None but for single classes.
    """

    rows: int
    metrics: dict[str, Interval]
    classes: list[ClassScores]
    confusion: list[list[int]] | None

    def as_dict(self) -> dict[str, Any]:
        """Return the evaluation as plain values for JSON."""
        return asdict(self)
