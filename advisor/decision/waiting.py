"""What is worth asking: the open inputs that some way of answering the others could still make decisive."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from advisor.decision.candidates import Candidate, candidates_of
from advisor.decision.derived import Answers
from advisor.decision.facts import Facts
from advisor.decision.possible import Open, Possible
from advisor.knowledge.rows import Rule
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.machine import Machine
from advisor.profile import INPUTS
from advisor.strategies import STRATEGIES

ALWAYS = ("task.type", "data.labelled")


_OWN_FACTS: dict[str, Callable[[Candidate], dict[str, Value]]] = {
    "candidate.": lambda candidate: candidate.traits,
    "need.": lambda candidate: candidate.needs,
}


@dataclass(frozen=True)
class _Feasible:
    """Whether a strategy is feasible, None where open answers decide, and those that decide it or its engine."""

    held: bool | None
    waits_for: tuple[str, ...]


def worth_asking(answers: Answers, base: RuleBase, machine: Machine, settled: Collection[str] = ()) -> list[str]:
    """Return the open inputs that can still change the recommended strategy or its engine, most decisive first.

    The rows that may still decide are those that may hold, of a strategy that may be feasible, down to the first that
    is sure of both. An input is worth asking for if such a row waits for it, or the feasibility or the engine of such
    a row's strategy; one that is not cannot make a difference, however the others are answered.

    The highest row comes first: what it waits for, and once it is sure to hold, what its strategy's feasibility waits
    for. Within a row that comes first which most rows wait for, each spreading one vote over the inputs it waits for;
    within feasibility, values that cannot be listed, then limits, then what is compared with them.

    Args:
        answers: by dotted name.
        base: the rule base.
        machine: what forecasts are made for.
        settled: inputs that stay unanswered.
    """
    inputs = [n for n, asked in INPUTS.items() if asked.question and answers.get(n) is None and n not in settled]
    possible = Possible(answers, base, inputs)
    if any(possible.facts.values.get(name) is None and name not in inputs for name in ALWAYS):
        return []
    table = _Table(possible, machine)
    contending = table.contending()
    votes: dict[str, float] = {}
    for rule in contending:
        waits_for = table.waits_for(rule)
        for name in waits_for:
            votes[name] = votes.get(name, 0.0) + 1 / len(waits_for)
    order = {name: place for place, name in enumerate(inputs)}
    asked = dict.fromkeys(name for name in ALWAYS if name in inputs)
    for rule in contending:
        waits_for = table.waits_for(rule)
        asked |= dict.fromkeys(sorted(waits_for, key=lambda name: (-round(votes[name], 6), order[name])))
        if not waits_for:
            asked |= dict.fromkeys(table.feasible(rule.recommend).waits_for)
    for rule in contending:
        asked |= dict.fromkeys(table.feasible(rule.recommend).waits_for)
    return list(asked)


class _Table:
    """The decision table under open answers."""

    def __init__(self, possible: Possible, machine: Machine) -> None:
        self.possible, self.base, self.machine = possible, possible.base, machine
        self._strategies: dict[str, _Feasible] = {}

    def contending(self) -> list[Rule]:
        """Return the rows that may still decide; of the last ones with one strategy only the surest."""
        rows: list[Rule] = []
        for rule in self.base.rules:
            held = self._holds(rule)
            if held is False or self.feasible(rule.recommend).held is False:
                continue
            rows.append(rule)
            if held and self.feasible(rule.recommend).held:
                while len(rows) > 1 and rows[-2].recommend == rule.recommend:
                    del rows[-2]
                break
        return rows

    def waits_for(self, rule: Rule) -> set[str]:
        """Return the open inputs that decide whether a row holds."""
        possible = self.possible
        return possible.waited_for(rule.condition, possible.open, possible.facts.values, unknown=False)

    def feasible(self, strategy: str) -> _Feasible:
        """Return whether a strategy is feasible, and what that and its engine wait for."""
        if strategy not in self._strategies:
            self._strategies[strategy] = self._feasibility(strategy)
        return self._strategies[strategy]

    def _holds(self, rule: Rule) -> bool | None:
        possible = self.possible
        return possible.outcome(rule.condition, possible.open, possible.facts.values, unknown=False)

    def _feasibility(self, strategy: str) -> _Feasible:
        def at_hand(facts: Facts) -> dict[str, Value]:
            return {c.engine: True for c in candidates_of(strategy, facts, self.base, self.machine)}

        certain = at_hand(self.possible.facts)
        varying, behind = self.possible.of(at_hand)
        if varying is None or varying:
            engines = dict.fromkeys([*certain, *(varying if varying is not None else STRATEGIES[strategy].engines)])
            found = [self._on_engine(strategy, engine) for engine in engines]
            waits_for = dict.fromkeys([*behind, *(name for one in found for name in one.waits_for)])
            return _Feasible(False if all(one.held is False for one in found) else None, tuple(waits_for))
        waits_for = {}
        held: bool | None = False
        for engine in certain:
            on_engine = self._on_engine(strategy, engine)
            if on_engine.held is not False:
                waits_for |= dict.fromkeys(on_engine.waits_for)
                held = on_engine.held or held
            if on_engine.held:
                break
        return _Feasible(held or (None if waits_for else False), tuple(waits_for))

    def _on_engine(self, strategy: str, engine: str) -> _Feasible:
        """Return whether a strategy is feasible on an engine once that is at hand, and what decides it."""
        possible, needs = self.possible, self.base.requirements[strategy]
        values, open_facts = dict(possible.facts.values), dict(possible.open)
        for start, of_candidate in _OWN_FACTS.items():

            def own(facts: Facts) -> dict[str, Value]:
                made = candidates_of(strategy, facts, self.base, self.machine)
                return next((of_candidate(candidate) for candidate in made if candidate.engine == engine), {})  # noqa: B023

            varying, behind = possible.of(own)
            if varying is None:
                varying = {name: Open(None, behind) for name in FACTS if name.startswith(start)}
            values |= own(possible.facts)
            open_facts |= varying
        waits_for = set[str]()
        for need in needs:
            held = possible.outcome(need.condition, open_facts, values, unknown=True)
            if held is False:
                return _Feasible(False, ())
            if held is None:
                waits_for |= possible.waited_for(need.condition, open_facts, values, unknown=True)
        limits = {name for need in needs for name in need.condition.names}
        return _Feasible(None if waits_for else True, self._ordered(waits_for, limits))

    def _ordered(self, inputs: Collection[str], limits: Collection[str]) -> tuple[str, ...]:
        """Return inputs in the order to ask for them."""
        known = self.possible.open
        return tuple(sorted(inputs, key=lambda name: (known[name].values is not None, name not in limits, name)))
