"""A number a row: Pearson and Spearman correlation, and the root mean squared error."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.evaluation.judgement import Judgement, Values, Weights
from advisor.backend.rows import Rows

_CONSTANT = 1e-12


class Numbers(Judgement):
    """Correlations of predicted and true numbers, 0 where one side is constant, and their distance.

    Args:
        outputs: (rows, 1) predicted numbers.
        rows: the true ones.
        labels: not used.
        thresholds: not used.
    """

    def __init__(self, outputs: Floats, rows: Rows, labels: Sequence[str], thresholds: Floats | None = None) -> None:
        predicted = np.asarray(outputs[:, 0], dtype=np.float64)
        truth = np.asarray(rows.targets, dtype=np.float64)
        self.counts = np.ones(len(truth), dtype=np.int64)
        self.error = (predicted - truth) ** 2
        first, second = _standard(predicted), _standard(truth)
        self.moments = np.stack([first, second, first**2, second**2, first * second], axis=1)
        self.ranks = _Ranks(predicted), _Ranks(truth)

    def measures(self, weights: Weights) -> Values:
        """Return Pearson's and Spearman's correlation and the root mean squared error."""
        rows = weights.sum(axis=1)
        first, second, squared, squared_second, product = (weights @ self.moments).T / rows
        pearson = _correlation(squared - first**2, squared_second - second**2, product - first * second)
        return {
            "pearson": pearson,
            "spearman": self._spearman(weights, rows),
            "rmse": np.sqrt(weights @ self.error / rows),
        }

    def _spearman(self, weights: Weights, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return Pearson's correlation of the ranks, brought to lie between -1/2 and 1/2."""
        predicted, truth = (((of.ranks(weights).T - (rows + 1) / 2) / rows).T for of in self.ranks)
        shares = weights / rows[:, None]
        varied = shares * predicted
        return _correlation(
            np.einsum("dr,dr->d", varied, predicted),
            np.einsum("dr,dr,dr->d", shares, truth, truth),
            np.einsum("dr,dr->d", varied, truth),
        )


class _Ranks:
    """The order of numbers, from which the ranks in any resample follow."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        _, self.group, self.counts = np.unique(values, return_inverse=True, return_counts=True)
        self.order = np.argsort(self.group, kind="stable")
        self.starts = np.cumsum(self.counts) - self.counts

    def ranks(self, weights: Weights) -> NDArray[np.float64]:
        """Return (draws, rows) ranks from 1, equal numbers sharing the mean of theirs."""
        drawn = np.add.reduceat(weights[:, self.order], self.starts, axis=1)
        ranks: NDArray[np.float64] = np.cumsum(drawn, axis=1) - (drawn - 1) / 2
        return ranks[:, self.group]


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values with mean 0 and variance 1, all 0 where they are constant."""
    if np.ptp(values) == 0:
        return np.zeros_like(values)
    scaled = (values - values.mean()) / np.ptp(values)
    return np.asarray(scaled / scaled.std())


def _correlation(
    first: NDArray[np.float64], second: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return covariance / sqrt(first variance · second variance), 0 where a side does not vary."""
    varies = (first > _CONSTANT) & (second > _CONSTANT)
    spread = np.sqrt(first * second, out=np.ones_like(first), where=varies)
    return np.clip(np.where(varies, covariance / spread, 0.0), -1.0, 1.0)
