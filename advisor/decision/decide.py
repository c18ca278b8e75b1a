"""The verdict: requirements veto candidates, then the highest row of the decision table that holds decides."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from advisor.decision.candidates import Candidate, candidates, first_feasible
from advisor.decision.derived import Answers
from advisor.decision.facts import Facts, answers_of, project_facts
from advisor.errors import NoFeasibleStrategy, Undecided
from advisor.knowledge.conditions import Values
from advisor.knowledge.rows import Objection, Rule
from advisor.knowledge.rulebase import RuleBase
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
    deciding, passed_over = winning_rule(
        base, facts.values, base.limits, lambda strategy: first_feasible(found, strategy)
    )
    if deciding is None:
        if any(candidate.feasible for candidate in found):
            raise Undecided(
                "no row of the decision table applies to what is known; answer more questions (advisor ask)"
            )
        raise _nothing_left(found)
    rule, winner = deciding
    objections = tuple(
        objection
        for objection in base.objections
        if rule.strength != "strong"
        and winner.strategy.family in objection.against
        and objection.favours != winner.strategy.id
        and objection.condition.evaluate(facts.values, base.limits)
        and first_feasible(found, objection.favours)
    )
    return Decision(answers, base, machine, facts, tuple(found), rule, winner, tuple(passed_over), objections)


def winning_rule(
    base: RuleBase, facts: Values, limits: Values, feasible: Callable[[str], Candidate | None]
) -> tuple[tuple[Rule, Candidate] | None, list[Rule]]:
    """Return the row that decides with its candidate, if any does, and the rows above it that are ruled out."""
    passed_over: list[Rule] = []
    for rule in base.rules:
        if rule.condition.evaluate(facts, limits):
            candidate = feasible(rule.recommend)
            if candidate:
                return (rule, candidate), passed_over
            passed_over.append(rule)
    return None, passed_over


def _insist(facts: Facts) -> None:
    missing = [name for name in INDISPENSABLE if facts.values.get(name) is None]
    if missing:
        questions = "; ".join(f"{name} ({INPUTS[name].question})" for name in missing)
        raise Undecided(
            f"cannot advise without: {questions} Set them in the profile, by --set, or run advisor ask.", missing
        )


def _nothing_left(found: list[Candidate]) -> NoFeasibleStrategy:
    """Say why nothing is feasible, and which single requirement stands in the way of most candidates."""
    able = [c for c in found if all(veto.requirement != "applies-to-task" for veto in c.vetoes)]
    if not able:
        task = found[0].facts.get("task.type")
        text = f"no strategy here applies to {task}; one that generates text needs a language model (model.llm)"
        return NoFeasibleStrategy(text, "applies-to-task")
    stopped: dict[str, list[str]] = {}
    for candidate in able:
        stopped.setdefault(candidate.vetoes[0].because, []).append(candidate.strategy.id)
    reasons = "; ".join(f"{', '.join(dict.fromkeys(strategies))}: {because}" for because, strategies in stopped.items())
    most = Counter(veto.requirement for c in able for veto in c.vetoes).most_common(1)[0][0]
    prompts = any(c.strategy.family == "prompting" for c in able)
    hint = "" if prompts else " A language model (model.llm) could be prompted."
    return NoFeasibleStrategy(f"no strategy is feasible. {reasons}. Relaxing '{most}' would help most.{hint}", most)
