"""Several labels a row, or none: micro-F1, macro-F1 and exact match of the whole set."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import average_precision_score

from advisor.backend.answers import chosen
from advisor.backend.arrays import Floats
from advisor.backend.evaluation.judgement import Judgement, Values, Weights, alike, class_table, macro_f1, ratio
from advisor.backend.evaluation.scores import ClassScores
from advisor.backend.rows import Rows


class LabelSets(Judgement):
    """F1 over all pairs of row and label, the mean F1 over labels, and the share of rows whose whole set is right.

    Labels that are neither in the test set nor predicted do not count in the mean (scikit-learn's
    ``zero_division=nan``).

    Args:
        outputs: (rows, labels) probabilities.
        rows: their truth.
        labels: name of each label.
        thresholds: (labels,) or (rows, labels), from which a label is given; 0.5 where None.
    """

    def __init__(self, outputs: Floats, rows: Rows, labels: Sequence[str], thresholds: Floats | None = None) -> None:
        self.outputs, self.labels = outputs, labels
        self.truth = np.asarray(rows.targets) > 0
        given = chosen(outputs, thresholds)
        exact = (given == self.truth).all(axis=1, keepdims=True)
        judged = np.hstack([given & self.truth, self.truth, given, exact])
        self.kinds, self.counts = alike(judged)

    def measures(self, weights: Weights) -> Values:
        """Return micro-F1, macro-F1 and exact match."""
        right, true, given, exact = self._split(weights @ self.kinds)
        return {
            "micro_f1": ratio(2 * right.sum(axis=-1), true.sum(axis=-1) + given.sum(axis=-1)),
            "macro_f1": macro_f1(right, true, given),
            "exact_match": exact[..., 0] / weights.sum(axis=-1),
        }

    def extras(self) -> dict[str, float]:
        """Return average precision, the mean over labels of the test set, and log loss, the mean over row and label."""
        there = self.truth.any(axis=0)
        found = average_precision_score(self.truth[:, there], self.outputs[:, there]) if there.any() else 0.0
        own = np.where(self.truth, self.outputs, 1 - self.outputs)
        smallest = np.finfo(self.outputs.dtype).eps
        loss = -np.log(np.clip(own, smallest, 1 - smallest).astype(np.float64))
        return {"average_precision": float(found), "log_loss": float(loss.mean())}

    def classes(self) -> list[ClassScores]:
        """Return the table of labels."""
        right, true, given, _ = self._split(self.counts @ self.kinds)
        return class_table(self.labels, right, true, given)

    def _split(self, sums: Weights) -> tuple[Weights, Weights, Weights, Weights]:
        count = len(self.labels)
        parts = np.split(sums, [count, 2 * count, 3 * count], axis=-1)
        return parts[0], parts[1], parts[2], parts[3]
