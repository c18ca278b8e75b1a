"""What a plan carries besides its strategy: more pre-training, several seeds, retrieval, a teacher."""

from advisor.decision.candidates import Candidate
from advisor.decision.decide import Decision
from advisor.knowledge.rows import Modifier


def modifiers(decision: Decision, candidate: Candidate | None = None) -> list[Modifier]:
    """Return the rows that hold for a candidate, the recommended one if left out; one for each modifier."""
    strategy = (candidate or decision.winner).strategy
    found: dict[str, Modifier] = {}
    for row in decision.base.modifiers:
        if {strategy.id, strategy.family} & set(row.to) and row.condition.evaluate(
            decision.facts.values, decision.base.limits
        ):
            found.setdefault(row.adds, row)
    return list(found.values())
