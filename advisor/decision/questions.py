"""Open questions: unanswered inputs for which another answer, all else as it is, changes the recommended strategy."""

from typing import NamedTuple

from advisor.decision.decide import Decision
from advisor.decision.nearby import Nearby
from advisor.decision.sweep import Sweep
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.profile import INPUTS


class Question(NamedTuple):
    """An unanswered input that could change the verdict, and to what."""

    input: str
    assumed: Value
    strategies: tuple[str, ...]


def open_questions(decision: Decision, nearby: Nearby) -> list[Question]:
    """Return the assumed or unanswered inputs for which another answer changes the verdict."""
    questions = []
    for name in INPUTS:
        answered = decision.facts.values.get(name) is not None and name not in decision.facts.assumed
        if answered or name not in FACTS:
            continue
        sweep = Sweep(nearby, decision.candidates, name)
        reached = {verdict.strategy for _, verdict in sweep.others() if verdict} if sweep.matters else set()
        reached.discard(decision.winner.strategy.id)
        if reached:
            questions.append(Question(name, decision.facts.values.get(name), tuple(sorted(reached))))
    return questions
