"""Logistic regression on frozen features, its strength chosen by cross-validation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats, Indices
from advisor.backend.axes import PrincipalAxes
from advisor.backend.decisions import Decisions, decisions_of
from advisor.backend.folds import grouped_folds, some_rows, stratified_folds
from advisor.backend.head import LinearHead
from advisor.backend.logistic import LogisticRegression
from advisor.backend.settings import ProbeSettings
from advisor.backend.within_memory import Progress
from advisor.settings import load_settings

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
    held_out: HeldOut | None


def fit_logistic(
    features: Floats,
    targets: NDArray[Any],
    classes: int,
    settings: ProbeSettings,
    *,
    weights: Floats | None = None,
    balanced: bool = False,
    groups: Indices | None = None,
    chosen_on: Indices | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> LogisticFit:
    """Fit logistic regression, its C chosen by the log loss of cross-validation.

    The path runs from strong to weak regularisation, every fit starting from the one before, and ends once the score
    has declined ``settings.patience`` times in a row. A class with one row is never held out; where no class has two, C
    is ``settings.default_c``. The held-out logits then give the temperature (Guo et al. 2017,
    https://arxiv.org/abs/1706.04599).

    Args:
        features: (rows, hidden), of length or variance about one.
        targets: class number of each row, or (rows, classes) zeros and ones where each class is decided by itself.
        classes: number of classes.
        settings: grid, folds and tolerances.
        weights: weight of each row.
        balanced: weigh classes inversely to their size, in the cross-validation too.
        groups: rows of one group, such as the words of a sentence, are held out together; stratified if left out.
        chosen_on: numbers of the rows that C is chosen on; drawn if left out.
        seed: of the folds and of those rows.
        progress: called with fits done and most fits there can be.
    """
    decisions = decisions_of(targets, classes)
    weights = np.ones(len(decisions), dtype=np.float32) if weights is None else weights
    if balanced:
        weights = (decisions.spread(weights) * decisions.balanced()).astype(np.float32)
    generator = np.random.default_rng(seed)
    kept = some_rows(len(decisions), groups, settings.search_rows, generator) if chosen_on is None else chosen_on
    folds = settings.folds_when_large if len(kept) > settings.large_rows else settings.folds
    if groups is None:
        fold = stratified_folds(decisions.take(kept).strata(), folds, generator)
    else:
        fold = grouped_folds(groups[kept], folds, generator)
    axes = PrincipalAxes.of(features)
    search = _Search(axes.scores[kept], decisions.take(kept), weights[kept], fold)
    most_fits = folds * len(settings.grid) + 1
    best, scores, worse = _Step(settings.default_c), dict[float, float](), 0
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
    final = LogisticRegression(axes.scores, decisions.targets, classes, weights)
    if best.solution:
        final.start_from(*best.solution)
    weight, bias = axes.back(*final.fit(best.c, settings.tolerance, settings.max_iterations))
    enough = int(search.held.sum()) >= settings.calibration_rows
    scale = search.calibrating_scale(best.logits) if enough and best.logits is not None else 1.0
    if progress:
        progress(most_fits, most_fits)
    head = LinearHead(np.ascontiguousarray(weight.T), bias)
    held_out = None if best.logits is None else HeldOut(kept[search.held], best.logits * np.float32(scale))
    return LogisticFit(head.scaled(scale), best.c, scores, best.accuracy, scale, held_out)


@dataclass(frozen=True)
class _Step:
    """What cross-validation found at one C: the folds' mean solution, held-out logits and scores."""

    c: float
    solution: tuple[Floats, Floats] | None = None
    logits: Floats | None = None
    loss: float = float("inf")
    accuracy: float | None = None


class _Search:
    """One regression a fold, all moved together along the path of C."""

    def __init__(self, features: Floats, decisions: Decisions, weights: Floats, fold: Indices) -> None:
        self.features, self.fold, self.classes = features, fold, decisions.classes
        self.fits = [
            LogisticRegression(features[kept], decisions.targets[kept], decisions.classes, weights[kept])
            for kept in (fold != held for held in range(int(fold.max(initial=-1)) + 1))
        ]
        self.held = fold >= 0
        self.truth, self.weights = decisions.take(self.held), weights[self.held]

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
        weight, bias = (np.mean(parts, axis=0) for parts in zip(*solutions, strict=True))
        loss = self.truth.average(self.truth.losses(logits), self.weights)
        accuracy = self.truth.average(self.truth.right(logits), self.weights)
        return _Step(c, (weight, bias), logits, loss, accuracy)

    def calibrating_scale(self, logits: Floats) -> float:
        """Return the factor on the held-out logits that minimises their log loss, by Newton's method."""
        scale, bounds = 1.0, load_settings("computing.yaml")["calibration_scale"]
        for _ in range(_NEWTON_STEPS):
            slope, curvature = self.truth.bend(logits, scale, self.weights)
            last, scale = scale, float(np.clip(scale - slope / max(curvature, 1e-12), scale / 2, scale * 2))
            scale = float(np.clip(scale, *bounds))
            if abs(scale - last) < 1e-3 * scale:
                break
        return scale
