"""What the next labels are worth: expected quality with some more of them, their price, and where the verdict flips."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from advisor.decision.candidates import Candidate, candidates
from advisor.decision.decide import Decision
from advisor.decision.facts import project_facts, with_answer
from advisor.decision.flips import Flip
from advisor.decision.sweep import LABELS
from advisor.knowledge.interval import Interval
from advisor.settings import load_settings


class Gain(NamedTuple):
    """What a strategy is expected to reach with more labels.

    Attributes:
        quality: with them.
        gain: over its quality now. The bounds are the least and the greatest difference along the low, middle and high
            curves of the quality priors; where a curve falls, labels are taken to do no harm.
    """

    strategy: str
    engine: str
    quality: Interval
    gain: Interval

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        named = {"strategy": self.strategy, "engine": self.engine}
        return {**named, "quality": self.quality.as_dict(), "gain": self.gain.as_dict()}


class NextLabels(NamedTuple):
    """What ``labels`` more labelled examples would bring.

    Attributes:
        usd: their price, None where no price of a label is known.
        advised: the recommended strategy.
        other: the best of the others at that count.
        flip: the nearest count at which another strategy is recommended.
    """

    labels: int
    usd: float | None
    advised: Gain
    other: Gain | None
    flip: Flip | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        flip = {"labels": self.flip.after, "strategy": self.flip.strategy} if self.flip else None
        other = self.other.as_dict() if self.other else None
        return {
            "labels": self.labels, "usd": self.usd, "advised": self.advised.as_dict(), "other": other, "flip": flip,
        }  # fmt: skip


def next_labels(decision: Decision, flips: Iterable[Flip]) -> NextLabels | None:
    """Return what the next ``next_labels`` labels are worth; None where no quality can be forecast."""
    labelled, price = (decision.facts.values.get(name) for name in (LABELS, "data.usd_per_label"))
    more = int(load_settings("explanation.yaml")["next_labels"])
    if not isinstance(labelled, int | float):
        return None
    answers = with_answer(decision.answers, LABELS, int(labelled) + more)
    now = {(c.strategy.id, c.engine): c for c in decision.candidates}
    then = candidates(project_facts(answers, decision.base), decision.base, decision.machine)
    gains = [gain for c in then if c.feasible and (gain := _gain(now.get((c.strategy.id, c.engine)), c))]
    own = (decision.winner.strategy.id, decision.winner.engine)
    advised = next((gain for gain in gains if (gain.strategy, gain.engine) == own), None)
    if advised is None:
        return None
    others = [gain for gain in gains if gain.strategy != advised.strategy]
    return NextLabels(
        labels=more,
        usd=more * float(price) if isinstance(price, int | float) else None,
        advised=advised,
        other=max(others, key=lambda gain: gain.quality.point, default=None),
        flip=next((flip for flip in flips if flip.input == LABELS), None),
    )


def _gain(now: Candidate | None, then: Candidate) -> Gain | None:
    before = now.forecast.quality if now and now.forecast else None
    after = then.forecast.quality if then.forecast else None
    if before is None or after is None:
        return None
    low, point, high = (max(0.0, b - a) for a, b in zip(before, after, strict=True))
    return Gain(then.strategy.id, then.engine, after, Interval(min(low, point, high), point, max(low, point, high)))
