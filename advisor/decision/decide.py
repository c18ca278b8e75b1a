"""The verdict: requirements veto candidates, then the highest row of the decision table that holds decides."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from advisor.decision.candidates import Candidate, candidates
from advisor.decision.facts import Answers, Facts, answers_of, project_facts
from advisor.errors import NoFeasibleStrategy, Undecided
from advisor.knowledge.conditions import Values
from advisor.knowledge.rulebase import Objection, Rule, RuleBase
from advisor.machine import Machine
from advisor.profile import INPUTS, Profile

INDISPENSABLE = ("task.type", "data.labelled")


@dataclass(frozen=True)
class Decision:
    """A verdict with everything it rests on.

    Attributes:
        rule: the row that decided.
        winner: the candidate it recommends.
        passed_over: rows above it that held but whose strategy is ruled out.
        objections: evidence for another family; the verdict is contested where there is any.
    """

    answers: Answers
    base: RuleBase
    machine: Machine
    facts: Facts
    candidates: tuple[Candidate, ...]
    rule: Rule
    winner: Candidate
    passed_over: tuple[Rule, ...]
    objections: tuple[Objection, ...]

    @property
    def contested(self) -> bool:
        """Whether evidence disagrees."""
        return bool(self.objections)

    @cached_property
    def excluded(self) -> list[Candidate]:
        """The candidates ruled out whose strategy is feasible on no engine."""
        return [candidate for candidate in self.ruled_out if candidate.strategy.id not in self._feasible]

    @cached_property
    def ruled_out(self) -> list[Candidate]:
        """All candidates ruled out, those included whose strategy is feasible on another engine."""
        return [candidate for candidate in self.candidates if not candidate.feasible]

    @cached_property
    def _feasible(self) -> set[str]:
        return {candidate.strategy.id for candidate in self.candidates if candidate.feasible}


def decide(profile: Profile, base: RuleBase, machine: Machine) -> Decision:
    """Decide for a profile.

    Raises:
        NoFeasibleStrategy: every candidate is ruled out; the message names the requirement that rules out most.
        Undecided: answers without which no row can be told to hold.
    """
    return decide_answers(answers_of(profile), base, machine)


def decide_answers(answers: Answers, base: RuleBase, machine: Machine) -> Decision:
    """Decide for answers by dotted name; raises as `decide` does."""
    facts = project_facts(answers, base)
    _insist(facts)
    found = candidates(facts, base, machine)
    feasible = {candidate.strategy.id: candidate for candidate in reversed(found) if candidate.feasible}
    if not feasible:
        raise NoFeasibleStrategy(_nothing_left(found))
    rule, passed_over = winning_rule(base, facts.values, base.limits, set(feasible))
    winner = feasible[rule.recommend]
    objections = tuple(
        objection
        for objection in base.objections
        if rule.strength != "strong"
        and winner.strategy.family in objection.against
        and objection.favours in feasible
        and objection.condition.evaluate(facts.values, base.limits)
    )
    return Decision(answers, base, machine, facts, tuple(found), rule, winner, tuple(passed_over), objections)


def winning_rule(base: RuleBase, facts: Values, limits: Values, feasible: set[str]) -> tuple[Rule, list[Rule]]:
    """Return the row that decides, and the rows above it whose strategy is ruled out.

    Raises:
        Undecided: no row with a feasible strategy is known to hold.
    """
    passed_over: list[Rule] = []
    for rule in base.rules:
        if not rule.condition.evaluate(facts, limits):
            continue
        if rule.recommend in feasible:
            return rule, passed_over
        passed_over.append(rule)
    raise Undecided("no row of the decision table applies to what is known; answer more questions (advisor ask)")


def _insist(facts: Facts) -> None:
    missing = [name for name in INDISPENSABLE if facts.values.get(name) is None]
    if missing:
        questions = "; ".join(f"{name} ({INPUTS[name].question})" for name in missing)
        raise Undecided(f"cannot advise without: {questions} Set them in the profile, by --set, or run advisor ask.")


def _nothing_left(found: list[Candidate]) -> str:
    """Say why nothing is feasible, and which single requirement stands in the way of most candidates."""
    task = found[0].facts.get("task.type")
    able = [c for c in found if all(veto.requirement != "applies-to-task" for veto in c.vetoes)]
    if not able:
        return f"no strategy here applies to {task}; one that generates text needs a language model (model.llm)"
    reasons = dict.fromkeys(f"{c.strategy.id}: {c.vetoes[0].because}" for c in able)
    most = Counter(veto.requirement for c in able for veto in c.vetoes).most_common(1)[0][0]
    return f"no strategy is feasible. {'; '.join(reasons)}. Relaxing '{most}' would help most."
