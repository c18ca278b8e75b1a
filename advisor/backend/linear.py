"""A linear head on frozen features, and the logistic regression that fits one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from advisor.backend.encoder import Progress
from advisor.backend.logistic import Floats, Indices, LogisticRegression
from advisor.backend.settings import ProbeSettings
from advisor.errors import InputError
from advisor.files import write_json, write_with

HEAD_WEIGHTS = "head.safetensors"
HEAD_DETAILS = "head.json"
HEAD_SCHEMA = 1


@dataclass(frozen=True)
class LinearHead:
    """Logits as features @ weightᵀ + bias.

    Attributes:
        weight: (classes, hidden) float32.
        bias: (classes,) float32.
    """

    weight: Floats
    bias: Floats

    def logits(self, features: Floats) -> Floats:
        """Return (rows, classes) logits of (rows, hidden) features."""
        logits: Floats = features @ self.weight.T
        logits += self.bias
        return logits

    def probabilities(self, features: Floats) -> Floats:
        """Return (rows, classes) probabilities, each row summing to one."""
        return softmax(self.logits(features))

    def scaled(self, factor: float) -> "LinearHead":
        """Return the head whose logits are ``factor`` times as large: a temperature of 1 / ``factor``."""
        return LinearHead(self.weight * np.float32(factor), self.bias * np.float32(factor))

    def save(self, folder: Path, labels: Sequence[str], extra: dict[str, Any]) -> None:
        """Write ``head.safetensors``, then ``head.json``: the labels in the order of the rows and ``extra``."""
        details = {"schema": HEAD_SCHEMA, **extra, "labels": list(labels)}
        tensors = {"weight": np.ascontiguousarray(self.weight), "bias": np.ascontiguousarray(self.bias)}
        write_with(folder / HEAD_WEIGHTS, lambda path: save_file(tensors, path))
        write_json(folder / HEAD_DETAILS, details)

    @classmethod
    def load(cls, folder: Path) -> tuple["LinearHead", dict[str, Any]]:
        """Read what :meth:`save` wrote: the head and the content of ``head.json``.

        Raises:
            InputError: a file is absent or damaged, or the two don't belong together.
        """
        try:
            details = json.loads((folder / HEAD_DETAILS).read_text(encoding="utf-8"))
            tensors = load_file(folder / HEAD_WEIGHTS)
            head = cls(tensors["weight"], tensors["bias"])
            classes = len(details["labels"])
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as failure:
            raise InputError(
                f"{folder}: no readable classification head there ({failure}); run it again"
            ) from None
        if head.weight.ndim != 2 or head.bias.shape != (classes,) or len(head.weight) != classes:
            raise InputError(
                f"{folder}: {HEAD_WEIGHTS} and {HEAD_DETAILS} do not belong together; run it again"
            )
        return head, details


@dataclass(frozen=True)
class LogisticFit:
    """A fitted probe.

    Attributes:
        head: the head, fitted to all rows.
        c: inverse regularisation strength chosen.
        scores: held-out log loss of each C tried, empty where nothing could be held out.
        accuracy: held-out accuracy at the chosen C, None where nothing could be held out.
    """

    head: LinearHead
    c: float
    scores: dict[float, float]
    accuracy: float | None


def fit_logistic(
    features: Floats,
    labels: NDArray[np.integer[Any]],
    classes: int,
    settings: ProbeSettings,
    *,
    sample_weight: Floats | None = None,
    class_weight: Literal["balanced"] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> LogisticFit:
    """Fit multinomial logistic regression, its C chosen by the log loss of stratified cross-validation.

    The path runs from strong to weak regularisation, every fit starting from the one before, and ends once
    the score has declined ``settings.patience`` times. A class with one row is never held out; where no
    class has two, C is ``settings.default_c``.

    Args:
        features: (rows, hidden), L2-normalised as :class:`~advisor.backend.encoder.Encoder` returns them.
        labels: class number of each row.
        classes: number of classes.
        settings: grid, folds and tolerances.
        sample_weight: weight of each row.
        class_weight: ``balanced`` weighs classes inversely to their size (scikit-learn's formula), in the
            cross-validation too.
        seed: of the folds and of the subset that C is chosen on.
        progress: called with fits done and most fits there can be.
    """
    target: Indices = np.asarray(labels, dtype=np.int64)
    weights = np.ones(len(target), dtype=np.float32) if sample_weight is None else sample_weight
    if class_weight == "balanced":
        weights = weights * balanced_weights(target, classes)[target]
    generator = np.random.default_rng(seed)
    kept = generator.permutation(len(target))[: settings.search_rows]
    folds = settings.folds_when_large if len(kept) > settings.large_rows else settings.folds
    fold = stratified_folds(target[kept], folds, generator)
    steps = folds * len(settings.grid) + 1
    search = _Search(features[kept], target[kept], weights[kept], classes, fold)
    final = LogisticRegression(features, target, classes, weights)
    scores: dict[float, float] = {}
    best, accuracy, worse = settings.default_c, None, 0
    for c in settings.grid if (fold >= 0).any() else ():
        scores[c], hits, mean_fit = search.step(c, settings)
        if progress:
            progress(folds * len(scores), steps)
        if scores[c] <= min(scores.values()):
            best, accuracy, worse = c, hits, 0
            final.start_from(*mean_fit)
        else:
            worse += 1
        if worse >= settings.patience:
            break
    weight, bias = final.fit(best, settings.tolerance, settings.max_iterations)
    if progress:
        progress(steps, steps)
    head = LinearHead(np.ascontiguousarray(weight.T, dtype=np.float32), bias.astype(np.float32))
    return LogisticFit(head, best, scores, accuracy)


class _Search:
    """One regression a fold, moved together along the path of C."""

    def __init__(
        self, features: Floats, labels: Indices, weights: Floats, classes: int, fold: Indices
    ) -> None:
        self.features, self.labels, self.weights, self.fold = features, labels, weights, fold
        self.fits = [
            LogisticRegression(features[fold != held], labels[fold != held], classes, weights[fold != held])
            for held in range(int(fold.max(initial=-1)) + 1)
        ]

    def step(
        self, c: float, settings: ProbeSettings
    ) -> tuple[float, float, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return weighted log loss and accuracy on the held-out rows, and the mean of the folds' solutions."""
        loss = hits = total = 0.0
        solutions = []
        for held, regression in enumerate(self.fits):
            weight, bias = regression.fit(c, settings.search_tolerance, settings.max_iterations)
            solutions.append((weight, bias))
            rows = self.fold == held
            logits = self.features[rows] @ weight.astype(np.float32) + bias.astype(np.float32)
            truth, importance = self.labels[rows], self.weights[rows]
            loss += float(importance @ row_log_losses(logits, truth))
            hits += float(importance @ (logits.argmax(axis=1) == truth))
            total += float(importance.sum())
        mean = (
            np.mean([weight for weight, _ in solutions], axis=0),
            np.mean([bias for _, bias in solutions], axis=0),
        )
        return loss / total, hits / total, mean


def stratified_folds(labels: Indices, folds: int, generator: np.random.Generator) -> Indices:
    """Return the fold of each row, classes dealt out evenly; -1 for the only row of a class."""
    order = generator.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels)
    order = np.concatenate([order[counts[labels[order]] == 1], order[counts[labels[order]] > 1]])
    singles = int((counts == 1).sum())
    fold = np.full(len(labels), -1, dtype=np.int64)
    fold[order[singles:]] = np.arange(len(labels) - singles) % folds
    return fold


def balanced_weights(labels: Indices, classes: int) -> Floats:
    """Return rows / (classes present × rows of the class) a class; 0 for one without rows."""
    counts = np.bincount(labels, minlength=classes)
    weights: Floats = np.zeros(classes, dtype=np.float32)
    present = counts > 0
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights


def softmax(logits: Floats) -> Floats:
    """Return the softmax of each row, computed so that large logits cannot overflow."""
    shifted: Floats = logits - logits.max(axis=1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted


def row_log_losses(logits: Floats, labels: Indices) -> Floats:
    """Return minus the log probability of each row's label."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses: Floats = (
        np.log(np.exp(shifted).sum(axis=1)) - np.take_along_axis(shifted, labels[:, None], axis=1)[:, 0]
    )
    return losses
