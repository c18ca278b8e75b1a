"""Heads for prompting an encoder: texts compared with descriptions and demonstrations, nothing trained.

An encoder cannot follow an instruction. What it can do is say how near a text lies to a text about a label;
the heads here are made of such vectors only, and are linear, so that they are kept and served like a
trained one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from advisor.backend.arrays import Floats, Indices, Labels, row_log_losses
from advisor.backend.encoder import Encoder
from advisor.backend.head import LinearHead
from advisor.backend.settings import FewShotSettings, ZeroShotSettings
from advisor.backend.wording import describe


def zero_shot_head(
    encoder: Encoder,
    labels: Sequence[str],
    descriptions: Mapping[str, str],
    settings: ZeroShotSettings,
    background: Floats | None = None,
) -> LinearHead:
    """Return a head whose logits are scaled cosine similarities of a text with a label's texts.

    With features of unlabelled texts as ``background`` a share of their mean is taken out first: a label
    that is near to everything in the domain is then no longer preferred.

    Args:
        encoder: the encoder the texts will be embedded with.
        labels: class names, in the order of the head's rows.
        descriptions: one line a label, for those that have one.
        settings: templates, scale and share of the mean.
        background: (texts, hidden) features of unlabelled texts of the domain.
    """
    weight = label_vectors(encoder, labels, descriptions, settings)
    bias: Floats = np.zeros(len(labels), dtype=np.float32)
    if background is not None and len(background):
        bias = -settings.centring * weight @ background.mean(axis=0)
    return LinearHead(weight, bias).scaled(settings.scale)


def label_vectors(
    encoder: Encoder, labels: Sequence[str], descriptions: Mapping[str, str], settings: ZeroShotSettings
) -> Floats:
    """Return (labels, hidden) unit vectors: the mean of the texts that stand for a label."""
    texts = [describe(label, descriptions.get(label, ""), settings) for label in labels]
    vectors = encoder.embed([text for of_label in texts for text in of_label])
    ends = np.cumsum([len(of_label) for of_label in texts])[:-1]
    return unit(np.stack([part.mean(axis=0) for part in np.split(vectors, ends)]))


@dataclass(frozen=True)
class FewShotFit:
    """A head of descriptions and demonstrations.

    Attributes:
        head: the head.
        description_weight: k, how many demonstrations a description counts for.
        scale: factor from similarity to logit.
        accuracy: leave-one-out accuracy on the demonstrations, None where none could be left out.
        log_loss: leave-one-out log loss, likewise.
    """

    head: LinearHead
    description_weight: float
    scale: float
    accuracy: float | None
    log_loss: float | None


def few_shot_head(features: Floats, labels: Labels, zero_head: LinearHead, settings: FewShotSettings) -> FewShotFit:
    """Weigh each class's demonstrations against its description.

    Class vectors are directions from the mean of the classes: the mean of the demonstrations (a prototype,
    Snell et al. 2017, https://arxiv.org/abs/1703.05175) from the mean prototype, the description from the
    mean description, so that what all texts or all descriptions have in common cancels. A class with n
    demonstrations takes the first with weight n / (n + k). k and the scale minimise the leave-one-out log
    loss on the demonstrations plus that of a log-normal prior around their defaults, which decides while
    demonstrations are few.

    Args:
        features: (demonstrations, hidden), L2-normalised.
        labels: class number of each demonstration; a class may have none.
        zero_head: the head of :func:`zero_shot_head`.
        settings: candidates for k and the scale.
    """
    target: Indices = np.asarray(labels, dtype=np.int64)
    evidence = _Evidence(features, target, zero_head)
    k, scale = settings.default_description_weight, settings.default_scale
    accuracy = loss = None
    if evidence.can_leave_out.any():
        truth = target[evidence.can_leave_out]
        best = float("inf")
        for one_k in settings.description_weights:
            similarities = evidence.leave_one_out(one_k)
            of_k = unlikely(one_k, settings.default_description_weight, settings.description_weight_deviation)
            for one_scale in settings.scales:
                losses = row_log_losses(similarities * np.float32(one_scale), truth)
                penalised = (
                    float(losses.sum()) + of_k + unlikely(one_scale, settings.default_scale, settings.scale_deviation)
                )
                if penalised < best:
                    best, k, scale = penalised, one_k, one_scale
                    loss = float(losses.mean())
                    accuracy = float((similarities.argmax(axis=1) == truth).mean())
    weight = evidence.class_vectors(k)
    head = LinearHead(weight, -weight @ evidence.centre).scaled(scale)
    return FewShotFit(head, k, scale, accuracy, loss)


def unlikely(value: float, expected: float, deviation: float) -> float:
    """Return minus the log density of a log-normal prior, without its constant."""
    return (math.log(value / expected) / deviation) ** 2 / 2


class _Evidence:
    """Sums of demonstrations and directions of descriptions, from which class vectors of any k follow."""

    def __init__(self, features: Floats, labels: Indices, zero_head: LinearHead) -> None:
        classes = len(zero_head.weight)
        self.features, self.labels = features, labels
        self.counts = np.bincount(labels, minlength=classes).astype(np.float32)
        self.sums: Floats = np.zeros((classes, zero_head.weight.shape[1]), dtype=np.float32)
        np.add.at(self.sums, labels, features)
        present = self.counts > 0
        self.centre: Floats = (self.sums[present] / self.counts[present, None]).mean(axis=0)
        directions = unit(zero_head.weight)
        directions = directions - directions.mean(axis=0)
        spread = float(np.sqrt((directions**2).sum(axis=1).mean()))
        self.descriptions: Floats = directions / max(spread, 1e-6)
        self.can_leave_out = self.counts[labels] > 1

    def class_vectors(self, k: float) -> Floats:
        """Return (classes, hidden) class vectors."""
        return self._mixed(self.sums, self.counts, self.descriptions, k)

    def leave_one_out(self, k: float) -> Floats:
        """Return similarities of the demonstrations whose class has others, each left out of it."""
        rows, own = self.features[self.can_leave_out], self.labels[self.can_leave_out]
        centred: Floats = (rows - self.centre).astype(np.float32)
        without = self._mixed(self.sums[own] - rows, self.counts[own] - 1, self.descriptions[own], k)
        similarities: Floats = (centred @ self.class_vectors(k).T).astype(np.float32)
        similarities[np.arange(len(own)), own] = (centred * without).sum(axis=1)
        return similarities

    def _mixed(self, sums: Floats, counts: Floats, descriptions: Floats, k: float) -> Floats:
        known = counts > 0
        means: Floats = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
        prototypes = np.where(known[:, None], unit(means - self.centre), np.float32(0))
        share = np.divide(counts, counts + k, out=np.zeros_like(counts), where=known)[:, None]
        mixed: Floats = (share * prototypes + (1 - share) * descriptions).astype(np.float32)
        return mixed


def unit(vectors: Floats) -> Floats:
    """Return vectors divided by their length."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    divided: Floats = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return divided
