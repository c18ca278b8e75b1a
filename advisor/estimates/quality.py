"""Expected quality before anything is measured: what the strategy reached on other data at this number of labels."""

import math

from advisor.estimates.constants import QualityAnchor, load_quality_priors
from advisor.knowledge.interval import Interval


def expected_accuracy(strategy: str, engine: str, labels_per_class: float, classes: int) -> Interval | None:
    """Return accuracy as an interval, or None where nothing is known.

    Priors hold *skill*: (accuracy - 1/C) / (1 - 1/C) for C classes, 0 at chance and 1 at perfection, so that sets with
    different numbers of classes can stand together. Between two anchors skill is interpolated in the logarithm of
    1 + labels per class; beyond the last it stays.
    """
    prior = load_quality_priors().get((strategy, engine))
    if prior is None:
        return None
    chance = 1.0 / classes
    return _skill(prior.anchors, labels_per_class).map(lambda skill: chance + max(0.0, skill) * (1 - chance))


def _skill(anchors: list[QualityAnchor], labels: float) -> Interval:
    below = [anchor for anchor in anchors if anchor.labels_per_class <= labels]
    above = [anchor for anchor in anchors if anchor.labels_per_class > labels]
    if not below:
        return above[0].skill
    if not above:
        return below[-1].skill
    left, right = below[-1], above[0]
    share = (math.log1p(labels) - math.log1p(left.labels_per_class)) / (
        math.log1p(right.labels_per_class) - math.log1p(left.labels_per_class)
    )
    return left.skill.times(1 - share).plus(right.skill.times(share))
