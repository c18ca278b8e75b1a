"""Judgement: rows of a test set judged once, and measures over any resample of them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.backend.evaluation.scores import ClassScores, Interval

CONFIDENCE = 0.95
_CELLS_AT_ONCE = 1 << 18

Weights = NDArray[np.float64]
Values = dict[str, NDArray[np.float64]]


class Judgement(ABC):
    """What the rows of a test set came to, rows that came to the same put together.

    Resampling rows with replacement is a multinomial draw over these kinds of rows, so that no row is judged twice
    and equal ones cost nothing.

    Attributes:
        counts: (kinds,) rows of each kind.
    """

    counts: NDArray[np.int64]

    @abstractmethod
    def measures(self, weights: Weights) -> Values:
        """Return every measure of resamples, (draws,) each, from the rows drawn of each kind, (draws, kinds)."""

    def extras(self) -> dict[str, float]:
        """Return what is told besides the measures."""
        return {}

    def classes(self) -> list[ClassScores]:
        """Return the table of classes, empty where there are none."""
        return []

    def confusion(self) -> list[list[int]] | None:
        """Return the confusion matrix, None where there is none."""
        return None

    def values(self) -> dict[str, float]:
        """Return every measure of the test set itself."""
        found = self.measures(self.counts[None].astype(np.float64))
        return {key: float(value[0]) for key, value in found.items()}

    def intervals(self, draws: int, seed: int) -> dict[str, Interval]:
        """Return every measure with its percentile interval over ``draws`` resamples; none widen it by nothing.

        Memory is bounded: draws are taken in parts.
        """
        values = self.values()
        resampled = self._resampled(draws, seed) if draws else {key: np.array([value]) for key, value in values.items()}
        tail = (1 - CONFIDENCE) / 2
        bounds = {key: np.quantile(drawn, [tail, 1 - tail]) for key, drawn in resampled.items()}
        return {key: Interval(value, *(float(bound) for bound in bounds[key])) for key, value in values.items()}

    def differences(self, other: "Judgement", draws: int, seed: int) -> dict[str, Interval]:
        """Return every measure less another judgement's of the same rows, with its interval over the same resamples.

        Args:
            other: of the same rows in the same order, none put together with another.
            draws: resamples; rows are drawn alike for both (paired bootstrap, Efron and Tibshirani 1993).
            seed: of the resamples.

        Raises:
            ValueError: rows were put together, so that it is not known which belong to each other.
        """
        if len(self.counts) != len(other.counts) or max(self.counts.max(), other.counts.max()) > 1:
            raise ValueError("only rows judged one by one can be paired")
        own, others = self.values(), other.values()
        drawn, others_drawn = self._resampled(draws, seed), other._resampled(draws, seed)
        tail = (1 - CONFIDENCE) / 2
        found = {}
        for key in (key for key in own if key in others):
            bounds = np.quantile(drawn[key] - others_drawn[key], [tail, 1 - tail])
            found[key] = Interval(own[key] - others[key], float(bounds[0]), float(bounds[1]))
        return found

    def _resampled(self, draws: int, seed: int) -> Values:
        generator, rows = np.random.default_rng(seed), int(self.counts.sum())
        step = max(1, _CELLS_AT_ONCE // len(self.counts))
        parts = [
            self.measures(
                generator.multinomial(rows, self.counts / rows, size=min(step, draws - start)).astype(np.float64)
            )
            for start in range(0, draws, step)
        ]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Return part / whole element by element, 0 where there is no whole."""
    divisor = np.asarray(whole, dtype=np.float64)
    shares: NDArray[np.float64] = np.divide(part, divisor, out=np.zeros_like(divisor), where=divisor > 0)
    return shares


def macro_f1(right: NDArray[Any], true: NDArray[Any], claimed: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean over the last axis of 2·right / (true + claimed), classes with neither left out.

    Args:
        right: rows or entities of each class that were found.
        true: those that are of the class.
        claimed: those that were given it.
    """
    either = np.asarray(true + claimed, dtype=np.float64)
    return ratio(ratio(2.0 * right, either).sum(axis=-1), (either > 0).sum(axis=-1))


def class_table(
    labels: Sequence[str], right: NDArray[Any], true: NDArray[Any], claimed: NDArray[Any]
) -> list[ClassScores]:
    """Return one line a label from (labels,) counts, as `macro_f1` takes them."""
    precision, recall, f1 = ratio(right, claimed), ratio(right, true), ratio(2.0 * right, true + claimed)
    return [
        ClassScores(label, float(precision[at]), float(recall[at]), float(f1[at]), int(true[at]))
        for at, label in enumerate(labels)
    ]


def alike(rows: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the distinct rows of a table (rows, counts) and how many rows each stands for."""
    kinds, counts = np.unique(rows, axis=0, return_counts=True)
    return kinds.astype(np.float64), counts.astype(np.int64)
