"""A linear probe of any task: how its rows are read, which head is fitted, and what is chosen on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats, sigmoid
from advisor.backend.encoder import Encoder
from advisor.backend.features import FeatureCache, features_of
from advisor.backend.frozen import FrozenModel, reads_of
from advisor.backend.head import LinearHead
from advisor.backend.layer_choice import choose_layers
from advisor.backend.linear import LogisticFit, fit_logistic
from advisor.backend.pairs import PairScale
from advisor.backend.ridge import fit_ridge
from advisor.backend.rows import Rows
from advisor.backend.settings import ProbeSettings
from advisor.backend.thresholds import choose_thresholds
from advisor.backend.truncation import read_long
from advisor.backend.within_memory import Progress
from advisor.backend.words import outside_margin, outside_tag, tagged_words
from advisor.tasks import TASKS

Event = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Probe:
    """All that fitting a probe takes beside the rows.

    Attributes:
        encoder: reads the rows; how is part of the settings.
        cache: of its features.
        task: id of the task.
        labels: classes or tags; empty for numbers.
        settings: what to choose from.
        balanced: whether labels are weighted inversely to how often they occur.
        seed: of draws and folds.
        progress: called with steps done and in all.
        event: called with facts worth logging.
    """

    encoder: Encoder
    cache: FeatureCache
    task: str
    labels: Sequence[str]
    settings: ProbeSettings
    balanced: bool
    seed: int
    progress: Progress
    event: Event

    def fit(self, training: Rows) -> FrozenModel:
        """Choose how rows are read, embed them, and fit the head that the task needs."""
        reads = reads_of(training.inputs)
        reader = self._reader(training, reads)
        fitted = replace(self, encoder=reader)
        predicts = TASKS[self.task].predicts
        if predicts == "tags":
            head, chosen = fitted._tags(training)
            thresholds = None
        else:
            features = features_of(reader, self.cache, training.inputs, self.progress).vectors
            scale = PairScale.of(features) if reads == "pair" else None
            features = scale.stretch(features) if scale else features
            fit = {"class": fitted._class, "classes": fitted._classes, "number": fitted._number}[predicts]
            head, thresholds, chosen = fit(features, training.targets)
            head = scale.fold(head) if scale else head
        if reader.layers:
            chosen["layers"] = list(reader.layers)
        return FrozenModel(reader, head, list(self.labels), self.task, reads, thresholds, self.cache, chosen)

    def _reader(self, training: Rows, reads: str) -> Encoder:
        """Return the encoder reading rows as the settings say."""
        settings = self.settings
        encoder = self.encoder.for_words() if reads == "words" else self.encoder
        encoder = read_long(encoder, settings.long_texts, training.inputs, self.event)
        how = settings.word_layers if reads == "words" else settings.layers
        rows = training.take(self._some(training, reads))
        columns = _columns(self.task, rows.targets, len(self.labels))
        layers, errors = choose_layers(encoder, how, rows.inputs, columns, settings, self.progress)
        if errors:
            self.event({"event": "layers", "left_out_error": errors, "layers": list(layers)})
        return replace(encoder, layers=layers)

    def _some(self, training: Rows, reads: str) -> NDArray[np.int64]:
        """Return the numbers of the rows that layers are compared on."""
        order = np.random.default_rng(self.seed).permutation(len(training))
        if reads != "words":
            return order[: self.settings.layer_rows]
        words = np.cumsum([len(training.inputs[row]) for row in order])
        return order[: max(1, int(np.searchsorted(words, self.settings.layer_words, side="right")))]

    def _class(self, features: Floats, targets: NDArray[Any]) -> tuple[LinearHead, None, dict[str, Any]]:
        fit = self._logistic(features, targets)
        return fit.head, None, _noted(fit)

    def _classes(self, features: Floats, targets: NDArray[Any]) -> tuple[LinearHead, Floats, dict[str, Any]]:
        fit = self._logistic(features, targets)
        if fit.held_out is None:
            return fit.head, np.full(len(self.labels), 0.5, dtype=np.float32), _noted(fit)
        levels = choose_thresholds(sigmoid(fit.held_out.logits), targets[fit.held_out.rows])
        return fit.head, levels, _noted(fit)

    def _number(self, features: Floats, targets: NDArray[Any]) -> tuple[LinearHead, None, dict[str, Any]]:
        fit = fit_ridge(features, targets, self.settings, seed=self.seed)
        return fit.head, None, {"strength": fit.strength, "left_out_error": fit.scores[fit.strength]}

    def _tags(self, training: Rows) -> tuple[LinearHead, dict[str, Any]]:
        words = tagged_words(
            self.encoder, training.inputs, training.targets, self.labels, self.settings,
            seed=self.seed, progress=self.progress,
        )  # fmt: skip
        fit = fit_logistic(
            words.vectors, words.tags, len(self.labels), self.settings, weights=words.weights, balanced=self.balanced,
            groups=words.rows, chosen_on=words.whole, seed=self.seed, progress=self.progress,
        )  # fmt: skip
        head, chosen, outside = fit.head, _noted(fit), outside_tag(self.labels)
        if fit.held_out is not None and outside >= 0:
            margin = outside_margin(fit.held_out, words, self.labels, self.settings.outside_margins)
            chosen["outside_margin"] = margin
            head = LinearHead(head.weight, head.bias - np.float32(margin) * (np.arange(len(self.labels)) == outside))
        return head, chosen

    def _logistic(self, features: Floats, targets: NDArray[Any]) -> LogisticFit:
        return fit_logistic(
            features, targets, len(self.labels), self.settings,
            balanced=self.balanced, seed=self.seed, progress=self.progress,
        )  # fmt: skip


def _noted(fit: LogisticFit) -> dict[str, Any]:
    return {"c": fit.c, "held_out_log_loss": fit.scores.get(fit.c), "held_out_accuracy": fit.accuracy}


def _columns(task: str, targets: NDArray[Any], width: int) -> Floats:
    """Return targets as numbers, (items, columns): classes and tags as zeros and ones."""
    predicts = TASKS[task].predicts
    if predicts == "number":
        return targets.astype(np.float32)[:, None]
    if predicts == "classes":
        return targets.astype(np.float32)
    numbers = np.concatenate(targets) if predicts == "tags" else targets
    return np.eye(width, dtype=np.float32)[numbers.astype(np.int64)]
