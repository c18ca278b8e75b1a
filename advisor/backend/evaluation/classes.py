"""One class a row: accuracy and macro-F1, with calibration and the confusion matrix besides."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.evaluation.judgement import Judgement, Values, Weights, class_table, macro_f1
from advisor.backend.evaluation.scores import ClassScores
from advisor.backend.rows import Rows
from advisor.settings import load_settings


class Classes(Judgement):
    """Accuracy, and the mean F1 over the classes that are in the test set or predicted.

    A kind of row is a filled cell of the confusion matrix.

    Args:
        outputs: (rows, classes) probabilities, each row summing to one.
        rows: their truth.
        labels: name of each class.
        thresholds: not used; the most probable class is the answer.
    """

    def __init__(self, outputs: Floats, rows: Rows, labels: Sequence[str], thresholds: Floats | None = None) -> None:
        self.outputs, self.labels = outputs, labels
        self.truth = np.asarray(rows.targets, dtype=np.int64)
        classes = outputs.shape[1]
        cells = np.bincount(self.truth * classes + outputs.argmax(axis=1), minlength=classes * classes)
        self.matrix = cells.reshape(classes, classes)
        self.true_class, self.predicted_class = np.nonzero(self.matrix)
        self.counts = self.matrix[self.true_class, self.predicted_class]

    def measures(self, weights: Weights) -> Values:
        """Return accuracy and macro-F1."""
        members = np.eye(len(self.matrix))
        right = weights @ (members[self.true_class] * (self.true_class == self.predicted_class)[:, None])
        f1 = macro_f1(right, weights @ members[self.true_class], weights @ members[self.predicted_class])
        return {"accuracy": right.sum(axis=1) / weights.sum(axis=1), "macro_f1": f1}

    def extras(self) -> dict[str, float]:
        """Return log loss and calibration error."""
        return {
            "log_loss": log_loss(self.outputs, self.truth),
            "expected_calibration_error": expected_calibration_error(self.outputs, self.truth),
        }

    def classes(self) -> list[ClassScores]:
        """Return the table of classes."""
        return class_table(self.labels, np.diag(self.matrix), self.matrix.sum(axis=1), self.matrix.sum(axis=0))

    def confusion(self) -> list[list[int]]:
        """Return rows true, columns predicted."""
        found: list[list[int]] = self.matrix.tolist()
        return found


def expected_calibration_error(probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Return the mean gap between confidence and accuracy over equal bins of confidence, weighted by rows.

    By Guo et al. 2017, https://arxiv.org/abs/1706.04599.
    """
    bins = int(load_settings("evaluation.yaml")["calibration_bins"])
    confidence = probabilities.max(axis=1).astype(np.float64)
    gap = confidence - (probabilities.argmax(axis=1) == labels)
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    return float(np.abs(np.bincount(bin_of, weights=gap, minlength=bins)).sum() / len(gap))


def log_loss(probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Return the mean negative log probability of the true class in nats, cut at the number type's epsilon."""
    own = probabilities[np.arange(len(labels)), labels]
    smallest = np.finfo(probabilities.dtype).eps
    return float(-np.log(np.clip(own, smallest, 1 - smallest).astype(np.float64)).mean())
