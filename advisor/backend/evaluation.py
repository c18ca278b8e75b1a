"""How good predictions are: accuracy, macro-F1 and calibration, with bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CALIBRATION_BINS = 15
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A measured value and its 95 % bootstrap percentile interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassScores:
    """One row of the per-class table; a ratio without a denominator is 0."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Evaluation:
    """What a test set says of a classifier, by scikit-learn's definitions.

    Attributes:
        rows: rows of the test set.
        accuracy: share of rows whose most probable class is the true one.
        macro_f1: mean F1 over the classes that are in the test set or predicted.
        log_loss: mean negative log probability of the true class, in nats.
        expected_calibration_error: mean gap between confidence and accuracy over 15 equal bins of confidence,
            weighted by rows (Guo et al. 2017, https://arxiv.org/abs/1706.04599).
        classes: the per-class table.
        confusion: rows true, columns predicted, in the order of the labels.
        majority_accuracy: accuracy of always answering the test set's most frequent class.
        majority_macro_f1: macro-F1 of the same.
    """

    rows: int
    accuracy: Interval
    macro_f1: Interval
    log_loss: float
    expected_calibration_error: float
    classes: list[ClassScores]
    confusion: list[list[int]]
    majority_accuracy: float
    majority_macro_f1: float

    def as_dict(self) -> dict[str, Any]:
        """Return the evaluation as plain values for JSON."""
        return asdict(self)


def evaluate(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    label_names: Sequence[str],
    *,
    draws: int,
    seed: int,
) -> Evaluation:
    """Compare predicted probabilities with the truth.

    Args:
        probabilities: (rows, classes), each row summing to one.
        labels: class number of each row.
        label_names: name of each class.
        draws: bootstrap resamples of the rows.
        seed: of the resamples.

    Raises:
        ValueError: there is no row.
    """
    rows, classes = probabilities.shape
    if rows == 0:
        raise ValueError("nothing to evaluate: the test set has no row")
    truth = np.asarray(labels, dtype=np.int64)
    predicted = probabilities.argmax(axis=1)
    confusion = np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)
    majority = np.zeros_like(confusion)
    majority[:, confusion.sum(axis=1).argmax()] = confusion.sum(axis=1)
    accuracies, macro_f1s = _resampled(confusion, draws, seed)
    right, support, claimed = _counts(confusion)
    majority_counts = _counts(majority)
    return Evaluation(
        rows=rows,
        accuracy=_interval(float(right.sum() / rows), accuracies),
        macro_f1=_interval(float(_macro_f1(right, support, claimed)), macro_f1s),
        log_loss=log_loss(probabilities, truth),
        expected_calibration_error=expected_calibration_error(probabilities, truth),
        classes=[
            ClassScores(
                label=str(name),
                precision=_ratio(right[index], claimed[index]),
                recall=_ratio(right[index], support[index]),
                f1=_ratio(2 * right[index], support[index] + claimed[index]),
                support=int(support[index]),
            )
            for index, name in enumerate(label_names)
        ],
        confusion=confusion.tolist(),
        majority_accuracy=float(support.max() / rows),
        majority_macro_f1=float(_macro_f1(*majority_counts)),
    )


def expected_calibration_error(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], bins: int = CALIBRATION_BINS
) -> float:
    """Return the expected calibration error over ``bins`` equal bins of the highest probability."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    gap = confidence - (probabilities.argmax(axis=1) == labels)
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    return float(np.abs(np.bincount(bin_of, weights=gap, minlength=bins)).sum() / len(gap))


def log_loss(probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Return the mean negative log probability of the true class, cut at the number type's epsilon."""
    own = probabilities[np.arange(len(labels)), labels]
    smallest = np.finfo(probabilities.dtype).eps
    return float(-np.log(np.clip(own, smallest, 1 - smallest).astype(np.float64)).mean())


def _resampled(confusion: NDArray[np.int64], draws: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return accuracy and macro-F1 of ``draws`` resamples.

    Drawing rows with replacement is a multinomial draw over the filled cells of the confusion matrix, so no
    row is touched: the memory is draws × filled cells.
    """
    true_class, predicted_class = np.nonzero(confusion)
    cells = confusion[true_class, predicted_class]
    rows = int(cells.sum())
    drawn = np.random.default_rng(seed).multinomial(rows, cells / rows, size=draws).astype(np.float32)
    members = np.eye(len(confusion), dtype=np.float32)
    right = drawn @ (members[true_class] * (true_class == predicted_class)[:, None])
    macro_f1 = _macro_f1(right, drawn @ members[true_class], drawn @ members[predicted_class])
    return right.sum(axis=1, dtype=np.float64) / rows, macro_f1


def _counts(confusion: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return rows right, rows that are of the class and rows given to it, one number a class."""
    return np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)


def _macro_f1(right: NDArray[Any], support: NDArray[Any], claimed: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean over the last axis of 2·right / (support + claimed), classes with neither left out."""
    either = (support + claimed).astype(np.float64)
    scores = np.divide(2.0 * right, either, out=np.zeros_like(either), where=either > 0)
    mean: NDArray[np.float64] = scores.sum(axis=-1) / (either > 0).sum(axis=-1)
    return mean


def _interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail]) if len(resampled) else (value, value)
    return Interval(value, float(low), float(high))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
