"""Logistic regression on frozen features, its strength chosen by cross-validation."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from advisor.backend.arrays import Floats, Indices, Labels, row_log_losses, softmax
from advisor.backend.encoder import Progress
from advisor.backend.head import LinearHead
from advisor.backend.logistic import LogisticRegression
from advisor.backend.settings import ProbeSettings

_SCALE_BOUNDS = (0.1, 10.0)
_NEWTON_STEPS = 20


@dataclass(frozen=True)
class LogisticFit:
    """A fitted probe.

    Attributes:
        head: fitted to all rows.
        c: inverse regularisation strength chosen.
        scores: held-out log loss (nats) of each C tried, empty where nothing could be held out.
        accuracy: held-out accuracy at the C chosen, None where nothing could be held out.
        scale: factor that calibrates the logits, already in the head; 1 where too few rows could be held out.
    """

    head: LinearHead
    c: float
    scores: dict[float, float]
    accuracy: float | None
    scale: float


def fit_logistic(
    features: Floats,
    labels: Labels,
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
    the score has declined ``settings.patience`` times in a row. A class with one row is never held out; where
    no class has two, C is ``settings.default_c``. The held-out logits then give the temperature (Guo et al.
    2017, https://arxiv.org/abs/1706.04599).

    Args:
        features: (rows, hidden), L2-normalised.
        labels: class number of each row.
        classes: number of classes.
        settings: grid, folds and tolerances.
        sample_weight: weight of each row.
        class_weight: ``balanced`` weighs classes inversely to their size, in the cross-validation too.
        seed: of the folds and of the rows that C is chosen on.
        progress: called with fits done and most fits there can be.
    """
    target: Indices = np.asarray(labels, dtype=np.int64)
    weights: Floats = np.ones(len(target), dtype=np.float32) if sample_weight is None else sample_weight
    if class_weight == "balanced":
        weights = weights * balanced_weights(target, classes)[target]
    generator = np.random.default_rng(seed)
    kept = generator.permutation(len(target))[: settings.search_rows]
    folds = settings.folds_when_large if len(kept) > settings.large_rows else settings.folds
    fold = stratified_folds(target[kept], folds, generator)
    search = _Search(features[kept], target[kept], weights[kept], classes, fold)
    most_fits = folds * len(settings.grid) + 1
    final = LogisticRegression(features, target, classes, weights)
    best, scores, worse = _Step(settings.default_c, None), dict[float, float](), 0
    for c in settings.grid if search.fits else ():
        step = search.step(c, settings)
        scores[c] = step.loss
        if step.loss <= min(scores.values()):
            best, worse = step, 0
        else:
            worse += 1
        if progress:
            progress(folds * len(scores), most_fits)
        if worse == settings.patience:
            break
    if best.solution:
        final.start_from(*best.solution)
    weight, bias = final.fit(best.c, settings.tolerance, settings.max_iterations)
    scale = search.calibrating_scale(best) if (fold >= 0).sum() >= settings.calibration_rows else 1.0
    if progress:
        progress(most_fits, most_fits)
    head = LinearHead(np.ascontiguousarray(weight.T, dtype=np.float32), bias.astype(np.float32))
    return LogisticFit(head.scaled(scale), best.c, scores, best.accuracy, scale)


@dataclass(frozen=True)
class _Step:
    """What cross-validation found at one C: the folds' mean solution, held-out logits and scores."""

    c: float
    solution: tuple[Floats, Floats] | None
    logits: Floats | None = None
    loss: float = float("inf")
    accuracy: float | None = None


class _Search:
    """One regression a fold, all moved together along the path of C."""

    def __init__(self, features: Floats, labels: Indices, weights: Floats, classes: int, fold: Indices) -> None:
        self.features, self.labels, self.weights, self.fold = features, labels, weights, fold
        self.fits = [
            LogisticRegression(features[fold != held], labels[fold != held], classes, weights[fold != held])
            for held in range(int(fold.max(initial=-1)) + 1)
        ]
        self.held = fold >= 0
        self.classes = classes

    def step(self, c: float, settings: ProbeSettings) -> _Step:
        """Fit every fold at ``c`` and score the rows it holds out."""
        logits: Floats = np.empty((len(self.labels), self.classes), dtype=np.float32)
        solutions = []
        for held, regression in enumerate(self.fits):
            weight, bias = regression.fit(c, settings.search_tolerance, settings.max_iterations)
            solutions.append((weight, bias))
            rows = self.fold == held
            logits[rows] = self.features[rows] @ weight.astype(np.float32) + bias.astype(np.float32)
        logits = logits[self.held]
        right = logits.argmax(axis=1) == self.labels[self.held]
        mean = tuple(np.mean(parts, axis=0) for parts in zip(*solutions, strict=True))
        accuracy = float(np.average(right, weights=self.weights[self.held]))
        return _Step(c, (mean[0], mean[1]), logits, self._loss(logits), accuracy)

    def calibrating_scale(self, step: _Step) -> float:
        """Return the factor on the held-out logits that minimises their log loss, by Newton's method."""
        logits, truth, weights = step.logits, self.labels[self.held], self.weights[self.held]
        if logits is None:
            return 1.0
        own = np.take_along_axis(logits, truth[:, None], axis=1)[:, 0]
        scale = 1.0
        for _ in range(_NEWTON_STEPS):
            probabilities = softmax(logits * np.float32(scale))
            expected = (probabilities * logits).sum(axis=1)
            variance = (probabilities * logits**2).sum(axis=1) - expected**2
            slope, curvature = float(weights @ (expected - own)), float(weights @ variance)
            last, scale = scale, float(np.clip(scale - slope / max(curvature, 1e-12), scale / 2, scale * 2))
            scale = float(np.clip(scale, *_SCALE_BOUNDS))
            if abs(scale - last) < 1e-3 * scale:
                break
        return scale

    def _loss(self, logits: Floats) -> float:
        losses = row_log_losses(logits, self.labels[self.held])
        return float(np.average(losses, weights=self.weights[self.held]))


def stratified_folds(labels: Indices, folds: int, generator: np.random.Generator) -> Indices:
    """Return the fold of each row, classes dealt out evenly; -1 for the only row of a class."""
    order = generator.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels)
    shared = order[counts[labels[order]] > 1]
    fold = np.full(len(labels), -1, dtype=np.int64)
    fold[shared] = np.arange(len(shared)) % folds
    return fold


def balanced_weights(labels: Indices, classes: int) -> Floats:
    """Return rows / (classes present × rows of the class) a class, scikit-learn's formula; 0 without rows."""
    counts = np.bincount(labels, minlength=classes)
    weights: Floats = np.zeros(classes, dtype=np.float32)
    present = counts > 0
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights
