"""Logistic regression on frozen features, its strength chosen by cross-validation."""

from dataclasses import dataclass

import numpy as np

from advisor.backend.arrays import Floats, Indices, Labels, decision_log_losses, row_log_losses, sigmoid, softmax
from advisor.backend.axes import PrincipalAxes
from advisor.backend.encoder import Progress
from advisor.backend.folds import (
    balanced_decisions,
    balanced_weights,
    grouped_folds,
    rarest_class,
    stratified_folds,
)
from advisor.backend.head import LinearHead
from advisor.backend.logistic import LogisticRegression
from advisor.backend.settings import ProbeSettings

_SCALE_BOUNDS = (0.1, 10.0)
_NEWTON_STEPS = 20


@dataclass(frozen=True)
class HeldOut:
    """What cross-validation predicted at the C chosen, calibrated as the head is.

    Attributes:
        rows: numbers of the rows held out.
        logits: (rows, classes).
    """

    rows: Indices
    logits: Floats


@dataclass(frozen=True)
class LogisticFit:
    """A fitted probe.

    Attributes:
        head: fitted to all rows.
        c: inverse regularisation strength chosen.
        scores: held-out log loss (nats) of each C tried, empty where nothing could be held out.
        accuracy: share of held-out decisions that are right at the C chosen, None where nothing could be held out.
        scale: factor that calibrates the logits, already in the head; 1 where too few rows could be held out.
        held_out: the predictions, None where nothing could be held out.
    """

    head: LinearHead
    c: float
    scores: dict[float, float]
    accuracy: float | None
    scale: float
    held_out: HeldOut | None = None


def fit_logistic(
    features: Floats,
    targets: Labels | Floats,
    classes: int,
    settings: ProbeSettings,
    *,
    sample_weight: Floats | None = None,
    balanced: bool = False,
    groups: Indices | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> LogisticFit:
    """Fit logistic regression, its C chosen by the log loss of cross-validation.

    The path runs from strong to weak regularisation, every fit starting from the one before, and ends once the score
    has declined ``settings.patience`` times in a row. A class with one row is never held out; where no class has two, C
    is ``settings.default_c``. The held-out logits then give the temperature (Guo et al. 2017,
    https://arxiv.org/abs/1706.04599).

    Args:
        features: (rows, hidden), L2-normalised.
        targets: class number of each row, or (rows, classes) zeros and ones where each class is decided by itself.
        classes: number of classes.
        settings: grid, folds and tolerances.
        sample_weight: weight of each row.
        balanced: weigh classes inversely to their size, in the cross-validation too.
        groups: rows of one group, such as the words of a sentence, are held out together; stratified if left out.
        seed: of the folds and of the rows that C is chosen on.
        progress: called with fits done and most fits there can be.
    """
    decided: Indices | Floats = targets.astype(np.int64 if targets.ndim == 1 else np.float32)
    weights = _weights(decided, classes, sample_weight, balanced)
    generator = np.random.default_rng(seed)
    kept = _some(len(decided), groups, settings.search_rows, generator)
    folds = settings.folds_when_large if len(kept) > settings.large_rows else settings.folds
    if groups is not None:
        fold = grouped_folds(groups[kept], folds, generator)
    else:
        strata = decided[kept] if decided.ndim == 1 else rarest_class(decided[kept].astype(np.float32))
        fold = stratified_folds(strata.astype(np.int64), folds, generator)
    axes = PrincipalAxes.of(features)
    search = _Search(axes.scores[kept], decided[kept], weights[kept], classes, fold)
    most_fits = folds * len(settings.grid) + 1
    final = LogisticRegression(axes.scores, decided, classes, weights)
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
    weight, bias = axes.back(*final.fit(best.c, settings.tolerance, settings.max_iterations))
    scale = search.calibrating_scale(best) if search.held.sum() >= settings.calibration_rows else 1.0
    if progress:
        progress(most_fits, most_fits)
    head = LinearHead(np.ascontiguousarray(weight.T, dtype=np.float32), bias.astype(np.float32))
    held_out = None if best.logits is None else HeldOut(kept[search.held], best.logits * np.float32(scale))
    return LogisticFit(head.scaled(scale), best.c, scores, best.accuracy, scale, held_out)


def _weights(decided: Indices | Floats, classes: int, sample_weight: Floats | None, balanced: bool) -> Floats:
    """Return the weight of each row, or of each decision where these are balanced."""
    weights: Floats = np.ones(len(decided), dtype=np.float32) if sample_weight is None else sample_weight
    if balanced and decided.ndim == 1:
        return (weights * balanced_weights(decided.astype(np.int64), classes)[decided.astype(np.int64)]).astype(np.float32)
    if balanced:
        return weights[:, None] * balanced_decisions(decided.astype(np.float32))
    return weights


def _some(rows: int, groups: Indices | None, most: int, generator: np.random.Generator) -> Indices:
    """Return the numbers of the rows that C is chosen on, whole groups where there are any."""
    if groups is None or rows <= most:
        return generator.permutation(rows)[:most]
    names, sizes = np.unique(groups, return_counts=True)
    order = generator.permutation(len(names))
    taken = names[order[: max(2, int(np.searchsorted(sizes[order].cumsum(), most)))]]
    return np.flatnonzero(np.isin(groups, taken))


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

    def __init__(
        self, features: Floats, targets: Indices | Floats, weights: Floats, classes: int, fold: Indices
    ) -> None:
        self.features, self.fold, self.classes = features, fold, classes
        self.fits = [
            LogisticRegression(features[fold != held], targets[fold != held], classes, weights[fold != held])
            for held in range(int(fold.max(initial=-1)) + 1)
        ]
        self.held = fold >= 0
        self.truth, self.weights = targets[self.held], weights[self.held]

    def step(self, c: float, settings: ProbeSettings) -> _Step:
        """Fit every fold at ``c`` and score the rows it holds out."""
        logits: Floats = np.empty((len(self.fold), self.classes), dtype=np.float32)
        solutions = []
        for held, regression in enumerate(self.fits):
            weight, bias = regression.fit(c, settings.search_tolerance, settings.max_iterations)
            solutions.append((weight, bias))
            rows = self.fold == held
            logits[rows] = self.features[rows] @ weight.astype(np.float32) + bias.astype(np.float32)
        logits = logits[self.held]
        mean = tuple(np.mean(parts, axis=0) for parts in zip(*solutions, strict=True))
        return _Step(c, (mean[0], mean[1]), logits, self._average(self._losses(logits)), self._average(self._right(logits)))

    def calibrating_scale(self, step: _Step) -> float:
        """Return the factor on the held-out logits that minimises their log loss, by Newton's method."""
        if step.logits is None:
            return 1.0
        scale = 1.0
        for _ in range(_NEWTON_STEPS):
            slope, curvature = self._bend(step.logits, scale)
            last, scale = scale, float(np.clip(scale - slope / max(curvature, 1e-12), scale / 2, scale * 2))
            scale = float(np.clip(scale, *_SCALE_BOUNDS))
            if abs(scale - last) < 1e-3 * scale:
                break
        return scale

    def _bend(self, logits: Floats, scale: float) -> tuple[float, float]:
        """Return slope and curvature of the summed log loss in the factor on the logits."""
        if self.truth.ndim == 1:
            own = np.take_along_axis(logits, self.truth[:, None].astype(np.int64), axis=1)[:, 0]
            probabilities = softmax(logits * np.float32(scale))
            expected = (probabilities * logits).sum(axis=1)
            variance = (probabilities * logits**2).sum(axis=1) - expected**2
            return float(self.weights @ (expected - own)), float(self.weights @ variance)
        probabilities = sigmoid(logits * np.float32(scale))
        slopes = (probabilities - self.truth) * logits
        curvatures = probabilities * (1 - probabilities) * logits**2
        weights = self.weights if self.weights.ndim == 2 else self.weights[:, None]
        return float((weights * slopes).sum()), float((weights * curvatures).sum())

    def _losses(self, logits: Floats) -> Floats:
        if self.truth.ndim == 1:
            return row_log_losses(logits, self.truth.astype(np.int64))
        return decision_log_losses(logits, self.truth.astype(np.float32))

    def _right(self, logits: Floats) -> Floats:
        if self.truth.ndim == 1:
            return (logits.argmax(axis=1) == self.truth).astype(np.float32)
        return ((logits > 0) == (self.truth > 0)).astype(np.float32)

    def _average(self, values: Floats) -> float:
        weights = self.weights if self.weights.ndim == values.ndim else np.broadcast_to(self.weights[:, None], values.shape)
        return float(np.average(values, weights=weights))
