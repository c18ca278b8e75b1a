"""The base model of a verdict: which one, why, and which others are worth considering."""

from typing import Any, NamedTuple

from advisor.decision.decide import Decision
from advisor.decision.derived import choosing_row


class Considered(NamedTuple):
    """A base model, the reason in words, and the findings behind it."""

    model: str
    because: str
    evidence: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"model": self.model, "because": self.because, "evidence": list(self.evidence)}


class BaseModelAdvice(NamedTuple):
    """The model chosen, and others for which a row of the rule base speaks."""

    chosen: Considered
    others: tuple[Considered, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**self.chosen.as_dict(), "consider": [other.as_dict() for other in self.others]}


def base_model(decision: Decision) -> BaseModelAdvice:
    """Return the base model of the recommended candidate with its reason, and others worth considering.

    A language model that is prompted is the profile's own; there is nothing to choose.
    """
    facts, winner = decision.facts, decision.winner
    if winner.engine != "encoder" and winner.strategy.family == "prompting":
        return BaseModelAdvice(Considered(winner.model, "it is the language model there is", ()), ())
    kind = "encoder" if winner.engine == "encoder" else "generator"
    row = choosing_row(kind, facts.values, decision.base)
    if row is None:
        return BaseModelAdvice(Considered(winner.model, "the profile names it", ()), ())
    chosen = Considered(winner.model, row.reason(facts.values), tuple(row.evidence))
    others = tuple(
        Considered(row.consider, row.reason(facts.values), tuple(row.evidence))
        for row in decision.base.models
        if row.kind == kind and row.consider and row.condition.evaluate(facts.values, decision.base.limits)
    )
    return BaseModelAdvice(chosen, others)
