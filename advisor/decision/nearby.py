"""Nearby verdicts: what would be recommended if some answers were others, sharing what does not change."""

from typing import NamedTuple

from advisor.decision.candidates import Candidate, candidates_of
from advisor.decision.derived import IMPLIED, Answers, Derivation, derivations
from advisor.decision.facts import Facts, Reads, project_facts, with_answer
from advisor.knowledge.conditions import Condition
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import Value
from advisor.machine import Machine


class Verdict(NamedTuple):
    """What is recommended, and what carries it out."""

    strategy: str
    engine: str


class _Found(NamedTuple):
    """A strategy's candidates, the facts they were made from, and those and what their feasibility rests on."""

    candidates: tuple[Candidate, ...]
    engine: str | None
    made_from: frozenset[str]
    rests_on: frozenset[str]


class Nearby:
    """Verdicts around given answers.

    A row is evaluated again only where a fact it mentions has changed, a strategy only where a fact has changed that
    its feasibility was worked out from.
    """

    def __init__(self, answers: Answers, base: RuleBase, machine: Machine) -> None:
        self.answers, self.base, self.machine = answers, base, machine
        self.facts = project_facts(answers, base)
        self._rows: list[tuple[Condition, str]] = [(rule.condition, rule.recommend) for rule in base.rules]
        self._held = [bool(condition.evaluate(self.facts.values, base.limits)) for condition, _ in self._rows]
        self._derivations = derivations(base)
        self._reads = {fact: self._read_by(derive) for fact, derive in (IMPLIED | self._derivations).items()}
        self._moves: dict[frozenset[str], frozenset[str]] = {}
        self._strategies: dict[str, _Found] = {}
        self._concerned: dict[frozenset[str], list[tuple[int, Condition | None, str]]] = {}

    def with_answer(self, name: str, value: Value) -> Verdict | None:
        """Return the verdict with one answer changed."""
        decided = self._decided(self.facts_with(name, value))
        return decided[1] if decided else None

    def facts_with(self, name: str, value: Value) -> Facts:
        """Return the facts with one answer changed; those that do not rest on it are taken as they are."""
        answers = with_answer(self.answers, name, value)
        changed = {other: answers[other] for other in answers if answers[other] != self.answers.get(other)}
        moved = self.moves(frozenset(changed))
        if None in changed.values() or not moved.isdisjoint(IMPLIED):
            return project_facts(answers, self.base)
        values = self.facts.values | changed
        for fact, derive in self._derivations.items():
            if fact in moved:
                values[fact] = derive(values)
        return Facts(values, self.facts.assumed - changed.keys())

    def moves(self, inputs: frozenset[str]) -> frozenset[str]:
        """Return the facts implied by or derived from any of these inputs, directly or through one another."""
        if inputs not in self._moves:
            moved = set(inputs)
            for fact, reads in self._reads.items():
                if not moved.isdisjoint(reads):
                    moved.add(fact)
            self._moves[inputs] = frozenset(moved - inputs)
        return self._moves[inputs]

    def verdict(self, answers: Answers | None = None) -> Verdict | None:
        """Return the verdict for other answers, those at hand if left out; None where there is none."""
        decided = self.decided(answers)
        return decided[1] if decided else None

    def decided(self, answers: Answers | None = None) -> tuple[int, Verdict] | None:
        """Return the deciding row's place in the table and the verdict."""
        return self._decided(project_facts(answers, self.base) if answers is not None else self.facts)

    def _decided(self, facts: Facts) -> tuple[int, Verdict] | None:
        changed = self.changed(facts)
        for row, condition, strategy in self._waiting(changed):
            if condition is None or condition.evaluate(facts.values, self.base.limits):
                engine = self._engine(strategy, facts, changed)
                if engine:
                    return row, Verdict(strategy, engine)
        return None

    def changed(self, facts: Facts) -> frozenset[str]:
        """Return the names whose value is another, or that were assumed and are answered, or the other way round."""
        before, after = self.facts.values, facts.values
        changed = {name for name, value in after.items() if before.get(name) != value}
        if len(before) != len(after) or before.keys() != after.keys():
            changed |= {name for name in before.keys() - after.keys() if before[name] is not None}
        return frozenset(changed | (facts.assumed ^ self.facts.assumed))

    def made_from(self, strategy: str) -> frozenset[str]:
        """Return the facts that a strategy's candidates and their forecasts were made from."""
        return self._strategy(strategy).made_from

    def _read_by(self, derive: Derivation) -> frozenset[str]:
        reads = Reads(self.facts.values)
        derive(reads)
        return frozenset(reads.names)

    def _waiting(self, changed: frozenset[str]) -> list[tuple[int, Condition | None, str]]:
        """Return the rows that may hold, with the condition of those whose facts have changed."""
        if changed not in self._concerned:
            self._concerned[changed] = [
                (row, None if same else condition, strategy)
                for row, (condition, strategy) in enumerate(self._rows)
                if not (same := changed.isdisjoint(condition.names)) or self._held[row]
            ]
        return self._concerned[changed]

    def _engine(self, strategy: str, facts: Facts, changed: frozenset[str]) -> str | None:
        known = self._strategy(strategy)
        if changed.isdisjoint(known.rests_on):
            return known.engine
        if changed.isdisjoint(known.made_from):
            moved, limits = {name: facts.values.get(name) for name in changed}, self.base.limits
            return next((c.engine for c in known.candidates if c.meets_needs({**c.facts, **moved}, limits)), None)
        made = candidates_of(strategy, facts, self.base, self.machine)
        return next((candidate.engine for candidate in made if candidate.feasible), None)

    def _strategy(self, strategy: str) -> _Found:
        if strategy not in self._strategies:
            reads = Reads(self.facts.values)
            own = candidates_of(strategy, Facts(reads, self.facts.assumed), self.base, self.machine)
            engines = [candidate.engine for candidate in own if candidate.facts and candidate.feasible]
            needs = (need.condition.names for need in self.base.requirements[strategy])
            made_from = frozenset(reads.names)
            self._strategies[strategy] = _Found(
                tuple(own), next(iter(engines), None), made_from, made_from.union(*needs)
            )
        return self._strategies[strategy]
