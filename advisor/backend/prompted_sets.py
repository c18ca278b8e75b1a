"""Heads for prompting an encoder where a text may have several labels, or none: each label is decided by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from advisor.backend.arrays import Floats, decision_log_losses, sigmoid
from advisor.backend.encoder import Encoder
from advisor.backend.head import LinearHead
from advisor.backend.prompting import label_vectors, unit, unlikely
from advisor.backend.settings import FewShotSettings, ZeroShotSettings

_NEWTON_STEPS = 20


def zero_shot_sets(
    encoder: Encoder,
    labels: Sequence[str],
    descriptions: Mapping[str, str],
    settings: ZeroShotSettings,
    background: Floats,
) -> LinearHead:
    """Return a head whose logits are above zero where a text is nearer to a label than most texts are to most labels.

    Nothing says how near is near enough. The head takes the level at which the unlabelled texts have as many labels
    each, on average, as the settings expect; without such texts, the level among the labels' own descriptions. As for
    single labels a share of the texts' mean is taken out first.

    Args:
        encoder: the encoder the texts will be embedded with.
        labels: names, in the order of the head's rows.
        descriptions: one line a label, for those that have one.
        settings: templates, scale, share of the mean, labels expected.
        background: (texts, hidden) features of unlabelled texts of the domain, perhaps none.
    """
    weight = label_vectors(encoder, labels, descriptions, settings)
    texts = background if len(background) else weight
    usual: Floats = (settings.centring * weight @ texts.mean(axis=0)).astype(np.float32)
    level = _level(texts @ weight.T - usual, settings.labels_per_text)
    return LinearHead(weight, -usual - level).scaled(settings.scale)


@dataclass(frozen=True)
class FewShotSets:
    """A head of descriptions and demonstrations.

    Attributes:
        head: the head.
        thresholds: (labels,) probability from which a label is given, the same for all.
        description_weight: k, how many demonstrations a description counts for.
        scale: factor from similarity to logit.
        log_loss: leave-one-out log loss of a decision, None where nothing could be left out.
    """

    head: LinearHead
    thresholds: Floats
    description_weight: float
    scale: float
    log_loss: float | None


def few_shot_sets(features: Floats, held: Floats, zero_head: LinearHead, settings: FewShotSettings) -> FewShotSets:
    """Weigh each label's demonstrations against its description, as `few_shot_head` does for classes.

    A label's vector is the direction from the mean of all demonstrations to the mean of its own. Its logit is the
    scaled similarity plus the log odds of its share plus one offset for all; k, scale and offset minimise the
    leave-one-out log loss with the priors of `few_shot_head`. The threshold is the level at which the demonstrations,
    each left out, have as many labels as they truly have: at a probability of a half too few are given.

    Args:
        features: (demonstrations, hidden), L2-normalised.
        held: (demonstrations, labels) zeros and ones.
        zero_head: the head of :func:`zero_shot_sets`, taken as it is where fewer than two demonstrations have labels.
        settings: candidates for k and the scale.
    """
    labels = held.shape[1]
    if np.count_nonzero(held.any(axis=1)) < 2:
        halves = np.full(labels, 0.5, dtype=np.float32)
        return FewShotSets(zero_head, halves, settings.default_description_weight, settings.default_scale, None)
    evidence = _Evidence(features, held, zero_head)
    best = (float("inf"), 0.0, 0.0, 0.0, np.empty(0, dtype=np.float32))
    for k in settings.description_weights:
        similarities = evidence.leave_one_out(k)
        of_k = unlikely(k, settings.default_description_weight, settings.description_weight_deviation)
        for scale in settings.scales:
            logits = scale * similarities + evidence.log_odds
            offset = _offset(logits, held)
            logits = (logits + offset).astype(np.float32)
            of_scale = unlikely(scale, settings.default_scale, settings.scale_deviation)
            penalised = float(decision_log_losses(logits, held).sum()) + of_k + of_scale
            if penalised < best[0]:
                best = (penalised, k, scale, offset, logits)
    _, k, scale, offset, logits = best
    weight = scale * evidence.label_vectors(k)
    bias = evidence.log_odds + offset - weight @ evidence.centre
    level = sigmoid(np.array([_level(logits, float(held.sum(axis=1).mean()))], dtype=np.float32))
    return FewShotSets(
        LinearHead(weight.astype(np.float32), bias.astype(np.float32)),
        np.full(labels, level[0], dtype=np.float32),
        k,
        scale,
        float(decision_log_losses(logits, held).mean()),
    )


class _Evidence:
    """Sums of demonstrations and directions of descriptions, from which label vectors of any k follow."""

    def __init__(self, features: Floats, held: Floats, zero_head: LinearHead) -> None:
        self.held, self.counts = held, held.sum(axis=0)
        self.centre: Floats = features.mean(axis=0)
        self.features: Floats = features - self.centre
        self.sums: Floats = held.T @ self.features
        directions = unit(zero_head.weight)
        directions = directions - directions.mean(axis=0)
        spread = float(np.sqrt((directions**2).sum(axis=1).mean()))
        self.descriptions: Floats = directions / max(spread, 1e-6)
        shares = (self.counts + 1) / (len(features) + held.shape[1])
        self.log_odds: Floats = np.log(shares / (1 - np.minimum(shares, 1 - 1e-3))).astype(np.float32)

    def label_vectors(self, k: float) -> Floats:
        """Return (labels, hidden)."""
        return self._mixed(self.sums, self.counts, self.descriptions, k)

    def leave_one_out(self, k: float) -> Floats:
        """Return (demonstrations, labels) similarities, each demonstration left out of the labels that it has."""
        similarities: Floats = self.features @ self.label_vectors(k).T
        rows, own = np.nonzero(self.held)
        left = self.features[rows]
        without = self._mixed(self.sums[own] - left, self.counts[own] - 1, self.descriptions[own], k)
        similarities[rows, own] = (left * without).sum(axis=1)
        return similarities

    @staticmethod
    def _mixed(sums: Floats, counts: Floats, descriptions: Floats, k: float) -> Floats:
        known = (counts > 0)[:, None]
        share = (counts / (counts + k))[:, None]
        mixed: Floats = (share * np.where(known, unit(sums), 0) + (1 - share) * descriptions).astype(np.float32)
        return mixed


def _level(scores: Floats, labels_per_text: float) -> float:
    """Return the score that as many of all pairs of text and label exceed as make that many labels a text."""
    share = min(labels_per_text / scores.shape[1], 1.0)
    return float(np.quantile(scores, 1 - share))


def _offset(logits: Floats, held: Floats) -> float:
    """Return what to add to all logits so that as many labels are expected as there are, by Newton's method."""
    offset = 0.0
    for _ in range(_NEWTON_STEPS):
        probabilities = sigmoid(logits + np.float32(offset))
        slope, curvature = float((probabilities - held).sum()), float((probabilities * (1 - probabilities)).sum())
        step = float(np.clip(slope / max(curvature, 1e-9), -2, 2))
        offset -= step
        if abs(step) < 1e-4:
            break
    return offset
