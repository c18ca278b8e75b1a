"""What a head of logits decides: one of several classes, or each of several classes by itself."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats, Indices, decision_log_losses, row_log_losses, sigmoid, softmax


@dataclass(frozen=True)
class Decisions(ABC):
    """The right decisions of some rows.

    Attributes:
        targets: class numbers (rows,), or zeros and ones (rows, classes).
        classes: number of classes.
    """

    targets: NDArray[Any]
    classes: int

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: NDArray[Any]) -> "Decisions":
        """Return those of some rows."""
        return type(self)(self.targets[rows], self.classes)

    def average(self, values: Floats, weights: Floats) -> float:
        """Return the mean of a value a decision, by ``weights`` of rows or decisions."""
        return float(np.average(values, weights=self.spread(weights)))

    @abstractmethod
    def spread(self, weights: Floats) -> Floats:
        """Return weights of rows as weights of decisions."""

    @abstractmethod
    def balanced(self) -> Floats:
        """Return weights of the decisions with which every class counts alike in all."""

    @abstractmethod
    def strata(self) -> Indices:
        """Return a number a row, to be dealt out evenly to folds."""

    @abstractmethod
    def losses(self, logits: Floats) -> Floats:
        """Return minus the log probability (nats) of every decision."""

    @abstractmethod
    def right(self, logits: Floats) -> Floats:
        """Return 1 for a decision that the logits get right, else 0."""

    @abstractmethod
    def bend(self, logits: Floats, scale: float, weights: Floats) -> tuple[float, float]:
        """Return slope and curvature of the summed loss of ``scale`` × ``logits`` in the scale."""


class OneClass(Decisions):
    """One of several classes, by softmax."""

    def spread(self, weights: Floats) -> Floats:
        """Return them as they are: a row is one decision."""
        return weights

    def balanced(self) -> Floats:
        """Return rows / (classes present × rows of the class), scikit-learn's formula."""
        counts = np.bincount(self.targets, minlength=self.classes)
        of_class = len(self) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        weights: Floats = of_class[self.targets].astype(np.float32)
        return weights

    def strata(self) -> Indices:
        """Return the class."""
        return self.targets

    def losses(self, logits: Floats) -> Floats:
        """Return a loss a row."""
        return row_log_losses(logits, self.targets)

    def right(self, logits: Floats) -> Floats:
        """Return whether the largest logit is the class's."""
        right: Floats = (logits.argmax(axis=1) == self.targets).astype(np.float32)
        return right

    def bend(self, logits: Floats, scale: float, weights: Floats) -> tuple[float, float]:
        """Return the slope, expected less own logit, and the curvature, the logit's variance."""
        own = np.take_along_axis(logits, self.targets[:, None], axis=1)[:, 0]
        probabilities = softmax(logits * np.float32(scale))
        expected = (probabilities * logits).sum(axis=1)
        variance = (probabilities * logits**2).sum(axis=1) - expected**2
        return float(weights @ (expected - own)), float(weights @ variance)


class EachClass(Decisions):
    """Each of several classes, by a sigmoid of its own."""

    def spread(self, weights: Floats) -> Floats:
        """Return a row's weight for each of its classes."""
        return weights if weights.ndim == 2 else np.broadcast_to(weights[:, None], self.targets.shape)

    def balanced(self) -> Floats:
        """Return weights with which yes and no of a class count alike; 1 where it has only one of them."""
        yes = self.targets.sum(axis=0)
        no = len(self) - yes
        both = (yes > 0) & (no > 0)
        for_yes = np.where(both, len(self) / (2 * np.maximum(yes, 1)), 1)
        for_no = np.where(both, len(self) / (2 * np.maximum(no, 1)), 1)
        weights: Floats = np.where(self.targets > 0, for_yes, for_no).astype(np.float32)
        return weights

    def strata(self) -> Indices:
        """Return the row's rarest class, and the number of classes where it has none.

        Dealt out by these, every fold gets its share of rare classes: the order in which Sechidis et al. 2011
        (https://doi.org/10.1007/978-3-642-23808-6_10) deal out rows, in one pass.
        """
        rarity = np.where(self.targets > 0, self.targets.sum(axis=0), np.inf)
        return np.where(self.targets.any(axis=1), rarity.argmin(axis=1), self.classes).astype(np.int64)

    def losses(self, logits: Floats) -> Floats:
        """Return (rows, classes) losses."""
        return decision_log_losses(logits, self.targets)

    def right(self, logits: Floats) -> Floats:
        """Return whether each logit lies on its side of zero."""
        right: Floats = ((logits > 0) == (self.targets > 0)).astype(np.float32)
        return right

    def bend(self, logits: Floats, scale: float, weights: Floats) -> tuple[float, float]:
        """Return slope and curvature, summed over classes too."""
        probabilities = sigmoid(logits * np.float32(scale))
        slopes = (probabilities - self.targets) * logits
        curvatures = probabilities * (1 - probabilities) * logits**2
        weights = self.spread(weights)
        return float((weights * slopes).sum()), float((weights * curvatures).sum())


def decisions_of(targets: NDArray[Any], classes: int) -> Decisions:
    """Return decisions of class numbers (rows,), or of zeros and ones (rows, classes)."""
    if targets.ndim == 1:
        return OneClass(targets.astype(np.int64), classes)
    return EachClass(targets.astype(np.float32), classes)
